//! Findings in the forms that people and programs read: text, JSON, SARIF, JUnit, GitHub's annotations.
//!
//! In: findings with their places. Out: one text.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity, to_text};
use crate::manifest::Set;

use super::codes::CODES;
use super::finding::Finding;
use super::place::Place;

/// How messages begin that say something of the field that they stand behind.
const PREDICATES: &[&str] = &["is ", "are ", "has ", "must ", "lacks ", "repeats ", "fits ", "selects ", "stands "];

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
    /// JUnit's XML, for test reports: an object is a case.
    Junit,
    /// Workflow commands, which GitHub shows beside the lines.
    Github,
}

/// A finding at its place.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// Its place.
    pub place: Place,
}

/// Prints findings about a set.
pub fn print(form: Form, set: &Set, found: &[Judged], colour: bool) -> String {
    match form {
        Form::Text => found.iter().map(|one| to_text(&diagnostic(set, one), colour)).collect(),
        Form::Json => pretty(&json!({ "findings": found.iter().map(|one| facts(set, one)).collect::<Vec<_>>(), "objects": set.len() })),
        Form::Sarif => pretty(&sarif(set, found)),
        Form::Junit => junit(set, found),
        Form::Github => github(set, found),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The line for a finding: object, field, what is wrong.
fn line(set: &Set, finding: &Finding) -> String {
    let field = finding.field();
    // a predicate says what is wrong with the field, any other message is a sentence about it
    let predicate = finding.policy.is_empty() && PREDICATES.iter().any(|word| finding.message.starts_with(word));
    let at = match (field.is_empty(), predicate) {
        (true, true) => return format!("{} {}", set.objects[finding.object].id, finding.message),
        (true, false) => String::new(),
        (false, true) => format!("`{field}` "),
        (false, false) => format!("`{field}`: "),
    };
    let by = if finding.policy.is_empty() { String::new() } else { format!(" [{}]", finding.policy) };
    format!("{}: {at}{}{by}", set.objects[finding.object].id, finding.message)
}

fn diagnostic(set: &Set, one: &Judged) -> Diagnostic {
    let message = line(set, &one.finding);
    let mut out = match one.finding.severity {
        Severity::Error => Diagnostic::input(one.finding.code, message),
        _ => Diagnostic::warning(one.finding.code, message),
    };
    out.severity = one.finding.severity;
    match &one.place.shown {
        Some((text, span)) => out = out.at(text, *span, ""),
        None if !one.place.file.is_empty() => {
            let origin = &set.objects[one.finding.object].origin;
            let chart = if origin.chart.is_empty() { String::new() } else { format!("chart {}: ", origin.chart) };
            let line = if one.place.line > 0 { format!(":{}", one.place.line) } else { String::new() };
            out = out.trail(format!("in {chart}{}{line}", one.place.file), None);
        }
        None => {}
    }
    for (file, line) in &one.place.values {
        out = out.trail(format!("value set in {file}:{line}"), None);
    }
    if one.finding.hint.is_empty() { out } else { out.hint(one.finding.hint.clone()) }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn facts(set: &Set, one: &Judged) -> Value {
    let id = &set.objects[one.finding.object].id;
    json!({
        "code": one.finding.code, "severity": severity(one.finding.severity), "message": one.finding.message,
        "hint": one.finding.hint, "policy": one.finding.policy, "field": one.finding.field(),
        "object": { "apiVersion": id.api_version(), "kind": id.kind.as_str(), "namespace": id.namespace.as_str(), "name": id.name.as_str() },
        "at": { "file": one.place.file, "line": one.place.line, "column": one.place.column,
                "chart": set.objects[one.finding.object].origin.chart.as_str() },
        "values": one.place.values.iter().map(|(file, line)| json!({ "file": file, "line": line })).collect::<Vec<_>>(),
    })
}

fn sarif(set: &Set, found: &[Judged]) -> Value {
    let rules: Vec<Value> =
        CODES.iter().map(|row| json!({ "id": row.code, "shortDescription": { "text": row.finds } })).collect();
    let results: Vec<Value> = found
        .iter()
        .map(|one| {
            let mut physical = json!({ "artifactLocation": { "uri": one.place.file } });
            if one.place.line > 0 {
                physical["region"] = json!({ "startLine": one.place.line, "startColumn": one.place.column.max(1) });
            }
            let mut location = json!({ "logicalLocations": [{ "fullyQualifiedName": set.objects[one.finding.object].id.to_string() }] });
            if !one.place.file.is_empty() {
                location["physicalLocation"] = physical;
            }
            let mut result = json!({ "ruleId": one.finding.code, "level": severity(one.finding.severity),
                    "message": { "text": line(set, &one.finding) }, "locations": [location] });
            if !one.place.values.is_empty() {
                let related = |(id, (file, line)): (usize, &(String, usize))| {
                    json!({ "id": id, "message": { "text": "value set here" }, "physicalLocation": {
                        "artifactLocation": { "uri": file }, "region": { "startLine": line } } })
                };
                result["relatedLocations"] = one.place.values.iter().enumerate().map(related).collect();
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "hydrant", "version": env!("CARGO_PKG_VERSION"), "rules": rules } }, "results": results }],
    })
}

fn junit(set: &Set, found: &[Judged]) -> String {
    let failures = found.iter().filter(|one| one.finding.severity == Severity::Error).count();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"hydrant check\" tests=\"{}\" failures=\"{failures}\">\n",
        set.len()
    );
    for (index, object) in set.objects.iter().enumerate() {
        let (name, file) = (xml(&object.id.to_string()), xml(&object.origin.file));
        // writing to a string cannot fail
        let _ = writeln!(out, "<testcase name=\"{name}\" classname=\"{file}\">");
        for one in found.iter().filter(|one| one.finding.object == index) {
            let text = xml(&line(set, &one.finding));
            let mut at = format!("{}:{}", one.place.file, one.place.line);
            for (file, line) in &one.place.values {
                let _ = write!(at, ", value set in {file}:{line}");
            }
            let (code, at) = (one.finding.code, xml(&at));
            let _ = match one.finding.severity {
                Severity::Error => writeln!(out, "<failure type=\"{code}\" message=\"{text}\">{at}</failure>"),
                _ => writeln!(out, "<system-out>{code}: {text} {at}</system-out>"),
            };
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write these
            control if control < ' ' && control != '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

fn github(set: &Set, found: &[Judged]) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for one in found {
        let kind = match one.finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let line_column = if one.place.line > 0 { format!(",line={},col={}", one.place.line, one.place.column.max(1)) } else { String::new() };
        let mut text = escape(&line(set, &one.finding));
        for (file, line) in &one.place.values {
            let _ = write!(text, "%0Avalue set in {}", escape(&format!("{file}:{line}")));
        }
        let _ = writeln!(out, "::{kind} file={}{line_column},title={}::{text}", property(&one.place.file), one.finding.code);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceText;

    fn found() -> (Set, Vec<Judged>) {
        let set = Set::parse(&SourceText::new("a,b.yaml", "{apiVersion: v1, kind: A, metadata: {name: a}}")).expect("one");
        let finding = Finding::error("schema-type", 0, &["spec".to_owned(), "0".to_owned()], "is <x> & 50%").hint("write y");
        let place = Place { file: "a,b.yaml".to_owned(), line: 3, column: 2, shown: None, values: vec![("values.yaml".to_owned(), 7)] };
        (set, vec![Judged { finding, place }])
    }

    #[test]
    fn every_form_names_place_object_and_field() {
        let (set, found) = found();
        let text = print(Form::Text, &set, &found, false);
        assert!(text.contains("error[schema-type]: A a: `spec[0]` is <x> & 50%") && text.contains("a,b.yaml:3") && text.contains("value set in values.yaml:7"), "{text}");
        let github = print(Form::Github, &set, &found, false);
        assert_eq!(github, "::error file=a%2Cb.yaml,line=3,col=2,title=schema-type::A a: `spec[0]` is <x> & 50%25%0Avalue set in values.yaml:7\n");
        let junit = print(Form::Junit, &set, &found, false);
        assert!(junit.contains("message=\"A a: `spec[0]` is &lt;x&gt; &amp; 50%\""), "{junit}");
        let sarif: Value = serde_json::from_str(&print(Form::Sarif, &set, &found, false)).expect("JSON");
        assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
        let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0]["physicalLocation"];
        assert_eq!((&related["artifactLocation"]["uri"], &related["region"]["startLine"]), (&json!("values.yaml"), &json!(7)));
        let json: Value = serde_json::from_str(&print(Form::Json, &set, &found, false)).expect("JSON");
        assert_eq!((&json["findings"][0]["field"], &json["findings"][0]["values"][0]["line"]), (&json!("spec[0]"), &json!(7)));
    }
}
