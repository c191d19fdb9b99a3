//! The status of a sync, in Config Sync's words: what `nomos status`, print columns and people's alerts read.
//!
//! A status is made anew from a [`Report`] each time and compared with what stands there; times move only with what they
//! are times of, so nothing is written while nothing happens.

use serde_json::{Value, json};

use super::Refusal;
use crate::cluster::Key;

/// Errors that a stage lists; more are counted.
const ERRORS_MAX: usize = 100;
/// Bytes of one error's message.
const MESSAGE_BYTES_MAX: usize = 2000;

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Finding {
    /// Its number in Config Sync's list: `2004`.
    pub(in crate::agent) code: &'static str,
    /// One sentence.
    pub(in crate::agent) message: String,
    /// The object that it is about.
    pub(in crate::agent) object: Option<Box<Key>>,
}

/// What one stage has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::agent) struct Stage {
    /// The digest that it read last, in hex.
    pub(in crate::agent) commit: String,
    /// What went wrong.
    pub(in crate::agent) errors: Vec<Finding>,
}

/// Everything that a status tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::agent) struct Report {
    /// The generation that it is about.
    pub(in crate::agent) generation: i64,
    /// The account that the sync acts as.
    pub(in crate::agent) reconciler: String,
    /// The image, as asked for.
    pub(in crate::agent) image: String,
    /// The folder in it.
    pub(in crate::agent) dir: String,
    /// Resolving, pulling and verifying.
    pub(in crate::agent) source: Stage,
    /// Rendering and reading.
    pub(in crate::agent) rendering: Stage,
    /// Whether the artifact had to be rendered.
    pub(in crate::agent) rendered: bool,
    /// Applying and pruning.
    pub(in crate::agent) sync: Stage,
    /// The digest that was last applied without errors.
    pub(in crate::agent) synced: String,
    /// Objects that are applied and not ready yet, if any.
    pub(in crate::agent) unready: usize,
    /// True while objects are being applied.
    pub(in crate::agent) syncing: bool,
    /// Why the sync is not carried out at all.
    pub(in crate::agent) stalled: Option<Refusal>,
    /// True for a sync that somebody suspended.
    pub(in crate::agent) suspended: bool,
    /// Why the end of a sync that is being deleted lasts.
    pub(in crate::agent) finalizing: Option<String>,
    /// Fields of `spec.override` that have no meaning here.
    pub(in crate::agent) passed_over: Vec<&'static str>,
}

/// In short, how a sync stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Status {
    /// It is not carried out.
    Stalled,
    /// Something went wrong.
    Error,
    /// It is under way.
    Syncing,
    /// It is done.
    Synced,
    /// It was suspended.
    Suspended,
}

impl Status {
    /// The word that `nomos status` shows.
    pub(in crate::agent) fn word(self) -> &'static str {
        match self {
            Status::Stalled => "STALLED",
            Status::Error => "ERROR",
            Status::Syncing => "SYNCING",
            Status::Synced => "SYNCED",
            Status::Suspended => "SUSPENDED",
        }
    }
}

impl Report {
    /// In short.
    pub(in crate::agent) fn status(&self) -> Status {
        if self.stalled.is_some() {
            Status::Stalled
        } else if self.suspended {
            Status::Suspended
        } else if self.errors().next().is_some() {
            Status::Error
        } else if self.syncing || self.synced.is_empty() || self.synced != self.source.commit {
            Status::Syncing
        } else {
            Status::Synced
        }
    }

    /// All errors of all stages.
    pub(in crate::agent) fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.source.errors.iter().chain(&self.rendering.errors).chain(&self.sync.errors)
    }

    /// The status to write; nothing if `standing` says it already.
    pub(in crate::agent) fn status_over(&self, standing: &Value, now: &str) -> Option<Value> {
        let mut status = json!({
            "observedGeneration": self.generation,
            "reconciler": self.reconciler,
            "lastSyncedCommit": self.synced,
            "source": self.stage("source", &self.source),
            "rendering": self.stage("rendering", &self.rendering),
            "sync": self.stage("sync", &self.sync),
        });
        status["rendering"]["message"] = json!(self.rendering_message());
        for stage in ["source", "rendering", "sync"] {
            keep_time(&mut status[stage], &standing[stage], &["lastUpdate"], now);
        }
        let conditions = self.conditions().into_iter().map(|mut condition| {
            let before = standing["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|other| other["type"] == condition["type"]);
            let before = before.unwrap_or(&Value::Null);
            keep_time(&mut condition, before, &["lastUpdateTime", "lastTransitionTime"], now);
            if before["status"] == condition["status"] && before["lastTransitionTime"].is_string() {
                condition["lastTransitionTime"] = before["lastTransitionTime"].clone();
            }
            condition
        });
        status["conditions"] = conditions.collect();
        (!holds(standing, &status)).then_some(status)
    }

    fn stage(&self, name: &str, stage: &Stage) -> Value {
        let listed: Vec<Value> = stage.errors.iter().take(ERRORS_MAX).map(error).collect();
        let mut value = json!({
            "commit": stage.commit,
            "errors": listed,
            "errorSummary": summary(&[stage]),
        });
        value["ociStatus"] = json!({"image": self.image, "dir": if self.dir.is_empty() { "." } else { &self.dir }});
        if name == "sync" {
            // a name of our own; Config Sync's tools pass over what they do not know
            value["unreadyObjects"] = json!(self.unready);
        }
        value
    }

    fn rendering_message(&self) -> &'static str {
        match (self.rendering.errors.is_empty(), self.rendered, self.rendering.commit.is_empty()) {
            (false, ..) => "Rendering failed",
            (_, true, _) => "Rendering succeeded",
            (_, _, true) => "",
            _ => "Rendering skipped",
        }
    }

    fn conditions(&self) -> Vec<Value> {
        let plain = |kind: &str, on: bool, reason: &str, message: &str| json!({"type": kind, "status": if on { "True" } else { "False" }, "reason": reason, "message": message});
        let fields: Vec<String> = self.passed_over.iter().map(|field| format!("`spec.override.{field}`")).collect();
        let message = if fields.is_empty() {
            "the agent serves this sync".to_owned()
        } else {
            format!("the agent serves this sync without containers of its own, so {} has no effect", fields.join(", "))
        };
        let reconciling = plain("Reconciling", false, "Agent", &message);
        let stalled = match &self.stalled {
            Some(refusal) => plain("Stalled", true, refusal.reason, &refusal.message),
            None => plain("Stalled", false, "", ""),
        };
        let mut conditions = vec![reconciling, stalled, self.syncing()];
        if let Some(why) = &self.finalizing {
            conditions.push(plain("ReconcilerFinalizing", true, "Pruning", why));
        }
        conditions
    }

    fn syncing(&self) -> Value {
        let stages = [
            ("source", "Source", &self.source),
            ("rendering", "Rendering", &self.rendering),
            ("sync", "Sync", &self.sync),
        ];
        let failed: Vec<_> = stages.iter().filter(|(_, _, stage)| !stage.errors.is_empty()).collect();
        let refs: Vec<String> = failed.iter().map(|(name, ..)| format!("status.{name}.errors")).collect();
        let on = self.syncing || self.status() == Status::Syncing;
        let (reason, message) = match failed.first() {
            _ if self.suspended => ("Suspended", "no writes: the sync is suspended"),
            Some((_, reason @ ("Source" | "Rendering"), _)) => (*reason, *reason),
            _ if on => ("Sync", "Syncing"),
            _ if self.stalled.is_some() => ("Stalled", ""),
            _ => ("Sync", "Sync Completed"),
        };
        json!({
            "type": "Syncing",
            "status": if on { "True" } else { "False" },
            "reason": reason,
            "message": message,
            "commit": self.source.commit,
            "errorSourceRefs": refs,
            "errorSummary": summary(&[&self.source, &self.rendering, &self.sync]),
        })
    }
}

fn error(finding: &Finding) -> Value {
    let mut message = format!("KNV{}: {}", finding.code, finding.message);
    if message.len() > MESSAGE_BYTES_MAX {
        let mut end = MESSAGE_BYTES_MAX;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
    }
    let mut value = json!({"code": finding.code, "errorMessage": message});
    if let Some(key) = &finding.object {
        value["errorResources"] = json!([{
            "name": key.name.as_str(),
            "namespace": key.namespace.as_str(),
            "gvk": {"group": key.group.as_str(), "version": "", "kind": key.kind.as_str()},
        }]);
    }
    value
}

fn summary(stages: &[&Stage]) -> Value {
    let total: usize = stages.iter().map(|stage| stage.errors.len()).sum();
    let listed: usize = stages.iter().map(|stage| stage.errors.len().min(ERRORS_MAX)).sum();
    json!({"totalCount": total, "truncated": listed < total, "errorCountAfterTruncation": listed})
}

/// Gives a part its times: those that stand if nothing else changed, else now.
fn keep_time(part: &mut Value, standing: &Value, times: &[&str], now: &str) {
    let same = holds(standing, part);
    for time in times {
        let kept = standing[*time].as_str().filter(|_| same);
        part[*time] = json!(kept.unwrap_or(now));
    }
}

/// True if everything that `wanted` says stands.
fn holds(standing: &Value, wanted: &Value) -> bool {
    match (standing, wanted) {
        (Value::Object(standing), Value::Object(wanted)) => wanted.iter().all(|(key, value)| match standing.get(key) {
            Some(found) => holds(found, value),
            // a server drops what is empty
            None => value.is_null() || *value == json!("") || *value == json!([]),
        }),
        (Value::Array(standing), Value::Array(wanted)) => {
            standing.len() == wanted.len() && standing.iter().zip(wanted).all(|(found, value)| holds(found, value))
        }
        _ => standing == wanted,
    }
}

/// The word and the errors that a stored status amounts to: what `hydrant status` shows.
pub(crate) fn conditions_of(status: &Value) -> (&'static str, Vec<String>) {
    let conditions = || status["conditions"].as_array().into_iter().flatten();
    let condition = |kind: &str| conditions().find(|condition| condition["type"] == kind);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut errors = Vec::new();
    for stage in ["source", "rendering", "sync"] {
        errors
            .extend(status[stage]["errors"].as_array().into_iter().flatten().map(|error| text(&error["errorMessage"])));
    }
    if let Some(stalled) = condition("Stalled").filter(|condition| condition["status"] == "True") {
        return ("STALLED", vec![format!("{}: {}", text(&stalled["reason"]), text(&stalled["message"]))]);
    }
    let syncing = condition("Syncing");
    let word = if syncing.is_some_and(|condition| condition["reason"] == "Suspended") {
        "SUSPENDED"
    } else if !errors.is_empty() {
        "ERROR"
    } else {
        match syncing {
            None => "PENDING",
            Some(condition) if condition["status"] == "True" => "SYNCING",
            Some(_) => "SYNCED",
        }
    };
    (word, errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let stage = || Stage { commit: "abc".to_owned(), errors: Vec::new() };
        Report {
            source: stage(),
            rendering: stage(),
            sync: stage(),
            synced: "abc".to_owned(),
            image: "h.example/a:b".to_owned(),
            ..Report::default()
        }
    }

    #[test]
    fn a_finished_sync_reads_as_config_syncs_does() {
        let status = report().status_over(&Value::Null, "t1").expect("new");
        assert_eq!(status["rendering"]["message"], "Rendering skipped");
        let syncing = &status["conditions"][2];
        assert_eq!((&syncing["status"], &syncing["message"]), (&json!("False"), &json!("Sync Completed")));
        assert_eq!(status["sync"]["ociStatus"], json!({"image": "h.example/a:b", "dir": "."}));
        assert_eq!(conditions_of(&status).0, "SYNCED");
    }

    #[test]
    fn nothing_is_written_while_nothing_happens_and_times_move_alone() {
        let first = report().status_over(&Value::Null, "t1").expect("new");
        assert_eq!(report().status_over(&first, "t2"), None);
        let mut failed = report();
        failed.sync.errors.push(Finding { code: "2009", message: "no".to_owned(), object: None });
        let second = failed.status_over(&first, "t2").expect("changed");
        assert_eq!((&second["source"]["lastUpdate"], &second["sync"]["lastUpdate"]), (&json!("t1"), &json!("t2")));
        assert_eq!(second["sync"]["errors"][0]["errorMessage"], "KNV2009: no");
        assert_eq!(second["conditions"][2]["lastTransitionTime"], "t1", "its status is as it was");
        assert_eq!(conditions_of(&second), ("ERROR", vec!["KNV2009: no".to_owned()]));
    }

    #[test]
    fn many_errors_are_counted_and_few_listed() {
        let mut failed = report();
        let finding =
            Finding { code: "2009", message: "no".repeat(3000), object: Some(Box::new(Key::new("", "Pod", "a", "b"))) };
        failed.sync.errors = vec![finding; 250];
        let status = failed.status_over(&Value::Null, "t").expect("new");
        assert_eq!(status["sync"]["errors"].as_array().map(Vec::len), Some(ERRORS_MAX));
        assert_eq!(
            status["sync"]["errorSummary"],
            json!({"totalCount": 250, "truncated": true, "errorCountAfterTruncation": 100})
        );
        assert!(status["sync"]["errors"][0]["errorMessage"].as_str().expect("text").len() <= MESSAGE_BYTES_MAX);
    }
}
