//! Reading: what a place holds under a tag or digest, its blobs, its tags. Writing is in `push`, `copy` and `referrers`.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::header::{CONTENT_TYPE, LINK};
use reqwest::{Method, Response, Url};
use serde::Deserialize;

use super::auth::{Credential, Credentials};
use super::fault;
use super::layout::Layout;
use super::progress::{Progress, Told};
use super::transport::{Options, Purpose, Request, Transport};
use super::workload::Workload;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest, Location, Manifest, Version};

/// Longest manifest read, in bytes; what registries themselves allow.
pub(super) const MANIFEST_BYTES_MAX: usize = 4 << 20;
/// Blobs read or written at once; more gain nothing on a line that a few fill.
pub(super) const BLOBS_AT_ONCE: usize = 4;
/// Longest page of a tag list, in bytes, and most pages.
const TAGS_BYTES_MAX: usize = 8 << 20;
const TAG_PAGES_MAX: usize = 1000;
/// The forms of a manifest that are understood.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
const DIGEST_HEADER: &str = "docker-content-digest";

/// A client of registries and layouts. Cheap to share by reference; keeps connections and tokens.
pub(crate) struct Client {
    pub(super) transport: Transport,
}

impl Client {
    /// A client that finds its credentials where told.
    pub(crate) fn new(options: Options, credentials: Arc<dyn Credentials>) -> Client {
        Client { transport: Transport::new(options, credentials) }
    }

    /// The same connections for somebody else, who has `credentials` and nothing beside them: no credential of this machine
    /// or of its environment is ever used in their stead.
    pub(crate) fn for_account(&self, credentials: Arc<dyn Credentials>) -> Result<Client> {
        // made before they are shared
        for plain in [true, false] {
            self.transport.client(plain)?;
        }
        Ok(Client { transport: self.transport.for_account(credentials) })
    }

    /// A client of other settings, to be shared in turn.
    pub(crate) fn with_authority(&self, pem: Vec<u8>) -> Client {
        let options = Options { ca_pem: Some(pem), ..self.transport.options.clone() };
        Client::new(options, Arc::new(Nobody))
    }

    /// A token for a workload, by way of [`Workload`].
    pub(crate) async fn workload_token(
        &self,
        workload: &Workload,
        subject: &str,
        account: Option<&str>,
    ) -> Result<Credential> {
        workload.credential(self.transport.client(false)?, subject, account).await
    }

    /// The token audience that the cloud expects of this cluster's service accounts.
    pub(crate) async fn workload_audience(&self, workload: &Workload) -> Result<String> {
        Ok(workload.pool(self.transport.client(false)?).await?.pool)
    }

    /// The token of the machine itself; nothing where it has none.
    pub(crate) async fn machine_token(&self) -> Result<Option<Credential>> {
        self.transport.options.google.of_machine(self.transport.client(false)?).await
    }

    /// The same client, which tells how far transfers of large blobs are.
    pub(crate) fn with_progress(mut self, progress: Option<Arc<dyn Progress>>) -> Client {
        self.transport.told = Told(progress);
        self
    }

    /// The digest that a location names now, without reading anything but headers where the registry tells them.
    pub(crate) async fn resolve(&self, location: &Location) -> Result<Digest> {
        match location {
            Location::Layout(reference) => Ok(Layout::at(reference).find(&location.version())?.digest),
            Location::Registry(reference) => {
                if let Version::Digest(digest) = reference.version() {
                    return Ok(digest);
                }
                let what = format!("resolve `{reference}`");
                let purpose = Purpose { reference, push: false, what: &what };
                match self.head_manifest(purpose, &reference.version()).await? {
                    Some(digest) => Ok(digest),
                    None => Ok(Digest::of(&self.read_manifest(purpose, &reference.version()).await?.0)),
                }
            }
        }
    }

    /// The artifact at a location, every byte verified. An index is resolved to linux/amd64.
    pub(crate) async fn pull(&self, location: &Location) -> Result<Artifact> {
        let (bytes, content_type) = self.manifest(location, &location.version()).await?;
        let (bytes, content_type, image) = match Manifest::parse(&bytes, &content_type)? {
            Manifest::Image(image) => (bytes, content_type, image),
            Manifest::Index(index) => {
                let Some(entry) = index.linux_amd64() else {
                    let text = format!("`{location}` is an index without an image for linux/amd64");
                    return Err(Box::new(
                        Diagnostic::input("index-platform", text).hint("name one of its images by digest"),
                    ));
                };
                let (bytes, content_type) = self.manifest(location, &Version::Digest(entry.digest)).await?;
                match Manifest::parse(&bytes, &content_type)? {
                    Manifest::Image(image) => (bytes, content_type, image),
                    Manifest::Index(_) => {
                        let text = format!("`{location}` is an index of indexes");
                        return Err(Box::new(
                            Diagnostic::input("index-nested", text).hint("name one of its images by digest"),
                        ));
                    }
                }
            }
        };
        let limit = self.transport.options.blob_bytes_max;
        if image.layers.iter().try_fold(0, |sum: u64, layer| sum.checked_add(layer.size)).is_none_or(|sum| sum > limit)
        {
            let text = format!("the layers of `{location}` have more than {limit} bytes");
            return Err(Box::new(Diagnostic::input("blob-too-large", text).hint("split the artifact")));
        }
        let blobs = [&image.config].into_iter().chain(&image.layers);
        // made before they are read: a stream over a closure that borrows cannot be sent between threads
        let reads: Vec<_> = blobs.map(|blob| self.blob(location, blob)).collect();
        let mut blobs: Vec<Blob> = stream::iter(reads).buffered(BLOBS_AT_ONCE).try_collect().await?;
        let config = blobs.remove(0);
        let layers = blobs;
        let media_type = image.media_type.clone().unwrap_or(content_type);
        Ok(Artifact {
            digest: Digest::of(&bytes),
            media_type,
            manifest: bytes,
            image: *image,
            config: Some(config),
            layers,
        })
    }

    /// The manifest at a location and its content type, verified against the digest where one is meant.
    pub(crate) async fn manifest(&self, location: &Location, version: &Version) -> Result<(Arc<[u8]>, String)> {
        match location {
            Location::Layout(reference) => {
                let layout = Layout::at(reference);
                let descriptor = layout.find(version)?;
                let blob = layout.read(&descriptor, MANIFEST_BYTES_MAX as u64)?;
                Ok((blob.bytes, descriptor.media_type))
            }
            Location::Registry(reference) => {
                let what = format!("pull `{reference}`");
                self.read_manifest(Purpose { reference, push: false, what: &what }, version).await
            }
        }
    }

    /// A blob at a location, verified.
    pub(crate) async fn blob(&self, location: &Location, descriptor: &Descriptor) -> Result<Blob> {
        match location {
            Location::Layout(reference) => {
                Layout::at(reference).read(descriptor, self.transport.options.blob_bytes_max)
            }
            Location::Registry(reference) => {
                let what = format!("pull `{reference}`");
                self.transport.read_blob(Purpose { reference, push: false, what: &what }, descriptor).await
            }
        }
    }

    /// The tags at a location's repository or layout, sorted.
    pub(crate) async fn tags(&self, location: &Location) -> Result<Vec<String>> {
        let reference = match location {
            Location::Layout(reference) => return Layout::at(reference).tags(),
            Location::Registry(reference) => reference,
        };
        let what = format!("list the tags of `{}/{}`", reference.registry, reference.repository);
        let purpose = Purpose { reference, push: false, what: &what };
        let broken = |why| fault::broken(&what, &reference.registry, why);
        let mut url = self.transport.url(reference, "tags/list?n=1000")?;
        let mut tags = Vec::new();
        for _ in 0..TAG_PAGES_MAX {
            let answer = self.transport.expect(purpose, &Request::new(Method::GET, url.clone()), &[200]).await?;
            let next = next_page(&answer);
            let body = self
                .transport
                .body(answer, TAGS_BYTES_MAX)
                .await
                .ok_or_else(|| broken("sends a list without an end"))?;
            let page: TagList =
                serde_json::from_slice(&body).map_err(|_| broken("sends a list that cannot be read"))?;
            tags.extend(page.tags.unwrap_or_default());
            match next {
                Some(next) if next.origin() == url.origin() => url = next,
                _ => break,
            }
        }
        tags.sort();
        tags.dedup();
        Ok(tags)
    }

    /// The digest under a version, if the registry has it and says so.
    pub(super) async fn head_manifest(&self, purpose: Purpose<'_>, version: &Version) -> Result<Option<Digest>> {
        let url = self.transport.url(purpose.reference, &format!("manifests/{version}"))?;
        let mut request = Request::new(Method::HEAD, url);
        request.header("accept", ACCEPT);
        let wanted: &[u16] = if purpose.push { &[200, 404] } else { &[200] };
        let answer = self.transport.expect(purpose, &request, wanted).await?;
        Ok(if answer.status() == 200 { digest_header(&answer) } else { None })
    }

    /// The manifest under a version, if the registry has it.
    pub(super) async fn manifest_if_there(
        &self,
        purpose: Purpose<'_>,
        version: &Version,
    ) -> Result<Option<(Arc<[u8]>, String)>> {
        match self.read_manifest(purpose, version).await {
            Ok(found) => Ok(Some(found)),
            Err(fault)
                if matches!(fault.code, "registry-no-manifest" | "registry-no-repository" | "registry-not-found") =>
            {
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn read_manifest(&self, purpose: Purpose<'_>, version: &Version) -> Result<(Arc<[u8]>, String)> {
        let url = self.transport.url(purpose.reference, &format!("manifests/{version}"))?;
        let mut request = Request::new(Method::GET, url);
        request.header("accept", ACCEPT);
        let answer = self.transport.expect(purpose, &request, &[200]).await?;
        let content_type =
            answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let said = digest_header(&answer);
        let host = &purpose.reference.registry;
        let Some(body) = self.transport.body(answer, MANIFEST_BYTES_MAX).await else {
            let why = format!("sends a manifest of more than {MANIFEST_BYTES_MAX} bytes, or breaks it off");
            return Err(fault::broken(purpose.what, host, &why));
        };
        let found = Digest::of(&body);
        let meant = match version {
            Version::Digest(digest) => Some(*digest),
            Version::Tag(_) => said,
        };
        if let Some(meant) = meant.filter(|meant| *meant != found) {
            let text =
                format!("cannot {}: `{host}` sends a manifest with the digest `{found}` for `{meant}`", purpose.what);
            let fault = Diagnostic::unreachable("manifest-digest", text);
            return Err(Box::new(
                fault.hint("push the artifact again, or ask another registry: this manifest was changed or damaged"),
            ));
        }
        Ok((body.into(), content_type))
    }
}

/// No credentials.
struct Nobody;

impl Credentials for Nobody {
    fn find(&self, _registry: &str) -> Result<Option<Credential>> {
        Ok(None)
    }
}

#[derive(Deserialize)]
struct TagList {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

pub(super) fn digest_header(answer: &Response) -> Option<Digest> {
    let text = answer.headers().get(DIGEST_HEADER)?.to_str().ok()?;
    Digest::parse(text).ok()
}

/// The next page of a list: `Link: <URL>; rel="next"`.
pub(super) fn next_page(answer: &Response) -> Option<Url> {
    let text = answer.headers().get(LINK)?.to_str().ok()?;
    let (target, _) = text.strip_prefix('<')?.split_once('>')?;
    answer.url().join(target).ok()
}
