//! `live:` as a side of a diff: each object of the other side as it stands, and as the server would make it.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::cluster::{Api, Connection, FaultKind, Preview};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::{Object, Origin, Set};
use crate::yaml;

use super::connection::wait;
use super::diff_sides::Pair;
use super::terminal::Terminal;

/// How many objects the server is asked about at a time.
const TOGETHER_MAX: usize = 16;

/// The objects as they stand (old), and as a server-side apply would leave them (new). What the server would refuse is told
/// of, and on neither side.
pub(super) fn preview(
    set: &Set,
    (kubeconfig, context): &(Option<PathBuf>, Option<String>),
    terminal: &Terminal,
) -> Result<Pair> {
    let connection = Connection { kubeconfig: kubeconfig.clone(), context: context.clone() };
    wait(async {
        let api = Api::connect(&connection).await?;
        let asked = set.objects.iter().map(|object| {
            let api = &api;
            async move { (object, api.preview(object).await) }
        });
        // in the order of the set, so that the report is the same each time
        let answers: Vec<_> = stream::iter(asked).buffered(TOGETHER_MAX).collect().await;
        let mut pair = Pair { old: Set::default(), new: Set::default(), refused: 0 };
        for (object, answer) in answers {
            match answer {
                Ok(Preview { now, then }) => {
                    pair.old.objects.extend(now.map(|now| read(&now, &object.origin)).transpose()?);
                    pair.new.objects.push(read(&then, &object.origin)?);
                }
                Err(fault) if fault.kind == FaultKind::Rejected => {
                    pair.refused += 1;
                    let text = format!("the server would refuse `{}`: {}", object.id, fault.message);
                    terminal.report(&Diagnostic::warning("diff-refused", text));
                }
                Err(fault) => return Err(Box::new(fault.diagnostic(&format!("ask about `{}`", object.id)))),
            }
        }
        Ok(pair)
    })
}

fn read(value: &Value, origin: &Arc<Origin>) -> Result<Object> {
    let text = SourceText::new("the cluster", value.to_string());
    Ok(Object::new(yaml::parse(&text, yaml::Dialect::V2)?, origin.clone()))
}
