//! Renders cases, many to a chart, with either tool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support;
use crate::world::World;

/// Whose answers.
#[derive(Clone, Debug)]
pub(crate) enum Tool {
    /// The binary under test.
    Hydrant,
    /// The judge.
    Helm,
    /// A build of ours with the fault of this number switched on.
    Planted(PathBuf, usize),
}

/// What a tool makes of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    /// The answer to each case; nothing where it fails.
    pub(crate) cases: Vec<Option<Vec<u8>>>,
    /// What is printed of the world alone: the subchart and the documents; nothing where that fails.
    pub(crate) world: Option<String>,
}

const VALUES: &str = include_str!("../golden/expressions.values.yaml");

/// Named templates that cases call.
const HELPERS: &str = "{{ define \"h.dot\" }}<{{ . }}>{{ end }}\n{{ define \"h.name\" }}n:{{ .n | default \"none\" }}{{ end }}\n\
    {{ define \"h.count\" }}{{ if gt (int .n) 0 }}{{ .n }}{{ include \"h.count\" (dict \"n\" (sub .n 1)) }}{{ end }}{{ end }}\n";

/// Lines before the first answer in that document.
const LINES_BEFORE: usize = 1;

/// The document that holds the answers, as both tools head it.
const LINES_HEAD: &str = "---\n# Source: t/templates/lines.yaml\n";

/// What a tool makes of these cases in this world. A chart that fails names the case at fault, which is left out of the next try.
pub(crate) fn answers(texts: &[String], world: &World, tool: &Tool) -> Answers {
    let mut answers = Answers { cases: vec![None; texts.len()], world: None };
    let mut left: Vec<(usize, &str)> = texts.iter().map(String::as_str).enumerate().collect();
    while let Err(words) = render(&left, world, tool, &mut answers) {
        let Some(at) = blamed(&words, &left) else {
            // a world that fails by itself takes every case along
            if !left.is_empty() && render(&[], world, tool, &mut answers).is_ok() {
                split(&left, world, tool, &mut answers);
            }
            break;
        };
        left.remove(at);
    }
    answers
}

/// Which of these cases an error is about, told by the line that it names.
fn blamed(words: &str, batch: &[(usize, &str)]) -> Option<usize> {
    let line = |file: &str| {
        let rest = words.split_once(file)?.1;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse::<usize>().ok()
    };
    if let Some(line) = line("t/templates/lines.yaml:") {
        return line.checked_sub(LINES_BEFORE + 1).filter(|at| *at < batch.len());
    }
    let line = line("t/templates/_cases.tpl:")?;
    let mut end = HELPERS.lines().count();
    batch.iter().position(|(_, text)| {
        end += 1 + text.matches('\n').count();
        line <= end
    })
}

/// True if Helm answers again as it did: what prints an address in memory says nothing.
pub(crate) fn is_steady(texts: &[String], world: &World, before: &Answers) -> bool {
    answers(texts, world, &Tool::Helm) == *before
}

fn split(batch: &[(usize, &str)], world: &World, tool: &Tool, answers: &mut Answers) {
    if batch.len() < 2 {
        return;
    }
    let (left, right) = batch.split_at(batch.len() / 2);
    for half in [left, right] {
        if render(half, world, tool, answers).is_err() {
            split(half, world, tool, answers);
        }
    }
}

/// Renders a chart of some cases; the error is what the tool said.
fn render(batch: &[(usize, &str)], world: &World, tool: &Tool, answers: &mut Answers) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_chart(folder.path(), batch, world);
    let mut command = match tool {
        Tool::Hydrant => support::hydrant(),
        Tool::Helm => Command::new(support::peer("helm-4.3")),
        Tool::Planted(path, number) => {
            let mut command = Command::new(path);
            command.env("HYDRANT_PLANTED", number.to_string());
            command
        }
    };
    command.args(["template", "rel"]).arg(folder.path().join("chart"));
    command.args(["--namespace", "demo", "--kube-version", "v1.33.0", "-f"]).arg(folder.path().join("user.yaml"));
    command.args(world.flags.iter().flat_map(|(flag, text)| [*flag, text]));
    let output = support::run(&mut command);
    if !output.status.success() {
        let crashed = output.status.code().is_none_or(|code| code == 101 || code == 70);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!crashed || matches!(tool, Tool::Planted(..)), "it crashed on {batch:?} in {world:?}:\n{words}");
        return Err(words.into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, lines) = text.split_once(LINES_HEAD).unwrap_or((&text, ""));
    let (lines, after) = lines.split_at(lines.find("\n---\n# Source: ").map_or(lines.len(), |at| at + 1));
    answers.world = Some(format!("{before}{after}"));
    let mut lines = lines.lines();
    for (number, _) in batch {
        let key = format!("a{number}: \"");
        // a planted fault may lose a line, which is an answer too
        let Some(answer) = lines.by_ref().find_map(|line| line.strip_prefix(&key)) else { continue };
        answers.cases[*number] = data_encoding::BASE64.decode(answer.trim_end_matches('"').as_bytes()).ok();
    }
    Ok(())
}

fn write_chart(folder: &Path, batch: &[(usize, &str)], world: &World) {
    let (mut lines, mut cases) = ("start: 1\n".to_owned(), HELPERS.to_owned());
    for (number, text) in batch {
        cases += &format!("{{{{ define \"s{number}\" }}}}{text}{{{{ end }}}}\n");
        lines += &format!("a{number}: \"{{{{ include \"s{number}\" . | b64enc }}}}\"\n");
    }
    let files = [
        ("chart/Chart.yaml", "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.0\"\n"),
        ("chart/values.yaml", &format!("{VALUES}{}", world.values())),
        ("chart/notes.txt", "one\ntwo\n"),
        ("chart/templates/_cases.tpl", &cases),
        ("chart/templates/lines.yaml", &lines),
        ("chart/templates/documents.yaml", &world.documents.concat()),
        ("chart/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.2.0\n"),
        ("chart/charts/sub/values.yaml", &world.sub_values()),
        (
            "chart/charts/sub/templates/all.yaml",
            "json: {{ toJson .Values | quote }}\nyaml:\n  {{- toYaml .Values | nindent 2 }}\n",
        ),
        ("user.yaml", &world.user_values()),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }
}
