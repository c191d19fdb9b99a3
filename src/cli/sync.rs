//! `hydrant sync`.

use crate::diag::{Diagnostic, Result};

use super::Outcome;
use super::terminal::Terminal;

/// The arguments of `hydrant sync`.
#[derive(clap::Args)]
pub(super) struct Args {}

/// Runs the command.
pub(super) fn run(_args: Args, _terminal: &Terminal) -> Result<Outcome> {
    Err(Box::new(Diagnostic::bug("not-landed", "`hydrant sync` has not landed")))
}
