//! Executes.
use std::any::{Any, TypeId};

use rustc_hash::FxHashMap;

use super::func::CallSite;
use super::{FuncError, Host, Str, Val};
use crate::diag::Diagnostic;

/// One render's state: what functions reach the engine and the [`Host`] through.
pub struct Ctx<'e> {
    host: &'e mut dyn Host,
    strict: bool,
    allocated: u64,
    caches: FxHashMap<TypeId, Box<dyn Any>>,
}

/// Bytes that one render may produce in all, output and strings that functions make large on request together.
pub const OUTPUT_MAX: u64 = 256 << 20;

impl<'e> Ctx<'e> {
    /// Host.
    pub fn new(host: &'e mut dyn Host, strict: bool) -> Ctx<'e> {
        Ctx { host, strict, allocated: 0, caches: FxHashMap::default() }
    }

    /// What was handed in for this render.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// Fills `out` with the host's randomness for the call that is running.
    pub fn random(&mut self, out: &mut [u8]) {
        self.host.random(&CallSite { template: "", offset: 0 }, out);
    }

    /// True if a missing key is an error (`missingkey=error`).
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// A cache that lives as long as the render, one for each type.
    pub fn cache<T: Default + 'static>(&mut self) -> &mut T {
        self.caches
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(T::default()))
            .downcast_mut()
            .expect("the entry of a type holds that type")
    }

    /// Counts bytes that a function is about to allocate because a template asked for that many; refuses beyond [`OUTPUT_MAX`].
    pub fn charge(&mut self, bytes: u64) -> Result<(), FuncError> {
        self.allocated = self.allocated.saturating_add(bytes);
        if self.allocated > OUTPUT_MAX {
            return Err(FuncError::Refused(Box::new(Diagnostic::input(
                "template-output-limit",
                format!("the templates make more than {} MiB", OUTPUT_MAX >> 20),
            ))));
        }
        Ok(())
    }

    /// `include`: the output of a named template.
    pub fn include(&mut self, name: &Str, data: Val) -> Result<Str, FuncError> {
        let _ = (name, data);
        Err("x".into())
    }

    /// `tpl`: the output of a text run as a template.
    pub fn tpl(&mut self, text: &Str, data: Val) -> Result<Str, FuncError> {
        let _ = (text, data);
        Err("x".into())
    }
}
