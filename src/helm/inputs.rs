//! The digest of what goes into a render: chart, values, and what the release is told.
//!
//! In: a loaded chart, the user's values and options. Out: SHA-256 over all of them, each part with its length, so that
//! no two renders that could differ have one digest. Where the chart stands and how its values were given leave no trace.

use sha2::{Digest as _, Sha256};

use crate::funcs;
use crate::gotmpl::{Map, Str, Val};

use super::chart::Chart;
use super::engine::ReleaseOptions;

/// The digest of a render's inputs.
pub(crate) fn digest(chart: &Chart, user: &Map, options: &ReleaseOptions) -> [u8; 32] {
    let mut inputs = Inputs(Sha256::new());
    inputs.chart(chart);
    // values that cannot be printed fail the render before anything is drawn from the digest
    let values = funcs::marshalled(&Val::Map(user.clone())).unwrap_or_default();
    inputs.part(values.as_str().map(Str::as_bytes).unwrap_or_default());
    let ReleaseOptions { name, namespace, is_upgrade, kube_version, api_versions, profile, .. } = options;
    inputs.part(name.as_bytes());
    inputs.part(namespace.as_bytes());
    inputs.part(format!("{is_upgrade} {kube_version:?} {api_versions:?} {:?}", profile.helm).as_bytes());
    inputs.0.finalize().into()
}

struct Inputs(Sha256);

impl Inputs {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn chart(&mut self, chart: &Chart) {
        self.part(format!("{:?}", chart.metadata).as_bytes());
        self.part(chart.values_text.as_ref().map_or("", |text| text.text()).as_bytes());
        self.count(chart.templates.len());
        for template in &chart.templates {
            self.part(template.name.as_bytes());
            self.part(template.text.as_bytes());
        }
        self.count(chart.files.len());
        for file in &chart.files {
            self.part(file.name.as_bytes());
            // what cannot be read any more fails the render
            self.part(file.data.bytes().map_or(&[], |data| data));
        }
        self.count(chart.dependencies.len());
        for dependency in &chart.dependencies {
            self.chart(dependency);
        }
    }
}
