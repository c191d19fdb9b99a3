//! A build from its root to the finished set.

use std::sync::Arc;

use super::accumulator::Accumulator;
use super::helm::{HelmOptions, Inflate};
use super::kustomization::Kustomization;
use super::loader::{LoadRestrictions, Loader};
use super::metadata::Entries;
use super::fieldspec::FieldSpec;
use super::hash::HashSuffix;
use super::nameref;
use super::remote::Remotes;
use super::origin;
use super::resid::Gvk;
use super::resmap::ResMap;
use super::resource::{BuildOrigin, Resource};
use super::shared::Shared;
use super::sort;
use super::target::{Build, Target};
use super::transformer::Transformer;
use crate::compat::{Kustomize, Profile};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::manifest::{Object, Set};
use crate::schema::Schema;
use crate::source::{self, Source};

/// What a caller may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whose behaviour to follow.
    pub profile: Profile,
    /// Which files may be read.
    pub restrictions: LoadRestrictions,
    /// What is said about charts.
    pub helm: HelmOptions,
    /// Adds the label that says that kustomize manages the objects.
    pub managed_by_label: bool,
    /// Keeps the order of accumulation where `sortOptions` say nothing.
    pub fifo: bool,
    /// What has been brought from elsewhere.
    pub remotes: Remotes,
    /// The repository that the folder built came from, if it did: its top folder, and the URL that named it.
    pub repository: Option<(String, String)>,
}

/// The finished objects, with what was worth saying.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// The objects, in the order to print.
    pub set: Set,
    /// Deprecations and the like.
    pub warnings: Warnings,
}

/// Builds the kustomization in the folder `root` (absolute, in `source`); charts are rendered by `inflate`, and what is in
/// `shared`, made for the same profile, is not read again.
///
/// Fails with the fault of the first thing that is wrong; its trail names the kustomizations that led there.
pub fn build(source: &dyn Source, root: &str, options: &Options, shared: &Shared, inflate: &Inflate<'_>) -> Result<Built> {
    let shown_from = source.real_path(&source::clean(root))?;
    let loader = Loader::new(source, root, options.restrictions, &shown_from, &options.remotes, shared)?;
    let loader = loader.within(options.repository.clone());
    let mut build = Build {
        profile: options.profile,
        schema: Arc::clone(&shared.schema),
        schema_set: false,
        builtin: Arc::clone(&shared.tables),
        helm: &options.helm,
        remotes: &options.remotes,
        inflate,
        warnings: Warnings::new(),
        included: 0,
    };
    let kustomization = Kustomization::load(&loader, &mut build.warnings)?;
    let metadata = kustomization.texts("buildMetadata");
    let mut target = Target {
        origin: (!metadata.is_empty()).then(BuildOrigin::default),
        kustomization,
        loader: &loader,
        bases: Vec::new(),
        chart_namespace: crate::value::Text::default(),
    };
    build.take_schema(&target)?;
    let mut gathered = build.accumulate(&mut target, Accumulator::default())?;
    let schema = Arc::clone(&build.schema);
    let context = build.context(&target, &schema);
    let mut warnings = Warnings::new();
    HashSuffix.transform(&mut gathered.resources, &context, &mut warnings)?;
    nameref::fix(&mut gathered.resources, &gathered.config, &context)?;
    gathered.vars.resolve(&mut gathered.resources, &gathered.config, &mut warnings)?;
    let mut resources = gathered.resources;
    resources.iter().try_for_each(|resource| check_named(resource).and_then(|()| resource.check_fits_finished()))?;
    drop_local(&mut resources);
    refuse_duplicates(&resources, &schema)?;
    sort::sort(&mut resources, &target.kustomization.field("sortOptions"), options.fifo, &context)?;
    if options.managed_by_label || metadata.iter().any(|option| option == "managedByLabel") {
        managed_by(options.profile).transform(&mut resources, &context, &mut warnings)?;
    }
    let has = |name: &str| metadata.iter().any(|option| option == name);
    let (origins, transformations) = (has("originAnnotations"), has("transformerAnnotations"));
    let finish = |mut resource: Resource| {
        origin::finish(&mut resource, origins, transformations);
        Object::new(resource.tree, resource.origin)
    };
    let objects = resources.into_list().into_iter().map(finish).collect();
    build.warnings.extend(warnings);
    Ok(Built { set: Set { objects }, warnings: build.warnings })
}

/// Refuses what a patch or replacement has left without a kind or name.
fn check_named(resource: &Resource) -> Result<()> {
    let kind = resource.tree.get("kind").filter(|kind| !kind.is_null()).and_then(crate::value::Tree::as_scalar);
    let missing = match kind {
        None => "kind",
        Some(kind) if !kind.text.ends_with("List") && resource.name().is_empty() => "metadata.name",
        Some(_) => return Ok(()),
    };
    let message = format!("missing `{missing}` in the object that was {} `{}`", resource.kind(), resource.name());
    let file = &resource.origin.file;
    Err(Box::new(Diagnostic::input("kustomize-no-object", message).trail(format!("object from `{file}`"), None)))
}

/// Drops objects that are configuration for kustomize only.
fn drop_local(resources: &mut ResMap) {
    let is_local = |resource: &Resource| {
        let mark = resource.meta_entry("annotations", "config.kubernetes.io/local-config");
        mark.is_some_and(|mark| mark != "false")
    };
    resources.list_mut().retain(|resource| !is_local(resource));
}

fn refuse_duplicates(resources: &ResMap, schema: &Schema) -> Result<()> {
    let mut seen = rustc_hash::FxHashSet::default();
    for resource in resources.iter() {
        let id = resource.current_id(schema);
        if !seen.insert(id.key()) {
            let message = format!("may not add resource with an already registered id: {id}");
            return Err(Box::new(Diagnostic::input("kustomize-duplicate-id", message)));
        }
    }
    Ok(())
}

fn managed_by(profile: Profile) -> Entries {
    let version = match profile.kustomize {
        // What kubectl 1.31 says, whose kustomize this profile is recorded from.
        Kustomize::V5_4 => "kustomize-(devel)",
        Kustomize::V5_7 => "kustomize-v5.7.1",
        Kustomize::V5_8 => "kustomize-v5.8.1",
    };
    Entries {
        pairs: vec![("app.kubernetes.io/managed-by".into(), version.into())],
        specs: vec![FieldSpec::new(Gvk::default(), "metadata/labels", true)],
    }
}

