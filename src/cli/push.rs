//! `hydrant push`: render, pack, push; prints REF@digest.

use std::collections::BTreeMap;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Descriptor, Location};
use crate::package::{Packing, pack};
use crate::registry::{Pushed, Step};

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::input;
use super::terminal::Terminal;

/// The arguments of `hydrant push`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A kustomization, a chart or a folder of manifests
    source: String,
    /// host/repository:tag, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// Annotate the artifact; part of its digest
    #[arg(long = "annotation", short = 'a', value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Media types to pack with: portable (every consumer takes them) or flux
    #[arg(long, value_name = "TYPES", default_value = "portable", value_parser = ["portable", "flux"])]
    media_type: String,
    /// Print REF@digest, or a JSON object
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let packing = Packing { annotations: annotations(&args.annotations)?, flux: args.media_type == "flux" };
    let client = args.connection.client()?;
    let set = input::objects(&args.source, profile, &args.connection, terminal)?;
    let artifact = pack(&set, &packing)?;
    terminal.note(format_args!("packed {} into {}", counted(set.len(), "object"), bytes(packed_size(&artifact))));
    let pushed = wait(client.push(&location, &artifact, &mut |step| told(&step, terminal)))?;
    if !pushed.changed {
        terminal.note(format_args!("already there: nothing uploaded"));
    }
    print(&args.format, &location, set.len(), &pushed, terminal)?;
    Ok(Outcome::Done)
}

/// One line for each blob that was not simply there.
pub(super) fn told(step: &Step, terminal: &Terminal) {
    let line = |word: &str, blob: &Descriptor| format!("{word} {} ({})", blob.digest, bytes(blob.size));
    match step {
        Step::Uploaded(blob) => terminal.note(line("uploaded", blob)),
        Step::Mounted(blob) => terminal.note(line("mounted", blob)),
        Step::Present(_) => {}
    }
}

fn print(format: &str, location: &Location, objects: usize, pushed: &Pushed, terminal: &Terminal) -> Result<()> {
    let reference = location.with_digest(pushed.digest);
    if format == "text" {
        return terminal.data(format!("{reference}\n"));
    }
    let facts = serde_json::json!({
        "reference": reference.to_string(), "digest": pushed.digest, "objects": objects,
        "uploadedBlobs": pushed.blobs, "uploadedBytes": pushed.bytes, "changed": pushed.changed,
    });
    terminal.data(format!("{facts}\n"))
}

/// Reads `KEY=VALUE` pairs.
fn annotations(pairs: &[String]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let fault = Diagnostic::input("annotation-invalid", format!("`{pair}` is no annotation"));
            return Err(Box::new(fault.hint("write `--annotation KEY=VALUE`")));
        };
        if found.insert(key.to_owned(), value.to_owned()).is_some() {
            let fault = Diagnostic::input("annotation-twice", format!("the annotation `{key}` is given twice"));
            return Err(Box::new(fault.hint("give it once")));
        }
    }
    Ok(found)
}

fn packed_size(artifact: &Artifact) -> u64 {
    artifact.blobs().map(|blob| blob.descriptor.size).sum()
}

/// `1 object`, `2 objects`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A size for people.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_pairs_given_once() {
        let owned = |pairs: &[&str]| pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>();
        assert_eq!(annotations(&owned(&["a=b=c", "d="])).expect("pairs")["a"], "b=c");
        assert_eq!(annotations(&owned(&["a"])).expect_err("no pair").code, "annotation-invalid");
        assert_eq!(annotations(&owned(&["=a"])).expect_err("no key").code, "annotation-invalid");
        assert_eq!(annotations(&owned(&["a=1", "a=2"])).expect_err("twice").code, "annotation-twice");
    }
}
