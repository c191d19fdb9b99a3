//! Whether a text is what [`to_string`](super::to_string) would print of its own value, found without reading it.
//!
//! In: one document. Out: yes, with the scalars near the top, or "not known". What other tools and Hydrant itself have printed
//! mostly is: block style, keys in order, two columns a level, scalars in the style that the printer would pick. That is
//! checked line by line, for a part of YAML that is small enough to see; anything else is not known, and whoever asks reads
//! the text and prints it. What holds this file to its word: the goldens and the fuzz target `yaml` print every text that
//! is said to be printed, and compare.

use super::emit::Form;
use super::order::less;
use super::resolve::{Plain, resolve_with};
use super::{Dialect, Look};
use crate::value::Step;

/// Levels of nesting that are looked into.
const DEPTH_MAX: usize = 64;
/// Keys of one map, if digits are among them: the order of such keys can contradict itself, so each is compared with all.
const DIGIT_KEYS_MAX: usize = 64;
/// Columns beyond which the printer breaks lines at spaces.
const WIDTH: usize = 80;

/// A collection that is open.
enum Level {
    /// A map whose keys stand in this column; where its keys begin among all that are kept.
    Map(usize, usize),
    /// A list whose dashes stand in this column.
    List(usize),
}

impl Level {
    fn column(&self) -> usize {
        match self {
            Level::Map(column, _) | Level::List(column) => *column,
        }
    }
}

/// What stands behind a key or a dash.
enum Value<'t> {
    /// A scalar's text, and whether it is a string.
    Scalar(&'t str, bool),
    /// An empty map or list.
    Empty,
    /// Nothing: a collection follows.
    Below,
    /// A literal text follows; true if it ends with a line end.
    Literal(bool),
}

/// Where a scalar stands.
pub struct Way<'w, 't> {
    levels: &'w [Level],
    keys: &'w [&'t str],
}

impl<'t> Way<'_, 't> {
    /// The steps to it, the last one first.
    pub fn outwards(&self) -> impl Iterator<Item = Step<'t>> {
        let mut end = self.keys.len();
        self.levels.iter().rev().map(move |level| match level {
            Level::Map(_, begin) => {
                let key = self.keys[end - 1];
                end = *begin;
                Step::Key(key)
            }
            Level::List(_) => Step::Item,
        })
    }

    /// Key and, if there is one, outer key of a scalar in the outermost map or in a map in it.
    pub fn near_top(&self) -> Option<(Option<&'t str>, &'t str)> {
        match *self.levels {
            [Level::Map(..)] => Some((None, self.keys[self.keys.len() - 1])),
            [Level::Map(..), Level::Map(_, begin)] => Some((Some(self.keys[begin - 1]), self.keys[self.keys.len() - 1])),
            _ => None,
        }
    }
}

/// True if a text is known to be as it would be printed. `told` hears of every scalar of one line: the way to it, its text, and
/// whether it is a string. What it hears of a text that is not known is of no use.
pub fn is_printed<'t>(text: &'t str, mut told: impl FnMut(&Way<'_, 't>, &'t str, bool)) -> bool {
    Checker { levels: Vec::new(), keys: Vec::new(), due: None }.document(text, &mut told).is_some()
}

struct Checker<'t> {
    levels: Vec<Level>,
    /// The keys of all open maps so far.
    keys: Vec<&'t str>,
    /// The column of a key that a collection must follow.
    due: Option<usize>,
}

impl<'t> Checker<'t> {
    fn document(&mut self, text: &'t str, told: &mut dyn FnMut(&Way<'_, 't>, &'t str, bool)) -> Option<()> {
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n')?;
            rest = after;
            let body = line.trim_start_matches(' ');
            let column = line.len() - body.len();
            let (key_column, value) = match body.strip_prefix("- ") {
                Some(item) => (column + 2, self.item(column, item)?),
                None => (column, self.entry(column, body)?),
            };
            match value {
                Value::Scalar(text, is_text) => told(&Way { levels: &self.levels, keys: &self.keys }, text, is_text),
                Value::Empty => {}
                Value::Below => self.due = Some(key_column),
                Value::Literal(ended) => rest = literal(rest, key_column + 2, ended)?,
            }
        }
        (self.due.is_none() && !self.levels.is_empty()).then_some(())
    }

    /// A line that begins with a dash.
    fn item(&mut self, column: usize, item: &'t str) -> Option<Value<'t>> {
        match self.due.take() {
            Some(due) if due == column => self.open(Level::List(column))?,
            Some(_) => return None,
            None => {
                self.close(|level| level.column() > column);
                let Some(Level::List(at)) = self.levels.last() else { return None };
                (*at == column).then_some(())?;
            }
        }
        if let Some((key, value)) = split_entry(item) {
            self.open(Level::Map(column + 2, self.keys.len()))?;
            self.keys.push(key);
            return behind(value, column + 2 + key.len() + 1);
        }
        scalar(item, column + 2).or_else(|| empty(item))
    }

    /// A line that begins with a key.
    fn entry(&mut self, column: usize, body: &'t str) -> Option<Value<'t>> {
        let (key, value) = split_entry(body)?;
        match self.due.take() {
            Some(due) if due + 2 == column => self.open(Level::Map(column, self.keys.len()))?,
            Some(_) => return None,
            None if self.levels.is_empty() && column == 0 => self.open(Level::Map(0, self.keys.len()))?,
            None => {
                self.close(|level| level.column() > column || matches!(level, Level::List(at) if *at == column));
                let Some(Level::Map(at, begin)) = self.levels.last() else { return None };
                (*at == column && follows(&self.keys[*begin..], key)).then_some(())?;
            }
        }
        self.keys.push(key);
        behind(value, column + key.len() + 1)
    }

    fn open(&mut self, level: Level) -> Option<()> {
        self.levels.push(level);
        (self.levels.len() <= DEPTH_MAX).then_some(())
    }

    fn close(&mut self, done: impl Fn(&Level) -> bool) {
        while let Some(level) = self.levels.last().filter(|level| done(level)) {
            if let Level::Map(_, begin) = level {
                self.keys.truncate(*begin);
            }
            self.levels.pop();
        }
    }
}

/// A key and what follows its colon, if a text begins with a key that is printed as it stands.
fn split_entry(body: &str) -> Option<(&str, &str)> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'-' | b'_');
    let bytes = body.as_bytes();
    let length = bytes.iter().take_while(|byte| plain(byte)).count();
    let (key, rest) = body.split_at(length);
    // of such letters a key is plain to the printer, unless it is no text to some reader
    let is_text = resolve_with(key, Dialect::V2, true) == Plain::Str;
    let good = length <= 128 && bytes.first()?.is_ascii_alphanumeric() && is_text;
    let value = rest.strip_prefix(':').filter(|value| value.is_empty() || value.starts_with(' '))?;
    good.then_some((key, value))
}

/// True if `key` comes after all of `before`, as the printer orders them.
fn follows(before: &[&str], key: &str) -> bool {
    let Some(last) = before.last() else { return true };
    let digits = |key: &str| key.bytes().any(|byte| byte.is_ascii_digit());
    less(last, key, Look::V2)
        && !less(key, last, Look::V2)
        && (!digits(key) || before.len() <= DIGIT_KEYS_MAX && !before.contains(&key))
}

/// What stands behind a key's colon in `column`.
fn behind(value: &str, column: usize) -> Option<Value<'_>> {
    if value.is_empty() {
        return Some(Value::Below);
    }
    let value = value.strip_prefix(' ')?;
    match value {
        "|" => Some(Value::Literal(true)),
        "|-" => Some(Value::Literal(false)),
        _ => scalar(value, column + 1).or_else(|| empty(value)),
    }
}

fn empty(value: &str) -> Option<Value<'_>> {
    matches!(value, "{}" | "[]").then_some(Value::Empty)
}

/// A scalar that begins in `column`, if it is printed as it stands.
fn scalar(value: &str, column: usize) -> Option<Value<'_>> {
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let (text, form) = match value.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.iter().any(|byte| matches!(byte, b'"' | b'\\')) => (&value[1..value.len() - 1], Form::Double),
        [b'\'', inner @ .., b'\''] if !inner.contains(&b'\'') => (&value[1..value.len() - 1], Form::Single),
        _ => (value, Form::Plain),
    };
    if text.contains(' ') && column + value.len() > WIDTH {
        return None;
    }
    if form != Form::Plain {
        return (Form::of(text) == form).then_some(Value::Scalar(text, true));
    }
    let (good, is_text) = match resolve_with(text, Dialect::V2, true) {
        Plain::Str => (Form::of(text) == Form::Plain, true),
        Plain::Int(number) => (number.to_string() == text, false),
        Plain::Bool(_) => (matches!(text, "true" | "false"), false),
        Plain::Null => (text == "null", false),
        Plain::Uint(_) | Plain::Float(_) | Plain::Timestamp => (false, false),
    };
    good.then_some(Value::Scalar(text, is_text))
}

/// What follows a literal text whose lines stand in `column`, if it is printed as it stands.
fn literal(text: &str, column: usize, ended: bool) -> Option<&str> {
    let (mut rest, mut lines, mut last_is_empty) = (text, 0, true);
    while let Some((line, after)) = rest.split_once('\n') {
        if !line.is_empty() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if indent < column && indent < line.len() {
                break;
            }
            let body = line.get(column..)?;
            // what begins with a space says how deep it stands; what ends with one is quoted
            let good = body.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !body.ends_with(' ');
            (good && !body.is_empty() && (lines > 0 || !body.starts_with(' '))).then_some(())?;
        } else if lines == 0 {
            return None;
        }
        (lines, last_is_empty, rest) = (lines + 1, line.is_empty(), after);
    }
    // a single line without its end is no literal
    (!last_is_empty && (ended || lines > 1)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::{parse, to_string};
    use super::*;
    use crate::diag::SourceText;

    /// True if it is said to be printed; that must be so then.
    fn known(text: &str) -> bool {
        let known = is_printed(text, |_, _, _| {});
        if known {
            let tree = parse(&SourceText::new("", text), Dialect::V2).expect("good YAML");
            assert_eq!(to_string(&tree), text);
        }
        known
    }

    #[test]
    fn what_tools_print_is_known() {
        for text in [
            "a: b\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations: {}\n  labels:\n    app.kubernetes.io/name: web\n  name: web\nspec:\n  \
             replicas: 3\n  template:\n    spec:\n      containers:\n      - args: []\n        env:\n        - name: A\n          value: \"5\"\n        \
             - name: B\n          value: 'a: b'\n        image: nginx:1.25\n        ports:\n        - containerPort: 80\n      - image: side\n        name: s\n",
            "a:\n- b\n- \"\"\n- 5\n- null\n- {}\nc: true\n",
            "data:\n  a: |\n    one\n      two\n\n    three\n  b: |-\n    x\n    y\nz: -1\n",
            "key2: a\nkey10: b\n",
        ] {
            assert!(known(text), "{text}");
        }
    }

    #[test]
    fn what_would_be_printed_otherwise_or_may_be_is_not_known() {
        for text in [
            "", "\n", "a\n", "- a\n", "a: b", "a:\n", "a:\nb: c\n", "b: 1\na: 2\n", "a: 1\na: 2\n", "a: b # c\n", "# c\na: b\n", "a:  b\n", "a: b \n",
            "a: yes\n", "yes: a\n", "a: 0755\n", "a: 1.0\n", "a: 1e3\n", "a: 2020-01-02\n", "a: 1:20\n", "a: ~\n", "a: True\n", "a: 'b'\n", "a: \"b\"\n",
            "a: '5'\n", "a: \"a: b\"\n", "a: \"b\\n\"\n", "a: &x b\n", "a: *x\n", "a: !!str b\n", "a: {b: c}\n", "a: [b]\n", "a: >\n  b\n", "a: |+\n  b\n",
            "a:\n  - b\n", "a:\n   b: c\n", "a:\n- - b\n", "a:\n-\n", "a:\n- b: c\n   d: e\n", "a: b: c\n", "a: b:\n", "- a: b\n", "a: |\n   b\n", "a: |\n  b \n",
            "a: |\n\n  b\n", "a: |-\n  b\n", "a: |\n  b\n\n", "a: b\n\nc: d\n", "a: b\n---\nc: d\n", "---\na: b\n", "a: b\n...\n", "a: b\r\n", "a: \tb\n", "a: é\n",
            "<<: b\n", "=: b\n", "a: =\n", "a: <<\n", "a: b\n  c: d\n", "a:\n- b\n  c: d\n", "a:\n  b: c\n d: e\n", "? a\n: b\n", "a: b\n  c\n", "a: |\n  b\n c: d\n",
        ] {
            known(text);
        }
        for text in ["a: yes\n", "b: 1\na: 2\n", "a: 1\na: 2\n", "a: 0755\n", "a: 2020-01-02\n", "a: b # c\n", "a:\n  - b\n", "a: |\n  b \n", "a: b\n  c\n", "a:\n", "a: b"] {
            assert!(!known(text), "{text}");
        }
        let long = ["word"; 30].join(" ");
        assert!(!known(&format!("a: {long}\n")));
        assert!(known(&format!("a: {}\n", "w".repeat(200))), "without spaces no line is broken");
    }

    #[test]
    fn every_scalar_is_told_with_the_way_to_it() {
        let mut heard = Vec::new();
        let text = "apiVersion: v1\nkind: A\nmetadata:\n  labels:\n    a: b\n  name: \"5\"\nspec:\n- name: x\n  z: 5\n- w\n";
        let told = |way: &Way<'_, '_>, value: &str, is_text| {
            let steps: Vec<String> = way.outwards().map(|step| format!("{step:?}")).collect();
            heard.push(format!("{} {value} {is_text} {:?}", steps.join(" "), way.near_top()));
        };
        assert!(is_printed(text, told));
        let wanted = [
            r#"Key("apiVersion") v1 true Some((None, "apiVersion"))"#,
            r#"Key("kind") A true Some((None, "kind"))"#,
            r#"Key("a") Key("labels") Key("metadata") b true None"#,
            r#"Key("name") Key("metadata") 5 true Some((Some("metadata"), "name"))"#,
            r#"Key("name") Item Key("spec") x true None"#,
            r#"Key("z") Item Key("spec") 5 false None"#,
            r#"Item Key("spec") w true None"#,
        ];
        assert_eq!(heard, wanted);
    }

    /// Texts drawn from lines, and such texts with one character put in, that stand close to the line between printed and not.
    #[test]
    fn drawn_texts_that_are_known_are_printed_so() {
        let lines = [
            "a: b", "a:", "b:", "b: 5", "c1: \"5\"", "c02: 'a: b'", "c10: x y", "d: |", "d: |-", "e: {}", "f: []", "- a", "- b: c", "- b:", "- \"\"", "- []", "text", "more text",
            "z: null", "true: a", "y: a", "z: -7", "",
        ];
        let extra = ["#", " ", ":", "-", "\"", "'", "|", "\n", "~", "1", "@", "<", "{", "é", "\t", "&", "*", "!", ".", "%"];
        let mut state: u64 = 3;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % limit as u64) as usize
        };
        let (mut found, mut changed) = (0, 0);
        for _ in 0..40_000 {
            let drawn = (0..=below(4)).map(|_| format!("{}{}\n", " ".repeat([0, 0, 0, 2, 2, 4][below(6)]), lines[below(lines.len())]));
            let mut text: String = drawn.collect();
            if !known(&text) {
                continue;
            }
            found += 1;
            text.insert_str(below(text.len()), extra[below(extra.len())]);
            changed += usize::from(known(&text));
        }
        assert!(found > 1000 && changed > 100, "{found} and {changed} of the texts are known: too few to say anything");
    }
}
