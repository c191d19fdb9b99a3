//! Policies of a cluster, evaluated on rendered objects: Gatekeeper's, ValidatingAdmissionPolicies, Kyverno's, and the CEL
//! rules of custom kinds.
//!
//! In: policies as objects, then the set's objects. Out: findings, each with its policy's name. A policy is compiled once. What is
//! not evaluated here is a finding too, `policy-unevaluated`, so that silence always means a verdict.

mod admission;
mod cel;
mod gatekeeper;
mod kyverno;
mod review;
mod suite;

use std::thread;

use serde_json::Value;

use crate::diag::{Result, Severity};
use crate::schema::{Shape, Shapes};

use super::finding::Finding;

pub use suite::{Suite, Verdict};

use review::World;

/// What policies may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time of one policy on one object, in milliseconds.
    pub policy_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        // policies take microseconds; this is four orders above, and a loop is still seen while a person waits
        Limits { policy_ms: 2_000 }
    }
}

/// Objects from which on reviewing them on several threads pays.
const OBJECTS_MIN: usize = 64;

/// All policies.
#[derive(Clone)]
pub struct Policies {
    limits: Limits,
    language: cel::Language,
    gatekeeper: gatekeeper::Gatekeeper,
    admission: admission::Admission,
    kyverno: kyverno::Kyverno,
}

impl Default for Policies {
    fn default() -> Policies {
        Policies::new(Limits::default())
    }
}

/// What a policy says of an object.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    /// The policy.
    pub policy: String,
    /// Its message.
    pub message: String,
    /// What is to become of it.
    pub action: Action,
    /// Where, below the object's root.
    pub path: Vec<String>,
}

/// What is to become of an object that a policy denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It is refused.
    Deny,
    /// Somebody is told.
    Warn,
    /// It is counted.
    Note,
    /// The policy, or a part of it, is not evaluated here.
    Unevaluated,
    /// The policy fails.
    Error,
}

impl Policies {
    /// No policies yet.
    pub fn new(limits: Limits) -> Policies {
        Policies {
            limits,
            language: cel::Language::new(),
            gatekeeper: gatekeeper::Gatekeeper::default(),
            admission: admission::Admission::default(),
            kyverno: kyverno::Kyverno::default(),
        }
    }

    /// Adds an object, if it is a policy or belongs to one.
    ///
    /// Fails with code `policy-invalid` for one that a cluster would refuse.
    pub fn add(&mut self, object: &Value) -> Result<()> {
        self.gatekeeper.add(object)?;
        self.admission.add(object);
        self.kyverno.add(object);
        Ok(())
    }

    /// Compiles what was added. Fails with code `policy-invalid`.
    pub fn compile(&mut self) -> Result<()> {
        self.gatekeeper.compile(&self.language, self.limits)?;
        self.admission.compile(&self.language)?;
        self.kyverno.compile(&self.language);
        Ok(())
    }

    /// Judges all objects of a set.
    pub(super) fn judge(&mut self, objects: &[Value], findings: &mut Vec<Finding>) {
        if self.gatekeeper.is_empty() && self.admission.is_empty() && self.kyverno.is_empty() {
            return;
        }
        let world = World::of(objects);
        self.gatekeeper.inventory(objects);
        let threads = if objects.len() < OBJECTS_MIN { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
        let part = objects.len().div_ceil(threads).max(1);
        let reviewed: Vec<Vec<Denial>> = thread::scope(|scope| {
            let world = &world;
            let workers: Vec<_> = objects
                .chunks(part)
                .map(|chunk| {
                    // an engine is at one evaluation at a time; what it has compiled is shared
                    let mut own = self.clone();
                    scope.spawn(move || chunk.iter().map(|object| own.review(object, world)).collect::<Vec<_>>())
                })
                .collect();
            // a worker that panics is a bug, which goes on here
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for (index, denials) in reviewed.into_iter().enumerate() {
            findings.extend(denials.into_iter().map(|denial| finding(index, denial)));
        }
        self.kyverno.unevaluated(objects.len()).into_iter().for_each(|denial| findings.push(finding(0, denial)));
    }

    /// What all policies say of one object.
    fn review(&mut self, object: &Value, world: &World<'_>) -> Vec<Denial> {
        let mut denials = self.gatekeeper.review(object, world, &self.language);
        denials.extend(self.admission.review(object, world, &self.language));
        denials.extend(self.kyverno.review(object, world, &self.language));
        denials
    }
}

fn finding(index: usize, denial: Denial) -> Finding {
    let (code, severity) = match denial.action {
        Action::Deny => ("policy-denied", Severity::Error),
        Action::Warn => ("policy-warned", Severity::Warning),
        Action::Note => ("policy-warned", Severity::Note),
        Action::Unevaluated => ("policy-unevaluated", Severity::Warning),
        Action::Error => ("policy-error", Severity::Error),
    };
    let message = denial.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut finding = Finding::error(code, index, &denial.path, message).of_policy(denial.policy);
    finding.severity = severity;
    finding
}

/// The CEL rules of a shape, on the value at a path of an object.
pub(super) fn rules_of_kind(index: usize, object: &Value, path: &[String], shape: &Shape, shapes: &Shapes, findings: &mut Vec<Finding>) {
    let Some(extra) = &shape.extra else { return };
    let value = path.iter().fold(object, |value, step| match value {
        Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(&Value::Null),
        other => other.get(step).unwrap_or(&Value::Null),
    });
    let language = cel::Language::new();
    let mut scope = language.scope();
    scope.set("self", cel::shaped(value, shape, shapes));
    for rule in &extra.rules {
        let program = match language.compile(&rule.expression, &cel::Variables::new()) {
            Ok(program) => program,
            Err(why) => {
                findings.push(Finding::error("schema-rule-error", index, path, format!("the rule `{}` cannot be read: {why}", rule.expression)));
                continue;
            }
        };
        if program.names("oldSelf") {
            if !rule.optional_old_self {
                // a rule about a change says nothing of a new object
                continue;
            }
            scope.set("oldSelf", cel::nothing());
        }
        let scope = &scope;
        match scope.holds(&program) {
            Ok(true) => {}
            Ok(false) => {
                let made = (!rule.message_expression.is_empty())
                    .then(|| language.compile(&rule.message_expression, &cel::Variables::new()).ok())
                    .flatten()
                    .and_then(|program| scope.text(&program));
                let message = made.unwrap_or_else(|| {
                    if rule.message.is_empty() { format!("failed rule: {}", rule.expression) } else { rule.message.clone() }
                });
                let mut at = path.to_vec();
                at.extend(rule.field_path.split('.').filter(|step| !step.is_empty()).map(str::to_owned));
                findings.push(Finding::error("schema-rule", index, &at, message));
            }
            Err(why) => {
                findings.push(Finding::error("schema-rule-error", index, path, format!("the rule `{}` fails: {why}", rule.expression)));
            }
        }
    }
}
