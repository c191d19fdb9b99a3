//! Reading JSON, with Go's faults.

use std::borrow::Cow;
use std::fmt;

/// How deep lists and maps may nest (`encoding/json`'s `maxNestingDepth`).
pub const NESTING_MAX: usize = 10_000;

/// Receives what a text holds, in order. Keys of a map come as they stand, twice if they stand twice.
pub trait Visit {
    /// `null`.
    fn null(&mut self);
    /// `true` or `false`.
    fn bool(&mut self, value: bool);
    /// A number, as it is written; what it becomes is the visitor's choice.
    fn number(&mut self, text: &str);
    /// A string, unescaped.
    fn str(&mut self, text: Cow<'_, str>);
    /// A list begins.
    fn list_start(&mut self);
    /// A list ends.
    fn list_end(&mut self);
    /// A map begins.
    fn map_start(&mut self);
    /// A key; its value is the next event.
    fn key(&mut self, key: Cow<'_, str>);
    /// A map ends.
    fn map_end(&mut self);
}

/// A fault in a text; shows itself in Go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset in bytes of the character that does not fit.
    pub place: usize,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value or `]`.
    ValueOrEnd,
    Key,
    /// A key or `}`.
    KeyOrEnd,
    /// `,` or the end of the collection.
    Next,
}

struct Reader<'t> {
    text: &'t str,
    place: usize,
    /// True for each open map, false for each open list.
    open: Vec<bool>,
}

/// Reads one value; nothing but white space may follow it.
///
/// The visitor is called while the text is read, so a fault may come after events: drop them.
pub fn read(text: &str, visitor: &mut impl Visit) -> Result<(), Fault> {
    let mut reader = Reader { text, place: 0, open: Vec::new() };
    let mut expect = Expect::Value;
    loop {
        reader.skip_space();
        expect = match expect {
            Expect::Value | Expect::ValueOrEnd => reader.value(expect == Expect::ValueOrEnd, visitor)?,
            Expect::Key | Expect::KeyOrEnd => reader.key(expect == Expect::KeyOrEnd, visitor)?,
            Expect::Next if reader.open.is_empty() => {
                return if reader.place == text.len() { Ok(()) } else { Err(reader.unexpected("after top-level value")) };
            }
            Expect::Next => reader.next(visitor)?,
        };
    }
}

impl<'t> Reader<'t> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.place += 1;
        }
    }

    #[cold]
    fn unexpected(&self, context: &str) -> Fault {
        let message = match self.byte() {
            None => "unexpected end of JSON input".to_owned(),
            // Go names the whole character; a place inside one cannot come up, since faults stand at characters' starts.
            Some(0x80..) if self.text.is_char_boundary(self.place) => {
                let c = self.text[self.place..].chars().next().unwrap_or_default();
                format!("invalid character {} {context}", crate::go::strconv::quote_char(c))
            }
            Some(byte) => format!("invalid character {} {context}", quote(byte)),
        };
        Fault { place: self.place, message }
    }

    fn value(&mut self, or_end: bool, visitor: &mut impl Visit) -> Result<Expect, Fault> {
        match self.byte() {
            Some(b'{') => {
                self.push(true)?;
                visitor.map_start();
                return Ok(Expect::KeyOrEnd);
            }
            Some(b'[') => {
                self.push(false)?;
                visitor.list_start();
                return Ok(Expect::ValueOrEnd);
            }
            Some(b']') if or_end => {
                self.place += 1;
                self.open.pop();
                visitor.list_end();
            }
            Some(b'"') => {
                let text = self.string()?;
                visitor.str(text);
            }
            Some(b't') => {
                self.word("true")?;
                visitor.bool(true);
            }
            Some(b'f') => {
                self.word("false")?;
                visitor.bool(false);
            }
            Some(b'n') => {
                self.word("null")?;
                visitor.null();
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                visitor.number(number);
            }
            _ => return Err(self.unexpected("looking for beginning of value")),
        }
        Ok(Expect::Next)
    }

    fn push(&mut self, map: bool) -> Result<(), Fault> {
        self.open.push(map);
        if self.open.len() > NESTING_MAX {
            return Err(Fault { place: self.place, message: "exceeded max depth".to_owned() });
        }
        self.place += 1;
        Ok(())
    }

    fn key(&mut self, or_end: bool, visitor: &mut impl Visit) -> Result<Expect, Fault> {
        match self.byte() {
            Some(b'}') if or_end => {
                self.place += 1;
                self.open.pop();
                visitor.map_end();
                Ok(Expect::Next)
            }
            Some(b'"') => {
                let key = self.string()?;
                visitor.key(key);
                self.skip_space();
                if self.byte() != Some(b':') {
                    return Err(self.unexpected("after object key"));
                }
                self.place += 1;
                Ok(Expect::Value)
            }
            _ => Err(self.unexpected("looking for beginning of object key string")),
        }
    }

    fn next(&mut self, visitor: &mut impl Visit) -> Result<Expect, Fault> {
        let map = self.open.last() == Some(&true);
        match (self.byte(), map) {
            (Some(b','), _) => {
                self.place += 1;
                Ok(if map { Expect::Key } else { Expect::Value })
            }
            (Some(b'}'), true) => {
                self.place += 1;
                self.open.pop();
                visitor.map_end();
                Ok(Expect::Next)
            }
            (Some(b']'), false) => {
                self.place += 1;
                self.open.pop();
                visitor.list_end();
                Ok(Expect::Next)
            }
            (_, true) => Err(self.unexpected("after object key:value pair")),
            (_, false) => Err(self.unexpected("after array element")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        for expected in word.chars() {
            if self.byte() != Some(expected as u8) {
                return Err(self.unexpected(&format!("in literal {word} (expecting {})", quote(expected as u8))));
            }
            self.place += 1;
        }
        Ok(())
    }

    fn digits(&mut self, context: &str) -> Result<(), Fault> {
        if !self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.place += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'t str, Fault> {
        let begin = self.place;
        if self.byte() == Some(b'-') {
            self.place += 1;
        }
        if self.byte() == Some(b'0') {
            self.place += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.byte() == Some(b'.') {
            self.place += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.place += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.place += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(&self.text[begin..self.place])
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Fault> {
        self.place += 1;
        let begin = self.place;
        let mut done = begin;
        let mut unescaped: Option<String> = None;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let out = unescaped.get_or_insert_with(String::new);
                    out.push_str(&self.text[done..self.place]);
                    let character = self.escape()?;
                    if let Some(out) = &mut unescaped {
                        out.push(character);
                    }
                    done = self.place;
                }
                None | Some(0..0x20) => return Err(self.unexpected("in string literal")),
                Some(_) => self.place += 1,
            }
        }
        let rest = &self.text[done..self.place];
        self.place += 1;
        Ok(match unescaped {
            None => Cow::Borrowed(rest),
            Some(mut out) => {
                out.push_str(rest);
                Cow::Owned(out)
            }
        })
    }

    /// The character of the escape at the backslash here; a lone surrogate is U+FFFD.
    fn escape(&mut self) -> Result<char, Fault> {
        self.place += 1;
        let character = match self.byte() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.place += 1;
                return self.unicode();
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.place += 1;
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.four_digits()?;
        if (0xD800..0xDC00).contains(&first) && self.text[self.place..].starts_with("\\u") {
            let before = self.place;
            self.place += 2;
            let second = self.four_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // not a pair: the second escape stands for itself
            self.place = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            value = value << 4 | digit;
            self.place += 1;
        }
        Ok(value)
    }
}

/// A byte as Go's scanner shows it: in single quotes, read as Latin-1.
fn quote(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0x07 => "'\\a'".to_owned(),
        0x08 => "'\\b'".to_owned(),
        0x0B => "'\\v'".to_owned(),
        0x0C => "'\\f'".to_owned(),
        0..0x20 | 0x7F => format!("'\\x{byte:02x}'"),
        0x80..=0xA0 | 0xAD => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Trace(String);

    impl Visit for Trace {
        fn null(&mut self) {
            self.0.push_str("null ");
        }
        fn bool(&mut self, value: bool) {
            self.0.push_str(&format!("{value} "));
        }
        fn number(&mut self, text: &str) {
            self.0.push_str(&format!("#{text} "));
        }
        fn str(&mut self, text: Cow<'_, str>) {
            self.0.push_str(&format!("{text:?} "));
        }
        fn list_start(&mut self) {
            self.0.push_str("[ ");
        }
        fn list_end(&mut self) {
            self.0.push_str("] ");
        }
        fn map_start(&mut self) {
            self.0.push_str("{ ");
        }
        fn key(&mut self, key: Cow<'_, str>) {
            self.0.push_str(&format!("{key}: "));
        }
        fn map_end(&mut self) {
            self.0.push_str("} ");
        }
    }

    #[test]
    fn values_are_visited_in_order() {
        let mut trace = Trace::default();
        let text = r#" {"a":[1,-0.5e+3,true,null],"b":"\u00e9\ud83d\ude00\ud800x\n","c":{},"d":[]} "#;
        read(text, &mut trace).expect("the text is good");
        assert_eq!(trace.0, "{ a: [ #1 #-0.5e+3 true null ] b: \"é😀\u{FFFD}x\\n\" c: { } d: [ ] } ");
    }

    #[test]
    fn faults_have_the_words_of_go() {
        let cases = [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("plain", "invalid character 'p' looking for beginning of value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("1 2", "invalid character '2' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("trux", "invalid character 'x' in literal true (expecting 'e')"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("é", "invalid character 'é' looking for beginning of value"),
        ];
        for (text, want) in cases {
            let fault = read(text, &mut Trace::default()).expect_err("the text is bad");
            assert_eq!(fault.to_string(), want, "{text}");
        }
    }

    #[test]
    fn nesting_is_limited() {
        let deep = "[".repeat(NESTING_MAX + 1);
        let fault = read(&deep, &mut Trace::default()).expect_err("too deep");
        assert_eq!(fault.to_string(), "exceeded max depth");
        let fits = "[".repeat(NESTING_MAX) + &"]".repeat(NESTING_MAX);
        assert!(read(&fits, &mut Trace::default()).is_ok());
    }
}
