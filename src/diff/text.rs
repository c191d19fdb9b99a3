//! A diff as text for people: one line an object, one line a field.

use std::fmt::Write as _;

use super::{Diff, FieldDiff, ObjectDiffKind, Shown};
use crate::value::Tree;
use crate::yaml;

/// Values longer than this many bytes are shown by their beginning.
const VALUE_BYTES_MAX: usize = 160;

/// The diff as text, with a line of totals at the end.
pub(crate) fn to_text(diff: &Diff) -> String {
    let mut out = String::new();
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    for object in &diff.objects {
        match &object.kind {
            ObjectDiffKind::Added => {
                added += 1;
                let _ = writeln!(out, "+ {}", object.id);
            }
            ObjectDiffKind::Removed => {
                removed += 1;
                let _ = writeln!(out, "- {}", object.id);
            }
            ObjectDiffKind::Changed(fields) => {
                changed += 1;
                let _ = writeln!(out, "~ {}", object.id);
                for field in fields {
                    print_field(field, &mut out);
                }
            }
        }
    }
    let _ = writeln!(out, "{added} added, {removed} removed, {changed} changed, {} unchanged", diff.unchanged);
    out
}

fn print_field(field: &FieldDiff, out: &mut String) {
    let path = &field.path;
    let _ = match (&field.old, &field.new) {
        (None, Some(new)) => writeln!(out, "    + {path}: {}", shown(new)),
        (Some(old), None) => writeln!(out, "    - {path}: {}", shown(old)),
        (Some(old), Some(new)) => match (lines(old), lines(new)) {
            (Some(old), Some(new)) => writeln!(out, "    ~ {path}:\n{}", line_diff(old, new)),
            _ => writeln!(out, "    ~ {path}: {} -> {}", shown(old), shown(new)),
        },
        (None, None) => Ok(()),
    };
}

/// The text of a string of several lines.
fn lines(value: &Shown) -> Option<&str> {
    match value {
        Shown::Value(tree) => tree.as_str().filter(|text| text.trim_end().contains('\n')),
        Shown::Masked(_) => None,
    }
}

/// The lines that differ with one line of context, indented under their field.
fn line_diff(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(1).to_string();
    text.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n")
}

/// A value on one line.
fn shown(value: &Shown) -> String {
    let tree = match value {
        Shown::Masked(bytes) => return format!("(secret, {bytes} bytes)"),
        Shown::Value(tree) => tree,
    };
    let text = one_line(tree);
    if text.len() <= VALUE_BYTES_MAX {
        return text;
    }
    let end = (0..=VALUE_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

fn one_line(tree: &Tree) -> String {
    match tree {
        Tree::Scalar(_) => {
            let text = yaml::to_string(tree);
            let text = text.trim_end();
            if text.contains('\n') { tree.as_str().map_or_else(String::new, |text| format!("{text:?}")) } else { text.to_owned() }
        }
        Tree::List(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Tree::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", one_line(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
