//! The parser of Go's pattern syntax, which writes the same pattern in terms the `regex` crate cannot read otherwise.
//!
//! Flags are resolved here and put around single atoms, literals are escaped, classes are written as explicit ranges, groups lose
//! their names (which are kept beside). What Go refuses is refused with its words, in its order.

use std::fmt::Write as _;

use super::class;

/// Groups nest at most this deep, as in Go.
pub(super) const DEPTH_LIMIT: u32 = 1000;
/// The largest count of a repetition, and the largest product of nested ones, as in Go.
const REPEAT_LIMIT: u64 = 1000;
/// Atoms after unrolling repetitions: Go's bound of 128 MiB at 40 bytes each.
const SIZE_LIMIT: u64 = (128 << 20) / 40;

/// A pattern in the `regex` crate's terms.
#[derive(Debug)]
pub(super) struct Translated {
    pub pattern: String,
    /// The name of each group, the whole match first; empty where it has none.
    pub names: Vec<String>,
}

/// The text of Go's error.
pub(super) fn fault(code: &str, expression: &str) -> String {
    format!("error parsing regexp: {code}: `{expression}`")
}

/// Reads Go's syntax.
pub(super) fn translate(pattern: &[u8]) -> Result<Translated, String> {
    let text = std::str::from_utf8(pattern).map_err(|error| {
        fault("invalid UTF-8", &String::from_utf8_lossy(&pattern[error.valid_up_to()..]))
    })?;
    let mut parser = Parser {
        whole: text,
        rest: text,
        out: String::with_capacity(text.len() * 2),
        flags: Flags::default(),
        open: Vec::new(),
        names: vec![String::new()],
        atom: None,
        size: 0,
        product: 1,
    };
    parser.run()?;
    Ok(Translated { pattern: parser.out, names: parser.names })
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    lazy: bool,
}

/// What a repetition would apply to: where it starts in the output, its unrolled size, and the product of counts inside it.
#[derive(Clone, Copy)]
struct Atom {
    start: usize,
    size: u64,
    product: u64,
}

/// A group not closed yet, with what was known before it.
struct Open {
    start: usize,
    flags: Flags,
    size: u64,
    product: u64,
}

struct Parser<'p> {
    whole: &'p str,
    rest: &'p str,
    out: String,
    flags: Flags,
    open: Vec<Open>,
    names: Vec<String>,
    atom: Option<Atom>,
    /// Unrolled size and largest product of counts in the innermost open group so far.
    size: u64,
    product: u64,
}

impl<'p> Parser<'p> {
    fn run(&mut self) -> Result<(), String> {
        let mut last_repeat: Option<&str> = None;
        while let Some(first) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeated = None;
            match first {
                '(' if before[1..].starts_with('?') => self.perl_group()?,
                '(' => {
                    self.names.push(String::new());
                    self.open_group("(")?;
                    self.rest = &before[1..];
                }
                '|' => {
                    self.out.push('|');
                    self.atom = None;
                    self.rest = &before[1..];
                }
                ')' => {
                    self.close_group()?;
                    self.rest = &before[1..];
                }
                '^' => self.fixed(if self.flags.multi_line { "(?m:^)" } else { "\\A" }, 1),
                '$' => self.fixed(if self.flags.multi_line { "(?m:$)" } else { "\\z" }, 1),
                '.' => self.fixed(if self.flags.dot_newline { "(?s:.)" } else { "." }, 1),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    let (low, high) = match first {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(&before[..1], (low, high), false, &before[1..], last_repeat)?;
                    repeated = Some(before);
                }
                '{' => if let Some((low, high, after)) = counts(before) {
                    let written = &before[..before.len() - after.len()];
                    let too_many = |count: Option<u64>| count.is_some_and(|count| count > REPEAT_LIMIT);
                    if too_many(Some(low)) || too_many(high) || high.is_some_and(|high| high < low) {
                        return Err(fault("invalid repeat count", written));
                    }
                    self.repeat(written, (low, high), true, after, last_repeat)?;
                    repeated = Some(before);
                } else {
                    self.literal('{');
                    self.rest = &before[1..];
                },
                '\\' => self.escape()?,
                _ => {
                    self.literal(first);
                    self.rest = &before[first.len_utf8()..];
                }
            }
            last_repeat = repeated;
        }
        if self.open.is_empty() { Ok(()) } else { Err(fault("missing closing )", self.whole)) }
    }

    /// Starts an atom of one unit at the end of the output.
    fn begin_atom(&mut self) {
        self.atom = Some(Atom { start: self.out.len(), size: 1, product: 1 });
        self.size += 1;
    }

    /// An atom whose text is the same everywhere; `length` bytes of the pattern name it.
    fn fixed(&mut self, text: &str, length: usize) {
        self.begin_atom();
        self.out.push_str(text);
        self.rest = &self.rest[length..];
    }

    fn literal(&mut self, c: char) {
        self.begin_atom();
        let fold = self.flags.fold && (c.is_alphabetic() || !c.is_ascii());
        if fold {
            self.out.push_str("(?i:");
        }
        if regex_syntax::is_meta_character(c) {
            self.out.push('\\');
        }
        self.out.push(c);
        if fold {
            self.out.push(')');
        }
    }

    /// A literal by its code, which may be a surrogate that nothing matches.
    fn literal_code(&mut self, code: u32) {
        if let Some(c) = char::from_u32(code) { self.literal(c) } else {
            self.begin_atom();
            self.out.push_str("[a&&b]");
        }
    }

    fn open_group(&mut self, text: &str) -> Result<(), String> {
        if self.open.len() as u32 >= DEPTH_LIMIT {
            return Err(fault("expression nests too deeply", self.whole));
        }
        let start = self.out.len();
        self.open.push(Open { start, flags: self.flags, size: self.size, product: self.product });
        (self.size, self.product) = (0, 1);
        self.out.push_str(text);
        self.atom = None;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), String> {
        let open = self.open.pop().ok_or_else(|| fault("unexpected )", self.whole))?;
        self.out.push(')');
        self.flags = open.flags;
        self.atom = Some(Atom { start: open.start, size: self.size + 1, product: self.product });
        self.size = open.size + self.size + 1;
        self.product = open.product.max(self.product);
        Ok(())
    }

    fn repeat(
        &mut self,
        written: &str,
        (low, high): (u64, Option<u64>),
        counted: bool,
        mut after: &'p str,
        last_repeat: Option<&str>,
    ) -> Result<(), String> {
        let before = self.rest;
        let mut lazy = self.flags.lazy;
        if let Some(rest) = after.strip_prefix('?') {
            after = rest;
            lazy = !lazy;
        }
        if let Some(last) = last_repeat {
            return Err(fault("invalid nested repetition operator", &last[..last.len() - after.len()]));
        }
        let mention = &before[..before.len() - after.len()];
        let Some(mut atom) = self.atom else { return Err(fault("missing argument to repetition operator", mention)) };
        if counted {
            atom.product *= high.unwrap_or(low.max(1));
            if (low >= 2 || high.is_some_and(|high| high >= 2)) && atom.product > REPEAT_LIMIT {
                return Err(fault("invalid repeat count", mention));
            }
        }
        let grown = atom.size.saturating_mul(high.unwrap_or(low).max(1)).saturating_add(1);
        self.size = self.size.saturating_add(grown - atom.size);
        if self.size > SIZE_LIMIT {
            return Err(fault("expression too large", self.whole));
        }
        self.product = self.product.max(atom.product);
        self.out.insert_str(atom.start, "(?:");
        self.out.push(')');
        self.out.push_str(written);
        if lazy {
            self.out.push('?');
        }
        self.atom = Some(Atom { size: grown, ..atom });
        self.rest = after;
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?:`, `(?i)`, `(?i-s:` and their like.
    fn perl_group(&mut self) -> Result<(), String> {
        let text = self.rest;
        let long = text.len() > 4 && text.starts_with("(?P<");
        if long || text.len() > 3 && text.starts_with("(?<") {
            let Some(end) = text.find('>') else { return Err(fault("invalid named capture", text)) };
            let name = &text[if long { 4 } else { 3 }..end];
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(fault("invalid named capture", &text[..=end]));
            }
            self.names.push(name.to_owned());
            self.open_group("(")?;
            self.rest = &text[end + 1..];
            return Ok(());
        }
        let (mut flags, mut on, mut seen) = (self.flags, true, false);
        let mut chars = text[2..].char_indices();
        for (at, c) in chars.by_ref() {
            let slot = match c {
                'i' => &mut flags.fold,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.lazy,
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    self.rest = &text[2 + at + 1..];
                    if c == ':' {
                        self.open_group("(?:")?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            (*slot, seen) = (on, true);
        }
        let mention = &text[..text.len() - chars.as_str().len()];
        Err(fault("invalid or unsupported Perl syntax", mention))
    }

    fn escape(&mut self) -> Result<(), String> {
        let text = self.rest;
        match text.as_bytes().get(1) {
            Some(b'A') => self.fixed("\\A", 2),
            Some(b'b') => self.fixed("(?-u:\\b)", 2),
            Some(b'B') => self.fixed("(?-u:\\B)", 2),
            Some(b'C') => return Err(fault("invalid escape sequence", "\\C")),
            Some(b'z') => self.fixed("\\z", 2),
            Some(b'Q') => {
                let quoted = &text[2..];
                let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                quoted.chars().for_each(|c| self.literal(c));
                self.rest = rest;
            }
            Some(b'p' | b'P') => {
                let (inside, rest) = unicode_class(text)?;
                self.begin_atom();
                self.push_class(&inside, false);
                self.rest = rest;
            }
            Some(letter) if class::perl(*letter).is_some() => {
                let (inside, negated) = class::perl(*letter).expect("just asked");
                self.begin_atom();
                self.push_class(inside, negated);
                self.rest = &text[2..];
            }
            _ => {
                let (code, rest) = escaped_code(text)?;
                self.literal_code(code);
                self.rest = rest;
            }
        }
        Ok(())
    }

    fn push_class(&mut self, inside: &str, negated: bool) {
        if self.flags.fold {
            self.out.push_str("(?i:");
        }
        match (inside.is_empty(), negated) {
            // Nothing but surrogates.
            (true, false) => self.out.push_str("[a&&b]"),
            (true, true) => self.out.push_str("(?s:.)"),
            _ => {
                self.out.push_str(if negated { "[^" } else { "[" });
                self.out.push_str(inside);
                self.out.push(']');
            }
        }
        if self.flags.fold {
            self.out.push(')');
        }
    }

    fn class(&mut self) -> Result<(), String> {
        let whole = self.rest;
        let mut text = &whole[1..];
        let negated = text.starts_with('^');
        text = text.strip_prefix('^').unwrap_or(text);
        let mut inside = String::new();
        let mut first = true;
        while first || !text.starts_with(']') {
            first = false;
            if text.len() > 2
                && let Some(name) = text.strip_prefix("[:")
                && let Some(end) = name.find(":]")
            {
                let (class, not) = class::posix(&name[..end])
                    .ok_or_else(|| fault("invalid character class range", &text[..end + 4]))?;
                push_nested(&mut inside, class, not);
                text = &name[end + 2..];
                continue;
            }
            if text.starts_with("\\p") || text.starts_with("\\P") {
                let (class, rest) = unicode_class(text)?;
                inside.push_str(&class);
                text = rest;
                continue;
            }
            if text.starts_with('\\')
                && let Some((class, not)) = text.as_bytes().get(1).and_then(|letter| class::perl(*letter))
            {
                push_nested(&mut inside, class, not);
                text = &text[2..];
                continue;
            }
            text = class_range(&mut inside, text, whole)?;
        }
        self.begin_atom();
        self.push_class(&inside, negated);
        self.rest = &text[1..];
        Ok(())
    }
}

fn push_nested(inside: &mut String, class: &str, negated: bool) {
    inside.push_str(if negated { "[^" } else { "[" });
    inside.push_str(class);
    inside.push(']');
}

/// One character or range of a class; returns what follows it.
fn class_range<'p>(inside: &mut String, text: &'p str, whole: &str) -> Result<&'p str, String> {
    let (low, mut rest) = class_char(text, whole)?;
    let mut high = low;
    if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
        (high, rest) = class_char(&rest[1..], whole)?;
        if high < low {
            return Err(fault("invalid character class range", &text[..text.len() - rest.len()]));
        }
    }
    let low = if (0xd800..0xe000).contains(&low) { 0xe000 } else { low };
    let high = if (0xd800..0xe000).contains(&high) { 0xd7ff } else { high };
    if low <= high {
        write!(inside, "\\x{{{low:X}}}-\\x{{{high:X}}}").expect("a string takes all that is written");
    }
    Ok(rest)
}

fn class_char<'p>(text: &'p str, whole: &str) -> Result<(u32, &'p str), String> {
    match text.chars().next() {
        None => Err(fault("missing closing ]", whole)),
        Some('\\') => escaped_code(text),
        Some(c) => Ok((u32::from(c), &text[c.len_utf8()..])),
    }
}

/// `{2}`, `{2,}` or `{2,5}` and what follows; `None` where the brace is a literal. Numbers too big to hold come back as the largest.
fn counts(text: &str) -> Option<(u64, Option<u64>, &str)> {
    let (low, rest) = integer(&text[1..])?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((low, Some(low), rest));
    }
    let rest = rest.strip_prefix(',')?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((low, None, rest));
    }
    let (high, rest) = integer(rest)?;
    Some((low, Some(high), rest.strip_prefix('}')?))
}

fn integer(text: &str) -> Option<(u64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().unwrap_or(u64::MAX), rest))
}

/// `\pN`, `\p{Greek}`, `\P{^Greek}` at the start of the text, as the inside of a class, and what follows.
fn unicode_class(text: &str) -> Result<(String, &str), String> {
    let mut negated = text.starts_with("\\P");
    let bad = |mention: &str| fault("invalid character class range", mention);
    let after = &text[2..];
    let (mut name, length) = if after.starts_with('{') {
        let end = text.find('}').ok_or_else(|| bad(text))?;
        (&text[3..end], end + 1)
    } else {
        let first = after.chars().next().ok_or_else(|| fault("invalid UTF-8", ""))?;
        (&after[..first.len_utf8()], 2 + first.len_utf8())
    };
    if let Some(rest) = name.strip_prefix('^') {
        negated = !negated;
        name = rest;
    }
    let inside = class::unicode(name).ok_or_else(|| bad(&text[..length]))?;
    let written = if negated { format!("[^{inside}]") } else { format!("[{inside}]") };
    Ok((written, &text[length..]))
}

/// An escaped single character at the start of the text, and what follows.
fn escaped_code(text: &str) -> Result<(u32, &str), String> {
    let mut chars = text[1..].chars();
    let Some(c) = chars.next() else { return Err(fault("trailing backslash at end of expression", "")) };
    let invalid = |rest: &str| Err(fault("invalid escape sequence", &text[..text.len() - rest.len()]));
    let rest = chars.as_str();
    let octal = |at: usize| rest.as_bytes().get(at).filter(|byte| matches!(byte, b'0'..=b'7'));
    let code = match c {
        '1'..='7' if octal(0).is_none() => return invalid(rest),
        '0'..='7' => {
            let more = (0..2).take_while(|at| octal(*at).is_some()).count();
            let code = rest[..more].bytes().fold(u32::from(c) - 48, |code, digit| code * 8 + u32::from(digit - b'0'));
            return Ok((code, &rest[more..]));
        }
        'x' => return hex_code(text, rest),
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => u32::from(c),
        _ => return invalid(rest),
    };
    Ok((code, rest))
}

/// `\x7F` or `\x{10FFFF}`; `rest` follows the `x`.
fn hex_code<'p>(text: &str, rest: &'p str) -> Result<(u32, &'p str), String> {
    let invalid = |rest: &str| Err(fault("invalid escape sequence", &text[..text.len() - rest.len()]));
    let mut chars = rest.chars();
    if let Some(digits) = rest.strip_prefix('{') {
        let (mut code, mut some) = (0u32, false);
        let mut chars = digits.chars();
        while let Some(c) = chars.next() {
            match c.to_digit(16) {
                _ if c == '}' && some => return Ok((code, chars.as_str())),
                Some(digit) if code * 16 + digit <= 0x10_ffff => (code, some) = (code * 16 + digit, true),
                _ => return invalid(chars.as_str()),
            }
        }
        return invalid("");
    }
    let first = chars.next();
    if first.is_none() {
        return invalid("");
    }
    // Go reads a second character before it judges the first; at the end of the pattern that is its "invalid UTF-8".
    let second = chars.next().ok_or_else(|| fault("invalid UTF-8", ""))?;
    match (first.and_then(|c| c.to_digit(16)), second.to_digit(16)) {
        (Some(high), Some(low)) => Ok((high * 16 + low, chars.as_str())),
        _ => invalid(chars.as_str()),
    }
}
