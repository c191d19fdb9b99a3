//! Which replica writes: a `Lease` that is renewed, and a clock that no stop of the process deceives.
//!
//! A standby takes a lease over once it has not seen it change for its whole duration, by its own clock. A leader lets writes
//! pass for less than that from the moment at which it began to renew. So two never write at once, however slow a
//! request or how long a process was stopped. The number of leaders before (`leaseTransitions`) is the epoch of the gate.

#![expect(clippy::disallowed_methods, reason = "a lease is kept by the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Shared;
use crate::agent::rsync::HOME;
use crate::cluster::{Fault, FaultKind};

/// How long a lease holds after it was renewed.
const DURATION: Duration = Duration::from_secs(8);
/// How long its holder writes after it began to renew it: less, since clocks drift and requests take time.
const WRITES: Duration = Duration::from_secs(6);
/// Pause between renewals.
const RENEW_PAUSE: Duration = Duration::from_secs(2);
/// Pause between looks of a standby.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The pause before the next renewal: a turn that a slow request has mostly used up is renewed soon.
fn pause(left: Duration) -> Duration {
    RENEW_PAUSE.min(left / 3)
}

/// The lease of this replica's shard.
pub(super) struct Lease {
    shared: Arc<Shared>,
    path: String,
    name: String,
    /// The lease as last seen, and when it was first seen so.
    seen: Option<(String, Instant)>,
    /// The lease as we wrote it.
    held: Value,
}

impl Lease {
    pub(super) fn new(shared: &Arc<Shared>) -> Lease {
        let name = match &shared.settings.shard {
            Some(shard) => format!("hydrant-agent-{shard}"),
            None => "hydrant-agent".to_owned(),
        };
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases");
        Lease { shared: Arc::clone(shared), path, name, seen: None, held: Value::Null }
    }

    /// Waits until this replica leads.
    pub(super) async fn acquire(&mut self) {
        let mut told = String::new();
        loop {
            match self.try_acquire().await {
                Ok(true) => return,
                Ok(false) => self.shared.board.reached(),
                Err(fault) if fault.message != told => {
                    self.shared.warn("", &format!("cannot take the lease: {fault}"));
                    told = fault.message;
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    async fn try_acquire(&mut self) -> Result<bool, Fault> {
        let begun = Instant::now();
        let standing = self.shared.api.read(&self.path, &self.name).await?;
        let written = match standing {
            None => {
                let lease = self.lease(&Value::Null, 1);
                // the gate lets the lease itself pass: until it is ours nothing else is sent
                self.write(begun, 1, &lease, true).await
            }
            Some(standing) => {
                let spec = &standing["spec"];
                let version = standing["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
                let fresh = self.seen.as_ref().is_none_or(|(seen, _)| *seen != version);
                if fresh {
                    self.seen = Some((version, Instant::now()));
                }
                let free = spec["holderIdentity"].as_str().is_none_or(str::is_empty);
                let old = self.seen.as_ref().is_some_and(|(_, since)| since.elapsed() >= DURATION);
                if !free && !old {
                    return Ok(false);
                }
                let epoch = spec["leaseTransitions"].as_u64().unwrap_or(0) + 1;
                let lease = self.lease(&standing, epoch);
                self.write(begun, epoch, &lease, false).await
            }
        };
        match written {
            Ok(()) => Ok(true),
            Err(fault) if fault.kind == FaultKind::Raced => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Renews the lease until it is lost.
    pub(super) async fn keep(&mut self) {
        loop {
            tokio::time::sleep(pause(self.shared.api.gate().left())).await;
            if !self.shared.api.gate().is_open() {
                return;
            }
            let begun = Instant::now();
            let epoch = self.shared.api.gate().epoch();
            let lease = self.lease(&self.held, epoch);
            match tokio::time::timeout(WRITES, self.write(begun, epoch, &lease, false)).await {
                Ok(Err(fault)) if fault.kind == FaultKind::Raced => return,
                Ok(Ok(())) => self.shared.board.reached(),
                // worth another try while the turn lasts
                _ => {}
            }
        }
    }

    /// Gives the lease back where this replica holds it, so that a standby need not wait until it is old. Nothing is written
    /// any more by then: the gate is closed.
    pub(super) async fn give_back(shared: &Arc<Shared>) -> Result<(), Fault> {
        let own = Lease::new(shared);
        let Some(mut standing) = shared.api.read(&own.path, &own.name).await? else { return Ok(()) };
        if standing["spec"]["holderIdentity"] != shared.settings.replica.as_str() {
            return Ok(());
        }
        standing["spec"]["holderIdentity"] = json!("");
        shared.api.ungated().replace(&own.path, &own.name, &standing).await.map(drop)
    }

    /// Writes the lease in place of the one it was made from; once that is done, writes pass.
    async fn write(&mut self, begun: Instant, epoch: u64, lease: &Value, new: bool) -> Result<(), Fault> {
        let api = &self.shared.api;
        let own = api.ungated();
        let written =
            if new { own.create(&self.path, lease).await } else { own.replace(&self.path, &self.name, lease).await };
        self.held = written?;
        api.gate().open(epoch, begun + WRITES);
        Ok(())
    }

    fn lease(&self, standing: &Value, epoch: u64) -> Value {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let same = standing["spec"]["holderIdentity"] == self.shared.settings.replica.as_str();
        let since = standing["spec"]["acquireTime"].as_str().filter(|_| same).unwrap_or(&now);
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": HOME},
            "spec": {
                "holderIdentity": self.shared.settings.replica,
                "leaseDurationSeconds": DURATION.as_secs(),
                "acquireTime": since,
                "renewTime": now,
                "leaseTransitions": epoch,
            },
        });
        if !standing.is_null() {
            lease["metadata"]["uid"] = standing["metadata"]["uid"].clone();
            lease["metadata"]["resourceVersion"] = standing["metadata"]["resourceVersion"].clone();
        }
        lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_of_a_turn_is_left_the_sooner_it_is_renewed() {
        assert_eq!(pause(WRITES), RENEW_PAUSE);
        assert_eq!(pause(Duration::from_millis(1500)), Duration::from_millis(500));
        assert_eq!(pause(Duration::ZERO), Duration::ZERO);
    }
}
