//! Running the templates of a chart and its subcharts, in Helm's order.
//!
//! In: templates with their data, and what must not be ambient. Out: what each template printed. Order matters: what a
//! template does to `.Values` with `set` is seen by those run after it, and of two templates that define one name the
//! one parsed later wins.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Span, Warnings};
use crate::funcs;
use crate::gotmpl::{
    CallSite, Ctx, Entries, ExecError, FuncError, Host, Map, Options, Segment, Stack, Templates, Unit, Val, has_no_value,
};
use crate::source::threads;
use crate::yaml;

use super::aside::{Board, Helped};
use super::blame::Origins;
use super::chart::Units;
use super::context::{Runnable, values_type};
use super::manifests::{Printed, is_notes, is_partial};

/// What a render is handed rather than finds: the clock, randomness, addresses.
pub trait Ambient: Send {
    /// A render begins; `inputs` gives the digest of all that goes into it but what is asked for here.
    fn begin(&mut self, inputs: &dyn Fn() -> [u8; 32]) {
        let _ = inputs;
    }

    /// Another world, in which what depended on this one comes out otherwise; nothing where nothing did.
    fn elsewhere(&self) -> Option<Box<dyn Ambient>> {
        None
    }

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

impl<'a> Hosted<'a> {
    fn new(ambient: &'a mut dyn Ambient, warnings: &'a mut Warnings) -> Hosted<'a> {
        Hosted { ambient, warnings, lookup_told: false }
    }
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

/// The threads of one render, as its own thread sees them.
pub(crate) struct Threads<'r> {
    /// The stack of this thread.
    pub stack: Stack,
    /// What it shares with its helpers.
    pub board: &'r Board,
    /// How many helpers there are; they need to know what changes under them.
    pub helpers: usize,
}

/// Runs every template but partials, and cuts into documents what each printed. Gives the compiled templates, too.
pub(crate) fn all(
    ordered: &[Runnable],
    profile: Profile,
    origins: &Origins<'_>,
    ambient: &mut dyn Ambient,
    warnings: &mut Warnings,
    threads: Threads<'_>,
) -> Result<(Vec<Printed>, Arc<Templates>)> {
    let Threads { stack, board, helpers } = threads;
    let templates = Arc::new(compiled(ordered, profile, &origins.chart.units)?);
    let printing = printing(ordered);
    board.open(&templates, printing.len());
    let mut host = Hosted::new(ambient, warnings);
    let mut ctx = Ctx::new(&templates, &mut host, Options { stack, ..Options::default() });
    let one = |ctx: &mut Ctx<'_>, at: usize| -> Result<Printed> {
        let runnable = printing[at];
        if helpers > 0 {
            runnable.data.mark_given();
        }
        let output = output(ctx, runnable, profile).map_err(|error| explained(&error, runnable, origins))?;
        Ok(Printed::read(runnable.path.clone(), scrubbed(&runnable.path, output)?, profile))
    };
    let mut done = Vec::with_capacity(printing.len());
    while let Some(at) = board.first() {
        done.push(one(&mut ctx, at)?);
        if ctx.changed_given() {
            board.stop();
        }
    }
    let mut help = Helped::of(board.handed_in(helpers), ctx.spent());
    for at in done.len()..printing.len() {
        let found = if ctx.changed_given() { None } else { help.take(at) };
        done.push(found.map_or_else(|| one(&mut ctx, at), Ok)?);
    }
    drop(ctx);
    Ok((done, templates))
}

/// The templates that print, in their order.
pub(super) fn printing(ordered: &[Runnable]) -> Vec<&Runnable> {
    ordered.iter().filter(|runnable| !is_partial(&runnable.path)).collect()
}

/// What one template prints.
pub(super) fn output(ctx: &mut Ctx<'_>, runnable: &Runnable, profile: Profile) -> Result<Vec<u8>, Box<ExecError>> {
    place_template(runnable, profile);
    ctx.execute(&runnable.path, Val::Map(runnable.data.clone()))
}

/// The fault of a template that failed, with where the value that it tripped over came from.
fn explained(error: &ExecError, runnable: &Runnable, origins: &Origins<'_>) -> Box<Diagnostic> {
    let fault = exec_fault(error);
    let Some(place) = &error.innermost().place else { return fault };
    let values = runnable.data.get("Values");
    let values = values.as_ref().and_then(Val::as_map);
    Box::new(origins.explain(*fault, place, &runnable.path, values))
}

/// Runs the templates again up to the one at `path`, and says which place of a template printed the byte at `offset` of its `text`.
/// Nothing if it does not print the same again.
pub(crate) fn printer_of(
    ordered: &[Runnable],
    profile: Profile,
    ambient: &mut dyn Ambient,
    stack: Stack,
    (path, text, offset): (&str, &str, usize),
) -> Option<(SourceText, Span)> {
    let mut found = None;
    traced(ordered, (profile, &Units::default()), ambient, stack, |runnable, output, segments| {
        if &*runnable.path != path {
            return ControlFlow::Continue(());
        }
        let segment = segments.into_iter().find(|segment| segment.output.contains(&offset));
        found = segment.filter(|_| output == text.as_bytes());
        ControlFlow::Break(())
    })?;
    found.map(|segment| (segment.source.clone(), segment.place_of(offset)))
}

/// Runs the templates in their order, and shows what each printed and which parts of templates printed it, until `see` has seen
/// enough or one fails. Nothing if they do not compile.
pub(super) fn traced(
    ordered: &[Runnable],
    (profile, units): (Profile, &Units),
    ambient: &mut dyn Ambient,
    stack: Stack,
    mut see: impl FnMut(&Runnable, Vec<u8>, Vec<Segment>) -> ControlFlow<()>,
) -> Option<()> {
    let templates = compiled(ordered, profile, units).ok()?;
    let mut warnings = Warnings::new();
    let mut host = Hosted::new(ambient, &mut warnings);
    let mut ctx = Ctx::new(&templates, &mut host, Options { stack, trace: true, ..Options::default() });
    for runnable in printing(ordered) {
        let Ok(output) = output(&mut ctx, runnable, profile) else { break };
        let segments = ctx.take_segments();
        if see(runnable, output, segments).is_break() {
            break;
        }
    }
    Some(())
}

fn compiled(ordered: &[Runnable], profile: Profile, units: &Units) -> Result<Templates> {
    let mut templates = Templates::new(Arc::new(funcs::table(profile)));
    let texts = ordered.iter().map(|runnable| (runnable.path.clone(), runnable.text.clone())).collect();
    for unit in parsed(texts, &templates, units) {
        templates.add(unit?);
    }
    Ok(templates)
}

/// `.Template` as the template itself sees it.
fn place_template(runnable: &Runnable, profile: Profile) {
    let place = Map::typed(values_type(profile), Entries::new());
    place.set("Name", Val::str(&*runnable.path));
    place.set("BasePath", runnable.base_path.clone());
    runnable.data.set("Template", place);
}

/// Compiles texts, by path, that no render of the chart has compiled yet; each succeeds or fails by itself.
fn parsed(texts: Vec<(Arc<str>, Arc<str>)>, templates: &Templates, units: &Units) -> Vec<Result<Arc<Unit>>> {
    let compile = |path: &Arc<str>, text: &Arc<str>| {
        let source = SourceText::new(&**path, Arc::clone(text));
        Unit::parse(&source, templates.functions(), Stack::within(threads::STACK_BYTES_SHORT)).map_err(|error| {
            let mut fault = error.to_diagnostic();
            fault.message = format!("parse error at ({path}:{}): {}", error.line, fault.message);
            Box::new(fault)
        })
    };
    let known: Vec<Option<Arc<Unit>>> = texts.iter().map(|(path, text)| units.known(path, text)).collect();
    let missing = texts.into_iter().zip(&known).filter(|(_, unit)| unit.is_none()).map(|(text, _)| text).collect();
    let mut compiled = threads::map(missing, |(path, text)| {
        let unit = Arc::new(compile(&path, &text)?);
        units.keep(path, text, &unit);
        Ok(unit)
    })
    .into_iter();
    known.into_iter().filter_map(|unit| unit.map(Ok).or_else(|| compiled.next())).collect()
}

/// The fault as Helm words it: a message of `fail` or `required` by itself, with the place of the outermost template.
fn exec_fault(error: &ExecError) -> Box<Diagnostic> {
    let mut fault = error.to_diagnostic();
    if let Some(place) = &error.place {
        let (line, column) = place.source.line_column(place.span.start);
        // the words of `required` and `fail` stand by themselves, as in Helm
        for prefix in ["error calling required: ", "error calling fail: "] {
            if fault.message.starts_with(prefix) {
                fault.message.drain(..prefix.len());
            }
        }
        fault.message = format!("execution error at ({}:{line}:{column}): {}", place.source.name(), fault.message);
    }
    Box::new(fault)
}

/// The output as text, without the mark of missing values. What is no text is no YAML either, which only notes need not be.
pub(super) fn scrubbed(path: &str, output: Vec<u8>) -> Result<String> {
    const MARK: &str = "<no value>";
    let text = match String::from_utf8(output) {
        Ok(text) => text,
        Err(error) if is_notes(path) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => {
            let fault = yaml::decode(error.as_bytes()).map_or_else(|fault| fault.message, |_| "yaml: not UTF-8".to_owned());
            let fault = Diagnostic::input("manifest-yaml", format!("YAML parse error on {path}: {fault}"));
            return Err(Box::new(fault.hint("look for a file or value that is not UTF-8, and print it with `b64enc`")));
        }
    };
    Ok(if has_no_value(text.as_bytes()) { text.replace(MARK, "") } else { text })
}

/// The name that a template (`--name-template`) prints.
pub fn templated_name(template: &str, ambient: &mut dyn Ambient) -> Result<String> {
    let mut templates = Templates::new(Arc::new(funcs::sprig()));
    let source = SourceText::new("name-template", template);
    templates.parse(&source).map_err(|error| Box::new(error.to_diagnostic()))?;
    let mut warnings = Warnings::new();
    let mut host = Hosted::new(ambient, &mut warnings);
    let mut ctx = Ctx::new(&templates, &mut host, Options::default());
    let output = ctx.execute("name-template", Val::Nil).map_err(|error| exec_fault(&error))?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}
