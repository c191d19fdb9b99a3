//! Time, for waiting: the system's, or in tests one that pauses take no time from anybody.

use std::time::Duration;

use tokio::time::Instant;

/// A clock that starts at nought.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The system's.
    System(Instant),
    /// One that moves only when somebody pauses.
    #[cfg(test)]
    Still(std::sync::Mutex<Duration>),
}

impl Clock {
    /// The system's clock, from now on.
    pub(crate) fn system() -> Clock {
        Clock::System(Instant::now())
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Duration {
        match self {
            Clock::System(start) => start.elapsed(),
            #[cfg(test)]
            Clock::Still(now) => *now.lock().expect("no holder panics"),
        }
    }

    /// Lets time pass.
    pub(super) async fn pause(&self, time: Duration) {
        match self {
            Clock::System(_) => tokio::time::sleep(time).await,
            #[cfg(test)]
            Clock::Still(now) => *now.lock().expect("no holder panics") += time,
        }
    }
}
