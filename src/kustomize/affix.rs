//! `namePrefix` and `nameSuffix`.

use super::fieldspec::{FieldSpec, Leaf};
use super::resid::Gvk;
use super::resmap::ResMap;
use super::scalar;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::value::{Text, Tree};

/// At which end of a name the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Before it.
    Prefix,
    /// After it.
    Suffix,
}

/// The step.
pub(crate) struct Affix {
    /// Which end.
    pub(crate) end: End,
    /// The text; an empty one changes nothing.
    pub(crate) text: Text,
    /// The fields that get it.
    pub(crate) specs: Vec<FieldSpec>,
}

/// Kinds whose names stand for something else than an object of the user's.
fn is_skipped(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.group == "apiregistration.k8s.io" && gvk.kind == "APIService")
}

impl Transformer for Affix {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        let scopes = context.scopes();
        for resource in resources.iter_mut() {
            let original = resource.original_id(scopes);
            if is_skipped(&original.gvk) {
                continue;
            }
            for spec in self.specs.iter().filter(|spec| original.gvk.is_selected(&spec.gvk)) {
                if spec.path == "metadata/name" && !self.text.is_empty() {
                    let affixes = match self.end {
                        End::Prefix => &mut resource.prefixes,
                        End::Suffix => &mut resource.suffixes,
                    };
                    affixes.push(self.text.clone());
                    resource.store_previous_id(scopes);
                }
                let gvk = resource.gvk();
                spec.apply(&mut resource.tree, &gvk, Leaf::Scalar, &mut |value| self.set(value))
                    .map_err(|fault| Box::new(fault.trail(format!("in {original}"), None)))?;
            }
        }
        Ok(())
    }
}

impl Affix {
    fn set(&self, value: &mut Tree) -> Result<()> {
        let Some(old) = value.as_scalar() else {
            let message = "a name prefix or suffix must go to a scalar";
            return Err(Box::new(Diagnostic::input("kustomize-affix-field", message)));
        };
        let text = match self.end {
            End::Prefix => format!("{}{}", self.text, old.text),
            End::Suffix => format!("{}{}", old.text, self.text),
        };
        *value = scalar::untagged_over(value, text);
        Ok(())
    }
}
