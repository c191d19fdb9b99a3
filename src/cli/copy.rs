//! `hydrant copy`: an artifact from one place to another, byte for byte.

use crate::diag::Result;
use crate::oci::Location;

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::push::told;
use super::terminal::Terminal;

/// The arguments of `hydrant copy`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What to copy: host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "FROM")]
    from: String,
    /// Where to: host/repository:tag, or oci-layout:DIR:TAG
    #[arg(value_name = "TO")]
    to: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let (from, to) = (Location::parse(&args.from)?, Location::parse(&args.to)?);
    let client = args.connection.client()?.with_progress(terminal.bar());
    let copied = wait(client.copy(&from, &to, &mut |step| told(&step, terminal)))?;
    if !copied.changed {
        terminal.note("already there: nothing uploaded");
    }
    terminal.data(format!("{}\n", to.with_digest(copied.digest)))?;
    Ok(Outcome::Done)
}
