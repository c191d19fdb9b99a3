//! Whether an object has become what it was asked to be, by the rules of kstatus (sigs.k8s.io/cli-utils).
//!
//! In: an object as a server sends it. Out: a [`Readiness`]. Built-in kinds have a rule each; every other kind goes by
//! `observedGeneration` and the conditions `Ready`, `Reconciling` and `Stalled`, and is current where it has neither.
//! One rule is not of kstatus: a test hook of Helm's is current once it is there. How a test ends is no state of the sync.

use serde_json::Value;

/// How far an object has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Readiness {
    /// As it was asked to be.
    #[default]
    Current,
    /// On its way.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// On its way out.
    Terminating,
}

impl Readiness {
    /// The word of kstatus.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Readiness::Current => "Current",
            Readiness::InProgress => "InProgress",
            Readiness::Failed => "Failed",
            Readiness::Terminating => "Terminating",
        }
    }
}

/// How far an object has come. Null is current: the place keeps no state.
pub(super) fn readiness(group: &str, kind: &str, object: &Value) -> Readiness {
    if object.is_null() {
        return Readiness::Current;
    }
    if object["metadata"]["deletionTimestamp"].is_string() {
        return Readiness::Terminating;
    }
    if is_test_hook(object) {
        return Readiness::Current;
    }
    let generation = number(&object["metadata"]["generation"]);
    let observed = &object["status"]["observedGeneration"];
    if observed.is_number() && number(observed) != generation {
        return Readiness::InProgress;
    }
    if is_true(object, "Stalled") {
        return Readiness::Failed;
    }
    if is_true(object, "Reconciling") {
        return Readiness::InProgress;
    }
    match (group, kind) {
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("", "Pod") => pod(object),
        ("", "PersistentVolumeClaim") => current_if(object["status"]["phase"] == "Bound"),
        ("", "Service") => service(object),
        ("batch", "Job") => job(object),
        ("policy", "PodDisruptionBudget") => current_if(!observed.is_null()),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => other(object),
    }
}

fn is_test_hook(object: &Value) -> bool {
    let hooks = object["metadata"]["annotations"]["helm.sh/hook"].as_str();
    hooks.is_some_and(|hooks| hooks.split(',').any(|hook| hook.trim().starts_with("test")))
}

fn current_if(current: bool) -> Readiness {
    if current { Readiness::Current } else { Readiness::InProgress }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// The replicas asked for; one where the object does not say.
fn replicas(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn deployment(object: &Value) -> Readiness {
    let status = &object["status"];
    if condition(object, "Progressing").is_some_and(|condition| condition["reason"] == "ProgressDeadlineExceeded") {
        return Readiness::Failed;
    }
    let wanted = replicas(object);
    let updated = number(&status["updatedReplicas"]);
    current_if(
        !status["observedGeneration"].is_null()
            && updated >= wanted
            && number(&status["replicas"]) <= updated
            && number(&status["availableReplicas"]) >= updated
            && number(&status["readyReplicas"]) >= wanted
            && (wanted == 0 || is_true(object, "Available")),
    )
}

fn stateful_set(object: &Value) -> Readiness {
    if object["spec"]["updateStrategy"]["type"] == "OnDelete" {
        return Readiness::Current;
    }
    let status = &object["status"];
    let wanted = replicas(object);
    let partition = &object["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
    let ready = number(&status["readyReplicas"]) >= wanted && number(&status["replicas"]) == wanted;
    if number(partition) > 0 {
        return current_if(ready && number(&status["updatedReplicas"]) >= wanted - number(partition));
    }
    current_if(
        !status["observedGeneration"].is_null()
            && ready
            && (wanted == 0 || number(&status["updatedReplicas"]) >= wanted || status["updatedReplicas"].is_null())
            && status["currentRevision"] == status["updateRevision"],
    )
}

fn daemon_set(object: &Value) -> Readiness {
    let status = &object["status"];
    let wanted = number(&status["desiredNumberScheduled"]);
    current_if(
        !status["observedGeneration"].is_null()
            && number(&status["currentNumberScheduled"]) >= wanted
            && number(&status["updatedNumberScheduled"]) >= wanted
            && number(&status["numberAvailable"]) >= wanted
            && number(&status["numberReady"]) >= wanted,
    )
}

fn replica_set(object: &Value) -> Readiness {
    let status = &object["status"];
    let wanted = replicas(object);
    current_if(
        !is_true(object, "ReplicaFailure")
            && number(&status["fullyLabeledReplicas"]) >= wanted
            && number(&status["availableReplicas"]) >= wanted
            && number(&status["readyReplicas"]) >= wanted
            && number(&status["replicas"]) <= wanted,
    )
}

fn pod(object: &Value) -> Readiness {
    match object["status"]["phase"].as_str() {
        Some("Succeeded") => Readiness::Current,
        Some("Failed") => Readiness::Failed,
        Some("Running") if is_true(object, "Ready") => Readiness::Current,
        _ => {
            let containers = object["status"]["containerStatuses"].as_array().into_iter().flatten();
            let mut waiting = containers.map(|container| &container["state"]["waiting"]["reason"]);
            if waiting.any(|reason| reason == "CrashLoopBackOff") { Readiness::Failed } else { Readiness::InProgress }
        }
    }
}

fn service(object: &Value) -> Readiness {
    let balanced = object["spec"]["type"] == "LoadBalancer";
    current_if(!balanced || object["spec"]["clusterIP"].as_str().is_some_and(|address| !address.is_empty()))
}

/// A job is current once it has begun, as kstatus has it; it is failed once it gave up.
fn job(object: &Value) -> Readiness {
    if is_true(object, "Failed") {
        return Readiness::Failed;
    }
    current_if(is_true(object, "Complete") || is_true(object, "Suspended") || object["status"]["startTime"].is_string())
}

fn definition(object: &Value) -> Readiness {
    let refused = condition(object, "NamesAccepted").is_some_and(|condition| condition["status"] == "False");
    if refused {
        return Readiness::Failed;
    }
    current_if(is_true(object, "Established"))
}

fn other(object: &Value) -> Readiness {
    match condition(object, "Ready") {
        Some(ready) => current_if(ready["status"] == "True"),
        None => Readiness::Current,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Readiness::{Current, Failed, InProgress, Terminating};
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the objects are written where they are passed")]
    fn of(group: &str, kind: &str, object: Value) -> Readiness {
        readiness(group, kind, &object)
    }

    #[test]
    fn every_kind_waits_for_what_it_observed_and_for_its_end() {
        let object = json!({"metadata": {"generation": 3}, "status": {"observedGeneration": 2}});
        assert_eq!(of("x.dev", "Any", object), InProgress);
        let object = json!({"metadata": {"generation": 3}, "status": {"observedGeneration": 3}});
        assert_eq!(of("x.dev", "Any", object), Current);
        assert_eq!(of("x.dev", "Any", json!({"metadata": {"deletionTimestamp": "now"}})), Terminating);
        assert_eq!(of("", "ConfigMap", json!({"metadata": {}})), Current);
        assert_eq!(readiness("", "ConfigMap", &Value::Null), Current);
    }

    #[test]
    fn custom_kinds_go_by_their_conditions() {
        let with = |kind: &str, status: &str| json!({"metadata": {}, "status": {"conditions": [{"type": kind, "status": status}]}});
        assert_eq!(of("x.dev", "Any", with("Ready", "True")), Current);
        assert_eq!(of("x.dev", "Any", with("Ready", "False")), InProgress);
        assert_eq!(of("x.dev", "Any", with("Reconciling", "True")), InProgress);
        assert_eq!(of("x.dev", "Any", with("Stalled", "True")), Failed);
        assert_eq!(of("x.dev", "Any", with("Other", "False")), Current);
    }

    #[test]
    fn a_deployment_needs_its_replicas_available() {
        let with = |status: Value| json!({"metadata": {"generation": 1}, "spec": {"replicas": 2}, "status": status});
        assert_eq!(of("apps", "Deployment", with(json!({}))), InProgress);
        let done = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
            "conditions": [{"type": "Available", "status": "True"}]});
        assert_eq!(of("apps", "Deployment", with(done.clone())), Current);
        let mut old = done.clone();
        old["replicas"] = json!(3);
        assert_eq!(of("apps", "Deployment", with(old)), InProgress, "an old replica is still there");
        let mut late = done;
        late["conditions"] = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
        assert_eq!(of("apps", "Deployment", with(late)), Failed);
        let none = json!({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}});
        assert_eq!(of("apps", "Deployment", none), Current);
    }

    #[test]
    fn a_stateful_set_needs_one_revision() {
        let with = |spec: Value, status: Value| json!({"metadata": {"generation": 1}, "spec": spec, "status": status});
        let done = json!({"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "a"});
        assert_eq!(of("apps", "StatefulSet", with(json!({}), done.clone())), Current);
        let mut rolling = done.clone();
        rolling["updateRevision"] = json!("b");
        assert_eq!(of("apps", "StatefulSet", with(json!({}), rolling.clone())), InProgress);
        let parted = json!({"replicas": 1, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
        assert_eq!(of("apps", "StatefulSet", with(parted, rolling)), Current);
        let manual = json!({"updateStrategy": {"type": "OnDelete"}});
        assert_eq!(of("apps", "StatefulSet", with(manual, json!({}))), Current);
    }

    #[test]
    fn daemon_and_replica_sets_count() {
        let daemons = |ready: i64| {
            json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
                "updatedNumberScheduled": 2, "numberAvailable": ready, "numberReady": ready}})
        };
        assert_eq!(of("apps", "DaemonSet", daemons(1)), InProgress);
        assert_eq!(of("apps", "DaemonSet", daemons(2)), Current);
        let set = |ready: i64| json!({"spec": {"replicas": 1}, "status": {"replicas": 1, "fullyLabeledReplicas": 1, "availableReplicas": ready, "readyReplicas": ready}});
        assert_eq!(of("apps", "ReplicaSet", set(0)), InProgress);
        assert_eq!(of("apps", "ReplicaSet", set(1)), Current);
    }

    #[test]
    fn pods_claims_services_jobs_budgets_and_definitions_have_rules() {
        let status = |status: Value| json!({"metadata": {}, "spec": {}, "status": status});
        assert_eq!(of("", "Pod", status(json!({"phase": "Pending"}))), InProgress);
        let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        assert_eq!(of("", "Pod", status(ready)), Current);
        let crashing =
            json!({"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
        assert_eq!(of("", "Pod", status(crashing)), Failed);
        assert_eq!(of("", "Pod", status(json!({"phase": "Failed"}))), Failed);
        let hook = json!({
            "metadata": {"annotations": {"helm.sh/hook": "test-success, pre-install"}}, "status": {"phase": "Failed"}
        });
        assert_eq!(of("", "Pod", hook), Current);
        assert_eq!(of("", "PersistentVolumeClaim", status(json!({"phase": "Pending"}))), InProgress);
        assert_eq!(of("", "PersistentVolumeClaim", status(json!({"phase": "Bound"}))), Current);
        assert_eq!(of("", "Service", json!({"spec": {"type": "LoadBalancer"}})), InProgress);
        assert_eq!(of("", "Service", json!({"spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}})), Current);
        assert_eq!(of("", "Service", json!({"spec": {}})), Current);
        assert_eq!(of("batch", "Job", status(json!({}))), InProgress);
        assert_eq!(of("batch", "Job", status(json!({"startTime": "now"}))), Current);
        assert_eq!(of("batch", "Job", status(json!({"conditions": [{"type": "Failed", "status": "True"}]}))), Failed);
        assert_eq!(of("policy", "PodDisruptionBudget", status(json!({}))), InProgress);
        assert_eq!(of("policy", "PodDisruptionBudget", status(json!({"observedGeneration": 0}))), Current);
        let crd = |kind: &str, on: &str| status(json!({"conditions": [{"type": kind, "status": on}]}));
        assert_eq!(of("apiextensions.k8s.io", "CustomResourceDefinition", status(json!({}))), InProgress);
        assert_eq!(of("apiextensions.k8s.io", "CustomResourceDefinition", crd("Established", "True")), Current);
        assert_eq!(of("apiextensions.k8s.io", "CustomResourceDefinition", crd("NamesAccepted", "False")), Failed);
    }
}
