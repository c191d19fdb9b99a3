//! The set of compiled templates: parsed once, never changed while it is executed, shared between threads.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::node::Unit;
use super::stack::Stack;
use super::{FuncTable, ParseError, Str};
use crate::diag::SourceText;

/// Named templates that may call one another, and the functions they were compiled against.
#[derive(Clone, Debug)]
pub struct Templates {
    functions: Arc<FuncTable>,
    units: Vec<Arc<Unit>>,
    names: FxHashMap<Str, u32>,
    /// Unit and definition of each name.
    defs: Vec<(u32, u32)>,
}

impl Templates {
    /// An empty set over these functions.
    pub fn new(functions: Arc<FuncTable>) -> Templates {
        Templates { functions, units: Vec::new(), names: FxHashMap::default(), defs: Vec::new() }
    }

    /// The functions that its texts may call.
    pub fn functions(&self) -> &Arc<FuncTable> {
        &self.functions
    }

    /// Compiles a text and adds it under the source's name, with what it defines.
    pub fn parse(&mut self, source: &SourceText) -> Result<(), Box<ParseError>> {
        let unit = Unit::parse(source, &self.functions, Stack::borrowed())?;
        self.add(Arc::new(unit));
        Ok(())
    }

    /// Adds a unit compiled with the same functions. A later template takes the place of an earlier one of its name, unless it is
    /// empty.
    pub fn add(&mut self, unit: Arc<Unit>) {
        let unit_id = self.units.len() as u32;
        for (def_id, def) in unit.defs.iter().enumerate() {
            let place = (unit_id, def_id as u32);
            if let Some(&id) = self.names.get(&def.name) {
                if !def.empty {
                    self.defs[id as usize] = place;
                }
            } else {
                self.names.insert(def.name.clone(), self.defs.len() as u32);
                self.defs.push(place);
            }
        }
        self.units.push(unit);
    }

    /// A template's id, unit and definition.
    pub(super) fn find(&self, name: &Str) -> Option<(u32, &Unit, u32)> {
        let id = *self.names.get(name)?;
        let (unit, def) = self.defs[id as usize];
        Some((id, &self.units[unit as usize], def))
    }

    /// Every name, in no order: what advice is picked from.
    pub(super) fn names(&self) -> impl Iterator<Item = &Str> {
        self.names.keys()
    }

    pub(super) fn count(&self) -> usize {
        self.defs.len()
    }
}
