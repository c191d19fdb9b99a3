//! A differential test: generated templates, rendered by Hydrant and by the real Helm, shrunk where they differ.
//!
//!     cargo test --test differential                       2,000 cases, as CI does
//!     cargo test --test differential -- --count 50000 --seed 7
//!     cargo test --test differential -- --count 0          only the count of what the grammar covers
//!
//! Most cases are of fitting types and print a value; some are wrong on purpose and must fail in both. Many cases share
//! a chart, since the real Helm takes longer to start than to render; a chart that fails is split until the cases
//! that fail stand alone.

#![expect(clippy::explicit_auto_deref, reason = "without it the item type of a drawn list is taken for `str`")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../support/mod.rs"]
mod support;

mod charts;
mod generate;
mod grammar;
mod random;
mod shrink;
mod tree;

use std::collections::BTreeMap;
use std::process::ExitCode;

use random::Random;
use tree::Case;

/// Cases rendered in one chart.
const BATCH: usize = 60;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        println!("differential: test");
        return ExitCode::SUCCESS;
    }
    let number = |flag: &str, default: u64| {
        let at = words.iter().position(|word| word == flag);
        at.and_then(|at| words.get(at + 1)).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    let (count, seed) = (number("--count", 2000) as usize, number("--seed", 1));
    let functions = grammar::functions();
    let uncovered = grammar::uncovered(&functions);
    if !uncovered.is_empty() {
        println!("functions that no row of the grammar calls: {}", uncovered.join(" "));
        return ExitCode::FAILURE;
    }
    let mut random = Random::new(seed);
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut outcome = Outcome::default();
    while outcome.cases < count && outcome.differences.len() < 10 {
        let batch: Vec<Case> = (0..BATCH.min(count - outcome.cases))
            .map(|at| generate::case(outcome.cases + at, &mut random, &functions))
            .collect();
        for case in &batch {
            case.count(&mut used);
        }
        outcome.take(&batch, &functions);
    }
    let rows = functions.iter().filter(|row| used.contains_key(row.name)).count();
    let kinds = grammar::ACTIONS.iter().filter(|kind| used.contains_key(**kind)).count();
    println!(
        "seed {seed}: {} cases, {} fail alike, {} differ; {rows} of {} function rows, {kinds} of {} kinds of action",
        outcome.cases,
        outcome.failing,
        outcome.differences.len(),
        functions.len(),
        grammar::ACTIONS.len()
    );
    for difference in &outcome.differences {
        println!("{difference}");
    }
    let whole = count < 2000 || (rows == functions.len() && kinds == grammar::ACTIONS.len());
    let good = outcome.differences.is_empty() && whole;
    println!("\n{} passed, {} failed", u8::from(good), u8::from(!good));
    ExitCode::from(u8::from(!good))
}

#[derive(Default)]
struct Outcome {
    cases: usize,
    failing: usize,
    differences: Vec<String>,
}

impl Outcome {
    fn take(&mut self, batch: &[Case], functions: &[grammar::Row]) {
        let texts: Vec<String> = batch.iter().map(Case::text).collect();
        let (ours, theirs) =
            (charts::answers(&texts, charts::Tool::Hydrant), charts::answers(&texts, charts::Tool::Helm));
        for ((case, ours), theirs) in batch.iter().zip(ours).zip(theirs) {
            self.cases += 1;
            self.failing += usize::from(theirs.is_none() && ours.is_none());
            if ours != theirs && charts::is_steady(&case.text(), theirs.as_deref()) {
                self.differences.push(shrink::smallest(case, functions));
            }
        }
    }
}
