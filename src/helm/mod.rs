//! Charts plus values to manifests, as `helm template` prints them.

mod glob;
mod ignore;
