//! `Tree`: the ordered, immutable, `Send` value that everything after the templates works on.
//!
//! A scalar keeps the text that it was written with, and its kind as YAML resolved it: kustomize copies texts, and
//! what a number prints as is decided only when it is printed. Lists and maps are shared and copied on write, so a
//! clone costs one reference count and a change costs only its own branch.

mod map;
mod tree;

pub use map::Map;
pub use smol_str::SmolStr as Text;
pub use tree::{Kind, Scalar, Step, Style, Tree};
