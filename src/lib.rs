//! Hydrant renders Helm charts and kustomizations natively, packs the flat manifests as a reproducible OCI artifact,
//! and keeps clusters in step with it.
//!
//! Data flows one way: `source → render (helm, kustomize) → manifest → diff / package → registry → agent → cluster`.
//! `ARCHITECTURE.md` has the map; `tests/rooms.rs` holds the walls.
//!
//! Without default features the library is the renderer alone: no async runtime, no HTTP.
//!
//! ```
//! use hydrant::compat::Profile;
//! use hydrant::render::{Ambient, Options, render};
//! use hydrant::source::Memory;
//!
//! /// A world without time, randomness and network: the same inputs, the same bytes.
//! struct Still;
//!
//! impl Ambient for Still {
//!     fn now(&mut self) -> (i64, u32) {
//!         (0, 0)
//!     }
//!
//!     fn random(&mut self, _template: &str, _offset: u32, out: &mut [u8]) {
//!         out.fill(0);
//!     }
//!
//!     fn host_address(&mut self, _name: &str) -> String {
//!         String::new()
//!     }
//! }
//!
//! let mut files = Memory::new();
//! files.insert("/app/kustomization.yaml", &b"namePrefix: team-\nresources: [one.yaml]"[..]);
//! files.insert("/app/one.yaml", &b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}"[..]);
//! let rendered = render(&files, "/app", &Options::of(Profile::default()), &mut Still).expect("it renders");
//! let yaml = rendered.set.to_yaml().expect("it prints");
//! assert_eq!(yaml, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team-one\n");
//! ```

#![cfg_attr(
    not(feature = "cli"),
    expect(dead_code, unused_imports, reason = "the rooms hold what the command line asks of them, too")
)]

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
pub mod render;
pub mod source;
pub mod value;

inner_rooms!(
    archive,
    #[cfg(any(feature = "cli", feature = "fuzzing"))]
    check,
    funcs,
    go,
    gotmpl,
    helm,
    kustomize,
    schema,
    yaml,
    #[cfg(any(feature = "net", feature = "fuzzing"))]
    diff,
    #[cfg(any(feature = "net", feature = "fuzzing"))]
    oci,
    #[cfg(any(feature = "net", feature = "fuzzing"))]
    package,
);

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
