//! Kyverno's ClusterPolicies and Policies: their `validate` rules.
//!
//! In: policies; then a set's objects. Out: denials. A rule about Pods judges what makes Pods too, by the Pod of its template, as
//! Kyverno's generated rules do. What is not evaluated is said by name, once a policy: mutation, generation, images' signatures,
//! pod security profiles, calls of the API, and Kyverno's newer kinds of policies.

mod conditions;
mod matching;
mod pattern;
mod variables;

use serde_json::{Value, json};

use super::cel::{Language, Program, Variables};
use super::review::{World, bare_request, name, namespace};
use super::{Action, Denial};
use pattern::Answer;
use variables::Context;

/// Items of one `foreach`.
const ITEMS_MAX: usize = 10_000;
/// The kinds that make Pods, and for which Kyverno makes rules by itself.
const MAKERS: [&str; 7] = ["DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet", "CronJob"];

/// Kyverno's policies.
#[derive(Clone, Default)]
pub(super) struct Kyverno {
    sources: Vec<Value>,
    rules: Vec<Rule>,
    /// What is not evaluated: policy and why.
    not: Vec<(String, String)>,
    said: bool,
}

#[derive(Clone)]
struct Rule {
    /// `ClusterPolicy/name/rule`.
    title: String,
    /// The namespace of a Policy; empty for a ClusterPolicy.
    space: String,
    body: Value,
    action: Action,
    cel: Option<Cel>,
    /// The kinds that make Pods and are judged by their Pods.
    makers: Vec<String>,
}

#[derive(Clone)]
struct Cel {
    conditions: Vec<Program>,
    validations: Vec<(Program, String, Option<Program>)>,
}

impl Kyverno {
    /// Keeps an object, if it is one of Kyverno's policies.
    pub(super) fn add(&mut self, object: &Value) {
        let group = object["apiVersion"].as_str().unwrap_or_default().split('/').next().unwrap_or_default();
        if matches!(group, "kyverno.io" | "policies.kyverno.io") {
            self.sources.push(object.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.not.is_empty()
    }

    /// Compiles the rules that can be evaluated, and notes those that cannot.
    pub(super) fn compile(&mut self, language: &Language) {
        for object in std::mem::take(&mut self.sources) {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            let title = format!("{kind}/{}", name(&object));
            if !matches!(kind.as_str(), "ClusterPolicy" | "Policy") {
                if kind.ends_with("Policy") {
                    self.not.push((title, format!("policies of the kind `{kind}` are not evaluated here")));
                }
                continue;
            }
            for rule in object["spec"]["rules"].as_array().into_iter().flatten() {
                let title = format!("{title}/{}", name_of(rule));
                match compiled(&object, rule, title.clone(), language) {
                    Ok(rule) => self.rules.push(rule),
                    Err(why) => self.not.push((title, why)),
                }
            }
        }
    }

    /// What is not evaluated, once.
    pub(super) fn unevaluated(&mut self, objects: usize) -> Vec<Denial> {
        if self.said || objects == 0 {
            return Vec::new();
        }
        self.said = true;
        let one = |(policy, message): &(String, String)| Denial {
            policy: policy.clone(),
            message: message.clone(),
            action: Action::Unevaluated,
            path: Vec::new(),
        };
        self.not.iter().map(one).collect()
    }

    /// What all rules say of an object.
    pub(super) fn review(&self, object: &Value, world: &World<'_>, language: &Language) -> Vec<Denial> {
        let mut denials = Vec::new();
        let space = world.namespace(object);
        let pod = pod(object);
        for rule in &self.rules {
            if !rule.space.is_empty() && rule.space != namespace(object) {
                continue;
            }
            let direct = matching::applies(&rule.body, object, space.as_ref());
            let by_pod = || {
                let kind = object["kind"].as_str().unwrap_or_default();
                let (pod, path) = pod.as_ref().filter(|_| rule.makers.iter().any(|maker| maker == kind))?;
                matching::applies(&rule.body, pod, space.as_ref()).then_some((pod, path.clone()))
            };
            let found = if direct { Some((object, Vec::new())) } else { by_pod() };
            let Some((judged, path)) = found else { continue };
            let mut found = |action, message: String, below: Vec<String>| {
                let path = path.iter().cloned().chain(below).collect();
                denials.push(Denial { policy: rule.title.clone(), message, action, path });
            };
            match judge(rule, judged, object, space.as_ref(), language) {
                Ok(None) => {}
                Ok(Some((message, below))) => found(rule.action, message, below),
                Err(why) => found(Action::Error, why, Vec::new()),
            }
        }
        denials
    }
}

fn name_of(rule: &Value) -> &str {
    rule["name"].as_str().unwrap_or_default()
}

/// The Pod that an object makes, and where its template stands.
fn pod(object: &Value) -> Option<(Value, Vec<String>)> {
    let steps: &[&str] = match object["kind"].as_str()? {
        "CronJob" => &["spec", "jobTemplate", "spec", "template"],
        kind if MAKERS.contains(&kind) => &["spec", "template"],
        _ => return None,
    };
    let mut pod = steps.iter().try_fold(object, |value, step| value.get(step))?.clone();
    if !pod.is_object() {
        return None;
    }
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    if !pod["metadata"].is_object() {
        pod["metadata"] = json!({});
    }
    for field in ["name", "namespace"] {
        if object["metadata"][field].is_string() {
            pod["metadata"][field] = object["metadata"][field].clone();
        }
    }
    Some((pod, steps.iter().map(|step| (*step).to_owned()).collect()))
}

/// A rule that can be evaluated, or why it cannot.
fn compiled(policy: &Value, rule: &Value, title: String, language: &Language) -> Result<Rule, String> {
    for what in ["mutate", "generate", "verifyImages"] {
        if !rule[what].is_null() {
            return Err(format!("`{what}` is not evaluated here"));
        }
    }
    let validate = &rule["validate"];
    for what in ["podSecurity", "manifests", "assert"] {
        if !validate[what].is_null() {
            return Err(format!("`validate.{what}` is not evaluated here"));
        }
    }
    contexts(rule)?;
    let text = rule.to_string();
    for (mark, what) in [("$(", "a reference `$(…)`"), ("{{@", "a reference to the value itself"), ("{{ @", "a reference to the value itself")] {
        if text.contains(mark) {
            return Err(format!("{what} in a pattern is not evaluated here"));
        }
    }
    if let Some(function) = variables::unknown_function(&text) {
        return Err(format!("the function `{function}` is not evaluated here"));
    }
    let mut ruling = rule.clone();
    ruling["validate"]["message"] = Value::Null;
    if let Some(variable) = variables::user_variable(&ruling.to_string()) {
        return Err(format!("`{variable}` needs a user, whom nobody is here"));
    }
    if let Some(field) = matching::unevaluated(rule) {
        return Err(format!("`{field}` in `match` needs a user, whom nobody is here"));
    }
    let spec = &policy["spec"];
    let action = [&validate["failureAction"], &spec["validationFailureAction"]].into_iter().find_map(Value::as_str).unwrap_or("Audit");
    let cel = if validate["cel"].is_null() { None } else { Some(cel(rule, language)?) };
    Ok(Rule {
        title,
        space: if policy["kind"] == "Policy" { namespace(policy).to_owned() } else { String::new() },
        body: rule.clone(),
        action: if action.eq_ignore_ascii_case("enforce") { Action::Deny } else { Action::Warn },
        cel,
        makers: makers(policy, rule),
    })
}

/// Context entries that reach out of the process, or that a variable's own evaluation would need.
fn contexts(rule: &Value) -> Result<(), String> {
    let all = |holder: &Value| holder["context"].as_array().cloned().unwrap_or_default();
    let mut entries = all(rule);
    for each in rule["validate"]["foreach"].as_array().into_iter().flatten() {
        entries.extend(all(each));
    }
    for entry in &entries {
        for what in ["apiCall", "configMap", "imageRegistry", "globalReference"] {
            if !entry[what].is_null() {
                return Err(format!("the context's `{what}` is not evaluated here"));
            }
        }
    }
    Ok(())
}

fn cel(rule: &Value, language: &Language) -> Result<Cel, String> {
    let source = &rule["validate"]["cel"];
    if !source["paramKind"].is_null() {
        return Err("`validate.cel.paramKind` is not evaluated here".to_owned());
    }
    let mut variables = Variables::new();
    language.variables(&source["variables"], &mut variables)?;
    let compile = |row: &Value| language.compile(row["expression"].as_str().unwrap_or_default(), &variables);
    let conditions = rule["celPreconditions"].as_array().into_iter().flatten().map(compile).collect::<Result<Vec<_>, _>>()?;
    let mut validations = Vec::new();
    for row in source["expressions"].as_array().into_iter().flatten() {
        let program = compile(row)?;
        let made = row["messageExpression"].as_str().map(|text| language.compile(text, &variables)).transpose()?;
        let message = row["message"].as_str().or(rule["validate"]["message"].as_str());
        let message = message.map_or_else(|| format!("failed expression: {}", row["expression"].as_str().unwrap_or_default().trim()), str::to_owned);
        if program.names("authorizer") || program.names("params") {
            return Err("`authorizer` and `params` are not evaluated here".to_owned());
        }
        validations.push((program, message, made));
    }
    Ok(Cel { conditions, validations })
}

/// The kinds that Kyverno makes rules for by itself: of a rule about Pods alone, without names and labels.
fn makers(policy: &Value, rule: &Value) -> Vec<String> {
    if !matching::about_pods_alone(rule) {
        return Vec::new();
    }
    match policy["metadata"]["annotations"]["pod-policies.kyverno.io/autogen-controllers"].as_str() {
        Some("none") => Vec::new(),
        Some("all") | None => MAKERS.map(str::to_owned).to_vec(),
        Some(list) => list.split(',').map(|kind| kind.trim().to_owned()).collect(),
    }
}

type Judgement = Result<Option<(String, Vec<String>)>, String>;

/// What one rule says: nothing, a message and a place, or why it cannot say.
fn judge(rule: &Rule, judged: &Value, object: &Value, space: Option<&Value>, language: &Language) -> Judgement {
    let mut request = bare_request(object);
    if let Some(cel) = &rule.cel {
        return cel.judge(judged, &request, space, language);
    }
    request["@object"] = object.clone();
    request["object"] = judged.clone();
    request["oldObject"] = json!({});
    let mut context = Context::new(&request);
    context.load(&rule.body["context"])?;
    let preconditions = &rule.body["preconditions"];
    if !preconditions.is_null() && !conditions::hold(preconditions, &context)? {
        return Ok(None);
    }
    let validate = &rule.body["validate"];
    let said = |context: &Context| {
        let text = validate["message"].as_str().unwrap_or("validation failed");
        match context.substitute(&json!(text)) {
            Ok(Value::String(text)) => text,
            _ => text.to_owned(),
        }
    };
    let verdict = match validate["foreach"].as_array() {
        Some(loops) => each(loops, &mut context, 0)?,
        None => once(validate, judged, &context)?,
    };
    Ok(verdict.map(|path| (said(&context), path)))
}

/// Pattern, patterns or conditions about one value: the place of the fault, if there is one.
fn once(holder: &Value, value: &Value, context: &Context) -> Result<Option<Vec<String>>, String> {
    if !holder["deny"].is_null() {
        let conditions = &holder["deny"]["conditions"];
        let denied = conditions.is_null() || conditions::hold(conditions, context)?;
        return Ok(denied.then(Vec::new));
    }
    if !holder["pattern"].is_null() {
        let pattern = context.substitute(&holder["pattern"])?;
        return Ok(match pattern::fits(value, &pattern) {
            Answer::Fails(path) => Some(path),
            Answer::Fits | Answer::Skips | Answer::SkipsRule => None,
        });
    }
    let mut first = None;
    for pattern in holder["anyPattern"].as_array().into_iter().flatten() {
        let pattern = context.substitute(pattern)?;
        match pattern::fits(value, &pattern) {
            Answer::Fails(path) => drop(first.get_or_insert(path)),
            _ => return Ok(None),
        }
    }
    Ok(first)
}

fn each(loops: &[Value], context: &mut Context, depth: usize) -> Result<Option<Vec<String>>, String> {
    const DEPTH_MAX: usize = 5;
    if depth > DEPTH_MAX {
        return Err(format!("loops nest deeper than {DEPTH_MAX} (the limit `foreach-depth`)"));
    }
    for one in loops {
        let list = context.query(one["list"].as_str().unwrap_or_default())?;
        let items = match list {
            Value::Array(items) => items,
            Value::Object(map) => map.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect(),
            _ => continue,
        };
        if items.len() > ITEMS_MAX {
            return Err(format!("a loop runs over more than {ITEMS_MAX} items (the limit `foreach-items`)"));
        }
        for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
            let mut inner = context.with_element(item, index, depth);
            inner.load(&one["context"])?;
            if !one["preconditions"].is_null() && !conditions::hold(&one["preconditions"], &inner)? {
                continue;
            }
            let verdict = match one["foreach"].as_array() {
                Some(deeper) => each(deeper, &mut inner, depth + 1)?,
                None => once(one, item, &inner)?,
            };
            if verdict.is_some() {
                return Ok(Some(Vec::new()));
            }
        }
    }
    Ok(None)
}

impl Cel {
    fn judge(&self, object: &Value, request: &Value, space: Option<&Value>, language: &Language) -> Judgement {
        let scope = language.admission(object, request, space);
        for condition in &self.conditions {
            match scope.holds(condition) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(why) => return Err(format!("a precondition fails: {why}")),
            }
        }
        for (program, message, made) in &self.validations {
            match scope.holds(program) {
                Ok(true) => {}
                Ok(false) => {
                    let made = made.as_ref().and_then(|program| scope.text(program));
                    return Ok(Some((made.unwrap_or_else(|| message.clone()), Vec::new())));
                }
                Err(why) => return Ok(Some((format!("the expression fails: {why}"), Vec::new()))),
            }
        }
        Ok(None)
    }
}
