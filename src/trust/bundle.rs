//! Sigstore bundles, version 0.3: how cosign 3 keeps signatures and statements, one a referrer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope::Envelope;
use super::key::PrivateKey;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor};

/// Media type of a bundle, and artifact type of the manifest around it.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Where the version of the media type starts; other versions are read as far as they are alike.
pub(super) const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// A bundle as JSON; what a key pair does not need (certificates, log entries) is left unread.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle {
    media_type: String,
    verification_material: Material,
    /// The envelope; nothing for a bundle about a plain file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dsse_envelope: Option<Envelope>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyName>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeyName {
    #[serde(default)]
    hint: String,
}

impl Bundle {
    /// The name that the bundle gives of its key; nothing for one signed with a certificate.
    pub(super) fn hint(&self) -> Option<&str> {
        self.verification_material.public_key.as_ref().map(|key| key.hint.as_str())
    }
}

/// A statement, signed, as an artifact that refers to `subject`.
pub(super) fn attachment(
    subject: Descriptor,
    statement: &[u8],
    predicate_type: &str,
    key: &PrivateKey,
) -> Result<Artifact> {
    let bundle = Bundle {
        media_type: BUNDLE.to_owned(),
        verification_material: Material { public_key: Some(KeyName { hint: key.public()?.hint().to_owned() }) },
        dsse_envelope: Some(Envelope::sign(statement, key)),
    };
    let json = serde_json::to_vec(&bundle).map_err(|fault| Diagnostic::bug("bundle-json", fault.to_string()))?;
    let annotations = BTreeMap::from([
        (CONTENT.to_owned(), "dsse-envelope".to_owned()),
        (PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
    ]);
    Artifact::attachment(subject, BUNDLE, Blob::new(BUNDLE, json), annotations)
}
