//! Writing JSON.

/// Appends a string in quotes. `html` escapes `<`, `>` and `&`, as `json.Marshal` does and an encoder with
/// `SetEscapeHTML(false)` does not; U+2028 and U+2029 are escaped always.
pub fn push_str(out: &mut String, text: &str, html: bool) {
    out.push('"');
    let mut done = 0;
    for (place, byte) in text.bytes().enumerate() {
        if !is_special(byte, html) {
            continue;
        }
        if byte == 0xE2 {
            let separator = match text.as_bytes().get(place + 1..place + 3) {
                Some([0x80, 0xA8]) => "\\u2028",
                Some([0x80, 0xA9]) => "\\u2029",
                _ => continue,
            };
            out.push_str(&text[done..place]);
            out.push_str(separator);
            done = place + 3;
            continue;
        }
        out.push_str(&text[done..place]);
        push_escape(out, byte);
        done = place + 1;
    }
    out.push_str(&text[done..]);
    out.push('"');
}

#[inline]
fn is_special(byte: u8, html: bool) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0xE2 || html && matches!(byte, b'<' | b'>' | b'&')
}

fn push_escape(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        0x08 => out.push_str("\\b"),
        0x0C => out.push_str("\\f"),
        _ => {
            out.push_str("\\u00");
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// As [`push_str`] for bytes: each byte that is no UTF-8 becomes U+FFFD, as since Go 1.27; before, it was its escape.
pub fn push_bytes(out: &mut String, bytes: &[u8], html: bool) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        push_str(out, text, html);
        return;
    }
    out.push('"');
    let mut rest = bytes;
    while !rest.is_empty() {
        let good = std::str::from_utf8(rest).map_or_else(|error| error.valid_up_to(), str::len);
        let mut part = String::new();
        push_str(&mut part, std::str::from_utf8(&rest[..good]).unwrap_or_default(), html);
        out.push_str(&part[1..part.len() - 1]);
        if good < rest.len() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        rest = rest.get(good + 1..).unwrap_or_default();
    }
    out.push('"');
}

/// Writes a value event by event, compact or indented as `MarshalIndent` does.
///
/// Inside maps each value follows a [`Writer::key`].
pub struct Writer<'o> {
    out: &'o mut String,
    html: bool,
    /// Indentation of one level; nothing for compact text.
    indent: Option<&'static str>,
    depth: usize,
    /// The innermost collection has nothing yet.
    empty: bool,
    /// A key has been written and its value has not.
    after_key: bool,
}

impl<'o> Writer<'o> {
    /// A writer of compact text.
    pub fn new(out: &'o mut String) -> Writer<'o> {
        Writer { out, html: true, indent: None, depth: 0, empty: true, after_key: false }
    }

    /// Writes each entry on a line of its own, indented by `indent` for each level.
    #[must_use]
    pub fn indented(mut self, indent: &'static str) -> Writer<'o> {
        self.indent = Some(indent);
        self
    }

    /// Leaves `<`, `>` and `&` as they are.
    #[must_use]
    pub fn raw_html(mut self) -> Writer<'o> {
        self.html = false;
        self
    }

    fn line(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            for _ in 0..self.depth {
                self.out.push_str(indent);
            }
        }
    }

    fn begin(&mut self) {
        if self.after_key {
            self.after_key = false;
        } else if self.depth > 0 {
            if !self.empty {
                self.out.push(',');
            }
            self.line();
        }
        self.empty = false;
    }

    fn start(&mut self, bracket: char) {
        self.begin();
        self.out.push(bracket);
        self.depth += 1;
        self.empty = true;
    }

    fn end(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if !self.empty {
            self.line();
        }
        self.out.push(bracket);
        self.empty = false;
    }

    /// A list begins.
    pub fn list_start(&mut self) {
        self.start('[');
    }

    /// The innermost list ends.
    pub fn list_end(&mut self) {
        self.end(']');
    }

    /// A map begins.
    pub fn map_start(&mut self) {
        self.start('{');
    }

    /// The innermost map ends.
    pub fn map_end(&mut self) {
        self.end('}');
    }

    /// A key; its value is the next event.
    pub fn key(&mut self, key: &[u8]) {
        self.begin();
        push_bytes(self.out, key, self.html);
        self.out.push(':');
        if self.indent.is_some() {
            self.out.push(' ');
        }
        self.after_key = true;
    }

    /// A string.
    pub fn str(&mut self, text: &[u8]) {
        self.begin();
        push_bytes(self.out, text, self.html);
    }

    /// A value whose text is JSON already: a number, `true`, `null`.
    pub fn literal(&mut self, text: &str) {
        self.begin();
        self.out.push_str(text);
    }

    /// A float; false, and nothing written, for infinities and NaN.
    pub fn float(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        self.begin();
        crate::go::float::push_json(self.out, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_in_go() {
        let mut out = String::new();
        push_str(&mut out, "a<b>&\"\\\n\u{8}\u{c}\u{1}\u{7f}\u{2028}é😀", true);
        assert_eq!(out, "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\b\\f\\u0001\u{7f}\\u2028é😀\"");
        out.clear();
        push_str(&mut out, "<\u{2029}", false);
        assert_eq!(out, "\"<\\u2029\"");
        out.clear();
        push_bytes(&mut out, b"a\xFF\xC3b", true);
        assert_eq!(out, "\"a\u{fffd}\u{fffd}b\"");
    }

    #[test]
    fn indented_text_keeps_empty_collections_closed() {
        let mut out = String::new();
        let mut writer = Writer::new(&mut out).indented("  ");
        writer.map_start();
        writer.key(b"a");
        writer.list_start();
        writer.list_end();
        writer.key(b"b");
        writer.map_start();
        writer.key(b"c");
        assert!(writer.float(1.5));
        writer.map_end();
        writer.map_end();
        assert_eq!(out, "{\n  \"a\": [],\n  \"b\": {\n    \"c\": 1.5\n  }\n}");
    }
}
