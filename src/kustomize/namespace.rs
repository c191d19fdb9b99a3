//! `namespace`: sets the namespace of objects and of the fields that hold it.

use rustc_hash::FxHashMap;

use super::fieldspec::{FieldSpec, Leaf};
use super::resid::{Gvk, Key};
use super::resmap::ResMap;
use super::scalar;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::value::{Kind, Text, Tree};

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// Every service account.
    ServiceAccounts,
    /// None.
    None,
}

impl Subjects {
    /// Reads `setRoleBindingSubjects`.
    pub(crate) fn from_config(word: &str) -> Result<Subjects> {
        match word {
            "" | "defaultOnly" => Ok(Subjects::Default),
            "allServiceAccounts" => Ok(Subjects::ServiceAccounts),
            "none" => Ok(Subjects::None),
            _ => Err(Box::new(
                Diagnostic::input("kustomize-subjects", format!("invalid value `{word}` for `setRoleBindingSubjects`"))
                    .hint("use `defaultOnly`, `allServiceAccounts` or `none`"),
            )),
        }
    }
}

/// The step.
pub(crate) struct Namespace {
    /// The namespace to set.
    #[expect(clippy::struct_field_names, reason = "the field of the kustomization")]
    pub(crate) namespace: Text,
    /// Fields beside `metadata.namespace`.
    pub(crate) specs: Vec<FieldSpec>,
    /// Leaves fields alone that have a value.
    pub(crate) unset_only: bool,
    /// Which subjects of role bindings are set.
    pub(crate) subjects: Subjects,
}

impl Transformer for Namespace {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let scopes = context.scopes();
        let mut taken: FxHashMap<Key, u32> = FxHashMap::default();
        for resource in resources.iter() {
            *taken.entry(resource.current_id(scopes).key()).or_default() += 1;
        }
        for resource in resources.iter_mut() {
            if resource.is_gone() || (resource.from_chart && context.profile.namespace_skips_chart_objects()) {
                continue;
            }
            let before = resource.current_id(scopes);
            resource.store_previous_id(scopes);
            self.set_all(&mut resource.tree, &before.gvk, before.cluster_scoped).map_err(|fault| {
                Box::new(fault.trail(format!("in {before}"), None))
            })?;
            let after = resource.current_id(scopes);
            let (before, key) = (before.key(), after.key());
            if before != key {
                taken.entry(before).and_modify(|count| *count -= 1);
                *taken.entry(key.clone()).or_default() += 1;
            }
            if taken.get(&key) != Some(&1) {
                let message = format!("namespace transformation produces ID conflict: {after}");
                let fault = Diagnostic::input("kustomize-namespace-conflict", message);
                return Err(Box::new(fault.trail(format!("object from `{}`", resource.origin.file), None)));
            }
        }
        Ok(())
    }
}

impl Namespace {
    /// Sets the namespace on one object.
    pub(crate) fn set_all(&self, tree: &mut Tree, gvk: &Gvk, cluster_scoped: bool) -> Result<()> {
        if !cluster_scoped {
            let own = FieldSpec::new(Gvk::default(), "metadata/namespace", true);
            own.walk(tree, Leaf::Scalar, &mut |value| self.set(value))?;
        }
        let is_binding = matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding && self.subjects != Subjects::None {
            self.set_subjects(tree)?;
        }
        for spec in &self.specs {
            let core_name = spec.path == "metadata/name" && gvk.api_version() != "v1";
            let binding = matches!(spec.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
            let subjects = is_binding && binding && spec.path == "subjects/namespace";
            if spec.path != "metadata/namespace" && !core_name && !subjects {
                spec.apply(tree, gvk, Leaf::Scalar, &mut |value| self.set(value))?;
            }
        }
        Ok(())
    }

    fn set(&self, value: &mut Tree) -> Result<()> {
        let Some(old) = value.as_scalar() else {
            let message = "namespace field specs must target scalars";
            return Err(Box::new(Diagnostic::input("kustomize-namespace-field", message)));
        };
        if !(self.unset_only && old.kind != Kind::Null && !old.text.is_empty()) {
            *value = scalar::string(self.namespace.clone());
        }
        Ok(())
    }

    fn set_subjects(&self, tree: &mut Tree) -> Result<()> {
        let (field, wanted) = match self.subjects {
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
            _ => ("name", "default"),
        };
        let is_wanted = |subject: &Tree| {
            subject.get(field).and_then(Tree::as_scalar).is_some_and(|scalar| scalar.text == wanted)
        };
        let Some(map) = tree.as_map_mut() else { return Ok(()) };
        let Some(subjects) = map.get_mut("subjects").filter(|subjects| !subjects.is_null()) else { return Ok(()) };
        let Some(items) = subjects.as_list_mut() else {
            let message = "`subjects` of a role binding is no list";
            return Err(Box::new(Diagnostic::input("kustomize-subjects", message)));
        };
        for subject in items.iter_mut().filter(|subject| is_wanted(subject)) {
            if let Some(map) = subject.as_map_mut() {
                self.set(map.or_set_with("namespace", || Tree::str("")))?;
            }
        }
        Ok(())
    }
}
