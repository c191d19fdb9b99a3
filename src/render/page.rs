//! A finished root: its objects as texts, and what there was to say.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Result, to_json, to_text};
use crate::manifest::{self, Object};
use crate::schema::Schema;
use crate::yaml;

use super::Rendered;

/// What one root came to. Holds texts only, so that a kept one is the same as a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects in order.
    pub documents: Vec<Document>,
    /// The warnings in order.
    pub remarks: Vec<Remark>,
    /// Objects that another render would print otherwise; a kept page has none.
    pub unsteady: Vec<String>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name that kustomize gives its file.
    pub file_name: String,
    /// Its text.
    pub text: String,
}

/// A warning in the forms in which it may be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: String,
}

impl Page {
    /// Prints a render. Fails with `yaml-unprintable` on a value that Go refuses to print.
    pub fn of(rendered: &Rendered) -> Result<Page> {
        let objects = &rendered.set.objects;
        let document = |(object, file_name): (&Object, String)| {
            let text = if object.raw().is_some() { object.text() } else { yaml::to_string_strict(object.tree())? };
            Ok(Document { file_name, text })
        };
        let remark = |warning: &Diagnostic| Remark { text: to_text(warning, false), json: to_json(warning) };
        Ok(Page {
            documents: objects.iter().zip(file_names(objects)).map(document).collect::<Result<_>>()?,
            remarks: rendered.warnings.iter().map(remark).collect(),
            unsteady: rendered.unsteady.clone(),
        })
    }

    /// All objects as one text, as `kustomize build` prints them.
    pub fn to_yaml(&self) -> String {
        manifest::join(self.documents.iter().map(|document| document.text.as_str()))
    }
}

/// The names that kustomize gives objects' files: group, version, kind and name, behind the namespace where there are several.
fn file_names(objects: &[Object]) -> Vec<String> {
    let schema = Schema::builtin();
    let namespace = |object: &Object| {
        let id = &object.id;
        let own = if id.namespace.is_empty() { "default" } else { &id.namespace };
        (!schema.is_cluster_scoped(&id.group, &id.version, &id.kind)).then(|| own.to_owned())
    };
    let namespaces: Vec<Option<String>> = objects.iter().map(namespace).collect();
    let several = namespaces.iter().flatten().collect::<BTreeSet<_>>().len() > 1;
    let name = |(object, namespace): (&Object, Option<String>)| {
        let id = &object.id;
        let parts = [&id.group, &id.version, &id.kind, &id.name];
        let parts = parts.iter().filter(|part| !part.is_empty()).map(|part| part.to_lowercase());
        let own = namespace.filter(|_| several).map(|namespace| namespace.to_lowercase());
        format!("{}.yaml", own.into_iter().chain(parts).collect::<Vec<_>>().join("_"))
    };
    objects.iter().zip(namespaces).map(name).collect()
}
