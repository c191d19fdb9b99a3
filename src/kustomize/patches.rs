//! The fields `patches`, `patchesStrategicMerge` and `patchesJson6902`, and the plugins behind them.
//!
//! In: the configuration of one plugin, whose patch may be text or the path of a file. Out: the objects that it means,
//! patched. A strategic merge patch without a `target` finds its object by its own identity; with one, and for JSON patches, the
//! target selects.

use crate::diag::{Diagnostic, Result, SourceText, Warnings, did_you_mean};
use crate::manifest::Origin;
use crate::value::{Map, Tree};

use super::decode;
use super::json6902::JsonPatch;
use super::merge::{self, Fate};
use super::read;
use super::resid::ResId;
use super::resmap::ResMap;
use super::resource::Resource;
use super::selector::Selector;
use super::transformer::{Context, Transformer};

/// `PatchTransformer`: one entry of `patches`.
pub(crate) struct Patch {
    content: Content,
    /// How messages name the patch.
    name: String,
    target: Option<Selector>,
    allow_name_change: bool,
    allow_kind_change: bool,
}

enum Content {
    Merge(Vec<Resource>),
    Json(JsonPatch),
}

impl Patch {
    /// Reads `path` or `patch`, `target` and `options`. Fails with code `kustomize-patch` for a patch that is neither a
    /// strategic merge patch nor a JSON patch.
    pub(crate) fn from_config(config: &Tree, context: &Context<'_>) -> Result<Patch> {
        let (text, path) = (decode::text(config, "patch"), decode::text(config, "path"));
        let text = text.trim();
        let (source, merge) = match (text.is_empty(), path.is_empty()) {
            (true, true) => return Err(refuse("must specify one of patch and path".to_owned())),
            (false, false) => return Err(refuse(format!("patch and path can't be set at the same time: `{path}`"))),
            (false, true) => {
                let source = SourceText::new("inline patch", text);
                let merge = read::resources(&source, &origin(&source), context.profile);
                (source, merge)
            }
            (true, false) => {
                let file = context.loader.file(&path).map_err(|fault| missing(fault, &path))?;
                let merge = read::of_file(&file, &origin(&file.source), context.profile);
                (file.source, merge)
            }
        };
        let known = context.profile.patch_options_are_known();
        let options = config.get("options").and_then(Tree::as_map);
        let allowed = |name: &str| {
            let is = |key: &str| key == name || known && key.eq_ignore_ascii_case(name);
            options.is_some_and(|map| map.iter().any(|(key, value)| is(key) && decode::is_true(value)))
        };
        let name = if path.is_empty() { format!("patch: {}", excerpt(text)) } else { format!("path: `{path}`") };
        Ok(Patch {
            content: content(merge, &source, &name, context)?,
            name,
            target: target(config)?,
            allow_name_change: allowed("allowNameChange"),
            allow_kind_change: allowed("allowKindChange"),
        })
    }

    fn merge_selected(
        &self,
        patches: &[Resource],
        target: &Selector,
        resources: &mut ResMap,
        context: &Context<'_>,
    ) -> Result<()> {
        let [patch] = patches else {
            let message =
                format!("several strategic merge patches in one `patches` entry cannot have a `target`: {}", self.name);
            return Err(Box::new(
                Diagnostic::input("kustomize-patch-target", message).hint("give each patch its own entry of `patches`"),
            ));
        };
        let positions = target.select(resources.as_slice(), context.scopes());
        for &position in &positions {
            let resource = &mut resources.list_mut()[position];
            let mut tree = with_texts(patch, &["labels", "annotations"]);
            // The target says what is meant, so the patch's own version does not.
            if let Some(map) = tree.as_map_mut() {
                map.set("apiVersion", Tree::str(resource.gvk().api_version()));
            }
            self.merge(resource, tree, context)?;
        }
        resources.drop_gone();
        if positions.is_empty() || !self.may_change_id() {
            return Ok(());
        }
        check_ids(resources, context)
    }

    fn merge_named(&self, patch: &Resource, resources: &mut ResMap, context: &Context<'_>) -> Result<()> {
        let id = patch.original_id(context.scopes());
        let position = only_match(resources, &id, context).map_err(|fault| {
            let message = format!("no resource matches strategic merge patch \"{id}\": {fault}");
            Box::new(Diagnostic { message, ..*fault })
        })?;
        let tree = if self.may_change_id() { with_texts(patch, &["annotations"]) } else { patch.tree.clone() };
        self.merge(&mut resources.list_mut()[position], tree, context)
    }

    fn may_change_id(&self) -> bool {
        self.allow_name_change || self.allow_kind_change
    }

    fn merge(&self, resource: &mut Resource, patch: Tree, context: &Context<'_>) -> Result<()> {
        if self.may_change_id() {
            resource.store_previous_id(context.scopes());
        }
        apply_merge(resource, patch, self.allow_name_change, self.allow_kind_change, context)
    }

    fn apply_json(&self, patch: &JsonPatch, resources: &mut ResMap, context: &Context<'_>) -> Result<()> {
        let Some(target) = &self.target else {
            let fault = Diagnostic::input(
                "kustomize-patch-target",
                format!("must specify a target for JSON patch [{}]", self.name),
            );
            return Err(Box::new(fault.hint("add a `target` with the `kind` and `name` to patch")));
        };
        for position in target.select(resources.as_slice(), context.scopes()) {
            let resource = &mut resources.list_mut()[position];
            resource.store_previous_id(context.scopes());
            patch_json(resource, patch, context)?;
        }
        Ok(())
    }
}

impl Transformer for Patch {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        match (&self.content, &self.target) {
            (Content::Merge(patches), Some(target)) => self.merge_selected(patches, target, resources, context),
            (Content::Merge(patches), None) => {
                for patch in patches {
                    self.merge_named(patch, resources, context)?;
                }
                resources.drop_gone();
                Ok(())
            }
            (Content::Json(patch), _) if patch.is_empty() && context.profile.empty_patches_do_nothing() => Ok(()),
            (Content::Json(patch), _) => self.apply_json(patch, resources, context),
        }
    }
}

/// What the text of a patch holds; `merge` is what it comes to as objects. Only without objects is it read as a JSON patch.
fn content(merge: Result<Vec<Resource>>, source: &SourceText, name: &str, context: &Context<'_>) -> Result<Content> {
    let merge = match merge {
        Ok(patches) if !patches.is_empty() => return Ok(Content::Merge(patches)),
        Ok(_) => None,
        Err(fault) => Some(fault),
    };
    match (merge, JsonPatch::read(source)) {
        (None, json) => {
            if context.profile.empty_patches_are_ambiguous() && json.is_ok() && !source.text().is_empty() {
                return Err(refuse(format!("illegally qualifies as both an SM and JSON patch: [{name}]")));
            }
            Ok(Content::Json(json.unwrap_or_default()))
        }
        (Some(_), Ok(patch)) => Ok(Content::Json(patch)),
        (Some(merge), Err(json)) => {
            let is_list = source.text().trim_start().starts_with(['[', '-']);
            let cause = if is_list { json } else { merge };
            let mut fault = Diagnostic::input(
                "kustomize-patch",
                format!("unable to parse SM or JSON patch from [{name}]: {cause}"),
            );
            fault.labels = cause.labels;
            Err(Box::new(
                fault.hint("write an object with `apiVersion`, `kind` and `metadata.name`, or a list of operations"),
            ))
        }
    }
}

/// `PatchStrategicMergeTransformer`: the field `patchesStrategicMerge`.
pub(crate) struct MergePatches {
    patches: Vec<Resource>,
}

impl MergePatches {
    /// Reads `paths`, each the path of a file or a patch itself, and `patches`, a text.
    pub(crate) fn from_config(config: &Tree, context: &Context<'_>) -> Result<MergePatches> {
        let paths = config.get("paths").and_then(Tree::as_list).unwrap_or_default();
        let inline = decode::text(config, "patches");
        if paths.is_empty() && inline.is_empty() {
            return Err(refuse("empty file path and empty patch content".to_owned()));
        }
        let mut patches = Vec::new();
        for path in paths.iter().filter_map(Tree::as_scalar) {
            let itself = SourceText::new("inline patch", path.text.as_str());
            // Only a text of several lines or in braces can be an object; the others need no second reading.
            let found = if let Ok(found) = read::resources(&itself, &origin(&itself), context.profile) { found } else {
                let file = context.loader.file(&path.text)?;
                read::of_file(&file, &origin(&file.source), context.profile)?
            };
            patches.extend(found);
        }
        if !inline.is_empty() {
            let source = SourceText::new("inline patch", inline.as_str());
            patches.extend(read::resources(&source, &origin(&source), context.profile)?);
        }
        if patches.is_empty() {
            return Err(refuse("patch appears to be empty".to_owned()));
        }
        Ok(MergePatches { patches })
    }
}

impl Transformer for MergePatches {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        for patch in &self.patches {
            let id = patch.original_id(context.scopes());
            let position = only_match(resources, &id, context)?;
            apply_merge(&mut resources.list_mut()[position], with_texts(patch, &["labels", "annotations"]), false, false, context)?;
            resources.drop_gone();
        }
        Ok(())
    }
}

/// `PatchJson6902Transformer`: one entry of `patchesJson6902`.
pub(crate) struct JsonPatches {
    patch: JsonPatch,
    target: Selector,
}

impl JsonPatches {
    /// Reads `target`, and `path` or `jsonOp`.
    pub(crate) fn from_config(config: &Tree, context: &Context<'_>) -> Result<JsonPatches> {
        let named = config.get("target").is_some_and(|target| !decode::text(target, "name").is_empty());
        let Some(target) = target(config)?.filter(|_| named) else {
            return Err(refuse("must specify the target name".to_owned()));
        };
        let (path, inline) = (decode::text(config, "path"), decode::text(config, "jsonOp"));
        let source = match (path.is_empty(), inline.is_empty()) {
            (true, true) => return Err(refuse("empty file path and empty jsonOp".to_owned())),
            (false, false) => return Err(refuse("must specify a file path or jsonOp, not both".to_owned())),
            (true, false) => SourceText::new("inline patch", inline.as_str()),
            (false, true) => context.loader.text(&path)?,
        };
        let patch = JsonPatch::read(&source)?;
        if patch.is_empty() {
            return Err(refuse(format!("patch appears to be empty; file={path}, JsonOp={inline}")));
        }
        Ok(JsonPatches { patch, target })
    }
}

impl Transformer for JsonPatches {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        for position in self.target.select(resources.as_slice(), context.scopes()) {
            patch_json(&mut resources.list_mut()[position], &self.patch, context)?;
        }
        Ok(())
    }
}

/// A patch whose labels or annotations are texts: both where kustomize copies a patch for its targets, the latter where it notes what
/// the patch may change. Null becomes `"null"`, and an empty map goes.
fn with_texts(patch: &Resource, maps: &[&str]) -> Tree {
    let mut copy = patch.clone();
    for map in maps {
        if patch.tree.at(&["metadata", map]).is_some() {
            copy.set_meta_map(map, patch.meta_map(map));
        }
    }
    copy.tree
}

/// Merges a patch into an object, which keeps its name, kind and namespace unless told otherwise.
fn apply_merge(
    resource: &mut Resource,
    patch: Tree,
    name_may_change: bool,
    kind_may_change: bool,
    context: &Context<'_>,
) -> Result<()> {
    let (name, namespace, kind) = (resource.name(), resource.namespace(), resource.kind());
    let shows_notes = touches_annotations_whole(&patch);
    if shows_notes {
        resource.reveal_notes();
    }
    let merged = resource.changing(|tree| merge::merge(tree, patch, context.schema));
    let fate = merged.map_err(|fault| about(*fault, resource))?;
    if fate == Fate::Deleted || resource.is_gone() {
        resource.tree = Tree::null();
        return Ok(());
    }
    if !kind_may_change {
        resource.set_kind(&kind);
    }
    if !name_may_change {
        resource.set_name(&name);
    }
    resource.set_namespace(&namespace);
    if shows_notes {
        resource.absorb_notes();
    }
    Ok(())
}

/// True if a patch replaces or deletes the annotations, among which kustomize keeps its notes.
fn touches_annotations_whole(patch: &Tree) -> bool {
    let whole = |tree: &Tree| tree.as_map().is_none_or(|map| map.contains("$patch"));
    let Some(metadata) = patch.get("metadata") else { return false };
    whole(metadata) || metadata.get("annotations").is_some_and(whole)
}

/// Applies a JSON patch, which sees kustomize's notes among the annotations but cannot take them away, and leaves annotations
/// as texts.
fn patch_json(resource: &mut Resource, patch: &JsonPatch, _context: &Context<'_>) -> Result<()> {
    resource.check_fits().map_err(|fault| about(*fault, resource))?;
    resource.twins.clear();
    resource.reveal_notes();
    let notes = resource.shown_notes();
    patch.apply(&mut resource.tree).map_err(|fault| about(*fault, resource))?;
    let mut annotations = resource.meta_map("annotations");
    annotations.retain(|(key, _)| !notes.iter().any(|(note, _)| note == key));
    annotations.extend(notes);
    if !annotations.is_empty() || resource.tree.at(&["metadata", "annotations"]).is_some() {
        resource.set_meta_map("annotations", annotations);
    } else if resource.tree.get("metadata").is_none() {
        resource.tree.as_map_mut().map(|map: &mut Map| map.set("metadata", Tree::empty_map()));
    }
    resource.absorb_notes();
    Ok(())
}

/// The one object that has an identity, now or before.
fn only_match(resources: &ResMap, id: &ResId, context: &Context<'_>) -> Result<usize> {
    let named = |resource: &Resource| {
        !resource.is_gone()
            && (resource.name() == id.name || resource.previous.iter().any(|previous| previous.name == id.name))
    };
    let has = |resource: &Resource| {
        resource.previous_ids().any(|own| own.equals(id)) || resource.current_id(context.scopes()).equals(id)
    };
    let mut found = resources.iter().enumerate().filter(|(_, resource)| named(resource) && has(resource));
    let first = found.next();
    let why = match (first, found.next()) {
        (Some((position, _)), None) => return Ok(position),
        (Some(_), Some(_)) => "multiple matches for",
        (None, _) => "no matches for",
    };
    let message = format!("{why} Id {id}; failed to find unique target for patch {id}");
    let fault = Diagnostic::input("kustomize-patch-target", message);
    Err(Box::new(match near(resources, id, context) {
        Some(near) => fault.hint(format!("patch `{near}` instead, or give the entry a `target`")),
        None => fault.hint("name an object that the kustomization has at that point, or give the entry a `target`"),
    }))
}

/// The identity that was perhaps meant: the same name, else a name of the same kind that is nearly the same.
fn near(resources: &ResMap, id: &ResId, context: &Context<'_>) -> Option<ResId> {
    let ids: Vec<ResId> = resources.iter().map(|resource| resource.current_id(context.scopes())).collect();
    if let Some(same) = ids.iter().find(|other| other.name == id.name) {
        return Some(same.clone()).filter(|same| !same.equals(id));
    }
    let names = ids.iter().filter(|other| other.gvk.kind == id.gvk.kind).map(|other| other.name.as_str());
    let name = did_you_mean(&id.name, names)?;
    ids.iter().find(|other| other.name == name && other.gvk.kind == id.gvk.kind).cloned()
}

fn check_ids(resources: &mut ResMap, context: &Context<'_>) -> Result<()> {
    let list = std::mem::take(resources).into_list();
    list.into_iter().try_for_each(|resource| resources.append(resource, context.scopes()))
}

fn target(config: &Tree) -> Result<Option<Selector>> {
    config.get("target").filter(|target| !target.is_null()).map(Selector::read).transpose()
}

fn origin(source: &SourceText) -> Origin {
    Origin { file: source.name().into(), ..Origin::default() }
}

/// The beginning of an inline patch, for messages.
fn excerpt(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    let more = if text.chars().nth(SHOWN_CHARS).is_some() { "…" } else { "" };
    format!("{shown:?}{more}")
}

fn about(fault: Diagnostic, resource: &Resource) -> Box<Diagnostic> {
    let what = format!("patching {} `{}` of `{}`", resource.kind(), resource.name(), resource.origin.file);
    Box::new(fault.trail(what, None))
}

fn missing(fault: Box<Diagnostic>, path: &str) -> Box<Diagnostic> {
    let message = format!("failed to get the patch file from path({path}): {fault}");
    Box::new(Diagnostic { message, ..*fault })
}

fn refuse(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("kustomize-patch", message))
}
