//! Work counts: what loading a chart asks of its source, however large the chart. Timings live in `benches/`; counts hold on any
//! machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::Chart;
use crate::compat::Profile;
use crate::diag::Result;
use crate::source::{Entry, EntryKind, Memory, Source};

/// A source that counts what it is asked.
struct Counting {
    files: Memory,
    kinds: AtomicUsize,
    reads: AtomicUsize,
    lists: AtomicUsize,
}

impl Source for Counting {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.kinds.fetch_add(1, Ordering::Relaxed);
        self.files.kind(path)
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.files.read(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.files.list(path)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        self.files.real_path(path)
    }
}

/// An umbrella chart of so many subcharts with three files each, in two folders each.
fn umbrella(subcharts: usize) -> Memory {
    let mut files = Memory::new();
    files.insert("/top/Chart.yaml", b"apiVersion: v2\nname: top\nversion: 1.0.0\n".as_slice());
    for number in 0..subcharts {
        let folder = format!("/top/charts/sub{number}");
        let chart = format!("apiVersion: v2\nname: sub{number}\nversion: 1.0.0\n");
        files.insert(&format!("{folder}/Chart.yaml"), chart.into_bytes());
        files.insert(&format!("{folder}/values.yaml"), b"a: 1\n".as_slice());
        files.insert(&format!("{folder}/templates/a.yaml"), b"a: {{ .Values.a }}\n".as_slice());
    }
    files
}

#[test]
fn each_file_is_read_once_and_each_folder_listed_once() {
    for subcharts in [1, 50] {
        let source = Counting {
            files: umbrella(subcharts),
            kinds: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            lists: AtomicUsize::new(0),
        };
        Chart::load(&source, "/top", Profile::default()).expect("a chart");
        assert_eq!(source.reads.into_inner(), 1 + 3 * subcharts, "files read");
        assert_eq!(source.lists.into_inner(), 2 + 2 * subcharts, "folders listed");
        assert_eq!(source.kinds.into_inner(), 3, "the chart, its `Chart.yaml` and `.helmignore`, and nothing below");
    }
}
