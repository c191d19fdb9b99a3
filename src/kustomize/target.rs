//! One kustomization after the other: resources, generators, components, transformers, validators, in kustomize's order.

use std::sync::Arc;

use super::accumulator::Accumulator;
use super::config::{self, Config};
use super::crds;
use super::decode;
use super::helm::{self, HelmOptions, Inflate};
use super::kustomization::{Kustomization, Role};
use super::loader::Loader;
use super::plugins;
use super::read;
use super::remote::{Found, Remotes};
use super::repo_spec::RepoSpec;
use super::resmap::ResMap;
use super::resource::{BuildOrigin, Resource};
use super::steps::{self, Configured};
use super::transformer::Context;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Warnings};
use crate::manifest::Origin;
use crate::schema::{Definitions, Schema};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// How deep kustomizations may include one another.
pub(crate) const MAX_DEPTH: usize = 200;

/// How many kustomizations a build may include in all, one that is reached twice counting twice: a few that each include two
/// others would otherwise double at every level.
const INCLUDED_MAX: usize = 10_000;

/// What the whole build shares.
pub(crate) struct Build<'a> {
    /// Whose behaviour to follow.
    pub(crate) profile: Profile,
    /// Kubernetes facts in use; the first `openapi` field met sets them for good.
    pub(crate) schema: Arc<Schema>,
    /// True once an `openapi` field set them.
    pub(crate) schema_set: bool,
    /// The builtin field specifications.
    pub(crate) builtin: Arc<Config>,
    /// What the command line says about charts.
    pub(crate) helm: &'a HelmOptions,
    /// What has been brought from elsewhere.
    pub(crate) remotes: &'a Remotes,
    /// Renders charts.
    pub(crate) inflate: &'a Inflate<'a>,
    /// Gathered along the way.
    pub(crate) warnings: Warnings,
    /// Kustomizations included so far.
    pub(crate) included: usize,
}

/// One kustomization under way.
pub(crate) struct Target<'l> {
    /// What it says.
    pub(crate) kustomization: Kustomization,
    /// Reads its files.
    pub(crate) loader: &'l Loader<'l>,
    /// Where it is, for `buildMetadata`; nothing unless the root asks for that.
    pub(crate) origin: Option<BuildOrigin>,
    /// The kustomizations that led here, outermost first.
    pub(crate) bases: Vec<Text>,
    /// The namespace that an overlay has for charts here.
    pub(crate) chart_namespace: Text,
}

impl Target<'_> {
    fn origin(&self, file: String) -> Origin {
        Origin { file: file.into(), bases: self.bases.clone(), ..Origin::default() }
    }

    fn here(&self) -> Origin {
        self.origin(self.kustomization.source.name().to_owned())
    }

    /// The origin of what a field of this kustomization makes or changes.
    pub(crate) fn origin_of_field(&self, plugin: &str) -> Option<Arc<BuildOrigin>> {
        let origin = self.origin.as_ref()?;
        Some(Arc::new(origin.of_field(self.kustomization.file_name, plugin)))
    }
}

impl Build<'_> {
    /// What a step of `target` may use. The schema is handed in so that the build itself stays free to change.
    pub(crate) fn context<'c>(&self, target: &'c Target<'_>, schema: &'c Schema) -> Context<'c> {
        Context { loader: target.loader, schema, profile: self.profile }
    }

    /// Takes the schema that the kustomization names, unless one was named before.
    pub(crate) fn take_schema(&mut self, target: &Target<'_>) -> Result<()> {
        let field = target.kustomization.field("openapi");
        let (path, version) = (decode::text(&field, "path"), decode::text(&field, "version"));
        let source = if field.get("path").is_some() { Some(target.loader.text(&path)?) } else { None };
        if self.schema_set {
            return Ok(());
        }
        if let Some(source) = source {
            if field.get("version").is_some() {
                let message = "`openapi` has both a version and a path";
                return Err(Box::new(Diagnostic::input("kustomize-openapi", message)));
            }
            let definitions = Definitions::read(yaml::parse(&source, Dialect::V2)?)?;
            self.schema = Arc::new(Schema::with_definitions(definitions));
            self.schema_set = true;
        } else if !version.is_empty() {
            if version != "v1.21.2" && version != "v1_21_2" {
                let message = format!("OpenAPI version `{version}` is not built in");
                return Err(Box::new(Diagnostic::input("kustomize-openapi", message).hint("use `v1.21.2`")));
            }
            self.schema_set = true;
        }
        Ok(())
    }

    /// Adds to `gathered` what a kustomization says. A component works on what its includer gathered.
    pub(crate) fn accumulate(&mut self, target: &mut Target<'_>, mut gathered: Accumulator) -> Result<Accumulator> {
        let resources = target.kustomization.texts("resources");
        self.accumulate_resources(target, &mut gathered, &resources)?;
        let files = target.kustomization.texts("configurations");
        let own = config::with_files(&self.builtin, target.loader, &files)?;
        gathered.config = config::merged(&gathered.config, &own)?;
        let crds = target.kustomization.texts("crds");
        if !crds.is_empty() {
            let crds = Arc::new(crds::config(target.loader, &crds)?);
            gathered.config = config::merged(&gathered.config, &crds)?;
        }
        self.generate(target, &mut gathered)?;
        for path in target.kustomization.texts("components") {
            gathered = self.include(target, gathered, &path, Role::Component)?;
        }
        let steps = self.configure(target, &gathered.config)?;
        self.run(target, &mut gathered.resources, &steps)?;
        self.validate(target, &mut gathered.resources)?;
        gathered.vars.gather(target.kustomization.items("vars"), &mut gathered.resources, &*self.schema)?;
        Ok(gathered)
    }

    /// Adds files and folders that are listed under a field.
    fn accumulate_resources(&mut self, target: &mut Target<'_>, gathered: &mut Accumulator, paths: &[Text]) -> Result<()> {
        for path in paths {
            match target.loader.resource(path)? {
                Found::File(place) => self.accumulate_file(target, gathered, path, &place)?,
                Found::Folder if target.loader.kind(path).is_some() || RepoSpec::parse(path).is_some() => {
                    let before = std::mem::take(gathered);
                    *gathered = self.include(target, before, path, Role::Kustomization)?;
                }
                Found::Folder => return Err(missing(target, path)),
            }
        }
        Ok(())
    }

    fn accumulate_file(&mut self, target: &Target<'_>, gathered: &mut Accumulator, path: &str, place: &str) -> Result<()> {
        let file = target.loader.found_file(path, place)?;
        let origin = target.origin(file.source.name().to_owned());
        let build_origin = target.origin.as_ref().map(|origin| Arc::new(origin.join(path)));
        for mut resource in read::of_file(&file, &origin, self.profile)? {
            resource.build_origin.clone_from(&build_origin);
            gathered.resources.append(resource, &*self.schema)?;
        }
        Ok(())
    }

    /// Adds a folder with a kustomization of its own.
    fn include(&mut self, target: &Target<'_>, mut gathered: Accumulator, path: &str, role: Role) -> Result<Accumulator> {
        if target.bases.len() >= MAX_DEPTH {
            let message = format!("kustomizations include one another more than {MAX_DEPTH} deep");
            return Err(Box::new(Diagnostic::input("kustomize-depth", message)));
        }
        self.included += 1;
        if self.included > INCLUDED_MAX {
            let message = format!("the build includes more than {INCLUDED_MAX} kustomizations");
            let fault = Diagnostic::input("kustomize-included", message);
            return Err(Box::new(fault.hint("include each base once: two overlays of one base double whatever is below")));
        }
        let inner = target.loader.base(path)?;
        let shown = inner.shown(inner.root());
        let trail = |fault: Box<Diagnostic>| {
            let what = format!("in `{shown}`, included by `{}`", target.kustomization.source.name());
            Box::new(fault.trail(what, None))
        };
        let kustomization = Kustomization::load(&inner, &mut self.warnings).map_err(trail)?;
        if kustomization.role != role {
            let (is, field) = match role {
                Role::Component => ("Kustomization", "resources"),
                Role::Kustomization => ("Component", "components"),
            };
            let message = format!("`{shown}` is of kind {is}, which is not expected here");
            let fault = Diagnostic::input("kustomize-kind", message).hint(format!("list it under `{field}:`"));
            return Err(trail(Box::new(fault)));
        }
        let mut bases = target.bases.clone();
        bases.push(shown.as_str().into());
        let namespace = target.kustomization.text("namespace");
        let mut sub = Target {
            kustomization,
            loader: &inner,
            origin: target.origin.as_ref().map(|origin| origin.join(path)),
            bases,
            chart_namespace: if namespace.is_empty() { target.chart_namespace.clone() } else { namespace },
        };
        self.take_schema(&sub).map_err(trail)?;
        if role == Role::Component {
            return self.accumulate(&mut sub, gathered).map_err(trail);
        }
        let made = self.accumulate(&mut sub, Accumulator::default()).map_err(trail)?;
        gathered.merge(made, &*self.schema).map_err(trail)?;
        Ok(gathered)
    }

    fn generate(&mut self, target: &mut Target<'_>, gathered: &mut Accumulator) -> Result<()> {
        let plugins = self.plugin_files(target, "generators")?;
        let schema = Arc::clone(&self.schema);
        let mut made: Vec<Resource> = Vec::new();
        let context = self.context(target, &schema);
        steps::field_generators(target, &context, &mut made)?;
        for (index, chart) in target.kustomization.items("helmCharts").iter().enumerate() {
            helm::check_fields(chart, &target.kustomization, self.profile)?;
            let globals = target.kustomization.field("helmGlobals");
            let origin = target.origin_of_field("HelmChartInflationGenerator");
            let inflated = self.inflate(target, &context, chart, &globals, origin.as_ref(), &mut made);
            inflated.map_err(|fault| {
                let place = format!("in `helmCharts[{index}]` of `{}`", target.kustomization.source.name());
                Box::new(fault.trail(place, None))
            })?;
        }
        for plugin in plugins.iter() {
            let (kind, config) = plugins::builtin(plugin)?;
            let origin = plugin.build_origin.as_ref().map(|origin| Arc::new(origin.of_plugin(plugin)));
            if kind == "HelmChartInflationGenerator" {
                self.inflate(target, &context, &config, &config, origin.as_ref(), &mut made)?;
            } else if let Some(mut one) = plugins::generated(&kind, &config, &context, Arc::clone(&plugin.origin))? {
                one.build_origin = origin;
                made.push(one);
            } else {
                let message = format!("plugin `{kind}` is no builtin generator");
                return Err(Box::new(Diagnostic::input("kustomize-plugin-unknown", message)));
            }
        }
        made.into_iter().try_for_each(|one| {
            let file = one.origin.file.clone();
            let absorbed = gathered.resources.absorb(one, &*schema);
            absorbed.map_err(|fault| Box::new(fault.trail(format!("in a generator of `{file}`"), None)))
        })
    }

    fn inflate(
        &self,
        target: &Target<'_>,
        context: &Context<'_>,
        chart: &Tree,
        globals: &Tree,
        origin: Option<&Arc<BuildOrigin>>,
        made: &mut Vec<Resource>,
    ) -> Result<()> {
        let namespace = match target.kustomization.text("namespace") {
            _ if !self.profile.charts_get_the_namespace() => Text::default(),
            own if own.is_empty() => target.chart_namespace.clone(),
            own => own,
        };
        let request = helm::request(chart, globals, &namespace, context, self.helm, self.remotes)?;
        let text = (self.inflate)(&request)?;
        let chart_origin = Origin { chart: request.shown_name.as_str().into(), ..target.here() };
        let source = SourceText::new(format!("chart {}", request.shown_name), text);
        let mut templates = helm::Templates::of(source.text());
        for mut resource in read::resources(&source, &chart_origin, self.profile)? {
            if let Some(template) = templates.at(resource.origin.line) {
                resource.origin = Arc::new(Origin { file: template.into(), line: 0, ..(*resource.origin).clone() });
            }
            resource.from_chart = true;
            resource.build_origin = origin.cloned();
            made.push(resource);
        }
        Ok(())
    }

    /// The steps of a kustomization: those of its fields, then those of plugins.
    fn configure(&mut self, target: &mut Target<'_>, config: &Config) -> Result<Vec<Configured>> {
        let schema = Arc::clone(&self.schema);
        let mut steps = steps::field_transformers(target, config, &self.context(target, &schema))?;
        steps.extend(self.plugin_steps(target, "transformers")?);
        Ok(steps)
    }

    fn plugin_steps(&mut self, target: &mut Target<'_>, field: &str) -> Result<Vec<Configured>> {
        let plugins = self.plugin_files(target, field)?;
        let schema = Arc::clone(&self.schema);
        let context = self.context(target, &schema);
        let mut configured = Vec::new();
        for plugin in plugins.iter() {
            let (kind, config) = plugins::builtin(plugin)?;
            let origin = plugin.build_origin.as_ref().map(|origin| Arc::new(origin.of_plugin(plugin)));
            let steps = plugins::transformers(&kind, &config, &context).map_err(|fault| {
                Box::new(fault.trail(format!("in {kind} `{}` of `{}`", plugin.name(), plugin.origin.file), None))
            })?;
            let place = format!("{kind} `{}` of `{}`", plugin.name(), plugin.origin.file);
            configured.push(Configured { steps, origin, place });
        }
        Ok(configured)
    }

    /// The plugin objects that a field lists: inline, in files, or in folders with kustomizations.
    fn plugin_files(&mut self, target: &mut Target<'_>, field: &str) -> Result<ResMap> {
        let mut gathered = Accumulator::default();
        let mut paths = Vec::new();
        for entry in target.kustomization.texts(field) {
            let source = SourceText::new(format!("{} ({field})", target.kustomization.source.name()), entry.as_str());
            let Ok(inline) = read::resources(&source, &target.here(), self.profile) else {
                paths.push(entry);
                continue;
            };
            let file_name = target.kustomization.file_name;
            let build_origin = target.origin.as_ref().map(|origin| Arc::new(origin.join(file_name)));
            for mut resource in inline {
                resource.build_origin.clone_from(&build_origin);
                gathered.resources.append(resource, &*self.schema)?;
            }
        }
        self.accumulate_resources(target, &mut gathered, &paths)?;
        Ok(gathered.resources)
    }

    /// Runs steps one after the other.
    fn run(&mut self, target: &Target<'_>, resources: &mut ResMap, steps: &[Configured]) -> Result<()> {
        let schema = Arc::clone(&self.schema);
        let Build { profile, ref mut warnings, .. } = *self;
        let context = Context { loader: target.loader, schema: &schema, profile };
        for configured in steps {
            for step in &configured.steps {
                let done = step.transform(resources, &context, warnings);
                done.map_err(|fault| Box::new(fault.trail(format!("in {}", configured.place), None)))?;
            }
            if let Some(origin) = &configured.origin {
                for resource in resources.iter_mut() {
                    match resource.build_origin {
                        None => resource.build_origin = Some(Arc::clone(origin)),
                        Some(_) => resource.transformations.push(Arc::clone(origin)),
                    }
                }
            }
            resources.drop_gone();
        }
        Ok(())
    }

    /// Runs validators, which may change nothing but the label that says that they ran.
    fn validate(&mut self, target: &mut Target<'_>, resources: &mut ResMap) -> Result<()> {
        for validator in self.plugin_steps(target, "validators")? {
            let before = resources.clone();
            self.run(target, resources, std::slice::from_ref(&Configured { origin: None, ..validator }))?;
            let same = |(one, other): (&Resource, &Resource)| {
                one.tree == without_mark(&other.tree) && one.previous == other.previous
            };
            if before.len() != resources.len() || !before.iter().zip(resources.iter()).all(same) {
                let message = "a validator must not modify objects";
                return Err(Box::new(Diagnostic::input("kustomize-validator", message)));
            }
        }
        Ok(())
    }
}

/// The object without the label that a validator leaves.
fn without_mark(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    let marked = tree.at(&["metadata", "labels", "validated-by"]).is_some();
    if let Some(metadata) = tree.as_map_mut().filter(|_| marked).and_then(|map| map.get_mut("metadata"))
        && let Some(labels) = metadata.as_map_mut().and_then(|map| map.get_mut("labels")).and_then(Tree::as_map_mut) {
            labels.remove("validated-by");
        }
    tree
}

fn missing(target: &Target<'_>, path: &str) -> Box<Diagnostic> {
    let name = target.kustomization.source.name();
    let message = format!("`{path}`, which `{name}` lists, does not exist");
    let fault = Diagnostic::input("source-missing", message);
    Box::new(match target.kustomization.source.text().find(path) {
        Some(at) => {
            fault.at(&target.kustomization.source, crate::diag::Span::new(at, at + path.len()), "no file or folder here")
        }
        None => fault,
    })
}
