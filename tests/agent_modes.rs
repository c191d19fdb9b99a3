//! Ways to run `hydrant agent`, on a real kube-apiserver with its controllers and a real registry: beside and after Config
//! Sync, in shards, with a key. Config Sync itself is played: its Deployment, inventory and marks, written as its own.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files, keep time and read their environment")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/kube.rs"]
mod kube;
#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::process::Command;
use std::time::Duration;

use agent::{Agent, HOME, config_map, install, is_synced, push, status_of, sync, wait_for};
use kube::Kube;
use registry::Registry;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::{hydrant, must, peer};

/// The first error that `hydrant status` shows of a sync.
fn error_of(kube: &Kube, name: &str) -> String {
    status_of(kube, name)["errors"][0].as_str().unwrap_or_default().to_owned()
}

fn stalled(kube: &Kube, name: &str) -> String {
    let object = kube.get("rootsyncs", HOME, name);
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let stalled = conditions.iter().find(|one| one["type"] == "Stalled" && one["status"] == "True");
    stalled.map_or_else(String::new, |one| one["reason"].as_str().unwrap_or_default().to_owned())
}

fn annotate(kube: &Kube, name: &str, what: &str) {
    must(kube.kubectl().args(["annotate", "--overwrite", "rootsync", name, "-n", HOME, what]));
}

/// What Config Sync's reconciler of the RootSync `shop` has applied: objects with its marks, and its inventory.
fn config_sync(kube: &Kube, objects: &[(&str, &str)]) {
    let parent = format!("shop.{HOME}.RootSync.configsync.gke.io");
    let set = format!("applyset-{}-v1", data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(parent)));
    let mut manifest = String::new();
    let mut resources = String::new();
    for (name, value) in objects {
        let marks = format!(
            "  labels: {{app.kubernetes.io/managed-by: configmanagement.gke.io, applyset.kubernetes.io/part-of: {set}}}\n  \
             annotations:\n    configmanagement.gke.io/managed: enabled\n    configsync.gke.io/manager: ':root_shop'\n    \
             configsync.gke.io/resource-id: _configmap_shop_{name}\n    config.k8s.io/owning-inventory: {HOME}_shop\n  name:"
        );
        manifest += &config_map("shop", name, value).replace("  name:", &marks);
        manifest += "---\n";
        resources += &format!("  - {{group: '', kind: ConfigMap, namespace: shop, name: {name}}}\n");
    }
    let inventory = format!(
        "apiVersion: kpt.dev/v1alpha1\nkind: ResourceGroup\nmetadata:\n  name: shop\n  namespace: {HOME}\n  labels:\n    \
         app.kubernetes.io/managed-by: configmanagement.gke.io\n    cli-utils.sigs.k8s.io/inventory-id: {HOME}_shop\n  \
         annotations: {{configsync.gke.io/status: enabled}}\nspec:\n  resources:\n{resources}"
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), manifest + &inventory).expect("written");
    let apply = ["apply", "--server-side", "--field-manager=configsync", "--validate=false", "-f"];
    must(kube.kubectl().args(apply).arg(file.path()));
}

#[test]
fn a_shadow_shows_what_would_change_and_a_takeover_changes_just_that() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let image = format!("{}/shop:v1", registry.host);
    let kubeconfig = install(&kube, folder.path(), &["--shadow"]);
    must(kube.kubectl().args(["create", "ns", "shop"]));
    config_sync(&kube, &[("same", "1"), ("changed", "1"), ("old", "1")]);
    kube.apply(&config_map("shop", "theirs", "never ours"));
    let account = format!("--serviceaccount={HOME}:root-reconciler-shop");
    must(kube.kubectl().args(["create", "clusterrolebinding", "cs", "--clusterrole=cluster-admin", &account]));
    must(kube.kubectl().args(["create", "deployment", "root-reconciler-shop", "--image=x", "-n", HOME]));
    let label =
        r#"{"spec":{"template":{"metadata":{"labels":{"configsync.gke.io/deployment-name":"root-reconciler-shop"}}}}}"#;
    must(kube.kubectl().args(["patch", "deployment", "root-reconciler-shop", "-n", HOME, "-p", label]));
    let files = [("same", "1"), ("changed", "2"), ("new", "1")].map(|(name, value)| config_map("shop", name, value));
    let names = ["a.yaml", "b.yaml", "c.yaml"];
    let files: Vec<(&str, String)> = names.into_iter().zip(files).collect();
    let pushed = push(&folder.path().join("source"), &image, &files);
    kube.apply(&sync("RootSync", HOME, "shop", &image, "1s", "    auth: none\n"));

    // the shadow, with the rights that `install --shadow` prints, beside the reconciler that runs
    let before = kube.versions();
    let shadow = Agent::start(&kubeconfig, "shadow", |command| _ = command.arg("--shadow"));
    let would = ["configured ConfigMap shop/changed", "created ConfigMap shop/new", "pruned ConfigMap shop/old"];
    wait_for("what would change", Some(&shadow), || {
        would.iter().all(|what| shadow.log().contains(&format!("would have {what}")))
    });
    let page = must(Command::new("curl").args(["-sS", &format!("http://{}/", shadow.address)]));
    let page = String::from_utf8(page).expect("text");
    assert!(would.iter().all(|what| page.contains(what)), "{page}");
    for quiet in ["shop/same", "shop/theirs"] {
        assert!(!shadow.log().contains(quiet) && !page.contains(quiet), "{}", shadow.log());
    }
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(kube.versions(), before, "the shadow wrote: {}", shadow.log());
    drop(shadow);

    // the agent itself: not while the reconciler lives, nor unasked
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let agent = Agent::start(&kubeconfig, "one", |_| {});
    let objects = || {
        let mut things = kube.versions();
        things.retain(|name, _| name.starts_with("ConfigMap shop/") || name.starts_with("ResourceGroup"));
        things
    };
    let before = objects();
    wait_for("the refusal", Some(&agent), || stalled(&kube, "shop") == "ConfigSyncRuns");
    annotate(&kube, "shop", "hydrant.dev/takeover=config-sync");
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(stalled(&kube, "shop"), "ConfigSyncRuns", "{}", agent.log());
    }
    annotate(&kube, "shop", "hydrant.dev/takeover-");
    must(kube.kubectl().args(["delete", "deployment", "root-reconciler-shop", "-n", HOME]));
    wait_for("the other refusal", Some(&agent), || error_of(&kube, "shop").contains("belong"));
    assert_eq!(objects(), before, "{}", agent.log());

    // taken over: exactly what the shadow said
    annotate(&kube, "shop", "hydrant.dev/takeover=config-sync");
    wait_for("the takeover", Some(&agent), || is_synced(&kube, "shop", &pushed));
    let value = |name: &str| kube.get("cm", "shop", name)["data"]["value"].clone();
    assert_eq!([value("same"), value("changed"), value("new")], ["1", "2", "1"]);
    assert!(kube.get("cm", "shop", "old").is_null());
    assert_eq!(value("theirs"), "never ours");
    let inventory = kube.get("resourcegroups", HOME, "shop");
    assert_eq!(inventory["metadata"]["labels"]["app.kubernetes.io/managed-by"], "hydrant");
    let members: Vec<&str> = inventory["spec"]["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|member| member["name"].as_str())
        .collect();
    assert_eq!(std::collections::BTreeSet::from_iter(members), ["changed", "new", "same"].into());
    let before = kube.versions();
    annotate(&kube, "shop", "hydrant.dev/reconcile-at=now");
    std::thread::sleep(Duration::from_secs(4));
    let mut after = kube.versions();
    after.retain(|name, _| !name.starts_with("RootSync"));
    assert!(after.iter().all(|(name, version)| before.get(name) == Some(version)), "a second run wrote");

    // the reconciler comes back: Hydrant steps aside, drift included
    must(kube.kubectl().args(["create", "deployment", "root-reconciler-shop", "--image=x", "-n", HOME]));
    must(kube.kubectl().args(["patch", "cm", "same", "-n", "shop", "-p", r#"{"data":{"value":"drifted"}}"#]));
    wait_for("the refusal", Some(&agent), || stalled(&kube, "shop") == "ConfigSyncRuns");
    assert_eq!(value("same"), "drifted");
    must(kube.kubectl().args(["delete", "deployment", "root-reconciler-shop", "-n", HOME]));
    wait_for("the correction", Some(&agent), || value("same") == "1");
}

#[test]
fn nothing_comes_in_without_the_signature_and_the_verdict_that_are_demanded() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name).display().to_string();
    let cosign = || {
        let mut command = Command::new(peer("cosign"));
        command.current_dir(folder.path()).env("COSIGN_PASSWORD", "secret");
        command
    };
    for name in ["ours", "theirs"] {
        must(cosign().args(["generate-key-pair", "--output-key-prefix", name]));
    }
    let (image, source) = (format!("{}/shop:v1", registry.host), folder.path().join("source"));
    let upload = |value: &str, flags: &[&str]| {
        kube::folder_of(&source, &[("a.yaml", config_map("shop", "a", value))]);
        let mut command = hydrant();
        command.current_dir(folder.path()).env("COSIGN_PASSWORD", "secret").arg("push").arg(&source).arg(&image);
        String::from_utf8(must(command.args(flags))).expect("a reference").trim().to_owned()
    };
    let demand = ["--require-statement", "check"];
    let kubeconfig =
        install(&kube, folder.path(), &[&["--bind-roles", "--key", &at("ours.pub")], &demand[..]].concat());
    let value = || kube.get("cm", "shop", "a")["data"]["value"].clone();
    let refused = |agent: &Agent, why: &str| {
        wait_for(why, Some(agent), || error_of(&kube, "shop").contains(why));
        assert!(error_of(&kube, "shop").starts_with("KNV2004"), "{}", error_of(&kube, "shop"));
    };

    // the Deployment that is installed demands both
    let deployment = kube.get("deployments", HOME, "hydrant-agent");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let args: Vec<&str> = container["args"].as_array().expect("args").iter().filter_map(Value::as_str).collect();
    assert!(args.contains(&"--key=env://HYDRANT_KEY") && args.contains(&"--require-statement=check"), "{args:?}");
    let key = container["env"].as_array().expect("variables").iter().find(|one| one["name"] == "HYDRANT_KEY");
    let pem = fs::read_to_string(at("ours.pub")).expect("a key");
    assert_eq!(key.expect("the key")["value"], pem);

    // a key alone
    let agent = Agent::start(&kubeconfig, "key", |command| _ = command.arg("--key").arg(at("ours.pub")));
    upload("unsigned", &[]);
    kube.apply(&sync("RootSync", HOME, "shop", &image, "1s", "    auth: none\n"));
    refused(&agent, "is not signed");
    upload("theirs", &["--sign", "theirs.key"]);
    refused(&agent, "by this key");
    assert!(kube.get("ns", "", "shop").is_null(), "nothing of it came in");
    assert!(kube.get("resourcegroups", HOME, "shop").is_null());
    let signed = upload("signed", &["--sign", "ours.key"]);
    wait_for("the signed version", Some(&agent), || is_synced(&kube, "shop", &signed));
    drop(agent);

    // the verdict as well: what came in before stays as it is, but is not taken again
    let agent = Agent::start(&kubeconfig, "verdict", |command| {
        command.env("KEY", &pem).args(["--key", "env://KEY"]).args(demand);
    });
    refused(&agent, "has no statement");
    annotate(&kube, "shop", "hydrant.dev/reconcile-at=now");
    let checked = upload("checked", &["--sign", "ours.key", "--check"]);
    wait_for("the checked version", Some(&agent), || is_synced(&kube, "shop", &checked));
    assert_eq!(value(), "checked");
    let written = || {
        let version = kube.get("cm", "shop", "a")["metadata"]["resourceVersion"].clone();
        (version, kube.get("resourcegroups", HOME, "shop")["spec"].clone())
    };
    let before = written();

    // a verdict that nobody signed, or somebody else, or that is about another artifact, or did not pass
    let attest = |pushed: &str, key: &str, result: &str| {
        fs::write(at("predicate.json"), format!("{{\"result\":\"{result}\"}}")).expect("written");
        let digest = pushed.rsplit_once('@').expect("a digest").1;
        let common =
            ["attest", "--use-signing-config=false", "--tlog-upload=false", "-y", "--predicate", "predicate.json"];
        let kind = ["--type", "https://github.com/hydrant-dev/hydrant/check/v1", "--key", key];
        must(cosign().args(common).args(kind).arg(format!("{}/shop@{digest}", registry.host)));
    };
    upload("unchecked", &["--sign", "ours.key"]);
    refused(&agent, "has no statement");
    upload("verdict unsigned", &["--check"]);
    refused(&agent, "is not signed");
    let pushed = upload("verdict theirs", &["--sign", "ours.key"]);
    attest(&pushed, "theirs.key", "passed");
    refused(&agent, &format!("shop:v1@{}` has no statement", pushed.rsplit_once('@').expect("a digest").1));
    let pushed = upload("verdict failed", &["--sign", "ours.key"]);
    attest(&pushed, "ours.key", "failed");
    refused(&agent, "did not pass");
    assert_eq!(written(), before, "nothing changed");
    // no annotation of a sync weakens what the agent demands
    for name in ["require-statement", "key", "verify"] {
        annotate(&kube, "shop", &format!("hydrant.dev/{name}=none"));
    }
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(value(), "checked");
    let pushed = upload("verdict passed", &["--sign", "ours.key", "--check"]);
    wait_for("the next version", Some(&agent), || is_synced(&kube, "shop", &pushed));
}

#[test]
fn an_admission_webhook_sees_each_image_before_it_comes_in() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let (image, source) = (format!("{}/shop:v1", registry.host), folder.path().join("source"));
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let pushed = push(&source, &image, &[("a.yaml", config_map("shop", "a", "1"))]);
    kube.apply(&sync("RootSync", HOME, "shop", &image, "1s", "    auth: none\n"));
    let agent = Agent::start(&kubeconfig, "one", |_| {});
    wait_for("the first version", Some(&agent), || is_synced(&kube, "shop", &pushed));
    let announced =
        || kube.get("rootsyncs", HOME, "shop")["metadata"]["annotations"]["configsync.gke.io/image-to-sync"].clone();
    let digest = |pushed: &str| pushed.rsplit_once('@').expect("a digest").1.to_owned();
    assert!(announced().as_str().is_some_and(|image| image.ends_with(&digest(&pushed))), "{}", announced());
    // one that cannot be asked refuses whatever comes
    kube.apply(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: images}\nwebhooks:\n\
         - name: images.example.org\n  clientConfig: {url: 'https://127.0.0.1:1/'}\n  failurePolicy: Fail\n  sideEffects: None\n  \
         admissionReviewVersions: [v1]\n  rules: [{apiGroups: [configsync.gke.io], apiVersions: ['*'], operations: [UPDATE], resources: [rootsyncs]}]\n",
    );
    std::thread::sleep(Duration::from_secs(2));
    let next = push(&source, &image, &[("a.yaml", config_map("shop", "a", "2"))]);
    wait_for("the refusal", Some(&agent), || error_of(&kube, "shop").contains("is not admitted"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(kube.get("cm", "shop", "a")["data"]["value"], "1");
    // the version that was admitted is still kept up
    must(kube.kubectl().args(["delete", "cm", "a", "-n", "shop"]));
    wait_for("the correction", Some(&agent), || kube.get("cm", "shop", "a")["data"]["value"] == "1");
    must(kube.kubectl().args(["delete", "validatingwebhookconfiguration", "images"]));
    wait_for("the next version", Some(&agent), || is_synced(&kube, "shop", &next));
    assert!(announced().as_str().is_some_and(|image| image.ends_with(&digest(&next))), "{}", announced());
}

#[test]
fn shards_part_the_syncs_and_what_was_made_for_a_sync_goes_with_it() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let source = folder.path().join("source");
    let publish = |name: &str, namespace: &str| {
        push(&source, &format!("{}/{name}:v1", registry.host), &[("a.yaml", config_map(namespace, name, "1"))])
    };
    let declare = |kind: &str, namespace: &str, name: &str, more: &str| {
        let image = format!("{}/{name}:v1", registry.host);
        kube.apply(&(sync(kind, namespace, name, &image, "1s", "    auth: none\n") + more));
    };
    let start = |replica: &str, flags: &[&str]| {
        let kubeconfig = install(&kube, folder.path(), &[&["--bind-roles"], flags].concat());
        Agent::start(&kubeconfig, replica, |command| _ = command.args(flags))
    };
    let (mut plain, blue) = (start("plain", &[]), start("blue", &["--shard", "blue"]));
    let [first, second] = ["first", "second"].map(|name| publish(name, "shop"));
    declare("RootSync", HOME, "first", "");
    declare("RootSync", HOME, "second", "");
    wait_for("both", Some(&plain), || is_synced(&kube, "first", &first) && is_synced(&kube, "second", &second));
    let served = |agent: &Agent, name: &str| {
        agent.log().lines().any(|line| line.contains("pulled") && line.contains(&format!("/{name}:v1")))
    };
    assert!(!served(&blue, "first") && !served(&blue, "second"));

    // a label moves a sync to the other agent, and its account stays
    let account = kube.get("serviceaccounts", HOME, "root-reconciler-second")["metadata"]["uid"].clone();
    must(kube.kubectl().args(["label", "rootsync", "second", "-n", HOME, "hydrant.dev/shard=blue"]));
    wait_for("the move", Some(&blue), || served(&blue, "second"));
    let second = publish("second", "shop2");
    wait_for("the next version", Some(&blue), || is_synced(&kube, "second", &second));
    for (lease, holder) in [("hydrant-agent", "plain"), ("hydrant-agent-blue", "blue")] {
        assert_eq!(kube.get("leases", HOME, lease)["spec"]["holderIdentity"], holder);
    }
    assert_eq!(kube.get("serviceaccounts", HOME, "root-reconciler-second")["metadata"]["uid"], account);

    // a role that is no longer asked for is no longer bound
    let binding = |name: &str| kube.get("clusterrolebindings", "", &format!("hydrant.root-reconciler-{name}"));
    assert!(binding("first.cluster-admin").is_object());
    let roles = "  override:\n    roleRefs:\n    - {kind: ClusterRole, name: edit}\n    - {kind: ClusterRole, name: view, namespace: shop}\n    \
                 - {kind: Role, name: view, namespace: shop}\n";
    declare("RootSync", HOME, "first", roles);
    wait_for("the bindings", Some(&plain), || {
        binding("first.edit").is_object() && binding("first.cluster-admin").is_null()
    });
    let inner = |name: &str| kube.get("rolebindings", "shop", &format!("hydrant.root-reconciler-first.{name}"));
    wait_for("the inner bindings", Some(&plain), || inner("view").is_object() && inner("role.view").is_object());

    // what was made for a sync goes with it, also if nobody was there to see it go; what others made stays
    must(kube.kubectl().args(["create", "ns", "tenant"]));
    must(kube.kubectl().args(["create", "serviceaccount", "root-reconciler-third", "-n", HOME]));
    let [tenant, third] = [publish("tenant", "tenant"), publish("third", "shop")];
    declare("RepoSync", "tenant", "tenant", "");
    declare("RootSync", HOME, "third", "");
    let tenant_account = "ns-reconciler-tenant-tenant-6";
    let rights = format!("--serviceaccount={HOME}:{tenant_account}");
    must(kube.kubectl().args(["create", "rolebinding", "t", "-n", "tenant", "--clusterrole=admin", &rights]));
    wait_for("the others", Some(&plain), || is_synced(&kube, "tenant", &tenant) && is_synced(&kube, "third", &third));
    must(kube.kubectl().args(["delete", "rootsync", "first", "-n", HOME]));
    let account = |name: &str| kube.get("serviceaccounts", HOME, name);
    wait_for("the first account's end", Some(&plain), || {
        account("root-reconciler-first").is_null() && binding("first.edit").is_null()
    });
    assert!(inner("view").is_null() && inner("role.view").is_null());
    plain.kill();
    must(kube.kubectl().args(["delete", "reposync", "tenant", "-n", "tenant"]));
    must(kube.kubectl().args(["delete", "rootsync", "third", "-n", HOME]));
    let plain = start("again", &[]);
    wait_for("the others' end", Some(&plain), || {
        account(tenant_account).is_null() && binding("third.cluster-admin").is_null()
    });
    assert!(account("root-reconciler-third").is_object(), "somebody else made it");
    assert!(account("root-reconciler-second").is_object() && binding("second.cluster-admin").is_object());
    assert!(kube.get("cm", "shop", "first").is_object(), "its objects were to stay");
}
