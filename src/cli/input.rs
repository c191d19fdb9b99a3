//! What a SOURCE argument names: standard input, something to render, or an artifact.

#![expect(clippy::disallowed_methods, reason = "relative paths are seen from the working folder, which only `cli` knows")]

use crate::diag::{Diagnostic, Result};
use crate::oci::Location;
use crate::source;

/// A SOURCE, OLD or NEW argument, understood but not yet read.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// `-`: manifests on standard input.
    Stdin,
    /// A path: kustomization, chart, folder of manifests, or a file of manifests. Absolute and clean.
    Path(String),
    /// `oci://…` or `oci-layout:DIR:TAG`.
    Artifact(Location),
}

impl Input {
    /// Understands an argument; fails with code `source-kind` for kinds that are named but not read.
    pub(super) fn parse(argument: &str) -> Result<Input> {
        if argument == "-" {
            return Ok(Input::Stdin);
        }
        if argument.starts_with("oci://") || argument.starts_with("oci-layout:") {
            return Ok(Input::Artifact(Location::parse(argument)?));
        }
        for (prefix, what) in [("git:", "git revisions"), ("live:", "a live cluster"), ("https://", "URLs"), ("http://", "URLs")] {
            if argument.starts_with(prefix) {
                let message = format!("`{argument}` names {what}, which this version does not read as a source");
                return Err(Box::new(Diagnostic::input("source-kind", message).hint("check it out and give its path, or give an `oci://` reference")));
            }
        }
        Ok(Input::Path(absolute(argument)?))
    }
}

/// The absolute, clean form of a path argument.
pub(super) fn absolute(argument: &str) -> Result<String> {
    if argument.starts_with('/') {
        return Ok(source::clean(argument));
    }
    let unusable = |why: String| Box::new(Diagnostic::input("working-folder", format!("the working folder cannot be used: {why}")));
    let here = std::env::current_dir().map_err(|error| unusable(error.to_string()))?;
    let here = here.to_str().ok_or_else(|| unusable("its path is not UTF-8".to_owned()))?;
    Ok(source::join(here, argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_unread_ones_are_refused_by_name() {
        assert!(matches!(Input::parse("-"), Ok(Input::Stdin)));
        assert!(matches!(Input::parse("/a/../b"), Ok(Input::Path(path)) if path == "/b"));
        assert!(matches!(Input::parse("oci-layout:/tmp/x:v1"), Ok(Input::Artifact(_))));
        let fault = Input::parse("git:main:deploy").expect_err("not read");
        assert!(fault.message.contains("git revisions"), "{fault:?}");
    }
}
