//! How every sync stands, for whoever asks this process: metrics, the status page, health.

#![expect(clippy::disallowed_methods, reason = "health is a matter of time")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::agent::rsync::{Report, SyncId};

/// The API server counts as out of reach after this.
const REACH: Duration = Duration::from_secs(60);

/// How a sync stands.
#[derive(Clone, Debug, Default)]
pub(in crate::agent) struct Row {
    /// What its status says.
    pub(in crate::agent) report: Report,
    /// Objects of its source.
    pub(in crate::agent) declared: usize,
    /// Objects that are applied and not ready.
    pub(in crate::agent) unready: usize,
    /// Applies that changed something, and that failed.
    pub(in crate::agent) applied: u64,
    pub(in crate::agent) apply_errors: u64,
    /// Objects that others took or changed again and again.
    pub(in crate::agent) conflicts: u64,
    pub(in crate::agent) fights: u64,
    /// Passes, and the seconds that they took.
    pub(in crate::agent) passes: u64,
    pub(in crate::agent) pass_seconds: f64,
    /// When it was last applied without errors, in seconds since 1970.
    pub(in crate::agent) last_sync: i64,
    /// Entries of its inventory.
    pub(in crate::agent) inventory: usize,
    /// What a shadow would change.
    pub(in crate::agent) would: Vec<String>,
}

/// All syncs.
pub(crate) struct Board {
    state: Mutex<State>,
}

struct State {
    rows: BTreeMap<SyncId, Row>,
    leading: bool,
    listed: bool,
    reached: Instant,
}

impl Default for Board {
    fn default() -> Board {
        let state = State { rows: BTreeMap::new(), leading: false, listed: false, reached: Instant::now() };
        Board { state: Mutex::new(state) }
    }
}

impl Board {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// Notes something of a sync.
    pub(in crate::agent) fn note(&self, id: &SyncId, note: impl FnOnce(&mut Row)) {
        note(self.state().rows.entry(id.clone()).or_default());
    }

    /// Forgets a sync.
    pub(in crate::agent) fn drop_row(&self, id: &SyncId) {
        self.state().rows.remove(id);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        state.rows.clear();
        state.listed = false;
    }

    /// Notes whether this replica writes.
    pub(super) fn lead(&self, leading: bool) {
        self.state().leading = leading;
    }

    /// Notes that the API server answered.
    pub(super) fn reached(&self) {
        self.state().reached = Instant::now();
    }

    /// Notes that all syncs are known.
    pub(super) fn listed(&self) {
        let mut state = self.state();
        state.listed = true;
        state.reached = Instant::now();
    }

    /// True if this replica can do its work: it leads and knows its syncs, or stands by and reaches the server.
    pub(super) fn is_ready(&self) -> bool {
        let state = self.state();
        state.reached.elapsed() < REACH && (state.listed || !state.leading)
    }

    /// True if it writes.
    pub(super) fn is_leading(&self) -> bool {
        self.state().leading
    }

    /// All rows.
    pub(super) fn rows(&self) -> Vec<(SyncId, Row)> {
        self.state().rows.iter().map(|(id, row)| (id.clone(), row.clone())).collect()
    }
}
