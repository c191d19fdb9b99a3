//! The `.helmignore` dialect: which files of a chart folder are no part of the chart.
//!
//! In: the file's text. Out: [`Rules`], asked path by path. The dialect is Helm's own, not git's: no `**`, a pattern
//! without a slash is matched against the last name alone, and a negated pattern that does *not* match ignores the
//! path at once.

use crate::diag::{Diagnostic, Result, SourceText, Span};

use super::glob::Glob;
use crate::source::base_name;

/// Patterns in file order.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    glob: Glob,
    negated: bool,
    folders_only: bool,
    /// Matched against the last name of a path only.
    by_name: bool,
}

impl Rules {
    /// Reads a `.helmignore`; Helm's default rule (dot files right under `templates/`) comes last.
    pub(crate) fn parse(text: Option<&SourceText>) -> Result<Rules> {
        let mut rules = Rules::default();
        if let Some(source) = text {
            let mut offset = 0;
            for line in source.text().split_inclusive('\n') {
                let rule = line.trim_start_matches('\u{feff}').trim();
                rules.add(rule).map_err(|message| {
                    let fault = Diagnostic::input("helmignore", message);
                    Box::new(fault.at(source, Span::new(offset, offset + line.trim_end().len()), ""))
                })?;
                offset += line.len();
            }
        }
        rules.add("templates/.?*").map_err(|message| Box::new(Diagnostic::bug("helmignore", message)))?;
        Ok(rules)
    }

    fn add(&mut self, rule: &str) -> Result<(), String> {
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        let read = |rule| Glob::new(rule).map_err(|_| "syntax error in pattern".to_owned());
        read(rule)?;
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rest| (true, rest));
        let (folders_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rest| (true, rest));
        let (by_name, rule) = match rule.strip_prefix('/') {
            Some(rest) => (false, rest),
            None => (!rule.contains('/'), rule),
        };
        self.patterns.push(Pattern { glob: read(rule)?, negated, folders_only, by_name });
        Ok(())
    }

    /// True if the path, seen from the chart's folder, is to be left out.
    pub(crate) fn ignores(&self, path: &str, is_folder: bool) -> bool {
        let last = base_name(path);
        for pattern in &self.patterns {
            let name = if pattern.by_name { last } else { path };
            if pattern.negated {
                if (pattern.folders_only && !is_folder) || !pattern.glob.matches(name) {
                    return true;
                }
            } else if (!pattern.folders_only || is_folder) && pattern.glob.matches(name) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::parse(Some(&SourceText::new(".helmignore", text))).expect("good rules")
    }

    #[test]
    fn names_paths_and_folders() {
        let rules = rules("\u{feff}# notes\n*.bak\n/top.txt\ndocs/*.md\nci/\n");
        assert!(rules.ignores("a/b/c.bak", false));
        assert!(rules.ignores("top.txt", false) && !rules.ignores("a/top.txt", false));
        assert!(rules.ignores("docs/a.md", false) && !rules.ignores("x/docs/a.md", false));
        assert!(rules.ignores("a/ci", true) && !rules.ignores("ci", false));
        assert!(rules.ignores("templates/.hidden", false) && !rules.ignores("templates/a/.hidden", false));
    }

    #[test]
    fn a_negated_rule_that_does_not_match_ignores() {
        let rules = rules("!*.yaml\n");
        assert!(rules.ignores("a.txt", false) && !rules.ignores("a.yaml", false));
    }

    #[test]
    fn what_helm_refuses_is_refused() {
        for text in ["a/**/b", "[a", "a\\"] {
            assert!(Rules::parse(Some(&SourceText::new(".helmignore", text))).is_err(), "{text}");
        }
    }
}
