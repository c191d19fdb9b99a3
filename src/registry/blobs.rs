//! Blobs over the wire: looked for, uploaded, mounted, and read with their digest and size checked while they stream.

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, LOCATION, RANGE};
use reqwest::{Method, Response, Url};

use super::fault;
use super::transport::{Purpose, Request, Transport};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Blob, Descriptor, Hasher};

/// Piece sent at once where a registry or a proxy before it refuses a whole blob.
const CHUNK_BYTES: usize = 5 << 20;

/// The smallest piece that a registry takes, where it has such a limit.
const CHUNK_MIN_HEADER: &str = "oci-chunk-min-length";

impl Transport {
    /// True if the repository has the blob.
    pub(super) async fn has_blob(&self, purpose: Purpose<'_>, descriptor: &Descriptor) -> Result<bool> {
        let url = self.url(purpose.reference, &format!("blobs/{}", descriptor.digest))?;
        let answer = self.expect(purpose, &Request::new(Method::HEAD, url), &[200, 404]).await?;
        Ok(answer.status() == 200)
    }

    /// Asks the registry to take the blob over from another of its repositories; false if it will not.
    pub(super) async fn mount_blob(&self, purpose: Purpose<'_>, descriptor: &Descriptor, from: &str) -> Result<bool> {
        let mut url = self.url(purpose.reference, "blobs/uploads/")?;
        url.query_pairs_mut().append_pair("mount", &descriptor.digest.to_string()).append_pair("from", from);
        let answer = self.send(purpose, &upload_request(url)).await?;
        Ok(answer.status() == 201)
    }

    /// Uploads a blob, in one piece if the registry takes it so. A broken upload is begun anew.
    pub(super) async fn upload_blob(&self, purpose: Purpose<'_>, blob: &Blob) -> Result<()> {
        let bytes = Bytes::from_owner(blob.bytes.clone());
        let mut tried = 0;
        loop {
            tried += 1;
            let (begun, _) = self.begin_upload(purpose).await?;
            let answer = self.put_blob(purpose, begun, blob, bytes.clone()).await?;
            match answer.status().as_u16() {
                201 | 204 => return Ok(()),
                413 if bytes.len() > CHUNK_BYTES => return self.upload_in_chunks(purpose, blob, bytes).await,
                // the session was lost on the way: begin another
                404 | 416 if tried < self.options.patience.tries => {}
                _ => return Err(self.refused(purpose, answer).await),
            }
        }
    }

    /// Begins an upload: where to send it, and the smallest piece that the registry takes.
    async fn begin_upload(&self, purpose: Purpose<'_>) -> Result<(Url, usize)> {
        let url = self.url(purpose.reference, "blobs/uploads/")?;
        let answer = self.expect(purpose, &upload_request(url), &[202]).await?;
        let least = answer.headers().get(CHUNK_MIN_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok((self.location(purpose, &answer)?, least.unwrap_or(0)))
    }

    async fn put_blob(&self, purpose: Purpose<'_>, mut url: Url, blob: &Blob, bytes: Bytes) -> Result<Response> {
        url.query_pairs_mut().append_pair("digest", &blob.descriptor.digest.to_string());
        let mut request = Request::new(Method::PUT, url);
        request.header("content-type", "application/octet-stream");
        request.blob = (!bytes.is_empty()).then(|| blob.descriptor.clone());
        request.body = Some(bytes);
        self.send(purpose, &request).await
    }

    /// Uploads piece by piece. Where the registry has another idea of what it has, it is asked, and believed.
    async fn upload_in_chunks(&self, purpose: Purpose<'_>, blob: &Blob, bytes: Bytes) -> Result<()> {
        let (mut url, least) = self.begin_upload(purpose).await?;
        let piece = CHUNK_BYTES.max(least);
        let (mut sent, mut tried) = (0, 0);
        while sent < bytes.len() {
            let end = sent.saturating_add(piece).min(bytes.len());
            let mut request = Request::new(Method::PATCH, url.clone());
            request.header("content-type", "application/octet-stream");
            request.header("content-range", &format!("{sent}-{}", end - 1));
            request.body = Some(bytes.slice(sent..end));
            let answer = self.send(purpose, &request).await?;
            match answer.status().as_u16() {
                202 => {
                    (url, sent) = (self.location(purpose, &answer)?, end);
                    self.told.moved(&blob.descriptor, sent as u64);
                }
                416 if tried < self.options.patience.tries => {
                    tried += 1;
                    let state = self.expect(purpose, &Request::new(Method::GET, url), &[204]).await?;
                    sent = received(&state).min(bytes.len());
                    url = self.location(purpose, &state)?;
                }
                _ => return Err(self.refused(purpose, answer).await),
            }
        }
        let answer = self.put_blob(purpose, url, blob, Bytes::new()).await?;
        match answer.status().as_u16() {
            201 | 204 => Ok(()),
            _ => Err(self.refused(purpose, answer).await),
        }
    }

    fn location(&self, purpose: Purpose<'_>, answer: &Response) -> Result<Url> {
        let text = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let url = text.and_then(|text| answer.url().join(text).ok());
        let broken = |why| fault::broken(purpose.what, &purpose.reference.registry, why);
        let url = url.ok_or_else(|| broken("does not say where to upload to"))?;
        let plain = self.is_plain(purpose.reference);
        if url.scheme() == "https" || (plain && url.scheme() == "http") {
            return Ok(url);
        }
        Err(broken("wants the upload without TLS"))
    }

    /// Reads a blob. Bytes that are not the ones meant are never handed on, and no more are read than were meant.
    ///
    /// A transfer that is cut is taken up where it broke off.
    pub(super) async fn read_blob(&self, purpose: Purpose<'_>, descriptor: &Descriptor) -> Result<Blob> {
        let limit = self.options.blob_bytes_max;
        if descriptor.size > limit {
            let text =
                format!("blob `{}` has {} bytes, more than the {limit} allowed", descriptor.digest, descriptor.size);
            return Err(Box::new(Diagnostic::input("blob-too-large", text).hint("split the artifact")));
        }
        let url = self.url(purpose.reference, &format!("blobs/{}", descriptor.digest))?;
        let mut partial = Partial::default();
        let mut tried = 0;
        loop {
            tried += 1;
            let transfer = self.read_on(purpose, url.clone(), descriptor, &mut partial);
            match tokio::time::timeout(self.patience(descriptor.size), transfer).await {
                Ok(Ok(())) => break,
                Ok(Err(Cut::Final(fault))) => return Err(fault),
                Ok(Err(Cut::Again(error))) if tried >= self.options.patience.tries => {
                    return Err(self.no_answer(purpose, &error));
                }
                Ok(Err(Cut::Again(_))) => tokio::time::sleep(self.options.patience.backoff).await,
                Ok(Err(Cut::Short)) if tried >= self.options.patience.tries => break,
                Ok(Err(Cut::Short)) => {}
                Err(_) => {
                    return Err(fault::broken(
                        purpose.what,
                        &purpose.reference.registry,
                        "sends too slowly to wait for",
                    ));
                }
            }
        }
        descriptor.verify_facts(partial.hasher.length(), partial.hasher.clone().finish())?;
        Ok(Blob { descriptor: descriptor.clone(), bytes: partial.bytes.into() })
    }

    async fn read_on(
        &self,
        purpose: Purpose<'_>,
        url: Url,
        descriptor: &Descriptor,
        partial: &mut Partial,
    ) -> Result<(), Cut> {
        let mut request = Request::new(Method::GET, url);
        let start = partial.hasher.length();
        if start > 0 {
            request.header("range", &format!("bytes={start}-"));
        }
        let mut answer = self.send(purpose, &request).await.map_err(Cut::Final)?;
        match answer.status().as_u16() {
            200 => *partial = Partial::default(),
            206 if resumes_at(&answer, start) => {}
            _ => return Err(Cut::Final(self.refused(purpose, answer).await)),
        }
        while let Some(chunk) = answer.chunk().await.map_err(Cut::Again)? {
            partial.hasher.update(&chunk);
            if partial.hasher.length() > descriptor.size {
                let text = format!(
                    "blob `{}` goes on after the {} bytes its descriptor says",
                    descriptor.digest, descriptor.size
                );
                return Err(Cut::Final(Box::new(Diagnostic::unreachable("blob-size", text))));
            }
            partial.bytes.extend_from_slice(&chunk);
            self.told.moved(descriptor, partial.hasher.length());
        }
        if partial.hasher.length() < descriptor.size { Err(Cut::Short) } else { Ok(()) }
    }
}

/// What was read of a blob so far.
#[derive(Default)]
struct Partial {
    bytes: Vec<u8>,
    hasher: Hasher,
}

/// Why a transfer ended early.
enum Cut {
    /// More tries cannot help.
    Final(Box<Diagnostic>),
    /// The connection broke.
    Again(reqwest::Error),
    /// The body ended before the blob did.
    Short,
}

fn upload_request(url: Url) -> Request {
    let mut request = Request::new(Method::POST, url);
    // some registries refuse a request without a length
    request.body = Some(Bytes::new());
    request.header("content-length", "0");
    request
}

/// How many bytes of an upload a registry has: `Range: 0-LAST`.
fn received(answer: &Response) -> usize {
    let range = answer.headers().get(RANGE).and_then(|value| value.to_str().ok());
    let last = range.and_then(|range| range.trim_start_matches("bytes=").strip_prefix("0-")?.parse::<usize>().ok());
    // `0-0` stands for nothing as well as for one byte; sending that byte again does no harm
    last.filter(|last| *last > 0).map_or(0, |last| last + 1)
}

/// True if a partial answer starts where the last one broke off.
fn resumes_at(answer: &Response, start: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()) == Some(start)
}
