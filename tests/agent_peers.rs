//! `hydrant agent` on a real kube-apiserver with its controllers, a real registry, and Google's servers as fakes that believe
//! nobody. What is shown: the tutorial's syncs come in under their own identities; a new version is there within its
//! period; a tenant cannot leave its namespace; two replicas never write at once.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files, keep time and read their environment")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/cloud.rs"]
mod cloud;
#[path = "support/kube.rs"]
mod kube;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use agent::{Agent, HOME, config_map, install, is_synced, push, push_folder, status_of, sync, wait_at_most, wait_for};
use cloud::{Cloud, EMAIL, TOKEN};
use kube::Kube;
use proxy::Proxy;
use registry::Registry;
use serde_json::{Value, json};
use support::{hydrant, must, root, run};
use tempfile::TempDir;

/// A registry that only the cloud account's token opens.
fn locked_registry() -> Registry {
    let folder = tempfile::tempdir().expect("a folder");
    let passwords = folder.path().join("htpasswd");
    fs::write(&passwords, format!("_token:{}\n", bcrypt::hash(TOKEN, 4).expect("hashed"))).expect("written");
    let settings = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}", passwords.display());
    Registry::start_with(folder, &settings, "")
}

/// Docker's config that opens it to whoever pushes.
fn log_in(folder: &TempDir, host: &str) {
    let pair = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("_token:{TOKEN}"));
    let config = json!({"auths": {host: {"auth": pair}}});
    fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one history of one cluster, which takes long to start")]
fn the_tutorials_syncs_come_in_under_their_own_identities() {
    let (kube, registry, folder) = (Kube::start(), locked_registry(), tempfile::tempdir().expect("a folder"));
    log_in(&folder, &registry.host);
    let upload = |source: &std::path::Path, name: &str| {
        let reference = format!("{}/test-project/{name}:v1", registry.host);
        let pushed = must(hydrant().arg("push").arg(source).arg(reference).env("DOCKER_CONFIG", folder.path()));
        String::from_utf8(pushed).expect("a reference").trim().to_owned()
    };
    let names =
        [("namespace", "root-sync-namespace"), ("chart", "root-sync-chart"), ("policies", "root-sync-policies")];
    let pushed: Vec<String> = names.iter().map(|(name, _)| upload(&root().join("examples").join(name), name)).collect();
    let accounts: Vec<String> = names.iter().map(|(_, sync)| format!("root-reconciler-{sync}")).collect();
    let cloud = Cloud::start(&accounts.iter().map(String::as_str).collect::<Vec<_>>());
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let agent = Agent::start(&kubeconfig, "one", |command| {
        command.env("GCE_METADATA_HOST", &cloud.host);
        command.args([
            "--sts-url",
            &format!("http://{}/sts", cloud.host),
            "--iam-url",
            &format!("http://{}", cloud.host),
        ]);
    });
    for (name, sync_name) in names {
        let auth = format!("    auth: gcpserviceaccount\n    gcpServiceAccountEmail: {EMAIL}\n");
        let image = format!("{}/test-project/{name}:v1", registry.host);
        kube.apply(&sync("RootSync", HOME, sync_name, &image, "1s", &auth));
    }
    // what Gatekeeper would bring
    for (group, kind, plural, version) in [
        ("templates.gatekeeper.sh", "ConstraintTemplate", "constrainttemplates", "v1"),
        ("constraints.gatekeeper.sh", "K8sRequiredLabels", "k8srequiredlabels", "v1beta1"),
    ] {
        kube.apply(&definition(group, kind, plural, version));
    }
    for ((_, name), pushed) in names.iter().zip(&pushed) {
        wait_for(name, Some(&agent), || is_synced(&kube, name, pushed));
    }
    assert_eq!(kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"], "platform");
    assert!(kube.get("deployments", "test-chart", "web").is_object());
    assert!(kube.get("k8srequiredlabels.constraints.gatekeeper.sh", "", "namespaces-name-their-team").is_object());
    assert_eq!(
        status_of(&kube, names[1].1)["unreadyObjects"],
        1,
        "no kubelet runs here, so the Deployment is not ready"
    );
    let object = kube.get("rootsyncs", HOME, names[0].1);
    assert_eq!(object["status"]["rendering"]["message"], "Rendering skipped");

    // every token was had with the account of its own sync
    let seen = cloud.seen();
    for account in &accounts {
        assert!(
            seen.contains(&format!("sts {account}")) && seen.contains(&format!("iam {account} {EMAIL}")),
            "{seen:?}"
        );
    }
    assert!(seen.iter().all(|what| !what.starts_with("refused") && what != "machine"), "{seen:?}");

    // an account that the cloud does not know gets nothing, whatever the others may
    let auth = format!("    auth: gcpserviceaccount\n    gcpServiceAccountEmail: {EMAIL}\n");
    kube.apply(&sync(
        "RootSync",
        HOME,
        "stranger",
        &format!("{}/test-project/namespace:v1", registry.host),
        "1s",
        &auth,
    ));
    wait_for("the refusal", Some(&agent), || status_of(&kube, "stranger")["status"] == "ERROR");
    assert!(
        cloud.seen().iter().any(|what| what.starts_with("refused sts root-reconciler-stranger")),
        "{:?}",
        cloud.seen()
    );
    kube.apply(&sync(
        "RootSync",
        HOME,
        "nobody",
        &format!("{}/test-project/namespace:v1", registry.host),
        "1s",
        "    auth: none\n",
    ));
    wait_for("the refusal", Some(&agent), || status_of(&kube, "nobody")["status"] == "ERROR");

    // a new version is there within its period and two seconds
    let source = folder.path().join("source");
    kube::folder_of(&source, &[("a.yaml", namespace("test-namespace", "two"))]);
    upload(&source, "namespace");
    let most = Duration::from_secs(3);
    wait_at_most(most, "the new version", Some(&agent), || {
        kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"] == "two"
    });

    // drift is put right
    must(kube.kubectl().args(["label", "ns", "test-namespace", "team=drifted", "--overwrite"]));
    must(kube.kubectl().args(["delete", "svc", "web", "-n", "test-chart"]));
    let most = Duration::from_secs(5);
    wait_at_most(most, "the label", Some(&agent), || {
        kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"] == "two"
    });
    wait_at_most(most, "the service", Some(&agent), || kube.get("svc", "test-chart", "web").is_object());

    // suspended: nothing is written
    must(kube.kubectl().args(["annotate", "rootsync", names[0].1, "-n", HOME, "hydrant.dev/suspend=true"]));
    wait_for("the suspension", Some(&agent), || status_of(&kube, names[0].1)["status"] == "SUSPENDED");
    must(kube.kubectl().args(["label", "ns", "test-namespace", "team=drifted", "--overwrite"]));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"], "drifted");
    must(kube.kubectl().args(["annotate", "rootsync", names[0].1, "-n", HOME, "hydrant.dev/suspend-"]));
    wait_for("the label", Some(&agent), || kube.get("ns", "", "test-namespace")["metadata"]["labels"]["team"] == "two");

    // deleting a sync leaves its objects, or takes them along, as its annotation says
    let policy = "configsync.gke.io/deletion-propagation-policy=Foreground";
    must(kube.kubectl().args(["annotate", "rootsync", names[0].1, "-n", HOME, policy]));
    wait_for("the finalizer", Some(&agent), || {
        kube.get("rootsyncs", HOME, names[0].1)["metadata"]["finalizers"].is_array()
    });
    must(kube.kubectl().args(["delete", "rootsync", names[0].1, names[1].1, "-n", HOME, "--timeout=60s"]));
    assert!(kube.get("ns", "", "test-namespace").is_null());
    assert!(kube.get("deployments", "test-chart", "web").is_object());
    assert!(run(hydrant().args(["status", "--kubeconfig"]).arg(kube.kubeconfig())).status.code() == Some(1));
    assert!(!agent.log().contains(TOKEN), "a secret is in the log");
}

fn namespace(name: &str, team: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {{team: {team}}}\n")
}

/// A CRD as a controller would make it.
fn definition(group: &str, kind: &str, plural: &str, version: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}}}\nspec:\n  \
         group: {group}\n  scope: Cluster\n  names: {{kind: {kind}, plural: {plural}}}\n  versions:\n  - name: {version}\n    \
         served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    )
}

/// Lets the account of a RepoSync do everything to ConfigMaps of its namespace.
fn tenant_rights(namespace: &str, account: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: sync, namespace: {namespace}}}\nrules:\n\
         - {{apiGroups: [''], resources: [configmaps], verbs: ['*']}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: sync, namespace: {namespace}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: sync}}\n\
         subjects: [{{kind: ServiceAccount, name: {account}, namespace: {HOME}}}]\n"
    )
}

#[test]
fn a_tenant_cannot_leave_its_namespace_nor_its_rights() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let agent = Agent::start(&kubeconfig, "one", |_| {});
    for name in ["tenant", "other"] {
        must(kube.kubectl().args(["create", "ns", name]));
    }
    kube.apply(&tenant_rights("tenant", "ns-reconciler-tenant"));
    let source = folder.path().join("source");
    // a RootSync's object in the tenant's namespace, which the tenant's source names too
    let rooted =
        push(&source, &format!("{}/root:v1", registry.host), &[("a.yaml", config_map("tenant", "rooted", "root"))]);
    kube.apply(&sync("RootSync", HOME, "root-sync", &format!("{}/root:v1", registry.host), "1s", "    auth: none\n"));
    wait_for("the RootSync", Some(&agent), || is_synced(&kube, "root-sync", &rooted));
    let before = kube.everything();

    let mark = |mark: &str| config_map("tenant", "forged", "x").replace("  name:", &format!("  {mark}\n  name:"));
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: tenant}\n";
    let files = [
        ("good.yaml", config_map("tenant", "good", "tenant")),
        ("role.yaml", role.to_owned()),
        ("elsewhere.yaml", config_map("other", "elsewhere", "tenant")),
        ("forged.yaml", mark(&format!("annotations: {{config.k8s.io/owning-inventory: {HOME}_root-sync}}"))),
        ("rooted.yaml", config_map("tenant", "rooted", "tenant")),
        ("secret.yaml", secret.to_owned()),
    ];
    push(&source, &format!("{}/tenant:v1", registry.host), &files);
    kube.apply(&sync(
        "RepoSync",
        "tenant",
        "repo-sync",
        &format!("{}/tenant:v1", registry.host),
        "1s",
        "    auth: none\n",
    ));
    wait_for("the errors", Some(&agent), || {
        status_of(&kube, "repo-sync")["errors"].as_array().map_or(0, Vec::len) == 5
    });
    let errors: Vec<String> = status_of(&kube, "repo-sync")["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error.as_str().expect("text").to_owned())
        .collect();
    for (code, object) in [
        ("KNV1058", "ClusterRole"),
        ("KNV1058", "other/elsewhere"),
        ("KNV1010", "tenant/forged"),
        ("KNV1060", "tenant/rooted"),
        ("KNV2013", "Secret"),
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(code) && error.contains(object)),
            "{code} {object}: {errors:?}"
        );
    }
    assert_eq!(kube.get("cm", "tenant", "good")["data"]["value"], "tenant");
    let mut after = kube.everything();
    after.retain(|name, _| {
        before.contains_key(name)
            || name.starts_with("ClusterRole /all")
            || name.contains("elsewhere")
            || name.contains("forged")
    });
    let settled = |things: &BTreeMap<String, Value>| -> Vec<(String, Value)> {
        things
            .iter()
            .filter(|(name, _)| {
                !name.starts_with("ResourceGroup")
                    && !name.starts_with("RootSync")
                    && !name.starts_with("RepoSync")
                    && !name.contains("hydrant-agent")
            })
            .map(|(name, thing)| (name.clone(), thing["metadata"]["resourceVersion"].clone()))
            .collect()
    };
    assert_eq!(settled(&after), settled(&before), "the tenant changed something");
}

#[test]
fn a_standby_takes_over_and_a_leader_that_was_stopped_writes_nothing_more() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let (wire, slow) = (Proxy::start(&kube.server()), folder.path().join("slow.kubeconfig"));
    let config = fs::read_to_string(&kubeconfig).expect("a kubeconfig").replace(&kube.server(), &wire.host);
    fs::write(&slow, config).expect("written");
    let (source, image) = (folder.path().join("source"), format!("{}/shop:v1", registry.host));
    let version = |value: &str| {
        let files: Vec<(String, String)> = (0..20)
            .map(|number| (format!("{number}.yaml"), config_map("shop", &format!("c{number}"), value)))
            .collect();
        push(&source, &image, &files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect::<Vec<_>>())
    };
    let pushed = version("one");
    kube.apply(&sync("RootSync", HOME, "root-sync", &image, "1s", "    auth: none\n"));
    let mut first = Agent::start(&kubeconfig, "first", |_| {});
    wait_for("the first version", Some(&first), || is_synced(&kube, "root-sync", &pushed));
    // the last that a leader writes of a version: how far each object has come
    let told = |pushed: &str| {
        let commit = pushed.rsplit(':').next().unwrap_or_default().get(..7).unwrap_or_default().to_owned();
        let group = kube.get("resourcegroups", HOME, "root-sync");
        let states = group["status"]["resourceStatuses"].as_array().cloned().unwrap_or_default();
        states.len() == 20 && states.iter().all(|state| state["sourceHash"] == commit.as_str())
    };
    let holder =
        || kube.get("leases", HOME, "hydrant-agent")["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
    assert_eq!(holder(), "first");

    // killed
    let second = Agent::start(&slow, "second", |_| {});
    std::thread::sleep(Duration::from_secs(2));
    first.kill();
    let pushed = version("two");
    let took =
        wait_at_most(Duration::from_secs(15), "the standby", Some(&second), || is_synced(&kube, "root-sync", &pushed));
    println!("the standby synced after {took:?}");
    assert_eq!(holder(), "second");

    // stopped, and woken up while another leads
    let third = Agent::start(&kubeconfig, "third", |_| {});
    std::thread::sleep(Duration::from_secs(2));
    version("three");
    std::thread::sleep(Duration::from_millis(900));
    second.signal("STOP");
    let pushed = version("four");
    wait_at_most(Duration::from_secs(20), "the next leader", Some(&third), || is_synced(&kube, "root-sync", &pushed));
    assert_eq!(holder(), "third");
    wait_for("the states of the objects", Some(&third), || told(&pushed));
    let before = kube.versions();
    second.signal("CONT");
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(moved(&before, &kube.versions()), [""; 0], "the former leader wrote: {}", second.log());
    assert!(second.log().contains("the lease is lost"), "{}", second.log());
    for number in 0..20 {
        assert_eq!(kube.get("cm", "shop", &format!("c{number}"))["data"]["value"], "four");
    }

    // one that is asked to end gives the lease back: nobody waits until it is old
    third.signal("TERM");
    let most = Duration::from_secs(6);
    let took = wait_at_most(most, "the lease", Some(&second), || holder() == "second");
    println!("the lease was given back and taken after {took:?}");
    let pushed = version("five");
    wait_for("the next version", Some(&second), || is_synced(&kube, "root-sync", &pushed));

    // what a leader sent while it led arrives when another leads
    let fourth = Agent::start(&kubeconfig, "fourth", |_| {});
    let suspend = |mark: &str| must(kube.kubectl().args(["annotate", "rootsync", "root-sync", "-n", HOME, mark]));
    wire.hold(true);
    suspend("hydrant.dev/suspend=true");
    std::thread::sleep(Duration::from_secs(1));
    suspend("hydrant.dev/suspend-");
    wait_at_most(Duration::from_secs(20), "the next leader", Some(&fourth), || holder() == "fourth");
    let pushed = version("six");
    wait_for("the sixth version", Some(&fourth), || is_synced(&kube, "root-sync", &pushed) && told(&pushed));
    let before = kube.versions();
    wire.hold(false);
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(moved(&before, &kube.versions()), [""; 0], "the former leader wrote: {}", second.log());
    assert!(is_synced(&kube, "root-sync", &pushed), "{}", status_of(&kube, "root-sync"));
}

/// What stands there in another version; leases are renewed all the time.
fn moved(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let moved = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    moved.filter(|name| !name.starts_with("Lease")).cloned().collect()
}

#[test]
fn guards_hold_back_what_would_hurt_and_order_and_lifecycle_are_kept() {
    let (kube, registry, folder) = (Kube::start(), Registry::start(), tempfile::tempdir().expect("a folder"));
    let kubeconfig = install(&kube, folder.path(), &["--bind-roles"]);
    let agent = Agent::start(&kubeconfig, "one", |_| {});
    let (source, image) = (folder.path().join("source"), format!("{}/shop:v1", registry.host));
    let many = |count: usize| {
        let files: Vec<(String, String)> = (0..count)
            .map(|number| (format!("{number}.yaml"), config_map("shop", &format!("c{number}"), "one")))
            .collect();
        push(&source, &image, &files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect::<Vec<_>>())
    };
    let pushed = many(40);
    kube.apply(&sync("RootSync", HOME, "root-sync", &image, "1s", "    auth: none\n"));
    wait_for("the first version", Some(&agent), || is_synced(&kube, "root-sync", &pushed));

    // most of the inventory would go: nothing goes until it is confirmed
    let pushed = many(5);
    let digest = pushed.rsplit(':').next().expect("a digest");
    wait_for("the guard", Some(&agent), || {
        status_of(&kube, "root-sync")["errors"][0].as_str().is_some_and(|error| error.starts_with("KNV2006"))
    });
    assert!(kube.get("cm", "shop", "c39").is_object());
    must(kube.kubectl().args([
        "annotate",
        "rootsync",
        "root-sync",
        "-n",
        HOME,
        &format!("hydrant.dev/confirm-prune={digest}"),
    ]));
    wait_for("the prune", Some(&agent), || {
        is_synced(&kube, "root-sync", &pushed) && kube.get("cm", "shop", "c39").is_null()
    });

    // an object waits for what it depends on; a Job that cannot be changed is made anew where that is asked for
    let job = |image: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: job\n  namespace: shop\n  annotations: {{hydrant.dev/recreate: 'true'}}\nspec:\n  \
             template:\n    spec:\n      restartPolicy: Never\n      containers: [{{name: a, image: {image}}}]\n"
        )
    };
    let waiting = config_map("shop", "late", "one")
        .replace("  name:", "  annotations: {config.kubernetes.io/depends-on: /namespaces/shop/Pod/first}\n  name:");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: first, namespace: shop}\nspec: {containers: [{name: a, image: a}]}\n";
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk, namespace: shop}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    let files = [
        ("c.yaml", config_map("shop", "c0", "one")),
        ("job.yaml", job("one")),
        ("late.yaml", waiting),
        ("claim.yaml", claim.to_owned()),
        ("pod.yaml", pod.to_owned()),
    ];
    push(&source, &image, &files);
    wait_for("the job", Some(&agent), || kube.get("jobs", "shop", "job").is_object());
    let first = kube.get("jobs", "shop", "job")["metadata"]["uid"].clone();
    assert!(kube.get("cm", "shop", "late").is_null(), "the pod has not ended");
    let ended = r#"{"status":{"phase":"Succeeded"}}"#;
    let patch = ["patch", "pod", "first", "-n", "shop", "--subresource=status", "--type=merge", "-p", ended];
    must(kube.kubectl().args(patch));
    wait_for("the dependent", Some(&agent), || kube.get("cm", "shop", "late").is_object());
    let files = [("c.yaml", config_map("shop", "c0", "one")), ("job.yaml", job("two"))];
    push(&source, &image, &files);
    wait_for("the new job", Some(&agent), || {
        let job = kube.get("jobs", "shop", "job");
        job.is_object() && job["metadata"]["uid"] != first
    });
    wait_for("the prune", Some(&agent), || kube.get("cm", "shop", "late").is_null());
    assert!(kube.get("pvc", "shop", "disk").is_object(), "a claim is never pruned unasked");

    // an artifact that is not rendered is rendered, and one bad object blocks no other
    let tar = folder.path().join("raw");
    fs::create_dir_all(&tar).expect("a folder");
    fs::write(tar.join("kustomization.yaml"), "namespace: shop\nconfigMapGenerator: [{name: made, literals: [a=b], options: {disableNameSuffixHash: true}}]\nresources: [bad.yaml]\n").expect("written");
    fs::write(
        tar.join("bad.yaml"),
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999999}]}\n",
    )
    .expect("written");
    let packed = folder.path().join("raw.tar");
    must(std::process::Command::new("tar").arg("-C").arg(&tar).arg("-cf").arg(&packed).arg("."));
    must(
        std::process::Command::new(support::peer("crane"))
            .args(["append", "--insecure", "--oci-empty-base", "-t", &format!("{}/raw:v1", registry.host), "-f"])
            .arg(&packed),
    );
    kube.apply(&sync("RootSync", HOME, "raw", &format!("{}/raw:v1", registry.host), "1s", "    auth: none\n"));
    wait_for("the rendered object", Some(&agent), || kube.get("cm", "shop", "made").is_object());
    wait_for("the error", Some(&agent), || {
        status_of(&kube, "raw")["errors"][0].as_str().is_some_and(|error| error.starts_with("KNV2009"))
    });
    assert_eq!(kube.get("rootsyncs", HOME, "raw")["status"]["rendering"]["message"], "Rendering succeeded");

    // Config Sync's own reconciler runs: nothing is written
    must(kube.kubectl().args(["create", "deployment", "root-reconciler-raw", "--image=x", "-n", HOME]));
    must(kube.kubectl().args(["annotate", "rootsync", "raw", "-n", HOME, "hydrant.dev/reconcile-at=now"]));
    wait_for("the refusal", Some(&agent), || status_of(&kube, "raw")["status"] == "STALLED");
    push_folder(&root().join("examples/namespace"), &format!("{}/git:v1", registry.host));
    kube.apply("apiVersion: configsync.gke.io/v1beta1\nkind: RootSync\nmetadata: {name: git, namespace: config-management-system}\nspec: {sourceType: git, git: {repo: x}}\n");
    wait_for("the other refusal", Some(&agent), || status_of(&kube, "git")["status"] == "STALLED");
}
