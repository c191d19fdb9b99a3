//! Base64, base32 and checksums.
//!
//! Decoders skip line ends and give Go's error text as their result.

use sha1::Digest as _;

use crate::gotmpl::{FuncSpec, Ty, Val};

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("b64enc", &[Ty::Str], |_, args| Ok(data_encoding::BASE64.encode(args.bytes(0)).into())),
    FuncSpec::fixed("b64dec", &[Ty::Str], |_, args| Ok(decode_base64(args.bytes(0)).map_or_else(Val::from, Val::from))),
    FuncSpec::fixed("b32enc", &[Ty::Str], |_, args| Ok(data_encoding::BASE32.encode(args.bytes(0)).into())),
    FuncSpec::fixed("b32dec", &[Ty::Str], |_, args| Ok(decode_base32(args.bytes(0)).map_or_else(Val::from, Val::from))),
    FuncSpec::fixed("sha1sum", &[Ty::Str], |_, args| Ok(hex(&sha1::Sha1::digest(args.bytes(0))).into())),
    FuncSpec::fixed("sha256sum", &[Ty::Str], |_, args| Ok(hex(&sha2::Sha256::digest(args.bytes(0))).into())),
    FuncSpec::fixed("sha512sum", &[Ty::Str], |_, args| Ok(hex(&sha2::Sha512::digest(args.bytes(0))).into())),
    FuncSpec::fixed("adler32sum", &[Ty::Str], |_, args| {
        Ok(adler2::adler32_slice(args.bytes(0)).to_string().into())
    }),
];

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// `base64.StdEncoding.DecodeString`.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    decode(text, 4, 6, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    })
    .map_err(|at| format!("illegal base64 data at input byte {at}"))
}

fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    decode(text, 8, 5, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    })
    .map_err(|at| format!("illegal base32 data at input byte {at}"))
}

/// Groups of `width` symbols of `bits` each; the last may end in padding. The error is the offset Go names.
fn decode(text: &[u8], width: usize, bits: usize, value: fn(u8) -> Option<u8>) -> Result<Vec<u8>, usize> {
    // Base32 drops line ends first, so its offsets leave them out; base64 steps over them.
    let lineless = |byte: &u8| !matches!(byte, b'\n' | b'\r');
    let symbols: Vec<(usize, u8)> = if width == 8 {
        text.iter().copied().filter(lineless).enumerate().collect()
    } else {
        text.iter().copied().enumerate().filter(|(_, byte)| lineless(byte)).collect()
    };
    let length = if width == 8 { symbols.len() } else { text.len() };
    let mut out = Vec::with_capacity(symbols.len() * bits / 8);
    let mut at = 0;
    while at < symbols.len() {
        let group = &symbols[at..symbols.len().min(at + width)];
        let used = group.iter().take_while(|(_, byte)| value(*byte).is_some()).count();
        let whole = used * bits / 8;
        if used < width {
            let spare = used * bits - whole * 8;
            match group.get(used) {
                // Base64 names the start of the group it could not finish.
                None => return Err(if width == 4 { length.saturating_sub(group.len()) } else { length }),
                Some((offset, b'=')) => {
                    if used < 2 || spare >= bits {
                        return Err(*offset);
                    }
                    let short = group[used..].iter().take_while(|(_, byte)| *byte == b'=').count();
                    if used + short < width {
                        return Err(group.get(used + short).map_or(length, |(offset, _)| *offset));
                    }
                    if let Some((offset, _)) = symbols.get(at + width) {
                        return Err(*offset);
                    }
                }
                Some((offset, _)) => return Err(*offset),
            }
        }
        let packed = group[..used].iter().fold(0u64, |sum, (_, byte)| sum << bits | u64::from(value(*byte).unwrap_or(0)));
        let packed = packed << (64 - used * bits);
        out.extend_from_slice(&packed.to_be_bytes()[..whole]);
        at += width;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoders_take_line_ends_and_name_the_byte() {
        assert_eq!(decode_base64(b"aGVs\nbG8=").unwrap(), b"hello");
        assert_eq!(decode_base32(b"NBSWY3DP").unwrap(), b"hello");
        assert_eq!(decode_base64(b"!!").unwrap_err(), "illegal base64 data at input byte 0");
        assert_eq!(decode_base64(b"aGVsbG8").unwrap_err(), "illegal base64 data at input byte 4");
        assert_eq!(decode_base64(b"aGVsbG8=x").unwrap_err(), "illegal base64 data at input byte 8");
        assert_eq!(decode_base32(b"NB").unwrap_err(), "illegal base32 data at input byte 2");
        assert_eq!(decode_base64(b"").unwrap(), b"");
    }
}
