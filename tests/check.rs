//! `hydrant check`, `push --check` and `hydrant test` from outside: policies, custom kinds, reports and limits.
//!
//! CEL rules and ValidatingAdmissionPolicies, which the API server of the tests is too old for, are judged by the cases of
//! Kubernetes' own documentation.

#![cfg(feature = "policy")]
#![expect(clippy::disallowed_methods, reason = "a test program: it reads and writes files, and keeps time")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{hydrant, must, root, run};
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn objects(&self, name: &str, objects: &[Value]) -> String {
        let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
        self.write(name, &texts.join("\n---\n"))
    }
}

fn check(source: &str, flags: &[&str]) -> (Output, Value) {
    let out = run(hydrant().arg("check").arg(source).args(["--format", "json"]).args(flags));
    let report =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
    (out, report)
}

/// The findings of a code, as `policy: message`.
fn found(report: &Value, code: &str) -> Vec<String> {
    let all = report["findings"].as_array().expect("findings");
    let line = |one: &Value| {
        format!("{}: {}", one["policy"].as_str().unwrap_or_default(), one["message"].as_str().unwrap_or_default())
    };
    all.iter().filter(|one| one["code"] == code).map(line).collect()
}

fn example(name: &str) -> String {
    root().join("examples").join(name).display().to_string()
}

#[test]
fn the_tutorials_constraint_denies_a_namespace_without_the_label() {
    let desk = Desk::new();
    let bad = desk.write("bad/ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n");
    let artifact = format!("oci-layout:{}/layout:policies", desk.0.path().display());
    must(hydrant().args(["push", &example("policies"), &artifact]));
    for policies in [example("policies"), artifact] {
        let (out, report) = check(&bad, &["--policy", &policies]);
        assert_eq!(out.status.code(), Some(1));
        let said = "K8sRequiredLabels/namespaces-name-their-team: these labels are required: {\"team\"}";
        assert_eq!(found(&report, "policy-denied"), [said]);
        let (out, report) = check(&example("namespace"), &["--policy", &policies]);
        assert_eq!((out.status.code(), report["findings"].as_array().map(Vec::len)), (Some(0), Some(0)));
        let to = format!("oci-layout:{}/pushed:v1", desk.0.path().display());
        let refused = run(hydrant().args(["push", &bad, &to, "--check", "--policy", &policies]));
        assert_eq!(refused.status.code(), Some(1));
        assert!(!Path::new(&desk.0.path().join("pushed/index.json")).exists(), "nothing is pushed");
    }
}

#[test]
fn a_verdict_is_attached_and_can_be_demanded() {
    let desk = Desk::new();
    let (key, public) = (desk.0.path().join("key.pem"), desk.0.path().join("key.pub"));
    must(
        std::process::Command::new("openssl")
            .args(["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out"])
            .arg(&key),
    );
    let pkcs8 = desk.0.path().join("pkcs8.pem");
    must(
        std::process::Command::new("openssl")
            .args(["pkcs8", "-topk8", "-nocrypt", "-in"])
            .arg(&key)
            .arg("-out")
            .arg(&pkcs8),
    );
    must(std::process::Command::new("openssl").args(["ec", "-pubout", "-in"]).arg(&key).arg("-out").arg(&public));
    let checked = format!("oci-layout:{}/a:v1", desk.0.path().display());
    let unchecked = format!("oci-layout:{}/b:v1", desk.0.path().display());
    let source = example("namespace");
    must(
        hydrant().args(["push", &source, &checked, "--check", "--policy", &example("policies"), "--sign"]).arg(&pkcs8),
    );
    must(hydrant().args(["push", &source, &unchecked, "--sign"]).arg(&pkcs8));
    let verify = |reference: &str| {
        run(hydrant().args(["verify", reference, "--statement", "check", "--format", "json", "--key"]).arg(&public))
    };
    let good = verify(&checked);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let report: Value = serde_json::from_slice(&good.stdout).expect("JSON");
    let attached = report["attached"].as_array().expect("attached");
    let verdict = attached
        .iter()
        .find(|one| one["type"].as_str().is_some_and(|kind| kind.ends_with("/check/v1")))
        .expect("a verdict");
    assert_eq!(verdict["predicate"]["result"], "passed");
    assert_eq!(verdict["predicate"]["rules"][0]["kind"], "policy");
    assert!(!verify(&unchecked).status.success(), "what was not checked has no verdict");
}

fn deployment(name: &str, namespace: &str, replicas: i64, image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn space(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

const DEPLOYMENTS: &str = r#"{"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]}"#;

fn policy(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    if spec["matchConstraints"].is_null() {
        spec["matchConstraints"] = serde_json::from_str(DEPLOYMENTS).expect("JSON");
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec})
}

fn binding(policy: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["policyName"] = json!(policy);
    if spec["validationActions"].is_null() {
        spec["validationActions"] = json!(["Deny"]);
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": format!("{policy}-binding")}, "spec": spec})
}

#[test]
fn admission_policies_judge_as_the_documentation_says() {
    let desk = Desk::new();
    let objects = desk.objects(
        "objects.yaml",
        &[
            space("test", json!({"environment": "test"})),
            space("live", json!({"environment": "live"})),
            deployment("many", "test", 8, "test.example.com/nginx:latest"),
            deployment("few", "test", 2, "live.example.com/nginx:latest"),
            deployment("live", "live", 50, "live.example.com/nginx"),
        ],
    );
    let denied = |policies: &[Value]| {
        let file = desk.objects("policies.yaml", policies);
        found(&check(&objects, &["--policy", &file, "--skip", "set-namespace-missing"]).1, "policy-denied")
    };
    let limit =
        policy("demo-policy.example.com", json!({"validations": [{"expression": "object.spec.replicas <= 5"}]}));
    let in_test = json!({"matchResources": {"namespaceSelector": {"matchLabels": {"environment": "test"}}}});
    let said = "ValidatingAdmissionPolicy/demo-policy.example.com: failed expression: object.spec.replicas <= 5";
    assert_eq!(denied(&[limit.clone(), binding("demo-policy.example.com", in_test)]), [said]);
    assert!(denied(&[limit]).is_empty(), "a policy without a binding judges nothing");
    let params = policy(
        "replicalimit-policy.example.com",
        json!({"failurePolicy": "Fail",
        "paramKind": {"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit"},
        "validations": [{"expression": "object.spec.replicas <= params.maxReplicas", "reason": "Invalid",
            "messageExpression": "'object.spec.replicas must be no greater than ' + string(params.maxReplicas)"}]}),
    );
    let bound = |name: &str, environment: &str| {
        binding(
            "replicalimit-policy.example.com",
            json!({
            "paramRef": {"name": name, "namespace": "default", "parameterNotFoundAction": "Deny"},
            "matchResources": {"namespaceSelector": {"matchLabels": {"environment": environment}}}}),
        )
    };
    let param = |name: &str, most: i64| json!({"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit", "metadata": {"name": name, "namespace": "default"}, "maxReplicas": most});
    let all = [
        params.clone(),
        bound("test-limit", "test"),
        bound("live-limit", "live"),
        param("test-limit", 3),
        param("live-limit", 100),
    ];
    assert_eq!(
        denied(&all),
        ["ValidatingAdmissionPolicy/replicalimit-policy.example.com: object.spec.replicas must be no greater than 3"]
    );
    assert_eq!(denied(&[params, bound("none", "live")]).len(), 1, "parameters that are not there deny");
    let images = policy(
        "image-matches-namespace-environment.policy.example.com",
        json!({"failurePolicy": "Fail",
        "variables": [
            {"name": "environment", "expression": "'environment' in namespaceObject.metadata.labels ? namespaceObject.metadata.labels['environment'] : 'prod'"},
            {"name": "exempt", "expression": "'exempt' in object.metadata.?labels.orValue({}) && object.metadata.labels['exempt'] == 'true'"},
            {"name": "containers", "expression": "object.spec.template.spec.containers"},
            {"name": "containersToCheck", "expression": "variables.containers.filter(c, c.image.contains('example.com/'))"}],
        "validations": [{"expression": "variables.exempt || variables.containersToCheck.all(c, c.image.startsWith(variables.environment + '.'))",
            "messageExpression": "'only ' + variables.environment + ' images are allowed in namespace ' + namespaceObject.metadata.name"}]}),
    );
    let bound = binding("image-matches-namespace-environment.policy.example.com", json!({}));
    let said = "ValidatingAdmissionPolicy/image-matches-namespace-environment.policy.example.com: only test images are allowed in namespace test";
    assert_eq!(denied(&[images, bound]), [said]);
    let conditions = policy(
        "conditions",
        json!({
        "matchConditions": [{"name": "exclude-live", "expression": "request.namespace != 'live'"}],
        "validations": [{"expression": "object.spec.none == 1", "message": "x"}]}),
    );
    let said = denied(&[conditions.clone(), binding("conditions", json!({}))]);
    assert_eq!(said.len(), 2, "an expression that fails denies: {said:?}");
    let mut lenient = conditions;
    lenient["spec"]["failurePolicy"] = json!("Ignore");
    assert!(denied(&[lenient, binding("conditions", json!({}))]).is_empty());
}

/// A custom kind with one schema for `spec`, and an object of it.
fn custom(desk: &Desk, schema: &Value, spec: &Value) -> String {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}}}]}});
    let object = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "thing", "namespace": "default"}, "spec": spec});
    desk.objects("things.yaml", &[definition, object])
}

#[test]
fn rules_of_custom_kinds_judge_as_the_documentation_says() {
    let desk = Desk::new();
    let number = json!({"type": "integer"});
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let cases = [
        (
            "self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas",
            json!({"minReplicas": number, "replicas": number, "maxReplicas": number}),
            json!({"minReplicas": 0, "replicas": 5, "maxReplicas": 10}),
            json!({"minReplicas": 0, "replicas": 20, "maxReplicas": 10}),
        ),
        (
            "'Available' in self.stateCounts",
            json!({"stateCounts": {"type": "object", "additionalProperties": number}}),
            json!({"stateCounts": {"Available": 1}}),
            json!({"stateCounts": {"Gone": 1}}),
        ),
        (
            "(size(self.list1) == 0) != (size(self.list2) == 0)",
            json!({"list1": texts, "list2": texts}),
            json!({"list1": [], "list2": ["a"]}),
            json!({"list1": ["b"], "list2": ["a"]}),
        ),
        (
            "self.envars.filter(e, e.name == 'MY_ENV').all(e, e.value.matches('^[a-zA-Z]*$'))",
            json!({"envars": {"type": "array", "items": {"type": "object", "properties": {"name": text, "value": text}}}}),
            json!({"envars": [{"name": "MY_ENV", "value": "abc"}, {"name": "X", "value": "1"}]}),
            json!({"envars": [{"name": "MY_ENV", "value": "1"}]}),
        ),
        (
            "has(self.expired) && self.created + self.ttl < self.expired",
            json!({"created": {"type": "string", "format": "date-time"}, "ttl": {"type": "string", "format": "duration"}, "expired": {"type": "string", "format": "date-time"}}),
            json!({"created": "2024-01-01T00:00:00Z", "ttl": "1h", "expired": "2024-01-01T02:00:00Z"}),
            json!({"created": "2024-01-01T00:00:00Z", "ttl": "3h", "expired": "2024-01-01T02:00:00Z"}),
        ),
        ("self.health.startsWith('ok')", json!({"health": text}), json!({"health": "ok!"}), json!({"health": "bad"})),
        (
            "type(self.limit) == string ? self.limit == '100%' : self.limit == 1000",
            json!({"limit": {"x-kubernetes-int-or-string": true}}),
            json!({"limit": "100%"}),
            json!({"limit": 5}),
        ),
        (
            "self.set1.all(e, !(e in self.set2))",
            json!({"set1": texts, "set2": texts}),
            json!({"set1": ["a"], "set2": ["b"]}),
            json!({"set1": ["a"], "set2": ["a"]}),
        ),
        (
            "size(self.names) == size(self.details) && self.names.all(n, n in self.details)",
            json!({"names": texts, "details": {"type": "object", "additionalProperties": text}}),
            json!({"names": ["a"], "details": {"a": "x"}}),
            json!({"names": ["a"], "details": {"b": "x"}}),
        ),
        (
            "quantity(self.size).isLessThan(quantity('2Gi'))",
            json!({"size": text}),
            json!({"size": "1Gi"}),
            json!({"size": "4Gi"}),
        ),
        (
            "self.__namespace__ != self.a__dash__b",
            json!({"namespace": text, "a-b": text}),
            json!({"namespace": "x", "a-b": "y"}),
            json!({"namespace": "x", "a-b": "x"}),
        ),
    ];
    for (rule, fields, good, bad) in cases {
        let schema = json!({"type": "object", "properties": fields, "x-kubernetes-validations": [{"rule": rule, "message": "it does not hold"}]});
        let (_, report) = check(&custom(&desk, &schema, &good), &[]);
        assert_eq!(report["findings"], json!([]), "{rule} holds of {good}");
        let (out, report) = check(&custom(&desk, &schema, &bad), &[]);
        assert_eq!(out.status.code(), Some(1), "{rule} does not hold of {bad}");
        assert_eq!(found(&report, "schema-rule"), [": it does not hold"], "{rule}");
    }
}

#[test]
fn custom_kinds_are_checked_by_their_schema() {
    let desk = Desk::new();
    let schema = json!({"type": "object", "required": ["size"], "properties": {
        "size": {"type": "string", "enum": ["small", "large"]}, "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "count": {"type": "integer", "minimum": 1, "default": 3}, "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "either": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}}});
    let codes = |spec: Value| -> Vec<String> {
        let (_, report) = check(&custom(&desk, &schema, &spec), &[]);
        let all = report["findings"].as_array().expect("findings").iter();
        all.map(|one| {
            format!("{} {}", one["code"].as_str().unwrap_or_default(), one["field"].as_str().unwrap_or_default())
        })
        .collect()
    };
    assert!(codes(json!({"size": "small", "name": "abc", "free": {"x": 1}, "ports": [{"n": 1}, {"n": 2}], "either": {"a": "x"}})).is_empty());
    assert_eq!(codes(json!({"size": "smal"})), ["schema-enum spec.size"]);
    assert_eq!(codes(json!({})), ["schema-required spec"]);
    assert_eq!(codes(json!({"size": "small", "nam": "x"})), ["schema-unknown-field spec.nam"]);
    assert_eq!(
        codes(json!({"size": "small", "name": "ABCDEFG"})),
        ["schema-bounds spec.name", "schema-pattern spec.name"]
    );
    assert_eq!(codes(json!({"size": "small", "count": 0})), ["schema-bounds spec.count"]);
    assert_eq!(codes(json!({"size": "small", "ports": [{"n": 1}, {"n": 1}]})), ["schema-duplicate spec.ports[1]"]);
    assert_eq!(codes(json!({"size": "small", "either": {"a": "x", "b": "y"}})), ["schema-junctor spec.either"]);
    assert_eq!(codes(json!({"size": null})), ["schema-type spec.size", "schema-required spec"]);
}

#[test]
fn an_explosion_is_stopped_by_a_limit_with_its_name() {
    let desk = Desk::new();
    let template = |rego: &str| {
        json!({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "boom"}, "spec": {
            "crd": {"spec": {"names": {"kind": "Boom"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}]}})
    };
    let constraint =
        json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Boom", "metadata": {"name": "boom"}});
    let rego =
        "package boom\nviolation[{\"msg\": \"x\"}] {\n  n := numbers.range(1, 3000)\n  n[_] + n[_] + n[_] == -1\n}\n";
    let policies = desk.objects("policies.yaml", &[template(rego), constraint]);
    let begun = Instant::now();
    let (out, report) = check(&example("namespace"), &["--policy", &policies]);
    assert_eq!(out.status.code(), Some(1));
    let said = found(&report, "policy-error");
    assert!(said.len() == 1 && said[0].contains("`policy-ms`"), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    let list = (0..100).map(|at| at.to_string()).collect::<Vec<_>>().join(", ");
    let rule = format!("[{list}].all(a, [{list}].all(b, [{list}].all(c, [{list}].all(d, a + b + c + d >= 0))))");
    let boom =
        json!({"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}]});
    let policies = desk.objects(
        "policies.yaml",
        &[
            policy("boom", json!({"matchConstraints": boom, "validations": [{"expression": rule}]})),
            binding("boom", json!({})),
        ],
    );
    let said = found(&check(&example("namespace"), &["--policy", &policies]).1, "policy-denied");
    assert!(said.len() == 1 && said[0].contains("`cel-steps`"), "{said:?}");
}

fn kyverno(name: &str, rule: Value) -> Value {
    let mut rule = rule;
    rule["name"] = json!("rule");
    if rule["match"].is_null() {
        rule["match"] = json!({"any": [{"resources": {"kinds": ["Pod"]}}]});
    }
    json!({"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": name}, "spec": {"validationFailureAction": "Enforce", "rules": [rule]}})
}

#[test]
fn kyvernos_rules_are_evaluated_and_what_is_not_is_named() {
    let desk = Desk::new();
    let objects =
        desk.objects("objects.yaml", &[space("shop", json!({})), deployment("web", "shop", 1, "nginx:latest")]);
    let judged = |rule: Value| {
        let file = desk.objects("policies.yaml", &[kyverno("policy", rule)]);
        check(&objects, &["--policy", &file]).1
    };
    let denied = |rule: Value| found(&judged(rule), "policy-denied");
    let tag = |pattern: &str| json!({"validate": {"message": "no latest: {{ request.object.metadata.name }}", "pattern": {"spec": {"containers": [{"image": pattern}]}}}});
    assert_eq!(
        denied(tag("!*:latest")),
        ["ClusterPolicy/policy/rule: no latest: web"],
        "a rule about Pods judges a Deployment's"
    );
    assert!(denied(tag("*:*")).is_empty());
    let deny = |value: &str| {
        json!({"validate": {"message": "x", "deny": {"conditions": {"any": [
        {"key": "{{ request.object.spec.containers[].image }}", "operator": "AnyIn", "value": [value]}]}}}})
    };
    assert_eq!(denied(deny("nginx:*")).len(), 1);
    assert!(denied(deny("apache:*")).is_empty());
    let each = json!({"validate": {"message": "x", "foreach": [{"list": "request.object.spec.containers", "deny": {"conditions": {"all": [
        {"key": "{{ ends_with(element.image, ':latest') }}", "operator": "Equals", "value": true}]}}}]}});
    assert_eq!(denied(each).len(), 1);
    let cel = json!({"validate": {"cel": {"expressions": [{"expression": "object.spec.containers.all(c, c.image.startsWith('registry/'))", "message": "cel"}]}}});
    assert_eq!(denied(cel), ["ClusterPolicy/policy/rule: cel"]);
    let mutation = json!({"mutate": {"patchStrategicMerge": {}}});
    assert_eq!(
        found(&judged(mutation.clone()), "policy-unevaluated"),
        ["ClusterPolicy/policy/rule: `mutate` is not evaluated here"]
    );
    let call = json!({"context": [{"name": "x", "apiCall": {"urlPath": "/api"}}], "validate": {"pattern": {}}});
    assert_eq!(found(&judged(call), "policy-unevaluated").len(), 1);
    let file = desk.objects("policies.yaml", &[kyverno("policy", mutation)]);
    let to = format!("oci-layout:{}/pushed:v1", desk.0.path().display());
    let out = run(hydrant().args(["push", &objects, &to, "--check", "--policy", &file]));
    assert_eq!(out.status.code(), Some(1), "what is not evaluated fails a push");
}

#[test]
fn a_baseline_lets_be_what_is_known() {
    let desk = Desk::new();
    let bad = |extra: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: b}}\nspec:\n  port: 1{extra}\n  ports: [{{port: 80}}]\n"
        )
    };
    let source = desk.write("a.yaml", &bad(""));
    let baseline = desk.0.path().join("known").display().to_string();
    let (out, _) = check(&source, &["--write-baseline", &baseline]);
    assert_eq!(out.status.code(), Some(1));
    let (out, report) = check(&source, &["--baseline", &baseline]);
    assert_eq!((out.status.code(), &report["findings"]), (Some(0), &json!([])));
    desk.write("a.yaml", &bad("\n  typ: x"));
    let (out, report) = check(&source, &["--baseline", &baseline]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(report["findings"][0]["hint"], "write `type`");
    assert_eq!(
        (report["findings"][0]["at"]["line"].as_u64(), report["findings"][0]["at"]["column"].as_u64()),
        (Some(6), Some(3))
    );
    let (out, _) = check(&source, &["--skip", "schema-unknown-field"]);
    assert_eq!(out.status.code(), Some(0));
    let out = run(hydrant().args(["check", &source, "--skip", "schema-unknown-feild"]));
    assert!(String::from_utf8_lossy(&out.stderr).contains("write `schema-unknown-field`"));
}

#[test]
fn the_whole_set_shows_what_one_object_does_not() {
    let desk = Desk::new();
    let mut web = deployment("web", "shop", 1, "nginx:1");
    web["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "c", "configMap": {"name": "settings"}}, {"name": "s", "secret": {"secretName": "gone"}}]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "other"}, "ports": [{"port": 80}]}});
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings-5h2mk4t9bc", "namespace": "shop"}, "data": {}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "stringData": {"a": "b"}});
    let foreign = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}});
    let source = desk.objects("set.yaml", &[web.clone(), web, service, config, secret, foreign]);
    let (_, report) = check(&source, &[]);
    let count = |code: &str| found(&report, code).len();
    assert_eq!(count("set-duplicate"), 1);
    assert_eq!(count("set-hash"), 2, "{report:#}");
    assert_eq!(count("set-reference"), 2);
    assert_eq!((count("set-selector"), count("set-secret"), count("set-no-crd")), (1, 1, 1));
}

#[test]
fn suites_are_run_as_gator_runs_them() {
    let desk = Desk::new();
    for name in ["template.yaml", "constraint.yaml"] {
        fs::copy(root().join("examples/policies").join(name), desk.0.path().join(name)).expect("copied");
    }
    desk.write("good.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {team: x}}\n");
    desk.write("bad.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    let suite = |wanted: &str| {
        format!(
            "kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests:\n- name: labels\n  template: template.yaml\n  constraint: constraint.yaml\n  cases:\n  \
             - {{name: good, object: good.yaml, assertions: [{{violations: no}}]}}\n  - {{name: bad, object: bad.yaml, assertions: [{{violations: {wanted}, message: required}}]}}\n"
        )
    };
    desk.write("suite.yaml", &suite("1"));
    let out = run(hydrant().arg("test").arg(desk.0.path()));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(String::from_utf8_lossy(&out.stderr).contains("2 passed, 0 failed"));
    desk.write("suite.yaml", &suite("2"));
    let out = run(hydrant().arg("test").arg(desk.0.path()));
    assert_eq!(out.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&out.stdout).contains("1 violations containing `required`, and exactly 2 expected")
    );
}

const CHART_TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
        {{- with .Values.env }}
        env:
        {{- range . }}
        - name: {{ .name }}
          value: {{ .value }}
        {{- end }}
        {{- end }}
"#;

/// A finding's place and the places of its values, as `FILE:LINE FILE:LINE`.
fn places(report: &Value, field: &str) -> String {
    let all = report["findings"].as_array().expect("findings");
    let one =
        all.iter().find(|one| one["field"] == field).unwrap_or_else(|| panic!("no finding at {field}: {report:#}"));
    let at = |place: &Value| format!("{}:{}", place["file"].as_str().unwrap_or_default(), place["line"]);
    std::iter::once(at(&one["at"]))
        .chain(one["values"].as_array().expect("values").iter().map(at))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_finding_points_at_the_template_line_and_the_values_line() {
    let desk = Desk::new();
    desk.write("app/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    desk.write("app/charts/web/templates/all.yaml", CHART_TEMPLATE);
    desk.write(
        "app/charts/web/values.yaml",
        "replicas: many\nimage:\n  repository: web\n  tag: v1\nresources:\n  limits:\n    cpu: lots\nenv:\n- name: a\n  value: x\n- name: 9=\n  value: 5\n",
    );
    let at = |source: &str, format: &str| {
        run(hydrant().args(["check", source, "--format", format]).current_dir(desk.0.path()))
    };
    let report: Value = serde_json::from_slice(&at("app/charts/web", "json").stdout).expect("JSON");
    let template = |line: usize, values: &str| format!("app/charts/web/templates/all.yaml:{line}{values}");
    assert_eq!(places(&report, "spec.replicas"), template(7, " app/charts/web/values.yaml:1"));
    let container = "spec.template.spec.containers[0]";
    assert_eq!(
        places(&report, &format!("{container}.resources.limits.cpu")),
        template(18, " app/charts/web/values.yaml:7")
    );
    assert_eq!(places(&report, &format!("{container}.env[1].name")), template(22, " app/charts/web/values.yaml:11"));
    assert_eq!(places(&report, &format!("{container}.env[1].value")), template(23, " app/charts/web/values.yaml:12"));

    // in a kustomization: its own values come first, and a patch that has the last word is named instead
    desk.write("app/kustomization.yaml", "helmCharts:\n- name: web\n  releaseName: rel\n  namespace: shop\n  valuesInline:\n    image:\n      tag: v2\n    replicas: few\npatches:\n- path: patch.yaml\n");
    desk.write("app/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: rel-web, namespace: shop}\nspec:\n  minReadySeconds: soon\n");
    let report: Value = serde_json::from_slice(&at("app", "json").stdout).expect("JSON");
    assert_eq!(places(&report, "spec.replicas"), template(7, " app/kustomization.yaml:8"));
    assert_eq!(places(&report, &format!("{container}.env[1].value")), template(23, " app/charts/web/values.yaml:12"));
    assert_eq!(places(&report, "spec.minReadySeconds"), "app/patch.yaml:5");

    let text = String::from_utf8(at("app", "text").stdout).expect("UTF-8");
    assert!(
        text.contains("--> app/charts/web/templates/all.yaml:7:")
            && text.contains("value set in app/kustomization.yaml:8"),
        "{text}"
    );
    let github = String::from_utf8(at("app", "github").stdout).expect("UTF-8");
    assert!(
        github.contains("::error file=app/charts/web/templates/all.yaml,line=7,")
            && github.contains("%0Avalue set in app/kustomization.yaml:8"),
        "{github}"
    );
    let sarif: Value = serde_json::from_slice(&at("app", "sarif").stdout).expect("JSON");
    let all = sarif["runs"][0]["results"].as_array().expect("results");
    let physical = |place: &Value| {
        format!(
            "{}:{}",
            place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap_or_default(),
            place["physicalLocation"]["region"]["startLine"]
        )
    };
    let lead = all.iter().map(|one| (physical(&one["locations"][0]), physical(&one["relatedLocations"][0])));
    assert!(lead.into_iter().any(|(at, of)| at == template(7, "") && of == "app/kustomization.yaml:8"), "{sarif:#}");
}
