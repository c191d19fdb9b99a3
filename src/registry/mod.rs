//! Artifacts to and from registries and image layouts; every reader verifies digest and size.
//!
//! In: an [`Artifact`](crate::oci::Artifact) and a [`Location`](crate::oci::Location). Out: the same artifact elsewhere, or
//! a [`Diagnostic`](crate::diag::Diagnostic) of exit code 3 that says what was asked of whom, what it answered, and what to
//! try. The tag moves last, so that nothing half-pushed is ever visible under it.
//!
//! * [`Client::push`], [`Client::pull`], [`Client::resolve`], [`Client::tags`], [`Client::tag`], [`Client::copy`] take both
//!   kinds of location; they are async and need a tokio runtime with time and I/O.
//! * [`Client::referrers`] and [`Client::attach`] find and attach signatures and statements, by the referrers API or by the
//!   tag that stands in for it.
//! * Credentials come through the [`Credentials`] trait, which `cli` wires to Docker's config file and helpers.
//! * Limits on what a registry may send are in [`Options`]; a lying registry can waste time and nothing else.

mod auth;
mod blobs;
mod client;
mod copy;
mod fault;
#[cfg(test)]
pub(crate) mod faulty;
mod google;
mod layout;
mod progress;
mod push;
mod referrers;
mod retry;
mod transport;
mod workload;

pub(crate) use auth::{Credential, Credentials};
pub(crate) use client::Client;
pub(crate) use google::Google;
pub(crate) use progress::Progress;
pub(crate) use push::{Pushed, Step};
pub(crate) use retry::{Failure, Patience, Tries};
pub(crate) use transport::Options;
pub(crate) use workload::{Pool, Workload};
