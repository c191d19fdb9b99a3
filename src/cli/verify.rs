//! `hydrant verify`: was this artifact signed with this key, and what else does the key vouch for?

use std::fmt::Write as _;

use crate::diag::Result;
use crate::oci::Location;
use crate::trust::{Attached, CHECK, Claim, Form, PROVENANCE, Report, SBOM, Standing, verify};

use super::Outcome;
use super::connection::{ConnectionArgs, wait};
use super::keys;
use super::terminal::Terminal;

/// The arguments of `hydrant verify`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// host/repository:tag, host/repository@digest, or oci-layout:DIR:TAG
    #[arg(value_name = "REF")]
    reference: String,
    /// The public key (PEM), or env://VARIABLE
    #[arg(long, value_name = "PUB", required = true)]
    key: String,
    /// Demand a statement of this type, signed with the key: provenance, sbom, check, or the URI of a predicate type
    #[arg(long = "statement", value_name = "TYPE")]
    statements: Vec<String>,
    /// Print for people, or a JSON object
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let location = Location::parse(&args.reference)?;
    let key = keys::public(&args.key)?;
    let statements: Vec<String> = args.statements.iter().map(|name| predicate_type(name)).collect();
    let client = args.connection.client()?;
    let report = wait(verify(&client, &location, &key, &statements))?;
    let text = if args.format == "json" { json(&location, &report) } else { text(&location, &report) };
    terminal.data(text)?;
    Ok(Outcome::Done)
}

/// The predicate type that a short name stands for.
pub(super) fn predicate_type(name: &str) -> String {
    match name {
        "provenance" => PROVENANCE.to_owned(),
        "sbom" => SBOM.to_owned(),
        "check" => CHECK.to_owned(),
        other => other.to_owned(),
    }
}

fn text(location: &Location, report: &Report) -> String {
    let mut out = format!("{}\n", location.with_digest(report.artifact.digest));
    for (piece, standing) in &report.attached {
        let how = match standing {
            Standing::Signed => "signed with the key",
            Standing::Foreign => "not by this key",
            Standing::Unsigned => "not signed",
        };
        // writing to a string cannot fail
        let _ = writeln!(out, "{}: {how}", line(piece));
    }
    out
}

/// `signature (bundle) sha256:…`: one attached piece for people.
pub(super) fn line(piece: &Attached) -> String {
    let what = match &piece.claim {
        Claim::Signature => "signature".to_owned(),
        Claim::Statement(kind) => format!("statement {kind}"),
        Claim::Other(kind) => kind.clone(),
    };
    format!("{what} ({}) {}", form(piece.form), piece.digest)
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Bundle => "bundle",
        Form::Tag => "tag",
        Form::Plain => "plain",
        Form::Other => "other",
    }
}

/// One attached piece for programs.
pub(super) fn facts(piece: &Attached) -> serde_json::Value {
    let (kind, predicate_type) = match &piece.claim {
        Claim::Signature => ("signature", None),
        Claim::Statement(kind) => ("statement", Some(kind)),
        Claim::Other(kind) => ("other", Some(kind)),
    };
    serde_json::json!({
        "digest": piece.digest, "form": form(piece.form), "kind": kind, "type": predicate_type,
        "predicate": piece.statement.as_ref().map(|statement| &statement.predicate),
    })
}

fn json(location: &Location, report: &Report) -> String {
    let attached: Vec<_> = report
        .attached
        .iter()
        .map(|(piece, standing)| {
            let mut facts = facts(piece);
            facts["standing"] = serde_json::json!(match standing {
                Standing::Signed => "signed",
                Standing::Foreign => "foreign",
                Standing::Unsigned => "unsigned",
            });
            facts
        })
        .collect();
    let reference = location.with_digest(report.artifact.digest).to_string();
    format!(
        "{}\n",
        serde_json::json!({ "reference": reference, "digest": report.artifact.digest, "attached": attached })
    )
}
