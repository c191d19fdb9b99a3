//! Git URLs as kustomizations write them, taken apart: repository, folder in it, revision.
//!
//! In: an entry of `resources` or `components`. Out: a [`RepoSpec`], or nothing for what names no repository, in which case
//! the entry is a path. The rules are kustomize's, odd ones included: `.git`, `_git/` and `//` mark where the repository
//! ends; without a mark it is the first two parts after the host.

use std::time::Duration;

use crate::go;

/// Time that a fetch may take where the URL does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(27);

/// A folder in a git repository at a revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepoSpec {
    /// What was written.
    pub raw: String,
    /// What `git clone` would be given.
    pub clone: String,
    /// The folder inside, without a slash in front; empty for the top.
    pub folder: String,
    /// Branch, tag or commit; empty for the default branch.
    pub revision: String,
    /// Whether submodules are fetched, too.
    pub submodules: bool,
    /// Time that fetching may take.
    pub timeout: Duration,
}

impl RepoSpec {
    /// Takes a URL apart; nothing if it names no repository.
    pub fn parse(raw: &str) -> Option<RepoSpec> {
        if raw.starts_with('/') {
            return None;
        }
        let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
        let (host, rest) = host(address)?;
        let (path, folder) = split(rest, host.starts_with("file://"))?;
        let exits = go::path::clean(folder.trim_start_matches('/').as_bytes()).split(|byte| *byte == b'/').next() == Some(b"..");
        if path.is_empty() || exits {
            return None;
        }
        let (revision, timeout, submodules) = options(query);
        let folder = folder.strip_prefix('/').unwrap_or(folder).to_owned();
        Some(RepoSpec { raw: raw.to_owned(), clone: format!("{host}{path}"), folder, revision, submodules, timeout })
    }
}

/// Host (with scheme and user) and what follows.
fn host(address: &str) -> Option<(String, &str)> {
    let address = strip_ignoring_case(address, "git::").unwrap_or(address);
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let found = schemes.into_iter().find_map(|scheme| Some((scheme, strip_ignoring_case(address, scheme)?)));
    let (scheme, rest) = found.unwrap_or(("", address));
    let (user, bare) = user(rest);
    let lower = bare.to_ascii_lowercase();
    let github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    if scheme == "file://" {
        // everything after the scheme, a user that is none included, is a path
        return Some((scheme.to_owned(), rest));
    }
    let slash = bare.find('/');
    let colon = bare.find(':').filter(|colon| scp && (slash.is_none() || (*colon > 0 && Some(*colon) < slash)));
    let end = colon.or(slash);
    let (name, path) = end.map_or((bare, ""), |end| bare.split_at(end + 1));
    if github {
        let ssh = scheme == "ssh://" || !user.is_empty();
        return Some((if ssh { format!("{user}github.com:") } else { "https://github.com/".to_owned() }, path));
    }
    if name.is_empty() { None } else { Some((format!("{scheme}{user}{name}"), path)) }
}

/// A user and its `@`, if the text starts with one.
fn user(text: &str) -> (&str, &str) {
    let end = text.find('@').filter(|end| {
        let name = &text.as_bytes()[..*end];
        name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    });
    end.map_or(("", text), |end| text.split_at(end + 1))
}

/// Repository and folder.
fn split(path: &str, all: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        let name = at + "_git/".len();
        let end = path[name..].find('/').map_or(path.len(), |end| name + end);
        return Some((&path[..end], path[end..].strip_prefix('/').unwrap_or_default()));
    }
    if let Some((repository, folder)) = path.split_once("//") {
        return Some((repository, folder));
    }
    if let Some(at) = path.find(".git") {
        return Some(path.split_at(at + ".git".len()));
    }
    if all {
        return Some((path, ""));
    }
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.next()?;
    Some(slashes.next().map_or((path, ""), |end| (&path[..end], &path[end + 1..])))
}

/// Revision, timeout and submodules of a query.
fn options(query: &str) -> (String, Duration, bool) {
    let Some(pairs) = pairs(query) else { return (String::new(), TIMEOUT_DEFAULT, true) };
    let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    let revision = value("ref").or(value("version")).unwrap_or_default().to_owned();
    let timeout = value("timeout").and_then(|text| match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => go::time::Duration::parse(text.as_bytes()).ok().and_then(|parsed| u64::try_from(parsed.0).ok()).map(Duration::from_nanos),
    });
    let timeout = timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(TIMEOUT_DEFAULT);
    let submodules = !matches!(value("submodules"), Some("0" | "f" | "F" | "FALSE" | "false" | "False"));
    (revision, timeout, submodules)
}

/// The pairs of a query; nothing if one of them cannot be read.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if part.contains(';') { None } else { Some((decoded(key)?, decoded(value)?)) }
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

fn strip_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_kustomize_does() {
        for (raw, clone, folder, revision) in [
            ("https://github.com/org/repo//deploy/base?ref=v1", "https://github.com/org/repo", "deploy/base", "v1"),
            ("github.com/org/repo/deploy?version=v2", "https://github.com/org/repo", "deploy", "v2"),
            ("https://git.example/a/b/repo.git//x?ref=main&timeout=90s", "https://git.example/a/b/repo.git", "x", "main"),
            ("https://git.example/org/repo.git/x/y", "https://git.example/org/repo.git", "x/y", ""),
            ("https://u@dev.azure.com/o/p/_git/repo/path/to", "https://u@dev.azure.com/o/p/_git/repo", "path/to", ""),
            ("git@github.com:org/repo.git//x", "git@github.com:org/repo.git", "x", ""),
            ("ssh://git@host.example:22/org/repo", "ssh://git@host.example:22/org/repo", "", ""),
            ("file:///tmp/repos/a//x?ref=v1", "file:///tmp/repos/a", "x", "v1"),
            ("file:///tmp/repos/a", "file:///tmp/repos/a", "", ""),
            ("git::https://github.com/org/repo", "https://github.com/org/repo", "", ""),
            ("HTTPS://GitHub.com/org/repo", "https://github.com/org/repo", "", ""),
        ] {
            let spec = RepoSpec::parse(raw).expect(raw);
            assert_eq!((spec.clone.as_str(), spec.folder.as_str(), spec.revision.as_str()), (clone, folder, revision), "{raw}");
        }
        for path in ["../base", "base", "/abs/base", "a.yaml", "https://host", "https://host/one", "https://github.com/o/r//../x", "user/repo"] {
            assert_eq!(RepoSpec::parse(path), None, "{path}");
        }
    }

    #[test]
    fn queries_say_how() {
        let spec = |query: &str| RepoSpec::parse(&format!("https://github.com/o/r?{query}")).expect("a repository");
        assert_eq!(spec("timeout=61").timeout, Duration::from_secs(61));
        assert_eq!(spec("timeout=2m").timeout, Duration::from_mins(2));
        assert_eq!(spec("timeout=-1").timeout, TIMEOUT_DEFAULT);
        assert!(!spec("submodules=false").submodules && spec("submodules=x").submodules);
        assert_eq!(spec("ref=a%2Fb&version=c").revision, "a/b");
        assert_eq!(spec("ref=%zz").revision, "");
    }
}
