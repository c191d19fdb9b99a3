//! `hydrant check`: what is wrong with the objects of a source, before anybody applies them.

#![expect(clippy::disallowed_methods, reason = "baselines and the sources' texts are read from disk")]

use std::path::{Path, PathBuf};

use crate::check::{self, Baseline, Finding, Form, Kinds, Rules};
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, Severity};
use crate::manifest::Set;
use crate::oci::Digest;
use crate::schema::Shapes;

use super::Outcome;
use super::bring::FetchFlags;
use super::check_places;
use super::connection::ConnectionArgs;
use super::input;
use super::terminal::Terminal;

/// The arguments of `hydrant check`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A kustomization, a chart, a folder or file of manifests, an artifact, or - for standard input
    pub(super) source: String,
    #[command(flatten)]
    rules: RuleFlags,
    /// What makes the exit code 1: error, warning or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = ["error", "warning", "never"])]
    fail_on: String,
    /// Print text, json, sarif, junit or github (workflow annotations)
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json", "sarif", "junit", "github"])]
    format: String,
    /// Write the report to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let be what this file knows
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what is found to this file, as a baseline for later runs
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    #[command(flatten)]
    fetch: FetchFlags,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What to check by; `push --check` takes the same.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct RuleFlags {
    /// The Kubernetes version whose kinds count, 1.20 or 1.25 to the newest, which is the default
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Custom kinds: CustomResourceDefinitions in a folder, file or artifact
    #[arg(long, value_name = "SOURCE")]
    crds: Vec<String>,
    /// Policies in a folder, file or artifact: Gatekeeper's templates and constraints, ValidatingAdmissionPolicies, Kyverno's policies
    #[arg(long, value_name = "SOURCE")]
    policy: Vec<String>,
    /// Switch a check off, by its code (docs/checks.md)
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    skip: Vec<String>,
}

impl RuleFlags {
    /// What a statement says of what was checked by: each source, with the digest of its objects.
    fn stated(
        &self,
        profile: Profile,
        connection: &ConnectionArgs,
        fetch: &FetchFlags,
    ) -> Result<Vec<serde_json::Value>> {
        let quiet = Terminal::quiet();
        let sources =
            self.policy.iter().map(|source| ("policy", source)).chain(self.crds.iter().map(|source| ("crds", source)));
        sources
            .map(|(what, source)| {
                let set = input::objects(source, profile, connection, fetch, &quiet)?;
                let text: Vec<String> = set.objects.iter().map(|object| check::json(object).to_string()).collect();
                Ok(serde_json::json!({"kind": what, "source": source, "digest": {"sha256": Digest::of(text.join("\n").as_bytes()).hex()}}))
            })
            .collect()
    }

    /// Reads all that is to be checked by.
    pub(super) fn rules(
        &self,
        profile: Profile,
        connection: &ConnectionArgs,
        fetch: &FetchFlags,
        terminal: &Terminal,
    ) -> Result<Rules> {
        let version = self.kube_version.clone().unwrap_or_else(Shapes::newest);
        let mut kinds = Kinds::default();
        for source in &self.crds {
            let set = input::objects(source, profile, connection, fetch, terminal)?;
            set.objects.iter().for_each(|object| kinds.add(&check::json(object)));
        }
        #[cfg(feature = "policy")]
        let policies = {
            let mut policies = check::Policies::default();
            for source in &self.policy {
                for object in &input::objects(source, profile, connection, fetch, terminal)?.objects {
                    policies.add(&check::json(object))?;
                }
            }
            policies.compile()?;
            policies
        };
        #[cfg(not(feature = "policy"))]
        if !self.policy.is_empty() {
            let fault = Diagnostic::input("policy-feature", "this build evaluates no policies");
            return Err(Box::new(fault.hint("build it with the feature `policy`")));
        }
        Ok(Rules {
            shapes: Shapes::of(&version)?,
            kinds,
            off: check::known_codes(&self.skip)?,
            #[cfg(feature = "policy")]
            policies,
        })
    }
}

/// Runs the command: exit 0 where nothing grave is found, 1 where something is.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let known = args.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default();
    let mut rules = args.rules.rules(profile, &args.connection, &args.fetch, terminal)?;
    let set = input::objects(&args.source, profile, &args.connection, &args.fetch, terminal)?;
    let mut findings = check::check(&set, &mut rules);
    if let Some(path) = &args.write_baseline {
        write(path, &Baseline::write(&set, &findings))?;
    }
    let let_be = known.subtract(&set, &mut findings);
    let form = match args.format.as_str() {
        "json" => Form::Json,
        "sarif" => Form::Sarif,
        "junit" => Form::Junit,
        "github" => Form::Github,
        _ => Form::Text,
    };
    let worst = check::gravest(&findings);
    terminal.note(summary(&set, &findings, let_be));
    let judged = check_places::judged(&args.source, &set, findings, profile, &args.fetch);
    let text = check::print(form, &set, &judged, terminal.colour());
    match &args.output {
        Some(path) => write(path, &text)?,
        None => terminal.data(text)?,
    }
    let limit = match args.fail_on.as_str() {
        "warning" => Some(Severity::Warning),
        "never" => None,
        _ => Some(Severity::Error),
    };
    Ok(if limit.is_some_and(|limit| worst >= Some(limit)) { Outcome::Found } else { Outcome::Done })
}

/// Checks what is about to be pushed. What is found goes to the terminal; gives what a statement says of the check, or nothing
/// where an error was found or a policy was not evaluated: then nothing is pushed.
pub(super) fn before_push(
    source: &str,
    set: &Set,
    flags: &RuleFlags,
    profile: Profile,
    connection: &ConnectionArgs,
    fetch: &FetchFlags,
    terminal: &Terminal,
) -> Result<Option<serde_json::Value>> {
    let mut rules = flags.rules(profile, connection, fetch, terminal)?;
    let version = rules.shapes.version().to_owned();
    let findings = check::check(set, &mut rules);
    terminal.note(summary(set, &findings, 0));
    let stops = |finding: &Finding| finding.severity == Severity::Error || finding.code == "policy-unevaluated";
    let refused = findings.iter().any(stops);
    let warnings = findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
    let judged = check_places::judged(source, set, findings, profile, fetch);
    terminal.remark(&check::print(Form::Text, set, &judged, false), "");
    if refused {
        terminal.note("nothing is pushed: fix what is found, or skip a check by its code (`--skip`)");
        return Ok(None);
    }
    Ok(Some(serde_json::json!({
        "result": "passed", "kubeVersion": version, "objects": set.len(), "warnings": warnings,
        "skipped": flags.skip, "rules": flags.stated(profile, connection, fetch)?,
    })))
}

/// `12 objects: 2 errors, 1 warning (3 known)`.
pub(super) fn summary(set: &Set, findings: &[Finding], let_be: usize) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let known = if let_be > 0 { format!(" ({let_be} known)") } else { String::new() };
    format!(
        "{}: {}, {}{known}",
        counted(set.len(), "object"),
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning")
    )
}

fn baseline(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the baseline `{}` cannot be read: {error}", path.display());
        Box::new(Diagnostic::input("baseline-unreadable", message).hint("write it with `--write-baseline`"))
    })?;
    Baseline::read(&text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| {
        Box::new(Diagnostic::unreachable("output", format!("cannot write `{}`: {error}", path.display())))
    })
}
