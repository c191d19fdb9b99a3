//! Templates run on several threads, with what one thread would have printed.
//!
//! In: the templates in Helm's order, and a way to set up their data once more. Out: what each printed. The render's own thread
//! takes templates from the front, as Helm does; helpers take them from the back, on data of their own that they may not change. What
//! a helper cannot know (a change of `.Values`, the clock, randomness, a failure) it leaves to the render's thread, and once that thread
//! has changed what templates were given, everything a helper printed of later ones is dropped. So nothing shows how many threads
//! there were.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use crate::compat::Profile;
use crate::diag::Diagnostic;
use crate::gotmpl::{CallSite, Ctx, FuncError, Given, Host, OUTPUT_MAX, Options, ROUNDS_MAX, Stack, Templates, Val};

use super::chart::Chart;
use super::context::Runnable;
use super::engine::ReleaseOptions;
use super::manifests::Printed;
use super::run;
use super::values::UserValues;

/// Less text than this, in bytes, is run sooner than another thread has set up its data.
const TEXT_BYTES_MIN: usize = 128 << 10;

/// More helpers than this have nothing left to take; each sets up data of its own.
const HELPERS_MAX: usize = 3;

/// How many helpers a render wants. None where values are read again from files that may give no more than once.
pub(super) fn wanted(chart: &Chart, options: &ReleaseOptions, values: &UserValues<'_>) -> usize {
    if options.one_thread || !values.from_files.is_empty() || text_bytes(chart) < TEXT_BYTES_MIN {
        return 0;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores - 1).min(HELPERS_MAX)
}

fn text_bytes(chart: &Chart) -> usize {
    let own: usize = chart.templates.iter().map(|template| template.text.len()).sum();
    own + chart.dependencies.iter().map(|chart| text_bytes(chart)).sum::<usize>()
}

/// What the threads of one render share.
#[derive(Default)]
pub(super) struct Board {
    /// Set once the templates are compiled; nothing if the render fails before.
    templates: OnceLock<Option<Arc<Templates>>>,
    /// Templates that nobody has begun.
    left: Mutex<Range<usize>>,
    /// What helpers print is no longer wanted.
    stopped: AtomicBool,
    /// What the helpers that are done did.
    done: Mutex<Vec<Help>>,
    /// Told of each helper that is done.
    one_done: Condvar,
}

/// Ends the helpers' wait and work when the render's thread is done with them, whichever way.
pub(super) struct Closing<'b>(&'b Board);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.stop();
        // a render that came so far has set it already
        let _ = self.0.templates.set(None);
    }
}

impl Board {
    /// See [`Closing`].
    pub(super) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    /// Lets the helpers begin.
    pub(super) fn open(&self, templates: &Arc<Templates>, count: usize) {
        *self.range() = 0..count;
        let _ = self.templates.set(Some(Arc::clone(templates)));
    }

    /// The first template that nobody has begun.
    pub(super) fn first(&self) -> Option<usize> {
        self.range().next()
    }

    fn last(&self) -> Option<usize> {
        if self.stopped.load(Ordering::Relaxed) { None } else { self.range().next_back() }
    }

    /// Tells the helpers that what they print is no longer wanted.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What a new helper does; handed in when dropped, be it by a panic, so that nobody waits for ever.
    pub(super) fn helping(&self) -> Helping<'_> {
        Helping { board: self, help: Help::default() }
    }

    /// Waits for that many helpers and gives what they did.
    pub(super) fn handed_in(&self, count: usize) -> Vec<Help> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let mut done = self.one_done.wait_while(done, |done| done.len() < count).unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *done)
    }

    fn range(&self) -> std::sync::MutexGuard<'_, Range<usize>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one helper did.
#[derive(Default)]
pub(super) struct Help {
    /// What templates printed, by their place in the order.
    printed: Vec<(usize, Printed)>,
    /// Rounds and bytes that it took.
    spent: (u64, u64),
}

/// What one helper is doing.
pub(super) struct Helping<'b> {
    board: &'b Board,
    help: Help,
}

impl Drop for Helping<'_> {
    fn drop(&mut self) {
        let help = std::mem::take(&mut self.help);
        self.board.done.lock().unwrap_or_else(PoisonError::into_inner).push(help);
        self.board.one_done.notify_one();
    }
}

/// What all helpers did.
pub(super) struct Helped(BTreeMap<usize, Printed>);

impl Helped {
    /// Nothing of it is used where a limit might have ended the render on one thread, which had `spent` so much itself.
    pub(super) fn of(helps: Vec<Help>, spent: (u64, u64)) -> Helped {
        let sum = |sum: (u64, u64), help: &Help| (sum.0 + help.spent.0, sum.1 + help.spent.1);
        let (rounds, bytes) = helps.iter().fold(spent, sum);
        if rounds > ROUNDS_MAX || bytes > OUTPUT_MAX {
            return Helped(BTreeMap::new());
        }
        Helped(helps.into_iter().flat_map(|help| help.printed).collect())
    }

    /// What the template at a place printed, if a helper ran it.
    pub(super) fn take(&mut self, at: usize) -> Option<Printed> {
        self.0.remove(&at)
    }
}

impl Helping<'_> {
    /// Runs templates from the back until none is left, and hands in; `runnables` are this thread's own.
    pub(super) fn run(mut self, runnables: &[&Runnable], profile: Profile, stack: Stack) {
        let Some(templates) = self.board.templates.wait() else { return };
        let asked = Cell::new(false);
        let mut host = Deaf { asked: &asked };
        let mut more = true;
        while more {
            // what a failure leaves behind ends with its context
            let mut ctx = Ctx::new(templates, &mut host, Options { stack, given: Given::Stays, ..Options::default() });
            more = false;
            while let Some(at) = self.board.last() {
                let runnable = runnables[at];
                runnable.data.mark_given();
                asked.set(false);
                let Ok(output) = run::output(&mut ctx, runnable, profile) else {
                    more = true;
                    break;
                };
                if let (false, Ok(text)) = (asked.get(), run::scrubbed(&runnable.path, output)) {
                    self.help.printed.push((at, Printed::read(runnable.path.clone(), text, profile)));
                }
            }
            let (rounds, bytes) = ctx.spent();
            self.help.spent = (self.help.spent.0 + rounds, self.help.spent.1 + bytes);
        }
    }
}

/// A host that answers nothing and remembers that it was asked: what a template made of its answers is not what it prints.
struct Deaf<'a> {
    asked: &'a Cell<bool>,
}

impl Host for Deaf<'_> {
    fn now(&mut self) -> (i64, u32) {
        self.asked.set(true);
        (0, 0)
    }

    fn random(&mut self, _: &CallSite<'_>, _: &mut [u8]) {
        self.asked.set(true);
    }

    fn host_address(&mut self, _: &str) -> Result<String, FuncError> {
        Err("a helper asks no one".into())
    }

    fn lookup(&mut self, _: &str, _: &str, _: &str, _: &str) -> Result<Val, FuncError> {
        Err("a helper asks no one".into())
    }

    fn warn(&mut self, _: Diagnostic) {
        self.asked.set(true);
    }
}
