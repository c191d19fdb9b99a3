//! What the API server checks by hand, beyond types: a table of rows by definition and field, and a few rules as code.
//!
//! In: a definition's name without its version (`core.Container`) and a value of it. Out: findings. The rows are what
//! `pkg/apis/*/validation` of Kubernetes checks of objects that are made, as far as it can be said of one field.

use serde_json::Value;

use super::names;
use super::pods;
use super::walk::{Walk, short};

/// What holds of a field.
enum Row {
    /// One of these words; nothing and the empty text mean the default.
    One(&'static [&'static str]),
    /// At least and at most.
    Range(i64, i64),
    /// There, and no empty text.
    Filled,
    /// A text of a form.
    Form(fn(&str) -> Option<&'static str>),
    /// A map of labels.
    Labels,
    /// A list or map with at least one entry.
    Some,
    /// An integer port, or the name of one.
    Port,
    /// A whole number or a percentage, not negative.
    Share,
}

use Row::{Filled, Form, Labels, One, Port, Range, Share, Some as Any};

const MOST: i64 = i32::MAX as i64;
const UIDS: Row = Range(0, MOST);
const COUNT: Row = Range(0, MOST);
const PORT: Row = Range(1, 65535);
const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];
const CLAIM_MODES: &[&str] = &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

/// Definition, field, what holds; sorted by definition.
#[rustfmt::skip]
const ROWS: &[(&str, &str, Row)] = &[
    ("admissionregistration.MutatingWebhook", "failurePolicy", One(&["Ignore", "Fail"])),
    ("admissionregistration.MutatingWebhook", "matchPolicy", One(&["Exact", "Equivalent"])),
    ("admissionregistration.MutatingWebhook", "timeoutSeconds", Range(1, 30)),
    ("admissionregistration.ValidatingWebhook", "failurePolicy", One(&["Ignore", "Fail"])),
    ("admissionregistration.ValidatingWebhook", "matchPolicy", One(&["Exact", "Equivalent"])),
    ("admissionregistration.ValidatingWebhook", "timeoutSeconds", Range(1, 30)),
    ("apps.DaemonSet", "spec", Any),
    ("apps.DaemonSetSpec", "minReadySeconds", COUNT),
    ("apps.DaemonSetSpec", "revisionHistoryLimit", COUNT),
    ("apps.DaemonSetUpdateStrategy", "type", One(&["RollingUpdate", "OnDelete"])),
    ("apps.Deployment", "spec", Any),
    ("apps.DeploymentSpec", "minReadySeconds", COUNT),
    ("apps.DeploymentSpec", "progressDeadlineSeconds", COUNT),
    ("apps.DeploymentSpec", "replicas", COUNT),
    ("apps.DeploymentSpec", "revisionHistoryLimit", COUNT),
    ("apps.DeploymentStrategy", "type", One(&["Recreate", "RollingUpdate"])),
    ("apps.ReplicaSet", "spec", Any),
    ("apps.ReplicaSetSpec", "minReadySeconds", COUNT),
    ("apps.ReplicaSetSpec", "replicas", COUNT),
    ("apps.RollingUpdateDeployment", "maxSurge", Share),
    ("apps.RollingUpdateDeployment", "maxUnavailable", Share),
    ("apps.StatefulSet", "spec", Any),
    ("apps.StatefulSetSpec", "podManagementPolicy", One(&["OrderedReady", "Parallel"])),
    ("apps.StatefulSetSpec", "replicas", COUNT),
    ("apps.StatefulSetUpdateStrategy", "type", One(&["RollingUpdate", "OnDelete"])),
    ("autoscaling.CrossVersionObjectReference", "kind", Filled),
    ("autoscaling.CrossVersionObjectReference", "name", Filled),
    ("autoscaling.HorizontalPodAutoscaler", "spec", Any),
    ("autoscaling.HorizontalPodAutoscalerSpec", "maxReplicas", Range(1, MOST)),
    ("autoscaling.HorizontalPodAutoscalerSpec", "minReplicas", Range(1, MOST)),
    ("autoscaling.HorizontalPodAutoscalerSpec", "targetCPUUtilizationPercentage", Range(1, MOST)),
    ("batch.CronJob", "spec", Any),
    ("batch.CronJobSpec", "concurrencyPolicy", One(&["Allow", "Forbid", "Replace"])),
    ("batch.CronJobSpec", "failedJobsHistoryLimit", COUNT),
    ("batch.CronJobSpec", "schedule", Filled),
    ("batch.CronJobSpec", "schedule", Form(names::schedule)),
    ("batch.CronJobSpec", "startingDeadlineSeconds", Range(0, i64::MAX)),
    ("batch.CronJobSpec", "successfulJobsHistoryLimit", COUNT),
    ("batch.Job", "spec", Any),
    ("batch.JobSpec", "activeDeadlineSeconds", Range(0, i64::MAX)),
    ("batch.JobSpec", "backoffLimit", COUNT),
    ("batch.JobSpec", "completionMode", One(&["NonIndexed", "Indexed"])),
    ("batch.JobSpec", "completions", COUNT),
    ("batch.JobSpec", "parallelism", COUNT),
    ("batch.JobSpec", "template", Any),
    ("batch.JobSpec", "ttlSecondsAfterFinished", COUNT),
    ("batch.JobTemplateSpec", "spec", Any),
    ("core.ConfigMapEnvSource", "name", Filled),
    ("core.ConfigMapKeySelector", "key", Filled),
    ("core.ConfigMapKeySelector", "key", Form(names::config_key)),
    ("core.ConfigMapKeySelector", "name", Filled),
    ("core.ConfigMapVolumeSource", "defaultMode", Range(0, 0o777)),
    ("core.ConfigMapVolumeSource", "name", Filled),
    ("core.Container", "image", Filled),
    ("core.Container", "imagePullPolicy", One(&["Always", "IfNotPresent", "Never"])),
    ("core.Container", "name", Filled),
    ("core.Container", "name", Form(names::dns_label)),
    ("core.Container", "terminationMessagePolicy", One(&["File", "FallbackToLogsOnError"])),
    ("core.ContainerPort", "containerPort", PORT),
    ("core.ContainerPort", "hostPort", Range(0, 65535)),
    ("core.ContainerPort", "name", Form(names::port_name)),
    ("core.ContainerPort", "protocol", One(PROTOCOLS)),
    ("core.EnvVar", "name", Filled),
    ("core.ExecAction", "command", Any),
    ("core.HTTPGetAction", "port", Port),
    ("core.HTTPGetAction", "scheme", One(&["HTTP", "HTTPS"])),
    ("core.HTTPHeader", "name", Filled),
    ("core.HostPathVolumeSource", "path", Filled),
    ("core.HostPathVolumeSource", "type", One(&["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"])),
    ("core.KeyToPath", "key", Filled),
    ("core.KeyToPath", "mode", Range(0, 0o777)),
    ("core.KeyToPath", "path", Filled),
    ("core.LimitRangeItem", "type", Filled),
    ("core.NodeSelectorRequirement", "operator", One(&["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])),
    ("core.ObjectFieldSelector", "fieldPath", Filled),
    ("core.PersistentVolume", "spec", Any),
    ("core.PersistentVolumeClaim", "spec", Any),
    ("core.PersistentVolumeClaimSpec", "accessModes", Any),
    ("core.PersistentVolumeClaimSpec", "storageClassName", Form(names::dns_subdomain)),
    ("core.PersistentVolumeClaimSpec", "volumeMode", One(&["Block", "Filesystem"])),
    ("core.PersistentVolumeClaimVolumeSource", "claimName", Filled),
    ("core.PersistentVolumeSpec", "accessModes", Any),
    ("core.PersistentVolumeSpec", "capacity", Any),
    ("core.PersistentVolumeSpec", "persistentVolumeReclaimPolicy", One(&["Recycle", "Delete", "Retain"])),
    ("core.PersistentVolumeSpec", "storageClassName", Form(names::dns_subdomain)),
    ("core.PersistentVolumeSpec", "volumeMode", One(&["Block", "Filesystem"])),
    ("core.Pod", "spec", Any),
    ("core.PodAffinityTerm", "topologyKey", Filled),
    ("core.PodDNSConfigOption", "name", Filled),
    ("core.PodSecurityContext", "fsGroup", UIDS),
    ("core.PodSecurityContext", "fsGroupChangePolicy", One(&["OnRootMismatch", "Always"])),
    ("core.PodSecurityContext", "runAsGroup", UIDS),
    ("core.PodSecurityContext", "runAsUser", UIDS),
    ("core.PodSpec", "activeDeadlineSeconds", Range(1, MOST)),
    ("core.PodSpec", "containers", Any),
    ("core.PodSpec", "dnsPolicy", One(&["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])),
    ("core.PodSpec", "hostname", Form(names::dns_label)),
    ("core.PodSpec", "nodeSelector", Labels),
    ("core.PodSpec", "preemptionPolicy", One(&["PreemptLowerPriority", "Never"])),
    ("core.PodSpec", "priorityClassName", Form(names::dns_subdomain)),
    ("core.PodSpec", "restartPolicy", One(&["Always", "OnFailure", "Never"])),
    ("core.PodSpec", "serviceAccountName", Form(names::dns_subdomain)),
    ("core.PodSpec", "subdomain", Form(names::dns_label)),
    ("core.PodSpec", "terminationGracePeriodSeconds", Range(0, i64::MAX)),
    ("core.PodTemplateSpec", "spec", Any),
    ("core.PreferredSchedulingTerm", "weight", Range(1, 100)),
    ("core.Probe", "failureThreshold", COUNT),
    ("core.Probe", "initialDelaySeconds", COUNT),
    ("core.Probe", "periodSeconds", COUNT),
    ("core.Probe", "successThreshold", COUNT),
    ("core.Probe", "timeoutSeconds", COUNT),
    ("core.ReplicationControllerSpec", "replicas", COUNT),
    ("core.ResourceFieldSelector", "resource", Filled),
    ("core.SeccompProfile", "type", Filled),
    ("core.SeccompProfile", "type", One(&["Localhost", "RuntimeDefault", "Unconfined"])),
    ("core.SecretEnvSource", "name", Filled),
    ("core.SecretKeySelector", "key", Filled),
    ("core.SecretKeySelector", "key", Form(names::config_key)),
    ("core.SecretKeySelector", "name", Filled),
    ("core.SecretVolumeSource", "defaultMode", Range(0, 0o777)),
    ("core.SecretVolumeSource", "secretName", Filled),
    ("core.SecurityContext", "procMount", One(&["Default", "Unmasked"])),
    ("core.SecurityContext", "runAsGroup", UIDS),
    ("core.SecurityContext", "runAsUser", UIDS),
    ("core.Service", "spec", Any),
    ("core.ServicePort", "name", Form(names::dns_label)),
    ("core.ServicePort", "port", PORT),
    ("core.ServicePort", "protocol", One(PROTOCOLS)),
    ("core.ServicePort", "targetPort", Port),
    ("core.ServiceSpec", "externalTrafficPolicy", One(&["Cluster", "Local"])),
    ("core.ServiceSpec", "selector", Labels),
    ("core.ServiceSpec", "sessionAffinity", One(&["ClientIP", "None"])),
    ("core.ServiceSpec", "type", One(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])),
    ("core.TCPSocketAction", "port", Port),
    ("core.Taint", "effect", One(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
    ("core.Toleration", "effect", One(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
    ("core.Toleration", "key", Form(names::qualified)),
    ("core.TopologySpreadConstraint", "maxSkew", Range(1, MOST)),
    ("core.TopologySpreadConstraint", "topologyKey", Filled),
    ("core.TopologySpreadConstraint", "whenUnsatisfiable", Filled),
    ("core.TopologySpreadConstraint", "whenUnsatisfiable", One(&["DoNotSchedule", "ScheduleAnyway"])),
    ("core.Volume", "name", Filled),
    ("core.Volume", "name", Form(names::dns_label)),
    ("core.VolumeMount", "mountPath", Filled),
    ("core.VolumeMount", "mountPropagation", One(&["None", "Bidirectional", "HostToContainer"])),
    ("core.VolumeMount", "name", Filled),
    ("core.WeightedPodAffinityTerm", "weight", Range(1, 100)),
    ("networking.HTTPIngressPath", "pathType", One(&["Exact", "Prefix", "ImplementationSpecific"])),
    ("networking.HTTPIngressRuleValue", "paths", Any),
    ("networking.Ingress", "spec", Any),
    ("networking.IngressRule", "host", Form(names::host)),
    ("networking.IngressServiceBackend", "name", Filled),
    ("networking.IngressServiceBackend", "name", Form(names::dns_1035)),
    ("networking.IngressTLS", "secretName", Form(names::dns_subdomain)),
    ("networking.NetworkPolicyPort", "port", Port),
    ("networking.NetworkPolicyPort", "protocol", One(PROTOCOLS)),
    ("networking.ServiceBackendPort", "number", Range(0, 65535)),
    ("policy.PodDisruptionBudgetSpec", "maxUnavailable", Share),
    ("policy.PodDisruptionBudgetSpec", "minAvailable", Share),
    ("rbac.PolicyRule", "verbs", Any),
    ("rbac.RoleRef", "kind", One(&["Role", "ClusterRole"])),
    ("rbac.RoleRef", "name", Filled),
    ("rbac.Subject", "name", Filled),
    ("scheduling.PriorityClass", "preemptionPolicy", One(&["PreemptLowerPriority", "Never"])),
    ("scheduling.PriorityClass", "value", Range(-2_147_483_648, 1_000_000_000)),
    ("storage.StorageClass", "provisioner", Filled),
    ("storage.StorageClass", "reclaimPolicy", One(&["Delete", "Retain"])),
    ("storage.StorageClass", "volumeBindingMode", One(&["Immediate", "WaitForFirstConsumer"])),
    ("v1.LabelSelector", "matchLabels", Labels),
];

/// Judges a value of a definition by its rows and rules.
pub(super) fn judge(walk: &mut Walk<'_>, definition: &str, value: &Value) {
    if walk.under("status") {
        return;
    }
    let definition = match definition {
        // `apimachinery.pkg.apis.meta.v1.LabelSelector` loses its version like all others
        "meta.LabelSelector" => "v1.LabelSelector",
        "extensions.HTTPIngressPath" => "networking.HTTPIngressPath",
        other => other,
    };
    let before = walk.findings.len();
    let first = ROWS.partition_point(|row| row.0 < definition);
    for (_, field, row) in ROWS[first..].iter().take_while(|row| row.0 == definition) {
        self::row(walk, field, row, &value[*field]);
    }
    rule(walk, definition, value);
    // a server does not look into the claims of a StatefulSet, which its controller makes later
    if definition.starts_with("core.PersistentVolumeClaim") && walk.claims.is_some() {
        walk.soften(before);
    }
}

fn row(walk: &mut Walk<'_>, field: &str, row: &Row, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    match row {
        One(words) => {
            if !text.is_empty() && !words.contains(&text) {
                let known = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
                walk.found_at(&[field], "schema-enum", format!("is `{}`, and must be one of {known}", short(text)));
            }
        }
        Range(least, most) => {
            if let Some(number) = value.as_i64().filter(|number| number < least || number > most) {
                let bounds = match (*least, *most) {
                    (least, MOST | i64::MAX) => format!("at least {least}"),
                    (least, most) => format!("between {least} and {most}"),
                };
                walk.found_at(&[field], "schema-bounds", format!("is {number}, and must be {bounds}"));
            }
        }
        Filled => {
            if text.is_empty() && (value.is_null() || value.is_string()) {
                walk.found("schema-required", format!("lacks `{field}`, which is required"));
            }
        }
        Form(form) => {
            if let Some(fault) = Some(text).filter(|text| !text.is_empty()).and_then(form) {
                walk.found_at(&[field], "schema-format", format!("`{}` {fault}", short(text)));
            }
        }
        Labels => labels(walk, &[field], value),
        Any => {
            let empty = value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.is_null();
            if empty {
                walk.found("schema-required", format!("lacks `{field}`, which is required"));
            }
        }
        Port => port(walk, field, value),
        Share => share(walk, field, value),
    }
}

fn port(walk: &mut Walk<'_>, field: &str, value: &Value) {
    if let Some(number) = value.as_i64().filter(|number| !(1..=65535).contains(number)) {
        walk.found_at(&[field], "schema-bounds", format!("is {number}, and must be between 1 and 65535"));
    }
    if let Some((text, fault)) = value.as_str().and_then(|text| Some((text, names::port_name(text)?))) {
        walk.found_at(&[field], "schema-format", format!("`{}` {fault}", short(text)));
    }
}

fn share(walk: &mut Walk<'_>, field: &str, value: &Value) {
    let percent = |text: &str| text.strip_suffix('%').and_then(|text| text.parse::<u32>().ok());
    let fault = match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| number < 0),
        Value::String(text) => percent(text).is_none(),
        _ => false,
    };
    if fault {
        walk.found_at(&[field], "schema-bounds", "must be a whole number of at least 0, or a percentage such as `25%`");
    }
}

/// Labels: their keys and values have forms.
pub(super) fn labels(walk: &mut Walk<'_>, path: &[&str], value: &Value) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let at: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        if let Some(fault) = names::qualified(key) {
            walk.found_at(&at, "schema-label", format!("the key `{}` {fault}", short(key)));
        }
        if let Some((text, fault)) = value.as_str().and_then(|text| Some((text, names::label_value(text)?))) {
            walk.found_at(&at, "schema-label", format!("`{}` {fault}", short(text)));
        }
    }
}

fn rule(walk: &mut Walk<'_>, definition: &str, value: &Value) {
    match definition {
        "core.PodSpec" => pods::spec(walk, value),
        "core.Container" => pods::container(walk, value),
        "core.EnvVar" => pods::variable(walk, value),
        "core.EnvVarSource" => {
            exactly_one(walk, value, &["configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"]);
        }
        "core.Probe" => exactly_one(walk, value, &["exec", "httpGet", "tcpSocket", "grpc"]),
        "core.Handler" | "core.LifecycleHandler" => exactly_one(walk, value, &["exec", "httpGet", "tcpSocket", "sleep"]),
        "core.Volume" => pods::volume(walk, value),
        "core.ResourceRequirements" | "core.VolumeResourceRequirements" => pods::resources(walk, value),
        "core.Toleration" => pods::toleration(walk, value),
        "core.SecurityContext" => pods::security(walk, value),
        "apps.DeploymentSpec" | "apps.ReplicaSetSpec" | "apps.StatefulSetSpec" | "apps.DaemonSetSpec" => {
            pods::workload(walk, definition, value);
        }
        "batch.JobSpec" => pods::job(walk, value),
        "core.ReplicationControllerSpec" => pods::restart(walk, value, &["Always"]),
        "core.ServiceSpec" => super::services::service(walk, value),
        "networking.IngressSpec" => super::services::ingress(walk, value),
        "networking.HTTPIngressPath" => super::services::path(walk, value),
        "networking.IPBlock" => super::services::block(walk, value),
        "networking.NetworkPolicySpec" => super::services::policy(walk, value),
        "meta.LabelSelectorRequirement" => requirement(walk, value),
        "core.PersistentVolumeClaimSpec" => claim(walk, value),
        "core.PersistentVolumeSpec" => modes(walk, value),
        "core.NodeSelectorRequirement" => node_requirement(walk, value),
        "core.LimitRangeSpec" => {
            let mut seen = std::collections::BTreeSet::new();
            for (at, limit) in value["limits"].as_array().into_iter().flatten().enumerate() {
                let kind = limit["type"].as_str().unwrap_or_default();
                if !seen.insert(kind) {
                    walk.found_at(&["limits", &at.to_string(), "type"], "schema-duplicate", format!("repeats the type `{}`", short(kind)));
                }
            }
        }
        "core.ConfigMap" | "core.Secret" => super::configs::data(walk, definition, value),
        "policy.PodDisruptionBudgetSpec" if !value["minAvailable"].is_null() && !value["maxUnavailable"].is_null() => {
            walk.found("schema-conflict", "has both `minAvailable` and `maxUnavailable`, and must have one");
        }
        "autoscaling.HorizontalPodAutoscalerSpec" => {
            let (least, most) = (value["minReplicas"].as_i64().unwrap_or(1), value["maxReplicas"].as_i64());
            if most.is_some_and(|most| most < least) {
                walk.found_at(&["maxReplicas"], "schema-bounds", format!("must be at least `minReplicas`, {least}"));
            }
        }
        "rbac.PolicyRule" | "rbac.Subject" | "rbac.RoleRef" => super::configs::access(walk, definition, value),
        "apiextensions.CustomResourceDefinitionSpec" => super::configs::definition(walk, value),
        _ => {}
    }
}

/// One and only one of some fields must stand.
pub(super) fn exactly_one(walk: &mut Walk<'_>, value: &Value, fields: &[&str]) {
    let there: Vec<&str> = fields.iter().copied().filter(|field| !value[*field].is_null()).collect();
    match there[..] {
        [_] => {}
        [] => walk.found("schema-required", format!("must have one of `{}`", fields.join("`, `"))),
        _ => walk.found("schema-conflict", format!("has `{}`, and must have one of them", there.join("` and `"))),
    }
}

fn requirement(walk: &mut Walk<'_>, value: &Value) {
    let some = value["values"].as_array().is_some_and(|values| !values.is_empty());
    match value["operator"].as_str().unwrap_or_default() {
        "In" | "NotIn" if !some => walk.found("schema-required", "lacks `values`, which this operator needs"),
        "Exists" | "DoesNotExist" if some => walk.found_at(&["values"], "schema-conflict", "must not stand with this operator"),
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            let message = format!("is `{}`, and must be one of `In`, `NotIn`, `Exists`, `DoesNotExist`", short(other));
            walk.found_at(&["operator"], "schema-enum", message);
        }
    }
    let key = value["key"].as_str().unwrap_or_default();
    if let Some(fault) = names::qualified(key) {
        walk.found_at(&["key"], "schema-label", format!("`{}` {fault}", short(key)));
    }
}

fn node_requirement(walk: &mut Walk<'_>, value: &Value) {
    let count = value["values"].as_array().map_or(0, Vec::len);
    match value["operator"].as_str().unwrap_or_default() {
        "In" | "NotIn" if count == 0 => walk.found("schema-required", "lacks `values`, which this operator needs"),
        "Gt" | "Lt" if count != 1 => walk.found_at(&["values"], "schema-bounds", "must be one number for this operator"),
        "Exists" | "DoesNotExist" if count > 0 => walk.found_at(&["values"], "schema-conflict", "must not stand with this operator"),
        _ => {}
    }
    let key = value["key"].as_str().unwrap_or_default();
    if let Some(fault) = names::qualified(key) {
        walk.found_at(&["key"], "schema-label", format!("`{}` {fault}", short(key)));
    }
}

fn modes(walk: &mut Walk<'_>, value: &Value) {
    for (index, mode) in value["accessModes"].as_array().into_iter().flatten().enumerate() {
        if mode.as_str().is_some_and(|mode| !CLAIM_MODES.contains(&mode)) {
            let known = CLAIM_MODES.join("`, `");
            let at = index.to_string();
            walk.found_at(&["accessModes", &at], "schema-enum", format!("is {mode}, and must be one of `{known}`"));
        }
    }
}

fn claim(walk: &mut Walk<'_>, value: &Value) {
    modes(walk, value);
    if value["resources"]["requests"]["storage"].is_null() {
        let message = "lacks `resources.requests.storage`, which is required";
        walk.found("schema-required", message);
    }
}

#[cfg(test)]
mod tests {
    use super::ROWS;

    #[test]
    fn rows_are_sorted_by_definition() {
        assert!(ROWS.is_sorted_by(|a, b| a.0 <= b.0));
    }
}
