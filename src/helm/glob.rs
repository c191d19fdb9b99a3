//! Go's `filepath.Match` on `/`-separated paths: `*` and `?` stop at a slash, `[^a-z]` is a class, `\` escapes.
//!
//! `.helmignore` and `--show-only` use it; `.Files.Glob` does not (that dialect is gobwas').

/// A pattern that Go refuses with `syntax error in pattern`.
#[derive(Debug)]
pub(crate) struct BadPattern;

/// A pattern, read once. Most begin or end with what a name must begin or end with, and few names do.
#[derive(Debug)]
pub(crate) struct Glob {
    /// What a name begins with.
    lead: String,
    /// What comes between.
    middle: Vec<Step>,
    /// What it ends with.
    tail: String,
}

/// One step of a pattern.
#[derive(Debug)]
enum Step {
    Star,
    Any,
    One(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; fails if it is malformed anywhere.
    pub(crate) fn new(pattern: &str) -> Result<Glob, BadPattern> {
        let mut middle = steps(pattern)?;
        let one = |step: &Step| if let Step::One(c) = step { Some(*c) } else { None };
        let lead: String = middle.iter().map_while(one).collect();
        middle.drain(..lead.chars().count());
        let tail = middle.iter().rev().map_while(one).count();
        let tail = middle.split_off(middle.len() - tail).iter().filter_map(one).collect();
        Ok(Glob { lead, middle, tail })
    }

    /// True if the whole name matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.lead.as_str());
        let Some(name) = rest.and_then(|rest| rest.strip_suffix(self.tail.as_str())) else { return false };
        let steps = match &self.middle[..] {
            [] => return name.is_empty(),
            [Step::Star] => return !name.contains('/'),
            steps => steps,
        };
        let (mut at_step, mut at) = (0, 0);
        // where to go on if the present attempt fails: just after the last star, one more character eaten
        let mut resume: Option<(usize, usize)> = None;
        loop {
            let next = name[at..].chars().next();
            match (steps.get(at_step), next) {
                (None, None) => return true,
                (Some(Step::Star), _) => {
                    at_step += 1;
                    resume = Some((at_step, at));
                    continue;
                }
                (Some(step), Some(c)) if step.takes(c) => {
                    at_step += 1;
                    at += c.len_utf8();
                    continue;
                }
                _ => {}
            }
            let Some((step, eaten)) = resume else { return false };
            match name[eaten..].chars().next() {
                Some(c) if c != '/' => {
                    (at_step, at) = (step, eaten + c.len_utf8());
                    resume = Some((at_step, at));
                }
                _ => return false,
            }
        }
    }
}

/// True if the whole name matches; false for a malformed pattern.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    Glob::new(pattern).is_ok_and(|glob| glob.matches(name))
}

impl Step {
    fn takes(&self, c: char) -> bool {
        match self {
            Step::Star => false,
            Step::Any => c != '/',
            Step::One(one) => *one == c,
            Step::Class { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
        }
    }
}

fn steps(pattern: &str) -> Result<Vec<Step>, BadPattern> {
    let mut chars = pattern.chars().peekable();
    let mut steps = Vec::new();
    while let Some(c) = chars.next() {
        steps.push(match c {
            '*' => Step::Star,
            '?' => Step::Any,
            '\\' => Step::One(chars.next().ok_or(BadPattern)?),
            '[' => class(&mut chars)?,
            _ => Step::One(c),
        });
    }
    Ok(steps)
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Step, BadPattern> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if chars.peek() == Some(&']') && !ranges.is_empty() {
            chars.next();
            return Ok(Step::Class { negated, ranges });
        }
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { low };
        ranges.push((low, high));
    }
}

fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, BadPattern> {
    match chars.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => chars.next().ok_or(BadPattern),
        // a class must be closed: its last character cannot be the pattern's
        Some(c) if chars.peek().is_some() => Ok(c),
        Some(_) => Err(BadPattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_and_go_back() {
        assert!(matches("*.yaml", "a.yaml") && !matches("*.yaml", "a/b.yaml"));
        assert!(matches("a*b*c", "axxbyyc") && !matches("a*b*c", "axxbyy"));
        assert!(matches("templates/.?*", "templates/.x") && !matches("templates/.?*", "templates/."));
        assert!(matches("[^a-c]?", "dz") && !matches("[^a-c]?", "bz"));
        assert!(matches("\\*", "*") && !matches("\\*", "a"));
        assert!(matches("", "") && !matches("", "a") && matches("*", ""));
        assert!(matches("aba*aba", "abaaba") && !matches("aba*aba", "ababa") && !matches("a*a", "a/a") && !matches("aa", "aaa"));
        assert!(matches("a?*b", "axb") && !matches("a?*b", "ab") && !matches("a?*b", "ax/b") && matches("é*é", "éé"));
    }

    #[test]
    fn malformed_patterns_are_known() {
        for pattern in ["[", "[a", "[]", "[a-]", "\\", "[-a]"] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }
}
