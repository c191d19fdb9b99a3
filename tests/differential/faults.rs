//! Faults planted on purpose: does the differential test find each of them, and after how many cases?
//!
//! In: `faults.toml`, each fault an expression of the sources and the wrong one to put in its place. All are put into one
//! copy of the sources, behind a switch each, so that one build serves them all; the real Helm is asked once for
//! each batch of cases. The project itself is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::charts::{self, Answers, Tool};
use crate::{batches, differing, grammar, support};

#[derive(Deserialize)]
struct Table {
    fault: Vec<Fault>,
}

/// One fault.
#[derive(Deserialize)]
struct Fault {
    /// What it is.
    name: String,
    /// The file, below `src/`.
    file: String,
    /// The expression as it is; stands once in the file.
    right: String,
    /// The expression of the fault.
    wrong: String,
}

/// What every copy gets: the switch that faults stand behind.
const SWITCH: &str = "
/// The number of the planted fault that is switched on.
static PLANTED: std::sync::LazyLock<usize> =
    std::sync::LazyLock::new(|| std::env::var(\"HYDRANT_PLANTED\").ok().and_then(|number| number.parse().ok()).unwrap_or(usize::MAX));
pub(crate) fn planted(number: usize) -> bool {
    *PLANTED == number
}
";

/// Plants every fault and counts the cases that it takes to find it; true if all are found within `count`.
pub(crate) fn find_all(seed: u64, count: usize, functions: &[grammar::Row]) -> bool {
    let text = fs::read_to_string(support::root().join("tests/differential/faults.toml")).expect("faults.toml");
    let faults = toml::from_str::<Table>(&text).expect("faults.toml is a table of faults").fault;
    let binary = build(&faults);
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    let mut seen = 0;
    for batch in batches(seed, count, functions) {
        let theirs = charts::answers(&batch.texts, &batch.world, &Tool::Helm);
        // what Helm refuses is left out, so that one run of ours answers all
        let kept: Vec<usize> = (0..batch.texts.len()).filter(|at| theirs.cases[*at].is_some()).collect();
        let texts: Vec<String> = kept.iter().map(|at| batch.texts[*at].clone()).collect();
        let cases = kept.iter().map(|at| theirs.cases[*at].clone()).collect();
        let theirs = Answers { cases, world: theirs.world };
        for (number, fault) in faults.iter().enumerate() {
            if found.contains_key(&number) {
                continue;
            }
            let ours = charts::answers(&texts, &batch.world, &Tool::Planted(binary.clone(), number));
            if let Some(first) = differing(&texts, &batch.world, &ours, &theirs).first() {
                let at = seen + first.map_or(batch.cases.len(), |at| kept[at] + 1);
                let text = first.map_or("the documents around", |at| &texts[at]);
                println!(
                    "{:>3} found after {at:>5} cases: {} ({:.80})",
                    number + 1,
                    fault.name,
                    text.replace('\n', " ")
                );
                found.insert(number, at);
            }
        }
        seen += batch.cases.len();
        if found.len() == faults.len() {
            break;
        }
    }
    for (number, fault) in faults.iter().enumerate().filter(|(number, _)| !found.contains_key(number)) {
        println!("{:>3} NOT FOUND in {seen} cases: {}", number + 1, fault.name);
    }
    let latest = found.values().max().copied().unwrap_or_default();
    println!(
        "{} of {} planted faults found, the last after {latest} cases (of {count}, seed {seed})",
        found.len(),
        faults.len()
    );
    found.len() == faults.len()
}

/// Builds the copy, and gives its binary.
fn build(faults: &[Fault]) -> PathBuf {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    let _ = fs::remove_dir_all(copy.join("src"));
    let folders = ["src", "examples"].map(|name| walkdir::WalkDir::new(support::root().join(name)));
    for entry in folders.into_iter().flatten().filter_map(Result::ok) {
        let below = entry.path().strip_prefix(support::root()).expect("below the root");
        if entry.file_type().is_dir() {
            fs::create_dir_all(copy.join(below)).expect("writable");
        } else {
            fs::copy(entry.path(), copy.join(below)).expect("writable");
        }
    }
    for name in ["Cargo.toml", "Cargo.lock", "README.md"] {
        let text = fs::read_to_string(support::root().join(name)).expect("it is there");
        fs::write(copy.join(name), alone(&text)).expect("writable");
    }
    for (number, fault) in faults.iter().enumerate() {
        let path = copy.join("src").join(&fault.file);
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}: no {}", fault.name, fault.file));
        assert_eq!(
            text.matches(&fault.right).count(),
            1,
            "{}: {:?} must stand once in {}",
            fault.name,
            fault.right,
            fault.file
        );
        let both = format!("(if crate::planted({number}) {{ {} }} else {{ {} }})", fault.wrong, fault.right);
        fs::write(path, text.replace(&fault.right, &both)).expect("writable");
    }
    let lib = copy.join("src/lib.rs");
    let text = fs::read_to_string(&lib).expect("lib.rs");
    fs::write(lib, text + SWITCH).expect("writable");
    // the target folder of this very test, so that nothing but the copy itself is compiled
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&copy).args(["build", "--quiet", "--bin", "planted"]).env("CARGO_TARGET_DIR", target);
    support::must(&mut cargo);
    target.join("debug/planted")
}

/// A manifest without what the copy lacks (tests, benches, members), and with a binary that takes no other's place.
fn alone(manifest: &str) -> String {
    let gone = ["[[test]]", "[[bench]]", "[workspace]"];
    let mut keep = true;
    let manifest = manifest.replace("[[bin]]\nname = \"hydrant\"", "[[bin]]\nname = \"planted\"");
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            keep = !gone.contains(line);
        }
        keep
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}
