//! `hydrant diff` on what both sides may be: revisions of a repository, read without a process and without touching the
//! checkout; many roots, of which only those are rendered whose inputs differ; standard input and image layouts.

#![expect(clippy::disallowed_methods, reason = "a test program: it reads and writes files, and knows its machine")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::{hydrant, must, run};

fn put(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]).args(words);
    String::from_utf8(must(command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null"))).expect("UTF-8")
}

/// Every file below a folder, with its bytes and its time.
fn state(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let files =
        walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let modified = entry.metadata().expect("there").modified().expect("a time");
            (entry.path().display().to_string(), (fs::read(entry.path()).expect("readable"), modified))
        })
        .collect()
}

/// The diff in a folder, with nothing on the path; its exit code and stdout.
fn diff(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = run(hydrant().arg("diff").args(words).current_dir(folder).env("PATH", ""));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text + &String::from_utf8_lossy(&output.stderr))
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: \"1\"}\n";

/// A repository with three commits on `main` and one on `side`, and a checkout that differs from all of them.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    git(root, &["init", "-q"]);
    put(root, "deploy/kustomization.yaml", "resources: [c.yaml]\n");
    put(root, "deploy/c.yaml", MAP);
    std::os::unix::fs::symlink("deploy", root.join("link")).expect("linked");
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "one"]);
    git(root, &["tag", "-a", "v1", "-m", "v1"]);
    git(root, &["checkout", "-q", "-b", "side"]);
    put(root, "deploy/c.yaml", &MAP.replace("\"1\"", "side"));
    git(root, &["commit", "-q", "-am", "side"]);
    git(root, &["checkout", "-q", "main"]);
    for text in ["two", "three"] {
        put(root, "deploy/c.yaml", &MAP.replace("\"1\"", text));
        git(root, &["commit", "-q", "-am", text]);
    }
    put(root, "deploy/c.yaml", &MAP.replace("\"1\"", "unsaved"));
    folder
}

#[test]
fn revisions_are_read_by_every_name_and_nothing_is_touched() {
    let folder = repository();
    let root = folder.path();
    let commit = git(root, &["rev-parse", "main~1"]).trim().to_owned();
    for packed in [false, true] {
        if packed {
            git(root, &["gc", "-q", "--aggressive", "--prune=now"]);
            git(root, &["pack-refs", "--all"]);
        }
        let before = state(root);
        for (revision, value) in [
            ("main", "three"),
            ("@", "three"),
            ("HEAD~1", "two"),
            ("main^", "two"),
            ("main~2", "\"1\""),
            ("v1", "\"1\""),
            ("side", "side"),
            ("refs/heads/side", "side"),
            (&commit, "two"),
            (&commit[..7], "two"),
            ("main...side", "\"1\""),
        ] {
            let (code, text) = diff(root, &[&format!("git:{revision}:deploy"), "deploy"]);
            assert_eq!(code, 1, "{revision}: {text}");
            assert!(text.contains(&format!("~ data.a: {value} -> unsaved\n")), "{revision}: {text}");
        }
        let (code, text) = diff(root, &["git:main:link", "git:main:deploy"]);
        assert_eq!(code, 0, "links are followed: {text}");
        let (code, text) = diff(&root.join("deploy"), &["git:main:.", "git:main~1:./c.yaml"]);
        assert!(code == 1 && text.contains("data.a: three -> two"), "seen from the working folder: {text}");
        assert_eq!(before, state(root), "no file of the checkout or of git's own is written");
    }
}

#[test]
fn what_is_no_revision_is_said() {
    let folder = repository();
    for (side, words) in [
        ("git:none:deploy", "couldn't find remote ref `none`"),
        ("git:main~9:deploy", "couldn't find remote ref"),
        ("git:main@{upstream}:deploy", "is a form of revision that is not read"),
        ("git:main:nowhere", "no file or folder at"),
        ("git:main:../out", "leads out of the repository"),
        ("git:main", "names no revision and path"),
    ] {
        let (code, text) = diff(folder.path(), &[side, "deploy"]);
        assert!(code == 2 && text.contains(words), "{side}: {code} {text}");
    }
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (code, text) = diff(elsewhere.path(), &["git:main:a", "b"]);
    assert!(code == 2 && text.contains("is in no git repository"), "{text}");
}

#[test]
fn of_many_roots_only_those_are_rendered_whose_inputs_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    git(root, &["init", "-q"]);
    for base in 0..5 {
        put(
            root,
            &format!("bases/{base}/kustomization.yaml"),
            "helmCharts: [{name: web, valuesFile: values.yaml, releaseName: r}]\n",
        );
        put(root, &format!("bases/{base}/values.yaml"), "port: 80\n");
        put(root, &format!("bases/{base}/charts/web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        put(
            root,
            &format!("bases/{base}/charts/web/templates/s.yaml"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{name: http, port: {{ .Values.port }}}]\n",
        );
    }
    for at in 0..20 {
        put(
            root,
            &format!("roots/{at}/kustomization.yaml"),
            &format!("resources: [../../bases/{}]\nnamePrefix: a{at}-\n", at % 5),
        );
    }
    put(root, "roots/gone/kustomization.yaml", "configMapGenerator: [{name: c, literals: [a=b]}]\n");
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "one"]);
    put(root, "bases/3/values.yaml", "port: 8080\n");
    fs::remove_dir_all(root.join("roots/gone")).expect("removed");
    put(root, "roots/new/kustomization.yaml", "configMapGenerator: [{name: d, literals: [a=b]}]\n");
    let (code, text) = diff(root, &["git:main:roots", "roots", "--all"]);
    assert_eq!(code, 1, "{text}");
    let roots: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("root: ")).collect();
    assert_eq!(roots, ["gone", "new"], "the same change of the others is folded: {text}");
    assert!(
        text.contains(
            "the same change in 4 objects (a13-web, a18-web, a3-web, 1 more): spec.ports[name=http].port: 80 -> 8080"
        ) || text.contains("4 objects"),
        "{text}"
    );
    assert!(text.contains("6 of 22 roots rendered, the inputs of the others are the same"), "{text}");
    let (code, text) = diff(root, &["git:main:roots", "git:main:roots", "--all"]);
    assert!(code == 0 && text.contains("0 of 21 roots rendered"), "{text}");
    // whatever is not rendered is the same: rendering everything finds no more
    for at in 0..20 {
        let name = format!("roots/{at}");
        let (code, text) = diff(root, &[&format!("git:main:{name}"), &name]);
        assert_eq!(code, i32::from(at % 5 == 3), "{name}: {text}");
    }
}

#[test]
fn layouts_and_standard_input_are_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "a/c.yaml", MAP);
    must(hydrant().args(["push", "a", "oci-layout:layout:v1"]).current_dir(root));
    put(root, "a/c.yaml", &MAP.replace("\"1\"", "\"2\""));
    let (code, text) = diff(root, &["oci-layout:layout:v1", "a"]);
    assert!(code == 1 && text.contains("~ data.a: \"1\" -> \"2\""), "{text}");
    let mut child = hydrant();
    child.args(["diff", "-", "a"]).current_dir(root);
    child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = child.spawn().expect("started");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), MAP.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(1));
    let (code, text) = diff(root, &["-", "-"]);
    assert!(code == 2 && text.contains("only one side"), "{text}");
}

#[test]
fn one_source_under_two_profiles() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    put(root, "k/kustomization.yaml", "namespace: shop\nhelmCharts: [{name: web, releaseName: r}]\n");
    put(root, "k/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    put(root, "k/charts/web/templates/s.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
    put(root, "k/charts/web/values.yaml", "");
    let (code, text) = diff(root, &["--compat", "kustomize-5.7..kustomize-5.8", "k"]);
    assert_eq!(code, 1, "kustomize 5.8 drops the namespace of a chart's objects: {text}");
    let (code, text) = diff(root, &["--compat", "helm-4.1..helm-4.3", "k"]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = diff(root, &["--compat", "helm-3..helm-4.3", "k", "k"]);
    assert!(code == 2 && text.contains("compares one source under two profiles"), "{text}");
    let (code, text) = diff(root, &["k"]);
    assert!(code == 2 && text.contains("nothing to compare it with"), "{text}");
}

#[test]
fn a_sync_does_no_more_than_its_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let openssl = |words: &[&str]| must(Command::new("openssl").args(words).current_dir(root));
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem"]);
    let map = |name: &str, value: &str| MAP.replace("name: c", &format!("name: {name}")).replace("\"1\"", value);
    put(root, "old/all.yaml", &format!("{}---\n{}", map("a", "one"), map("gone", "one")));
    put(root, "new/all.yaml", &format!("{}---\n{}", map("a", "two"), map("added", "one")));
    let call = |words: &[&str]| {
        let output = run(hydrant().args(words).current_dir(root));
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap_or(-1), text)
    };
    let sync = |more: &[&str]| {
        call(
            &[&["sync", "oci-layout:layout:v1", "--once", "--to", "dir:out", "--name", "s", "--key", "pub.pem"], more]
                .concat(),
        )
    };
    for side in ["old", "new"] {
        let (code, text) = call(&["push", side, "oci-layout:layout:v1", "--sign", "key.pem"]);
        assert_eq!(code, 0, "{text}");
        if side == "old" {
            let (code, text) = sync(&["--plan"]);
            assert!(code == 2 && text.contains("statement-missing"), "no plan, no sync: {text}");
            assert_eq!(sync(&[]).0, 0);
        }
    }
    let (code, text) = call(&["diff", "old", "old", "--plan", "oci-layout:layout:v1", "--sign", "key.pem"]);
    assert!(code == 2 && text.contains("does not hold the objects of the new side"), "{text}");
    let (code, text) = call(&["diff", "old", "new", "--plan", "oci-layout:layout:v1", "--sign", "key.pem"]);
    assert!(code == 1 && text.contains("attached the plan"), "{text}");
    // somebody else's object of the same sync, which nobody reviewed the end of
    put(root, "more/all.yaml", &format!("{}---\n{}---\n{}", map("a", "one"), map("gone", "one"), map("other", "one")));
    assert_eq!(call(&["push", "more", "oci-layout:layout:more", "--sign", "key.pem"]).0, 0);
    let (code, text) = call(&["sync", "oci-layout:layout:more", "--once", "--to", "dir:out", "--name", "s"]);
    assert_eq!(code, 0, "{text}");
    let before = state(&root.join("out"));
    let (code, text) = sync(&["--plan"]);
    assert!(
        code == 2 && text.contains("the sync would do what the plan does not allow: delete `ConfigMap other`"),
        "{text}"
    );
    assert_eq!(before, state(&root.join("out")), "nothing was done");
    // back to what was compared
    assert_eq!(call(&["push", "old", "oci-layout:layout:old"]).0, 0);
    assert_eq!(call(&["sync", "oci-layout:layout:old", "--once", "--to", "dir:out", "--name", "s"]).0, 0);
    let (code, text) = sync(&["--plan"]);
    assert!(code == 0 && text.contains("1 created, 1 configured, 0 unchanged, 1 pruned"), "{text}");
    let (code, text) = sync(&["--plan"]);
    assert_eq!(code, 0, "a second run changes nothing, which every plan allows: {text}");
}
