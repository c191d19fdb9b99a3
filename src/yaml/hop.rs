//! What a string goes through where Go prints YAML by way of JSON: it is written as JSON, read as YAML, and printed.
//!
//! In: a string or key. Out: what is left of it. Nearly all come through unharmed; a few characters that JSON leaves
//! bare are line ends or forbidden to YAML's reader.

use std::borrow::Cow;

use crate::diag::SourceText;
use crate::go::json;
use crate::value::Tree;

use super::read::SIMPLE_KEY_MAX;
use super::{Dialect, parse};

/// A string after the way through JSON, or the message of go-yaml that refuses it.
pub(super) fn string(text: &str) -> Result<Cow<'_, str>, String> {
    if !is_suspect(text) {
        return Ok(Cow::Borrowed(text));
    }
    let mut written = String::with_capacity(text.len() + 8);
    json::push_str(&mut written, text, true);
    match parse(&SourceText::new("", written), Dialect::V2) {
        Ok(Tree::Scalar(scalar)) => Ok(Cow::Owned(scalar.text.to_string())),
        Ok(_) => Ok(Cow::Borrowed(text)),
        Err(fault) => Err(fault.message),
    }
}

/// As [`string`] for a key, which must also be one to go-yaml's scanner: on one line and not too long.
pub(super) fn key(text: &str) -> Result<Cow<'_, str>, String> {
    if text.len() * 6 + 2 > SIMPLE_KEY_MAX || is_suspect(text) {
        let mut written = String::with_capacity(text.len() + 8);
        written.push('{');
        json::push_str(&mut written, text, true);
        written.push_str(":0}");
        let tree = parse(&SourceText::new("", written), Dialect::V2).map_err(|fault| fault.message)?;
        let key = tree.as_map().and_then(|map| map.iter().next().map(|(key, _)| key.to_string()));
        return Ok(key.map_or(Cow::Borrowed(text), Cow::Owned));
    }
    Ok(Cow::Borrowed(text))
}

/// True if a text has characters that JSON writes bare and YAML does not take so: DEL, the C1 controls, NEL, U+FFFE,
/// U+FFFF.
fn is_suspect(text: &str) -> bool {
    if text.is_ascii() {
        return memchr::memchr(0x7F, text.as_bytes()).is_some();
    }
    text.contains(|character| matches!(character, '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_line_ends_fold_and_controls_are_refused() {
        assert_eq!(string("a\u{85}b").as_deref(), Ok("a b"));
        assert_eq!(string("a \u{85} \u{85}b").as_deref(), Ok("a\nb"));
        assert_eq!(string("a\u{2028}\tb").as_deref(), Ok("a\u{2028}\tb"));
        assert_eq!(string("\u{7f}").expect_err("a control"), "yaml: control characters are not allowed");
        assert_eq!(key("k").as_deref(), Ok("k"));
        assert_eq!(key(&"k".repeat(1022)).map(|key| key.len()), Ok(1022));
        assert!(key(&"k".repeat(1023)).is_err(), "with its quotes it is too long for a key");
    }
}
