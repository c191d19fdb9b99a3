//! What a SOURCE argument names: standard input, something to render, or an artifact.

#![expect(
    clippy::disallowed_methods,
    reason = "relative paths are seen from the working folder, which only `cli` knows"
)]

use std::io::Read as _;

use crate::archive::LayerLimits;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::Set;
use crate::oci::{Digest, Location};
use crate::package::{self, unpack};
use crate::render::{self, Options, Rendered};
use crate::source::{self, Source};

use super::bring::{FetchFlags, settle};
use super::connection::{ConnectionArgs, wait};
use super::git_source::{GitPath, GitSource};
use super::seed::{self, SeedArgs};
use super::terminal::Terminal;

/// Most bytes read from standard input.
const STDIN_BYTES_MAX: u64 = 1 << 30;

/// A SOURCE, OLD or NEW argument, understood but not yet read.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// `-`: manifests on standard input.
    Stdin,
    /// A path: kustomization, chart, folder of manifests, or a file of manifests. Absolute and clean.
    Path(String),
    /// `oci://…` or `oci-layout:DIR:TAG`.
    Artifact(Location),
    /// `git:REV:PATH`, a revision of the repository that the working folder is in.
    Git(GitPath),
    /// `live:`, the objects of the other side as a cluster has them.
    Live,
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
        if let Some(rest) = argument.strip_prefix("git:") {
            return Ok(Input::Git(GitPath::parse(rest, &absolute(".")?)?));
        }
        if argument == "live:" {
            return Ok(Input::Live);
        }
        if argument.starts_with("https://") || argument.starts_with("http://") {
            let message = format!("`{argument}` names a URL, which this version does not read as a source");
            return Err(Box::new(
                Diagnostic::input("source-kind", message)
                    .hint("check it out and give its path, or give an `oci://` reference"),
            ));
        }
        Ok(Input::Path(absolute(argument)?))
    }
}

/// The fault of a kind of source that a command does not take.
pub(super) fn refused(argument: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("source-kind", format!("`{argument}` is not read by this command"));
    Box::new(fault.hint("check it out and give its path, or give an `oci://` reference"))
}

/// Reads or renders what an argument names; warnings go to the terminal.
pub(super) fn objects(
    argument: &str,
    profile: Profile,
    connection: &ConnectionArgs,
    fetch: &FetchFlags,
    terminal: &Terminal,
) -> Result<Set> {
    let rendered = match Input::parse(argument)? {
        Input::Stdin => return Set::parse(&SourceText::new("standard input", stdin()?)),
        Input::Artifact(location) => return Ok(artifact(&location, connection)?.0),
        Input::Live => return Err(refused(argument)),
        Input::Path(path) => rendered(&path, profile, fetch, terminal)?,
        Input::Git(git) => {
            rendered_from(&GitSource::open(&git)?, &git.path, &Options::of(profile), &SeedArgs::default())?
        }
    };
    rendered.warnings.iter().for_each(|warning| terminal.report(warning));
    seed::warn_unsteady(&rendered.unsteady, terminal);
    Ok(rendered.set)
}

/// The objects of an artifact, and its digest.
pub(super) fn artifact(location: &Location, connection: &ConnectionArgs) -> Result<(Set, Digest)> {
    let artifact = wait(connection.client()?.pull(location))?;
    Ok((package::objects(unpack(&artifact, &LayerLimits::default())?)?, artifact.digest))
}

/// Renders what stands at an absolute path on disk.
pub(super) fn rendered(path: &str, profile: Profile, fetch: &FetchFlags, terminal: &Terminal) -> Result<Rendered> {
    let seed = SeedArgs::default();
    settle(path, &Options::of(profile), fetch, terminal, |source, options| rendered_from(source, path, options, &seed))
}

/// Renders what stands at an absolute path of a source.
pub(super) fn rendered_from(source: &dyn Source, path: &str, options: &Options, seed: &SeedArgs) -> Result<Rendered> {
    render::render(source, path, options, &mut seed.world(false)?)
}

/// Everything on standard input.
pub(super) fn stdin() -> Result<String> {
    let mut text = String::new();
    let unreadable =
        |why: String| Box::new(Diagnostic::input("stdin", format!("standard input cannot be read: {why}")));
    std::io::stdin()
        .take(STDIN_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > STDIN_BYTES_MAX {
        return Err(unreadable(format!("it is longer than {STDIN_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The absolute, clean form of a path argument.
pub(super) fn absolute(argument: &str) -> Result<String> {
    if argument.starts_with('/') {
        return Ok(source::clean(argument));
    }
    let unusable = |why: String| {
        Box::new(Diagnostic::input("working-folder", format!("the working folder cannot be used: {why}")))
    };
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
        assert!(matches!(Input::parse("live:"), Ok(Input::Live)));
        let fault = Input::parse("https://x.example/y").expect_err("not read");
        assert!(fault.message.contains("a URL"), "{fault:?}");
    }
}
