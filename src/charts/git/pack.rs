//! Git's packs: many objects in a row, compressed, some written as what changes in another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha1::{Digest as _, Sha1};

use super::broken;
use super::inflate::Inflater;
use super::object::{Id, Kind, Objects};
use crate::diag::{Diagnostic, Result};

/// Largest object, in bytes.
const OBJECT_BYTES_MAX: u64 = 128 << 20;
/// Most bytes of all objects together.
const TOTAL_BYTES_MAX: u64 = 2 << 30;
/// Most objects.
const OBJECTS_MAX: u32 = 2_000_000;

/// A pack as it is written: a whole object, or a change of another.
pub(super) enum Entry {
    /// The object itself.
    Whole(Kind, Vec<u8>),
    /// A change of the object at an offset of the same pack.
    OffsetDelta(usize, Vec<u8>),
    /// A change of the object of a name.
    NameDelta(Id, Vec<u8>),
}

/// The objects of a pack, unpacked.
#[derive(Debug)]
pub(super) struct Pack {
    objects: BTreeMap<Id, (Kind, Arc<[u8]>)>,
}

impl Objects for Pack {
    fn get(&self, id: &Id) -> Result<Option<(Kind, Arc<[u8]>)>> {
        Ok(self.objects.get(id).cloned())
    }
}

impl Pack {
    /// Unpacks a whole pack; `url` is where it came from.
    pub(super) fn read(bytes: &[u8], url: &str) -> Result<Pack> {
        let wrong = |why: &str| broken(url, &format!("sends a pack that {why}"));
        let body = bytes.len().checked_sub(20).ok_or_else(|| wrong("has no end"))?;
        let (packed, sum) = bytes.split_at(body);
        if Sha1::digest(packed)[..] != *sum {
            return Err(wrong("is not what its checksum says"));
        }
        let count = count(packed).ok_or_else(|| wrong("has no header"))?;
        if count > OBJECTS_MAX {
            return Err(over(url));
        }
        let mut entries = BTreeMap::new();
        let (mut at, mut left) = (12, TOTAL_BYTES_MAX);
        let mut inflater = Inflater::new();
        for _ in 0..count {
            let (entry, length) =
                packed.get(at..).and_then(|rest| entry(rest, at, &mut inflater)).ok_or_else(|| wrong("is broken"))?;
            left = left.checked_sub(entry.length()).ok_or_else(|| over(url))?;
            entries.insert(at, entry);
            at += length;
        }
        Pack::resolve(entries, left, url)
    }

    /// Turns changes into objects: bases first, then whatever rests on them, until nothing is left.
    fn resolve(entries: BTreeMap<usize, Entry>, mut left: u64, url: &str) -> Result<Pack> {
        let mut pack = Pack { objects: BTreeMap::new() };
        let mut by_offset: BTreeMap<usize, Id> = BTreeMap::new();
        let mut waiting = Vec::new();
        for (at, entry) in entries {
            match entry {
                Entry::Whole(kind, bytes) => {
                    by_offset.insert(at, pack.add(kind, bytes));
                }
                delta => waiting.push((at, delta)),
            }
        }
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut still = Vec::new();
            for (at, entry) in waiting {
                let (base, delta) = match &entry {
                    Entry::OffsetDelta(base, delta) => (by_offset.get(base).copied(), delta),
                    Entry::NameDelta(base, delta) => (Some(*base), delta),
                    Entry::Whole(..) => continue,
                };
                match base.and_then(|base| pack.objects.get(&base)) {
                    Some((kind, base)) => {
                        let bytes =
                            apply(base, delta).ok_or_else(|| broken(url, "sends a pack whose changes do not fit"))?;
                        left = left.checked_sub(bytes.len() as u64).ok_or_else(|| over(url))?;
                        let id = pack.add(*kind, bytes);
                        by_offset.insert(at, id);
                    }
                    None => still.push((at, entry)),
                }
            }
            if still.len() == before {
                return Err(broken(url, "sends a pack that changes objects which it lacks"));
            }
            waiting = still;
        }
        Ok(pack)
    }

    fn add(&mut self, kind: Kind, bytes: Vec<u8>) -> Id {
        let id = Id::of(kind, &bytes);
        self.objects.insert(id, (kind, bytes.into()));
        id
    }
}

impl Entry {
    fn length(&self) -> u64 {
        match self {
            Entry::Whole(_, bytes) | Entry::OffsetDelta(_, bytes) | Entry::NameDelta(_, bytes) => bytes.len() as u64,
        }
    }
}

/// The number of objects that a pack's header says.
fn count(packed: &[u8]) -> Option<u32> {
    let rest = packed.strip_prefix(b"PACK")?;
    let version = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
    let count = u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?);
    matches!(version, 2 | 3).then_some(count)
}

/// The entry that bytes begin with, and its length; `start` is where they stand in the pack.
pub(super) fn entry(packed: &[u8], start: usize, inflater: &mut Inflater) -> Option<(Entry, usize)> {
    let mut at = 0;
    let mut byte = *packed.get(at)?;
    at += 1;
    let kind = (byte >> 4) & 7;
    let (mut size, mut shift) = (u64::from(byte & 15), 4);
    while byte & 0x80 != 0 {
        byte = *packed.get(at)?;
        at += 1;
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
    }
    if size > OBJECT_BYTES_MAX {
        return None;
    }
    let whole = |kind| Some(move |bytes| Entry::Whole(kind, bytes));
    let made: Box<dyn FnOnce(Vec<u8>) -> Entry> = match kind {
        1 => Box::new(whole(Kind::Commit)?),
        2 => Box::new(whole(Kind::Tree)?),
        3 => Box::new(whole(Kind::Blob)?),
        4 => Box::new(whole(Kind::Tag)?),
        6 => {
            let (back, length) = offset(packed.get(at..)?)?;
            at += length;
            let base = start.checked_sub(back)?;
            Box::new(move |bytes| Entry::OffsetDelta(base, bytes))
        }
        7 => {
            let base = Id(packed.get(at..at + 20)?.try_into().ok()?);
            at += 20;
            Box::new(move |bytes| Entry::NameDelta(base, bytes))
        }
        _ => return None,
    };
    let (bytes, length) = inflater.exactly(packed.get(at..)?, size as usize)?;
    Some((made(bytes), at + length))
}

/// Git's other number: each further byte also counts one.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = usize::from(bytes.first()? & 0x7f);
    let mut length = 1;
    while bytes[length - 1] & 0x80 != 0 {
        let byte = bytes.get(length)?;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
        length += 1;
    }
    Some((value, length))
}

/// An object from its base and what changes; nothing if they do not fit.
pub(super) fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let wanted = size(&mut rest)?;
    if wanted > OBJECT_BYTES_MAX {
        return None;
    }
    let mut out = Vec::with_capacity(wanted as usize);
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 == 0 {
            let (piece, after) = rest.split_at_checked(usize::from(command))?;
            if piece.is_empty() {
                return None;
            }
            out.extend_from_slice(piece);
            rest = after;
        } else {
            let mut number = |bits: std::ops::Range<u8>| {
                let mut value = 0usize;
                for bit in bits.clone() {
                    if command & (1 << bit) != 0 {
                        let (&byte, after) = rest.split_first()?;
                        rest = after;
                        value |= usize::from(byte) << (8 * (bit - bits.start));
                    }
                }
                Some(value)
            };
            let from = number(0..4)?;
            let length = number(4..7)?;
            let length = if length == 0 { 0x10000 } else { length };
            out.extend_from_slice(base.get(from..from.checked_add(length)?)?);
        }
        if out.len() as u64 > wanted {
            return None;
        }
    }
    (out.len() as u64 == wanted).then_some(out)
}

fn size(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

fn over(url: &str) -> Box<Diagnostic> {
    let text = format!("`{url}` has more than {TOTAL_BYTES_MAX} bytes or {OBJECTS_MAX} objects in one revision");
    Box::new(Diagnostic::input("git-too-large", text).hint("copy what you need of it beside the kustomization"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn packed(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut out = b"PACK\0\0\0\x02".to_vec();
        out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
        out.extend(entries.iter().flatten());
        let sum = Sha1::digest(&out);
        out.extend_from_slice(&sum);
        out
    }

    fn blob(text: &[u8]) -> Vec<u8> {
        let mut out = vec![0x30 | text.len() as u8];
        out.extend(deflated(text));
        out
    }

    #[test]
    fn whole_objects_and_changes_of_them() {
        let base = blob(b"hello world");
        // copy 6 bytes from the start, then insert
        let delta = [11, 9, 0x90, 6, 3, b'g', b'i', b't'];
        let mut by_offset = vec![0x60 | delta.len() as u8, base.len() as u8];
        by_offset.extend(deflated(&delta));
        let pack = Pack::read(&packed(&[base, by_offset]), "x").expect("a pack");
        let (_, bytes) = pack.get(&Id::of(Kind::Blob, b"hello git")).expect("read").expect("there");
        assert_eq!(&*bytes, b"hello git");
    }

    #[test]
    fn packs_that_lie_are_refused() {
        let mut flipped = packed(&[blob(b"a")]);
        flipped[13] ^= 1;
        assert!(Pack::read(&flipped, "x").is_err());
        let mut lost = vec![0x70 | 4];
        lost.extend([7; 20]);
        lost.extend(deflated(&[1, 1, 1, b'a']));
        assert!(Pack::read(&packed(&[lost]), "x").expect_err("no base").message.contains("lacks"));
        // claims more bytes than it has
        let mut short = vec![0x3f];
        short.extend(deflated(b"a"));
        assert!(Pack::read(&packed(&[short]), "x").is_err());
        for delta in [&[1u8, 1, 0][..], &[1, 2, 0x91, 5, 1], &[2, 1, 1, b'a'], &[1, 1, 2, b'a'], &[1, 5, 1, b'a']] {
            assert!(apply(b"a", delta).is_none(), "{delta:?}");
        }
        assert!(Pack::read(b"", "x").is_err());
    }
}
