//! Choosing objects: by group, version, kind, name and namespace, each a regular expression for a whole text, and by
//! labels and annotations in Kubernetes' selector syntax.
//!
//! In: a `target` as a tree. Out: the objects that it selects. Compiled once a patch; names that are plain words are
//! compared as such, since nearly all are.

use super::resid::{Gvk, Scopes};
use super::resource::Resource;
use crate::diag::{Diagnostic, Result};
use crate::go::re2::Regex;
use crate::value::{Text, Tree};

use super::label_selector::LabelSelector;

/// What a `target` selects, compiled.
#[derive(Debug)]
pub(crate) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
}

/// A pattern for a whole text.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Any text.
    Any,
    /// This text.
    Exactly(Text),
    /// Texts that the expression matches as a whole.
    Matching(Regex),
}

impl Selector {
    /// Reads a `target`. Fails with code `kustomize-selector` for a pattern or selector that is none.
    pub(crate) fn read(target: &Tree) -> Result<Selector> {
        let text = |key: &str| target.get(key).filter(|value| !value.is_null()).and_then(Tree::as_scalar);
        let text = |key| text(key).map_or("", |scalar| scalar.text.as_str());
        Ok(Selector {
            group: Pattern::read(text("group"))?,
            version: Pattern::read(text("version"))?,
            kind: Pattern::read(text("kind"))?,
            name: Pattern::read(text("name"))?,
            namespace: Pattern::read(text("namespace"))?,
            labels: LabelSelector::read(text("labelSelector"))?,
            annotations: LabelSelector::read(text("annotationSelector"))?,
        })
    }

    /// True if the object is selected: its name and namespace may be those of now or those it came with.
    pub(crate) fn selects(&self, resource: &Resource, scopes: &dyn Scopes) -> bool {
        self.selects_kind(&resource.gvk())
            && self.selects_name(resource)
            && self.selects_namespace(resource, scopes)
            && (self.labels.is_any() || self.labels.selects(&resource.meta_map("labels")))
            && (self.annotations.is_any() || self.annotations.selects(&resource.meta_map("annotations")))
    }

    /// Positions of the objects that are selected, in order.
    pub(crate) fn select(&self, resources: &[Resource], scopes: &dyn Scopes) -> Vec<usize> {
        let selected = |(_, resource): &(usize, &Resource)| !resource.is_gone() && self.selects(resource, scopes);
        resources.iter().enumerate().filter(selected).map(|(position, _)| position).collect()
    }

    fn selects_kind(&self, gvk: &Gvk) -> bool {
        self.kind.matches(&gvk.kind) && self.group.matches(&gvk.group) && self.version.matches(&gvk.version)
    }

    fn selects_name(&self, resource: &Resource) -> bool {
        self.name.is_any()
            || self.name.matches(&resource.name())
            || resource.previous.first().is_some_and(|first| self.name.matches(&first.name))
    }

    fn selects_namespace(&self, resource: &Resource, scopes: &dyn Scopes) -> bool {
        self.namespace.is_any()
            || self.namespace.matches(resource.current_id(scopes).effective_namespace())
            || self.namespace.matches(resource.original_id(scopes).effective_namespace())
    }
}

impl Pattern {
    /// Reads a pattern; an empty one matches any text. Fails with code `kustomize-selector`.
    pub(crate) fn read(text: &str) -> Result<Pattern> {
        if text.is_empty() {
            return Ok(Pattern::Any);
        }
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/'));
        if is_word {
            return Ok(Pattern::Exactly(text.into()));
        }
        match Regex::new(format!("^(?:{text})$").as_bytes()) {
            Ok(regex) => Ok(Pattern::Matching(regex)),
            Err(error) => {
                let fault =
                    Diagnostic::input("kustomize-selector", format!("`{text}` is no regular expression: {error}"));
                Err(Box::new(fault.hint("write RE2 syntax in the fields of `target`")))
            }
        }
    }

    /// True if it matches any text.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Pattern::Any)
    }

    /// True if it matches the whole of a text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Exactly(want) => want == text,
            Pattern::Matching(regex) => regex.is_match(text.as_bytes()),
        }
    }
}
