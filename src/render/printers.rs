//! Which lines of templates printed fields of objects, wherever on the way of a render their charts stand.
//!
//! In: what was rendered, and fields of its objects. Out: for each what [`helm::printers`] found; nothing for fields of objects
//! that no chart printed. The render runs once more.

use std::cell::RefCell;

use super::chart::{self, Inflater};
use super::pool::Pool;
use super::{Ambient, Kind, Options, kind};
use crate::diag::Result;
use crate::helm;
use crate::kustomize::{self, ChartRequest};
use crate::manifest::{ObjectId, Origin};
use crate::source::Source;
use crate::value::Tree;

pub use crate::helm::{Printer, Way};

/// A field of a rendered object.
#[derive(Clone, Copy)]
pub struct Printed<'p> {
    /// The object.
    pub id: &'p ObjectId,
    /// Where it came from.
    pub origin: &'p Origin,
    /// The way to the field in the object as its chart printed it.
    pub way: &'p dyn Fn(&Tree) -> Way,
}

impl<'p> Printed<'p> {
    fn wanted(&self) -> helm::Wanted<'p> {
        helm::Wanted { template: &self.origin.file, kind: &self.id.kind, name: &self.id.name, way: self.way }
    }
}

/// What printed each field.
pub fn printers(
    source: &dyn Source,
    path: &str,
    options: &Options,
    ambient: &mut dyn Ambient,
    fields: &[Printed<'_>],
) -> Result<Vec<Option<Printer>>> {
    let pool = Pool::new(source, options.profile);
    let found = RefCell::new(vec![None; fields.len()]);
    match kind(source, path)? {
        Kind::Chart => {
            let chart = pool.chart(path, source)?;
            let wanted: Vec<_> = fields.iter().map(Printed::wanted).collect();
            let (release, values) = (chart::release(&pool, &chart, options), helm::UserValues::default());
            return Ok(helm::printers(&chart, &release, &values, ambient, &wanted));
        }
        Kind::Kustomization => {
            let inflater = Inflater::new(&pool, source, RefCell::new(ambient));
            let inflate = |request: &ChartRequest| {
                // a chart may be there twice, as two releases: each field is one's
                let open = |at: &usize| {
                    fields[*at].origin.chart == request.shown_name.as_str() && found.borrow()[*at].is_none()
                };
                let open: Vec<usize> = (0..fields.len()).filter(open).collect();
                let wanted: Vec<_> = open.iter().map(|at| fields[*at].wanted()).collect();
                for (at, printer) in open.into_iter().zip(inflater.printers(request, &wanted)?) {
                    found.borrow_mut()[at] = printer;
                }
                inflater.inflate(request)
            };
            kustomize::build(source, path, &options.kustomize, &pool.parsed, &inflate)?;
        }
        Kind::Folder | Kind::File => {}
    }
    Ok(found.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::Profile;
    use crate::render::tests::Nowhere;
    use crate::source::Memory;

    const TEMPLATE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}-web\n  labels:\n    {{- toYaml .Values.labels | nindent 4 }}\nspec:\n  ports:\n  {{- range .Values.ports }}\n  - port: {{ .port }}\n    name: {{ .name }}\n  {{- end }}\n";

    fn files() -> Memory {
        let mut files = Memory::new();
        files.insert("/w/kustomization.yaml", *b"namePrefix: p-\nhelmCharts: [{name: web, releaseName: a}, {name: web, releaseName: bb, valuesInline: {ports: [{port: 1, name: x}]}}]\n");
        files.insert("/w/charts/web/Chart.yaml", *b"apiVersion: v2\nname: web\nversion: 1.0.0\n");
        files.insert(
            "/w/charts/web/values.yaml",
            *b"labels: {a: b}\nports: [{port: 80, name: http}, {port: 90, name: more}]\n",
        );
        files.insert("/w/charts/web/templates/service.yaml", TEMPLATE.as_bytes());
        files
    }

    fn at<'t>(tree: &'t Tree, way: &[&str]) -> Option<&'t Tree> {
        way.iter().try_fold(tree, |at, step| at.get(step).or_else(|| at.as_list()?.get(step.parse::<usize>().ok()?)))
    }

    fn ask(path: &str, object: &str, way: &[&str]) -> Option<(String, String)> {
        let (files, options) = (files(), Options::of(Profile::default()));
        let rendered = super::super::render(&files, path, &options, &mut Nowhere).expect("renders");
        let object = rendered.set.objects.iter().find(|one| one.id.name == object).expect("it is there");
        let way = |tree: &Tree| {
            let len = (0..=way.len()).rev().find(|len| at(tree, &way[..*len]).is_some()).expect("the root is there");
            Way { steps: way[..len].iter().map(|step| (*step).to_owned()).collect(), cut: len < way.len() }
        };
        let fields = [Printed { id: &object.id, origin: &object.origin, way: &way }];
        let printer = printers(&files, path, &options, &mut Nowhere, &fields).expect("renders").remove(0)?;
        let line = printer.source.line_column(printer.span.start).0;
        let values: Vec<String> = printer.values.iter().map(|path| path.join(".")).collect();
        Some((format!("{}:{line}", printer.source.name()), values.join(" ")))
    }

    #[test]
    fn a_field_is_led_to_its_template_and_values() {
        let found = |line: &str, values: &str| Some((format!("web/templates/service.yaml:{line}"), values.to_owned()));
        assert_eq!(ask("/w/charts/web", "web-web", &["spec", "ports", "1", "port"]), found("10", "ports.1.port"));
        assert_eq!(ask("/w", "p-a-web", &["spec", "ports", "1", "name"]), found("11", "ports.1.name"));
        assert_eq!(ask("/w", "p-bb-web", &["spec", "ports", "0", "port"]), found("10", "ports.0.port"));
        assert_eq!(ask("/w", "p-a-web", &["metadata", "labels", "a"]), found("6", "labels"));
        assert_eq!(ask("/w", "p-a-web", &["spec", "type"]), found("7", ""), "what is missing is missing from `spec`");
    }
}
