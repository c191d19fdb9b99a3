//! Hydrant against the real tools: whole processes, side by side in one run, wall and processor
//! time as ratios, peak memory as a share.
//!
//!     cargo bench --bench side_by_side [-- FILTER]
//!     cargo bench --bench side_by_side -- 'many objects, both'     kustomize takes minutes for these, so only when asked
//!
//! Each line is the median of several rounds in which both take turns, so that a busy machine slows both.
//! Needs the peers that `tests/peers/bring` brings. Before a pair is timed, its two outputs are compared.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../measure/mod.rs"]
mod measure;
#[path = "../../tests/support/mod.rs"]
mod support;

mod makers;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use measure::{Cost, in_turn, median, ms, ratio, run};

/// The filter under which kustomize builds thousands of objects, too.
const MANY_OBJECTS_BOTH: &str = "many objects, both";

/// The name of the binary that is timed.
const INSTALLED: &str = "hydrant";

/// Rounds in which an umbrella chart is timed against another, or against its files.
const GROWTH_ROUNDS: usize = 15;

/// A pair of commands that print the same bytes.
struct Pair {
    name: &'static str,
    ours: Command,
    theirs: Command,
    rounds: usize,
    /// The least ratio that the project promises.
    promised: f64,
}

fn main() {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // as installing does: the linker leaves its file in the page cache in small pieces, which a start takes a quarter longer to map
    std::fs::copy(support::hydrant().get_program(), folder.path().join(INSTALLED)).expect("writable");
    println!(
        "{:<44} {:>10} {:>10} {:>8} {:>8} {:>7} {:>9}",
        "case", "hydrant", "theirs", "wall", "cpu", "memory", "promised"
    );
    for mut pair in pairs(folder.path()).into_iter().filter(|pair| pair.name.contains(&filter)) {
        compare(&mut pair);
    }
    if "many roots".contains(&filter) {
        many_roots(folder.path());
    }
    if "many objects".contains(&filter) || filter == MANY_OBJECTS_BOTH {
        many_objects(folder.path(), filter == MANY_OBJECTS_BOTH);
    }
    if "umbrella growth".contains(&filter) {
        floor(folder.path(), 200);
        growth(folder.path(), 200, 400);
        growth(folder.path(), 400, 800);
    }
}

/// The installed binary.
fn hydrant(folder: &Path) -> Command {
    Command::new(folder.join(INSTALLED))
}

fn pairs(folder: &Path) -> Vec<Pair> {
    support::must(Command::new(support::peer("helm-4.3")).arg("create").arg(folder.join("web")));
    for count in [200, 400, 800] {
        makers::umbrella(&folder.join(format!("umbrella-{count}")), count, 10);
    }
    makers::deployments(&folder.join("deployments-200"), 200, 50);
    let example = support::root().join("examples/chart");
    let helm = |chart: &str| template(Command::new(support::peer("helm-4.3")), &folder.join(chart));
    let ours = |chart: &str| template(hydrant(folder), &folder.join(chart));
    vec![
        Pair { name: "helm create chart", ours: ours("web"), theirs: helm("web"), rounds: 21, promised: 15.0 },
        Pair {
            name: "umbrella of 200",
            ours: ours("umbrella-200"),
            theirs: helm("umbrella-200"),
            rounds: 3,
            promised: 100.0,
        },
        Pair {
            name: "kustomization with a chart (example)",
            ours: build(hydrant(folder), "build", &example, true),
            theirs: build(Command::new(support::peer("kubectl-1.35")), "kustomize", &example, true),
            rounds: 9,
            promised: 60.0,
        },
        Pair {
            name: "kustomization of 200 deployments, 50 patches",
            ours: build(hydrant(folder), "build", &folder.join("deployments-200"), false),
            theirs: build(
                Command::new(support::peer("kubectl-1.35")),
                "kustomize",
                &folder.join("deployments-200"),
                false,
            ),
            rounds: 5,
            promised: 20.0,
        },
    ]
}

fn template(mut command: Command, chart: &Path) -> Command {
    command.args(["template", "rel"]).arg(chart).args(["--kube-version", "v1.33.0"]);
    command
}

fn build(mut command: Command, verb: &str, folder: &Path, charts: bool) -> Command {
    command.arg(verb).arg(folder);
    if charts {
        let flavour: &[&str] = if verb == "build" { &["--compat", "helm-3"] } else { &["--helm-command"] };
        command.arg("--enable-helm").args(flavour);
        if verb != "build" {
            command.arg(support::peer("helm-3.17"));
        }
    }
    command
}

fn compare(pair: &mut Pair) {
    let same = support::must(&mut pair.ours) == support::must(&mut pair.theirs);
    let costs = in_turn(&mut [&mut pair.ours, &mut pair.theirs], pair.rounds);
    let (ours, theirs) = (costs[0], costs[1]);
    println!(
        "{:<44} {:>8.2}ms {:>8.1}ms {:>7.1}x {:>7.1}x {:>7.2} {:>8.0}x{}",
        pair.name,
        ms(ours.wall),
        ms(theirs.wall),
        ratio(theirs.wall, ours.wall),
        ratio(theirs.cpu, ours.cpu),
        ours.peak as f64 / theirs.peak as f64,
        pair.promised,
        if same { "" } else { "  THE BYTES DIFFER" }
    );
}

/// What the larger of two umbrella charts costs, in terms of the smaller.
fn growth(folder: &Path, small: usize, large: usize) {
    let command = |count: usize| template(hydrant(folder), &folder.join(format!("umbrella-{count}")));
    let costs = in_turn(&mut [&mut command(small), &mut command(large)], GROWTH_ROUNDS);
    let (a, b) = (costs[0].wall, costs[1].wall);
    println!(
        "umbrella growth: {large} cost {:.2} times {small} ({:.1} ms, {:.1} ms), promised 2.2",
        ratio(b, a),
        ms(b),
        ms(a)
    );
}

/// Many roots in one process against one kustomize after the other, of which a sample is timed; then what a change of one
/// values file costs with a cache, against reading and hashing every input and building that root.
fn many_roots(folder: &Path) {
    const COUNT: usize = 300;
    const SAMPLE: usize = 10;
    let top = folder.join("roots");
    makers::roots(&top, COUNT);
    let all = |words: &[&str]| {
        let mut command = hydrant(folder);
        command.args(["build", "--all"]).arg(&top).args(["--compat", "helm-3"]).args(words);
        command
    };
    let ours = in_turn(&mut [&mut all(&[])], 9)[0];
    let theirs: Vec<Cost> = (0..SAMPLE)
        .map(|root| {
            let root = top.join(format!("roots/r{:03}", root * COUNT / SAMPLE));
            let cost = run(&mut build(Command::new(support::peer("kubectl-1.35")), "kustomize", &root, true));
            assert!(cost.done, "kustomize failed");
            cost
        })
        .collect();
    let scaled = |time: fn(&Cost) -> Duration| theirs.iter().map(time).sum::<Duration>() * (COUNT / SAMPLE) as u32;
    let (their_wall, their_cpu) = (scaled(|cost| cost.wall), scaled(|cost| cost.cpu));
    println!(
        "{COUNT} roots: {:.0} ms, one kustomize after the other {:.1} s, {:.0} times; of processor time {:.0} times; promised 100",
        ms(ours.wall),
        their_wall.as_secs_f64(),
        ratio(their_wall, ours.wall),
        ratio(their_cpu, ours.cpu)
    );
    let cache = top.with_extension("cache");
    let cached = ["--cache", cache.to_str().expect("UTF-8")];
    wall(&mut all(&cached));
    let warm = median((0..9).map(|round| {
        std::fs::write(top.join("roots/r100/values.yaml"), format!("replicaCount: {round}\n")).expect("writable");
        wall(&mut all(&cached))
    }));
    let hashing = median((0..9).map(|_| hashed(&top)));
    let one = median((0..9).map(|_| wall(&mut build(hydrant(folder), "build", &top.join("roots/r100"), true))));
    let ratio = warm.as_secs_f64() / (hashing + one).as_secs_f64();
    println!(
        "{COUNT} roots, one changed, with a cache: {warm:.1?}; reading and hashing {hashing:.1?}, that root {one:.1?}: {ratio:.2} times, promised 2"
    );
}

/// Reads and hashes every file below a folder, one after the other.
fn hashed(folder: &Path) -> Duration {
    use sha2::Digest as _;
    let start = Instant::now();
    let mut sum = sha2::Sha256::new();
    for entry in
        walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file())
    {
        sum.update(std::fs::read(entry.path()).expect("readable"));
    }
    std::hint::black_box(sum.finalize());
    start.elapsed()
}

/// Thousands of objects with 50 targeted patches: what twice as many cost, and what kustomize takes for them.
fn many_objects(folder: &Path, both: bool) {
    let make = |count: usize| {
        let objects = folder.join(format!("deployments-{count}"));
        makers::deployments(&objects, count, 50);
        build(hydrant(folder), "build", &objects, false)
    };
    let (mut four, mut eight) = (make(4000), make(8000));
    let costs = in_turn(&mut [&mut four, &mut eight], 9);
    println!(
        "deployments: 4000 take {:.0} ms ({:.0} ms of processor time), 8000 {:.0} ms ({:.0} ms), {:.2} and {:.2} times as much, promised 2.2",
        ms(costs[0].wall),
        ms(costs[0].cpu),
        ms(costs[1].wall),
        ms(costs[1].cpu),
        ratio(costs[1].wall, costs[0].wall),
        ratio(costs[1].cpu, costs[0].cpu)
    );
    if both {
        let mut kustomize = Command::new(support::peer("kubectl-1.35"));
        let theirs = run(kustomize.arg("kustomize").arg(folder.join("deployments-4000")));
        assert!(theirs.done, "kustomize failed");
        println!(
            "deployments: kustomize takes {:.0} s for 4000 ({:.0} s of processor time), {:.0} and {:.0} times as much, promised 500",
            theirs.wall.as_secs_f64(),
            theirs.cpu.as_secs_f64(),
            ratio(theirs.wall, costs[0].wall),
            ratio(theirs.cpu, costs[0].cpu)
        );
    }
}

/// The wall time of one run, which must succeed.
fn wall(command: &mut Command) -> Duration {
    let cost = run(command);
    assert!(cost.done, "{command:?} failed");
    cost.wall
}

/// The umbrella chart against a bare walk that reads its files on one thread.
fn floor(folder: &Path, count: usize) {
    let chart = folder.join(format!("umbrella-{count}"));
    let mut command = template(hydrant(folder), &chart);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..GROWTH_ROUNDS {
        ours.push(wall(&mut command));
        bare.push(walk(&chart));
    }
    let (ours, bare) = (median(ours), median(bare));
    let times = ratio(ours, bare);
    println!(
        "umbrella of {count}: {times:.2} times a bare walk-and-read ({:.1} ms, {:.1} ms), promised 3",
        ms(ours),
        ms(bare)
    );
}

fn walk(folder: &Path) -> Duration {
    let start = Instant::now();
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable")) {
        if entry.file_type().is_file() {
            bytes += std::fs::read(entry.path()).expect("readable").len();
        }
    }
    assert!(bytes > 0, "the chart has files");
    start.elapsed()
}
