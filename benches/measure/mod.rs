//! What a process costs: wall time, processor time and peak memory, as the system counts them.

#![allow(dead_code, reason = "each bench uses its own part")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Most memory resident at once, in bytes.
    pub(crate) peak: u64,
    /// Whether it exited with 0.
    pub(crate) done: bool,
}

/// Runs a command to its end; what it prints is dropped.
pub(crate) fn run(command: &mut Command) -> Cost {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let used = child.wait4().expect("it ends");
    let wall = start.elapsed();
    Cost { wall, cpu: used.rusage.utime + used.rusage.stime, peak: used.rusage.maxrss, done: used.status.success() }
}

/// Runs commands in turn, round after round, so that a busy machine slows all of them; gives each one's medians.
pub(crate) fn in_turn(commands: &mut [&mut Command], rounds: usize) -> Vec<Cost> {
    let mut runs: Vec<Vec<Cost>> = vec![Vec::new(); commands.len()];
    for _ in 0..rounds {
        for (command, runs) in commands.iter_mut().zip(&mut runs) {
            let cost = run(command);
            assert!(cost.done, "{command:?} failed");
            runs.push(cost);
        }
    }
    runs.iter().map(|runs| medians(runs)).collect()
}

fn medians(runs: &[Cost]) -> Cost {
    Cost {
        wall: median(runs.iter().map(|cost| cost.wall)),
        cpu: median(runs.iter().map(|cost| cost.cpu)),
        peak: median(runs.iter().map(|cost| cost.peak)),
        done: runs.iter().all(|cost| cost.done),
    }
}

/// The middle one; of an even count the upper of the two.
pub(crate) fn median<T: PartialOrd>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|a, b| a.partial_cmp(b).expect("no value is NaN"));
    let middle = values.len() / 2;
    values.swap_remove(middle)
}

/// How often `ours` fits into `theirs`.
pub(crate) fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64()
}

/// Milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
