//! CI examples: the steps of a workflow as they stand in `examples/ci/`, run in a scratch repository against a server that
//! remembers comments.
//!
//! ```toml
//! why = "a pull request is commented once, and its comment updated"
//! workflow = "github.yml"
//! steps = ["compare base and head", "post it once, and keep it up to date"]
//! ```
//!
//! `want.txt` is what the steps and the server said: the steps run for a first commit, then for a second one, then the last
//! step of the file, which pushes.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Case, difference, files_below, support};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(rename = "why")]
    _why: String,
    workflow: String,
    steps: Vec<String>,
    push: String,
}

struct CiCase {
    name: String,
    folder: PathBuf,
    spec: Spec,
}

/// Every folder below `golden` that holds a `ci.toml`.
pub(crate) fn find(golden: &Path) -> Vec<Box<dyn Case>> {
    let specs = files_below(golden).into_iter().filter(|path| path.ends_with("ci.toml"));
    specs
        .map(|path| {
            let folder = path.parent().expect("a file has a folder").to_owned();
            let name = folder.strip_prefix(golden).expect("below golden").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable ci.toml");
            let spec = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Box::new(CiCase { name, folder, spec }) as Box<dyn Case>
        })
        .collect()
}

/// The script of a step: the block of lines that follows its name, a comment or `name:`.
fn script(workflow: &str, name: &str) -> String {
    let lines: Vec<&str> = workflow.lines().collect();
    let named = lines
        .iter()
        .position(|line| line.trim() == format!("# {name}") || line.trim() == format!("- name: {name}"))
        .unwrap_or_else(|| panic!("no step `{name}`"));
    let begin = named + lines[named..].iter().position(|line| line.ends_with('|')).expect("a script") + 1;
    let indent = lines[begin].len() - lines[begin].trim_start().len();
    let block = lines[begin..]
        .iter()
        .take_while(|line| line.trim().is_empty() || line.len() - line.trim_start().len() >= indent);
    block.map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A server that keeps comments as GitHub and GitLab do, and tells what it was asked.
fn serve(told: Arc<Mutex<String>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let mut comments = vec![json!({"id": 1, "body": "a remark by somebody"})];
        for stream in listener.incoming().flatten() {
            answer(stream, &mut comments, &told);
        }
    });
    port
}

fn answer(stream: TcpStream, comments: &mut Vec<Value>, told: &Mutex<String>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut known) = (String::new(), 0, false);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        known |= line.trim_end().ends_with("t0ken");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let words: Vec<&str> = first.split_whitespace().collect();
    let (method, path) = (words[0], words[1]);
    let text = serde_json::from_slice::<Value>(&body).ok().and_then(|body| body["body"].as_str().map(str::to_owned));
    {
        let mut told = told.lock().expect("unlocked");
        let _ = writeln!(told, "> {method} {path}{}", if known { "" } else { " (without a token)" });
        if let Some(text) = &text {
            told.extend(text.lines().map(|line| format!("| {line}\n")));
        }
    }
    let value = match (method, text) {
        ("GET", _) if path.ends_with("page=1") => Value::Array(comments.clone()),
        ("GET", _) => json!([]),
        ("POST", Some(text)) => {
            comments.push(json!({"id": comments.len() + 1, "body": text}));
            json!({})
        }
        (_, Some(text)) => {
            let id: usize = path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
            comments[id - 1]["body"] = text.into();
            json!({})
        }
        _ => json!({}),
    };
    let value = value.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        value.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(value.as_bytes())).expect("answered");
}

/// A scratch repository and what its steps said.
struct Scratch {
    folder: tempfile::TempDir,
    port: u16,
    told: Arc<Mutex<String>>,
}

impl Scratch {
    fn new() -> Scratch {
        let told = Arc::new(Mutex::new(String::new()));
        Scratch { folder: tempfile::tempdir().expect("a folder"), port: serve(told.clone()), told }
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn git(&self, words: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"])
            .args(words);
        for (name, value) in [
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ] {
            command.env(name, value);
        }
        String::from_utf8(support::must(command.current_dir(self.folder.path()))).expect("UTF-8").trim().to_owned()
    }

    fn commit(&self, replicas: u32) -> String {
        self.put(
            "deploy/web.yaml",
            &format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {replicas}}}\n"
            ),
        );
        self.put("deploy/kustomization.yaml", "namespace: shop\nresources: [web.yaml]\n");
        self.git(&["add", "deploy"]);
        self.git(&["commit", "-q", "-m", &format!("{replicas}")]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs a script as CI does: `bash -e`, with the variables of both systems.
    fn run(&self, name: &str, script: &str, base: &str) {
        let root = support::hydrant();
        let binary = Path::new(root.get_program()).parent().expect("a folder").to_owned();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]).current_dir(self.folder.path());
        let address = format!("http://127.0.0.1:{}", self.port);
        for (name, value) in [
            ("PATH", format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path"))),
            ("SOURCE", "deploy".to_owned()),
            ("ARTIFACT", "oci-layout:layout".to_owned()),
            ("BASE", base.to_owned()),
            ("NUMBER", "7".to_owned()),
            ("GITHUB_API_URL", address.clone()),
            ("GITHUB_REPOSITORY", "org/shop".to_owned()),
            ("GITHUB_TOKEN", "t0ken".to_owned()),
            ("CI_API_V4_URL", address),
            ("CI_PROJECT_ID", "5".to_owned()),
            ("CI_MERGE_REQUEST_IID", "7".to_owned()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.to_owned()),
            ("HYDRANT_TOKEN", "t0ken".to_owned()),
        ] {
            command.env(name, value);
        }
        let output = support::run(&mut command);
        let mut told = self.told.lock().expect("unlocked");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let _ = writeln!(told, "== {name}: exit {}", output.status.code().unwrap_or(-1));
        told.push_str(&said);
    }
}

impl CiCase {
    fn transcript(&self) -> String {
        let workflow =
            fs::read_to_string(support::root().join("examples/ci").join(&self.spec.workflow)).expect("an example");
        let scratch = Scratch::new();
        scratch.git(&["init", "-q"]);
        let base = scratch.commit(1);
        scratch.git(&["checkout", "-q", "-b", "change"]);
        for replicas in [2, 3] {
            scratch.commit(replicas);
            for step in &self.spec.steps {
                scratch.run(step, &script(&workflow, step), &base);
            }
        }
        scratch.run(&self.spec.push, &script(&workflow, &self.spec.push), &base);
        let told = scratch.told.lock().expect("unlocked");
        told.clone()
    }

    fn answer(&self) -> PathBuf {
        self.folder.join("want.txt")
    }
}

impl Case for CiCase {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }

    fn check(&self) -> Result<(), String> {
        let want =
            fs::read(self.answer()).map_err(|_| format!("no answer recorded; run `cargo bless {}`", self.name))?;
        difference(&self.answer(), &want, self.transcript().as_bytes()).map_or(Ok(()), Err)
    }

    fn bless(&self) -> Vec<(PathBuf, Vec<u8>)> {
        vec![(self.answer(), self.transcript().into_bytes())]
    }

    fn record(&self) -> Vec<(PathBuf, Vec<u8>)> {
        Vec::new()
    }
}
