//! Unpacking: the files of anyone's artifact, however it was packed.
//!
//! Media types are not trusted: compression and form are told by the bytes, as Config Sync does. Layers are merged from the
//! top down with whiteouts, as Config Sync does too. What no consumer could use is explained: an archive inside the
//! archive, an empty layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Files;
use crate::archive::{EntryKind, LayerEntry, LayerLimits, confine, is_tar, read_layer};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, media_type};

/// A deleted path of a lower layer.
const WHITEOUT: &str = ".wh.";
/// A folder whose lower content is deleted; Config Sync does not know it.
const OPAQUE: &str = ".wh..wh..opq";
const TITLE: &str = "org.opencontainers.image.title";

/// What one layer turned out to hold.
#[derive(Clone, Debug)]
pub(crate) enum LayerContent {
    /// No byte, or an archive without entries.
    Empty,
    /// An archive.
    Archive(Vec<LayerEntry>),
    /// One file, not an archive.
    File,
}

/// The files of an artifact, its layers merged.
///
/// Fails with `artifact-empty`, `artifact-nested-archive`, `artifact-link`, `artifact-special`, `artifact-duplicate`,
/// `artifact-opaque`, `artifact-layer`, `artifact-path-clash`, or an `archive-…` code.
pub(crate) fn unpack(artifact: &Artifact, limits: &LayerLimits) -> Result<Files> {
    let mut merge = Merge::default();
    let mut left = *limits;
    for (index, blob) in content_layers(artifact).enumerate().collect::<Vec<_>>().into_iter().rev() {
        let named = |fault: Box<Diagnostic>| Box::new(fault.trail(format!("in layer {} `{}`", index + 1, blob.descriptor.digest), None));
        merge.layer(blob, index, &left).map_err(named)?;
        // what is unfolded already counts for every layer below
        left.bytes = limits.bytes.saturating_sub(merge.bytes);
        left.entries = limits.entries.saturating_sub(merge.entries);
    }
    let files = Files::new(merge.files)?;
    explain(&files)?;
    Ok(files)
}

/// Layers that hold content: all, but for a chart only the chart itself (not its signature).
fn content_layers(artifact: &Artifact) -> impl Iterator<Item = &Blob> {
    let chart = artifact.image.config.media_type == media_type::HELM_CONFIG;
    artifact.layers.iter().filter(move |blob| !chart || blob.descriptor.media_type == media_type::HELM_LAYER)
}

/// Looks into one layer, the `index`th from below. Paths are as written.
pub(crate) fn inspect_layer(blob: &Blob, index: usize, limits: &LayerLimits) -> Result<LayerContent> {
    let mut entries = Vec::new();
    let rest = read_layer(&blob.bytes, limits, |entry| {
        entries.push(entry);
        Ok(())
    })?;
    match rest {
        None if entries.is_empty() => Ok(LayerContent::Empty),
        None => Ok(LayerContent::Archive(entries)),
        Some(bytes) if bytes.is_empty() => Ok(LayerContent::Empty),
        Some(_) => file_name(blob, index).map(|_| LayerContent::File),
    }
}

/// The path of a layer that is no archive.
fn file_name(blob: &Blob, index: usize) -> Result<String> {
    if let Some(name) = raw_name(&blob.descriptor, index) {
        return Ok(name);
    }
    let text = format!("the layer of type `{}` is neither an archive nor a titled file", blob.descriptor.media_type);
    let fault = Diagnostic::input("artifact-layer", text);
    Err(Box::new(fault.hint("check that the reference names manifests and not another kind of artifact")))
}

/// The path of a layer that is a plain file: its title, or one made from its media type.
fn raw_name(descriptor: &Descriptor, index: usize) -> Option<String> {
    if let Some(title) = descriptor.annotations.get(TITLE).filter(|title| !matches!(title.as_str(), "" | ".")) {
        return Some(title.clone());
    }
    let ending = ["yaml", "json"].into_iter().find(|ending| descriptor.media_type.ends_with(ending))?;
    Some(format!("layer-{}.{ending}", index + 1))
}

/// The merge of layers, from the top down.
#[derive(Default)]
struct Merge {
    files: BTreeMap<String, Arc<[u8]>>,
    /// Paths that the layers above have or delete: they hide the same path, and everything under it, in lower layers.
    above: BTreeSet<String>,
    bytes: u64,
    entries: usize,
}

impl Merge {
    /// Takes one layer, the `index`th from below, entry by entry.
    fn layer(&mut self, blob: &Blob, index: usize, limits: &LayerLimits) -> Result<()> {
        let mut here = Here::default();
        let rest = read_layer(&blob.bytes, limits, |entry| {
            self.entries += 1;
            self.entry(entry, &mut here)
        })?;
        if let Some(bytes) = rest.filter(|bytes| !bytes.is_empty()) {
            self.take_file(&confine(&file_name(blob, index)?)?, bytes, &mut here)?;
        }
        self.above.append(&mut here.paths);
        self.above.append(&mut here.deleted);
        Ok(())
    }

    fn entry(&mut self, entry: LayerEntry, here: &mut Here) -> Result<()> {
        let path = confine(&entry.path)?;
        match entry.kind {
            EntryKind::Folder => Ok(()),
            EntryKind::Symlink(target) | EntryKind::HardLink(target) => {
                let fault = Diagnostic::input("artifact-link", format!("`{path}` is a link to `{target}`"));
                Err(Box::new(fault.hint("pack the file itself (`tar --dereference --hard-dereference`): consumers read links differently, or not at all")))
            }
            EntryKind::Special => {
                let fault = Diagnostic::input("artifact-special", format!("`{path}` is neither a file nor a folder"));
                Err(Box::new(fault.hint("pack regular files only")))
            }
            EntryKind::File => self.take_file(&path, entry.bytes, here),
        }
    }

    fn take_file(&mut self, path: &str, bytes: Vec<u8>, here: &mut Here) -> Result<()> {
        self.bytes += bytes.len() as u64;
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        if name.is_empty() {
            return Err(Box::new(Diagnostic::input("archive-path", "a file in the archive has no name")));
        }
        if name == OPAQUE {
            let fault = Diagnostic::input("artifact-opaque", format!("`{path}` hides a whole folder of the layers below"));
            return Err(Box::new(fault.hint("pack everything in one layer: consumers disagree on this mark")));
        }
        if let Some(name) = name.strip_prefix(WHITEOUT) {
            here.deleted.insert(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
            return Ok(());
        }
        if !here.paths.insert(path.to_owned()) {
            let fault = Diagnostic::input("artifact-duplicate", format!("`{path}` is twice in one layer"));
            return Err(Box::new(fault.hint("pack each file once: consumers disagree on which of the two counts")));
        }
        if !self.hidden(path) {
            self.files.insert(path.to_owned(), bytes.into());
        }
        Ok(())
    }

    fn hidden(&self, path: &str) -> bool {
        self.above.contains(path) || path.match_indices('/').any(|(cut, _)| self.above.contains(&path[..cut]))
    }
}

/// What one layer has and deletes; both count for the layers below it only.
#[derive(Default)]
struct Here {
    paths: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

/// Refuses what nobody can use, and says how it came to be.
fn explain(files: &Files) -> Result<()> {
    if files.is_empty() {
        let fault = Diagnostic::input("artifact-empty", "the artifact holds no file");
        return Err(Box::new(
            fault
                .hint("write the archive to a file and give its name: `crane append -f x.tar -t REF`; a `<(…)` can be read only once")
                .hint("push the source itself: `hydrant push SOURCE REF`"),
        ));
    }
    let nested = files.iter().find(|(path, bytes)| is_archive(path, bytes));
    match nested {
        Some((path, _)) if files.manifests().next().is_none() => {
            let text = format!("the layer holds the archive `{path}` instead of the files in it");
            let fault = Diagnostic::input("artifact-nested-archive", text);
            let name = path.rsplit('/').next().unwrap_or(path);
            Err(Box::new(
                fault
                    .hint(format!("push the archive as the layer: `crane append -f {name} -t REF` or `oras push REF {name}`"))
                    .hint("push the source itself: `hydrant push SOURCE REF`"),
            ))
        }
        _ => Ok(()),
    }
}

/// True for a tar, compressed or not, by name and bytes.
pub(super) fn is_archive(path: &str, bytes: &[u8]) -> bool {
    let lower = path.to_ascii_lowercase();
    [".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.zstd"].iter().any(|ending| lower.ends_with(ending)) || is_tar(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::Packing;
    use super::super::pack::pack_files;
    use super::*;
    use crate::archive::{TarWriter, gzip};

    const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = TarWriter::<Vec<u8>>::default();
        for (path, text) in entries {
            tar.file(path, text.as_bytes());
        }
        tar.finish()
    }

    fn artifact(layers: &[(&str, Option<&str>, Vec<u8>)]) -> Artifact {
        let files = Files::new(BTreeMap::from([("a".to_owned(), Arc::from(&b""[..]))])).expect("no clash");
        let mut artifact = pack_files(&files, &Packing::default()).expect("packs");
        artifact.layers.clear();
        for (kind, title, bytes) in layers {
            let mut blob = Blob::new(*kind, bytes.clone());
            blob.descriptor.annotations.extend(title.map(|title| (TITLE.to_owned(), title.to_owned())));
            artifact.layers.push(blob);
        }
        artifact
    }

    fn unpacked(layers: &[(&str, Option<&str>, Vec<u8>)]) -> Result<Vec<(String, String)>> {
        let files = unpack(&artifact(layers), &LayerLimits::default())?;
        Ok(files.iter().map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned())).collect())
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn every_way_of_packing_one_file() {
        let plain = tar(&[("./ns/a.yaml", "a")]);
        let wanted = owned(&[("ns/a.yaml", "a")]);
        for layer in [
            (media_type::TAR, Some("x.tar"), plain.clone()),
            (media_type::TAR, Some("x.tgz"), gzip(&plain)),
            (media_type::TAR_GZIP, Some("."), gzip(&plain)),
            (DOCKER_LAYER, None, gzip(&plain)),
            (media_type::FLUX_LAYER, None, gzip(&plain)),
            (media_type::TAR, Some("ns/a.yaml"), b"a".to_vec()),
        ] {
            assert_eq!(unpacked(std::slice::from_ref(&layer)).expect(layer.0), wanted, "{layer:?}");
        }
        let raw = [("application/vnd.x+yaml", None, b"a".to_vec()), ("application/vnd.x+yaml", None, b"b".to_vec())];
        assert_eq!(unpacked(&raw).expect("raw"), owned(&[("layer-1.yaml", "a"), ("layer-2.yaml", "b")]));
    }

    #[test]
    fn layers_merge_from_the_top_with_whiteouts() {
        let lower = tar(&[("a.yaml", "1"), ("b.yaml", "1"), ("ns/c.yaml", "1"), ("ns/d.yaml", "1"), ("keep.yaml", "1")]);
        let upper = tar(&[("a.yaml", "2"), (".wh.b.yaml", ""), (".wh.ns", ""), ("ns/d.yaml", "2")]);
        let layers = [(media_type::TAR, None, lower), (media_type::TAR_GZIP, None, gzip(&upper))];
        assert_eq!(unpacked(&layers).expect("merges"), owned(&[("a.yaml", "2"), ("keep.yaml", "1"), ("ns/d.yaml", "2")]));
    }

    #[test]
    fn what_consumers_disagree_on_is_refused() {
        for (entries, code) in [
            (&[("a", "1"), ("./a", "2")][..], "artifact-duplicate"),
            (&[("a/.wh..wh..opq", "")][..], "artifact-opaque"),
            (&[("../a", "1")][..], "archive-path"),
            (&[("/a", "1")][..], "archive-path"),
            (&[("a", "1"), ("a/b", "2")][..], "artifact-path-clash"),
        ] {
            assert_eq!(unpacked(&[(media_type::TAR, None, tar(entries))]).expect_err(code).code, code);
        }
        let png = b"\x89PNG\r\n".to_vec();
        assert_eq!(unpacked(&[("image/png", None, png)]).expect_err("no manifests").code, "artifact-layer");
    }

    #[test]
    fn links_are_refused_by_name() {
        for (kind, code) in [(tar::EntryType::Symlink, "artifact-link"), (tar::EntryType::Link, "artifact-link"), (tar::EntryType::Fifo, "artifact-special")] {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            builder.append_link(&mut header, "a.yaml", "/etc/passwd").expect("in memory");
            let fault = unpacked(&[(media_type::TAR, None, builder.into_inner().expect("in memory"))]).expect_err(code);
            assert_eq!(fault.code, code);
            assert!(fault.message.contains("a.yaml"), "{fault}");
        }
    }

    #[test]
    fn the_wrong_crane_lines_are_explained() {
        let inner = tar(&[("a.yaml", "a")]);
        let mut outer = TarWriter::<Vec<u8>>::default();
        outer.file("x.tar", &inner);
        let fault = unpacked(&[(DOCKER_LAYER, None, gzip(&outer.finish()))]).expect_err("nested");
        assert_eq!(fault.code, "artifact-nested-archive");
        assert!(fault.hints[0].contains("crane append -f x.tar"), "{fault:?}");
        for nothing in [Vec::new(), gzip(b""), tar(&[]), gzip(&tar(&[]))] {
            assert_eq!(unpacked(&[(DOCKER_LAYER, None, nothing)]).expect_err("empty").code, "artifact-empty");
        }
        assert_eq!(unpacked(&[]).expect_err("no layer").code, "artifact-empty");
    }

    #[test]
    fn limits_count_over_all_layers() {
        let layer = || (media_type::TAR, None, tar(&[("a.yaml", &"x".repeat(3000))]));
        let mut second = layer();
        second.2 = tar(&[("b.yaml", &"x".repeat(3000))]);
        let both = artifact(&[layer(), second]);
        assert!(unpack(&both, &LayerLimits { bytes: 10_000, ..LayerLimits::default() }).is_ok());
        let fault = unpack(&both, &LayerLimits { bytes: 5500, ..LayerLimits::default() }).expect_err("too large");
        assert_eq!(fault.code, "archive-too-large");
    }

    /// Rounds of the test below; each takes some microseconds.
    const ROUNDS: u32 = 3000;

    #[test]
    fn damaged_archives_neither_panic_nor_escape() {
        let long = format!("ns/{}", "n".repeat(180));
        let good = tar(&[("a.yaml", "kind: A\n"), ("ns/b.yaml", "kind: B\n"), (&long, "x"), ("größe.yaml", "y")]);
        let packed = gzip(&good);
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let limits = LayerLimits { bytes: 1 << 20, entries: 100, path_bytes: 300 };
        for round in 0..ROUNDS {
            let mut bytes = if round % 4 == 0 { packed.clone() } else { good.clone() };
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = [b'/', b'.', 0, b'7', 255, random(256) as u8][random(6)];
            }
            bytes.truncate(bytes.len() - random(2) * random(bytes.len()));
            if let Ok(files) = unpack(&artifact(&[(media_type::TAR, None, bytes)]), &limits) {
                for (path, _) in files.iter() {
                    assert!(!path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path}");
                }
            }
        }
    }
}
