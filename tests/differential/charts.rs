//! Renders cases, many to a chart, with either tool.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support;

/// Whose answers.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    Hydrant,
    Helm,
}

const VALUES: &str = include_str!("../golden/expressions.values.yaml");

/// Named templates that cases call.
const HELPERS: &str = "{{ define \"h.dot\" }}<{{ . }}>{{ end }}\n{{ define \"h.name\" }}n:{{ .n | default \"none\" }}{{ end }}\n\
    {{ define \"h.count\" }}{{ if gt (int .n) 0 }}{{ .n }}{{ include \"h.count\" (dict \"n\" (sub .n 1)) }}{{ end }}{{ end }}\n";

/// The answer to each case; nothing where it fails.
pub(crate) fn answers(texts: &[String], tool: Tool) -> Vec<Option<Vec<u8>>> {
    let mut answers = vec![None; texts.len()];
    let numbered: Vec<(usize, &str)> = texts.iter().map(String::as_str).enumerate().collect();
    render(&numbered, tool, &mut answers);
    answers
}

/// True if Helm answers a case again as it did: what prints an address in memory says nothing.
pub(crate) fn is_steady(text: &str, answer: Option<&[u8]>) -> bool {
    answers(&[text.to_owned()], Tool::Helm)[0].as_deref() == answer
}

fn render(batch: &[(usize, &str)], tool: Tool, answers: &mut [Option<Vec<u8>>]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_chart(folder.path(), batch);
    let mut command = match tool {
        Tool::Hydrant => support::hydrant(),
        Tool::Helm => Command::new(support::peer("helm-4.3")),
    };
    command.args(["template", "rel"]).arg(folder.path()).args(["--namespace", "demo", "--kube-version", "v1.33.0"]);
    let output = support::run(&mut command);
    if output.status.success() {
        let text = String::from_utf8(output.stdout).expect("base64 lines");
        let mut lines = text.lines();
        for (number, _) in batch {
            let key = format!("a{number}: \"");
            let answer = lines
                .by_ref()
                .find_map(|line| line.strip_prefix(&key))
                .unwrap_or_else(|| panic!("no answer {number} in:\n{text}"));
            answers[*number] =
                Some(data_encoding::BASE64.decode(answer.trim_end_matches('"').as_bytes()).expect("base64"));
        }
    } else if batch.len() > 1 {
        let (left, right) = batch.split_at(batch.len() / 2);
        render(left, tool, answers);
        render(right, tool, answers);
    } else {
        let crashed = output.status.code().is_none_or(|code| code == 101 || code == 70);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!crashed, "it crashed on {:?}:\n{words}", batch[0].1);
    }
}

fn write_chart(chart: &Path, batch: &[(usize, &str)]) {
    let (mut lines, mut cases) = (String::new(), HELPERS.to_owned());
    for (number, text) in batch {
        cases += &format!("{{{{ define \"s{number}\" }}}}{text}{{{{ end }}}}\n");
        lines += &format!("a{number}: \"{{{{ include \"s{number}\" . | b64enc }}}}\"\n");
    }
    fs::create_dir_all(chart.join("templates")).expect("writable");
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.0\"\n"),
        ("values.yaml", VALUES),
        ("notes.txt", "one\ntwo\n"),
        ("templates/_cases.tpl", &cases),
        ("templates/lines.yaml", &lines),
    ];
    for (name, text) in files {
        fs::write(chart.join(name), text).expect("writable");
    }
}
