//! The board as text: metrics under Config Sync's names where they fit, and a page for people.

use std::fmt::Write as _;

use serde_json::json;
use tera::{Context, Tera};

use super::board::Row;
use crate::agent::rsync::SyncId;

const PAGE: &str = include_str!("../../../templates/agent/status.html");
/// Errors that the page shows of one sync.
const ERRORS_SHOWN: usize = 20;

/// One metric: its name, its type, what it is, and its value of a row.
type Metric = (&'static str, &'static str, &'static str, fn(&Row) -> f64);

const METRICS: &[Metric] = &[
    ("declared_resources", "gauge", "Objects of the source.", |row| row.declared as f64),
    ("reconciler_errors", "gauge", "Errors of the sync, of all stages.", |row| row.report.errors().count() as f64),
    ("pipeline_error_observed", "gauge", "1 while the sync has errors.", |row| {
        f64::from(u8::from(row.report.errors().next().is_some() || row.report.stalled.is_some()))
    }),
    ("last_sync_timestamp", "gauge", "When the sync last ended without errors, in seconds since 1970.", |row| {
        row.last_sync as f64
    }),
    ("apply_operations_total", "counter", "Objects created or changed.", |row| row.applied as f64),
    ("apply_errors_total", "counter", "Objects that could not be applied, summed over passes.", |row| {
        row.apply_errors as f64
    }),
    ("reconcile_duration_seconds_sum", "counter", "Time spent in passes.", |row| row.pass_seconds),
    ("reconcile_duration_seconds_count", "counter", "Passes.", |row| row.passes as f64),
    ("resource_conflicts_total", "gauge", "Objects that somebody else answers for.", |row| row.conflicts as f64),
    ("resource_fights_total", "counter", "Corrections of objects that others keep changing.", |row| row.fights as f64),
    ("resource_count", "gauge", "Objects of the inventory.", |row| row.inventory as f64),
    ("ready_resource_count", "gauge", "Objects of the inventory that are ready.", |row| {
        row.inventory.saturating_sub(row.unready) as f64
    }),
];

/// All metrics.
pub(super) fn metrics(rows: &[(SyncId, Row)], leading: bool) -> String {
    let mut text = String::new();
    for (name, kind, help, value) in METRICS {
        let base = name.trim_end_matches("_sum").trim_end_matches("_count");
        let family = if name.contains("_seconds_") { base } else { name };
        if !name.ends_with("_seconds_count") {
            let kind = if name.contains("_seconds_") { "summary" } else { kind };
            let _ = writeln!(text, "# HELP {family} {help}\n# TYPE {family} {kind}");
        }
        for (id, row) in rows {
            // names of Kubernetes objects need no escaping
            let SyncId { namespace, name: sync, .. } = id;
            let kind = id.kind();
            let _ = writeln!(
                text,
                "{name}{{configsync_sync_kind=\"{kind}\",configsync_sync_name=\"{sync}\",configsync_sync_namespace=\"{namespace}\"}} {}",
                value(row)
            );
        }
    }
    let _ = writeln!(text, "# HELP hydrant_leader 1 on the replica that writes.\n# TYPE hydrant_leader gauge");
    let _ = writeln!(text, "hydrant_leader {}", u8::from(leading));
    text
}

/// The page.
pub(super) fn page(rows: &[(SyncId, Row)], leading: bool) -> String {
    let mut syncs = Vec::new();
    for (id, row) in rows {
        let mut errors: Vec<String> = row
            .report
            .errors()
            .take(ERRORS_SHOWN)
            .map(|error| format!("KNV{}: {}", error.code, error.message))
            .collect();
        errors.extend(row.report.stalled.iter().map(|refusal| refusal.message.clone()));
        syncs.push(json!({
            "name": id.to_string(),
            "status": row.report.status().word(),
            "image": row.report.image,
            "commit": row.report.source.commit.chars().take(12).collect::<String>(),
            "declared": row.declared,
            "unready": row.unready,
            "errors": errors,
            "would": row.would,
        }));
    }
    let mut context = Context::new();
    context.insert("syncs", &syncs);
    context.insert("leading", &leading);
    Tera::one_off(PAGE, &context, true).unwrap_or_else(|error| format!("the page cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::rsync::Finding;

    fn rows() -> Vec<(SyncId, Row)> {
        let id = SyncId { root: true, namespace: "config-management-system".to_owned(), name: "root-sync".to_owned() };
        let mut row = Row { declared: 3, ..Row::default() };
        let message = "<script>alert(1)</script>".to_owned();
        row.report.sync.errors.push(Finding { code: "2009", message, object: None });
        vec![(id, row)]
    }

    #[test]
    fn metrics_bear_the_names_that_people_alert_on() {
        let text = metrics(&rows(), true);
        let label = "configsync_sync_kind=\"RootSync\",configsync_sync_name=\"root-sync\",configsync_sync_namespace=\"config-management-system\"";
        assert!(text.contains(&format!("\ndeclared_resources{{{label}}} 3\n")), "{text}");
        assert!(text.contains(&format!("\nreconciler_errors{{{label}}} 1\n")), "{text}");
        assert_eq!(text.matches("# TYPE reconcile_duration_seconds ").count(), 1, "{text}");
    }

    #[test]
    fn the_page_shows_what_servers_say_as_text() {
        let html = page(&rows(), false);
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
        assert!(html.contains("RootSync config-management-system/root-sync"), "{html}");
    }
}
