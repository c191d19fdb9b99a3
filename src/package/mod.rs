//! Manifest sets ↔ OCI artifacts, byte for byte reproducible.
//!
//! In: a [`Set`](crate::manifest::Set), or any artifact that people push today. Out: an [`Artifact`](crate::oci::Artifact)
//! whose digest depends on the set and explicit annotations alone, or the files that an artifact holds. No network, no disk.
//!
//! * [`pack()`] writes one file an object, in one gzip layer that Config Sync, Flux and Argo CD all take at their defaults.
//! * [`consumers()`] says for each consumer whether it takes an artifact, and how to mend one that it does not take.
//! * [`unpack()`] merges the layers of anyone's artifact into [`Files`], and explains artifacts that were packed wrongly.

mod consumers;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod objects;
mod pack;
mod path;
mod unpack;

pub(crate) use consumers::{Taking, Verdict, consumers};
pub(crate) use files::Files;
pub(crate) use objects::objects;
pub(crate) use pack::{Packing, pack};
pub(crate) use path::object_path;
pub(crate) use unpack::unpack;
