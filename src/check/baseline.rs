//! What is known and let be: findings of an earlier run, by code, object, field and policy.
//!
//! In: the text of a baseline file. Out: which findings are new. A line is one finding; lines need no numbers of lines or
//! messages, so that a source may be reformatted and a policy reworded without new findings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diag::{Diagnostic, Result};
use crate::manifest::Set;

use super::finding::Finding;

/// The first line of a baseline file.
const HEAD: &str = "# hydrant check: findings that are known. One a line: code, object, field, policy.";

/// Known findings, and how often each may stand.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    known: BTreeMap<String, usize>,
}

impl Baseline {
    /// Reads a file's text. Fails with code `baseline-invalid`.
    pub fn read(text: &str) -> Result<Baseline> {
        let mut known = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if line.split('\t').count() != 4 {
                let fault = Diagnostic::input("baseline-invalid", format!("line {} is no finding", number + 1));
                return Err(Box::new(fault.hint("write the file with `--write-baseline`")));
            }
            *known.entry(line.to_owned()).or_default() += 1;
        }
        Ok(Baseline { known })
    }

    /// The text that makes findings known.
    pub fn write(set: &Set, findings: &[Finding]) -> String {
        let mut lines: Vec<String> = findings.iter().map(|finding| line(set, finding)).collect();
        lines.sort();
        let mut out = format!("{HEAD}\n");
        for line in lines {
            // writing to a string cannot fail
            let _ = writeln!(out, "{line}");
        }
        out
    }

    /// Leaves only what is not known; gives how many were.
    pub fn subtract(&self, set: &Set, findings: &mut Vec<Finding>) -> usize {
        let mut left = self.known.clone();
        let before = findings.len();
        findings.retain(|finding| match left.get_mut(&line(set, finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        before - findings.len()
    }
}

fn line(set: &Set, finding: &Finding) -> String {
    let clean = |text: String| text.replace(['\t', '\n'], " ");
    let object = clean(set.objects[finding.object].id.to_string());
    format!("{}\t{object}\t{}\t{}", finding.code, clean(finding.field()), clean(finding.policy.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceText;

    #[test]
    fn what_is_written_is_known_and_no_more() {
        let set = Set::parse(&SourceText::new("a", "{apiVersion: v1, kind: A, metadata: {name: a}}")).expect("one");
        let finding = Finding::error("schema-type", 0, &["x".to_owned()], "m");
        let text = Baseline::write(&set, std::slice::from_ref(&finding));
        let known = Baseline::read(&text).expect("a baseline");
        let mut findings = vec![finding.clone(), finding];
        assert_eq!(known.subtract(&set, &mut findings), 1);
        assert_eq!(findings.len(), 1, "a second of the same kind is new");
        assert_eq!(Baseline::read("x y").expect_err("no finding").code, "baseline-invalid");
    }
}
