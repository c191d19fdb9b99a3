//! Paths to fields, as replacements and vars write them: `spec.containers.[name=web].image`, `spec.ports.0`, `data.*`.
//!
//! In: a path's text and a tree. Out: the value there ([`lookup`]), or all the values that it leads to, made on the way where
//! asked ([`Places::find`]). Dots are escaped by `\.` or by brackets around a key (`metadata.annotations.[a.b/c]`).

use crate::go::re2::Regex;
use crate::value::{Kind, Map, Scalar, Style, Text, Tree};
use crate::diag::SourceText;
use crate::yaml::{self, Dialect};

/// Splits a path at its dots; `[…]` stays together, and loses its brackets where it holds no `=`.
pub(crate) fn split(path: &str) -> Vec<String> {
    let parts = split_plain(path, ".");
    let mut result = Vec::new();
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut whole = part;
        for more in parts.by_ref() {
            whole.push('.');
            whole.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        result.push(if whole.contains('=') { whole } else { whole.trim_matches(['[', ']']).to_owned() });
    }
    result
}

/// Splits at a delimiter that a backslash escapes; one at the very front is skipped.
pub(crate) fn split_plain(path: &str, delimiter: &str) -> Vec<String> {
    let mut parts: Vec<&str> = path.split(delimiter).collect();
    if parts.len() > 1 && parts[0].is_empty() {
        parts.remove(0);
    }
    let mut result: Vec<String> = Vec::new();
    for part in parts {
        match result.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push_str(delimiter);
                last.push_str(part);
            }
            _ => result.push(part.to_owned()),
        }
    }
    result
}

/// The one value that a path leads to, as kyaml's path getter finds it: list elements by exact match, index, or `-` for
/// the last. Nothing where a step is missing.
pub(crate) fn lookup<'t>(tree: &'t Tree, path: &[String]) -> Result<Option<&'t Tree>, String> {
    let mut tree = tree;
    for part in path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        if tree.is_null() {
            return Ok(None);
        }
        let next = match part {
            "*" => return Err("wildcard is not supported here".to_owned()),
            _ if let_index(part)?.is_some() => {
                let items = list(tree)?;
                let at = let_index(part)?.flatten();
                match at {
                    Some(at) => items.get(at),
                    None => items.last(),
                }
            }
            _ if is_match(part) => {
                let (key, text) = match_of(part)?;
                list(tree)?.iter().find(|item| match key {
                    "" => text_of(item) == text,
                    _ => item.get(key).is_some_and(|value| text_of(value) == text),
                })
            }
            _ => map(tree)?.get(part),
        };
        let Some(next) = next else { return Ok(None) };
        tree = next;
    }
    Ok(Some(tree))
}

/// A numeric part or `-`: the index, where the inner nothing means the last.
fn let_index(part: &str) -> Result<Option<Option<usize>>, String> {
    if part == "-" {
        return Ok(Some(None));
    }
    match go_int(part) {
        Some(index) if index < 0 => Err(format!("array index {index} cannot be negative")),
        Some(index) => Ok(Some(Some(index as usize))),
        None => Ok(None),
    }
}

fn go_int(part: &str) -> Option<i64> {
    let digits = part.strip_prefix(['-', '+']).unwrap_or(part);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    part.strip_prefix('+').unwrap_or(part).parse().ok()
}

fn is_match(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Key and text of `[key=text]`.
fn match_of(part: &str) -> Result<(&str, &str), String> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner
        .split_once('=')
        .ok_or_else(|| format!("list path element `{part}` must contain fieldName=fieldValue for element to match"))
}

fn list(tree: &Tree) -> Result<&[Tree], String> {
    match tree {
        Tree::List(items) => Ok(items),
        _ if tree.is_null() => Ok(&[]),
        _ => Err(wrong_kind("SequenceNode", tree)),
    }
}

fn map(tree: &Tree) -> Result<&Map, String> {
    tree.as_map().ok_or_else(|| wrong_kind("MappingNode", tree))
}

fn wrong_kind(expected: &str, tree: &Tree) -> String {
    format!("wrong node kind: expected {expected} but got {}", super::merge::node_kind(tree))
}

fn text_of(tree: &Tree) -> &str {
    tree.as_scalar().map_or("", |scalar| &scalar.text)
}

/// What the last part of a path becomes where it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Nothing is made.
    Never,
    /// A scalar.
    Scalar,
    /// A list.
    List,
    /// A map.
    Map,
}

impl Make {
    /// Made so that a value like `tree` can go there.
    pub(crate) fn like(tree: &Tree) -> Make {
        match tree {
            Tree::Scalar(_) => Make::Scalar,
            Tree::List(_) => Make::List,
            Tree::Map(_) => Make::Map,
        }
    }

    fn tree(self) -> Tree {
        match self {
            Make::Never | Make::Scalar => Tree::plain(Kind::Null, ""),
            Make::List => Tree::list(Vec::new()),
            Make::Map => Tree::empty_map(),
        }
    }
}

/// One step to a value.
#[derive(Clone, Debug)]
enum Step {
    Key(Text),
    Index(usize),
}

/// Where a path led to.
#[derive(Debug, Default)]
pub(crate) struct Places {
    found: Vec<Place>,
    /// True where paths lead on into YAML inside scalars.
    into_texts: bool,
}

#[derive(Debug)]
struct Place {
    steps: Vec<Step>,
    /// False for what was to be made below null or inside a text, which kyaml loses.
    kept: bool,
    made: bool,
}

impl Places {
    /// All values that a path leads to. Elements are chosen by index, `*`, or `[key=regex]` where the expression is
    /// searched for in the value's YAML. What is missing is made if `make` says so. With `into_texts`, what a path finds inside
    /// a scalar that is YAML counts as found, and what is done to it is lost, as in kyaml from kustomize 5.8 on.
    pub(crate) fn find(tree: &mut Tree, path: &[String], make: Make, into_texts: bool) -> Result<Places, String> {
        let mut places = Places { into_texts, ..Places::default() };
        let mut steps = Vec::new();
        places.walk(tree, path, make, &mut steps, false)?;
        Ok(places)
    }

    /// True if the path led nowhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// True if a value was made.
    pub(crate) fn some_made(&self) -> bool {
        self.found.iter().any(|place| place.made)
    }

    /// Changes each value; `change` is told whether the value was made on the way.
    pub(crate) fn each(
        &self,
        tree: &mut Tree,
        mut change: impl FnMut(&mut Tree, bool) -> Result<(), String>,
    ) -> Result<(), String> {
        for place in self.found.iter().filter(|place| place.kept) {
            let target = place.steps.iter().try_fold(&mut *tree, |tree, step| match step {
                Step::Key(key) => tree.as_map_mut()?.get_mut(key),
                Step::Index(index) => tree.as_list_mut()?.get_mut(*index),
            });
            if let Some(target) = target {
                change(target, place.made)?;
            }
        }
        Ok(())
    }

    fn walk(
        &mut self,
        tree: &mut Tree,
        path: &[String],
        make: Make,
        steps: &mut Vec<Step>,
        made: bool,
    ) -> Result<(), String> {
        let Some((part, rest)) = path.split_first() else {
            self.found.push(Place { steps: steps.clone(), kept: true, made });
            return Ok(());
        };
        if let Some(index) = go_int(part).filter(|index| *index >= 0) {
            return self.walk_index(tree, index as usize, rest, make, steps);
        }
        if is_match(part) {
            return self.walk_matches(tree, part, rest, make, steps);
        }
        if part == "*" {
            for index in 0..list(tree)?.len() {
                self.walk_element(tree, index, rest, make, steps, false)?;
            }
            return Ok(());
        }
        if tree.is_null() {
            if make != Make::Never {
                self.found.push(Place { steps: Vec::new(), kept: false, made: true });
            }
            return Ok(());
        }
        let missing = !map(tree)?.contains(part);
        if missing && make == Make::Never {
            return Ok(());
        }
        if let Some(text) = tree.get(part).and_then(Tree::as_scalar).filter(|_| self.into_texts && !rest.is_empty()) {
            return self.walk_text(&text.text, rest, make);
        }
        let child = tree.as_map_mut().expect("seen to be a map").or_set_with(part, || kind_before(rest, make).tree());
        steps.push(Step::Key(part.as_str().into()));
        self.walk(child, rest, make, steps, missing)?;
        steps.pop();
        Ok(())
    }

    /// Follows a path inside a text, where nothing that is done has an effect.
    fn walk_text(&mut self, text: &str, rest: &[String], make: Make) -> Result<(), String> {
        let mut inner = yaml::parse(&SourceText::new("", text), Dialect::V3).map_err(|fault| fault.message)?;
        let inside = Places::find(&mut inner, rest, make, true)?;
        self.found.extend(inside.found.into_iter().map(|place| Place { kept: false, ..place }));
        Ok(())
    }

    fn walk_element(
        &mut self,
        tree: &mut Tree,
        index: usize,
        rest: &[String],
        make: Make,
        steps: &mut Vec<Step>,
        made: bool,
    ) -> Result<(), String> {
        let Some(item) = tree.as_list_mut().and_then(|items| items.get_mut(index)) else { return Ok(()) };
        steps.push(Step::Index(index));
        self.walk(item, rest, make, steps, made)?;
        steps.pop();
        Ok(())
    }

    fn walk_index(
        &mut self,
        tree: &mut Tree,
        index: usize,
        rest: &[String],
        make: Make,
        steps: &mut Vec<Step>,
    ) -> Result<(), String> {
        let length = list(tree)?.len();
        let append = index == length && make != Make::Never;
        if append {
            tree.as_list_mut().ok_or("cannot append to null")?.push(kind_before(rest, make).tree());
        } else if index >= length {
            return Err(format!("index {index} specified but only {length} elements found"));
        }
        self.walk_element(tree, index, rest, make, steps, append)
    }

    fn walk_matches(
        &mut self,
        tree: &mut Tree,
        part: &str,
        rest: &[String],
        make: Make,
        steps: &mut Vec<Step>,
    ) -> Result<(), String> {
        let (key, pattern) = match_of(part)?;
        let regex =
            Regex::new(pattern.as_bytes()).map_err(|error| format!("`{pattern}` is no regular expression: {error}"))?;
        let before = self.found.len();
        self.walk_matching(tree, key, &regex, rest, make, steps, false)?;
        if self.found.len() > before || make == Make::Never {
            return Ok(());
        }
        let value = untagged(pattern);
        let element = if key.is_empty() { value } else { Tree::map(Map::from_iter([(key.into(), value)])) };
        tree.as_list_mut().ok_or("cannot append to null")?.push(element);
        self.walk_matching(tree, key, &regex, rest, make, steps, true)?;
        if self.found.len() > before {
            return Ok(());
        }
        // kyaml appends for ever where its own element does not match.
        Err(format!("the element made for `{part}` does not match it"))
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one step of the walk")]
    fn walk_matching(
        &mut self,
        tree: &mut Tree,
        key: &str,
        regex: &Regex,
        rest: &[String],
        make: Make,
        steps: &mut Vec<Step>,
        made: bool,
    ) -> Result<(), String> {
        for index in 0..list(tree)?.len() {
            let item = &list(tree)?[index];
            let value = if key.is_empty() { Some(item) } else { item.get(key) };
            if !value.is_some_and(|value| regex.is_match(yaml_text(value).as_bytes())) {
                continue;
            }
            // What follows `[=value]` is not looked at.
            let rest = if key.is_empty() { &[][..] } else { rest };
            self.walk_element(tree, index, rest, make, steps, made && rest.is_empty())?;
        }
        Ok(())
    }
}

/// What a part must be for the rest of the path to follow.
fn kind_before(rest: &[String], make: Make) -> Make {
    match rest.first() {
        None => make,
        Some(next) if next.is_empty() => make,
        Some(next) if is_match(next) || go_int(next).is_some_and(|index| index >= 0) => Make::List,
        Some(_) => Make::Map,
    }
}

/// A plain scalar that is what YAML takes its text for.
pub(crate) fn untagged(text: &str) -> Tree {
    let kind = yaml::kind_of(text);
    Tree::Scalar(Scalar { kind, style: Style::Plain, text: text.into() })
}

/// A value's YAML as expressions are searched in it.
fn yaml_text(tree: &Tree) -> String {
    match tree {
        Tree::Scalar(scalar) => match scalar.style {
            Style::Double => format!("\"{}\"", scalar.text.escape_debug()),
            Style::Single => format!("'{}'", scalar.text.replace('\'', "''")),
            _ => scalar.text.to_string(),
        },
        _ => yaml::to_string(tree).trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_split_but_not_in_brackets() {
        assert_eq!(split("spec.[name=a.b].image"), ["spec", "[name=a.b]", "image"]);
        assert_eq!(split("metadata.annotations.[a.b/c]"), ["metadata", "annotations", "a.b/c"]);
        assert_eq!(split(r"data.a\.b"), ["data", "a.b"]);
        assert_eq!(split(".a.[b]"), ["a", "[b]"]);
        assert_eq!(split("a.[b.c"), ["a", "b.c"]);
    }

    #[test]
    fn numbers_and_dashes_index_lists() {
        let tree = Tree::list(vec![Tree::str("a"), Tree::str("b")]);
        let at = |path: &str| lookup(&tree, &split(path)).map(|found| found.and_then(Tree::as_str));
        assert_eq!((at("0"), at("-"), at("7"), at("[=b]")), (Ok(Some("a")), Ok(Some("b")), Ok(None), Ok(Some("b"))));
        assert!(at("*").is_err() && at("-1").is_err() && at("x").is_err());
    }

    #[test]
    fn what_is_missing_is_made_on_demand() {
        let mut tree = Tree::empty_map();
        let path = split("a.[k=v].0.b");
        assert!(Places::find(&mut tree, &path, Make::Never, false).expect("nothing there").is_empty());
        assert_eq!(tree, Tree::empty_map());
        let places = Places::find(&mut tree, &split("a.[k=v].l.0"), Make::Scalar, false).expect("made");
        places
            .each(&mut tree, |value, made| {
                assert!(made);
                *value = Tree::int(5);
                Ok(())
            })
            .expect("set");
        assert_eq!(yaml::to_json(&tree), r#"{"a":[{"k":"v","l":[5]}]}"#);
    }
}
