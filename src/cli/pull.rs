//! `hydrant pull`.

use crate::diag::{Diagnostic, Result};

use super::Outcome;
use super::terminal::Terminal;

/// The arguments of `hydrant pull`.
#[derive(clap::Args)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_args: Args, _terminal: &Terminal) -> Result<Outcome> {
    Err(Box::new(Diagnostic::bug("not-landed", "`hydrant pull` has not landed")))
}
