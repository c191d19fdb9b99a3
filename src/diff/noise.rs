//! Differences that say the same many times over, told apart so that they can be counted instead of shown.

use std::collections::BTreeSet;

use base64::Engine as _;

use super::pairing::Match;
use super::{Class, FieldPath};
use crate::manifest::ObjectId;
use crate::value::{Text, Tree};

/// What makes a difference noise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Noise {
    /// The labels that name a chart and its application's version.
    ChartLabel(Text),
    /// Annotations that hold a digest of something else, to restart pods.
    Checksum,
    /// Certificates and keys made anew.
    Certificate,
    /// Another tag or digest of the same image.
    ImageTag(Text),
    /// The new name of an object or release that was renamed, where others refer to it.
    Reference,
    /// Descriptions in the schemas of CRDs.
    SchemaText,
    /// A rule of the user's, by its name.
    Rule(Text),
}

impl Noise {
    /// The word for its class, as `--unfold` takes it.
    pub(crate) fn word(&self) -> &str {
        match self {
            Noise::ChartLabel(_) => "chart-label",
            Noise::Checksum => "checksum",
            Noise::Certificate => "certificate",
            Noise::ImageTag(_) => "image-tag",
            Noise::Reference => "reference",
            Noise::SchemaText => "schema-text",
            Noise::Rule(name) => name,
        }
    }
}

/// The classes that come with Hydrant, and the fold of equal changes.
pub(crate) const WORDS: [&str; 7] =
    ["chart-label", "checksum", "certificate", "image-tag", "reference", "schema-text", "same-change"];

/// The labels of a chart's and its application's version.
const CHART_LABELS: [&str; 3] = ["helm.sh/chart", "app.kubernetes.io/version", "chart"];

/// Names that changed between the two sets.
#[derive(Default)]
pub(super) struct Names {
    /// Old and new names of objects, as whole values.
    whole: BTreeSet<(Text, Text)>,
    /// Old and new names of releases, which begin other names.
    releases: BTreeSet<(Text, Text)>,
}

impl Names {
    /// What the matched objects say.
    pub(super) fn of(matches: &[Match<'_>]) -> Names {
        let mut names = Names::default();
        for found in matches.iter().filter(|found| found.renamed.is_some()) {
            let (Some(old), Some(new)) = (found.old, found.new) else { continue };
            let pairs = [(&old.id.name, &new.id.name), (&old.id.namespace, &new.id.namespace)];
            names.whole.extend(pairs.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.clone(), b.clone())));
            let instance = |tree: &Tree| {
                tree.at(&["metadata", "labels", "app.kubernetes.io/instance"]).and_then(Tree::as_str).map(Text::from)
            };
            if let (Some(a), Some(b)) = (instance(old.tree()), instance(new.tree()))
                && a != b
            {
                names.releases.insert((a, b));
            }
        }
        names
    }

    fn follows(&self, old: &str, new: &str) -> bool {
        self.whole.contains(&(old.into(), new.into()))
            || self.releases.iter().any(|(was, is)| {
                let rest = |text: &str, name: &str| {
                    let rest = text.strip_prefix(name)?;
                    (rest.is_empty() || rest.starts_with(['-', '.'])).then(|| rest.to_owned())
                };
                rest(old, was).is_some_and(|a| rest(new, is) == Some(a))
            })
    }

    /// What makes a difference noise, if anything does.
    pub(super) fn classify(
        &self,
        ids: (&ObjectId, &ObjectId),
        path: &FieldPath,
        class: Class,
        old: Option<&Tree>,
        new: Option<&Tree>,
    ) -> Option<Noise> {
        let last = path.last_key();
        if ids.1.kind == "CustomResourceDefinition" && last == "description" && path.keys().any(|key| key == "openAPIV3Schema") {
            return Some(Noise::SchemaText);
        }
        // what comes or goes is told, but for the digests that follow what they are digests of
        let above = path.keys().nth_back(1).unwrap_or_default();
        if class != Class::Value {
            return None;
        }
        let (old, new) = (text(old?)?, text(new?)?);
        match above {
            "labels" if CHART_LABELS.contains(&last) => return Some(Noise::ChartLabel(last.into())),
            "annotations" if is_checksum(last, old, new) => return Some(Noise::Checksum),
            _ => {}
        }
        if last == "caBundle" || (ids.1.kind == "Secret" && above == "data") {
            return (is_pem(old) && is_pem(new)).then_some(Noise::Certificate);
        }
        if last == "image"
            && let (Some(was), Some(is)) = (repository(old), repository(new))
            && was == is
        {
            return Some(Noise::ImageTag(was.into()));
        }
        self.follows(old, new).then_some(Noise::Reference)
    }
}

fn text(tree: &Tree) -> Option<&str> {
    tree.as_scalar().map(|scalar| scalar.text.as_str())
}

fn is_checksum(key: &str, old: &str, new: &str) -> bool {
    let digest = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (key.contains("checksum") || key.contains("hash") || key.contains("sha256") || key == "rollme")
        && ((digest(old) && digest(new)) || key == "rollme")
}

/// True for PEM, plain or in base64.
fn is_pem(text: &str) -> bool {
    const START: &str = "-----BEGIN ";
    if text.starts_with(START) {
        return true;
    }
    let head: String = text.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(head).is_ok_and(|bytes| bytes.starts_with(&START.as_bytes()[..11]))
}

/// An image without its tag and digest; nothing for what has neither.
fn repository(image: &str) -> Option<&str> {
    let (bare, digest) = image.split_once('@').map_or((image, false), |(bare, _)| (bare, true));
    let name_at = bare.rfind('/').map_or(0, |at| at + 1);
    match bare[name_at..].find(':') {
        Some(colon) => Some(&bare[..name_at + colon]),
        None => digest.then_some(bare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_lose_tag_and_digest() {
        assert_eq!(repository("r:5000/a/b:1.2@sha256:00"), Some("r:5000/a/b"));
        assert_eq!(repository("a@sha256:00"), Some("a"));
        assert_eq!(repository("r:5000/a"), None);
    }

    #[test]
    fn digests_and_pem_are_known() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert!(is_checksum("checksum/config", &a, &b) && !is_checksum("checksum/config", &a, "x") && !is_checksum("x", &a, &b));
        assert!(is_pem("-----BEGIN CERTIFICATE-----\n") && is_pem("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==") && !is_pem("cGFzcw=="));
    }
}
