//! `build --all` and `--cache`: many roots in one process give what each gives alone, on any number of threads, from the cache
//! or not; and a result is taken from the cache only if nothing that it depends on has changed.

#![expect(clippy::disallowed_methods, reason = "a test program: it reads and writes files")]
#![cfg(feature = "cli")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    /// Three roots over two bases, a component and a chart; two of the roots bring schemas that contradict each other.
    fn new() -> Tree {
        let tree = Tree { folder: tempfile::tempdir().expect("a temporary folder") };
        for name in ["one", "two"] {
            tree.write(&format!("bases/{name}/kustomization.yaml"), "resources: [thing.yaml]\n");
            let thing = format!(
                "apiVersion: x.io/v1\nkind: Thing\nmetadata: {{name: {name}}}\nspec:\n  parts: [{{id: a, name: b, size: 1}}]\n"
            );
            tree.write(&format!("bases/{name}/thing.yaml"), &thing);
        }
        tree.write(
            "part/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -x\n",
        );
        tree.write("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        tree.write("charts/web/values.yaml", "color: red\n");
        tree.write(
            "charts/web/templates/cm.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {color: {{ .Values.color }}}\n",
        );
        for (name, key) in [("a", "id"), ("b", "name")] {
            let kind = format!("resources: [../../bases/one]\nopenapi: {{path: schema.json}}\n{}", patch("one"));
            tree.write(&format!("roots/{name}/kustomization.yaml"), &kind);
            tree.write(&format!("roots/{name}/schema.json"), &schema(key));
        }
        tree.write(
            "roots/c/kustomization.yaml",
            &format!("resources: [../../bases/two]\ncomponents: [../../part]\nhelmGlobals: {{chartHome: ../../charts}}\nhelmCharts: [{{name: web, releaseName: rel, valuesFile: values.yaml}}]\n{}", patch("two")),
        );
        tree.write("roots/c/values.yaml", "color: blue\n");
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    fn build(&self, words: &[&str]) -> Output {
        support::run(support::hydrant().arg("build").args(words).current_dir(self.folder.path()).env("NO_COLOR", "1"))
    }

    /// A run that must succeed: what it prints, and how many roots came from the cache.
    fn all(&self, words: &[&str]) -> (String, usize) {
        let output = self.build(&[&["--all", "."], words].concat());
        let notes = text(&output.stderr);
        assert!(output.status.success(), "{notes}");
        let kept = notes.rsplit_once("rendered, ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        (text(&output.stdout), kept.unwrap_or(0))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A patch of the one part, whose merge key the schema decides.
fn patch(name: &str) -> String {
    format!(
        "patches:\n- patch: |-\n    apiVersion: x.io/v1\n    kind: Thing\n    metadata: {{name: {name}}}\n    spec: {{parts: [{{id: a, name: c}}]}}\n"
    )
}

/// An OpenAPI document in which the parts of a Thing merge by `key`.
fn schema(key: &str) -> String {
    format!(
        r#"{{"definitions": {{"io.x.v1.Thing": {{
            "properties": {{"spec": {{"properties": {{"parts": {{"type": "array", "items": {{"type": "object"}},
                "x-kubernetes-patch-merge-key": "{key}", "x-kubernetes-patch-strategy": "merge"}}}}}}}},
            "x-kubernetes-group-version-kind": [{{"group": "x.io", "version": "v1", "kind": "Thing"}}]}}}}}}"#
    )
}

#[test]
fn threads_and_cache_never_show_and_roots_are_as_if_built_alone() {
    let tree = Tree::new();
    let (wanted, _) = tree.all(&["--threads", "1"]);
    for threads in ["2", "8"] {
        assert_eq!(tree.all(&["--threads", threads]).0, wanted);
    }
    for kept in [0, 3, 3] {
        assert_eq!(tree.all(&["--cache", "cache"]), (wanted.clone(), kept));
    }
    let alone = |root: &str| text(&tree.build(&[root]).stdout);
    let parts = ["a", "b", "c"].map(|name| format!("# root: roots/{name}\n{}", alone(&format!("roots/{name}"))));
    assert_eq!(wanted, parts.join("---\n"));
    let (a, b) = (alone("roots/a"), alone("roots/b"));
    assert_eq!(a.matches("id: a").count(), 1, "by id the two parts are one:\n{a}");
    assert_eq!(b.matches("id: a").count(), 2, "by name they are two:\n{b}");
}

#[test]
fn what_changes_is_rendered_again_and_nothing_else() {
    let tree = Tree::new();
    let run = || tree.all(&["--cache", "cache"]);
    let fresh = || tree.all(&[]).0;
    assert_eq!(run().1, 0);
    let changes: [(&str, &str, usize); 5] = [
        ("roots/c/values.yaml", "color: green\n", 2),
        (
            "bases/one/thing.yaml",
            "apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: one, labels: {new: one}}\nspec: {parts: []}\n",
            1,
        ),
        ("charts/web/templates/more.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: more}\n", 2),
        ("charts/web/.helmignore", "more.yaml\n", 2),
        ("README.md", "nobody reads this\n", 3),
    ];
    for (file, new, kept) in changes {
        tree.write(file, new);
        assert_eq!(run(), (fresh(), kept), "{file}");
    }
    fs::remove_file(tree.path("charts/web/.helmignore")).expect("removed");
    assert_eq!(run(), (fresh(), 2), "a file that went");
    for entry in fs::read_dir(tree.path("cache")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("readable");
        fs::write(path, &bytes[..bytes.len() / 2]).expect("writable");
    }
    assert_eq!(run(), (fresh(), 0), "torn entries");
    assert_eq!(tree.all(&["--cache", "cache", "--enable-managedby-label"]).1, 0, "other options");
}

#[test]
fn what_is_no_function_of_its_inputs_is_not_kept() {
    let tree = Tree::new();
    tree.write(
        "charts/web/templates/random.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: random}\nstringData: {key: {{ randAlphaNum 20 }}}\n",
    );
    let first = tree.all(&["--cache", "cache"]);
    let second = tree.all(&["--cache", "cache"]);
    assert_eq!(second.1, 2);
    assert_ne!(first.0, second.0);
}

#[test]
fn a_root_that_fails_does_not_stop_the_others() {
    let tree = Tree::new();
    tree.write("roots/b/kustomization.yaml", "resources: [none.yaml]\n");
    let output = tree.build(&["--all", ".", "-o", "out", "--cache", "cache"]);
    assert_eq!(output.status.code(), Some(2));
    let notes = text(&output.stderr);
    assert!(notes.contains("in root `roots/b`") && notes.contains("none.yaml"), "{notes}");
    let made = |name: &str| Path::exists(&tree.path(&format!("out/roots/{name}.yaml")));
    assert_eq!(["a", "b", "c"].map(made), [true, false, true]);
}

#[test]
fn files_that_are_right_are_not_written_again() {
    let tree = Tree::new();
    tree.all(&["-o", "out"]);
    let time = |name: &str| fs::metadata(tree.path(name)).and_then(|metadata| metadata.modified()).expect("there");
    let (a, c) = (time("out/roots/a.yaml"), time("out/roots/c.yaml"));
    tree.write("roots/c/values.yaml", "color: green\n");
    tree.all(&["-o", "out"]);
    assert_eq!(time("out/roots/a.yaml"), a);
    assert_ne!(time("out/roots/c.yaml"), c);
    tree.all(&["-o", "objects", "--file-per-object"]);
    assert!(
        tree.path("objects/roots/c/v1_configmap_rel.yaml").exists()
            || tree.path("objects/roots/c/v1_configmap_rel-x.yaml").exists()
    );
}
