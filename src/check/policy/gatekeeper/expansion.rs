//! What workloads make: an ExpansionTemplate turns a Deployment into the Pod of its template, which is reviewed as well.

use serde_json::{Value, json};

use crate::check::policy::Action;
use crate::check::policy::review::{kind_of, name, namespace};
use crate::diag::{Diagnostic, Result};

/// Expansions of what expansions made.
const DEPTH_MAX: usize = 30;

/// An ExpansionTemplate.
#[derive(Clone)]
pub(super) struct Expansion {
    name: String,
    applies: Vec<Value>,
    source: Vec<String>,
    kind: (String, String),
    action: Option<Action>,
}

/// An object that an expansion made.
pub(super) struct Implied {
    pub object: Value,
    pub template: String,
    pub action: Option<Action>,
    /// Where its source stands in the object that it was made of.
    pub path: Vec<String>,
}

impl Expansion {
    /// Reads a template. Fails with code `policy-invalid` without a source or kind.
    pub(super) fn read(object: &Value) -> Result<Expansion> {
        let spec = &object["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let generated = &spec["generatedGVK"];
        let (group, version) = (text(&generated["group"]), text(&generated["version"]));
        let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
        let (source, kind) = (text(&spec["templateSource"]), text(&generated["kind"]));
        if source.is_empty() || kind.is_empty() {
            let message = format!("the ExpansionTemplate `{}` lacks `templateSource` or `generatedGVK`", name(object));
            return Err(Box::new(Diagnostic::input("policy-invalid", message).hint("add both")));
        }
        let action = match spec["enforcementAction"].as_str() {
            Some("deny") => Some(Action::Deny),
            Some("warn") => Some(Action::Warn),
            Some("dryrun") => Some(Action::Note),
            _ => None,
        };
        let applies = spec["applyTo"].as_array().cloned().unwrap_or_default();
        let source = source.split('.').map(str::to_owned).collect();
        Ok(Expansion { name: name(object).to_owned(), applies, source, kind: (api_version, kind), action })
    }

    fn applies(&self, object: &Value) -> bool {
        let (group, version, kind) = kind_of(object);
        let within = |list: &Value, text: &str| list.as_array().is_some_and(|all| all.iter().any(|one| one == text));
        self.applies.iter().any(|row| within(&row["groups"], group) && within(&row["versions"], version) && within(&row["kinds"], kind))
    }

    fn made(&self, object: &Value) -> Option<Value> {
        let mut made = self.source.iter().try_fold(object, |value, step| value.get(step)).filter(|value| value.is_object())?.clone();
        made["apiVersion"] = json!(self.kind.0);
        made["kind"] = json!(self.kind.1);
        if !namespace(object).is_empty() {
            made["metadata"]["namespace"] = json!(namespace(object));
        }
        made["metadata"]["name"] = json!(format!("{}-{}", name(object), self.kind.1).to_lowercase());
        let owner = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": name(object), "uid": ""});
        match made["metadata"]["ownerReferences"].as_array_mut() {
            Some(owners) => owners.push(owner),
            None => made["metadata"]["ownerReferences"] = json!([owner]),
        }
        Some(made)
    }
}

/// All that expansions make of an object, and of what they make.
pub(super) fn expand(expansions: &[Expansion], object: &Value, depth: usize, made: &mut Vec<Implied>) {
    if depth >= DEPTH_MAX {
        return;
    }
    for expansion in expansions.iter().filter(|one| one.applies(object)) {
        if let Some(one) = expansion.made(object) {
            let first = made.len();
            expand(expansions, &one, depth + 1, made);
            for deeper in &mut made[first..] {
                deeper.path.splice(0..0, expansion.source.iter().cloned());
            }
            made.push(Implied { object: one, template: expansion.name.clone(), action: expansion.action, path: expansion.source.clone() });
        }
    }
}
