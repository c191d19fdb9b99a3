//! Go's shortest float texts: `strconv`'s `g` form (what `%v` and go-yaml print) and `encoding/json`'s form.
//!
//! In: a float. Out: its text. Both take the shortest digits that read back as the same float, which are the digits
//! that Rust finds too, but where two are equally near; the layout around them is Go's.

/// Below this decimal exponent the `g` form writes an exponent.
const G_EXPONENT_MIN: i32 = -4;
/// From this decimal exponent on the `g` form writes an exponent: Go decides shortest forms as if for six digits.
const G_EXPONENT_MAX: i32 = 6;
/// `encoding/json` writes an exponent below this size...
const JSON_SMALL: f64 = 1e-6;
/// ... and from this size on.
const JSON_LARGE: f64 = 1e21;

/// The shortest digits of a finite float, without sign and point, and the decimal exponent of the first.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i32,
}

/// Takes Rust's `-d.ddde-x` apart.
fn decimal(text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    Decimal {
        negative: mantissa.starts_with('-'),
        digits: mantissa.bytes().filter(u8::is_ascii_digit).map(char::from).collect(),
        exponent: exponent.parse().unwrap_or(0),
    }
}

/// Digits from which on two texts of that many may be equally near to a float.
const TIE_DIGITS: usize = 16;
/// Digits that must all be nought behind a five that is the end of a float's exact text.
const EXACT_DIGITS: usize = 30;

/// The shortest digits of a finite float as `-d.ddde-x`. Of two that are equally near Go takes the even one, Rust the larger.
pub fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let count = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    if count < TIE_DIGITS {
        return text;
    }
    let exact = format!("{value:.*e}", count + EXACT_DIGITS);
    let Some((mantissa, exponent)) = exact.split_once('e') else { return text };
    let (lower, rest) = mantissa.split_at(mantissa.len() - EXACT_DIGITS - 1);
    let is_tie = rest.strip_prefix('5').is_some_and(|rest| rest.bytes().all(|byte| byte == b'0'));
    let is_even = lower.bytes().last().is_some_and(|digit| digit % 2 == 0);
    if is_tie && is_even { format!("{lower}e{exponent}") } else { text }
}

/// Appends what Go's `strconv.FormatFloat(value, 'g', -1, 64)` gives: `1e+06`, `0.1`, `+Inf`, `NaN`.
///
/// `%v` and text/template print floats so, and go-yaml does but for its own words for infinity.
pub fn push_g(out: &mut String, value: f64) {
    if value.is_finite() { lay_out_g(out, &decimal(&shortest(value))) } else { out.push_str(non_finite(value)) }
}

/// As [`push_g`] with the digits of the nearest 32-bit float, as sigs.k8s.io/yaml prints floats that are keys or become texts.
pub fn push_g32(out: &mut String, value: f64) {
    let single = value as f32;
    if single.is_finite() {
        lay_out_g(out, &decimal(&format!("{single:e}")));
    } else {
        out.push_str(non_finite(f64::from(single)));
    }
}

/// The `g` form as a text of its own.
pub fn g(value: f64) -> String {
    let mut out = String::new();
    push_g(&mut out, value);
    out
}

/// The `g` form with the digits of 32 bits as a text of its own.
pub fn g32(value: f64) -> String {
    let mut out = String::new();
    push_g32(&mut out, value);
    out
}

fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

fn lay_out_g(out: &mut String, number: &Decimal) {
    if number.exponent < G_EXPONENT_MIN || number.exponent >= G_EXPONENT_MAX {
        lay_out_exponent(out, number, 2);
    } else {
        lay_out_fixed(out, number);
    }
}

/// Appends what `encoding/json` writes for a finite float: no exponent from 1e-6 up to 1e21, `1e-7` without padding.
///
/// False, and nothing appended, for infinities and NaN, which JSON has no text for.
pub fn push_json(out: &mut String, value: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    let number = decimal(&shortest(value));
    let size = value.abs();
    if size != 0.0 && !(JSON_SMALL..JSON_LARGE).contains(&size) {
        // negative exponents of one digit lose their padding, positive ones always have two digits here
        lay_out_exponent(out, &number, if number.exponent < 0 { 1 } else { 2 });
    } else {
        lay_out_fixed(out, &number);
    }
    true
}

fn lay_out_exponent(out: &mut String, number: &Decimal, pad: usize) {
    if number.negative {
        out.push('-');
    }
    out.push_str(&number.digits[..1]);
    if number.digits.len() > 1 {
        out.push('.');
        out.push_str(&number.digits[1..]);
    }
    out.push('e');
    out.push(if number.exponent < 0 { '-' } else { '+' });
    let exponent = number.exponent.unsigned_abs().to_string();
    out.extend(std::iter::repeat_n('0', pad.saturating_sub(exponent.len())));
    out.push_str(&exponent);
}

fn lay_out_fixed(out: &mut String, number: &Decimal) {
    if number.negative {
        out.push('-');
    }
    let digits = &number.digits;
    if number.exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', number.exponent.unsigned_abs() as usize - 1));
        out.push_str(digits);
        return;
    }
    let whole = number.exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', whole - digits.len()));
    } else {
        out.push_str(&digits[..whole]);
        out.push('.');
        out.push_str(&digits[whole..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g_form_switches_at_six_digits() {
        let cases = [
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (123_456.0, "123456"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (2.5, "2.5"),
            (f64::INFINITY, "+Inf"),
            (f64::NAN, "NaN"),
            (7_205_759_403_792_794.0 / 8.0, "9.007199254740992e+14"),
            (7_205_759_403_792_786.0 / 8.0, "9.007199254740982e+14"),
            (7_205_759_403_792_798.0 / 8.0, "9.007199254740998e+14"),
            (-4_503_599_627_370_497.0 / 4.0, "-1.1258999068426242e+15"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
        ];
        for (value, want) in cases {
            assert_eq!(g(value), want);
        }
        let mut key = String::new();
        push_g32(&mut key, 0.1 + 0.2);
        assert_eq!(key, "0.3", "keys have 32 bits");
    }

    #[test]
    fn json_form_is_fixed_up_to_1e21() {
        let cases = [
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (-0.0, "-0"),
            (1.0, "1"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
        ];
        for (value, want) in cases {
            let mut out = String::new();
            assert!(push_json(&mut out, value));
            assert_eq!(out, want);
        }
        assert!(!push_json(&mut String::new(), f64::NAN));
    }
}
