//! `hydrant diff`: what changes between two states, object by object, for whoever has to approve it.

use std::path::PathBuf;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::diff::{Facts, Report, RootDiff, Rules, Unfold, View, diff};
use crate::oci::Location;
use crate::source::{Disk, Source as _};

use super::Outcome;
use super::bring::FetchFlags;
use super::connection::{ConnectionArgs, wait};
use super::diff_out::{self, OutArgs};
use super::diff_sides::{Side, Sides, World};
use super::input::{self, absolute};
use super::terminal::Terminal;
use super::{keys, plan};

/// The arguments of `hydrant diff`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The old side: a kustomization, a chart, a folder or file of manifests, an artifact (oci://…, oci-layout:DIR:TAG), a revision
    /// (git:REV:PATH, and git:A...B:PATH for where two parted), live: for the cluster, or - for standard input
    old: String,
    /// The new side, likewise; left out with `--compat A..B`
    new: Option<String>,
    /// Compare every root in and below both folders, and render only those whose inputs differ
    #[arg(long)]
    all: bool,
    /// Show these classes of noise in full: chart-label, checksum, certificate, image-tag, reference, schema-text, same-change,
    /// respelled, the name of a rule, or all
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    unfold: Vec<String>,
    /// A file of rules: what else is noise, what is none, what is dangerous
    #[arg(long, value_name = "FILE")]
    rules: Option<String>,
    /// Say where each value comes from: the line of the manifest, patch or values file, and of the template
    #[arg(long)]
    why: bool,
    /// Attach this diff to the artifact REF, which holds the new side, as a signed plan that `sync --plan` does not exceed
    #[arg(long, value_name = "REF", requires = "sign", conflicts_with = "all")]
    plan: Option<String>,
    /// Sign the plan with this private key (PEM, cosign's too), or env://VARIABLE
    #[arg(long, value_name = "KEY", requires = "plan")]
    sign: Option<String>,
    /// Show what Secrets hold
    #[arg(long)]
    show_secrets: bool,
    /// The Kubernetes version that the new side goes to (1.33); for charts, too
    #[arg(long, value_name = "VERSION", value_parser = kubernetes)]
    kube_version: Option<(u32, u32)>,
    /// How many roots are rendered at a time [default: as many as there are cores]
    #[arg(long, value_name = "COUNT", requires = "all")]
    threads: Option<usize>,
    /// The kubeconfig's context, for live:
    #[arg(long)]
    context: Option<String>,
    /// The kubeconfig, for live:
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    fetch: FetchFlags,
    #[command(flatten)]
    connection: ConnectionArgs,
}

fn kubernetes(text: &str) -> Result<(u32, u32), String> {
    let mut numbers = text.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err("write it as 1.33".to_owned()),
    }
}

/// Runs the command: exit 0 where nothing differs, 1 where something does.
pub(super) fn run(args: &Args, compat: &str, terminal: &Terminal) -> Result<Outcome> {
    let (old, new) = sides(args, compat)?;
    let rules = args.rules.as_deref().map(rules).transpose()?.unwrap_or_default();
    let unfold = Unfold::parse(&args.unfold, rules.folding()).map_err(|word| {
        let fault = Diagnostic::input("diff-unfold", format!("`{word}` is no class of noise"));
        Box::new(fault.hint("name a class, a rule of the file, or `all`"))
    })?;
    let facts = Facts { rules, show_secrets: args.show_secrets, kubernetes: args.kube_version, ..Facts::default() };
    let world = World {
        fetch: &args.fetch,
        connection: &args.connection,
        cluster: (args.kubeconfig.clone(), args.context.clone()),
        kube_version: args.kube_version.map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default(),
        terminal,
    };
    let sides = Sides { old: &old, new: &new, world: &world };
    let mut report = Report { old: old.shown.clone(), new: new.shown.clone(), ..Report::default() };
    let mut refused = 0;
    if args.all {
        let found = sides.roots(args.threads)?;
        report.roots_same = found.same;
        report.roots.extend(
            found.differing.into_iter().map(|(name, (old, new))| RootDiff { name, diff: diff(&old, &new, &facts) }),
        );
    } else {
        let pair = sides.sets()?;
        refused = pair.refused;
        report.roots.push(RootDiff { name: String::new(), diff: diff(&pair.old, &pair.new, &facts) });
        if let (Some(reference), Some(key)) = (&args.plan, &args.sign) {
            let (location, key) = (Location::parse(reference)?, keys::private(key)?);
            let held = input::artifact(&location, &args.connection)?.0;
            let client = args.connection.client()?;
            wait(plan::attach(&client, &location, &report, &pair.new, &held, &key))?;
            terminal.note(format_args!("attached the plan to {location}"));
        }
    }
    if args.why {
        sides.explain(&mut report)?;
    }
    let view = View::of(&report, &unfold);
    diff_out::print(&view, &args.out, terminal)?;
    Ok(if report.is_empty() && refused == 0 { Outcome::Done } else { Outcome::Found })
}

/// Both sides with their profiles: two sources, or one under two profiles.
fn sides(args: &Args, compat: &str) -> Result<(Side, Side)> {
    let side = |argument: &str, profile: &str, shown: String| -> Result<Side> {
        Side::parse(argument, Profile::parse(profile)?, shown)
    };
    if let Some((before, after)) = compat.split_once("..") {
        if args.new.is_some() {
            let fault = Diagnostic::input("diff-sides", "`--compat A..B` compares one source under two profiles");
            return Err(Box::new(fault.hint("give one source, or one profile")));
        }
        let old = side(&args.old, before, format!("{} ({before})", args.old))?;
        return Ok((old, side(&args.old, after, format!("{} ({after})", args.old))?));
    }
    let Some(new) = &args.new else {
        let fault = Diagnostic::input("diff-sides", "there is nothing to compare it with");
        return Err(Box::new(fault.hint("give OLD and NEW, or one source and `--compat A..B`")));
    };
    if args.old == *new && (new == "-" || new == "live:") {
        let fault = Diagnostic::input("diff-sides", format!("only one side can be `{new}`"));
        return Err(Box::new(fault.hint("give another source for the other side")));
    }
    Ok((side(&args.old, compat, args.old.clone())?, side(new, compat, new.clone())?))
}

fn rules(argument: &str) -> Result<Rules> {
    let path = absolute(argument)?;
    let text = String::from_utf8_lossy(&Disk.read(&path)?).into_owned();
    Rules::parse(&SourceText::new(argument, text))
}
