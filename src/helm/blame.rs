//! Where the value that a template stumbled over came from.
//!
//! In: a fault, the expression at fault as Go prints it, and all that values were made of. Out: the fault with a trail step
//! to the flag, the values file or the chart's `values.yaml` that set the value, and a hint where a key seems misspelt.

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceText, Span, did_you_mean};
use crate::gotmpl::{Map, Place, Val};
use crate::value::Tree;
use crate::yaml;

use super::chart::Chart;
use super::values::UserValues;

/// All that values were made of.
pub(crate) struct Origins<'a> {
    pub user: &'a UserValues<'a>,
    pub chart: &'a Arc<Chart>,
}

/// A source of values: how deep it reaches along a path, and where.
struct Reach {
    depth: usize,
    /// It has no map there: what weaker sources have below does not count.
    ends: bool,
    what: String,
    at: Option<(SourceText, Span)>,
    /// A flag that made a number or boolean of its text.
    typed_flag: bool,
}

impl Origins<'_> {
    /// Adds to a fault what is known about the value that the template at `template` stumbled over at `place`.
    pub(crate) fn explain(&self, mut fault: Diagnostic, place: &Place, template: &str, values: Option<&Map>) -> Diagnostic {
        if fault.message.contains("can't evaluate field Values in type") {
            return fault.hint("write `$.Values`: inside `range` and `with` the dot is the item");
        }
        let expression = if place.context.contains(".Values.") { &place.context } else { action_around(place) };
        let Some(path) = values_path(expression) else { return fault };
        if let Some(hint) = values.and_then(|values| misspelt(values, &path)) {
            fault = fault.hint(hint);
        }
        let charts = chart_names(template);
        let Some(reach) = self.reach(&charts, &path) else { return fault };
        if fault.message.contains("expected string; got") {
            fault = fault.hint(if reach.typed_flag { "use `--set-string` to set a text" } else { "put quotes around the value" });
        }
        fault.trail(reach.what, reach.at)
    }

    /// As [`Origins::explain`] for a path in the values of a chart that is known already.
    pub(crate) fn trace(&self, fault: Diagnostic, charts: &[&str], path: &[&str]) -> Diagnostic {
        match self.reach(charts, path) {
            Some(reach) => fault.trail(format!("`{}` {}", path.join("."), reach.what), reach.at),
            None => fault,
        }
    }

    /// The source that decides what stands at a path: the strongest that ends it, else the one that reaches deepest.
    fn reach(&self, charts: &[&str], path: &[&str]) -> Option<Reach> {
        let full: Vec<&str> = charts.iter().chain(path).copied().collect();
        let mut best: Option<Reach> = None;
        for reach in self.user_reaches(&full).chain(self.chart_reaches(charts, path)) {
            let ends = reach.ends;
            if best.as_ref().is_none_or(|best| reach.depth > best.depth) {
                best = Some(reach);
            }
            if ends {
                break;
            }
        }
        // a source that only has the tables of the subcharts says nothing about the value
        best.filter(|reach| reach.depth > charts.len())
    }

    /// What the user gave, strongest first.
    fn user_reaches(&self, path: &[&str]) -> impl Iterator<Item = Reach> {
        let user = self.user;
        let flags = [
            ("--set-literal", &user.literals),
            ("--set-file", &user.from_files),
            ("--set-string", &user.strings),
            ("--set", &user.set),
            ("--set-json", &user.json),
        ];
        let flags = flags.into_iter().flat_map(|(flag, texts)| texts.iter().rev().map(move |text| (flag, text)));
        let flags = flags.filter_map(|(flag, text)| {
            let (depth, ends) = flag_depth(text, path)?;
            let ends = ends && !(flag == "--set-json" && text.contains("={"));
            Some(Reach { depth, ends, what: format!("set by {flag} {text}"), at: None, typed_flag: flag == "--set" })
        });
        let files = user.files.iter().rev().filter_map(|file| text_reach(file, path, path.len()));
        flags.chain(files)
    }

    /// The `values.yaml` of the charts on the way, outermost first.
    fn chart_reaches(&self, charts: &[&str], path: &[&str]) -> impl Iterator<Item = Reach> {
        let full: Vec<&str> = charts.iter().chain(path).copied().collect();
        let mut reaches = Vec::new();
        let mut chart = Some(self.chart);
        for level in 0..=charts.len() {
            let Some(here) = chart else { break };
            reaches.extend(here.values_text.as_ref().and_then(|text| text_reach(text, &full[level..], full.len())));
            let named = |name: &&str| here.dependencies.iter().find(|dependency| dependency.metadata.name == **name);
            chart = charts.get(level).and_then(named);
        }
        reaches.into_iter()
    }
}

/// How deep a text reaches along a path, counted so that `whole` is the end of it.
fn text_reach(text: &SourceText, path: &[&str], whole: usize) -> Option<Reach> {
    let document = yaml::parse_document(text, yaml::Dialect::V2).ok()?;
    let (tree, spans) = (document.tree, document.spans);
    let reached = (1..=path.len()).rev().find(|depth| spans.value(&path[..*depth]).is_some())?;
    let span = spans.key(&path[..reached]).or_else(|| spans.value(&path[..reached]))?;
    let depth = whole - path.len() + reached;
    let value = tree.at(&path[..reached]);
    let ends = value.is_none_or(|value| value.as_map().is_none());
    let what = if value.is_some_and(Tree::is_null) { "set to null in" } else { "value set in" };
    Some(Reach { depth, ends, what: what.to_owned(), at: Some((text.clone(), span)), typed_flag: false })
}

/// How deep a flag's text reaches along a path (the longest beginning of the path that it names), and whether that is all it says.
fn flag_depth(text: &str, path: &[&str]) -> Option<(usize, bool)> {
    (1..=path.len()).rev().find_map(|depth| {
        let name = path[..depth].join(".");
        text.match_indices(&name).find_map(|(at, _)| {
            let before = text[..at].chars().next_back().is_none_or(|c| matches!(c, ',' | ' '));
            let after = text[at + name.len()..].chars().next().filter(|c| matches!(c, '=' | '.' | '['))?;
            before.then_some((depth, after != '.'))
        })
    })
}

/// The action that a place stands in, where it names no values path or a single one.
fn action_around(place: &Place) -> &str {
    let text = place.source.text();
    let at = (place.span.start as usize).min(text.len());
    let Some(start) = text.get(..at).and_then(|before| before.rfind("{{")) else { return "" };
    let end = text[start..].find("}}").map_or(text.len(), |end| start + end);
    let action = &text[start..end];
    if action.matches(".Values.").count() == 1 { action } else { "" }
}

/// The keys after the first `.Values` of an expression.
fn values_path(expression: &str) -> Option<Vec<&str>> {
    let at = expression.find(".Values.")? + ".Values.".len();
    let rest = &expression[at..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    let path: Vec<&str> = rest[..end].split('.').filter(|key| !key.is_empty()).collect();
    (!path.is_empty()).then_some(path)
}

/// The names of the subcharts in a template's path, outermost first.
pub(super) fn chart_names(template: &str) -> Vec<&str> {
    let mut parts = template.split('/').skip(1);
    let mut names = Vec::new();
    while parts.next() == Some("charts") {
        names.extend(parts.next());
    }
    names
}

/// Advice if a key on the path is missing and another is near it.
fn misspelt(values: &Map, path: &[&str]) -> Option<String> {
    let mut table = values.clone();
    for (index, key) in path.iter().enumerate() {
        match table.get(key) {
            Some(Val::Map(inner)) => table = inner,
            Some(_) => return None,
            None => {
                let keys: Vec<String> = table.keys().iter().map(ToString::to_string).collect();
                let near = did_you_mean(key, keys.iter().map(String::as_str))?;
                let above: String = path[..index].iter().flat_map(|key| [".", key]).collect();
                return Some(format!("use `.Values{above}.{near}`: there is no `{key}`"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_expressions_and_templates() {
        assert_eq!(values_path("$.Values.image.tag | quote"), Some(vec!["image", "tag"]));
        assert_eq!(values_path(".Release.Name"), None);
        assert_eq!(chart_names("app/charts/sub/charts/deep/templates/a.yaml"), ["sub", "deep"]);
    }

    #[test]
    fn flags_reach_as_deep_as_they_name() {
        assert_eq!(flag_depth("x=1,image.tag=2", &["image", "tag", "deep"]), Some((2, true)));
        assert_eq!(flag_depth("image.name=2", &["image", "tag"]), Some((1, false)));
        assert_eq!(flag_depth("images=1", &["image"]), None);
    }

    #[test]
    fn a_near_key_is_advised() {
        let image = Map::new();
        image.set("repository", "x");
        let values = Map::new();
        values.set("image", image);
        let hint = misspelt(&values, &["image", "repositry", "x"]).expect("it is near");
        assert!(hint.contains(".Values.image.repository"), "{hint}");
    }
}
