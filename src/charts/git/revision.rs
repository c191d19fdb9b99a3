//! One revision of a repository on this machine, looked at path by path: nothing is checked out, and no process is started.
//!
//! A revision is what git calls one: a branch, a tag, a commit by its digits or the beginning of them, `@` for `HEAD`, with
//! `~N` and `^N` behind; and `A...B` for where two of them parted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// A folder: the names in it, sorted by bytes.
    Folder(Vec<String>),
    /// A link to what its text names.
    Link(String),
    /// Another repository, which is not looked into.
    Submodule,
}

/// A revision.
pub(crate) struct Revision {
    repository: Local,
    url: String,
    /// The commit, in hex.
    pub(crate) commit: String,
    top: Id,
    folders: Mutex<BTreeMap<Id, Arc<Vec<Row>>>>,
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
        let mut folder = self.top;
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let rows = self.rows(folder)?;
            let Some(row) = rows.iter().find(|row| row.name == part) else { return Ok(None) };
            match row.mode.as_str() {
                "40000" | "040000" => folder = row.id,
                _ if parts.peek().is_some() => return Ok(None),
                "120000" => return Ok(Some(Found::Link(String::from_utf8_lossy(&self.blob(&row.id)?).into_owned()))),
                "160000" => return Ok(Some(Found::Submodule)),
                _ => return Ok(Some(Found::File(self.blob(&row.id)?))),
            }
        }
        let mut names: Vec<String> = self.rows(folder)?.iter().map(|row| row.name.clone()).collect();
        names.sort();
        Ok(Some(Found::Folder(names)))
    }

    /// What kind of thing stands at a path, as [`Revision::look`] finds it; a file is not read.
    pub(crate) fn kind(&self, path: &str) -> Result<Option<&'static str>> {
        let (above, name) = path.trim_matches('/').rsplit_once('/').unwrap_or(("", path.trim_matches('/')));
        if name.is_empty() {
            return Ok(Some("folder"));
        }
        let mut folder = self.top;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            let rows = self.rows(folder)?;
            match rows.iter().find(|row| row.name == part && matches!(row.mode.as_str(), "40000" | "040000")) {
                Some(row) => folder = row.id,
                None => return Ok(None),
            }
        }
        let rows = self.rows(folder)?;
        Ok(rows.iter().find(|row| row.name == name).map(|row| match row.mode.as_str() {
            "40000" | "040000" => "folder",
            "120000" => "link",
            "160000" => "submodule",
            _ => "file",
        }))
    }

    fn rows(&self, id: Id) -> Result<Arc<Vec<Row>>> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let bytes = self.object(&id, Kind::Tree)?;
        let listed = rows(&bytes).ok_or_else(|| broken(&self.url, &format!("has a broken folder {id}")))?;
        let listed = Arc::new(listed);
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
