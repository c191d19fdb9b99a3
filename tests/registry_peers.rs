//! Artifacts between Hydrant and the real tools, over a real registry on loopback.
//!
//! Each test starts its own registry on a free port, keeps its access log, and stops it at the end. A peer that is missing
//! fails the test by name.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test makes its own files and waits for real servers")]

#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use registry::{Registry, files, manifests, text};
use support::{hydrant, must, peer, root, run};

fn push(source: &Path, reference: &str) -> String {
    let pushed = text(&must(hydrant().arg("push").arg(source).arg(reference)));
    let pushed = pushed.trim().to_owned();
    assert!(pushed.starts_with(&format!("{reference}@sha256:")), "{pushed}");
    pushed
}

fn pull(reference: &str, folder: &Path) -> Output {
    run(hydrant().arg("pull").arg(reference).arg(folder))
}

fn pulled(reference: &str, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let output = pull(reference, folder);
    assert!(output.status.success(), "{}", text(&output.stderr));
    files(folder)
}

/// The diagnostic of a pull that must be refused because of what the artifact is.
fn refused(reference: &str, folder: &Path) -> String {
    let output = pull(reference, folder);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!folder.exists(), "nothing half-written is left");
    text(&output.stderr)
}

#[test]
fn what_hydrant_pushes_the_real_tools_pull() {
    let registry = Registry::start();
    for example in ["namespace", "chart", "policies"] {
        let scratch = tempfile::tempdir().expect("a folder");
        let reference = registry.reference(example);
        push(&root().join("examples").join(example), &reference);
        let wanted = pulled(&reference, &scratch.path().join("hydrant"));
        assert!(!wanted.is_empty());
        let insecure = ["--insecure"];
        let validated = must(Command::new(peer("crane")).arg("validate").args(insecure).args(["--remote", &reference]));
        assert!(text(&validated).contains("PASS"), "{example}");

        let oras = scratch.path().join("oras");
        must(Command::new(peer("oras")).args(["pull", "--plain-http", "-o"]).arg(&oras).arg(&reference));
        assert_eq!(files(&oras), wanted, "oras pull of {example}");

        let exported = must(Command::new(peer("crane")).arg("export").args(insecure).args([&reference, "-"]));
        fs::write(scratch.path().join("crane.tar"), exported).expect("written");
        let crane = scratch.path().join("crane");
        fs::create_dir(&crane).expect("a folder");
        must(Command::new("tar").arg("-C").arg(&crane).arg("-xf").arg(scratch.path().join("crane.tar")));
        assert_eq!(files(&crane), wanted, "crane export of {example}");

        let layout = format!("{}:v1", scratch.path().join("skopeo").display());
        let from = format!("docker://{reference}");
        must(Command::new(peer("skopeo")).args(["copy", "--src-tls-verify=false", &from, &format!("oci:{layout}")]));
        let copied = pulled(&format!("oci-layout:{layout}"), &scratch.path().join("from-skopeo"));
        assert_eq!(copied, wanted, "skopeo copy of {example}");
    }
}

#[test]
fn a_layout_that_hydrant_writes_the_real_tools_read() {
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let layout = scratch.path().join("layout").display().to_string();
    push(&scratch.path().join("src"), &format!("oci-layout:{layout}:v1"));
    let wanted = pulled(&format!("oci-layout:{layout}:v1"), &scratch.path().join("hydrant"));
    let oras = scratch.path().join("oras");
    must(Command::new(peer("oras")).args(["pull", "--oci-layout", "-o"]).arg(&oras).arg(format!("{layout}:v1")));
    assert_eq!(files(&oras), wanted);
    let to = format!("oci:{}:v1", scratch.path().join("copy").display());
    must(Command::new(peer("skopeo")).args(["copy", &format!("oci:{layout}:v1"), &to]));
    let copied =
        pulled(&format!("oci-layout:{}:v1", scratch.path().join("copy").display()), &scratch.path().join("copied"));
    assert_eq!(copied, wanted);
}

#[test]
fn what_the_tutorial_pushes_hydrant_pulls() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let wanted = files(&scratch.path().join("src"));
    let here = |tool: &str| {
        let mut command = Command::new(peer(tool));
        command.current_dir(scratch.path());
        command
    };
    let oras = |name: &str, arguments: &[&str]| {
        let reference = registry.reference(name);
        must(here("oras").args(["push", "--plain-http", &reference]).args(arguments));
        reference
    };
    let crane = |name: &str, arguments: &[&str]| {
        let reference = registry.reference(name);
        must(here("crane").args(["append", "--insecure", "-t", &reference]).args(arguments));
        reference
    };
    must(here_tar(scratch.path()).args(["-czf", "x.tgz", "-C", "src", "shop.yaml", "shop"]));
    let same = [
        oras("tar", &["x.tar"]),
        oras("tgz-untyped", &["x.tgz"]),
        oras("tgz", &["x.tgz:application/vnd.oci.image.layer.v1.tar+gzip"]),
        oras("flux", &["x.tgz:application/vnd.cncf.flux.content.v1.tar+gzip"]),
        crane("crane", &["-f", "x.tar"]),
        crane("crane-gzip", &["-f", "x.tgz"]),
        crane("crane-oci", &["--oci-empty-base", "-f", "x.tar"]),
    ];
    for (index, reference) in same.iter().enumerate() {
        assert_eq!(pulled(reference, &scratch.path().join(format!("same-{index}"))), wanted, "{reference}");
    }
    let below_src: BTreeMap<_, _> = wanted.iter().map(|(path, bytes)| (format!("src/{path}"), bytes.clone())).collect();
    let folder = oras("folder", &["src"]);
    assert_eq!(pulled(&folder, &scratch.path().join("folder")), below_src);
    let raw = oras("raw", &["src/shop.yaml", "src/shop/web.yaml"]);
    assert_eq!(pulled(&raw, &scratch.path().join("raw")), below_src);
    // several layers: the upper one replaces a file of the lower
    fs::create_dir_all(scratch.path().join("upper/shop")).expect("a folder");
    fs::write(scratch.path().join("upper/shop/web.yaml"), "changed: true\n").expect("written");
    must(here_tar(scratch.path()).args(["-cf", "upper.tar", "-C", "upper", "shop"]));
    let layers = crane("layers", &["-f", "x.tar", "-f", "upper.tar"]);
    let mut changed = wanted.clone();
    changed.insert("shop/web.yaml".to_owned(), b"changed: true\n".to_vec());
    assert_eq!(pulled(&layers, &scratch.path().join("layers")), changed);
}

fn here_tar(folder: &Path) -> Command {
    let mut command = Command::new("tar");
    command.current_dir(folder);
    command
}

#[test]
fn the_tutorials_wrong_lines_are_explained() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let shell = |name: &str, line: &str| {
        let reference = registry.reference(name);
        let crane = peer("crane").display().to_string();
        let mut bash = Command::new("bash");
        bash.current_dir(scratch.path()).args(["-c", line]).env("CRANE", crane).env("REF", &reference);
        must(&mut bash);
        reference
    };
    let nested = shell("nested", r#""$CRANE" append --insecure -f <(tar -f - -c x.tar) -t "$REF""#);
    let words = refused(&nested, &scratch.path().join("nested"));
    assert!(words.contains("artifact-nested-archive") && words.contains("crane append -f x.tar"), "{words}");
    let empty = shell("empty", r#""$CRANE" append --insecure -f /dev/null -t "$REF""#);
    let words = refused(&empty, &scratch.path().join("empty"));
    assert!(words.contains("artifact-empty") && words.contains("only once"), "{words}");
}

#[test]
fn the_same_source_has_one_digest_everywhere_and_uploads_nothing_twice() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let elsewhere = scratch.path().join("else where/ünï");
    fs::create_dir_all(elsewhere.join("src")).expect("a folder");
    // the same objects, written in another order, at another time, in one file, with comments
    let (first, second) = (scratch.path().join("src/shop.yaml"), scratch.path().join("src/shop/web.yaml"));
    let read = |path: &Path| fs::read_to_string(path).expect("readable");
    fs::write(elsewhere.join("src/all.yaml"), format!("# both\n{}---\n{}", read(&second), read(&first)))
        .expect("written");
    let reference = registry.reference("one");
    let digest = push(&scratch.path().join("src"), &reference);
    let before = registry.requests().len();
    for (zone, mask, locale) in
        [("Asia/Tokyo", "077", "C"), ("America/Lima", "000", "tr_TR.UTF-8"), ("UTC", "027", "de_DE.UTF-8")]
    {
        let mut bash = Command::new("bash");
        bash.args(["-c", r#"umask "$MASK" && exec "$HYDRANT" push src "$REF""#]).current_dir(&elsewhere);
        bash.env("HYDRANT", env!("CARGO_BIN_EXE_hydrant")).env("MASK", mask).env("REF", &reference);
        bash.env("TZ", zone).env("LC_ALL", locale).env("LANG", locale);
        assert_eq!(text(&must(&mut bash)).trim(), digest, "{zone} {mask} {locale}");
    }
    let after = registry.requests()[before..].to_vec();
    assert_eq!(after.len(), 3, "one request a push: {after:?}");
    assert!(after.iter().all(|request| request.starts_with("HEAD ")), "nothing is uploaded: {after:?}");
    let said = text(&run(hydrant().arg("push").arg(scratch.path().join("src")).arg(&reference)).stderr);
    assert!(said.contains("already there"), "{said}");

    // another tag for the same artifact uploads no blob either
    let before = registry.requests().len();
    push(&scratch.path().join("src"), &format!("{}/one:v2", registry.host));
    let after = registry.requests()[before..].to_vec();
    assert!(!after.iter().any(|request| request.contains("/uploads/")), "{after:?}");
    assert_eq!(
        after.last().map(|request| request.starts_with("PUT /v2/one/manifests/v2")),
        Some(true),
        "the tag moves last: {after:?}"
    );
}

#[test]
fn one_core_and_many_make_the_same_digest() {
    let scratch = tempfile::tempdir().expect("a folder");
    let place = format!("oci-layout:{}:v1", scratch.path().join("layout").display());
    let chart = root().join("examples/chart");
    let many = push(&chart, &place);
    let mut one = Command::new("taskset");
    one.args(["-c", "0", env!("CARGO_BIN_EXE_hydrant"), "push"]).arg(&chart).arg(&place);
    assert_eq!(text(&must(&mut one)).trim(), many);
}

/// Objects of the test below; a folder of twenty of them stands for a namespace.
const MANY: usize = 5000;

#[test]
fn of_five_thousand_objects_only_what_changed_is_uploaded() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    let path = |number: usize| scratch.path().join(format!("src/ns{}/map{number}.yaml", number / 20));
    let write = |number: usize, value: &str| {
        let namespace = number / 20;
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map{number}, namespace: ns{namespace}}}\ndata: {{value: {value}}}\n"
        );
        fs::create_dir_all(path(number).parent().expect("a folder")).expect("made");
        fs::write(path(number), text).expect("written");
    };
    (0..MANY).for_each(|number| write(number, "one"));
    let reference = registry.reference("many");
    let push = || {
        let before = registry.requests().len();
        let output = must(hydrant().args(["push", "--format", "json"]).arg(scratch.path().join("src")).arg(&reference));
        let facts: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
        (facts, registry.requests()[before..].to_vec())
    };
    let (facts, _) = push();
    assert_eq!(facts["objects"], MANY);
    let (facts, requests) = push();
    assert!(requests.len() <= 2, "{requests:?}");
    assert_eq!((&facts["uploadedBytes"], &facts["changed"]), (&0.into(), &false.into()));
    write(MANY / 2, "two");
    let (facts, requests) = push();
    assert_eq!(facts["changed"], true);
    let manifest = must(Command::new(peer("crane")).args(["manifest", "--insecure", &reference]));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let layers: Vec<&str> =
        manifest["layers"].as_array().expect("a list").iter().filter_map(|layer| layer["digest"].as_str()).collect();
    let uploaded = |digest: &str| {
        requests.iter().any(|request| request.starts_with("PUT") && request.contains(&digest.replace(':', "%3A")))
    };
    assert!(layers.len() == 1 && uploaded(layers[0]), "{requests:?}");
}

/// A zstd frame of one uncompressed block: no tool is needed to make it.
fn zstd_stored(bytes: &[u8]) -> Vec<u8> {
    let size = u16::try_from(bytes.len() - 256).expect("short");
    let block = u32::try_from(bytes.len()).expect("short") << 3 | 1;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x60];
    frame.extend_from_slice(&size.to_le_bytes());
    frame.extend_from_slice(&block.to_le_bytes()[..3]);
    frame.extend_from_slice(bytes);
    frame
}

/// Each way to pack, and how much of it Config Sync, Flux and Argo CD take; `-` where a pull is refused.
#[test]
fn every_way_of_packing_has_its_verdicts() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let tar = |arguments: &[&str]| {
        must(here_tar(scratch.path()).args(arguments));
    };
    tar(&["-czf", "x.tgz", "-C", "src", "shop.yaml", "shop"]);
    tar(&["-cf", "nested.tar", "x.tar"]);
    tar(&["-czf", "bare.tgz", "-C", "src", "shop.yaml", "shop/web.yaml"]);
    std::os::unix::fs::symlink("shop.yaml", scratch.path().join("src/link.yaml")).expect("a link");
    tar(&["-czf", "link.tgz", "-C", "src", "shop.yaml", "link.yaml"]);
    fs::remove_file(scratch.path().join("src/link.yaml")).expect("removed");
    tar(&["-cPzf", "outside.tgz", "-C", "src/shop", "../shop.yaml"]);
    fs::write(scratch.path().join("x.tzst"), zstd_stored(&fs::read(scratch.path().join("x.tar")).expect("readable")))
        .expect("written");
    let gzip = ":application/vnd.oci.image.layer.v1.tar+gzip";
    let typed = |file: &str| format!("{file}{gzip}");
    let (tgz, bare, link, outside) = (typed("x.tgz"), typed("bare.tgz"), typed("link.tgz"), typed("outside.tgz"));
    let ways: &[(&str, &[&str], &str)] = &[
        ("oras", &["x.tar"], "all nothing all"),
        ("oras", &["x.tgz"], "all all nothing"),
        ("oras", &[&tgz], "all all all"),
        ("oras", &["src"], "all all all"),
        ("oras", &["src/shop.yaml", "src/shop/web.yaml"], "nothing nothing nothing"),
        ("oras", &["x.tgz:application/vnd.cncf.flux.content.v1.tar+gzip"], "all all nothing"),
        ("oras", &["x.tzst:application/vnd.oci.image.layer.v1.tar+zstd"], "all nothing nothing"),
        ("crane", &["-f", "x.tar"], "all all nothing"),
        ("crane", &["--oci-empty-base", "-f", "x.tar"], "all all all"),
        ("crane", &["--oci-empty-base", "-f", "x.tar", "-f", "x.tar"], "all part nothing"),
        ("crane", &["--oci-empty-base", "-f", "nested.tar"], "- nothing nothing nothing"),
        ("crane", &["--oci-empty-base", "-f", "/dev/null"], "- nothing nothing nothing"),
        ("oras", &[&bare], "nothing all all"),
        ("oras", &[&link], "- part part part"),
        ("oras", &[&outside], "- nothing nothing nothing"),
    ];
    for (number, (tool, arguments, wanted)) in ways.iter().enumerate() {
        let reference = registry.reference(&format!("way-{number}"));
        let mut command = Command::new(peer(tool));
        match *tool {
            "oras" => command.args(["push", "--plain-http", "--disable-path-validation", &reference]),
            _ => command.args(["append", "--insecure", "-t", &reference]),
        };
        must(command.current_dir(scratch.path()).args(*arguments));
        check_way(&reference, wanted, &scratch.path().join(format!("way-{number}")));
    }
    // an index of one image
    let (hydrant_way, index) = (registry.reference("hydrant"), registry.reference("index"));
    push(&scratch.path().join("src"), &hydrant_way);
    check_way(&hydrant_way, "all all all", &scratch.path().join("hydrant"));
    must(Command::new(peer("crane")).args(["index", "append", "--insecure", "-m", &hydrant_way, "-t", &index]));
    check_way(&index, "all all nothing", &scratch.path().join("index"));
}

fn check_way(reference: &str, wanted: &str, folder: &Path) {
    let inspected = run(hydrant().args(["inspect", reference, "--consumers", "--format", "json"]));
    let facts: serde_json::Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
    let verdicts: Vec<&str> =
        facts["consumers"].as_array().expect("a list").iter().filter_map(|one| one["takes"].as_str()).collect();
    let (refused, wanted) = wanted.strip_prefix("- ").map_or((false, wanted), |rest| (true, rest));
    assert_eq!(verdicts.join(" "), wanted, "{reference}: {facts}");
    let whole = !refused && wanted == "all all all";
    assert_eq!(inspected.status.code(), Some(i32::from(!whole)), "{reference}");
    let output = pull(reference, folder);
    assert_eq!(output.status.code(), Some(if refused { 2 } else { 0 }), "{reference}: {}", text(&output.stderr));
    assert_eq!(folder.exists(), !refused);
    let target = folder.with_extension("synced");
    let synced = run(hydrant().args(["sync", reference, "--once", "--to", &format!("dir:{}", target.display())]));
    assert_eq!(synced.status.code(), Some(if refused { 2 } else { 0 }), "{reference}: {}", text(&synced.stderr));
    // the objects of all ways are the same; the inventory of the sync is beside them
    let objects = ["_cluster/Namespace-shop.yaml", "shop/ConfigMap-web.yaml"];
    let found = if target.exists() { files(&target) } else { BTreeMap::new() };
    assert!(objects.iter().all(|path| found.contains_key(*path) != refused), "{reference}: {:?}", found.keys());
}

#[test]
fn artifacts_are_copied_tagged_and_listed() {
    let (registry, other) = (Registry::start(), Registry::start());
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    let from = registry.reference("from");
    let digest = push(&scratch.path().join("src"), &from).rsplit_once('@').expect("a digest").1.to_owned();
    let layout = format!("oci-layout:{}:v1", scratch.path().join("layout").display());
    let same = registry.reference("same");
    for (source, target) in [(&from, &same), (&from, &layout), (&layout, &other.reference("far"))] {
        let copied = text(&must(hydrant().args(["copy", source, target])));
        assert_eq!(copied.trim(), format!("{target}@{digest}"));
    }
    assert!(
        !registry.requests().iter().any(|request| request.starts_with("PUT /v2/same/blobs")),
        "blobs are mounted, not uploaded"
    );
    must(hydrant().args(["tag", &from, "v2", "latest"]));
    assert_eq!(text(&must(hydrant().args(["list", &from]))), "latest\nv1\nv2\n");
    assert!(text(&must(hydrant().args(["list", "--all", &from]))).contains("\nsha256-"), "where statements are kept");
    let cranes =
        text(&must(Command::new(peer("crane")).args(["digest", "--insecure", &format!("{}/far:v1", other.host)])));
    assert_eq!(cranes.trim(), digest);
}

#[test]
fn what_is_not_there_is_named() {
    let registry = Registry::start();
    let scratch = tempfile::tempdir().expect("a folder");
    manifests(scratch.path());
    push(&scratch.path().join("src"), &registry.reference("here"));
    let target = scratch.path().join("out");
    let fails = |reference: &str| {
        let output = pull(reference, &target);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        assert!(!target.exists());
        text(&output.stderr)
    };
    assert!(fails(&format!("{}/here:v9", registry.host)).contains("registry-no-manifest"));
    assert!(fails(&format!("{}/nowhere:v1", registry.host)).contains("hint: "));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    assert!(fails(&format!("127.0.0.1:{port}/x:v1")).contains("registry-unreachable"));
}
