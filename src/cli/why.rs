//! Why a value is what it is: the line of the manifest, patch, kustomization or values file, and of the template, that says it.
//!
//! In: the origin that a render recorded for an object, a field, and its value. Out: places whose own value at that field is the
//! rendered one; a place that says something else is never named. Overlays are asked before bases, since they have the last word.
//! What charts printed is rendered once more, which tells the template's line and the values that were read there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::diag::{Result, SourceText, Span};
use crate::diff::Step;
use crate::helm::Ambient;
use crate::manifest::{ObjectId, Origin};
use crate::render::{KUSTOMIZATION_FILES, Options, Printed, Printer, Way, printers};
use crate::source::{self, EntryKind, Source};
use crate::value::Tree;
use crate::yaml::{self, Dialect, Document};

/// Longest file that is looked into, in bytes.
const FILE_BYTES_MAX: usize = 4 << 20;

/// The sources of rendered objects.
pub(super) struct Finder<'a> {
    source: &'a dyn Source,
    root: &'a str,
    parts: RefCell<BTreeMap<String, Rc<Vec<Part>>>>,
}

/// What stands at a field of an object.
pub(super) struct Field<'f> {
    pub(super) id: &'f ObjectId,
    pub(super) origin: &'f Origin,
    pub(super) steps: &'f [Step],
    /// Which place of an item counts: its new one rather than its old one.
    pub(super) new: bool,
    /// The value; nothing where any will do.
    pub(super) value: Option<&'f Tree>,
    /// Nothing stands there: what it is missing from is meant.
    pub(super) missing: bool,
}

/// A place that says a value.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What is there: values, template, patch, manifest, and so on.
    pub(super) what: &'static str,
    /// The file, absolute.
    pub(super) file: String,
    /// The line, one-based.
    pub(super) line: usize,
    /// The text and the range in it, where the render knew them.
    pub(super) shown: Option<(SourceText, Span)>,
}

impl Field<'_> {
    /// The way to the field in another tree that has it: items by their names, else by their places.
    fn way(&self, tree: &Tree) -> Option<Vec<String>> {
        self.way_with(tree, false)
    }

    /// As [`Field::way`]; `by_place` says that an item which no other bears the name of is at its place.
    fn way_with(&self, tree: &Tree, by_place: bool) -> Option<Vec<String>> {
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
                    let own = if self.new { *new } else { *old };
                    let named = || items.iter().position(|item| name.split(',').all(|pair| has(item, pair)));
                    let place = match (name.is_empty(), by_place) {
                        (true, _) => own,
                        (false, false) => named(),
                        (false, true) => named().or(own),
                    }?;
                    at = items.get(place)?;
                    way.push(place.to_string());
                }
                Step::Inside(_) => return None,
            }
        }
        Some(way)
    }

    /// The way in a tree that may have the field, as far as it leads.
    fn way_so_far(&self, tree: &Tree) -> Way {
        let cut =
            |len: usize| Field { steps: &self.steps[..len], ..*self }.way_with(tree, true).map(|steps| (len, steps));
        let (len, steps) = (0..=self.steps.len()).rev().find_map(cut).unwrap_or_default();
        Way { steps, cut: self.missing || len < self.steps.len() }
    }

    /// The way in a tree that has this field with this very value.
    fn way_to_value(&self, tree: &Tree) -> Option<Vec<String>> {
        let way = self.way(tree)?;
        let there = way
            .iter()
            .try_fold(tree, |at, step| at.get(step).or_else(|| at.as_list()?.get(step.parse::<usize>().ok()?)))?;
        self.value.is_none_or(|value| yaml::to_json(value) == yaml::to_json(there)).then_some(way)
    }

    /// A step in the object itself.
    fn own(&self, step: &Step) -> Option<String> {
        match step {
            Step::Key(key) => Some(key.to_string()),
            Step::Item { old, new, .. } => Some(if self.new { *new } else { *old }?.to_string()),
            Step::Inside(_) => None,
        }
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

impl<'a> Finder<'a> {
    /// `root` is what was rendered from `source`.
    pub(super) fn new(source: &'a dyn Source, root: &'a str) -> Finder<'a> {
        Finder { source, root, parts: RefCell::default() }
    }

    /// The places that say each field's value: of several, what has the last word; of templates, the values that were printed first.
    pub(super) fn places(
        &self,
        fields: &[Field<'_>],
        options: &Options,
        ambient: &mut dyn Ambient,
    ) -> Result<Vec<Vec<Place>>> {
        let mut found: Vec<Vec<Place>> = fields.iter().map(|field| self.said(field).into_iter().collect()).collect();
        let printed: Vec<usize> =
            (0..fields.len()).filter(|at| found[*at].is_empty() && !fields[*at].origin.chart.is_empty()).collect();
        if printed.is_empty() {
            return Ok(found);
        }
        let ways: Vec<_> = printed.iter().map(|at| |tree: &Tree| fields[*at].way_so_far(tree)).collect();
        let one = |(at, way): (&usize, _)| Printed { id: fields[*at].id, origin: fields[*at].origin, way };
        let asked: Vec<Printed<'_>> = printed.iter().zip(ways.iter().map(|way| way as _)).map(one).collect();
        let answers = printers(self.source, self.root, options, ambient, &asked)?;
        for (at, printer) in printed.iter().zip(answers) {
            found[*at].extend(printer.into_iter().flat_map(|printer| self.printed(&fields[*at], &printer)));
        }
        Ok(found)
    }

    /// What no template says.
    fn said(&self, field: &Field<'_>) -> Option<Place> {
        if field.missing {
            return None;
        }
        self.kustomizations(field).or_else(|| {
            (field.origin.chart.is_empty() && field.origin.line > 0).then(|| self.manifest(field)).flatten()
        })
    }

    fn place(what: &'static str, file: &str, line: usize) -> Place {
        Place { what, file: file.to_owned(), line, shown: None }
    }

    fn text(&self, path: &str) -> Option<String> {
        if self.source.kind(path) != Some(EntryKind::File) {
            return None;
        }
        let bytes = self.source.read(path).ok().filter(|bytes| bytes.len() <= FILE_BYTES_MAX)?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// The documents of a file.
    fn parts(&self, path: &str) -> Rc<Vec<Part>> {
        let read = || Rc::new(parts(self.text(path).as_deref().unwrap_or_default()));
        Rc::clone(self.parts.borrow_mut().entry(path.to_owned()).or_insert_with(read))
    }

    fn manifest(&self, field: &Field<'_>) -> Option<Place> {
        let origin = field.origin;
        // a file that was rendered by itself is its own root
        let path = if self.source.kind(self.root) == Some(EntryKind::File) {
            self.root.to_owned()
        } else {
            source::join(self.root, &origin.file)
        };
        let parts = self.parts(&path);
        let part = parts.iter().rev().find(|part| part.lines_before < origin.line as usize)?;
        let way = field.way_to_value(&part.document.tree)?;
        Some(Finder::place("manifest", &path, part.place(&way)))
    }

    /// The outermost kustomization that says the value.
    fn kustomizations(&self, field: &Field<'_>) -> Option<Place> {
        let bases = field.origin.bases.iter().map(|base| source::join(self.root, base));
        let folders = std::iter::once(self.root.to_owned()).chain(bases);
        folders.into_iter().find_map(|folder| {
            let path = KUSTOMIZATION_FILES
                .iter()
                .map(|name| source::join(&folder, name))
                .find(|path| self.source.kind(path).is_some())?;
            self.directive(&folder, &path, self.parts(&path).first()?, field)
        })
    }

    fn directive(&self, folder: &str, path: &str, part: &Part, field: &Field<'_>) -> Option<Place> {
        let tree = &part.document.tree;
        let items = |name: &str| tree.get(name).and_then(Tree::as_list).unwrap_or_default().iter().enumerate();
        let at = |what: &'static str, way: &[&str]| {
            let way: Vec<String> = way.iter().map(|step| (*step).to_owned()).collect();
            Some(Finder::place(what, path, part.place(&way)))
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
                    (Some(text), _) => Rc::new(parts(text)),
                    (None, Some(file)) => self.parts(&source::join(folder, file)),
                    _ => Rc::default(),
                };
                for patch in parts.iter() {
                    let Some(way) = patched(&patch.document.tree, field) else { continue };
                    return match file.filter(|_| inline.is_none()) {
                        Some(file) => Some(Finder::place("patch", &source::join(folder, &file), patch.place(&way))),
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

    /// The template's line, and the values that were printed there.
    fn printed(&self, field: &Field<'_>, printer: &Printer) -> Vec<Place> {
        let same =
            |value: &Tree| printer.value.as_ref().is_some_and(|there| yaml::to_json(there) == yaml::to_json(value));
        if field.value.is_some_and(|value| !field.missing && !same(value)) {
            return Vec::new();
        }
        let line = printer.source.line_column(printer.span.start).0;
        // a text that another one led to (`tpl`) has a name of its own
        let file = match (self.chart(field.origin), printer.source.name().split_once('/')) {
            (Some(chart), Some((_, below))) => source::join(&chart, below),
            _ => printer.source.name().to_owned(),
        };
        let template = Place { what: "template", file, line, shown: Some((printer.source.clone(), printer.span)) };
        let mut found: Vec<Place> = Vec::new();
        for path in &printer.values {
            found.extend(self.values(field, printer, path).filter(|place| found.iter().all(|known| !known.is(place))));
        }
        found.push(template);
        found
    }

    /// The folder of the chart that printed an object.
    fn chart(&self, origin: &Origin) -> Option<String> {
        let folders = [source::join(self.root, &origin.chart), self.root.to_owned()];
        folders.into_iter().find(|folder| self.source.kind(&source::join(folder, "Chart.yaml")).is_some())
    }

    /// Where a path of values is set to what was printed: the user's files and inline values, the strongest first, then the charts'.
    fn values(&self, field: &Field<'_>, printer: &Printer, path: &[String]) -> Option<Place> {
        let chart = self.chart(field.origin)?;
        let global = path.first().is_some_and(|key| key == "global");
        // a subchart's values stand in its parents' values, below its name
        let level = |depth: usize| -> Vec<String> {
            let names = if global { &[] } else { &printer.charts[depth..] };
            names.iter().chain(path).cloned().collect()
        };
        let full = level(0);
        let in_file = |file: &str, path: &[String]| {
            let parts = self.parts(file);
            let part = parts.first()?;
            let way = field.way_to_printed(&part.document.tree, path, &printer.values)?;
            Some(Finder::place("values", file, part.place(&way)))
        };
        let base = field.origin.bases.last();
        let inflating = base.map_or_else(|| self.root.to_owned(), |base| source::join(self.root, base));
        for name in KUSTOMIZATION_FILES {
            let kustomization = source::join(&inflating, name);
            let parts = self.parts(&kustomization);
            let Some(part) = parts.first() else { continue };
            let charts = part.document.tree.get("helmCharts").and_then(Tree::as_list).unwrap_or_default();
            for (index, item) in charts.iter().enumerate() {
                let named =
                    item.get("name").and_then(Tree::as_str).is_some_and(|name| chart.ends_with(&format!("/{name}")));
                if !named {
                    continue;
                }
                let additional = item.get("additionalValuesFiles").and_then(Tree::as_list).unwrap_or_default();
                let files = additional.iter().rev().filter_map(Tree::as_str);
                let mut places =
                    files.map(|file| source::join(&inflating, file)).filter_map(|file| in_file(&file, &full));
                if let Some(place) = places.next() {
                    return Some(place);
                }
                let inline = item.get("valuesInline");
                if let Some(below) = inline.and_then(|inline| field.way_to_printed(inline, &full, &printer.values)) {
                    let begin = ["helmCharts".to_owned(), index.to_string(), "valuesInline".to_owned()];
                    let way: Vec<String> = begin.into_iter().chain(below).collect();
                    return Some(Finder::place("values", &kustomization, part.place(&way)));
                }
                let file = item.get("valuesFile").and_then(Tree::as_str).map(|file| source::join(&inflating, file));
                if let Some(place) = file.and_then(|file| in_file(&file, &full)) {
                    return Some(place);
                }
            }
        }
        let mut folder = chart;
        for depth in 0..=printer.charts.len() {
            if let Some(place) = in_file(&source::join(&folder, "values.yaml"), &level(depth)) {
                return Some(place);
            }
            folder = source::join(&folder, &format!("charts/{}", printer.charts.get(depth)?));
        }
        None
    }
}

impl Place {
    fn is(&self, other: &Place) -> bool {
        (self.what, &self.file, self.line) == (other.what, &other.file, other.line)
    }
}

impl Field<'_> {
    /// The way in a tree of values to what was printed: at a path that was read, or below it where a whole map was.
    fn way_to_printed(&self, values: &Tree, path: &[String], reads: &[Vec<String>]) -> Option<Vec<String>> {
        let at = |from: &Tree, steps: &[String]| {
            steps.iter().try_fold(from.clone(), |at, step| {
                at.get(step).or_else(|| at.as_list()?.get(step.parse::<usize>().ok()?)).cloned()
            })
        };
        let there = at(values, path)?;
        let Some(value) = self.value.filter(|_| !self.missing) else {
            // of a text whose value is not to be looked at, and of what is missing, only a read that was the only one is sure
            return (reads.len() == 1).then(|| path.to_vec());
        };
        if let (Some(scalar), Some(text)) = (there.as_scalar(), value.as_scalar()) {
            return holds(&text.text, &scalar.text).then(|| path.to_vec());
        }
        let printed = yaml::to_json(value);
        let steps: Vec<String> = self.steps.iter().filter_map(|step| self.own(step)).collect();
        let below = (0..=steps.len()).map(|from| &steps[from..]);
        let mut fits = below.filter(|below| at(&there, below).is_some_and(|value| yaml::to_json(&value) == printed));
        fits.next().map(|below| path.iter().chain(below).cloned().collect())
    }
}

/// A text that holds another as a word of its own.
fn holds(text: &str, word: &str) -> bool {
    let plain = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    !word.is_empty()
        && text
            .match_indices(word)
            .any(|(at, _)| plain(text[..at].chars().next_back()) && plain(text[at + word.len()..].chars().next()))
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
