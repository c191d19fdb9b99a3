//! Which of a chart's versions is meant, as Helm decides it.

use crate::diag::{Diagnostic, Result};
use crate::go::semver::{Constraints, Version};

/// What `--devel` stands for where no version is asked for.
pub(crate) const DEVEL: &str = ">0.0.0-0";

/// The place of the version that `wanted` means among `versions`, which are sorted newest first: the one written just so,
/// else the newest that the constraint admits; nothing asked means the newest stable one. Nothing if there is none.
pub(super) fn choose<'a>(versions: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Result<Option<usize>> {
    let constraint = if wanted.is_empty() { "*" } else { wanted };
    let constraint = Constraints::parse(constraint).map_err(|why| {
        let fault =
            Diagnostic::input("chart-version", format!("`{wanted}` is no version and no range of versions: {why}"));
        Box::new(fault.hint("write a version as `1.2.3` or a range as `^1.2`"))
    })?;
    if !wanted.is_empty()
        && let Some(place) = versions.clone().position(|version| version == wanted)
    {
        return Ok(Some(place));
    }
    let mut versions = versions;
    Ok(versions.position(|version| Version::parse(version).is_ok_and(|version| constraint.check(&version))))
}

/// True if a text asks for a range rather than for one version.
pub(super) fn is_range(wanted: &str) -> bool {
    if wanted.is_empty() || wanted.contains(['^', '~', '<', '>', '=', '!', '*', '|']) || wanted.contains(" - ") {
        return true;
    }
    let core = wanted.split(['-', '+']).next().unwrap_or_default();
    core.contains(['x', 'X'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_one_wins_then_the_newest_that_fits() {
        let versions = ["2.0.0-rc.1", "1.10.0", "1.2.0+b", "1.2.0", "0.9.0"];
        let chosen =
            |wanted: &str| choose(versions.iter().copied(), wanted).expect("a constraint").map(|at| versions[at]);
        assert_eq!(chosen(""), Some("1.10.0"));
        assert_eq!(chosen(DEVEL), Some("2.0.0-rc.1"));
        assert_eq!(chosen("^1.0"), Some("1.10.0"));
        assert_eq!(chosen("~1.2"), Some("1.2.0+b"));
        assert_eq!(chosen("1.2.0"), Some("1.2.0"));
        assert_eq!(chosen("1.2"), Some("1.2.0+b"));
        assert_eq!(chosen("3.0.0"), None);
        assert_eq!(choose(versions.iter().copied(), "newest").expect_err("no version").code, "chart-version");
    }

    #[test]
    fn ranges_are_told_from_versions() {
        for range in ["", "^1", "1.x", ">=1", "1 - 2", "*"] {
            assert!(is_range(range), "{range}");
        }
        for version in ["1.2.3", "v1.2.3", "1.2.3-xyz"] {
            assert!(!is_range(version), "{version}");
        }
    }
}
