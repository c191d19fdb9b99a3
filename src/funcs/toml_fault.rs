//! What the TOML parser gives that Go's gives otherwise: dates as times, and the wording of faults.

use super::times::instant;
use crate::go::time::Time;
use crate::gotmpl::Val;

/// A TOML date or time as Go's `time.Time`; local ones are taken for UTC.
pub(super) fn datetime(value: &toml::value::Datetime) -> Val {
    let text = value.to_string();
    let layouts: [&[u8]; 4] = [b"2006-01-02T15:04:05Z07:00", b"2006-01-02T15:04:05", b"2006-01-02", b"15:04:05"];
    let time = layouts.iter().find_map(|layout| Time::parse(layout, text.as_bytes()).ok());
    instant(time.unwrap_or_else(Time::zero))
}

/// The fault in the words of BurntSushi/toml for the commonest mistakes; the parser's own words after Go's prefix for others.
pub(super) fn message(text: &str, fault: &toml::de::Error) -> String {
    let at = fault.span().map_or(0, |span| span.start).min(text.len());
    let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    match first_key_fault(text) {
        Some(known) => known,
        None => format!("toml: line {line}: {}", fault.message().lines().next().unwrap_or_default()),
    }
}

/// A text that is no TOML at all fails at its first key, which is what charts meet: Go's words for that.
fn first_key_fault(text: &str) -> Option<String> {
    let mut line = 1;
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if let Some(next) = trimmed.strip_prefix('\n') {
            line += 1;
            rest = next;
            continue;
        }
        rest = trimmed;
        break;
    }
    let first = rest.chars().next()?;
    if matches!(first, '[' | '#' | '"' | '\'') {
        return None;
    }
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let key = &rest[..rest.find(|c| !bare(c)).unwrap_or(rest.len())];
    let after = rest[key.len()..].trim_start_matches([' ', '\t']);
    let shown = |c: char| crate::go::strconv::quote_char(c);
    Some(match (key.is_empty(), after.chars().next()) {
        (true, Some('=')) => format!("toml: line {line}: unexpected '=': key name appears blank"),
        (true, Some('.')) => format!("toml: line {line}: unexpected '.': keys cannot start with a '.'"),
        (true, Some(c)) => format!("toml: line {line}: expected '.' or '=', but got {} instead", shown(c)),
        (_, None) => format!("toml: line {line}: unexpected EOF; expected key separator '='"),
        (_, Some('=' | '.')) => return None,
        (_, Some(c)) => format!("toml: line {line}: expected '.' or '=', but got {} instead", shown(c)),
    })
}
