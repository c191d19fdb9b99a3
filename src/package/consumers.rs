//! Which consumers take an artifact at their defaults, and how to mend one that they do not take.
//!
//! The rules are those of the consumers' own code: Config Sync 1.25 (any layer types, compression by magic bytes, folder
//! entries needed), Flux 2 (first layer, always gzip), Argo CD 3.5 (allow-list of media types, one content layer,
//! compression by media type).

use std::collections::BTreeSet;
use std::fmt;

use super::Files;
use super::unpack::{LayerContent, inspect_layer, is_archive};
use crate::archive::{Compression, EntryKind, LayerLimits, confine};
use crate::oci::{Artifact, Blob, media_type};

/// Argo CD's default for the bytes of an artifact, extracted.
const ARGO_BYTES_MAX: u64 = 1_000_000_000;
/// Argo CD's limit on layers of any kind.
const ARGO_LAYERS_MAX: usize = 10;

/// Who reads artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Google's Config Sync.
    ConfigSync,
    /// Flux's source controller.
    Flux,
    /// Argo CD's repo server.
    ArgoCd,
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Consumer::ConfigSync => "Config Sync",
            Consumer::Flux => "Flux",
            Consumer::ArgoCd => "Argo CD",
        })
    }
}

/// How much of an artifact a consumer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Taking {
    /// All of it.
    Takes,
    /// Some of it, without an error.
    Partly,
    /// Nothing.
    Refuses,
}

/// One reason not to take an artifact whole, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// What is wrong for this consumer.
    pub(crate) why: String,
    /// What to do; starts with a verb.
    pub(crate) mend: &'static str,
}

/// What one consumer makes of an artifact.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// Who.
    pub(crate) consumer: Consumer,
    /// How much.
    pub(crate) taking: Taking,
    /// Why not all; empty where all is taken.
    pub(crate) reasons: Vec<Reason>,
}

impl Verdict {
    fn new(consumer: Consumer) -> Verdict {
        Verdict { consumer, taking: Taking::Takes, reasons: Vec::new() }
    }

    fn add(&mut self, taking: Taking, why: impl Into<String>, mend: &'static str) {
        self.taking = self.taking.max(taking);
        let reason = Reason { why: why.into(), mend };
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

const REPACK: &str = "push the source with `hydrant push SOURCE REF`";
const NO_LINKS: &str = "pack the files themselves: `tar --dereference --hard-dereference`";
const RELATIVE: &str = "pack with paths relative to the folder: `tar -C FOLDER -czf x.tgz .`";

/// The verdicts of all consumers. `index` tells that the reference names an image index.
pub(crate) fn consumers(artifact: &Artifact, index: bool, limits: &LayerLimits) -> Vec<Verdict> {
    let layers: Vec<Facts> = artifact.layers.iter().enumerate().map(|(at, blob)| Facts::of(blob, at, limits)).collect();
    vec![config_sync(&layers), flux(&layers), argo_cd(&layers, index)]
}

fn config_sync(layers: &[Facts]) -> Verdict {
    let mut verdict = Verdict::new(Consumer::ConfigSync);
    for layer in layers {
        match layer.form {
            Form::Damaged => verdict.add(Taking::Refuses, format!("{} is damaged", layer.name), REPACK),
            Form::Other => verdict.add(Taking::Refuses, format!("{} is no archive", layer.name), REPACK),
            Form::Empty | Form::Archive => {}
        }
        if let Some(folder) = &layer.missing_folder {
            let why = format!("{} has no entry for the folder `{folder}`", layer.name);
            verdict.add(Taking::Refuses, why, "archive the folder and not a list of its files: `tar -C FOLDER -czf x.tgz .`");
        }
        if let Some(path) = &layer.outside {
            verdict.add(Taking::Refuses, format!("`{path}` leads out of the folder"), RELATIVE);
        }
        if let Some(path) = &layer.link {
            verdict.add(Taking::Partly, format!("`{path}` is a link, and every link is made a symbolic one"), NO_LINKS);
        }
    }
    no_manifests(&mut verdict, layers);
    verdict
}

fn flux(layers: &[Facts]) -> Verdict {
    let mut verdict = Verdict::new(Consumer::Flux);
    let first = &layers[..layers.len().min(1)];
    if let [layer] = first {
        if layer.compression != Compression::Gzip {
            let why = format!("{} is not compressed with gzip", layer.name);
            verdict.add(Taking::Refuses, why, "compress the archive: `tar -C FOLDER -czf x.tgz .`");
        }
        match layer.form {
            Form::Damaged => verdict.add(Taking::Refuses, format!("{} is damaged", layer.name), REPACK),
            Form::Other => verdict.add(Taking::Refuses, format!("{} is no archive", layer.name), REPACK),
            Form::Empty | Form::Archive => {}
        }
        if let Some(path) = layer.outside.as_ref().or(layer.absolute.as_ref()) {
            verdict.add(Taking::Refuses, format!("`{path}` is absolute or leads out of the folder"), RELATIVE);
        }
        if let Some(path) = &layer.special {
            verdict.add(Taking::Refuses, format!("`{path}` is neither a file nor a folder"), "pack regular files only");
        }
        if let Some(path) = &layer.link {
            verdict.add(Taking::Partly, format!("the link `{path}` is left out"), NO_LINKS);
        }
    }
    if layers.len() > 1 {
        let why = format!("only the first of {} layers is read", layers.len());
        verdict.add(Taking::Partly, why, "pack everything in one layer, or name a layer with `spec.layerSelector`");
    }
    no_manifests(&mut verdict, first);
    verdict
}

fn argo_cd(layers: &[Facts], index: bool) -> Verdict {
    let mut verdict = Verdict::new(Consumer::ArgoCd);
    if index {
        verdict.add(Taking::Refuses, "the reference names an index, which has no layers", "name one image by its digest");
    }
    if layers.len() > ARGO_LAYERS_MAX {
        let why = format!("there are {} layers, more than the {ARGO_LAYERS_MAX} allowed", layers.len());
        verdict.add(Taking::Refuses, why, "pack everything in one layer");
    }
    let content: Vec<&Facts> = layers.iter().filter(|layer| layer.is_argo_content()).collect();
    if content.len() != 1 {
        let why = format!("there are {} layers of an archive's media type, where one is expected", content.len());
        verdict.add(Taking::Refuses, why, "pack everything in one layer of `application/vnd.oci.image.layer.v1.tar+gzip`");
    }
    for layer in &content {
        if !matches!(layer.media_type.as_str(), media_type::TAR | media_type::TAR_GZIP | media_type::HELM_LAYER) {
            let why = format!("the media type `{}` is not on its list", layer.media_type);
            let mend = "pack with `application/vnd.oci.image.layer.v1.tar+gzip`, or add the type to `reposerver.oci.layer.media.types`";
            verdict.add(Taking::Refuses, why, mend);
        }
        let typed_gzip = layer.media_type.ends_with("gzip");
        if typed_gzip != (layer.compression == Compression::Gzip) || layer.compression == Compression::Zstd {
            let why = format!("{} is of the type `{}` but {}", layer.name, layer.media_type, layer.packed_how());
            verdict.add(Taking::Refuses, why, "name the type when pushing: `oras push REF x.tgz:application/vnd.oci.image.layer.v1.tar+gzip`");
        } else if matches!(layer.form, Form::Other | Form::Damaged) {
            verdict.add(Taking::Refuses, format!("{} is no archive", layer.name), REPACK);
        }
        if let Some(path) = layer.outside.as_ref() {
            verdict.add(Taking::Refuses, format!("`{path}` leads out of the folder"), RELATIVE);
        }
        if let Some(path) = &layer.link {
            verdict.add(Taking::Partly, format!("the link `{path}` may be refused or left out"), NO_LINKS);
        }
        if layer.bytes > ARGO_BYTES_MAX {
            verdict.add(Taking::Refuses, "the files have more than 1 GB together", "split the artifact");
        }
    }
    if content.len() == 1 {
        no_manifests(&mut verdict, content.iter().copied());
    }
    verdict
}

/// Adds that there is nothing to apply, and how that came to be.
fn no_manifests<'a>(verdict: &mut Verdict, layers: impl IntoIterator<Item = &'a Facts>) {
    let mut nested = None;
    for layer in layers {
        // what cannot be read has been named already
        if layer.has_manifest || matches!(layer.form, Form::Other | Form::Damaged) {
            return;
        }
        nested = nested.or(layer.nested.clone());
    }
    match nested {
        Some(path) => verdict.add(
            Taking::Refuses,
            format!("the archive holds the archive `{path}` and no manifest"),
            "push the archive itself as the layer: `crane append -f x.tar -t REF`",
        ),
        None => verdict.add(Taking::Refuses, "there is no manifest in it", REPACK),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Empty,
    Archive,
    Other,
    Damaged,
}

/// What consumers look at in one layer.
struct Facts {
    name: String,
    media_type: String,
    compression: Compression,
    form: Form,
    bytes: u64,
    has_manifest: bool,
    nested: Option<String>,
    missing_folder: Option<String>,
    link: Option<String>,
    special: Option<String>,
    absolute: Option<String>,
    outside: Option<String>,
}

impl Facts {
    fn of(blob: &Blob, index: usize, limits: &LayerLimits) -> Facts {
        let mut facts = Facts {
            name: format!("layer {}", index + 1),
            media_type: blob.descriptor.media_type.clone(),
            compression: Compression::of(&blob.bytes),
            form: Form::Archive,
            bytes: 0,
            has_manifest: false,
            nested: None,
            missing_folder: None,
            link: None,
            special: None,
            absolute: None,
            outside: None,
        };
        match inspect_layer(blob, index, limits) {
            Err(fault) => facts.form = if fault.code == "artifact-layer" { Form::Other } else { Form::Damaged },
            Ok(LayerContent::Empty) => facts.form = Form::Empty,
            Ok(LayerContent::File) => facts.form = Form::Other,
            Ok(LayerContent::Archive(entries)) => {
                let mut folders = BTreeSet::new();
                for entry in entries {
                    facts.bytes += entry.bytes.len() as u64;
                    facts.entry(&entry.path, &entry.kind, &entry.bytes, &mut folders);
                }
            }
        }
        facts
    }

    fn entry(&mut self, path: &str, kind: &EntryKind, bytes: &[u8], folders: &mut BTreeSet<String>) {
        if path.starts_with('/') {
            self.absolute.get_or_insert_with(|| path.to_owned());
        }
        let Ok(clean) = confine(path.trim_start_matches('/')) else {
            self.outside.get_or_insert_with(|| path.to_owned());
            return;
        };
        match kind {
            EntryKind::Folder => {
                folders.insert(clean);
            }
            EntryKind::Symlink(_) | EntryKind::HardLink(_) => {
                self.link.get_or_insert(clean);
            }
            EntryKind::Special => {
                self.special.get_or_insert(clean);
            }
            EntryKind::File => {
                if let Some((folder, _)) = clean.rsplit_once('/')
                    && !folders.contains(folder)
                {
                    self.missing_folder.get_or_insert_with(|| folder.to_owned());
                }
                self.has_manifest |= Files::is_manifest(&clean);
                if is_archive(&clean, bytes) {
                    self.nested.get_or_insert(clean);
                }
            }
        }
    }

    fn is_argo_content(&self) -> bool {
        ["tar+gzip", "tar.gzip", "tar"].iter().any(|ending| self.media_type.ends_with(ending))
    }

    fn packed_how(&self) -> &'static str {
        match self.compression {
            Compression::None => "is not compressed",
            Compression::Gzip => "is compressed with gzip",
            Compression::Zstd => "is compressed with zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Packing;
    use super::super::pack::pack_files;
    use super::*;
    use crate::archive::{TarWriter, gzip};
    use Taking::{Partly, Refuses, Takes};

    fn tar(folders: &[&str], files: &[&str]) -> Vec<u8> {
        let mut tar = TarWriter::<Vec<u8>>::default();
        for folder in folders {
            tar.folder(folder);
        }
        for file in files {
            tar.file(file, b"kind: Namespace\n");
        }
        tar.finish()
    }

    fn verdicts(layers: &[(&str, &[u8])], index: bool) -> Vec<Taking> {
        let files = Files::new([("a.yaml".to_owned(), b"a: 1\n"[..].into())].into()).expect("no clash");
        let mut artifact = pack_files(&files, &Packing::default()).expect("packs");
        if !layers.is_empty() {
            artifact.layers = layers.iter().map(|(kind, bytes)| Blob::new(*kind, *bytes)).collect();
        }
        let verdicts = consumers(&artifact, index, &LayerLimits::default());
        for verdict in &verdicts {
            assert_eq!(verdict.taking == Takes, verdict.reasons.is_empty(), "{verdict:?}");
        }
        verdicts.iter().map(|verdict| verdict.taking).collect()
    }

    #[test]
    fn what_hydrant_packs_everyone_takes() {
        assert_eq!(verdicts(&[], false), [Takes, Takes, Takes]);
    }

    /// The matrix of ways to pack, with the order Config Sync, Flux, Argo CD.
    #[test]
    fn every_way_of_packing_has_its_verdicts() {
        let plain = tar(&["ns"], &["a.yaml", "ns/b.yaml"]);
        let packed = gzip(&plain);
        let zstd: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, b'a', b'b', b'c'];
        let mut outer = TarWriter::<Vec<u8>>::default();
        outer.file("x.tar", &plain);
        let nested = gzip(&outer.finish());
        let no_folders = gzip(&tar(&[], &["ns/b.yaml"]));
        let outside = gzip(&tar(&[], &["../a.yaml"]));
        let raw: &[u8] = b"kind: Namespace\n";
        for (name, layers, wanted) in [
            ("oras push x.tar", &[(media_type::TAR, &plain[..])][..], [Takes, Refuses, Takes]),
            ("oras push x.tgz untyped", &[(media_type::TAR, &packed[..])], [Takes, Takes, Refuses]),
            ("oras push x.tgz typed", &[(media_type::TAR_GZIP, &packed[..])], [Takes, Takes, Takes]),
            ("oras push a.yaml b.yaml", &[(media_type::TAR, raw), (media_type::TAR, raw)], [Refuses, Refuses, Refuses]),
            ("crane append, docker", &[("application/vnd.docker.image.rootfs.diff.tar.gzip", &packed[..])], [Takes, Takes, Refuses]),
            ("flux push artifact", &[(media_type::FLUX_LAYER, &packed[..])], [Takes, Takes, Refuses]),
            ("zstd", &[("application/vnd.oci.image.layer.v1.tar+zstd", zstd)], [Refuses, Refuses, Refuses]),
            ("several layers", &[(media_type::TAR_GZIP, &packed[..]), (media_type::TAR_GZIP, &packed[..])], [Takes, Partly, Refuses]),
            ("tar in tar", &[(media_type::TAR_GZIP, &nested[..])], [Refuses, Refuses, Refuses]),
            ("empty layer", &[(media_type::TAR_GZIP, &gzip(b"")[..])], [Refuses, Refuses, Refuses]),
            ("no folder entries", &[(media_type::TAR_GZIP, &no_folders[..])], [Refuses, Takes, Takes]),
            ("outside", &[(media_type::TAR_GZIP, &outside[..])], [Refuses, Refuses, Refuses]),
            ("typed gzip, plain tar", &[(media_type::TAR_GZIP, &plain[..])], [Takes, Refuses, Refuses]),
        ] {
            assert_eq!(verdicts(layers, false), wanted, "{name}");
        }
        assert_eq!(verdicts(&[(media_type::TAR_GZIP, &packed[..])], true), [Takes, Takes, Refuses]);
    }
}
