//! The data that templates start from: `.Values`, `.Release`, `.Chart`, `.Capabilities`, `.Files`, `.Subcharts`.
//!
//! In: the tree of charts that take part and the coalesced values. Out: one data map a chart, and the templates of all
//! charts with the map that each is run with. A subchart's `.Values` is the very map that its parent has under its name.

use std::sync::Arc;

use crate::compat::Profile;
use crate::gotmpl::{Kind, List, ListType, Map, MapType, Str, Val};

use super::files::Files;
use super::dependencies::table_at;
use super::graph::{Graph, NodeId, ROOT, Row};
use super::metadata::{Maintainer, Metadata};
use super::numbers::to_val;
use super::objects::Struct;

/// A template and what it is run with.
pub(crate) struct Runnable {
    /// The path, chart names first (`app/charts/web/templates/a.yaml`).
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// The data.
    pub data: Map,
    /// `.Template.BasePath`.
    pub base_path: Str,
}

/// What is the same for every chart of a render.
pub(crate) struct Shared {
    pub release: Val,
    pub capabilities: Val,
    pub profile: Profile,
}

/// Go's type of values.
pub(crate) fn values_type(profile: Profile) -> MapType {
    super::tables::values_type(profile)
}

/// The templates of a chart and its subcharts in Helm's order: deepest path first, then by name backwards. Of two at one path the
/// one met later stays.
pub(crate) fn runnables(graph: &Graph, values: &Map, shared: &Shared) -> Vec<Runnable> {
    let mut found = Vec::new();
    chart(graph, ROOT, values.clone(), shared, &mut found);
    found.reverse();
    let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
    // stable: of two at one path the later one comes first now, and stays
    found.sort_by_cached_key(|runnable| std::cmp::Reverse((depth(&runnable.path), Arc::clone(&runnable.path))));
    found.dedup_by(|runnable, kept| runnable.path == kept.path);
    found
}

fn chart(graph: &Graph, id: NodeId, values: Map, shared: &Shared, found: &mut Vec<Runnable>) -> Map {
    let (chart_here, path, ty) = (graph.chart(id), graph.path(id), values_type(shared.profile));
    let subcharts = Map::new();
    let fields = [
        ("Capabilities", shared.capabilities.clone()),
        ("Chart", chart_data(graph, id, shared.profile)),
        ("Files", Val::object(Files::new(&chart_here.files))),
        ("Release", shared.release.clone()),
        ("Subcharts", Val::Map(subcharts.clone())),
        ("Values", Val::Map(values.clone())),
    ];
    let data = Map::typed(ty, fields.into_iter().map(|(name, value)| (Str::new(name), value)).collect());
    for &child in graph.children(id) {
        // by path, so that a chart whose name has dots gets none
        let below = table_at(&values, graph.name(child)).unwrap_or_default();
        let below = chart(graph, child, below.retyped(ty), shared, found);
        subcharts.set(graph.name(child), below.retyped(MapType::Any));
    }
    let base_path = Str::from(format!("{path}/templates"));
    for template in &chart_here.templates {
        if chart_here.is_library() && !super::manifests::is_partial(&template.name) {
            continue;
        }
        let path: Arc<str> = Arc::from(crate::source::clean(&format!("{path}/{}", template.name)));
        found.push(Runnable { path, text: template.text.clone(), data: data.clone(), base_path: base_path.clone() });
    }
    data
}

/// `.Chart`: a map with the names of Go's fields, or (Helm 3) the struct itself.
fn chart_data(graph: &Graph, id: NodeId, profile: Profile) -> Val {
    let metadata = &graph.chart(id).metadata;
    let map = profile.chart_is_map();
    let maintainers = metadata.maintainers.iter().map(|maintainer| maintainer_data(maintainer, map)).collect();
    let dependencies = graph.rows(id).into_iter().flatten().map(|row| dependency_data(graph.row(*row), map)).collect();
    let texts = |texts: &[String]| {
        let items = texts.iter().map(Val::str).collect();
        if map { Val::list(items) } else { Val::List(List::typed(ListType::Str, items)) }
    };
    let mut fields = vec![
        ("Name", Val::str(graph.name(id))),
        ("Home", Val::str(&metadata.home)),
        ("Sources", texts(&metadata.sources)),
        ("Version", Val::str(&metadata.version)),
        ("Description", Val::str(&metadata.description)),
        ("Keywords", texts(&metadata.keywords)),
        ("Maintainers", Val::list(maintainers)),
        ("Icon", Val::str(&metadata.icon)),
        ("APIVersion", Val::str(&metadata.api_version)),
        ("Condition", Val::str(&metadata.condition)),
        ("Tags", Val::str(&metadata.tags)),
        ("AppVersion", Val::str(&metadata.app_version)),
        ("Deprecated", Val::Bool(metadata.deprecated)),
        ("Annotations", annotations(metadata)),
        ("KubeVersion", Val::str(&metadata.kube_version)),
        ("Dependencies", Val::list(dependencies)),
        ("Type", Val::str(&metadata.kind)),
        ("IsRoot", Val::Bool(graph.is_root(id))),
    ];
    if map {
        fields.sort_unstable_by_key(|(name, _)| *name);
        return Val::Map(fields.into_iter().map(|(name, value)| (Str::new(name), value)).collect());
    }
    let json_names = [
        "name", "home", "sources", "version", "description", "keywords", "maintainers", "icon", "apiVersion", "condition",
        "tags", "appVersion", "deprecated", "annotations", "kubeVersion", "dependencies", "type", "IsRoot",
    ];
    structure("struct { chart.Metadata; IsRoot bool }", Kind::Struct, fields, &json_names)
}

/// `map[string]string`; a chart without annotations has Go's nil map.
fn annotations(metadata: &Metadata) -> Val {
    let Some(annotations) = &metadata.annotations else { return Val::Map(Map::nil(MapType::Str)) };
    let entries = annotations.iter().map(|(key, text)| (Str::from(key), Val::str(text))).collect();
    Val::Map(Map::typed(MapType::Str, entries))
}

fn maintainer_data(maintainer: &Maintainer, map: bool) -> Val {
    let fields =
        vec![("Name", Val::str(&maintainer.name)), ("Email", Val::str(&maintainer.email)), ("URL", Val::str(&maintainer.url))];
    part("*chart.Maintainer", fields, &["name", "email", "url"], map)
}

fn dependency_data(row: &Row, map: bool) -> Val {
    let written = &row.written;
    let tags = written.tags.iter().map(Val::str).collect();
    let import = |(child, parent): &(String, String)| {
        let entries = [(Str::new("child"), Val::str(child)), (Str::new("parent"), Val::str(parent))];
        Val::Map(Map::typed(MapType::Str, entries.into_iter().collect()))
    };
    let imports = match &row.imports {
        Some(pairs) => pairs.iter().map(import).collect(),
        None => written.import_values.iter().map(to_val).collect(),
    };
    let fields = vec![
        ("Name", Val::str(&row.name)),
        ("Version", Val::str(&written.version)),
        ("Repository", Val::str(&written.repository)),
        ("Condition", Val::str(&written.condition)),
        ("Tags", if map { Val::list(tags) } else { Val::List(List::typed(ListType::Str, tags)) }),
        ("Enabled", Val::Bool(row.enabled)),
        ("ImportValues", Val::list(imports)),
        ("Alias", Val::str(&written.alias)),
    ];
    let names = ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];
    part("*chart.Dependency", fields, &names, map)
}

fn part(type_name: &'static str, fields: Vec<(&'static str, Val)>, json_names: &[&'static str], map: bool) -> Val {
    if map {
        return Val::Map(fields.into_iter().map(|(name, value)| (Str::new(name), value)).collect());
    }
    structure(type_name, Kind::Ptr, fields, json_names)
}

/// A Go struct with `omitempty` on every field but `IsRoot` and `repository`.
fn structure(type_name: &'static str, kind: Kind, fields: Vec<(&'static str, Val)>, json_names: &[&'static str]) -> Val {
    let pairs = json_names.iter().copied().zip(&fields);
    let kept = pairs.filter(|(name, (_, value))| {
        matches!(*name, "IsRoot" | "repository") || crate::gotmpl::truth(value)
    });
    let json = kept.map(|(name, (_, value))| (name, value.clone())).collect();
    Val::object(Struct { type_name, kind, fields, text: String::new(), json, methods: &[] })
}
