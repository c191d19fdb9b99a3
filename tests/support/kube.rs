//! A real API server on loopback: etcd, kube-apiserver and kube-controller-manager, each a peer, stopped at the end.
//!
//! `KUBE_APISERVER` may name a newer kube-apiserver than the one that lies with the peers.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{must, peer, run};

/// Time that the API server may take to be ready, on a machine that does much else.
const START_SECONDS: u64 = 120;

/// A cluster without nodes, with its own storage.
pub(crate) struct Kube {
    processes: Vec<Child>,
    folder: TempDir,
    /// Where etcd and the API server listen.
    ports: [u16; 2],
}

impl Kube {
    /// Starts the three, and waits until the API server is ready.
    pub(crate) fn start() -> Kube {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let [etcd, etcd_peer, port] = free_ports();
        must(Command::new("openssl").args(["genrsa", "-out", &at("sa.key"), "2048"]));
        must(Command::new("openssl").args(["rsa", "-in", &at("sa.key"), "-pubout", "-out", &at("sa.pub")]));
        fs::write(at("tokens.csv"), "admintoken,admin,admin,system:masters\n").expect("written");
        let config = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: t, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: t, user: {{token: admintoken}}}}]\ncontexts: [{{name: t, context: {{cluster: t, user: t}}}}]\ncurrent-context: t\n"
        );
        fs::write(at("kubeconfig"), config).expect("written");
        let mut kube = Kube { processes: Vec::new(), folder, ports: [etcd, port] };
        kube.spawn(
            Command::new(peer("etcd")).args([
                &format!("--data-dir={}", kube.at("etcd")),
                &format!("--listen-client-urls=http://127.0.0.1:{etcd}"),
                &format!("--advertise-client-urls=http://127.0.0.1:{etcd}"),
                &format!("--listen-peer-urls=http://127.0.0.1:{etcd_peer}"),
            ]),
            "etcd.log",
        );
        kube.spawn_server();
        kube.spawn(
            Command::new(peer("kube-controller-manager")).args([
                &format!("--kubeconfig={}", kube.at("kubeconfig")),
                "--leader-elect=false",
                "--port=0",
                "--secure-port=0",
                &format!("--service-account-private-key-file={}", kube.at("sa.key")),
                "--controllers=*,-nodeipam,-nodelifecycle,-route,-service,-cloud-node-lifecycle",
            ]),
            "controllers.log",
        );
        kube
    }

    fn spawn_server(&mut self) {
        let [etcd, port] = self.ports;
        let kube = self;
        let server = std::env::var_os("KUBE_APISERVER").map_or_else(|| peer("kube-apiserver"), PathBuf::from);
        kube.spawn(
            Command::new(server).args([
                &format!("--etcd-servers=http://127.0.0.1:{etcd}"),
                &format!("--secure-port={port}"),
                "--bind-address=127.0.0.1",
                &format!("--cert-dir={}", kube.at("certs")),
                "--service-account-issuer=https://kube.local",
                &format!("--service-account-key-file={}", kube.at("sa.pub")),
                &format!("--service-account-signing-key-file={}", kube.at("sa.key")),
                &format!("--token-auth-file={}", kube.at("tokens.csv")),
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
            ]),
            "apiserver.log",
        );
        let begun = Instant::now();
        while !run(kube.kubectl().args(["get", "--raw", "/readyz"])).status.success() {
            assert!(
                begun.elapsed() < Duration::from_secs(START_SECONDS),
                "kube-apiserver is not ready: {}",
                kube.log("apiserver.log")
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Kills the API server where it stands, and starts it again on what it stored.
    pub(crate) fn restart_server(&mut self) {
        let mut old = self.processes.remove(1);
        let _ = old.kill();
        let _ = old.wait();
        self.spawn_server();
        let new = self.processes.pop().expect("started");
        self.processes.insert(1, new);
    }

    /// Throws away etcd's history: watches that begin further back expire.
    pub(crate) fn compact(&self) {
        let ask = |path: &str, body: &str| {
            let url = format!("http://127.0.0.1:{}/v3/kv/{path}", self.ports[0]);
            let answer = must(Command::new("curl").args(["-sS", "-X", "POST", "-d", body, &url]));
            serde_json::from_slice::<Value>(&answer).unwrap_or_default()
        };
        let revision = ask("range", r#"{"key":"Lw=="}"#)["header"]["revision"].as_str().expect("a revision").to_owned();
        ask("compaction", &format!(r#"{{"revision":"{revision}","physical":true}}"#));
    }

    /// Where the API server listens.
    pub(crate) fn server(&self) -> String {
        format!("127.0.0.1:{}", self.ports[1])
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    fn spawn(&mut self, command: &mut Command, log: &str) {
        let log = File::create(self.at(log)).expect("a log");
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.processes.push(command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}")));
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The real kubectl on this cluster; the judge of what stands there.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(peer("kubectl-1.31"));
        command.arg("--kubeconfig").arg(self.kubeconfig()).env("HOME", self.folder.path());
        command
    }

    /// Creates or updates objects as somebody else would.
    pub(crate) fn apply(&self, manifest: &str) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), manifest).expect("written");
        must(self.kubectl().args(["apply", "--validate=false", "-f"]).arg(file.path()));
    }

    /// One object; null if it is not there.
    pub(crate) fn get(&self, kind: &str, namespace: &str, name: &str) -> Value {
        // on a machine that does much else a handshake may take too long
        for _ in 0..5 {
            let mut command = self.kubectl();
            let found = run(command.args(["get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found"]));
            if found.status.success() {
                return serde_json::from_slice(&found.stdout).unwrap_or_default();
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        panic!("kubectl cannot get {kind} {namespace}/{name}");
    }

    /// Every object of every kind, by `Kind namespace/name`, but leases and events, which change by themselves.
    pub(crate) fn everything(&self) -> BTreeMap<String, Value> {
        let kinds = must(self.kubectl().args(["api-resources", "--verbs=list", "-o", "name"]));
        let kinds = String::from_utf8(kinds).expect("names");
        let kinds: Vec<&str> =
            kinds.lines().filter(|kind| !kind.starts_with("events") && !kind.starts_with("leases")).collect();
        let list = must(self.kubectl().args(["get", &kinds.join(","), "-A", "-o", "json"]));
        let mut list: Value = serde_json::from_slice(&list).expect("JSON");
        let Value::Array(items) = list["items"].take() else { panic!("no list") };
        let name = |item: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{} {}/{}",
                text(&item["kind"]),
                text(&item["metadata"]["namespace"]),
                text(&item["metadata"]["name"])
            )
        };
        items.into_iter().map(|item| (name(&item), item)).collect()
    }

    /// The resource version of everything, once the controllers have come to rest.
    pub(crate) fn versions(&self) -> BTreeMap<String, String> {
        let look = || -> BTreeMap<String, String> {
            let version = |item: &Value| item["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
            self.everything().iter().map(|(name, item)| (name.clone(), version(item))).collect()
        };
        let mut before = look();
        for _ in 0..60 {
            std::thread::sleep(Duration::from_millis(700));
            let after = look();
            if before == after {
                return after;
            }
            before = after;
        }
        panic!("the controllers do not come to rest");
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Ports that nobody listens on now.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let sockets = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    sockets.map(|socket| socket.local_addr().expect("an address").port())
}

/// Writes manifests into a new folder.
pub(crate) fn folder_of(folder: &Path, manifests: &[(&str, String)]) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    for (name, text) in manifests {
        fs::write(folder.join(name), text).expect("written");
    }
}
