//! A diff as text for people: dangers first, then one line a difference, then the noise, counted.

use std::fmt::Write as _;

use super::view::{ObjectView, View};
use super::{Change, Class, Entry, ObjectDiff, Renamed, Side, causes};
use crate::value::Tree;
use crate::yaml;

/// Values longer than this many characters are shown by their beginning, where the width is not known.
const VALUE_CHARACTERS_MAX: usize = 160;
/// Longest beginning of a value that is compared to find where two differ.
const WHOLE_CHARACTERS_MAX: usize = 4096;
/// Characters shown before the place where two long values differ.
const BEFORE_CHARACTERS: usize = 16;
/// Fewest characters that a value gets on a narrow terminal.
const VALUE_CHARACTERS_MIN: usize = 24;
/// Most lines that are shown of how a text of several lines differs.
const LINES_MAX: usize = 30;

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Whether to colour.
    pub(crate) colour: bool,
    /// Columns of the terminal, if it is one.
    pub(crate) width: Option<usize>,
    /// Whether lines begin as a diff's do, for whoever colours those: `!` for what is neither new nor gone.
    pub(crate) diff_signs: bool,
}

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// The view as text, with a line of totals at the end.
pub(crate) fn to_text(view: &View<'_>, look: Look) -> String {
    let mut printer = Printer { out: String::new(), look, whole: view.unfold.is_all() };
    if !view.flags.is_empty() {
        let count = view.flags.len();
        printer.line(BOLD, &format!("{count} danger{}", if count == 1 { "" } else { "s" }));
        for (root, object, flag) in &view.flags {
            let root = if root.is_empty() { String::new() } else { format!("{root}: ") };
            let at = flag.path.as_ref().map(|path| format!(" ({path})")).unwrap_or_default();
            printer.line(RED, &format!("  ! {root}{} {}{at} [{}]", object.id(), flag.message, flag.kind.word()));
        }
    }
    for root in &view.roots {
        if !root.name.is_empty() {
            printer.line(BOLD, &format!("root: {}", root.name));
        }
        root.objects.iter().for_each(|object| printer.object(object));
    }
    for fold in &view.folds {
        printer.line(DIM, &format!("= {} [{}]", fold.message, fold.class));
    }
    printer.line(BOLD, &view.summary());
    printer.out
}

/// The differences of one object, or the whole of one that is on one side only.
pub(super) fn object_text(view: &ObjectView<'_>, look: Look) -> String {
    let mut printer = Printer { out: String::new(), look, whole: false };
    if let Some(value) = view.object.new.as_ref().or(view.object.old.as_ref()).and_then(|side| side.value.as_ref()) {
        let sign = if view.object.change() == Change::Added { '+' } else { '-' };
        yaml::to_string(value).lines().for_each(|line| printer.line(PLAIN, &format!("{sign} {line}")));
    }
    view.entries.iter().for_each(|entry| printer.entry(entry));
    printer.out
}

struct Printer {
    out: String,
    look: Look,
    whole: bool,
}

impl Printer {
    fn line(&mut self, colour: &str, text: &str) {
        if self.look.colour {
            let _ = writeln!(self.out, "{colour}{text}{PLAIN}");
        } else {
            let _ = writeln!(self.out, "{text}");
        }
    }

    fn object(&mut self, view: &ObjectView<'_>) {
        let object = view.object;
        match object.change() {
            Change::Added => self.line(GREEN, &format!("+ {}{}", object.id(), size(object.new.as_ref()))),
            Change::Removed => self.line(RED, &format!("- {}{}", object.id(), size(object.old.as_ref()))),
            Change::Changed => self.line(BOLD, &format!("~ {}{}", object.id(), renamed(object))),
        }
        if self.whole
            && let Some(value) = object.new.as_ref().or(object.old.as_ref()).and_then(|side| side.value.as_ref())
        {
            let colour = if object.change() == Change::Added { GREEN } else { RED };
            yaml::to_string(value).lines().for_each(|line| self.line(colour, &format!("    {line}")));
        }
        view.entries.iter().for_each(|entry| self.entry(entry));
        if view.folded > 0 && !view.entries.is_empty() && self.whole {
            self.line(DIM, &format!("    = {} more folded below", view.folded));
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let path = entry.path.to_string();
        let (colour, mark) = match entry.class {
            Class::Added => (GREEN, '+'),
            Class::Removed => (RED, '-'),
            Class::Moved => (YELLOW, '>'),
            Class::Respelled => (DIM, '='),
            _ => (YELLOW, '~'),
        };
        let (lead, mark) = match mark {
            '~' | '>' | '=' if self.look.diff_signs => ("", '!'),
            mark if self.look.diff_signs => ("", mark),
            mark => ("    ", mark),
        };
        let room = self.room(&path);
        match (&entry.old, &entry.new) {
            _ if entry.masked && entry.class == Class::Value => self.line(colour, &format!("{lead}{mark} {path}: (masked) changed")),
            (None, Some(value)) | (Some(value), None) => {
                self.line(colour, &format!("{lead}{mark} {path}: {}", one_line(value, room)));
            }
            (Some(old), Some(new)) => {
                if let (Some(old), Some(new)) = (lines(old), lines(new)) {
                    self.line(colour, &format!("{lead}{mark} {path}:"));
                    self.text_lines(old, new);
                } else {
                    let text = one_line_pair(old, new, room);
                    self.line(colour, &format!("{lead}{mark} {path}: {text}"));
                }
            }
            (None, None) => self.line(colour, &format!("{lead}{mark} {path}: {}", moved(entry))),
        }
        if !entry.why.is_empty() {
            let lead = if self.look.diff_signs { "# from" } else { "        from" };
            self.line(DIM, &format!("{lead} {}", causes(&entry.why).join(", ")));
        }
    }

    /// Characters for the value behind a path.
    fn room(&self, path: &str) -> usize {
        if self.whole {
            return usize::MAX;
        }
        let used = path.chars().count() + 8;
        self.look.width.map_or(VALUE_CHARACTERS_MAX, |width| width.saturating_sub(used).max(VALUE_CHARACTERS_MIN))
    }

    fn text_lines(&mut self, old: &str, new: &str) {
        let lines = changed_lines(old, new);
        let most = if self.whole { usize::MAX } else { LINES_MAX };
        for (sign, line) in lines.iter().take(most) {
            let colour = if *sign == '+' { GREEN } else { RED };
            let lead = if self.look.diff_signs { "" } else { "        " };
            self.line(colour, &format!("{lead}{sign}{line}"));
        }
        if lines.len() > most {
            self.line(DIM, &format!("        … {} more lines differ", lines.len() - most));
        }
    }
}

/// The lines that went and came, in order.
pub(super) fn changed_lines(old: &str, new: &str) -> Vec<(char, String)> {
    let diff = similar::TextDiff::from_lines(old, new);
    let changes = diff.iter_all_changes().filter_map(|change| {
        let sign = match change.tag() {
            similar::ChangeTag::Equal => return None,
            similar::ChangeTag::Delete => '-',
            similar::ChangeTag::Insert => '+',
        };
        Some((sign, change.value().trim_end_matches('\n').to_owned()))
    });
    changes.collect()
}

/// How a moved item moved.
pub(super) fn moved(entry: &Entry) -> String {
    match entry.path.steps().last() {
        Some(super::Step::Item { old: Some(old), new: Some(new), .. }) if old != new => {
            format!("moved from place {old} to {new}")
        }
        _ => "moved among its neighbours".to_owned(),
    }
}

/// The old identity of an object that has another one now.
pub(super) fn renamed(object: &ObjectDiff) -> String {
    let (Some(old), Some(why)) = (&object.old, object.renamed) else { return String::new() };
    let what = match why {
        Renamed::Hash => "another hash",
        Renamed::Group => "another API group",
        Renamed::Namespace => "another namespace",
        Renamed::Release => "another release name",
        Renamed::Likeness => "nearly the same content",
    };
    format!(" (was {}: {what})", old.id)
}

/// How large an object is that is on one side only.
fn size(side: Option<&Side>) -> String {
    fn leaves(tree: &Tree) -> usize {
        match tree {
            Tree::Scalar(_) => 1,
            Tree::List(items) => items.iter().map(leaves).sum(),
            Tree::Map(map) => map.iter().map(|(_, value)| leaves(value)).sum(),
        }
    }
    match side.and_then(|side| side.value.as_ref()) {
        Some(value) => format!(" ({} values)", leaves(value)),
        None => String::new(),
    }
}

/// The text of a string of several lines.
pub(super) fn lines(value: &Tree) -> Option<&str> {
    value.as_str().filter(|text| text.trim_end().contains('\n'))
}

/// A value on one line, its beginning if it is longer than `most` characters.
pub(super) fn one_line(tree: &Tree, most: usize) -> String {
    let mut out = String::new();
    // what is cut off anyway is not printed
    flow(tree, &mut out, most.saturating_mul(4));
    match out.char_indices().nth(most) {
        None => out,
        Some((end, _)) => format!("{}…", &out[..end]),
    }
}

/// Two values on one line; of long ones that begin alike, what differs and a little before it.
pub(super) fn one_line_pair(old: &Tree, new: &Tree, room: usize) -> String {
    let most = room / 2;
    let whole = [old, new].map(|tree| one_line(tree, if room == usize::MAX { most } else { most.max(WHOLE_CHARACTERS_MAX) }));
    if whole.iter().all(|text| text.chars().count() <= most) {
        return whole.join(" -> ");
    }
    let alike = whole[0].chars().zip(whole[1].chars()).take_while(|(a, b)| a == b).count();
    let skip = alike.saturating_sub(BEFORE_CHARACTERS);
    let cut = |text: &String| {
        let lead = if skip > 0 { "…" } else { "" };
        let rest: String = text.chars().skip(skip).take(most).collect();
        let more = if text.chars().count() > skip + most { "…" } else { "" };
        format!("{lead}{rest}{more}")
    };
    format!("{} -> {}", cut(&whole[0]), cut(&whole[1]))
}

fn flow(tree: &Tree, out: &mut String, bytes_max: usize) {
    if out.len() > bytes_max {
        return;
    }
    match tree {
        Tree::Scalar(_) => match lines(tree) {
            Some(text) => {
                let _ = write!(out, "{text:?}");
            }
            None => out.push_str(&scalar(tree)),
        },
        Tree::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                flow(item, out, bytes_max);
            }
            out.push(']');
        }
        Tree::Map(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(key);
                out.push_str(": ");
                flow(value, out, bytes_max);
            }
            out.push('}');
        }
    }
}

/// A scalar as YAML has it, on one line, and letters of every script as they are.
fn scalar(tree: &Tree) -> String {
    let printed = yaml::to_string(tree);
    match tree.as_str() {
        Some(text) if printed.starts_with('"') && !text.is_ascii() => format!("{text:?}"),
        // long text is folded there
        _ => printed.lines().map(str::trim).collect::<Vec<_>>().join(" "),
    }
}
