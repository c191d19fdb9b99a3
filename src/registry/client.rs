//! What can be done with an artifact and a place: push, pull, resolve, tag, list, copy.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, LINK};
use reqwest::{Method, Response, Url};
use serde::Deserialize;

use super::auth::Credentials;
use super::fault;
use super::layout::Layout;
use super::transport::{Options, Purpose, Request, Transport};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest, Location, Manifest, Reference, Version, media_type};

/// Longest manifest read, in bytes; what registries themselves allow.
const MANIFEST_BYTES_MAX: usize = 4 << 20;
/// Longest page of a tag list, in bytes, and most pages.
const TAGS_BYTES_MAX: usize = 8 << 20;
const TAG_PAGES_MAX: usize = 1000;
/// The forms of a manifest that are understood.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
const DIGEST_HEADER: &str = "docker-content-digest";

/// One step of a push or copy, told as it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The blob is there already.
    Present(Descriptor),
    /// The blob was uploaded.
    Uploaded(Descriptor),
    /// The blob was taken over from another repository of the same registry.
    Mounted(Descriptor),
}

/// What a push did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// The digest pushed.
    pub(crate) digest: Digest,
    /// Blobs uploaded.
    pub(crate) blobs: usize,
    /// Bytes of blobs uploaded.
    pub(crate) bytes: u64,
    /// True if the manifest is new there, or a tag moved.
    pub(crate) changed: bool,
}

/// A client of registries and layouts. Cheap to share by reference; keeps connections and tokens.
pub(crate) struct Client {
    transport: Transport,
}

impl Client {
    /// A client that finds its credentials where told.
    pub(crate) fn new(options: Options, credentials: Arc<dyn Credentials>) -> Client {
        Client { transport: Transport::new(options, credentials) }
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
        let config = self.blob(location, &image.config).await?;
        let mut layers = Vec::with_capacity(image.layers.len());
        let mut left = self.transport.options.blob_bytes_max;
        for layer in &image.layers {
            left = left.checked_sub(layer.size).ok_or_else(|| {
                let text = format!(
                    "the layers of `{location}` have more than {} bytes",
                    self.transport.options.blob_bytes_max
                );
                Box::new(Diagnostic::input("blob-too-large", text).hint("split the artifact"))
            })?;
            layers.push(self.blob(location, layer).await?);
        }
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

    /// Pushes an artifact: blobs that are not there yet, then the manifest, then the tag. `told` hears of each blob.
    ///
    /// Fails with `push-digest` where the location names another digest than the artifact's.
    pub(crate) async fn push(
        &self,
        location: &Location,
        artifact: &Artifact,
        told: &mut dyn FnMut(Step),
    ) -> Result<Pushed> {
        let version = location.version();
        if let Version::Digest(named) = &version
            && *named != artifact.digest
        {
            let text = format!("`{location}` names a digest, and the artifact has another: `{}`", artifact.digest);
            return Err(Box::new(
                Diagnostic::input("push-digest", text).hint("leave the digest out: it follows from the content"),
            ));
        }
        match location {
            Location::Layout(reference) => {
                let tag = match &version {
                    Version::Tag(tag) => Some(tag.as_str()),
                    Version::Digest(_) => location.tag(),
                };
                let written = Layout::at(reference).write(artifact, tag)?;
                let new = |blob: &&Blob| written.new.contains(&blob.descriptor);
                for blob in artifact.blobs() {
                    let descriptor = blob.descriptor.clone();
                    told(if new(&blob) { Step::Uploaded(descriptor) } else { Step::Present(descriptor) });
                }
                let (blobs, bytes) =
                    artifact.blobs().filter(new).fold((0, 0), |(n, sum), blob| (n + 1, sum + blob.descriptor.size));
                Ok(Pushed { digest: artifact.digest, blobs, bytes, changed: written.moved })
            }
            Location::Registry(reference) => self.push_to_registry(reference, artifact, None, told).await,
        }
    }

    async fn push_to_registry(
        &self,
        reference: &Reference,
        artifact: &Artifact,
        mount_from: Option<&str>,
        told: &mut dyn FnMut(Step),
    ) -> Result<Pushed> {
        let what = format!("push `{reference}`");
        let purpose = Purpose { reference, push: true, what: &what };
        let mut pushed = Pushed { digest: artifact.digest, blobs: 0, bytes: 0, changed: false };
        // a registry keeps no manifest whose blobs it lacks: if the tag stands, everything does
        let tag = reference.tag.clone().map_or(reference.version(), Version::Tag);
        if self.head_manifest(purpose, &tag).await? == Some(artifact.digest) {
            artifact.blobs().for_each(|blob| told(Step::Present(blob.descriptor.clone())));
            return Ok(pushed);
        }
        let mut seen = Vec::new();
        for blob in artifact.blobs() {
            let descriptor = blob.descriptor.clone();
            if seen.contains(&descriptor.digest) {
                continue;
            }
            seen.push(descriptor.digest);
            if self.transport.has_blob(purpose, &descriptor).await? {
                told(Step::Present(descriptor));
                continue;
            }
            if let Some(from) = mount_from
                && self.transport.mount_blob(purpose, &descriptor, from).await?
            {
                told(Step::Mounted(descriptor));
                continue;
            }
            self.transport.upload_blob(purpose, blob).await?;
            (pushed.blobs, pushed.bytes) = (pushed.blobs + 1, pushed.bytes + descriptor.size);
            told(Step::Uploaded(descriptor));
        }
        self.put_manifest(purpose, &tag, artifact).await?;
        pushed.changed = true;
        Ok(pushed)
    }

    /// Gives what a location names another tag in the same repository or layout. Nothing is uploaded.
    pub(crate) async fn tag(&self, location: &Location, tag: &str) -> Result<Digest> {
        let (manifest, content_type) = self.manifest(location, &location.version()).await?;
        let digest = Digest::of(&manifest);
        match location {
            Location::Layout(reference) => {
                let layout = Layout::at(reference);
                let descriptor = layout.find(&location.version())?;
                layout.point(&descriptor, Some(tag))?;
            }
            Location::Registry(reference) => {
                let what = format!("tag `{reference}`");
                let purpose = Purpose { reference, push: true, what: &what };
                self.put(purpose, &Version::Tag(tag.to_owned()), &manifest, &content_type).await?;
            }
        }
        Ok(digest)
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

    /// Copies an artifact from one place to another: the same bytes, the same digest.
    pub(crate) async fn copy(&self, from: &Location, to: &Location, told: &mut dyn FnMut(Step)) -> Result<Pushed> {
        let artifact = self.pull(from).await?;
        match (from, to) {
            (Location::Registry(from), Location::Registry(to)) if from.registry == to.registry => {
                self.push_to_registry(to, &artifact, Some(&from.repository), told).await
            }
            _ => self.push(to, &artifact, told).await,
        }
    }

    /// The digest under a version, if the registry has it and says so.
    async fn head_manifest(&self, purpose: Purpose<'_>, version: &Version) -> Result<Option<Digest>> {
        let url = self.transport.url(purpose.reference, &format!("manifests/{version}"))?;
        let mut request = Request::new(Method::HEAD, url);
        request.header("accept", ACCEPT);
        let wanted: &[u16] = if purpose.push { &[200, 404] } else { &[200] };
        let answer = self.transport.expect(purpose, &request, wanted).await?;
        Ok(if answer.status() == 200 { digest_header(&answer) } else { None })
    }

    async fn read_manifest(&self, purpose: Purpose<'_>, version: &Version) -> Result<(Arc<[u8]>, String)> {
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

    async fn put_manifest(&self, purpose: Purpose<'_>, version: &Version, artifact: &Artifact) -> Result<()> {
        self.put(purpose, version, &artifact.manifest, &artifact.media_type).await
    }

    async fn put(
        &self,
        purpose: Purpose<'_>,
        version: &Version,
        manifest: &Arc<[u8]>,
        content_type: &str,
    ) -> Result<()> {
        let url = self.transport.url(purpose.reference, &format!("manifests/{version}"))?;
        let mut request = Request::new(Method::PUT, url);
        request.header("content-type", if content_type.is_empty() { media_type::MANIFEST } else { content_type });
        request.body = Some(Bytes::from_owner(manifest.clone()));
        let answer = self.transport.expect(purpose, &request, &[200, 201, 202]).await?;
        match digest_header(&answer) {
            Some(digest) if digest != Digest::of(manifest) => {
                let why = format!("stored another manifest than was pushed: `{digest}`");
                Err(fault::broken(purpose.what, &purpose.reference.registry, &why))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct TagList {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

fn digest_header(answer: &Response) -> Option<Digest> {
    let text = answer.headers().get(DIGEST_HEADER)?.to_str().ok()?;
    Digest::parse(text).ok()
}

/// The next page of a list: `Link: <URL>; rel="next"`.
fn next_page(answer: &Response) -> Option<Url> {
    let text = answer.headers().get(LINK)?.to_str().ok()?;
    let (target, _) = text.strip_prefix('<')?.split_once('>')?;
    answer.url().join(target).ok()
}
