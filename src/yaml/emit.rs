//! The emitter: events to text, as go-yaml lays it out.
//!
//! In: values as events, keys already in order. Out: block style text in a [`Look`]. A base indentation can be given,
//! so that `toYaml | nindent 4` is printed in place. Leaves sorting (see `order`) and the choice of numbers' texts
//! (see [`Emitter::float`]) out, but for what each look prescribes.
//!
//! ```ignore
//! let mut out = String::new();
//! let mut emitter = Emitter::new(&mut out, Look::V2);
//! emitter.map_start();
//! emitter.key("name");
//! emitter.str("web");
//! emitter.map_end();
//! emitter.finish()?;
//! assert_eq!(out, "name: web\n");
//! ```

mod scalar;

pub(super) use scalar::{Analysis, Form};

use std::borrow::Cow;

use crate::go::float;
use crate::value::Style;

use super::{Dialect, hop};

/// Width from which v2 breaks lines.
const FOLD_WIDTH: usize = 80;
/// Columns that a nested collection is indented by.
const INDENT: i32 = 2;
/// Longest key, in bytes, that is written without `?`.
const SIMPLE_KEY_MAX: usize = 128;

/// Whose layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// go-yaml v2 (`toYaml`, all that kustomize prints): lists under a key are not indented, long text folds at 80.
    V2,
    /// go-yaml v3 with an indentation of two (`toYamlPretty`): lists are indented, nothing folds.
    V3,
}

impl Look {
    /// The dialect that must read the text back, which decides what is quoted.
    fn dialect(self) -> Dialect {
        match self {
            Look::V2 => Dialect::V2,
            Look::V3 => Dialect::V3,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Collection {
    List,
    Map,
}

/// What the next node is to its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Item,
    /// The value after a key; true if the key was written after `?`.
    Value(bool),
}

struct Level {
    collection: Collection,
    outer_indent: i32,
}

/// Writes events as YAML. Every `*_start` needs its end; inside maps each value follows a [`Emitter::key`].
pub struct Emitter<'o> {
    out: &'o mut String,
    look: Look,
    pad: usize,
    /// A line has begun whose base indentation is not written yet.
    pad_due: bool,
    column: usize,
    indent: i32,
    whitespace: bool,
    indention: bool,
    role: Role,
    levels: Vec<Level>,
    /// A collection that has begun and may yet turn out empty, and whether it is a map's value.
    pending: Option<(Collection, bool)>,
    /// The first value that Go would have refused to print.
    fault: Option<String>,
    /// Lists under keys are not indented.
    compact: bool,
}

impl<'o> Emitter<'o> {
    /// An emitter that appends to `out`.
    pub fn new(out: &'o mut String, look: Look) -> Emitter<'o> {
        Emitter {
            out,
            look,
            pad: 0,
            pad_due: false,
            column: 0,
            indent: -1,
            whitespace: true,
            indention: true,
            role: Role::Root,
            levels: Vec::new(),
            pending: None,
            fault: None,
            compact: look == Look::V2,
        }
    }

    /// Does not indent lists under keys in v3 either, as kyaml has it.
    #[must_use]
    pub(super) fn with_compact_lists(mut self) -> Emitter<'o> {
        self.compact = true;
        self
    }

    /// Puts `columns` spaces in front of every line after the first, empty ones too, as sprig's `indent` does;
    /// `first` says whether the first line gets them too. Folding does not see them.
    #[must_use]
    #[cfg_attr(not(any(test, feature = "fuzzing")), expect(dead_code, reason = "for `toYaml | nindent` in one step"))]
    pub fn with_base_indent(mut self, columns: usize, first: bool) -> Emitter<'o> {
        self.pad = columns;
        self.pad_due = first;
        self
    }

    /// A list begins.
    pub fn list_start(&mut self) {
        let value = self.begin_node();
        self.pending = Some((Collection::List, value));
    }

    /// The innermost list ends.
    pub fn list_end(&mut self) {
        self.end("[]");
    }

    /// A map begins.
    pub fn map_start(&mut self) {
        let value = self.begin_node();
        self.pending = Some((Collection::Map, value));
    }

    /// The innermost map ends.
    pub fn map_end(&mut self) {
        self.end("{}");
    }

    /// A key; its value is the next event.
    pub fn key(&mut self, key: &str) {
        self.settle();
        self.write_indent();
        let key = &*self.through_json(key, hop::key);
        let analysis = Analysis::of(key, self.look);
        let simple = !analysis.multiline && key.len() <= SIMPLE_KEY_MAX;
        if !simple {
            self.indicator("?", true, true);
        }
        self.write_str(key, analysis, simple);
        self.role = Role::Value(!simple);
        if simple {
            self.indicator(":", false, false);
        }
    }

    /// A string.
    pub fn str(&mut self, text: &str) {
        self.begin_node();
        let text = &*self.through_json(text, hop::string);
        let analysis = Analysis::of(text, self.look);
        self.write_str(text, analysis, false);
    }

    /// A scalar of a node, which keeps its style where its text allows: `tag` stands before a text that would be read back as
    /// something else, and `quoted` asks for quotes where that would happen to a string.
    pub(super) fn node(&mut self, text: &str, style: Style, tag: Option<&str>, quoted: bool) {
        self.begin_node();
        if let Some(tag) = tag {
            self.indicator(tag, true, false);
        }
        self.write_styled(text, style, quoted);
    }

    /// Bytes that are no UTF-8, as v3 prints them: `!!binary` and base64.
    pub fn binary(&mut self, base64: &str) {
        self.begin_node();
        self.indicator("!!binary", true, false);
        let analysis = Analysis::of(base64, self.look);
        self.write_str(base64, analysis, false);
    }

    /// A time, which v3 prints without quotes.
    pub(crate) fn timestamp(&mut self, text: &str) {
        self.bare(text);
    }

    /// Null.
    pub fn null(&mut self) {
        self.bare("null");
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.bare(if value { "true" } else { "false" });
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.bare(&value.to_string());
    }

    /// An integer over `i64::MAX`.
    pub fn uint(&mut self, value: u64) {
        self.bare(&value.to_string());
    }

    /// A float. v3 prints Go's shortest form (`1e+06`); in v2 the value has come through JSON, which makes integers of
    /// what has no fraction (`1000000`), and has no infinities.
    pub fn float(&mut self, value: f64) {
        if self.look == Look::V2 && !value.is_finite() {
            self.refuse(format!("json: unsupported value: {}", float::g(value)));
        }
        self.bare(&float_text(value, self.look));
    }

    /// Ends the text with a line end. Fails, in Go's words, if v2 would have refused one of the values on their way
    /// through JSON; the text is then of no use.
    pub fn finish(mut self) -> Result<(), String> {
        self.finish_line();
        self.fault.map_or(Ok(()), Err)
    }

    /// Ends the text without its last line end, as Helm's functions trim it. Fails as [`Emitter::finish`] does.
    pub fn finish_trimmed(mut self) -> Result<(), String> {
        self.finish_line();
        if self.out.ends_with('\n') {
            self.out.pop();
        }
        self.fault.map_or(Ok(()), Err)
    }

    /// In v2, what is left of a text after the way through JSON.
    fn through_json<'s>(&mut self, text: &'s str, hop: fn(&'s str) -> Result<Cow<'s, str>, String>) -> Cow<'s, str> {
        if self.look == Look::V3 {
            return Cow::Borrowed(text);
        }
        hop(text).unwrap_or_else(|fault| {
            self.refuse(fault);
            Cow::Borrowed(text)
        })
    }

    fn refuse(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn finish_line(&mut self) {
        if !self.indention || self.column > 0 || !self.whitespace {
            self.line_break();
        }
    }

    /// A scalar that needs no look at its text.
    fn bare(&mut self, text: &str) {
        self.begin_node();
        if !self.whitespace {
            self.put(" ");
        }
        self.put(text);
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes what stands before a node: `- `, or the `:` of a key after `?`. True if it is a map's value.
    fn begin_node(&mut self) -> bool {
        self.settle();
        match self.role {
            Role::Root => false,
            Role::Item => {
                self.write_indent();
                self.indicator("-", true, true);
                false
            }
            Role::Value(long_key) => {
                if long_key {
                    self.write_indent();
                    self.indicator(":", true, true);
                }
                true
            }
        }
    }

    /// Opens a collection that has turned out not to be empty.
    fn settle(&mut self) {
        let Some((collection, value)) = self.pending.take() else { return };
        let indentless = self.compact && collection == Collection::List && value && !self.indention;
        self.levels.push(Level { collection, outer_indent: self.indent });
        if self.indent < 0 {
            self.indent = 0;
        } else if !indentless {
            self.indent += INDENT;
        }
        if collection == Collection::List {
            self.role = Role::Item;
        }
    }

    fn end(&mut self, empty: &str) {
        if self.pending.take().is_some() {
            self.indicator(empty, true, false);
        } else if let Some(level) = self.levels.pop() {
            self.indent = level.outer_indent;
        }
        self.role = match self.levels.last() {
            Some(Level { collection: Collection::List, .. }) => Role::Item,
            _ => Role::Root,
        };
    }

    fn line_break(&mut self) {
        self.put_pad();
        self.out.push('\n');
        self.pad_due = self.pad > 0;
        self.column = 0;
        self.indention = true;
    }

    #[inline]
    fn put_pad(&mut self) {
        if self.pad_due {
            self.pad_due = false;
            spaces(self.out, self.pad);
        }
    }

    /// Writes text without breaks.
    #[inline]
    fn put(&mut self, text: &str) {
        self.put_pad();
        self.out.push_str(text);
        self.column += if text.is_ascii() { text.len() } else { text.chars().count() };
    }

    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.line_break();
        }
        if self.column < indent {
            self.put_pad();
            spaces(self.out, indent - self.column);
            self.column = indent;
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, need_space: bool, is_indention: bool) {
        if need_space && !self.whitespace {
            self.put(" ");
        }
        self.put(text);
        self.whitespace = false;
        self.indention &= is_indention;
    }
}

fn spaces(out: &mut String, count: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = count;
    while left > 0 {
        let now = left.min(SPACES.len());
        out.push_str(&SPACES[..now]);
        left -= now;
    }
}

/// The text of a float in a look.
fn float_text(value: f64, look: Look) -> String {
    let mut out = String::new();
    if look == Look::V2 && float::push_json(&mut out, value) {
        // read back, JSON's text is an integer where it looks like one and fits
        if let Ok(whole) = out.parse::<i64>() {
            return whole.to_string();
        }
        if out.parse::<u64>().is_ok() {
            return out;
        }
        out.clear();
    }
    float::push_g(&mut out, value);
    match out.as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emit(look: Look, pad: usize, events: impl FnOnce(&mut Emitter<'_>)) -> String {
        let mut out = String::new();
        let mut emitter = Emitter::new(&mut out, look).with_base_indent(pad, false);
        events(&mut emitter);
        emitter.finish_trimmed().expect("the values are good");
        out
    }

    fn nested(emitter: &mut Emitter<'_>) {
        emitter.map_start();
        emitter.key("a");
        emitter.list_start();
        emitter.map_start();
        emitter.key("b");
        emitter.str("x\n\ny\n");
        emitter.key("c");
        emitter.list_start();
        emitter.list_end();
        emitter.map_end();
        emitter.list_start();
        emitter.int(1);
        emitter.float(1e6);
        emitter.list_end();
        emitter.list_end();
        emitter.map_end();
    }

    #[test]
    fn lists_under_keys_are_indented_in_v3_only() {
        assert_eq!(emit(Look::V2, 0, nested), "a:\n- b: |\n    x\n\n    y\n  c: []\n- - 1\n  - 1000000");
        assert_eq!(emit(Look::V3, 0, nested), "a:\n  - b: |\n      x\n\n      y\n    c: []\n  - - 1\n    - 1e+06");
    }

    #[test]
    fn base_indentation_is_what_indent_would_make_of_the_text() {
        let plain = emit(Look::V2, 0, nested);
        assert_eq!(emit(Look::V2, 4, nested), plain.replace('\n', "\n    "));
    }

    #[test]
    fn long_keys_are_written_with_a_question_mark() {
        let key = "k".repeat(129);
        let text = emit(Look::V2, 0, |emitter| {
            emitter.map_start();
            emitter.key(&key);
            emitter.list_start();
            emitter.int(1);
            emitter.list_end();
            emitter.map_end();
        });
        assert_eq!(text, format!("? {key}\n: - 1"));
    }
}
