//! `git:REV:PATH` as a source: the files of a revision where the checkout has its own, read from git's objects.
//!
//! Paths are those of the checkout, so that a render of a revision and one of the working tree name the same files by the
//! same names. Whatever lies outside of the repository is not there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::charts::{Found, Revision, Stand};
use crate::diag::{Diagnostic, Result};
use crate::source::{self, Entry, EntryKind, Source};

/// How many links may point at one another.
const LINKS_MAX: usize = 40;

/// What `git:REV:PATH` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitPath {
    /// The folder of the repository.
    pub(super) repository: String,
    /// The revision, as it was written.
    pub(super) revision: String,
    /// The absolute path in the repository.
    pub(super) path: String,
}

impl GitPath {
    /// Reads what stands behind `git:`. As git has it, PATH is seen from the top of the repository, and from the working folder
    /// `here` where it begins with a dot.
    pub(super) fn parse(text: &str, here: &str) -> Result<GitPath> {
        let Some((revision, path)) = text.split_once(':').filter(|(revision, _)| !revision.is_empty()) else {
            let fault = Diagnostic::input("git-source", format!("`git:{text}` names no revision and path"));
            return Err(Box::new(fault.hint("write `git:REV:PATH`, such as `git:main:deploy`")));
        };
        let top = Path::new(here).ancestors().find(|folder| folder.join(".git").exists());
        let Some(repository) = top.and_then(Path::to_str).map(str::to_owned) else {
            let fault = Diagnostic::input("git-missing", format!("`{here}` is in no git repository"));
            return Err(Box::new(fault.hint("run it in a checkout of the repository")));
        };
        let from = if path.starts_with('.') { here } else { repository.as_str() };
        let absolute = source::join(from, path.trim_start_matches('/'));
        if absolute != repository && !absolute.starts_with(&format!("{}/", repository.trim_end_matches('/'))) {
            let fault = Diagnostic::input("git-source", format!("`{path}` leads out of the repository `{repository}`"));
            return Err(Box::new(fault));
        }
        Ok(GitPath { repository, revision: revision.to_owned(), path: absolute })
    }
}

/// A revision of a repository as a tree of files.
pub(super) struct GitSource {
    top: String,
    revision: Revision,
}

impl GitSource {
    /// Opens the revision.
    pub(super) fn open(path: &GitPath) -> Result<GitSource> {
        Ok(GitSource { top: path.repository.clone(), revision: Revision::open(&path.repository, &path.revision)? })
    }

    /// The files, by absolute path, that have other bytes in another revision; nothing where more than that differs, or where
    /// the two stand in different places.
    pub(super) fn changed(&self, other: &GitSource) -> Result<Option<BTreeSet<String>>> {
        if self.top != other.top {
            return Ok(None);
        }
        let changed = self.revision.changed(&other.revision)?;
        Ok(changed.map(|paths| paths.iter().map(|path| source::join(&self.top, path)).collect()))
    }

    /// A path as seen from the top of the repository.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.top.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
    }

    /// The path below the top that is left when every link is followed; nothing if one leads nowhere, or out.
    fn resolved(&self, path: &str) -> Result<Option<String>> {
        let path = source::clean(path);
        let Some(below) = self.below(&path) else { return Ok(None) };
        if self.revision.stand(below)? != Stand::Link {
            return Ok(Some(below.to_owned()));
        }
        let mut waiting: Vec<String> =
            below.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let (mut at, mut links) = (String::new(), 0);
        while let Some(part) = waiting.pop() {
            let next = if at.is_empty() { part } else { format!("{at}/{part}") };
            if self.revision.stand(&next)? != Stand::Link {
                at = next;
                continue;
            }
            let Some(Found::Link(target)) = self.revision.look(&next)? else { return Ok(None) };
            links += 1;
            let joined = source::clean(&format!("/{at}/{target}"));
            // one `..` too many is cut off by `clean`, and leads out
            let up = target.split('/').filter(|part| *part == "..").count();
            let depth = at.split('/').filter(|part| !part.is_empty()).count();
            if links > LINKS_MAX || target.starts_with('/') || up > depth {
                return Ok(None);
            }
            waiting.extend(joined.split('/').rev().filter(|part| !part.is_empty()).map(str::to_owned));
            at = String::new();
        }
        Ok(Some(at))
    }

    fn missing(&self, path: &str) -> Box<Diagnostic> {
        let text = format!("no file or folder at `{path}` in commit {}", &self.revision.commit[..12]);
        Box::new(Diagnostic::input("source-missing", text))
    }
}

impl Source for GitSource {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        let path = source::clean(path);
        let mut stand = self.revision.stand(self.below(&path)?).ok()?;
        if stand == Stand::Link {
            stand = self.revision.stand(&self.resolved(&path).ok().flatten()?).ok()?;
        }
        match stand {
            Stand::File => Some(EntryKind::File),
            Stand::Folder => Some(EntryKind::Folder),
            Stand::Nothing | Stand::Submodule | Stand::Link => None,
        }
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        let resolved = self.resolved(path)?.ok_or_else(|| self.missing(path))?;
        match self.revision.look(&resolved)? {
            Some(Found::File(bytes)) => Ok(bytes),
            _ => Err(self.missing(path)),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let resolved = self.resolved(path)?.ok_or_else(|| self.missing(path))?;
        let Some(Found::Folder(names)) = self.revision.look(&resolved)? else { return Err(self.missing(path)) };
        let entry = |(name, kind): (String, &str)| {
            let (kind, is_link) = match kind {
                "file" => (Some(EntryKind::File), false),
                "folder" => (Some(EntryKind::Folder), false),
                _ => (self.kind(&source::join(path, &name)), true),
            };
            Entry { name, kind, is_link }
        };
        Ok(names.into_iter().map(entry).collect())
    }

    fn real_path(&self, path: &str) -> Result<String> {
        if self.below(path).is_none() {
            // the folders above the repository are no part of the revision, and their links none of its business
            return Ok(source::clean(path));
        }
        let resolved = self.resolved(path)?.ok_or_else(|| self.missing(path))?;
        Ok(source::join(&self.top, &resolved))
    }
}
