//! Which subcharts take part, under which names, and which of their values the parent takes over.
//!
//! In: a fresh [`Node`] and the user's values. Out: the node pruned by tags and conditions, aliases applied, and
//! `import-values` laid under the parents' defaults, in Helm's order: from the top down, then from the bottom up.

use crate::compat::Profile;
use crate::diag::Result;
use crate::go::semver;
use crate::gotmpl::{Map, Str, Val};
use crate::value::Tree;

use super::coalesce::{Coalescing, deep_copy_map};
use super::instance::{Node, Requirement, import_field};

/// Applies aliases, tags, conditions and `import-values` to a chart and its subcharts.
pub(crate) fn process(node: &mut Node, values: &Map, run: &mut Coalescing<'_>) -> Result<()> {
    enable(node, values, "", run)?;
    import(node, run)
}

fn enable(node: &mut Node, values: &Map, path: &str, run: &mut Coalescing<'_>) -> Result<()> {
    let Some(mut requirements) = node.requirements.take() else { return Ok(()) };
    if requirements.is_empty() && node.children.is_empty() {
        return Ok(());
    }
    node.children = named_children(&node.children, &mut requirements, run.profile);
    for requirement in &mut requirements {
        requirement.enabled = true;
    }
    let merged = run.coalesce(node, values)?;
    apply_tags(&mut requirements, &merged, run);
    apply_conditions(&mut requirements, &merged, path, run);
    let off: Vec<String> = requirements.iter().filter(|row| !row.enabled).map(|row| row.name.clone()).collect();
    node.children.retain(|child| !off.contains(&child.name));
    requirements.retain(|row| !off.contains(&row.name));
    for child in &mut node.children {
        let below = format!("{path}{}.", child.name);
        enable(child, &merged, &below, run)?;
    }
    node.requirements = (!requirements.is_empty()).then_some(requirements);
    Ok(())
}

/// The children in Helm's order: first those that `Chart.yaml` does not name, then one for each row that finds a chart.
fn named_children(children: &[Node], requirements: &mut [Requirement], profile: Profile) -> Vec<Node> {
    let fits = |child: &Node, row: &Requirement| {
        child.name == row.name && is_compatible(&row.row.version, &child.chart.metadata.version)
    };
    let unnamed = children.iter().filter(|child| !requirements.iter().any(|row| fits(child, row)));
    let mut named: Vec<Node> = unnamed.cloned().collect();
    for row in requirements {
        if let Some(child) = children.iter().find(|child| fits(child, row)) {
            let mut child = child.clone();
            if !row.row.alias.is_empty() {
                child.name.clone_from(&row.row.alias);
                if profile.alias_in_subchart_paths() || child.requirements.is_some() {
                    child.name_below.clone_from(&row.row.alias);
                }
            }
            named.push(child);
        }
        if !row.row.alias.is_empty() {
            row.name.clone_from(&row.row.alias);
        }
    }
    named
}

/// True if the version lies in the range; false if either cannot be read.
pub(crate) fn is_compatible(range: &str, version: &str) -> bool {
    match (semver::Constraints::parse(range), semver::Version::parse(version)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

fn apply_tags(requirements: &mut [Requirement], values: &Map, run: &mut Coalescing<'_>) {
    let Some(Val::Map(tags)) = values.get("tags") else { return };
    for row in requirements {
        let (mut on, mut off) = (false, false);
        for tag in &row.row.tags {
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
fn apply_conditions(requirements: &mut [Requirement], values: &Map, path: &str, run: &mut Coalescing<'_>) {
    for row in requirements {
        for condition in row.row.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
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

fn import(node: &mut Node, run: &mut Coalescing<'_>) -> Result<()> {
    for child in &mut node.children {
        import(child, run)?;
    }
    let Some(mut requirements) = node.requirements.take() else { return Ok(()) };
    let merged = run.merge(node)?;
    let imported = Map::new();
    for row in &mut requirements {
        let mut pairs = Vec::new();
        for entry in &row.row.import_values {
            let (child, parent) = match entry {
                Tree::Map(map) => (import_field(map.get("child")), import_field(map.get("parent"))),
                other => match other.as_str() {
                    Some(name) => (format!("exports.{name}"), ".".to_owned()),
                    None => continue,
                },
            };
            match table_at(&merged, &format!("{}.{child}", row.name)) {
                Some(table) => run.tables(&imported, &nested(&parent, table), "", true),
                None => run.warnings.push(format!("chart `{}` has no table `{child}` to import values from", row.name)),
            }
            pairs.push((child, parent));
        }
        row.imports = Some(pairs);
    }
    let merged = deep_copy_map(&merged);
    run.tables(&merged, &imported, "", true);
    node.values = merged;
    node.requirements = Some(requirements);
    Ok(())
}

/// The table under a dotted path of new tables; `.` is the table itself.
fn nested(path: &str, table: Map) -> Map {
    if path == "." {
        return table;
    }
    path.split('.').rev().fold(table, |inner, key| Map::from_iter([(Str::new(key), Val::Map(inner))]))
}
