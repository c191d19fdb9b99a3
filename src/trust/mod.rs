//! Trust: who signed an artifact, how it was made, and which images it runs.
//!
//! In: an artifact in a registry or layout, and keys that `cli` has read. Out: signatures and statements attached to it, and
//! a [`Report`] of what is attached and what a key vouches for. Compatible with cosign's key pairs both ways: its bundles as
//! OCI referrers, and its older `sha256-HEX.sig` tags. No certificates, no transparency log: a key is given, or nothing is
//! believed.
//!
//! * [`PrivateKey::read`] and [`PublicKey::read`] read PEM, cosign's encrypted keys included.
//! * [`Statement`] is an in-toto statement about an artifact: [`provenance()`] says how it was made, [`images_statement`]
//!   which images it runs; [`Statement::attach_signed`] and [`Statement::attach_plain`] make artifacts that refer to it.
//! * [`sign_by_tag`] writes the older scheme; [`inspect`] finds what is attached, [`verify()`] checks it against a key.

mod attached;
mod bundle;
mod encrypted;
mod envelope;
mod key;
mod sbom;
mod statement;
mod tagged;
mod verify;

pub(crate) use attached::{Attached, Claim, Form, inspect};
pub(crate) use key::{PrivateKey, PublicKey};
pub(crate) use sbom::images_statement;
pub(crate) use statement::{CHECK, Dependency, Made, PROVENANCE, SBOM, Statement, provenance};
pub(crate) use tagged::sign_by_tag;
pub(crate) use verify::{Report, Standing, verify};
