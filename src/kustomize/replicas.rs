//! `replicas`: replica counts by name.

use super::decode;
use super::fieldspec::{FieldSpec, Leaf};
use super::resmap::ResMap;
use super::resource::Resource;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings, did_you_mean};
use crate::value::{Kind, Scalar, Style, Text, Tree};

/// The step.
pub(crate) struct Replicas {
    name: Text,
    count: Text,
    specs: Vec<FieldSpec>,
}

impl Replicas {
    /// Reads one entry of `replicas`.
    pub(crate) fn from_config(replica: &Tree, specs: Vec<FieldSpec>) -> Replicas {
        let count = decode::text(replica, "count");
        let count = if count.is_empty() { "0".into() } else { count };
        Replicas { name: decode::text(replica, "name"), count, specs }
    }
}

impl Transformer for Replicas {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        let scopes = context.scopes();
        let mut found = false;
        for spec in &self.specs {
            let matches = resources.find_any(scopes, |id| id.name == self.name && id.gvk.is_selected(&spec.gvk));
            for position in matches {
                found = true;
                let resource = resources.at_mut(position);
                let gvk = resource.gvk();
                spec.apply(&mut resource.tree, &gvk, Leaf::Scalar, &mut |value| {
                    let Some(style) = value.as_scalar().map(|old| old.style) else {
                        let message = "a replica count must be a scalar";
                        return Err(Box::new(Diagnostic::input("kustomize-replicas-field", message)));
                    };
                    // kyaml keeps the quotes of the old count, and with them the new one is a text
                    let kind = if style == Style::Plain { Kind::Int } else { Kind::Str };
                    *value = Tree::Scalar(Scalar { kind, style, text: self.count.clone() });
                    Ok(())
                })?;
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<String> = self.specs.iter().map(|spec| spec.gvk.to_string()).collect();
        let message =
            format!("resource with name `{}` does not match a config with any of {}", self.name, kinds.join(", "));
        let fault = Diagnostic::input("kustomize-replicas-missing", message);
        let names: Vec<Text> = resources.iter().map(Resource::name).collect();
        Err(Box::new(match did_you_mean(&self.name, names.iter().map(Text::as_str)) {
            Some(near) => fault.hint(format!("use `{near}`")),
            None => fault.hint("give the name that the object has in this kustomization, or had before"),
        }))
    }
}
