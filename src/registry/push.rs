//! Writing: blobs that are not there yet, then the manifest, then the tag.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use reqwest::{Method, Response};

use super::client::{BLOBS_AT_ONCE, Client, digest_header};
use super::fault;
use super::layout::Layout;
use super::transport::{Purpose, Request};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest, Location, Reference, Version, media_type};

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

impl Pushed {
    /// Nothing done yet.
    pub(super) fn nothing(digest: Digest) -> Pushed {
        Pushed { digest, blobs: 0, bytes: 0, changed: false }
    }

    /// Counts a step.
    pub(super) fn count(&mut self, step: &Step) {
        if let Step::Uploaded(blob) = step {
            self.blobs += 1;
            self.bytes += blob.size;
        }
    }
}

impl Client {
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
        let mut pushed = Pushed::nothing(artifact.digest);
        match location {
            Location::Layout(reference) => {
                let tag = match &version {
                    Version::Tag(tag) => Some(tag.as_str()),
                    Version::Digest(_) => location.tag(),
                };
                let written = Layout::at(reference).write(artifact, tag)?;
                for blob in artifact.blobs() {
                    let descriptor = blob.descriptor.clone();
                    let new = written.new.contains(&descriptor);
                    let step = if new { Step::Uploaded(descriptor) } else { Step::Present(descriptor) };
                    pushed.count(&step);
                    told(step);
                }
                pushed.changed = written.moved;
            }
            Location::Registry(reference) => {
                let what = format!("push `{reference}`");
                let purpose = Purpose { reference, push: true, what: &what };
                // a registry keeps no manifest whose blobs it lacks: if the tag stands, everything does
                let tag = reference.tag.clone().map_or(reference.version(), Version::Tag);
                if self.head_manifest(purpose, &tag).await? == Some(artifact.digest) {
                    artifact.blobs().for_each(|blob| told(Step::Present(blob.descriptor.clone())));
                    return Ok(pushed);
                }
                self.write_blobs(location, &[artifact], &mut |step| {
                    pushed.count(&step);
                    told(step);
                })
                .await?;
                self.put(purpose, &tag, &artifact.manifest, &artifact.media_type).await?;
                pushed.changed = true;
            }
        }
        Ok(pushed)
    }

    /// Moves the tag that a location names to an artifact that is there by its digest; nothing where it names none.
    pub(crate) async fn point(&self, location: &Location, artifact: &Artifact) -> Result<()> {
        let Some(tag) = location.tag() else { return Ok(()) };
        let manifest = Blob { descriptor: artifact.descriptor(), bytes: artifact.manifest.clone() };
        self.write_manifest(location, &Version::Tag(tag.to_owned()), &manifest, true).await
    }

    /// True if the location names this digest now.
    pub(crate) async fn holds(&self, location: &Location, digest: Digest) -> Result<bool> {
        match location {
            Location::Layout(reference) => {
                Ok(Layout::at(reference).find(&location.version()).is_ok_and(|found| found.digest == digest))
            }
            Location::Registry(reference) => {
                let what = format!("push `{reference}`");
                let purpose = Purpose { reference, push: true, what: &what };
                let tag = reference.tag.clone().map_or(reference.version(), Version::Tag);
                Ok(self.head_manifest(purpose, &tag).await? == Some(digest))
            }
        }
    }

    /// Writes the blobs of artifacts, several at once, each only once.
    pub(super) async fn write_blobs(
        &self,
        to: &Location,
        artifacts: &[&Artifact],
        told: &mut dyn FnMut(Step),
    ) -> Result<()> {
        let mut blobs: Vec<&Blob> = Vec::new();
        for blob in artifacts.iter().flat_map(|artifact| artifact.blobs()) {
            if !blobs.iter().any(|seen| seen.descriptor.digest == blob.descriptor.digest) {
                blobs.push(blob);
            }
        }
        let mut steps = stream::iter(blobs)
            .map(|blob| self.write_blob(to, &blob.descriptor, Some(blob), None))
            .buffer_unordered(BLOBS_AT_ONCE);
        while let Some(step) = steps.next().await {
            told(step?);
        }
        Ok(())
    }

    /// Makes sure that a place has a blob: it is there, or can be mounted or read `from` another place, or is `given`.
    pub(super) async fn write_blob(
        &self,
        to: &Location,
        descriptor: &Descriptor,
        given: Option<&Blob>,
        from: Option<&Location>,
    ) -> Result<Step> {
        let read = async || match (given, from) {
            (Some(blob), _) => Ok(blob.clone()),
            (None, Some(from)) => self.blob(from, descriptor).await,
            (None, None) => Err(Box::new(Diagnostic::bug("blob-unknown", "a blob without a source"))),
        };
        let done = descriptor.clone();
        let reference = match to {
            Location::Layout(reference) => {
                let layout = Layout::at(reference);
                let new = !layout.has(descriptor) && layout.store(&read().await?)?;
                return Ok(if new { Step::Uploaded(done) } else { Step::Present(done) });
            }
            Location::Registry(reference) => reference,
        };
        let what = format!("push `{reference}`");
        let purpose = Purpose { reference, push: true, what: &what };
        if self.transport.has_blob(purpose, descriptor).await? {
            return Ok(Step::Present(done));
        }
        if let Some(Location::Registry(from)) = from
            && from.registry == reference.registry
            && self.transport.mount_blob(purpose, descriptor, &from.repository).await?
        {
            return Ok(Step::Mounted(done));
        }
        self.transport.upload_blob(purpose, &read().await?).await?;
        Ok(Step::Uploaded(done))
    }

    /// Writes a manifest under a digest or tag. In a layout, one without a tag is only listed if `listed`.
    pub(super) async fn write_manifest(
        &self,
        to: &Location,
        version: &Version,
        manifest: &Blob,
        listed: bool,
    ) -> Result<()> {
        match to {
            Location::Layout(reference) => {
                let layout = Layout::at(reference);
                layout.store(manifest)?;
                match version {
                    Version::Tag(tag) => layout.point(&manifest.descriptor, Some(tag)).map(|_| ()),
                    Version::Digest(_) if listed => layout.point(&manifest.descriptor, None).map(|_| ()),
                    Version::Digest(_) => Ok(()),
                }
            }
            Location::Registry(reference) => {
                let what = format!("push `{reference}`");
                let purpose = Purpose { reference, push: true, what: &what };
                self.put(purpose, version, &manifest.bytes, &manifest.descriptor.media_type).await.map(|_| ())
            }
        }
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

    /// Puts a manifest and gives the registry's answer.
    pub(super) async fn put(
        &self,
        purpose: Purpose<'_>,
        version: &Version,
        manifest: &Arc<[u8]>,
        content_type: &str,
    ) -> Result<Response> {
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
            _ => Ok(answer),
        }
    }
}

/// The purpose of writing to a registry.
pub(super) fn pushing<'a>(reference: &'a Reference, what: &'a str) -> Purpose<'a> {
    Purpose { reference, push: true, what }
}
