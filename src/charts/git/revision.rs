//! One revision of a repository on this machine, looked at path by path: nothing is checked out, and no process is started.
//!
//! A revision is what git calls one: a branch, a tag, a commit by its digits or the beginning of them, `@` for `HEAD`, with
//! `~N` and `^N` behind; and `A...B` for where two of them parted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::local::Local;
use super::object::{Id, Kind, Objects as _, Row, header, rows};
use super::{broken, no_revision};
use crate::diag::{Diagnostic, Result};

/// Most commits that are looked at to find where two revisions parted.
const COMMITS_MAX: usize = 200_000;
/// Most steps back that a revision may ask for.
const STEPS_BACK_MAX: usize = 100_000;
/// How many tags may point at one another.
const TAGS_MAX: usize = 16;
/// Fewest digits that name a commit.
const DIGITS_MIN: usize = 4;

/// What stands at a path of a revision.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A file.
    File(Arc<[u8]>),
    /// A folder: the names in it and what kind of thing each is, sorted by bytes.
    Folder(Vec<(String, &'static str)>),
    /// A link to what its text names.
    Link(String),
    /// Another repository, which is not looked into.
    Submodule,
}

/// What kind of thing stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Nothing.
    Nothing,
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Another repository.
    Submodule,
    /// A link, or a step on the way is one.
    Link,
}

/// A revision.
pub(crate) struct Revision {
    repository: Local,
    url: String,
    /// The commit, in hex.
    pub(crate) commit: String,
    top: Id,
    folders: Mutex<FxHashMap<Id, Arc<Folder>>>,
}

/// The rows of a folder by name.
type Folder = BTreeMap<String, Row>;

/// Where a path ends that is followed without links.
enum End {
    /// At nothing.
    Nowhere,
    /// At a folder.
    Folder(Id),
    /// At anything else.
    Row(Row),
    /// At a link, with more of the path behind it.
    Link,
}

impl Revision {
    /// The revision of that name of the repository in `folder`. Fails with codes `git-*`.
    pub(crate) fn open(folder: &str, name: &str) -> Result<Revision> {
        let repository = Local::open(folder)?;
        let url = format!("file://{folder}");
        let commits = Commits { repository: &repository, url: &url };
        let id = match name.split_once("...") {
            Some((one, other)) => commits.parting(commits.named(one)?, commits.named(other)?)?,
            None => commits.named(name)?,
        };
        let (_, bytes) = commits.get(&id)?;
        let top = header(&bytes, "tree").ok_or_else(|| broken(&url, "has a broken commit"))?;
        let commit = id.to_string();
        Ok(Revision { repository, url, commit, top, folders: Mutex::default() })
    }

    /// What stands at a path, which has no `.` and no `..`; empty for the top. Links are not followed.
    pub(crate) fn look(&self, path: &str) -> Result<Option<Found>> {
        Ok(match self.end(path)? {
            End::Nowhere | End::Link => None,
            End::Folder(id) => {
                Some(Found::Folder(self.folder(id)?.values().map(|row| (row.name.clone(), kind(row))).collect()))
            }
            End::Row(row) => Some(match kind(&row) {
                "link" => Found::Link(String::from_utf8_lossy(&self.blob(&row.id)?).into_owned()),
                "submodule" => Found::Submodule,
                _ => Found::File(self.blob(&row.id)?),
            }),
        })
    }

    /// What kind of thing stands at a path; a file is not read, and no link followed.
    pub(crate) fn stand(&self, path: &str) -> Result<Stand> {
        Ok(match self.end(path)? {
            End::Nowhere => Stand::Nothing,
            End::Folder(_) => Stand::Folder,
            End::Link => Stand::Link,
            End::Row(row) => match kind(&row) {
                "link" => Stand::Link,
                "submodule" => Stand::Submodule,
                _ => Stand::File,
            },
        })
    }

    fn end(&self, path: &str) -> Result<End> {
        let mut folder = self.top;
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let rows = self.folder(folder)?;
            let Some(row) = rows.get(part) else { return Ok(End::Nowhere) };
            match kind(row) {
                "folder" => folder = row.id,
                "link" if parts.peek().is_some() => return Ok(End::Link),
                _ if parts.peek().is_some() => return Ok(End::Nowhere),
                _ => return Ok(End::Row(row.clone())),
            }
        }
        Ok(End::Folder(folder))
    }

    /// The files that have other bytes in another revision of the same repository; nothing where anything came, went or became
    /// another kind of thing.
    pub(crate) fn changed(&self, other: &Revision) -> Result<Option<BTreeSet<String>>> {
        if self.url != other.url {
            return Ok(None);
        }
        let mut changed = BTreeSet::new();
        let mut waiting = vec![(String::new(), self.top, other.top)];
        while let Some((path, one, two)) = waiting.pop() {
            if one == two {
                continue;
            }
            let (one, two) = (self.folder(one)?, other.folder(two)?);
            if one.len() != two.len() {
                return Ok(None);
            }
            for (one, two) in one.values().zip(two.values()) {
                if one.name != two.name || kind(one) != kind(two) {
                    return Ok(None);
                }
                if one.id == two.id {
                    continue;
                }
                let path = if path.is_empty() { one.name.clone() } else { format!("{path}/{}", one.name) };
                match kind(one) {
                    "folder" => waiting.push((path, one.id, two.id)),
                    "file" => drop(changed.insert(path)),
                    _ => return Ok(None),
                }
            }
        }
        Ok(Some(changed))
    }

    fn folder(&self, id: Id) -> Result<Arc<Folder>> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let bytes = self.object(&id, Kind::Tree)?;
        let listed = rows(&bytes).ok_or_else(|| broken(&self.url, &format!("has a broken folder {id}")))?;
        let listed = Arc::new(listed.into_iter().map(|row| (row.name.clone(), row)).collect::<Folder>());
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(id, listed.clone());
        Ok(listed)
    }

    fn blob(&self, id: &Id) -> Result<Arc<[u8]>> {
        self.object(id, Kind::Blob)
    }

    fn object(&self, id: &Id, kind: Kind) -> Result<Arc<[u8]>> {
        match self.repository.get(id)? {
            Some((found, bytes)) if found == kind => Ok(bytes),
            _ => Err(broken(&self.url, &format!("lacks the {} {id}, which a partial clone leaves out", kind.word()))),
        }
    }
}

/// What a row is.
fn kind(row: &Row) -> &'static str {
    match row.mode.as_str() {
        "40000" | "040000" => "folder",
        "120000" => "link",
        "160000" => "submodule",
        _ => "file",
    }
}

/// The commits of a repository.
struct Commits<'r> {
    repository: &'r Local,
    url: &'r str,
}

impl Commits<'_> {
    /// The commit that a name with its `~N` and `^N` means.
    fn named(&self, name: &str) -> Result<Id> {
        let end = name.find(['~', '^']).unwrap_or(name.len());
        let (base, mut steps) = name.split_at(end);
        if base.contains("@{") || base.contains(':') {
            let text = format!("`{name}` is a form of revision that is not read");
            return Err(Box::new(Diagnostic::input("git-revision", text).hint("name a branch, a tag or a commit")));
        }
        let base = if base == "@" { "HEAD" } else { base };
        let mut id = self.commit(self.base(base)?, name)?;
        while !steps.is_empty() {
            let (sign, rest) = steps.split_at(1);
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count = if digits == 0 { 1 } else { rest[..digits].parse().unwrap_or(usize::MAX) };
            if count > STEPS_BACK_MAX || !["~", "^"].contains(&sign) {
                return Err(no_revision(self.url, name));
            }
            let (which, times) = if sign == "^" { (count, usize::from(count > 0)) } else { (1, count) };
            for _ in 0..times {
                let parents = self.parents(&id)?;
                id = *parents.get(which - 1).ok_or_else(|| no_revision(self.url, name))?;
            }
            steps = &rest[digits..];
        }
        Ok(id)
    }

    fn base(&self, name: &str) -> Result<Id> {
        let fault = match self.repository.resolve(name) {
            Ok(id) => return Ok(id),
            Err(fault) => fault,
        };
        let digits = name.to_ascii_lowercase();
        if !(DIGITS_MIN..40).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault);
        }
        match &self.repository.begun(&digits)?[..] {
            [id] => Ok(*id),
            [] => Err(fault),
            _ => {
                let text = format!("more than one object of `{}` begins with `{name}`", self.url);
                Err(Box::new(Diagnostic::input("git-revision", text).hint("give more digits")))
            }
        }
    }

    /// The commit behind tags.
    fn commit(&self, mut id: Id, name: &str) -> Result<Id> {
        for _ in 0..TAGS_MAX {
            match self.get(&id)? {
                (Kind::Commit, _) => return Ok(id),
                (Kind::Tag, bytes) => {
                    id = header(&bytes, "object").ok_or_else(|| broken(self.url, "has a broken tag"))?;
                }
                _ => break,
            }
        }
        Err(no_revision(self.url, name))
    }

    fn get(&self, id: &Id) -> Result<(Kind, Arc<[u8]>)> {
        self.repository
            .get(id)?
            .ok_or_else(|| broken(self.url, &format!("lacks the object {id}, which a shallow clone leaves out")))
    }

    fn parents(&self, id: &Id) -> Result<Vec<Id>> {
        let (_, bytes) = self.get(id)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().take_while(|line| !line.is_empty());
        Ok(lines.filter_map(|line| Id::parse(line.strip_prefix("parent ")?)).collect())
    }

    /// The newest commit that both have behind them, as `git merge-base` finds it where there is one best.
    fn parting(&self, one: Id, other: Id) -> Result<Id> {
        let behind = self.behind(one)?;
        let mut waiting = VecDeque::from([other]);
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop_front() {
            if behind.contains(&id) {
                return Ok(id);
            }
            if seen.insert(id) && seen.len() <= COMMITS_MAX {
                waiting.extend(self.parents(&id)?);
            }
        }
        let text = format!("the two revisions have no commit in common in `{}`", self.url);
        Err(Box::new(Diagnostic::input("git-revision", text).hint("fetch the whole history, or name one revision")))
    }

    /// The commit itself and all before it, as far as they are here.
    fn behind(&self, id: Id) -> Result<BTreeSet<Id>> {
        let mut waiting = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.len() <= COMMITS_MAX && seen.insert(id) && self.repository.get(&id)?.is_some() {
                waiting.extend(self.parents(&id)?);
            }
        }
        Ok(seen)
    }
}
