//! One render's state: what functions reach the engine and the [`Host`] through, and the entry to execution.

use std::any::{Any, TypeId};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::exec::Slot;
use super::func::CallSite;
use super::lex::next_delim;
use super::node::Unit;
use super::print::quote;
use super::stack::Stack;
use super::trace::Trace;
use super::{ExecError, FuncError, Host, Map, Segment, Str, Templates, Val, raw};
use crate::diag::{Diagnostic, SourceText};

/// Bytes that one render may produce in all: output, and strings that functions make large on request.
pub const OUTPUT_MAX: u64 = 256 << 20;
/// Bytes of one string or list that a function makes: no manifest is as large, and building one takes as much again.
pub const PIECE_MAX: u64 = 48 << 20;
/// How many times a named template may be included within itself, as in Helm.
pub const INCLUDE_DEPTH_MAX: u32 = 1000;
/// Rounds of `range` and calls of templates in one render; far more than any chart takes, and a few seconds' work.
pub const ROUNDS_MAX: u64 = 30_000_000;
/// The name that Helm gives to texts run by `tpl`.
const TPL_NAME: &str = "gotpl";
/// What a byte of a `tpl` text counts for: compiling it takes more than copying it, so that texts that double end soon.
const TPL_COST: u64 = 4;
/// Compiled `tpl` texts that are kept for reuse.
const TPL_CACHE_MAX: usize = 4096;

/// What becomes of a template that changes a map it was given (`.Values` and what it holds), which every template after it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It changes it, and [`Ctx::changed_given`] tells.
    Changes,
    /// It fails: templates are run out of their order.
    Stays,
}

/// How a render goes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A missing key is an error (`missingkey=error`) and not nil (`missingkey=zero`).
    pub strict: bool,
    /// The stack of the thread that renders.
    pub stack: Stack,
    /// Record which template node made which output; see [`Ctx::take_segments`].
    pub trace: bool,
    /// Whether templates may change maps marked by [`super::Map::mark_given`].
    pub given: Given,
}

impl Default for Options {
    fn default() -> Options {
        Options { strict: false, stack: Stack::borrowed(), trace: false, given: Given::Changes }
    }
}

/// Executes templates of one set, one after another, and serves the functions they call.
pub struct Ctx<'e> {
    pub(super) templates: &'e Templates,
    pub(super) strict: bool,
    pub(super) stack: Stack,
    pub(super) out: Vec<u8>,
    pub(super) slots: Vec<Slot>,
    pub(super) pool: Vec<Vec<Val>>,
    pub(super) rounds: u64,
    /// Texts that `tpl` is running, whose definitions come before those of the set.
    pub(super) overlays: Vec<Arc<Unit>>,
    pub(super) trace: Option<Box<Trace>>,
    /// Sources of the templates that are running, and the offset of the call in the innermost.
    pub(super) running: Vec<SourceText>,
    pub(super) site: u32,
    host: &'e mut dyn Host,
    given: Given,
    changed_given: bool,
    allocated: u64,
    caches: FxHashMap<TypeId, Box<dyn Any>>,
    compiled: FxHashMap<Str, Arc<Unit>>,
    /// Includes of each template of the set that are running.
    included: Vec<u32>,
}

impl<'e> Ctx<'e> {
    /// A render of templates of this set.
    pub fn new(templates: &'e Templates, host: &'e mut dyn Host, options: Options) -> Ctx<'e> {
        Ctx {
            templates,
            strict: options.strict,
            stack: options.stack,
            out: Vec::new(),
            slots: Vec::new(),
            pool: Vec::new(),
            rounds: 0,
            overlays: Vec::new(),
            trace: options.trace.then(Box::default),
            running: Vec::new(),
            site: 0,
            host,
            given: options.given,
            changed_given: false,
            allocated: 0,
            caches: FxHashMap::default(),
            compiled: FxHashMap::default(),
            included: vec![0; templates.count()],
        }
    }

    /// Runs a named template on data and gives its output.
    pub fn execute(&mut self, name: &str, data: Val) -> Result<Vec<u8>, Box<ExecError>> {
        self.out.clear();
        self.slots.clear();
        let result = self.run_named(&Str::from(name), data);
        let out = std::mem::take(&mut self.out);
        result.map(|()| out)
    }

    /// What made the output of the last [`Ctx::execute`], in order; empty unless [`Options::trace`] is set.
    pub fn take_segments(&mut self) -> Vec<Segment> {
        self.trace.as_mut().map(|trace| std::mem::take(&mut trace.segments)).unwrap_or_default()
    }

    /// What was handed in for this render.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// Fills `out` with the host's randomness for the call that is running.
    pub fn random(&mut self, out: &mut [u8]) {
        let template = self.running.last().map_or("", SourceText::name);
        self.host.random(&CallSite { template, offset: self.site }, out);
    }

    /// True if a missing key is an error.
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

    /// Counts bytes that a function is about to allocate because a template asked for that many; refuses beyond [`PIECE_MAX`] at once and
    /// beyond [`OUTPUT_MAX`] in all.
    pub fn charge(&mut self, bytes: u64) -> Result<(), FuncError> {
        if bytes > PIECE_MAX {
            let message = format!("a template makes a text or list of more than {} MiB", PIECE_MAX >> 20);
            return Err(FuncError::Refused(Box::new(Diagnostic::input("template-piece-limit", message))));
        }
        self.allocated = self.allocated.saturating_add(bytes);
        if self.allocated > OUTPUT_MAX {
            return Err(FuncError::Refused(Box::new(output_limit())));
        }
        Ok(())
    }

    /// What a function asks before it changes a map.
    pub fn before_change(&mut self, map: &Map) -> Result<(), FuncError> {
        if map.is_given() {
            if self.given == Given::Stays {
                return Err("a template changes what it was given".into());
            }
            self.changed_given = true;
        }
        Ok(())
    }

    /// What a function asks before it draws randomness, which depends on what was drawn before.
    pub fn before_draw(&self) -> Result<(), FuncError> {
        if self.given == Given::Stays { Err("a template draws out of its turn".into()) } else { Ok(()) }
    }

    /// True once a template has changed a map that it was given.
    pub fn changed_given(&self) -> bool {
        self.changed_given
    }

    /// Rounds and bytes that count against the limits so far.
    pub fn spent(&self) -> (u64, u64) {
        (self.rounds, self.allocated)
    }

    /// `include`: the output of a named template.
    pub fn include(&mut self, name: &Str, data: Val) -> Result<Str, FuncError> {
        let id = self.templates.find(name).map(|(id, ..)| id as usize);
        if let Some(id) = id {
            if self.included[id] > INCLUDE_DEPTH_MAX {
                let message = format!("rendering template has a nested reference name: {name}: unable to execute template");
                return Err(FuncError::Message(message));
            }
            self.included[id] += 1;
        }
        let result = self.captured(|ctx| ctx.run_named(name, data));
        if let Some(id) = id {
            self.included[id] -= 1;
        }
        result.map_err(|source| FuncError::Nested { prefix: String::new(), source })
    }

    /// `tpl`: the output of a text run as a template that sees every definition, without `<no value>`.
    pub fn tpl(&mut self, text: &Str, data: Val) -> Result<Str, FuncError> {
        if next_delim(text.as_bytes()).is_none() {
            return Ok(without_no_value(text.clone()));
        }
        let unit = self.compile(text)?;
        self.overlays.push(unit.clone());
        let root = unit.defs.iter().rposition(|def| def.name == TPL_NAME).unwrap_or_default();
        let result = self.captured(|ctx| ctx.run_unit(&unit, root as u32, data));
        self.overlays.pop();
        match result {
            Ok(output) => Ok(without_no_value(output)),
            Err(source) => {
                let prefix = format!("error during tpl function execution for {}: ", quote(text.as_bytes()));
                Err(FuncError::Nested { prefix, source })
            }
        }
    }

    fn compile(&mut self, text: &Str) -> Result<Arc<Unit>, FuncError> {
        if let Some(unit) = self.compiled.get(text) {
            return Ok(unit.clone());
        }
        self.charge((text.len() as u64).saturating_mul(TPL_COST))?;
        let source = SourceText::new(TPL_NAME, raw::text_of_bytes(text.as_bytes()));
        let unit = Unit::parse(&source, self.templates.functions(), self.stack)
            .map_err(|error| FuncError::Message(format!("cannot parse template {}: {error}", quote(text.as_bytes()))))?;
        let unit = Arc::new(unit);
        if self.compiled.len() < TPL_CACHE_MAX {
            self.compiled.insert(text.clone(), unit.clone());
        }
        Ok(unit)
    }

    /// Runs something and takes what it wrote off the output again.
    fn captured(&mut self, run: impl FnOnce(&mut Self) -> Result<(), Box<ExecError>>) -> Result<Str, Box<ExecError>> {
        let start = self.out.len();
        if let Some(trace) = &mut self.trace {
            trace.captured += 1;
        }
        let result = run(self).map(|()| Str::from(&self.out[start..]));
        if let Some(trace) = &mut self.trace {
            trace.captured -= 1;
        }
        self.out.truncate(start);
        result
    }
}

/// The error of a render that makes too much.
pub(super) fn output_limit() -> Diagnostic {
    Diagnostic::input("template-output-limit", format!("the templates make more than {} MiB", OUTPUT_MAX >> 20))
}

/// What a missing value prints as.
const NO_VALUE: &[u8] = b"<no value>";

/// True if an output tells of a missing value. Looks for a single byte first: that needs no searcher built each time, and few
/// outputs have it.
pub fn has_no_value(output: &[u8]) -> bool {
    memchr::memchr_iter(NO_VALUE[0], output).any(|at| output[at..].starts_with(NO_VALUE))
}

fn without_no_value(text: Str) -> Str {
    let bytes = text.as_bytes();
    if !has_no_value(bytes) {
        return text;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut kept = 0;
    for at in memchr::memmem::find_iter(bytes, NO_VALUE) {
        out.extend_from_slice(&bytes[kept..at]);
        kept = at + NO_VALUE.len();
    }
    out.extend_from_slice(&bytes[kept..]);
    Str::from(out)
}
