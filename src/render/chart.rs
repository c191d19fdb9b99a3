//! Charts: rendered by themselves, or for a kustomization that asks.

use std::cell::RefCell;
use std::sync::Arc;

use super::pool::Pool;
use super::{Ambient, Options};
use crate::diag::{Result, SourceText, Warnings};
use crate::helm::{self, Chart, KubeVersion, Print, ReleaseOptions, UserValues};
use crate::kustomize::ChartRequest;
use crate::manifest::{Origin, Set};
use crate::source::Source;
use crate::value::Text;

/// Renders a chart into objects, hooks included as `helm template` prints them.
pub(super) fn whole(
    pool: &Pool<'_>,
    source: &dyn Source,
    path: &str,
    options: &Options,
    ambient: &mut dyn Ambient,
) -> Result<(Set, Warnings)> {
    let chart = pool.chart(path, source)?;
    let release = release(pool, &chart, options);
    let rendered = helm::render(&chart, &release, &UserValues::default(), ambient)?;
    let mut set = Set::default();
    for document in rendered.placed(&Print { include_crds: true, ..Print::default() })? {
        let mut objects = Set::parse(&SourceText::new(document.path, document.text))?.objects;
        for object in &mut objects {
            object.origin = Arc::new(Origin { chart: Text::new(&rendered.chart), ..(*object.origin).clone() });
        }
        set.objects.extend(objects);
    }
    Ok((set, rendered.warnings))
}

/// The release that a chart by itself is rendered as.
pub(super) fn release(pool: &Pool<'_>, chart: &Chart, options: &Options) -> ReleaseOptions {
    let mut release = ReleaseOptions {
        profile: options.profile,
        one_thread: pool.one_thread,
        last: pool.last,
        ..ReleaseOptions::default()
    };
    release.name = options.release.clone().unwrap_or_else(|| chart.metadata.name.clone());
    release.namespace = options.namespace.clone().unwrap_or(release.namespace);
    release
}

/// Renders charts for one kustomization.
pub(super) struct Inflater<'a> {
    pool: &'a Pool<'a>,
    source: &'a dyn Source,
    ambient: RefCell<&'a mut dyn Ambient>,
    warnings: RefCell<Warnings>,
}

impl<'a> Inflater<'a> {
    pub(super) fn new(
        pool: &'a Pool<'a>,
        source: &'a dyn Source,
        ambient: RefCell<&'a mut dyn Ambient>,
    ) -> Inflater<'a> {
        Inflater { pool, source, ambient, warnings: RefCell::default() }
    }

    pub(super) fn into_warnings(self) -> Warnings {
        self.warnings.into_inner()
    }

    /// The text that `helm template` prints for a request.
    pub(super) fn inflate(&self, request: &ChartRequest) -> Result<String> {
        let mut ambient = self.ambient.borrow_mut();
        let (chart, options, values) = self.asked(request, &mut **ambient)?;
        let release = helm::render(&chart, &options, &values, &mut **ambient)?;
        let print = Print {
            include_crds: request.include_crds,
            no_hooks: request.no_hooks,
            skip_tests: request.skip_tests,
            ..Print::default()
        };
        let text = release.print(&print)?;
        self.warnings.borrow_mut().extend(release.warnings);
        Ok(text)
    }

    /// What of a request's chart printed some fields.
    pub(super) fn printers(
        &self,
        request: &ChartRequest,
        wanted: &[helm::Wanted<'_>],
    ) -> Result<Vec<Option<helm::Printer>>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut ambient = self.ambient.borrow_mut();
        let (chart, options, values) = self.asked(request, &mut **ambient)?;
        Ok(helm::printers(&chart, &options, &values, &mut **ambient, wanted))
    }

    /// A request as Helm understands it.
    fn asked(
        &self,
        request: &ChartRequest,
        ambient: &mut dyn Ambient,
    ) -> Result<(Arc<Chart>, ReleaseOptions, UserValues<'static>)> {
        let (chart, profile) = (self.pool.chart(&request.chart, self.source)?, self.pool.profile());
        let version = Some(&request.kube_version).filter(|text| !text.is_empty());
        let name = match (request.name_template.as_str(), request.release_name.as_str()) {
            // kustomize asks for a generated name, which `helm template` does not give
            ("", "") => helm::NAME_UNSAID.to_owned(),
            ("", name) => name.to_owned(),
            (template, _) => helm::templated_name(template, ambient)?,
        };
        let options = ReleaseOptions {
            name,
            namespace: if request.namespace.is_empty() { "default".to_owned() } else { request.namespace.to_string() },
            kube_version: version.map(|text| KubeVersion::parse(text, profile)).transpose()?,
            api_versions: request.api_versions.iter().map(Text::to_string).collect(),
            profile,
            one_thread: self.pool.one_thread,
            last: self.pool.last,
            ..ReleaseOptions::default()
        };
        let values = UserValues { files: request.values.clone(), ..UserValues::default() };
        Ok((chart, options, values))
    }
}
