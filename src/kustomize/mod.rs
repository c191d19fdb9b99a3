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

pub(crate) mod loader;
pub(crate) mod label_selector;
pub(crate) mod merge;
pub(crate) mod merge_list;
pub(crate) mod resid;
pub(crate) mod resmap;
pub(crate) mod resource;
pub(crate) mod scalar;
pub(crate) mod selector;
pub(crate) mod transformer;
