//! Go's strings: bytes that are mostly, but not always, UTF-8.
//!
//! Short ones live inside the value, long ones are shared; cloning never copies a long text, and compiled literals may be
//! shared between threads.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Longest text kept inside the value itself, in bytes; chosen so that [`Str`] and [`super::Val`] are three words.
const INLINE_MAX: usize = 22;

/// An immutable byte string, cheap to clone. Ordered and compared byte by byte, as Go does.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE_MAX] },
    Shared(Arc<[u8]>),
}

impl Str {
    /// The empty string.
    pub const EMPTY: Str = Str(Repr::Inline { len: 0, bytes: [0; INLINE_MAX] });

    /// A string of these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Str {
        let text = bytes.as_ref();
        if text.len() <= INLINE_MAX {
            let mut bytes = [0; INLINE_MAX];
            bytes[..text.len()].copy_from_slice(text);
            Str(Repr::Inline { len: text.len() as u8, bytes })
        } else {
            Str(Repr::Shared(Arc::from(text)))
        }
    }

    /// The first eight bytes as a number that orders as they do; shorter texts are filled up with zeros.
    #[inline]
    fn head(&self) -> u64 {
        let head = match &self.0 {
            Repr::Inline { bytes, .. } => bytes.first_chunk(),
            Repr::Shared(bytes) => bytes.first_chunk(),
        };
        head.map_or(0, |head| u64::from_be_bytes(*head))
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Shared(bytes) => bytes,
        }
    }

    /// The text, if the bytes are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The text, with U+FFFD where the bytes are not UTF-8.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        // looking for faults costs several times as much as finding that there are none
        self.as_str().map_or_else(|| String::from_utf8_lossy(self.as_bytes()), Cow::Borrowed)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// True without bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Str {
    fn default() -> Str {
        Str::EMPTY
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str::new(text)
    }
}

impl From<&[u8]> for Str {
    fn from(text: &[u8]) -> Str {
        Str::new(text)
    }
}

impl From<&Arc<[u8]>> for Str {
    fn from(text: &Arc<[u8]>) -> Str {
        if text.len() <= INLINE_MAX { Str::new(text) } else { Str(Repr::Shared(Arc::clone(text))) }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Str {
        Str::new(text)
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Str {
        Str::new(text)
    }
}

impl From<Vec<u8>> for Str {
    fn from(text: Vec<u8>) -> Str {
        Str::new(text)
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(text: Cow<'_, str>) -> Str {
        Str::new(text.as_bytes())
    }
}

impl PartialEq for Str {
    #[inline]
    fn eq(&self, other: &Str) -> bool {
        self.head() == other.head() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    /// Nearly all keys of a map differ within eight bytes; comparing those as numbers spares most look-ups every call of `memcmp`.
    #[inline]
    fn cmp(&self, other: &Str) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| self.as_bytes().cmp(other.as_bytes()))
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str_lossy())
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_bytes() {
        let long = "a string that does not fit inside";
        for (a, b) in [("", "a"), ("a", "a\0"), ("abcdefgh", "abcdefghi"), ("abcdefgi", "abcdefgh9"), ("a", long), (long, "b")] {
            assert_eq!(Str::new(a).cmp(&Str::new(b)), a.as_bytes().cmp(b.as_bytes()), "{a:?} {b:?}");
            assert!(Str::new(a) != Str::new(b) && Str::new(a) == Str::new(a));
        }
    }

    #[test]
    fn three_words_and_equal_across_forms() {
        assert_eq!(size_of::<Str>(), 24);
        let long = "a string that does not fit inside".to_owned();
        assert_eq!(Str::new(&long), Str::from(long.as_str()));
        assert_eq!(Str::new("short"), "short");
        assert!(Str::new(b"\xff").as_str().is_none());
    }
}
