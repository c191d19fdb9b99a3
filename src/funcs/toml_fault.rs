//! What the TOML parser gives that Go's gives otherwise: dates as times, and the wording of faults.

use super::times::instant;
use crate::go::strconv::{quote, quote_char};
use crate::go::time::{Time, Zone};
use crate::gotmpl::Val;

/// A TOML date or time as Go's `time.Time`; local ones are in zones that BurntSushi/toml makes up for them.
pub(super) fn datetime(value: &toml::value::Datetime) -> Val {
    let text = value.to_string();
    let layouts: [(&[u8], &str); 4] = [
        (b"2006-01-02T15:04:05Z07:00", ""),
        (b"2006-01-02T15:04:05", "datetime-local"),
        (b"2006-01-02", "date-local"),
        (b"15:04:05", "time-local"),
    ];
    let read = |(layout, zone): &(&[u8], &str)| {
        let time = Time::parse(layout, text.as_bytes()).ok()?;
        Some(if zone.is_empty() { time } else { Time { zone: Zone::Fixed((*zone).to_owned(), 0), ..time } })
    };
    instant(layouts.iter().find_map(read).unwrap_or_else(Time::zero))
}

/// A time as BurntSushi/toml prints it: local ones, known by their zones, without what they lack.
pub(super) fn printed(time: &Time) -> Result<String, String> {
    let layout: &[u8] = match &time.zone {
        Zone::Fixed(zone, _) if zone == "datetime-local" => b"2006-01-02T15:04:05.999999999",
        Zone::Fixed(zone, _) if zone == "date-local" => b"2006-01-02",
        Zone::Fixed(zone, _) if zone == "time-local" => b"15:04:05.999999999",
        _ => return time.rfc3339(),
    };
    Ok(String::from_utf8_lossy(&time.format(layout)).into_owned())
}

/// The fault in the words of BurntSushi/toml where a line's start says what is wrong; the parser's own words after Go's prefix for others.
pub(super) fn message(text: &str, fault: &toml::de::Error) -> String {
    let at = fault.span().map_or(0, |span| span.start).min(text.len());
    let before = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let mut context = Context::default();
    let mut lines = text.split('\n');
    lines.by_ref().take(before).for_each(|line| context.pass(line));
    let rest = text.split('\n').skip(before).collect::<Vec<_>>().join("\n");
    let known = known_fault(&rest, &mut context);
    let why = known.unwrap_or_else(|| fault.message().lines().next().unwrap_or_default().to_owned());
    match context.last_key() {
        Some(key) => format!("toml: line {} (last key {}): {why}", before + 1, quote(&key)),
        None => format!("toml: line {}: {why}", before + 1),
    }
}

/// The table and the key that Go's parser came to last.
#[derive(Default)]
struct Context {
    table: String,
    key: String,
}

impl Context {
    /// Takes note of a line that is in order.
    fn pass(&mut self, line: &str) {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            header.trim_matches(['[', ']', ' ']).clone_into(&mut self.table);
        }
    }

    fn last_key(&self) -> Option<String> {
        match (self.table.as_str(), self.key.as_str()) {
            ("", "") => None,
            (table, "") => Some(table.to_owned()),
            ("", key) => Some(key.to_owned()),
            (table, key) => Some(format!("{table}.{key}")),
        }
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// What is wrong at the start of the text, if it is a key, a table's name or the lack of a value.
fn known_fault(text: &str, context: &mut Context) -> Option<String> {
    let text = blanks(text);
    let in_header = text.starts_with('[');
    let mut rest = blanks(text.trim_start_matches('['));
    let keys = rest;
    loop {
        match rest.chars().next() {
            Some('"' | '\'' | '#') => return None,
            Some('=') if !in_header => return Some("unexpected '=': key name appears blank".to_owned()),
            Some('.') if !in_header => return Some("unexpected '.': keys cannot start with a '.'".to_owned()),
            _ => {}
        }
        rest = blanks(rest.trim_start_matches(is_bare));
        match rest.chars().next() {
            Some('.') => rest = blanks(&rest[1..]),
            Some(']') if in_header => return None,
            Some(c) if in_header => return Some(format!("expected '.' or ']' to end table name, but got {} instead", quote_char(c))),
            Some('=') => break,
            Some(c) => return Some(format!("expected '.' or '=', but got {} instead", quote_char(c))),
            None if in_header => return Some("expected '.' or ']' to end table name, but got '\\x00' instead".to_owned()),
            None => return Some("unexpected EOF; expected key separator '='".to_owned()),
        }
    }
    keys[..keys.len() - rest.len()].trim().clone_into(&mut context.key);
    let value = blanks(&rest[1..]);
    let word: String = value.chars().take_while(|c| is_bare(*c)).collect();
    match value.chars().next() {
        None => Some("unexpected EOF; expected value".to_owned()),
        Some(c) if c.is_ascii_alphabetic() && !matches!(&*word, "true" | "false" | "inf" | "nan") => {
            Some(format!("expected value but found {} instead", quote(&word)))
        }
        Some(c) if !c.is_ascii_alphanumeric() && !"\"'[{+-.".contains(c) => {
            Some(format!("expected value but found {} instead", quote_char(c)))
        }
        Some('"') if !value[1..].contains(['"', '\n']) => Some("unexpected EOF; expected '\"'".to_owned()),
        Some('1'..='9') => {
            let after = blanks(value.trim_start_matches(|c: char| c.is_ascii_digit()));
            let stray = after.chars().next().filter(|c| c.is_ascii_alphabetic() && after.len() + 1 < value.len() && *c != 'e')?;
            context.key.clear();
            let wanted = "expected a top-level item to end with a newline, comment, or EOF";
            Some(format!("{wanted}, but got {} instead", quote_char(stray)))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn faults_are_worded_as_upstream_words_them() {
        for (text, want) in [
            ("a", "toml: line 1: unexpected EOF; expected key separator '='"),
            ("a: 1", "toml: line 1: expected '.' or '=', but got ':' instead"),
            ("a.b+1", "toml: line 1: expected '.' or '=', but got '+' instead"),
            ("[1,2]", "toml: line 1: expected '.' or ']' to end table name, but got ',' instead"),
            ("a=", "toml: line 1 (last key \"a\"): unexpected EOF; expected value"),
            ("a = x", "toml: line 1 (last key \"a\"): expected value but found \"x\" instead"),
            ("a = 1\n[b]\nc = 2\nd e", "toml: line 4 (last key \"b\"): expected '.' or '=', but got 'e' instead"),
            ("a = 1 b", "toml: line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'b' instead"),
        ] {
            let fault = text.parse::<toml::Table>().expect_err("none of these is TOML");
            assert_eq!(message(text, &fault), want);
        }
    }
}
