//! What lets writes pass: nothing else is between a leader that lost its turn and the cluster.
//!
//! A process without leaders (`sync --once`) writes freely. A leader may write until the time that its Lease was last
//! renewed for, by a clock that goes on while the process is stopped; the check stands right before each request, so a
//! process that wakes up late sends what was on the wire and nothing more; that names the version of the object that it was
//! made from, so the server refuses it once a later leader wrote. The epoch counts leaders; a stored inventory that a later
//! leader wrote closes the gate for good.

#![expect(clippy::disallowed_methods, reason = "a turn of leadership is measured by the clock")]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Answer, Fault, FaultKind};

/// Whether writes may pass.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    turn: Mutex<Turn>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// Which leader this is; nought for a process that knows no leaders.
    epoch: u64,
    /// Until when it may write.
    until: Option<Instant>,
}

impl Gate {
    /// Lets writes of a leader pass until then.
    pub(crate) fn open(&self, epoch: u64, until: Instant) {
        *self.turn.lock().expect("no holder panics") = Turn { epoch, until: Some(until) };
    }

    /// Closes it: the turn is over.
    pub(crate) fn close(&self) {
        self.turn.lock().expect("no holder panics").until = None;
    }

    /// Lets no write pass, ever: whoever looks only has no turn.
    pub(crate) fn shut(&self) {
        *self.turn.lock().expect("no holder panics") = Turn { epoch: u64::MAX, until: None };
    }

    /// Which leader this is.
    pub(crate) fn epoch(&self) -> u64 {
        self.turn.lock().expect("no holder panics").epoch
    }

    /// True while writes may pass.
    pub(crate) fn is_open(&self) -> bool {
        let turn = *self.turn.lock().expect("no holder panics");
        turn.epoch == 0 || turn.until.is_some_and(|until| Instant::now() < until)
    }

    /// How long writes may pass yet.
    pub(crate) fn left(&self) -> Duration {
        let until = self.turn.lock().expect("no holder panics").until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Fails unless a write may pass.
    pub(super) fn pass(&self) -> Answer<()> {
        if self.is_open() { Ok(()) } else { Err(over("it is not this process's turn to write")) }
    }

    /// Fails if a later leader was here.
    pub(super) fn check_epoch(&self, stored: u64) -> Answer<()> {
        let epoch = self.epoch();
        if epoch == 0 || stored <= epoch {
            return Ok(());
        }
        self.close();
        Err(over("a later leader has written the inventory"))
    }
}

fn over(why: &str) -> Fault {
    Fault::new(FaultKind::Unreachable, format!("nothing was sent: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_leader_writes_and_only_in_its_turn() {
        let gate = Gate::default();
        assert!(gate.pass().is_ok(), "without leaders everybody writes");
        gate.open(3, Instant::now() + Duration::from_secs(60));
        assert!(gate.pass().is_ok() && gate.check_epoch(3).is_ok());
        gate.open(3, Instant::now());
        assert!(gate.pass().is_err(), "its time is over");
        gate.open(3, Instant::now() + Duration::from_secs(60));
        assert!(gate.check_epoch(4).is_err());
        assert!(gate.pass().is_err(), "a later leader was seen");
        let gate = Gate::default();
        gate.shut();
        assert!(gate.pass().is_err() && gate.check_epoch(7).is_ok(), "who looks only writes never");
    }
}
