//! One revision of a git repository, as files: over smart HTTP, or from a repository on this machine.
//!
//! In: a URL that git itself would take, and a revision. Out: a [`GitTree`], submodules included. Only what that needs of
//! git is here: one commit without its history is asked for, its pack is unpacked, its tree is walked. Every object is
//! hashed, so what a server sends is what its names say; what a lock pins is a SHA-256 over all files, not git's SHA-1.
//! Nothing is written, no process is started, and ssh, which needs one, is refused by name.

mod inflate;
mod local;
mod object;
mod pack;
mod packet;
mod remote;
mod revision;
mod tree;

use std::time::Duration;

use super::web::{Web, parse_url};
use crate::diag::{Diagnostic, Result};
use local::Local;
use object::{Id, Objects};

pub(crate) use revision::{Found, Revision, Stand};
pub(crate) use tree::{GitTree, Node};

/// How deep submodules may nest.
const SUBMODULE_DEPTH_MAX: usize = 8;
/// Most submodules in all.
const SUBMODULES_MAX: usize = 64;

/// A repository at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GitWanted {
    /// What `git clone` would be given.
    pub(crate) url: String,
    /// A branch, a tag, or a whole commit id; empty for the default branch.
    pub(crate) revision: String,
    /// Whether submodules are fetched, too.
    pub(crate) submodules: bool,
    /// Time that it may take in all.
    pub(crate) timeout: Duration,
}

/// Fetches a repository at a revision. Fails with codes `git-*` and `web-*`.
pub(super) async fn fetch(web: &Web, wanted: &GitWanted) -> Result<GitTree> {
    let Ok(fetched) = tokio::time::timeout(wanted.timeout, all(web, wanted)).await else {
        let text = format!("`{}` was not fetched within {} seconds", wanted.url, wanted.timeout.as_secs());
        let fault = Diagnostic::unreachable("git-timeout", text);
        return Err(Box::new(fault.hint("allow more time with `?timeout=120s` in the URL")));
    };
    fetched
}

async fn all(web: &Web, wanted: &GitWanted) -> Result<GitTree> {
    let (objects, id) = open(web, &wanted.url, &wanted.revision).await?;
    let (commit, mut tree) = tree::checkout(&*objects, id, &wanted.url)?;
    let mut waiting: Vec<_> = if wanted.submodules { tree.submodules("", &wanted.url, 0)? } else { Vec::new() };
    let mut fetched = 0;
    while let Some(module) = waiting.pop() {
        fetched += 1;
        if fetched > SUBMODULES_MAX || module.depth > SUBMODULE_DEPTH_MAX {
            let text = format!(
                "`{}` has more than {SUBMODULES_MAX} submodules, or nests them deeper than {SUBMODULE_DEPTH_MAX}",
                wanted.url
            );
            return Err(Box::new(
                Diagnostic::input("git-submodules", text).hint("leave them out with `?submodules=false`"),
            ));
        }
        let step = |fault: Box<Diagnostic>| {
            Box::new(fault.trail(format!("in submodule `{}` of `{}`", module.path, wanted.url), None))
        };
        let (objects, id) = open(web, &module.url, &module.commit).await.map_err(step)?;
        let (_, below) = tree::checkout(&*objects, id, &module.url).map_err(step)?;
        waiting.extend(below.submodules(&module.path, &module.url, module.depth).map_err(step)?);
        tree.graft(&module.path, below);
    }
    tree.commit = commit;
    Ok(tree)
}

/// The objects of a repository that a revision needs, and the id that the revision names.
async fn open(web: &Web, url: &str, revision: &str) -> Result<(Box<dyn Objects + Send>, Id)> {
    if let Some(path) = url.strip_prefix("file://") {
        let repository = Local::open(path)?;
        let id = repository.resolve(revision)?;
        return Ok((Box::new(repository), id));
    }
    if url.starts_with("http://") || url.starts_with("https://") {
        let (pack, id) = remote::fetch(web, &parse_url(url)?, revision).await?;
        return Ok((Box::new(pack), id));
    }
    let text = format!("`{url}` is reached over ssh, which needs a program");
    Err(Box::new(Diagnostic::input("git-ssh", text).hint("write it as `https://host/org/repository`")))
}

/// The names that a revision may stand for, as git tries them.
fn candidates(revision: &str) -> Vec<String> {
    let revision = if revision.is_empty() { "HEAD" } else { revision };
    let forms = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
    forms.iter().map(|form| format!("{form}{revision}")).chain([format!("refs/remotes/{revision}/HEAD")]).collect()
}

fn no_revision(url: &str, revision: &str) -> Box<Diagnostic> {
    let shown = if revision.is_empty() { "HEAD" } else { revision };
    let fault = Diagnostic::input("git-no-revision", format!("couldn't find remote ref `{shown}` in `{url}`"));
    Box::new(fault.hint("name a branch, a tag, or a commit by all of its 40 digits"))
}

fn broken(url: &str, why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::unreachable("git-broken", format!("`{url}` {why}"));
    Box::new(fault.hint("check that the URL is a git repository's, and that it is whole: `git fsck`"))
}
