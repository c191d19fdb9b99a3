//! Release names: which ones Helm takes, and the one that stands where none is given.

use crate::diag::{Diagnostic, Result};

/// The name where none is given: Helm sets it before it looks at `--generate-name`, which so has no effect.
pub const NAME_UNSAID: &str = "release-name";

/// Longest release name, in bytes: charts append to it, and Kubernetes stops at 63.
const NAME_BYTES_MAX: usize = 53;

/// Refuses a name that Helm refuses, with code `release-name`.
pub(crate) fn check(name: &str) -> Result<()> {
    let why = if name.is_empty() {
        "no name provided"
    } else if name.len() > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    } else {
        return Ok(());
    };
    Err(Box::new(Diagnostic::input("release-name", format!("release name check failed: release name {name:?}: {why}"))))
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_helm_takes_and_refuses() {
        for good in ["a", "web-1", "a.b-c.d", &"x".repeat(53)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", &"x".repeat(54)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
