//! The older signing scheme: an image under the tag `sha256-HEX.sig`, each of its layers a payload, the signature beside it
//! in an annotation.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::key::{PrivateKey, PublicKey};
use crate::diag::{Diagnostic, Result};
use crate::oci::{
    Artifact, Blob, Descriptor, Digest, ImageConfig, ImageManifest, Location, Manifest, RootFs, media_type,
};
use crate::registry::{Client, Step};

/// Media type of a payload.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation that holds the signature, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The ending of the tag.
pub(super) const ENDING: &str = ".sig";
/// Most signatures kept under one tag.
const SIGNATURES_MAX: usize = 100;

/// What is signed: which manifest, under which name.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    #[serde(default)]
    optional: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// Signs an artifact by the older scheme, beside the signatures that are there; false if it is signed so already.
///
/// `name` is the repository with its host, as cosign writes it into the payload.
pub(crate) async fn sign_by_tag(
    client: &Client,
    location: &Location,
    digest: Digest,
    name: &str,
    key: &PrivateKey,
    told: &mut dyn FnMut(Step),
) -> Result<bool> {
    let tag = digest.tag(ENDING);
    let payload = Payload {
        critical: Critical {
            identity: Identity { docker_reference: name.to_owned() },
            image: Image { docker_manifest_digest: digest.to_string() },
            kind: "cosign container image signature".to_owned(),
        },
        optional: Value::Null,
    };
    let payload = serde_json::to_vec(&payload).map_err(|fault| Diagnostic::bug("signature-json", fault.to_string()))?;
    let mut layer = Blob::new(SIMPLE_SIGNING, payload);
    let signature = STANDARD.encode(key.sign(&layer.bytes));
    layer.descriptor.annotations.insert(SIGNATURE.to_owned(), signature);
    let mut layers = Vec::new();
    if let Some((bytes, content_type)) = client.manifest_under(location, &tag).await?
        && let Manifest::Image(image) = Manifest::parse(&bytes, &content_type)?
    {
        if image.layers.contains(&layer.descriptor) {
            return Ok(false);
        }
        for descriptor in image.layers.iter().take(SIGNATURES_MAX) {
            layers.push(client.blob(location, descriptor).await?);
        }
    }
    layers.push(layer);
    let artifact = image_of(layers)?;
    client.push(&location.with_tag(&tag)?, &artifact, told).await?;
    Ok(true)
}

fn image_of(layers: Vec<Blob>) -> Result<Artifact> {
    let config = ImageConfig {
        architecture: String::new(),
        os: String::new(),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: layers.iter().map(|layer| layer.descriptor.digest).collect(),
        },
    };
    let config = serde_json::to_vec(&config).map_err(|fault| Diagnostic::bug("signature-json", fault.to_string()))?;
    let config = Blob::new(media_type::CONFIG, config);
    let image = ImageManifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: config.descriptor.clone(),
        layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        subject: None,
        annotations: std::collections::BTreeMap::new(),
    };
    Artifact::new(image, config, layers)
}

/// A signature as it was found.
#[derive(Clone, Debug)]
pub(super) struct TagSignature {
    payload: Arc<[u8]>,
    signature: Vec<u8>,
}

impl TagSignature {
    /// The signature in a layer; nothing where the layer is another thing or the base64 is broken.
    pub(super) fn of(blob: &Blob) -> Option<TagSignature> {
        if !is_signature(&blob.descriptor) {
            return None;
        }
        let signature = STANDARD.decode(blob.descriptor.annotations.get(SIGNATURE)?).ok()?;
        Some(TagSignature { payload: blob.bytes.clone(), signature })
    }

    /// True if the key signed the payload.
    pub(super) fn verifies(&self, key: &PublicKey) -> bool {
        key.verifies(&self.payload, &self.signature)
    }

    /// True if the payload is about this digest.
    pub(super) fn is_about(&self, digest: Digest) -> bool {
        let payload: Option<Payload> = serde_json::from_slice(&self.payload).ok();
        payload.is_some_and(|payload| payload.critical.image.docker_manifest_digest == digest.to_string())
    }
}

/// True for a layer that holds a payload.
pub(super) fn is_signature(descriptor: &Descriptor) -> bool {
    descriptor.media_type == SIMPLE_SIGNING
}
