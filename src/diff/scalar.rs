//! When two scalars mean the same: numbers by value, quantities by amount, however they are spelled.

use std::borrow::Cow;

use crate::value::{Kind, Scalar, Style, Tree};
use crate::yaml;

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same, to the letter or as JSON has it.
    Same,
    /// The same amount or number, written otherwise.
    Respelled,
    /// Not the same.
    Different,
}

/// Compares two scalars; `quantity` says that the field holds an amount (`1000m`).
pub(super) fn compare(a: &Scalar, b: &Scalar, quantity: bool) -> Likeness {
    if a.kind == b.kind && a.text == b.text && (a.style == b.style || ![a.style, b.style].contains(&Style::Folded)) {
        return Likeness::Same;
    }
    let numeric = |scalar: &Scalar| matches!(scalar.kind, Kind::Int | Kind::Float);
    if json(a) == json(b) {
        // a number's spelling is seen by people only
        return if numeric(a) && numeric(b) { Likeness::Respelled } else { Likeness::Same };
    }
    let amount = |scalar: &Scalar| match scalar.kind {
        Kind::Int | Kind::Float | Kind::Str => amount(&scalar.text),
        _ => None,
    };
    if quantity && amount(a).is_some_and(|one| amount(b) == Some(one)) { Likeness::Respelled } else { Likeness::Different }
}

fn json(scalar: &Scalar) -> Cow<'_, str> {
    Cow::Owned(yaml::to_json(&Tree::Scalar(scalar.clone())))
}

/// Fields that hold maps of amounts.
const AMOUNT_MAPS: [&str; 12] = [
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "used",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
    "podFixed",
];

/// Fields that hold an amount.
const AMOUNTS: [&str; 6] = ["sizeLimit", "storage", "divisor", "averageValue", "memory", "cpu"];

/// True if the last keys of a way to a field say that it holds an amount.
pub(super) fn is_amount(last: &str, above: &str) -> bool {
    AMOUNTS.contains(&last) || AMOUNT_MAPS.contains(&above)
}

/// A Kubernetes quantity in billionths; nothing for what is no quantity or is out of reach.
pub(super) fn amount(text: &str) -> Option<i128> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 30 {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let (ten, two) = scale(suffix)?;
    let power = 9 + ten - i32::try_from(fraction.len()).ok()?;
    let scaled = digits.checked_mul(1_i128.checked_shl(two)?)?;
    let value = if power >= 0 {
        scaled.checked_mul(10_i128.checked_pow(power.unsigned_abs())?)?
    } else {
        let divisor = 10_i128.checked_pow(power.unsigned_abs())?;
        (scaled % divisor == 0).then_some(scaled / divisor)?
    };
    Some(if negative { -value } else { value })
}

/// The powers of ten and two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "" => (0, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok().filter(|power| power.abs() <= 30)?, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: (Kind, &str), b: (Kind, &str), quantity: bool) -> Likeness {
        let scalar = |(kind, text): (Kind, &str)| Scalar { kind, style: Style::Plain, text: text.into() };
        compare(&scalar(a), &scalar(b), quantity)
    }

    #[test]
    fn quantities_are_compared_by_amount() {
        for (a, b) in [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k"), ("1E", "1e18"), ("+1.50", "1500m")] {
            assert_eq!(likeness((Kind::Str, a), (Kind::Str, b), true), Likeness::Respelled, "{a} {b}");
            assert_eq!(likeness((Kind::Str, a), (Kind::Str, b), false), Likeness::Different, "{a} {b}");
        }
        for (a, b) in [("1G", "1Gi"), ("1", "1m"), ("1", "x"), ("", "0"), ("1.2.3", "1.2.3.0"), ("1e99", "1e98")] {
            assert_eq!(likeness((Kind::Str, a), (Kind::Str, b), true), Likeness::Different, "{a} {b}");
        }
        assert_eq!(likeness((Kind::Int, "1"), (Kind::Str, "1000m"), true), Likeness::Respelled);
        assert_eq!(likeness((Kind::Int, "1"), (Kind::Str, "1"), true), Likeness::Respelled);
    }

    #[test]
    fn numbers_are_compared_by_value_and_types_count() {
        assert_eq!(likeness((Kind::Int, "1"), (Kind::Float, "1.0"), false), Likeness::Respelled);
        assert_eq!(likeness((Kind::Int, "1"), (Kind::Str, "1"), false), Likeness::Different);
        assert_eq!(likeness((Kind::Int, "9007199254740993"), (Kind::Int, "9007199254740992"), false), Likeness::Different);
        assert_eq!(likeness((Kind::Null, "~"), (Kind::Null, ""), false), Likeness::Same);
        assert_eq!(likeness((Kind::Bool, "true"), (Kind::Str, "true"), false), Likeness::Different);
    }
}
