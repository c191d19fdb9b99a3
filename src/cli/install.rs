//! `hydrant install`: the manifests that bring the agent into a cluster, from `templates/install/`. Prints; applies nothing.

use tera::{Context, Tera};

use crate::diag::{Diagnostic, Result};

use super::Outcome;
use super::keys;
use super::terminal::Terminal;

/// The templates, in the order in which a cluster needs them.
const TEMPLATES: [&str; 4] = [
    include_str!("../../templates/install/namespace.yaml"),
    include_str!("../../templates/install/crds.yaml"),
    include_str!("../../templates/install/rbac.yaml"),
    include_str!("../../templates/install/deployment.yaml"),
];

/// The arguments of `hydrant install`.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(super) struct Args {
    /// The image that holds this binary
    #[arg(long, value_name = "IMAGE", default_value = concat!("hydrant:", env!("CARGO_PKG_VERSION")))]
    image: String,
    /// Replicas: one writes, the others stand by
    #[arg(long, value_name = "N", default_value_t = 2)]
    replicas: u32,
    /// Serve the syncs of this shard
    #[arg(long, value_name = "NAME")]
    shard: Option<String>,
    /// Let the agent bind roles to the accounts of RootSyncs: those that roleRefs name, and cluster-admin where it is unset.
    /// Without, bind them yourself
    #[arg(long)]
    bind_roles: bool,
    /// Leave out the right to watch every kind; objects that others change are then put right once an hour
    #[arg(long)]
    no_watch: bool,
    /// Leave out the definitions of RootSync, RepoSync and ResourceGroup, where Config Sync has installed them
    #[arg(long)]
    no_crds: bool,
    /// Take artifacts only if they were signed with the private key of this public one (PEM), or env://VARIABLE; the key
    /// stands in the Deployment
    #[arg(long, value_name = "PUB")]
    key: Option<String>,
    /// Take artifacts only if they have a statement of this type, signed with the key: check (the passed verdict of
    /// `push --check`), provenance, sbom, or the URI of a predicate type
    #[arg(long = "require-statement", value_name = "TYPE", requires = "key")]
    statements: Vec<String>,
    /// Look, and change nothing
    #[arg(long)]
    shadow: bool,
    /// More arguments of the agent, each as one word: --arg=--cluster-name=prod
    #[arg(id = "more", long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    more: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<Outcome> {
    let mut context = Context::new();
    let name = args.shard.as_ref().map_or_else(|| "hydrant-agent".to_owned(), |shard| format!("hydrant-agent-{shard}"));
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let demands = args.statements.iter().map(|kind| format!("--require-statement={kind}"));
    let more: Vec<String> = demands.chain(args.more.iter().cloned()).map(|arg| quoted(&arg)).collect();
    let key = args.key.as_deref().map(keys::public_text).transpose()?;
    context.insert("name", &name);
    context.insert("image", &args.image);
    context.insert("replicas", &args.replicas);
    context.insert("shard", args.shard.as_deref().unwrap_or_default());
    context.insert("bind_roles", &args.bind_roles);
    context.insert("watch", &!args.no_watch);
    context.insert("shadow", &args.shadow);
    context.insert("key", &key.as_deref().map(quoted));
    context.insert("args", &more);
    let mut text = String::new();
    for (place, template) in TEMPLATES.iter().enumerate() {
        if place == 1 && args.no_crds {
            continue;
        }
        let part = Tera::one_off(template, &context, false)
            .map_err(|error| Diagnostic::bug("install-template", format!("a template cannot be rendered: {error}")))?;
        text.push_str(&part);
    }
    terminal.data(text)?;
    Ok(Outcome::Done)
}
