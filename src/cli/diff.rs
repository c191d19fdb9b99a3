//! `hydrant diff`: what changes between two sources, object by object.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::diff::{diff, to_text};

use super::Outcome;
use super::bring::FetchFlags;
use super::connection::ConnectionArgs;
use super::input;
use super::terminal::Terminal;

/// The arguments of `hydrant diff`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The old side: a kustomization, a chart, a folder or file of manifests, an artifact, or - for standard input
    old: String,
    /// The new side, likewise
    new: String,
    /// Taken for `diff`'s sake: text is the one form that this version prints
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text"])]
    format: String,
    #[command(flatten)]
    fetch: FetchFlags,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command: exit 0 where nothing differs, 1 where something does.
pub(super) fn run(args: &Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    if args.old == "-" && args.new == "-" {
        return Err(Box::new(
            Diagnostic::input("diff-stdin", "only one side can be standard input").hint("give a path for the other"),
        ));
    }
    let old = input::objects(&args.old, profile, &args.connection, &args.fetch, terminal)?;
    let new = input::objects(&args.new, profile, &args.connection, &args.fetch, terminal)?;
    let difference = diff(&old, &new);
    terminal.data(to_text(&difference))?;
    Ok(if difference.is_empty() { Outcome::Done } else { Outcome::Found })
}
