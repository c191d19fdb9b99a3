//! A bar on the terminal while large blobs are on their way; nothing where nobody looks.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Mutex;

use crate::oci::Digest;
use crate::registry::Progress;

use super::push::bytes;

/// Cells of the bar.
const CELLS: u64 = 30;
/// Back to the start of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// One bar for all blobs together.
#[derive(Default)]
pub(super) struct Bar {
    blobs: Mutex<BTreeMap<Digest, (u64, u64)>>,
}

impl Progress for Bar {
    fn moved(&self, blob: Digest, done: u64, total: u64) {
        let Ok(mut blobs) = self.blobs.lock() else { return };
        let before = line(&blobs);
        blobs.insert(blob, (done, total));
        let after = line(&blobs);
        if before != after {
            // a terminal that went away leaves nobody to tell
            let _ = write!(io::stderr().lock(), "{CLEAR}{after}");
        }
        if blobs.values().all(|(done, total)| done == total) {
            blobs.clear();
            let _ = write!(io::stderr().lock(), "{CLEAR}");
        }
    }
}

/// `[=====>    ] 3.2 MiB of 10.0 MiB`; changes only when a cell or a tenth does.
fn line(blobs: &BTreeMap<Digest, (u64, u64)>) -> String {
    let (done, total) = blobs.values().fold((0, 0), |(done, total), blob| (done + blob.0, total + blob.1));
    let full = (done * CELLS).checked_div(total).unwrap_or(0).min(CELLS) as usize;
    let head = if full < CELLS as usize { ">" } else { "" };
    let rest = (CELLS as usize).saturating_sub(full + head.len());
    format!("[{}{head}{}] {} of {}", "=".repeat(full), " ".repeat(rest), bytes(done), bytes(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_what_is_done() {
        let at = |done: u64| line(&[(Digest::of(b"a"), (done, 4 << 20)), (Digest::of(b"b"), (0, 0))].into());
        assert_eq!(at(0), format!("[>{}] 0 bytes of 4.0 MiB", " ".repeat(29)));
        assert_eq!(at(2 << 20), format!("[{}>{}] 2.0 MiB of 4.0 MiB", "=".repeat(15), " ".repeat(14)));
        assert_eq!(at(4 << 20), format!("[{}] 4.0 MiB of 4.0 MiB", "=".repeat(30)));
        assert_eq!(line(&BTreeMap::new()), format!("[>{}] 0 bytes of 0 bytes", " ".repeat(29)));
    }

    #[test]
    fn a_finished_bar_forgets_what_it_counted() {
        let bar = Bar::default();
        bar.moved(Digest::of(b"a"), 5, 5);
        assert!(bar.blobs.lock().expect("unlocked").is_empty());
    }
}
