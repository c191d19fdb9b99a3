//! One image in memory: the manifest's own bytes and every blob that it names.

use std::sync::Arc;

use super::{Descriptor, Digest, ImageManifest};

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
    /// The manifest's own descriptor, as an index or a `subject` names it.
    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::of(self.media_type.clone(), &self.manifest)
    }

    /// Every blob to be stored before the manifest: config first, then the layers.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.config.iter().chain(&self.layers)
    }
}
