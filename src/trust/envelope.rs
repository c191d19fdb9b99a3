//! DSSE envelopes: a payload, its type, and signatures over both.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use super::key::{PrivateKey, PublicKey};

/// The payload type of in-toto statements.
pub(super) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An envelope as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    /// The payload, in base64.
    payload: String,
    /// What the payload is.
    pub(super) payload_type: String,
    /// The signatures.
    pub(super) signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Signature {
    /// The signature, in base64.
    sig: String,
    /// A name of the key, where the signer gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
}

impl Envelope {
    /// A signed envelope of an in-toto statement.
    pub(super) fn sign(statement: &[u8], key: &PrivateKey) -> Envelope {
        let signature = key.sign(&authenticated(IN_TOTO, statement));
        Envelope {
            payload: STANDARD.encode(statement),
            payload_type: IN_TOTO.to_owned(),
            signatures: vec![Signature { sig: STANDARD.encode(signature), keyid: None }],
        }
    }

    /// The payload; nothing where its base64 is broken.
    pub(super) fn payload(&self) -> Option<Vec<u8>> {
        decode(&self.payload)
    }

    /// True if one of the signatures is the key's.
    pub(super) fn verifies(&self, payload: &[u8], key: &PublicKey) -> bool {
        let message = authenticated(&self.payload_type, payload);
        let mut signatures = self.signatures.iter().filter_map(|signature| decode(&signature.sig));
        signatures.any(|signature| key.verifies(&message, &signature))
    }
}

/// Both alphabets of base64 are allowed.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// What is signed: type and payload with their lengths, so that neither can run into the other.
fn authenticated(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::{private, public};
    use super::*;

    #[test]
    fn what_is_signed_is_as_the_specification_says() {
        let message = authenticated("http://example.com/HelloWorld", b"hello world");
        assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_change_of_payload_or_type_breaks_the_signature() {
        let mut envelope = Envelope::sign(b"{}", &private());
        let payload = envelope.payload().expect("base64");
        assert!(envelope.verifies(&payload, &public()));
        assert!(!envelope.verifies(b"[]", &public()));
        envelope.payload_type.push('x');
        assert!(!envelope.verifies(&payload, &public()));
        envelope.payload_type.pop();
        envelope.signatures.clear();
        assert!(!envelope.verifies(&payload, &public()));
    }
}
