//! Constraints: `||` between groups, commas or spaces within one, operators, wildcards and hyphen ranges.

use std::cmp::Ordering;

use super::version::{Pieces, Version, compare_prerelease, pieces};

/// What a chart may ask of a version.
#[derive(Clone, Debug)]
pub struct Constraints {
    groups: Vec<Group>,
}

/// Conditions that must all hold. A pre-release is let in only where one of them names a pre-release.
#[derive(Clone, Debug)]
struct Group {
    conditions: Vec<Condition>,
    with_prereleases: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// Operator spellings in the order in which upstream's pattern tries them.
const OPERATORS: &[(&str, Operator)] = &[
    ("=", Operator::Equal),
    ("", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~", Operator::Tilde),
    ("~>", Operator::Tilde),
    ("^", Operator::Caret),
];

/// `1.x` and `1` leave segments open: `any_minor` when the minor is, `any_patch` when only the patch is.
#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    version: Version,
    any_minor: bool,
    any_patch: bool,
    open: bool,
}

/// What a number segment of a constraint may hold; the bar is upstream's slip and kept.
fn digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn spaces(text: &str) -> usize {
    text.bytes().take_while(|byte| is_space(*byte)).count()
}

/// An operator and a version at the very start of `text`: the operator, the version's pieces and text, and the whole length.
fn operator_and_version(text: &str) -> Option<(Operator, Pieces<'_>, usize)> {
    OPERATORS.iter().find_map(|(spelling, operator)| {
        let rest = text.strip_prefix(spelling)?;
        let gap = spaces(rest);
        let found = pieces(&rest[gap..], digit)?;
        Some((*operator, found, spelling.len() + gap + found.len))
    })
}

impl Constraints {
    /// Reads a constraint; the error is upstream's text.
    pub fn parse(text: &str) -> Result<Constraints, String> {
        let text = rewrite_ranges(text);
        let groups = text.split("||").map(parse_group).collect::<Result<Vec<_>, _>>()?;
        Ok(Constraints { groups })
    }

    /// Whether `version` satisfies one of the groups.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let admitted = version.prerelease.is_empty() || group.with_prereleases;
            group.conditions.iter().all(|condition| admitted && condition.holds(version))
        })
    }
}

/// Turns `1.2 - 2.3` into `>= 1.2, <= 2.3 ` wherever it stands.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        if !text.is_char_boundary(at) {
            at += 1;
            continue;
        }
        match range_at(&text[at..]) {
            Some((low, high, length)) => {
                let matched = &text[at..at + length];
                out = out.replacen(matched, &format!(">= {low}, <= {high} "), 1);
                at += length;
            }
            None => at += 1,
        }
    }
    out
}

fn range_at(text: &str) -> Option<(&str, &str, usize)> {
    let start = spaces(text);
    let low = pieces(&text[start..], digit)?;
    let low_end = start + low.len;
    let gap = spaces(&text[low_end..]);
    let dash = low_end + gap;
    if gap == 0 || text.as_bytes().get(dash) != Some(&b'-') {
        return None;
    }
    let gap = spaces(&text[dash + 1..]);
    if gap == 0 {
        return None;
    }
    let high_start = dash + 1 + gap;
    let high = pieces(&text[high_start..], digit)?;
    let high_end = high_start + high.len;
    Some((&text[start..low_end], &text[high_start..high_end], high_end + spaces(&text[high_end..])))
}

fn improper(text: &str) -> String {
    format!("improper constraint: {}", crate::go::strconv::quote(text))
}

fn parse_group(text: &str) -> Result<Group, String> {
    let mut conditions = Vec::new();
    let mut rest = &text[spaces(text)..];
    loop {
        let (operator, found, length) = operator_and_version(rest).ok_or_else(|| improper(text))?;
        conditions.push(Condition::new(operator, found)?);
        rest = &rest[length..];
        let gap = spaces(rest);
        rest = &rest[gap..];
        if rest.is_empty() {
            break;
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = &more[spaces(more)..],
            None if gap == 0 => return Err(improper(text)),
            None => {}
        }
    }
    let with_prereleases = conditions.iter().any(|condition| !condition.version.prerelease.is_empty());
    Ok(Group { conditions, with_prereleases })
}

impl Condition {
    fn new(operator: Operator, found: Pieces<'_>) -> Result<Condition, String> {
        let [major, minor, patch] = found.numbers;
        let open = |segment: &str| matches!(segment, "" | "x" | "X" | "*");
        let suffix = if found.prerelease.is_empty() { String::new() } else { format!("-{}", found.prerelease) };
        let metadata = if found.metadata.is_empty() { String::new() } else { format!("+{}", found.metadata) };
        let (text, any_minor, any_patch, is_open) = if open(major) {
            (format!("0.0.0{suffix}"), false, false, true)
        } else if open(minor) {
            (format!("{major}.0.0{suffix}"), true, false, true)
        } else if open(patch) {
            (format!("{major}.{minor}.0{suffix}"), false, true, true)
        } else {
            (format!("{major}.{minor}.{patch}{suffix}{metadata}"), false, false, false)
        };
        let version = Version::parse(&text).map_err(|_| "constraint parser error".to_owned())?;
        Ok(Condition { operator, version, any_minor, any_patch, open: is_open })
    }

    fn holds(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal if self.open => self.within_tilde(version),
            Operator::Equal => order == Ordering::Equal,
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.is_below(version, order),
            Operator::Less => order == Ordering::Less,
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost => self.is_at_least(version, order),
            Operator::Tilde => self.within_tilde(version),
            Operator::Caret => self.within_caret(version),
        }
    }

    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        if self.open {
            if own.major != version.major || own.minor != version.minor && !self.any_minor {
                return true;
            }
            if self.any_minor {
                return false;
            }
            if own.patch != version.patch && !self.any_patch {
                return true;
            }
            if self.any_patch {
                let some = !version.prerelease.is_empty() || !own.prerelease.is_empty();
                return some && compare_prerelease(&version.prerelease, &own.prerelease) != Ordering::Equal;
            }
        }
        version.compare(own) != Ordering::Equal
    }

    fn is_below(&self, version: &Version, order: Ordering) -> bool {
        let own = &self.version;
        if !self.open || version.major == own.major && !self.any_minor && !self.any_patch {
            return order == Ordering::Greater;
        }
        match version.major.cmp(&own.major) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => self.any_patch && version.minor > own.minor,
        }
    }

    fn is_at_least(&self, version: &Version, order: Ordering) -> bool {
        if !self.open {
            return order != Ordering::Greater;
        }
        let own = &self.version;
        version.major <= own.major && !(version.major == own.major && version.minor > own.minor && !self.any_minor)
    }

    fn within_tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own) == Ordering::Less {
            return false;
        }
        let any = own.major == 0 && own.minor == 0 && own.patch == 0 && !self.any_minor && !self.any_patch;
        any || version.major == own.major && (version.minor == own.minor || self.any_minor)
    }

    fn within_caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own) == Ordering::Less {
            return false;
        }
        if own.major > 0 || self.any_minor {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.any_patch {
            return version.minor == own.minor;
        }
        version.minor == 0 && own.patch == version.patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(constraint: &str, version: &str) -> bool {
        Constraints::parse(constraint).unwrap().check(&Version::parse(version).unwrap())
    }

    #[test]
    fn each_operator_admits_what_upstream_admits() {
        for (constraint, yes, no) in [
            ("1.2", "1.2.9", "1.3.0"),
            ("=1.2.3", "1.2.3+meta", "1.2.4"),
            ("!=1.2", "1.3.0", "1.2.7"),
            ("!=1.2.3", "1.2.4", "1.2.3"),
            (">11", "12.0.0", "11.1.0"),
            (">11.1", "11.2.0", "11.1.1"),
            ("<2", "1.9.9", "2.0.0"),
            ("=>1.2", "1.2.0", "1.1.9"),
            ("<=1", "1.9.0", "2.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~>1", "1.9.0", "2.0.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.2", "0.2.9", "0.3.0"),
            ("^1.2.x", "1.9.0", "2.0.0"),
            ("*", "3.2.1", "1.0.0-rc.1"),
            ("1.2 - 2.3", "2.3.4", "2.4.0"),
            (">1.0, <3 || 5.x", "5.1.0", "4.0.0"),
            (">= 1.21-0", "1.30.2-gke.100", "1.20.9"),
        ] {
            assert!(check(constraint, yes), "{constraint} {yes}");
            assert!(!check(constraint, no), "{constraint} {no}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_upstreams_words() {
        for text in ["", ">>1", "1.2.3.4.5 a", "1,,2", "foo", "1.2||"] {
            assert!(Constraints::parse(text).unwrap_err().starts_with("improper constraint: \""), "{text}");
        }
        assert_eq!(Constraints::parse("1|2").unwrap_err(), "constraint parser error");
    }
}
