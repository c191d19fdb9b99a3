//! A git repository on this machine, read where it stands: references, loose objects and packs.

#![expect(clippy::disallowed_methods, reason = "a `file://` repository is an input that only this file reads")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::inflate::Inflater;
use super::object::{Id, Kind, Objects};
use super::pack::{self, Entry, apply};
use super::{broken, candidates, no_revision};
use crate::diag::{Diagnostic, Result};

/// How many symbolic references may point at one another.
const SYMBOLIC_MAX: usize = 8;
/// Longest chain of changes that is followed; git itself stops at 4,095.
const CHAIN_MAX: usize = 4096;
/// Largest loose object, in bytes.
const LOOSE_BYTES_MAX: usize = 128 << 20;
/// How many repositories may borrow objects from one another.
const ALTERNATES_MAX: usize = 8;

/// Packs up to this size are read at once; of larger ones, what is asked for.
const WHOLE_PACK_BYTES_MAX: u64 = 8 << 20;
/// How much of a larger pack is read at first for one object; where that is too little, ever more.
const WINDOW_BYTES: u64 = 16 << 10;
/// How many bytes of objects are kept for others that are written as changes of them.
const BASES_BYTES_MAX: usize = 16 << 20;

/// A pack: the bytes of its index, and the pack itself, which may be larger than memory.
struct PackFile {
    index: Vec<u8>,
    pack: PackBytes,
    bases: Mutex<Bases>,
}

enum PackBytes {
    Whole(Vec<u8>),
    File(Mutex<fs::File>, u64),
}

/// An object that others are changes of.
type Base = (Kind, Arc<[u8]>);

/// Objects that others are changes of, by offset.
#[derive(Default)]
struct Bases {
    known: FxHashMap<usize, Base>,
    bytes: usize,
}

impl PackFile {
    fn open(index: &Path) -> std::io::Result<PackFile> {
        let mut file = fs::File::open(index.with_extension("pack"))?;
        let length = file.metadata()?.len();
        let pack = if length <= WHOLE_PACK_BYTES_MAX {
            let mut bytes = Vec::with_capacity(length as usize);
            (&mut file).take(length).read_to_end(&mut bytes)?;
            PackBytes::Whole(bytes)
        } else {
            PackBytes::File(Mutex::new(file), length)
        };
        Ok(PackFile { index: fs::read(index)?, pack, bases: Mutex::default() })
    }

    /// The entry at an offset; nothing if the pack is broken.
    fn entry(&self, offset: usize, inflater: &mut Inflater) -> Option<Entry> {
        let (file, length) = match &self.pack {
            PackBytes::Whole(bytes) => {
                return pack::entry(bytes.get(offset..)?, offset, inflater).map(|(entry, _)| entry);
            }
            PackBytes::File(file, length) => (file, length),
        };
        let left = length.checked_sub(offset as u64)?;
        let mut window = WINDOW_BYTES;
        loop {
            let size = window.min(left);
            let mut bytes = Vec::with_capacity(size as usize);
            {
                let mut file = file.lock().ok()?;
                file.seek(SeekFrom::Start(offset as u64)).ok()?;
                (&mut *file).take(size).read_to_end(&mut bytes).ok()?;
            }
            match pack::entry(&bytes, offset, inflater) {
                Some((entry, _)) => return Some(entry),
                None if size == left => return None,
                None => window *= 8,
            }
        }
    }

    fn base(&self, offset: usize) -> Option<Base> {
        self.bases.lock().ok()?.known.get(&offset).cloned()
    }

    fn keep(&self, offset: usize, base: &Base) {
        let Ok(mut bases) = self.bases.lock() else { return };
        if bases.bytes + base.1.len() <= BASES_BYTES_MAX && bases.known.insert(offset, base.clone()).is_none() {
            bases.bytes += base.1.len();
        }
    }
}

/// A repository in a folder.
pub(super) struct Local {
    url: String,
    /// The folder with `HEAD`.
    folder: PathBuf,
    /// The folder with references that worktrees share.
    common: PathBuf,
    /// Folders with objects, borrowed ones last.
    stores: Vec<PathBuf>,
    packs: Vec<PathBuf>,
    /// Decoders that nobody uses at the moment.
    inflaters: Mutex<Vec<Inflater>>,
    /// Packs that were read.
    read: Mutex<BTreeMap<PathBuf, Arc<PackFile>>>,
}

impl Local {
    /// Opens the repository at a path: bare, or with a `.git`.
    pub(super) fn open(path: &str) -> Result<Local> {
        let url = format!("file://{path}");
        let missing = || {
            let fault = Diagnostic::input("git-missing", format!("`{url}` does not appear to be a git repository"));
            Box::new(fault.hint("check the path: everything after `file://` is the repository, up to `//` or `.git`"))
        };
        let inside = Path::new(path).join(".git");
        let folder = match fs::metadata(&inside) {
            Ok(metadata) if metadata.is_dir() => inside,
            Ok(_) => {
                let text = fs::read_to_string(&inside).map_err(|_| missing())?;
                Path::new(path).join(text.trim().strip_prefix("gitdir:").ok_or_else(missing)?.trim())
            }
            Err(_) => PathBuf::from(path),
        };
        if !folder.join("HEAD").is_file() {
            return Err(missing());
        }
        let common = fs::read_to_string(folder.join("commondir"))
            .map_or_else(|_| folder.clone(), |text| folder.join(text.trim()));
        let config = fs::read_to_string(common.join("config")).unwrap_or_default().to_ascii_lowercase();
        if config.contains("objectformat = sha256") {
            return Err(broken(&url, "names its objects by sha256, which is not read"));
        }
        let mut stores = vec![common.join("objects")];
        let mut at = 0;
        while at < stores.len() && stores.len() < ALTERNATES_MAX {
            let text = fs::read_to_string(stores[at].join("info/alternates")).unwrap_or_default();
            let borrowed =
                text.lines().filter(|line| !line.is_empty()).map(|line| stores[at].join(line)).collect::<Vec<_>>();
            stores.extend(borrowed);
            at += 1;
        }
        let mut packs = Vec::new();
        for store in &stores {
            let entries = fs::read_dir(store.join("pack")).into_iter().flatten().flatten();
            packs.extend(
                entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "idx")),
            );
        }
        packs.sort();
        Ok(Local { url, folder, common, stores, packs, inflaters: Mutex::default(), read: Mutex::default() })
    }

    /// The id that a revision names.
    pub(super) fn resolve(&self, revision: &str) -> Result<Id> {
        if let Some(id) = Id::parse(revision) {
            return Ok(id);
        }
        let packed = fs::read_to_string(self.common.join("packed-refs")).unwrap_or_default();
        let found = candidates(revision).into_iter().find_map(|name| self.reference(name, &packed));
        found.ok_or_else(|| no_revision(&self.url, revision))
    }

    /// The objects whose names begin so; at most two, which is one too many.
    pub(super) fn begun(&self, digits: &str) -> Result<Vec<Id>> {
        let mut found = BTreeSet::new();
        for store in &self.stores {
            for entry in fs::read_dir(store.join(&digits[..2])).into_iter().flatten().flatten() {
                let name = format!("{}{}", &digits[..2], entry.file_name().to_string_lossy());
                found.extend(Id::parse(&name).filter(|_| name.starts_with(digits)));
            }
        }
        for path in &self.packs {
            found.extend(begun_in(&self.pack(path)?.index, digits));
        }
        Ok(found.into_iter().take(2).collect())
    }

    fn reference(&self, mut name: String, packed: &str) -> Option<Id> {
        for _ in 0..SYMBOLIC_MAX {
            if name.split('/').any(|part| part == ".." || part.is_empty()) {
                return None;
            }
            let loose =
                [&self.folder, &self.common].into_iter().find_map(|folder| fs::read_to_string(folder.join(&name)).ok());
            let Some(text) = loose else {
                return packed.lines().find_map(|line| {
                    let (id, known) = line.split_once(' ')?;
                    if known == name { Id::parse(id) } else { None }
                });
            };
            match text.trim().strip_prefix("ref:") {
                Some(target) => target.trim().clone_into(&mut name),
                None => return Id::parse(text.trim()),
            }
        }
        None
    }

    fn loose(&self, id: &Id) -> Result<Option<(Kind, Arc<[u8]>)>> {
        let name = id.to_string();
        for store in &self.stores {
            let Ok(file) = fs::File::open(store.join(&name[..2]).join(&name[2..])) else { continue };
            let mut packed = Vec::new();
            let wrong = || broken(&self.url, &format!("has a broken object {id}"));
            file.take(LOOSE_BYTES_MAX as u64).read_to_end(&mut packed).map_err(|_| wrong())?;
            let bytes = self.inflating(|inflater| inflater.whole(&packed, LOOSE_BYTES_MAX)).ok_or_else(wrong)?;
            let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(wrong)?;
            let word = std::str::from_utf8(&bytes[..end]).ok().and_then(|header| header.split(' ').next());
            let kind = word.and_then(Kind::of_word).ok_or_else(wrong)?;
            let data = &bytes[end + 1..];
            if Id::of(kind, data) != *id {
                return Err(wrong());
            }
            return Ok(Some((kind, data.into())));
        }
        Ok(None)
    }

    fn packed(&self, id: &Id) -> Result<Option<(Kind, Arc<[u8]>)>> {
        for path in &self.packs {
            let pack = self.pack(path)?;
            if let Some(offset) = offset_of(&pack.index, id) {
                let wrong = || broken(&self.url, &format!("has a broken pack {}", path.display()));
                let (kind, bytes) = self.unpack(&pack, offset)?.ok_or_else(wrong)?;
                if Id::of(kind, &bytes) != *id {
                    return Err(wrong());
                }
                return Ok(Some((kind, bytes)));
            }
        }
        Ok(None)
    }

    /// Does something with a decoder.
    fn inflating<R>(&self, work: impl FnOnce(&mut Inflater) -> R) -> R {
        let idle = || self.inflaters.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop();
        let mut inflater = known.unwrap_or_else(Inflater::new);
        let result = work(&mut inflater);
        idle().push(inflater);
        result
    }

    /// The object at an offset of a pack, its changes applied; nothing if the pack is broken.
    fn unpack(&self, pack: &PackFile, mut offset: usize) -> Result<Option<Base>> {
        let mut deltas = Vec::new();
        let mut base = loop {
            if let Some(base) = pack.base(offset) {
                break base;
            }
            let Some(entry) =
                self.inflating(|inflater| pack.entry(offset, inflater)).filter(|_| deltas.len() < CHAIN_MAX)
            else {
                return Ok(None);
            };
            match entry {
                Entry::Whole(kind, bytes) => break (kind, Arc::from(bytes)),
                Entry::OffsetDelta(base, delta) => {
                    deltas.push((offset, delta));
                    offset = base;
                }
                Entry::NameDelta(base, delta) => {
                    deltas.push((offset, delta));
                    let Some(base) = self.get(&base)? else { return Ok(None) };
                    break base;
                }
            }
        };
        while let Some((changed_at, delta)) = deltas.pop() {
            pack.keep(offset, &base);
            let Some(changed) = apply(&base.1, &delta) else { return Ok(None) };
            base.1 = Arc::from(changed);
            offset = changed_at;
        }
        Ok(Some(base))
    }

    /// The index and the pack at a path, read once.
    fn pack(&self, index: &Path) -> Result<Arc<PackFile>> {
        let poisoned = || Box::new(Diagnostic::bug("git-pack", "another reader panicked"));
        let mut known = self.read.lock().map_err(|_| poisoned())?;
        if let Some(pack) = known.get(index) {
            return Ok(pack.clone());
        }
        let unreadable =
            |error: std::io::Error| broken(&self.url, &format!("has an unreadable pack {}: {error}", index.display()));
        let pack = Arc::new(PackFile::open(index).map_err(unreadable)?);
        known.insert(index.to_owned(), pack.clone());
        Ok(pack)
    }
}

impl Objects for Local {
    fn get(&self, id: &Id) -> Result<Option<(Kind, Arc<[u8]>)>> {
        match self.packed(id)? {
            Some(found) => Ok(Some(found)),
            None => self.loose(id),
        }
    }
}

/// The names in an index of version 2 that begin so, the first two of them.
fn begun_in(index: &[u8], digits: &str) -> Vec<Id> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?) as usize);
    let Some(first) = usize::from_str_radix(&digits[..2], 16).ok().filter(|_| index.starts_with(b"\xfftOc\0\0\0\x02"))
    else {
        return Vec::new();
    };
    let low = if first == 0 { Some(0) } else { number(8 + 4 * (first - 1)) };
    let (Some(low), Some(high)) = (low, number(8 + 4 * first)) else { return Vec::new() };
    let names = index.get(8 + 1024 + 20 * low..8 + 1024 + 20 * high).unwrap_or_default();
    let ids = names.chunks_exact(20).filter_map(|bytes| bytes.try_into().ok().map(Id));
    ids.filter(|id| id.to_string().starts_with(digits)).take(2).collect()
}

/// Where an object begins in its pack, by an index of version 2.
fn offset_of(index: &[u8], id: &Id) -> Option<usize> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?) as usize);
    if !index.starts_with(b"\xfftOc\0\0\0\x02") {
        return None;
    }
    let fan = |byte: usize| number(8 + 4 * byte);
    let first = usize::from(id.0[0]);
    let (mut low, mut high) = (if first == 0 { 0 } else { fan(first - 1)? }, fan(first)?);
    let total = fan(255)?;
    let names = 8 + 1024;
    while low < high {
        let middle = usize::midpoint(low, high);
        match index.get(names + 20 * middle..names + 20 * middle + 20)?.cmp(&id.0[..]) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let offsets = names + 24 * total;
                let short = number(offsets + 4 * middle)?;
                if short < 1 << 31 {
                    return Some(short);
                }
                let long = offsets + 4 * total + 8 * (short & 0x7fff_ffff);
                return usize::try_from(u64::from_be_bytes(index.get(long..long + 8)?.try_into().ok()?)).ok();
            }
        }
    }
    None
}
