//! What is attached to an artifact: read, and each piece told apart, but nothing believed yet.

use std::sync::Arc;

use super::bundle::{BUNDLE_PREFIX, Bundle};
use super::envelope::{Envelope, IN_TOTO};
use super::statement::{SIGNATURE, Statement};
use super::tagged::{self, TagSignature};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Blob, Descriptor, Digest, Location, Manifest, Version};
use crate::registry::Client;

/// Largest signature or statement read, in bytes.
const ATTACHMENT_BYTES_MAX: u64 = 16 << 20;
/// Media type of an envelope in the older scheme.
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// The ending of the tag under which the older scheme keeps statements.
const STATEMENTS_ENDING: &str = ".att";

/// How a piece is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bundle that refers to the artifact.
    Bundle,
    /// Under a tag made of the artifact's digest.
    Tag,
    /// An in-toto statement that refers to the artifact, unsigned.
    Plain,
    /// Anything else that refers to the artifact.
    Other,
}

/// What a piece says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// That somebody vouches for the artifact.
    Signature,
    /// A statement of this type.
    Statement(String),
    /// Something of this artifact type, not understood here.
    Other(String),
}

/// One thing attached to an artifact.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    /// The digest of the manifest that holds it.
    pub(crate) digest: Digest,
    /// How it is kept.
    pub(crate) form: Form,
    /// What it says.
    pub(crate) claim: Claim,
    /// The statement, where it is one.
    pub(crate) statement: Option<Statement>,
    /// What vouches for it.
    pub(super) proof: Proof,
}

/// What vouches for a piece.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// An envelope; with the payload, and the name of the key where one is given. `None`: a certificate.
    Envelope { envelope: Envelope, payload: Vec<u8>, hint: Option<String> },
    /// A signature of the older scheme.
    Tag(TagSignature),
    /// Nothing.
    None,
}

/// Everything attached to the artifact of this digest at a location, every byte checked against its digest.
///
/// Fails with `attachment-invalid` where a piece is not what it says it is, or as reading it does.
pub(crate) async fn inspect(client: &Client, location: &Location, digest: Digest) -> Result<Vec<Attached>> {
    let mut found = Vec::new();
    for descriptor in client.referrers(location, digest).await? {
        found.push(referrer(client, location, &descriptor, digest).await?);
    }
    for ending in [tagged::ENDING, STATEMENTS_ENDING] {
        if let Some((bytes, content_type)) = client.manifest_under(location, &digest.tag(ending)).await? {
            under_tag(client, location, (bytes, &content_type), &mut found).await?;
        }
    }
    Ok(found)
}

async fn referrer(client: &Client, location: &Location, descriptor: &Descriptor, subject: Digest) -> Result<Attached> {
    let named =
        |fault: Box<Diagnostic>| Box::new(fault.trail(format!("in what is attached as `{}`", descriptor.digest), None));
    let (bytes, content_type) = client.manifest(location, &Version::Digest(descriptor.digest)).await.map_err(named)?;
    descriptor.verify(&bytes).map_err(named)?;
    let other = |kind: String| Attached {
        digest: descriptor.digest,
        form: Form::Other,
        claim: Claim::Other(kind),
        statement: None,
        proof: Proof::None,
    };
    let image = match Manifest::parse(&bytes, &content_type).map_err(named)? {
        Manifest::Image(image) => image,
        Manifest::Index(_) => return Ok(other(descriptor.media_type.clone())),
    };
    if image.subject.as_ref().is_none_or(|one| one.digest != subject) {
        return Err(invalid(descriptor.digest, "it refers to another artifact"));
    }
    let artifact_type = image.artifact_type.clone().unwrap_or_else(|| image.config.media_type.clone());
    config(client, location, &image.config).await.map_err(named)?;
    let [layer] = &image.layers[..] else { return Ok(other(artifact_type)) };
    if layer.media_type.starts_with(BUNDLE_PREFIX) {
        let blob = read(client, location, layer).await.map_err(named)?;
        return bundle(descriptor.digest, &blob);
    }
    if layer.media_type == IN_TOTO {
        let blob = read(client, location, layer).await.map_err(named)?;
        let statement =
            Statement::read(&blob.bytes).ok_or_else(|| invalid(descriptor.digest, "it is no in-toto statement"))?;
        return Ok(Attached {
            digest: descriptor.digest,
            form: Form::Plain,
            claim: Claim::Statement(statement.predicate_type.clone()),
            statement: Some(statement),
            proof: Proof::None,
        });
    }
    Ok(other(artifact_type))
}

fn bundle(digest: Digest, blob: &Blob) -> Result<Attached> {
    let bundle: Bundle =
        serde_json::from_slice(&blob.bytes).map_err(|fault| invalid(digest, &format!("it is no bundle: {fault}")))?;
    let hint = bundle.hint().map(str::to_owned);
    let Some(envelope) = bundle.dsse_envelope else {
        return Ok(Attached {
            digest,
            form: Form::Bundle,
            claim: Claim::Other("a bundle without an envelope".to_owned()),
            statement: None,
            proof: Proof::None,
        });
    };
    of_envelope(digest, Form::Bundle, envelope, hint)
}

fn of_envelope(digest: Digest, form: Form, envelope: Envelope, hint: Option<String>) -> Result<Attached> {
    let payload = envelope.payload().ok_or_else(|| invalid(digest, "the base64 of its payload is damaged"))?;
    let statement = if envelope.payload_type == IN_TOTO { Statement::read(&payload) } else { None };
    let claim = match &statement {
        Some(statement) if statement.predicate_type == SIGNATURE => Claim::Signature,
        Some(statement) => Claim::Statement(statement.predicate_type.clone()),
        None => return Err(invalid(digest, "its envelope holds no in-toto statement")),
    };
    Ok(Attached { digest, form, claim, statement, proof: Proof::Envelope { envelope, payload, hint } })
}

/// Signatures and statements of the older scheme, each a layer.
async fn under_tag(
    client: &Client,
    location: &Location,
    (bytes, content_type): (Arc<[u8]>, &str),
    found: &mut Vec<Attached>,
) -> Result<()> {
    let digest = Digest::of(&bytes);
    let Manifest::Image(image) = Manifest::parse(&bytes, content_type)? else {
        return Err(invalid(digest, "an index stands where signatures belong"));
    };
    let named = |fault: Box<Diagnostic>| Box::new(fault.trail(format!("in what is attached as `{digest}`"), None));
    config(client, location, &image.config).await.map_err(named)?;
    for layer in &image.layers {
        if tagged::is_signature(layer) {
            let blob = read(client, location, layer).await.map_err(named)?;
            let signature = TagSignature::of(&blob)
                .ok_or_else(|| invalid(digest, "a signature is missing or its base64 is damaged"))?;
            let proof = Proof::Tag(signature);
            found.push(Attached { digest, form: Form::Tag, claim: Claim::Signature, statement: None, proof });
        } else if layer.media_type == ENVELOPE {
            let blob = read(client, location, layer).await.map_err(named)?;
            let envelope = serde_json::from_slice(&blob.bytes)
                .map_err(|fault| invalid(digest, &format!("a layer is no envelope: {fault}")))?;
            found.push(of_envelope(digest, Form::Tag, envelope, None)?);
        }
    }
    Ok(())
}

/// Checks a config that says nothing here: even so, not a byte of it may be changed. The empty one is known without reading.
async fn config(client: &Client, location: &Location, descriptor: &Descriptor) -> Result<()> {
    if descriptor.digest == Digest::of(b"{}") {
        return Ok(());
    }
    read(client, location, descriptor).await.map(|_| ())
}

async fn read(client: &Client, location: &Location, descriptor: &Descriptor) -> Result<Blob> {
    if descriptor.size > ATTACHMENT_BYTES_MAX {
        let text = format!(
            "`{}` has {} bytes, more than the {ATTACHMENT_BYTES_MAX} allowed",
            descriptor.digest, descriptor.size
        );
        return Err(Box::new(Diagnostic::input("attachment-too-large", text).hint("remove it from the registry")));
    }
    client.blob(location, descriptor).await
}

fn invalid(digest: Digest, why: &str) -> Box<Diagnostic> {
    let fault =
        Diagnostic::input("attachment-invalid", format!("what is attached as `{digest}` cannot be used: {why}"));
    Box::new(fault.hint("sign the artifact again, and remove what was changed from the registry"))
}
