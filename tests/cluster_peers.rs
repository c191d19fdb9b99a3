//! `hydrant sync --once` into a real kube-apiserver, with kubectl as the judge, and into a folder.
//!
//! Each test starts its own API server on free ports. What is shown: the three examples come in; a second run changes no
//! object; what leaves the source is pruned, and nothing else; what others own is never touched; a process killed at any
//! moment leaves nothing that the next run does not put right.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files, keep time and read their environment")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/kube.rs"]
mod kube;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dice::Dice;
use kube::{Kube, folder_of, free_ports};
use serde_json::json;
use support::{hydrant, must, peer, root, run};
use tempfile::TempDir;

/// Rounds of kills; more by hand with `HYDRANT_KILL_ROUNDS`.
const KILL_ROUNDS: u64 = 15;

/// A CRD as a controller would make it.
fn definition(group: &str, kind: &str, plural: &str, version: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}}}\nspec:\n  \
         group: {group}\n  scope: Cluster\n  names: {{kind: {kind}, plural: {plural}}}\n  versions:\n  - name: {version}\n    \
         served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    )
}

fn config_map(namespace: &str, name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n  value: {value}\n"
    )
}

/// A place to build artifacts in, and to sync them from.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn reference(&self, name: &str) -> String {
        format!("oci-layout:{}:{name}", self.path("layout").display())
    }

    /// Packs manifests under a tag.
    fn pack(&self, name: &str, manifests: &[(&str, String)]) {
        let source = self.path("source");
        folder_of(&source, manifests);
        self.push(name, &source);
    }

    fn push(&self, name: &str, source: &Path) {
        must(hydrant().arg("push").arg(source).arg(self.reference(name)));
    }

    fn sync(&self, kube: &Kube, name: &str) -> Command {
        let mut command = hydrant();
        command.args(["sync", "--once", &self.reference(name)]).arg("--kubeconfig").arg(kube.kubeconfig());
        command
    }

    fn sync_folder(&self, name: &str) -> Command {
        let mut command = hydrant();
        command.args(["sync", "--once", &self.reference(name), "--to", &format!("dir:{}", self.path("out").display())]);
        command
    }
}

/// The lines of stdout, sorted, without the counts; and the counts.
fn lines(output: &Output) -> (Vec<String>, String) {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let counts = lines.pop().unwrap_or_default();
    lines.sort();
    (lines, counts)
}

/// Runs a sync that must end well, and gives what it printed.
fn synced(command: &mut Command) -> (Vec<String>, String) {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    lines(&output)
}

/// A second run must print the counts only, and move no resource version of any object in the cluster.
fn changes_nothing(kube: &Kube, command: &mut Command) {
    let before = kube.versions();
    let (changed, counts) = synced(command);
    assert_eq!(changed, [] as [String; 0], "{counts}");
    assert!(counts.starts_with("0 created, 0 configured, ") && counts.contains(" 0 pruned, 0 failed"), "{counts}");
    assert_eq!(kube.versions(), before);
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_three_examples_come_in_and_a_second_run_changes_nothing() {
    let (kube, desk) = (Kube::start(), Desk::new());

    desk.push("namespace", &root().join("examples/namespace"));
    let (changed, counts) = synced(&mut desk.sync(&kube, "namespace"));
    assert_eq!(changed, ["created Namespace test-namespace"], "{counts}");
    assert_eq!(kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"], "platform");
    changes_nothing(&kube, &mut desk.sync(&kube, "namespace"));

    desk.push("chart", &root().join("examples/chart"));
    let (changed, counts) = synced(&mut desk.sync(&kube, "chart"));
    assert!(changed.contains(&"created Namespace test-chart".to_owned()), "{changed:?}");
    assert!(changed.contains(&"created Deployment.apps test-chart/web".to_owned()), "{changed:?}");
    assert!(counts.starts_with("5 created, "), "{counts}: the namespace, and the chart's four objects");
    changes_nothing(&kube, &mut desk.sync(&kube, "chart"));

    // nothing of Gatekeeper is there when the sync begins; its CRDs appear while it runs, the second by its controller
    desk.push("policies", &root().join("examples/policies"));
    let mut command = desk.sync(&kube, "policies");
    let sync = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the sync starts");
    std::thread::sleep(Duration::from_millis(700));
    kube.apply(&definition("templates.gatekeeper.sh", "ConstraintTemplate", "constrainttemplates", "v1"));
    wait_for("the template", || kube.get("constrainttemplates", "", "k8srequiredlabels").is_object());
    kube.apply(&definition("constraints.gatekeeper.sh", "K8sRequiredLabels", "k8srequiredlabels", "v1beta1"));
    let output = sync.wait_with_output().expect("the sync ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines(&output).0.len(), 2, "{output:?}");
    let constraint = kube.get("k8srequiredlabels.constraints.gatekeeper.sh", "", "namespaces-name-their-team");
    assert_eq!(constraint["spec"]["parameters"]["labels"], json!(["team"]));
    changes_nothing(&kube, &mut desk.sync(&kube, "policies"));
}

#[test]
fn what_leaves_the_source_is_pruned_and_nothing_else_is_touched() {
    let (kube, desk) = (Kube::start(), Desk::new());
    let part = |name: &str| (format!("{name}.yaml"), config_map("shop", name, "one"));
    let source = |names: &[&str]| -> Vec<(String, String)> { names.iter().map(|name| part(name)).collect() };
    let pack = |files: &[(String, String)]| {
        let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        desk.pack("shop", &files);
    };
    pack(&source(&["a", "b", "c"]));
    let (changed, _) = synced(&mut desk.sync(&kube, "shop"));
    assert_eq!(
        changed,
        ["created ConfigMap shop/a", "created ConfigMap shop/b", "created ConfigMap shop/c", "created Namespace shop"]
    );

    // a stranger's object beside ours stays, and so does everything else
    kube.apply(&config_map("shop", "theirs", "x"));
    pack(&source(&["a", "c"]));
    let mut before = kube.versions();
    let (changed, counts) = synced(desk.sync(&kube, "shop").arg("--dry-run"));
    assert_eq!(changed, ["pruned ConfigMap shop/b"], "{counts}");
    assert_eq!(kube.versions(), before, "a dry run changes nothing");
    let (changed, _) = synced(&mut desk.sync(&kube, "shop"));
    assert_eq!(changed, ["pruned ConfigMap shop/b"]);
    let mut after = kube.versions();
    assert!(before.remove("ConfigMap shop/b").is_some());
    for versions in [&mut before, &mut after] {
        versions.remove("ResourceGroup hydrant-system/layout-shop").expect("the inventory");
    }
    assert_eq!(after, before, "only the pruned object went");

    // drift is put right
    must(kube.kubectl().args([
        "patch",
        "cm",
        "a",
        "-n",
        "shop",
        "--type=merge",
        "-p",
        r#"{"data":{"value":"drifted"}}"#,
    ]));
    assert_eq!(synced(&mut desk.sync(&kube, "shop")).0, ["configured ConfigMap shop/a"]);
    assert_eq!(kube.get("cm", "shop", "a")["data"]["value"], "one");

    // an object whose marks are gone is a stranger's, whatever the inventory says
    must(kube.kubectl().args(["annotate", "cm", "c", "-n", "shop", "config.k8s.io/owning-inventory-"]));
    pack(&source(&["a"]));
    let (changed, _) = synced(&mut desk.sync(&kube, "shop"));
    assert_eq!(changed, [] as [String; 0]);
    assert!(kube.get("cm", "shop", "c").is_object());

    // an empty source prunes nothing
    let empty = desk.path("empty");
    fs::create_dir_all(&empty).expect("a folder");
    pack(&[("list.yaml".to_owned(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {config.kubernetes.io/local-config: 'true'}}\n".to_owned())]);
    let refused = run(&mut desk.sync(&kube, "shop"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("empty-source"), "{refused:?}");
    assert!(kube.get("cm", "shop", "a").is_object());
    let (changed, _) = synced(desk.sync(&kube, "shop").arg("--allow-empty"));
    assert_eq!(changed, ["pruned ConfigMap shop/a"]);
    assert!(kube.get("ns", "", "shop").is_object(), "a namespace that nobody declared is never pruned");
}

#[test]
fn a_crd_goes_after_its_objects_and_stays_while_others_have_some() {
    let (kube, desk) = (Kube::start(), Desk::new());
    let wide = |name: &str| format!("apiVersion: x.dev/v1\nkind: Wide\nmetadata: {{name: {name}}}\nspec: {{}}\n");
    let other = ("other.yaml", config_map("shop", "other", "one"));
    let all = [("a.yaml", wide("ours")), ("b.yaml", definition("x.dev", "Wide", "wides", "v1")), other.clone()];
    desk.pack("wide", &all);
    let (changed, _) = synced(&mut desk.sync(&kube, "wide"));
    assert!(changed.contains(&"created Wide.x.dev ours".to_owned()), "{changed:?}");
    changes_nothing(&kube, &mut desk.sync(&kube, "wide"));
    kube.apply(&wide("theirs"));
    desk.pack("wide", std::slice::from_ref(&other));
    let (changed, _) = synced(&mut desk.sync(&kube, "wide"));
    assert_eq!(changed, ["pruned Wide.x.dev ours"]);
    assert!(kube.get("wides", "", "theirs").is_object());
    must(kube.kubectl().args(["delete", "wides", "theirs"]));
    let (changed, _) = synced(&mut desk.sync(&kube, "wide"));
    assert_eq!(changed, ["pruned CustomResourceDefinition.apiextensions.k8s.io wides.x.dev"]);
    changes_nothing(&kube, &mut desk.sync(&kube, "wide"));
}

/// A real registry on loopback.
struct Registry {
    process: Child,
    host: String,
    _folder: TempDir,
}

impl Registry {
    fn start() -> Registry {
        let folder = tempfile::tempdir().expect("a folder");
        let [port] = free_ports();
        let host = format!("127.0.0.1:{port}");
        let storage = folder.path().join("storage");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
            storage.display()
        );
        fs::write(folder.path().join("config.yml"), config).expect("written");
        let mut command = Command::new(peer("docker-registry"));
        command.arg("serve").arg(folder.path().join("config.yml"));
        let process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        wait_for("the registry", || std::net::TcpStream::connect(&host).is_ok());
        Registry { process, host, _folder: folder }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_new_version_of_a_repository_replaces_the_old_one() {
    let (kube, desk, registry) = (Kube::start(), Desk::new(), Registry::start());
    let source = desk.path("source");
    let sync = |reference: &str| {
        let mut command = hydrant();
        command.args(["sync", "--once", reference]).arg("--kubeconfig").arg(kube.kubeconfig());
        command
    };
    let push = |tag: &str, names: &[&str]| {
        let files: Vec<(&str, String)> = names.iter().map(|name| (*name, config_map("shop", name, "one"))).collect();
        let files: Vec<(String, String)> =
            files.into_iter().map(|(name, text)| (format!("{name}.yaml"), text)).collect();
        folder_of(&source, &files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect::<Vec<_>>());
        let pushed = must(hydrant().arg("push").arg(&source).arg(format!("{}/team/shop:{tag}", registry.host)));
        String::from_utf8(pushed).expect("a reference").trim().to_owned()
    };
    let one = push("v1", &["a", "b"]);
    synced(&mut sync(&one));
    changes_nothing(&kube, &mut sync(&format!("{}/team/shop:v1", registry.host)));
    let two = push("v2", &["b", "c"]);
    let (changed, _) = synced(&mut sync(&two));
    assert_eq!(changed, ["created ConfigMap shop/c", "pruned ConfigMap shop/a"]);
    assert_eq!(
        kube.get("resourcegroups", "hydrant-system", "shop")["metadata"]["annotations"]["hydrant.dev/source"],
        format!("{}/team/shop", registry.host)
    );
    // the old version again, by its digest
    let (changed, _) = synced(&mut sync(&one));
    assert_eq!(changed, ["created ConfigMap shop/a", "pruned ConfigMap shop/c"]);
}

#[test]
fn what_others_own_is_a_conflict_and_one_bad_object_blocks_nothing() {
    let (kube, desk) = (Kube::start(), Desk::new());
    must(kube.kubectl().args(["create", "ns", "shop"]));
    kube.apply(&config_map("shop", "nobodys", "theirs"));
    kube.apply(
        &config_map("shop", "helms", "theirs")
            .replace("namespace: shop\n", "namespace: shop\n  annotations: {meta.helm.sh/release-name: web}\n"),
    );
    let before = kube.versions();
    let bad =
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad, namespace: shop}\nspec: {ports: [{port: 99999999}]}\n";
    let files = [
        ("a.yaml", config_map("shop", "nobodys", "ours")),
        ("b.yaml", config_map("shop", "helms", "ours")),
        ("c.yaml", config_map("shop", "good", "ours")),
        ("d.yaml", bad.to_owned()),
    ];
    desk.pack("shop", &files);
    let output = run(&mut desk.sync(&kube, "shop"));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let (changed, counts) = lines(&output);
    assert_eq!(
        changed,
        [
            "created ConfigMap shop/good",
            "failed ConfigMap shop/helms",
            "failed ConfigMap shop/nobodys",
            "failed Service shop/bad"
        ]
    );
    assert_eq!(counts, "1 created, 0 configured, 0 unchanged, 0 pruned, 3 failed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("it belongs to Helm release `web`") && errors.contains("--adopt"), "{errors}");
    let after = kube.versions();
    for name in ["ConfigMap shop/nobodys", "ConfigMap shop/helms", "Namespace /shop"] {
        assert_eq!(after[name], before[name], "{name}");
    }

    let output = run(desk.sync(&kube, "shop").arg("--adopt"));
    assert!(lines(&output).0.contains(&"configured ConfigMap shop/nobodys".to_owned()), "{output:?}");
    assert_eq!(kube.get("cm", "shop", "nobodys")["data"]["value"], "ours");
    assert_eq!(kube.versions()["ConfigMap shop/helms"], before["ConfigMap shop/helms"]);

    // two syncs never fight over an object
    desk.pack("other", &[("c.yaml", config_map("shop", "good", "others"))]);
    let output = run(&mut desk.sync(&kube, "other"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("it belongs to the sync `hydrant-system/layout-shop`"),
        "{output:?}"
    );
    assert_eq!(kube.get("cm", "shop", "good")["data"]["value"], "ours");

    // nobody answers: exit 3
    let output = run(hydrant().args(["sync", "--once", &desk.reference("shop"), "--kubeconfig"]).arg(nowhere(&desk)));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

/// A kubeconfig of a server that is not there.
fn nowhere(desk: &Desk) -> std::path::PathBuf {
    let path = desk.path("nowhere");
    let text = "apiVersion: v1\nkind: Config\nclusters: [{name: t, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: t, user: {}}]\n\
                contexts: [{name: t, context: {cluster: t, user: t}}]\ncurrent-context: t\n";
    fs::write(&path, text).expect("written");
    path
}

/// A random source: some of these objects, each with one of three values.
fn random_source(dice: &mut Dice) -> BTreeMap<String, String> {
    let mut source = BTreeMap::new();
    for namespace in ["one", "two"] {
        for number in 0..15 {
            if dice.roll(3) > 0 {
                source.insert(format!("{namespace}/c{number}"), dice.roll(3).to_string());
            }
        }
    }
    source
}

fn pack_random(desk: &Desk, source: &BTreeMap<String, String>) {
    let files: Vec<(String, String)> = source
        .iter()
        .map(|(id, value)| {
            let (namespace, name) = id.split_once('/').expect("a namespace");
            (format!("{namespace}-{name}.yaml"), config_map(namespace, name, &format!("'{value}'")))
        })
        .collect();
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    desk.pack("random", &files);
}

fn kill(mut process: Child, after: Duration) {
    std::thread::sleep(after);
    // SIGKILL; the process may have ended by itself
    let _ = process.kill();
    let _ = process.wait();
}

fn kill_rounds() -> u64 {
    std::env::var("HYDRANT_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(KILL_ROUNDS)
}

#[test]
fn killed_at_random_moments_it_ends_as_the_source_says() {
    let (kube, desk) = (Kube::start(), Desk::new());
    let mut dice = Dice(0x5EED);
    must(kube.kubectl().args(["create", "ns", "one"]));
    kube.apply(&config_map("one", "theirs", "x"));
    let theirs = kube.get("cm", "one", "theirs");
    let begun = Instant::now();
    pack_random(&desk, &random_source(&mut dice));
    synced(&mut desk.sync(&kube, "random"));
    let whole_ms = u64::try_from(begun.elapsed().as_millis()).expect("short");
    for round in 0..kill_rounds() {
        let source = random_source(&mut dice);
        pack_random(&desk, &source);
        for _ in 0..=dice.roll(3) {
            let process =
                desk.sync(&kube, "random").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            kill(process, Duration::from_millis(dice.roll(whole_ms)));
        }
        synced(&mut desk.sync(&kube, "random"));
        let list = must(kube.kubectl().args(["get", "cm", "-A", "-l", "applyset.kubernetes.io/part-of", "-o", "json"]));
        let list: serde_json::Value = serde_json::from_slice(&list).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let standing: BTreeMap<String, String> = list["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| {
                (
                    format!("{}/{}", text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"])),
                    text(&item["data"]["value"]),
                )
            })
            .collect();
        assert_eq!(standing, source, "round {round}");
        assert_eq!(kube.get("cm", "one", "theirs"), theirs, "round {round}");
        let inventory = kube.get("resourcegroups", "hydrant-system", "layout-random");
        assert_eq!(inventory["spec"]["resources"].as_array().map(Vec::len), Some(source.len()), "round {round}");
    }
    changes_nothing(&kube, &mut desk.sync(&kube, "random"));
}

/// The files of a folder that are no business of Hydrant's own.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let walk = walkdir::WalkDir::new(folder).into_iter().filter_entry(|entry| entry.file_name() != ".hydrant");
    walk.map(|entry| entry.expect("readable"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below").to_string_lossy().into_owned();
            (path, fs::read_to_string(entry.path()).expect("text"))
        })
        .collect()
}

#[test]
fn a_folder_is_kept_like_a_cluster() {
    let desk = Desk::new();
    let mut dice = Dice(0xF01D);
    let source = BTreeMap::from([("one/a".to_owned(), "1".to_owned()), ("one/b".to_owned(), "1".to_owned())]);
    pack_random(&desk, &source);
    assert_eq!(synced(&mut desk.sync_folder("random")).1, "2 created, 0 configured, 0 unchanged, 0 pruned, 0 failed");
    assert_eq!(synced(&mut desk.sync_folder("random")).1, "0 created, 0 configured, 2 unchanged, 0 pruned, 0 failed");
    let pulled = desk.path("pulled");
    must(hydrant().args(["pull", &desk.reference("random")]).arg(&pulled));
    assert_eq!(files(&desk.path("out")), files(&pulled), "the artifact's own paths and bytes");

    // a stranger's file is neither overwritten nor pruned, and one of ours that they changed is put right, or left to them
    let theirs = desk.path("out/one/ConfigMap-theirs.yaml");
    fs::write(&theirs, "theirs\n").expect("written");
    fs::write(desk.path("out/one/ConfigMap-a.yaml"), "changed\n").expect("written");
    assert_eq!(synced(&mut desk.sync_folder("random")).0, ["configured ConfigMap one/a"]);
    fs::write(desk.path("out/one/ConfigMap-b.yaml"), "changed\n").expect("written");
    pack_random(&desk, &BTreeMap::from([("one/a".to_owned(), "1".to_owned())]));
    assert_eq!(synced(&mut desk.sync_folder("random")).0, ["released ConfigMap one/b"]);
    pack_random(
        &desk,
        &BTreeMap::from([("one/a".to_owned(), "1".to_owned()), ("one/theirs".to_owned(), "1".to_owned())]),
    );
    assert_eq!(run(&mut desk.sync_folder("random")).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&theirs).expect("there"), "theirs\n");

    for round in 0..kill_rounds() {
        let source = random_source(&mut dice);
        pack_random(&desk, &source);
        for _ in 0..=dice.roll(3) {
            let process =
                desk.sync_folder("random").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            kill(process, Duration::from_micros(dice.roll(60_000)));
        }
        synced(&mut desk.sync_folder("random"));
        let mut standing = files(&desk.path("out"));
        assert_eq!(standing.remove("one/ConfigMap-theirs.yaml").as_deref(), Some("theirs\n"), "round {round}");
        assert_eq!(standing.remove("one/ConfigMap-b.yaml").as_deref(), Some("changed\n"), "round {round}");
        let ours: Vec<String> = source.keys().map(|id| id.replace('/', "/ConfigMap-") + ".yaml").collect();
        assert_eq!(standing.into_keys().collect::<Vec<_>>(), ours, "round {round}");
    }
}
