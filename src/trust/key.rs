//! Keys: ECDSA on P-256 with SHA-256, the pair that cosign makes by default.
//!
//! Private keys come as cosign's encrypted PEM, as PKCS#8 or as SEC 1; public keys as PEM of a `SubjectPublicKeyInfo`.
//! Signatures are deterministic (RFC 6979), so that signing the same thing again makes the same bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};

use super::encrypted;
use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;

/// A key to sign with. Never shown.
pub(crate) struct PrivateKey(SigningKey);

/// A key to verify with.
#[derive(Clone)]
pub(crate) struct PublicKey {
    key: VerifyingKey,
    hint: String,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.hint)
    }
}

impl PrivateKey {
    /// Reads a key; `password` opens an encrypted one.
    ///
    /// Fails with `key-password` where the password is missing or wrong, `key-kind` for keys of other kinds, and
    /// `key-invalid`.
    pub(crate) fn read(pem: &str, password: Option<&str>) -> Result<PrivateKey> {
        let kind = kind_of(pem).ok_or_else(|| invalid("it is no PEM file"))?;
        let key = match kind {
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                let der = encrypted::open(pem, password)?;
                SecretKey::from_pkcs8_der(&der).map_err(|_| other_kind("the encrypted key"))?
            }
            "PRIVATE KEY" => SecretKey::from_pkcs8_pem(pem).map_err(|_| other_kind("the key"))?,
            "EC PRIVATE KEY" => SecretKey::from_sec1_pem(pem).map_err(|_| other_kind("the key"))?,
            "PUBLIC KEY" => {
                let fault = Diagnostic::input("key-kind", "this is a public key, which cannot sign");
                return Err(Box::new(fault.hint("give the private key that belongs to it")));
            }
            other => return Err(other_kind(&format!("the `{other}`"))),
        };
        Ok(PrivateKey(SigningKey::from(key)))
    }

    /// The key that verifies what this one signs.
    pub(crate) fn public(&self) -> Result<PublicKey> {
        PublicKey::of(*self.0.verifying_key())
    }

    /// The signature of a message, in DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(message);
        signature.as_bytes().to_vec()
    }
}

impl PublicKey {
    /// Reads a key. Fails with `key-kind` or `key-invalid`.
    pub(crate) fn read(pem: &str) -> Result<PublicKey> {
        match kind_of(pem) {
            Some("PUBLIC KEY") => {
                let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| other_kind("the key"))?;
                PublicKey::of(key)
            }
            Some(kind) if kind.ends_with("PRIVATE KEY") => {
                let fault = Diagnostic::input("key-kind", "this is a private key; verifying needs the public one");
                Err(Box::new(fault.hint("give the public key: `cosign public-key --key FILE`")))
            }
            Some(kind) => Err(other_kind(&format!("the `{kind}`"))),
            None => Err(invalid("it is no PEM file")),
        }
    }

    fn of(key: VerifyingKey) -> Result<PublicKey> {
        let der = key.to_public_key_der().map_err(|fault| invalid(&fault.to_string()))?;
        Ok(PublicKey { key, hint: STANDARD.encode(Digest::of(der.as_bytes()).bytes()) })
    }

    /// How bundles name the key: SHA-256 of its DER, in base64.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }

    /// True if the signature, in DER, is this key's of the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        DerSignature::try_from(signature).is_ok_and(|signature| self.key.verify(message, &signature).is_ok())
    }
}

/// The label of the first PEM block.
fn kind_of(pem: &str) -> Option<&str> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    rest.split_once("-----").map(|(kind, _)| kind)
}

fn invalid(why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("key-invalid", format!("the key cannot be read: {why}"));
    Box::new(fault.hint("make a pair with `cosign generate-key-pair`"))
}

fn other_kind(what: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("key-kind", format!("{what} is no ECDSA key on P-256"));
    Box::new(fault.hint("use an ECDSA key on P-256, as `cosign generate-key-pair` makes it"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Made by `openssl ecparam -name prime256v1 -genkey` for these tests alone.
    pub(in super::super) const PKCS8: &str = include_str!("testdata/pkcs8.pem");
    const SEC1: &str = include_str!("testdata/sec1.pem");
    pub(in super::super) const PUBLIC: &str = include_str!("testdata/public.pem");
    /// The same key, encrypted by cosign with the password `hydrant`.
    const ENCRYPTED: &str = include_str!("testdata/encrypted.pem");

    pub(in super::super) fn private() -> PrivateKey {
        PrivateKey::read(PKCS8, None).expect("a key")
    }

    pub(in super::super) fn public() -> PublicKey {
        PublicKey::read(PUBLIC).expect("a key")
    }

    #[test]
    fn every_form_of_one_key_signs_the_same() {
        let wanted = private().sign(b"message");
        assert_eq!(PrivateKey::read(SEC1, None).expect("a key").sign(b"message"), wanted);
        assert_eq!(PrivateKey::read(ENCRYPTED, Some("hydrant")).expect("a key").sign(b"message"), wanted);
        assert!(public().verifies(b"message", &wanted));
        assert!(!public().verifies(b"massage", &wanted));
        for at in 0..wanted.len() {
            let mut damaged = wanted.clone();
            damaged[at] ^= 1;
            assert!(!public().verifies(b"message", &damaged), "byte {at}");
        }
        assert_eq!(private().public().expect("a key").hint(), public().hint());
    }

    #[test]
    fn what_is_no_key_for_this_is_named() {
        let fault = |pem: &str, password| PrivateKey::read(pem, password).expect_err("no key").code;
        assert_eq!(fault(ENCRYPTED, None), "key-password");
        assert_eq!(fault(ENCRYPTED, Some("wrong")), "key-password");
        assert_eq!(fault(PUBLIC, None), "key-kind");
        assert_eq!(fault("hello", None), "key-invalid");
        assert_eq!(fault("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", None), "key-kind");
        assert_eq!(PublicKey::read(PKCS8).expect_err("private").code, "key-kind");
        assert_eq!(PublicKey::read("").expect_err("empty").code, "key-invalid");
        assert_eq!(
            PublicKey::read("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").expect_err("short").code,
            "key-kind"
        );
        assert!(!format!("{:?}", private()).contains('('), "never shown");
    }
}
