//! Numeric and quoted constants: strconv's rules for Go literals.

use super::lex::Tok;
use super::node::Number;
use super::print::quote;

/// Reads a constant under every type that its spelling allows; the error is Go's text.
pub(super) fn number(text: &str, tok: Tok) -> Result<Number, String> {
    let mut found = Number { text: text.to_owned(), ..Number::default() };
    if tok == Tok::CharConstant {
        let (value, rest) = unquote_char(&text[1..], b'\'').ok_or("invalid syntax")?;
        if rest != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let value = value.rune();
        (found.int, found.uint, found.float) = (Some(i64::from(value)), Some(u64::from(value)), Some(f64::from(value)));
        return Ok(found);
    }
    if tok == Tok::Complex || text.ends_with('i') {
        if let Some(complex) = complex(text) {
            found.complex = Some(complex);
            simplify(&mut found, complex);
            return Ok(found);
        }
        return Err(if tok == Tok::Complex { "syntax error scanning complex number".into() } else { illegal(text) });
    }
    found.uint = parse_uint(text);
    found.int = parse_int(text);
    if found.int == Some(0) {
        found.uint = Some(0);
    }
    if let Some(int) = found.int {
        found.float = Some(int as f64);
    } else if let Some(uint) = found.uint {
        found.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text.as_bytes())));
        }
        found.float = Some(float);
        promote(&mut found, float);
    } else {
        return Err(illegal(text));
    }
    Ok(found)
}

fn illegal(text: &str) -> String {
    format!("illegal number syntax: {}", quote(text.as_bytes()))
}

/// A float that is whole may stand for an integer.
fn promote(found: &mut Number, float: f64) {
    if float.fract() == 0.0 && float.abs() < 9.2e18 {
        found.int = found.int.or(Some(float as i64));
    }
    if float.fract() == 0.0 && (0.0..1.8e19).contains(&float) {
        found.uint = found.uint.or(Some(float as u64));
    }
}

fn simplify(found: &mut Number, (real, imaginary): (f64, f64)) {
    if imaginary == 0.0 {
        found.float = Some(real);
        promote(found, real);
    }
}

/// `1+2i` or `2i`.
fn complex(text: &str) -> Option<(f64, f64)> {
    let body = text.strip_suffix('i')?;
    let mut split = body.bytes().enumerate().skip(1).filter(|&(at, byte)| {
        let exponent = matches!(body.as_bytes()[at - 1], b'e' | b'E' | b'p' | b'P') && !body[..at].starts_with("0x");
        matches!(byte, b'+' | b'-') && !exponent
    });
    match split.next_back().map(|(at, _)| at) {
        Some(at) => Some((parse_float(&body[..at])?, parse_float(&body[at..])?)),
        None => Some((0.0, parse_float(body)?)),
    }
}

/// `strconv.ParseInt(text, 0, 64)`.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let value = parse_uint(digits)?;
    if negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// `strconv.ParseUint(text, 0, 64)`.
fn parse_uint(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (radix, digits) = match bytes {
        [] => return None,
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0'] => return Some(0),
        [b'0', ..] => (8, &text[1..]),
        _ => (10, text),
    };
    if !underscores_separate(bytes) || digits.starts_with(['+', '-']) {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    u64::from_str_radix(&plain, radix).ok()
}

/// True if each `_` stands between digits, or after a base prefix.
fn underscores_separate(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let prefixed = matches!(text, [b'0', b'b' | b'B' | b'o' | b'O' | b'x' | b'X', ..]);
    let hex = matches!(text, [b'0', b'x' | b'X', ..]);
    let mut last = if prefixed { b'0' } else { b'^' };
    for &byte in &text[if prefixed { 2 } else { 0 }..] {
        if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) {
            last = b'0';
        } else if byte == b'_' {
            if last != b'0' {
                return false;
            }
            last = b'_';
        } else {
            if last == b'_' {
                return false;
            }
            last = b'!';
        }
    }
    last != b'_'
}

/// `strconv.ParseFloat` on what the scanner lets through.
fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') && !underscores_separate(text.as_bytes()) {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let unsigned = plain.trim_start_matches(['+', '-']);
    let value = if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        let value = hex_float(&unsigned[2..])?;
        if plain.starts_with('-') { -value } else { value }
    } else {
        plain.parse().ok()?
    };
    value.is_finite().then_some(value)
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(value * 2_f64.powi(exponent))
}

/// A character or byte out of a quoted constant.
#[derive(Clone, Copy)]
pub(super) enum Piece {
    Char(char),
    Byte(u8),
}

impl Piece {
    fn rune(self) -> u32 {
        match self {
            Piece::Char(c) => c.into(),
            Piece::Byte(byte) => byte.into(),
        }
    }
}

/// `strconv.UnquoteChar`: the first character and the rest.
fn unquote_char(text: &str, quote: u8) -> Option<(Piece, &str)> {
    let first = text.chars().next()?;
    if first == char::from(quote) || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Piece::Char(first), &text[first.len_utf8()..]));
    }
    let rest = &text[1..];
    let kind = rest.chars().next()?;
    let after = &rest[kind.len_utf8()..];
    let simple = |c: char| Some((Piece::Char(c), after));
    match kind {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '\'' | '"' if kind == char::from(quote) => simple(kind),
        'x' | 'u' | 'U' => {
            let width = match kind {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let digits = after.get(..width).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            let value = u32::from_str_radix(digits, 16).ok()?;
            let unit = if kind == 'x' { Piece::Byte(value as u8) } else { Piece::Char(char::from_u32(value)?) };
            Some((unit, &after[width..]))
        }
        '0'..='7' => {
            let digits = rest.get(..3).filter(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')))?;
            let value = u8::try_from(u32::from_str_radix(digits, 8).ok()?).ok()?;
            Some((Piece::Byte(value), &rest[3..]))
        }
        _ => None,
    }
}

/// `strconv.Unquote` for `"…"` and `` `…` ``.
pub(super) fn unquote(token: &str) -> Option<Vec<u8>> {
    let inner = token.get(1..token.len().checked_sub(1)?)?;
    if token.starts_with('`') {
        return Some(inner.bytes().filter(|byte| *byte != b'\r').collect());
    }
    if !inner.contains(['\\', '\n', '"']) {
        return Some(inner.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_char(rest, b'"')?;
        match unit {
            Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(byte) => out.push(byte),
        }
        rest = after;
    }
    Some(out)
}
