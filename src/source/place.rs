//! On which CPU a thread begins.
//!
//! In a virtual machine the kernel takes a CPU that is halted for one that the host has lent to somebody else: a new thread stays
//! on the CPU of its maker, and both take turns there until the next balancing, which may be later than a whole render. A worker
//! therefore moves itself once, and is then free to be moved again.

/// Where a thread is to begin.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Where its maker runs.
    #[cfg(target_os = "linux")]
    from: usize,
    /// How many CPUs away from there; none stays.
    #[cfg(target_os = "linux")]
    away: usize,
}

#[cfg(target_os = "linux")]
impl Place {
    /// As seen from the thread that asks.
    pub(super) fn away(away: usize) -> Place {
        Place { from: rustix::thread::sched_getcpu(), away }
    }

    /// Moves the thread that asks. Where that fails it stays where it is, which only takes longer.
    pub(super) fn take(self) {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
        let Ok(allowed) = sched_getaffinity(None) else { return };
        let cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
        let Some(from) = cpus.iter().position(|cpu| *cpu == self.from) else { return };
        let wanted = cpus[(from + self.away) % cpus.len()];
        if wanted == sched_getcpu() {
            return;
        }
        let mut only = CpuSet::new();
        only.set(wanted);
        if sched_setaffinity(None, &only).is_ok() {
            let _ = sched_setaffinity(None, &allowed);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Place {
    /// As seen from the thread that asks.
    pub(super) fn away(_: usize) -> Place {
        Place {}
    }

    /// Other kernels are left to it.
    pub(super) fn take(self) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::sched_getaffinity;

    use super::*;

    #[test]
    fn a_thread_that_moved_may_run_where_it_might_before() {
        let allowed = sched_getaffinity(None).expect("of this thread");
        for away in 0..4 {
            let place = Place::away(away);
            std::thread::scope(|scope| {
                let moved = scope.spawn(|| {
                    place.take();
                    sched_getaffinity(None).expect("of this thread")
                });
                assert!(moved.join().expect("it ends") == allowed, "{away}");
            });
        }
    }
}
