//! A differential test: generated templates, values and documents, rendered by Hydrant and by the real Helm, and generated
//! kustomizations, built by Hydrant and by the real kustomize; shrunk where they differ.
//!
//!     cargo test --test differential                       2,000 cases and 200 kustomizations, as CI does
//!     cargo test --test differential -- --count 50000 --seed 7
//!     cargo test --test differential -- --count 0 --kustomizations 5000
//!     cargo test --test differential -- --count 0          only whether the grammar covers every function
//!     cargo test --test differential -- --faults           plants the faults of `faults.toml` one by one; each must be found
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
mod faults;
mod generate;
mod grammar;
mod kustomizations;
mod objects;
mod overlays;
mod random;
mod shrink;
mod tree;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;

use charts::{Answers, Tool};
use random::Random;
use tree::Case;
use world::World;

/// Cases rendered in one chart.
const BATCH: usize = 60;

/// Differences after which a run stops: enough to see what they have in common.
const DIFFERENCES_MAX: usize = 10;

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
    let functions = grammar::functions();
    let uncovered = grammar::uncovered(&functions);
    if !uncovered.is_empty() {
        println!("functions that no row of the grammar calls: {}", uncovered.join(" "));
        return ExitCode::FAILURE;
    }
    let seed = number("--seed", 1);
    let good = if words.iter().any(|word| word == "--faults") {
        faults::find_all(seed, number("--count", 20_000) as usize, &functions)
    } else {
        let good = compare(seed, number("--count", 2000) as usize, &functions);
        kustomizations::compare(seed, number("--kustomizations", 200) as usize) && good
    };
    println!("\n{} passed, {} failed", u8::from(good), u8::from(!good));
    ExitCode::from(u8::from(!good))
}

/// Renders so many cases with both tools; true if nothing differs and nothing was left out.
fn compare(seed: u64, count: usize, functions: &[grammar::Row]) -> bool {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut outcome = Outcome::default();
    for batch in batches(seed, count, functions) {
        batch.cases.iter().for_each(|case| case.count(&mut used));
        batch.world.count(&mut used);
        outcome.take(&batch);
        if outcome.differences.len() >= DIFFERENCES_MAX {
            break;
        }
    }
    let of = |names: &mut dyn Iterator<Item = &str>| names.filter(|name| used.contains_key(*name)).count();
    let rows = of(&mut functions.iter().map(|row| row.name));
    let actions = of(&mut grammar::ACTIONS.iter().copied());
    let kinds = of(&mut world::KINDS.iter().copied());
    println!(
        "seed {seed}: {} cases, {} fail alike, {} differ; {rows} of {} function rows, {actions} of {} kinds of action, \
         {kinds} of {} kinds of surroundings",
        outcome.cases,
        outcome.failing,
        outcome.differences.len(),
        functions.len(),
        grammar::ACTIONS.len(),
        world::KINDS.len(),
    );
    outcome.differences.iter().for_each(|difference| println!("{difference}"));
    let all = rows == functions.len() && actions == grammar::ACTIONS.len() && kinds == world::KINDS.len();
    outcome.differences.is_empty() && (all || count < 2000)
}

/// Cases that share a world.
struct Batch {
    cases: Vec<Case>,
    texts: Vec<String>,
    world: World,
}

/// The same cases for the same seed, however many are asked for.
fn batches(seed: u64, count: usize, functions: &[grammar::Row]) -> impl Iterator<Item = Batch> {
    let mut random = Random::new(seed);
    (0..count).step_by(BATCH).map(move |start| {
        let world = world::world(&mut random);
        let cases = start..count.min(start + BATCH);
        let cases: Vec<Case> = cases.map(|number| generate::case(number, &mut random, functions)).collect();
        Batch { texts: cases.iter().map(Case::text).collect(), cases, world }
    })
}

#[derive(Default)]
struct Outcome {
    cases: usize,
    failing: usize,
    differences: Vec<String>,
}

impl Outcome {
    fn take(&mut self, batch: &Batch) {
        let answers = |tool: &Tool| charts::answers(&batch.texts, &batch.world, tool);
        let (ours, theirs) = (answers(&Tool::Hydrant), answers(&Tool::Helm));
        self.cases += batch.cases.len();
        self.failing +=
            ours.cases.iter().zip(&theirs.cases).filter(|(ours, theirs)| ours.is_none() && theirs.is_none()).count();
        for at in differing(&batch.texts, &batch.world, &ours, &theirs) {
            self.differences.push(shrink::smallest(at.map(|at| &batch.cases[at]), &batch.world));
        }
    }
}

/// The cases whose answers differ, and nothing for the world's own; what Helm does not say twice is no difference.
fn differing(texts: &[String], world: &World, ours: &Answers, theirs: &Answers) -> Vec<Option<usize>> {
    let mut found = Vec::new();
    if ours.world != theirs.world
        && charts::is_steady(&[], world, &Answers { cases: Vec::new(), world: theirs.world.clone() })
    {
        found.push(None);
    }
    for (at, text) in texts.iter().enumerate() {
        let answer = Answers { cases: vec![theirs.cases[at].clone()], world: theirs.world.clone() };
        if ours.cases[at] != theirs.cases[at] && charts::is_steady(std::slice::from_ref(text), world, &answer) {
            found.push(Some(at));
        }
    }
    found
}
