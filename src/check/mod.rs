//! Rules over a manifest set: schema, policies and what only the whole set shows.
//!
//! In: a [`Set`] and [`Rules`]: the shapes of a Kubernetes version, custom kinds, policies, and which checks are off. Out:
//! [`Finding`]s in the order of the objects, which [`place`] puts at source lines and [`report`] prints. Nothing here does I/O: policies
//! come as objects, and the time that they may take comes with the rules.

mod baseline;
mod codes;
mod configs;
mod facts;
mod finding;
mod kinds;
mod matching;
mod metadata;
mod names;
mod place;
mod pods;
#[cfg(feature = "policy")]
mod policy;
mod report;
mod services;
mod walk;
mod whole;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diag::{Diagnostic, Result, Severity, SourceText};
use crate::manifest::{Object, Set};
use crate::schema::{Link, Shapes};
use crate::yaml;

pub use baseline::Baseline;
pub use codes::is_code;
pub use finding::Finding;
pub use kinds::Kinds;
pub use place::Places;
#[cfg(feature = "policy")]
pub use policy::{Policies, Suite, Verdict};
pub use report::{Form, Judged, print};

use kinds::Answer;
#[cfg(feature = "policy")]
use kinds::plural as kinds_plural;
use walk::Walk;

/// What a set is checked by.
pub struct Rules {
    /// The built-in kinds of one Kubernetes version.
    pub shapes: Shapes,
    /// Custom kinds known besides those that the set defines.
    pub kinds: Kinds,
    /// Codes of checks that are off.
    pub off: BTreeSet<String>,
    /// The policies.
    #[cfg(feature = "policy")]
    pub policies: Policies,
}

/// An object as JSON, as policies and schemas see it.
pub fn json(object: &Object) -> Value {
    json_of(object.tree())
}

/// A tree as JSON.
pub fn json_of(tree: &crate::value::Tree) -> Value {
    // what a tree prints is JSON; only numbers that JSON has no words for fail
    serde_json::from_str(&yaml::to_json(tree)).unwrap_or_default()
}

/// Checks a set. Findings come in the order of the objects; those of switched-off checks are left out.
pub fn check(set: &Set, rules: &mut Rules) -> Vec<Finding> {
    let objects: Vec<Value> = set.objects.iter().map(json).collect();
    for object in &objects {
        rules.kinds.add(object);
    }
    let mut findings = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        schema(index, object, rules, &mut findings);
        findings.extend(duplicate_keys(index, &set.objects[index]));
    }
    whole::whole(set, &objects, rules, &mut findings);
    #[cfg(feature = "policy")]
    rules.policies.judge(&objects, &mut findings);
    findings.retain(|finding| !rules.off.contains(finding.code));
    findings.sort_by_key(|finding| finding.object);
    findings
}

/// One object against its kind.
fn schema(index: usize, object: &Value, rules: &Rules, findings: &mut Vec<Finding>) {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let shapes = &rules.shapes;
    if let Some(known) = shapes.kind(api_version, kind) {
        let mut walk = Walk::new(shapes, index, true);
        walk.claims = (kind == "StatefulSet").then(|| {
            let claims = object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
            claims.filter_map(|claim| claim["metadata"]["name"].as_str().map(str::to_owned)).collect()
        });
        walk.value(object, &known.link);
        metadata::metadata(&mut walk, object, Some(known.namespaced));
        findings.append(&mut walk.findings);
        return;
    }
    match rules.kinds.get(group, version, kind) {
        Answer::Known(namespaced, link) => custom(index, object, namespaced, link, rules, findings),
        Answer::NoVersion(served) => {
            let message = format!("`{kind}` has no version `{version}`");
            let finding = Finding::error("kind-unknown", index, &["apiVersion".to_owned()], message);
            findings.push(finding.hint(format!("write one of {}", served.join(", "))));
        }
        Answer::Unknown => {
            let mut walk = Walk::new(shapes, index, true);
            metadata::metadata(&mut walk, object, None);
            findings.append(&mut walk.findings);
            findings.extend(unknown(index, api_version, kind, group, shapes));
        }
    }
}

fn custom(index: usize, object: &Value, namespaced: bool, link: Option<&Link>, rules: &Rules, findings: &mut Vec<Finding>) {
    let mut walk = Walk::new(&rules.shapes, index, false);
    metadata::metadata(&mut walk, object, Some(namespaced));
    let Some(link) = link else {
        return findings.append(&mut walk.findings);
    };
    let mut object = object.clone();
    walk::with_defaults(&rules.shapes, &mut object, link);
    walk.value(&object, link);
    let broken = !walk.findings.is_empty();
    findings.append(&mut walk.findings);
    // rules may count on the schema, as they may in a server
    #[cfg(feature = "policy")]
    if !broken {
        for (path, shape) in &walk.ruled {
            policy::rules_of_kind(index, &object, path, shape, &rules.shapes, findings);
        }
    }
    #[cfg(not(feature = "policy"))]
    let _ = broken;
}

/// A kind that nothing defines: one that was removed, one misspelt, or one that the cluster may know.
fn unknown(index: usize, api_version: &str, kind: &str, group: &str, shapes: &Shapes) -> Option<Finding> {
    let path = ["apiVersion".to_owned()];
    let others = shapes.others(kind);
    if let Some((first, last)) = shapes.served(api_version, kind) {
        let message = format!("Kubernetes {} does not serve `{kind}` of `{api_version}`", shapes.version());
        let finding = Finding::error("api-removed", index, &path, message);
        return Some(finding.hint(match others.first() {
            Some(other) => format!("write `apiVersion: {other}`"),
            None => format!("replace it: it was served from {first} to {last}"),
        }));
    }
    if !shapes.knows_group(group) {
        return None;
    }
    // an old group that was gone before the oldest version here is a removal, too
    if let Some(other) = others.first() {
        let message = format!("Kubernetes {} does not serve `{kind}` of `{api_version}`", shapes.version());
        return Some(Finding::error("api-removed", index, &path, message).hint(format!("write `apiVersion: {other}`")));
    }
    let finding =
        Finding::error("kind-unknown", index, &["kind".to_owned()], format!("`{api_version}` has no kind `{kind}`"));
    let nearest = crate::diag::did_you_mean(kind, shapes.kinds_of(api_version));
    Some(match nearest {
        Some(name) => finding.hint(format!("write `{name}`")),
        None => finding,
    })
}

/// A key that stands twice, in the text that the object was read from.
fn duplicate_keys(index: usize, object: &Object) -> Option<Finding> {
    let raw = object.raw()?;
    let text = SourceText::new(object.origin.file.as_str(), raw.clone());
    let fault = yaml::parse_strict(&text, yaml::Dialect::V2).err()?;
    let message = fault.message.lines().map(str::trim).find(|line| line.contains("already set in map"))?;
    let key = message.split("key ").nth(1).and_then(|rest| rest.split(" already").next()).unwrap_or_default();
    let key = key.trim_matches('"');
    Some(Finding::error("schema-duplicate-key", index, &[], format!("the key `{key}` stands twice in a map")).hint("remove one: the last counts"))
}

/// The gravest finding.
pub fn gravest(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Fails with code `check-unknown` for a switch that names no check.
pub fn known_codes(codes: &[String]) -> Result<BTreeSet<String>> {
    for code in codes {
        if !is_code(code) {
            let fault = Diagnostic::input("check-unknown", format!("there is no check `{code}`"));
            let nearest = crate::diag::did_you_mean(code, codes::CODES.iter().map(|row| row.code));
            return Err(Box::new(match nearest {
                Some(nearest) => fault.hint(format!("write `{nearest}`")),
                None => fault.hint("see docs/checks.md for all"),
            }));
        }
    }
    Ok(codes.iter().cloned().collect())
}

/// What is wrong with an object of a custom kind, by its schema alone.
#[cfg(feature = "policy")]
fn custom_faults(object: &Value, kinds: &Kinds) -> Result<Vec<Finding>> {
    let rules = Rules { shapes: Shapes::of(&Shapes::newest())?, kinds: kinds.clone(), off: BTreeSet::new(), policies: Policies::default() };
    let mut findings = Vec::new();
    schema(0, object, &rules, &mut findings);
    findings.retain(|finding| finding.severity == Severity::Error);
    Ok(findings)
}
