//! A diff as one HTML page (`templates/diff.html`): everything in it, nothing asked of any server.
//!
//! The page reads without scripts: objects fold by themselves. Scripts add search, filters and keys. Its own policy lets in
//! one script and one style, by their digests, so that nothing a manifest holds can run or load anything.

use base64::Engine as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tera::{Context, Tera};

use super::text::{changed_lines, lines, moved, one_line, renamed};
use super::view::{ObjectView, View};
use super::{Change, Entry, causes};
use crate::diag::{Diagnostic, Result};
use crate::value::Tree;
use crate::yaml;

const PAGE: &str = include_str!("../../templates/diff.html");
const STYLE: &str = include_str!("../../templates/diff.css");
const SCRIPT: &str = include_str!("../../templates/diff.js");

/// Up to how many objects on they are open when the page is.
const OPEN_OBJECTS_MAX: usize = 50;
/// Longest value that is shown on one line, in characters; longer ones are shown as YAML.
const LINE_CHARACTERS_MAX: usize = 100;

#[derive(Serialize)]
struct Root<'v> {
    name: &'v str,
    objects: Vec<Object>,
}

#[derive(Serialize)]
struct Object {
    anchor: String,
    id: String,
    change: &'static str,
    danger: bool,
    open: bool,
    was: String,
    size: String,
    entries: Vec<Line>,
    folded: usize,
    value: String,
}

#[derive(Serialize)]
struct Line {
    path: String,
    class: &'static str,
    note: String,
    old: Option<String>,
    new: Option<String>,
    why: Vec<String>,
}

#[derive(Serialize)]
struct Danger<'v> {
    root: &'v str,
    kind: &'static str,
    anchor: String,
    id: String,
    message: &'v str,
    at: String,
}

#[derive(Serialize)]
struct FoldLine<'v> {
    class: &'v str,
    message: &'v str,
}

/// The view as a page.
pub(crate) fn to_html(view: &View<'_>) -> Result<String> {
    let bug = |error: tera::Error| Box::new(Diagnostic::bug("diff-html", format!("the page cannot be made: {error}")));
    let mut templates = Tera::new();
    templates.add_raw_template("diff.html", PAGE).map_err(bug)?;
    let mut context = Context::new();
    context.insert("old", &view.report.old);
    context.insert("new", &view.report.new);
    context.insert("style", STYLE);
    context.insert("style_hash", &digest(STYLE));
    context.insert("script", SCRIPT);
    context.insert("script_hash", &digest(SCRIPT));
    context.insert("counts", &view.counts);
    context.insert("summary", &view.summary());
    let (roots, dangers) = objects(view);
    context.insert("roots", &roots);
    context.insert("flags", &dangers);
    let folds: Vec<FoldLine<'_>> =
        view.folds.iter().map(|fold| FoldLine { class: &fold.class, message: &fold.message }).collect();
    context.insert("folds", &folds);
    templates.render("diff.html", &context).map_err(bug)
}

/// A digest as a content security policy has it.
fn digest(text: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text)))
}

fn objects<'v>(view: &'v View<'_>) -> (Vec<Root<'v>>, Vec<Danger<'v>>) {
    let count: usize = view.roots.iter().map(|root| root.objects.len()).sum();
    let mut number = 0;
    let (mut roots, mut dangers) = (Vec::new(), Vec::new());
    for root in &view.roots {
        let mut shown = Vec::new();
        for object in &root.objects {
            number += 1;
            let anchor = format!("o{number}");
            for flag in &object.object.flags {
                dangers.push(Danger {
                    root: root.name,
                    kind: flag.kind.word(),
                    anchor: anchor.clone(),
                    id: object.object.id().to_string(),
                    message: &flag.message,
                    at: flag.path.as_ref().map(ToString::to_string).unwrap_or_default(),
                });
            }
            shown.push(self::object(object, anchor, count <= OPEN_OBJECTS_MAX));
        }
        roots.push(Root { name: root.name, objects: shown });
    }
    (roots, dangers)
}

fn object(view: &ObjectView<'_>, anchor: String, open: bool) -> Object {
    let object = view.object;
    let change = object.change();
    let side = object.new.as_ref().or(object.old.as_ref());
    let value = side.and_then(|side| side.value.as_ref()).map(yaml::to_string).unwrap_or_default();
    let size = match (change, view.entries.len()) {
        (Change::Changed, 1) => "1 difference".to_owned(),
        (Change::Changed, count) => format!("{count} differences"),
        _ => format!("{} lines", value.lines().count()),
    };
    Object {
        anchor,
        id: object.id().to_string(),
        change: match change {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
        },
        danger: !object.flags.is_empty(),
        open: open && change == Change::Changed,
        was: renamed(object).trim().to_owned(),
        size,
        entries: view.entries.iter().map(|entry| line(entry)).collect(),
        folded: view.folded,
        value,
    }
}

fn line(entry: &Entry) -> Line {
    let (old, new) = match (&entry.old, &entry.new) {
        (Some(old), Some(new)) => match (lines(old), lines(new)) {
            (Some(old), Some(new)) => {
                let changed = changed_lines(old, new);
                let of = |wanted: char| {
                    let lines = changed.iter().filter(|(sign, _)| *sign == wanted);
                    Some(lines.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
                };
                (of('-'), of('+'))
            }
            _ => (Some(shown(old)), Some(shown(new))),
        },
        (old, new) => (old.as_ref().map(shown), new.as_ref().map(shown)),
    };
    let note = match (&entry.old, &entry.new) {
        (None, None) => moved(entry),
        _ if entry.masked => "a Secret's value".to_owned(),
        _ => String::new(),
    };
    Line { path: entry.path.to_string(), class: entry.class.word(), note, old, new, why: causes(&entry.why) }
}

/// A value: on one line if it is short, else as YAML, and a text of several lines as it is.
fn shown(tree: &Tree) -> String {
    if let Some(text) = lines(tree) {
        return text.to_owned();
    }
    let line = one_line(tree, LINE_CHARACTERS_MAX);
    if line.ends_with('…') && tree.as_scalar().is_none() { yaml::to_string(tree).trim_end().to_owned() } else { one_line(tree, usize::MAX) }
}
