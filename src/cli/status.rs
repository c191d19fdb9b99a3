//! `hydrant status`: how the syncs of a cluster stand, as `nomos status` shows them.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::conditions_of;
use crate::cluster::{Api, Connection, FaultKind};
use crate::diag::Result;

use super::Outcome;
use super::connection::wait;
use super::terminal::Terminal;

/// Errors shown of one sync.
const ERRORS_SHOWN: usize = 10;
/// Pause between two looks with `--watch`.
const WATCH_PAUSE: Duration = Duration::from_secs(2);
/// The two kinds: their paths, and how their rows begin.
const KINDS: [(&str, &str); 2] = [("RootSync", "rootsyncs"), ("RepoSync", "reposyncs")];

/// The arguments of `hydrant status`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only syncs of this name
    #[arg(long)]
    name: Option<String>,
    /// Only syncs of this namespace
    #[arg(long)]
    namespace: Option<String>,
    /// Each object of the inventories as well
    #[arg(long)]
    resources: bool,
    /// table or json
    #[arg(short, long, value_name = "FORM", default_value = "table", value_parser = ["table", "json"])]
    output: String,
    /// Show it again whenever it changes, until interrupted
    #[arg(short, long)]
    watch: bool,
    /// The kubeconfig's context
    #[arg(long)]
    context: Option<String>,
    /// The kubeconfig; else $KUBECONFIG, ~/.kube/config, or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// One sync.
struct Row {
    kind: &'static str,
    namespace: String,
    name: String,
    image: String,
    status: &'static str,
    time: String,
    commit: String,
    unready: u64,
    errors: Vec<String>,
    resources: Vec<Value>,
}

/// Runs the command: exit 1 if any sync is not synced.
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    wait(async {
        let connection = Connection { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
        let api = Api::connect(&connection).await?;
        let mut shown = String::new();
        loop {
            let rows = rows(&api, &args).await?;
            let text = if args.output == "json" { json_of(&rows) } else { table(api.url(), &rows) };
            if text != shown {
                terminal.data(&text)?;
                shown = text;
            }
            if !args.watch {
                let fine = rows.iter().all(|row| row.status == "SYNCED");
                return Ok(if fine { Outcome::Done } else { Outcome::Found });
            }
            tokio::time::sleep(WATCH_PAUSE).await;
        }
    })
}

async fn rows(api: &Api, args: &Args) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (kind, plural) in KINDS {
        let path = format!("/apis/configsync.gke.io/v1beta1/{plural}");
        let mut take = |object: Value| rows.push(row(kind, &object));
        match api.read_all(&path, "", &mut take).await {
            // Config Sync may be installed for one kind only
            Err(fault) if fault.kind == FaultKind::NotYet => {}
            answer => drop(answer.map_err(|fault| Box::new(fault.diagnostic("list the syncs")))?),
        }
    }
    rows.retain(|row| {
        args.name.as_ref().is_none_or(|name| *name == row.name)
            && args.namespace.as_ref().is_none_or(|namespace| *namespace == row.namespace)
    });
    rows.sort_by(|one, other| (other.kind, &one.namespace, &one.name).cmp(&(one.kind, &other.namespace, &other.name)));
    if args.resources {
        for row in &mut rows {
            let path = format!("/apis/kpt.dev/v1alpha1/namespaces/{}/resourcegroups", row.namespace);
            let selector = format!("cli-utils.sigs.k8s.io/inventory-id={}_{}", row.namespace, row.name);
            let mut take = |mut page: Value| {
                if let Value::Array(states) = page["status"]["resourceStatuses"].take() {
                    row.resources.extend(states);
                }
            };
            match api.read_all(&path, &selector, &mut take).await {
                Err(fault) if fault.kind == FaultKind::NotYet => {}
                answer => drop(answer.map_err(|fault| Box::new(fault.diagnostic("list the inventories")))?),
            }
        }
    }
    Ok(rows)
}

fn row(kind: &'static str, object: &Value) -> Row {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = &object["status"];
    let (word, errors) = conditions_of(status);
    let oci = &object["spec"]["oci"];
    Row {
        kind,
        namespace: text(&object["metadata"]["namespace"]),
        name: text(&object["metadata"]["name"]),
        image: text(&oci["image"]),
        status: word,
        time: text(&status["sync"]["lastUpdate"]),
        commit: text(&status["sync"]["commit"]),
        unready: status["sync"]["unreadyObjects"].as_u64().unwrap_or(0),
        errors,
        resources: Vec::new(),
    }
}

fn table(url: &str, rows: &[Row]) -> String {
    let mut text = format!("*{url}\n");
    if rows.is_empty() {
        text.push_str("  no RootSync and no RepoSync\n");
    }
    for row in rows {
        let scope = if row.kind == "RootSync" { "<root>" } else { row.namespace.as_str() };
        text.push_str("  --------------------\n");
        text.push_str(&format!("  {:<40} {}\n", format!("{scope}:{}", row.name), row.image));
        let time = if row.time.is_empty() { String::new() } else { format!(" @ {}", row.time) };
        text.push_str(&format!("  {}{time}   {}\n", row.status, &row.commit[..row.commit.len().min(12)]));
        if row.unready > 0 {
            text.push_str(&format!("  {} objects are applied and not ready\n", row.unready));
        }
        for error in row.errors.iter().take(ERRORS_SHOWN) {
            text.push_str(&format!("  Error:   {}\n", error.replace('\n', "\n           ")));
        }
        if row.errors.len() > ERRORS_SHOWN {
            text.push_str(&format!("  and {} errors more\n", row.errors.len() - ERRORS_SHOWN));
        }
        if !row.resources.is_empty() {
            text.push_str("  Managed resources:\n");
            text.push_str(&format!("     {:<20} {:<50} {:<12} {}\n", "NAMESPACE", "NAME", "STATUS", "SOURCEHASH"));
        }
        for state in &row.resources {
            let part = |field: &str| state[field].as_str().unwrap_or_default();
            let group = if part("group").is_empty() { String::new() } else { format!(".{}", part("group")) };
            let name = format!("{}{group}/{}", part("kind").to_lowercase(), part("name"));
            text.push_str(&format!(
                "     {:<20} {name:<50} {:<12} {}\n",
                part("namespace"),
                part("status"),
                part("sourceHash")
            ));
        }
    }
    text
}

fn json_of(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "kind": row.kind, "namespace": row.namespace, "name": row.name, "image": row.image, "status": row.status,
                "lastUpdate": row.time, "commit": row.commit, "unreadyObjects": row.unready, "errors": row.errors,
                "resources": row.resources,
            })
        })
        .collect();
    serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n"
}
