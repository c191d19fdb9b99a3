//! The Go text/template language and its values; knows no Helm and no Kubernetes.
//!
//! In: template texts, a [`FuncTable`], data as [`Val`], and a [`Host`] for what must not be ambient (clock, randomness,
//! lookups, warnings). Out: bytes, or an [`ExecError`] that holds Go's own wording and the place in the source.
//! Leaves alone: which functions exist beyond Go's builtins (`funcs`), and what data looks like (`helm`).
//!
//! - Values: [`Val`], made by `Val::from(…)`, [`Val::list`], [`Map`]; strings are bytes ([`Str`]); maps are shared and change in place;
//!   lists never change once made. Typed Go values implement [`Object`].
//! - Functions: rows of [`FuncSpec`] with Go parameter types [`Ty`]; the engine checks arguments as `reflect` does, so a row's
//!   `run` may rely on them: a [`Ty::Str`] argument is a string, a [`Ty::Map`] one is a map or nil (Go's nil map), [`Ty::Any`] anything.
//! - Templates: [`Templates`] is compiled once, immutable, `Send + Sync`; a [`Ctx`] executes it.

mod builtin;
mod call;
mod compare;
mod complex;
mod convert;
mod ctx;
mod entries;
mod error;
mod exec;
mod func;
mod lex;
mod list;
mod map;
mod node;
mod number;
mod object;
mod parse;
mod print;
mod raw;
mod stack;
mod str;
mod templates;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod val;

pub use compare::{deep_equal, truth};
pub use ctx::{Ctx, Given, OUTPUT_MAX, Options, ROUNDS_MAX, has_no_value};
pub use entries::Entries;
pub use error::{Cause, ExecError, ParseError, Place};
pub use func::{Args, CallSite, FuncError, FuncSpec, FuncTable, Host, Method, Ty};
pub use list::{List, ListType};
pub use map::{Map, MapType, NamedMap};
pub use node::Unit;
pub use object::{Kind, Object};
pub use print::{append_text, to_text};
pub use raw::text_of_bytes;
pub use stack::{Stack, on_render_stack};
pub use str::Str;
pub use templates::Templates;
pub use trace::{Dot, Read, Segment};
pub use val::{IntKind, Val};
