//! Charts and bases from elsewhere, against the real Helm and kustomize, over real servers on loopback.
//!
//! Each test starts its own servers (a web server, a registry, `git http-backend` behind a small one) on free ports and
//! stops them at the end. Helm's and our own caches are fresh folders.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test makes its own files and waits for real servers")]

#[path = "support/mod.rs"]
mod support;
#[path = "support/tls.rs"]
mod tls;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{hydrant, must, peer, run};
use tempfile::TempDir;

/// Time that a server may take to listen, on a machine that does much else.
const START_SECONDS: u64 = 60;

/// Serves `git http-backend` over HTTP; the arguments are the port, the folder with the repositories, the newest version of the
/// protocol, and `user:password` if it wants a login.
const GIT_SERVER: &str = r"
import base64, http.server, os, subprocess, sys
login = 'Basic ' + base64.b64encode(sys.argv[4].encode()).decode() if len(sys.argv) > 4 else None
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        if login and self.headers.get('authorization') != login:
            self.send_response(401)
            self.send_header('www-authenticate', 'Basic realm=git')
            self.send_header('content-length', '0')
            return self.end_headers()
        path, _, query = self.path.partition('?')
        env = dict(os.environ, GIT_PROJECT_ROOT=sys.argv[2], GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path, QUERY_STRING=query,
            REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get('content-type', ''), REMOTE_ADDR='127.0.0.1',
            GIT_PROTOCOL=self.headers.get('git-protocol', '') if sys.argv[3] == '2' else '',
            HTTP_CONTENT_ENCODING=self.headers.get('content-encoding', ''))
        out = subprocess.run(['git', 'http-backend'], input=body, env=env, capture_output=True).stdout
        head, _, rest = out.partition(b'\r\n\r\n')
        lines = [line.partition(': ') for line in head.decode().split('\r\n') if line]
        status = next((int(value.split()[0]) for key, _, value in lines if key == 'Status'), 200 if lines else 404)
        self.send_response(status)
        for key, _, value in lines:
            if key != 'Status': self.send_header(key, value)
        self.send_header('content-length', str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)
    def do_GET(self): self.answer(b'')
    def do_POST(self): self.answer(self.rfile.read(int(self.headers['content-length'])))
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
";

/// Serves a folder over TLS; the arguments are the port, the folder, certificate, key, and whose certificates clients must show.
const TLS_SERVER: &str = r"
import functools, http.server, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
if len(sys.argv) > 5:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(sys.argv[5])
class Server(http.server.ThreadingHTTPServer):
    def finish_request(self, request, address):
        with context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, address)
Server(('127.0.0.1', int(sys.argv[1])), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[2])).serve_forever()
";

/// A process that is stopped at the end.
struct Server {
    process: Child,
    host: String,
}

impl Server {
    fn start(make: impl FnOnce(u16) -> Command) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let mut command = make(port);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server { process: process.spawn().expect("the server starts"), host: format!("127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(&server.host).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(START_SECONDS), "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn web(folder: &Path) -> Server {
        Server::start(|port| {
            let mut command = Command::new("python3");
            command.args(["-m", "http.server", &port.to_string(), "--bind", "127.0.0.1", "--directory"]).arg(folder);
            command
        })
    }

    fn registry(folder: &Path) -> Server {
        Server::start(|port| {
            let storage = folder.join("storage");
            let config = format!(
                "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
                storage.display()
            );
            fs::write(folder.join("registry.yml"), config).expect("written");
            let mut command = Command::new(peer("docker-registry"));
            command.arg("serve").arg(folder.join("registry.yml"));
            command
        })
    }

    fn tls(folder: &Path, files: &[&Path]) -> Server {
        Server::start(|port| {
            let mut command = Command::new("python3");
            command.args(["-c", TLS_SERVER, &port.to_string()]).arg(folder).args(files);
            command
        })
    }

    fn git(folder: &Path, protocol: u8) -> Server {
        Server::git_for(folder, protocol, &[])
    }

    fn git_for(folder: &Path, protocol: u8, login: &[&str]) -> Server {
        Server::start(|port| {
            let mut command = Command::new("python3");
            command.args(["-c", GIT_SERVER, &port.to_string()]).arg(folder).arg(protocol.to_string()).args(login);
            command
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A scratch folder in which each tool has a home of its own.
struct Lab {
    folder: TempDir,
}

impl Lab {
    fn new() -> Lab {
        Lab { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn at_home(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path());
        command.env("HELM_CONFIG_HOME", self.path("helm")).env("HELM_CACHE_HOME", self.path("helm-cache"));
        command.env("HELM_DATA_HOME", self.path("helm-data")).env("HYDRANT_CACHE", self.path("hydrant-cache"));
        command.env("GIT_CONFIG_GLOBAL", self.path("gitconfig")).env("HOME", self.path("home"));
        command
    }

    fn helm(&self, words: &[&str]) -> Command {
        let mut command = self.at_home(Command::new(peer("helm-4.3")));
        command.args(words);
        command
    }

    /// Hydrant through a link named as another tool.
    fn called(&self, name: &str, words: &[&str]) -> Command {
        let link = self.path("links").join(name);
        if !link.exists() {
            fs::create_dir_all(self.path("links")).expect("made");
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hydrant"), &link).expect("linked");
        }
        let mut command = self.at_home(Command::new(link));
        command.args(words);
        command
    }

    fn hydrant(&self, words: &[&str]) -> Command {
        let mut command = self.at_home(hydrant());
        command.args(words);
        command
    }

    fn git(&self, words: &[&str]) {
        let mut command = self.at_home(Command::new("git"));
        must(command.args(["-c", "protocol.file.allow=always"]).args(words));
    }

    /// A chart's folder below `src/`.
    fn chart(&self, name: &str, version: &str) {
        let at = |file: &str| format!("src/{name}/{file}");
        let yaml = format!(
            "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"1\"\ndescription: a <{name}> & more\nkeywords: [b, a]\nmaintainers:\n- name: Ann\n  email: ann@example.com\nsources: []\nannotations: {{x: \"1\"}}\n"
        );
        self.write(&at("Chart.yaml"), &yaml);
        self.write(&at("values.yaml"), "# how many\nreplicas: 1\n");
        self.write(&at("README.md"), &format!("# {name}\n\nof {version}\n"));
        self.write(&at("crds/thing.yaml"), "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n");
        self.write(
            &at("templates/cm.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}\ndata:\n  version: {{ .Chart.Version | quote }}\n  replicas: {{ .Values.replicas | quote }}\n",
        );
    }

    /// A repository of several versions of `web` below `http/`.
    fn repository(&self) -> Server {
        fs::create_dir_all(self.path("http")).expect("made");
        for version in ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "1.10.1+build.5"] {
            self.chart("web", version);
            must(&mut self.helm(&["package", "src/web", "-d", "http"]));
        }
        must(&mut self.helm(&["repo", "index", "http"]));
        Server::web(&self.path("http"))
    }

    /// A registry with the same charts, and its `oci://` folder.
    fn registry(&self) -> (Server, String) {
        let server = Server::registry(self.folder.path());
        let folder = format!("oci://{}/charts", server.host);
        for entry in fs::read_dir(self.path("http")).expect("a folder").flatten() {
            if entry.path().extension().is_some_and(|ending| ending == "tgz") {
                let file = entry.path();
                must(&mut self.helm(&["push", file.to_str().expect("a name"), &folder, "--plain-http"]));
            }
        }
        (server, folder)
    }

    /// Both tools are given the same words; output and success must be the same.
    fn same(&self, words: &[&str]) -> Output {
        let (theirs, ours) = (run(&mut self.helm(words)), run(&mut self.called("helm", words)));
        assert_eq!(theirs.status.code(), ours.status.code(), "{words:?}: {}", String::from_utf8_lossy(&ours.stderr));
        assert_eq!(String::from_utf8_lossy(&theirs.stdout), String::from_utf8_lossy(&ours.stdout), "{words:?}");
        ours
    }
}

#[test]
fn charts_of_a_repository_are_found_as_helm_finds_them() {
    let lab = Lab::new();
    let server = lab.repository();
    let url = format!("http://{}", server.host);
    let template = |more: &[&str]| lab.same(&[&["template", "r", "web", "--repo", &url], more].concat());
    for more in [
        &[][..],
        &["--version", "1.2.0"],
        &["--version", "~1.2"],
        &["--version", ">1.0 <1.10"],
        &["--devel"],
        &["--version", "1.2"],
    ] {
        assert!(template(more).status.success(), "{more:?}");
    }
    assert!(!template(&["--version", "9"]).status.success());
    assert!(!template(&["--version", "nonsense"]).status.success());
    lab.same(&["template", "r", "nope", "--repo", &url]);
    lab.same(&["template", "r", &format!("{url}/web-1.0.0.tgz")]);
    lab.same(&["template", "r", "web", "--repo", "http://127.0.0.1:1"]);
    must(&mut lab.helm(&["repo", "add", "corp", &url]));
    lab.same(&["template", "r", "corp/web", "--version", "^1"]);
    lab.same(&["template", "r", "nope/web"]);
    for what in ["chart", "values", "readme", "crds", "all"] {
        assert!(lab.same(&["show", what, "corp/web", "--version", "1.2.0"]).status.success());
    }
    let outcome = run(&mut lab.hydrant(&["template", "r", "web", "--repo", "http://127.0.0.1:1"]));
    assert_eq!(outcome.status.code(), Some(3), "a system out of reach");
}

#[test]
fn repositories_over_tls_are_trusted_as_helm_trusts_them() {
    let lab = Lab::new();
    drop(lab.repository());
    let tls = lab.path("tls");
    fs::create_dir_all(&tls).expect("made");
    tls::certificates(&tls);
    let at = |name: &str| tls.join(name);
    let (http, cert, key, authority) = (lab.path("http"), at("server.pem"), at("server.key"), at("ca.pem"));
    let simple = Server::tls(&http, &[&cert, &key]);
    let mutual = Server::tls(&http, &[&cert, &key, &authority]);
    let word = |path: &Path| path.to_str().expect("a path").to_owned();
    let (ca, ours, our_key) = (word(&authority), word(&at("client.pem")), word(&at("client.key")));
    let shown = ["--ca-file", &ca, "--cert-file", &ours, "--key-file", &our_key];
    for (server, more, good) in [
        (&simple, &[][..], false),
        (&simple, &["--ca-file", &ca], true),
        (&simple, &["--insecure-skip-tls-verify"], true),
        // another's certificate is no authority for this server
        (&simple, &["--ca-file", &ours], false),
        (&mutual, &["--ca-file", &ca], false),
        (&mutual, &shown, true),
        (&mutual, &["--cert-file", &ours, "--key-file", &our_key], false),
    ] {
        let url = format!("https://{}", server.host);
        let output = lab.same(&[&["template", "r", "web", "--repo", &url], more].concat());
        assert_eq!(output.status.success(), good, "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // as `helm repo add` keeps it
    let url = format!("https://{}", mutual.host);
    must(&mut lab.helm(&[&["repo", "add", "tls", &url], &shown[..]].concat()));
    assert!(lab.same(&["template", "r", "tls/web"]).status.success());
    let plain = format!("http://{}", simple.host);
    assert!(!lab.same(&["template", "r", "web", "--repo", &plain]).status.success());
    let untold = run(&mut lab.hydrant(&["template", "r", "web", "--repo", &format!("https://{}", simple.host)]));
    assert_eq!(untold.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&untold.stderr).contains("web-certificate"));
}

#[test]
fn charts_are_pulled_to_the_same_files() {
    let lab = Lab::new();
    let server = lab.repository();
    let (_registry, oci) = lab.registry();
    let (url, oci) = (format!("http://{}", server.host), format!("{oci}/web"));
    for words in [
        &["pull", "web", "--repo", &url][..],
        &["pull", "web", "--repo", &url, "--version", "1.0.0", "--untar"],
        &["pull", "web", "--repo", &url, "--version", "1.0.0", "--untar", "--untardir", "deep"],
        &["pull", &oci, "--plain-http"],
        &["pull", &oci, "--plain-http", "--version", "1.0.0"],
        &["pull", &oci, "--plain-http", "--version", "^1.0 <1.10"],
    ] {
        let (theirs, ours) = (lab.path("theirs"), lab.path("ours"));
        fs::create_dir_all(&theirs).expect("made");
        fs::create_dir_all(&ours).expect("made");
        must(lab.helm(words).arg("-d").arg(&theirs));
        must(lab.called("helm", words).arg("-d").arg(&ours));
        must(Command::new("diff").arg("-r").args([theirs, ours]));
    }
    lab.write("http/web-1.0.0.tgz.prov", "signed\n");
    must(&mut lab.called("helm", &["pull", "web", "--repo", &url, "--version", "1.0.0", "--prov", "-d", "prov"]));
    assert_eq!(fs::read_to_string(lab.path("prov/web-1.0.0.tgz.prov")).expect("there"), "signed\n");
    let again = run(lab.called("helm", &["pull", "web", "--repo", &url, "--untar", "-d", "ours"]).arg("--devel"));
    assert!(String::from_utf8_lossy(&again.stderr).contains("already exists"));
    for version in ["1.2.0", "~1.2", "9"] {
        lab.same(&["template", "r", &oci, "--plain-http", "--version", version]);
    }
}

#[test]
fn dependencies_are_locked_as_helm_locks_them() {
    let lab = Lab::new();
    let server = lab.repository();
    let (_registry, oci) = lab.registry();
    let url = format!("http://{}", server.host);
    lab.chart("lib", "0.3.1");
    lab.chart("api", "2.1.0");
    must(&mut lab.helm(&["package", "src/api", "-d", "api"]));
    must(&mut lab.helm(&["push", "api/api-2.1.0.tgz", &oci, "--plain-http"]));
    must(&mut lab.helm(&["repo", "add", "corp", &url]));
    let app = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: ^1.0\n  repository: \"@corp\"\n  condition: web.enabled\n  tags: [front, \"<a>\"]\n- name: api\n  version: '>=2'\n  repository: {oci}\n  alias: api2\n  import-values: [data, {{child: a, parent: b}}]\n- name: lib\n  version: ~0.3\n  repository: file://../lib\n"
    );
    for who in ["theirs", "ours"] {
        lab.write(&format!("{who}/app/Chart.yaml"), &app);
        must(Command::new("cp").arg("-r").arg(lab.path("src/lib")).arg(lab.path(who)));
    }
    lab.same(&["dependency", "list", "ours/app"]);
    must(&mut lab.helm(&["dependency", "update", "theirs/app", "--plain-http"]));
    must(&mut lab.called("helm", &["dependency", "update", "ours/app"]));
    let lock = |who: &str| {
        let text = fs::read_to_string(lab.path(&format!("{who}/app/Chart.lock"))).expect("a lock");
        text.lines().filter(|line| !line.starts_with("generated: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lock("theirs"), lock("ours"));
    let charts = |who: &str| {
        let entries = fs::read_dir(lab.path(&format!("{who}/app/charts"))).expect("a folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("a name")).collect();
        names.sort();
        names
    };
    assert_eq!(charts("theirs"), charts("ours"));
    lab.same(&["dependency", "list", "ours/app"]);
    // each takes the other's lock
    fs::remove_dir_all(lab.path("ours/app/charts")).expect("removed");
    fs::copy(lab.path("theirs/app/Chart.lock"), lab.path("ours/app/Chart.lock")).expect("copied");
    must(&mut lab.called("helm", &["dependency", "build", "ours/app"]));
    assert_eq!(charts("theirs"), charts("ours"));
    must(&mut lab.helm(&["dependency", "build", "ours/app", "--plain-http"]));
    lab.write("ours/app/Chart.yaml", &app.replace("^1.0", "^1.1"));
    lab.same(&["dependency", "build", "ours/app", "--plain-http"]);
}

#[test]
fn charts_of_kustomizations_come_in_the_right_version() {
    let lab = Lab::new();
    let server = lab.repository();
    let (_registry, oci) = lab.registry();
    let url = format!("http://{}", server.host);
    let entry = |repo: &str, more: &str| format!("helmCharts:\n- name: web\n  repo: {repo}\n  releaseName: r\n{more}");
    for (number, text) in [
        entry(&url, "  version: 1.2.0\n"),
        entry(&url, "  version: ~1.2\n  valuesInline: {replicas: 7}\n"),
        entry(&url, "  includeCRDs: true\n"),
        entry(&oci, "  version: 1.0.0\nnamePrefix: p-\n"),
    ]
    .iter()
    .enumerate()
    {
        lab.write(&format!("theirs{number}/kustomization.yaml"), text);
        lab.write(&format!("ours{number}/kustomization.yaml"), text);
        let mut kustomize = lab.at_home(Command::new(peer("kubectl-1.35")));
        kustomize
            .args(["kustomize", &format!("theirs{number}"), "--enable-helm", "--helm-command"])
            .arg(peer("helm-3.17"));
        let (theirs, ours) =
            (must(&mut kustomize), must(&mut lab.hydrant(&["build", &format!("ours{number}"), "--compat", "helm-3"])));
        assert_eq!(String::from_utf8_lossy(&theirs), String::from_utf8_lossy(&ours), "{text}");
        assert!(!lab.path(&format!("ours{number}/charts")).exists(), "nothing is left behind");
        // what kustomize unpacked is taken as it stands
        let again = must(&mut lab.hydrant(&["build", &format!("theirs{number}"), "--compat", "helm-3", "--offline"]));
        assert_eq!(theirs, again);
    }
    // booleans as pflag takes them, the last one counts
    for (flags, good) in
        [(&["--enable-helm=T"][..], true), (&["--enable-helm", "--enable-helm=false"], false), (&[], false)]
    {
        let words = [&["build", "ours0", "--helm-debug=0", "--network=true"], flags].concat();
        assert_eq!(run(&mut lab.called("kustomize", &words)).status.success(), good, "{flags:?}");
        let mut kustomize = lab.at_home(Command::new(peer("kubectl-1.35")));
        kustomize.args(["kustomize", "theirs0", "--helm-debug=0", "--network=true"]).args(flags).arg("--helm-command");
        assert_eq!(run(kustomize.arg(peer("helm-3.17"))).status.success(), good, "{flags:?}");
    }
    let stale = lab.path("theirs0/charts/web-1.2.0/web/Chart.yaml");
    let text = fs::read_to_string(&stale).expect("unpacked").replace("version: 1.2.0", "version: 1.0.0");
    fs::write(&stale, text).expect("written");
    let outcome = run(&mut lab.hydrant(&["build", "theirs0"]));
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("kustomize-chart-stale"));
}

/// Repositories `base` and `lib`, bare and not, below `git/`: `v1` is a tag, `dev` a branch with a submodule.
fn repositories(lab: &Lab) {
    lab.write(
        "gitconfig",
        "[user]\nname = a\nemail = a@example.com\n[init]\ndefaultBranch = main\n[protocol \"file\"]\nallow = always\n",
    );
    lab.write("git/lib/cm/kustomization.yaml", "resources: [cm.yaml]\n");
    lab.write("git/lib/cm/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-lib}\n");
    lab.write(
        "git/base/deploy/base/kustomization.yaml",
        "resources: [cm.yaml, ../shared, link.yaml]\nnamePrefix: p-\n",
    );
    for (at, name) in [("base/cm.yaml", "one"), ("base/real.yaml", "real"), ("shared/s.yaml", "shared")] {
        lab.write(
            &format!("git/base/deploy/{at}"),
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"),
        );
    }
    lab.write("git/base/deploy/shared/kustomization.yaml", "resources: [s.yaml]\n");
    std::os::unix::fs::symlink("real.yaml", lab.path("git/base/deploy/base/link.yaml")).expect("linked");
    for name in ["lib", "base"] {
        lab.git(&["init", "-q", &format!("git/{name}")]);
        lab.git(&["-C", &format!("git/{name}"), "add", "-A"]);
        lab.git(&["-C", &format!("git/{name}"), "commit", "-qm", "one"]);
    }
    lab.git(&["-C", "git/base", "tag", "-a", "v1", "-m", "v1"]);
    lab.git(&["-C", "git/base", "submodule", "--quiet", "add", "../lib", "libs/lib"]);
    lab.write("git/base/deploy/withlib/kustomization.yaml", "resources: [../../libs/lib/cm]\n");
    lab.git(&["-C", "git/base", "add", "-A"]);
    lab.git(&["-C", "git/base", "commit", "-qm", "two"]);
    lab.git(&["-C", "git/base", "branch", "dev"]);
    lab.git(&["clone", "-q", "--bare", "git/base", "git/base.git"]);
    // packed, as servers keep them
    lab.git(&["-C", "git/base.git", "gc", "-q"]);
}

#[test]
fn bases_in_git_are_read_as_git_reads_them() {
    let lab = Lab::new();
    repositories(&lab);
    let (two, zero) = (Server::git(&lab.path("git"), 2), Server::git(&lab.path("git"), 0));
    let folder = lab.path("git").display().to_string();
    let commit =
        String::from_utf8(must(lab.at_home(Command::new("git")).args(["-C", "git/base", "rev-parse", "v1^{commit}"])))
            .expect("hex");
    let commit = commit.trim();
    for (number, resource) in [
        format!("file://{folder}/base//deploy/base?ref=v1"),
        format!("file://{folder}/base.git//deploy/base"),
        format!("file://{folder}/base.git//deploy/withlib?ref=dev"),
        format!("file://{folder}/base.git//deploy/withlib?ref=dev&submodules=false"),
        format!("file://{folder}/base//deploy/base?ref=nope"),
        format!("file://{folder}/none//deploy/base"),
        format!("http://{}/base.git//deploy/base?ref=v1", two.host),
        format!("http://{}/base.git/deploy/base?version=dev&timeout=60s", two.host),
        format!("http://{}/base.git//deploy/base?ref={commit}", two.host),
        format!("http://{}/base.git//deploy/base?ref=v1", zero.host),
        format!("http://{}/base.git//none?ref=v1", two.host),
        format!("http://{}/none.git//deploy/base", two.host),
    ]
    .iter()
    .enumerate()
    {
        lab.write(
            &format!("k{number}/kustomization.yaml"),
            &format!("resources: ['{resource}']\nbuildMetadata: [originAnnotations]\n"),
        );
        let mut kustomize = lab.at_home(Command::new(peer("kubectl-1.35")));
        let theirs = run(kustomize.args(["kustomize", &format!("k{number}")]));
        let ours = run(&mut lab.called("kustomize", &["build", &format!("k{number}")]));
        assert_eq!(
            theirs.status.success(),
            ours.status.success(),
            "{resource}: {}",
            String::from_utf8_lossy(&ours.stderr)
        );
        assert_eq!(String::from_utf8_lossy(&theirs.stdout), String::from_utf8_lossy(&ours.stdout), "{resource}");
    }
    // a folder of a repository as the thing to build; nothing in it may lead out of it
    let url = format!("http://{}/base.git//deploy/base?ref=v1", two.host);
    let theirs = must(lab.at_home(Command::new(peer("kubectl-1.35"))).args(["kustomize", &url]));
    assert_eq!(theirs, must(&mut lab.called("kustomize", &["build", &url])));
    lab.write("git/base/deploy/out/kustomization.yaml", "resources: [../../../../../../../../../../../tmp]\n");
    lab.git(&["-C", "git/base", "add", "-A"]);
    lab.git(&["-C", "git/base", "commit", "-qm", "three"]);
    let out = run(&mut lab.called("kustomize", &["build", &format!("file://{folder}/base//deploy/out")]));
    assert!(String::from_utf8_lossy(&out.stderr).contains("kustomize-load-restricted"), "{out:?}");
}

#[test]
fn bases_in_private_repositories_are_read_with_the_logins_that_git_has() {
    let lab = Lab::new();
    repositories(&lab);
    let config = fs::read_to_string(lab.path("gitconfig")).expect("there");
    let server = Server::git_for(&lab.path("git"), 2, &["ann:s e:cret"]);
    let build = |url: &str| {
        lab.write("k/kustomization.yaml", &format!("resources: ['{url}//deploy/base?ref=v1']\n"));
        let mut kustomize = lab.at_home(Command::new(peer("kubectl-1.35")));
        kustomize.env("GIT_TERMINAL_PROMPT", "0").args(["kustomize", "k"]);
        let ours = run(lab
            .called("kustomize", &["build", "k"])
            .env("HYDRANT_CACHE", tempfile::tempdir().expect("a folder").path()));
        let theirs = run(&mut kustomize);
        assert_eq!(theirs.status.success(), ours.status.success(), "{url}: {}", String::from_utf8_lossy(&ours.stderr));
        assert_eq!(String::from_utf8_lossy(&theirs.stdout), String::from_utf8_lossy(&ours.stdout), "{url}");
        ours
    };
    let plain = format!("http://{}/base.git", server.host);
    let refused = build(&plain);
    let says = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(says.contains("web-unauthorized") && says.contains("netrc"), "{says}");
    assert!(!build(&format!("http://ann:wrong@{}/base.git", server.host)).status.success());
    assert!(build(&format!("http://ann:s%20e%3Acret@{}/base.git", server.host)).status.success());
    lab.write("home/.netrc", "machine 127.0.0.1 login ann password \"s e:cret\"\n");
    assert!(build(&plain).status.success(), "netrc");
    fs::remove_file(lab.path("home/.netrc")).expect("removed");
    lab.write("gitconfig", &format!("{config}[credential]\nhelper = store\n"));
    lab.write("home/.git-credentials", &format!("http://ann:s%20e%3Acret@{}\n", server.host));
    assert!(build(&plain).status.success(), "a helper");
}

#[test]
fn a_lock_holds_what_a_source_takes_from_elsewhere() {
    let lab = Lab::new();
    repositories(&lab);
    let (charts, git) = (lab.repository(), Server::git(&lab.path("git"), 2));
    lab.write("http/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: over-http}\n");
    let text = format!(
        "resources: ['http://{0}/base.git//deploy/base?ref=v1', 'http://{1}/cm.yaml']\nhelmCharts: [{{name: web, repo: 'http://{1}', version: ^1, releaseName: r}}]\n",
        git.host, charts.host
    );
    lab.write("app/kustomization.yaml", &text);
    let locked = |cache: &str| run(lab.hydrant(&["build", "app", "--locked"]).env("HYDRANT_CACHE", lab.path(cache)));
    let says = |outcome: &Output, code: &str| {
        let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert!(text.contains(code), "{code}: {text}");
    };
    says(&locked("a"), "lock-missing");
    assert!(!lab.path("a").exists(), "nothing is fetched before it is refused");
    must(&mut lab.hydrant(&["deps", "update", "app", "--compat", "helm-3"]));
    let lock = fs::read_to_string(lab.path("app/hydrant.lock")).expect("a lock");
    assert!(lock.contains("resolved: 1.10.1+build.5") && lock.contains("profile: helm-3,kustomize-5.7"), "{lock}");
    let first = must(&mut lab.hydrant(&["build", "app", "--locked", "--offline"]));
    must(&mut lab.hydrant(&["deps", "update", "app", "--compat", "helm-3"]));
    assert_eq!(lock, fs::read_to_string(lab.path("app/hydrant.lock")).expect("a lock"), "the same again");
    // a tag that moves and a chart that is newer change nothing
    lab.git(&["-C", "git/base.git", "tag", "-f", "v1", "dev"]);
    lab.chart("web", "1.11.0");
    must(&mut lab.helm(&["package", "src/web", "-d", "http"]));
    must(&mut lab.helm(&["repo", "index", "http"]));
    let fresh = locked("b");
    assert_eq!(String::from_utf8_lossy(&fresh.stdout), String::from_utf8_lossy(&first));
    // a file that changed is refused where it is not cached
    lab.write("http/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: changed}\n");
    says(&locked("c"), "lock-digest");
    assert!(locked("b").status.success());
    lab.write("app/kustomization.yaml", &text.replace("^1", "~1.2"));
    says(&locked("f"), "lock-stale");
    let kept: Vec<_> = walkdir::WalkDir::new(lab.path("f")).into_iter().flatten().collect();
    assert!(kept.iter().all(|entry| !entry.file_type().is_file()), "nothing is fetched before it is refused: {kept:?}");
    must(&mut lab.hydrant(&["build", "app", "--compat", "helm-3"]));
    assert!(fs::read_to_string(lab.path("app/hydrant.lock")).expect("a lock").contains("resolved: 1.2.0"));
    drop(charts);
    says(&run(lab.hydrant(&["build", "app", "--offline"]).env("HYDRANT_CACHE", lab.path("d"))), "offline");
    assert_eq!(run(lab.hydrant(&["build", "app"]).env("HYDRANT_CACHE", lab.path("e"))).status.code(), Some(3));
}
