//! Bytes to text as go-yaml decodes them: UTF-8, or UTF-16 where a byte order mark says so.

use std::borrow::Cow;

use crate::diag::{Diagnostic, Result};

/// The text of a YAML file. Fails with code `yaml-encoding` and go-yaml's words.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let rest = &bytes[error.valid_up_to()..];
            let width = match rest.first() {
                Some(0xc0..=0xdf) => 2,
                Some(0xe0..=0xef) => 3,
                Some(0xf0..=0xf7) => 4,
                _ => return refused("invalid leading UTF-8 octet"),
            };
            refused(if rest.len() < width { "incomplete UTF-8 octet sequence" } else { "invalid trailing UTF-8 octet" })
        }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refused("incomplete UTF-16 character"));
    }
    let units = units.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).collect::<std::result::Result<_, _>>().map_err(|_| refused("unexpected low surrogate area"))
}

fn refused(why: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("yaml-encoding", format!("yaml: {why}")).hint("save the file as UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_yaml_decodes_and_refuses() {
        assert_eq!(decode("é".as_bytes()).expect("UTF-8"), "é");
        assert_eq!(decode(b"\xff\xfea\0\xe9\0").expect("UTF-16"), "aé");
        assert_eq!(decode(b"\xfe\xff\0a").expect("UTF-16"), "a");
        for (bytes, why) in [
            (&b"caf\xe9\n"[..], "incomplete UTF-8"),
            (b"caf\xe9 x\n", "invalid trailing"),
            (b"\x80", "invalid leading"),
            (b"\xff\xfea", "incomplete UTF-16"),
        ] {
            assert!(decode(bytes).expect_err("no text").message.contains(why), "{why}");
        }
    }
}
