//! kustomize's builtin field specifications, as data.
//!
//! Rows are group, version, kind, path. Paths of pod templates are spelled once: a kind that holds one is a prefix.

use super::config::{Config, NameReference};
use super::fieldspec::FieldSpec;
use super::resid::Gvk;
use crate::compat::Profile;

type Row = (&'static str, &'static str, &'static str, &'static str);

const LABELS: &[Row] = &[
    ("", "", "", "metadata/labels"),
    ("", "v1", "ReplicationController", "spec/template/metadata/labels"),
    ("", "", "Deployment", "spec/template/metadata/labels"),
    ("", "", "ReplicaSet", "spec/template/metadata/labels"),
    ("", "", "DaemonSet", "spec/template/metadata/labels"),
    ("apps", "", "StatefulSet", "spec/template/metadata/labels"),
    ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels"),
    ("batch", "", "Job", "spec/template/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels"),
];

const SELECTORS: &[Row] = &[
    ("", "v1", "Service", "spec/selector"),
    ("", "v1", "ReplicationController", "spec/selector"),
    ("", "", "Deployment", "spec/selector/matchLabels"),
    ("", "", "ReplicaSet", "spec/selector/matchLabels"),
    ("", "", "DaemonSet", "spec/selector/matchLabels"),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels"),
];

const SELECTORS_IF_THERE: &[Row] = &[
    ("batch", "", "Job", "spec/selector/matchLabels"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
    ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
];

/// Below a pod's spec, in Deployments and StatefulSets of `apps`.
const POD_SELECTORS: &[&str] = &[
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

const ANNOTATIONS: &[Row] = &[
    ("", "", "", "metadata/annotations"),
    ("", "v1", "ReplicationController", "spec/template/metadata/annotations"),
    ("", "", "Deployment", "spec/template/metadata/annotations"),
    ("", "", "ReplicaSet", "spec/template/metadata/annotations"),
    ("", "", "DaemonSet", "spec/template/metadata/annotations"),
    ("", "", "StatefulSet", "spec/template/metadata/annotations"),
    ("batch", "", "Job", "spec/template/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
];

const NAMESPACES: &[Row] = &[
    ("", "", "Namespace", "metadata/name"),
    ("apiregistration.k8s.io", "", "APIService", "spec/service/namespace"),
];

const NAMESPACES_IF_THERE: &[Row] = &[(
    "apiextensions.k8s.io",
    "",
    "CustomResourceDefinition",
    "spec/conversion/webhook/clientConfig/service/namespace",
)];

const IMAGES: &[&str] = &[
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
];

const IMAGE_VOLUMES: &[&str] = &["spec/volumes[]/image/reference", "spec/template/spec/volumes[]/image/reference"];

const SCALED: &[&str] = &["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// Kinds that hold a pod's spec, with the way to it.
const PODS: &[(&str, &str, &str)] = &[
    ("v1", "Pod", "spec/"),
    ("", "PodTemplate", "template/spec/"),
    ("", "Deployment", "spec/template/spec/"),
    ("", "ReplicaSet", "spec/template/spec/"),
    ("", "DaemonSet", "spec/template/spec/"),
    ("", "StatefulSet", "spec/template/spec/"),
    ("", "Job", "spec/template/spec/"),
    ("", "CronJob", "spec/jobTemplate/spec/template/spec/"),
];

/// As [`PODS`], for references to accounts, claims and priorities.
const PODS_OF_ACCOUNTS: &[(&str, &str, &str)] = &[
    ("", "Pod", "spec/"),
    ("", "StatefulSet", "spec/template/spec/"),
    ("", "Deployment", "spec/template/spec/"),
    ("", "ReplicationController", "spec/template/spec/"),
    ("", "CronJob", "spec/jobTemplate/spec/template/spec/"),
    ("", "Job", "spec/template/spec/"),
    ("", "DaemonSet", "spec/template/spec/"),
];

const CONFIG_MAP_IN_POD: &[&str] = &[
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const SECRET_IN_POD: &[&str] = &[
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

const CONFIG_MAP_ELSEWHERE: &[Row] = &[
    ("", "", "Node", "spec/configSource/configMap"),
    ("", "", "Role", "rules/resourceNames"),
    ("", "", "ClusterRole", "rules/resourceNames"),
    ("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
];

const SECRET_ELSEWHERE: &[Row] = &[
    ("", "", "Ingress", "spec/tls/secretName"),
    ("", "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
    ("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
    ("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
    ("", "", "ServiceAccount", "imagePullSecrets/name"),
    ("", "", "StorageClass", "parameters/secretName"),
    ("", "", "StorageClass", "parameters/adminSecretName"),
    ("", "", "StorageClass", "parameters/userSecretName"),
    ("", "", "StorageClass", "parameters/secretRef"),
    ("", "", "Role", "rules/resourceNames"),
    ("", "", "ClusterRole", "rules/resourceNames"),
    ("serving.knative.dev", "v1", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
    ("", "", "PersistentVolume", "spec/azureFile/secretName"),
];

const SERVICE: &[Row] = &[
    ("apps", "", "StatefulSet", "spec/serviceName"),
    ("", "", "Ingress", "spec/rules/http/paths/backend/serviceName"),
    ("", "", "Ingress", "spec/backend/serviceName"),
    ("", "", "Ingress", "spec/rules/http/paths/backend/service/name"),
    ("", "", "Ingress", "spec/defaultBackend/service/name"),
    ("apiregistration.k8s.io", "", "APIService", "spec/service/name"),
    ("admissionregistration.k8s.io", "", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
    ("admissionregistration.k8s.io", "", "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
];

const RBAC: &str = "rbac.authorization.k8s.io";

const ROLE: &[Row] = &[(RBAC, "", "RoleBinding", "roleRef/name")];

const CLUSTER_ROLE: &[Row] =
    &[(RBAC, "", "RoleBinding", "roleRef/name"), (RBAC, "", "ClusterRoleBinding", "roleRef/name")];

const SUBJECTS: &[Row] = &[(RBAC, "", "RoleBinding", "subjects"), (RBAC, "", "ClusterRoleBinding", "subjects")];

const VOLUME: &[Row] =
    &[("", "", "PersistentVolumeClaim", "spec/volumeName"), ("", "", "ClusterRole", "rules/resourceNames")];

const STORAGE_CLASS: &[Row] = &[
    ("", "", "PersistentVolume", "spec/storageClassName"),
    ("", "", "PersistentVolumeClaim", "spec/storageClassName"),
    ("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
];

const INGRESS_CLASS: &[Row] = &[("", "", "Ingress", "spec/ingressClassName")];

const POLICY: &[Row] = &[("admissionregistration.k8s.io", "", "ValidatingAdmissionPolicyBinding", "spec/policyName")];

const SCALE_TARGET: &[Row] = &[("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];

/// Kinds in whose pods `$(VAR)` is replaced, with the way to the pod's spec.
const PODS_OF_VARS: &[(&str, &str, &str)] = &[
    ("", "CronJob", "spec/jobTemplate/spec/template/spec/"),
    ("", "DaemonSet", "spec/template/spec/"),
    ("", "Deployment", "spec/template/spec/"),
    ("", "Job", "spec/template/spec/"),
    ("", "Pod", "spec/"),
    ("", "ReplicaSet", "spec/template/spec/"),
    ("", "StatefulSet", "spec/template/spec/"),
];

/// Below a pod's spec: where `$(VAR)` is replaced.
const VARS_IN_POD: &[&str] = &[
    "containers/args",
    "containers/command",
    "containers/env/value",
    "containers/volumeMounts/mountPath",
    "initContainers/args",
    "initContainers/command",
    "initContainers/env/value",
    "initContainers/volumeMounts/mountPath",
];

const VARS_ELSEWHERE: &[Row] = &[
    // kustomize's own slip: the pod's spec is left out of the path.
    ("", "", "CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server"),
    ("", "", "DaemonSet", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Deployment", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Deployment", "spec/template/metadata/annotations"),
    ("", "", "Ingress", "spec/rules/host"),
    ("", "", "Ingress", "spec/tls/hosts"),
    ("", "", "Ingress", "spec/tls/secretName"),
    ("", "", "Job", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Pod", "spec/volumes/nfs/server"),
    ("", "", "ReplicaSet", "spec/template/spec/volumes/nfs/server"),
    ("", "", "Service", "spec/ports/port"),
    ("", "", "Service", "spec/ports/targetPort"),
    ("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
    ("", "", "PersistentVolume", "spec/nfs/server"),
    ("", "", "", "metadata/labels"),
    ("", "", "", "metadata/annotations"),
];

fn spec((group, version, kind, path): &Row, create: bool) -> FieldSpec {
    FieldSpec::new(Gvk { group: (*group).into(), version: (*version).into(), kind: (*kind).into() }, path, create)
}

fn specs(rows: &[Row], create: bool) -> Vec<FieldSpec> {
    rows.iter().map(|row| spec(row, create)).collect()
}

fn in_pods(pods: &[(&'static str, &'static str, &str)], below: &[&str]) -> Vec<FieldSpec> {
    let one = |(version, kind, prefix): &(&str, &str, &str), path: &&str| {
        let gvk = Gvk { group: "".into(), version: (*version).into(), kind: (*kind).into() };
        FieldSpec::new(gvk, &format!("{prefix}{path}"), false)
    };
    pods.iter().flat_map(|pod| below.iter().map(move |path| one(pod, path))).collect()
}

fn common_labels() -> Vec<FieldSpec> {
    let mut all = specs(SELECTORS, true);
    for kind in ["Deployment", "StatefulSet"] {
        for path in POD_SELECTORS {
            let gvk = Gvk { group: "apps".into(), version: "".into(), kind: kind.into() };
            all.push(FieldSpec::new(gvk, &format!("spec/template/spec/{path}"), false));
        }
    }
    all.extend(specs(SELECTORS_IF_THERE, false));
    all.extend(specs(LABELS, true));
    all
}

fn name_references(profile: Profile) -> Vec<NameReference> {
    let mut all: Vec<NameReference> = Vec::new();
    let mut add = |group: &str, version: &str, kind: &str, groups: Vec<Vec<FieldSpec>>| {
        let target = Gvk { group: group.into(), version: version.into(), kind: kind.into() };
        all.push(NameReference { target, referrers: groups.into_iter().flatten().collect() });
    };
    for kind in SCALED {
        add("", "", kind, vec![specs(SCALE_TARGET, false)]);
    }
    add("", "v1", "ConfigMap", vec![in_pods(PODS, CONFIG_MAP_IN_POD), specs(CONFIG_MAP_ELSEWHERE, false)]);
    add("", "v1", "Secret", vec![in_pods(PODS, SECRET_IN_POD), specs(SECRET_ELSEWHERE, false)]);
    add("", "v1", "Service", vec![specs(SERVICE, false)]);
    add(RBAC, "", "Role", vec![specs(ROLE, false)]);
    add(RBAC, "", "ClusterRole", vec![specs(CLUSTER_ROLE, false)]);
    let accounts = in_pods(PODS_OF_ACCOUNTS, &["serviceAccountName"]);
    add("", "v1", "ServiceAccount", vec![specs(SUBJECTS, false), accounts]);
    let claims = in_pods(PODS_OF_ACCOUNTS, &["volumes/persistentVolumeClaim/claimName"]);
    add("", "v1", "PersistentVolumeClaim", vec![claims]);
    add("", "v1", "PersistentVolume", vec![specs(VOLUME, false)]);
    add("storage.k8s.io", "v1", "StorageClass", vec![specs(STORAGE_CLASS, false)]);
    let priorities = in_pods(PODS_OF_ACCOUNTS, &["priorityClassName"]);
    add("scheduling.k8s.io", "v1", "PriorityClass", vec![priorities]);
    // The group is kustomize's own slip, and it means that no IngressClass is ever found.
    add("networking.k8s.io/v1", "v1", "IngressClass", vec![specs(INGRESS_CLASS, false)]);
    if profile.policy_bindings_follow_names() {
        add("admissionregistration.k8s.io", "", "ValidatingAdmissionPolicy", vec![specs(POLICY, false)]);
    }
    all
}

fn var_references() -> Vec<FieldSpec> {
    let mut all = in_pods(PODS_OF_VARS, VARS_IN_POD);
    all.extend(specs(VARS_ELSEWHERE, false));
    all
}

/// The configuration that every kustomization starts with.
pub(crate) fn builtin(profile: Profile) -> Config {
    let metadata_name = || vec![spec(&("", "", "", "metadata/name"), false)];
    let any_kind = |path: &&'static str| spec(&("", "", "", *path), true);
    let volumes = if profile.images_reach_volumes() { IMAGE_VOLUMES } else { &[] };
    let mut namespace = specs(NAMESPACES, true);
    namespace.extend(specs(NAMESPACES_IF_THERE, false));
    Config {
        name_prefix: metadata_name(),
        name_suffix: metadata_name(),
        namespace,
        common_labels: common_labels(),
        labels: Vec::new(),
        template_labels: specs(LABELS, true),
        common_annotations: specs(ANNOTATIONS, true),
        name_reference: name_references(profile),
        var_reference: var_references(),
        images: IMAGES.iter().chain(volumes).map(any_kind).collect(),
        replicas: SCALED.iter().map(|kind| spec(&("", "", kind, "spec/replicas"), true)).collect(),
        pristine: true,
    }
}
