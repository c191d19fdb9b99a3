//! What a check found: a code, a word, and the place in an object.

use std::fmt::Write as _;

use crate::diag::Severity;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check: a row of [`super::codes::CODES`].
    pub code: &'static str,
    /// How grave.
    pub severity: Severity,
    /// The object, as an index into the set.
    pub object: usize,
    /// Keys and indices from the object's root to the place.
    pub path: Vec<String>,
    /// One line.
    pub message: String,
    /// What to try; may be empty.
    pub hint: String,
    /// The policy that says so (`K8sRequiredLabels/ns-must-have-owner`); empty for Hydrant's own checks.
    pub policy: String,
}

impl Finding {
    /// An error at a place.
    pub(super) fn error(code: &'static str, object: usize, path: &[String], message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: Severity::Error,
            object,
            path: path.to_vec(),
            message: message.into(),
            hint: String::new(),
            policy: String::new(),
        }
    }

    /// A warning at a place.
    pub(super) fn warning(code: &'static str, object: usize, path: &[String], message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, object, path, message) }
    }

    /// Adds advice.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = hint.into();
        self
    }

    /// Names the policy.
    #[must_use]
    pub(super) fn of_policy(mut self, policy: impl Into<String>) -> Finding {
        self.policy = policy.into();
        self
    }

    /// The path as people write it: `spec.containers[0].image`; empty for the object.
    pub fn field(&self) -> String {
        field(&self.path)
    }
}

/// A path as people write it.
pub(super) fn field(path: &[String]) -> String {
    let mut out = String::new();
    for step in path {
        // writing to a string cannot fail
        let _ = match step {
            step if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) => write!(out, "[{step}]"),
            step if step.contains(['.', '/']) => write!(out, "[{step:?}]"),
            step if out.is_empty() => write!(out, "{step}"),
            step => write!(out, ".{step}"),
        };
    }
    out
}
