//! Chart repositories over HTTP: an index, and packed charts beside it or elsewhere.

use std::io::Read;
use std::sync::mpsc;

use bytes::Bytes;
use reqwest::Url;

use super::index::{self, Entry, Index};
use super::version::{choose, is_range};
use super::web::{Access, Ask, Body, Web, parse_url, shown};
use super::{CHART_BYTES_MAX, Located, Packed};
use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;

/// Longest provenance file, in bytes.
const PROVENANCE_BYTES_MAX: usize = 5 << 20;
/// Pieces of an index that wait to be read.
const PIECES_MAX: usize = 8;

/// A chart repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Its URL; `index.yaml` stands below it.
    pub(crate) url: String,
    /// Who we are to it.
    pub(crate) access: Access,
}

impl Web {
    /// Where the version of a chart is that `wanted` means. Fails with `chart-unknown`, `chart-no-version`.
    pub(super) async fn locate(&self, repository: &Repository, name: &str, wanted: &str) -> Result<Located> {
        let url = resolved(&repository.url, "index.yaml")?;
        let index = self.index(repository, &url, name).await.map_err(|fault| {
            let what =
                format!("looks like `{}` is not a valid chart repository or cannot be reached", bare(&repository.url));
            Box::new(fault.trail(what, None))
        })?;
        choose_from(&index, repository, name, wanted)
    }

    /// The packed chart at a URL of a repository, and its provenance file if that is asked for.
    pub(super) async fn packed(&self, repository: &Repository, url: &str, provenance: bool) -> Result<Packed> {
        let (url, home) = (parse_url(url)?, parse_url(&repository.url)?);
        let what = format!("pull `{}`", shown(&url));
        let accept = "application/gzip,application/octet-stream";
        let ask = Ask {
            what: &what,
            url: url.clone(),
            home: &home,
            access: &repository.access,
            accept,
            headers: &[],
            body: None,
        };
        let bytes = self.ask(&ask).await?.bytes(CHART_BYTES_MAX).await?;
        let mut packed = Packed { digest: Digest::of(&bytes), bytes: bytes.into(), provenance: None, manifest: None };
        if provenance {
            let mut url = url;
            url.set_path(&format!("{}.prov", url.path()));
            let what = format!("pull the provenance file `{}`", shown(&url));
            let ask = Ask { what: &what, url, ..ask };
            let signed = match self.ask(&ask).await {
                Ok(body) => body.bytes(PROVENANCE_BYTES_MAX).await,
                Err(fault) => Err(fault),
            };
            packed.provenance = Some(
                signed
                    .map_err(|mut fault| {
                        fault.code = "chart-no-provenance";
                        fault
                    })?
                    .into(),
            );
        }
        Ok(packed)
    }

    async fn index(&self, repository: &Repository, url: &Url, name: &str) -> Result<Index> {
        let home = parse_url(&repository.url)?;
        let what = format!("read the index of `{}`", bare(&repository.url));
        let ask = Ask {
            what: &what,
            url: url.clone(),
            home: &home,
            access: &repository.access,
            accept: "",
            headers: &[],
            body: None,
        };
        let body = self.ask(&ask).await?;
        let (send, receive) = mpsc::sync_channel(PIECES_MAX);
        let (wanted, label) = (name.to_owned(), shown(url));
        let reader =
            tokio::task::spawn_blocking(move || index::read(Pieces { receive, piece: Bytes::new() }, &wanted, &label));
        let sent = feed(body, send).await;
        let read = reader
            .await
            .map_err(|error| Diagnostic::bug("chart-index", format!("reading an index failed: {error}")))?;
        // a transfer that broke off says more than the reader that starved
        sent.and(read)
    }
}

/// The version of a chart that `wanted` means, in what an index says of the chart.
pub(super) fn choose_from(index: &Index, repository: &Repository, name: &str, wanted: &str) -> Result<Located> {
    let Some(entries) = &index.entries else {
        let fault =
            Diagnostic::input("chart-unknown", format!("chart `{name}` not found in `{}`", bare(&repository.url)));
        return Err(Box::new(fault.hint("check the chart's name: the index does not list it")));
    };
    let Some(place) = choose(entries.iter().map(|entry| entry.version.as_str()), wanted)? else {
        return Err(no_version(entries, name, wanted, &repository.url));
    };
    let entry = &entries[place];
    let Some(first) = entry.urls.first() else {
        let text = format!("chart `{name}` {} has no downloadable URLs in `{}`", entry.version, bare(&repository.url));
        return Err(Box::new(Diagnostic::unreachable("chart-no-url", text).hint("tell whoever keeps the repository")));
    };
    let closest = !is_range(wanted) && entry.version != wanted;
    let remark = closest.then(|| {
        let text = format!("there is no version `{wanted}` of chart `{name}`; taking `{}`, the closest", entry.version);
        Diagnostic::warning("chart-closest-version", text)
    });
    let url = resolved(&repository.url, first)?.to_string();
    Ok(Located { name: name.to_owned(), version: entry.version.clone(), url, digest: entry.digest, remark })
}

/// Hands the pieces of a body on until there are no more, or nobody takes them.
async fn feed(mut body: Body, send: mpsc::SyncSender<Bytes>) -> Result<()> {
    while let Some(piece) = body.chunk().await? {
        if send.send(piece).is_err() {
            break;
        }
    }
    Ok(())
}

/// Pieces that come from elsewhere, as a reader.
struct Pieces {
    receive: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receive.recv() {
                Ok(piece) => self.piece = piece,
                Err(_) => return Ok(0),
            }
        }
        let count = self.piece.len().min(out.len());
        out[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

fn no_version(entries: &[Entry], name: &str, wanted: &str, url: &str) -> Box<Diagnostic> {
    let asked = if wanted.is_empty() { "a stable version".to_owned() } else { format!("version `{wanted}`") };
    let fault = Diagnostic::input("chart-no-version", format!("chart `{name}` has no {asked} in `{}`", bare(url)));
    let known: Vec<&str> = entries.iter().take(5).map(|entry| entry.version.as_str()).collect();
    Box::new(if wanted.is_empty() {
        fault.hint("add `--devel` to take versions that are not stable")
    } else if known.is_empty() {
        fault.hint("ask whoever keeps the repository: it lists the chart without a usable version")
    } else {
        fault.hint(format!("use one that it has; the newest are {}", known.join(", ")))
    })
}

/// A reference of a repository as a whole URL: relative ones are below the repository, and keep its query.
pub(super) fn resolved(base: &str, reference: &str) -> Result<Url> {
    if let Ok(whole) = Url::parse(reference) {
        return Ok(whole);
    }
    let mut below = parse_url(base)?;
    let query = below.query().map(str::to_owned);
    below.set_path(&format!("{}/", below.path().trim_end_matches('/')));
    let mut url = below.join(reference).map_err(|error| {
        Box::new(Diagnostic::unreachable(
            "chart-url",
            format!("`{reference}` in the index of `{}` is no URL: {error}", bare(base)),
        ))
    })?;
    url.set_query(query.as_deref());
    Ok(url)
}

/// A URL's text without user and password.
fn bare(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |parsed| if parsed.username().is_empty() { url.to_owned() } else { shown(&parsed) },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_below_the_repository() {
        let at = |base, reference| resolved(base, reference).expect("a URL").to_string();
        assert_eq!(at("http://a/charts", "web-1.tgz"), "http://a/charts/web-1.tgz");
        assert_eq!(at("http://a/charts/", "sub/web.tgz"), "http://a/charts/sub/web.tgz");
        assert_eq!(at("http://a/charts", "/web.tgz"), "http://a/web.tgz");
        assert_eq!(at("http://a/charts?token=x", "web.tgz"), "http://a/charts/web.tgz?token=x");
        assert_eq!(at("http://a/charts", "https://b/web.tgz"), "https://b/web.tgz");
    }
}
