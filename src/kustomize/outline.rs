//! What a kustomization includes, without building it: for whoever looks for the roots among many.

use super::kustomization::{Kustomization, Role};
use super::loader::{LoadRestrictions, Loader};
use super::remote::Remotes;
use super::shared::Shared;
use crate::diag::{Result, Warnings};
use crate::source::{self, EntryKind, Source};

/// Fields that list folders with kustomizations.
const INCLUDING: [&str; 5] = ["resources", "components", "generators", "transformers", "validators"];

/// A kustomization seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// True for a component, which is nothing by itself.
    pub component: bool,
    /// The folders that it includes, links resolved.
    pub includes: Vec<String>,
}

/// Reads the kustomization in a folder and says what it includes. Fails as a build of it would.
pub fn outline(source: &dyn Source, folder: &str, shared: &Shared) -> Result<Outline> {
    let remotes = Remotes::default();
    let loader = Loader::new(source, folder, LoadRestrictions::None, folder, &remotes, shared)?;
    let kustomization = Kustomization::load(&loader, &mut Warnings::new())?;
    let mut includes = Vec::new();
    for path in INCLUDING.iter().flat_map(|field| kustomization.texts(field)) {
        if loader.kind(&path) == Some(EntryKind::Folder) {
            includes.push(source.real_path(&source::join(loader.root(), &path))?);
        }
    }
    Ok(Outline { component: kustomization.role == Role::Component, includes })
}
