//! The charts of one render as Helm holds them: objects that point at one another and are changed in place.
//!
//! In: a loaded [`Chart`]. Out: a [`Graph`] that `dependencies` prunes and renames. Copies share what Helm's copies share
//! (a chart's metadata, the charts below it), since that shows in what charts print: in paths of templates above all.
//! Charts themselves never change, so one loaded chart serves many renders.

use std::rc::Rc;
use std::sync::Arc;

use crate::compat::Profile;
use crate::gotmpl::{Map, Val};

use super::chart::Chart;
use super::metadata::Dependency;
use super::numbers::to_val;

/// A chart object of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

/// The chart that is rendered.
pub(crate) const ROOT: NodeId = NodeId(0);

/// A row of some chart's `dependencies`, shared by every copy of its metadata that was not made row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowId(usize);

#[derive(Clone, Copy)]
struct MetadataId(usize);

/// Every chart object of a render; the first one is the chart that is rendered.
pub(crate) struct Graph {
    nodes: Vec<Node>,
    metadata: Vec<Metadata>,
    rows: Vec<Row>,
}

/// A chart object.
#[derive(Clone)]
struct Node {
    chart: Arc<Chart>,
    metadata: MetadataId,
    /// The chart that last took this one among its dependencies.
    parent: Option<NodeId>,
    children: Vec<NodeId>,
    /// Default values, imported ones included; replaced, never changed.
    values: Map,
}

/// What changes of a chart's metadata.
#[derive(Clone)]
struct Metadata {
    /// The chart's own name, or an alias.
    name: String,
    /// The dependencies that are switched on.
    rows: Option<Vec<RowId>>,
}

/// A row of `dependencies` in one render.
#[derive(Clone)]
pub(crate) struct Row {
    /// The row as written.
    pub written: Rc<Dependency>,
    /// Its name here: the alias, once the alias is applied.
    pub name: String,
    /// Whether tags and conditions leave it on.
    pub enabled: bool,
    /// The values taken over, as `child` and `parent` pairs, once they are.
    pub imports: Option<Vec<(String, String)>>,
}

impl Graph {
    /// The chart with everything in its `charts/` folders, nothing switched off yet.
    pub(crate) fn new(chart: &Arc<Chart>) -> Graph {
        let mut graph = Graph { nodes: Vec::new(), metadata: Vec::new(), rows: Vec::new() };
        graph.add(chart, None);
        graph
    }

    fn add(&mut self, chart: &Arc<Chart>, parent: Option<NodeId>) -> NodeId {
        let rows = chart.metadata.dependencies.as_ref().map(|rows| rows.iter().map(|row| self.add_row(row)).collect());
        let metadata = self.add_metadata(Metadata { name: chart.metadata.name.clone(), rows });
        let values = match chart.values.as_ref().map(to_val) {
            Some(Val::Map(map)) => map,
            _ => Map::new(),
        };
        let id = self.add_node(Node { chart: chart.clone(), metadata, parent, children: Vec::new(), values });
        let children = chart.dependencies.iter().map(|child| self.add(child, Some(id))).collect();
        self.nodes[id.0].children = children;
        id
    }

    fn add_node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn add_metadata(&mut self, metadata: Metadata) -> MetadataId {
        self.metadata.push(metadata);
        MetadataId(self.metadata.len() - 1)
    }

    fn add_row(&mut self, row: &Dependency) -> RowId {
        let row = Row { name: row.name.clone(), enabled: row.enabled, imports: None, written: Rc::new(row.clone()) };
        self.rows.push(row);
        RowId(self.rows.len() - 1)
    }

    /// True for a chart that no other one holds.
    pub(crate) fn is_root(&self, id: NodeId) -> bool {
        self.nodes[id.0].parent.is_none()
    }

    /// The loaded chart.
    pub(crate) fn chart(&self, id: NodeId) -> &Arc<Chart> {
        &self.nodes[id.0].chart
    }

    /// The chart's name here: its own, or the alias that its parent gives it.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        &self.metadata[self.nodes[id.0].metadata.0].name
    }

    /// The names from the root down, with `charts` between them. Ends, since parents were made before their copies' children.
    pub(crate) fn path(&self, id: NodeId) -> String {
        match self.nodes[id.0].parent {
            Some(parent) => format!("{}/charts/{}", self.path(parent), self.name(id)),
            None => self.name(id).to_owned(),
        }
    }

    /// Default values, imported ones included.
    pub(crate) fn values(&self, id: NodeId) -> &Map {
        &self.nodes[id.0].values
    }

    /// Puts other default values in place.
    pub(crate) fn set_values(&mut self, id: NodeId, values: Map) {
        self.nodes[id.0].values = values;
    }

    /// The subcharts, in Helm's order.
    pub(crate) fn children(&self, id: NodeId) -> &[NodeId] {
        &self.nodes[id.0].children
    }

    /// Gives a chart other subcharts, which from now on stand below it.
    pub(crate) fn set_children(&mut self, id: NodeId, children: Vec<NodeId>) {
        for child in &children {
            self.nodes[child.0].parent = Some(id);
        }
        self.nodes[id.0].children = children;
    }

    /// The rows of `dependencies`; nothing where there is no such field.
    pub(crate) fn rows(&self, id: NodeId) -> Option<&[RowId]> {
        self.metadata[self.nodes[id.0].metadata.0].rows.as_deref()
    }

    /// Puts other rows in place, for every chart object with the same metadata.
    pub(crate) fn set_rows(&mut self, id: NodeId, rows: Option<Vec<RowId>>) {
        self.metadata[self.nodes[id.0].metadata.0].rows = rows;
    }

    /// One row.
    pub(crate) fn row(&self, id: RowId) -> &Row {
        &self.rows[id.0]
    }

    /// One row, to change.
    pub(crate) fn row_mut(&mut self, id: RowId) -> &mut Row {
        &mut self.rows[id.0]
    }

    /// A copy of a chart for a row of its parent's `dependencies`. Helm 4 copies the rows of its metadata and the charts
    /// right below it, Helm 3 neither.
    pub(crate) fn copy(&mut self, id: NodeId, alias: &str, profile: Profile) -> NodeId {
        let mut node = self.nodes[id.0].clone();
        let mut metadata = self.metadata[node.metadata.0].clone();
        if !alias.is_empty() {
            alias.clone_into(&mut metadata.name);
        }
        let deep = profile.aliases_copied_deep();
        if let (true, Some(rows)) = (deep, &mut metadata.rows) {
            for row in rows {
                self.rows.push(self.rows[row.0].clone());
                *row = RowId(self.rows.len() - 1);
            }
        }
        node.metadata = self.add_metadata(metadata);
        let children = node.children.clone();
        let copy = self.add_node(node);
        if deep {
            let children = children.into_iter().map(|child| self.add_node(self.nodes[child.0].clone())).collect();
            self.set_children(copy, children);
        }
        copy
    }
}
