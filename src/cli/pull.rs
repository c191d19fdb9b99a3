//! `hydrant pull`: an artifact's files in a folder.

use std::path::PathBuf;

use crate::archive::LayerLimits;
use crate::diag::Result;
use crate::oci::Location;
use crate::package::unpack;
use crate::trust::verify;

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::folder::{check_target, replace_folder};
use super::keys;
use super::push::counted;
use super::terminal::Terminal;

/// The arguments of `hydrant pull`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// An empty folder, one that does not exist yet, or one that an earlier pull made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Take it only if it was signed with the private key of this public one (PEM), or env://VARIABLE
    #[arg(long, value_name = "PUB")]
    key: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    check_target(&args.folder)?;
    let client = args.connection.client()?.with_progress(terminal.bar());
    let key = args.key.as_deref().map(keys::public).transpose()?;
    let artifact = match &key {
        Some(key) => wait(verify(&client, &location, key, &[]))?.artifact,
        None => wait(client.pull(&location))?,
    };
    let files = unpack(&artifact, &LayerLimits::default())?;
    let reference = location.with_digest(artifact.digest);
    replace_folder(&args.folder, files.iter().map(|(path, bytes)| (path, &bytes[..])), &reference.to_string())?;
    terminal.note(format_args!("pulled {} into `{}`", counted(files.len(), "file"), args.folder.display()));
    terminal.data(format!("{reference}\n"))?;
    Ok(Outcome::Done)
}
