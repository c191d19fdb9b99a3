//! `hydrant inspect`: what an artifact is made of, and which consumers take it.

use std::fmt::Write as _;

use crate::archive::LayerLimits;
use crate::diag::Result;
use crate::manifest::Set;
use crate::oci::{Artifact, Digest, Location, Manifest};
use crate::package::{Files, Taking, Verdict, consumers, objects, unpack};
use crate::registry::Client;
use crate::trust::{self, Attached};

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::push::{bytes, counted};
use super::terminal::Terminal;
use super::verify::{facts, line};

/// The arguments of `hydrant inspect`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// Say for Config Sync, Flux and Argo CD whether they take it; exit 1 if one does not
    #[arg(long)]
    consumers: bool,
    /// Print for people, or a JSON object
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What was found out about an artifact.
struct Findings {
    location: Location,
    artifact: Artifact,
    index: bool,
    /// The files, or why there are none to be had.
    files: Result<Files>,
    /// The objects, or why they cannot be read.
    objects: Result<Set>,
    verdicts: Vec<Verdict>,
    /// Signatures and statements, not checked against any key.
    attached: Vec<Attached>,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let client = args.connection.client()?;
    let mut findings = wait(find(&client, location))?;
    if !args.consumers {
        findings.verdicts.clear();
    }
    let text = if args.format == "json" { json(&findings) } else { text(&findings) };
    terminal.data(text)?;
    let refused = findings.verdicts.iter().any(|verdict| verdict.taking != Taking::Takes);
    // people and programs see the reason beside the facts; on a terminal it also has its hints
    if let Err(fault) = findings.files.as_ref().map(|_| ()).and(findings.objects.as_ref().map(|_| ())) {
        terminal.report(fault);
        return Ok(Outcome::Found);
    }
    Ok(if refused { Outcome::Found } else { Outcome::Done })
}

async fn find(client: &Client, location: Location) -> Result<Findings> {
    // a tag may move between two reads; a digest does not
    let pinned = location.with_digest(client.resolve(&location).await?);
    let (manifest, content_type) = client.manifest(&pinned, &pinned.version()).await?;
    let index = matches!(Manifest::parse(&manifest, &content_type)?, Manifest::Index(_));
    let artifact = client.pull(&pinned).await?;
    let limits = LayerLimits::default();
    let files = unpack(&artifact, &limits);
    let objects = match files.as_ref().map(|files| objects(files.clone())) {
        // a chart or a kustomization has no objects yet, which is no fault of it
        Ok(Err(fault)) if fault.code == "artifact-unrendered" => Ok(Set::default()),
        Ok(objects) => objects,
        Err(_) => Ok(Set::default()),
    };
    let verdicts = consumers(&artifact, index, &limits);
    let attached = trust::inspect(client, &pinned, Digest::of(&manifest)).await?;
    Ok(Findings { location, artifact, index, files, objects, verdicts, attached })
}

fn text(findings: &Findings) -> String {
    let artifact = &findings.artifact;
    let mut out = format!("{}\n", findings.location.with_digest(artifact.digest));
    let kind = if findings.index { "image of an index" } else { "image" };
    // writing to a string cannot fail
    let _ = writeln!(out, "{kind}: {}", artifact.media_type);
    if let Some(kind) = &artifact.image.artifact_type {
        let _ = writeln!(out, "artifact type: {kind}");
    }
    let config = &artifact.image.config;
    let _ = writeln!(out, "config: {} {} ({})", config.media_type, config.digest, bytes(config.size));
    for (key, value) in &artifact.image.annotations {
        let _ = writeln!(out, "annotation: {key}={value}");
    }
    for layer in &artifact.layers {
        let layer = &layer.descriptor;
        let _ = writeln!(out, "layer: {} {} ({})", layer.media_type, layer.digest, bytes(layer.size));
        for (key, value) in &layer.annotations {
            let _ = writeln!(out, "  annotation: {key}={value}");
        }
    }
    if let Ok(files) = &findings.files {
        let _ = writeln!(out, "{}", counted(files.len(), "file"));
        for (path, content) in files.iter() {
            let _ = writeln!(out, "  {path} ({})", bytes(content.len() as u64));
        }
    }
    if let Ok(set) = &findings.objects {
        let _ = writeln!(out, "{}", counted(set.len(), "object"));
        for object in &set.objects {
            let _ = writeln!(out, "  {}", object.id);
        }
    }
    for piece in &findings.attached {
        let _ = writeln!(out, "attached: {}", line(piece));
    }
    for verdict in &findings.verdicts {
        let _ = writeln!(out, "{}: {}", verdict.consumer, word(verdict.taking));
        for reason in &verdict.reasons {
            let _ = writeln!(out, "  {}\n  hint: {}", reason.why, reason.mend);
        }
    }
    out
}

fn word(taking: Taking) -> &'static str {
    match taking {
        Taking::Takes => "takes it",
        Taking::Partly => "takes a part of it",
        Taking::Refuses => "does not take it",
    }
}

fn json(findings: &Findings) -> String {
    let artifact = &findings.artifact;
    let files = findings.files.as_ref().map(|files| {
        files
            .iter()
            .map(|(path, content)| serde_json::json!({ "path": path, "size": content.len() }))
            .collect::<Vec<_>>()
    });
    let objects = findings.objects.as_ref().map(|set| {
        let id = |object: &crate::manifest::Object| {
            let id = &object.id;
            serde_json::json!({
                "apiVersion": id.api_version(), "kind": id.kind.as_str(), "namespace": id.namespace.as_str(), "name": id.name.as_str(),
                "file": object.origin.file.as_str(),
            })
        };
        set.objects.iter().map(id).collect::<Vec<_>>()
    });
    let verdicts = findings.verdicts.iter().map(|verdict| {
        let reasons = verdict.reasons.iter().map(|reason| serde_json::json!({ "why": reason.why, "mend": reason.mend }));
        let taking = match verdict.taking {
            Taking::Takes => "all",
            Taking::Partly => "part",
            Taking::Refuses => "nothing",
        };
        serde_json::json!({ "consumer": verdict.consumer.to_string(), "takes": taking, "reasons": reasons.collect::<Vec<_>>() })
    });
    let facts = serde_json::json!({
        "reference": findings.location.with_digest(artifact.digest).to_string(), "digest": artifact.digest, "index": findings.index,
        "mediaType": artifact.media_type, "artifactType": artifact.image.artifact_type, "config": artifact.image.config,
        "layers": artifact.image.layers, "annotations": artifact.image.annotations,
        "files": files.unwrap_or_default(), "objects": objects.unwrap_or_default(), "consumers": verdicts.collect::<Vec<_>>(),
        "attached": findings.attached.iter().map(facts).collect::<Vec<_>>(),
    });
    format!("{facts}\n")
}
