//! What goes wrong between us and a cluster, sorted by what the caller can do about it.

use std::fmt;

use crate::diag::Diagnostic;

/// What a caller can do about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The kind, or the namespace, is not there yet: worth another try.
    NotYet,
    /// The object is not the one that was looked at: look again.
    Raced,
    /// Its kind is not served: worth another try once a definition appears.
    UnknownKind,
    /// Somebody else answers for the object.
    Conflict,
    /// The server will not take this object as it is; trying again is of no use.
    Rejected,
    /// The server does not allow it to us.
    Forbidden,
    /// The server failed at it, by its own account: worth a few tries.
    ServerError,
    /// The server could not be asked, after all retries.
    Unreachable,
}

/// One fault of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What can be done.
    pub(crate) kind: FaultKind,
    /// What the server said, or why it could not be asked.
    pub(crate) message: String,
    /// A number that the caller gave it; empty for what servers say.
    pub(crate) code: &'static str,
}

impl Fault {
    /// A fault of a kind.
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into(), code: "" }
    }

    /// The same fault under a number of the caller's.
    pub(crate) fn code(mut self, code: &'static str) -> Fault {
        self.code = code;
        self
    }

    /// The fault as an error of the whole run, with what was being done.
    pub(crate) fn diagnostic(&self, doing: &str) -> Diagnostic {
        let message = format!("cannot {doing}: {}", self.message);
        match self.kind {
            FaultKind::Forbidden => Diagnostic::input("cluster-forbidden", message)
                .hint("grant the right to the account that Hydrant runs as, or pass another `--context`"),
            FaultKind::Rejected | FaultKind::Conflict => Diagnostic::input("cluster-rejected", message),
            FaultKind::Raced => Diagnostic::unreachable("cluster-raced", message)
                .hint("run it again: something else wrote at the same time"),
            FaultKind::NotYet | FaultKind::UnknownKind | FaultKind::ServerError | FaultKind::Unreachable => {
                Diagnostic::unreachable("cluster-unreachable", message)
                    .hint("check that the cluster answers, and the `--context` and `--kubeconfig` in use")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
