//! Reading files as a kustomization may: from its root, within the load restrictions.
//!
//! In: paths as kustomizations write them. Out: texts named as seen from the folder that is built. A loader knows the
//! loaders that led to it, so that a kustomization can never include itself.

use std::sync::Arc;

use super::remote::{Brought, Found, Need, Remotes};
use super::repo_spec::RepoSpec;
use super::shared::{Loaded, Shared};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::source::{self, EntryKind, Source};

/// Which files a kustomization may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// Files in or below its own folder, links resolved.
    #[default]
    RootOnly,
    /// Any file.
    None,
}

/// Reads files for one kustomization.
pub(crate) struct Loader<'a> {
    source: &'a dyn Source,
    /// Folder of the kustomization, links resolved.
    root: String,
    restrictions: LoadRestrictions,
    /// Who included this kustomization.
    referrer: Option<&'a Loader<'a>>,
    /// Folder that names are shown relative to.
    shown_from: &'a str,
    /// What has been brought from elsewhere.
    remotes: &'a Remotes,
    /// The repository that this folder is in, if it came from one: its top folder, and the URL that named it.
    repository: Option<(String, String)>,
    /// What other builds have read.
    shared: &'a Shared,
}

impl<'a> Loader<'a> {
    /// A loader for the folder that is built. `shown_from` is the folder that file names are shown relative to.
    pub(crate) fn new(
        source: &'a dyn Source,
        path: &str,
        restrictions: LoadRestrictions,
        shown_from: &'a str,
        remotes: &'a Remotes,
        shared: &'a Shared,
    ) -> Result<Loader<'a>> {
        let root = folder(source, path)?;
        Ok(Loader { source, root, restrictions, referrer: None, shown_from, remotes, repository: None, shared })
    }

    /// The same for a folder that came from a repository, which nothing it includes may leave.
    pub(crate) fn within(mut self, repository: Option<(String, String)>) -> Loader<'a> {
        if repository.is_some() {
            self.restrictions = LoadRestrictions::RootOnly;
            self.repository = repository;
        }
        self
    }

    /// A loader for a folder that this kustomization includes.
    pub(crate) fn base<'b>(&'b self, path: &str) -> Result<Loader<'b>> {
        if path.is_empty() {
            return Err(refuse("kustomize-base-empty", "new root cannot be empty".to_owned()));
        }
        if let Some(spec) = RepoSpec::parse(path) {
            return self.repository(spec);
        }
        if path.starts_with('/') {
            return Err(refuse("kustomize-base-absolute", format!("new root `{path}` cannot be absolute")));
        }
        let root = folder(self.source, &source::join(&self.root, path))?;
        if let Some((top, _)) = self.repository.as_ref().filter(|(top, _)| !is_within(&root, top)) {
            let message = format!("security; bases in kustomizations found in cloned git repos must be within the repo, but base `{root}` is outside `{top}`");
            return Err(refuse("kustomize-load-restricted", message));
        }
        let mut visited: Option<&Loader<'_>> = Some(self);
        while let Some(loader) = visited {
            if is_within(&loader.root, &root) {
                let (outer, inner) = (self.shown(&root), loader.shown(&loader.root));
                let message = format!("cycle detected: `{path}` is `{outer}`, which holds `{inner}`, where the way began");
                return Err(refuse("kustomize-cycle", message));
            }
            visited = loader.referrer;
        }
        let Loader { source, restrictions, shown_from, remotes, shared, .. } = *self;
        let repository = self.repository.clone();
        Ok(Loader { source, root, restrictions, referrer: Some(self), shown_from, remotes, repository, shared })
    }

    /// A loader for a folder of a repository that this kustomization includes.
    fn repository(&self, spec: RepoSpec) -> Result<Loader<'_>> {
        let mut visited: Option<&Loader<'_>> = Some(self);
        while let Some(loader) = visited {
            if let Some((_, raw)) = loader.repository.as_ref().filter(|(_, raw)| raw.starts_with(&spec.raw)) {
                let message = format!("cycle detected: URI `{}` referenced by previous URI `{raw}`", spec.raw);
                return Err(refuse("kustomize-cycle", message));
            }
            visited = loader.referrer;
        }
        let need = if is_remote_file(&spec.raw) { Need::FileOrRepository(spec.raw.clone(), spec.clone()) } else { Need::Repository(spec.clone()) };
        let Brought::Repository(top) = self.remotes.find(&need)? else {
            let message = format!("`{}` is a file, and a folder is wanted", spec.raw);
            return Err(refuse("kustomize-not-folder", message));
        };
        let root = folder(self.source, &source::join(top, &spec.folder))?;
        if !is_within(&root, top) {
            let message = format!("`{}` refers to a folder outside of its repository", spec.raw);
            return Err(refuse("kustomize-load-restricted", message));
        }
        let Loader { source, shown_from, remotes, shared, .. } = *self;
        let repository = Some((top.clone(), spec.raw));
        // what was cloned may read nothing beside itself, whatever the command line says
        let restrictions = LoadRestrictions::RootOnly;
        Ok(Loader { source, root, restrictions, referrer: Some(self), shown_from, remotes, repository, shared })
    }

    /// What an entry of `resources` names, as kustomize looks for it: a file, then a repository or folder.
    pub(crate) fn resource(&self, path: &str) -> Result<Found> {
        if self.kind(path) == Some(EntryKind::File) {
            return Ok(Found::File(source::join(&self.root, path)));
        }
        let Some(spec) = RepoSpec::parse(path) else {
            if is_remote_file(path) {
                return self.remote_file(path).map(Found::File);
            }
            return Ok(Found::Folder);
        };
        if !is_remote_file(path) {
            return Ok(Found::Folder);
        }
        match self.remotes.find(&Need::FileOrRepository(path.to_owned(), spec))? {
            Brought::File(place) => Ok(Found::File(place.clone())),
            Brought::Repository(_) => Ok(Found::Folder),
        }
    }

    fn remote_file(&self, url: &str) -> Result<String> {
        match self.remotes.find(&Need::File(url.to_owned()))? {
            Brought::File(place) => Ok(place.clone()),
            Brought::Repository(_) => Err(refuse("kustomize-not-file", format!("`{url}` is a git repository"))),
        }
    }

    /// The folder of the kustomization, absolute, links resolved.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The source that is read from.
    pub(crate) fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// True if a file stands at `path` that may be read.
    pub(crate) fn is_file(&self, path: &str) -> bool {
        !is_remote_file(path) && self.source.kind(&source::join(&self.root, path)) == Some(EntryKind::File)
    }

    /// What stands at `path`; nothing for an address.
    pub(crate) fn kind(&self, path: &str) -> Option<EntryKind> {
        if is_remote_file(path) { None } else { self.source.kind(&source::join(&self.root, path)) }
    }

    /// The bytes of a file. Fails with code `source-missing` if there is none, `kustomize-load-restricted` if the
    /// restrictions forbid it.
    pub(crate) fn bytes(&self, path: &str) -> Result<Arc<[u8]>> {
        if is_remote_file(path) {
            return self.source.read(&self.remote_file(path)?);
        }
        let absolute = source::join(&self.root, path);
        match self.source.kind(&absolute) {
            Some(EntryKind::File) => {}
            Some(EntryKind::Folder) => {
                return Err(refuse("source-missing", format!("`{}` must resolve to a file", self.shown(&absolute))));
            }
            None => {
                let message = format!("no file or folder at `{}`", self.shown(&absolute));
                return Err(refuse("source-missing", message));
            }
        }
        if self.restrictions == LoadRestrictions::None {
            return self.source.read(&absolute);
        }
        let real = self.source.real_path(&absolute)?;
        if !is_within(source::parent(&real), &self.root) {
            let (file, folder) = (self.shown(&real), self.shown(&self.root));
            let message = format!("security; file `{file}` is not in or below `{folder}`, the folder of the kustomization");
            return Err(Box::new(
                Diagnostic::input("kustomize-load-restricted", message)
                    .hint("run with `--load-restrictor LoadRestrictionsNone` to allow it"),
            ));
        }
        self.source.read(&real)
    }

    /// The text of a file; bytes that are no UTF-8 are an error.
    pub(crate) fn text(&self, path: &str) -> Result<SourceText> {
        Ok(self.file(path)?.source)
    }

    /// A file of text, which is read and parsed once however many builds want it.
    pub(crate) fn file(&self, path: &str) -> Result<Loaded> {
        let bytes = self.bytes(path)?;
        if is_remote_file(path) {
            return self.loaded(path.to_owned(), path, &bytes);
        }
        let absolute = source::join(&self.root, path);
        self.loaded(self.shown(&absolute), &absolute, &bytes)
    }

    /// A file that [`Loader::resource`] found.
    pub(crate) fn found_file(&self, path: &str, place: &str) -> Result<Loaded> {
        if is_remote_file(path) {
            return self.loaded(path.to_owned(), path, &self.source.read(place)?);
        }
        self.file(path)
    }

    fn loaded(&self, name: String, known_as: &str, bytes: &Arc<[u8]>) -> Result<Loaded> {
        let file = self.shared.file(known_as, bytes);
        match file.text() {
            Some(text) => Ok(Loaded::new(SourceText::new(name, text), file)),
            None => Err(refuse("source-not-utf8", format!("`{name}` is no UTF-8 text"))),
        }
    }

    /// An absolute path as seen from the folder that is built.
    pub(crate) fn shown(&self, absolute: &str) -> String {
        let top = |path: &str| path.split('/').nth(1).map(str::to_owned);
        // what shares nothing but `/` is easier to find by its whole path
        if top(absolute) == top(self.shown_from) {
            source::relative(self.shown_from, absolute)
        } else {
            absolute.to_owned()
        }
    }
}

/// True for an address that names a file or a repository elsewhere.
pub(crate) fn is_remote_file(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// True if `path` is `folder` or below it; both absolute and clean.
fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder == "/" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn folder(source: &dyn Source, path: &str) -> Result<String> {
    let path = source::clean(path);
    match source.kind(&path) {
        Some(EntryKind::Folder) => source.real_path(&path),
        Some(EntryKind::File) => {
            Err(refuse("kustomize-not-folder", format!("must build at a folder, but `{path}` is a file")))
        }
        None => Err(refuse("source-missing", format!("must build at a folder, but there is nothing at `{path}`"))),
    }
}

fn refuse(code: &'static str, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input(code, message))
}
