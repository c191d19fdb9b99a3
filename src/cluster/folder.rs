//! A folder as a place to bring objects into: one file an object, the paths and bytes of the artifact.
//!
//! For machines without an API server: static pods, a web server's root, a git checkout. The files carry no marks of
//! ours; who wrote what is kept beside them in `.hydrant/`: the journal of writes, the inventory's pages, and a lock that
//! keeps two syncs apart. A file's digest stands for its uid and its version. A file that somebody changed since is
//! corrected while it is in the source, and left where it is once it leaves the source.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::journal::{Journal, replace};
use super::{
    Answer, Applied, Claim, Cluster, Deleted, Fault, FaultKind, Key, Live, Owner, Page, Resource, Scope, Seen,
};
use crate::diag::{Diagnostic, Result};
use crate::manifest::{Object, ObjectId};

/// Our own folder inside the folder.
const OWN: &str = ".hydrant";

/// How the artifact lays objects out; handed in by who knows it.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// The path of an object's file below the folder, `/`-separated.
    pub(crate) path_of: fn(&ObjectId) -> String,
    /// The text of an object's file.
    pub(crate) text_of: fn(&Object) -> String,
}

/// A folder that is locked for this process.
pub(crate) struct Folder {
    root: PathBuf,
    layout: Layout,
    journal: Mutex<Journal>,
    /// Held as long as this lives; the system lets it go when the process ends, however it ends.
    _lock: Option<File>,
}

impl Folder {
    /// Opens a folder, making it where it is missing. With `dry_run` nothing is made, nor locked.
    pub(crate) fn open(root: &Path, layout: Layout, dry_run: bool) -> Result<Folder> {
        let failed = |error: &dyn std::fmt::Display| {
            Box::new(Diagnostic::unreachable("folder", format!("cannot sync to `{}`: {error}", root.display())))
        };
        let own = root.join(OWN);
        let lock = if dry_run { None } else { Some(lock(&own).map_err(|error| failed(&error))?) };
        let digest_now = |key: &Key| Ok(read(&file_path(root, layout, key))?.map(|bytes| digest(&bytes)));
        let journal = Journal::open(&own.join("marks"), dry_run, digest_now).map_err(|error| failed(&error))?;
        Ok(Folder { root: root.to_owned(), layout, journal: Mutex::new(journal), _lock: lock })
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().expect("no holder panics")
    }

    /// The path of an object's file, with its folder made; refused where a link would lead out of the root.
    fn place(&self, key: &Key) -> Answer<PathBuf> {
        let path = file_path(&self.root, self.layout, key);
        let below = path.strip_prefix(&self.root).map_err(|_| stray(&path))?;
        if !below.components().all(|part| matches!(part, std::path::Component::Normal(_))) || below.starts_with(OWN) {
            return Err(stray(&path));
        }
        let folder = path.parent().unwrap_or(&self.root);
        for part in folder.ancestors().take_while(|part| *part != self.root) {
            if part.is_symlink() {
                return Err(stray(part));
            }
        }
        Ok(path)
    }

    fn look(&self, key: &Key) -> Answer<Option<Live>> {
        let path = self.place(key)?;
        if path.is_symlink() {
            return Err(stray(&path));
        }
        let Some(bytes) = read(&path).map_err(|error| broken(&path, &error))? else { return Ok(None) };
        let now = digest(&bytes);
        let journal = self.journal();
        let mark = journal.mark(key);
        let claim = match mark {
            None => Claim::Nobody,
            Some(mark) => Claim::Inventory { identity: mark.identity.clone(), set: set_of(&mark.identity) },
        };
        let untouched = mark.is_some_and(|mark| mark.digests.contains(&now));
        let seen = Seen { uid: now.clone(), version: now };
        let (namespace, name) = (key.namespace.clone(), key.name.clone());
        Ok(Some(Live {
            namespace,
            name,
            seen,
            claim,
            deleting: false,
            detach: !untouched,
            implicit: false,
            print: 0,
            body: Value::Null,
        }))
    }

    /// Fails unless the file still has the digest that was seen.
    fn check(&self, key: &Key, seen: Option<&Seen>) -> Answer<()> {
        let now = self.look(key)?.map(|live| live.seen);
        if now.as_ref() == seen {
            Ok(())
        } else {
            Err(Fault::new(FaultKind::Raced, "somebody wrote the file at the same time"))
        }
    }

    fn page_path(&self, owner: &Owner, number: u32) -> PathBuf {
        self.root.join(OWN).join(format!("inventory.{}.{number}.json", owner.identity()))
    }
}

/// Locks our own folder, making it where it is missing.
fn lock(own: &Path) -> io::Result<File> {
    fs::create_dir_all(own)?;
    let lock = File::options().write(true).create(true).truncate(false).open(own.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(io::Error::new(io::ErrorKind::WouldBlock, "another sync is writing to it"))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The ApplySet's id of an identity as the journal has it.
fn set_of(identity: &str) -> String {
    identity
        .split_once('_')
        .and_then(|(namespace, name)| Owner::new(namespace, name).ok())
        .map(|owner| owner.set_id())
        .unwrap_or_default()
}

fn file_path(root: &Path, layout: Layout, key: &Key) -> PathBuf {
    let id = ObjectId {
        group: key.group.clone(),
        version: String::new().into(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    };
    root.join((layout.path_of)(&id))
}

fn stray(path: &Path) -> Fault {
    Fault::new(FaultKind::Rejected, format!("`{}` leads out of the folder", path.display()))
}

fn broken(path: &Path, error: &io::Error) -> Fault {
    Fault::new(FaultKind::Unreachable, format!("`{}`: {error}", path.display()))
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// A file's bytes; nothing if it is not there.
#[expect(clippy::disallowed_methods, reason = "the folder target is a store of its own, no render input")]
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Cluster for Folder {
    fn has_namespaces(&self) -> bool {
        false
    }

    async fn resource(&self, group: &str, version: Option<&str>, kind: &str) -> Answer<Option<Resource>> {
        Ok(Some(Resource {
            group: group.into(),
            version: version.unwrap_or_default().into(),
            kind: kind.into(),
            plural: kind.into(),
            scope: Scope::AsWritten,
        }))
    }

    async fn is_gone(&self, _group: &str, _kind: &str) -> Answer<bool> {
        Ok(false)
    }

    async fn forget_kinds(&self) {}

    async fn get(&self, _resource: &Resource, key: &Key) -> Answer<Option<Live>> {
        self.look(key)
    }

    async fn owned(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        owner: &Owner,
        visit: &mut (dyn FnMut(Live) + Send),
    ) -> Answer<()> {
        let identity = owner.identity();
        let ours = |key: &Key| {
            key.group == resource.group
                && key.kind == resource.kind
                && namespace.is_none_or(|name| name == key.namespace)
        };
        let keys: Vec<Key> = self
            .journal()
            .iter()
            .filter(|(key, mark)| mark.identity == identity && ours(key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            if let Some(live) = self.look(&key)? {
                visit(live);
            }
        }
        Ok(())
    }

    async fn standing(&self, _resource: &Resource, _namespace: &str, keys: &[Key]) -> Answer<Vec<Key>> {
        Ok(keys.to_vec())
    }

    fn is_current(&self, _resource: &Resource, object: &Object, _owner: &Owner, live: &Live) -> bool {
        digest((self.layout.text_of)(object).as_bytes()) == live.seen.version
    }

    async fn apply(
        &self,
        _resource: &Resource,
        key: &Key,
        object: &Object,
        owner: &Owner,
        seen: Option<&Seen>,
        dry_run: bool,
    ) -> Answer<Applied> {
        let path = self.place(key)?;
        let text = (self.layout.text_of)(object);
        let now = digest(text.as_bytes());
        self.check(key, seen)?;
        if !dry_run {
            let failed = |error: io::Error| broken(&path, &error);
            self.journal().announce(key, &owner.identity(), &now).map_err(failed)?;
            fs::create_dir_all(path.parent().unwrap_or(&self.root)).map_err(failed)?;
            replace(&path, text.as_bytes()).map_err(failed)?;
        }
        Ok(Applied { uid: now.clone(), version: now, print: 0, body: Value::Null })
    }

    async fn create_namespace(&self, _name: &str) -> Answer<bool> {
        Ok(false)
    }

    async fn delete(&self, _resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<Deleted> {
        self.check(key, Some(seen))?;
        if dry_run {
            return Ok(Deleted::Gone);
        }
        let path = self.place(key)?;
        fs::remove_file(&path).map_err(|error| broken(&path, &error))?;
        self.journal().withdraw(key).map_err(|error| broken(&path, &error))?;
        if let Some(folder) = path.parent().filter(|folder| *folder != self.root) {
            // it goes once it is empty, and stays otherwise
            let _ = fs::remove_dir(folder);
        }
        Ok(Deleted::Gone)
    }

    async fn has_instances(&self, _definition: &Key) -> Answer<bool> {
        Ok(false)
    }

    async fn release(&self, _resource: &Resource, key: &Key, seen: &Seen, dry_run: bool) -> Answer<()> {
        self.check(key, Some(seen))?;
        if dry_run {
            return Ok(());
        }
        self.journal().withdraw(key).map_err(|error| broken(&self.root, &error))
    }

    async fn pages(&self, owner: &Owner) -> Answer<Vec<Page>> {
        let mut pages = Vec::new();
        for number in 0.. {
            let path = self.page_path(owner, number);
            let Some(bytes) = read(&path).map_err(|error| broken(&path, &error))? else { break };
            let damaged =
                |_| Fault::new(FaultKind::Unreachable, format!("the inventory `{}` is damaged", path.display()));
            let value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
            let now = digest(&bytes);
            pages.push(decode(number, &value, Seen { uid: now.clone(), version: now }));
        }
        Ok(pages)
    }

    async fn write_page(&self, owner: &Owner, page: &Page) -> Answer<Seen> {
        let path = self.page_path(owner, page.number);
        let text = encode(page);
        replace(&path, text.as_bytes()).map_err(|error| broken(&path, &error))?;
        let now = digest(text.as_bytes());
        Ok(Seen { uid: now.clone(), version: now })
    }

    async fn delete_page(&self, owner: &Owner, page: &Page) -> Answer<()> {
        let path = self.page_path(owner, page.number);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(broken(&path, &error)),
            _ => Ok(()),
        }
    }
}

/// One member a line, so that people can read and compare inventories.
fn encode(page: &Page) -> String {
    let member = |key: &Key| {
        json!([key.group.as_str(), key.kind.as_str(), key.namespace.as_str(), key.name.as_str()]).to_string()
    };
    let members: Vec<String> = page.members.iter().map(member).collect();
    format!("{{\"source\":{},\"members\":[\n{}\n]}}\n", json!(page.source), members.join(",\n"))
}

fn decode(number: u32, value: &Value, stored: Seen) -> Page {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let member = |item: &Value| Key::new(&text(&item[0]), &text(&item[1]), &text(&item[2]), &text(&item[3]));
    let members = value["members"].as_array().into_iter().flatten().map(member).collect();
    Page { number, stored: Some(stored), source: text(&value["source"]), epoch: 0, members }
}
