//! Policies with their own test cases, in the format of Gatekeeper's suites.
//!
//! In: a suite as JSON, and a way to read the files that it names, relative to its own. Out: a [`Verdict`] for each case.

use serde_json::Value;

use crate::diag::{Diagnostic, Result};
use crate::go::re2::Regex;

use super::review::World;
use super::{Action, Denial, Policies};

/// Reads the objects of a file that a suite names.
pub type Read<'a> = dyn Fn(&str) -> Result<Vec<Value>> + 'a;

/// A suite of tests.
pub struct Suite {
    tests: Vec<Value>,
    skip: bool,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As its assertions say.
    Passed,
    /// Not as they say, and why.
    Failed(String),
    /// It says that it is to be passed over.
    Skipped,
}

/// A case that was run.
#[derive(Clone, Debug)]
pub struct Case {
    /// The test that it belongs to.
    pub test: String,
    /// Its name.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
}

impl Suite {
    /// True for an object that is a suite.
    pub fn is(object: &Value) -> bool {
        object["kind"] == "Suite" && object["apiVersion"].as_str().is_some_and(|version| version.starts_with("test.gatekeeper.sh/"))
    }

    /// Reads a suite.
    pub fn read(object: &Value) -> Suite {
        Suite { tests: object["tests"].as_array().cloned().unwrap_or_default(), skip: object["skip"] == true }
    }

    /// Runs all cases.
    pub fn run(&self, read: &Read<'_>) -> Vec<Case> {
        let mut cases = Vec::new();
        for test in &self.tests {
            let name = text(test, "name");
            let mut case = |of: &str, verdict| cases.push(Case { test: name.clone(), name: of.to_owned(), verdict });
            if self.skip || test["skip"] == true {
                case("", Verdict::Skipped);
                continue;
            }
            let loaded = load(test, read);
            if test["invalid"] == true {
                case("", match loaded {
                    Err(_) => Verdict::Passed,
                    Ok(_) => Verdict::Failed("the constraint is valid, and should not be".to_owned()),
                });
                continue;
            }
            let mut policies = match loaded {
                Ok(policies) => policies,
                Err(fault) => {
                    case("", Verdict::Failed(fault.message.clone()));
                    continue;
                }
            };
            for one in test["cases"].as_array().into_iter().flatten() {
                let verdict = if one["skip"] == true {
                    Verdict::Skipped
                } else {
                    judge(&mut policies, one, read).unwrap_or_else(|fault| Verdict::Failed(fault.message.clone()))
                };
                case(&text(one, "name"), verdict);
            }
        }
        cases
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn load(test: &Value, read: &Read<'_>) -> Result<Policies> {
    let mut policies = Policies::default();
    let mut kinds = crate::check::Kinds::default();
    for field in ["template", "constraint", "expansion"] {
        let Some(path) = test[field].as_str().filter(|path| !path.is_empty()) else { continue };
        for object in read(path)? {
            kinds.add(&object);
            if field == "constraint" {
                parameters(&object, &kinds)?;
            }
            policies.add(&object)?;
        }
    }
    policies.compile()?;
    Ok(policies)
}

/// A constraint's parameters must fit its template's schema.
fn parameters(constraint: &Value, kinds: &crate::check::Kinds) -> Result<()> {
    match crate::check::custom_faults(constraint, kinds)?.first() {
        None => Ok(()),
        Some(finding) => {
            let message = format!("the constraint is invalid: `{}` {}", finding.field(), finding.message);
            Err(Box::new(Diagnostic::input("policy-invalid", message).hint("compare it with its template's schema")))
        }
    }
}

fn judge(policies: &mut Policies, case: &Value, read: &Read<'_>) -> Result<Verdict> {
    let objects = read(&text(case, "object"))?;
    let [object] = objects.as_slice() else {
        return Ok(Verdict::Failed(format!("`{}` has {} objects, and must have one", text(case, "object"), objects.len())));
    };
    let mut inventory = Vec::new();
    for path in case["inventory"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        inventory.extend(read(path)?);
    }
    policies.gatekeeper.inventory(&inventory);
    let language = policies.language.clone();
    let denials = if object["kind"] == "AdmissionReview" {
        let request = object["request"].clone();
        let of = if request["object"].is_object() { "object" } else { "oldObject" };
        let mut inner = request[of].clone();
        // the request says what the object is, where the object does not
        if inner["kind"].is_null() {
            inner["kind"] = request["kind"]["kind"].clone();
        }
        let mut request = request;
        if request["operation"] == "DELETE" {
            request["object"] = request["oldObject"].clone();
        }
        policies.gatekeeper.review_request(&inner, request, &language)
    } else {
        policies.gatekeeper.review(object, &World::of(&inventory), &language)
    };
    let assertions = case["assertions"].as_array().cloned().unwrap_or_default();
    if assertions.is_empty() {
        return Ok(Verdict::Failed("it has no assertions".to_owned()));
    }
    let failed = assertions.iter().find_map(|assertion| assert(assertion, &denials));
    Ok(failed.map_or(Verdict::Passed, Verdict::Failed))
}

fn assert(assertion: &Value, denials: &[Denial]) -> Option<String> {
    if let Some(denial) = denials.iter().find(|denial| matches!(denial.action, Action::Error | Action::Unevaluated)) {
        return Some(denial.message.clone());
    }
    let pattern = assertion["message"].as_str();
    let regex = match pattern.map(|pattern| Regex::new(pattern.as_bytes())).transpose() {
        Ok(regex) => regex,
        Err(fault) => return Some(fault),
    };
    let matching = denials.iter().filter(|denial| regex.as_ref().is_none_or(|regex| regex.is_match(denial.message.as_bytes()))).count();
    let messages = || denials.iter().map(|denial| format!("`{}`", denial.message)).collect::<Vec<_>>().join(", ");
    let wanted = match &assertion["violations"] {
        Value::Number(number) => (number.as_u64() != Some(matching as u64)).then(|| format!("exactly {number}")),
        // `yes` and `no` are booleans in YAML 1.1
        Value::Bool(false) => (matching > 0).then(|| "none".to_owned()),
        Value::String(text) if text == "no" => (matching > 0).then(|| "none".to_owned()),
        _ => (matching == 0).then(|| "at least one".to_owned()),
    }?;
    let about = pattern.map(|pattern| format!(" containing `{pattern}`")).unwrap_or_default();
    Some(format!("{matching} violations{about}, and {wanted} expected: {}", messages()))
}
