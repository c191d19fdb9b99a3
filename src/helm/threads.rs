//! Work spread over the machine's cores, results in the order of the input: how many threads there are never shows.

use std::thread;

/// Fewer items than this are not worth a thread.
const ITEMS_MIN: usize = 24;

/// Stack of a worker: enough for YAML nested as deep as its reader allows. Only touched pages cost memory.
pub(super) const STACK_BYTES: usize = 64 << 20;

/// Applies `work` to every item.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = if items.len() < ITEMS_MIN { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
    if workers == 1 {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(workers);
    let mut rest = items;
    let mut parts = Vec::with_capacity(workers);
    while rest.len() > share {
        let tail = rest.split_off(share);
        parts.push(std::mem::replace(&mut rest, tail));
    }
    parts.push(rest);
    let work = &work;
    thread::scope(|scope| {
        let last = parts.pop().unwrap_or_default();
        let running: Vec<_> =
            parts.into_iter().map(|part| beside(scope, move || part.into_iter().map(work).collect::<Vec<R>>())).collect();
        // a thread that would only wait has its memory at hand
        let mut last: Vec<R> = last.into_iter().map(work).collect();
        let mut results: Vec<R> = running.into_iter().flat_map(joined).collect();
        results.append(&mut last);
        results
    })
}

/// Runs work on a thread of its own, which ends within the scope.
pub(super) fn beside<'scope, R: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() -> R + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, R> {
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
    thread.expect("the system gives a thread")
}

/// Waits for a thread's result; its panic is this thread's.
pub(super) fn joined<R>(thread: thread::ScopedJoinHandle<'_, R>) -> R {
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
