//! One version: loose parsing (`v1`, `1.2`, leading zeros), strict parsing, order and printing.

use std::cmp::Ordering;
use std::fmt;

const INVALID: &str = "invalid semantic version";
const STARTS_ZERO: &str = "version segment starts with 0";
const INVALID_PRERELEASE: &str = "invalid prerelease string";

/// A semantic version with the text it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
    /// Pre-release without the hyphen; empty when there is none.
    pub prerelease: String,
    /// Build metadata without the plus; empty when there is none.
    pub metadata: String,
    original: String,
}

/// The pieces of a version's text, uninterpreted; a piece that is absent is empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Pieces<'a> {
    pub numbers: [&'a str; 3],
    pub prerelease: &'a str,
    pub metadata: &'a str,
    pub len: usize,
}

/// Takes the longest version-like prefix of `text`; `digit` says which bytes a number segment may hold.
pub(super) fn pieces(text: &str, digit: fn(u8) -> bool) -> Option<Pieces<'_>> {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes[from..].iter().take_while(|byte| digit(**byte)).count();
    let mut found = Pieces::default();
    let mut at = usize::from(bytes.first() == Some(&b'v'));
    for (index, slot) in found.numbers.iter_mut().enumerate() {
        let start = at + usize::from(index > 0);
        if index > 0 && bytes.get(at) != Some(&b'.') || start > bytes.len() {
            break;
        }
        let length = run(start);
        if length == 0 {
            break;
        }
        *slot = &text[start..start + length];
        at = start + length;
    }
    if found.numbers[0].is_empty() {
        return None;
    }
    if bytes.get(at) == Some(&b'-') {
        found.prerelease = identifiers(&text[at + 1..]);
        at += if found.prerelease.is_empty() { 0 } else { 1 + found.prerelease.len() };
    }
    if bytes.get(at) == Some(&b'+') {
        found.metadata = identifiers(&text[at + 1..]);
        at += if found.metadata.is_empty() { 0 } else { 1 + found.metadata.len() };
    }
    found.len = at;
    Some(found)
}

/// The longest prefix of dot-separated, non-empty identifiers.
fn identifiers(text: &str) -> &str {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    let mut end = run(0);
    while end > 0 && bytes.get(end) == Some(&b'.') {
        match run(end + 1) {
            0 => break,
            more => end += 1 + more,
        }
    }
    &text[..end]
}

fn number(text: &str) -> Result<u64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        format!("error parsing version segment: strconv.ParseUint: parsing \"{text}\": value out of range")
    })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn validate_prerelease(text: &str) -> Result<(), String> {
    for part in text.split('.') {
        if part.is_empty() {
            return Err(INVALID_PRERELEASE.to_owned());
        }
        if is_number(part) {
            if part.len() > 1 && part.starts_with('0') {
                return Err(STARTS_ZERO.to_owned());
            }
        } else if !part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(INVALID_PRERELEASE.to_owned());
        }
    }
    Ok(())
}

impl Version {
    /// Reads a version loosely: a leading `v`, missing minor and patch, and leading zeros are fine.
    pub fn parse(text: &str) -> Result<Version, String> {
        let found = pieces(text, |byte| byte.is_ascii_digit()).filter(|found| found.len == text.len());
        let found = found.ok_or_else(|| INVALID.to_owned())?;
        let version = Version {
            major: number(found.numbers[0])?,
            minor: number(found.numbers[1])?,
            patch: number(found.numbers[2])?,
            prerelease: found.prerelease.to_owned(),
            metadata: found.metadata.to_owned(),
            original: text.to_owned(),
        };
        if !version.prerelease.is_empty() {
            validate_prerelease(&version.prerelease)?;
        }
        Ok(version)
    }

    /// The text the version was read from.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Order by precedence; metadata does not count, so versions that differ in it alone are equal here.
    pub fn compare(&self, other: &Version) -> Ordering {
        let numbers = (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch));
        numbers.then_with(|| match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_prerelease(&self.prerelease, &other.prerelease),
        })
    }

    fn with_text(mut self) -> Version {
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        self.original = format!("{prefix}{self}");
        self
    }

    fn release(&self, major: u64, minor: u64, patch: u64) -> Version {
        let (prerelease, metadata) = (String::new(), String::new());
        Version { major, minor, patch, prerelease, metadata, original: self.original.clone() }.with_text()
    }

    /// The next patch version; of a pre-release its release.
    pub fn inc_patch(&self) -> Result<Version, String> {
        if !self.prerelease.is_empty() {
            return Ok(self.release(self.major, self.minor, self.patch));
        }
        let patch = self.patch.checked_add(1).ok_or("patch version increment would overflow uint64")?;
        Ok(self.release(self.major, self.minor, patch))
    }

    /// The next minor version.
    pub fn inc_minor(&self) -> Result<Version, String> {
        let minor = self.minor.checked_add(1).ok_or("minor version increment would overflow uint64")?;
        Ok(self.release(self.major, minor, 0))
    }

    /// The next major version.
    pub fn inc_major(&self) -> Result<Version, String> {
        let major = self.major.checked_add(1).ok_or("major version increment would overflow uint64")?;
        Ok(self.release(major, 0, 0))
    }

    /// The same version with another pre-release.
    pub fn set_prerelease(&self, prerelease: &str) -> Result<Version, String> {
        if !prerelease.is_empty() {
            validate_prerelease(prerelease)?;
        }
        Ok(Version { prerelease: prerelease.to_owned(), ..self.clone() }.with_text())
    }

    /// The same version with other metadata.
    pub fn set_metadata(&self, metadata: &str) -> Result<Version, String> {
        let valid = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !metadata.is_empty() && !metadata.split('.').all(valid) {
            return Err("invalid metadata string".to_owned());
        }
        Ok(Version { metadata: metadata.to_owned(), ..self.clone() }.with_text())
    }
}

/// The canonical form, without a leading `v`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Pre-releases part by part: numbers below words, numbers by value, words by bytes, fewer parts below more.
pub(super) fn compare_prerelease(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let (l, r) = (left.next(), right.next());
        if l.is_none() && r.is_none() {
            return Ordering::Equal;
        }
        let (l, r) = (l.unwrap_or(""), r.unwrap_or(""));
        let order = match (l, r) {
            (l, r) if l == r => Ordering::Equal,
            ("", _) => Ordering::Less,
            (_, "") => Ordering::Greater,
            (l, r) => match (l.parse::<u64>(), r.parse::<u64>()) {
                (Err(_), Err(_)) => l.cmp(r),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                // Equal numbers with different texts (`01`, `1`): upstream answers "less" both ways.
                (Ok(l), Ok(r)) => l.cmp(&r).then(Ordering::Less),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_texts_are_read_and_printed_in_full() {
        for (text, want) in [("v1", "1.0.0"), ("1.2", "1.2.0"), ("01.2.3-a.b+c.d", "1.2.3-a.b+c.d"), ("0-0", "0.0.0-0")] {
            assert_eq!(Version::parse(text).unwrap().to_string(), want);
            assert_eq!(Version::parse(text).unwrap().original(), text);
        }
        for text in ["", "bad", "1.2.3.4", "1.", "1.2.3-", "1.2.3+", "V1", "1.2.3-a..b", " 1"] {
            assert_eq!(Version::parse(text).unwrap_err(), INVALID, "{text}");
        }
        assert_eq!(Version::parse("1.2.3-01").unwrap_err(), STARTS_ZERO);
        assert!(Version::parse("99999999999999999999").unwrap_err().ends_with("value out of range"));
    }

    #[test]
    fn precedence_follows_the_standard() {
        let ladder = ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"];
        for pair in ladder.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert_eq!(low.compare(&high), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn increments_keep_the_v() {
        let version = Version::parse("v1.2.3-rc.1").unwrap();
        assert_eq!(version.inc_patch().unwrap().original(), "v1.2.3");
        assert_eq!(version.inc_minor().unwrap().to_string(), "1.3.0");
        assert_eq!(version.set_prerelease("").unwrap().inc_patch().unwrap().to_string(), "1.2.4");
    }
}
