//! Real chart upgrades: how long the report is beside `diff -u`, and whether it is whole.
//!
//!     cargo bench --bench upgrades -- FOLDER
//!
//! FOLDER holds a folder a chart, with the old version in `old/` and the new one in `new/`; the charts are not part of this project.
//! Fails where a report is not whole, or where the median of all is longer
//! than a fifth of `diff -u`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench: it prints, reads and writes files, and knows its machine"
)]

#[path = "../../tests/support/patch.rs"]
mod patch;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/support/values.rs"]
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{hydrant, must, run};

fn main() {
    let Some(folder) = std::env::args().skip(1).find(|word| !word.starts_with('-')) else {
        println!("usage: cargo bench --bench upgrades -- FOLDER");
        return;
    };
    let mut charts: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    charts.retain(|chart| chart.join("old/Chart.yaml").exists() && chart.join("new/Chart.yaml").exists());
    charts.sort();
    println!("chart\tobjects\tdiff -u lines\treport lines\tshare\tdifferences\tfolded");
    let mut shares: Vec<f64> = charts.iter().filter_map(|chart| measure(chart)).collect();
    shares.sort_by(f64::total_cmp);
    let median = shares[shares.len() / 2];
    println!("{} charts, median share {median:.3}, largest {:.3}", shares.len(), shares[shares.len() - 1]);
    assert!(median <= 0.2, "the median report is longer than a fifth of `diff -u`");
}

/// The share of the lines; nothing for a chart that does not render by its defaults.
fn measure(chart: &Path) -> Option<f64> {
    let name = chart.file_name()?.to_string_lossy().into_owned();
    let mut sides = Vec::new();
    for side in ["old", "new"] {
        let output = run(hydrant().args(["build", side]).current_dir(chart));
        if !output.status.success() {
            println!("{name}\tdoes not render by its defaults");
            return None;
        }
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        fs::write(chart.join(format!("{side}.built.yaml")), &text).expect("written");
        sides.push(text);
    }
    let diff = |form: &str| {
        let output =
            run(hydrant().args(["diff", "old.built.yaml", "new.built.yaml", "--format", form]).current_dir(chart));
        assert_eq!(output.status.code(), Some(1), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let report: Value = serde_json::from_str(&diff("json")).expect("JSON");
    let side =
        |at: usize| -> Vec<Value> { values::objects(&name, sides[at].clone()).into_iter().map(patch::mask).collect() };
    let made = patch::apply(&side(0), &report["roots"][0], &values::read).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert!(patch::same_objects(&made, &side(1)), "{name}: the diff is not whole");
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let folded: u64 = report["folds"].as_array().into_iter().flatten().map(|fold| count(&fold["entries"])).sum();
    assert_eq!(folded, count(&report["summary"]["folded"]), "{name}: the folds add up");
    let unified = run(Command::new("diff").args(["-u", "old.built.yaml", "new.built.yaml"]).current_dir(chart)).stdout;
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let (theirs, ours) = (lines(&unified), lines(diff("text").as_bytes()));
    let share = ours as f64 / theirs as f64;
    let objects = side(1).len();
    println!("{name}\t{objects}\t{theirs}\t{ours}\t{share:.3}\t{}\t{folded}", report["summary"]["entries"]);
    // the renders are looked at by nobody, but a second run should find what it left
    must(Command::new("rm").args(["old.built.yaml", "new.built.yaml"]).current_dir(chart));
    Some(share)
}
