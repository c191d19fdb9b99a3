//! Laying values over chart defaults, with Helm's rules for null, globals and subcharts.
//!
//! In: a chart of a [`Graph`] and the values that win. Out: the same map with every default laid under it, one table for each
//! subchart. Maps are Go's: shared by whoever holds them and changed in place, because what leaks between charts in
//! Helm (nested globals above all) shows in what charts print. Copies are made exactly where Helm makes them.

use std::fmt;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::gotmpl::{List, Map, Val};

use super::graph::{Graph, NodeId};

/// The key under which values reach every subchart.
pub(crate) const GLOBAL: &str = "global";

/// What becomes of the values that are laid under others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lower {
    /// They are handed on themselves, and marked where a null lies over them; whoever else holds them sees that, as in Helm.
    Shared,
    /// Only what is taken is copied, with or without nulls in its tables. Helm copies everything first; most of it is then covered by
    /// what lies over it.
    Copied { nulls: bool },
}

impl Lower {
    fn taken(self, value: Val) -> Val {
        match self {
            Lower::Shared => value,
            Lower::Copied { nulls } => copy(&value, nulls),
        }
    }
}

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
        self.chart(graph, id, &copy, Place::TOP, false)?;
        Ok(copy)
    }

    /// As [`Coalescing::coalesce`] over no values, but nulls stay.
    pub(crate) fn merge(&mut self, graph: &Graph, id: NodeId) -> Result<Map> {
        let values = Map::new();
        self.chart(graph, id, &values, Place::TOP, true)?;
        Ok(values)
    }

    fn chart(&mut self, graph: &Graph, id: NodeId, dest: &Map, above: Place<'_>, merge: bool) -> Result<()> {
        let here = above.under(graph.name(id).as_bytes());
        self.own_values(graph, id, dest, here, merge);
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
            self.globals(&table, dest, here);
            self.chart(graph, child, &table, here, merge)?;
        }
        Ok(())
    }

    /// Lays the parent's globals over the subchart's. Tables are copied one level deep; what they hold is shared.
    fn globals(&mut self, dest: &Map, src: &Map, place: Place<'_>) {
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
                    self.tables(&copy, &old, place.under(key.as_bytes()), true, Lower::Shared);
                    into.set(key, copy);
                }
                (Val::Map(_), Some(_)) => self.warn(format!("conflict: cannot merge map onto non-map for {:?}", key.to_str_lossy())),
                (_, Some(Val::Map(_))) => self.warn(format!("key {key} is table, skipping")),
                (value, _) => into.set(key, value),
            }
        }
        dest.set(GLOBAL, into);
    }

    /// Lays copies of the chart's own defaults under `values`.
    fn own_values(&mut self, graph: &Graph, id: NodeId, values: &Map, place: Place<'_>, merge: bool) {
        let clean = self.profile.chart_nulls_removed();
        let mut new = Vec::new();
        for (key, default) in graph.values(id).borrow().iter() {
            match (values.get(key), default) {
                (Some(Val::Nil), _) if !merge => drop(values.remove(key)),
                (Some(Val::Map(table)), Val::Map(defaults)) => {
                    let merge = merge || graph.children(id).iter().any(|child| *key == *graph.name(*child));
                    let lower = Lower::Copied { nulls: merge || !clean };
                    self.tables(&table, defaults, place.under(key.as_bytes()), merge, lower);
                }
                (Some(Val::Map(_)), Val::Nil) => {}
                (Some(Val::Map(_)), _) => self.warn(format!("skipped value for {}: Not a table.", place.under(key.as_bytes()))),
                (Some(_), _) => {}
                (None, Val::Nil) if clean && !merge => {}
                (None, default) => new.push((key.clone(), copy(default, merge || !clean))),
            }
        }
        values.set_new(new);
    }

    /// Lays `src` under `dst`, table by table. With `merge`, nulls stay.
    pub(crate) fn tables(&mut self, dst: &Map, src: &Map, place: Place<'_>, merge: bool, lower: Lower) {
        let keeps = self.profile.null_without_default_kept();
        let entries = src.snapshot();
        if keeps && lower == Lower::Shared {
            for (key, value) in dst.snapshot() {
                if value.is_nil() {
                    src.set(key, Val::Nil);
                }
            }
        }
        for (key, value) in entries {
            if value.is_nil() && lower == (Lower::Copied { nulls: false }) {
                continue;
            }
            match (dst.get(&key), value) {
                (Some(Val::Nil), value) if !merge && (!keeps || !value.is_nil()) => drop(dst.remove(&key)),
                (Some(Val::Nil), _) if keeps => {}
                (None, value) => dst.set(key, lower.taken(value)),
                (Some(Val::Map(table)), Val::Map(defaults)) => {
                    self.tables(&table, &defaults, place.under(key.as_bytes()), merge, lower);
                }
                (Some(_), Val::Map(_)) => {
                    self.warn(format!("cannot overwrite table with non table for {}", place.under(key.as_bytes())));
                }
                (Some(Val::Map(_)), other) if !other.is_nil() => {
                    let place = place.under(key.as_bytes());
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

/// Where values stand, for a warning, which few have: the keys from the top down.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    key: &'p [u8],
}

impl Place<'_> {
    /// Above all keys.
    pub(crate) const TOP: Place<'static> = Place { above: None, key: b"" };

    fn under<'p>(&'p self, key: &'p [u8]) -> Place<'p> {
        Place { above: Some(self), key }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        if above.above.is_some() {
            f.write_str(".")?;
        }
        f.write_str(&String::from_utf8_lossy(self.key))
    }
}

/// A copy that shares no map with the original; `nulls` says whether nulls in tables come along. Those in lists do.
fn copy(value: &Val, nulls: bool) -> Val {
    match value {
        Val::Map(map) => {
            let entries = map.borrow();
            let kept = entries.iter().filter(|(_, value)| nulls || !value.is_nil());
            Val::Map(Map::typed(map.ty(), kept.map(|(key, value)| (key.clone(), copy(value, nulls))).collect()))
        }
        Val::List(list) if list.iter().any(Val::is_container) => {
            Val::List(List::typed(list.ty(), list.iter().map(|item| copy(item, true)).collect()))
        }
        other => other.clone(),
    }
}

/// A copy that shares no map with the original.
pub(crate) fn deep_copy_map(map: &Map) -> Map {
    Map::typed(map.ty(), map.borrow().iter().map(|(key, value)| (key.clone(), copy(value, true))).collect())
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
