//! The files of an artifact: paths relative to its root, sorted, with their bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result};

/// Files by path. Paths are relative, clean and `/`-separated; no path is a folder of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    by_path: BTreeMap<String, Arc<[u8]>>,
}

impl Files {
    /// Takes files whose paths the caller has cleaned.
    ///
    /// Fails with `artifact-path-clash` where one path is a file and also the folder of another.
    pub(crate) fn new(by_path: BTreeMap<String, Arc<[u8]>>) -> Result<Files> {
        let mut folder = "";
        for path in by_path.keys() {
            // the one before it was in the same folder
            if path.rsplit_once('/').is_some_and(|(own, _)| own == folder) {
                continue;
            }
            folder = path.rsplit_once('/').map_or("", |(own, _)| own);
            for (cut, _) in path.match_indices('/') {
                if by_path.contains_key(&path[..cut]) {
                    let text = format!("`{}` is a file and also the folder of `{path}`", &path[..cut]);
                    return Err(Box::new(Diagnostic::input("artifact-path-clash", text).hint("rename one of the two")));
                }
            }
        }
        Ok(Files { by_path })
    }

    /// The files in order of their paths.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.by_path.iter().map(|(path, bytes)| (path.as_str(), bytes))
    }

    /// The files below a folder, with their paths in it; all for the empty path.
    pub(crate) fn below(&self, folder: &str) -> Files {
        if folder.is_empty() {
            return self.clone();
        }
        let inner = |path: &str| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let below = self.by_path.iter().filter_map(|(path, bytes)| Some((inner(path)?, Arc::clone(bytes))));
        Files { by_path: below.collect() }
    }

    /// The bytes of a file.
    pub(crate) fn get(&self, path: &str) -> Option<&Arc<[u8]>> {
        self.by_path.get(path)
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.by_path.len()
    }

    /// True without files.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The files that hold manifests, by their name.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.iter().filter(|(path, _)| Files::is_manifest(path))
    }

    /// As [`Files::manifests`], for whoever reads each once.
    pub(crate) fn into_manifests(self) -> impl Iterator<Item = (String, Arc<[u8]>)> {
        self.by_path.into_iter().filter(|(path, _)| Files::is_manifest(path))
    }

    /// True for the name of a manifest: `.yaml`, `.yml` and `.json`.
    pub(crate) fn is_manifest(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Result<Files> {
        Files::new(paths.iter().map(|path| ((*path).to_owned(), Arc::from(&b""[..]))).collect())
    }

    #[test]
    fn manifests_are_known_by_their_names() {
        let files = files(&["a/b/c.yaml", "a/d.yml", "e.txt", "f.JSON"]).expect("no clash");
        assert_eq!(files.manifests().map(|(path, _)| path).collect::<Vec<_>>(), ["a/b/c.yaml", "a/d.yml", "f.JSON"]);
    }

    #[test]
    fn a_file_is_no_folder() {
        assert_eq!(files(&["a/b", "a/b/c"]).expect_err("clash").code, "artifact-path-clash");
        assert!(files(&["a/b", "a/b.c"]).is_ok());
    }
}
