//! A chart in one render: which subcharts are switched on, under which names, with which defaults.
//!
//! In: a loaded [`Chart`]. Out: a tree of [`Node`]s that `dependencies` prunes and renames. Charts themselves never
//! change, so one loaded chart serves many renders.

use std::rc::Rc;
use std::sync::Arc;

use crate::gotmpl::{Map, Val};
use crate::value::Tree;

use super::chart::Chart;
use super::metadata::Dependency;
use super::numbers::to_val;

/// A chart in one render. Cloning shares the default values, which are replaced, never changed.
#[derive(Clone)]
pub(crate) struct Node {
    /// The chart's name here: its own, or the alias that its parent gives it.
    pub name: String,
    /// The name that stands in the paths of its subcharts.
    pub name_below: String,
    /// The chart.
    pub chart: Arc<Chart>,
    /// The dependencies of `Chart.yaml` that are switched on, under their names here.
    pub requirements: Option<Vec<Requirement>>,
    /// Default values, imported ones included.
    pub values: Map,
    /// The subcharts that are switched on.
    pub children: Vec<Node>,
}

/// A row of `dependencies` in one render.
#[derive(Clone)]
pub(crate) struct Requirement {
    /// The row as written.
    pub row: Rc<Dependency>,
    /// Its name here: the alias, once the alias is applied.
    pub name: String,
    /// Whether tags and conditions leave it on.
    pub enabled: bool,
    /// The values taken over, as `child` and `parent` pairs, once they are.
    pub imports: Option<Vec<(String, String)>>,
}

impl Node {
    /// The chart with everything in its `charts/` folder, nothing switched off yet.
    pub(crate) fn new(chart: &Arc<Chart>) -> Node {
        let row = |dependency: &Dependency| Requirement {
            name: dependency.name.clone(),
            enabled: dependency.enabled,
            imports: None,
            row: Rc::new(dependency.clone()),
        };
        let values = match chart.values.as_ref().map(to_val) {
            Some(Val::Map(map)) => map,
            _ => Map::new(),
        };
        Node {
            name: chart.metadata.name.clone(),
            name_below: chart.metadata.name.clone(),
            requirements: chart.metadata.dependencies.as_ref().map(|rows| rows.iter().map(row).collect()),
            values,
            children: chart.dependencies.iter().map(Node::new).collect(),
            chart: chart.clone(),
        }
    }
}

/// The text of an `import-values` entry's field as Go's `%v` prints it.
pub(crate) fn import_field(tree: Option<&Tree>) -> String {
    match tree {
        Some(Tree::Scalar(scalar)) => super::numbers::scalar_text(scalar).unwrap_or_else(|| "<nil>".to_owned()),
        _ => "<nil>".to_owned(),
    }
}
