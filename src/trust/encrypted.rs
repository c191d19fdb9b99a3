//! Cosign's encrypted private keys: JSON in PEM, the password stretched by scrypt, the key sealed in a NaCl secretbox.
//!
//! Opened only, never made. The secretbox is put together from the stream cipher and the authenticator that it is made of:
//! no released crate of it is built on the current generation of either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::Deserialize;

use crate::diag::{Diagnostic, Result};

/// Most memory that stretching a password may take, in bytes; cosign's own parameters take 64 MiB.
const SCRYPT_BYTES_MAX: u64 = 256 << 20;
/// Most lanes; cosign's own parameters have one.
const SCRYPT_LANES_MAX: u32 = 16;
const TAG_BYTES: usize = 16;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The DER inside an encrypted key. Fails with `key-password` or `key-invalid`.
pub(super) fn open(pem: &str, password: Option<&str>) -> Result<Vec<u8>> {
    let sealed = read(pem).ok_or_else(|| invalid("the JSON in it is not what cosign writes"))?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(invalid("it is encrypted in another way than cosign does"));
    }
    let Some(password) = password else {
        let fault = Diagnostic::input("key-password", "the key is encrypted, and there is no password for it");
        return Err(Box::new(fault.hint("set COSIGN_PASSWORD")));
    };
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| invalid("its base64 is damaged"));
    let key = stretch(&sealed.kdf, &decode(&sealed.kdf.salt)?, password)?;
    let nonce: [u8; 24] =
        decode(&sealed.cipher.nonce)?.try_into().map_err(|_| invalid("its nonce is not 24 bytes long"))?;
    open_box(&key, &nonce, &decode(&sealed.ciphertext)?).ok_or_else(|| {
        let fault = Diagnostic::input("key-password", "the password does not open the key");
        Box::new(fault.hint("set COSIGN_PASSWORD to the password that the key was made with"))
    })
}

fn read(pem: &str) -> Option<Sealed> {
    let mut lines = pem.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN ")).skip(1);
    let body: String = lines.by_ref().take_while(|line| !line.starts_with("-----END ")).collect();
    serde_json::from_slice(&STANDARD.decode(body).ok()?).ok()
}

fn stretch(kdf: &Kdf, salt: &[u8], password: &str) -> Result<[u8; 32]> {
    let Params { cost, r, p } = kdf.params;
    let memory = cost.checked_mul(128).and_then(|bytes| bytes.checked_mul(u64::from(r)));
    if !cost.is_power_of_two()
        || cost < 2
        || memory.is_none_or(|bytes| bytes > SCRYPT_BYTES_MAX)
        || p > SCRYPT_LANES_MAX
    {
        return Err(invalid("its password would cost more to check than any real key's"));
    }
    let params =
        scrypt::Params::new(cost.ilog2() as u8, r, p).map_err(|_| invalid("its scrypt parameters are wrong"))?;
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key)
        .map_err(|_| invalid("its scrypt parameters are wrong"))?;
    Ok(key)
}

/// Opens a NaCl secretbox: a Poly1305 tag, then the message under XSalsa20; the first 32 bytes of the stream key the tag.
fn open_box(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, message) = sealed.split_at_checked(TAG_BYTES)?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut tag_key = [0; 32];
    stream.apply_keystream(&mut tag_key);
    let found = Poly1305::new((&tag_key).into()).compute_unpadded(message);
    // every byte is looked at, whatever the first difference
    let differs = found.iter().zip(tag).fold(0, |sum, (a, b)| sum | (a ^ b));
    if differs != 0 {
        return None;
    }
    let mut opened = message.to_vec();
    stream.apply_keystream(&mut opened);
    Some(opened)
}

fn invalid(why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("key-invalid", format!("the encrypted key cannot be read: {why}"));
    Box::new(fault.hint("make a pair with `cosign generate-key-pair`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(change: impl Fn(&str) -> String) -> String {
        let pem = include_str!("testdata/encrypted.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let json = String::from_utf8(STANDARD.decode(body).expect("base64")).expect("JSON");
        let body = STANDARD.encode(change(&json));
        format!(
            "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{body}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
        )
    }

    #[test]
    fn parameters_that_would_exhaust_the_machine_are_refused() {
        for (from, to) in [
            (r#""N":65536"#, r#""N":9223372036854775808"#),
            (r#""N":65536"#, r#""N":4194304"#),
            (r#""N":65536"#, r#""N":0"#),
            (r#""N":65536"#, r#""N":65535"#),
            (r#""r":8"#, r#""r":4294967295"#),
            (r#""r":8"#, r#""r":0"#),
            (r#""p":1"#, r#""p":4294967295"#),
            ("scrypt", "md5"),
            ("nacl/secretbox", "none"),
            (r#""nonce":""#, r#""nonce":"AAAA"#),
        ] {
            let pem = sealed(|json| json.replace(from, to));
            assert_eq!(open(&pem, Some("hydrant")).expect_err(to).code, "key-invalid", "{to}");
        }
        assert_eq!(
            open("-----BEGIN X-----\n!\n-----END X-----\n", Some("x")).expect_err("no JSON").code,
            "key-invalid"
        );
    }

    #[test]
    fn a_box_that_was_changed_does_not_open() {
        let (key, nonce) = ([1; 32], [2; 24]);
        assert_eq!(open_box(&key, &nonce, &[0; 15]), None);
        assert_eq!(open_box(&key, &nonce, &[0; 40]), None);
    }
}
