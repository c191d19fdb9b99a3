//! Charts plus values to manifests, as `helm template` prints them.
//!
//! In: a chart folder or archive through a [`crate::source::Source`], and the user's values as texts. Out: a
//! [`Release`]: manifests, hooks and CRDs with the templates they came from, printed byte for byte as Helm would.
//! Leaves alone: the clock, randomness and the network (handed in as [`Ambient`]), and clusters.
//!
//! - [`Chart::load`] reads a chart once; it is immutable and may be shared between threads and renders.
//! - [`render`] makes a [`Release`] of a chart, [`ReleaseOptions`] and [`UserValues`].
//! - [`Release::print`] gives the text of `helm template`; [`Release::placed`] the documents one by one.

mod aside;
mod blame;
mod capabilities;
mod chart;
mod coalesce;
mod context;
mod dependencies;
mod engine;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod glob;
mod graph;
mod head;
mod ignore;
mod inputs;
mod load;
mod manifests;
mod metadata;
mod names;
mod numbers;
mod objects;
mod printers;
mod release;
mod run;
mod schema;
mod schema_form;
mod show;
mod skim;
mod skim_flow;
mod stage;
mod strvals;
mod tables;
#[cfg(test)]
mod tests_aside;
#[cfg(test)]
mod tests_skim;
#[cfg(test)]
mod tests_work;
mod values;

pub use capabilities::KubeVersion;
pub use chart::Chart;
pub use dependencies::is_compatible;
pub use engine::{ReleaseOptions, render, render_or_explain};
pub use load::chart_files;
pub use metadata::Dependency;
pub use names::NAME_UNSAID;
pub use printers::{Printer, Wanted, Way, printers};
pub use release::{Print, Release, push_document};
pub use run::{Ambient, templated_name};
pub use values::{UserValues, text as values_text};
