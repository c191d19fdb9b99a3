//! The front of the room: what is wanted, from the store or from the network, its digest checked either way.

use std::sync::Arc;

use super::git::{self, GitTree, GitWanted};
use super::index;
use super::pins::{BasePin, ChartPin, FilePin};
use super::web::{Access, Ask, Web, parse_url, shown};
use super::{Located, Packed, Place, Store, Wanted, http, oci};
use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;
use crate::registry::Client;

/// Largest plain file read, in bytes.
const FILE_BYTES_MAX: usize = 64 << 20;

/// Whether the network may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It may.
    Online,
    /// Only what is in the store counts.
    Offline,
}

/// Fetches charts, files and git trees.
pub(crate) struct Fetcher {
    web: Web,
    registries: Client,
    store: Arc<dyn Store>,
    mode: Mode,
}

impl Fetcher {
    /// A fetcher that keeps what it fetches in `store`.
    pub(crate) fn new(web: Web, registries: Client, store: Arc<dyn Store>, mode: Mode) -> Fetcher {
        Fetcher { web, registries, store, mode }
    }

    /// Finds the version of a chart that is meant.
    pub(crate) async fn locate(&self, wanted: &Wanted) -> Result<Located> {
        let note = format!("chart {} {} {}", wanted.repository(), wanted.name, wanted.version);
        if self.mode == Mode::Offline && !matches!(wanted.place, Place::Indexed(..)) {
            let known = self.store.recall(&note).and_then(|text| serde_json::from_str(&text).ok());
            return known.ok_or_else(|| offline(&format!("chart `{}` of `{}`", wanted.name, wanted.repository())));
        }
        let located = match &wanted.place {
            Place::Repository(repository) => self.web.locate(repository, &wanted.name, &wanted.version).await?,
            Place::Indexed(repository, index) => {
                let index = index::read(&index[..], &wanted.name, &format!("{} (as cached by helm)", repository.url))?;
                http::choose_from(&index, repository, &wanted.name, &wanted.version)?
            }
            Place::Oci(reference) => oci::locate(&self.registries, reference, &wanted.version).await?,
            Place::Url(url, _) => Located {
                name: wanted.name.clone(),
                version: String::new(),
                url: url.clone(),
                digest: None,
                remark: None,
            },
        };
        Ok(located)
    }

    /// The packed chart that was located. Fails with `chart-digest` if it is not the one that its index lists.
    pub(crate) async fn packed(&self, wanted: &Wanted, located: &Located, provenance: bool) -> Result<Packed> {
        if !provenance
            && let Some(digest) = located.digest
            && let Some(bytes) = self.store.get(&digest)
        {
            return Ok(Packed { digest, bytes, provenance: None, manifest: None });
        }
        if self.mode == Mode::Offline {
            return Err(offline(&format!("chart `{}`", located.url)));
        }
        let packed = self.download(wanted, &located.url, provenance).await?;
        if let Some(digest) = located.digest.filter(|digest| *digest != packed.digest) {
            let text =
                format!("the chart at `{}` has the digest {}, but the index says {digest}", located.url, packed.digest);
            let fault = Diagnostic::unreachable("chart-digest", text);
            return Err(Box::new(
                fault.hint("tell whoever keeps the repository: the chart was changed after it was listed"),
            ));
        }
        self.store.put(&packed.bytes)?;
        let known = Located { digest: Some(packed.digest), ..located.clone() };
        let note = format!("chart {} {} {}", wanted.repository(), wanted.name, wanted.version);
        self.store.note(&note, &serde_json::to_string(&known).unwrap_or_default())?;
        Ok(packed)
    }

    /// A chart, found anew or as it was pinned. Fails with `lock-digest` where the pin does not hold any more.
    pub(crate) async fn chart(&self, wanted: &Wanted, pin: Option<&ChartPin>) -> Result<(Located, Packed)> {
        let Some(pin) = pin else {
            let located = self.locate(wanted).await?;
            let packed = self.packed(wanted, &located, false).await?;
            return Ok((located, packed));
        };
        let located = Located {
            name: pin.name.clone(),
            version: pin.resolved.clone(),
            url: pin.url.clone(),
            digest: Some(pin.digest),
            remark: None,
        };
        if let Some(bytes) = self.store.get(&pin.digest) {
            return Ok((located, Packed { digest: pin.digest, bytes, provenance: None, manifest: None }));
        }
        if self.mode == Mode::Offline {
            return Err(offline(&format!("chart `{}`", pin.url)));
        }
        let packed = self.download(wanted, &pin.url, false).await?;
        check_pin(&pin.url, packed.digest, pin.digest)?;
        self.store.put(&packed.bytes)?;
        Ok((located, packed))
    }

    async fn download(&self, wanted: &Wanted, url: &str, provenance: bool) -> Result<Packed> {
        match &wanted.place {
            Place::Oci(_) => oci::packed(&self.registries, url, provenance).await,
            Place::Repository(repository) | Place::Indexed(repository, _) | Place::Url(_, repository) => {
                if url.starts_with("oci://") {
                    return oci::packed(&self.registries, url, provenance).await;
                }
                self.web.packed(repository, url, provenance).await
            }
        }
    }

    /// A plain file at a URL.
    pub(crate) async fn file(&self, url: &str, pin: Option<&FilePin>) -> Result<(Digest, Arc<[u8]>)> {
        let note = format!("file {url}");
        let known = match pin {
            Some(pin) => Some(pin.digest),
            None if self.mode == Mode::Offline => self.store.recall(&note).and_then(|text| Digest::parse(&text).ok()),
            None => None,
        };
        if let Some(digest) = known
            && let Some(bytes) = self.store.get(&digest)
        {
            return Ok((digest, bytes));
        }
        if self.mode == Mode::Offline {
            return Err(offline(&format!("file `{url}`")));
        }
        let address = parse_url(url)?;
        let what = format!("read `{}`", shown(&address));
        let access = Access::default();
        let ask = Ask {
            what: &what,
            url: address.clone(),
            home: &address,
            access: &access,
            accept: "",
            headers: &[],
            body: None,
        };
        let bytes = self.web.ask(&ask).await?.bytes(FILE_BYTES_MAX).await?;
        let digest = Digest::of(&bytes);
        if let Some(pin) = pin {
            check_pin(url, digest, pin.digest)?;
        }
        self.store.put(&bytes)?;
        self.store.note(&note, &digest.to_string())?;
        Ok((digest, bytes.into()))
    }

    /// The tree of a git repository at a revision.
    pub(crate) async fn tree(&self, wanted: &GitWanted, pin: Option<&BasePin>) -> Result<GitTree> {
        let note = format!("git {} {} {}", wanted.url, wanted.revision, wanted.submodules);
        let known = match pin {
            Some(pin) => Some(pin.digest),
            None if self.mode == Mode::Offline => self.store.recall(&note).and_then(|text| Digest::parse(&text).ok()),
            None => None,
        };
        if let Some(tree) = known.and_then(|digest| self.store.get(&digest)).and_then(|bytes| GitTree::read(&bytes)) {
            return Ok(tree);
        }
        let local = wanted.url.starts_with("file://");
        if self.mode == Mode::Offline && !local {
            return Err(offline(&format!("base `{}`", wanted.url)));
        }
        let exact = GitWanted {
            revision: pin.map_or_else(|| wanted.revision.clone(), |pin| pin.commit.clone()),
            ..wanted.clone()
        };
        let tree = git::fetch(&self.web, &exact).await?;
        let bytes = tree.write();
        let digest = Digest::of(&bytes);
        if let Some(pin) = pin {
            check_pin(&wanted.url, digest, pin.digest)?;
        }
        self.store.put(&bytes)?;
        self.store.note(&note, &digest.to_string())?;
        Ok(tree)
    }
}

fn check_pin(url: &str, found: Digest, pinned: Digest) -> Result<()> {
    if found == pinned {
        return Ok(());
    }
    let text = format!("`{url}` has the digest {found}, but hydrant.lock pins {pinned}");
    let fault = Diagnostic::input("lock-digest", text);
    Err(Box::new(fault.hint("find out why it changed; `hydrant deps update` takes it as it is now")))
}

fn offline(what: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::unreachable("offline", format!("{what} is not in the cache, and `--offline` asks nobody"));
    Box::new(fault.hint("run once without `--offline`"))
}
