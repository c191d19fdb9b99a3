//! What a worker writes onto the sync object itself: its status, its finalizer, which image comes.
//!
//! Each write names the version of the object that it was made from. A leader that was stopped between two instructions, or
//! whose words lay on the wire, wakes up when another leads; what it still says must not stand. The server refuses it by
//! that version, as it refuses what somebody else's write has overtaken: then the object is read again, and the write
//! made anew from what stands there.

use serde_json::{Value, json};

use super::worker::Worker;
use crate::agent::rsync::Declared;
use crate::cluster::{Fault, FaultKind};

/// How often a write is made anew because somebody else wrote in between.
const TRIES_MAX: u32 = 4;

/// Which half of the object a patch is for; a server takes the status apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Metadata,
    Status,
}

impl Worker {
    /// Takes the object as the watch shows it, unless what was written since is later.
    pub(super) fn see(&mut self, declared: &Declared) {
        let (seen, shown) = (&self.seen.metadata, &declared.metadata);
        let number = |version: &str| version.parse::<u64>().ok();
        let older = match (number(&shown.resource_version), number(&seen.resource_version)) {
            (Some(shown), Some(seen)) => shown < seen,
            _ => false,
        };
        if !older {
            self.seen = declared.clone();
        }
    }

    /// Merges a patch onto the object as it was last seen; `patch` makes it from there, or nothing where all is well.
    pub(super) async fn write(
        &mut self,
        part: Part,
        patch: impl Fn(&Declared) -> Option<Value> + Send,
    ) -> Result<(), Fault> {
        let (path, name) = (self.id.path(), self.id.name.clone());
        let mut tries = 1;
        loop {
            let Some(mut patch) = patch(&self.seen) else { return Ok(()) };
            patch["metadata"]["resourceVersion"] = json!(self.seen.metadata.resource_version);
            let api = &self.shared.api;
            let written = match part {
                Part::Metadata => api.merge(&path, &name, &patch).await,
                Part::Status => api.merge_status(&path, &name, &patch).await,
            };
            let standing = match written {
                Err(fault) if fault.kind == FaultKind::Raced && tries < TRIES_MAX => {
                    api.read(&path, &name).await?.ok_or(fault)?
                }
                written => {
                    self.seen = self.read_own(written?)?;
                    return Ok(());
                }
            };
            self.seen = self.read_own(standing)?;
            tries += 1;
        }
    }

    /// The object as the server gives it; another one of the same name is not ours to write.
    fn read_own(&self, object: Value) -> Result<Declared, Fault> {
        let own = Declared::read(object, &self.seen.kind).map_err(|why| Fault::new(FaultKind::ServerError, why))?;
        if own.metadata.uid == self.seen.metadata.uid {
            Ok(own)
        } else {
            Err(Fault::new(FaultKind::Raced, "another object of the same name has taken its place"))
        }
    }
}
