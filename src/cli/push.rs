//! `hydrant push`: render, pack, sign, push; prints REF@digest.

use std::collections::BTreeMap;

use serde_json::json;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Fault, Result};
use crate::manifest::Set;
use crate::oci::{Artifact, Descriptor, Location};
use crate::package::{Packing, pack};
use crate::registry::{Client, Pushed, Step};
use crate::trust::{CHECK, Made, PrivateKey, Statement, images_statement, provenance, sign_by_tag};

use super::Outcome;
use super::bring::FetchFlags;
use super::check::{self, RuleFlags};
use super::connection::{ConnectionArgs, wait};
use super::keys;
use super::made::{self, Origin};
use super::seed::SeedArgs;
use super::terminal::Terminal;

/// Secrets named in a warning before the rest is only counted.
const SECRETS_NAMED: usize = 10;

/// The arguments of `hydrant push`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A kustomization, a chart or a folder of manifests
    pub(super) source: String,
    /// host/repository:tag, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// Annotate the artifact; part of its digest
    #[arg(long = "annotation", short = 'a', value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Media types to pack with: portable (every consumer takes them) or flux
    #[arg(long, value_name = "TYPES", default_value = "portable", value_parser = ["portable", "flux"])]
    media_type: String,
    /// Refuse to push Secrets, instead of warning
    #[arg(long)]
    deny_secrets: bool,
    /// Check the objects first (as `hydrant check`), push nothing where an error is found, and attach the verdict
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    rules: RuleFlags,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print REF@digest, or a JSON object
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    fetch: FetchFlags,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What to attach to the artifact.
#[derive(clap::Args)]
struct TrustArgs {
    /// Sign the artifact and its statements with this private key (PEM), or env://VARIABLE; the password of an encrypted key
    /// is read from COSIGN_PASSWORD
    #[arg(long, value_name = "KEY")]
    sign: Option<String>,
    /// Where to keep the signature: bundle (cosign 3), tag (the older sha256-….sig), or both
    #[arg(long, value_name = "FORM", default_value = "bundle", value_parser = ["bundle", "tag", "both"])]
    signature: String,
    /// Attach neither provenance nor the list of images
    #[arg(long)]
    no_attest: bool,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let packing = Packing { annotations: annotations(&args.annotations)?, flux: args.media_type == "flux" };
    let key = args.trust.sign.as_deref().map(keys::private).transpose()?;
    let client = args.connection.client()?.with_progress(terminal.bar());
    let fetch = FetchFlags { seed: args.seed.fingerprint()?, ..args.fetch.clone() };
    let record = !args.trust.no_attest;
    let origin = made::read(&args.source, profile, &args.seed, &args.connection, &fetch, terminal, record)?;
    secrets(&origin.set, args.deny_secrets, terminal)?;
    let mut checked = None;
    if args.check {
        let verdict =
            check::before_push(&args.source, &origin.set, &args.rules, profile, &args.connection, &fetch, terminal)?;
        let Some(verdict) = verdict else { return Ok(Outcome::Found) };
        checked = Some(verdict);
    }
    let artifact = pack(&origin.set, &packing)?;
    let count = origin.set.len();
    terminal.note(format_args!("packed {} into {}", counted(count, "object"), bytes(packed_size(&artifact))));
    let mut statements = statements(&args, profile, &location, &artifact, &origin);
    let verdict = checked.filter(|_| !args.trust.no_attest);
    statements.extend(verdict.map(|verdict| Statement::about(artifact.digest, &repository(&location), CHECK, verdict)));
    let shipment = Shipment { client: &client, location: &location, artifact: &artifact, terminal };
    let pushed = wait(shipment.ship(&statements, key.as_ref(), &args.trust.signature))?;
    if !pushed.changed {
        terminal.note(format_args!("already there: nothing uploaded"));
    }
    print(&args.format, &location, count, &pushed, terminal)?;
    // the process ends here, and the system takes its memory back sooner than many objects could be taken apart
    std::mem::forget((origin, artifact, statements));
    Ok(Outcome::Done)
}

/// How the artifact was made, and which images it runs; nothing where no record was kept.
fn statements(
    args: &Args,
    profile: Profile,
    location: &Location,
    artifact: &Artifact,
    origin: &Origin,
) -> Vec<Statement> {
    let name = repository(location);
    let Some((source, dependencies)) = origin.told() else { return Vec::new() };
    let parameters = BTreeMap::from([
        ("source".to_owned(), json!(source)),
        ("compat".to_owned(), json!(profile.to_string())),
        ("mediaType".to_owned(), json!(args.media_type)),
        ("annotations".to_owned(), json!(args.annotations)),
    ]);
    let made = Made { parameters, dependencies };
    vec![provenance(artifact.digest, &name, &made), images_statement(artifact.digest, &name, &origin.set)]
}

/// The repository with its host, without tag and digest; empty for a layout, whose folder is nobody else's business.
fn repository(location: &Location) -> String {
    match location {
        Location::Registry(reference) => format!("{}/{}", reference.registry, reference.repository),
        Location::Layout(_) => String::new(),
    }
}

/// An artifact on its way.
struct Shipment<'a> {
    client: &'a Client,
    location: &'a Location,
    artifact: &'a Artifact,
    terminal: &'a Terminal,
}

impl Shipment<'_> {
    /// Pushes the artifact, then what vouches for it, then the tag: nobody sees the tag before its signature.
    async fn ship(&self, statements: &[Statement], key: Option<&PrivateKey>, signature: &str) -> Result<Pushed> {
        let (client, location, artifact) = (self.client, self.location, self.artifact);
        let mut told = |step: Step| told(&step, self.terminal);
        let there = client.holds(location, artifact.digest).await?;
        // a verdict is news about an artifact that is there already
        let checked = statements.iter().any(|statement| statement.predicate_type == CHECK);
        if (there && key.is_none() && !checked) || (statements.is_empty() && key.is_none()) {
            return if there {
                Ok(Pushed { digest: artifact.digest, blobs: 0, bytes: 0, changed: false })
            } else {
                client.push(location, artifact, &mut told).await
            };
        }
        let pinned = location.without_tag().with_digest(artifact.digest);
        let mut pushed = if there {
            Pushed { digest: artifact.digest, blobs: 0, bytes: 0, changed: false }
        } else {
            client.push(&pinned, artifact, &mut told).await?
        };
        let subject = artifact.descriptor();
        let mut attachments = Vec::new();
        for statement in statements {
            attachments.push(match key {
                Some(key) => statement.attach_signed(subject.clone(), key)?,
                None => statement.attach_plain(subject.clone())?,
            });
        }
        if let Some(key) = key {
            if signature != "tag" {
                attachments.push(Statement::signature(artifact.digest).attach_signed(subject, key)?);
            }
            if signature != "bundle" {
                let name = repository(location);
                pushed.changed |= sign_by_tag(client, &pinned, artifact.digest, &name, key, &mut told).await?;
            }
        }
        match client.attach(&pinned, artifact.digest, &attachments, &mut told).await {
            Ok(new) => pushed.changed |= new > 0,
            // statements that nobody signed are a service; a registry that does not take them still takes the artifact
            Err(fault) if key.is_none() && fault.fault == Fault::Unreachable => self.warn(&fault),
            Err(fault) => return Err(fault),
        }
        if !there {
            client.point(location, artifact).await?;
            pushed.changed = true;
        }
        Ok(pushed)
    }

    fn warn(&self, fault: &Diagnostic) {
        let text = format!("provenance and images are not attached: {}", fault.message);
        self.terminal.report(&Diagnostic::warning("attach-refused", text).hint("pass `--no-attest` to leave them out"));
    }
}

/// Names the Secrets that would lie in the registry for everyone who may read it.
fn secrets(set: &Set, deny: bool, terminal: &Terminal) -> Result<()> {
    let filled = |object: &&crate::manifest::Object| {
        let has = |field| object.tree().get(field).and_then(|data| data.as_map()).is_some_and(|data| !data.is_empty());
        object.id.kind == "Secret" && object.id.group.is_empty() && (has("data") || has("stringData"))
    };
    let found: Vec<String> = set.objects.iter().filter(filled).map(|object| format!("`{}`", object.id)).collect();
    if found.is_empty() {
        return Ok(());
    }
    let more = match found.len().saturating_sub(SECRETS_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!(
        "the artifact holds {}{more}, for everyone who may read it",
        found[..found.len().min(SECRETS_NAMED)].join(", ")
    );
    let hint = "keep secrets out of artifacts: use an external secret store, or sealed secrets";
    if deny {
        return Err(Box::new(Diagnostic::input("secrets-denied", text).hint(hint)));
    }
    terminal.report(&Diagnostic::warning("secrets-in-artifact", text).hint(hint));
    Ok(())
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
    use super::super::input;
    use super::*;
    use crate::render::Options;
    use crate::source::Disk;

    /// Files of the test below, and how often they are made anew.
    const FILES: usize = 6;
    const ROUNDS: usize = 1000;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the order in which files are made is what is tested")]
    fn the_order_in_which_files_are_made_moves_no_digest() {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut state: u64 = 0x2545_f491_4f6c_dd1d;
        let mut order: Vec<usize> = (0..FILES).collect();
        let mut digests = std::collections::BTreeSet::new();
        for round in 0..ROUNDS {
            let folder = scratch.path().join(format!("{round}/src"));
            for at in (1..FILES).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                order.swap(at, ((state >> 33) % (at as u64 + 1)) as usize);
            }
            for number in &order {
                let below = folder.join(if number % 2 == 0 { "even" } else { "odd" });
                std::fs::create_dir_all(&below).expect("made");
                let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\n");
                std::fs::write(below.join(format!("{number}.yaml")), text).expect("written");
            }
            let rendered = input::rendered_from(
                &Disk,
                &folder.to_string_lossy(),
                &Options::of(Profile::default()),
                &SeedArgs::default(),
            )
            .expect("renders");
            digests.insert(pack(&rendered.set, &Packing::default()).expect("packs").digest);
            std::fs::remove_dir_all(folder).expect("removed");
        }
        assert_eq!(digests.len(), 1);
    }

    #[test]
    fn annotations_are_pairs_given_once() {
        let owned = |pairs: &[&str]| pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>();
        assert_eq!(annotations(&owned(&["a=b=c", "d="])).expect("pairs")["a"], "b=c");
        assert_eq!(annotations(&owned(&["a"])).expect_err("no pair").code, "annotation-invalid");
        assert_eq!(annotations(&owned(&["=a"])).expect_err("no key").code, "annotation-invalid");
        assert_eq!(annotations(&owned(&["a=1", "a=2"])).expect_err("twice").code, "annotation-twice");
    }
}
