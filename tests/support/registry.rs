//! A real registry on loopback, and the small sources that tests push to it.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{must, peer};

/// Time that a registry may take to listen, on a machine that does much else.
const START_SECONDS: u64 = 60;

/// A real registry on loopback, with its own storage.
pub(crate) struct Registry {
    process: Child,
    /// Where it listens.
    pub(crate) host: String,
    folder: TempDir,
}

impl Registry {
    pub(crate) fn start() -> Registry {
        Registry::start_with(tempfile::tempdir().expect("a folder"), "", "")
    }

    /// A registry whose files lie in `folder`, with more settings: top-level ones, and ones of `http`.
    pub(crate) fn start_with(folder: TempDir, settings: &str, http: &str) -> Registry {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let host = format!("127.0.0.1:{port}");
        let storage = folder.path().join("storage");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'{http}}}\n{settings}\n",
            storage.display()
        );
        fs::write(folder.path().join("config.yml"), config).expect("written");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new(peer("docker-registry"));
        command.arg("serve").arg(folder.path().join("config.yml")).stdin(Stdio::null());
        let process = command.stderr(log.try_clone().expect("a log")).stdout(log).spawn().expect("the registry starts");
        let registry = Registry { process, host, folder };
        let begun = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(START_SECONDS),
                "the registry does not listen: {}",
                registry.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    /// The requests of the access log, as `METHOD /path STATUS`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| {
            let (_, rest) = line.split_once("] \"")?;
            let (request, rest) = rest.split_once('"')?;
            let status = rest.split_whitespace().next()?;
            Some(format!("{} {status}", request.rsplit_once(' ')?.0))
        });
        lines.collect()
    }

    /// The file in which a blob of any repository lies.
    pub(crate) fn blob_path(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.folder.path().join(format!("storage/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}:v1", self.host)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Every file below a folder, by path, without Hydrant's own record.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    walk.filter(|entry| entry.file_type().is_file() && entry.file_name() != ".hydrant")
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below").to_string_lossy().into_owned();
            (path, fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

/// Two manifests in a folder, and a tar of them.
pub(crate) fn manifests(folder: &Path) {
    fs::create_dir_all(folder.join("src/shop")).expect("a folder");
    fs::write(folder.join("src/shop.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n")
        .expect("written");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\ndata: {a: b}\n";
    fs::write(folder.join("src/shop/web.yaml"), map).expect("written");
    must(
        Command::new("tar")
            .arg("-C")
            .arg(folder.join("src"))
            .arg("-cf")
            .arg(folder.join("x.tar"))
            .args(["shop.yaml", "shop"]),
    );
}
