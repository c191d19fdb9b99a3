//! The `replacements` field: a value of one object copied into fields of others.
//!
//! In: the list of replacements, each with a source (or a `sourceValue`) and targets. Out: the objects changed. The value's text
//! goes into scalars, which keep what they are: text that a number cannot have is refused, as it is by kustomize when it prints.

use rustc_hash::{FxHashMap, FxHashSet};

use super::decode;
use super::field_path::{self, Make, Places};
use super::label_selector::LabelSelector;
use super::resid::{Gvk, ResId};
use super::resmap::ResMap;
use super::resource::Resource;
use super::selector::Pattern;
use super::structured;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, SourceText, Warnings, did_you_mean};
use crate::value::{Kind, Style, Text, Tree};
use crate::yaml::{self, Dialect};

/// Field that is read and written where none is named.
const DEFAULT_FIELD: &str = "metadata.name";

/// A list of replacements, read.
pub(crate) struct Replacements {
    list: Vec<Replacement>,
}

struct Replacement {
    source: Source,
    targets: Vec<Target>,
}

enum Source {
    Value(Text),
    Field { id: ResId, path: String, options: Options },
}

struct Target {
    select: Chosen,
    reject: Vec<Chosen>,
    paths: Vec<String>,
    options: Options,
}

/// Which objects are meant.
struct Chosen {
    id: Identity,
    labels: LabelSelector,
    annotations: LabelSelector,
    /// True if it names no object, but perhaps labels or annotations.
    anything: bool,
}

/// Exact texts, or patterns for whole ones where the profile has them.
enum Identity {
    Exact(ResId),
    Patterns([Pattern; 5]),
}

#[derive(Default)]
struct Options {
    delimiter: String,
    index: i64,
    create: bool,
}

impl Replacements {
    /// Reads the configuration of a `ReplacementTransformer`: `replacements`, each inline or the `path` of a file with one or
    /// a list of them. Fails with code `kustomize-replacement`.
    pub(crate) fn from_config(config: &Tree, context: &Context<'_>) -> Result<Replacements> {
        let mut list = Vec::new();
        for entry in config.get("replacements").and_then(Tree::as_list).unwrap_or_default() {
            let path = decode::text(entry, "path");
            if path.is_empty() {
                list.push(replacement(entry, context)?);
                continue;
            }
            let has = |field| entry.get(field).is_some_and(|value: &Tree| !value.is_null());
            if has("source") || has("targets") {
                return Err(refuse("cannot specify both path and inline replacement".to_owned()));
            }
            read_file(&path, context, &mut list)?;
        }
        Ok(Replacements { list })
    }
}

fn read_file(path: &str, context: &Context<'_>, list: &mut Vec<Replacement>) -> Result<()> {
    let source: SourceText = context.loader.text(path)?;
    let tree = yaml::parse(&source, Dialect::V2)?;
    match &tree {
        Tree::List(items) => {
            for item in items.iter() {
                list.push(replacement(item, context)?);
            }
        }
        Tree::Map(_) => list.push(replacement(&tree, context)?),
        Tree::Scalar(_) => {
            let message = format!("`{path}` holds no replacement and no list of replacements");
            return Err(refuse(message));
        }
    }
    Ok(())
}

fn replacement(entry: &Tree, context: &Context<'_>) -> Result<Replacement> {
    let present = |field: &str| entry.get(field).filter(|value| !value.is_null());
    let value = present("sourceValue").filter(|_| context.profile.replacement_source_values());
    let source = match (value, present("source")) {
        (Some(_), Some(_)) => return Err(refuse("value and resource selectors are mutually exclusive".to_owned())),
        (Some(value), None) => Source::Value(value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default()),
        (None, Some(source)) => {
            let path = decode::text(source, "fieldPath");
            let path = if path.is_empty() { DEFAULT_FIELD.to_owned() } else { path.to_string() };
            Source::Field { id: id(source), path, options: options(source)? }
        }
        (None, None) => return Err(incomplete()),
    };
    let targets = present("targets").and_then(Tree::as_list).ok_or_else(incomplete)?;
    Ok(Replacement { source, targets: targets.iter().map(|tree| target(tree, context)).collect::<Result<_>>()? })
}

fn target(tree: &Tree, context: &Context<'_>) -> Result<Target> {
    let Some(select) = tree.get("select").filter(|select| !select.is_null()) else {
        return Err(refuse("target must specify resources to select".to_owned()));
    };
    let reject = tree.get("reject").and_then(Tree::as_list).unwrap_or_default();
    let paths = tree.get("fieldPaths").and_then(Tree::as_list).unwrap_or_default();
    let mut paths: Vec<String> =
        paths.iter().filter_map(Tree::as_scalar).map(|scalar| scalar.text.to_string()).collect();
    if paths.is_empty() {
        paths.push(DEFAULT_FIELD.to_owned());
    }
    Ok(Target {
        select: chosen(select, context)?,
        reject: reject.iter().map(|tree| chosen(tree, context)).collect::<Result<_>>()?,
        paths,
        options: options(tree)?,
    })
}

fn chosen(tree: &Tree, context: &Context<'_>) -> Result<Chosen> {
    let exact = id(tree);
    let anything = exact == ResId::default();
    let id = if context.profile.replacement_targets_are_patterns() {
        let parts = [&exact.gvk.group, &exact.gvk.version, &exact.gvk.kind, &exact.name, &exact.namespace];
        let mut patterns = parts.into_iter().map(|text| Pattern::read(text));
        let mut next = || patterns.next().unwrap_or(Ok(Pattern::Any));
        Identity::Patterns([next()?, next()?, next()?, next()?, next()?])
    } else {
        Identity::Exact(exact)
    };
    let labels = LabelSelector::read(&decode::text(tree, "labelSelector"))?;
    Ok(Chosen { id, labels, annotations: LabelSelector::read(&decode::text(tree, "annotationSelector"))?, anything })
}

fn id(tree: &Tree) -> ResId {
    let text = |field| decode::text(tree, field);
    let gvk = Gvk { group: text("group"), version: text("version"), kind: text("kind") };
    ResId { gvk, name: text("name"), namespace: text("namespace"), cluster_scoped: false }
}

fn options(tree: &Tree) -> Result<Options> {
    let Some(options) = tree.get("options").filter(|options| !options.is_null()) else { return Ok(Options::default()) };
    let index = decode::text(options, "index");
    let index = if index.is_empty() { Ok(0) } else { index.parse() };
    Ok(Options {
        delimiter: decode::text(options, "delimiter").to_string(),
        index: index.map_err(|_| refuse("`options.index` is no whole number".to_owned()))?,
        create: decode::flag(options, "create"),
    })
}

impl Transformer for Replacements {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        let into_texts = context.profile.replacements_reach_into_texts();
        // fields made here, which have no kind yet that a later value must fit
        let mut made: FxHashMap<usize, FxHashSet<String>> = FxHashMap::default();
        for replacement in &self.list {
            let value = replacement.source.value(resources.as_slice())?;
            for target in &replacement.targets {
                let list = resources.list_mut().iter_mut().enumerate();
                for (position, resource) in list.filter(|(_, resource)| target.means(resource)) {
                    target.write(resource, &value, into_texts, made.entry(position).or_default())?;
                }
            }
        }
        Ok(())
    }
}

/// The identities of an object now and before, scopes left out as replacements do.
fn ids(resource: &Resource) -> Vec<ResId> {
    let now =
        ResId { gvk: resource.gvk(), name: resource.name(), namespace: resource.namespace(), cluster_scoped: false };
    std::iter::once(now).chain(resource.previous_ids()).collect()
}

impl Source {
    fn value(&self, resources: &[Resource]) -> Result<Tree> {
        let (id, path, options) = match self {
            Source::Value(text) => return Ok(field_path::untagged(text)),
            Source::Field { id, path, options } => (id, path, options),
        };
        let mut matches = resources.iter().filter(|resource| ids(resource).iter().any(|own| own.is_selected_by(id)));
        let Some(resource) = matches.next() else {
            let fault = *refuse(format!("nothing selected by {id}:{path}"));
            let names: Vec<Text> = resources.iter().map(Resource::name).collect();
            return Err(Box::new(match did_you_mean(&id.name, names.iter().map(Text::as_str)) {
                Some(near) => fault.hint(format!("use `{near}`")),
                None => fault,
            }));
        };
        if matches.next().is_some() {
            return Err(refuse(format!("multiple matches for selector {id}:{path}")));
        }
        let found = field_path::lookup(&resource.tree, &field_path::split(path));
        let found = found.map_err(|why| refuse(format!("error looking up replacement source: {why}")))?;
        let Some(value) = found.filter(|value| !is_empty(value)) else {
            return Err(refuse(format!("fieldPath `{path}` is missing for replacement source {id}")));
        };
        options.refine(value)
    }
}

impl Options {
    fn refine(&self, value: &Tree) -> Result<Tree> {
        if self.delimiter.is_empty() {
            return Ok(value.clone());
        }
        let Tree::Scalar(scalar) = value else { return Err(refuse(DELIMITED.to_owned())) };
        let index = usize::try_from(self.index).ok();
        let Some(part) = index.and_then(|index| scalar.text.split(self.delimiter.as_str()).nth(index)) else {
            return Err(refuse(format!("options.index {} is out of bounds for value {}", self.index, scalar.text)));
        };
        let mut scalar = scalar.clone();
        scalar.text = part.into();
        Ok(Tree::Scalar(scalar))
    }

    /// The text that comes of putting `value` at the index of the delimited `old`.
    fn place(&self, old: &str, value: &str) -> String {
        let mut parts: Vec<&str> = old.split(self.delimiter.as_str()).collect();
        match usize::try_from(self.index) {
            Err(_) => parts.insert(0, value),
            Ok(index) if index >= parts.len() => parts.push(value),
            Ok(index) => parts[index] = value,
        }
        parts.join(&self.delimiter)
    }
}

const DELIMITED: &str = "delimiter option can only be used with scalar nodes";

impl Chosen {
    fn fits_id(&self, ids: &[ResId]) -> bool {
        ids.iter().any(|own| match &self.id {
            Identity::Exact(id) => own.is_selected_by(id),
            Identity::Patterns([group, version, kind, name, namespace]) => {
                kind.matches(&own.gvk.kind)
                    && name.matches(&own.name)
                    && group.matches(&own.gvk.group)
                    && version.matches(&own.gvk.version)
                    && namespace.matches(&own.namespace)
            }
        })
    }

    fn fits_labels(&self, resource: &Resource) -> bool {
        (self.labels.is_any() || self.labels.selects(&resource.meta_map("labels")))
            && (self.annotations.is_any() || self.annotations.selects(&resource.meta_map("annotations")))
    }
}

impl Target {
    fn means(&self, resource: &Resource) -> bool {
        let ids = ids(resource);
        self.select.fits_id(&ids)
            && self.select.fits_labels(resource)
            && !self.reject.iter().any(|reject| {
                let by_labels = !(reject.labels.is_any() && reject.annotations.is_any());
                by_labels && reject.fits_labels(resource) || !reject.anything && reject.fits_id(&ids)
            })
    }

    /// Writes the value to each path. `made` holds the paths of the object that were made, and gets those that are made now.
    fn write(
        &self,
        resource: &mut Resource,
        value: &Tree,
        into_texts: bool,
        made: &mut FxHashSet<String>,
    ) -> Result<()> {
        let make = if self.options.create { Make::like(value) } else { Make::Never };
        for path in &self.paths {
            let parts = field_path::split(path);
            if into_texts && structured::write(&mut resource.tree, &parts, value, make)? {
                continue;
            }
            let verb = if self.options.create { "find or create" } else { "find" };
            let lost = || format!("unable to {verb} field `{path}` in replacement target");
            let failed = |why: String| refuse(format!("{}: {why}", lost()));
            let places = Places::find(&mut resource.tree, &parts, make, into_texts).map_err(failed)?;
            if places.is_empty() {
                let fault = refuse(lost()).trail(format!("in {} `{}`", resource.kind(), resource.name()), None);
                let hint = "set `options.create` to have it made";
                return Err(Box::new(if self.options.create { fault } else { fault.hint(hint) }));
            }
            if places.some_made() {
                made.insert(path.clone());
            }
            let untagged = made.contains(path);
            let mut misfits = false;
            let set = |target: &mut Tree, made: bool| self.set(target, made || untagged, value, &mut misfits);
            resource.changing(|tree| places.each(tree, set)).map_err(|why| refuse(format!("{why} (field `{path}`)")))?;
            resource.misfits |= misfits;
        }
        Ok(())
    }

    /// Puts the value in a place. `misfits` is set where a scalar keeps a tag that its new text does not fit: kyaml leaves it
    /// so until the object is printed.
    fn set(&self, target: &mut Tree, made: bool, value: &Tree, misfits: &mut bool) -> Result<(), String> {
        let text = value.as_scalar().map_or("", |scalar| &scalar.text);
        let placed;
        let mut value = value.clone();
        let text = if self.options.delimiter.is_empty() {
            text
        } else {
            let Tree::Scalar(old) = &*target else { return Err(DELIMITED.to_owned()) };
            placed = self.options.place(&old.text, text);
            if let Tree::Scalar(scalar) = &mut value {
                scalar.text = placed.as_str().into();
            }
            &placed
        };
        match target {
            Tree::Scalar(_) if made => *target = field_path::untagged(text),
            Tree::Scalar(scalar) => {
                match kept_kind(scalar.kind, scalar.style, text) {
                    Ok(kind) => scalar.kind = kind,
                    Err(_) => *misfits = true,
                }
                scalar.text = text.into();
            }
            _ => *target = value,
        }
        Ok(())
    }
}

impl Resource {
    /// Fails if a replacement has left a scalar that cannot be printed: its text is not what its tag says.
    pub(crate) fn check_fits(&self) -> Result<()> {
        if self.misfits { fits(&self.tree).map_err(refuse) } else { Ok(()) }
    }

    /// As [`Resource::check_fits`], of a finished object: annotations are written anew before it is printed, each as a text.
    pub(crate) fn check_fits_finished(&self) -> Result<()> {
        if !self.misfits {
            return Ok(());
        }
        let mut tree = self.tree.clone();
        let metadata = tree.as_map_mut().and_then(|map| map.get_mut("metadata")).and_then(Tree::as_map_mut);
        if let Some(metadata) = metadata {
            metadata.remove("annotations");
        }
        fits(&tree).map_err(refuse)
    }
}

fn fits(tree: &Tree) -> Result<(), String> {
    match tree {
        Tree::Scalar(scalar) => kept_kind(scalar.kind, scalar.style, &scalar.text).map(drop),
        Tree::List(items) => items.iter().try_for_each(fits),
        Tree::Map(map) => map.iter().try_for_each(|(_, value)| fits(value)),
    }
}

/// What a scalar is after its text alone has changed: what it was, if it can be.
pub(super) fn kept_kind(kind: Kind, style: Style, text: &str) -> Result<Kind, String> {
    if matches!(kind, Kind::Str | Kind::Binary) || style != Style::Plain {
        return Ok(kind);
    }
    match (kind, yaml::kind_of(text)) {
        (kind, new) if kind == new => Ok(kind),
        (Kind::Float, Kind::Int) => Ok(Kind::Float),
        (kind, new) => Err(format!("cannot decode {} `{text}` as a {}", yaml::tag(new), yaml::tag(kind))),
    }
}

fn is_empty(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(_) => tree.is_null(),
        Tree::List(items) => items.is_empty(),
        Tree::Map(map) => map.is_empty(),
    }
}

fn incomplete() -> Box<Diagnostic> {
    refuse("replacements must specify a source and at least one target".to_owned())
}

fn refuse(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("kustomize-replacement", message))
}
