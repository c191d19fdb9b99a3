//! One image in memory: the manifest's own bytes and every blob that it names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Descriptor, Digest, ImageManifest, media_type};
use crate::diag::{Diagnostic, Result};

/// A blob and what stands for it in the manifest.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    /// Media type, digest and size.
    pub(crate) descriptor: Descriptor,
    /// The bytes; they match the descriptor.
    pub(crate) bytes: Arc<[u8]>,
}

impl Blob {
    /// A blob of this media type.
    pub(crate) fn new(media_type: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Blob {
        let bytes = bytes.into();
        Blob { descriptor: Descriptor::of(media_type, &bytes), bytes }
    }
}

/// One image: what `package` makes and reads, what `registry` carries.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// Digest of the manifest's bytes: the artifact's identity.
    pub(crate) digest: Digest,
    /// Media type that the manifest is pushed and served under.
    pub(crate) media_type: String,
    /// The manifest's bytes, exactly as hashed.
    pub(crate) manifest: Arc<[u8]>,
    /// The manifest, read.
    pub(crate) image: ImageManifest,
    /// The config blob; nothing where it was not fetched.
    pub(crate) config: Option<Blob>,
    /// The layers, lowest first.
    pub(crate) layers: Vec<Blob>,
}

impl Artifact {
    /// The artifact of these parts, its manifest printed and hashed. Fails with `manifest-json`, a bug.
    pub(crate) fn new(image: ImageManifest, config: Blob, layers: Vec<Blob>) -> Result<Artifact> {
        let manifest: Arc<[u8]> = serde_json::to_vec(&image)
            .map_err(|fault| Diagnostic::bug("manifest-json", fault.to_string()))
            .map_err(Box::new)?
            .into();
        let media_type = image.media_type.clone().unwrap_or_else(|| media_type::MANIFEST.to_owned());
        Ok(Artifact { digest: Digest::of(&manifest), media_type, manifest, image, config: Some(config), layers })
    }

    /// One blob attached to `subject`: a signature or a statement, as a manifest of its own that refers to it.
    pub(crate) fn attachment(
        subject: Descriptor,
        artifact_type: &str,
        blob: Blob,
        annotations: BTreeMap<String, String>,
    ) -> Result<Artifact> {
        let config = Blob::new(media_type::EMPTY, &b"{}"[..]);
        let image = ImageManifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(artifact_type.to_owned()),
            config: config.descriptor.clone(),
            layers: vec![blob.descriptor.clone()],
            subject: Some(subject),
            annotations,
        };
        Artifact::new(image, config, vec![blob])
    }

    /// The descriptor under which a list of referrers names this artifact: with its type and annotations.
    pub(crate) fn referrer(&self) -> Descriptor {
        let artifact_type = self.image.artifact_type.clone().unwrap_or_else(|| self.image.config.media_type.clone());
        Descriptor {
            artifact_type: Some(artifact_type),
            annotations: self.image.annotations.clone(),
            ..self.descriptor()
        }
    }

    /// The manifest's own descriptor, as an index or a `subject` names it.
    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type.clone(), &self.manifest)
    }

    /// Every blob to be stored before the manifest: config first, then the layers.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.config.iter().chain(&self.layers)
    }
}
