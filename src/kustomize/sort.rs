//! The order in which objects are printed.

use super::config::{ORDER_FIRST, ORDER_LAST, sort_text};
use super::decode;
use super::resmap::ResMap;
use super::resource::Resource;
use super::transformer::Context;
use crate::diag::{Diagnostic, Result};
use crate::value::{Text, Tree};

/// Sorts as `sortOptions` say; null means as none are given.
pub(crate) fn sort(resources: &mut ResMap, options: &Tree, default_fifo: bool, context: &Context<'_>) -> Result<()> {
    if options.is_null() {
        if !default_fifo {
            legacy(resources, ORDER_FIRST, ORDER_LAST, context);
        }
        return Ok(());
    }
    let order = decode::text(options, "order");
    let own = options.get("legacySortOptions");
    match (order.as_str(), own) {
        ("fifo", None) => Ok(()),
        ("fifo", Some(_)) => {
            let message = "`sortOptions.legacySortOptions` is set but the order is `fifo`, not `legacy`";
            Err(Box::new(Diagnostic::input("kustomize-sort-options", message)))
        }
        ("legacy", None) => {
            legacy(resources, ORDER_FIRST, ORDER_LAST, context);
            Ok(())
        }
        ("legacy", Some(own)) => {
            legacy(resources, &decode::texts(own, "orderFirst"), &decode::texts(own, "orderLast"), context);
            Ok(())
        }
        _ => {
            let message = format!("`sortOptions.order` must be `legacy` or `fifo`, not `{order}`");
            Err(Box::new(Diagnostic::input("kustomize-sort-options", message)))
        }
    }
}

/// What an object is sorted by, computed once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: i64,
    /// Kinds in the same place go by group, version and kind; core Namespaces go before others, newest version first.
    core_namespace_last: bool,
    core_version: std::cmp::Reverse<Text>,
    gvk: String,
    name: String,
}

fn legacy<T: AsRef<str>>(resources: &mut ResMap, first: &[T], last: &[T], context: &Context<'_>) {
    let scopes = context.scopes();
    let place = |resource: &Resource| {
        let id = resource.current_id(scopes);
        let kind = id.gvk.kind.as_str();
        // A kind named in both lists, or twice in one, goes by its last mention.
        let at = |list: &[T]| list.iter().rposition(|other| other.as_ref() == kind);
        let or = |text: &Text, none: &'static str| if text.is_empty() { none.to_owned() } else { text.to_string() };
        let place = match (at(first), at(last)) {
            (_, Some(at)) => 1 + at as i64,
            (Some(at), None) => at as i64 - first.len() as i64,
            (None, None) => 0,
        };
        let namespace = kind == "Namespace" && place != 0 && context.profile.core_namespaces_sort_first();
        let core = namespace && id.gvk.group.is_empty();
        Place {
            kind: place,
            core_namespace_last: namespace && !core,
            core_version: std::cmp::Reverse(if core { id.gvk.version.clone() } else { Text::default() }),
            gvk: sort_text(&id.gvk),
            name: format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N")),
        }
    };
    resources.list_mut().sort_by_cached_key(place);
}
