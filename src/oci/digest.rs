//! Content digests: SHA-256 only, the one algorithm that every registry and consumer has.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::diag::{Diagnostic, Result};

/// A SHA-256 content digest; prints as `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// Reads `sha256:HEX`. Fails with `digest-algorithm` for another algorithm and `digest-invalid` for anything else.
    pub(crate) fn parse(text: &str) -> Result<Digest> {
        let Some((algorithm, hex)) = text.split_once(':') else {
            let fault = Diagnostic::input("digest-invalid", format!("`{text}` is no digest"));
            return Err(Box::new(fault.hint("write `sha256:` and 64 hex digits")));
        };
        if algorithm != "sha256" {
            let fault = Diagnostic::input("digest-algorithm", format!("digest algorithm `{algorithm}` is not supported"));
            return Err(Box::new(fault.hint("use a `sha256:` digest")));
        }
        let lower = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let bytes = if lower { data_encoding::HEXLOWER.decode(hex.as_bytes()).ok() } else { None };
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Digest).ok_or_else(|| {
            let fault = Diagnostic::input("digest-invalid", format!("`{text}` is no SHA-256 digest"));
            Box::new(fault.hint("write `sha256:` and 64 lower-case hex digits"))
        })
    }

    /// The 32 bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The tag `sha256-HEX`, by which registries without a referrers API keep what refers to this digest, followed by
    /// `ending` (`.sig` for signatures of the older scheme).
    pub(crate) fn tag(&self, ending: &str) -> String {
        format!("sha256-{}{ending}", self.hex())
    }

    /// True for a tag that [`Digest::tag`] makes, whatever its ending: one that tools keep, and no person gave.
    pub(crate) fn is_tag(tag: &str) -> bool {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let rest = tag.strip_prefix("sha256-").and_then(|rest| rest.split_at_checked(64));
        rest.is_some_and(|(digits, ending)| hex(digits) && (ending.is_empty() || ending.starts_with('.')))
    }

    /// The 64 hex digits without the algorithm.
    pub(crate) fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Hashes a stream piece by piece.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    state: Sha256,
    length: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were taken so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all bytes taken.
    pub(crate) fn finish(self) -> Digest {
        Digest(self.state.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(Digest::parse(empty).expect("is a digest"), Digest::of(b""));
        let mut hasher = Hasher::default();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!((hasher.length(), hasher.finish()), (3, Digest::of(b"abc")));
    }

    #[test]
    fn tags_that_tools_keep_are_known() {
        let digest = Digest::of(b"");
        assert!(Digest::is_tag(&digest.tag("")) && Digest::is_tag(&digest.tag(".sig")));
        for tag in ["v1", "sha256-abc", &digest.tag("x"), &digest.tag("").to_uppercase()] {
            assert!(!Digest::is_tag(tag), "{tag}");
        }
    }

    #[test]
    fn refuses_other_spellings() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for text in ["", "sha256", "sha256:", "sha256:abc", upper.as_str(), "sha256:zz", "SHA256:00"] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
        assert_eq!(Digest::parse("sha512:00").expect_err("unsupported").code, "digest-algorithm");
    }
}
