//! OCI image layouts: a registry in a folder.
//!
//! Blobs and the index appear by rename, the index last, so a reader sees the state before or after a write and nothing
//! between. Writers of one layout take turns by a lock on a file in it; readers need no lock. A process that dies leaves
//! at most a draft file, which no reader looks at.

#![expect(clippy::disallowed_methods, reason = "the one place where image layouts are read and written")]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::client::MANIFEST_BYTES_MAX;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest, Index, LayoutReference, Manifest, Version, media_type};

/// The annotation that holds a tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const LAYOUT_FILE: &str = "oci-layout";
const LAYOUT_TEXT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX_FILE: &str = "index.json";
const LOCK_FILE: &str = ".hydrant.lock";
/// Longest index read, in bytes.
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// An image layout on disk.
pub(crate) struct Layout {
    folder: PathBuf,
}

/// What a write to a layout did.
pub(super) struct Written {
    /// Blobs that were not there before, with their sizes.
    pub(super) new: Vec<Descriptor>,
    /// True if the tag moved or is new.
    pub(super) moved: bool,
}

impl Layout {
    /// The layout that a reference names; it need not exist yet.
    pub(crate) fn at(reference: &LayoutReference) -> Layout {
        Layout { folder: reference.folder.clone() }
    }

    /// The descriptor of what a tag or digest names. Fails with `layout-missing` or `layout-no-manifest`.
    pub(crate) fn find(&self, version: &Version) -> Result<Descriptor> {
        let index = self.index()?.ok_or_else(|| {
            let text = format!("there is no image layout at `{}`", self.folder.display());
            Box::new(Diagnostic::input("layout-missing", text).hint("check the folder, or push to it first"))
        })?;
        let found = index.manifests.iter().find(|entry| match version {
            Version::Tag(tag) => entry.annotations.get(REF_NAME) == Some(tag),
            Version::Digest(digest) => entry.digest == *digest,
        });
        let by_digest = || match version {
            // manifests inside an index are not listed themselves
            Version::Digest(digest) => {
                let bytes = fs::metadata(self.blob_path(*digest)).ok()?;
                let mut descriptor = Descriptor::of(media_type::MANIFEST, b"");
                (descriptor.digest, descriptor.size) = (*digest, bytes.len());
                Some(descriptor)
            }
            Version::Tag(_) => None,
        };
        found.cloned().or_else(by_digest).ok_or_else(|| {
            let text = format!("there is no `{version}` in the image layout `{}`", self.folder.display());
            let fault = Diagnostic::input("layout-no-manifest", text);
            let tags = tags(&index);
            Box::new(if tags.is_empty() {
                fault
            } else {
                fault.hint(format!("use one of its tags: {}", tags.join(", ")))
            })
        })
    }

    /// The tags of the layout, sorted.
    pub(crate) fn tags(&self) -> Result<Vec<String>> {
        Ok(self.index()?.map(|index| tags(&index)).unwrap_or_default())
    }

    /// Reads and verifies a blob of at most `limit` bytes.
    pub(crate) fn read(&self, descriptor: &Descriptor, limit: u64) -> Result<Blob> {
        if descriptor.size > limit {
            let text =
                format!("blob `{}` has {} bytes, more than the {limit} allowed", descriptor.digest, descriptor.size);
            return Err(Box::new(Diagnostic::input("blob-too-large", text)));
        }
        let path = self.blob_path(descriptor.digest);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(descriptor.size + 1).read_to_end(&mut bytes));
        read.map_err(|error| cannot("read", &path, &error))?;
        descriptor.verify(&bytes)?;
        Ok(Blob { descriptor: descriptor.clone(), bytes: bytes.into() })
    }

    /// Stores an artifact, and a tag for it if one is given.
    pub(super) fn write(&self, artifact: &Artifact, tag: Option<&str>) -> Result<Written> {
        let manifest = Blob { descriptor: artifact.descriptor(), bytes: artifact.manifest.clone() };
        let mut new = Vec::new();
        for blob in artifact.blobs().chain([&manifest]) {
            if self.store(blob)? {
                new.push(blob.descriptor.clone());
            }
        }
        let moved = self.point(&manifest.descriptor, tag)?;
        Ok(Written { new, moved })
    }

    /// True if the layout has the blob, whole.
    pub(super) fn has(&self, descriptor: &Descriptor) -> bool {
        // a blob of the right name and length was verified when it was written: the name is its digest
        fs::metadata(self.blob_path(descriptor.digest)).is_ok_and(|found| found.len() == descriptor.size)
    }

    /// What refers to a digest: the listed manifests whose subject it is, and those in the list that registries without
    /// the referrers API keep under a tag.
    pub(super) fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>> {
        let Some(index) = self.index()? else { return Ok(Vec::new()) };
        let list_tag = subject.tag("");
        let mut found: Vec<Descriptor> = Vec::new();
        let mut listed: Vec<Descriptor> = Vec::new();
        for entry in index.manifests {
            let named_list = entry.annotations.get(REF_NAME) == Some(&list_tag);
            if entry.size > MANIFEST_BYTES_MAX as u64 || (!named_list && !media_type::is_manifest(&entry.media_type)) {
                continue;
            }
            let bytes = self.read(&entry, MANIFEST_BYTES_MAX as u64)?.bytes;
            match Manifest::parse(&bytes, &entry.media_type)? {
                Manifest::Index(index) if named_list => listed.extend(index.manifests),
                Manifest::Image(image) if image.subject.as_ref().is_some_and(|one| one.digest == subject) => {
                    let artifact_type = image.artifact_type.or(Some(image.config.media_type));
                    found.push(Descriptor { artifact_type, annotations: image.annotations, ..entry });
                }
                _ => {}
            }
        }
        listed.retain(|one| !found.iter().any(|seen| seen.digest == one.digest));
        found.extend(listed);
        Ok(found)
    }

    /// Stores one blob; false if it was there already, whole.
    pub(super) fn store(&self, blob: &Blob) -> Result<bool> {
        if self.has(&blob.descriptor) {
            return Ok(false);
        }
        replace(&self.blob_path(blob.descriptor.digest), &blob.bytes)?;
        Ok(true)
    }

    /// Points the tag at a manifest, or lists the manifest without a tag; false if that was so already.
    pub(super) fn point(&self, descriptor: &Descriptor, tag: Option<&str>) -> Result<bool> {
        let lock_path = self.folder.join(LOCK_FILE);
        make_folder(&self.folder)?;
        let lock = File::create(&lock_path).and_then(|file| file.lock().map(|()| file));
        // held until the end of this function
        let _lock = lock.map_err(|error| cannot("lock", &lock_path, &error))?;
        let mut index = self.index()?.unwrap_or_else(|| Index {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            manifests: Vec::new(),
            annotations: std::collections::BTreeMap::new(),
        });
        let mut entry = descriptor.clone();
        entry.annotations.remove(REF_NAME);
        if let Some(tag) = tag {
            entry.annotations.insert(REF_NAME.to_owned(), tag.to_owned());
        }
        let tagged = |found: &Descriptor| found.annotations.get(REF_NAME).cloned();
        let same = |found: &Descriptor| found.digest == descriptor.digest;
        let Some(name) = tag else {
            if index.manifests.iter().any(same) {
                return Ok(false);
            }
            index.manifests.push(entry);
            return self.replace_index(&index).map(|()| true);
        };
        if index.manifests.iter().any(|found| same(found) && tagged(found).as_deref() == Some(name)) {
            return Ok(false);
        }
        // what had the tag loses it; what was listed without one gets it
        index.manifests.retain(|found| match tagged(found) {
            Some(found) => found != name,
            None => !same(found),
        });
        index.manifests.push(entry);
        self.replace_index(&index).map(|()| true)
    }

    fn replace_index(&self, index: &Index) -> Result<()> {
        let text = serde_json::to_vec(index).map_err(|fault| Diagnostic::bug("layout-json", fault.to_string()))?;
        replace(&self.folder.join(LAYOUT_FILE), LAYOUT_TEXT)?;
        replace(&self.folder.join(INDEX_FILE), &text)
    }

    fn index(&self) -> Result<Option<Index>> {
        let path = self.folder.join(INDEX_FILE);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(INDEX_BYTES_MAX).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", &path, &error)),
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|fault| {
            let text = format!("`{}` is no index of an image layout: {fault}", path.display());
            Box::new(Diagnostic::input("layout-index", text).hint("name another folder, or empty this one"))
        })
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        self.folder.join("blobs").join("sha256").join(digest.hex())
    }
}

fn tags(index: &Index) -> Vec<String> {
    let mut tags: Vec<String> =
        index.manifests.iter().filter_map(|entry| entry.annotations.get(REF_NAME).cloned()).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let fault = Diagnostic::unreachable("layout-io", format!("cannot {what} `{}`: {error}", path.display()));
    Box::new(fault.hint("check the folder and its permissions"))
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| cannot("make", path, &error))
}

/// Writes a file beside its place and renames it there.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let draft = draft_path(path);
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, path)).map_err(|error| {
        let _ = fs::remove_file(&draft);
        cannot("write", path, &error)
    })
}

/// A name beside the file that no other process or thread uses at the same time.
fn draft_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    path.with_file_name(format!(".{name}.{}.{thread}.draft", std::process::id()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::oci::ImageManifest;

    fn artifact(text: &str) -> Artifact {
        let config = Blob::new(media_type::CONFIG, &b"{}"[..]);
        let layer = Blob::new(media_type::TAR, text.as_bytes());
        let image = ImageManifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config: config.descriptor.clone(),
            layers: vec![layer.descriptor.clone()],
            subject: None,
            annotations: std::collections::BTreeMap::new(),
        };
        let manifest: Arc<[u8]> = serde_json::to_vec(&image).expect("JSON").into();
        let digest = Digest::of(&manifest);
        Artifact {
            digest,
            media_type: media_type::MANIFEST.to_owned(),
            manifest,
            image,
            config: Some(config),
            layers: vec![layer],
        }
    }

    fn layout(folder: &Path) -> Layout {
        Layout { folder: folder.to_owned() }
    }

    #[test]
    fn tags_move_and_an_unchanged_write_does_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = layout(&folder.path().join("deep/layout"));
        let first = layout.write(&artifact("one"), Some("v1")).expect("written");
        assert_eq!((first.new.len(), first.moved), (3, true));
        let again = layout.write(&artifact("one"), Some("v1")).expect("written");
        assert_eq!((again.new.len(), again.moved), (0, false));
        let second = layout.write(&artifact("two"), Some("v1")).expect("written");
        assert_eq!((second.new.len(), second.moved), (2, true), "the config is shared");
        assert_eq!(layout.find(&Version::Tag("v1".to_owned())).expect("there").digest, artifact("two").digest);
        assert_eq!(
            layout.find(&Version::Digest(artifact("one").digest)).expect("there").digest,
            artifact("one").digest
        );
        let fault = layout.find(&Version::Tag("v2".to_owned())).expect_err("no such tag");
        assert!(fault.hints[0].contains("v1"), "{fault:?}");
        assert_eq!(layout.tags().expect("reads"), ["v1"]);
    }

    #[test]
    fn damage_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = layout(folder.path());
        let artifact = artifact("one");
        layout.write(&artifact, None).expect("written");
        let layer = &artifact.layers[0].descriptor;
        fs::write(layout.blob_path(layer.digest), b"two").expect("damaged");
        assert_eq!(layout.read(layer, 100).expect_err("damaged").code, "blob-digest");
        fs::write(layout.blob_path(layer.digest), b"longer").expect("damaged");
        assert_eq!(layout.read(layer, 100).expect_err("damaged").code, "blob-size");
        assert_eq!(layout.read(layer, 2).expect_err("limited").code, "blob-too-large");
        assert!(layout.write(&artifact, None).expect("mended").new.len() == 1);
        assert!(layout.read(layer, 100).is_ok());
    }

    #[test]
    fn writers_take_turns() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let layout = layout(folder.path());
                scope.spawn(move || {
                    for round in 0..5 {
                        let tag = format!("w{writer}-{round}");
                        layout.write(&artifact(&tag), Some(&tag)).expect("written");
                    }
                });
            }
        });
        assert_eq!(layout(folder.path()).tags().expect("reads").len(), 40, "no tag is lost");
        let drafts = fs::read_dir(folder.path())
            .expect("a folder")
            .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().ends_with(".draft"));
        assert_eq!(drafts.count(), 0);
    }

    #[test]
    fn a_folder_that_is_no_layout_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(
            layout(folder.path()).find(&Version::Tag("x".to_owned())).expect_err("empty").code,
            "layout-missing"
        );
        fs::write(folder.path().join(INDEX_FILE), b"[]").expect("written");
        assert_eq!(layout(folder.path()).tags().expect_err("no index").code, "layout-index");
    }
}
