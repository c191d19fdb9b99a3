//! `hydrant tag`: another tag for what is there; nothing is uploaded but the manifest.

use crate::diag::Result;
use crate::oci::Location;

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::terminal::Terminal;

/// The arguments of `hydrant tag`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// The new tags
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let mut places = Vec::new();
    for tag in &args.tags {
        places.push(location.with_tag(tag)?);
    }
    let client = args.connection.client()?;
    for (tag, place) in args.tags.iter().zip(places) {
        let digest = wait(client.tag(&location, tag))?;
        terminal.data(format!("{}\n", place.with_digest(digest)))?;
    }
    Ok(Outcome::Done)
}
