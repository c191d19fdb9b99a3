//! Reading files as a kustomization may: from its root, within the load restrictions.
//!
//! In: paths as kustomizations write them. Out: texts named as seen from the folder that is built. A loader knows the
//! loaders that led to it, so that a kustomization can never include itself.

use std::sync::Arc;

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
}

impl<'a> Loader<'a> {
    /// A loader for the folder that is built. `shown_from` is the folder that file names are shown relative to.
    pub(crate) fn new(
        source: &'a dyn Source,
        path: &str,
        restrictions: LoadRestrictions,
        shown_from: &'a str,
    ) -> Result<Loader<'a>> {
        let root = folder(source, path)?;
        Ok(Loader { source, root, restrictions, referrer: None, shown_from })
    }

    /// A loader for a folder that this kustomization includes.
    pub(crate) fn base<'b>(&'b self, path: &str) -> Result<Loader<'b>> {
        if path.is_empty() {
            return Err(refuse("kustomize-base-empty", "new root cannot be empty".to_owned()));
        }
        if path.starts_with('/') {
            return Err(refuse("kustomize-base-absolute", format!("new root `{path}` cannot be absolute")));
        }
        let root = folder(self.source, &source::join(&self.root, path))?;
        let mut visited: Option<&Loader<'_>> = Some(self);
        while let Some(loader) = visited {
            if is_within(&loader.root, &root) {
                let (outer, inner) = (self.shown(&root), loader.shown(&loader.root));
                let message = format!("cycle detected: `{path}` is `{outer}`, which holds `{inner}`, where the way began");
                return Err(refuse("kustomize-cycle", message));
            }
            visited = loader.referrer;
        }
        let Loader { source, restrictions, shown_from, .. } = *self;
        Ok(Loader { source, root, restrictions, referrer: Some(self), shown_from })
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
        if is_remote(path) { None } else { self.source.kind(&source::join(&self.root, path)) }
    }

    /// The bytes of a file. Fails with code `source-missing` if there is none, `kustomize-load-restricted` if the
    /// restrictions forbid it.
    pub(crate) fn bytes(&self, path: &str) -> Result<Arc<[u8]>> {
        if is_remote_file(path) {
            return Err(remote(path));
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
            let message = format!("security; file `{}` is not in or below `{}`", self.shown(&real), self.root);
            return Err(Box::new(
                Diagnostic::input("kustomize-load-restricted", message)
                    .hint("run with `--load-restrictor LoadRestrictionsNone` to allow it"),
            ));
        }
        self.source.read(&real)
    }

    /// The text of a file; bytes that are no UTF-8 are an error.
    pub(crate) fn text(&self, path: &str) -> Result<SourceText> {
        let bytes = self.bytes(path)?;
        let name = self.shown(&source::join(&self.root, path));
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(SourceText::new(name, text)),
            Err(_) => Err(refuse("source-not-utf8", format!("`{name}` is no UTF-8 text"))),
        }
    }

    /// An absolute path as the user would name it.
    pub(crate) fn shown(&self, absolute: &str) -> String {
        if is_within(absolute, self.shown_from) {
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

/// True for an address of a file, a repository or a folder in one.
pub(crate) fn is_remote(path: &str) -> bool {
    const STARTS: [&str; 7] = ["http://", "https://", "ssh://", "git::", "file://", "git@", "github.com/"];
    STARTS.iter().any(|start| path.starts_with(start)) || path.starts_with("github.com:")
}

/// The refusal of an address.
pub(crate) fn remote(address: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::input("kustomize-remote", format!("`{address}` is elsewhere, and remote resources are not fetched"))
            .hint("copy it beside the kustomization and name the copy"),
    )
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
