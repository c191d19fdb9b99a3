//! A limit on what stands between two files of a tar: long names and attributes, which the tar reader holds in memory whole.
//!
//! In: the reader below the tar reader. Out: the same bytes, until an entry's headers take too many.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes that the headers of one entry may take, its long name and attributes included: thousands of times what writers need.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// A reader that counts while an entry's headers are read.
pub(super) struct Metered<R> {
    inner: R,
    left: Rc<Cell<Option<u64>>>,
}

/// The switch of a [`Metered`] reader.
#[derive(Clone)]
pub(super) struct Meter(Rc<Cell<Option<u64>>>);

impl<R: Read> Metered<R> {
    /// The reader, and its switch, which is off.
    pub(super) fn new(inner: R) -> (Metered<R>, Meter) {
        let left = Rc::default();
        (Metered { inner, left: Rc::clone(&left) }, Meter(left))
    }
}

impl Meter {
    /// Runs what reads headers and nothing else.
    pub(super) fn headers<T>(&self, read: impl FnOnce() -> T) -> T {
        self.0.set(Some(HEADER_BYTES_MAX));
        let done = read();
        self.0.set(None);
        done
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get() else { return self.inner.read(out) };
        if left == 0 && !out.is_empty() {
            return Err(io::Error::other(format!("the headers of an entry take more than {HEADER_BYTES_MAX} bytes")));
        }
        let most = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut out[..most])?;
        self.left.set(Some(left - read as u64));
        Ok(read)
    }
}
