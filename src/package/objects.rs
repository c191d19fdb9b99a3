//! Files to objects: what an artifact means.

use super::Files;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::manifest::Set;

/// Files whose presence says that the artifact was not rendered yet.
const UNRENDERED: [&str; 4] = ["kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml"];

/// The objects in the manifests of an artifact, in order of path.
///
/// Every document must be an object: half a source is never a source, since what is missing would be pruned. Fails with
/// `artifact-unrendered`, `manifest-encoding`, or as [`Set::parse_trees`] does.
pub(crate) fn objects(files: Files) -> Result<Set> {
    let unrendered = |path: &str| UNRENDERED.contains(&path.rsplit('/').next().unwrap_or_default());
    if let Some((path, _)) = files.iter().find(|(path, _)| unrendered(path)) {
        return Err(Box::new(
            Diagnostic::input("artifact-unrendered", format!("the artifact is not rendered: it holds `{path}`"))
                .hint("push it with `hydrant push`, which renders first"),
        ));
    }
    let mut set = Set::default();
    // each file goes as soon as it is read: there may be many
    for (path, bytes) in files.into_manifests() {
        let encoding = |_| Diagnostic::input("manifest-encoding", format!("`{path}` is not UTF-8"));
        let text = std::str::from_utf8(&bytes).map_err(encoding)?;
        set.objects.extend(Set::parse_trees(&SourceText::new(&*path, text))?.objects);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn set(files: &[(&str, &str)]) -> Result<Set> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes())));
        objects(Files::new(files.collect()).expect("no clash"))
    }

    #[test]
    fn only_manifests_are_read_in_order_of_path() {
        let object = |kind: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n");
        let set = set(&[("b.json", &object("B")), ("a/x.yaml", &object("A")), ("readme.txt", "no: object")])
            .expect("objects");
        assert_eq!(set.objects.iter().map(|object| object.id.kind.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn half_a_source_is_no_source() {
        assert_eq!(set(&[("values.yaml", "replicas: 1\n")]).expect_err("no object").code, "manifest-no-kind");
        assert_eq!(set(&[("a/Chart.yaml", "name: x\n")]).expect_err("a chart").code, "artifact-unrendered");
        assert!(set(&[("a.yaml", "a: [\n")]).is_err());
    }
}
