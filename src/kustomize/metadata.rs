//! `labels`, `commonLabels` and `commonAnnotations`: entries for maps of texts.

use super::fieldspec::{FieldSpec, Leaf};
use super::resmap::ResMap;
use super::scalar;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::value::{Text, Tree};

/// The step.
pub(crate) struct Entries {
    /// What to set, sorted by key.
    pub(crate) pairs: Vec<(Text, Text)>,
    /// The maps that get it.
    pub(crate) specs: Vec<FieldSpec>,
}

impl Transformer for Entries {
    fn transform(&self, resources: &mut ResMap, _context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut() {
            let gvk = resource.gvk();
            for spec in &self.specs {
                spec.apply(&mut resource.tree, &gvk, Leaf::Map, &mut |value| self.set(value))
                    .map_err(|fault| Box::new(fault.trail(format!("in {} {}", gvk.kind, resource.origin.file), None)))?;
            }
        }
        Ok(())
    }
}

impl Entries {
    fn set(&self, value: &mut Tree) -> Result<()> {
        let Some(map) = value.as_map_mut() else {
            // Null where nothing may be made stays as it is.
            if value.is_null() {
                return Ok(());
            }
            let message = "labels and annotations must go to a map";
            return Err(Box::new(Diagnostic::input("kustomize-entries-field", message)));
        };
        for (key, text) in &self.pairs {
            map.set(key.clone(), scalar::string(text.clone()));
        }
        Ok(())
    }
}
