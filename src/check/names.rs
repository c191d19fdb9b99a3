//! Texts that the API server takes only in a certain form: names, labels, quantities, schedules, addresses.
//!
//! In: a text. Out: what is wrong with it, as a few words; nothing where it is well. The forms are those of
//! `k8s.io/apimachinery`'s validation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A DNS label: at most 63 lower-case letters, digits and inner hyphens.
pub(super) fn dns_label(text: &str) -> Option<&'static str> {
    match text {
        _ if text.len() > 63 => Some("must be no more than 63 characters"),
        _ if label(text) => None,
        _ => Some("must be lower-case letters, digits or `-`, and start and end with a letter or digit"),
    }
}

/// As [`dns_label`], with a letter first.
pub(super) fn dns_1035(text: &str) -> Option<&'static str> {
    match dns_label(text) {
        None if !text.starts_with(|first: char| first.is_ascii_lowercase()) => Some("must start with a letter"),
        other => other,
    }
}

/// DNS labels joined by dots, at most 253 characters.
pub(super) fn dns_subdomain(text: &str) -> Option<&'static str> {
    match text {
        _ if text.len() > 253 => Some("must be no more than 253 characters"),
        _ if !text.is_empty() && text.split('.').all(label) => None,
        _ => Some("must be lower-case letters, digits, `-` or `.`, and start and end with a letter or digit"),
    }
}

/// A name that can be one step of a URL's path.
pub(super) fn path_segment(text: &str) -> Option<&'static str> {
    match text {
        "." | ".." => Some("may not be `.` or `..`"),
        _ if text.contains('/') => Some("may not contain `/`"),
        _ if text.contains('%') => Some("may not contain `%`"),
        _ => None,
    }
}

/// A key of labels and annotations: `name` or `domain/name`.
pub(super) fn qualified(text: &str) -> Option<&'static str> {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if name.contains('/') {
        return Some("must be a name with at most one prefix before a `/`");
    }
    if let Some(fault) = prefix.and_then(dns_subdomain) {
        return Some(fault);
    }
    match name {
        "" => Some("must have a name"),
        _ if name.len() > 63 => Some("must have a name of no more than 63 characters"),
        _ if wordy(name) => None,
        _ => Some("must be letters, digits, `-`, `_` or `.`, and start and end with a letter or digit"),
    }
}

/// A label's value.
pub(super) fn label_value(text: &str) -> Option<&'static str> {
    match text {
        "" => None,
        _ if text.len() > 63 => Some("must be no more than 63 characters"),
        _ if wordy(text) => None,
        _ => Some("must be letters, digits, `-`, `_` or `.`, and start and end with a letter or digit"),
    }
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Option<&'static str> {
    match text {
        _ if text.len() > 253 => Some("must be no more than 253 characters"),
        "." | ".." => Some("may not be `.` or `..`"),
        _ if text.starts_with("..") => Some("may not start with `..`"),
        _ if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) => None,
        _ => Some("must be letters, digits, `-`, `_` or `.`"),
    }
}

/// The name of an environment variable. Newer servers take nearly any; `relaxed` says so.
pub(super) fn env_name(text: &str, relaxed: bool) -> Option<&'static str> {
    if relaxed {
        let printable = !text.is_empty() && text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=');
        return (!printable).then_some("must be printable ASCII without `=`");
    }
    let digits = text.starts_with(|first: char| first.is_ascii_digit());
    match text {
        "." | ".." => Some("may not be `.` or `..`"),
        _ if text.starts_with("..") => Some("may not start with `..`"),
        _ if !text.is_empty() && !digits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) => {
            None
        }
        _ => Some("must be letters, digits, `_`, `-` or `.`, and not start with a digit"),
    }
}

/// The name of a port: at most 15 lower-case letters, digits and hyphens, at least one a letter.
pub(super) fn port_name(text: &str) -> Option<&'static str> {
    let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match text {
        _ if text.is_empty() || text.len() > 15 => Some("must be 1 to 15 characters"),
        _ if !fits => Some("must be lower-case letters, digits or `-`"),
        _ if !text.bytes().any(|b| b.is_ascii_lowercase()) => Some("must have a letter"),
        _ if text.contains("--") => Some("must not have `--`"),
        _ if text.starts_with('-') || text.ends_with('-') => Some("must not start or end with `-`"),
        _ => None,
    }
}

/// A host of an ingress rule: a name, or `*.` before one; no address.
pub(super) fn host(text: &str) -> Option<&'static str> {
    if text.parse::<IpAddr>().is_ok() {
        return Some("must be a DNS name, not an IP address");
    }
    match text.strip_prefix("*.") {
        Some(rest) => dns_subdomain(rest),
        None => dns_subdomain(text),
    }
}

/// A quantity's value in billionths, rounded up as Kubernetes does; nothing for a text that is none.
pub(super) fn quantity(text: &str) -> Option<i128> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, suffix) = rest.split_at(digits);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.contains('.') || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let (binary, power): (i128, i32) = match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let power = suffix.strip_prefix(['e', 'E'])?;
            let plain = power.strip_prefix(['+', '-']).unwrap_or(power);
            if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            (1, power.parse().ok()?)
        }
    };
    // more digits than these are below or above what a quantity can hold
    let part = &part[..part.len().min(18)];
    let digits: i128 = format!("0{whole}{part}").parse().unwrap_or(i128::MAX);
    let exponent = power + 9 - part.len() as i32;
    let scaled = if exponent >= 0 {
        let factor = 10i128.checked_pow(exponent as u32).unwrap_or(i128::MAX);
        digits.saturating_mul(binary).saturating_mul(factor)
    } else {
        let divisor = 10i128.checked_pow(exponent.unsigned_abs()).unwrap_or(i128::MAX);
        let product = digits.saturating_mul(binary);
        product / divisor + i128::from(product % divisor != 0)
    };
    Some(scaled.saturating_mul(sign))
}

/// An address and the length of its prefix.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

/// The address with only the first `length` bits.
pub(super) fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
        }
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A cron schedule of five fields, or a word such as `@daily`.
pub(super) fn schedule(text: &str) -> Option<&'static str> {
    let text = match text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
        Some(rest) => rest.split_once(' ').map_or("", |(_, rest)| rest),
        None => text,
    };
    if let Some(word) = text.strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        return (!known.contains(&word) && !word.starts_with("every ")).then_some("is no known schedule");
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let ranges: [(u32, u32, &[&str]); 5] = [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, &MONTHS), (0, 6, &DAYS)];
    if fields.len() != 5 {
        return Some("must have five fields");
    }
    let fits = fields.iter().zip(ranges).all(|(field, (least, most, names))| {
        field.split(',').all(|part| cron_part(part, least, most, names))
    });
    (!fits).then_some("has a field out of range")
}

fn cron_part(part: &str, least: u32, most: u32, names: &[&str]) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if step.is_some_and(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
        return false;
    }
    if matches!(range, "*" | "?") {
        return true;
    }
    let number = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = named.map(|at| at as u32 + least).or_else(|| text.parse().ok())?;
        (least..=most).contains(&value).then_some(value)
    };
    match range.split_once('-') {
        Some((from, to)) => matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to),
        None => number(range).is_some(),
    }
}

/// A time by RFC 3339.
pub(super) fn is_time(text: &str) -> bool {
    let shape = text.len() >= 20 && text.as_bytes()[10] == b'T' && (text.ends_with('Z') || text.len() >= 25);
    shape && text.parse::<jiff::Timestamp>().is_ok()
}

/// Base64 with padding.
pub(super) fn is_base64(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    data_encoding::BASE64.decode(&text).is_ok()
}

fn label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if inner(*first) && inner(*last))
        && bytes.iter().all(|b| inner(*b) || *b == b'-')
}

fn wordy(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_hold_at_their_edges() {
        assert_eq!(dns_label("a-1"), None);
        assert!(dns_label("-a").is_some() && dns_label("A").is_some() && dns_label(&"a".repeat(64)).is_some());
        assert!(dns_1035("1a").is_some() && dns_subdomain("a..b").is_some());
        assert_eq!(qualified("example.com/A_b.c"), None);
        assert!(qualified("a/b/c").is_some() && qualified("Example.com/a").is_some() && qualified("a/").is_some());
        assert!(label_value("a b").is_some() && label_value("").is_none());
        assert!(port_name("80").is_some() && port_name("http-x").is_none() && port_name("a--b").is_some());
        assert!(host("*.a.b").is_none() && host("1.2.3.4").is_some());
    }

    #[test]
    fn quantities_are_numbers_with_known_suffixes() {
        assert_eq!(quantity("500m"), Some(500_000_000));
        assert_eq!(quantity("1Gi"), quantity("1024Mi"));
        assert_eq!(quantity("0.7"), quantity("700m"));
        assert_eq!(quantity("-1.5e3"), quantity("-1500"));
        for text in ["", "1.2.3", "Gi", "1gi", "1 Gi", "1e", "0x1"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn schedules_have_five_fields_in_range() {
        for text in ["*/5 * * * *", "0 0 1 jan sun", "@daily", "CRON_TZ=UTC 0 1 * * 1-5"] {
            assert_eq!(schedule(text), None, "{text}");
        }
        for text in ["* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "@often", "5-1 * * * *"] {
            assert!(schedule(text).is_some(), "{text}");
        }
    }

    #[test]
    fn prefixes_fit_their_family() {
        assert!(cidr("10.0.0.0/8").is_some() && cidr("10.0.0.0/33").is_none() && cidr("::1/128").is_some());
        assert_eq!(masked("10.1.2.3".parse().expect("an address"), 8).to_string(), "10.0.0.0");
        assert!(is_time("2024-01-02T03:04:05Z") && !is_time("2024-01-02"));
    }
}
