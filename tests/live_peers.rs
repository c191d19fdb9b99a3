//! `diff live:` against a real kube-apiserver, and the fields that cannot change in place asked of it.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "tests make files, keep time and read their environment")]

#[path = "support/kube.rs"]
mod kube;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Output;

use kube::Kube;
use serde_json::{Value, json};
use support::{hydrant, must, run};
use tempfile::TempDir;

fn diff(kube: &Kube, sides: [&str; 2], folder: &Path) -> (Output, Value) {
    let mut command = hydrant();
    command.arg("diff").args(sides).args(["--format", "json", "--kubeconfig"]).arg(kube.kubeconfig());
    let output = run(command.current_dir(folder));
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output, report)
}

/// `change object`, and below it each difference that is no noise as `  path class`.
fn told(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for object in report["roots"][0]["objects"].as_array().into_iter().flatten() {
        let side = if object["new"].is_null() { &object["old"] } else { &object["new"] };
        lines.push(format!("{} {} {}", text(&object["change"]), text(&side["kind"]), text(&side["name"])));
        lines.extend(
            object["entries"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|entry| format!("  {} {}", text(&entry["at"]), text(&entry["class"]))),
        );
    }
    lines
}

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: web:1
        resources: {limits: {cpu: 1000m}}
        ports:
        - containerPort: 80
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
  - port: 80
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {a: '1'}
";

#[test]
fn the_live_side_is_what_an_apply_would_change_and_nothing_is_changed() {
    let (kube, desk) = (Kube::start(), TempDir::new().expect("a folder"));
    kube.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    let source = |name: &str, text: &str| fs::write(desk.path().join(name), text).expect("written");
    source("web.yaml", WEB);
    must(hydrant().args(["push", "web.yaml", "oci-layout:layout:v1"]).current_dir(desk.path()));
    let mut sync = hydrant();
    sync.args(["sync", "--once", "oci-layout:layout:v1", "--kubeconfig"]).arg(kube.kubeconfig());
    must(sync.current_dir(desk.path()));
    // others have their say: an autoscaler, a person who annotates, a controller that labels
    must(kube.kubectl().args(["-n", "shop", "scale", "deployment", "web", "--replicas=3"]));
    must(kube.kubectl().args(["-n", "shop", "annotate", "deployment", "web", "who=me"]));
    must(kube.kubectl().args(["-n", "shop", "label", "service", "web", "team=a"]));
    let before = kube.versions();

    let (output, report) = diff(&kube, ["live:", "web.yaml"], desk.path());
    assert_eq!((output.status.code(), told(&report)), (Some(0), vec![]), "what others manage is no difference");

    let changed =
        WEB.replace("image: web:1", "image: web:2").replace("a: '1'", "b: '2'").replace("cpu: 1000m", "cpu: '1'");
    let added = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: shop}\n---\napiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: elsewhere}\n";
    source("next.yaml", &format!("{changed}{added}"));
    let wanted = [
        "changed Deployment web",
        "  spec.template.spec.containers[name=main].image value",
        "changed ConfigMap settings",
        "  data.b added",
        "  data.a removed",
        "added ConfigMap more",
        "added Thing t",
    ];
    let (output, report) = diff(&kube, ["live:", "next.yaml"], desk.path());
    assert_eq!(
        (output.status.code(), told(&report)),
        (Some(1), wanted.map(str::to_owned).to_vec()),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (_, back) = diff(&kube, ["next.yaml", "live:"], desk.path());
    assert!(told(&back).contains(&"removed ConfigMap more".to_owned()), "{:?}", told(&back));

    // what the server would refuse is told of, and is no difference
    source("refused.yaml", &WEB.replace("{app: web}", "{app: other}"));
    let (output, report) = diff(&kube, ["live:", "refused.yaml"], desk.path());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("diff-refused") && errors.contains("Deployment.apps shop/web"), "{errors}");
    assert_eq!(
        (output.status.code(), told(&report)),
        (Some(1), vec!["changed Service web".to_owned(), "  spec.selector.app value".to_owned()])
    );

    assert_eq!(kube.versions(), before, "a preview changes nothing");
}

/// An object, and changes of it: where, to what, and whether it must be made anew for that.
struct Case {
    object: Value,
    changes: Vec<(&'static str, Value, bool)>,
}

fn case(object: Value, changes: impl IntoIterator<Item = (&'static str, Value, bool)>) -> Case {
    Case { object, changes: changes.into_iter().collect() }
}

fn object(api_version: &str, kind: &str, rest: Value) -> Value {
    let mut object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "one", "namespace": "default"}});
    object.as_object_mut().expect("a map").extend(rest.as_object().expect("a map").clone());
    object
}

fn workload(kind: &str, more: Value) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": "one"}}, "template": {"metadata": {"labels": {"app": "one", "of": "two"}},
        "spec": {"containers": [{"name": "main", "image": "one:1"}]}}});
    spec.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    object("apps/v1", kind, json!({"spec": spec}))
}

const IMAGE: &str = "spec.template.spec.containers.0.image";
const SELECTOR: &str = "spec.selector.matchLabels";

/// The rows of the table that a server of this version knows.
#[expect(clippy::too_many_lines, reason = "a table: one row an object")]
fn cases() -> Vec<Case> {
    let claim = |more: Value| {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "a", "resources": {"requests": {"storage": "2Gi"}}});
        spec.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        spec
    };
    let template = json!([{"metadata": {"name": "data"}, "spec": claim(json!({}))}]);
    let volume = |source: &str, value: Value| {
        let mut spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]});
        spec[source] = value;
        object("v1", "PersistentVolume", json!({"spec": spec}))
    };
    let other = || json!({"of": "two"});
    let role = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name});
    let crd = json!({"group": "example.com", "scope": "Namespaced", "names": {"kind": "One", "plural": "ones", "singular": "one"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]});
    let mut crd = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({"spec": crd}));
    crd["metadata"]["name"] = json!("ones.example.com");
    vec![
        case(
            workload("Deployment", json!({})),
            [(SELECTOR, other(), true), (IMAGE, json!("one:2"), false), ("spec.replicas", json!(2), false)],
        ),
        case(workload("DaemonSet", json!({})), [(SELECTOR, other(), true), (IMAGE, json!("one:2"), false)]),
        case(
            workload("ReplicaSet", json!({})),
            [(SELECTOR, other(), true), (IMAGE, json!("one:2"), false), ("spec.replicas", json!(2), false)],
        ),
        case(
            workload("StatefulSet", json!({"serviceName": "one", "volumeClaimTemplates": template})),
            [
                (SELECTOR, other(), true),
                ("spec.serviceName", json!("two"), true),
                ("spec.podManagementPolicy", json!("Parallel"), true),
                ("spec.revisionHistoryLimit", json!(3), true),
                ("spec.volumeClaimTemplates.0.spec.resources.requests.storage", json!("3Gi"), true),
                (IMAGE, json!("one:2"), false),
                ("spec.replicas", json!(2), false),
                ("spec.updateStrategy", json!({"type": "OnDelete"}), false),
            ],
        ),
        case(
            object(
                "batch/v1",
                "Job",
                json!({"spec": {"suspend": true, "completions": 1, "parallelism": 1,
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "one:1"}]}}}}),
            ),
            [
                ("spec.completions", json!(2), true),
                (IMAGE, json!("one:2"), true),
                ("spec.parallelism", json!(2), false),
                ("spec.backoffLimit", json!(2), false),
                ("spec.activeDeadlineSeconds", json!(9), false),
                ("spec.ttlSecondsAfterFinished", json!(9), false),
            ],
        ),
        case(
            object("v1", "PersistentVolumeClaim", json!({"spec": claim(json!({}))})),
            [
                ("spec.accessModes", json!(["ReadOnlyMany"]), true),
                ("spec.storageClassName", json!("b"), true),
                ("spec.volumeMode", json!("Block"), true),
                ("spec.selector", json!({"matchLabels": {"a": "b"}}), true),
                ("spec.resources.requests.storage", json!("1Gi"), true),
            ],
        ),
        case(
            object(
                "v1",
                "Service",
                json!({"spec": {"clusterIP": "10.0.0.77", "ports": [{"port": 80}], "selector": {"app": "one"}}}),
            ),
            [
                ("spec.clusterIP", json!("10.0.0.78"), true),
                ("spec.ports", json!([{"port": 81}]), false),
                ("spec.selector", json!({"app": "two"}), false),
                ("spec.type", json!("NodePort"), false),
            ],
        ),
        case(
            object("rbac.authorization.k8s.io/v1", "RoleBinding", json!({"roleRef": role("view")})),
            [("roleRef", role("edit"), true)],
        ),
        case(
            object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", json!({"roleRef": role("view")})),
            [("roleRef", role("edit"), true)],
        ),
        case(
            object(
                "storage.k8s.io/v1",
                "StorageClass",
                json!({"provisioner": "a.example.com", "parameters": {"a": "b"}, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
            ),
            [
                ("provisioner", json!("b.example.com"), true),
                ("parameters", json!({"a": "c"}), true),
                ("reclaimPolicy", json!("Retain"), true),
                ("volumeBindingMode", json!("WaitForFirstConsumer"), true),
                ("allowVolumeExpansion", json!(true), false),
                ("mountOptions", json!(["ro"]), false),
            ],
        ),
        case(
            object(
                "storage.k8s.io/v1",
                "CSIDriver",
                json!({"spec": {"attachRequired": true, "podInfoOnMount": false, "volumeLifecycleModes": ["Persistent"]}}),
            ),
            [("spec.attachRequired", json!(false), true), ("spec.volumeLifecycleModes", json!(["Ephemeral"]), true)],
        ),
        case(
            object("v1", "Secret", json!({"type": "Opaque", "data": {"a": "YQ=="}})),
            [
                ("type", json!("example.com/other"), true),
                ("data", json!({"a": "Yg=="}), false),
                ("immutable", json!(true), false),
            ],
        ),
        case(
            object("v1", "ConfigMap", json!({"immutable": true, "data": {"a": "b"}})),
            [
                ("data", json!({"a": "c"}), true),
                ("immutable", json!(false), true),
                ("metadata.labels", json!({"a": "b"}), false),
            ],
        ),
        case(
            crd,
            [
                ("spec.scope", json!("Cluster"), true),
                ("spec.group", json!("other.com"), true),
                ("spec.names.plural", json!("others"), true),
                ("spec.names.kind", json!("Other"), true),
                ("spec.names.shortNames", json!(["o"]), false),
            ],
        ),
        case(
            object("scheduling.k8s.io/v1", "PriorityClass", json!({"value": 5, "preemptionPolicy": "Never"})),
            [
                ("value", json!(6), true),
                ("preemptionPolicy", json!("PreemptLowerPriority"), true),
                ("description", json!("x"), false),
            ],
        ),
        case(
            object("networking.k8s.io/v1", "IngressClass", json!({"spec": {"controller": "example.com/a"}})),
            [
                ("spec.controller", json!("example.com/b"), true),
                ("spec.parameters", json!({"kind": "A", "name": "b"}), false),
            ],
        ),
        case(
            object("node.k8s.io/v1", "RuntimeClass", json!({"handler": "a"})),
            [("handler", json!("b"), true), ("overhead", json!({"podFixed": {"cpu": "1"}}), false)],
        ),
        case(
            object(
                "discovery.k8s.io/v1beta1",
                "EndpointSlice",
                json!({"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.1.1"]}], "ports": []}),
            ),
            [("addressType", json!("IPv6"), true), ("endpoints", json!([{"addresses": ["10.1.1.2"]}]), false)],
        ),
        case(
            volume("hostPath", json!({"path": "/a", "type": ""})),
            [
                ("spec.hostPath.path", json!("/b"), true),
                ("spec.volumeMode", json!("Block"), true),
                ("spec.capacity", json!({"storage": "2Gi"}), false),
            ],
        ),
        case(volume("nfs", json!({"server": "a", "path": "/"})), [("spec.nfs.server", json!("b"), true)]),
        case(
            volume("csi", json!({"driver": "a.example.com", "volumeHandle": "a"})),
            [("spec.csi.volumeHandle", json!("b"), true)],
        ),
        case(
            volume("iscsi", json!({"targetPortal": "1.2.3.4:3260", "iqn": "iqn.2001-04.com.example:x", "lun": 0})),
            [("spec.iscsi.lun", json!(1), true)],
        ),
        case(volume("fc", json!({"targetWWNs": ["50060e801049cfd1"], "lun": 0})), [("spec.fc.lun", json!(1), true)]),
        case(volume("cephfs", json!({"monitors": ["a"]})), [("spec.cephfs.monitors", json!(["b"]), true)]),
        case(volume("rbd", json!({"monitors": ["a"], "image": "i"})), [("spec.rbd.image", json!("j"), true)]),
        case(
            volume("awsElasticBlockStore", json!({"volumeID": "a"})),
            [("spec.awsElasticBlockStore.volumeID", json!("b"), true)],
        ),
        case(
            volume("gcePersistentDisk", json!({"pdName": "a"})),
            [("spec.gcePersistentDisk.pdName", json!("b"), true)],
        ),
        case(
            volume("azureDisk", json!({"diskName": "a", "diskURI": "https://blob/a.vhd"})),
            [("spec.azureDisk.diskName", json!("b"), true)],
        ),
        case(
            volume("azureFile", json!({"secretName": "a", "shareName": "s", "secretNamespace": "n"})),
            [("spec.azureFile.shareName", json!("t"), true)],
        ),
    ]
}

fn put(object: &mut Value, way: &str, value: Value) {
    let mut at = object;
    for step in way.split('.') {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
    }
    *at = value;
}

#[test]
fn what_cannot_change_in_place_is_what_the_server_refuses() {
    let (kube, desk) = (Kube::start(), TempDir::new().expect("a folder"));
    let file = |name: &str, object: &Value| {
        let path = desk.path().join(name);
        fs::write(&path, object.to_string()).expect("written");
        path
    };
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for Case { object, changes } in cases() {
        let old = file("old.json", &object);
        must(kube.kubectl().args(["apply", "--validate=false", "-f"]).arg(&old));
        for (way, value, anew) in changes {
            let mut changed = object.clone();
            put(&mut changed, way, value.clone());
            let new = file("new.json", &changed);
            let patch =
                json!([{"op": "add", "path": format!("/{}", way.replace('.', "/")), "value": value}]).to_string();
            let mut judge = kube.kubectl();
            judge.args(["patch", "--type=json", "--dry-run=server", "-p", &patch, "-f"]).arg(&old);
            let answer = run(&mut judge);
            let flags = ["--format", "json", "--unfold", "all", "--kube-version", "1.20"];
            let report = run(hydrant().arg("diff").arg(&old).arg(&new).args(flags));
            let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
            let flags = report["roots"][0]["objects"][0]["flags"].as_array().cloned().unwrap_or_default();
            let flagged = flags.iter().any(|flag| flag["kind"] == "recreate");
            let refused = !answer.status.success();
            asked += 1;
            if (flagged, refused) != (anew, anew) {
                let said = String::from_utf8_lossy(&answer.stderr).into_owned();
                wrong.push(format!(
                    "{} {way}: wanted {anew}, flagged {flagged}, refused {refused} {said}",
                    object["kind"]
                ));
            }
        }
        let _ = run(kube.kubectl().args(["delete", "--wait=false", "-f"]).arg(&old));
    }
    assert!(wrong.is_empty(), "of {asked}:\n{}", wrong.join("\n"));
}
