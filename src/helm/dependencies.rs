//! Which subcharts take part, under which names, and which of their values the parent takes over.
//!
//! In: a fresh [`Graph`] and the user's values. Out: the graph pruned by tags and conditions, aliases applied, and
//! `import-values` laid under the parents' defaults, in Helm's order: from the top down, then from the bottom up.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::go::semver;
use crate::gotmpl::{Map, Str, Val};
use crate::value::Tree;

use super::coalesce::{Coalescing, Lower, Place, deep_copy_map};
use super::graph::{Graph, NodeId, ROOT, RowId};
use super::numbers::scalar_text;

/// Applies aliases, tags, conditions and `import-values` to a chart and its subcharts.
pub(crate) fn process(graph: &mut Graph, values: &Map, run: &mut Coalescing<'_>) -> Result<()> {
    enable(graph, ROOT, values, "", run)?;
    import(graph, ROOT, run)
}

fn enable(graph: &mut Graph, id: NodeId, values: &Map, path: &str, run: &mut Coalescing<'_>) -> Result<()> {
    let Some(rows) = graph.rows(id).map(<[RowId]>::to_vec) else { return Ok(()) };
    if rows.is_empty() && graph.children(id).is_empty() {
        graph.set_rows(id, None);
        return Ok(());
    }
    let children = named_children(graph, id, &rows, run.profile);
    graph.set_children(id, children);
    for row in &rows {
        graph.row_mut(*row).enabled = true;
    }
    let merged = run.coalesce(graph, id, values)?;
    apply_tags(graph, &rows, &merged, run);
    apply_conditions(graph, &rows, &merged, path, run);
    let (on, off): (Vec<RowId>, Vec<RowId>) = rows.into_iter().partition(|row| graph.row(*row).enabled);
    let off: Vec<&str> = off.iter().map(|row| graph.row(*row).name.as_str()).collect();
    let kept = |name: &str| !off.contains(&name);
    let children: Vec<NodeId> = graph.children(id).iter().copied().filter(|child| kept(graph.name(*child))).collect();
    let on: Vec<RowId> = on.into_iter().filter(|row| kept(&graph.row(*row).name)).collect();
    for &child in &children {
        let below = format!("{path}{}.", graph.name(child));
        enable(graph, child, &merged, &below, run)?;
    }
    graph.set_rows(id, (!on.is_empty()).then_some(on));
    graph.set_children(id, children);
    Ok(())
}

/// The children in Helm's order: first those that `Chart.yaml` does not name, then one for each row that finds a chart.
fn named_children(graph: &mut Graph, id: NodeId, rows: &[RowId], profile: Profile) -> Vec<NodeId> {
    let fits = |graph: &Graph, child: NodeId, row: RowId| {
        let row = graph.row(row);
        graph.name(child) == row.name && is_compatible(&row.written.version, &graph.chart(child).metadata.version)
    };
    let children = graph.children(id).to_vec();
    let unnamed = children.iter().copied().filter(|child| !rows.iter().any(|row| fits(graph, *child, *row)));
    let mut named: Vec<NodeId> = unnamed.collect();
    for &row in rows {
        let alias = graph.row(row).written.alias.clone();
        if let Some(child) = children.iter().copied().find(|child| fits(graph, *child, row)) {
            named.push(graph.copy(child, &alias, profile));
        }
        if !alias.is_empty() {
            graph.row_mut(row).name = alias;
        }
    }
    named
}

/// True if the version lies in the range; false if either cannot be read.
pub fn is_compatible(range: &str, version: &str) -> bool {
    match (semver::Constraints::parse(range), semver::Version::parse(version)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

fn apply_tags(graph: &mut Graph, rows: &[RowId], values: &Map, run: &mut Coalescing<'_>) {
    let Some(Val::Map(tags)) = values.get("tags") else { return };
    for row in rows {
        let row = graph.row_mut(*row);
        let (mut on, mut off) = (false, false);
        for tag in &row.written.tags {
            match tags.get(tag) {
                Some(Val::Bool(true)) => on = true,
                Some(Val::Bool(false)) => off = true,
                Some(_) => run.warnings.push(format!("tag `{tag}` of chart `{}` holds no boolean", row.name)),
                None => {}
            }
        }
        row.enabled = on || !off;
    }
}

/// The first path of a condition that holds a boolean decides.
fn apply_conditions(graph: &mut Graph, rows: &[RowId], values: &Map, path: &str, run: &mut Coalescing<'_>) {
    for row in rows {
        let row = graph.row_mut(*row);
        let written = row.written.clone();
        for condition in written.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            match at_path(values, &format!("{path}{condition}")) {
                Some(Val::Bool(on)) => {
                    row.enabled = on;
                    break;
                }
                Some(_) => run.warnings.push(format!("condition `{condition}` of chart `{}` holds no boolean", row.name)),
                None => {}
            }
        }
    }
}

/// The value at a dotted path, unless it is a table.
fn at_path(values: &Map, path: &str) -> Option<Val> {
    let (tables, key) = path.rsplit_once('.').map_or((None, path), |(tables, key)| (Some(tables), key));
    let table = match tables {
        Some(path) => table_at(values, path)?,
        None => values.clone(),
    };
    table.get(key).filter(|value| value.as_map().is_none())
}

/// The table at a dotted path.
pub(crate) fn table_at(values: &Map, path: &str) -> Option<Map> {
    path.split('.').try_fold(values.clone(), |table, key| match table.get(key) {
        Some(Val::Map(inner)) => Some(inner),
        _ => None,
    })
}

fn import(graph: &mut Graph, id: NodeId, run: &mut Coalescing<'_>) -> Result<()> {
    for child in graph.children(id).to_vec() {
        import(graph, child, run)?;
    }
    let Some(rows) = graph.rows(id).map(<[RowId]>::to_vec) else { return Ok(()) };
    let merged = run.merge(graph, id)?;
    let imported = Map::new();
    for row in rows {
        let row = graph.row_mut(row);
        let pairs = import_pairs(&row.written.import_values, row.imports.is_some(), run.profile)?;
        for (child, parent) in &pairs {
            match table_at(&merged, &format!("{}.{child}", row.name)) {
                Some(table) => run.tables(&imported, &nested(parent, table), Place::TOP, true, Lower::Shared),
                None => run.warnings.push(format!("chart `{}` has no table `{child}` to import values from", row.name)),
            }
        }
        row.imports = Some(pairs);
    }
    let values = if imported.is_empty() {
        merged
    } else {
        // tables of `imported` may be those of `merged`
        let merged = deep_copy_map(&merged);
        run.tables(&merged, &imported, Place::TOP, true, Lower::Shared);
        merged
    };
    graph.set_values(id, values);
    Ok(())
}

/// What a row imports, as `child` and `parent`. Helm replaces the entries by such pairs, which it does not know when it meets
/// them again: of rows that charts share, only the first chart imports.
fn import_pairs(entries: &[Tree], done: bool, profile: Profile) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for entry in entries.iter().filter(|_| !done) {
        if let Tree::Map(map) = entry {
            let field = |name| import_field(map.get(name), profile);
            pairs.push((field("child")?, field("parent")?));
        } else if let Some(name) = entry.as_str() {
            pairs.push((format!("exports.{name}"), ".".to_owned()));
        }
    }
    Ok(pairs)
}

/// The text of an entry's field as Go's `%v` prints it.
fn import_field(tree: Option<&Tree>, profile: Profile) -> Result<String> {
    match tree {
        Some(tree) if !profile.import_values_printed() && tree.as_str().is_none() => {
            let fault = Diagnostic::input("chart-import-values", "`child` and `parent` of `import-values` hold no texts");
            Err(Box::new(fault.hint("write both as paths, or follow Helm 4")))
        }
        Some(Tree::Scalar(scalar)) => Ok(scalar_text(scalar).unwrap_or_else(|| "<nil>".to_owned())),
        _ => Ok("<nil>".to_owned()),
    }
}

/// The table under a dotted path of new tables; `.` is the table itself.
fn nested(path: &str, table: Map) -> Map {
    if path == "." {
        return table;
    }
    path.split('.').rev().fold(table, |inner, key| Map::from_iter([(Str::new(key), Val::Map(inner))]))
}
