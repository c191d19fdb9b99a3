//! Descriptors: what a blob is, how long it is, and which bytes it must have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::diag::{Diagnostic, Result};

/// Media types by name.
pub(crate) mod media_type {
    /// OCI image manifest.
    pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image config.
    pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// Tar layer.
    pub(crate) const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
    /// Gzip-compressed tar layer.
    pub(crate) const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// Docker image manifest, schema 2.
    pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image manifest, schema 1; refused.
    pub(crate) const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
    /// Docker image manifest, schema 1 with signatures; refused.
    pub(crate) const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    /// Flux's layer.
    pub(crate) const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
    /// Flux's config.
    pub(crate) const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
    /// Helm's chart layer.
    pub(crate) const HELM_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    /// Helm's chart config.
    pub(crate) const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
    /// The config of an artifact that needs none: `{}`.
    pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";

    /// True for an image index or a Docker manifest list.
    pub(crate) fn is_index(media_type: &str) -> bool {
        matches!(media_type, INDEX | DOCKER_LIST)
    }

    /// True for an image manifest, OCI or Docker.
    pub(crate) fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, MANIFEST | DOCKER_MANIFEST)
    }
}

/// A platform as an index names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    /// Processor architecture in Go's spelling (`amd64`).
    #[serde(default)]
    pub(crate) architecture: String,
    /// Operating system in Go's spelling (`linux`).
    #[serde(default)]
    pub(crate) os: String,
}

/// What stands for a blob in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    /// Media type.
    pub(crate) media_type: String,
    /// Digest of the bytes.
    pub(crate) digest: Digest,
    /// Length in bytes.
    pub(crate) size: u64,
    /// Annotations, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// The platform, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    /// The type of the artifact that a manifest holds, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
}

impl Descriptor {
    /// The descriptor of `bytes`.
    pub(crate) fn of(media_type: impl Into<String>, bytes: &[u8]) -> Descriptor {
        Descriptor {
            media_type: media_type.into(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
            platform: None,
            artifact_type: None,
        }
    }

    /// Checks that `bytes` are the ones meant. Fails with `blob-size` or `blob-digest`.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<()> {
        self.verify_facts(bytes.len() as u64, Digest::of(bytes))
    }

    /// Checks a length and digest found while reading. Fails with `blob-size` or `blob-digest`.
    pub(crate) fn verify_facts(&self, size: u64, digest: Digest) -> Result<()> {
        if size != self.size {
            let text = format!("blob `{}` has {size} bytes where its descriptor says {}", self.digest, self.size);
            return Err(Box::new(Diagnostic::unreachable("blob-size", text).hint(RETRY_HINT)));
        }
        if digest != self.digest {
            let text = format!("blob `{}` has the digest `{digest}`: its bytes were changed or damaged", self.digest);
            return Err(Box::new(Diagnostic::unreachable("blob-digest", text).hint(RETRY_HINT)));
        }
        Ok(())
    }
}

const RETRY_HINT: &str = "push the artifact again, or pull it from another registry: this copy is not what was pushed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_length_and_digest() {
        let descriptor = Descriptor::of(media_type::TAR, b"abc");
        assert!(descriptor.verify(b"abc").is_ok());
        assert_eq!(descriptor.verify(b"abcd").expect_err("too long").code, "blob-size");
        assert_eq!(descriptor.verify(b"abd").expect_err("other bytes").code, "blob-digest");
    }
}
