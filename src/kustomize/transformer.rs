//! What every transformer is, and what it is handed.

use super::loader::Loader;
use super::resid::Scopes;
use super::resmap::ResMap;
use crate::compat::Profile;
use crate::diag::{Result, Warnings};
use crate::schema::Schema;

/// What a step of the build may use beside its own configuration.
pub(crate) struct Context<'a> {
    /// Reads files as the kustomization that configures the step may.
    pub(crate) loader: &'a Loader<'a>,
    /// Kubernetes facts in use.
    pub(crate) schema: &'a Schema,
    /// Whose behaviour to follow.
    pub(crate) profile: Profile,
}

impl Context<'_> {
    /// The scopes of kinds, for identities.
    pub(crate) fn scopes(&self) -> &dyn Scopes {
        self.schema
    }
}

/// One step over all objects: read from its configuration once, then run.
///
/// A step is made by a function `from_config(config: &Tree, context: &Context) -> Result<Self>` that takes the
/// configuration in the shape of kustomize's own plugin files (for patches: `path`, `patch`, `target`, `options`), so
/// that the fields of a kustomization and files under `transformers:` go through the same code.
pub(crate) trait Transformer {
    /// Changes the objects. Warnings are gathered, not printed.
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, warnings: &mut Warnings) -> Result<()>;
}
