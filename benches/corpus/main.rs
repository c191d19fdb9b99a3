//! Hydrant against Helm 4.3 on a corpus of charts: whole processes, side by side in one run.
//!
//!     cargo bench --bench corpus -- FOLDER [COUNT [ROUNDS]]
//!
//! FOLDER (or `$HYDRANT_CORPUS`) holds `index.tsv` with a header line and the columns `id`, `chart_dir`,
//! `values_file_or_-`, `rc` and `helm_wall_ms`. COUNT cases (200) spread over those that Helm renders are timed, and the
//! ten that took Helm longest. Prints ratios of wall and processor time and of peak memory: medians, the ten slowest,
//! the worst. Without a folder there is nothing to do.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads files, and knows its machine"
)]

#[path = "../measure/mod.rs"]
mod measure;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use measure::{Cost, in_turn, median, ms, ratio};

/// How many of the charts that take Helm longest are shown one by one.
const SLOWEST: usize = 10;

/// A chart with values, as the corpus lists it.
struct Case {
    id: String,
    chart: String,
    values: Option<String>,
    helm_ms: f64,
}

/// A case with what both took.
struct Timed {
    id: String,
    ours: Cost,
    helm: Cost,
}

impl Timed {
    fn wall(&self) -> f64 {
        ratio(self.helm.wall, self.ours.wall)
    }

    fn cpu(&self) -> f64 {
        ratio(self.helm.cpu, self.ours.cpu)
    }

    fn peak(&self) -> f64 {
        self.ours.peak as f64 / self.helm.peak as f64
    }

    fn line(&self) -> String {
        let (ours, helm) = (self.ours, self.helm);
        format!(
            "{:<60} {:>8.1} ms {:>8.1} ms {:>6.1}x  cpu {:>6.1}x  memory {:>5.2}",
            self.id,
            ms(ours.wall),
            ms(helm.wall),
            self.wall(),
            self.cpu(),
            self.peak()
        )
    }
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let Some(folder) = words.next().or_else(|| std::env::var("HYDRANT_CORPUS").ok()) else {
        return println!("no corpus: name its folder, or set HYDRANT_CORPUS");
    };
    let mut number = |default| words.next().map_or(default, |word| word.parse().expect("a number"));
    let (count, rounds) = (number(200), number(3));
    let mut cases = read(Path::new(&folder));
    cases.sort_by(|a, b| b.helm_ms.total_cmp(&a.helm_ms));
    let mut timed: Vec<Timed> = chosen(&cases, count).into_iter().map(|case| time(case, rounds)).collect();
    report(&mut timed);
}

fn read(folder: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(folder.join("index.tsv")).expect("the corpus has an index.tsv");
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().expect("a header line");
    let column = |name: &str| header.iter().position(|known| *known == name).expect("the column is there");
    let [id, chart, values, code, helm_ms] = ["id", "chart_dir", "values_file_or_-", "rc", "helm_wall_ms"].map(column);
    lines
        .filter(|row| row[code] == "0")
        .map(|row| Case {
            id: row[id].to_owned(),
            chart: row[chart].to_owned(),
            values: (row[values] != "-").then(|| row[values].to_owned()),
            helm_ms: row[helm_ms].parse().expect("milliseconds"),
        })
        .collect()
}

/// The slowest cases, and `count` of one a chart spread over the list.
fn chosen(cases: &[Case], count: usize) -> Vec<&Case> {
    let mut charts: HashMap<&str, &Case> = HashMap::new();
    for case in cases.iter().rev() {
        charts.insert(&case.chart, case);
    }
    let one_each: Vec<&Case> = cases.iter().filter(|case| charts[case.chart.as_str()].id == case.id).collect();
    let count = count.min(one_each.len());
    let spread = (0..count).map(|index| one_each[index * one_each.len() / count]);
    let mut chosen: Vec<&Case> = one_each.iter().take(SLOWEST).copied().chain(spread).collect();
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|case| seen.insert(&case.id));
    chosen
}

fn time(case: &Case, rounds: usize) -> Timed {
    let mut ours = template(support::hydrant(), case);
    let mut helm = template(Command::new(support::peer("helm-4.3")), case);
    let costs = in_turn(&mut [&mut ours, &mut helm], rounds);
    Timed { id: case.id.clone(), ours: costs[0], helm: costs[1] }
}

fn template(mut command: Command, case: &Case) -> Command {
    command.args([
        "template",
        "rel",
        &case.chart,
        "--namespace",
        "demo",
        "--kube-version",
        "v1.33.0",
        "--include-crds",
    ]);
    if let Some(values) = &case.values {
        command.args(["-f", values]);
    }
    command
}

fn report(timed: &mut [Timed]) {
    println!("{} charts, whole processes, medians:", timed.len());
    println!("  wall   {:>6.1}x faster   (promised 25)", median(timed.iter().map(Timed::wall)));
    println!("  cpu    {:>6.1}x less     (promised 25)", median(timed.iter().map(Timed::cpu)));
    println!("  memory {:>6.2} of theirs  (promised 0.25)", median(timed.iter().map(Timed::peak)));
    timed.sort_by_key(|case| std::cmp::Reverse(case.helm.wall));
    println!("the {SLOWEST} that take Helm longest (promised 20x each, the first 100x):");
    timed.iter().take(SLOWEST).for_each(|case| println!("  {}", case.line()));
    timed.sort_by(|a, b| a.wall().total_cmp(&b.wall()));
    println!("the {SLOWEST} with the least gain (promised: none slower):");
    timed.iter().take(SLOWEST).for_each(|case| println!("  {}", case.line()));
}
