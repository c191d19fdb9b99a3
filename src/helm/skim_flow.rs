//! Values that templates print as JSON on one line (`toJson`), within what [`skim`](super::skim) passes over.
//!
//! In: a line from a bracket on. Out: how far its bracket reaches, and the fields of a map. JSON that is strict, no deeper than the limit and
//! without the rarer escapes is YAML that reads the same; anything else is for the full reader.

use super::skim::{DEPTH_MAX, KEY_MAX};

/// The length of the JSON list or map that a text begins with.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    Json { text, at: 0 }.value(0)
}

/// The fields of a JSON map: keys without quotes, values as they are written. Nothing where a key has an escape.
pub(super) fn fields(map: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut json = Json { text: map, at: 1 };
    let mut fields = Vec::new();
    json.blanks();
    if json.next_is(b'}') {
        return Some(fields);
    }
    loop {
        let start = json.at;
        json.string()?;
        let key = &map[start + 1..json.at - 1];
        json.colon()?;
        let start = json.at;
        json.value(1)?;
        fields.push((key, &map[start..json.at]));
        if key.contains(&b'\\') {
            return None;
        }
        json.blanks();
        if !json.next_is(b',') {
            return Some(fields);
        }
        json.blanks();
    }
}

struct Json<'t> {
    text: &'t [u8],
    at: usize,
}

impl Json<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Passes a value; gives the place behind it.
    fn value(&mut self, depth: usize) -> Option<usize> {
        match self.peek()? {
            b'"' => self.string()?,
            open @ (b'[' | b'{') if depth < DEPTH_MAX => self.inside(open, depth + 1)?,
            _ => self.word()?,
        }
        Some(self.at)
    }

    /// Passes what is between two brackets, and these.
    fn inside(&mut self, open: u8, depth: usize) -> Option<()> {
        let close = open + 2;
        self.at += 1;
        self.blanks();
        if self.next_is(close) {
            return Some(());
        }
        loop {
            if open == b'{' {
                let start = self.at;
                self.string()?;
                if self.at - start > KEY_MAX {
                    return None;
                }
                self.colon()?;
            }
            self.value(depth)?;
            self.blanks();
            if self.next_is(close) {
                return Some(());
            }
            self.next_is(b',').then_some(())?;
            self.blanks();
        }
    }

    fn colon(&mut self) -> Option<()> {
        self.next_is(b':').then_some(())?;
        self.blanks();
        Some(())
    }

    /// Passes a text in quotes.
    fn string(&mut self) -> Option<()> {
        self.next_is(b'"').then_some(())?;
        loop {
            self.at += memchr::memchr2(b'"', b'\\', self.text.get(self.at..)?)?;
            if self.next_is(b'"') {
                return Some(());
            }
            match *self.text.get(self.at + 1)? {
                b'"' | b'\\' | b'n' | b't' | b'r' | b'b' | b'f' => self.at += 2,
                // not one half of a pair, which YAML does not put together
                b'u' => {
                    let digits = self.text.get(self.at + 2..self.at + 6)?;
                    (digits.iter().all(u8::is_ascii_hexdigit) && !digits[0].eq_ignore_ascii_case(&b'd')).then_some(())?;
                    self.at += 6;
                }
                _ => return None,
            }
        }
    }

    /// Passes a number, or one of the three words.
    fn word(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')))?;
        let word = &rest[..length];
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        let number = digits.first().is_some_and(u8::is_ascii_digit)
            && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
        (number || matches!(word, b"true" | b"false" | b"null")).then(|| self.at += length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_reaches_to_its_other() {
        for (text, wanted) in [
            (r#"{"a":[1,-2.5e+3,{"b":"}\"\u0026"}], "c": null} # x"#, Some(46)),
            ("[ ]]", Some(3)),
            ("{}", Some(2)),
            (r#"{"a":"\ud83d\ude00"}"#, None),
            (r#"{"a": .5}"#, None),
            (r#"{"a" : 1}"#, None),
            ("{a: 1}", None),
            (r#"{"a":1,}"#, None),
            (r#"["open"#, None),
            ("[1", None),
        ] {
            assert_eq!(length(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!(length("[".repeat(DEPTH_MAX + 1).as_bytes()), None);
    }

    #[test]
    fn fields_are_as_they_are_written() {
        let found = fields(br#"{"name": "a b","x":{"y":[1]}}"#).expect("fields");
        assert_eq!(found, [(&b"name"[..], &br#""a b""#[..]), (b"x", br#"{"y":[1]}"#)]);
        assert_eq!(fields(b"{ }"), Some(Vec::new()));
        assert_eq!(fields(br#"{"a\"b":1}"#), None);
    }
}
