//! Expression cases: `golden/funcs/NAME.txt`, one template expression a line, answered by the real Helm.
//!
//! A line is an expression (`trunc 3 "hello"`) or, starting with `{{`, a whole statement. The answers stand in
//! `NAME.want` beside it: for each line its output as a JSON string, or `error` where Helm fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Case, difference, support};

/// Expressions rendered in one chart: the real Helm takes 60 ms to start.
const BATCH: usize = 40;

const VALUES: &str = include_str!("expressions.values.yaml");

struct Expressions {
    name: String,
    path: PathBuf,
    lines: Vec<String>,
}

/// Every `golden/funcs/*.txt` and `golden/gotmpl/*.txt`.
pub(crate) fn find(golden: &Path) -> Vec<Box<dyn Case>> {
    let files = ["funcs", "gotmpl"].iter().flat_map(|room| crate::files_below(&golden.join(room)));
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| {
            let name = path.strip_prefix(golden).expect("below golden").with_extension("");
            let text = fs::read_to_string(&path).expect("a readable case");
            let lines =
                text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
            Box::new(Expressions { name: name.to_string_lossy().into_owned(), path, lines }) as Box<dyn Case>
        })
        .collect()
}

impl Expressions {
    fn want(&self) -> PathBuf {
        self.path.with_extension("want")
    }

    /// The answer to each line, one a line.
    fn answers(&self, tool: &dyn Fn(&Path) -> Command) -> Vec<u8> {
        let numbered: Vec<(usize, &str)> = self.lines.iter().map(String::as_str).enumerate().collect();
        let mut answers = vec![String::new(); numbered.len()];
        for batch in numbered.chunks(BATCH) {
            render(batch, tool, &mut answers);
        }
        let mut text = answers.join("\n");
        text.push('\n');
        text.into_bytes()
    }
}

/// Renders a batch in one chart; where that fails, each half by itself, down to the single lines that fail.
fn render(batch: &[(usize, &str)], tool: &dyn Fn(&Path) -> Command, answers: &mut [String]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let chart = folder.path();
    fs::create_dir_all(chart.join("templates")).expect("writable");
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.0\"\n")
        .expect("writable");
    fs::write(chart.join("values.yaml"), VALUES).expect("writable");
    fs::write(chart.join("notes.txt"), "one\ntwo\n").expect("writable");
    let mut helpers = String::new();
    let mut lines = String::new();
    for (number, line) in batch {
        let body =
            if line.starts_with("{{") { (*line).to_owned() } else { format!("{{{{ printf \"%v\" ({line}) }}}}") };
        helpers += &format!("{{{{ define \"s{number}\" }}}}{body}{{{{ end }}}}\n");
        lines += &format!("a{number}: {{{{ include \"s{number}\" . | b64enc | quote }}}}\n");
    }
    fs::write(chart.join("templates/_lines.tpl"), helpers).expect("writable");
    fs::write(chart.join("templates/lines.yaml"), lines).expect("writable");
    let output = support::run(&mut tool(chart));
    if output.status.success() {
        let text = String::from_utf8(output.stdout).expect("base64 lines");
        for (number, _) in batch {
            let key = format!("a{number}: \"");
            let at =
                text.lines().find_map(|line| line.strip_prefix(&key)).unwrap_or_else(|| panic!("no answer {number}"));
            let bytes = data_encoding::BASE64.decode(at.trim_end_matches('"').as_bytes()).expect("base64");
            answers[*number] = serde_json::to_string(&String::from_utf8_lossy(&bytes)).expect("a string");
        }
    } else if let [(number, _)] = batch {
        "error".clone_into(&mut answers[*number]);
    } else {
        let (left, right) = batch.split_at(batch.len() / 2);
        render(left, tool, answers);
        render(right, tool, answers);
    }
}

fn arguments(command: &mut Command, chart: &Path) {
    command.args(["template", "rel"]).arg(chart).args(["--namespace", "demo", "--kube-version", "v1.33.0"]);
}

fn ours(chart: &Path) -> Command {
    let mut command = support::hydrant();
    arguments(&mut command, chart);
    command
}

fn theirs(chart: &Path) -> Command {
    let mut command = Command::new(support::peer("helm-4.3"));
    arguments(&mut command, chart);
    command
}

impl Case for Expressions {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone(), self.want()]
    }

    fn check(&self) -> Result<(), String> {
        let want =
            fs::read(self.want()).map_err(|_| format!("no answer recorded; run `cargo oracle {}`", self.name))?;
        difference(&self.want(), &want, &self.answers(&ours)).map_or(Ok(()), Err)
    }

    fn bless(&self) -> Vec<(PathBuf, Vec<u8>)> {
        Vec::new()
    }

    fn record(&self) -> Vec<(PathBuf, Vec<u8>)> {
        vec![(self.want(), self.answers(&theirs))]
    }
}
