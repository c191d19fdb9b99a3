//! The examples and fresh charts, rendered by Hydrant and by the real tools: the same bytes.

#![expect(
    clippy::disallowed_methods,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

mod support;

use std::path::Path;
use std::process::Command;

use support::{hydrant, must, peer, root, run};

fn same(ours: &[u8], theirs: &[u8]) {
    let (ours, theirs) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
    let diff = similar::TextDiff::from_lines(&*theirs, &*ours);
    assert!(ours == theirs, "{}", diff.unified_diff().header("real", "hydrant"));
}

#[test]
fn a_chart_that_helm_creates_renders_to_the_same_bytes_under_every_profile() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (helm, profile) in [("helm-4.3", "helm-4.3"), ("helm-4.1", "helm-4.1"), ("helm-3.17", "helm-3")] {
        let chart = folder.path().join(profile).join("fresh");
        std::fs::create_dir_all(chart.parent().expect("a folder")).expect("writable");
        must(Command::new(peer(helm)).arg("create").arg(&chart));
        for flags in
            [&[][..], &["--set", "ingress.enabled=true,autoscaling.enabled=true,service.port=8080", "-n", "shop"]]
        {
            let theirs = must(Command::new(peer(helm)).args(["template", "web"]).arg(&chart).args(flags));
            let ours = must(hydrant().args(["template", "web"]).arg(&chart).args(flags).args(["--compat", profile]));
            same(&ours, &theirs);
        }
    }
}

#[test]
fn the_chart_example_builds_to_the_same_bytes_all_in_its_namespace() {
    let example = root().join("examples/chart");
    let mut kustomize = Command::new(peer("kubectl-1.35"));
    kustomize.args(["kustomize", "--enable-helm", "--helm-command"]).arg(peer("helm-3.17")).arg(&example);
    let theirs = must(&mut kustomize);
    let ours = must(hydrant().arg("build").arg(&example).args(["--compat", "helm-3"]));
    same(&ours, &theirs);
    let text = String::from_utf8(ours).expect("text");
    assert_eq!(text.matches("\nkind: ").count(), 4);
    assert_eq!(text.matches("  namespace: test-chart\n").count(), 4);
    let default = must(hydrant().arg("build").arg(&example));
    same(&default, &theirs);
}

#[test]
fn the_chart_of_the_example_templates_to_the_same_bytes() {
    let chart = root().join("examples/chart/web");
    let theirs = must(Command::new(peer("helm-4.3")).args(["template", "web"]).arg(&chart));
    same(&must(hydrant().args(["template", "web"]).arg(&chart)), &theirs);
}

#[test]
fn plain_manifests_build_to_themselves() {
    let built = must(hydrant().arg("build").arg(root().join("examples/policies")));
    let text = String::from_utf8(built).expect("text");
    assert!(text.contains("kind: K8sRequiredLabels") && text.contains("kind: ConstraintTemplate"), "{text}");
}

#[test]
fn a_diff_of_an_example_with_itself_is_empty_and_of_two_is_not() {
    let path = |name: &str| root().join("examples").join(name);
    let diff = |old: &Path, new: &Path| run(hydrant().arg("diff").args([old, new]));
    let itself = diff(&path("chart"), &path("chart"));
    assert_eq!(itself.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&itself.stdout), "0 added, 0 removed, 0 changed, 4 unchanged\n");
    let two = diff(&path("namespace"), &path("policies"));
    assert_eq!(two.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&two.stdout).ends_with("2 added, 1 removed, 0 changed, 0 unchanged\n"));
}

#[test]
fn trying_it_twice_changes_nothing_the_second_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let attempt = || String::from_utf8(must(hydrant().arg("try").arg("--dir").arg(folder.path()))).expect("text");
    let first = attempt();
    assert!(first.contains("4 created, 0 configured"), "{first}");
    let again = attempt();
    assert!(
        again.contains("already there") && again.contains("0 created, 0 configured, 4 unchanged, 0 pruned"),
        "{again}"
    );
}
