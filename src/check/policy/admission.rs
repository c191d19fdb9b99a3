//! ValidatingAdmissionPolicies and their bindings.
//!
//! In: policies, bindings, and the objects that may be their parameters; then a set's objects. Out: denials, as a server that
//! creates the object would have them. A policy without a binding judges nothing, as in a cluster.

use serde_json::Value;

use crate::check::matching::selects;
use crate::diag::{Diagnostic, Result};

use super::cel::{Language, Program, Variables, plain};
use super::review::{World, bare_request, is_namespace, kind_of, name, namespace};
use super::{Action, Denial};

/// Policies, bindings and parameters.
#[derive(Clone, Default)]
pub(super) struct Admission {
    sources: Vec<Value>,
    bindings: Vec<Value>,
    policies: Vec<Policy>,
    others: Vec<Value>,
}

#[derive(Clone)]
struct Policy {
    name: String,
    spec: Value,
    conditions: Vec<Program>,
    validations: Vec<Validation>,
    ignores_failures: bool,
    asks_authorizer: bool,
}

#[derive(Clone)]
struct Validation {
    program: Program,
    message: String,
    made: Option<Program>,
}

impl Admission {
    /// Keeps an object, if it may belong to a policy.
    pub(super) fn add(&mut self, object: &Value) {
        match kind_of(object) {
            ("admissionregistration.k8s.io", _, "ValidatingAdmissionPolicy") => self.sources.push(object.clone()),
            ("admissionregistration.k8s.io", _, "ValidatingAdmissionPolicyBinding") => self.bindings.push(object.clone()),
            _ => self.others.push(object.clone()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Compiles the policies. Fails with code `policy-invalid`.
    pub(super) fn compile(&mut self, language: &Language) -> Result<()> {
        for object in std::mem::take(&mut self.sources) {
            let policy = Policy::read(&object, language).map_err(|why| {
                let message = format!("the ValidatingAdmissionPolicy `{}` cannot be compiled: {why}", name(&object));
                Box::new(Diagnostic::input("policy-invalid", message).hint("fix the expression"))
            })?;
            self.policies.push(policy);
        }
        Ok(())
    }

    /// What all bound policies say of an object.
    pub(super) fn review(&self, object: &Value, world: &World<'_>, language: &Language) -> Vec<Denial> {
        let mut denials = Vec::new();
        if self.bindings.is_empty() {
            return denials;
        }
        let request = bare_request(object);
        let space = world.namespace(object);
        let scope = language.admission(object, &request, space.as_ref());
        for binding in &self.bindings {
            let wanted = binding["spec"]["policyName"].as_str().unwrap_or_default();
            let Some(policy) = self.policies.iter().find(|policy| policy.name == wanted) else { continue };
            let within = matches(&policy.spec["matchConstraints"], object, &request, space.as_ref(), false)
                && matches(&binding["spec"]["matchResources"], object, &request, space.as_ref(), true);
            if !within {
                continue;
            }
            let mut found = |action, message: String, path| {
                let title = format!("ValidatingAdmissionPolicy/{}", policy.name);
                denials.push(Denial { policy: title, message, action, path });
            };
            if policy.asks_authorizer {
                found(Action::Unevaluated, "it asks the cluster's `authorizer`, which is not here".to_owned(), Vec::new());
                continue;
            }
            match self.parameters(policy, binding, object) {
                Err(Some(why)) => actions(binding).for_each(|action| found(action, why.clone(), Vec::new())),
                Err(None) => {}
                Ok(all) => {
                    for parameter in all {
                        let mut scope = scope.inner();
                        scope.set("params", parameter.map_or(::cel::Value::Null, plain));
                        for message in policy.judge(&scope) {
                            actions(binding).for_each(|action| found(action, message.clone(), Vec::new()));
                        }
                    }
                }
            }
        }
        denials
    }

    /// The parameters of a binding: one evaluation each. Nothing to evaluate is `Err(None)`, a denial is `Err(Some)`.
    fn parameters(&self, policy: &Policy, binding: &Value, object: &Value) -> std::result::Result<Vec<Option<&Value>>, Option<String>> {
        let (kind, reference) = (&policy.spec["paramKind"], &binding["spec"]["paramRef"]);
        if kind.is_null() || reference.is_null() {
            return Ok(vec![None]);
        }
        let space = reference["namespace"].as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| namespace(object));
        let fits = |one: &&Value| {
            one["kind"] == kind["kind"]
                && one["apiVersion"] == kind["apiVersion"]
                && (namespace(one).is_empty() || namespace(one) == space)
                && match reference["name"].as_str() {
                    Some(wanted) => name(one) == wanted,
                    None => selects(&reference["selector"], &one["metadata"]["labels"]),
                }
        };
        let found: Vec<Option<&Value>> = self.others.iter().filter(fits).map(Some).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        match reference["parameterNotFoundAction"].as_str() {
            Some("Allow") => Err(None),
            _ => Err(Some("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned())),
        }
    }
}

/// What a binding does with a denial.
fn actions(binding: &Value) -> impl Iterator<Item = Action> {
    binding["spec"]["validationActions"].as_array().into_iter().flatten().filter_map(|action| match action.as_str() {
        Some("Deny") => Some(Action::Deny),
        Some("Warn") => Some(Action::Warn),
        Some("Audit") => Some(Action::Note),
        _ => None,
    })
}

impl Policy {
    fn read(object: &Value, language: &Language) -> std::result::Result<Policy, String> {
        let spec = &object["spec"];
        let mut variables = Variables::new();
        language.variables(&spec["variables"], &mut variables)?;
        let compile = |text: &Value| language.compile(text.as_str().unwrap_or_default(), &variables);
        let rows = |field: &str| spec[field].as_array().cloned().unwrap_or_default();
        let conditions = rows("matchConditions").iter().map(|row| compile(&row["expression"])).collect::<std::result::Result<Vec<_>, _>>()?;
        let mut validations = Vec::new();
        for row in rows("validations") {
            let text = row["expression"].as_str().unwrap_or_default().trim();
            let message = row["message"].as_str().map_or_else(|| format!("failed expression: {text}"), str::to_owned);
            let made = &row["messageExpression"];
            let made = if made.is_string() { Some(compile(made)?) } else { None };
            validations.push(Validation { program: compile(&row["expression"])?, message, made });
        }
        let asks_authorizer = conditions.iter().chain(validations.iter().map(|one| &one.program)).any(|program| program.names("authorizer"));
        Ok(Policy {
            name: name(object).to_owned(),
            spec: spec.clone(),
            conditions,
            validations,
            ignores_failures: spec["failurePolicy"] == "Ignore",
            asks_authorizer,
        })
    }

    fn judge(&self, scope: &super::cel::Scope<'_>) -> Vec<String> {
        let mut messages = Vec::new();
        let mut failed = None;
        for condition in &self.conditions {
            match scope.holds(condition) {
                Ok(true) => {}
                // one condition that is false outweighs others that fail
                Ok(false) => return messages,
                Err(why) => failed = Some(why),
            }
        }
        if let Some(why) = failed {
            if !self.ignores_failures {
                messages.push(format!("a match condition fails: {why}"));
            }
            return messages;
        }
        for validation in &self.validations {
            match scope.holds(&validation.program) {
                Ok(true) => {}
                Ok(false) => {
                    let made = validation.made.as_ref().and_then(|program| scope.text(program));
                    messages.push(made.unwrap_or_else(|| validation.message.clone()));
                }
                Err(_) if self.ignores_failures => {}
                Err(why) => messages.push(format!("the expression fails: {why}")),
            }
        }
        messages
    }
}

/// True if an object's creation is among what a policy or binding is about; a binding may leave all out.
fn matches(rows: &Value, object: &Value, request: &Value, space: Option<&Value>, optional: bool) -> bool {
    if rows.is_null() {
        return optional;
    }
    let selected = |field: &str, labels: &Value| rows[field].is_null() || selects(&rows[field], labels);
    let spaced = match (is_namespace(object), space) {
        (true, _) => selected("namespaceSelector", &object["metadata"]["labels"]),
        (false, Some(space)) => selected("namespaceSelector", &space["metadata"]["labels"]),
        (false, None) => true,
    };
    let listed = |field: &str| rows[field].as_array().into_iter().flatten().any(|rule| rule_matches(rule, object, request));
    let named = rows["resourceRules"].as_array().is_none_or(Vec::is_empty) && optional || listed("resourceRules");
    spaced && selected("objectSelector", &object["metadata"]["labels"]) && named && !listed("excludeResourceRules")
}

fn rule_matches(rule: &Value, object: &Value, request: &Value) -> bool {
    let resource = &request["resource"];
    let within = |field: &str, text: &Value| rule[field].as_array().is_some_and(|all| all.iter().any(|one| one == "*" || one == text));
    let scope = match rule["scope"].as_str() {
        Some("Namespaced") => !namespace(object).is_empty(),
        Some("Cluster") => namespace(object).is_empty(),
        _ => true,
    };
    let named = rule["resourceNames"].as_array().is_none_or(|all| all.is_empty() || all.iter().any(|one| one == name(object)));
    // `*/*` and `pods/*` are about subresources, too
    let resources = rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str).any(|one| {
        let (of, below) = one.split_once('/').unwrap_or((one, ""));
        (of == "*" || resource["resource"] == of) && matches!(below, "" | "*")
    });
    within("apiGroups", &resource["group"])
        && within("apiVersions", &resource["version"])
        && within("operations", &request["operation"])
        && resources
        && scope
        && named
}
