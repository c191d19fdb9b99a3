//! `helm dependency list`: a chart's dependencies in a table, with what `charts/` holds of each.

use std::fmt::Write as _;

use crate::compat::Profile;
use crate::diag::Result;
use crate::go::semver::Version;
use crate::helm::{self, Chart, Dependency};
use crate::source::{Disk, EntryKind, Source};

/// The text that Helm prints. `shown` is the chart's path as it was given.
pub(super) fn list(path: &str, shown: &str, width: usize, profile: Profile) -> Result<String> {
    let chart = Chart::load(&Disk, path, profile)?;
    let shown = format!("{}/charts", crate::source::clean(shown));
    let Some(rows) = &chart.metadata.dependencies else {
        return Ok(format!("WARNING: no dependencies at {shown}\n"));
    };
    let mut table = vec![["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned)];
    for row in rows {
        let status = status(path, row, &chart, profile);
        table.push([row.name.clone(), row.version.clone(), row.repository.clone(), status.to_owned()]);
    }
    let mut text = printed(&table, width);
    text.push('\n');
    for entry in listed(path) {
        let file = format!("{path}/charts/{}", entry.0);
        if entry.1 == Some(EntryKind::File) && !entry.0.ends_with(".tgz") {
            continue;
        }
        let _ = match Chart::load(&Disk, &file, profile) {
            Err(_) => writeln!(text, "WARNING: {:?} is not a chart.", format!("{shown}/{}", entry.0)),
            Ok(chart) if rows.iter().any(|row| row.name == chart.metadata.name) => Ok(()),
            Ok(_) => writeln!(text, "WARNING: {:?} is not in Chart.yaml.", format!("{shown}/{}", entry.0)),
        };
    }
    Ok(text)
}

/// The table, columns as wide as their widest cell and tabs between them.
fn printed(table: &[[String; 4]], most: usize) -> String {
    let cut = |cell: &String| {
        let length = cell.chars().count();
        if length > most && most > 3 {
            cell.chars().take(most - 3).chain("...".chars()).collect()
        } else {
            cell.clone()
        }
    };
    let table: Vec<[String; 4]> = table.iter().map(|row| row.each_ref().map(cut)).collect();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut text = String::new();
    for row in &table {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("\t"));
    }
    text
}

fn listed(path: &str) -> Vec<(String, Option<EntryKind>)> {
    let folder = format!("{path}/charts");
    let entries =
        if Disk.kind(&folder) == Some(EntryKind::Folder) { Disk.list(&folder).unwrap_or_default() } else { Vec::new() };
    entries.into_iter().map(|entry| (entry.name, entry.kind)).collect()
}

fn status(path: &str, row: &Dependency, parent: &Chart, profile: Profile) -> &'static str {
    let start = format!("{}-", row.name);
    let archives: Vec<String> = listed(path)
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(&start) && name.ends_with(".tgz"))
        .collect();
    let versioned: Vec<&String> = match archives.len() {
        0 | 1 => archives.iter().collect(),
        _ => archives.iter().filter(|name| is_version(&name[start.len()..name.len() - ".tgz".len()])).collect(),
    };
    match versioned.as_slice() {
        [one] => return of_archive(&format!("{path}/charts/{one}"), row, profile),
        [_, _, ..] => return "too many matches",
        [] => {}
    }
    match parent.dependency(&row.name) {
        None => "missing",
        Some(chart) => fits(&chart.metadata.version, row).unwrap_or("unpacked"),
    }
}

fn is_version(text: &str) -> bool {
    text.split('.').count() >= 3 && Version::parse(text).is_ok()
}

fn of_archive(path: &str, row: &Dependency, profile: Profile) -> &'static str {
    match Chart::load(&Disk, path, profile) {
        Err(_) => "corrupt",
        Ok(chart) if chart.metadata.name != row.name => "misnamed",
        Ok(chart) => fits(&chart.metadata.version, row).unwrap_or("ok"),
    }
}

/// What is wrong with a version; nothing if nothing is.
fn fits(version: &str, row: &Dependency) -> Option<&'static str> {
    if version == row.version {
        return None;
    }
    if crate::go::semver::Constraints::parse(&row.version).is_err() || Version::parse(version).is_err() {
        return Some("invalid version");
    }
    (!helm::is_compatible(&row.version, version)).then_some("wrong version")
}
