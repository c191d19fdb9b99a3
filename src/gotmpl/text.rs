//! strconv's text forms: floats under every verb, and quoted strings and characters.

use std::fmt::Write as _;

use crate::go::float;

/// Digits and decimal exponent of a finite, non-negative float: `0.d1d2d3… × 10^point`, as strconv keeps them.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// From Rust's exponent form (`1.25e-7`).
    fn parse(text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let point = exponent.parse::<i32>().unwrap_or(0) + 1;
        if digits.iter().all(|digit| *digit == b'0') { Digits { digits, point: 1 } } else { Digits { digits, point } }
    }

    fn digit(&self, index: i32) -> u8 {
        usize::try_from(index).ok().and_then(|index| self.digits.get(index).copied()).unwrap_or(b'0')
    }
}

/// `strconv.FormatFloat(value, verb, precision, 64)` for the verbs `e E f g G b x X`; precision -1 is the shortest.
pub(super) fn float(value: f64, verb: u8, precision: i32) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    if matches!(verb, b'g') && precision < 0 && value.fract() == 0.0 && value.abs() < 1e6 && (value != 0.0 || value.is_sign_positive()) {
        return (value as i64).to_string();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let size = value.abs();
    let body = match verb {
        b'b' => return format!("{sign}{}", binary(size)),
        b'x' | b'X' => hexadecimal(size, precision, verb),
        b'e' | b'E' => exponent_form(size, precision, verb),
        b'f' | b'F' if precision < 0 => plain_form(&Digits::parse(&float::shortest(size)), -1),
        b'f' | b'F' => format!("{size:.*}", precision as usize),
        _ => general_form(size, precision, verb),
    };
    format!("{sign}{body}")
}

fn exponent_form(value: f64, precision: i32, verb: u8) -> String {
    let text = if precision < 0 { float::shortest(value) } else { format!("{value:.*e}", precision as usize) };
    let digits = Digits::parse(&text);
    let fraction = if precision < 0 { digits.digits.len() as i32 - 1 } else { precision };
    write_exponent(&digits, fraction, verb)
}

fn write_exponent(digits: &Digits, fraction: i32, verb: u8) -> String {
    let mut out = String::new();
    out.push(char::from(digits.digit(0)));
    if fraction > 0 {
        out.push('.');
        out.extend((1..=fraction).map(|index| char::from(digits.digit(index))));
    }
    let exponent = digits.point - 1;
    let _ = write!(out, "{}{}{:02}", char::from(verb), if exponent < 0 { '-' } else { '+' }, exponent.abs());
    out
}

/// Plain decimals; `fraction` -1 is as many as there are.
fn plain_form(digits: &Digits, fraction: i32) -> String {
    let mut out = String::new();
    if digits.point > 0 {
        out.extend((0..digits.point).map(|index| char::from(digits.digit(index))));
    } else {
        out.push('0');
    }
    let fraction = if fraction < 0 { (digits.digits.len() as i32 - digits.point).max(0) } else { fraction };
    if fraction > 0 {
        out.push('.');
        out.extend((0..fraction).map(|index| char::from(digits.digit(digits.point + index))));
    }
    out
}

fn general_form(value: f64, precision: i32, verb: u8) -> String {
    let shortest = precision < 0;
    let wanted = if precision == 0 { 1 } else { precision };
    let text = if shortest { float::shortest(value) } else { format!("{value:.*e}", wanted as usize - 1) };
    let mut digits = Digits::parse(&text);
    if !shortest {
        // trailing zeros do not count as digits
        while digits.digits.len() > 1 && digits.digits.last() == Some(&b'0') {
            digits.digits.pop();
        }
    }
    let count = digits.digits.len() as i32;
    let mut threshold = wanted;
    if threshold > count && count >= digits.point {
        threshold = count;
    }
    if shortest {
        threshold = 6;
    }
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= threshold {
        let letter = if verb == b'G' { b'E' } else { b'e' };
        return write_exponent(&digits, count - 1, letter);
    }
    plain_form(&digits, (count - digits.point).max(0))
}

/// `%b`: mantissa and binary exponent, both decimal.
fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    let exponent = exponent - 52;
    format!("{mantissa}p{exponent:+}")
}

/// Mantissa with its hidden bit, and the exponent of the hidden bit.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) & 0x7ff {
        0 => (fraction, -1022),
        exponent => (fraction | (1 << 52), exponent as i32 - 1023),
    }
}

/// `%x`: hexadecimal mantissa with one digit before the point, binary exponent.
fn hexadecimal(value: f64, precision: i32, verb: u8) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - 11;
        mantissa <<= shift;
        exponent -= shift as i32;
    }
    // 52 fraction bits are 13 hex digits; widened so that rounding may carry
    if (0..13).contains(&precision) {
        let drop = 4 * (13 - precision) as u32;
        let half = 1_u64 << (drop - 1);
        let rest = mantissa & ((1 << drop) - 1);
        mantissa >>= drop;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= drop;
        if mantissa >> 53 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    if precision < 0 {
        fraction.truncate(fraction.trim_end_matches('0').len());
    } else {
        while fraction.len() < precision as usize {
            fraction.push('0');
        }
        fraction.truncate(precision as usize);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("0x{}{point}{fraction}p{sign}{:02}", mantissa >> 52, exponent.abs());
    if verb == b'X' { text.to_uppercase() } else { text }
}

/// One step through Go's text: a character, or a byte that is not UTF-8.
pub(super) enum Piece {
    Char(char),
    Bad(u8),
}

/// The characters of a byte string, as Go's `range` over it finds them.
pub(super) fn pieces(text: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        chunk.valid().chars().map(Piece::Char).chain(chunk.invalid().iter().map(|byte| Piece::Bad(*byte)))
    })
}

/// `unicode.IsPrint`.
pub(super) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // after another character, escape_debug leaves exactly the printable ones alone
    let text = String::from_iter(['a', c]);
    text.escape_debug().nth(1) == Some(c)
}

/// `strconv.AppendQuote`, or `AppendQuoteToASCII`.
pub(super) fn append_quoted(out: &mut Vec<u8>, text: &[u8], mark: char, ascii: bool) {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\' && char::from(*byte) != mark) {
        // nothing to escape, as in nearly every text
        for part in [&[mark as u8][..], text, &[mark as u8]] {
            out.extend_from_slice(part);
        }
        return;
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for piece in pieces(text) {
        match piece {
            Piece::Bad(byte) => {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
            Piece::Char(c) => escape(&mut quoted, c, mark, ascii),
        }
    }
    quoted.push(mark);
    out.extend_from_slice(quoted.as_bytes());
}

fn escape(out: &mut String, c: char, mark: char, ascii: bool) {
    let _ = match c {
        '\\' => write!(out, "\\\\"),
        _ if c == mark => write!(out, "\\{c}"),
        '\x07' => write!(out, "\\a"),
        '\x08' => write!(out, "\\b"),
        '\x0c' => write!(out, "\\f"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        '\x0b' => write!(out, "\\v"),
        _ if (c.is_ascii() || !ascii) && is_print(c) => write!(out, "{c}"),
        _ if c < ' ' || c == '\x7f' => write!(out, "\\x{:02x}", u32::from(c)),
        _ if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(c)),
        _ => write!(out, "\\U{:08x}", u32::from(c)),
    };
}
