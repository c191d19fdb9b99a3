//! Go's `strconv`: quoting of strings, and numbers from text with Go's prefixes and underscores.
//!
//! Texts may hold any bytes, as Go's strings do. Printing of floats is `go::float`'s.

use std::fmt::Write as _;

/// Whether Go calls the character printable: letters, marks, numbers, punctuation, symbols and the plain space.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library's escape table leaves out the same categories as Go's (control, format, private, unassigned,
    // separators); a leading letter keeps it from escaping combining marks too.
    let pair: String = ['a', c].iter().collect();
    pair.escape_debug().nth(1) == Some(c)
}

/// `strconv.Quote`, which `%q` and sprig's `quote` print.
pub fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

/// `strconv.QuoteRune`, which `%q` prints of characters.
pub fn quote_char(c: char) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'');
    out.push('\'');
    out
}

/// [`quote`] of any bytes: those that are no UTF-8 become `\x` escapes.
pub fn quote_bytes(text: &[u8]) -> String {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if let Some(text) = std::str::from_utf8(text).ok().filter(|text| text.as_bytes().iter().all(plain)) {
        // nothing to escape, as in nearly every text
        return ["\"", text, "\""].concat();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, '"');
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a string takes all that is written");
        }
    }
    out.push('"');
    out
}

fn push_escaped(out: &mut String, c: char, quote: char) {
    let short = match c {
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        '\\' => "\\\\",
        _ => "",
    };
    if !short.is_empty() {
        out.push_str(short);
    } else if c == quote {
        out.push('\\');
        out.push(c);
    } else if is_print(c) {
        out.push(c);
    } else {
        let code = u32::from(c);
        let written = match code {
            0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
            0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
        written.expect("a string takes all that is written");
    }
}

/// `strconv.CanBackquote`: whether the text can stand between backquotes unchanged.
pub fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|c| c != '\u{feff}' && (c >= ' ' || c == '\t') && c != '`' && c != '\x7f')
    })
}

/// The text without its underscores, or `None` where one stands wrongly: each must have a digit (or base prefix) before it and a digit after.
fn without_underscores(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let prefixed = unsigned.len() >= 2 && unsigned[0] == b'0' && matches!(unsigned[1] | 0x20, b'b' | b'o' | b'x');
    let hex = prefixed && unsigned[1] | 0x20 == b'x';
    let mut last = if prefixed { b'0' } else { b'^' };
    for byte in &unsigned[if prefixed { 2 } else { 0 }..] {
        let digit = if hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
        last = match byte {
            _ if digit => b'0',
            b'_' if last != b'0' => return None,
            b'_' => b'_',
            _ if last == b'_' => return None,
            _ => b'!',
        };
    }
    (last != b'_').then(|| text.replace('_', ""))
}

/// `strconv.ParseInt(text, 0, 64)`: base prefixes, a leading zero for octal, underscores. `None` is any error.
pub fn parse_int_prefixed(text: &str) -> Option<i64> {
    let cleaned;
    let text = if text.contains('_') {
        // Unlike in floats, an underscore here needs a base of its own or plain decimal digits around it.
        cleaned = without_underscores(text)?;
        cleaned.as_str()
    } else {
        text
    };
    let (negative, digits) = match text.as_bytes().first()? {
        b'+' => (false, &text[1..]),
        b'-' => (true, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.as_bytes().get(1).map_or(0, |byte| byte | 0x20);
    let (base, digits) = match (digits.starts_with('0') && digits.len() > 1, lower) {
        (true, b'x') if digits.len() > 2 => (16, &digits[2..]),
        (true, b'b') if digits.len() > 2 => (2, &digits[2..]),
        (true, b'o') if digits.len() > 2 => (8, &digits[2..]),
        (true, _) => (8, &digits[1..]),
        (false, _) => (10, digits),
    };
    signed(negative, digits, base)
}

/// `strconv.ParseInt(text, base, 64)` for a base given outright. `None` is any error.
pub fn parse_int(text: &str, base: u32) -> Option<i64> {
    match text.as_bytes().first()? {
        b'+' => signed(false, &text[1..], base),
        b'-' => signed(true, &text[1..], base),
        _ => signed(false, text, base),
    }
}

fn signed(negative: bool, digits: &str, base: u32) -> Option<i64> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// `strconv.ParseFloat(text, 64)`: decimal and hexadecimal, underscores, `inf` and `nan` in any case.
///
/// `Err` carries the value Go returns beside a range error (an infinity) or `None` for a syntax error.
pub fn parse_float(text: &str) -> Result<f64, Option<f64>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Ok(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case("nan") {
        return Ok(f64::NAN);
    }
    let cleaned = if text.contains('_') { without_underscores(text).ok_or(None)? } else { text.to_owned() };
    let digits = cleaned.strip_prefix(['+', '-']).unwrap_or(&cleaned);
    if digits.len() > 2 && digits.as_bytes()[0] == b'0' && digits.as_bytes()[1] | 0x20 == b'x' {
        return hex_float(&digits[2..]).map(|value| sign * value).ok_or(None);
    }
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = if plain && !digits.starts_with(['+', '-']) { digits.parse().map_err(|_| None)? } else { return Err(None) };
    if value.is_infinite() { Err(Some(sign * value)) } else { Ok(sign * value) }
}

/// `1.8p3` after the `0x`; mantissas of more than 60 bits lose their tail, which no chart has been seen to need.
fn hex_float(digits: &str) -> Option<f64> {
    let at = digits.find(['p', 'P'])?;
    let (mantissa, exponent) = (&digits[..at], &digits[at + 1..]);
    let exponent: i32 = exponent.parse().ok().filter(|_| !exponent.is_empty())?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0f64;
    for c in whole.chars() {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let mut scale = 1.0 / 16.0;
    for c in fraction.chars() {
        value += f64::from(c.to_digit(16)?) * scale;
        scale /= 16.0;
    }
    Some(value * 2f64.powi(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(quote("a\"\\\n\u{7f}\u{ad}\u{301}é\u{1f600}"), "\"a\\\"\\\\\\n\\x7f\\u00ad\u{301}é\u{1f600}\"");
        assert_eq!(quote_bytes(b"\xffa"), "\"\\xffa\"");
        assert!(can_backquote(b"a\tb") && !can_backquote(b"a`") && !can_backquote(b"\xff"));
    }

    #[test]
    fn integers_have_prefixes_and_underscores() {
        for (text, want) in [("010", Some(8)), ("0x1F", Some(31)), ("1_000", Some(1000)), ("0b11", Some(3)), ("-0o7", Some(-7))] {
            assert_eq!(parse_int_prefixed(text), want, "{text}");
        }
        for text in ["", "08", "_1", "1_", "1__0", "0x", "+-1", "1.0", "9223372036854775808"] {
            assert_eq!(parse_int_prefixed(text), None, "{text}");
        }
        assert_eq!(parse_int_prefixed("-9223372036854775808"), Some(i64::MIN));
    }

    #[test]
    fn floats_have_words_and_hexadecimal() {
        assert_eq!(parse_float("1_000"), Ok(1000.0));
        assert_eq!(parse_float("0x_1p4"), Ok(16.0));
        assert_eq!(parse_float("-Inf"), Ok(f64::NEG_INFINITY));
        assert_eq!(parse_float(".5"), Ok(0.5));
        assert_eq!(parse_float("1e999"), Err(Some(f64::INFINITY)));
        for text in ["", "e", "0x10", "1e", "+-1", "infi", "1 "] {
            assert_eq!(parse_float(text), Err(None), "{text}");
        }
    }
}
