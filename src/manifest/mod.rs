//! **The waist**: Kubernetes objects as everything after rendering sees them.
//!
//! In: documents that a renderer printed or built. Out: an ordered [`Set`] of [`Object`]s, each with its identity, its
//! text and (lazily) its tree, and its [`Origin`] beside it, never in it.

mod head;
mod object;
mod read;
mod set;
mod split;

pub use object::{Object, ObjectId, Origin};
pub use set::Set;
pub use split::{HelmCut, cut_as_helm, cut_as_kustomize, join};
