//! Laying values over chart defaults, with Helm's rules for null, globals and subcharts.
//!
//! In: a chart of a [`Graph`] and the values that win. Out: the same map with every default laid under it, one table for each
//! subchart. Maps are Go's: shared by whoever holds them and changed in place, because what leaks between charts in
//! Helm (nested globals above all) shows in what charts print. Copies are made exactly where Helm makes them.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::gotmpl::{List, Map, Str, Val};

use super::graph::{Graph, NodeId};

/// The key under which values reach every subchart.
pub(crate) const GLOBAL: &str = "global";

/// One coalescing run: the rules, and what was remarked on the way.
pub(crate) struct Coalescing<'w> {
    /// Whose rules.
    pub profile: Profile,
    /// Warnings in the order in which they came up.
    pub warnings: &'w mut Vec<String>,
}

impl Coalescing<'_> {
    /// A copy of `values` with the chart's defaults under it; a null removes a default.
    pub(crate) fn coalesce(&mut self, graph: &Graph, id: NodeId, values: &Map) -> Result<Map> {
        let copy = deep_copy_map(values);
        self.chart(graph, id, &copy, "", false)?;
        Ok(copy)
    }

    /// As [`Coalescing::coalesce`] over no values, but nulls stay.
    pub(crate) fn merge(&mut self, graph: &Graph, id: NodeId) -> Result<Map> {
        let values = Map::new();
        self.chart(graph, id, &values, "", true)?;
        Ok(values)
    }

    fn chart(&mut self, graph: &Graph, id: NodeId, dest: &Map, prefix: &str, merge: bool) -> Result<()> {
        let here = join(prefix, graph.name(id));
        self.own_values(graph, id, dest, &here, merge);
        for &child in graph.children(id) {
            let name = graph.name(child);
            let table = match dest.get(name) {
                None => {
                    let table = Map::new();
                    dest.set(name, table.clone());
                    table
                }
                Some(Val::Map(table)) => table,
                Some(other) => {
                    let message = format!("type mismatch on {name}: {}", as_bool_verb(&other));
                    let fault = Diagnostic::input("values-not-a-table", message);
                    return Err(Box::new(fault.hint(format!("make `{name}` a map: it holds the values of a subchart"))));
                }
            };
            self.globals(&table, dest, &here);
            self.chart(graph, child, &table, &here, merge)?;
        }
        Ok(())
    }

    /// Lays the parent's globals over the subchart's. Tables are copied one level deep; what they hold is shared.
    fn globals(&mut self, dest: &Map, src: &Map, prefix: &str) {
        let into = match dest.get(GLOBAL) {
            None => Map::new(),
            Some(Val::Map(map)) => map,
            Some(_) => return self.warn(format!("skipping globals because destination {GLOBAL} is not a table")),
        };
        let from = match src.get(GLOBAL) {
            None => Map::new(),
            Some(Val::Map(map)) => map,
            Some(_) => return self.warn(format!("skipping globals because source {GLOBAL} is not a table")),
        };
        for (key, value) in from.snapshot() {
            let there = into.get(&key);
            match (value, there) {
                (Val::Map(table), None) => into.set(key, table.shallow_copy()),
                (Val::Map(table), Some(Val::Map(old))) => {
                    let copy = table.shallow_copy();
                    self.tables(&copy, &old, &join(prefix, &key.to_str_lossy()), true);
                    into.set(key, copy);
                }
                (Val::Map(_), Some(_)) => self.warn(format!("conflict: cannot merge map onto non-map for {:?}", key.to_str_lossy())),
                (_, Some(Val::Map(_))) => self.warn(format!("key {key} is table, skipping")),
                (value, _) => into.set(key, value),
            }
        }
        dest.set(GLOBAL, into);
    }

    /// Lays the chart's own defaults under `values`.
    fn own_values(&mut self, graph: &Graph, id: NodeId, values: &Map, prefix: &str, merge: bool) {
        let clean = self.profile.chart_nulls_removed();
        for (key, default) in deep_copy_map(graph.values(id)).snapshot() {
            let there = values.borrow().get(&key).cloned();
            match (there, default) {
                (Some(Val::Nil), _) if !merge => drop(values.remove(&key)),
                (Some(Val::Map(table)), Val::Map(defaults)) => {
                    let merge = merge || graph.children(id).iter().any(|child| key == graph.name(*child));
                    if clean && !merge {
                        remove_nulls(&defaults);
                    }
                    self.tables(&table, &defaults, &join(prefix, &key.to_str_lossy()), merge);
                }
                (Some(Val::Map(_)), Val::Nil) => {}
                (Some(Val::Map(_)), _) => self.warn(format!("skipped value for {}: Not a table.", join(prefix, &key.to_str_lossy()))),
                (Some(_), _) => {}
                (None, Val::Nil) if clean && !merge => {}
                (None, default) => {
                    if let (true, false, Val::Map(table)) = (clean, merge, &default) {
                        remove_nulls(table);
                    }
                    values.set(key, default);
                }
            }
        }
    }

    /// Lays `src` under `dst`, table by table. With `merge`, nulls stay.
    pub(crate) fn tables(&mut self, dst: &Map, src: &Map, prefix: &str, merge: bool) {
        let keeps = self.profile.null_without_default_kept();
        let had: Vec<Str> = if keeps && !merge {
            src.borrow().iter().filter(|(_, value)| !value.is_nil()).map(|(key, _)| key.clone()).collect()
        } else {
            Vec::new()
        };
        if keeps {
            for (key, value) in dst.snapshot() {
                if value.is_nil() {
                    src.set(key, Val::Nil);
                }
            }
        }
        for (key, value) in src.snapshot() {
            match (dst.get(&key), value) {
                (Some(Val::Nil), _) if !merge && (!keeps || had.binary_search(&key).is_ok()) => drop(dst.remove(&key)),
                (None, value) => dst.set(key, value),
                (Some(Val::Map(table)), Val::Map(defaults)) => {
                    self.tables(&table, &defaults, &join(prefix, &key.to_str_lossy()), merge);
                }
                (Some(_), Val::Map(_)) => {
                    self.warn(format!("cannot overwrite table with non table for {}", join(prefix, &key.to_str_lossy())));
                }
                (Some(Val::Map(_)), other) if !other.is_nil() => {
                    let place = join(prefix, &key.to_str_lossy());
                    self.warn(format!("destination for {place} is a table, ignoring non-table value"));
                }
                _ => {}
            }
        }
    }

    fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }
}

/// `a.b`, or `b` alone.
fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Takes nulls out of a table and the tables in it; lists are left alone.
fn remove_nulls(map: &Map) {
    let mut tables = Vec::new();
    map.borrow_mut().retain(|_, value| {
        if let Val::Map(table) = value {
            tables.push(table.clone());
        }
        !value.is_nil()
    });
    tables.iter().for_each(remove_nulls);
}

/// A copy that shares no map with the original.
pub(crate) fn deep_copy(value: &Val) -> Val {
    match value {
        Val::Map(map) => Val::Map(deep_copy_map(map)),
        Val::List(list) if list.iter().any(Val::is_container) => {
            Val::List(List::typed(list.ty(), list.iter().map(deep_copy).collect()))
        }
        other => other.clone(),
    }
}

/// A copy that shares no map with the original.
pub(crate) fn deep_copy_map(map: &Map) -> Map {
    Map::typed(map.ty(), map.borrow().iter().map(|(key, value)| (key.clone(), deep_copy(value))).collect())
}

/// What Go's `%t` makes of a value.
fn as_bool_verb(value: &Val) -> String {
    match value {
        Val::Nil => "%!t(<nil>)".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Str(text) => format!("%!t(string={text})"),
        Val::Float(number) => format!("%!t(float64={number})"),
        other => format!("%!t({})", other.type_name()),
    }
}
