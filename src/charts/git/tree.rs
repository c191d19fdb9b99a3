//! A commit's tree as files, with submodules grafted in, and its own bytes in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::broken;
use super::object::{Id, Kind, Objects, header, rows};
use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;

/// How deep folders may nest.
const FOLDER_DEPTH_MAX: usize = 128;
/// How many tags may point at one another.
const TAGS_MAX: usize = 16;
/// What a stored tree begins with.
const HEADER: &str = "hydrant git tree 1\n";

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A file.
    File(Arc<[u8]>),
    /// A link to what its text names.
    Link(String),
}

/// The files of one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GitTree {
    /// The commit, in hex.
    pub(crate) commit: String,
    /// Files and links by path.
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Commits of submodules by path.
    links: BTreeMap<String, String>,
}

/// A submodule that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Submodule {
    /// Its path in the outermost repository.
    pub(super) path: String,
    /// Its URL.
    pub(super) url: String,
    /// Its commit.
    pub(super) commit: String,
    /// How many repositories are around it.
    pub(super) depth: usize,
}

/// The files of the commit that an id names, tags followed. `url` is for faults.
pub(super) fn checkout(objects: &dyn Objects, mut id: Id, url: &str) -> Result<(String, GitTree)> {
    let lacks = |id: &Id| broken(url, &format!("lacks the object {id}"));
    for _ in 0..TAGS_MAX {
        let (kind, bytes) = objects.get(&id)?.ok_or_else(|| lacks(&id))?;
        match kind {
            Kind::Tag => id = header(&bytes, "object").ok_or_else(|| broken(url, "has a broken tag"))?,
            Kind::Commit => {
                let tree = header(&bytes, "tree").ok_or_else(|| broken(url, "has a broken commit"))?;
                let mut files = GitTree::default();
                walk(objects, tree, "", 0, url, &mut files)?;
                return Ok((id.to_string(), files));
            }
            _ => break,
        }
    }
    Err(broken(url, &format!("has no commit at {id}")))
}

fn walk(objects: &dyn Objects, id: Id, folder: &str, depth: usize, url: &str, files: &mut GitTree) -> Result<()> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(broken(url, &format!("nests folders deeper than {FOLDER_DEPTH_MAX}")));
    }
    let get = |id: &Id, kind: Kind| match objects.get(id)? {
        Some((found, bytes)) if found == kind => Ok(bytes),
        _ => Err(broken(url, &format!("lacks the {} {id}", kind.word()))),
    };
    let listed = rows(&get(&id, Kind::Tree)?).ok_or_else(|| broken(url, &format!("has a broken folder {id}")))?;
    for row in listed {
        let path = if folder.is_empty() { row.name } else { format!("{folder}/{}", row.name) };
        match row.mode.as_str() {
            "40000" | "040000" => walk(objects, row.id, &path, depth + 1, url, files)?,
            "120000" => {
                let target = String::from_utf8_lossy(&get(&row.id, Kind::Blob)?).into_owned();
                files.nodes.insert(path, Node::Link(target));
            }
            "160000" => drop(files.links.insert(path, row.id.to_string())),
            _ => drop(files.nodes.insert(path, Node::File(get(&row.id, Kind::Blob)?))),
        }
    }
    Ok(())
}

impl GitTree {
    /// The submodules that `.gitmodules` lists and the tree holds; the tree itself is at `above` in the outermost one.
    pub(super) fn submodules(&self, above: &str, url: &str, depth: usize) -> Result<Vec<Submodule>> {
        let mut found = Vec::new();
        let Some(Node::File(text)) = self.nodes.get(".gitmodules") else { return Ok(found) };
        let (mut path, mut address): (Option<String>, Option<String>) = (None, None);
        let text = String::from_utf8_lossy(text);
        for line in text.lines().chain(["["]) {
            let line = line.trim();
            if line.starts_with('[') {
                if let (Some(path), Some(address)) = (path.take(), address.take())
                    && let Some(commit) = self.links.get(&path)
                {
                    let url = absolute(url, &address)?;
                    let path = if above.is_empty() { path } else { format!("{above}/{path}") };
                    found.push(Submodule { path, url, commit: commit.clone(), depth: depth + 1 });
                }
            } else if let Some((key, value)) = line.split_once('=') {
                let value = value.trim().trim_matches('"').to_owned();
                match key.trim() {
                    "path" => path = Some(value),
                    "url" => address = Some(value),
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    /// Puts the files of a submodule at its path.
    pub(super) fn graft(&mut self, path: &str, below: GitTree) {
        self.nodes.extend(below.nodes.into_iter().map(|(name, node)| (format!("{path}/{name}"), node)));
    }

    /// The digest of all files, over SHA-256.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.write())
    }

    /// The bytes that are stored and digested: the same for the same files of the same commit.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = format!("{HEADER}{}\n", self.commit).into_bytes();
        for (path, node) in &self.nodes {
            let (word, bytes) = match node {
                Node::File(bytes) => ("file", &bytes[..]),
                Node::Link(target) => ("link", target.as_bytes()),
            };
            out.extend_from_slice(format!("{word} {} {path}\0", bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Reads what [`GitTree::write`] made; nothing if it is something else.
    pub(crate) fn read(bytes: &[u8]) -> Option<GitTree> {
        let rest = bytes.strip_prefix(HEADER.as_bytes())?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let mut tree = GitTree { commit: std::str::from_utf8(&rest[..end]).ok()?.to_owned(), ..GitTree::default() };
        let mut rest = &rest[end + 1..];
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let mut words = std::str::from_utf8(&rest[..end]).ok()?.splitn(3, ' ');
            let (word, length, path) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
            let (data, after) = rest[end + 1..].split_at_checked(length)?;
            let node = if word == "link" {
                Node::Link(String::from_utf8(data.to_vec()).ok()?)
            } else {
                Node::File(data.into())
            };
            tree.nodes.insert(path.to_owned(), node);
            rest = after;
        }
        Some(tree)
    }
}

/// A submodule's URL, which may be written as seen from its parent's.
fn absolute(parent: &str, address: &str) -> Result<String> {
    if !address.starts_with("./") && !address.starts_with("../") {
        return Ok(address.to_owned());
    }
    let (mut base, mut rest) = (parent.trim_end_matches('/'), address);
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            let Some((above, _)) =
                base.rsplit_once('/').filter(|(above, _)| !above.ends_with('/') && !above.ends_with(':'))
            else {
                let text = format!("the submodule URL `{address}` leads out of `{parent}`");
                return Err(Box::new(Diagnostic::input("git-submodule-url", text)));
            };
            (base, rest) = (above, after);
        } else {
            return Ok(format!("{base}/{rest}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_stored_and_read_back() {
        let mut tree = GitTree { commit: "c0ffee".into(), ..GitTree::default() };
        tree.nodes.insert("a b/c.yaml".into(), Node::File(Arc::from(&b"x: \0\n"[..])));
        tree.nodes.insert("l".into(), Node::Link("a b".into()));
        assert_eq!(GitTree::read(&tree.write()), Some(tree));
        assert_eq!(GitTree::read(b"hydrant git tree 1\nx\nfile 9 a\0b"), None);
    }

    #[test]
    fn submodule_urls_are_seen_from_their_parent() {
        assert_eq!(absolute("https://h/org/repo.git", "../lib.git").expect("a URL"), "https://h/org/lib.git");
        assert_eq!(absolute("https://h/org/repo", "./lib").expect("a URL"), "https://h/org/repo/lib");
        assert_eq!(absolute("https://h/repo", "https://g/x").expect("a URL"), "https://g/x");
        assert!(absolute("https://h/a", "../../../x").is_err());
    }
}
