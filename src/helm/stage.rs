//! All that templates are run with, set up before the first one runs.
//!
//! In: a chart, options, and the user's values. Out: the charts that take part, the coalesced values, and what templates see of the
//! release and the cluster. Belongs to one thread; another one sets up its own.

use std::sync::Arc;

use crate::diag::Result;
use crate::gotmpl::{Map, MapType, Val};

use super::capabilities::Capabilities;
use super::chart::Chart;
use super::coalesce::Coalescing;
use super::context::{self, Runnable, Shared};
use super::dependencies;
use super::engine::ReleaseOptions;
use super::graph::{Graph, ROOT};
use super::objects;

/// What templates are run with.
pub(super) struct Stage {
    /// The charts that take part.
    pub(super) graph: Graph,
    /// The values of the chart that is rendered, and in them those of its subcharts.
    pub(super) values: Map,
    /// What the cluster can do.
    pub(super) capabilities: Capabilities,
    /// What was remarked on the way.
    pub(super) remarks: Vec<String>,
    shared: Shared,
}

impl Stage {
    /// Prunes the charts and coalesces the values.
    pub(super) fn set(chart: &Arc<Chart>, options: &ReleaseOptions, user: &Map) -> Result<Stage> {
        let profile = options.profile;
        let mut remarks = Vec::new();
        let mut run = Coalescing { profile, warnings: &mut remarks };
        let mut graph = Graph::new(chart);
        dependencies::process(&mut graph, user, &mut run).map_err(|mut fault| {
            fault.message = format!("chart dependencies processing failed: {}", fault.message);
            fault
        })?;
        let values = run.coalesce(&graph, ROOT, &Map::typed(context::values_type(profile), user.borrow().clone()))?;
        let mut capabilities = Capabilities::of(profile);
        if let Some(version) = &options.kube_version {
            capabilities.kube_version = version.clone();
        }
        capabilities.api_versions.extend(options.api_versions.iter().cloned());
        let release = release_data(options);
        let shared = Shared { release, capabilities: objects::capabilities(&capabilities, profile), profile };
        Ok(Stage { graph, values, capabilities, remarks, shared })
    }

    /// Every template with the data that it is run with, in Helm's order.
    pub(super) fn runnables(&self) -> Vec<Runnable> {
        context::runnables(&self.graph, &self.values, &self.shared)
    }
}

fn release_data(options: &ReleaseOptions) -> Val {
    let fields = [
        ("Name", Val::str(&options.name)),
        ("Namespace", Val::str(&options.namespace)),
        ("IsUpgrade", Val::Bool(options.is_upgrade)),
        ("IsInstall", Val::Bool(!options.is_upgrade)),
        ("Revision", Val::int(1)),
        ("Service", Val::str("Helm")),
    ];
    let entries = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Val::Map(Map::typed(MapType::Any, entries))
}
