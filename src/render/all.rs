//! Many roots side by side, sharing what they read.
//!
//! In: the roots, and a [`Pool`] over their source. Out: one [`Page`] a root, handed over in the order of the roots
//! whatever finished first, so that the number of threads never shows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::diag::Result;
use crate::kustomize;
use crate::source::{Record, Source, join, threads};

use super::kept::Kept;
use super::page::Page;
use super::pool::Pool;
use super::{Ambient, Options, Rendered, render_in};

/// How to render many roots.
pub struct Many<'a> {
    /// What they share.
    pub pool: &'a Pool<'a>,
    /// What the caller chose for each of them.
    pub options: &'a Options,
    /// Makes the world of one render.
    pub ambient: &'a (dyn Fn() -> Result<Box<dyn Ambient>> + Sync),
    /// Renders a root by itself that takes something from elsewhere; what it gives is not kept.
    pub alone: &'a (dyn Fn(&str) -> Result<Rendered> + Sync),
    /// Name of a file beside which a root is rendered by itself, too: it says what comes from elsewhere, and more.
    pub lock_name: &'a str,
    /// Results of earlier runs.
    pub kept: Option<&'a Kept<'a>>,
    /// How many threads work; at least one does.
    pub threads: usize,
}

/// A root that is done.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub page: Page,
    /// True if an earlier run's result was still right.
    pub kept: bool,
}

impl Many<'_> {
    /// Renders all roots. `done` gets each with its place in the list, in order; its failure ends the work.
    pub fn render(&self, roots: &[String], mut done: impl FnMut(usize, Result<Done>) -> Result<()>) -> Result<()> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let (send, receive) = mpsc::channel();
            for away in 0..self.threads.clamp(1, roots.len().max(1)) {
                let (send, next, stop) = (send.clone(), &next, &stop);
                let work = move || {
                    while let Some((at, root)) = taken(next, roots).filter(|_| !stop.load(Ordering::Relaxed)) {
                        // without a receiver nobody wants more
                        if send.send((at, self.one(root))).is_err() {
                            return;
                        }
                    }
                };
                threads::beside(scope, away, work);
            }
            drop(send);
            let mut early = BTreeMap::new();
            let mut wanted = 0;
            for (at, result) in receive {
                early.insert(at, result);
                while let Some(result) = early.remove(&wanted) {
                    done(wanted, result).inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
                    wanted += 1;
                }
            }
            Ok(())
        })
    }

    fn one(&self, root: &str) -> Result<Done> {
        let files = &self.pool.files;
        if files.kind(&join(root, self.lock_name)).is_some() {
            return Ok(Done { page: Page::of(&(self.alone)(root)?)?, kept: false });
        }
        let key = self.kept.map(|kept| kept.key(root));
        let found = self.kept.zip(key.as_ref()).and_then(|(kept, key)| kept.find(key, files));
        if let Some(page) = found {
            return Ok(Done { page, kept: true });
        }
        let record = Record::new(files);
        let mut ambient = Watched { inner: (self.ambient)()?, asked: false };
        let source: &dyn Source = if self.kept.is_some() { &record } else { files };
        // each root notes for itself what it lacks
        let remotes = kustomize::Remotes::default();
        let kustomize = kustomize::Options { remotes, ..self.options.kustomize.clone() };
        let options = Options { kustomize, ..self.options.clone() };
        let rendered = render_in(self.pool, source, root, &options, &mut ambient);
        if rendered.is_err() && !options.kustomize.remotes.take_missing().is_empty() {
            return Ok(Done { page: Page::of(&(self.alone)(root)?)?, kept: false });
        }
        let page = Page::of(&rendered?)?;
        if let (Some(kept), Some(key), false) = (self.kept, key, ambient.asked) {
            kept.keep(&key, files, &record.into_asked(), &page)?;
        }
        Ok(Done { page, kept: false })
    }
}

fn taken<'r>(next: &AtomicUsize, roots: &'r [String]) -> Option<(usize, &'r str)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, roots.get(at)?))
}

/// A world that remembers whether it was asked: what was, is no function of its inputs.
struct Watched {
    inner: Box<dyn Ambient>,
    asked: bool,
}

impl Ambient for Watched {
    fn begin(&mut self, inputs: &dyn Fn() -> [u8; 32]) {
        self.inner.begin(inputs);
    }

    fn elsewhere(&self) -> Option<Box<dyn Ambient>> {
        self.inner.elsewhere()
    }

    fn now(&mut self) -> (i64, u32) {
        self.asked = true;
        self.inner.now()
    }

    fn random(&mut self, template: &str, offset: u32, out: &mut [u8]) {
        self.asked = true;
        self.inner.random(template, offset, out);
    }

    fn host_address(&mut self, name: &str) -> String {
        self.asked = true;
        self.inner.host_address(name)
    }
}
