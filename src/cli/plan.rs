//! A plan: what a reviewed diff may do, as a signed statement attached to the artifact that does it; and a sync held to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::Event;
use crate::diag::{Diagnostic, Result};
use crate::diff::{Change, Report, Side};
use crate::manifest::Set;
use crate::oci::Location;
use crate::registry::Client;
use crate::trust::{self, Attached, PrivateKey, Standing, Statement};

/// The predicate type of a plan: `from`, and `changes` of `action` (create, update, delete), `kind`, `group`, `namespace`, `name`.
pub(super) const PLAN: &str = "https://github.com/hydrant-dev/hydrant/plan/v1";

/// How many objects beyond a plan are named.
const NAMED_MAX: usize = 10;

/// What may be done: the action, and the object as it names itself.
type Step = (&'static str, String);

/// The statement's predicate.
fn predicate(report: &Report) -> Value {
    let change = |action: &str, side: &Side| {
        json!({
            "action": action, "group": side.id.group.as_str(), "kind": side.id.kind.as_str(),
            "namespace": side.id.namespace.as_str(), "name": side.id.name.as_str(),
        })
    };
    let mut changes = Vec::new();
    for object in report.roots.iter().flat_map(|root| &root.diff.objects) {
        match (object.change(), &object.old, &object.new) {
            (Change::Added, _, Some(new)) => changes.push(change("create", new)),
            (Change::Removed, Some(old), _) => changes.push(change("delete", old)),
            // another identity is another object to a cluster
            (Change::Changed, Some(old), Some(new)) if !old.id.same_object(&new.id) => {
                changes.push(change("create", new));
                changes.push(change("delete", old));
            }
            (_, _, Some(new)) => changes.push(change("update", new)),
            _ => {}
        }
    }
    json!({ "from": report.old, "changes": changes })
}

/// Attaches the plan to the artifact at a location, which must hold just the objects of the new side.
pub(super) async fn attach(
    client: &Client,
    location: &Location,
    report: &Report,
    new: &Set,
    held: &Set,
    key: &PrivateKey,
) -> Result<()> {
    let sorted = |set: &Set| {
        let mut texts: Vec<String> = set.objects.iter().map(|object| crate::yaml::to_json(object.tree())).collect();
        texts.sort();
        texts
    };
    if sorted(new) != sorted(held) {
        let text = format!("`{location}` does not hold the objects of the new side");
        return Err(Box::new(
            Diagnostic::input("plan-other", text).hint("push the new side first, and plan what was pushed"),
        ));
    }
    let digest = client.resolve(location).await?;
    let pinned = location.with_digest(digest);
    let artifact = client.pull(&pinned).await?;
    let statement = Statement::about(digest, &location.to_string(), PLAN, predicate(report));
    let attachment = statement.attach_signed(artifact.descriptor(), key)?;
    client.attach(&pinned, digest, &[attachment], &mut |_| {}).await.map(drop)
}

/// What a signed plan allows.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    steps: BTreeSet<Step>,
}

impl Plan {
    /// The plans among what is attached that were signed with the key; several allow what each of them does.
    pub(super) fn read(attached: &[(Attached, Standing)], location: &Location) -> Result<Plan> {
        let signed = attached.iter().filter(|(_, standing)| *standing == Standing::Signed);
        let mut statements = signed
            .filter_map(|(piece, _)| piece.statement.as_ref())
            .filter(|one| one.predicate_type == PLAN)
            .peekable();
        if statements.peek().is_none() {
            let text = format!("`{location}` has no plan signed with this key");
            return Err(Box::new(
                Diagnostic::input("plan-missing", text)
                    .hint("attach one with `hydrant diff OLD NEW --plan REF --sign KEY`"),
            ));
        }
        let mut steps = BTreeSet::new();
        for change in statements.flat_map(|one| one.predicate["changes"].as_array().into_iter().flatten()) {
            let text = |field: &str| change[field].as_str().unwrap_or_default();
            let action = match text("action") {
                "create" => "create",
                "delete" => "delete",
                _ => "update",
            };
            let group = if text("group").is_empty() { String::new() } else { format!(".{}", text("group")) };
            let namespace =
                if text("namespace").is_empty() { String::new() } else { format!("{}/", text("namespace")) };
            steps.insert((action, format!("{}{group} {namespace}{}", text("kind"), text("name"))));
        }
        Ok(Plan { steps })
    }

    /// What of the events of a dry run goes beyond the plan.
    pub(super) fn beyond(&self, events: &[Step]) -> Vec<Step> {
        events.iter().filter(|step| !self.steps.contains(step)).cloned().collect()
    }
}

/// The step that an event of a sync is, if it changes anything.
pub(super) fn step(event: &Event) -> Option<Step> {
    match event {
        Event::Created(key) => Some(("create", key.to_string())),
        Event::Configured(key) => Some(("update", key.to_string())),
        Event::Pruned(key) | Event::Deleting(key) => Some(("delete", key.to_string())),
        _ => None,
    }
}

/// The fault of a sync that would do more than was planned.
pub(super) fn exceeded(beyond: &[Step]) -> Box<Diagnostic> {
    let mut named: Vec<String> =
        beyond.iter().take(NAMED_MAX).map(|(action, name)| format!("{action} `{name}`")).collect();
    if beyond.len() > NAMED_MAX {
        named.push(format!("{} more", beyond.len() - NAMED_MAX));
    }
    let text = format!("the sync would do what the plan does not allow: {}", named.join(", "));
    Box::new(
        Diagnostic::input("plan-exceeded", text)
            .hint("compare the cluster with the artifact, `hydrant diff live: REF`, and attach a new plan"),
    )
}

/// Reads and checks an artifact with its plan.
pub(super) async fn verified(
    client: &Client,
    location: &Location,
    key: &trust::PublicKey,
) -> Result<(trust::Report, Plan)> {
    let report = trust::verify(client, location, key, &[PLAN.to_owned()]).await?;
    let plan = Plan::read(&report.attached, location)?;
    Ok((report, plan))
}
