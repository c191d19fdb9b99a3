//! What builds that read the same files need only once: their texts, their documents, and the builtin tables.
//!
//! In: bytes of files by absolute path. Out: the same bytes as text and as trees, made when first wanted. Nothing here
//! depends on the build that asked, and nothing is ever changed, so builds that share it cannot affect one another.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use super::config::Config;
use super::decode::{self, Misfit, Rigour};
use super::shapes;
use crate::compat::Profile;
use crate::diag::{Result, SourceText};
use crate::schema::Schema;
use crate::value::Tree;
use crate::yaml::{self, Dialect, Piece};

/// Kept between builds that follow one profile.
pub struct Shared {
    /// Kubernetes facts where no kustomization brings its own.
    pub(crate) schema: Arc<Schema>,
    /// The builtin field specifications.
    pub(crate) tables: Arc<Config>,
    files: Mutex<FxHashMap<String, Arc<File>>>,
}

impl Shared {
    /// Nothing read yet.
    pub fn new(profile: Profile) -> Shared {
        Shared { schema: Arc::new(Schema::builtin()), tables: Arc::new(Config::builtin(profile)), files: Mutex::default() }
    }

    /// The file at a path. Bytes that are not the ones known there take their place.
    pub(crate) fn file(&self, path: &str, bytes: &Arc<[u8]>) -> Arc<File> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match files.get(path) {
            Some(file) if Arc::ptr_eq(&file.bytes, bytes) => Arc::clone(file),
            _ => {
                let file = Arc::new(File::new(Arc::clone(bytes)));
                files.insert(path.to_owned(), Arc::clone(&file));
                file
            }
        }
    }
}

impl Shared {
    /// The first document of a file; nothing if it is no YAML.
    pub fn tree(&self, path: &str, bytes: &Arc<[u8]>) -> Option<Tree> {
        let file = self.file(path, bytes);
        Loaded::new(SourceText::new(path, file.text()?), file).tree().ok()
    }
}

/// A file as it was read, and what it turned out to hold. Faults are not kept: they name the file as each build sees it.
pub(crate) struct File {
    bytes: Arc<[u8]>,
    text: OnceLock<Option<Arc<str>>>,
    pieces: OnceLock<Arc<[Piece]>>,
    tree: OnceLock<Tree>,
    shaped: OnceLock<Tree>,
}

impl File {
    fn new(bytes: Arc<[u8]>) -> File {
        File { bytes, text: OnceLock::new(), pieces: OnceLock::new(), tree: OnceLock::new(), shaped: OnceLock::new() }
    }

    /// Its text; nothing if it is no UTF-8.
    pub(crate) fn text(&self) -> Option<Arc<str>> {
        self.text.get_or_init(|| std::str::from_utf8(&self.bytes).ok().map(Arc::from)).clone()
    }
}

/// A file under the name that one build has for it.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// Its text, named.
    pub(crate) source: SourceText,
    file: Arc<File>,
}

impl Loaded {
    /// A file that holds text.
    pub(crate) fn new(source: SourceText, file: Arc<File>) -> Loaded {
        Loaded { source, file }
    }

    /// Its documents as kustomize reads objects.
    pub(crate) fn pieces(&self) -> Result<Arc<[Piece]>> {
        if let Some(pieces) = self.file.pieces.get() {
            return Ok(Arc::clone(pieces));
        }
        let pieces = yaml::parse_pieces(&self.source, Dialect::V3)?;
        Ok(Arc::clone(self.file.pieces.get_or_init(|| Arc::from(pieces))))
    }

    /// Its first document.
    fn tree(&self) -> Result<Tree> {
        if let Some(tree) = self.file.tree.get() {
            return Ok(tree.clone());
        }
        let tree = yaml::parse(&self.source, Dialect::V2)?;
        Ok(self.file.tree.get_or_init(|| tree).clone())
    }

    /// Its first document in the shape of a kustomization.
    pub(crate) fn kustomization(&self) -> Result<Result<Tree, Box<Misfit>>> {
        if let Some(shaped) = self.file.shaped.get() {
            return Ok(Ok(shaped.clone()));
        }
        let tree = self.tree()?;
        let shaped = decode::shape(&tree, shapes::KUSTOMIZATION, Rigour::Kustomization);
        Ok(shaped.map(|shaped| self.file.shaped.get_or_init(|| shaped).clone()))
    }
}
