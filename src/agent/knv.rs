//! Config Sync's error numbers (`KNV2009`), by which people's alerts know what went wrong.

use super::rsync::Finding;
use crate::cluster::{Fault, FaultKind, Key};

/// The number of a fault of one object, or of the whole cluster.
pub(super) fn code(fault: &Fault) -> &'static str {
    if !fault.code.is_empty() {
        return fault.code;
    }
    match fault.kind {
        FaultKind::UnknownKind => "1021",
        FaultKind::Conflict => "1060",
        FaultKind::Raced => "2008",
        FaultKind::Forbidden => "2013",
        FaultKind::Unreachable => "2002",
        FaultKind::NotYet | FaultKind::Rejected | FaultKind::ServerError => "2009",
    }
}

/// The number of a diagnostic that ended a whole pass, by its code.
pub(super) fn code_of(code: &str) -> &'static str {
    match code {
        "duplicate-object" => "1029",
        "empty-source" | "all-namespaces-removed" => "2006",
        "cluster-forbidden" => "2013",
        "cluster-raced" => "2008",
        "cluster-unreachable" => "2002",
        _ => "2009",
    }
}

/// The error that a status lists for an object.
pub(super) fn finding(key: &Key, fault: &Fault) -> Finding {
    Finding { code: code(fault), message: format!("`{key}`: {fault}"), object: Some(Box::new(key.clone())) }
}
