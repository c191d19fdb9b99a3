//! The agent under load, on a real API server with its controllers and a real registry on loopback.
//!
//!     cargo bench --bench agent
//!
//! First 10,000 ConfigMaps in one sync: from the RootSync's creation until its status says that it is synced, the agent's memory at
//! its peak and at rest. Beside it, in turn, the same objects sent as bare server-side-apply requests over the same client at the same
//! concurrency, and last `kubectl apply --server-side`. Then 200 RepoSyncs of 20 objects each: memory, and what the registry is
//! asked while nothing changes. The API server takes most of the time, so what counts is the ratio.
//! `HYDRANT_BENCH=many` or `syncs` runs one half; `HYDRANT_BENCH_OBJECTS` and `HYDRANT_BENCH_ROUNDS` change the first.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../../tests/support/agent.rs"]
mod agent;
#[path = "../../tests/support/kube.rs"]
mod kube;
#[path = "../../tests/support/registry.rs"]
mod registry;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::kube::Client;
use ::kube::api::{Patch, PatchParams};
use ::kube::config::{Config, KubeConfigOptions, Kubeconfig};
use ::kube::core::Request;
use agent::{Agent, HOME, install, push_folder, sync};
use futures_util::stream::{self, StreamExt as _};
use kube::Kube;
use registry::Registry;
use serde_json::{Value, json};
use support::{must, peer};

/// Requests under way at once, as the agent has it.
const CONCURRENCY: usize = 8;
const OBJECTS: usize = 10_000;
const ROUNDS: usize = 3;
const SYNCS: usize = 200;
const OBJECTS_EACH: usize = 20;
/// The period of the RepoSyncs, and how many of them the registry is watched for.
const PERIOD_SECONDS: u64 = 15;
const PERIODS: u64 = 4;
const MIB: f64 = 1024.0;

fn main() {
    let which = std::env::var("HYDRANT_BENCH").unwrap_or_default();
    if which != "syncs" {
        many_objects();
    }
    if which != "many" {
        many_syncs();
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// One of the ConfigMaps, of the size of a small application's settings.
fn settings(namespace: &str, number: usize) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": format!("settings-{number:05}"),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": format!("web-{number}")},
        },
        "data": {
            "LOG_LEVEL": "info",
            "DATABASE_URL": format!("postgres://db-{number}.shop.svc:5432/web"),
            "settings.yaml": "cache:\n  size: 64\n  ttl: 5m\nretries: 3\nfeatures: [search, export]\n",
        },
    })
}

/// The same with marks of a sync, as the agent sends it.
fn marked(namespace: &str, number: usize) -> Value {
    let mut object = settings(namespace, number);
    object["metadata"]["labels"]["applyset.kubernetes.io/part-of"] =
        json!("applyset-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-v1");
    object["metadata"]["annotations"] = json!({"config.k8s.io/owning-inventory": format!("{HOME}_{namespace}")});
    object
}

/// Writes objects as a file each of a hundred.
fn write(folder: &Path, namespace: &str, objects: usize) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    for (place, chunk) in (0..objects).collect::<Vec<_>>().chunks(100).enumerate() {
        let text: String = chunk.iter().fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "---\n{}", settings(namespace, *number));
            text
        });
        fs::write(folder.join(format!("{place:03}.yaml")), text).expect("written");
    }
}

fn many_objects() {
    let (objects, rounds) = (number("HYDRANT_BENCH_OBJECTS", OBJECTS), number("HYDRANT_BENCH_ROUNDS", ROUNDS));
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let source = folder.path().join("source");
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let client = runtime.block_on(client(&kube.kubeconfig()));
    println!("{objects} ConfigMaps in one sync");
    for round in 0..rounds {
        // a new process each time: its peak is that of one sync
        let agent = Agent::start(&kubeconfig, &format!("r{round}"), |_| {});
        let namespace = format!("ours-{round}");
        write(&source, &namespace, objects);
        let image = format!("{}/{namespace}:v1", registry.host);
        let digest = push_folder(&source, &image);
        wait_for_line(&agent, "leading");
        std::thread::sleep(Duration::from_secs(3));
        let (empty, cpu) = (agent.memory_kib("VmRSS:"), processor_seconds(agent.id()));
        let begun = Instant::now();
        kube.apply(&sync("RootSync", HOME, &namespace, &image, "15s", "    auth: none\n"));
        let digest = digest.rsplit(':').next().expect("a digest");
        runtime.block_on(until_synced(&client, HOME, "rootsyncs", &namespace, digest));
        let ours = begun.elapsed();
        let cpu = processor_seconds(agent.id()) - cpu;
        must(kube.kubectl().args(["create", "ns", &format!("bare-{round}")]));
        let begun = Instant::now();
        runtime.block_on(bare(&client, &format!("bare-{round}"), objects));
        let bare = begun.elapsed();
        std::thread::sleep(Duration::from_secs(20));
        println!(
            "round {round}: agent {:.1} s ({cpu:.1} s of its CPU), bare requests {:.1} s, ratio {:.2}; \
             memory {:.1} MiB before, {:.1} at its peak, {:.1} at rest",
            ours.as_secs_f64(),
            bare.as_secs_f64(),
            ours.as_secs_f64() / bare.as_secs_f64(),
            empty as f64 / MIB,
            agent.memory_kib("VmHWM:") as f64 / MIB,
            agent.memory_kib("VmRSS:") as f64 / MIB,
        );
        println!("    it held {}", statuses(&agent));
        must(kube.kubectl().args(["delete", "rootsync", &namespace, "-n", HOME]));
    }
    if std::env::var_os("HYDRANT_BENCH_NO_KUBECTL").is_some() {
        return;
    }
    write(&source, "kubectl", objects);
    must(kube.kubectl().args(["create", "ns", "kubectl"]));
    let mut kubectl = Command::new(peer("kubectl-1.37"));
    kubectl.arg("--kubeconfig").arg(kube.kubeconfig()).env("HOME", folder.path());
    let begun = Instant::now();
    must(kubectl.args(["apply", "--server-side", "--validate=false", "-f"]).arg(&source));
    println!("kubectl 1.37 apply --server-side: {:.1} s", begun.elapsed().as_secs_f64());
}

/// What of its memory is what, as the system counts it.
fn statuses(agent: &Agent) -> String {
    let fields = ["RssAnon:", "RssFile:"]
        .map(|field| format!("{} {:.1} MiB", field.trim_end_matches(':'), agent.memory_kib(field) as f64 / MIB));
    fields.join(", ")
}

async fn client(kubeconfig: &Path) -> Client {
    let file = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.expect("a config");
    Client::try_from(config).expect("a client")
}

/// Sends the objects as server-side-apply requests, and reads each answer to its end.
async fn bare(client: &Client, namespace: &str, objects: usize) {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let params = PatchParams { force: true, field_manager: Some("bare".to_owned()), ..PatchParams::default() };
    let requests = (0..objects).map(|number| {
        let object = marked(namespace, number);
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        let request = Request::new(&path).patch(&name, &params, &Patch::Apply(&object)).expect("a request");
        client.request_text(request)
    });
    let mut answers = stream::iter(requests).buffer_unordered(CONCURRENCY);
    while let Some(answer) = answers.next().await {
        answer.expect("applied");
    }
}

/// Waits until a sync's status says that it is synced at a digest.
async fn until_synced(client: &Client, namespace: &str, plural: &str, name: &str, digest: &str) {
    let path = format!("/apis/configsync.gke.io/v1beta1/namespaces/{namespace}/{plural}");
    loop {
        let request = Request::new(&path).get(name, &::kube::api::GetParams::default()).expect("a request");
        let object: Value = client.request(request).await.expect("the sync");
        if object["status"]["lastSyncedCommit"] == digest {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn wait_for_line(agent: &Agent, words: &str) {
    agent::wait_for(words, Some(agent), || agent.log().contains(words));
}

/// User and system time of a process so far, in seconds.
fn processor_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks = |place: usize| fields[place].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

fn many_syncs() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let source = folder.path().join("source");
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let mut manifest = String::from(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: tenant}\nrules:\n\
         - {apiGroups: [''], resources: [configmaps], verbs: ['*']}\n---\n",
    );
    let mut syncs = String::new();
    for tenant in 0..SYNCS {
        let namespace = format!("tenant-{tenant:03}");
        let _ = write!(
            manifest,
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: sync, namespace: {namespace}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tenant}}\n\
             subjects: [{{kind: ServiceAccount, name: ns-reconciler-{namespace}, namespace: {HOME}}}]\n---\n"
        );
        let image = format!("{}/{namespace}:v1", registry.host);
        write(&source, &namespace, OBJECTS_EACH);
        push_folder(&source, &image);
        let period = format!("{PERIOD_SECONDS}s");
        syncs += &sync("RepoSync", &namespace, "repo-sync", &image, &period, "    auth: none\n");
        syncs += "---\n";
    }
    kube.apply(&manifest);
    let agent = Agent::start(&kubeconfig, "one", |_| {});
    wait_for_line(&agent, "leading");
    let begun = Instant::now();
    kube.apply(&syncs);
    let synced = || {
        let metrics = must(Command::new("curl").args(["-sS", &format!("http://{}/metrics", agent.address)]));
        let metrics = String::from_utf8(metrics).expect("text");
        metrics.lines().filter(|line| line.starts_with("last_sync_timestamp{") && !line.ends_with(" 0")).count()
    };
    agent::wait_at_most(Duration::from_secs(300), "all syncs", Some(&agent), || synced() == SYNCS);
    println!("{SYNCS} RepoSyncs of {OBJECTS_EACH} objects: synced after {:.1} s", begun.elapsed().as_secs_f64());
    std::thread::sleep(Duration::from_secs(2 * PERIOD_SECONDS));
    let (before, cpu) = (registry.requests().len(), processor_seconds(agent.id()));
    std::thread::sleep(Duration::from_secs(PERIODS * PERIOD_SECONDS));
    let requests = registry.requests().split_off(before);
    let heads = requests.iter().filter(|request| request.starts_with("HEAD ")).count();
    println!(
        "idle for {PERIODS} periods: {heads} HEAD requests ({:.3} a sync and period), {} others, {:.2} s of CPU",
        heads as f64 / (SYNCS as u64 * PERIODS) as f64,
        requests.len() - heads,
        processor_seconds(agent.id()) - cpu,
    );
    println!(
        "memory {:.1} MiB at its peak, {:.1} at rest ({})",
        agent.memory_kib("VmHWM:") as f64 / MIB,
        agent.memory_kib("VmRSS:") as f64 / MIB,
        statuses(&agent),
    );
}
