//! Texts that are not UTF-8, kept byte for byte: Go's templates are bytes, our sources are texts.
//!
//! In: bytes. Out: a text in which each byte that is no UTF-8 stands as a character of the last private plane, and back.
//! Those characters themselves stand as their bytes, so every text comes back as it was.

use std::borrow::Cow;

/// The character that stands for byte 0; bytes below 0x80 never need one.
const FIRST: u32 = 0x10_FE00;

/// The first byte of every character from U+100000 on.
const LEAD: u8 = 0xF4;

/// The text that stands for these bytes.
pub fn text_of_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !has_marks(text) => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                for c in chunk.valid().chars() {
                    match byte_of(c) {
                        None => text.push(c),
                        Some(_) => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push(&mut text, byte)),
                    }
                }
                chunk.invalid().iter().for_each(|byte| push(&mut text, *byte));
            }
            Cow::Owned(text)
        }
    }
}

/// The bytes that a text stands for.
pub(super) fn bytes_of_text(text: &str) -> Cow<'_, [u8]> {
    if !has_marks(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// What Go makes of such a text in quotes: U+FFFD for each byte that is no UTF-8.
pub(super) fn replaced(text: &str) -> String {
    text.chars().map(|c| if byte_of(c).is_some() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// True if a text has characters that stand for bytes.
pub(super) fn has_marks(text: &str) -> bool {
    memchr::memchr(LEAD, text.as_bytes()).is_some() && text.chars().any(|c| byte_of(c).is_some())
}

fn push(text: &mut String, byte: u8) {
    text.extend(char::from_u32(FIRST + u32::from(byte)));
}

fn byte_of(c: char) -> Option<u8> {
    u32::from(c).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok()).filter(|byte| *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for bytes in [&b"plain"[..], b"caf\xe9", b"\xff\xfe\xf4\x8f\xba", "é\u{10FEFF}".as_bytes(), "\u{10FE00}".as_bytes()] {
            assert_eq!(&*bytes_of_text(&text_of_bytes(bytes)), bytes);
        }
        assert!(matches!(text_of_bytes("é".as_bytes()), Cow::Borrowed(_)));
    }
}
