//! Charts and bases from elsewhere: chart repositories, OCI charts, plain files and git, their versions, and lock files.
//!
//! In: what a render lacks, as [`Wanted`] charts, URLs of files, and [`GitWanted`] trees. Out: bytes whose digest is known,
//! from the network or from a [`Store`] that `cli` keeps on disk. Nothing here renders, and nothing a render does comes
//! here: the list of what is lacking is made first, fetched as a whole, and [`Pins`] (`hydrant.lock`) is what it came to.
//!
//! * [`Fetcher`] is the front: charts, files and git trees, each pinned by a digest or found anew.
//! * [`Repositories`] is Helm's `repositories.yaml`; [`Dependency`] and [`Lock`] are its `Chart.lock`.
//! * `index` reads an index of any size as a stream; `git` speaks git's own protocol; [`Logins`] says who we
//!   are to its servers. No process is started here.

mod dependency;
mod fetcher;
mod git;
mod http;
mod index;
mod oci;
mod pins;
mod repositories;
mod version;
mod web;

#[cfg(test)]
mod faults;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;

pub(crate) use dependency::{Dependency, Lock, lock_digest, requirement_digest};
pub(crate) use fetcher::{Fetcher, Mode};
pub(crate) use git::{Found, GitTree, GitWanted, Node, Revision, Stand};
pub(crate) use http::Repository;
pub(crate) use pins::{BasePin, ChartPin, FilePin, LOCK_FILE, Pins};
pub(crate) use repositories::{Repositories, RepositoryEntry};
pub(crate) use version::DEVEL;
pub(crate) use web::{Access, Login, Logins, Tls, Web, WebOptions};

/// Largest packed chart read, in bytes: what Helm unpacks at most, and some.
pub(crate) const CHART_BYTES_MAX: usize = 128 << 20;

/// Where a chart comes from.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A chart repository that is asked for its index.
    Repository(Repository),
    /// A chart repository whose index is at hand, as Helm keeps it after `helm repo update`.
    Indexed(Repository, Arc<[u8]>),
    /// An OCI repository: the whole reference, with a tag or digest or without.
    Oci(String),
    /// A packed chart at a URL; the repository says who we are to its host.
    Url(String, Repository),
}

/// A chart that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Where it comes from.
    pub(crate) place: Place,
    /// Its name there.
    pub(crate) name: String,
    /// The version or range; empty for the newest stable one.
    pub(crate) version: String,
}

impl Wanted {
    /// The repository as lock files and messages name it.
    pub(crate) fn repository(&self) -> &str {
        match &self.place {
            Place::Repository(repository) | Place::Indexed(repository, _) => &repository.url,
            Place::Oci(reference) => reference,
            Place::Url(url, _) => url,
        }
    }
}

/// A chart's version, found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Located {
    /// The chart's name.
    pub(crate) name: String,
    /// The version as its repository writes it; empty where only a digest or URL is known.
    pub(crate) version: String,
    /// Where the packed chart is.
    pub(crate) url: String,
    /// Its digest, if the repository says it.
    pub(crate) digest: Option<Digest>,
    /// What is worth saying about the choice.
    #[serde(skip)]
    pub(crate) remark: Option<Diagnostic>,
}

impl Located {
    /// The name of the packed chart's file, as Helm names it.
    pub(crate) fn file_name(&self) -> String {
        let last = self.url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        if !self.url.starts_with("oci://") {
            return last.to_owned();
        }
        match last.split_once('@') {
            // Helm takes the digest apart at its colon
            Some((name, digest)) => {
                format!("{}@{}.tgz", name.split(':').next().unwrap_or_default(), digest.replacen(':', "-", 1))
            }
            None => format!("{}-{}.tgz", self.name, self.version),
        }
    }
}

/// A packed chart.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Its digest.
    pub(crate) digest: Digest,
    /// Its bytes, a `.tgz`.
    pub(crate) bytes: Arc<[u8]>,
    /// Its provenance file, if that was asked for.
    pub(crate) provenance: Option<Arc<[u8]>>,
    /// Digest of the manifest that names it, where it came from a registry.
    pub(crate) manifest: Option<Digest>,
}

/// What is kept on disk between runs, by content; runs side by side may share it.
pub(crate) trait Store: Send + Sync {
    /// The bytes that have a digest, if they are there. What is not what it should be is as good as not there.
    fn get(&self, digest: &Digest) -> Option<Arc<[u8]>>;

    /// Keeps bytes under their digest.
    fn put(&self, bytes: &[u8]) -> Result<Digest>;

    /// What was last noted under a name.
    fn recall(&self, name: &str) -> Option<String>;

    /// Notes a short text under a name.
    fn note(&self, name: &str, text: &str) -> Result<()>;
}
