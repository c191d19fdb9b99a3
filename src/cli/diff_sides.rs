//! The two sides of a diff: what each argument names, and how it becomes objects.
//!
//! Charts that ask for randomness or the time get the same answers on both sides, call by call, so that what they make up
//! differs only where the chart does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::charts::LOCK_FILE;
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::diff::Report;
use crate::helm;
use crate::manifest::{Origin, Set};
use crate::render::{self, Inputs, KUSTOMIZATION_FILES, Options, Pool, Touched, Unchanged};
use crate::source::{self, Disk, EntryKind, Source, base_name, hex, relative, threads};

use super::bring::{FetchFlags, settle_in};
use super::connection::ConnectionArgs;
use super::diff_live;
use super::diff_why;
use super::git_source::GitSource;
use super::input::{self, Input};
use super::terminal::Terminal;

/// One side.
pub(super) struct Side {
    input: Input,
    profile: Profile,
    /// What the user called it.
    pub(super) shown: String,
}

impl Side {
    /// Understands an argument.
    pub(super) fn parse(argument: &str, profile: Profile, shown: String) -> Result<Side> {
        Ok(Side { input: Input::parse(argument)?, profile, shown })
    }
}

/// What both sides are read with.
pub(super) struct World<'a> {
    /// How what is elsewhere is fetched.
    pub(super) fetch: &'a FetchFlags,
    /// How registries are reached.
    pub(super) connection: &'a ConnectionArgs,
    /// The kubeconfig and the context, for the live cluster.
    pub(super) cluster: (Option<PathBuf>, Option<String>),
    /// The Kubernetes version for charts; empty for the profile's own.
    pub(super) kube_version: String,
    /// Who hears of warnings.
    pub(super) terminal: &'a Terminal,
}

/// Both sides.
pub(super) struct Sides<'a> {
    /// The old one.
    pub(super) old: &'a Side,
    /// The new one.
    pub(super) new: &'a Side,
    /// What they are read with.
    pub(super) world: &'a World<'a>,
}

/// The objects of both sides.
pub(super) struct Pair {
    /// The old ones.
    pub(super) old: Set,
    /// The new ones.
    pub(super) new: Set,
    /// How many objects a cluster would refuse.
    pub(super) refused: usize,
}

/// Roots of both sides.
pub(super) struct Roots {
    /// Those whose inputs differ, by name, rendered.
    pub(super) differing: BTreeMap<String, (Set, Set)>,
    /// How many have the same inputs.
    pub(super) same: usize,
}

impl Sides<'_> {
    /// The objects of both sides.
    pub(super) fn sets(&self) -> Result<Pair> {
        let live = |side: &Side| matches!(side.input, Input::Live);
        let whole = |old: Set, new: Set| Pair { old, new, refused: 0 };
        Ok(match (live(self.old), live(self.new)) {
            (false, false) => whole(self.set(self.old)?, self.set(self.new)?),
            (true, false) => diff_live::preview(&self.set(self.new)?, &self.world.cluster, self.world.terminal)?,
            _ => {
                let pair = diff_live::preview(&self.set(self.old)?, &self.world.cluster, self.world.terminal)?;
                Pair { old: pair.new, new: pair.old, refused: pair.refused }
            }
        })
    }

    /// Adds to a report where its values come from, as far as sides have files.
    pub(super) fn explain(&self, report: &mut Report) -> Result<()> {
        for (new, side) in [(false, self.old), (true, self.new)] {
            let Some(tree) = Self::files(side)? else { continue };
            for diff in &mut report.roots {
                let root = source::join(&tree.top, &diff.name);
                let explain = |source: &dyn Source, options: &Options| {
                    diff_why::explain(diff, new, (source, &root), options, &mut Still::default())
                };
                let (world, options) = (self.world, self.options(side.profile));
                settle_in(tree.source(), &root, &options, world.fetch, world.terminal, explain)?;
            }
        }
        Ok(())
    }

    /// The files of a side; nothing for a side that has none.
    fn files(side: &Side) -> Result<Option<Tree>> {
        match &side.input {
            // the objects of a cluster have the origins of the other side's
            Input::Stdin | Input::Artifact(_) | Input::Live => Ok(None),
            Input::Path(_) | Input::Git(_) => Tree::of(side).map(Some),
        }
    }

    fn set(&self, side: &Side) -> Result<Set> {
        match &side.input {
            Input::Stdin => Set::parse_trees(&SourceText::new("standard input", input::stdin()?)),
            Input::Artifact(location) => Ok(input::artifact(location, self.world.connection)?.0),
            Input::Path(path) => self.alone(&Disk, path, side.profile),
            Input::Git(git) => self.alone(&GitSource::open(git)?, &git.path, side.profile),
            Input::Live => Err(Box::new(Diagnostic::bug("diff-live", "a cluster has no objects of its own"))),
        }
    }

    fn options(&self, profile: Profile) -> Options {
        let mut options = Options::of(profile);
        options.kustomize.helm.kube_version = self.world.kube_version.as_str().into();
        options
    }

    /// Renders one root by itself, and brings what it takes from elsewhere.
    fn alone(&self, source: &dyn Source, path: &str, profile: Profile) -> Result<Set> {
        let render =
            |source: &dyn Source, options: &Options| render::render(source, path, options, &mut Still::default());
        let rendered = settle_in(source, path, &self.options(profile), self.world.fetch, self.world.terminal, render)?;
        rendered.warnings.iter().for_each(|warning| self.world.terminal.report(warning));
        Ok(rooted(rendered.set, path))
    }

    /// Every root below both folders, rendered where its inputs differ.
    pub(super) fn roots(&self, threads: Option<usize>) -> Result<Roots> {
        let (old, new) = (Tree::of(self.old)?, Tree::of(self.new)?);
        let after = Pool::many(new.source(), self.new.profile);
        let beside = [LOCK_FILE];
        let is = Inputs::new(&after, &new.top, &beside);
        let new_roots = new.roots(&after)?;
        // where two revisions differ in the bytes of some files only, it is plain which roots those are part of, and what
        // both sides can share
        let same_profile = self.old.profile == self.new.profile;
        let changed = if same_profile { old.changed(&new)? } else { None };
        let unchanged = changed.as_ref().map(|files| Unchanged::new(old.source(), &after, files));
        let before = match &unchanged {
            Some(files) => Pool::twin(files, &after),
            None => Pool::many(old.source(), self.old.profile),
        };
        let same_outlines =
            |files: &BTreeSet<String>| !files.iter().any(|file| KUSTOMIZATION_FILES.contains(&base_name(file)));
        let old_roots = match &changed {
            Some(files) if same_outlines(files) => new_roots.clone(),
            _ => old.roots(&before)?,
        };
        if old_roots.is_empty() && new_roots.is_empty() {
            let fault = Diagnostic::input("roots-none", "no kustomization to render on either side");
            return Err(Box::new(fault.hint("give folders that hold kustomizations")));
        }
        let was = Inputs::new(&before, &old.top, &beside);
        let names: BTreeSet<&String> = old_roots.keys().chain(new_roots.keys()).collect();
        let total = names.len();
        let mut touched =
            changed.as_ref().map(|files| Touched::new(&is, files, new_roots.values().map(String::as_str).collect()));
        let mut differs = |old: &String, new: &String| match &mut touched {
            Some(touched) => touched.root(new),
            None => !same_profile || was.digest(old) != is.digest(new),
        };
        let differing: Vec<(&String, Option<&String>, Option<&String>)> = names
            .into_iter()
            .map(|name| (name, old_roots.get(name), new_roots.get(name)))
            .filter(|(_, old, new)| old.zip(*new).is_none_or(|(old, new)| differs(old, new)))
            .collect();
        let same = total - differing.len();
        let sides = [(&before, &old, self.old.profile), (&after, &new, self.new.profile)];
        let jobs: Vec<(usize, usize, &String)> = differing
            .iter()
            .enumerate()
            .flat_map(|(at, (_, old, new))| [(at, 0, *old), (at, 1, *new)])
            .filter_map(|(at, side, root)| Some((at, side, root?)))
            .collect();
        let render = |(_, side, root): &(usize, usize, &String)| {
            let (pool, tree, profile) = sides[*side];
            self.shared(pool, tree.source(), root, profile)
        };
        let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        let mut sets: BTreeMap<(usize, usize), Set> = BTreeMap::new();
        for ((at, side, root), rendered) in jobs.iter().zip(side_by_side(&jobs, threads, &render)) {
            let named = |fault: Box<Diagnostic>| Box::new(fault.trail(format!("in root `{root}`"), None));
            sets.insert((*at, *side), rendered.map_err(named)?);
        }
        let mut take = |at: usize, side: usize| sets.remove(&(at, side)).unwrap_or_default();
        let differing = differing
            .iter()
            .enumerate()
            .map(|(at, (name, _, _))| ((*name).clone(), (take(at, 0), take(at, 1))))
            .collect();
        Ok(Roots { differing, same })
    }

    /// Renders a root with what the others share; one that takes something from elsewhere by itself.
    fn shared(&self, pool: &Pool<'_>, source: &dyn Source, root: &str, profile: Profile) -> Result<Set> {
        if pool.files.kind(&format!("{root}/{LOCK_FILE}")).is_some() {
            return self.alone(source, root, profile);
        }
        let options = self.options(profile);
        match render::render_shared(pool, root, &options, &mut Still::default()) {
            Ok(rendered) => {
                rendered.warnings.iter().for_each(|warning| self.world.terminal.report(warning));
                Ok(rendered.set)
            }
            Err(_) if !options.kustomize.remotes.take_missing().is_empty() => self.alone(source, root, profile),
            Err(fault) => Err(fault),
        }
    }
}

/// Objects that name the files they came from as they stand below their root: a report has no machine's folders in it.
fn rooted(mut set: Set, root: &str) -> Set {
    for object in set.objects.iter_mut().filter(|object| object.origin.file.starts_with('/')) {
        let file = match relative(root, &object.origin.file).as_str() {
            "." => root.rsplit('/').next().unwrap_or_default().into(),
            below => below.into(),
        };
        object.origin = Arc::new(Origin { file, ..(*object.origin).clone() });
    }
    set
}

/// A side that has folders.
struct Tree {
    /// The revision; nothing for the disk.
    git: Option<GitSource>,
    /// The folder of all roots.
    top: String,
}

impl Tree {
    fn of(side: &Side) -> Result<Tree> {
        match &side.input {
            Input::Path(path) => Ok(Tree { git: None, top: path.clone() }),
            Input::Git(git) => Ok(Tree { git: Some(GitSource::open(git)?), top: git.path.clone() }),
            _ => {
                let fault = Diagnostic::input("diff-all", format!("`{}` has no roots to look for", side.shown));
                Err(Box::new(fault.hint("give folders or `git:REV:PATH`, or leave `--all` out")))
            }
        }
    }

    fn source(&self) -> &dyn Source {
        self.git.as_ref().map_or(&Disk, |git| git)
    }

    /// The files that have other bytes on another side, if that is all that differs and both look at the same folder.
    fn changed(&self, other: &Tree) -> Result<Option<BTreeSet<String>>> {
        match (&self.git, &other.git) {
            (Some(old), Some(new)) if self.top == other.top => old.changed(new),
            _ => Ok(None),
        }
    }

    /// The roots by their names; none where the folder is not there on this side.
    fn roots(&self, pool: &Pool<'_>) -> Result<BTreeMap<String, String>> {
        if pool.files.kind(&self.top) != Some(EntryKind::Folder) {
            return Ok(BTreeMap::new());
        }
        match render::roots(pool, &self.top, None) {
            Ok(roots) => Ok(roots.into_iter().map(|root| (relative(&self.top, &root), root)).collect()),
            Err(fault) if fault.code == "roots-none" => Ok(BTreeMap::new()),
            Err(fault) => Err(fault),
        }
    }
}

/// Does all jobs on some threads; the results in the order of the jobs.
fn side_by_side<J: Sync, T: Send>(jobs: &[J], threads: usize, work: &(dyn Fn(&J) -> T + Sync)) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, T>> = Mutex::default();
    thread::scope(|scope| {
        for away in 0..threads.clamp(1, jobs.len().max(1)) {
            let worker = || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { return };
                    let result = work(job);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, result);
                }
            };
            threads::beside(scope, away, worker);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// A world that stands still: the same answers to the same questions, whatever the chart is made of.
#[derive(Default)]
struct Still {
    asked: BTreeMap<String, u64>,
}

impl helm::Ambient for Still {
    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }

    fn random(&mut self, template: &str, _offset: u32, out: &mut [u8]) {
        let count = self.asked.entry(template.to_owned()).or_default();
        *count += 1;
        let mut block = String::new();
        for (at, chunk) in out.chunks_mut(32).enumerate() {
            // nothing secret comes of it: what is made up is not shown, and goes nowhere
            block = hex(format!("{template}\n{count}\n{at}\n{block}").as_bytes());
            for (byte, digits) in chunk.iter_mut().zip(block.as_bytes().chunks(2)) {
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
            }
        }
    }

    fn host_address(&mut self, _name: &str) -> String {
        String::new()
    }
}
