//! What a render made, and how `helm template` prints it.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, Warnings, did_you_mean};
use crate::source::Content;

use super::glob;
use super::load::text_of;
use super::manifests::{Hook, Manifest, go_trim, split};

/// A rendered chart.
#[derive(Debug)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// `name-version` of the chart.
    pub chart: String,
    /// Custom resource definitions as they stand in `crds/`, unsplit, by path.
    pub crds: Vec<Crd>,
    /// Manifests in install order.
    pub manifests: Vec<Manifest>,
    /// Hooks in install order.
    pub hooks: Vec<Hook>,
    /// What did not stop the render.
    pub warnings: Warnings,
    pub(crate) profile: Profile,
}

/// A file of `crds/`.
#[derive(Debug)]
pub struct Crd {
    /// Its path, chart name first.
    pub path: String,
    data: Content,
    text: OnceLock<Arc<str>>,
}

impl Crd {
    pub(crate) fn new(path: String, data: Content) -> Crd {
        Crd { path, data, text: OnceLock::new() }
    }

    /// Its text. Fails if the file can be read no longer.
    pub fn text(&self) -> Result<&str> {
        let data = self.data.bytes()?;
        Ok(self.text.get_or_init(|| text_of(data)))
    }
}

/// A document and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'r> {
    /// The path of its template or file, chart name first.
    pub path: &'r str,
    /// Its text.
    pub text: &'r str,
    /// True for a file of `crds/`, which may hold several documents.
    pub is_crd: bool,
    /// True for a hook.
    pub is_hook: bool,
}

/// What to print of a release.
#[derive(Clone, Debug, Default)]
pub struct Print {
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--show-only`, as given: patterns on paths inside the chart.
    pub show_only: Vec<String>,
}

impl Release {
    /// The documents to print, in order, each with the path it came from.
    /// Fails if a file of `crds/` can be read no longer.
    pub fn placed<'r>(&'r self, print: &Print) -> Result<Vec<Placed<'r>>> {
        let placed = |path, text, is_crd, is_hook| Placed { path, text, is_crd, is_hook };
        let crds = self.crds(print)?.into_iter().map(|(path, text)| placed(path, text, true, false));
        let manifests = self.manifests.iter().map(|manifest| placed(&*manifest.path, &*manifest.text, false, false));
        let hooks = self.hook_documents(print).map(|(path, text)| placed(path, text, false, true));
        Ok(crds.chain(manifests).chain(hooks).collect())
    }

    /// The custom resource definitions to print.
    fn crds<'r>(&'r self, print: &Print) -> Result<Vec<(&'r str, &'r str)>> {
        let crds = self.crds.iter().filter(|_| print.include_crds);
        crds.map(|crd| Ok((crd.path.as_str(), crd.text()?))).collect()
    }

    /// The hooks to print.
    fn hook_documents<'r>(&'r self, print: &Print) -> impl Iterator<Item = (&'r str, &'r str)> {
        let (no_hooks, skip_tests) = (print.no_hooks, print.skip_tests);
        let shown = self.hooks.iter().filter(move |hook| !(no_hooks || skip_tests && hook.is_test()));
        shown.map(|hook| (&*hook.manifest.path, &*hook.manifest.text))
    }

    /// The text that `helm template` prints. Fails with code `show-only` if a pattern names no template.
    pub fn print(&self, print: &Print) -> Result<String> {
        let crds = self.crds(print)?;
        let crds = crds.iter().copied();
        let manifests = self.manifests.iter().map(|manifest| (&*manifest.path, &*manifest.text));
        // grown piece by piece, a large text would be copied, and its pages fetched from the system, several times over
        let all = || crds.clone().chain(manifests.clone()).chain(self.hook_documents(print));
        let mut text = String::with_capacity(all().map(|(path, document)| path.len() + document.len() + FRAME_BYTES).sum());
        for (path, document) in crds.chain(manifests) {
            push_document(&mut text, path, document);
        }
        let trimmed = go_trim(&text).len();
        let lead = text.len() - text.trim_start_matches(super::manifests::is_go_space).len();
        text.truncate(lead + trimmed);
        text.replace_range(..lead, "");
        text.push('\n');
        for (path, document) in self.hook_documents(print) {
            push_document(&mut text, path, document);
        }
        if print.show_only.is_empty() { Ok(text) } else { self.only(&text, &print.show_only) }
    }

    fn only(&self, text: &str, patterns: &[String]) -> Result<String> {
        let documents: Vec<(&str, &str)> =
            split(text, self.profile).into_iter().filter_map(|document| Some((path_in_chart(document)?, document))).collect();
        let mut shown = String::new();
        for pattern in patterns {
            let before = shown.len();
            for (_, document) in documents.iter().filter(|(path, _)| glob::matches(pattern, path)) {
                shown.push_str("---\n");
                shown.push_str(document);
                shown.push('\n');
            }
            if shown.len() == before {
                let fault = Diagnostic::input("show-only", format!("could not find template {pattern} in chart"));
                let paths = documents.iter().map(|(path, _)| *path);
                return Err(Box::new(match did_you_mean(pattern, paths) {
                    Some(near) => fault.hint(format!("use `--show-only {near}`")),
                    None => fault,
                }));
            }
        }
        Ok(shown)
    }
}

/// What [`push_document`] puts around a path and a document, in bytes, and some.
const FRAME_BYTES: usize = 24;

/// One document as `helm template` prints it, to the screen or to a file.
pub fn push_document(text: &mut String, path: &str, document: &str) {
    let _ = write!(text, "---\n# Source: {path}\n{document}\n");
}

/// The path that the first `# Source:` line names, without the chart's name.
fn path_in_chart(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(at, found)| {
        let line = document[at + found.len()..].lines().next()?;
        let (chart, path) = line.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
