//! The agent as a process, installed as users install it: under the account and rights that `hydrant install` prints.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kube::{Kube, free_ports};
use crate::support::{hydrant, must, run};

/// The namespace of RootSyncs and of the agent.
pub(crate) const HOME: &str = "config-management-system";
/// Time after which what was to come does not.
const PATIENCE: Duration = Duration::from_secs(90);

/// Installs the agent's kinds and rights, and gives a kubeconfig of its account.
pub(crate) fn install(kube: &Kube, folder: &Path, flags: &[&str]) -> PathBuf {
    let printed = String::from_utf8(must(hydrant().arg("install").args(flags))).expect("text");
    // the API server of the tests is older than `policy/v1`
    kube.apply(&printed.replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n"));
    let shard = flags.iter().position(|flag| *flag == "--shard").map(|place| flags[place + 1]);
    let account = shard.map_or_else(|| "hydrant-agent".to_owned(), |shard| format!("hydrant-agent-{shard}"));
    let token = must(kube.kubectl().args(["create", "token", &account, "-n", HOME, "--duration", "24h"]));
    let token = String::from_utf8(token).expect("text");
    let path = folder.join(format!("{account}.kubeconfig"));
    let config = fs::read_to_string(kube.kubeconfig()).expect("a kubeconfig").replace("admintoken", token.trim());
    fs::write(&path, config).expect("written");
    path
}

/// A running agent.
pub(crate) struct Agent {
    process: Child,
    log: PathBuf,
    /// Where it answers.
    pub(crate) address: String,
    _folder: TempDir,
}

impl Agent {
    /// Starts an agent; `more` adds flags and variables.
    pub(crate) fn start(kubeconfig: &Path, replica: &str, more: impl FnOnce(&mut Command)) -> Agent {
        let folder = tempfile::tempdir().expect("a folder");
        let [port] = free_ports();
        let (address, log) = (format!("127.0.0.1:{port}"), folder.path().join("log"));
        let mut command = hydrant();
        command.args(["agent", "--replica", replica, "--listen", &address, "--kubeconfig"]).arg(kubeconfig);
        command.env("HOME", folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&log).expect("a log"));
        more(&mut command);
        let process = command.spawn().expect("the agent starts");
        Agent { process, log, address, _folder: folder }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        must(Command::new("kill").args(["-s", name, &self.process.id().to_string()]));
    }

    /// Kills it where it stands.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// A figure of `/proc/PID/status`, in KiB.
    pub(crate) fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something is there; the log of the agent says why it did not come.
pub(crate) fn wait_for(what: &str, agent: Option<&Agent>, there: impl FnMut() -> bool) -> Duration {
    wait_at_most(PATIENCE, what, agent, there)
}

/// As [`wait_for`], with a time.
pub(crate) fn wait_at_most(
    most: Duration,
    what: &str,
    agent: Option<&Agent>,
    mut there: impl FnMut() -> bool,
) -> Duration {
    let begun = Instant::now();
    while !there() {
        let log = || agent.map(Agent::log).unwrap_or_default();
        assert!(begun.elapsed() <= most, "{what} did not come in {most:?}:\n{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    begun.elapsed()
}

/// A RootSync or RepoSync as YAML.
pub(crate) fn sync(kind: &str, namespace: &str, name: &str, image: &str, period: &str, auth: &str) -> String {
    format!(
        "apiVersion: configsync.gke.io/v1beta1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  \
         sourceFormat: unstructured\n  sourceType: oci\n  oci:\n    image: {image}\n    dir: .\n    period: {period}\n{auth}"
    )
}

/// The word that `hydrant status` has for a sync.
pub(crate) fn status_of(kube: &Kube, name: &str) -> serde_json::Value {
    let output = run(hydrant().args(["status", "-o", "json", "--name", name, "--kubeconfig"]).arg(kube.kubeconfig()));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    rows[0].clone()
}

/// True once a sync is synced at a digest (`REF@sha256:HEX`).
pub(crate) fn is_synced(kube: &Kube, name: &str, pushed: &str) -> bool {
    let status = status_of(kube, name);
    let digest = pushed.rsplit(':').next().unwrap_or_default();
    status["status"] == "SYNCED" && status["commit"] == digest
}

/// Packs manifests and pushes them; gives `REF@sha256:HEX`.
pub(crate) fn push(folder: &Path, reference: &str, manifests: &[(&str, String)]) -> String {
    crate::kube::folder_of(folder, manifests);
    push_folder(folder, reference)
}

/// Pushes a source.
pub(crate) fn push_folder(source: &Path, reference: &str) -> String {
    let pushed = must(hydrant().arg("push").arg(source).arg(reference));
    String::from_utf8(pushed).expect("a reference").trim().to_owned()
}

/// A ConfigMap as YAML.
pub(crate) fn config_map(namespace: &str, name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n  value: '{value}'\n"
    )
}
