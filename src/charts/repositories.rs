//! Helm's `repositories.yaml`: the repositories that a user has added, by name.

use crate::diag::{Diagnostic, Result, SourceText};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// One repository that was added with `helm repo add`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RepositoryEntry {
    /// The name in `name/chart` and `@name`.
    pub(crate) name: String,
    /// Its URL.
    pub(crate) url: String,
    /// User, or empty.
    pub(crate) username: String,
    /// Password, or empty.
    pub(crate) password: String,
    /// Path of a client certificate, or empty.
    pub(crate) cert_file: String,
    /// Path of its key, or empty.
    pub(crate) key_file: String,
    /// Path of the authorities to trust, or empty.
    pub(crate) ca_file: String,
    /// Take any certificate.
    pub(crate) insecure: bool,
    /// Send the credential to other hosts, too.
    pub(crate) pass_everywhere: bool,
}

/// The repositories, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repositories {
    /// Its entries.
    pub(crate) entries: Vec<RepositoryEntry>,
}

impl Repositories {
    /// Reads the file's text.
    pub(crate) fn parse(source: &SourceText) -> Result<Repositories> {
        let tree = yaml::parse(source, Dialect::V2)?;
        let rows = tree.get("repositories").and_then(Tree::as_list).unwrap_or_default();
        let entries = rows.iter().map(entry).filter(|entry| !entry.name.is_empty()).collect();
        Ok(Repositories { entries })
    }

    /// The repository of a name. Fails with `repository-unknown`.
    pub(crate) fn named(&self, name: &str) -> Result<&RepositoryEntry> {
        let found = self.entries.iter().find(|entry| entry.name == name);
        found.filter(|entry| !entry.url.is_empty()).ok_or_else(|| {
            let known: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
            let fault = Diagnostic::input("repository-unknown", format!("repo {name} not found"));
            Box::new(if known.is_empty() {
                fault.hint("add it with `helm repo add`, or name the repository with `--repo URL`")
            } else {
                fault.hint(format!("use one that is known: {}", known.join(", ")))
            })
        })
    }

    /// The repository of a URL, a slash at its end aside.
    pub(crate) fn at(&self, url: &str) -> Option<&RepositoryEntry> {
        self.entries.iter().find(|entry| same_url(&entry.url, url))
    }

    /// The repository that a `Chart.yaml` names as `@name` or `alias:name`.
    pub(crate) fn aliased(&self, repository: &str) -> Option<&RepositoryEntry> {
        let name = repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:"))?;
        self.entries.iter().find(|entry| entry.name == name)
    }
}

fn entry(tree: &Tree) -> RepositoryEntry {
    let text = |field: &str| {
        tree.get(field)
            .filter(|value| !value.is_null())
            .and_then(Tree::as_scalar)
            .map(|scalar| scalar.text.to_string())
            .unwrap_or_default()
    };
    let flag = |field: &str| text(field).eq_ignore_ascii_case("true");
    RepositoryEntry {
        name: text("name"),
        url: text("url"),
        username: text("username"),
        password: text("password"),
        cert_file: text("certFile"),
        key_file: text("keyFile"),
        ca_file: text("caFile"),
        insecure: flag("insecure_skip_tls_verify"),
        pass_everywhere: flag("pass_credentials_all"),
    }
}

/// True if two URLs mean the same to Helm: host in any case, path cleaned, no slash at the end.
fn same_url(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let mut parsed = url::Url::parse(text).ok()?;
        let parts: Vec<String> =
            parsed.path().split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        parsed.set_path(&parts.join("/"));
        Some(parsed)
    };
    match (plain(a), plain(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.trim_end_matches('/') == b.trim_end_matches('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_name_url_and_alias() {
        let text = "apiVersion: \"\"\nrepositories:\n- name: corp\n  url: https://Charts.example/a\n  username: u\n  password: p\n  pass_credentials_all: true\n  caFile: ''\n- name: other\n  url: https://b.example\n";
        let known = Repositories::parse(&SourceText::new("repositories.yaml", text)).expect("a file");
        assert!(known.named("corp").expect("known").pass_everywhere);
        assert_eq!(known.at("https://charts.example/a/").expect("known").name, "corp");
        assert_eq!(known.aliased("@other").expect("known").url, "https://b.example");
        assert_eq!(known.aliased("alias:corp").expect("known").username, "u");
        assert_eq!(known.named("none").expect_err("unknown").code, "repository-unknown");
    }
}
