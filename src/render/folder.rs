//! Folders and files of plain manifests.

use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::Set;
use crate::source::{EntryKind, Source, join};

use super::KUSTOMIZATION_FILES;

/// Folders nested deeper than this are refused: a link that leads back up never ends.
const FOLDER_DEPTH_MAX: usize = 64;

/// Endings of files that hold manifests.
const MANIFEST_ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];

/// Reads every manifest below a folder, files and folders by name; names that start with a dot are passed over.
pub(super) fn read(source: &dyn Source, folder: &str) -> Result<Set> {
    let mut set = Set::default();
    walk(source, folder, 0, &mut set)?;
    Ok(set)
}

fn walk(source: &dyn Source, folder: &str, depth: usize, set: &mut Set) -> Result<()> {
    if depth > FOLDER_DEPTH_MAX {
        let message = format!("`{folder}` is nested deeper than {FOLDER_DEPTH_MAX} folders");
        return Err(Box::new(Diagnostic::input("folder-depth", message).hint("look for a link that leads back up")));
    }
    for entry in source.list(folder)? {
        let path = join(folder, &entry.name);
        if entry.name.starts_with('.') {
            continue;
        }
        if KUSTOMIZATION_FILES.contains(&entry.name.as_str()) || entry.name == "Chart.yaml" {
            let what = if entry.name == "Chart.yaml" { "chart" } else { "kustomization" };
            let message = format!("`{folder}` is a {what} inside a folder of plain manifests");
            return Err(Box::new(
                Diagnostic::input("folder-mixed", message)
                    .hint(format!("render `{folder}` by itself, or add a kustomization above it")),
            ));
        }
        match entry.kind {
            Some(EntryKind::Folder) => walk(source, &path, depth + 1, set)?,
            Some(EntryKind::File) if MANIFEST_ENDINGS.iter().any(|ending| entry.name.ends_with(ending)) => {
                set.objects.extend(read_file(source, &path)?.objects);
            }
            Some(EntryKind::File) | None => {}
        }
    }
    Ok(())
}

/// Reads one file of manifests.
pub(super) fn read_file(source: &dyn Source, path: &str) -> Result<Set> {
    let bytes = source.read(path)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let message = format!("`{path}` is not UTF-8 text");
        return Err(Box::new(Diagnostic::input("manifest-not-text", message).hint("give YAML or JSON manifests")));
    };
    Set::parse_trees(&SourceText::new(path, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    const OBJECT: &[u8] = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

    #[test]
    fn manifests_below_are_read_and_the_rest_is_left_alone() {
        let mut files = Memory::new();
        files.insert("/app/a.yaml", OBJECT);
        files.insert("/app/deep/b.json", *br#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}}"#);
        files.insert("/app/README.md", *b"# no");
        files.insert("/app/.hidden/c.yaml", *b"[");
        assert_eq!(read(&files, "/app").expect("two objects").len(), 2);
    }

    #[test]
    fn a_kustomization_below_is_refused_by_name() {
        let mut files = Memory::new();
        files.insert("/app/base/kustomization.yaml", *b"resources: []");
        let fault = read(&files, "/app").expect_err("mixed");
        assert!(fault.message.contains("/app/base"), "{fault:?}");
    }
}
