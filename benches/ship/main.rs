//! Packing and pushing against `tar`, `gzip` and `oras`, on a real registry on loopback.
//!
//!     cargo bench --bench ship
//!
//! 5,000 objects, one a file. `hydrant push` reads, renders, packs and pushes them; `tar | gzip` packs the very files of the
//! artifact at the same level; `oras push` then uploads that. The rounds take turns, so that a busy machine slows all;
//! each figure is a median. Most of what Hydrant takes is reading YAML and printing it anew, which `tar` need not do. CPU is
//! user and system time of the processes, as bash counts it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

#[path = "../../tests/support/registry.rs"]
mod registry;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use registry::{Registry, text};
use support::{hydrant, must, peer};

const OBJECTS: usize = 5000;
const ROUNDS: usize = 7;

/// What a command took, in seconds.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = Registry::start();
    objects(&folder.path().join("src"));
    let reference = registry.reference("once");
    must(hydrant().args(["push", "--no-attest"]).arg(folder.path().join("src")).arg(&reference));
    must(hydrant().arg("pull").arg(&reference).arg(folder.path().join("files")));
    let bash = |line: &str, round: usize| bash(line, folder.path(), &registry.host, round);
    let (mut ours, mut attested, mut packed, mut shipped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(bash(r#""$HYDRANT" push --no-attest src "$HOST/ours-$ROUND:v1""#, round));
        attested.push(bash(r#""$HYDRANT" push src "$HOST/attested-$ROUND:v1""#, round));
        packed.push(bash("tar -C files -c . | gzip -6 > x.tgz", round));
        shipped.push(bash(
            r#"tar -C files -c . | gzip -6 > x.tgz && "$ORAS" push --plain-http "$HOST/theirs-$ROUND:v1" x.tgz"#,
            round,
        ));
    }
    let [ours, attested, packed, shipped] = [ours, attested, packed, shipped].map(median);
    println!("{:<52} {:>8} {:>8}", "of 5,000 objects", "CPU", "wall");
    for (name, cost) in [
        ("hydrant push --no-attest", ours),
        ("hydrant push", attested),
        ("tar | gzip -6", packed),
        ("tar | gzip -6, then oras push", shipped),
    ] {
        println!("{name:<52} {:>6.0}ms {:>6.0}ms", cost.cpu * 1e3, cost.wall * 1e3);
    }
    println!("CPU of read, pack and push to tar | gzip: {:.2} times (the aim is 1.5)", ours.cpu / packed.cpu);
    println!(
        "wall of tar | gzip and oras push to ours: {:.2} times (the aim is more than 1)",
        shipped.wall / ours.wall
    );
}

/// A deployment, a service and the like, of the size that charts print.
fn objects(folder: &Path) {
    for number in 0..OBJECTS {
        let below = folder.join(format!("ns{}", number / 50));
        fs::create_dir_all(&below).expect("made");
        let object = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    app.kubernetes.io/instance: rel{number}\n    app.kubernetes.io/name: web\n  \
             name: web{number}\n  namespace: ns{}\nspec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app.kubernetes.io/instance: rel{number}\n  \
             template:\n    metadata:\n      labels:\n        app.kubernetes.io/instance: rel{number}\n    spec:\n      containers:\n      - env:\n        \
             - name: TOKEN\n          value: {:016x}\n        image: registry.example/team/web:{}\n        livenessProbe:\n          httpGet:\n            \
             path: /\n            port: http\n        name: web\n        ports:\n        - containerPort: 80\n          name: http\n          protocol: TCP\n        \
             resources:\n          limits:\n            cpu: {}m\n            memory: 128Mi\n      serviceAccountName: web{number}\n",
            number / 50,
            number % 7,
            (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            number % 13,
            number % 900 + 100,
        );
        fs::write(below.join(format!("{number}.yaml")), object).expect("written");
    }
}

/// Runs a line of bash and reads what it took.
fn bash(line: &str, folder: &Path, host: &str, round: usize) -> Cost {
    let mut command = Command::new("bash");
    let timed = format!("TIMEFORMAT='%U %S %R'; set -o pipefail; time {{ {line} ; }} >/dev/null 2>&1");
    command.current_dir(folder).args(["-c", &timed]).env("LC_ALL", "C");
    command.env("HYDRANT", env!("CARGO_BIN_EXE_hydrant")).env("ORAS", peer("oras"));
    command.env("HOST", host).env("ROUND", round.to_string());
    let output = support::run(&mut command);
    assert!(output.status.success(), "{line} failed");
    let figures = text(&output.stderr);
    let figures: Vec<f64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [user, system, wall] = figures[..] else { panic!("bash gives no figures: {figures:?}") };
    Cost { cpu: user + system, wall }
}

fn median(costs: Vec<Cost>) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Cost { cpu: middle(|cost| cost.cpu), wall: middle(|cost| cost.wall) }
}
