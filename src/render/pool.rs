//! What the renders of one run share: files, parsed files, charts, compiled templates.
//!
//! In: a source that does not change during the run. Out: each file read once, each kustomization file parsed once, each
//! chart loaded and each of its templates compiled once, however many roots use them and on however many threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::compat::Profile;
use crate::diag::Result;
use crate::helm::Chart;
use crate::kustomize::Shared;
use crate::source::{Asked, Once, Record, Source};

/// Shared between renders that follow one profile.
pub struct Pool<'a> {
    /// The files.
    pub files: Once<'a>,
    /// Parsed kustomizations and the files that they list.
    pub(super) parsed: Shared,
    /// True where renders run side by side: each keeps to its own thread.
    pub one_thread: bool,
    /// True where the process ends after the only render.
    pub(super) last: bool,
    profile: Profile,
    charts: Mutex<BTreeMap<String, Arc<OnceLock<Loaded>>>>,
}

/// A chart, and what of the source its loading asked for.
struct Loaded {
    chart: Result<Arc<Chart>>,
    asked: Asked,
}

impl<'a> Pool<'a> {
    /// Over a source, of which nothing is known yet.
    pub fn new(source: &'a dyn Source, profile: Profile) -> Pool<'a> {
        Pool {
            files: Once::new(source),
            parsed: Shared::new(profile),
            one_thread: false,
            last: false,
            profile,
            charts: Mutex::default(),
        }
    }

    /// Whose behaviour the renders follow.
    pub(super) fn profile(&self) -> Profile {
        self.profile
    }

    /// The chart at a path. What its loading asked of the source is asked of `source` again, so that whoever records
    /// there learns of it.
    pub(super) fn chart(&self, path: &str, source: &dyn Source) -> Result<Arc<Chart>> {
        let slot = {
            let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(charts.entry(path.to_owned()).or_default())
        };
        let loaded = slot.get_or_init(|| {
            let record = Record::new(&self.files);
            let chart = Chart::load(&record, path, self.profile);
            Loaded { chart, asked: record.into_asked() }
        });
        loaded.asked.iter().for_each(|(path, question)| question.put(source, path));
        loaded.chart.clone()
    }
}
