//! Goldens: cases as folders, one test name a case, answers recorded from the real tools.
//!
//!     cargo golden [FILTER]    run the cases whose name holds FILTER
//!     cargo bless FILTER       write Hydrant's own answers (error texts, own commands) of the matching cases
//!     cargo oracle [FILTER]    record the real tools' answers anew and list what changed
//!     cargo oracle --check     the same without writing: fail where a record is stale
//!
//! A file under `golden/` that no case reads is an orphan and fails the run.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/patch.rs"]
mod patch;
#[path = "../support/values.rs"]
mod values;

mod ci;
mod command;
mod diffs;
mod expressions;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// Files to write: answers of a case.
pub(crate) type Answers = Vec<(PathBuf, Vec<u8>)>;

/// A case of any kind.
pub(crate) trait Case: Send + Sync {
    /// `helm/hooks-weight`: the path below `golden/` without an ending.
    fn name(&self) -> &str;
    /// Every file of the case, inputs and answers.
    fn files(&self) -> Vec<PathBuf>;
    /// Compares Hydrant's answer with the recorded one.
    fn check(&self) -> Result<(), String>;
    /// Hydrant's own answers, as files to write; the real tools' answers are not among them.
    fn bless(&self) -> Answers;
    /// The real tools' answers, as files to write.
    fn record(&self) -> Answers;
}

fn main() -> ExitCode {
    let golden = support::root().join("golden");
    let mut cases: Vec<Box<dyn Case>> = command::find(&golden);
    cases.extend(ci::find(&golden));
    cases.extend(diffs::find(&golden));
    cases.extend(expressions::find(&golden));
    cases.sort_by(|a, b| a.name().cmp(b.name()));
    let mut words: Vec<String> = std::env::args().collect();
    let mut flag = |name: &str| {
        let before = words.len();
        words.retain(|word| word != name);
        words.len() < before
    };
    let (bless, oracle, check) = (flag("--bless"), flag("--oracle"), flag("--check"));
    if bless || oracle {
        let filter = words.get(1).cloned().unwrap_or_default();
        if bless && filter.is_empty() {
            eprintln!("cargo bless wants the name of a case: read what you bless");
            return ExitCode::from(2);
        }
        let chosen = cases.iter().filter(|case| case.name().contains(&filter));
        return rewrite(chosen, if bless { Case::bless } else { Case::record }, check);
    }
    let orphans = orphans(&golden, &cases);
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|case| Trial::test(case.name().to_owned(), move || case.check().map_err(Failed::from)))
        .collect();
    trials.push(Trial::test("no-orphans", move || {
        if orphans.is_empty() { Ok(()) } else { Err(format!("no case reads these: {orphans:#?}").into()) }
    }));
    libtest_mimic::run(&Arguments::from_iter(words), trials).exit_code()
}

/// How often a real tool is asked before its record is called stale: some of its words come in the order of Go's maps, another one
/// each time.
const RECORDINGS_MAX: usize = 10;

/// Writes new answers (or, checking, only says what would change).
fn rewrite<'a>(
    cases: impl Iterator<Item = &'a Box<dyn Case>>,
    answers: fn(&(dyn Case + 'a)) -> Answers,
    check: bool,
) -> ExitCode {
    let (mut changed, mut count) = (0, 0);
    for case in cases {
        count += 1;
        let mut new = differing(answers(case.as_ref()));
        for _ in 1..if check { RECORDINGS_MAX } else { 1 } {
            if new.is_empty() {
                break;
            }
            let again = differing(answers(case.as_ref()));
            new.retain(|(path, _)| again.iter().any(|(other, _)| other == path));
        }
        changed += new.len();
        for (path, bytes) in new {
            println!("{} {}", if check { "stale" } else { "wrote" }, path.display());
            if !check {
                fs::write(&path, bytes).expect("golden files are writable");
            }
        }
    }
    println!("{count} cases, {changed} files changed");
    ExitCode::from(u8::from(check && changed > 0))
}

/// The answers that are not what their files hold.
fn differing(answers: Answers) -> Answers {
    answers.into_iter().filter(|(path, bytes)| fs::read(path).ok().as_deref() != Some(bytes)).collect()
}

fn orphans(golden: &Path, cases: &[Box<dyn Case>]) -> Vec<PathBuf> {
    let known: BTreeSet<PathBuf> = cases.iter().flat_map(|case| case.files()).collect();
    files_below(golden).into_iter().filter(|file| !known.contains(file)).collect()
}

/// Every file below a folder, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    walk.filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir()).map(walkdir::DirEntry::into_path).collect()
}

/// A unified diff with the path of the record, or nothing where both agree.
pub(crate) fn difference(path: &Path, want: &[u8], got: &[u8]) -> Option<String> {
    if want == got {
        return None;
    }
    let (want, got) = (String::from_utf8_lossy(want), String::from_utf8_lossy(got));
    let diff = similar::TextDiff::from_lines(&*want, &*got);
    let name = path.display().to_string();
    Some(diff.unified_diff().context_radius(3).header(&name, "hydrant").to_string())
}
