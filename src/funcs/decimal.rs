//! Decimal numbers as shopspring/decimal has them, for `addf` and its kin: exact sums, differences and products; quotients
//! rounded half away from zero to 16 decimals.
//!
//! Digits are kept base 10⁹, least significant first; numbers come from floats and go back to floats, so they stay short.

use std::cmp::Ordering;

/// Decimals of a quotient.
const DIVISION_PRECISION: i64 = 16;
const BASE: u64 = 1_000_000_000;
const BASE_DIGITS: i64 = 9;

/// `±digits × 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u32>,
    exponent: i64,
}

impl Decimal {
    /// From the shortest text of a float; infinities and NaN panic in Go, with this text.
    pub(super) fn from_float(value: f64) -> Result<Decimal, String> {
        if !value.is_finite() {
            let shown = if value.is_nan() { "NaN" } else if value > 0.0 { "+Inf" } else { "-Inf" };
            return Err(format!("Cannot create a Decimal from {shown}"));
        }
        let text = crate::go::float::shortest(value.abs());
        let (mantissa, exponent) = text.split_once('e').expect("the exponent form has an exponent");
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = parse_digits(&format!("{whole}{fraction}"));
        let exponent = exponent.parse::<i64>().expect("exponents are small numbers") - fraction.len() as i64;
        Ok(Decimal { negative: value < 0.0, digits, exponent })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        let value: f64 = format!("{sign}{}e{}", print_digits(&self.digits), self.exponent).parse().unwrap_or(f64::NAN);
        // shopspring has no negative zero.
        if value == 0.0 { 0.0 } else { value }
    }

    pub(super) fn add(&self, other: &Decimal) -> Decimal {
        let exponent = self.exponent.min(other.exponent);
        let (left, right) = (self.scaled(exponent), other.scaled(exponent));
        if self.negative == other.negative {
            return Decimal { negative: self.negative, digits: add(&left, &right), exponent };
        }
        match compare(&left, &right) {
            Ordering::Less => Decimal { negative: other.negative, digits: subtract(&right, &left), exponent },
            _ => Decimal { negative: self.negative, digits: subtract(&left, &right), exponent },
        }
    }

    pub(super) fn sub(&self, other: &Decimal) -> Decimal {
        self.add(&Decimal { negative: !other.negative, ..other.clone() })
    }

    pub(super) fn mul(&self, other: &Decimal) -> Decimal {
        let digits = multiply(&self.digits, &other.digits);
        Decimal { negative: self.negative != other.negative, digits, exponent: self.exponent + other.exponent }
    }

    pub(super) fn div(&self, other: &Decimal) -> Result<Decimal, String> {
        if other.digits.is_empty() {
            return Err("decimal division by 0".to_owned());
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (left, right) = if shift < 0 {
            (self.digits.clone(), shifted(&other.digits, -shift))
        } else {
            (shifted(&self.digits, shift), other.digits.clone())
        };
        let (mut quotient, rest) = divide(&left, &right);
        if compare(&add(&rest, &rest), &right) != Ordering::Less {
            quotient = add(&quotient, &[1]);
        }
        let negative = self.negative != other.negative;
        Ok(Decimal { negative, digits: quotient, exponent: -DIVISION_PRECISION })
    }

    fn scaled(&self, exponent: i64) -> Vec<u32> {
        shifted(&self.digits, self.exponent - exponent)
    }
}

fn trim(mut digits: Vec<u32>) -> Vec<u32> {
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits
}

fn parse_digits(text: &str) -> Vec<u32> {
    let chunks = text.as_bytes().rchunks(BASE_DIGITS as usize);
    trim(chunks.map(|chunk| chunk.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))).collect())
}

fn print_digits(digits: &[u32]) -> String {
    let Some((first, rest)) = digits.split_last() else { return "0".to_owned() };
    let mut out = first.to_string();
    for chunk in rest.iter().rev() {
        out.push_str(&format!("{chunk:09}"));
    }
    out
}

/// Times a power of ten.
fn shifted(digits: &[u32], power: i64) -> Vec<u32> {
    if digits.is_empty() {
        return Vec::new();
    }
    let mut out = vec![0; (power / BASE_DIGITS) as usize];
    let factor = 10u64.pow((power % BASE_DIGITS) as u32);
    let mut carry = 0;
    for digit in digits {
        let value = u64::from(*digit) * factor + carry;
        out.push((value % BASE) as u32);
        carry = value / BASE;
    }
    out.push(carry as u32);
    trim(out)
}

fn compare(left: &[u32], right: &[u32]) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.iter().rev().cmp(right.iter().rev()))
}

fn add(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(left.len().max(right.len()) + 1);
    let mut carry = 0;
    for at in 0..left.len().max(right.len()) {
        let digit = |digits: &[u32]| u64::from(digits.get(at).copied().unwrap_or(0));
        let sum = digit(left) + digit(right) + carry;
        out.push((sum % BASE) as u32);
        carry = sum / BASE;
    }
    out.push(carry as u32);
    trim(out)
}

/// `left` must not be the smaller.
fn subtract(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(left.len());
    let mut borrow = 0;
    for (at, digit) in left.iter().enumerate() {
        let take = u64::from(right.get(at).copied().unwrap_or(0)) + borrow;
        let digit = u64::from(*digit);
        borrow = u64::from(digit < take);
        out.push((digit + borrow * BASE - take) as u32);
    }
    trim(out)
}

fn multiply(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut out = vec![0u32; left.len() + right.len() + 1];
    for (at, l) in left.iter().enumerate() {
        let mut carry = 0;
        for (offset, slot) in out[at..].iter_mut().enumerate() {
            let r = right.get(offset).copied().unwrap_or(0);
            let value = u64::from(*slot) + u64::from(*l) * u64::from(r) + carry;
            *slot = (value % BASE) as u32;
            carry = value / BASE;
            if carry == 0 && offset >= right.len() {
                break;
            }
        }
    }
    trim(out)
}

/// Quotient and rest, one decimal digit at a time: dividends have a few hundred digits at most.
fn divide(left: &[u32], right: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let (mut quotient, mut rest) = (String::new(), Vec::new());
    for digit in print_digits(left).bytes() {
        rest = add(&shifted(&rest, 1), &trim(vec![u32::from(digit - b'0')]));
        let mut count = 0u8;
        while compare(&rest, right) != Ordering::Less {
            rest = subtract(&rest, right);
            count += 1;
        }
        quotient.push(char::from(b'0' + count));
    }
    (parse_digits(&quotient), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(value: f64) -> Decimal {
        Decimal::from_float(value).unwrap()
    }

    #[test]
    fn tenths_stay_tenths() {
        assert_eq!(d(1.1).mul(&d(3.0)).to_float(), 3.3);
        assert_eq!(d(0.1).add(&d(0.2)).to_float(), 0.3);
        assert_eq!(d(0.3).sub(&d(0.1)).to_float(), 0.2);
        assert_eq!(d(-1.5).sub(&d(-1.5)).to_float().to_bits(), 0);
        assert_eq!(d(1e21).add(&d(1e-7)).to_float(), 1e21);
        assert_eq!(d(1e308).mul(&d(1e-308)).to_float(), 1.0);
        assert_eq!(d(123_456_789.125).mul(&d(123_456_789.125)).to_float(), 15_241_578_781_054_718.0);
    }

    #[test]
    fn quotients_round_at_sixteen_decimals() {
        assert_eq!(d(2.0).div(&d(3.0)).unwrap().to_float(), 0.666_666_666_666_666_7);
        assert_eq!(d(-10.0).div(&d(4.0)).unwrap().to_float(), -2.5);
        assert_eq!(d(1.0).div(&d(1e21)).unwrap().to_float(), 0.0);
        assert_eq!(d(1.0).div(&d(0.0)).unwrap_err(), "decimal division by 0");
        assert!(Decimal::from_float(f64::INFINITY).unwrap_err().ends_with("+Inf"));
    }
}
