//! Gatekeeper: ConstraintTemplates in Rego and CEL, Constraints, and ExpansionTemplates.
//!
//! In: those objects; then a set's objects. Out: denials, with the verdicts that `gator test` gives: no operation in the request,
//! `data.inventory` from the set itself, pods of workloads by expansion where a template says so.

mod expansion;
mod matching;
mod rego;
mod template;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Result};

use super::cel::Language;
use super::review::{World, kind_of, name, request};
use super::{Action, Denial, Limits};
use template::Template;

/// Templates, constraints and expansions.
#[derive(Clone, Default)]
pub(super) struct Gatekeeper {
    sources: Vec<Value>,
    templates: BTreeMap<String, Template>,
    constraints: Vec<Constraint>,
    expansions: Vec<expansion::Expansion>,
}

/// A constraint.
#[derive(Clone)]
struct Constraint {
    /// Its kind, which is its template's.
    kind: String,
    /// `Kind/name`.
    title: String,
    whole: Value,
    /// The parameters as Rego sees them.
    parameters: regorus::Value,
    actions: Vec<Action>,
}

/// An object under review.
pub(super) struct Review<'a> {
    pub object: &'a Value,
    /// The request, made when a constraint first matches.
    request: OnceCell<Value>,
    pub namespace: Option<Value>,
    /// True for what an expansion made.
    pub generated: bool,
}

impl Review<'_> {
    /// The request that brings the object.
    pub(super) fn request(&self) -> &Value {
        self.request.get_or_init(|| gator_request(self.object))
    }
}

impl Gatekeeper {
    /// Keeps an object for [`Gatekeeper::compile`], if it is one of Gatekeeper's.
    pub(super) fn add(&mut self, object: &Value) -> Result<()> {
        let (group, _, kind) = kind_of(object);
        match (group, kind) {
            ("templates.gatekeeper.sh", "ConstraintTemplate") => self.sources.push(object.clone()),
            ("constraints.gatekeeper.sh", _) => self.constraints.push(constraint(object)),
            ("expansion.gatekeeper.sh", "ExpansionTemplate") => self.expansions.push(expansion::Expansion::read(object)?),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.constraints.is_empty()
    }

    /// Compiles each template once.
    pub(super) fn compile(&mut self, language: &Language, limits: Limits) -> Result<()> {
        for object in std::mem::take(&mut self.sources) {
            let template = Template::read(&object, language, limits)?;
            self.templates.insert(template.kind.clone(), template);
        }
        for constraint in &self.constraints {
            if !self.templates.contains_key(&constraint.kind) {
                let message = format!("the constraint `{}` has no template for its kind", constraint.title);
                let fault = Diagnostic::input("policy-invalid", message);
                return Err(Box::new(fault.hint("add the ConstraintTemplate to the policies")));
            }
        }
        Ok(())
    }

    /// Gives templates that ask for it what the set holds.
    pub(super) fn inventory(&mut self, objects: &[Value]) {
        if !self.templates.values().any(Template::asks_inventory) {
            return;
        }
        let mut inventory = json!({"cluster": {}, "namespace": {}});
        for object in objects {
            let (version, kind) = (object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str().unwrap_or_default());
            let namespace = super::review::namespace(object);
            let group = if namespace.is_empty() { &mut inventory["cluster"] } else { &mut inventory["namespace"][namespace] };
            group[version][kind][name(object)] = object.clone();
        }
        let data = regorus::Value::from(json!({ "inventory": inventory }));
        for template in self.templates.values_mut() {
            template.give(&data);
        }
    }

    /// What all constraints say of an object, and of what expansions make of it.
    pub(super) fn review(&mut self, object: &Value, world: &World<'_>, language: &Language) -> Vec<Denial> {
        if self.constraints.is_empty() {
            return Vec::new();
        }
        // an object that the set gives no namespace for is judged as gator judges it: by the name that it declares
        let namespace = Some(super::review::namespace(object)).filter(|name| world.knows(name)).and_then(|_| world.namespace(object));
        let mut denials = Vec::new();
        let review = Review { object, request: OnceCell::new(), namespace: namespace.clone(), generated: false };
        self.judge(&review, language, &mut |denial| denials.push(denial));
        let mut implied = Vec::new();
        expansion::expand(&self.expansions, object, 0, &mut implied);
        for one in &implied {
            let review = Review { object: &one.object, request: OnceCell::new(), namespace: namespace.clone(), generated: true };
            self.judge(&review, language, &mut |mut denial| {
                denial.message = format!("[Implied by {}] {}", one.template, denial.message);
                denial.action = one.action.unwrap_or(denial.action);
                denial.path.clone_from(&one.path);
                denials.push(denial);
            });
        }
        denials
    }

    /// What all constraints say of a request as it is.
    pub(super) fn review_request(&mut self, object: &Value, request: Value, language: &Language) -> Vec<Denial> {
        let mut denials = Vec::new();
        let review = Review { object, request: OnceCell::from(request), namespace: None, generated: false };
        self.judge(&review, language, &mut |denial| denials.push(denial));
        denials
    }

    fn judge(&mut self, review: &Review<'_>, language: &Language, found: &mut dyn FnMut(Denial)) {
        let mut rego = None;
        let mut scope = None;
        for constraint in &self.constraints {
            match matching::matches(&constraint.whole["spec"]["match"], review) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(why) => {
                    found(denial(constraint, Action::Error, why));
                    continue;
                }
            }
            let Some(template) = self.templates.get_mut(&constraint.kind) else { continue };
            let verdict = template.judge(review, &constraint.whole, &constraint.parameters, language, &mut rego, &mut scope);
            match verdict {
                Ok(messages) => {
                    for message in messages {
                        constraint.actions.iter().for_each(|action| found(denial(constraint, *action, message.clone())));
                    }
                }
                Err((action, why)) => found(denial(constraint, action, why)),
            }
        }
    }
}

fn denial(constraint: &Constraint, action: Action, message: String) -> Denial {
    Denial { policy: constraint.title.clone(), message, action, path: Vec::new() }
}

/// The request of `gator test`: it says neither the operation nor the user.
fn gator_request(object: &Value) -> Value {
    let mut request = request(object);
    request["operation"] = json!("");
    request["userInfo"] = json!({});
    for field in ["requestKind", "requestResource", "subResource"] {
        if let Some(map) = request.as_object_mut() {
            map.remove(field);
        }
    }
    request["resource"] = json!({"group": "", "version": "", "resource": ""});
    request["uid"] = json!("");
    request
}

fn constraint(object: &Value) -> Constraint {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let spec = &object["spec"];
    let parameters = if spec["parameters"].is_null() { json!({}) } else { spec["parameters"].clone() };
    let action = |text: &str| match text {
        "" | "deny" => Some(Action::Deny),
        "warn" => Some(Action::Warn),
        "dryrun" => Some(Action::Note),
        _ => None,
    };
    let text = spec["enforcementAction"].as_str().unwrap_or_default();
    let actions = if text == "scoped" {
        scoped(&spec["scopedEnforcementActions"]).into_iter().filter_map(|text| action(&text)).collect()
    } else {
        action(text).into_iter().collect()
    };
    Constraint {
        title: format!("{kind}/{}", name(object)),
        kind,
        parameters: regorus::Value::from(parameters),
        whole: object.clone(),
        actions,
    }
}

/// The actions that hold where a webhook or CI decides.
fn scoped(rows: &Value) -> Vec<String> {
    let points = ["*", "gator.gatekeeper.sh", "validation.gatekeeper.sh"];
    let here = |row: &&Value| {
        row["enforcementPoints"].as_array().into_iter().flatten().any(|point| point["name"].as_str().is_some_and(|name| points.contains(&name)))
    };
    let mut actions: Vec<String> = rows
        .as_array()
        .into_iter()
        .flatten()
        .filter(here)
        .filter_map(|row| row["action"].as_str().map(str::to_owned))
        .collect();
    actions.sort();
    actions.dedup();
    actions
}
