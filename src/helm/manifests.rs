//! Rendered files to manifests and hooks: split at `---`, sorted as Helm installs.
//!
//! In: what the templates printed, by path. Out: manifests and hooks in Helm's order, texts untouched but for the space
//! that Helm trims. Of each document only the few fields that Helm reads are read, and a document that is no YAML
//! fails the render, as in Helm.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};

use super::head::{self, Head};

/// A document that a template printed.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The template's path, chart name first (`web/templates/a.yaml`).
    pub path: Arc<str>,
    /// Its text.
    pub text: Piece,
    /// Its kind; empty where it names none.
    pub kind: String,
}

/// A part of what a template printed. Copies share it.
#[derive(Clone, Debug)]
pub struct Piece {
    whole: Arc<String>,
    range: Range<usize>,
}

impl Piece {
    /// `part` is a slice of `whole`.
    fn of(whole: &Arc<String>, part: &str) -> Piece {
        let start = part.as_ptr().addr() - whole.as_ptr().addr();
        Piece { whole: Arc::clone(whole), range: start..start + part.len() }
    }
}

impl Deref for Piece {
    type Target = str;

    fn deref(&self) -> &str {
        &self.whole[self.range.clone()]
    }
}

/// A document with a `helm.sh/hook` annotation.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The document.
    pub manifest: Manifest,
    /// When it runs (`pre-install`, `test`, …).
    pub events: Vec<&'static str>,
}

impl Hook {
    /// True for a test, which `--skip-tests` leaves out.
    pub fn is_test(&self) -> bool {
        self.events.contains(&"test")
    }
}

/// Hook events as annotations name them, and as Helm understands them.
const EVENTS: &[(&str, &str)] = &[
    ("pre-install", "pre-install"),
    ("post-install", "post-install"),
    ("pre-delete", "pre-delete"),
    ("post-delete", "post-delete"),
    ("pre-upgrade", "pre-upgrade"),
    ("post-upgrade", "post-upgrade"),
    ("pre-rollback", "pre-rollback"),
    ("post-rollback", "post-rollback"),
    ("test", "test"),
    ("test-success", "test"),
];

/// Kinds in install order; other kinds follow, sorted by name. The last two are so placed since Helm 4 only.
const INSTALL_ORDER: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Manifests and hooks of one render.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub manifests: Vec<Manifest>,
    pub hooks: Vec<Hook>,
    pub warnings: Vec<String>,
}

/// What a template printed, cut into documents whose heads are read.
#[derive(Debug)]
pub(crate) struct Printed {
    pub path: Arc<str>,
    pub text: Arc<String>,
    documents: Vec<(Piece, Result<Head>)>,
}

impl Printed {
    /// Cuts a text and reads the heads; notes and blank texts have no documents.
    pub(crate) fn read(path: Arc<str>, text: String, profile: Profile) -> Printed {
        let text = Arc::new(text);
        let mut documents = Vec::new();
        if !is_partial(&path) && !is_notes(&path) && !go_trim(&text).is_empty() {
            let read = |document| (Piece::of(&text, document), head::read(document));
            documents = split(&text, profile).into_iter().map(read).collect();
        }
        Printed { path, text, documents }
    }
}

/// True for `NOTES.txt`, of which no manifest comes.
pub(crate) fn is_notes(path: &str) -> bool {
    path.ends_with("NOTES.txt")
}

/// Sorts what the templates printed; `files` are in no particular order.
pub(crate) fn sort(files: &mut [Printed], profile: Profile) -> Result<Sorted> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut sorted = Sorted::default();
    for file in files {
        for (document, head) in file.documents.drain(..) {
            place(&file.path, document, head, &mut sorted)?;
        }
    }
    sorted.manifests.sort_by_cached_key(|manifest| rank(&manifest.kind, profile));
    sorted.hooks.sort_by_cached_key(|hook| rank(&hook.manifest.kind, profile));
    Ok(sorted)
}

/// True for a file whose name begins with `_`: it only defines templates.
pub(crate) fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
}

fn place(path: &Arc<str>, document: Piece, head: Result<Head>, sorted: &mut Sorted) -> Result<()> {
    let head = head.map_err(|fault| not_yaml(path, &document, &fault))?;
    let manifest = Manifest { path: path.clone(), text: document, kind: head.kind };
    let Some(named) = head.hook else {
        sorted.manifests.push(manifest);
        return Ok(());
    };
    let mut events = Vec::new();
    for event in named.split(',') {
        let event = event.trim().to_lowercase();
        let Some((_, known)) = EVENTS.iter().find(|(name, _)| *name == event) else {
            sorted.warnings.push(format!("`{path}` is left out: Helm knows no hook `{event}`"));
            return Ok(());
        };
        events.push(*known);
    }
    sorted.hooks.push(Hook { manifest, events });
    Ok(())
}

fn not_yaml(path: &str, document: &str, fault: &Diagnostic) -> Box<Diagnostic> {
    let printed = SourceText::new(format!("{path} (as rendered)"), document);
    let step = if fault.code == "manifest-shape" { "error unmarshaling JSON: while decoding JSON" } else { "error converting YAML to JSON" };
    let mut named = Diagnostic::input("manifest-yaml", format!("YAML parse error on {path}: {step}: {}", fault.message));
    if let Some(label) = fault.labels.first() {
        named = named.at(&printed, label.span, label.note.clone());
    }
    Box::new(named.hint("run with `--debug` to see all that was rendered"))
}

/// Where a kind stands in install order: known kinds first, then the others by name.
fn rank(kind: &str, profile: Profile) -> (usize, String) {
    let known = if profile.webhooks_sorted_last() { INSTALL_ORDER } else { &INSTALL_ORDER[..INSTALL_ORDER.len() - 2] };
    match known.iter().position(|name| *name == kind) {
        Some(at) => (at, String::new()),
        None => (usize::MAX, kind.to_owned()),
    }
}

/// The documents of a text. Helm 4.2 and later split wherever a line begins with `---` and keep the space at a document's
/// end; earlier ones trim it, and the space before the separator with it.
pub(crate) fn split(text: &str, profile: Profile) -> Vec<&str> {
    if profile.document_end_kept() {
        split_lines(text.trim_start_matches(is_go_space))
            .into_iter()
            .map(|document| document.trim_start_matches(is_go_space))
            .filter(|document| !document.is_empty())
            .collect()
    } else {
        split_spaced(go_trim(text)).into_iter().map(go_trim).filter(|document| !document.is_empty()).collect()
    }
}

/// Splits by `(?m)^---[ \t]*`.
fn split_lines(text: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut line = 0;
    loop {
        if text[line..].starts_with("---") {
            documents.push(&text[start..line]);
            start = line + 3;
            start += text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
            line = start;
        }
        match memchr::memchr(b'\n', &text.as_bytes()[line..]) {
            Some(at) => line += at + 1,
            None => break,
        }
    }
    documents.push(&text[start..]);
    documents
}

/// Splits by `(?:^|\s*\n)---\s*`.
fn split_spaced(text: &str) -> Vec<&str> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r');
    let mut documents = Vec::new();
    let mut start = 0;
    let after = |at: usize| at + text[at..].len() - text[at..].trim_start_matches(blank).len();
    if text.starts_with("---") {
        documents.push("");
        start = after(3);
    }
    let mut from = start;
    while let Some(at) = memchr::memmem::find(&text.as_bytes()[from..], b"\n---") {
        let at = from + at;
        let end = start + text[start..at].trim_end_matches(blank).len();
        documents.push(&text[start..end]);
        start = after(at + 4);
        from = start;
    }
    documents.push(&text[start..]);
    documents
}

/// Go's `unicode.IsSpace`.
pub(crate) fn is_go_space(c: char) -> bool {
    c.is_whitespace()
}

/// Go's `strings.TrimSpace`.
pub(crate) fn go_trim(text: &str) -> &str {
    text.trim_matches(is_go_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> Profile {
        Profile::parse(name).expect("a profile")
    }

    #[test]
    fn helm_4_3_splits_at_every_line_that_begins_with_dashes() {
        let text = "\n# note\na: 1\n\n---  \nb: 2\n---c: 3\n  ---\n----\n\n";
        assert_eq!(split(text, profile("helm-4.3")), ["# note\na: 1\n\n", "b: 2\n", "c: 3\n  ---\n", "-\n\n"]);
    }

    #[test]
    fn helm_3_trims_around_separators() {
        let text = "\n---\na: 1 \n\n---\n---\nb: 2\n\n";
        assert_eq!(split(text, profile("helm-3")), ["a: 1", "---\nb: 2"]);
    }

    fn sorted(files: Vec<(Arc<str>, String)>) -> Sorted {
        let printed = files.into_iter().map(|(path, text)| Printed::read(path, text, profile("")));
        sort(&mut printed.collect::<Vec<_>>(), profile("")).expect("all YAML")
    }

    #[test]
    fn kinds_sort_as_installed() {
        let file = |path: &str, kind: &str| (Arc::from(path), format!("kind: {kind}\n"));
        let files = vec![file("b", "Zebra"), file("a", "Deployment"), file("c", "Ape"), file("d", "Namespace"), file("e", "Zebra")];
        let sorted = sorted(files);
        let order: Vec<_> = sorted.manifests.iter().map(|manifest| &*manifest.path).collect();
        assert_eq!(order, ["d", "a", "c", "b", "e"]);
    }

    #[test]
    fn unknown_hooks_are_dropped_and_tests_known() {
        let hook = |events: &str| format!("kind: Job\nmetadata:\n  name: x\n  annotations:\n    helm.sh/hook: {events}\n");
        let files = vec![(Arc::from("a"), hook("no-such")), (Arc::from("b"), hook("test-success, Pre-Install"))];
        let sorted = sorted(files);
        assert!(sorted.manifests.is_empty());
        assert_eq!(sorted.hooks.len(), 1);
        assert!(sorted.hooks[0].is_test());
    }
}
