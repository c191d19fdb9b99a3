//! Which line of a template printed a field of an object, and which values it may have printed.
//!
//! In: a chart as it was rendered, and fields of objects that it printed. Out: for each the place in a template, and the paths of
//! values that the pipeline there read. The templates run once more, with what they print recorded; whether a value is what was
//! printed is for the caller to see, who knows where values come from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::diag::{SourceText, Span};
use crate::gotmpl::{Dot, Read, Segment, Stack, on_render_stack};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

use super::blame::chart_names;
use super::chart::Chart;
use super::engine::ReleaseOptions;
use super::inputs;
use super::manifests::split;
use super::run::{self, Ambient};
use super::stage::Stage;
use super::values::UserValues;

/// A field of an object that a chart printed.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// The path of the template, chart name first.
    pub template: &'w str,
    /// The kind of the object.
    pub kind: &'w str,
    /// Its name, which may have been changed around the printed one since.
    pub name: &'w str,
    /// The field in the printed object: keys and indices, as far as they lead.
    pub way: &'w dyn Fn(&Tree) -> Way,
}

/// The way to a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Keys and indices.
    pub steps: Vec<String>,
    /// The field is not there: the way ends where it is missing.
    pub cut: bool,
}

/// What printed a field.
#[derive(Clone, Debug)]
pub struct Printer {
    /// The template, or the text that it led to.
    pub source: SourceText,
    /// Where the field is printed there; where it is missing, what it is missing from.
    pub span: Span,
    /// What was printed at the field; nothing where it is missing.
    pub value: Option<Tree>,
    /// Paths of values that were read for what stands at the field, below `.Values` of the template's chart.
    pub values: Vec<Vec<String>>,
    /// The charts between the rendered one and the template's, outermost first, as values name them.
    pub charts: Vec<String>,
}

/// What printed each field of some objects; nothing for those that the templates do not print, or not again.
pub fn printers(
    chart: &Arc<Chart>,
    options: &ReleaseOptions,
    values: &UserValues<'_>,
    ambient: &mut dyn Ambient,
    wanted: &[Wanted<'_>],
) -> Vec<Option<Printer>> {
    let templates: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.template).collect();
    let traced = on_render_stack(|stack| traced(chart, options, values, ambient, stack, &templates));
    let printed = traced.unwrap_or_default();
    let documents: BTreeMap<&str, Vec<Document<'_>>> =
        printed.iter().map(|(path, output)| (&**path, documents(output, options))).collect();
    let one = |wanted: &Wanted<'_>| {
        let fits = |document: &&Document<'_>| document.kind() == wanted.kind && wanted.name.contains(document.name());
        let found = documents.get(wanted.template)?.iter().filter(fits);
        found.max_by_key(|document| document.name().len())?.printer(wanted)
    };
    wanted.iter().map(one).collect()
}

/// What a template printed, and what printed each part of it.
struct Output {
    text: SourceText,
    segments: Vec<Segment>,
}

/// Runs the templates in their order up to the last that is asked about.
fn traced(
    chart: &Arc<Chart>,
    options: &ReleaseOptions,
    values: &UserValues<'_>,
    ambient: &mut dyn Ambient,
    stack: Stack,
    wanted: &BTreeSet<&str>,
) -> Option<BTreeMap<Arc<str>, Output>> {
    let profile = options.profile;
    let user = values.merged(profile, chart.values_read()).ok()?;
    ambient.begin(&|| inputs::digest(chart, &user, options));
    let stage = Stage::set(chart, options, &user).ok()?;
    let ordered = stage.runnables();
    let mut found = BTreeMap::new();
    run::traced(&ordered, (profile, &chart.units), ambient, stack, |runnable, output, segments| {
        if wanted.contains(&*runnable.path)
            && let Ok(text) = String::from_utf8(output)
        {
            found.insert(runnable.path.clone(), Output { text: SourceText::new(&*runnable.path, text), segments });
        }
        if found.len() == wanted.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Some(found)
}

/// A document of a template's output.
struct Document<'o> {
    output: &'o Output,
    /// Where it begins there.
    start: usize,
    read: yaml::Document,
}

fn documents<'o>(output: &'o Output, options: &ReleaseOptions) -> Vec<Document<'o>> {
    let text = output.text.text();
    let mut from = 0;
    let mut found = Vec::new();
    for document in split(text, options.profile) {
        let Some(at) = text[from..].find(document) else { continue };
        let start = from + at;
        from = start + document.len();
        if let Ok(read) = yaml::parse_document(&SourceText::new("", document), Dialect::V2) {
            found.push(Document { output, start, read });
        }
    }
    found
}

impl Document<'_> {
    fn kind(&self) -> &str {
        self.read.tree.get("kind").and_then(Tree::as_str).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.read.tree.at(&["metadata", "name"]).and_then(Tree::as_scalar).map_or("", |scalar| scalar.text.as_str())
    }

    fn printer(&self, wanted: &Wanted<'_>) -> Option<Printer> {
        let (segments, spans) = (&self.output.segments, &self.read.spans);
        let way = (wanted.way)(&self.read.tree);
        let steps: Vec<&str> = way.steps.iter().map(String::as_str).collect();
        let at = self.start + spans.nearest(&steps)?.start as usize;
        let segment = segments.iter().find(|segment| segment.output.contains(&at))?;
        let within = spans.value(&steps).map(|span| (self.start + span.start as usize, self.start + span.end as usize));
        let overlaps = |segment: &&Segment| {
            within.is_some_and(|(from, to)| segment.output.start < to.max(from + 1) && from < segment.output.end)
        };
        let parts: Vec<&Segment> = segments.iter().filter(overlaps).collect();
        // what is missing from a text that one pipeline printed is missing from its values
        let parts = if way.cut && parts.len() != 1 { Vec::new() } else { parts };
        let mut values: Vec<Vec<String>> = Vec::new();
        for path in parts.iter().flat_map(|segment| &segment.reads).flat_map(values_paths) {
            if !values.contains(&path) {
                values.push(path);
            }
        }
        let found = (!way.cut).then(|| at_way(&self.read.tree, &way.steps).cloned()).flatten();
        let charts = chart_names(wanted.template).into_iter().map(str::to_owned).collect();
        Some(Printer { source: segment.source.clone(), span: segment.place_of(at), value: found, values, charts })
    }
}

/// What stands at a way.
fn at_way<'t>(tree: &'t Tree, steps: &[String]) -> Option<&'t Tree> {
    steps.iter().try_fold(tree, |at, step| at.get(step).or_else(|| at.as_list()?.get(step.parse::<usize>().ok()?)))
}

/// The paths below `.Values` that a read may mean: a variable may hold any of the items around.
fn values_paths(read: &Read) -> Vec<Vec<String>> {
    if let Some(rest) = read.text.strip_prefix('$').filter(|rest| !rest.starts_with('.') && !rest.is_empty()) {
        let below = rest.split_once('.').map_or("", |(_, below)| below);
        let at = |depth: usize| path_of(&read.dots[..=depth], &format!(".{below}"));
        return (0..read.dots.len()).rev().filter(|depth| read.dots[*depth].item.is_some()).filter_map(at).collect();
    }
    path_of(&read.dots, &read.text).into_iter().collect()
}

/// The path below `.Values` that a field means inside of some dots; nothing for another one, and for all values.
fn path_of(dots: &[Dot], text: &str) -> Option<Vec<String>> {
    let mut at: Option<Vec<String>> = Some(Vec::new());
    let step = |at: Option<Vec<String>>, text: &str| -> Option<Vec<String>> {
        let keys = |text: &str| text.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let rooted = text.strip_prefix('$').unwrap_or(text);
        if rooted == ".Values" || rooted.starts_with(".Values.") {
            return Some(keys(rooted));
        }
        let mut path = at.filter(|_| text.starts_with('.'))?;
        path.extend(keys(text));
        Some(path)
    };
    for dot in dots {
        at = step(at, &dot.read);
        if let (Some(path), Some(item)) = (&mut at, &dot.item) {
            path.push(item.clone());
        }
    }
    let path = step(at, text)?;
    (path.len() > 1 && path[0] == "Values").then(|| path[1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dots: &[(&str, Option<&str>)]) -> Vec<String> {
        let dot = |(read, item): &(&str, Option<&str>)| Dot { read: (*read).to_owned(), item: item.map(str::to_owned) };
        let read = Read { text: text.to_owned(), dots: dots.iter().map(dot).collect() };
        values_paths(&read).into_iter().map(|path| path.join("/")).collect()
    }

    #[test]
    fn a_read_inside_of_dots_is_a_path_of_values() {
        assert_eq!(read(".Values.image.tag", &[]), ["image/tag"]);
        assert_eq!(read("$.Values.a", &[(".Values.env", Some("2"))]), ["a"]);
        assert_eq!(read(".name", &[(".Values.env", Some("2"))]), ["env/2/name"]);
        assert_eq!(read(".", &[(".Values", None), (".env", Some("k"))]), ["env/k"]);
        assert_eq!(read("$item.name", &[(".Values.env", Some("2"))]), ["env/2/name"]);
        assert_eq!(read("$item", &[(".Values.env", Some("2"))]), ["env/2"]);
        assert!(read(".", &[]).is_empty() && read(".Release.Name", &[]).is_empty() && read(".Values", &[]).is_empty());
        assert!(read(".name", &[("", None)]).is_empty(), "nobody knows what the dot is");
    }
}
