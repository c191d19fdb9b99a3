//! What a render takes from elsewhere: rendered, listed what is lacking, fetched, rendered again; and `hydrant.lock`.
//!
//! A render that lacks nothing is rendered once, and nothing here costs it anything. What is fetched is laid over the
//! disk in memory: a chart where kustomize would have unpacked it, a repository under a root of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::archive;
use crate::charts::{BasePin, ChartPin, FilePin, GitTree, GitWanted, LOCK_FILE, Node, Pins, Wanted};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::kustomize::{self, Brought, Need, RepoSpec};
use crate::render::Options;
use crate::source::{self, Disk, EntryKind, Memory, Overlay, Source};

use super::chart_flags::{ServerFlags, Servers};
use super::connection::wait;
use super::store;
use super::terminal::Terminal;

/// How often a render may find that it lacks something more: bases in bases in bases.
const ROUNDS_MAX: usize = 32;
/// What is fetched at once.
const TOGETHER_MAX: usize = 8;
/// How many links in a repository may point at one another.
const LINKS_MAX: usize = 8;

/// Flags of commands that render what may take charts and bases from elsewhere.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct FetchFlags {
    /// Ask no server for charts and bases: take what is in the cache, or fail
    #[arg(long)]
    pub(super) offline: bool,
    /// Fail if hydrant.lock would change
    #[arg(long)]
    pub(super) locked: bool,
    /// Fingerprint of the seed key in use; empty for none
    #[arg(skip)]
    pub(super) seed: String,
}

/// A source that is a git repository itself, brought; nothing for any other argument.
pub(super) struct Remote {
    /// Its files.
    files: Memory,
    /// The folder in it to render.
    pub(super) root: String,
    /// Its top folder, and the URL that named it.
    pub(super) repository: (String, String),
}

/// Brings what a source argument names, if that is a folder in a git repository.
pub(super) fn remote(argument: &str, flags: &FetchFlags, terminal: &Terminal) -> Result<Option<Remote>> {
    let Some(spec) = RepoSpec::parse(argument).filter(|_| Disk.kind(&source::clean(argument)).is_none()) else {
        return Ok(None);
    };
    let mut bringer = Bringer::new(flags, Memory::new(), None);
    let places = bringer.bring(&[Need::Repository(spec.clone())], terminal)?;
    let Some(Brought::Repository(top)) = places.into_iter().next() else { return Ok(None) };
    let root = source::join(&top, &spec.folder);
    Ok(Some(Remote { files: bringer.over, root, repository: (top, spec.raw) }))
}

/// Renders what stands at `root`, and brings what it lacks from elsewhere as its lock says, or anew.
pub(super) fn settle<T>(
    root: &str,
    options: &Options,
    flags: &FetchFlags,
    terminal: &Terminal,
    render: impl FnMut(&dyn Source, &Options) -> Result<T>,
) -> Result<T> {
    settle_over((&Disk, Memory::new()), root, options, flags, terminal, render)
}

/// As [`settle`], from a source that is not to be changed: a lock in it counts, and is not renewed.
pub(super) fn settle_in<T>(
    under: &dyn Source,
    root: &str,
    options: &Options,
    flags: &FetchFlags,
    terminal: &Terminal,
    render: impl FnMut(&dyn Source, &Options) -> Result<T>,
) -> Result<T> {
    settle_lasting((under, Memory::new(), false), root, options, flags, terminal, render)
}

/// As [`settle`], of a source that was itself brought.
pub(super) fn settle_remote<T>(
    remote: Remote,
    options: &Options,
    flags: &FetchFlags,
    terminal: &Terminal,
    render: impl FnMut(&dyn Source, &Options) -> Result<T>,
) -> Result<T> {
    settle_over((&Disk, remote.files), &remote.root, options, flags, terminal, render)
}

fn settle_over<T>(
    (under, over): (&dyn Source, Memory),
    root: &str,
    options: &Options,
    flags: &FetchFlags,
    terminal: &Terminal,
    render: impl FnMut(&dyn Source, &Options) -> Result<T>,
) -> Result<T> {
    settle_lasting((under, over, true), root, options, flags, terminal, render)
}

/// `lasting` says whether a lock may be written.
fn settle_lasting<T>(
    (under, over, lasting): (&dyn Source, Memory, bool),
    root: &str,
    options: &Options,
    flags: &FetchFlags,
    terminal: &Terminal,
    mut render: impl FnMut(&dyn Source, &Options) -> Result<T>,
) -> Result<T> {
    let nothing = over == Memory::new();
    let mut options = options.clone();
    let lock = Lock::beside(under, root)?;
    if let Some(lock) = &lock
        && options.kustomize.helm.kube_version.is_empty()
    {
        options.kustomize.helm.kube_version = lock.pins.kube_version.as_str().into();
    }
    let mut bringer = Bringer::new(flags, over, lock.as_ref().map(|lock| &lock.pins));
    for round in 0..ROUNDS_MAX {
        let overlay = Overlay::new(under, &bringer.over);
        let source: &dyn Source = if round == 0 && nothing { under } else { &overlay };
        let fault = match render(source, &options) {
            Ok(rendered) => {
                let pins = Pins {
                    profile: options.profile.to_string(),
                    kube_version: options.kustomize.helm.kube_version.to_string(),
                    ..bringer.used
                };
                if lasting || flags.locked {
                    finish(lock.as_ref(), root, pins, flags, terminal)?;
                }
                return Ok(rendered);
            }
            Err(fault) => fault,
        };
        let remotes = &options.kustomize.remotes;
        let mut missing = remotes.take_missing();
        if missing.is_empty() {
            return Err(fault);
        }
        kustomize::needs(source, root, &options.kustomize);
        missing.extend(remotes.take_missing());
        missing.sort();
        missing.dedup();
        if flags.locked {
            refuse_unlocked(lock.as_ref(), root, &missing)?;
        }
        let brought = bringer.bring(&missing, terminal)?;
        for (need, place) in missing.into_iter().zip(brought) {
            options.kustomize.remotes.put(need, place);
        }
    }
    let text =
        format!("`{root}` takes bases from elsewhere that take bases from elsewhere, more than {ROUNDS_MAX} deep");
    Err(Box::new(Diagnostic::input("remote-depth", text)))
}

/// Refuses what a lock does not pin, before anybody is asked for it.
fn refuse_unlocked(lock: Option<&Lock>, root: &str, missing: &[Need]) -> Result<()> {
    let Some(lock) = lock else { return Err(no_lock(root)) };
    let unlocked: Vec<String> = missing.iter().filter_map(|need| unlocked(&lock.pins, need)).collect();
    if unlocked.is_empty() { Ok(()) } else { Err(stale(&lock.path, unlocked)) }
}

/// A line that names what is needed, if it is not pinned.
fn unlocked(pins: &Pins, need: &Need) -> Option<String> {
    let base = |spec: &RepoSpec| pins.bases.contains_key(&(spec.clone.clone(), spec.revision.clone()));
    let (pinned, name) = match need {
        Need::Chart { repository, name, version, .. } => (
            pins.charts.contains_key(&(repository.clone(), name.clone(), version.clone())),
            format!("chart `{name}` {version} of `{repository}`"),
        ),
        Need::File(url) => (pins.files.contains_key(url), format!("file `{url}`")),
        Need::Repository(spec) => (base(spec), format!("base `{}` {}", spec.clone, spec.revision)),
        Need::FileOrRepository(url, spec) => (pins.files.contains_key(url) || base(spec), format!("`{url}`")),
    };
    (!pinned).then(|| format!("{name} is not locked"))
}

fn no_lock(root: &str) -> Box<Diagnostic> {
    let text = format!("there is no `{LOCK_FILE}` in `{root}`, and `--locked` wants one");
    Box::new(Diagnostic::input("lock-missing", text).hint(format!("make it with `hydrant deps update {root}`")))
}

fn stale(path: &str, differences: Vec<String>) -> Box<Diagnostic> {
    let mut fault = Diagnostic::input("lock-stale", format!("`{path}` would change, and `--locked` forbids it"));
    for line in differences {
        fault = fault.trail(line, None);
    }
    Box::new(fault.hint("renew it with `hydrant deps update`, and look at what changed"))
}

/// The lock that stands beside a source.
struct Lock {
    path: String,
    text: String,
    pins: Pins,
}

impl Lock {
    fn beside(source: &dyn Source, root: &str) -> Result<Option<Lock>> {
        let path = format!("{}/{LOCK_FILE}", root.trim_end_matches('/'));
        if source.kind(&path) != Some(EntryKind::File) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&source.read(&path)?).into_owned();
        let pins = Pins::parse(&SourceText::new(path.as_str(), text.as_str()))?;
        Ok(Some(Lock { path, text, pins }))
    }
}

/// The profile that a lock beside a source is for, if there is one.
pub(super) fn locked_profile(root: &str) -> Result<Option<String>> {
    Ok(Lock::beside(&Disk, root)?.map(|lock| lock.pins.profile).filter(|profile| !profile.is_empty()))
}

/// Writes a lock anew where it was renewed, or says that it would change.
fn finish(lock: Option<&Lock>, root: &str, pins: Pins, flags: &FetchFlags, terminal: &Terminal) -> Result<()> {
    let Some(lock) = lock else {
        if flags.locked && !pins.is_empty() {
            return Err(no_lock(root));
        }
        return Ok(());
    };
    // a render without a key says nothing about the key
    let seed = if flags.seed.is_empty() { &lock.pins.seed } else { &flags.seed };
    let pins = Pins { seed: seed.clone(), ..pins };
    if pins == lock.pins {
        return Ok(());
    }
    let differences = lock.pins.differences(&pins);
    if flags.locked {
        return Err(stale(&lock.path, differences));
    }
    for line in differences {
        terminal.note(format_args!("{LOCK_FILE}: {line}"));
    }
    let text = pins.print();
    if text == lock.text { Ok(()) } else { store::write_file(Path::new(&lock.path), text.as_bytes()) }
}

/// Renews the lock beside a source: everything is found anew. Gives what it came to.
pub(super) fn relock(
    root: &str,
    options: &Options,
    offline: bool,
    terminal: &Terminal,
    mut render: impl FnMut(&dyn Source, &Options) -> Result<()>,
) -> Result<Pins> {
    let old = Lock::beside(&Disk, root)?;
    let path = format!("{}/{LOCK_FILE}", root.trim_end_matches('/'));
    let seed = old.as_ref().map(|lock| lock.pins.seed.clone()).unwrap_or_default();
    let kube_version = old.as_ref().map(|lock| lock.pins.kube_version.clone()).unwrap_or_default();
    let mut options = options.clone();
    if options.kustomize.helm.kube_version.is_empty() {
        options.kustomize.helm.kube_version = kube_version.as_str().into();
    }
    // an empty lock pins nothing, so that everything is found anew
    let empty = Pins { seed, kube_version: options.kustomize.helm.kube_version.to_string(), ..Pins::default() };
    store::write_file(Path::new(&path), empty.print().as_bytes())?;
    let flags = FetchFlags { offline, ..FetchFlags::default() };
    let quiet = Terminal::quiet();
    let settled = settle(root, &options, &flags, &quiet, |source, options| render(source, options));
    let result = settled.and_then(|()| Lock::beside(&Disk, root)).inspect_err(|_| {
        // what stood there before is better than half a lock
        let _ = old.as_ref().map(|lock| store::write_file(Path::new(&lock.path), lock.text.as_bytes()));
    });
    let pins = result?.map(|lock| lock.pins).unwrap_or_default();
    for line in old.map(|lock| lock.pins).unwrap_or_default().differences(&pins) {
        terminal.note(format_args!("{LOCK_FILE}: {line}"));
    }
    Ok(pins)
}

/// Fetches what is needed and lays it over the disk.
struct Bringer<'a> {
    servers: Option<Servers>,
    flags: &'a FetchFlags,
    over: Memory,
    locked: Option<&'a Pins>,
    used: Pins,
}

/// What one need came to.
enum Fetched {
    Chart(ChartPin, Arc<[u8]>),
    File(FilePin, Arc<[u8]>),
    Tree(BasePin, GitTree),
}

impl<'a> Bringer<'a> {
    fn new(flags: &'a FetchFlags, over: Memory, locked: Option<&'a Pins>) -> Bringer<'a> {
        Bringer { servers: None, flags, over, locked, used: Pins::default() }
    }

    fn bring(&mut self, needs: &[Need], terminal: &Terminal) -> Result<Vec<Brought>> {
        if self.servers.is_none() {
            self.servers = Some(Servers::new(&ServerFlags { offline: self.flags.offline, ..ServerFlags::default() })?);
        }
        let mut places = Vec::with_capacity(needs.len());
        for together in needs.chunks(TOGETHER_MAX) {
            let fetched = {
                let Some(servers) = &self.servers else { continue };
                let fetch = |need| fetch(servers, need, self.locked, terminal);
                wait(async { Ok(join_all(together.iter().map(fetch)).await) })?
            };
            for (need, fetched) in together.iter().zip(fetched) {
                places.push(self.lay(need, fetched?)?);
            }
        }
        Ok(places)
    }

    /// Puts what was fetched where the render looks for it, and notes what it came to.
    fn lay(&mut self, need: &Need, fetched: Fetched) -> Result<Brought> {
        match (need, fetched) {
            (Need::Chart { repository, name, version, folder }, Fetched::Chart(pin, bytes)) => {
                for (path, data) in archive::chart_files(&bytes, archive::Limits::CHART)? {
                    self.over.insert(&format!("{folder}/{path}"), data);
                }
                self.used.charts.insert((repository.clone(), name.clone(), version.clone()), pin);
                Ok(Brought::File(folder.clone()))
            }
            (Need::File(url) | Need::FileOrRepository(url, _), Fetched::File(pin, bytes)) => {
                let place = place(url);
                self.over.insert(&place, bytes);
                self.used.files.insert(url.clone(), pin);
                Ok(Brought::File(place))
            }
            (Need::Repository(spec) | Need::FileOrRepository(_, spec), Fetched::Tree(pin, tree)) => {
                let top = format!("{}@{}", place(&spec.clone), &tree.commit[..tree.commit.len().min(12)]);
                for (path, data) in files(&tree) {
                    self.over.insert(&format!("{top}/{path}"), data);
                }
                self.used.bases.insert((spec.clone.clone(), spec.revision.clone()), pin);
                Ok(Brought::Repository(top))
            }
            _ => Err(Box::new(Diagnostic::bug("bring", "something else was fetched than was needed"))),
        }
    }
}

async fn fetch(servers: &Servers, need: &Need, locked: Option<&Pins>, terminal: &Terminal) -> Result<Fetched> {
    match need {
        Need::Chart { repository, name, version, .. } => {
            let pin = locked.and_then(|pins| pins.charts.get(&(repository.clone(), name.clone(), version.clone())));
            let wanted =
                Wanted { place: servers.place(repository, name)?, name: name.clone(), version: version.clone() };
            let (located, packed) = servers.fetcher.chart(&wanted, pin).await?;
            if let Some(remark) = &located.remark {
                terminal.report(remark);
            }
            let pin =
                ChartPin { name: name.clone(), resolved: located.version, url: located.url, digest: packed.digest };
            Ok(Fetched::Chart(pin, packed.bytes))
        }
        Need::File(url) => file(servers, url, locked).await,
        Need::Repository(spec) => tree(servers, spec, locked).await,
        Need::FileOrRepository(url, spec) => {
            if locked.is_some_and(|pins| pins.bases.contains_key(&(spec.clone.clone(), spec.revision.clone()))) {
                return tree(servers, spec, locked).await;
            }
            let first = file(servers, url, locked).await;
            let is_page = |bytes: &[u8]| bytes.trim_ascii_start().starts_with(b"<");
            match first {
                Ok(Fetched::File(pin, bytes)) if !is_page(&bytes) => Ok(Fetched::File(pin, bytes)),
                other => tree(servers, spec, locked).await.map_err(|fault| match other {
                    Err(first) => Box::new(fault.trail(format!("as a file: {}", first.message), None)),
                    Ok(_) => fault,
                }),
            }
        }
    }
}

async fn file(servers: &Servers, url: &str, locked: Option<&Pins>) -> Result<Fetched> {
    let (digest, bytes) = servers.fetcher.file(url, locked.and_then(|pins| pins.files.get(url))).await?;
    Ok(Fetched::File(FilePin { digest }, bytes))
}

async fn tree(servers: &Servers, spec: &RepoSpec, locked: Option<&Pins>) -> Result<Fetched> {
    let wanted = GitWanted {
        url: spec.clone.clone(),
        revision: spec.revision.clone(),
        submodules: spec.submodules,
        timeout: spec.timeout,
    };
    let pin = locked.and_then(|pins| pins.bases.get(&(spec.clone.clone(), spec.revision.clone())));
    let tree = servers.fetcher.tree(&wanted, pin).await?;
    let pin = BasePin { commit: tree.commit.clone(), digest: tree.digest() };
    Ok(Fetched::Tree(pin, tree))
}

/// Where what comes from an address is laid: a root that no folder on disk has.
fn place(address: &str) -> String {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    source::clean(&format!("/@{bare}"))
}

/// The files of a tree, links replaced by what they lead to; those that lead nowhere in it are left out.
fn files(tree: &GitTree) -> Vec<(String, Arc<[u8]>)> {
    let mut found = Vec::new();
    for (path, node) in &tree.nodes {
        match node {
            Node::File(bytes) => found.push((path.clone(), bytes.clone())),
            Node::Link(target) => found.extend(linked(&tree.nodes, path, target)),
        }
    }
    found
}

fn linked(nodes: &BTreeMap<String, Node>, path: &str, target: &str) -> Vec<(String, Arc<[u8]>)> {
    let (mut at, mut target) = (path.to_owned(), target.to_owned());
    for _ in 0..LINKS_MAX {
        let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
        let joined = if folder.is_empty() { target.clone() } else { format!("{folder}/{target}") };
        let end = source::clean(&joined);
        if target.starts_with('/') || end == ".." || end.starts_with("../") {
            return Vec::new();
        }
        match nodes.get(&end) {
            Some(Node::File(bytes)) => return vec![(path.to_owned(), bytes.clone())],
            Some(Node::Link(next)) => (at, target) = (end, next.clone()),
            None => {
                let prefix = if end == "." { String::new() } else { format!("{end}/") };
                let below = nodes.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
                let below = below.filter_map(|(name, node)| match node {
                    // a folder that links to itself would never end
                    Node::File(bytes) if !path.starts_with(&prefix) => {
                        Some((format!("{path}/{}", &name[prefix.len()..]), bytes.clone()))
                    }
                    _ => None,
                });
                return below.collect();
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_and_folders_of_the_same_tree() {
        let mut tree = GitTree::default();
        let mut put = |path: &str, node| drop(tree.nodes.insert(path.to_owned(), node));
        put("base/a.yaml", Node::File(Arc::from(&b"a"[..])));
        put("app/link.yaml", Node::Link("../base/a.yaml".into()));
        put("app/again.yaml", Node::Link("link.yaml".into()));
        put("app/base", Node::Link("../base".into()));
        put("app/out", Node::Link("../../etc".into()));
        put("app/root", Node::Link("/etc/passwd".into()));
        put("app/self", Node::Link("self".into()));
        put("app/up", Node::Link("..".into()));
        let paths: Vec<String> = files(&tree).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["app/again.yaml", "app/base/a.yaml", "app/link.yaml", "base/a.yaml"]);
    }

    #[test]
    fn what_comes_from_elsewhere_has_roots_of_its_own() {
        assert_eq!(place("https://github.com/org/repo"), "/@github.com/org/repo");
        assert_eq!(place("file:///srv/repo"), "/@/srv/repo");
    }
}
