//! Generated kustomizations, built by Hydrant and by the real kustomize, shrunk where they differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::overlays::{self, Part};
use crate::random::Random;
use crate::support;

/// Cases tried before the shrinking stops.
const TRIES_MAX: usize = 300;

/// Differences after which a run stops.
const DIFFERENCES_MAX: usize = 10;

/// Builds so many kustomizations with both tools; true if nothing differs and every directive was drawn.
pub(crate) fn compare(seed: u64, count: usize) -> bool {
    let mut random = Random::new(seed ^ 0x6b75_7374);
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut failing, mut differences) = (0, Vec::new());
    let mut cases = 0;
    for _ in 0..count {
        let parts = overlays::draw(&mut random);
        for part in &parts {
            *used.entry(part.kind).or_default() += 1;
        }
        cases += 1;
        let (ours, theirs) = (build(&parts, Tool::Hydrant), build(&parts, Tool::Kustomize));
        failing += usize::from(ours.is_none() && theirs.is_none());
        if ours != theirs && build(&parts, Tool::Kustomize) == theirs {
            differences.push(smallest(parts));
        }
        if differences.len() >= DIFFERENCES_MAX {
            break;
        }
    }
    let kinds = overlays::KINDS.iter().filter(|kind| used.contains_key(**kind)).count();
    println!(
        "seed {seed}: {cases} kustomizations, {failing} fail alike, {} differ; {kinds} of {} kinds of parts",
        differences.len(),
        overlays::KINDS.len()
    );
    for difference in &differences {
        println!("{difference}");
    }
    differences.is_empty() && (kinds == overlays::KINDS.len() || count < 200)
}

#[derive(Clone, Copy)]
enum Tool {
    Hydrant,
    Kustomize,
}

/// What a tool prints; nothing where it fails.
fn build(parts: &[Part], tool: Tool) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), parts);
    let mut command = match tool {
        Tool::Hydrant => {
            let mut command = support::hydrant();
            command.args(["build", "--compat", "kustomize-5.7"]);
            command
        }
        Tool::Kustomize => {
            let mut command = Command::new(support::peer("kubectl-1.35"));
            command.arg("kustomize");
            command
        }
    };
    let output = support::run(command.arg(folder.path().join("app")));
    let crashed = output.status.code().is_none_or(|code| code == 101 || code == 70);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!crashed || matches!(tool, Tool::Kustomize), "it crashed on\n{}\n{words}", shown(parts));
    output.status.success().then_some(output.stdout)
}

/// The files that parts make: those of one file under one head stand together, in order.
fn files(parts: &[Part]) -> BTreeMap<&'static str, String> {
    let mut heads: BTreeMap<&'static str, Vec<(&'static str, String)>> = BTreeMap::new();
    for part in parts {
        let file = heads.entry(part.file).or_default();
        match file.iter_mut().find(|(head, _)| *head == part.head) {
            Some((_, text)) => text.push_str(&part.text),
            None => file.push((part.head, part.text.clone())),
        }
    }
    heads
        .into_iter()
        .map(|(file, heads)| (file, heads.into_iter().flat_map(|(head, text)| [head.to_owned(), text]).collect()))
        .collect()
}

fn write(folder: &Path, parts: &[Part]) {
    for (name, text) in files(parts) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }
}

fn differs(parts: &[Part]) -> bool {
    let theirs = build(parts, Tool::Kustomize);
    build(parts, Tool::Hydrant) != theirs && build(parts, Tool::Kustomize) == theirs
}

/// Leaves out one part after another while the two still differ.
fn smallest(mut parts: Vec<Part>) -> String {
    let mut tries = 0;
    let mut at = 0;
    while at < parts.len() && tries < TRIES_MAX {
        tries += 1;
        let mut fewer = parts.clone();
        fewer.remove(at);
        if differs(&fewer) {
            // what stood before may be needless now, too
            (parts, at) = (fewer, 0);
        } else {
            at += 1;
        }
    }
    let answer =
        |tool| build(&parts, tool).map_or("fails".to_owned(), |text| String::from_utf8_lossy(&text).into_owned());
    format!(
        "differs:\n{}--- kustomize\n{}\n--- hydrant\n{}\n",
        shown(&parts),
        answer(Tool::Kustomize),
        answer(Tool::Hydrant)
    )
}

fn shown(parts: &[Part]) -> String {
    files(parts).iter().flat_map(|(name, text)| [format!("=== {name}\n"), text.clone()]).collect()
}
