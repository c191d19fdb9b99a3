//! Work counts: what loading a chart asks of its source, however large the chart. Timings live in `benches/`; counts hold on any
//! machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::tests_aside::Counting as Draws;
use super::{Chart, Print, ReleaseOptions, UserValues, render};
use crate::compat::Profile;
use crate::diag::Result;
use crate::source::{Disk, Entry, EntryKind, Memory, Source};

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

/// A large file that no template is, waits on disk until a template wants it; one that has gone by then fails the render.
#[test]
#[expect(clippy::disallowed_methods, reason = "the chart lies on disk, as it does where files wait")]
fn a_large_file_is_read_when_it_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path().join("web");
    let large = "x".repeat(100_000);
    for (name, text) in [
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("values.yaml", "want: none\n"),
        ("large.txt", large.as_str()),
        ("small.txt", "small"),
        ("crds/a.yaml", large.as_str()),
        (
            "templates/a.yaml",
            "{{ if eq .Values.want `get` }}n: {{ len (.Files.Get `large.txt`) }}{{ else if eq .Values.want `range` }}\
             {{ range $name, $bytes := .Files.Glob `*.txt` }}{{ $name }}: {{ len $bytes }}\n{{ end }}{{ else }}n: {{ .Files.Get `small.txt` }}{{ end }}",
        ),
    ] {
        let path = top.join(name);
        std::fs::create_dir_all(path.parent().expect("in the chart")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }
    let load = || Chart::load(&Disk, top.to_str().expect("UTF-8"), Profile::default()).expect("a chart");
    let printed = |chart: &Arc<Chart>, want: &str, include_crds: bool| {
        let values = UserValues { set: vec![format!("want={want}")], ..UserValues::default() };
        render(chart, &ReleaseOptions::default(), &values, &mut Draws(0))
            .map_err(|fault| fault.code)
            .and_then(|release| release.print(&Print { include_crds, ..Print::default() }).map_err(|fault| fault.code))
    };
    let chart = load();
    assert!(printed(&chart, "get", false).expect("rendered").contains("n: 100000"));
    assert!(printed(&chart, "range", false).expect("rendered").contains("large.txt: 100000\nsmall.txt: 5"));
    assert!(printed(&chart, "none", true).expect("rendered").contains(&large));
    let chart = load();
    for file in ["large.txt", "crds/a.yaml", "small.txt"] {
        std::fs::remove_file(top.join(file)).expect("there");
    }
    assert!(printed(&chart, "none", false).expect("rendered").contains("small"));
    assert_eq!(printed(&chart, "none", true).expect_err("gone"), "source-missing");
    assert_eq!(printed(&chart, "get", false).expect_err("gone"), "source-missing");
    assert_eq!(printed(&chart, "range", false).expect_err("gone"), "source-missing");
}
