//! Tar out, the same bytes from the same entries: ustar headers, and a pax header only for a path that ustar cannot hold.
//!
//! Written by hand rather than through a crate: the bytes set the digest of every artifact, and the format is a page long.
//! Every entry has uid and gid 0, no names, mtime 0; a file has mode 0644, a folder 0755.

use super::Sink;

const BLOCK: usize = 512;
/// Longest path in the `name` field.
const NAME_BYTES: usize = 100;
/// Longest folder in the `prefix` field.
const PREFIX_BYTES: usize = 155;

/// Writes a tar. The caller gives entries in order, folders before what is in them.
#[derive(Default)]
pub(crate) struct TarWriter<S> {
    out: S,
}

impl<S: Sink> TarWriter<S> {
    /// Writes to a sink.
    pub(crate) fn to(out: S) -> TarWriter<S> {
        TarWriter { out }
    }

    /// Adds a folder; `path` without a trailing slash.
    pub(crate) fn folder(&mut self, path: &str) {
        self.header(&format!("{path}/"), b'5', 0o755, 0);
    }

    /// Adds a regular file.
    pub(crate) fn file(&mut self, path: &str, bytes: &[u8]) {
        self.header(path, b'0', 0o644, bytes.len());
        self.body(bytes);
    }

    /// Ends the archive by two zero blocks, and gives the sink back.
    pub(crate) fn finish(mut self) -> S {
        self.out.put(&[0; 2 * BLOCK]);
        self.out
    }

    fn body(&mut self, bytes: &[u8]) {
        self.out.put(bytes);
        self.out.put(&[0; BLOCK][..bytes.len().next_multiple_of(BLOCK) - bytes.len()]);
    }

    fn header(&mut self, path: &str, kind: u8, mode: u32, size: usize) {
        if let Some((prefix, name)) = split(path) {
            self.block(prefix, name, kind, mode, size);
            return;
        }
        let record = pax_record("path", path);
        self.block(b"", b"PaxHeaders/path", b'x', 0o644, record.len());
        self.body(record.as_bytes());
        let name = &path.as_bytes()[..path.len().min(NAME_BYTES)];
        self.block(b"", name, kind, mode, size);
    }

    fn block(&mut self, prefix: &[u8], name: &[u8], kind: u8, mode: u32, size: usize) {
        let mut block = [0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        octal(&mut block[100..108], u64::from(mode));
        octal(&mut block[108..116], 0);
        octal(&mut block[116..124], 0);
        octal(&mut block[124..136], size as u64);
        octal(&mut block[136..148], 0);
        block[148..156].fill(b' ');
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut block[329..337], 0);
        octal(&mut block[337..345], 0);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        octal(&mut block[148..155], sum);
        self.out.put(&block);
    }
}

/// Zero-padded octal digits, ended by a NUL.
fn octal(field: &mut [u8], mut number: u64) {
    let digits = field.len() - 1;
    for at in (0..digits).rev() {
        field[at] = b'0' + (number % 8) as u8;
        number /= 8;
    }
    field[digits] = 0;
}

/// The path as `prefix` and `name`, if it fits ustar: ASCII, and a slash to cut at where it is long.
fn split(path: &str) -> Option<(&[u8], &[u8])> {
    if !path.is_ascii() {
        return None;
    }
    let bytes = path.as_bytes();
    if bytes.len() <= NAME_BYTES {
        return Some((b"", bytes));
    }
    let last = bytes.len() - 1;
    let cut = (1..last.min(PREFIX_BYTES + 1)).rev().find(|at| bytes[*at] == b'/')?;
    let (prefix, name) = (&bytes[..cut], &bytes[cut + 1..]);
    (name.len() <= NAME_BYTES).then_some((prefix, name))
}

/// `LENGTH key=value\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::super::{EntryKind, LayerLimits, read_tar};
    use super::*;

    #[test]
    fn entries_come_back_in_order_with_long_and_foreign_paths() {
        let long_name = format!("ns/{}", "n".repeat(150));
        let long_prefix = format!("{}/{}", "p".repeat(120), "n".repeat(90));
        let paths = ["a", "ns/b.yaml", "größe.yaml", long_name.as_str(), long_prefix.as_str()];
        let mut tar = TarWriter::<Vec<u8>>::default();
        tar.folder("ns");
        for path in paths {
            tar.file(path, path.as_bytes());
        }
        let tar = tar.finish();
        assert_eq!(tar.len() % BLOCK, 0);
        assert!(tar[tar.len() - 2 * BLOCK..].iter().all(|byte| *byte == 0));
        let mut found = Vec::new();
        read_tar(&tar[..], &LayerLimits::default(), |entry| {
            found.push(entry);
            Ok(())
        })
        .expect("reads");
        assert_eq!((found[0].path.as_str(), &found[0].kind), ("ns/", &EntryKind::Folder));
        for (entry, path) in found[1..].iter().zip(paths) {
            assert_eq!((entry.path.as_str(), entry.bytes.as_slice()), (path, path.as_bytes()));
        }
        assert_eq!(found.len(), 1 + paths.len());
    }

    #[test]
    fn pax_lengths_count_themselves() {
        assert_eq!(pax_record("path", "x"), "9 path=x\n");
        assert_eq!(pax_record("path", &"x".repeat(90)).len(), 99);
        assert_eq!(pax_record("path", &"x".repeat(91)).split(' ').next(), Some("101"));
    }
}
