//! Why a value is what it is: the line of the manifest, patch, kustomization or values file, and of the template, that says it.
//!
//! In: the origin that a render recorded for an object, a field, and its value. Out: places whose own value at that field is the
//! rendered one; a place that says something else is never named. Overlays are asked before bases, since they have the last word.

use crate::diag::{SourceText, Span};
use crate::diff::{Cause, ObjectDiff, Report, Step};
use crate::manifest::{ObjectId, Origin};
use crate::render::KUSTOMIZATION_FILES;
use crate::source::{self, EntryKind, Source};
use crate::value::Tree;
use crate::yaml::{self, Dialect, Document};

/// Longest file that is looked into, in bytes.
const FILE_BYTES_MAX: usize = 4 << 20;
/// How many lines below a key its template expression may stand.
const TEMPLATE_LINES: usize = 3;

/// The sources of one side of a root.
pub(super) struct Finder<'a> {
    /// Its files.
    pub(super) source: &'a dyn Source,
    /// The folder that was rendered.
    pub(super) root: &'a str,
}

/// Adds to each difference of a root what caused its values; a side without files has no causes.
pub(super) fn explain(report: &mut Report, root: usize, old: Option<&Finder<'_>>, new: Option<&Finder<'_>>) {
    let Some(root) = report.roots.get_mut(root) else { return };
    for object in &mut root.diff.objects {
        let causes: Vec<Vec<Cause>> = object.entries.iter().map(|entry| causes(object, entry, old, new)).collect();
        for (entry, causes) in object.entries.iter_mut().zip(causes) {
            entry.why = causes;
        }
    }
}

fn causes(
    object: &ObjectDiff,
    entry: &crate::diff::Entry,
    old: Option<&Finder<'_>>,
    new: Option<&Finder<'_>>,
) -> Vec<Cause> {
    let mut found = Vec::new();
    for (is_new, finder, side, value) in [(false, old, &object.old, &entry.old), (true, new, &object.new, &entry.new)] {
        let (Some(finder), Some(side), Some(value)) = (finder, side, value) else { continue };
        let steps = entry.path.steps();
        let end = steps.iter().position(|step| matches!(step, Step::Inside(_)));
        let field = Field {
            id: &side.id,
            steps: &steps[..end.unwrap_or(steps.len())],
            new: is_new,
            // of a document in a text, the place of the text is known and no more; of a Secret not even the value
            value: (end.is_none() && !entry.masked).then_some(value),
        };
        let places = finder.places(&side.origin, &field);
        found.extend(places.into_iter().map(|(what, at)| Cause { new: is_new, what, at }));
    }
    found
}

/// What stands at a field of an object on one side.
struct Field<'f> {
    id: &'f ObjectId,
    steps: &'f [Step],
    new: bool,
    value: Option<&'f Tree>,
}

/// What is at a place, and the place: a file and line.
type Place = (&'static str, String);

impl Field<'_> {
    /// The way to the field in another tree that has it: items by their names, else by their places.
    fn way(&self, tree: &Tree) -> Option<Vec<String>> {
        let mut at = tree;
        let mut way = Vec::new();
        for step in self.steps {
            match step {
                Step::Key(key) => {
                    at = at.get(key)?;
                    way.push(key.to_string());
                }
                Step::Item { old, new, name } => {
                    let items = at.as_list()?;
                    let place = if name.is_empty() {
                        if self.new { *new } else { *old }
                    } else {
                        items.iter().position(|item| name.split(',').all(|pair| has(item, pair)))
                    }?;
                    at = items.get(place)?;
                    way.push(place.to_string());
                }
                Step::Inside(_) => return None,
            }
        }
        Some(way)
    }

    /// The way in a tree that has this field with this very value.
    fn way_to_value(&self, tree: &Tree) -> Option<Vec<String>> {
        let way = self.way(tree)?;
        let there = way
            .iter()
            .try_fold(tree, |at, step| at.get(step).or_else(|| at.as_list()?.get(step.parse::<usize>().ok()?)))?;
        self.value.is_none_or(|value| yaml::to_json(value) == yaml::to_json(there)).then_some(way)
    }

    fn last_key(&self) -> &str {
        self.steps
            .iter()
            .rev()
            .find_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
            .unwrap_or_default()
    }

    fn text(&self) -> Option<&str> {
        self.value?.as_scalar().map(|scalar| scalar.text.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.steps.iter().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect()
    }
}

fn has(item: &Tree, pair: &str) -> bool {
    pair.split_once('=')
        .is_some_and(|(key, value)| item.get(key).and_then(Tree::as_scalar).is_some_and(|scalar| scalar.text == value))
}

/// A document in a file, and the line before its first.
struct Part {
    source: SourceText,
    document: Document,
    lines_before: usize,
}

impl Part {
    fn line(&self, span: Span) -> usize {
        self.lines_before + self.source.line_column(span.start).0
    }

    fn place(&self, way: &[String]) -> usize {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        let span = self.document.spans.key(&way).or_else(|| self.document.spans.nearest(&way));
        span.map_or(self.lines_before + 1, |span| self.line(span))
    }
}

impl Finder<'_> {
    fn places(&self, origin: &Origin, field: &Field<'_>) -> Vec<Place> {
        if let Some(place) = self.kustomizations(origin, field) {
            return vec![place];
        }
        if origin.chart.is_empty() && origin.line > 0 {
            return self.manifest(origin, field).into_iter().collect();
        }
        self.template(origin, field)
    }

    fn shown(&self, path: &str, line: usize) -> String {
        format!("{}:{line}", source::relative(self.root, path))
    }

    fn text(&self, path: &str) -> Option<String> {
        if self.source.kind(path) != Some(EntryKind::File) {
            return None;
        }
        let bytes = self.source.read(path).ok().filter(|bytes| bytes.len() <= FILE_BYTES_MAX)?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// The documents of a file.
    fn parts(&self, path: &str) -> Vec<Part> {
        parts(self.text(path).as_deref().unwrap_or_default())
    }

    fn manifest(&self, origin: &Origin, field: &Field<'_>) -> Option<Place> {
        // a file that was rendered by itself is its own root
        let path = if self.source.kind(self.root) == Some(EntryKind::File) {
            self.root.to_owned()
        } else {
            source::join(self.root, &origin.file)
        };
        let parts = self.parts(&path);
        let part = parts.iter().rev().find(|part| part.lines_before < origin.line as usize)?;
        let way = field.way_to_value(&part.document.tree)?;
        Some(("manifest", self.shown(&path, part.place(&way))))
    }

    /// The outermost kustomization that says the value.
    fn kustomizations(&self, origin: &Origin, field: &Field<'_>) -> Option<Place> {
        let folders =
            std::iter::once(self.root.to_owned()).chain(origin.bases.iter().map(|base| source::join(self.root, base)));
        folders.into_iter().find_map(|folder| {
            let path = KUSTOMIZATION_FILES
                .iter()
                .map(|name| source::join(&folder, name))
                .find(|path| self.source.kind(path).is_some())?;
            let part = self.parts(&path).into_iter().next()?;
            self.directive(&folder, &path, &part, field)
        })
    }

    fn directive(&self, folder: &str, path: &str, part: &Part, field: &Field<'_>) -> Option<Place> {
        let tree = &part.document.tree;
        let items = |name: &str| tree.get(name).and_then(Tree::as_list).unwrap_or_default().iter().enumerate();
        let at = |what: &'static str, way: &[&str]| {
            let way: Vec<String> = way.iter().map(|step| (*step).to_owned()).collect();
            Some((what, self.shown(path, part.place(&way))))
        };
        let text =
            |tree: &Tree, key: &str| tree.get(key).and_then(Tree::as_scalar).map(|scalar| scalar.text.to_string());
        for name in ["patches", "patchesStrategicMerge", "patchesJson6902"] {
            for (index, item) in items(name) {
                let inline =
                    text(item, "patch").or_else(|| item.as_str().filter(|text| text.contains('\n')).map(str::to_owned));
                let file =
                    text(item, "path").or_else(|| item.as_str().filter(|text| !text.contains('\n')).map(str::to_owned));
                let parts = match (&inline, &file) {
                    (Some(text), _) => parts(text),
                    (None, Some(file)) => self.parts(&source::join(folder, file)),
                    _ => Vec::new(),
                };
                for patch in &parts {
                    let Some(way) = patched(&patch.document.tree, field) else { continue };
                    return match file.filter(|_| inline.is_none()) {
                        Some(file) => Some(("patch", self.shown(&source::join(folder, &file), patch.place(&way)))),
                        None => at("patch", &[name, &index.to_string()]),
                    };
                }
            }
        }
        let (keys, value) = (field.keys(), field.text()?);
        if field.last_key() == "image" {
            let found = items("images").find(|(_, item)| {
                let name = text(item, "newName").or_else(|| text(item, "name")).unwrap_or_default();
                let tag = text(item, "newTag").or_else(|| text(item, "digest"));
                value.starts_with(&name) && tag.is_none_or(|tag| value.ends_with(&tag))
            });
            return found.and_then(|(index, _)| at("image", &["images", &index.to_string()]));
        }
        if keys == ["spec", "replicas"] {
            let found = items("replicas").find(|(_, item)| {
                text(item, "name").is_some_and(|name| field.id.name.contains(&name))
                    && text(item, "count").as_deref() == Some(value)
            });
            return found.and_then(|(index, _)| at("replicas", &["replicas", &index.to_string()]));
        }
        match keys[..] {
            ["metadata", "namespace"] if text(tree, "namespace").as_deref() == Some(value) => {
                return at("namespace", &["namespace"]);
            }
            ["metadata", "name"] => {
                let said = |key: &str| text(tree, key).filter(|affix| !affix.is_empty());
                if said("namePrefix").is_some_and(|prefix| value.starts_with(&prefix)) {
                    return at("prefix", &["namePrefix"]);
                }
                if said("nameSuffix").is_some_and(|suffix| value.contains(&suffix)) {
                    return at("suffix", &["nameSuffix"]);
                }
            }
            [.., "labels" | "matchLabels" | "annotations", key] => {
                for name in ["commonLabels", "commonAnnotations"] {
                    if tree.get(name).and_then(|pairs| text(pairs, key)).as_deref() == Some(value) {
                        return at("label", &[name, key]);
                    }
                }
                let found = items("labels")
                    .find(|(_, item)| item.get("pairs").and_then(|pairs| text(pairs, key)).as_deref() == Some(value));
                if let Some((index, _)) = found {
                    return at("label", &["labels", &index.to_string(), "pairs", key]);
                }
            }
            ["data", key] => {
                for name in ["configMapGenerator", "secretGenerator"] {
                    for (index, item) in items(name) {
                        let said = |field: &str, wanted: &str| {
                            let list = item.get(field).and_then(Tree::as_list).unwrap_or_default();
                            list.iter().position(|text| text.as_str() == Some(wanted))
                        };
                        if let Some(of) = said("literals", &format!("{key}={value}")) {
                            return at("generator", &[name, &index.to_string(), "literals", &of.to_string()]);
                        }
                    }
                }
            }
            _ => {}
        }
        None
    }

    /// The template's line, and the values that it prints.
    fn template(&self, origin: &Origin, field: &Field<'_>) -> Vec<Place> {
        let Some((_, below)) = origin.file.split_once('/') else { return Vec::new() };
        let folders = [source::join(self.root, &origin.chart), self.root.to_owned()];
        let Some(chart) =
            folders.into_iter().find(|folder| self.source.kind(&source::join(folder, "Chart.yaml")).is_some())
        else {
            return Vec::new();
        };
        let path = source::join(&chart, below);
        let Some(text) = self.text(&path) else { return Vec::new() };
        let lines: Vec<&str> = text.lines().collect();
        let key = field.last_key();
        let mut fallback = None;
        for (at, line) in lines.iter().enumerate() {
            let bare = line.trim_start_matches([' ', '-', '"', '\'']);
            if !bare.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':')) {
                continue;
            }
            for expression in lines[at..].iter().take(TEMPLATE_LINES) {
                for values in values_paths(expression) {
                    if let Some(place) = self.values(origin, &chart, &values, field) {
                        return vec![("values", place), ("template", self.shown(&path, at + 1))];
                    }
                }
            }
            // a line that says the value itself
            if field.text().is_some_and(|text| !text.is_empty() && line.contains(text)) {
                fallback = Some(at + 1);
            }
        }
        fallback.map(|line| ("template", self.shown(&path, line))).into_iter().collect()
    }

    /// Where a path of values is set to what was printed: the user's files and inline values, the strongest first, then the chart's.
    fn values(&self, origin: &Origin, chart: &str, path: &[String], field: &Field<'_>) -> Option<String> {
        let printed = |tree: &Tree| {
            let there = path.iter().try_fold(tree, |at, key| at.get(key))?;
            match (there.as_scalar(), field.text()) {
                (Some(scalar), Some(text)) => {
                    (!scalar.text.is_empty() && text.contains(scalar.text.as_str())).then_some(())
                }
                (Some(_), None) => None,
                (None, _) => Some(()),
            }
        };
        let in_file = |file: &str| {
            let part = self.parts(file).into_iter().next()?;
            printed(&part.document.tree).map(|()| self.shown(file, part.place(path)))
        };
        let inflating = origin.bases.last().map_or_else(|| self.root.to_owned(), |base| source::join(self.root, base));
        for name in KUSTOMIZATION_FILES {
            let kustomization = source::join(&inflating, name);
            let Some(part) = self.parts(&kustomization).into_iter().next() else { continue };
            let charts = part.document.tree.get("helmCharts").and_then(Tree::as_list).unwrap_or_default();
            for (index, item) in charts.iter().enumerate() {
                let named =
                    item.get("name").and_then(Tree::as_str).is_some_and(|name| chart.ends_with(&format!("/{name}")));
                if !named {
                    continue;
                }
                let additional = item.get("additionalValuesFiles").and_then(Tree::as_list).unwrap_or_default();
                let files = additional.iter().rev().filter_map(Tree::as_str);
                if let Some(place) = files.map(|file| source::join(&inflating, file)).find_map(|file| in_file(&file)) {
                    return Some(place);
                }
                if item.get("valuesInline").and_then(printed).is_some() {
                    let way: Vec<String> = ["helmCharts".to_owned(), index.to_string(), "valuesInline".to_owned()]
                        .into_iter()
                        .chain(path.iter().cloned())
                        .collect();
                    return Some(self.shown(&kustomization, part.place(&way)));
                }
                if let Some(place) = item
                    .get("valuesFile")
                    .and_then(Tree::as_str)
                    .and_then(|file| in_file(&source::join(&inflating, file)))
                {
                    return Some(place);
                }
            }
        }
        in_file(&source::join(chart, "values.yaml"))
    }
}

/// The way to the field in a patch of the object; nothing if the patch is of another object, or says something else.
fn patched(patch: &Tree, field: &Field<'_>) -> Option<Vec<String>> {
    if let Some(operations) = patch.as_list() {
        let pointer: String = field
            .steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
                Step::Item { old, new, .. } => format!("/{}", if field.new { *new } else { *old }.unwrap_or_default()),
                Step::Inside(_) => String::new(),
            })
            .collect();
        let says = |operation: &Tree| {
            operation.get("path").and_then(Tree::as_str) == Some(&pointer)
                && field.value.is_none_or(|value| {
                    operation.get("value").is_some_and(|there| yaml::to_json(there) == yaml::to_json(value))
                })
        };
        return operations.iter().position(says).map(|at| vec![at.to_string(), "value".to_owned()]);
    }
    let id = ObjectId::of(patch);
    let same = id.kind == field.id.kind && (id.name.is_empty() || field.id.name.contains(id.name.as_str()));
    same.then(|| field.way_to_value(patch)).flatten()
}

/// The documents of a text, each with the line before its first.
fn parts(text: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let (mut begin, mut lines_before, mut lines) = (0, 0, 0);
    let mut at = 0;
    let mut add = |range: std::ops::Range<usize>, lines_before: usize| {
        let source = SourceText::new("", &text[range]);
        if let Ok(document) = yaml::parse_document(&source, Dialect::V2)
            && !document.tree.is_null()
        {
            found.push(Part { source, document, lines_before });
        }
    };
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            add(begin..at, lines_before);
            (begin, lines_before) = (at + line.len(), lines + 1);
        }
        at += line.len();
        lines += 1;
    }
    add(begin..text.len(), lines_before);
    found
}

/// The paths behind each `.Values.` of a line.
fn values_paths(line: &str) -> Vec<Vec<String>> {
    let rests = line.match_indices(".Values.").map(|(at, word)| &line[at + word.len()..]);
    rests
        .map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
            rest[..end].split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect()
        })
        .filter(|path: &Vec<String>| !path.is_empty())
        .collect()
}
