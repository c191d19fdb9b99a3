//! Custom kinds: which there are, where they live, and the shape of each version.
//!
//! In: objects that define kinds: CustomResourceDefinitions, and the templates of Gatekeeper's constraints. Out: [`Kinds`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::schema::{Link, Shape, shape};

/// A custom kind.
#[derive(Clone, Debug)]
struct Custom {
    namespaced: bool,
    /// The served versions; a version without a schema takes anything.
    versions: BTreeMap<String, Option<Link>>,
}

/// The custom kinds that are known.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    customs: BTreeMap<(String, String), Custom>,
}

/// What is known of a version of a custom kind.
pub(super) enum Answer<'k> {
    /// Nobody defines the kind.
    Unknown,
    /// The kind has no such version; these are served.
    NoVersion(Vec<&'k str>),
    /// The kind's scope and shape.
    Known(bool, Option<&'k Link>),
}

impl Kinds {
    /// Adds what an object defines, if it defines a kind.
    pub fn add(&mut self, object: &Value) {
        match object["kind"].as_str() {
            Some("CustomResourceDefinition") => self.add_definition(object),
            Some("ConstraintTemplate") => self.add_template(object),
            _ => {}
        }
    }

    /// What is known of a kind.
    pub(super) fn get(&self, group: &str, version: &str, kind: &str) -> Answer<'_> {
        match self.customs.get(&(group.to_owned(), kind.to_owned())) {
            None => Answer::Unknown,
            Some(custom) => match custom.versions.get(version) {
                Some(link) => Answer::Known(custom.namespaced, link.as_ref()),
                None => Answer::NoVersion(custom.versions.keys().map(String::as_str).collect()),
            },
        }
    }

    fn add_definition(&mut self, object: &Value) {
        let spec = &object["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
        let link = |schema: &Value| schema.is_object().then(|| Link::Shape(std::sync::Arc::new(root(schema))));
        let shared = &spec["validation"]["openAPIV3Schema"];
        let mut versions = BTreeMap::new();
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != false {
                let own = &version["schema"]["openAPIV3Schema"];
                versions.insert(text(&version["name"]), link(if own.is_object() { own } else { shared }));
            }
        }
        if let Some(version) = spec["version"].as_str() {
            versions.entry(version.to_owned()).or_insert_with(|| link(shared));
        }
        let namespaced = spec["scope"] == "Namespaced";
        if !group.is_empty() && !kind.is_empty() {
            self.customs.insert((group, kind), Custom { namespaced, versions });
        }
    }

    /// A template makes a kind of constraints, whose parameters have the template's schema.
    fn add_template(&mut self, object: &Value) {
        let crd = &object["spec"]["crd"]["spec"];
        let Some(kind) = crd["names"]["kind"].as_str() else { return };
        let mut parameters = crd["validation"]["openAPIV3Schema"].clone();
        let legacy = object["apiVersion"].as_str().is_some_and(|version| !version.ends_with("/v1"))
            && crd["validation"]["legacySchema"] != false;
        if !parameters.is_object() {
            parameters = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        } else if legacy {
            parameters["x-kubernetes-preserve-unknown-fields"] = json!(true);
        }
        let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "enforcementAction": {"type": "string"}, "match": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "parameters": parameters}});
        let schema = json!({"type": "object", "properties": {"spec": spec, "status":
            {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
        let link = Link::Shape(std::sync::Arc::new(root(&schema)));
        let versions = ["v1beta1", "v1alpha1"].map(|version| (version.to_owned(), Some(link.clone())));
        let custom = Custom { namespaced: false, versions: versions.into_iter().collect() };
        self.customs.insert(("constraints.gatekeeper.sh".to_owned(), kind.to_owned()), custom);
    }
}

/// The shape of a whole object: what every object has is checked for all kinds alike.
fn root(schema: &Value) -> Shape {
    let mut shape = shape(schema);
    for field in ["apiVersion", "kind", "metadata"] {
        shape.fields.remove(field);
        shape.required.retain(|one| one != field);
    }
    if let Some(extra) = &mut shape.extra {
        extra.embedded = true;
    }
    shape
}

/// The name of a kind's resource, as a server's paths have it.
pub(super) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "endpoints" => lower,
        _ if lower.ends_with(['s', 'x']) || lower.ends_with("ch") || lower.ends_with("sh") => format!("{lower}es"),
        _ if lower.ends_with('y') && !lower.ends_with("ay") && !lower.ends_with("ey") => {
            format!("{}ies", &lower[..lower.len() - 1])
        }
        _ => format!("{lower}s"),
    }
}
