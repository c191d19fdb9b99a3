//! The agent: keeps a cluster in step with an artifact.
//!
//! In: a manifest set, and the identity of the sync that answers for it. Out: a cluster (or a folder) that holds the set,
//! every change told as an [`Event`], and a [`Summary`]. What it promises:
//!
//! - **It never deletes what it cannot prove it owns**: what its inventory claims *and* what bears its marks.
//! - **It survives `kill -9` at any line**: the inventory is stored before what it covers is applied.
//! - **A second run changes nothing**, the inventory included.
//! - **One bad object never blocks unrelated ones.**
//!
//! Everything that is decided is decided in `decide`, which is pure; `sync` only carries it out. The room knows no
//! renderer: it takes sets.

mod clock;
mod decide;
mod depends;
mod fights;
mod inventory;
mod knv;
mod kstatus;
#[cfg(test)]
mod model;
mod observe;
mod order;
mod prune;
mod report;
mod rsync;
mod run;
mod sync;
mod wanted;

pub(crate) use clock::Clock;
pub(crate) use decide::Policy;
pub(crate) use report::{Event, Options, Rules, Summary};
pub(crate) use rsync::conditions_of;
pub(crate) use run::{Board, Level, Line, Log, Render, Settings, bind, serve};
pub(crate) use sync::sync_once;
