//! Copying: the same bytes elsewhere, with all images of an index and with what refers to them.
//!
//! Everything is there before the tag moves: first blobs, then manifests from the inside out, then signatures and
//! statements, then the tag.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::client::{BLOBS_AT_ONCE, Client};
use super::push::{Pushed, Step};
use super::transport::Purpose;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Blob, Descriptor, Digest, Location, Manifest, Version};

/// Deepest nesting of indexes, and of what refers to what refers to an artifact.
const DEPTH_MAX: u32 = 4;
/// Endings of the tags under which the older signing scheme keeps signatures, statements and bills of materials.
const TAG_ENDINGS: [&str; 3] = [".sig", ".att", ".sbom"];

/// A copy on its way.
struct Copy<'a> {
    client: &'a Client,
    from: &'a Location,
    to: &'a Location,
    told: &'a mut dyn FnMut(Step),
    pushed: Pushed,
}

impl Client {
    /// Copies what a location names to another: the same bytes, the same digest, all images of an index, and everything
    /// that refers to it. `told` hears of each blob.
    pub(crate) async fn copy(&self, from: &Location, to: &Location, told: &mut dyn FnMut(Step)) -> Result<Pushed> {
        let digest = self.resolve(from).await?;
        if let Version::Digest(named) = to.version()
            && named != digest
        {
            let text = format!("`{to}` names a digest, and `{from}` has another: `{digest}`");
            return Err(Box::new(
                Diagnostic::input("push-digest", text).hint("leave the digest out: it follows from the content"),
            ));
        }
        let there = self.holds(to, digest).await?;
        let mut copy = Copy { client: self, from, to, told, pushed: Pushed::nothing(digest) };
        let manifest = if there { None } else { Some(copy.tree(digest, 0).await?) };
        copy.referrers(digest, 0).await?;
        copy.tagged(digest).await?;
        let mut pushed = copy.pushed;
        if let Some(manifest) = manifest {
            let tag = to.tag().map_or(to.version(), |tag| Version::Tag(tag.to_owned()));
            self.write_manifest(to, &tag, &manifest, true).await?;
            pushed.changed = true;
        }
        Ok(pushed)
    }

    /// The manifest under a tag, if there is one.
    pub(crate) async fn manifest_under(&self, location: &Location, tag: &str) -> Result<Option<(Arc<[u8]>, String)>> {
        let version = Version::Tag(tag.to_owned());
        match location {
            Location::Layout(_) => match self.manifest(location, &version).await {
                Ok(found) => Ok(Some(found)),
                Err(fault) if matches!(fault.code, "layout-no-manifest" | "layout-missing") => Ok(None),
                Err(fault) => Err(fault),
            },
            Location::Registry(reference) => {
                let what = format!("pull `{reference}`");
                self.manifest_if_there(Purpose { reference, push: false, what: &what }, &version).await
            }
        }
    }
}

impl Copy<'_> {
    /// Copies a manifest and all below it, from the inside out. The manifest itself goes by its digest.
    async fn tree(&mut self, digest: Digest, depth: u32) -> Result<Blob> {
        if depth > DEPTH_MAX {
            let text = format!("`{}` nests deeper than the {DEPTH_MAX} levels allowed", self.from);
            return Err(Box::new(Diagnostic::input("copy-depth", text).hint("name one of its images by digest")));
        }
        let version = Version::Digest(digest);
        let (bytes, content_type) = self.client.manifest(self.from, &version).await?;
        match Manifest::parse(&bytes, &content_type)? {
            Manifest::Index(index) => {
                for entry in &index.manifests {
                    Box::pin(self.tree(entry.digest, depth + 1)).await?;
                }
                let media_type = index.media_type.unwrap_or(content_type);
                return self.manifest(media_type, bytes).await;
            }
            Manifest::Image(image) => {
                let mut blobs: Vec<&Descriptor> = Vec::new();
                for blob in [&image.config].into_iter().chain(&image.layers) {
                    if !blobs.iter().any(|seen| seen.digest == blob.digest) {
                        blobs.push(blob);
                    }
                }
                let (client, from, to) = (self.client, self.from, self.to);
                let mut steps = stream::iter(blobs)
                    .map(|blob| client.write_blob(to, blob, None, Some(from)))
                    .buffer_unordered(BLOBS_AT_ONCE);
                while let Some(step) = steps.next().await {
                    let step = step?;
                    self.pushed.count(&step);
                    (self.told)(step);
                }
                self.manifest(image.media_type.unwrap_or(content_type), bytes).await
            }
        }
    }

    async fn manifest(&mut self, media_type: String, bytes: Arc<[u8]>) -> Result<Blob> {
        let manifest = Blob::new(media_type, bytes);
        self.client.write_manifest(self.to, &Version::Digest(manifest.descriptor.digest), &manifest, false).await?;
        Ok(manifest)
    }

    /// Copies what refers to a digest, and what refers to that.
    async fn referrers(&mut self, subject: Digest, depth: u32) -> Result<()> {
        let found = self.client.referrers(self.from, subject).await?;
        if found.is_empty() || depth > DEPTH_MAX {
            return Ok(());
        }
        let there = self.client.referrers(self.to, subject).await?;
        let mut unlisted = Vec::new();
        for descriptor in found {
            if !there.iter().any(|one| one.digest == descriptor.digest) {
                let manifest = self.tree(descriptor.digest, 1).await?;
                if !self.client.write_referrer(self.to, &manifest).await? {
                    unlisted.push(descriptor.clone());
                }
                self.pushed.changed = true;
            }
            Box::pin(self.referrers(descriptor.digest, depth + 1)).await?;
        }
        match self.to {
            Location::Registry(reference) if !unlisted.is_empty() => {
                self.client.list_by_tag(reference, subject, &unlisted).await
            }
            _ => Ok(()),
        }
    }

    /// Copies what the older scheme keeps under tags made of the digest.
    async fn tagged(&mut self, digest: Digest) -> Result<()> {
        for ending in TAG_ENDINGS {
            let tag = digest.tag(ending);
            let Some((bytes, _)) = self.client.manifest_under(self.from, &tag).await? else { continue };
            let found = Digest::of(&bytes);
            let place = self.to.with_tag(&tag)?;
            if self.client.holds(&place, found).await? {
                continue;
            }
            let manifest = self.tree(found, 1).await?;
            self.client.write_manifest(&place, &Version::Tag(tag), &manifest, true).await?;
            self.pushed.changed = true;
        }
        Ok(())
    }
}
