//! Go's `regexp`: patterns in RE2 syntax, Go's error texts, Go's replacement templates and its rules for empty matches.
//!
//! In: a pattern and texts of any bytes. Out: [`Regex`]. A pattern is parsed by [`parse`](parse::translate) alone, which accepts
//! what Go accepts and writes it anew, without ambiguity, for the `regex` crate; no user's text reaches that crate as it is.
//! Both engines match leftmost-first. A byte that is no UTF-8 counts as U+FFFD, as in Go.

mod class;
mod parse;
mod template;

use crate::go::strconv::{can_backquote, quote_bytes};

/// Memory a compiled pattern may take, in bytes; Go's own bound on the parsed form is of the same order.
const COMPILED_SIZE_LIMIT: usize = 16 << 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Regex {
    inner: regex::Regex,
    /// Go takes any word for a group's name, twice even; so the groups have no names inside.
    names: Vec<String>,
}

/// A text as characters, with the way back to its bytes where it held some that are no UTF-8.
struct Subject<'t> {
    bytes: &'t [u8],
    text: std::borrow::Cow<'t, str>,
    /// For each byte of `text` (and its end) the matching offset in `bytes`; empty when they are the same.
    offsets: Vec<usize>,
}

impl<'t> Subject<'t> {
    fn new(bytes: &'t [u8]) -> Subject<'t> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Subject { bytes, text: text.into(), offsets: Vec::new() };
        }
        let (mut text, mut offsets, mut at) = (String::new(), Vec::new(), 0);
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            offsets.extend(at..at + chunk.valid().len());
            at += chunk.valid().len();
            for _ in chunk.invalid() {
                text.push('\u{fffd}');
                offsets.extend([at; 3]);
                at += 1;
            }
        }
        offsets.push(at);
        Subject { bytes, text: text.into(), offsets }
    }

    fn at(&self, offset: usize) -> usize {
        if self.offsets.is_empty() { offset } else { self.offsets[offset] }
    }

    fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        &self.bytes[self.at(start)..self.at(end)]
    }
}

/// The pattern in the syntax of the `regex` crate, for libraries that compile patterns themselves; the error is Go's text.
pub fn translate(pattern: &[u8]) -> Result<String, String> {
    parse::translate(pattern).map(|translated| translated.pattern)
}

impl Regex {
    /// `regexp.Compile`; the error is Go's text (`error parsing regexp: missing closing ]: …`).
    pub fn new(pattern: &[u8]) -> Result<Regex, String> {
        let translated = parse::translate(pattern)?;
        let built = regex::RegexBuilder::new(&translated.pattern)
            .size_limit(COMPILED_SIZE_LIMIT)
            .nest_limit(parse::DEPTH_LIMIT * 4)
            .build();
        let inner = built.map_err(|_| parse::fault("expression too large", &String::from_utf8_lossy(pattern)))?;
        Ok(Regex { inner, names: translated.names })
    }

    /// The text of `regexp.MustCompile`'s panic, for an error of [`Regex::new`].
    pub fn must_fault(pattern: &[u8], fault: &str) -> String {
        let shown = if can_backquote(pattern) {
            format!("`{}`", String::from_utf8_lossy(pattern))
        } else {
            quote_bytes(pattern)
        };
        format!("regexp: Compile({shown}): {fault}")
    }

    /// `MatchString`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.inner.is_match(&Subject::new(text).text)
    }

    /// `FindString`: the leftmost match, or nothing.
    pub fn find<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let subject = Subject::new(text);
        self.inner.find(&subject.text).map_or(b"", |found| subject.slice(found.start(), found.end()))
    }

    /// `FindAllString`: at most `limit` matches, all of them when it is negative; an empty match next to another is none.
    pub fn find_all<'t>(&self, text: &'t [u8], limit: i64) -> Vec<&'t [u8]> {
        let subject = Subject::new(text);
        let all = self.spans(&subject.text);
        all.into_iter().take(count(limit)).map(|(start, end)| subject.slice(start, end)).collect()
    }

    /// The spans of all matches. Go lets no empty match touch the end of the match before it; nor does the `regex` crate.
    fn spans(&self, text: &str) -> Vec<(usize, usize)> {
        self.inner.find_iter(text).map(|found| (found.start(), found.end())).collect()
    }

    /// `ReplaceAllString`: `$1`, `$name` and `${name}` stand for groups, a name being as long as it can.
    pub fn replace_all(&self, text: &[u8], template: &[u8]) -> Vec<u8> {
        let subject = Subject::new(text);
        let (mut out, mut last) = (Vec::with_capacity(text.len()), 0);
        for groups in self.inner.captures_iter(&subject.text) {
            let whole = groups.get(0).expect("group 0 is the match");
            out.extend_from_slice(subject.slice(last, whole.start()));
            template::expand(&mut out, template, |group| {
                let found = match group {
                    template::Group::Number(number) => groups.get(number),
                    template::Group::Name(name) => self.named(name).find_map(|index| groups.get(index)),
                };
                found.map_or(b"", |found| subject.slice(found.start(), found.end()))
            });
            last = whole.end();
        }
        out.extend_from_slice(subject.slice(last, subject.text.len()));
        out
    }

    /// The groups of a name, leftmost first.
    fn named<'r>(&'r self, name: &'r str) -> impl Iterator<Item = usize> + 'r {
        self.names.iter().enumerate().filter(move |(_, own)| *own == name).map(|(index, _)| index)
    }

    /// `ReplaceAllLiteralString`.
    pub fn replace_all_literal(&self, text: &[u8], replacement: &[u8]) -> Vec<u8> {
        let subject = Subject::new(text);
        let (mut out, mut last) = (Vec::with_capacity(text.len()), 0);
        for (start, end) in self.spans(&subject.text) {
            out.extend_from_slice(subject.slice(last, start));
            out.extend_from_slice(replacement);
            last = end;
        }
        out.extend_from_slice(subject.slice(last, subject.text.len()));
        out
    }

    /// `Split`: at most `limit` pieces, all when it is negative, `None` (a nil slice) when it is 0.
    pub fn split<'t>(&self, text: &'t [u8], limit: i64) -> Option<Vec<&'t [u8]>> {
        if limit == 0 {
            return None;
        }
        if text.is_empty() && !self.inner.as_str().is_empty() {
            return Some(vec![b""]);
        }
        let subject = Subject::new(text);
        let (mut out, mut start, mut end) = (Vec::new(), 0, 0);
        for (from, to) in self.spans(&subject.text).into_iter().take(count(limit)) {
            if out.len() + 1 >= count(limit) {
                break;
            }
            end = from;
            if to != 0 {
                out.push(subject.slice(start, end));
            }
            start = to;
        }
        if end != subject.text.len() {
            out.push(subject.slice(start, subject.text.len()));
        }
        Some(out)
    }
}

fn count(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// `regexp.QuoteMeta`.
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if b"\\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &str, text: &[u8]) -> Vec<String> {
        let regex = Regex::new(pattern.as_bytes()).unwrap();
        regex.find_all(text, -1).into_iter().map(|found| String::from_utf8_lossy(found).into_owned()).collect()
    }

    #[test]
    fn what_rust_reads_otherwise_is_read_as_go_reads_it() {
        assert_eq!(all(r"\d", "1٣".as_bytes()), ["1"]);
        assert_eq!(all("[a-z&&b]+", b"b&z"), ["b&z"]);
        assert_eq!(all("[a[b]]", b"[]"), ["[]"]);
        assert_eq!(all(r"\Qa.b\E+", b"a.bbb a+b"), ["a.bbb"]);
        assert_eq!(all("a{,2}", b"aa{,2}"), ["a{,2}"]);
        assert_eq!(all("{", b"a{b"), ["{"]);
        assert_eq!(all(r"\bé", "é".as_bytes()), Vec::<String>::new());
        assert_eq!(all("(?U)a+", b"aaa"), ["a", "a", "a"]);
        assert_eq!(all("(?i)k", "K\u{212a}".as_bytes()), ["K", "\u{212a}"]);
        assert_eq!(all("a#b c", b"a#b c"), ["a#b c"]);
        assert_eq!(all("[[:^alpha:]]", b"a1"), ["1"]);
        assert_eq!(all(r"[^\S]", b"a b"), [" "]);
        assert_eq!(all(r"\pN\p{^L}\p{lowercase_letter}", "٣1a".as_bytes()), ["٣1a"]);
        assert_eq!(all("(?m)^b$", b"a\nb\nc"), ["b"]);
        assert_eq!(all(".", b"\xffa").len(), 2);
    }

    #[test]
    fn pieces_and_replacements_follow_go() {
        let split = |pattern: &str, text: &str, limit| {
            let regex = Regex::new(pattern.as_bytes()).unwrap();
            let pieces = regex.split(text.as_bytes(), limit)?;
            Some(pieces.into_iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect::<Vec<_>>().join("|"))
        };
        assert_eq!(split("a", "banana", -1).unwrap(), "b|n|n|");
        assert_eq!(split("a", "banana", 2).unwrap(), "b|nana");
        assert_eq!(split("", "abc", -1).unwrap(), "a|b|c");
        assert_eq!(split("x*", "axbxc", -1).unwrap(), "a|b|c");
        assert_eq!(split("a", "b", 0), None);
        let regex = Regex::new(b"(?P<x>a)(b)?").unwrap();
        assert_eq!(regex.replace_all(b"ab-a", b"<$x$2>$1W${1}W$$"), b"<ab>aW$-<a>aW$");
        assert_eq!(regex.replace_all_literal(b"ab-a", b"$1"), b"$1-$1");
        assert_eq!(Regex::new(b"").unwrap().replace_all("é".as_bytes(), b"-"), "-é-".as_bytes());
        assert_eq!(quote_meta(b"a.b"), b"a\\.b");
    }

    #[test]
    fn what_go_refuses_is_refused_in_gos_words() {
        for (pattern, want) in [
            ("(", "missing closing ): `(`"),
            ("a)", "unexpected ): `a)`"),
            ("[a", "missing closing ]: `[a`"),
            ("x**", "invalid nested repetition operator: `**`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("(a{100}){11}", "invalid repeat count: `{11}`"),
            ("[a--b]", "invalid character class range: `a--`"),
            ("\\C", "invalid escape sequence: `\\C`"),
            ("\\Z", "invalid escape sequence: `\\Z`"),
            ("\\1", "invalid escape sequence: `\\1`"),
            ("a\\", "trailing backslash at end of expression: ``"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?P<a", "invalid named capture: `(?P<a`"),
            ("\\p{Klingon}", "invalid character class range: `\\p{Klingon}`"),
            ("[[:word2:]]", "invalid character class range: `[:word2:]`"),
        ] {
            let fault = Regex::new(pattern.as_bytes()).unwrap_err();
            assert_eq!(fault, format!("error parsing regexp: {want}"), "{pattern}");
        }
        assert_eq!(Regex::new(b"\xff").unwrap_err(), "error parsing regexp: invalid UTF-8: `\u{fffd}`");
        let deep = "(".repeat(2000) + &")".repeat(2000);
        assert!(Regex::new(deep.as_bytes()).unwrap_err().contains("nests too deeply"));
        assert!(Regex::new("(\\pL{1000}|".repeat(100).as_bytes()).is_err());
        assert_eq!(Regex::must_fault(b"(`", "x"), "regexp: Compile(\"(`\"): x");
    }
}
