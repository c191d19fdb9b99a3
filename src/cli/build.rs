//! `hydrant build`: a kustomization, a chart or a folder of manifests → flat manifests, with `kustomize build`'s flags.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::kustomize::{self, HelmOptions, LoadRestrictions, Options};
use crate::render::{self, Page};
use crate::source::Source;

use super::Outcome;
use super::bring::{self, FetchFlags};
use super::build_all;
use super::input::absolute;
use super::pflag;
use super::seed::{self, SeedArgs};
use super::terminal::Terminal;

/// The arguments of `hydrant build`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A kustomization, a chart or a folder of manifests; or a folder in a git repository, as kustomize writes it
    #[arg(default_value = ".")]
    pub(super) source: String,
    /// Write to this file, or to a file an object if it is a folder
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<String>,
    /// Which files a kustomization may read: LoadRestrictionsRootOnly or LoadRestrictionsNone
    #[arg(
        long,
        value_name = "RESTRICTION",
        default_value = "LoadRestrictionsRootOnly",
        value_parser = ["LoadRestrictionsRootOnly", "LoadRestrictionsNone", "rootOnly", "none"]
    )]
    load_restrictor: String,
    /// The order of objects where the kustomization says nothing: legacy or none
    #[arg(long, value_name = "ORDER", default_value = "legacy", value_parser = ["legacy", "none", "unspecified"])]
    reorder: String,
    /// Render charts (so unless this says false)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = pflag::boolean, value_name = "BOOL")]
    enable_helm: Option<bool>,
    /// Refuse what is no kustomization; what a call as `kustomize` means
    #[arg(long, hide = true)]
    kustomizations_only: bool,
    /// Refuse charts unless --enable-helm is given; what a call as `kustomize` means
    #[arg(long, hide = true)]
    no_charts: bool,
    /// Taken for kustomize's sake; charts are rendered without a command
    #[arg(long, value_name = "COMMAND", hide = true)]
    helm_command: Option<String>,
    /// Kubernetes version for charts
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    helm_kube_version: String,
    /// API versions for charts
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    helm_api_versions: Vec<String>,
    /// Taken for kustomize's sake
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    helm_debug: bool,
    /// Add the label app.kubernetes.io/managed-by to every object
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    enable_managedby_label: bool,
    /// Taken for kustomize's sake; plugins beside the builtin ones are refused by name
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    enable_alpha_plugins: bool,
    /// Taken for kustomize's sake; executables are never run
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    enable_exec: bool,
    /// Taken for kustomize's sake; containers are never run
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    network: bool,
    /// Taken for kustomize's sake; containers are never run
    #[arg(long, value_name = "NAME", hide = true)]
    network_name: Option<String>,
    /// Taken for kustomize's sake; containers are never run
    #[arg(long, value_name = "MOUNT", hide = true)]
    mount: Vec<String>,
    /// Taken for kustomize's sake; containers are never run
    #[arg(long, short, value_name = "ENV", hide = true)]
    env: Vec<String>,
    /// Taken for kustomize's sake; containers are never run
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean)]
    as_current_user: bool,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    fetch: FetchFlags,
    #[command(flatten)]
    many: build_all::ManyArgs,
}

/// Runs the command.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let remote = bring::remote(&args.source, &args.fetch, terminal)?;
    let root = match &remote {
        Some(remote) => remote.root.clone(),
        None => absolute(&args.source)?,
    };
    let none = matches!(args.load_restrictor.as_str(), "LoadRestrictionsNone" | "none");
    let kustomize = Options {
        profile,
        restrictions: if none { LoadRestrictions::None } else { LoadRestrictions::RootOnly },
        helm: HelmOptions {
            enabled: args.enable_helm.unwrap_or(!args.no_charts),
            kube_version: args.helm_kube_version.as_str().into(),
            api_versions: args.helm_api_versions.iter().map(Into::into).collect(),
        },
        managed_by_label: args.enable_managedby_label,
        fifo: args.reorder == "none",
        remotes: kustomize::Remotes::default(),
        repository: remote.as_ref().map(|remote| remote.repository.clone()),
    };
    let options = render::Options { profile, kustomize, last: !args.many.is_asked(), ..render::Options::default() };
    let fetch = FetchFlags { seed: args.seed.fingerprint()?, ..args.fetch.clone() };
    if args.many.is_asked() {
        if remote.is_some() {
            let message = format!("`{}` is elsewhere, and `--all` and `--cache` take a folder here", args.source);
            return Err(Box::new(Diagnostic::input("source-kind", message).hint("clone it and give the folder")));
        }
        let world = build_all::World { seed: &args.seed, fetch: &fetch };
        return build_all::run(&args.many, &root, args.output.as_deref(), &options, &world, terminal);
    }
    let render = |source: &dyn Source, options: &render::Options| {
        render::render(source, &root, options, &mut args.seed.world(false)?)
    };
    let rendered = match remote {
        Some(remote) => bring::settle_remote(remote, &options, &fetch, terminal, render)?,
        None => bring::settle(&root, &options, &fetch, terminal, render)?,
    };
    if args.kustomizations_only && rendered.kind != render::Kind::Kustomization {
        let message = format!("unable to find one of {} in directory `{root}`", render::KUSTOMIZATION_FILES.join(", "));
        return Err(Box::new(
            Diagnostic::input("kustomization-missing", message)
                .hint("call `hydrant build` for charts and plain manifests"),
        ));
    }
    for warning in &rendered.warnings {
        terminal.report(warning);
    }
    seed::warn_unsteady(&rendered.unsteady, terminal);
    let page = Page::of(&rendered)?;
    match &args.output {
        None => terminal.data(page.to_yaml())?,
        Some(path) => build_all::write_page(&absolute(path)?, &page)?,
    }
    // the process ends here, and the system takes memory back sooner than it could be taken apart
    std::mem::forget((rendered, page));
    Ok(Outcome::Done)
}
