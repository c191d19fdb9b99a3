//! The user's own rules, from a file: which differences are noise, which are never noise, which are dangers.
//!
//! ```yaml
//! rules:
//! - name: replicas belong to the autoscaler
//!   kind: Deployment            # globs; kind may be Kind.group; all optional
//!   namespace: shop-*
//!   object: web-*
//!   path: spec.replicas         # `*` is one step, `**` any number
//!   change: [value, added]      # default: any
//!   action: fold                # fold, show, or flag
//! ```
//!
//! The first rule that fits counts. `fold` counts the difference on one line under the rule's name, `show` keeps it from being
//! folded by the classes that come with Hydrant, `flag` shows it and adds it to the dangers.

use super::noise::Noise;
use super::{Class, FieldPath, Step};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::ObjectId;
use crate::value::{Text, Tree};
use crate::yaml;

/// Most rules of a file.
const RULES_MAX: usize = 1000;

/// What a rule does with the differences that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Counts them on one line.
    Fold,
    /// Shows them, whatever class they are of.
    Show,
    /// Shows them and calls them dangerous.
    Flag,
}

/// One rule.
#[derive(Clone, Debug)]
struct Rule {
    name: Text,
    kind: Option<Text>,
    namespace: Option<Text>,
    object: Option<Text>,
    path: Vec<Text>,
    changes: Vec<Text>,
    action: Action,
}

/// The rules of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// Reads a file of rules. Fails with `diff-rules` or as reading YAML does.
    pub(crate) fn parse(source: &SourceText) -> Result<Rules> {
        let document = yaml::parse_document(source, yaml::Dialect::V3)?;
        let fault = |path: &[&str], why: String| {
            let fault = Diagnostic::input("diff-rules", why);
            Box::new(match document.spans.nearest(path) {
                Some(span) => fault.at(source, span, "here"),
                None => fault,
            })
        };
        let list = document.tree.get("rules").and_then(Tree::as_list);
        let Some(list) = list else { return Err(fault(&[], "a file of rules has no list `rules`".to_owned())) };
        if list.len() > RULES_MAX {
            return Err(fault(&["rules"], format!("there are more than {RULES_MAX} rules")));
        }
        let mut rules = Vec::new();
        for (at, rule) in list.iter().enumerate() {
            let place = at.to_string();
            rules.push(Rule::read(rule).map_err(|(key, why)| fault(&["rules", &place, key], why))?);
        }
        Ok(Rules { rules })
    }

    /// The names of rules that fold.
    pub(crate) fn folding(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.action == Action::Fold).map(|rule| rule.name.as_str())
    }

    /// What the first rule that fits says: noise, or certainly none. Nothing where no rule fits.
    pub(super) fn noise(&self, id: &ObjectId, path: &FieldPath, class: Class) -> Option<Option<Noise>> {
        let rule = self.first(id, path, class)?;
        Some((rule.action == Action::Fold).then(|| Noise::Rule(rule.name.clone())))
    }

    /// The name of the rule that calls a difference dangerous.
    pub(super) fn danger(&self, id: &ObjectId, path: &FieldPath, class: Class) -> Option<&str> {
        self.first(id, path, class).filter(|rule| rule.action == Action::Flag).map(|rule| rule.name.as_str())
    }

    fn first(&self, id: &ObjectId, path: &FieldPath, class: Class) -> Option<&Rule> {
        if self.rules.is_empty() {
            return None;
        }
        self.rules.iter().find(|rule| rule.fits(id, path, class))
    }
}

impl Rule {
    fn read(tree: &Tree) -> Result<Rule, (&'static str, String)> {
        let Some(map) = tree.as_map() else { return Err(("", "a rule is no map".to_owned())) };
        for (key, _) in map.iter() {
            if !["name", "kind", "namespace", "object", "path", "change", "action"].contains(&key.as_str()) {
                return Err(("", format!("a rule has no field `{key}`")));
            }
        }
        let text = |key: &'static str| match map.get(key) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) if !text.is_empty() => Ok(Some(Text::from(text))),
                _ => Err((key, format!("`{key}` is no text"))),
            },
        };
        let action = match text("action")?.as_deref() {
            None | Some("fold") => Action::Fold,
            Some("show") => Action::Show,
            Some("flag") => Action::Flag,
            Some(other) => return Err(("action", format!("`{other}` is no action: write fold, show or flag"))),
        };
        let changes: Vec<Text> = match map.get("change") {
            None => Vec::new(),
            Some(value) => {
                let list = value.as_list().unwrap_or_else(|| std::slice::from_ref(value));
                list.iter().filter_map(Tree::as_str).map(Text::from).collect()
            }
        };
        let known = ["value", "added", "removed", "moved", "respelled"];
        if let Some(other) = changes.iter().find(|change| !known.contains(&change.as_str())) {
            return Err(("change", format!("`{other}` is no kind of change: write one of {}", known.join(", "))));
        }
        let Some(name) = text("name")? else { return Err(("name", "a rule has no `name`".to_owned())) };
        let Some(path) = text("path")? else { return Err(("path", format!("the rule `{name}` has no `path`"))) };
        Ok(Rule {
            name,
            kind: text("kind")?,
            namespace: text("namespace")?,
            object: text("object")?,
            path: steps(&path),
            changes,
            action,
        })
    }

    fn fits(&self, id: &ObjectId, path: &FieldPath, class: Class) -> bool {
        let glob = |pattern: &Option<Text>, text: &str| pattern.as_ref().is_none_or(|pattern| is_like(pattern, text));
        let whole = format!("{}.{}", id.kind, id.group);
        let steps: Vec<&str> = path
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Item { name, .. } => Some(name.split_once('=').map_or("", |(_, name)| name)),
                Step::Inside(_) => None,
            })
            .collect();
        (glob(&self.kind, &id.kind) || glob(&self.kind, &whole))
            && glob(&self.namespace, &id.namespace)
            && glob(&self.object, &id.name)
            && (self.changes.is_empty() || self.changes.iter().any(|change| change == class.word()))
            && leads(&self.path, &steps)
    }
}

/// The steps of a path: `spec.template.metadata.annotations[checksum/config]`, `spec.containers.*.image`.
fn steps(path: &str) -> Vec<Text> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').unwrap_or(inner.len());
            steps.push(inner[..end].into());
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(rest[..end].into());
            rest = &rest[end..];
        }
    }
    steps
}

/// True if a pattern of steps leads to a place, or above it.
fn leads(pattern: &[Text], steps: &[&str]) -> bool {
    match pattern.split_first() {
        None => true,
        Some((any, rest)) if any == "**" => (0..=steps.len()).any(|at| leads(rest, &steps[at..])),
        Some((first, rest)) => steps.split_first().is_some_and(|(step, below)| is_like(first, step) && leads(rest, below)),
    }
}

/// True if a text is like a pattern in which `*` stands for any characters.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_they_say() {
        for (pattern, text, fits) in
            [("a*", "abc", true), ("*c", "abc", true), ("a*c*e", "abcde", true), ("a", "ab", false), ("*b*", "aba", true), ("a*a", "a", false)]
        {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
        let fits = |pattern: &str, path: &[&str]| leads(&steps(pattern), path);
        assert!(fits("spec.replicas", &["spec", "replicas"]) && !fits("spec.replicas", &["spec"]));
        assert!(fits("**.image", &["spec", "containers", "web", "image"]));
        assert!(fits("metadata.annotations[a.b/c]", &["metadata", "annotations", "a.b/c"]));
    }

    #[test]
    fn what_is_wrong_with_rules_is_said() {
        let fault = |text: &str| Rules::parse(&SourceText::new("r.yaml", text)).expect_err("wrong").message;
        assert_eq!(fault("a: 1"), "a file of rules has no list `rules`");
        assert_eq!(fault("rules: [{name: x, path: a, action: hide}]"), "`hide` is no action: write fold, show or flag");
        assert_eq!(fault("rules: [{path: a}]"), "a rule has no `name`");
        assert_eq!(fault("rules: [{name: a, path: b, colour: red}]"), "a rule has no field `colour`");
        let many = format!("rules:\n{}", "- {name: a, path: b}\n".repeat(RULES_MAX + 1));
        assert_eq!(fault(&many), "there are more than 1000 rules");
    }
}
