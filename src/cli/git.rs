//! Which git revision a folder was checked out at, read from `.git` without running git.
//!
//! What is checked out may have been changed since: the revision says where a source comes from, the digests of what was
//! read say what it was.

#![expect(
    clippy::disallowed_methods,
    reason = "reads what git keeps beside the sources, for the provenance statement only"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Names of branches followed from one to the next before giving up.
const LINKS_MAX: usize = 5;

/// A checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkout {
    /// The top folder.
    pub(super) root: PathBuf,
    /// The commit, in hex.
    pub(super) commit: String,
    /// `git+https://host/repository@refs/heads/main`; empty where the repository has no `origin`.
    pub(super) uri: String,
}

/// The checkout that a path lies in; nothing where there is none, or its state cannot be read.
pub(super) fn checkout(path: &Path) -> Option<Checkout> {
    let root = path.ancestors().find(|folder| folder.join(".git").exists())?;
    let git = git_folder(&root.join(".git"))?;
    // a worktree keeps its own HEAD and shares the rest
    let shared = match fs::read_to_string(git.join("commondir")) {
        Ok(text) => git.join(text.trim()),
        Err(_) => git.clone(),
    };
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let head = head.trim();
    let branch = head.strip_prefix("ref: ");
    let commit = match branch {
        Some(branch) => follow(&git, &shared, branch)?,
        None => head.to_owned(),
    };
    if !is_commit(&commit) {
        return None;
    }
    let config = fs::read_to_string(shared.join("config")).unwrap_or_default();
    let uri = origin(&config).map(|url| format!("{url}{}", branch.map(|name| format!("@{name}")).unwrap_or_default()));
    Some(Checkout { root: root.to_owned(), commit, uri: uri.unwrap_or_default() })
}

fn git_folder(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_owned());
    }
    let text = fs::read_to_string(dot_git).ok()?;
    Some(dot_git.parent()?.join(text.trim().strip_prefix("gitdir: ")?))
}

/// The commit that a branch names: in a file of its own, or packed with others.
fn follow(git: &Path, shared: &Path, branch: &str) -> Option<String> {
    let mut name = branch.to_owned();
    for _ in 0..LINKS_MAX {
        if !name.starts_with("refs/") || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return None;
        }
        let loose = [git, shared].iter().find_map(|folder| fs::read_to_string(folder.join(&name)).ok());
        let Some(text) = loose else { return packed(shared, &name) };
        match text.trim().strip_prefix("ref: ") {
            Some(next) => next.clone_into(&mut name),
            None => return Some(text.trim().to_owned()),
        }
    }
    None
}

fn packed(shared: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(shared.join("packed-refs")).ok()?;
    text.lines().find_map(|line| line.split_once(' ').filter(|(_, found)| *found == name).map(|(id, _)| id.to_owned()))
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The URL of the remote `origin` as `git+SCHEME://…`, without a user's name or password.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    let url = config.lines().map(str::trim).find_map(|line| {
        if line.starts_with('[') {
            inside = line == "[remote \"origin\"]";
        }
        let (key, value) = line.split_once('=')?;
        (inside && key.trim() == "url").then(|| value.trim().to_owned())
    })?;
    match url.split_once("://") {
        Some(("file", _)) => None,
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/')?;
            Some(format!("git+{scheme}://{}/{path}", host.rsplit_once('@').map_or(host, |(_, host)| host)))
        }
        // `user@host:path`, as ssh has it; a path on this machine is nobody else's business
        None => {
            let (host, path) = url.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            Some(format!(
                "git+ssh://{}/{}",
                host.rsplit_once('@').map_or(host, |(_, host)| host),
                path.trim_start_matches('/')
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn branches_packed_ones_detached_heads_and_worktrees_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::create_dir_all(root.join("deep/er")).expect("made");
        put(root, ".git/HEAD", "ref: refs/heads/main\n");
        put(
            root,
            ".git/config",
            "[core]\n\turl = no\n[remote \"origin\"]\n\turl = https://ann:secret@git.example/shop.git\n",
        );
        assert_eq!(checkout(&root.join("deep")), None, "no commit yet");
        put(root, ".git/packed-refs", &format!("# pack-refs\n{COMMIT} refs/heads/main\n"));
        let found = checkout(&root.join("deep/er")).expect("a checkout");
        assert_eq!((found.root.as_path(), found.commit.as_str()), (root, COMMIT));
        assert_eq!(found.uri, "git+https://git.example/shop.git@refs/heads/main");
        let other = COMMIT.replace('0', "f");
        put(root, ".git/refs/heads/main", &format!("{other}\n"));
        assert_eq!(checkout(root).expect("a checkout").commit, other);
        put(root, ".git/HEAD", &format!("{COMMIT}\n"));
        assert_eq!(checkout(root).expect("a checkout").uri, "git+https://git.example/shop.git");
        put(root, ".git/worktrees/w/HEAD", "ref: refs/heads/main\n");
        put(root, ".git/worktrees/w/commondir", "../..\n");
        put(root, "tree/.git", &format!("gitdir: {}\n", root.join(".git/worktrees/w").display()));
        assert_eq!(checkout(&root.join("tree")).expect("a checkout").commit, other);
    }

    #[test]
    fn nonsense_and_paths_out_of_the_folder_are_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        for head in ["", "ref: ", "ref: ../../x", "ref: refs/../../x", "hello"] {
            put(folder.path(), ".git/HEAD", head);
            assert_eq!(checkout(folder.path()), None, "{head}");
        }
    }

    #[test]
    fn remotes_lose_their_users() {
        let uri = |url: &str| origin(&format!("[remote \"origin\"]\nurl = {url}\n"));
        assert_eq!(uri("git@git.example:team/shop.git").as_deref(), Some("git+ssh://git.example/team/shop.git"));
        assert_eq!(uri("ssh://git@git.example:22/shop").as_deref(), Some("git+ssh://git.example:22/shop"));
        assert_eq!(uri("/srv/git/shop"), None);
        assert_eq!(uri("file:///srv/git/shop"), None);
    }
}
