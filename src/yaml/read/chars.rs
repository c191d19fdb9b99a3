//! Byte classes of YAML 1.1 as go-yaml draws them.
//!
//! In: a text as bytes and a place in it. Past the end every byte is NUL, which ends lines and tokens alike.

/// A byte that the plain-scalar loop may pass without a second look.
const PLAIN: u8 = 1;
/// A letter, digit, `_` or `-`: what anchors, tag handles and directive names are made of.
const WORD: u8 = 2;
/// A byte of a tag URI, `%` escapes included.
const URI: u8 = 4;
/// A byte that the loops over quoted text and comments may pass without a second look.
const INNER: u8 = 8;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [PLAIN | INNER; 256];
    let special = b"\0\t\n\r :,[]{}?\xC2\xE2";
    let mut at = 0;
    while at < special.len() {
        table[special[at] as usize] = 0;
        at += 1;
    }
    let inner = b":,[]{}?";
    at = 0;
    while at < inner.len() {
        table[inner[at] as usize] = INNER;
        at += 1;
    }
    table[b'\'' as usize] = PLAIN;
    table[b'"' as usize] = PLAIN;
    table[b'\\' as usize] = PLAIN;
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || c == b'_' || c == b'-' {
            table[byte] |= WORD | URI;
        }
        byte += 1;
    }
    let uri = b";/?:@&=+$,.!~*'()[]%";
    at = 0;
    while at < uri.len() {
        table[uri[at] as usize] |= URI;
        at += 1;
    }
    table
}

/// The byte at a place, NUL past the end.
#[inline]
pub(super) fn at(bytes: &[u8], place: usize) -> u8 {
    bytes.get(place).copied().unwrap_or(0)
}

/// True for a byte that can stand inside any plain scalar and ends nothing.
#[inline]
pub(super) fn is_plain(byte: u8) -> bool {
    CLASSES[byte as usize] & PLAIN != 0
}

/// True for a byte that can stand inside any quoted scalar and is neither blank, break, quote nor escape.
#[inline]
pub(super) fn is_inner(byte: u8) -> bool {
    CLASSES[byte as usize] & INNER != 0
}

/// True for letters, digits, `_` and `-`.
#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    CLASSES[byte as usize] & WORD != 0
}

/// True for the bytes of a tag URI.
#[inline]
pub(super) fn is_uri(byte: u8) -> bool {
    CLASSES[byte as usize] & URI != 0
}

/// True for space and tab.
#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The length in bytes of the line break at a place, 0 if there is none. CR LF is one break.
#[inline]
pub(super) fn break_len(bytes: &[u8], place: usize) -> usize {
    match at(bytes, place) {
        b'\n' => 1,
        b'\r' => 1 + usize::from(at(bytes, place + 1) == b'\n'),
        0xC2 if at(bytes, place + 1) == 0x85 => 2,
        0xE2 if at(bytes, place + 1) == 0x80 && matches!(at(bytes, place + 2), 0xA8 | 0xA9) => 3,
        _ => 0,
    }
}

/// True at a line break or the end of the text.
#[inline]
pub(super) fn is_break_or_end(bytes: &[u8], place: usize) -> bool {
    at(bytes, place) == 0 || break_len(bytes, place) > 0
}

/// True at a blank, a line break or the end of the text.
#[inline]
pub(super) fn is_gap(bytes: &[u8], place: usize) -> bool {
    let byte = at(bytes, place);
    byte == b' ' || byte == b'\n' || byte == b'\t' || byte == 0 || break_len(bytes, place) > 0
}

/// How many bytes the character that starts with this byte has.
#[inline]
pub(super) fn width(byte: u8) -> usize {
    match byte {
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// How many bytes of a text are not the first of their character: the difference between its bytes and columns.
#[inline]
pub(super) fn continuation_bytes(bytes: &[u8]) -> usize {
    if bytes.is_ascii() { 0 } else { bytes.iter().filter(|byte| **byte & 0xC0 == 0x80).count() }
}

/// The place just past the last byte of a line's text: its break, or the end of the text.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    let end = memchr::memchr2(b'\n', b'\r', &bytes[from..]).map_or(bytes.len(), |found| from + found);
    let line = &bytes[from..end];
    if line.is_ascii() {
        return end;
    }
    // NEL, LS and PS end lines too
    (from..end).find(|place| matches!(bytes[*place], 0xC2 | 0xE2) && break_len(bytes, *place) > 0).unwrap_or(end)
}

/// The place of the first character that YAML does not allow, as go-yaml's reader checks before it scans.
pub(super) fn first_forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut place = 0;
    for chunk in bytes.chunks(64) {
        let clean = chunk.iter().fold(true, |clean, byte| clean & matches!(*byte, 9 | 10 | 13 | 0x20..0x7F));
        if !clean {
            let found = chunk.iter().enumerate().find(|(offset, byte)| is_forbidden(bytes, place + offset, **byte));
            if let Some((offset, _)) = found {
                return Some(place + offset);
            }
        }
        place += chunk.len();
    }
    None
}

fn is_forbidden(bytes: &[u8], place: usize, byte: u8) -> bool {
    match byte {
        9 | 10 | 13 => false,
        0..0x20 | 0x7F => true,
        0xC2 => matches!(at(bytes, place + 1), 0x80..=0x84 | 0x86..=0x9F),
        0xEF => at(bytes, place + 1) == 0xBF && matches!(at(bytes, place + 2), 0xBE | 0xBF),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_of_all_kinds_have_their_length() {
        for (text, want) in [("\n", 1), ("\r\n", 2), ("\rx", 1), ("\u{85}", 2), ("\u{2028}", 3), ("\u{2029}", 3), ("x", 0), ("", 0), ("é", 0)] {
            assert_eq!(break_len(text.as_bytes(), 0), want, "{text:?}");
        }
        assert_eq!(line_end("añb\u{85}c\n".as_bytes(), 0), 4);
    }

    #[test]
    fn control_characters_are_found_wherever_they_stand() {
        assert_eq!(first_forbidden("a: b\tc\r\né\u{85}\u{FEFF}😀"), None);
        let long = "x".repeat(200);
        for bad in ["\0", "\x1b", "\x7f", "\u{80}", "\u{9f}", "\u{FFFE}", "\u{FFFF}"] {
            assert_eq!(first_forbidden(&format!("{long}{bad}y")), Some(200), "{bad:?}");
        }
    }
}
