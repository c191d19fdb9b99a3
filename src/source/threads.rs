//! Work spread over the machine's cores, results in the order of the input: how many threads there are never shows.

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::place::Place;

/// Fewer items than this are not worth a thread.
const ITEMS_MIN: usize = 24;

/// Stack of a worker: enough for a render, which then needs none of its own. Only touched pages cost memory.
pub(crate) const STACK_BYTES: usize = 136 << 20;

/// How much of it may be used by work that another thread does again if this is too little.
pub(crate) const STACK_BYTES_SHORT: usize = 32 << 20;

/// Applies `work` to every item.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = if items.len() < ITEMS_MIN { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
    if workers == 1 {
        return items.into_iter().map(work).collect();
    }
    let count = items.len();
    let queue = Mutex::new(items.into_iter().enumerate());
    // each takes the next item when it is done with one, so that none waits for another's share
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let labour = || std::iter::from_fn(take).map(|(at, item)| (at, work(item))).collect::<Vec<(usize, R)>>();
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|away| beside(scope, away, labour)).collect();
        // a thread that would only wait has its memory at hand
        let mut results = labour();
        results.reserve(count - results.len());
        results.extend(others.into_iter().flat_map(joined));
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs work on a thread of its own, which ends within the scope and begins so many CPUs away from this one. Whoever works on
/// takes the next one for it; whoever waits leaves its own to the first.
pub(crate) fn beside<'scope, R: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    away: usize,
    work: impl FnOnce() -> R + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, R> {
    let place = Place::away(away);
    let placed = move || {
        place.take();
        work()
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, placed);
    thread.expect("the system gives a thread")
}

/// Waits for a thread's result; its panic is this thread's.
pub(crate) fn joined<R>(thread: thread::ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_whatever_the_count() {
        for count in [0, 1, ITEMS_MIN - 1, ITEMS_MIN, 1000] {
            let doubled = map((0..count).collect(), |number| number * 2);
            assert_eq!(doubled, (0..count).map(|number| number * 2).collect::<Vec<_>>());
        }
    }
}
