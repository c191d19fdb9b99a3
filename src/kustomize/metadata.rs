//! `labels`, `commonLabels` and `commonAnnotations`: entries for maps of texts.

use std::sync::Arc;

use super::fieldspec::{FieldSpec, Leaf, Way};
use super::resmap::ResMap;
use super::scalar;
use super::transformer::{Context, Transformer};
use super::twins::Twins;
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
            let mut made: Vec<Vec<Way>> = vec![Vec::new(); self.pairs.len()];
            let origin = Arc::clone(&resource.origin);
            resource.changing(|tree| {
                self.specs.iter().try_for_each(|spec| {
                    let mut set = |value: &mut Tree| self.set(value, &mut |pair| made[pair].push(spec.way()));
                    spec.apply(tree, &gvk, Leaf::Map, &mut set)
                        .map_err(|fault| Box::new(fault.trail(format!("in {} {}", gvk.kind, origin.file), None)))
                })
            })?;
            for ((key, _), ways) in self.pairs.iter().zip(made).filter(|(_, ways)| ways.len() > 1) {
                resource.twins.push(Twins::new(key.clone(), ways));
            }
        }
        Ok(())
    }
}

impl Entries {
    /// Sets the entries in a map; `made` is told which of them were not there before.
    fn set(&self, value: &mut Tree, made: &mut dyn FnMut(usize)) -> Result<()> {
        let Some(map) = value.as_map_mut() else {
            // Null where nothing may be made stays as it is.
            if value.is_null() {
                return Ok(());
            }
            let message = "labels and annotations must go to a map";
            return Err(Box::new(Diagnostic::input("kustomize-entries-field", message)));
        };
        for (pair, (key, text)) in self.pairs.iter().enumerate() {
            if map.set(key.clone(), scalar::string(text.clone())).is_none() {
                made(pair);
            }
        }
        Ok(())
    }
}
