//! Release names: which ones Helm takes, and those that it makes up.

use crate::diag::{Diagnostic, Result};

use super::Ambient;

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

/// The name that `--generate-name` makes: the chart's last name up to its first dot, and the time.
pub fn generated_name(chart: &str, ambient: &mut dyn Ambient) -> String {
    let base = chart.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let base = if base.is_empty() || base == "." { "chart" } else { base };
    let base = base.split('.').next().unwrap_or_default();
    format!("{base}-{}", ambient.now().0)
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
