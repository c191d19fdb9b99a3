//! What a kustomization includes, without building it: for whoever looks for the roots among many.

use super::kustomization::{Kustomization, Role};
use super::loader::{LoadRestrictions, Loader, is_remote_file};
use super::remote::Remotes;
use super::shared::Shared;
use crate::diag::{Result, Warnings};
use crate::source::{self, EntryKind, Source};

/// Fields that list folders with kustomizations.
const INCLUDING: [&str; 5] = ["resources", "components", "generators", "transformers", "validators"];

/// A kustomization seen from outside; all of it is a function of the file's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// True for a component, which is nothing by itself.
    pub component: bool,
    /// What it lists that may be folders, as written.
    pub listed: Vec<String>,
}

impl Outline {
    /// The folders that the kustomization in `folder` includes, links resolved.
    pub fn includes(&self, source: &dyn Source, folder: &str) -> Result<Vec<String>> {
        let root = source.real_path(folder)?;
        let places = self.listed.iter().filter(|path| !is_remote_file(path)).map(|path| source::join(&root, path));
        places.filter(|path| source.kind(path) == Some(EntryKind::Folder)).map(|path| source.real_path(&path)).collect()
    }
}

/// Reads the kustomization in a folder and says what it lists. Fails as a build of it would.
pub fn outline(source: &dyn Source, folder: &str, shared: &Shared) -> Result<Outline> {
    let remotes = Remotes::default();
    let loader = Loader::new(source, folder, LoadRestrictions::None, folder, &remotes, shared)?;
    let kustomization = Kustomization::load(&loader, &mut Warnings::new())?;
    let listed = INCLUDING.iter().flat_map(|field| kustomization.texts(field)).map(|path| path.to_string()).collect();
    Ok(Outline { component: kustomization.role == Role::Component, listed })
}
