//! kustomize's builtin field specifications, as data.
//!
//! Rows are group, version, kind, path. Paths of pod templates are spelled once: a kind that holds one is a prefix.
//! Nothing is made of a row before a build wants it: of the 300 that hold names, a small build has the kinds of few.

use super::config::{NameReference, Rule, Use};
use super::fieldspec::FieldSpec;
use super::resid::Gvk;
use crate::compat::Profile;
use crate::value::Text;

type Row = (&'static str, &'static str, &'static str, &'static str);
/// Version and kind of what holds a pod's spec, and the way to that.
type Pod = (&'static str, &'static str, &'static str);

/// Fields of which none is made where it is missing.
enum Fields {
    /// Each at its own path.
    At(&'static [Row]),
    /// Below the pod's spec of each of these kinds.
    InPods(&'static [Pod], &'static [&'static str]),
}

/// Group, version and kind of what is referred to, and the fields that do.
type References = ((&'static str, &'static str, &'static str), &'static [Fields]);

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
const PODS: &[Pod] = &[
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
const PODS_OF_ACCOUNTS: &[Pod] = &[
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
const PODS_OF_VARS: &[Pod] = &[
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

/// What a binding of an admission policy refers to: the last row of [`REFERENCES`], which not every profile has.
const POLICY_KIND: &str = "ValidatingAdmissionPolicy";

const REFERENCES: &[References] = &[
    (("", "", "Deployment"), &[Fields::At(SCALE_TARGET)]),
    (("", "", "ReplicationController"), &[Fields::At(SCALE_TARGET)]),
    (("", "", "ReplicaSet"), &[Fields::At(SCALE_TARGET)]),
    (("", "", "StatefulSet"), &[Fields::At(SCALE_TARGET)]),
    (("", "v1", "ConfigMap"), &[Fields::InPods(PODS, CONFIG_MAP_IN_POD), Fields::At(CONFIG_MAP_ELSEWHERE)]),
    (("", "v1", "Secret"), &[Fields::InPods(PODS, SECRET_IN_POD), Fields::At(SECRET_ELSEWHERE)]),
    (("", "v1", "Service"), &[Fields::At(SERVICE)]),
    ((RBAC, "", "Role"), &[Fields::At(ROLE)]),
    ((RBAC, "", "ClusterRole"), &[Fields::At(CLUSTER_ROLE)]),
    (
        ("", "v1", "ServiceAccount"),
        &[Fields::At(SUBJECTS), Fields::InPods(PODS_OF_ACCOUNTS, &["serviceAccountName"])],
    ),
    (
        ("", "v1", "PersistentVolumeClaim"),
        &[Fields::InPods(PODS_OF_ACCOUNTS, &["volumes/persistentVolumeClaim/claimName"])],
    ),
    (("", "v1", "PersistentVolume"), &[Fields::At(VOLUME)]),
    (("storage.k8s.io", "v1", "StorageClass"), &[Fields::At(STORAGE_CLASS)]),
    (("scheduling.k8s.io", "v1", "PriorityClass"), &[Fields::InPods(PODS_OF_ACCOUNTS, &["priorityClassName"])]),
    // The group is kustomize's own slip, and it means that no IngressClass is ever found.
    (("networking.k8s.io/v1", "v1", "IngressClass"), &[Fields::At(INGRESS_CLASS)]),
    (("admissionregistration.k8s.io", "", POLICY_KIND), &[Fields::At(POLICY)]),
];

const ANY_NAME: &[Row] = &[("", "", "", "metadata/name")];

fn gvk((group, version, kind): (&'static str, &'static str, &'static str)) -> Gvk {
    Gvk { group: Text::new_static(group), version: Text::new_static(version), kind: Text::new_static(kind) }
}

fn spec((group, version, kind, path): Row, create: bool) -> FieldSpec {
    FieldSpec::new(gvk((group, version, kind)), Text::new_static(path), create)
}

fn specs(rows: &[Row], create: bool) -> Vec<FieldSpec> {
    rows.iter().map(|row| spec(*row, create)).collect()
}

impl Fields {
    /// Adds the fields of a kind, or of all kinds.
    fn add(&self, of: Option<&Gvk>, all: &mut Vec<FieldSpec>) {
        let wanted = |row: (&str, &str, &str)| {
            let fits = |want: &str, have: &Text| want.is_empty() || want == have;
            of.is_none_or(|of| fits(row.0, &of.group) && fits(row.1, &of.version) && fits(row.2, &of.kind))
        };
        match self {
            Fields::At(rows) => {
                let rows = rows.iter().filter(|row| wanted((row.0, row.1, row.2)));
                all.extend(rows.map(|row| spec(*row, false)));
            }
            Fields::InPods(pods, below) => {
                for (version, kind, prefix) in pods.iter().filter(|pod| wanted(("", pod.0, pod.1))) {
                    let of = gvk(("", version, kind));
                    all.extend(below.iter().map(|path| FieldSpec::new(of.clone(), format!("{prefix}{path}"), false)));
                }
            }
        }
    }
}

fn common_labels() -> Vec<FieldSpec> {
    let mut all = specs(SELECTORS, true);
    for kind in ["Deployment", "StatefulSet"] {
        for path in POD_SELECTORS {
            all.push(FieldSpec::new(gvk(("apps", "", kind)), format!("spec/template/spec/{path}"), false));
        }
    }
    all.extend(specs(SELECTORS_IF_THERE, false));
    all.extend(specs(LABELS, true));
    all
}

fn references_under(profile: Profile) -> impl Iterator<Item = &'static References> {
    REFERENCES.iter().filter(move |row| row.0.2 != POLICY_KIND || profile.policy_bindings_follow_names())
}

/// The fields of one kind that hold names.
pub(super) fn references_of(profile: Profile, of: &Gvk) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (target, fields) in references_under(profile) {
        let mut own = Vec::new();
        fields.iter().for_each(|fields| fields.add(Some(of), &mut own));
        rules.extend(own.into_iter().map(|spec| Rule { target: gvk(*target), spec }));
    }
    rules
}

/// All fields that hold names.
pub(super) fn references(profile: Profile) -> Vec<NameReference> {
    let one = |(target, fields): &References| {
        let mut referrers = Vec::new();
        fields.iter().for_each(|fields| fields.add(None, &mut referrers));
        NameReference { target: gvk(*target), referrers }
    };
    references_under(profile).map(one).collect()
}

fn var_references() -> Vec<FieldSpec> {
    let mut all = Vec::new();
    for fields in [Fields::InPods(PODS_OF_VARS, VARS_IN_POD), Fields::At(VARS_ELSEWHERE)] {
        fields.add(None, &mut all);
    }
    all
}

/// The fields of one use.
pub(super) fn of_use(profile: Profile, what: Use) -> Vec<FieldSpec> {
    match what {
        Use::NamePrefix | Use::NameSuffix => specs(ANY_NAME, false),
        Use::Namespace => [specs(NAMESPACES, true), specs(NAMESPACES_IF_THERE, false)].concat(),
        Use::CommonLabels => common_labels(),
        Use::Labels => Vec::new(),
        Use::TemplateLabels => specs(LABELS, true),
        Use::CommonAnnotations => specs(ANNOTATIONS, true),
        Use::VarReference => var_references(),
        Use::Images => {
            let volumes = if profile.images_reach_volumes() { IMAGE_VOLUMES } else { &[] };
            IMAGES.iter().chain(volumes).map(|path| spec(("", "", "", path), true)).collect()
        }
        Use::Replicas => SCALED.iter().map(|kind| spec(("", "", kind, "spec/replicas"), true)).collect(),
    }
}
