//! Hydrant against the real tools: whole processes, side by side in one run, wall time as ratios.
//!
//!     cargo bench --bench side_by_side [-- FILTER]
//!
//! Each line is the median of several rounds in which both take turns, so that a busy machine slows both.
//! Needs the peers that `tests/peers/bring` brings. Before a pair is timed, its two outputs are compared.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod makers;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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
    println!("{:<44} {:>10} {:>10} {:>8} {:>9}", "case", "hydrant", "theirs", "ratio", "promised");
    for mut pair in pairs(folder.path()).into_iter().filter(|pair| pair.name.contains(&filter)) {
        compare(&mut pair);
    }
    if "umbrella growth".contains(&filter) {
        growth(folder.path(), 200, 400);
        growth(folder.path(), 400, 800);
    }
}

fn pairs(folder: &Path) -> Vec<Pair> {
    support::must(Command::new(support::peer("helm-4.3")).arg("create").arg(folder.join("web")));
    for count in [200, 400, 800] {
        makers::umbrella(&folder.join(format!("umbrella-{count}")), count, 10);
    }
    makers::deployments(&folder.join("deployments-200"), 200, 50);
    let example = support::root().join("examples/chart");
    let helm = |chart: &str| template(Command::new(support::peer("helm-4.3")), &folder.join(chart));
    let ours = |chart: &str| template(support::hydrant(), &folder.join(chart));
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
            ours: build(support::hydrant(), "build", &example, true),
            theirs: build(Command::new(support::peer("kubectl-1.35")), "kustomize", &example, true),
            rounds: 9,
            promised: 15.0,
        },
        Pair {
            name: "kustomization of 200 deployments, 50 patches",
            ours: build(support::hydrant(), "build", &folder.join("deployments-200"), false),
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
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..pair.rounds {
        ours.push(wall(&mut pair.ours));
        theirs.push(wall(&mut pair.theirs));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    let remark = if same { "" } else { "  THE BYTES DIFFER" };
    println!(
        "{:<44} {:>8.2}ms {:>8.1}ms {ratio:>7.1}x {:>8.0}x{remark}",
        pair.name,
        ours.as_secs_f64() * 1e3,
        theirs.as_secs_f64() * 1e3,
        pair.promised
    );
}

fn growth(folder: &Path, small: usize, large: usize) {
    let time = |count: usize| {
        let mut command = template(support::hydrant(), &folder.join(format!("umbrella-{count}")));
        median((0..9).map(|_| wall(&mut command)).collect()).as_secs_f64()
    };
    let (a, b) = (time(small), time(large));
    println!("umbrella growth: {large} cost {:.2} times {small} ({:.1} ms, {:.1} ms)", b / a, b * 1e3, a * 1e3);
}

fn wall(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    let time = start.elapsed();
    assert!(status.success(), "{command:?} failed");
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
