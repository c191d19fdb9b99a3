//! The scanner's scalars: plain, quoted and block.
//!
//! In: a scanner at the first character. Out: a scalar token, its text borrowed unless lines were folded or escapes
//! resolved.

use std::borrow::Cow;

use crate::value::Style;

use super::chars::{at, break_len, is_blank, is_gap, is_inner, is_plain, line_end, width};
use super::fault::Mark;
use super::scan::{Scan, Scanner};
use super::token::{Token, TokenKind};

/// What a `|` or `>` header says about the breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl<'t> Scanner<'t> {
    /// A plain scalar, over as many lines as are indented deeply enough.
    pub(super) fn scan_plain(&mut self) -> Scan<Token<'t>> {
        let start = self.mark();
        let mut end = start;
        let indent = self.indent + 1;
        let mut folded: Option<String> = None;
        // the first break of a run and the count of the text that it folds to
        let mut leading_blanks = false;
        let mut gap = self.place;
        let mut breaks = Breaks::default();
        loop {
            if self.column() == 0 && self.at_document_indicator() || at(self.bytes, self.place) == b'#' {
                break;
            }
            let run = self.place;
            let stop = self.plain_run_end(run);
            if stop > run {
                if leading_blanks {
                    let text = folded.get_or_insert_with(|| self.text[start.place as usize..end.place as usize].to_owned());
                    breaks.fold_into(text);
                    leading_blanks = false;
                    text.push_str(&self.text[run..stop]);
                } else if let Some(text) = &mut folded {
                    text.push_str(&self.text[gap..stop]);
                }
                self.advance(stop);
                end = self.mark();
            }
            gap = self.place;
            if !is_blank(at(self.bytes, gap)) && break_len(self.bytes, gap) == 0 {
                break;
            }
            self.plain_gap(start, indent, &mut leading_blanks, &mut breaks)?;
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        if leading_blanks {
            self.key_allowed = true;
        }
        let text = match folded {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(&self.text[start.place as usize..end.place as usize]),
        };
        Ok(Token { kind: TokenKind::Scalar(text, Style::Plain), start, end })
    }

    /// The end of the characters from `place` that a plain scalar takes without a blank between.
    #[inline]
    fn plain_run_end(&self, mut place: usize) -> usize {
        loop {
            let byte = at(self.bytes, place);
            if is_plain(byte) {
                place += 1;
                continue;
            }
            match byte {
                b':' if is_gap(self.bytes, place + 1) => return place,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.flow_level > 0 => return place,
                0 | b' ' | b'\t' | b'\n' | b'\r' => return place,
                0xC2 | 0xE2 if break_len(self.bytes, place) > 0 => return place,
                _ => place += width(byte),
            }
        }
    }

    /// Passes the blanks and breaks inside or after a plain scalar.
    fn plain_gap(&mut self, start: Mark, indent: i32, leading_blanks: &mut bool, breaks: &mut Breaks) -> Scan<()> {
        loop {
            let byte = at(self.bytes, self.place);
            if is_blank(byte) {
                if *leading_blanks && byte == b'\t' && self.column() < indent {
                    return Err(self.fault(start, "found a tab character that violates indentation"));
                }
                self.place += 1;
                continue;
            }
            let length = break_len(self.bytes, self.place);
            if length == 0 {
                return Ok(());
            }
            breaks.add(&self.text[self.place..self.place + length], !*leading_blanks);
            *leading_blanks = true;
            self.advance_line(length);
        }
    }

    /// A scalar in single or double quotes.
    pub(super) fn scan_quoted(&mut self, single: bool) -> Scan<Token<'t>> {
        let start = self.mark();
        let quote = if single { b'\'' } else { b'"' };
        let style = if single { Style::Single } else { Style::Double };
        self.place += 1;
        let begin = self.place;
        if let Some(close) = self.short_quoted_end(quote, single) {
            self.advance(close);
            self.place += 1;
            let text = Cow::Borrowed(&self.text[begin..close]);
            return Ok(Token { kind: TokenKind::Scalar(text, style), start, end: self.mark() });
        }
        let mut text = String::new();
        loop {
            if self.column() == 0 && self.at_document_indicator() {
                return Err(self.fault(start, "found unexpected document indicator"));
            }
            if at(self.bytes, self.place) == 0 {
                return Err(self.fault(start, "found unexpected end of stream"));
            }
            let escaped_break = self.quoted_run(start, single, &mut text)?;
            if at(self.bytes, self.place) == quote {
                break;
            }
            self.quoted_gap(escaped_break, &mut text);
        }
        self.place += 1;
        Ok(Token { kind: TokenKind::Scalar(Cow::Owned(text), style), start, end: self.mark() })
    }

    /// The closing quote, if no escape and no break stands before it.
    #[inline]
    fn short_quoted_end(&self, quote: u8, single: bool) -> Option<usize> {
        let mut place = self.place;
        loop {
            let byte = at(self.bytes, place);
            if is_inner(byte) && byte != quote && byte != b'\\' || is_blank(byte) {
                place += 1;
            } else if byte == quote {
                return (!single || at(self.bytes, place + 1) != quote).then_some(place);
            } else if byte == b'\\' && single {
                place += 1;
            } else if byte >= 0x80 && break_len(self.bytes, place) == 0 {
                place += width(byte);
            } else {
                return None;
            }
        }
    }

    /// Takes quoted text up to a blank, a break, the quote or the end. True if a break was escaped away.
    fn quoted_run(&mut self, start: Mark, single: bool, text: &mut String) -> Scan<bool> {
        while !is_gap(self.bytes, self.place) {
            let byte = self.bytes[self.place];
            if single && byte == b'\'' {
                if at(self.bytes, self.place + 1) != b'\'' {
                    return Ok(false);
                }
                text.push('\'');
                self.place += 2;
            } else if !single && byte == b'"' {
                return Ok(false);
            } else if !single && byte == b'\\' {
                let length = break_len(self.bytes, self.place + 1);
                if length > 0 {
                    self.place += 1;
                    self.advance_line(length);
                    return Ok(true);
                }
                self.escape(start, text)?;
            } else {
                let mut stop = self.place + width(byte);
                while is_inner(at(self.bytes, stop)) && !matches!(at(self.bytes, stop), b'\'' | b'"' | b'\\') {
                    stop += 1;
                }
                while !self.text.is_char_boundary(stop) {
                    stop += 1;
                }
                text.push_str(&self.text[self.place..stop]);
                self.advance(stop);
            }
        }
        Ok(false)
    }

    /// Resolves the escape at the backslash here.
    fn escape(&mut self, start: Mark, text: &mut String) -> Scan<()> {
        let digits = match at(self.bytes, self.place + 1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            code => {
                let Some(character) = simple_escape(code) else {
                    return Err(self.fault(start, "found unknown escape character"));
                };
                text.push(character);
                self.place += 2;
                return Ok(());
            }
        };
        self.place += 2;
        let mut value = 0u32;
        for offset in 0..digits {
            let Some(digit) = char::from(at(self.bytes, self.place + offset)).to_digit(16) else {
                return Err(self.fault(start, "did not find expected hexdecimal number"));
            };
            value = value << 4 | digit;
        }
        let Some(character) = char::from_u32(value) else {
            return Err(self.fault(start, "found invalid Unicode character escape code"));
        };
        text.push(character);
        self.place += digits;
        Ok(())
    }

    /// Passes blanks and breaks inside quotes and adds what they fold to.
    fn quoted_gap(&mut self, escaped_break: bool, text: &mut String) {
        let mut leading_blanks = escaped_break;
        let mut breaks = Breaks::default();
        let blanks = self.place;
        let mut blanks_end = blanks;
        loop {
            if is_blank(at(self.bytes, self.place)) {
                self.place += 1;
                if !leading_blanks {
                    blanks_end = self.place;
                }
                continue;
            }
            let length = break_len(self.bytes, self.place);
            if length == 0 {
                break;
            }
            breaks.add(&self.text[self.place..self.place + length], !leading_blanks);
            leading_blanks = true;
            self.advance_line(length);
        }
        if leading_blanks {
            breaks.fold_into(text);
        } else {
            text.push_str(&self.text[blanks..blanks_end]);
        }
    }

    /// A `|` (literal) or `>` scalar.
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Scan<Token<'t>> {
        let start = self.mark();
        self.place += 1;
        let (chomp, increment) = self.block_header(start)?;
        self.expect_line_end(start)?;
        let mut end = self.mark();
        let mut indent = match increment {
            0 => 0,
            increment => increment + self.indent.max(0),
        };
        let mut text = String::new();
        let mut trailing = String::new();
        let mut leading_break = "";
        self.block_breaks(start, &mut indent, &mut trailing, &mut end)?;
        let mut leading_blank = false;
        while self.column() == indent && at(self.bytes, self.place) != 0 {
            let blank = is_blank(self.bytes[self.place]);
            if !literal && !leading_blank && !blank && leading_break.starts_with('\n') {
                if trailing.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(leading_break);
            }
            text.push_str(&trailing);
            trailing.clear();
            leading_blank = blank;
            let stop = line_end(self.bytes, self.place);
            text.push_str(&self.text[self.place..stop]);
            self.advance(stop);
            let length = break_len(self.bytes, stop);
            leading_break = normal_break(&self.text[stop..stop + length]);
            if length > 0 {
                self.advance_line(length);
            }
            self.block_breaks(start, &mut indent, &mut trailing, &mut end)?;
        }
        if chomp != Chomp::Strip {
            text.push_str(leading_break);
        }
        if chomp == Chomp::Keep {
            text.push_str(&trailing);
        }
        let style = if literal { Style::Literal } else { Style::Folded };
        Ok(Token { kind: TokenKind::Scalar(Cow::Owned(text), style), start, end })
    }

    /// Chomping and indentation after `|` or `>`, in either order; 0 is no indentation given.
    fn block_header(&mut self, start: Mark) -> Scan<(Chomp, i32)> {
        let mut chomp = self.chomp();
        let mut increment = 0;
        let byte = at(self.bytes, self.place);
        if byte.is_ascii_digit() {
            if byte == b'0' {
                return Err(self.fault(start, "found an indentation indicator equal to 0"));
            }
            increment = i32::from(byte - b'0');
            self.place += 1;
            if chomp.is_none() {
                chomp = self.chomp();
            }
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    fn chomp(&mut self) -> Option<Chomp> {
        let chomp = match at(self.bytes, self.place) {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return None,
        };
        self.place += 1;
        Some(chomp)
    }

    /// Passes indentation and empty lines of a block scalar; finds its indentation where none is known yet.
    fn block_breaks(&mut self, start: Mark, indent: &mut i32, breaks: &mut String, end: &mut Mark) -> Scan<()> {
        *end = self.mark();
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && at(self.bytes, self.place) == b' ' {
                self.place += 1;
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && at(self.bytes, self.place) == b'\t' {
                return Err(self.fault(start, "found a tab character where an indentation space is expected"));
            }
            let length = break_len(self.bytes, self.place);
            if length == 0 {
                break;
            }
            breaks.push_str(normal_break(&self.text[self.place..self.place + length]));
            self.advance_line(length);
            *end = self.mark();
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

/// A break as it stands in a scalar: a line feed, but for the Unicode separators, which are kept.
fn normal_break(text: &str) -> &str {
    match text {
        "" | "\u{2028}" | "\u{2029}" => text,
        _ => "\n",
    }
}

fn simple_escape(code: u8) -> Option<char> {
    Some(match code {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}

/// The breaks between two lines of a scalar that folds: one break is a space, more are themselves less the first.
#[derive(Default)]
struct Breaks {
    first: String,
    others: String,
}

impl Breaks {
    fn add(&mut self, text: &str, first: bool) {
        let into = if first { &mut self.first } else { &mut self.others };
        into.push_str(normal_break(text));
    }

    fn fold_into(&mut self, text: &mut String) {
        if !self.first.starts_with('\n') {
            text.push_str(&self.first);
            text.push_str(&self.others);
        } else if self.others.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.others);
        }
        self.first.clear();
        self.others.clear();
    }
}
