//! A ConstraintTemplate: the code that judges, compiled.
//!
//! In: the template; then an object under review and a constraint. Out: the messages of what is violated. Where a template has
//! both CEL and Rego, CEL decides, as it does in a cluster; CEL that cannot be read gives way to Rego.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::Engine;
use serde_json::Value;

use super::Review;
use crate::check::policy::cel::{Language, Program, Scope, Variables, plain};
use crate::check::policy::review::name;
use crate::check::policy::{Action, Limits};
use crate::diag::{Diagnostic, Result};

/// Rego's built-in functions that reach out of the process: they have no answer here.
const OUTSIDE: [&str; 4] = ["external_data(", "http.send(", "opa.runtime(", "net.lookup_ip_addr("];

/// A template.
#[derive(Clone)]
pub(super) struct Template {
    /// The kind of its constraints.
    pub kind: String,
    code: Code,
}

#[derive(Clone)]
enum Code {
    Rego { engine: Box<Engine>, rule: String, inventory: bool },
    Cel(Cel),
    /// Not evaluated here, and why.
    Not(String),
}

#[derive(Clone)]
struct Cel {
    conditions: Vec<Program>,
    validations: Vec<(Program, String, Option<Program>)>,
    ignores_failures: bool,
}

/// What a template says of an object: messages, or why it says nothing.
pub(super) type Verdict = std::result::Result<Vec<String>, (Action, String)>;

impl Template {
    /// Reads and compiles a template. Fails with code `policy-invalid` for code that cannot be read.
    pub(super) fn read(object: &Value, language: &Language, limits: Limits) -> Result<Template> {
        let kind = object["spec"]["crd"]["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
        let target = &object["spec"]["targets"][0];
        let codes: Vec<&Value> = target["code"].as_array().into_iter().flatten().collect();
        let source = |engine: &str| codes.iter().find(|code| code["engine"] == engine).map(|code| &code["source"]);
        let rego = source("Rego").filter(|source| source["rego"].is_string()).or(target["rego"].as_str().map(|_| target));
        let invalid = |why: String| {
            let message = format!("the template `{}` cannot be compiled: {why}", name(object));
            Box::new(Diagnostic::input("policy-invalid", message).hint("fix its code; `gator verify` says the same"))
        };
        let code = match (source("K8sNativeValidation").map(|source| native(source, language)), rego) {
            (Some(Ok(cel)), _) => Code::Cel(cel),
            (_, Some(source)) => compiled(source, limits).map_err(invalid)?,
            (Some(Err(why)), None) => return Err(invalid(why)),
            (None, None) => Code::Not("its template has neither Rego nor CEL".to_owned()),
        };
        Ok(Template { kind, code })
    }

    /// True if the code reads what else the set holds.
    pub(super) fn asks_inventory(&self) -> bool {
        matches!(self.code, Code::Rego { inventory: true, .. })
    }

    /// Gives the code what the set holds.
    pub(super) fn give(&mut self, data: &regorus::Value) {
        if let Code::Rego { engine, inventory: true, .. } = &mut self.code {
            engine.clear_data();
            // the data has only `inventory`, which no package of a template may be
            let _ = engine.add_data(data.clone());
        }
    }

    /// What the code says. `rego` and `scope` keep the object in each language's form for the next constraint.
    pub(super) fn judge(
        &mut self,
        review: &Review<'_>,
        constraint: &Value,
        parameters: &regorus::Value,
        language: &Language,
        rego: &mut Option<regorus::Value>,
        scope: &mut Option<Scope<'static>>,
    ) -> Verdict {
        match &mut self.code {
            Code::Not(why) => Err((Action::Unevaluated, why.clone())),
            Code::Cel(cel) => {
                let scope = scope.get_or_insert_with(|| scope_of(review, language));
                cel.judge(constraint, scope)
            }
            Code::Rego { engine, rule, .. } => {
                let request = rego.get_or_insert_with(|| regorus::Value::from(review.request().clone())).clone();
                let input = BTreeMap::from([("review".into(), request), ("parameters".into(), parameters.clone())]);
                engine.set_input(input.into());
                match engine.eval_rule(rule.clone()) {
                    Ok(value) => Ok(messages(&value)),
                    Err(error) => Err((Action::Error, fault(&error))),
                }
            }
        }
    }
}

fn scope_of(review: &Review<'_>, language: &Language) -> Scope<'static> {
    let mut scope = language.scope();
    let object = &review.request()["object"];
    let old = &review.request()["oldObject"];
    scope.set("object", plain(object));
    scope.set("oldObject", plain(old));
    scope.set("anyObject", plain(if object.is_null() { old } else { object }));
    let mut request = review.request().clone();
    for field in ["object", "oldObject"] {
        if let Some(map) = request.as_object_mut() {
            map.remove(field);
        }
    }
    scope.set("request", plain(&request));
    scope.set("namespaceObject", review.namespace.as_ref().map_or(::cel::Value::Null, plain));
    scope
}

impl Cel {
    fn judge(&self, constraint: &Value, scope: &Scope<'_>) -> Verdict {
        let mut scope = scope.inner();
        scope.set("params", plain(constraint));
        for condition in &self.conditions {
            match scope.holds(condition) {
                Ok(true) => {}
                Ok(false) => return Ok(Vec::new()),
                Err(_) if self.ignores_failures => return Ok(Vec::new()),
                Err(why) => return Err((Action::Error, why.to_string())),
            }
        }
        let mut messages = Vec::new();
        for (program, message, expression) in &self.validations {
            match scope.holds(program) {
                Ok(true) => {}
                Ok(false) => {
                    let made = expression.as_ref().and_then(|program| scope.text(program));
                    messages.push(made.unwrap_or_else(|| message.clone()));
                }
                Err(_) if self.ignores_failures => {}
                // what cannot be decided is denied
                Err(why) => messages.push(format!("the expression fails: {why}")),
            }
        }
        Ok(messages)
    }
}

/// `K8sNativeValidation`: the fields of a ValidatingAdmissionPolicy, with `variables.params` and `variables.anyObject`.
fn native(source: &Value, language: &Language) -> std::result::Result<Cel, String> {
    let mut variables = Variables::new();
    let own = serde_json::json!([
        {"name": "params", "expression": "!has(params.spec) ? null : !has(params.spec.parameters) ? null : params.spec.parameters"},
        {"name": "anyObject", "expression": "anyObject"},
    ]);
    language.variables(&own, &mut variables)?;
    language.variables(&source["variables"], &mut variables)?;
    let compile = |text: &Value| language.compile(text.as_str().unwrap_or_default(), &variables);
    let rows = |field: &str| source[field].as_array().cloned().unwrap_or_default();
    let conditions = rows("matchCondition").iter().map(|row| compile(&row["expression"])).collect::<std::result::Result<_, _>>()?;
    let mut validations = Vec::new();
    for row in rows("validations") {
        let message = row["message"].as_str().map_or_else(
            || format!("failed expression: {}", row["expression"].as_str().unwrap_or_default().trim()),
            str::to_owned,
        );
        let made = &row["messageExpression"];
        let made = if made.is_string() { Some(compile(made)?) } else { None };
        validations.push((compile(&row["expression"])?, message, made));
    }
    Ok(Cel { conditions, validations, ignores_failures: source["failurePolicy"] == "Ignore" })
}

fn compiled(source: &Value, limits: Limits) -> std::result::Result<Code, String> {
    let rego = source["rego"].as_str().unwrap_or_default();
    let libs: Vec<&str> = source["libs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let all = || libs.iter().copied().chain([rego]);
    if let Some(outside) = OUTSIDE.iter().find(|name| all().any(|text| text.contains(**name))) {
        return Ok(Code::Not(format!("its template calls `{}`, which reaches out of this process", outside.trim_end_matches('('))));
    }
    let mut engine = Engine::new();
    engine.set_rego_v0(source["version"] != "v1");
    engine.set_strict_builtin_errors(false);
    let check_interval = NonZeroU32::new(256).unwrap_or(NonZeroU32::MIN);
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: Duration::from_millis(limits.policy_ms), check_interval });
    for (index, lib) in libs.iter().enumerate() {
        engine.add_policy(format!("lib_{index}.rego"), super::rego::normalised(lib)).map_err(|error| fault(&error))?;
    }
    let package = engine.add_policy("template.rego".to_owned(), super::rego::normalised(rego)).map_err(|error| fault(&error))?;
    let package = package.strip_prefix("data.").unwrap_or(&package);
    let inventory = all().any(|text| text.contains("inventory"));
    Ok(Code::Rego { engine: Box::new(engine), rule: format!("data.{package}.violation"), inventory })
}

/// The `msg` of each violation, in the order of the set.
fn messages(value: &regorus::Value) -> Vec<String> {
    let Ok(set) = value.as_set() else { return Vec::new() };
    let text = |value: &regorus::Value| match value.as_string() {
        Ok(text) => text.to_string(),
        Err(_) => value.to_string(),
    };
    // what has no message is no violation to Gatekeeper's framework
    set.iter().filter_map(|one| one.as_object().ok()?.get(&"msg".into()).map(text)).collect()
}

fn fault(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    if text.contains("execution exceeded time limit") {
        return "it takes longer than it may (the limit `policy-ms`)".to_owned();
    }
    let line = text.lines().map(str::trim).rfind(|line| line.starts_with("error:")).or(text.lines().find(|line| !line.trim().is_empty()));
    line.unwrap_or_default().trim_start_matches("error:").trim().to_owned()
}
