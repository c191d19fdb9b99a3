//! The emitter's scalars: which style a text takes, and how each style is written.

use std::fmt::Write as _;

use super::super::resolve::{Plain, is_base60, old_bool, resolve};
use super::{Emitter, FOLD_WIDTH, INDENT, Look};
use crate::value::Style;

/// What a text allows.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::yaml) struct Analysis {
    /// It has line breaks of any kind.
    pub(super) multiline: bool,
    plain: bool,
    single: bool,
    block: bool,
}

/// The styles that a scalar can be written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::yaml) enum Form {
    Plain,
    Single,
    Double,
    Literal,
}

impl Form {
    /// The style that v2 picks for a string.
    pub(in crate::yaml) fn of(text: &str) -> Form {
        allowed(wanted(text, Look::V2), text, Analysis::of(text, Look::V2), false)
    }
}

impl Analysis {
    /// Looks at each character of a text, as go-yaml's `yaml_emitter_analyze_scalar` does.
    pub(in crate::yaml) fn of(text: &str, look: Look) -> Analysis {
        if text.is_empty() {
            return Analysis { multiline: false, plain: true, single: true, block: false };
        }
        if let Some(easy) = Analysis::easy(text) {
            return easy;
        }
        let mut seen = Seen { indicators: text.starts_with("---") || text.starts_with("..."), preceded: true, ..Seen::default() };
        let length = text.chars().count();
        let mut characters = text.chars().peekable();
        let mut index = 0;
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            seen.character(character, next, index == 0, index + 1 == length, look);
            index += 1;
        }
        seen.verdict()
    }

    /// True if the text may stand in a block.
    pub(in crate::yaml) fn is_block(self) -> bool {
        self.block
    }

    /// The answer for texts of letters, digits and harmless punctuation, which most are.
    fn easy(text: &str) -> Option<Analysis> {
        let bytes = text.as_bytes();
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'-' | b'_' | b'=' | b'+' | b'(' | b')' | b'$' | b';');
        let first = bytes[0].is_ascii_alphanumeric() || matches!(bytes[0], b'/' | b'_' | b'$' | b'(');
        let last = bytes.len() - 1;
        let rest = bytes[1..].iter().enumerate().all(|(index, byte)| {
            harmless(*byte)
                || *byte == b' ' && index + 1 < last
                || matches!(*byte, b',' | b'[' | b']' | b'{' | b'}' | b'\'' | b'"' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'<' | b'~' | b'^' | b'\\' | b'?')
        });
        (first && rest).then_some(Analysis { multiline: false, plain: true, single: true, block: true })
    }
}

/// What has been seen of a text.
#[derive(Default)]
struct Seen {
    indicators: bool,
    breaks: bool,
    special: bool,
    tabs: bool,
    leading: bool,
    trailing_space: bool,
    trailing_break: bool,
    break_space: bool,
    space_break: bool,
    preceded: bool,
    previous_space: bool,
    previous_break: bool,
}

impl Seen {
    fn character(&mut self, character: char, next: Option<char>, first: bool, last: bool, look: Look) {
        // only blanks count as following white space, not breaks
        let followed = next.is_none_or(|next| next == ' ' || next == '\t');
        self.indicators |= match character {
            '#' => first || self.preceded,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            '?' | '-' => first && followed,
            ':' => followed,
            _ => false,
        };
        if character == '\t' && look == Look::V3 {
            self.tabs = true;
        } else if !is_printable(character) {
            self.special = true;
        }
        if character == ' ' {
            self.leading |= first;
            self.trailing_space |= last;
            self.break_space |= self.previous_break;
            self.previous_space = true;
            self.previous_break = false;
        } else if is_break(character) {
            self.breaks = true;
            self.leading |= first;
            self.trailing_break |= last;
            self.space_break |= self.previous_space;
            self.previous_space = false;
            self.previous_break = true;
        } else {
            self.previous_space = false;
            self.previous_break = false;
        }
        self.preceded = matches!(character, ' ' | '\t' | '\0') || is_break(character);
    }

    fn verdict(&self) -> Analysis {
        let unfit = self.space_break || self.special;
        Analysis {
            multiline: self.breaks,
            plain: !(self.leading
                || self.trailing_space
                || self.trailing_break
                || self.break_space
                || unfit
                || self.tabs
                || self.breaks
                || self.indicators),
            single: !(self.break_space || unfit || self.tabs),
            block: !(self.trailing_space || unfit),
        }
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// go-yaml's idea of printable, which stops at four-byte characters.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

impl Emitter<'_> {
    /// Writes a string in the style that go-yaml picks for it.
    pub(super) fn write_str(&mut self, text: &str, analysis: Analysis, simple_key: bool) {
        self.write_form(text, allowed(wanted(text, self.look), text, analysis, simple_key), !simple_key);
    }

    /// Writes a scalar in its own style, as go-yaml prints a node.
    pub(super) fn write_styled(&mut self, text: &str, style: Style, quoted: bool) {
        let wanted = match style {
            Style::Double => Form::Double,
            Style::Single => Form::Single,
            Style::Literal | Style::Folded => Form::Literal,
            Style::Plain if text.contains('\n') => Form::Literal,
            Style::Plain if quoted => Form::Double,
            Style::Plain => Form::Plain,
        };
        self.write_form(text, allowed(wanted, text, Analysis::of(text, self.look), false), true);
    }

    fn write_form(&mut self, text: &str, form: Form, allow_breaks: bool) {
        let outer = self.indent;
        self.indent = if outer < 0 { INDENT } else { outer + INDENT };
        match form {
            Form::Plain => self.write_plain(text, allow_breaks),
            Form::Single => self.write_single(text, allow_breaks),
            Form::Double => self.write_double(text, allow_breaks),
            Form::Literal => self.write_literal(text),
        }
        self.indent = outer;
    }
    /// True where a line may break at the space before `next`.
    fn folds(&self, allow: bool) -> bool {
        allow && self.look == Look::V2 && self.column > FOLD_WIDTH
    }

    fn write_plain(&mut self, text: &str, allow_breaks: bool) {
        if !self.whitespace {
            self.put(" ");
        }
        self.write_folding(text, allow_breaks, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_single(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("'", true, false);
        self.write_folding(text, allow_breaks, true);
        self.indicator("'", false, false);
        self.indention = false;
    }

    /// Writes plain or single-quoted text, breaking lines at single spaces beyond the width.
    fn write_folding(&mut self, text: &str, allow_breaks: bool, quoted: bool) {
        let fits = self.look == Look::V3 || !allow_breaks || self.column + text.len() <= FOLD_WIDTH;
        if fits && !(quoted && text.contains(['\'', '\u{2028}', '\u{2029}', '\r', '\u{85}'])) {
            self.put(text);
            return;
        }
        let mut spaces = false;
        let mut breaks = false;
        let mut buffer = [0; 4];
        for (place, character) in text.char_indices() {
            let rest = &text[place + character.len_utf8()..];
            if character == ' ' {
                let inner = !quoted || place > 0 && !rest.is_empty();
                if !spaces && self.folds(allow_breaks) && inner && !rest.starts_with(' ') {
                    self.write_indent();
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else if is_break(character) {
                // line feeds do not come here: they make a text literal or double-quoted
                self.put(character.encode_utf8(&mut buffer));
                self.column = 0;
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && character == '\'' {
                    self.put("'");
                }
                self.put(character.encode_utf8(&mut buffer));
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
    }

    fn write_double(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("\"", true, false);
        // go-yaml asks for a byte order mark at the beginning of the text, wherever it is
        let all_escaped = text.starts_with('\u{FEFF}');
        let mut spaces = false;
        let mut buffer = [0; 4];
        for (place, character) in text.char_indices() {
            let rest = &text[place + character.len_utf8()..];
            if all_escaped || !is_printable(character) || is_break(character) || character == '"' || character == '\\' {
                let mut escape = String::with_capacity(10);
                push_escape(&mut escape, character);
                self.put(&escape);
                spaces = false;
            } else if character == ' ' {
                if !spaces && self.folds(allow_breaks) && place > 0 && !rest.is_empty() {
                    self.write_indent();
                    if rest.starts_with(' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else {
                self.put(character.encode_utf8(&mut buffer));
                spaces = false;
            }
        }
        self.indicator("\"", false, false);
        self.indention = false;
    }

    fn write_literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        let mut backwards = text.chars().rev();
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.put("2");
        }
        if !backwards.next().is_some_and(is_break) {
            self.put("-");
        } else if backwards.next().is_none_or(is_break) {
            self.put("+");
        }
        self.line_break();
        self.whitespace = true;
        for line in text.split_inclusive('\n') {
            let body = line.strip_suffix('\n').unwrap_or(line);
            if body.contains(['\u{2028}', '\u{2029}']) {
                self.write_separated(body);
            } else if !body.is_empty() {
                self.write_indent();
                self.put(body);
                self.indention = false;
            }
            if body.len() < line.len() {
                self.line_break();
            }
        }
    }

    /// Writes a literal line that holds Unicode's own line separators.
    fn write_separated(&mut self, body: &str) {
        let mut breaks = true;
        let mut buffer = [0; 4];
        for character in body.chars() {
            if is_break(character) {
                self.put(character.encode_utf8(&mut buffer));
                self.column = 0;
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(character.encode_utf8(&mut buffer));
                self.indention = false;
                breaks = false;
            }
        }
    }
}

/// The style that a string gets where it can.
fn wanted(text: &str, look: Look) -> Form {
    if text.contains('\n') {
        Form::Literal
    } else if means_itself(text, look) {
        Form::Plain
    } else {
        Form::Double
    }
}

/// The style that a text gets where it cannot have the one that is wanted.
fn allowed(wanted: Form, text: &str, analysis: Analysis, simple_key: bool) -> Form {
    let mut form = if simple_key && analysis.multiline { Form::Double } else { wanted };
    if form == Form::Plain && (!analysis.plain || text.is_empty() && simple_key) {
        form = Form::Single;
    }
    if form == Form::Single && !analysis.single || form == Form::Literal && (!analysis.block || simple_key) {
        form = Form::Double;
    }
    form
}

/// True if a text would be read back as a string without quotes, and no other parser takes it for a number.
fn means_itself(text: &str, look: Look) -> bool {
    resolve(text, look.dialect()) == Plain::Str && !is_base60(text) && (look == Look::V2 || old_bool(text).is_none())
}

fn push_escape(out: &mut String, character: char) {
    out.push('\\');
    let short = match character {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0B' => 'v',
        '\x0C' => 'f',
        '\r' => 'r',
        '\x1B' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{A0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            let code = u32::from(other);
            // writing to a string cannot fail
            let _ = match code {
                0..=0xFF => write!(out, "x{code:02X}"),
                0x100..=0xFFFF => write!(out, "u{code:04X}"),
                _ => write!(out, "U{code:08X}"),
            };
            return;
        }
    };
    out.push(short);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(look: Look, text: &str) -> String {
        let mut out = String::new();
        let mut emitter = Emitter::new(&mut out, look);
        emitter.map_start();
        emitter.key("k");
        emitter.str(text);
        emitter.map_end();
        emitter.finish().expect("the text is good");
        out
    }

    #[test]
    fn quotes_where_needed_only() {
        let cases = [
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("1_000", "\"1_000\""),
            ("190:20:30", "\"190:20:30\""),
            ("2001-12-14", "\"2001-12-14\""),
            ("a: b", "'a: b'"),
            ("it's: b", "'it''s: b'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("a #b", "'a #b'"),
            ("a#b", "a#b"),
            (" a", "' a'"),
            ("@a", "'@a'"),
            ("a\tb", "\"a\\tb\""),
            ("😀", "\"\\U0001F600\""),
            ("<<", "<<"),
            ("a\u{2028}b", "'a\u{2028}  b'"),
            ("\u{FEFF}a", "\"\\uFEFF\\x61\""),
        ];
        for (text, want) in cases {
            assert_eq!(value(Look::V2, text), format!("k: {want}\n"), "{text:?}");
        }
        assert_eq!(value(Look::V3, "yes"), "k: \"yes\"\n");
        assert_eq!(value(Look::V3, "a\tb"), "k: \"a\\tb\"\n");
    }

    #[test]
    fn v2_folds_beyond_eighty_columns() {
        let text = ["word"; 30].join(" ");
        let folded = value(Look::V2, &text);
        assert_eq!(folded.lines().count(), 2, "{folded}");
        assert!(folded.lines().nth(1).is_some_and(|line| line.starts_with("  word")), "{folded}");
        assert_eq!(value(Look::V3, &text).lines().count(), 1);
    }

    #[test]
    fn literals_say_how_they_end_and_begin() {
        assert_eq!(value(Look::V2, "a\nb"), "k: |-\n  a\n  b\n");
        assert_eq!(value(Look::V2, "a\n\n"), "k: |+\n  a\n\n");
        assert_eq!(value(Look::V2, " a\n"), "k: |2\n   a\n");
        assert_eq!(value(Look::V2, "a \nb"), "k: \"a \\nb\"\n", "a space before a break cannot be seen");
    }
}
