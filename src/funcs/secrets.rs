//! Passwords and ciphers: bcrypt, htpasswd, derived passwords and AES.

use aes::Aes256;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::{NoPadding, Pkcs7}};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::encoding::decode_base64;
use super::entropy::Entropy;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Ty, Val};

type Answer = Result<Val, FuncError>;

const SS: &[Ty] = &[Ty::Str, Ty::Str];
/// bcrypt's rounds, as a power of two: Go's default.
const BCRYPT_COST: u32 = 10;
/// The longest password that Go's bcrypt takes, in bytes.
const BCRYPT_LIMIT: usize = 72;
/// AES works on blocks of this many bytes; so long is the vector in front of a text.
const BLOCK: usize = 16;

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("bcrypt", &[Ty::Str], |ctx, args| Ok(bcrypt_hash(ctx, args.bytes(0))?.into())),
    FuncSpec::fixed("htpasswd", SS, |ctx, args| {
        let user = args.str(0).to_str_lossy().into_owned();
        if user.contains(':') {
            return Ok(format!("invalid username: {user}").into());
        }
        Ok(format!("{user}:{}", bcrypt_hash(ctx, args.bytes(1))?).into())
    }),
    FuncSpec::fixed("derivePassword", &[Ty::Int32, Ty::Str, Ty::Str, Ty::Str, Ty::Str], derive_password),
    FuncSpec::fixed("encryptAES", SS, encrypt),
    FuncSpec::fixed("decryptAES", SS, decrypt),
];

fn bcrypt_hash(ctx: &mut Ctx<'_>, password: &[u8]) -> Result<String, FuncError> {
    let failed = |why: &str| format!("failed to encrypt string with bcrypt: {why}");
    if password.len() > BCRYPT_LIMIT {
        return Ok(failed("bcrypt: password length exceeds 72 bytes"));
    }
    let salt = Entropy::of(ctx)?.bytes::<16>();
    Ok(match bcrypt::hash_with_salt(password, BCRYPT_COST, salt) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoA),
        Err(fault) => failed(&fault.to_string()),
    })
}

/// Shapes of passwords by the kinds of their characters, and the kinds, as the master password algorithm has them.
const SHAPES: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
            "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
            "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn alphabet(kind: u8) -> &'static [u8] {
    match kind {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn derive_password(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let Some((_, shapes)) = SHAPES.iter().find(|(name, _)| name.as_bytes() == args.bytes(1)) else {
        return Ok(format!("cannot find password template {}", args.str(1)).into());
    };
    let [password, user, site] = [args.bytes(2), args.bytes(3), args.bytes(4)];
    let length = |text: &[u8]| (text.len() as u32).to_be_bytes();
    let salt = [SEED, &length(user), user].concat();
    let parameters = scrypt::Params::new(15, 8, 2).expect("the algorithm's parameters are sound");
    let mut key = [0; 64];
    scrypt::scrypt(password, &salt, &parameters, &mut key).expect("64 bytes are a sound length");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length is sound");
    mac.update(&[SEED, &length(site), site, &(args.int(0) as u32).to_be_bytes()].concat());
    let seed = mac.finalize().into_bytes();
    let shape = shapes[usize::from(seed[0]) % shapes.len()];
    let pick = |(kind, draw): (u8, &u8)| alphabet(kind)[usize::from(*draw) % alphabet(kind).len()];
    Ok(shape.bytes().zip(&seed[1..]).map(pick).collect::<Vec<u8>>().into())
}

/// The password cut or filled with zeros to the cipher's key.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(32);
    key[..length].copy_from_slice(&password[..length]);
    key
}

fn encrypt(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    if args.bytes(1).is_empty() {
        return Ok("".into());
    }
    let vector = Entropy::of(ctx)?.bytes::<BLOCK>();
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(args.bytes(0)).into(), &vector.into());
    let text = args.bytes(1);
    let mut buffer = [text, &[0; BLOCK]].concat();
    let sealed = cipher.encrypt_padded::<Pkcs7>(&mut buffer, text.len()).expect("the buffer has a block to spare");
    Ok(data_encoding::BASE64.encode(&[vector.as_slice(), sealed].concat()).into())
}

fn decrypt(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    if args.bytes(1).is_empty() {
        return Ok("".into());
    }
    let sealed = decode_base64(args.bytes(1))?;
    if sealed.len() < BLOCK {
        let capacity = args.bytes(1).len() / 4 * 3;
        return Err(format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}").into());
    }
    let (vector, sealed) = sealed.split_at(BLOCK);
    if sealed.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let vector: [u8; BLOCK] = vector.try_into().expect("just cut to that length");
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(args.bytes(0)).into(), &vector.into());
    let mut buffer = sealed.to_vec();
    let text = cipher.decrypt_padded::<NoPadding>(&mut buffer).map_err(|fault| fault.to_string())?;
    let Some(padding) = text.last() else { return Err("runtime error: index out of range [-1]".into()) };
    if let Some(end) = text.len().checked_sub(usize::from(*padding)) { Ok(Val::str(&text[..end])) } else {
        let end = text.len() as i64 - i64::from(*padding);
        Err(format!("runtime error: slice bounds out of range [:{end}]").into())
    }
}
