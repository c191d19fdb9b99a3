//! A diff as Markdown for a pull request: a summary table, the dangers, and the rest folded until it fits.
//!
//! Values stand in code fences alone, longer than any fence in them, and names are escaped: what a manifest holds is never
//! read as Markdown or HTML.

use std::fmt::Write as _;

use super::text::{Look, object_text};
use super::view::{ObjectView, View};
use super::{Change, ObjectDiff};

/// Most bytes of a comment: GitHub takes 65,536 characters, and no character is shorter than a byte.
pub(crate) const BYTES_MAX: usize = 65_536;
/// What is kept free for the lines that say what was left out.
const RESERVE_BYTES: usize = 600;
/// Most bytes for dangers and for noise, each.
const SECTION_BYTES_MAX: usize = BYTES_MAX / 5;

/// The line by which whoever posts the comment finds it again.
pub(crate) const MARK: &str = "<!-- hydrant diff -->";

/// The view as Markdown of at most `bytes_max` bytes.
pub(crate) fn to_markdown(view: &View<'_>, bytes_max: usize) -> String {
    let mut out = head(view);
    let flags = view.flags.iter().map(|(root, object, flag)| {
        let root = if root.is_empty() { String::new() } else { format!("{}: ", code(root)) };
        let at = flag.path.as_ref().map(|path| format!(" ({})", code(&path.to_string()))).unwrap_or_default();
        format!("- ⚠️ {root}{} {}{at}\n", code(&object.id().to_string()), escaped(&flag.message))
    });
    if !view.flags.is_empty() {
        let _ = writeln!(out, "**{} danger{}**\n", view.flags.len(), if view.flags.len() == 1 { "" } else { "s" });
        section(&mut out, flags, SECTION_BYTES_MAX.min(bytes_max / 5), "dangers");
        out.push('\n');
    }
    let folds: Vec<String> =
        view.folds.iter().map(|fold| format!("- {} `{}`\n", escaped(&fold.message), fold.class)).collect();
    let mut tail = String::new();
    if !folds.is_empty() {
        let _ = write!(tail, "<details><summary>{} differences folded</summary>\n\n", view.counts.folded);
        section(&mut tail, folds.into_iter(), SECTION_BYTES_MAX.min(bytes_max / 5), "folds");
        tail.push_str("\n</details>\n\n");
    }
    let _ = writeln!(tail, "{}", escaped(&view.summary()));
    let room = bytes_max.saturating_sub(out.len() + tail.len() + RESERVE_BYTES);
    objects(view, &mut out, room);
    out.push_str(&tail);
    out
}

fn head(view: &View<'_>) -> String {
    let counts = &view.counts;
    let mut out = format!("{MARK}\n### {} → {}\n\n", code(&view.report.old), code(&view.report.new));
    out.push_str("| added | removed | changed | renamed | unchanged | dangers |\n| --: | --: | --: | --: | --: | --: |\n");
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} |\n",
        counts.added,
        counts.removed,
        counts.changed,
        counts.renamed,
        counts.unchanged,
        view.flags.len()
    );
    out
}

/// Lines up to a number of bytes, then how many more there are.
fn section(out: &mut String, lines: impl ExactSizeIterator<Item = String>, bytes_max: usize, what: &str) {
    let (mut used, total) = (0, lines.len());
    for (at, line) in lines.enumerate() {
        used += line.len();
        if used > bytes_max {
            let _ = writeln!(out, "- … and {} more {what}", total - at);
            return;
        }
        out.push_str(&line);
    }
}

/// One object, as far as it is shown.
struct Piece {
    root: usize,
    title: String,
    body: String,
}

/// The objects, the shortest first until the room is used up; the others by their title, the last by their number.
fn objects(view: &View<'_>, out: &mut String, room: usize) {
    let mut pieces: Vec<Piece> = Vec::new();
    for (root, shown) in view.roots.iter().enumerate() {
        pieces.extend(shown.objects.iter().map(|object| piece(root, object)));
    }
    let names: usize = view.roots.iter().map(|root| root_head(root.name).len()).sum();
    let titles: usize = pieces.iter().map(|piece| piece.title.len()).sum();
    let mut left = room.saturating_sub(names + titles);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|at| (pieces[*at].body.len(), *at));
    let mut whole = vec![false; pieces.len()];
    for at in order {
        let size = pieces[at].body.len();
        if size > left {
            break;
        }
        left -= size;
        whole[at] = true;
    }
    let (mut used, mut root) = (0, usize::MAX);
    for (at, piece) in pieces.iter().enumerate() {
        let lead = if piece.root == root { String::new() } else { root_head(view.roots[piece.root].name) };
        let note = if whole[at] { "" } else { "too long to be shown here\n" };
        let size = lead.len() + piece.title.len() + note.len() + if whole[at] { piece.body.len() } else { 0 };
        if used + size > room {
            let _ = writeln!(out, "\n… and {} more objects, too many to be shown here\n", pieces.len() - at);
            return;
        }
        used += size;
        root = piece.root;
        out.push_str(&lead);
        out.push_str(&piece.title);
        out.push_str(if whole[at] { &piece.body } else { note });
    }
    out.push('\n');
}

fn root_head(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("\n#### {}\n", code(name)) }
}

fn piece(root: usize, view: &ObjectView<'_>) -> Piece {
    let mark = match view.object.change() {
        Change::Added => "➕",
        Change::Removed => "➖",
        Change::Changed => "✏️",
    };
    let count = match view.entries.len() {
        0 => String::new(),
        1 => ": 1 difference".to_owned(),
        count => format!(": {count} differences"),
    };
    let title = format!("\n{mark} {}{}{count}\n", code(&view.object.id().to_string()), was(view.object));
    let text = object_text(view, Look { colour: false, width: None, diff_signs: true });
    let mut body = String::new();
    if !text.is_empty() {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let _ = write!(body, "<details><summary>show</summary>\n\n{fence}diff\n{text}{fence}\n</details>\n");
    }
    Piece { root, title, body }
}

fn was(object: &ObjectDiff) -> String {
    match (&object.old, object.renamed) {
        (Some(old), Some(_)) => format!(" (was {})", code(&old.id.to_string())),
        _ => String::new(),
    }
}

/// A text as code, whatever is in it.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A text that means nothing to Markdown; code in it stays code.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // what stands in pairs of backticks was put there by us
    let balanced = text.matches('`').count().is_multiple_of(2);
    let mut inside = false;
    for c in text.chars() {
        match c {
            '`' if balanced => {
                inside = !inside;
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '#' | '|' | '~' | '`' | '@' | '!' if !inside => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Class, Diff, Entry, FieldPath, ObjectDiff, Report, RootDiff, Side, Step, Unfold};
    use super::*;
    use crate::manifest::ObjectId;
    use crate::value::Tree;

    fn report(objects: usize, value: &str) -> Report {
        let object = |at: usize| {
            let side = Side {
                id: ObjectId::new("v1", "ConfigMap".into(), "".into(), format!("c{at}").into()),
                place: at,
                origin: std::sync::Arc::default(),
                value: None,
            };
            let entry = Entry {
                path: FieldPath::default().then(Step::Key("data".into())).then(Step::Key("a".into())),
                class: Class::Value,
                old: Some(Tree::str("old")),
                new: Some(Tree::str(format!("{value}{at}"))),
                masked: false,
                noise: None,
                why: Vec::new(),
            };
            ObjectDiff { old: Some(side.clone()), new: Some(side), renamed: None, entries: vec![entry], flags: Vec::new() }
        };
        let diff = Diff { objects: (0..objects).map(object).collect(), unchanged: 0 };
        Report { roots: vec![RootDiff { name: "r".into(), diff }], ..Report::default() }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let unfold = Unfold::default();
        for (objects, length) in [(10, 10), (500, 150), (5000, 20), (3, 200_000)] {
            let report = report(objects, &"é".repeat(length));
            let text = to_markdown(&View::of(&report, &unfold), BYTES_MAX);
            assert!(text.len() <= BYTES_MAX, "{objects} {length}: {}", text.len());
            let titles = text.matches("✏️").count();
            let more: usize = text.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0);
            assert_eq!(titles + more, objects);
            assert!(text.contains(&format!("{objects} changed")));
        }
    }

    #[test]
    fn values_and_names_cannot_write_markdown() {
        let unfold = Unfold::default();
        let report = report(1, "```\n<script>\n");
        let text = to_markdown(&View::of(&report, &unfold), BYTES_MAX);
        assert!(text.contains("\n````diff\n"), "{text}");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(escaped("<b> `x` @all"), "\\<b\\> `x` \\@all");
    }
}
