//! Layers in: any tar (pax, GNU, old), entry by entry, under limits, paths untouched until [`confine`] has cleaned them.

use std::io::Read;

use super::compress::Unfolding;
use super::headers::Metered;
use crate::diag::{Diagnostic, Result};

/// How much an archive may unfold to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerLimits {
    /// Bytes of the whole archive, decompressed.
    pub(crate) bytes: u64,
    /// Entries of any kind.
    pub(crate) entries: usize,
    /// Bytes of one path.
    pub(crate) path_bytes: usize,
}

impl Default for LayerLimits {
    /// 1 GiB, as Config Sync's peers allow; 100,000 entries, twenty times what one sync can hold; and Linux's path length.
    fn default() -> LayerLimits {
        LayerLimits { bytes: 1 << 30, entries: 100_000, path_bytes: 4096 }
    }
}

impl LayerLimits {
    /// The error of an archive that unfolds to more than `bytes`.
    pub(crate) fn too_large(&self) -> Box<Diagnostic> {
        let text = format!("the archive unfolds to more than {} bytes", self.bytes);
        Box::new(Diagnostic::input("archive-too-large", text).hint("split it into several artifacts"))
    }
}

/// Bytes of a block of a tar.
const BLOCK_BYTES: usize = 512;
/// Bytes that are set aside for a file before any of it was read.
const READ_AHEAD_BYTES_MAX: usize = 1 << 20;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link to this target.
    Symlink(String),
    /// A hard link to this target.
    HardLink(String),
    /// A device, a pipe or another thing that is no content.
    Special,
}

/// One entry of an archive.
#[derive(Clone, Debug)]
pub(crate) struct LayerEntry {
    /// The path as written; see [`confine`].
    pub(crate) path: String,
    /// What it is.
    pub(crate) kind: EntryKind,
    /// The content of a regular file.
    pub(crate) bytes: Vec<u8>,
}

/// Reads a layer, compressed or not: of a tar the entries are handed over in order, and nothing is given back; of anything else
/// all bytes are given back. Never holds more of a tar than one entry.
///
/// Fails as [`read_tar`] does, and with `archive-damaged` where the compression is.
pub(crate) fn read_layer(
    bytes: &[u8],
    limits: &LayerLimits,
    take: impl FnMut(LayerEntry) -> Result<()>,
) -> Result<Option<Vec<u8>>> {
    let mut unfolding = Unfolding::new(bytes, limits);
    let mut head = Vec::with_capacity(BLOCK_BYTES);
    let begun = (&mut unfolding).take(BLOCK_BYTES as u64).read_to_end(&mut head);
    if begun.is_ok() && is_tar(&head) {
        let done = read_tar((&head[..]).chain(&mut unfolding), limits, take);
        if done.is_ok() {
            // checksums stand at the end; what goes wrong on the way there is kept
            drop(std::io::copy(&mut unfolding, &mut std::io::sink()));
        }
        unfolding.fault()?;
        return done.map(|()| None);
    }
    let rest = unfolding.read_to_end(&mut head);
    unfolding.fault()?;
    rest.map(|_| Some(head)).map_err(|error| damaged(&error))
}

/// Reads a tar (pax, GNU or old; not compressed) and hands over its entries in order.
///
/// Fails with `archive-damaged`, `archive-too-large`, `archive-too-many`, `archive-path`, or what `take` fails with.
pub(crate) fn read_tar(reader: impl Read, limits: &LayerLimits, mut take: impl FnMut(LayerEntry) -> Result<()>) -> Result<()> {
    let (reader, meter) = Metered::new(reader);
    let mut archive = tar::Archive::new(reader);
    let mut unread = limits.bytes;
    let mut count = 0;
    let mut all = archive.entries().map_err(|error| damaged(&error))?;
    while let Some(entry) = meter.headers(|| all.next()) {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        count += 1;
        if count > limits.entries {
            let text = format!("the archive has more than {} entries", limits.entries);
            return Err(Box::new(Diagnostic::input("archive-too-many", text).hint("split it into several artifacts")));
        }
        let kind = match entry.header().entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => EntryKind::File,
            tar::EntryType::Directory => EntryKind::Folder,
            tar::EntryType::Symlink => EntryKind::Symlink(link_target(&entry)),
            tar::EntryType::Link => EntryKind::HardLink(link_target(&entry)),
            // attributes for what follows, as `git archive` writes them: no content
            tar::EntryType::XGlobalHeader => {
                pass(&mut entry)?;
                continue;
            }
            _ => EntryKind::Special,
        };
        let path = path_of(&entry, limits)?;
        // a header may say any size
        let size = usize::try_from(entry.size()).unwrap_or(usize::MAX).min(READ_AHEAD_BYTES_MAX);
        let mut bytes = Vec::with_capacity(if kind == EntryKind::File { size } else { 0 });
        if kind == EntryKind::File {
            let read = (&mut entry).take(unread.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
            unread = unread.checked_sub(read as u64).ok_or_else(|| limits.too_large())?;
        } else {
            pass(&mut entry)?;
        }
        take(LayerEntry { path, kind, bytes })?;
    }
    Ok(())
}

/// Reads past an entry's bytes, so that they do not count as headers of the next.
fn pass(entry: &mut impl Read) -> Result<()> {
    std::io::copy(entry, &mut std::io::sink()).map(drop).map_err(|error| damaged(&error))
}

fn path_of(entry: &tar::Entry<'_, impl Read>, limits: &LayerLimits) -> Result<String> {
    let raw = entry.path_bytes();
    if raw.len() > limits.path_bytes {
        let text = format!("a path in the archive is longer than {} bytes", limits.path_bytes);
        return Err(Box::new(Diagnostic::input("archive-path", text)));
    }
    String::from_utf8(raw.into_owned()).map_err(|fault| {
        let shown = String::from_utf8_lossy(fault.as_bytes()).into_owned();
        Box::new(Diagnostic::input("archive-path", format!("the path `{shown}` in the archive is not UTF-8")))
    })
}

fn link_target(entry: &tar::Entry<'_, impl Read>) -> String {
    entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned()).unwrap_or_default()
}

fn damaged(error: &std::io::Error) -> Box<Diagnostic> {
    let fault = Diagnostic::input("archive-damaged", format!("the tar archive is damaged: {error}"));
    Box::new(fault.hint("pack and push it again"))
}

/// True if the bytes start like a tar: a header whose checksum holds, or the zero block of an empty archive.
pub(crate) fn is_tar(bytes: &[u8]) -> bool {
    let Some(block) = bytes.get(..512) else { return false };
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    let written = block[148..156].iter().map(|byte| *byte as char).collect::<String>();
    let Ok(written) = u32::from_str_radix(written.trim_matches(|c| c == ' ' || c == '\0'), 8) else { return false };
    let sum: u32 = block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    sum == written
}

/// Cleans a path from an archive: no leading `./`, no doubled or trailing slash; the root itself is empty.
///
/// Fails with `archive-path` where the path is absolute, climbs with `..`, or holds a byte that no path may.
pub(crate) fn confine(path: &str) -> Result<String> {
    let refuse = |why: &str| {
        let fault = Diagnostic::input("archive-path", format!("the path `{}` in the archive {why}", path.escape_debug()));
        Err(Box::new(fault.hint("pack with paths relative to the folder, as `tar -C FOLDER -cf x.tar .` does")))
    };
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    if path.contains(['\0', '\\', '\n', '\r']) {
        return refuse("holds a character that no path may");
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return refuse("leads out of the folder"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::TarWriter;
    use super::*;

    fn entries(tar: &[u8], limits: &LayerLimits) -> Result<Vec<LayerEntry>> {
        let mut found = Vec::new();
        read_tar(tar, limits, |entry| {
            found.push(entry);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(confine("./a//b/").expect("inside"), "a/b");
        assert_eq!(confine(".").expect("the root"), "");
        assert_eq!(confine("..a/b..").expect("dots in names are fine"), "..a/b..");
        for path in ["/etc/passwd", "../a", "a/../../b", "a/..", "a\\..\\b", "a\0b"] {
            assert_eq!(confine(path).expect_err(path).code, "archive-path");
        }
    }

    #[test]
    fn limits_hold() {
        let mut tar = TarWriter::<Vec<u8>>::default();
        tar.file("a", &[1; 600]);
        tar.file("b", &[1; 600]);
        let tar = tar.finish();
        let all = LayerLimits::default();
        assert_eq!(entries(&tar, &all).expect("fits").len(), 2);
        let few_bytes = LayerLimits { bytes: 1199, ..all };
        assert_eq!(entries(&tar, &few_bytes).expect_err("bytes").code, "archive-too-large");
        let one_entry = LayerLimits { entries: 1, ..all };
        assert_eq!(entries(&tar, &one_entry).expect_err("entries").code, "archive-too-many");
        let no_path = LayerLimits { path_bytes: 0, ..all };
        assert_eq!(entries(&tar, &no_path).expect_err("path").code, "archive-path");
    }

    #[test]
    fn a_cut_tar_is_damaged_and_text_is_no_tar() {
        let mut tar = TarWriter::<Vec<u8>>::default();
        tar.file("a", &[1; 600]);
        let tar = tar.finish();
        assert!(is_tar(&tar));
        assert_eq!(entries(&tar[..700], &LayerLimits::default()).expect_err("cut").code, "archive-damaged");
        assert!(is_tar(&[0; 1024]));
        assert!(!is_tar(b"kind: Namespace\n"));
        assert!(!is_tar(&[b'a'; 600]));
    }
}
