//! `hydrant tryout`.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};

use super::Outcome;
use super::terminal::Terminal;

/// The arguments of `hydrant tryout`.
#[derive(clap::Args)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_args: Args, _profile: Profile, _terminal: &Terminal) -> Result<Outcome> {
    Err(Box::new(Diagnostic::bug("not-landed", "`hydrant tryout` has not landed")))
}
