//! Globs as gobwas/glob v0.2.3 reads them with `/` as the separator, which is how Helm's `Files.Glob` calls it.
//!
//! `*` and `?` stop at the separator, `**` does not, `[abc]`, `[a-z]` and `[!…]` are classes, `{a,b}` alternatives, `\` quotes.
//! In: a pattern. Out: a [`Glob`] that says whether a path matches whole. Matching takes time in proportion to pattern × path.

use std::collections::HashSet;

/// Alternatives nest at most this deep; charts use one level.
const NESTING_LIMIT: usize = 100;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Text(Vec<char>),
    Any,
    Super,
    Single,
    List { chars: Vec<char>, not: bool },
    Range { low: char, high: char, not: bool },
    AnyOf(Vec<Vec<Node>>),
}

impl Glob {
    /// Compiles a pattern; the error is upstream's text.
    pub fn new(pattern: &str) -> Result<Glob, String> {
        let mut parser = Parser { chars: pattern.chars().collect(), at: 0 };
        let (nodes, _) = parser.sequence(0)?;
        Ok(Glob { nodes })
    }

    /// Whether the whole of `path` matches.
    pub fn is_match(&self, path: &str) -> bool {
        let chars: Vec<char> = path.chars().collect();
        ends(&self.nodes, &chars, HashSet::from([0])).contains(&chars.len())
    }
}

/// Every position at which `nodes` can end when they start at one of `starts`.
fn ends(nodes: &[Node], text: &[char], starts: HashSet<usize>) -> HashSet<usize> {
    nodes.iter().fold(starts, |at, node| {
        let mut next = HashSet::new();
        let mut sorted: Vec<usize> = at.into_iter().collect();
        sorted.sort_unstable();
        for start in sorted {
            advance(node, text, start, &mut next);
        }
        next
    })
}

fn advance(node: &Node, text: &[char], start: usize, next: &mut HashSet<usize>) {
    let one = text.get(start);
    match node {
        Node::Text(want) => {
            if text[start..].starts_with(want) {
                next.insert(start + want.len());
            }
        }
        Node::Any => {
            let reach = text[start..].iter().take_while(|c| **c != '/').count();
            next.extend(start..=start + reach);
        }
        Node::Super => next.extend(start..=text.len()),
        Node::Single => next.extend(one.filter(|c| **c != '/').map(|_| start + 1)),
        Node::List { chars, not } => next.extend(one.filter(|c| chars.contains(c) != *not).map(|_| start + 1)),
        Node::Range { low, high, not } => {
            next.extend(one.filter(|c| (*low <= **c && **c <= *high) != *not).map(|_| start + 1));
        }
        Node::AnyOf(branches) => {
            for branch in branches {
                next.extend(ends(branch, text, HashSet::from([start])));
            }
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    /// Nodes up to the end, or inside braces up to a comma or the closing brace, which is returned.
    fn sequence(&mut self, depth: usize) -> Result<(Vec<Node>, Option<char>), String> {
        if depth > NESTING_LIMIT {
            return Err(format!("alternatives nest deeper than {NESTING_LIMIT}"));
        }
        let mut nodes = Vec::new();
        while let Some(c) = self.next() {
            match c {
                ',' | '}' if depth > 0 => return Ok((nodes, Some(c))),
                '{' => {
                    let mut branches = Vec::new();
                    loop {
                        let (branch, end) = self.sequence(depth + 1)?;
                        branches.push(branch);
                        if end != Some(',') {
                            break;
                        }
                    }
                    nodes.push(Node::AnyOf(branches));
                }
                '*' if self.chars.get(self.at) == Some(&'*') => {
                    self.at += 1;
                    nodes.push(Node::Super);
                }
                '*' => nodes.push(Node::Any),
                '?' => nodes.push(Node::Single),
                '[' => nodes.push(self.class()?),
                _ => {
                    self.at -= 1;
                    let breaks: &[char] = if depth > 0 { &['?', '*', '[', '{', '}', ','] } else { &['?', '*', '[', '{'] };
                    let text = self.text(breaks);
                    if !text.is_empty() {
                        nodes.push(Node::Text(text));
                    }
                }
            }
        }
        Ok((nodes, None))
    }

    fn text(&mut self, breaks: &[char]) -> Vec<char> {
        let mut out = Vec::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => out.extend(self.next()),
                _ if breaks.contains(&c) => {
                    self.at -= 1;
                    break;
                }
                _ => out.push(c),
            }
        }
        out
    }

    fn class(&mut self) -> Result<Node, String> {
        let unexpected = || "unexpected end of input".to_owned();
        let not = self.chars.get(self.at) == Some(&'!');
        self.at += usize::from(not);
        let first = *self.chars.get(self.at).ok_or_else(unexpected)?;
        if self.chars.get(self.at + 1) == Some(&'-') {
            self.at += 2;
            let high = self.next().ok_or_else(unexpected)?;
            return match self.next() {
                None => Err(unexpected()),
                Some(']') if high < first => Err(format!("hi character '{high}' should be greater than lo '{first}'")),
                Some(']') => Ok(Node::Range { low: first, high, not }),
                Some(_) => Err("expected close range character".to_owned()),
            };
        }
        let chars = self.text(&[']']);
        match self.next() {
            None => Err(unexpected()),
            Some(_) if chars.is_empty() => Err("could not parse range".to_owned()),
            Some(_) => Ok(Node::List { chars, not }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_and_double_stars_do_not() {
        for (pattern, yes, no) in [
            ("*.txt", "a.txt", "d/a.txt"),
            ("**.txt", "d/e/a.txt", "a.md"),
            ("conf/**", "conf/a/b", "cfg/a"),
            ("a?c", "abc", "a/c"),
            ("[!ab]x", "cx", "ax"),
            ("[a-c]x", "bx", "dx"),
            ("{a,b*}.{yaml,yml}", "bcd.yml", "c.yml"),
            ("\\*", "*", "a"),
            ("{a,{b,c}d}", "cd", "c"),
            ("", "", "a"),
        ] {
            let glob = Glob::new(pattern).unwrap();
            assert!(glob.is_match(yes), "{pattern} {yes}");
            assert!(!glob.is_match(no), "{pattern} {no}");
        }
    }

    #[test]
    fn broken_classes_are_refused() {
        assert_eq!(Glob::new("[z-a]").unwrap_err(), "hi character 'a' should be greater than lo 'z'");
        for pattern in ["[", "[a", "[]", "[a-bc]"] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
        assert!(Glob::new(&"{".repeat(NESTING_LIMIT + 2)).is_err());
    }
}
