//! `RootSync` and `RepoSync` (`configsync.gke.io/v1beta1`): what users write, what it means here, and the status they read.
//!
//! The fields are Config Sync's, so that its YAML works unchanged. Reading is in two steps: [`Declared`] is what stands in
//! the object, [`Spec`] what the agent does about it, or a [`Refusal`] that becomes a condition. A change of any annotation
//! (`hydrant.dev/reconcile-at` is meant for it) syncs at once.

mod declared;
mod names;
mod spec;
mod status;

pub(super) use declared::Declared;
pub(crate) use names::SyncId;
pub(crate) use spec::Limit;
pub(super) use spec::{Auth, RoleRef, Spec};
pub(crate) use status::conditions_of;
pub(super) use status::{Finding, Report, Status};

/// The group and version of both kinds.
pub(super) const API_VERSION: &str = "configsync.gke.io/v1beta1";
/// Where RootSyncs live, and the service accounts of all syncs.
pub(super) const HOME: &str = "config-management-system";
/// Annotation: `Foreground` prunes what a sync applied when it is deleted.
pub(super) const DELETION_POLICY: &str = "configsync.gke.io/deletion-propagation-policy";
/// Finalizer of a sync whose objects go with it.
pub(super) const FINALIZER: &str = "configsync.gke.io/reconciler";
/// Annotation: the exact image that is being synced, for admission webhooks that check signatures.
pub(super) const IMAGE_TO_SYNC: &str = "configsync.gke.io/image-to-sync";
/// Annotation: `true` stops all writes of a sync.
pub(super) const SUSPEND: &str = "hydrant.dev/suspend";
/// Annotation: how much of the inventory one version may prune, `25%` or `10`.
pub(super) const MAX_PRUNE: &str = "hydrant.dev/max-prune";
/// Annotation: the digest of the version whose mass prune is meant.
pub(super) const CONFIRM_PRUNE: &str = "hydrant.dev/confirm-prune";
/// Annotation: `true` asks the server about all objects first, and applies none if one is refused.
pub(super) const ALL_OR_NOTHING: &str = "hydrant.dev/all-or-nothing";
/// Annotation: `config-sync` adopts what Config Sync's inventory of this sync claims.
pub(super) const TAKEOVER: &str = "hydrant.dev/takeover";

/// Why a sync is not carried out as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// A word for the condition's reason.
    pub(super) reason: &'static str,
    /// One sentence.
    pub(super) message: String,
}

impl Refusal {
    fn new(reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into() }
    }
}
