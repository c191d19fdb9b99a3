//! Digests, references, descriptors and manifests of OCI images; pure, no network, no files.
//!
//! In: what a user typed and the JSON that registries hold. Out: typed values, and [`Artifact`]: the blobs of one image
//! with their descriptors, which `package` makes and reads and `registry` carries.
//!
//! * [`Location::parse`] reads a REF of the command line: `host/repo:tag`, `oci://host/repo@sha256:…`, `oci-layout:DIR:TAG`.
//! * [`Digest::of`] hashes bytes, [`Hasher`] a stream; [`Descriptor::verify`] checks bytes against a descriptor.
//! * [`ImageManifest`], [`ImageConfig`] and [`Index`] are the serde forms; unknown fields are ignored, never kept: who must
//!   keep bytes keeps the raw bytes ([`Artifact::manifest`]).

mod artifact;
mod descriptor;
mod digest;
mod manifest;
mod reference;

pub(crate) use artifact::{Artifact, Blob};
pub(crate) use descriptor::{Descriptor, media_type};
pub(crate) use digest::{Digest, Hasher};
pub(crate) use manifest::{ImageConfig, ImageManifest, Index, Manifest, RootFs};
pub(crate) use reference::{LayoutReference, Location, Reference, Version};
