//! What a chart depends on, and Helm's own lock of it (`Chart.lock`), byte for byte.
//!
//! The lock's digest is over Go's JSON of the dependencies as `Chart.yaml` lists them and as they were resolved, so every
//! field counts, in Go's order, with Go's escapes.

use crate::diag::{Result, SourceText};
use crate::go::json;
use crate::oci::Digest;
use crate::value::{Map, Text, Tree};
use crate::yaml::{self, Dialect};

/// One row of `dependencies`, in `Chart.yaml` or in its lock.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dependency {
    /// The chart's own name.
    pub(crate) name: String,
    /// A range; in a lock, a version.
    pub(crate) version: String,
    /// Where it comes from; empty for `charts/`.
    pub(crate) repository: String,
    /// Value paths that switch it.
    pub(crate) condition: String,
    /// Tags that switch it.
    pub(crate) tags: Vec<String>,
    /// Whether it is switched on; hardly ever written.
    pub(crate) enabled: bool,
    /// What the parent takes over.
    pub(crate) import_values: Vec<Tree>,
    /// Its name in the parent.
    pub(crate) alias: String,
}

impl Dependency {
    /// Go's JSON.
    fn push_json(&self, out: &mut String) {
        out.push('{');
        let text = |out: &mut String, key: &str, value: &str| {
            json::push_str(out, key, true);
            out.push(':');
            json::push_str(out, value, true);
        };
        text(out, "name", &self.name);
        let mut optional = |key: &str, value: &str| {
            if !value.is_empty() || key == "repository" {
                out.push(',');
                text(out, key, value);
            }
        };
        optional("version", &self.version);
        optional("repository", &self.repository);
        optional("condition", &self.condition);
        if !self.tags.is_empty() {
            let tags = Tree::list(self.tags.iter().map(|tag| Tree::str(tag.as_str())).collect());
            out.push_str(&format!(",\"tags\":{}", yaml::to_json(&tags)));
        }
        if self.enabled {
            out.push_str(",\"enabled\":true");
        }
        if !self.import_values.is_empty() {
            out.push_str(&format!(",\"import-values\":{}", yaml::to_json(&Tree::list(self.import_values.clone()))));
        }
        if !self.alias.is_empty() {
            out.push(',');
            text(out, "alias", &self.alias);
        }
        out.push('}');
    }
}

/// Helm's lock of a chart's dependencies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lock {
    /// When it was made, as Go prints a time in JSON.
    pub(crate) generated: String,
    /// [`lock_digest`] of the dependencies.
    pub(crate) digest: String,
    /// Each dependency with the version that it came to.
    pub(crate) dependencies: Vec<Dependency>,
}

impl Lock {
    /// Reads a `Chart.lock` or `requirements.lock`.
    pub(crate) fn parse(source: &SourceText) -> Result<Lock> {
        let tree = yaml::parse(source, Dialect::V2)?;
        let rows = tree.get("dependencies").and_then(Tree::as_list).unwrap_or_default();
        let row = |row: &Tree| Dependency {
            name: text(row, "name"),
            version: text(row, "version"),
            repository: text(row, "repository"),
            ..Dependency::default()
        };
        Ok(Lock {
            generated: text(&tree, "generated"),
            digest: text(&tree, "digest"),
            dependencies: rows.iter().map(row).collect(),
        })
    }

    /// The file's text.
    pub(crate) fn print(&self) -> String {
        let row = |row: &Dependency| {
            let mut fields = vec![("name", &row.name), ("repository", &row.repository)];
            if !row.version.is_empty() {
                fields.push(("version", &row.version));
            }
            fields.into_iter().map(|(key, value)| (Text::new(key), Tree::str(value.as_str()))).collect::<Map>()
        };
        let rows = self.dependencies.iter().map(|dependency| Tree::map(row(dependency))).collect();
        yaml::to_string(&Tree::map(Map::from_iter([
            ("dependencies".into(), Tree::list(rows)),
            ("digest".into(), Tree::str(self.digest.as_str())),
            ("generated".into(), Tree::str(self.generated.as_str())),
        ])))
    }
}

fn text(tree: &Tree, field: &str) -> String {
    tree.get(field)
        .filter(|value| !value.is_null())
        .and_then(Tree::as_scalar)
        .map(|scalar| scalar.text.to_string())
        .unwrap_or_default()
}

/// The digest that a lock has for dependencies (aliases of repositories replaced by their URLs) and what they came to.
pub(crate) fn lock_digest(wanted: &[Dependency], locked: &[Dependency]) -> String {
    Digest::of(format!("[{},{}]", list(wanted), list(locked)).as_bytes()).to_string()
}

/// The digest that Helm 2 put into `requirements.lock`.
pub(crate) fn requirement_digest(wanted: &[Dependency]) -> String {
    Digest::of(format!("{{\"dependencies\":{}}}", list(wanted)).as_bytes()).to_string()
}

fn list(dependencies: &[Dependency]) -> String {
    let mut out = String::from("[");
    for (index, dependency) in dependencies.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        dependency.push_json(&mut out);
    }
    out + "]"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_printed_as_helm_prints_them_and_read_back() {
        let rows = vec![Dependency {
            name: "lib".into(),
            version: "1.2.3".into(),
            repository: "file://../lib".into(),
            ..Dependency::default()
        }];
        let lock = Lock {
            generated: "2026-01-02T03:04:05.123456789Z".into(),
            digest: lock_digest(&rows, &rows),
            dependencies: rows,
        };
        let text = lock.print();
        assert!(
            text.starts_with(
                "dependencies:\n- name: lib\n  repository: file://../lib\n  version: 1.2.3\ndigest: sha256:"
            ),
            "{text}"
        );
        assert!(text.ends_with("generated: \"2026-01-02T03:04:05.123456789Z\"\n"), "{text}");
        assert_eq!(Lock::parse(&SourceText::new("Chart.lock", text)).expect("a lock"), lock);
    }

    #[test]
    fn every_field_counts_in_gos_order() {
        let row = Dependency {
            name: "a<b".into(),
            condition: "a.on".into(),
            tags: vec!["t".into()],
            import_values: vec![Tree::str("x")],
            alias: "z".into(),
            ..Dependency::default()
        };
        assert_eq!(
            list(&[row]),
            "[{\"name\":\"a\\u003cb\",\"repository\":\"\",\"condition\":\"a.on\",\"tags\":[\"t\"],\"import-values\":[\"x\"],\"alias\":\"z\"}]"
        );
    }
}
