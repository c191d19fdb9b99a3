//! Kustomizations: a folder with a `kustomization.yaml` → a manifest set.
//!
//! In: a [`Source`](crate::source::Source), the folder to build, [`Options`], and a callback that inflates charts.
//! Out: a [`Set`](crate::manifest::Set) with the origin of every object beside it. No I/O but through the source, no state
//! that outlives a build.
//!
//! The way of a build: [`loader`] reads files within the load restrictions, `kustomization` decodes them, `target`
//! accumulates resources, generators and components into a [`resmap::ResMap`] of [`resource::Resource`]s, and runs
//! [`transformer::Transformer`]s over it. What a transformer needs beside its own configuration comes in a
//! [`transformer::Context`].

mod accumulator;
mod affix;
mod build;
pub(crate) mod config;
mod crds;
pub(crate) mod decode;
pub(crate) mod field_path;
pub(crate) mod fieldspec;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod generators;
mod hash;
mod helm;
mod images;
pub(crate) mod json6902;
mod kustomization;
mod kv;
pub(crate) mod label_selector;
pub(crate) mod loader;
pub(crate) mod merge;
pub(crate) mod merge_list;
mod metadata;
mod nameref;
pub(crate) mod namespace;
mod notes;
mod origin;
mod outline;
mod patches;
mod patching;
mod plugins;
mod read;
mod remote;
mod replacements;
mod replicas;
mod repo_spec;
pub(crate) mod resid;
pub(crate) mod resmap;
pub(crate) mod resource;
pub(crate) mod scalar;
pub(crate) mod selector;
mod shapes;
mod shared;
mod sort;
mod steps;
mod structured;
mod tables;
mod target;
pub(crate) mod transformer;
mod twins;
mod value_add;
mod vars;

pub use build::{Options, build};
pub use helm::{ChartRequest, HelmOptions};
pub use loader::LoadRestrictions;
pub use outline::{Outline, outline};
pub use remote::{Brought, Need, Remotes, needs};
pub use repo_spec::RepoSpec;
pub use shared::Shared;
