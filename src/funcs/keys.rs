//! Private keys: made, read from PEM, written as Go writes them, and signing.
//!
//! RSA as PKCS#1, ECDSA on P-256 as SEC 1, Ed25519 as PKCS#8, DSA as OpenSSL's own sequence.

use std::convert::Infallible;

use dsa::Components;
use p256::ecdsa::signature::Signer as _;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha2::Digest as _;

use super::der::{Reader, bit_string, from_pem, integer, sequence, tag, to_pem, value};
use super::entropy::Entropy;

const RSA_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA256_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ECDSA_SHA256_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ED25519_OID: &[u8] = &[0x2b, 0x65, 0x70];
const NULL: &[u8] = &[5, 0];
/// What PKCS#1 puts before a SHA-256 digest.
const SHA256_PREFIX: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ec(p256::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Good for nothing but being printed: Go's certificates take no DSA either. Its DER.
    Dsa(Vec<u8>),
}

/// The host's entropy as the crypto libraries ask for it.
struct Draws<'a, 'c, 'e>(&'a mut Entropy<'c, 'e>);

impl TryRng for Draws<'_, '_, '_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Draws<'_, '_, '_> {}

impl PrivateKey {
    /// A new RSA key.
    pub(super) fn new_rsa(entropy: &mut Entropy<'_, '_>, bits: usize) -> Result<PrivateKey, String> {
        let key = rsa::RsaPrivateKey::new(&mut Draws(entropy), bits);
        key.map(|key| PrivateKey::Rsa(Box::new(key))).map_err(|fault| fault.to_string())
    }

    /// A new key of the kind that `genPrivateKey` names; `None` for a kind it does not know.
    pub(super) fn new(entropy: &mut Entropy<'_, '_>, kind: &str) -> Option<Result<PrivateKey, String>> {
        Some(match kind {
            "" | "rsa" => PrivateKey::new_rsa(entropy, 4096),
            "dsa" => new_dsa(entropy),
            "ecdsa" => loop {
                // Of 2³² draws one is no key: zero, or beyond the curve's order.
                if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&entropy.bytes::<32>()) {
                    break Ok(PrivateKey::Ec(key));
                }
            },
            "ed25519" => Ok(PrivateKey::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&entropy.bytes())))),
            _ => return None,
        })
    }

    /// Sprig's reading of a PEM key, with its error texts.
    pub(super) fn from_pem(text: &str) -> Result<PrivateKey, String> {
        let (label, der) = from_pem(text).ok_or("no PEM data in input")?;
        if label == "PRIVATE KEY" {
            return from_pkcs8(&der).ok_or_else(|| "decoding PEM as PKCS#8: x509: failed to parse private key".to_owned());
        }
        let Some(kind) = label.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {label}"));
        };
        let unread = |kind: &str| format!("parsing {kind} private key from PEM: x509: failed to parse private key");
        match kind {
            "RSA" => from_pkcs1(&der).ok_or_else(|| unread("RSA")),
            "EC" => from_sec1(&der).ok_or_else(|| unread("EC")),
            "DSA" if Reader::new(&der).enter(tag::SEQUENCE).is_some() => Ok(PrivateKey::Dsa(der)),
            "DSA" => Err("parsing DSA private key from PEM: asn1: structure error".to_owned()),
            _ => Err(format!("invalid private key type {kind}")),
        }
    }

    /// The key as Go writes it.
    pub(super) fn to_pem(&self) -> Result<String, String> {
        Ok(match self {
            PrivateKey::Rsa(key) => {
                to_pem("RSA PRIVATE KEY", key.to_pkcs1_der().map_err(|fault| fault.to_string())?.as_bytes())
            }
            PrivateKey::Ec(key) => {
                let curve = value(tag::context(0), &[&value(tag::OID, &[P256_OID])]);
                let public = value(tag::context(1), &[&bit_string(&self.public_bits()?)]);
                let secret = value(tag::OCTET_STRING, &[&key.to_bytes()]);
                to_pem("EC PRIVATE KEY", &sequence(&[&integer(&[1]), &secret, &curve, &public]))
            }
            PrivateKey::Ed25519(key) => {
                let secret = value(tag::OCTET_STRING, &[&value(tag::OCTET_STRING, &[key.as_bytes()])]);
                let algorithm = sequence(&[&value(tag::OID, &[ED25519_OID])]);
                to_pem("PRIVATE KEY", &sequence(&[&integer(&[0]), &algorithm, &secret]))
            }
            PrivateKey::Dsa(der) => to_pem("DSA PRIVATE KEY", der),
        })
    }

    /// The bits of the public key, as certificates hold and hash them.
    pub(super) fn public_bits(&self) -> Result<Vec<u8>, String> {
        Ok(match self {
            PrivateKey::Rsa(key) => key.to_public_key().to_pkcs1_der().map_err(|fault| fault.to_string())?.into_vec(),
            PrivateKey::Ec(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            PrivateKey::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            PrivateKey::Dsa(_) => return Err("x509: unsupported public key type: *dsa.PublicKey".to_owned()),
        })
    }

    /// The public key with its algorithm.
    pub(super) fn public_info(&self) -> Result<Vec<u8>, String> {
        let algorithm = match self {
            PrivateKey::Rsa(_) => sequence(&[&value(tag::OID, &[RSA_OID]), NULL]),
            PrivateKey::Ec(_) => sequence(&[&value(tag::OID, &[EC_OID]), &value(tag::OID, &[P256_OID])]),
            _ => sequence(&[&value(tag::OID, &[ED25519_OID])]),
        };
        Ok(sequence(&[&algorithm, &bit_string(&self.public_bits()?)]))
    }

    /// The algorithm of [`PrivateKey::sign`].
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            PrivateKey::Rsa(_) => sequence(&[&value(tag::OID, &[RSA_SHA256_OID]), NULL]),
            PrivateKey::Ec(_) => sequence(&[&value(tag::OID, &[ECDSA_SHA256_OID])]),
            _ => sequence(&[&value(tag::OID, &[ED25519_OID])]),
        }
    }

    /// Signs a text. ECDSA draws no randomness (RFC 6979), so that nothing but the key decides.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            PrivateKey::Rsa(key) => {
                let scheme = rsa::Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
                key.sign(scheme, &sha2::Sha256::digest(text)).map_err(|fault| fault.to_string())
            }
            PrivateKey::Ec(key) => {
                let signature: p256::ecdsa::Signature = key.sign(text);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            PrivateKey::Ed25519(key) => Ok(key.sign(text).to_bytes().to_vec()),
            PrivateKey::Dsa(_) => Err("x509: certificate private key does not implement crypto.Signer".to_owned()),
        }
    }
}

fn new_dsa(entropy: &mut Entropy<'_, '_>) -> Result<PrivateKey, String> {
    let failed = |fault: &dyn std::fmt::Display| format!("failed to generate dsa params: {fault}");
    let mut draws = Draws(entropy);
    let components = Components::try_generate_from_rng_with_key_size(&mut draws, dsa::KeySize::DSA_2048_256);
    let components = components.map_err(|fault| failed(&fault))?;
    let key = dsa::SigningKey::try_generate_from_rng_with_components(&mut draws, components).map_err(|fault| failed(&fault))?;
    let public = key.verifying_key();
    let parts = public.components();
    let number = |bytes: Box<[u8]>| integer(&bytes);
    Ok(PrivateKey::Dsa(sequence(&[
        &integer(&[0]),
        &number(parts.p().to_be_bytes()),
        &number(parts.q().to_be_bytes()),
        &number(parts.g().to_be_bytes()),
        &number(public.y().to_be_bytes()),
        &number(key.x().to_be_bytes()),
    ])))
}

fn from_pkcs1(der: &[u8]) -> Option<PrivateKey> {
    rsa::RsaPrivateKey::from_pkcs1_der(der).ok().map(|key| PrivateKey::Rsa(Box::new(key)))
}

fn from_sec1(der: &[u8]) -> Option<PrivateKey> {
    let mut parts = Reader::new(der).enter(tag::SEQUENCE)?;
    parts.take(tag::INTEGER)?;
    let secret = parts.take(tag::OCTET_STRING)?;
    if parts.peek() == Some(tag::context(0)) && parts.enter(tag::context(0))?.take(tag::OID)? != P256_OID {
        return None;
    }
    p256::ecdsa::SigningKey::from_slice(secret).ok().map(PrivateKey::Ec)
}

fn from_pkcs8(der: &[u8]) -> Option<PrivateKey> {
    let mut parts = Reader::new(der).enter(tag::SEQUENCE)?;
    parts.take(tag::INTEGER)?;
    let kind = parts.enter(tag::SEQUENCE)?.take(tag::OID)?;
    let secret = parts.take(tag::OCTET_STRING)?;
    match kind {
        RSA_OID => from_pkcs1(secret),
        EC_OID => from_sec1(secret),
        ED25519_OID => {
            let seed: [u8; 32] = Reader::new(secret).take(tag::OCTET_STRING)?.try_into().ok()?;
            Some(PrivateKey::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))))
        }
        _ => None,
    }
}
