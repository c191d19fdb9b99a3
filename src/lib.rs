//! Hydrant renders Helm charts and kustomizations natively, packs the flat manifests as a reproducible OCI artifact,
//! and keeps clusters in step with it.
//!
//! Data flows one way: `source → render (helm, kustomize) → manifest → diff / package → registry → agent → cluster`.
//! `ARCHITECTURE.md` has the map; `tests/rooms.rs` holds the walls.

/// Declares rooms that are private, and public for fuzz targets and benches.
macro_rules! inner_rooms {
    ($($(#[$attribute:meta])* $room:ident),* $(,)?) => {
        $(
            #[cfg(not(feature = "fuzzing"))]
            $(#[$attribute])*
            mod $room;
            #[cfg(feature = "fuzzing")]
            $(#[$attribute])*
            pub mod $room;
        )*
    };
}

pub mod compat;
pub mod diag;
pub mod manifest;
pub mod source;
pub mod value;

inner_rooms!(archive, diff, funcs, go, gotmpl, helm, kustomize, oci, package, render, schema, yaml);

#[cfg(feature = "cluster")]
mod agent;
#[cfg(feature = "net")]
mod charts;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "net")]
mod registry;
#[cfg(feature = "net")]
mod trust;
