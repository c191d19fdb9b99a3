//! Image manifests, configs and indexes, OCI and Docker alike.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Descriptor, Digest, media_type};
use crate::diag::{Diagnostic, Result};

/// Longest manifest read, in bytes; what registries themselves allow.
pub(crate) const MANIFEST_BYTES_MAX: usize = 4 << 20;

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageManifest {
    /// Always 2.
    pub(crate) schema_version: u32,
    /// Media type of this manifest; some writers leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// What the artifact is, where the config does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    /// The config blob.
    pub(crate) config: Descriptor,
    /// The layers, lowest first.
    pub(crate) layers: Vec<Descriptor>,
    /// The manifest that this one refers to (signatures, statements).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    /// Annotations, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// An image index or Docker manifest list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    /// Always 2.
    pub(crate) schema_version: u32,
    /// Media type of this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// The manifests.
    pub(crate) manifests: Vec<Descriptor>,
    /// Annotations, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Index {
    /// The manifest for linux/amd64, or the only manifest there is: what Config Sync takes.
    pub(crate) fn linux_amd64(&self) -> Option<&Descriptor> {
        let images = || self.manifests.iter().filter(|entry| media_type::is_manifest(&entry.media_type));
        let fits = |entry: &&Descriptor| {
            entry.platform.as_ref().is_some_and(|platform| platform.os == "linux" && platform.architecture == "amd64")
        };
        images().find(fits).or_else(|| {
            let mut all = images();
            all.next().filter(|entry| entry.platform.is_none() && all.next().is_none())
        })
    }
}

/// An image config: the little that makes an artifact a valid image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageConfig {
    /// Processor architecture in Go's spelling.
    pub(crate) architecture: String,
    /// Operating system in Go's spelling.
    pub(crate) os: String,
    /// The layers, uncompressed.
    pub(crate) rootfs: RootFs,
}

/// The layers of an image config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Digests of the uncompressed layers, lowest first.
    pub(crate) diff_ids: Vec<Digest>,
}

/// What stands under a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manifest {
    /// One image.
    Image(Box<ImageManifest>),
    /// A choice of images.
    Index(Index),
}

impl Manifest {
    /// Reads a manifest. `content_type` is what the registry calls it; the document's own `mediaType` wins.
    ///
    /// Fails with `manifest-schema1` (Docker's retired form), `manifest-invalid` or `manifest-size`.
    pub(crate) fn parse(bytes: &[u8], content_type: &str) -> Result<Manifest> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            let text = format!("the manifest has {} bytes, more than the {MANIFEST_BYTES_MAX} allowed", bytes.len());
            return Err(Box::new(Diagnostic::unreachable("manifest-size", text)));
        }
        let invalid = |why: String| {
            let fault = Diagnostic::unreachable("manifest-invalid", format!("the manifest cannot be read: {why}"));
            Box::new(fault.hint("check that the reference names an OCI artifact"))
        };
        let head: Head = serde_json::from_slice(bytes).map_err(|fault| invalid(fault.to_string()))?;
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        let named = if head.media_type.is_empty() { content_type } else { head.media_type.as_str() };
        let schema1 = matches!(named, media_type::DOCKER_SCHEMA1 | media_type::DOCKER_SCHEMA1_SIGNED);
        if schema1 || head.schema_version == 1 {
            let text = "the manifest is in Docker's retired schema 1";
            return Err(Box::new(Diagnostic::input("manifest-schema1", text).hint("push the artifact again with a current tool")));
        }
        if head.schema_version != 2 {
            return Err(invalid(format!("`schemaVersion` is {} where 2 is meant", head.schema_version)));
        }
        if media_type::is_index(named) || (!media_type::is_manifest(named) && head.manifests.is_some()) {
            return serde_json::from_slice(bytes).map(Manifest::Index).map_err(|fault| invalid(fault.to_string()));
        }
        serde_json::from_slice(bytes).map(|image| Manifest::Image(Box::new(image))).map_err(|fault| invalid(fault.to_string()))
    }
}

/// The few fields that tell which kind of manifest this is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    manifests: Option<serde::de::IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::Platform;
    use super::*;

    fn entry(os: &str, architecture: &str) -> Descriptor {
        let platform = Platform { os: os.to_owned(), architecture: architecture.to_owned() };
        let bytes = format!("{os}/{architecture}");
        Descriptor { platform: Some(platform), ..Descriptor::of(media_type::MANIFEST, bytes.as_bytes()) }
    }

    #[test]
    fn an_index_gives_linux_amd64() {
        let mut index = Index {
            schema_version: 2,
            media_type: None,
            manifests: vec![entry("linux", "arm64"), entry("linux", "amd64")],
            annotations: BTreeMap::new(),
        };
        assert_eq!(index.linux_amd64(), Some(&entry("linux", "amd64")));
        index.manifests.pop();
        assert_eq!(index.linux_amd64(), None);
        index.manifests[0].platform = None;
        assert!(index.linux_amd64().is_some(), "the only manifest without a platform will do");
    }

    #[test]
    fn manifests_are_told_apart() {
        let index = br#"{"schemaVersion":2,"manifests":[]}"#;
        assert!(matches!(Manifest::parse(index, "application/json"), Ok(Manifest::Index(_))));
        let schema1 = br#"{"schemaVersion":1,"fsLayers":[]}"#;
        assert_eq!(Manifest::parse(schema1, "").expect_err("retired").code, "manifest-schema1");
        for text in ["", "[]", "{}", "null", r#"{"schemaVersion":2}"#, r#"{"schemaVersion":2,"config":{},"layers":7}"#] {
            assert_eq!(Manifest::parse(text.as_bytes(), "").expect_err(text).code, "manifest-invalid");
        }
        let long = vec![b' '; MANIFEST_BYTES_MAX + 1];
        assert_eq!(Manifest::parse(&long, "").expect_err("too long").code, "manifest-size");
    }
}
