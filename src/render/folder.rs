//! Folders and files of plain manifests.

use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::Set;
use crate::source::{EntryKind, Source, join, threads};

use super::KUSTOMIZATION_FILES;

/// Folders nested deeper than this are refused: a link that leads back up never ends.
const FOLDER_DEPTH_MAX: usize = 64;

/// Endings of files that hold manifests.
const MANIFEST_ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];

/// Reads every manifest below a folder, files and folders by name; names that start with a dot are passed over.
pub(super) fn read(source: &dyn Source, folder: &str) -> Result<Set> {
    let mut files = Vec::new();
    let walked = walk(source, folder, 0, &mut files);
    let mut set = Set::default();
    for read in threads::map(files, |file| read_file(source, &file)) {
        set.objects.extend(read?.objects);
    }
    // a fault in a file that comes before is told first
    walked.map(|()| set)
}

/// Lists the files of manifests, up to the first fault.
fn walk(source: &dyn Source, folder: &str, depth: usize, files: &mut Vec<String>) -> Result<()> {
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
            Some(EntryKind::Folder) => walk(source, &path, depth + 1, files)?,
            Some(EntryKind::File) if MANIFEST_ENDINGS.iter().any(|ending| entry.name.ends_with(ending)) => {
                files.push(path);
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
    fn of_many_files_the_first_fault_is_told() {
        let mut files = Memory::new();
        for number in 0..100 {
            files.insert(&format!("/app/{number:02}.yaml"), OBJECT);
        }
        assert_eq!(read(&files, "/app").expect("objects").len(), 100);
        files.insert("/app/zz/Chart.yaml", *b"");
        assert_eq!(read(&files, "/app").expect_err("mixed").code, "folder-mixed");
        files.insert("/app/50.yaml", *b"a: [");
        files.insert("/app/70.yaml", *b"a: b");
        assert_eq!(read(&files, "/app").expect_err("syntax").code, "yaml-syntax");
    }

    #[test]
    fn a_kustomization_below_is_refused_by_name() {
        let mut files = Memory::new();
        files.insert("/app/base/kustomization.yaml", *b"resources: []");
        let fault = read(&files, "/app").expect_err("mixed");
        assert!(fault.message.contains("/app/base"), "{fault:?}");
    }
}
