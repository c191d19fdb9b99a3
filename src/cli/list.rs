//! `hydrant list`: the tags of a repository or layout.

use crate::diag::Result;
use crate::oci::{Digest, Location};

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::terminal::Terminal;

/// The arguments of `hydrant list`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository, or oci-layout:DIR
    #[arg(value_name = "REF")]
    reference: String,
    /// List the tags too under which tools keep signatures and statements (sha256-…)
    #[arg(long)]
    all: bool,
    /// Print a line each, or a JSON list
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let mut tags = wait(args.connection.client()?.tags(&location))?;
    tags.retain(|tag| args.all || !Digest::is_tag(tag));
    if args.format == "json" {
        terminal.data(format!("{}\n", serde_json::json!(tags)))?;
    } else {
        terminal.data(if tags.is_empty() { String::new() } else { tags.join("\n") + "\n" })?;
    }
    Ok(Outcome::Done)
}
