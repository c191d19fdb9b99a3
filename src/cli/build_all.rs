//! `hydrant build --all` and `--cache`: every root below a folder, side by side, with what earlier runs know.
//!
//! On stdout each root begins with a line `# root: PATH`; in a folder (`-o`) each root is a file `PATH.yaml`, or with
//! `--file-per-object` a folder `PATH/`. A root that fails does not stop the others; all faults are told in the end. A root
//! that takes something from elsewhere is rendered by itself, as `hydrant build` would, and not kept.

#![expect(clippy::disallowed_methods, reason = "outputs that are as they should be are not written again")]

use std::fs;
use std::path::Path;
use std::thread;

use crate::charts::LOCK_FILE;
use crate::diag::{Diagnostic, Result};
use crate::render::{self, Done, Kept, Many, Page, Pool, Store};
use crate::source::{Disk, Source, relative};

use super::Outcome;
use super::bring::{FetchFlags, settle};
use super::cache::CacheFolder;
use super::input::absolute;
use super::seed::{self, SeedArgs};
use super::store;
use super::terminal::Terminal;

/// The arguments of `hydrant build` that have to do with many roots.
#[derive(clap::Args)]
pub(super) struct ManyArgs {
    /// Render every kustomization in and below SOURCE that no other one there includes
    #[arg(long)]
    all: bool,
    /// With --all and -o: a folder a root and in it a file an object, instead of a file a root
    #[arg(long, requires = "all", requires = "output")]
    file_per_object: bool,
    /// Keep results in this folder; a root whose inputs are as they were is not rendered again
    #[arg(long, value_name = "DIR")]
    cache: Option<String>,
    /// MiB that the cache may hold; what was longest unused is dropped
    #[arg(long, value_name = "MIB", default_value_t = 1024, requires = "cache")]
    cache_limit: u64,
    /// How many roots are rendered at a time [default: as many as there are cores]
    #[arg(long, value_name = "COUNT", requires = "all")]
    threads: Option<usize>,
}

impl ManyArgs {
    /// True if any of it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.all || self.cache.is_some()
    }
}

/// What renders get that is no file of theirs.
pub(super) struct World<'a> {
    /// Where their randomness comes from.
    pub(super) seed: &'a SeedArgs,
    /// How what is elsewhere is fetched.
    pub(super) fetch: &'a FetchFlags,
}

/// Runs the command on the folder `top`.
pub(super) fn run(
    args: &ManyArgs,
    top: &str,
    output: Option<&str>,
    options: &render::Options,
    world: &World<'_>,
    terminal: &Terminal,
) -> Result<Outcome> {
    let pool = if args.all { Pool::many(&Disk, options.profile) } else { Pool::new(&Disk, options.profile) };
    let folder = args.cache.as_deref().map(absolute).transpose()?;
    let folder = folder.map(|path| CacheFolder::new(&path, args.cache_limit << 20));
    let salt = format!("{}\n{options:?}", build_identity());
    let kept = folder.as_ref().map(|folder| Kept::new(folder as &dyn Store, &salt, top));
    let roots = if args.all { render::roots(&pool, top, kept.as_ref())? } else { vec![top.to_owned()] };
    let many = Many {
        pool: &pool,
        options,
        ambient: &|| Ok(Box::new(world.seed.world(false)?)),
        alone: &|root| {
            let render = |source: &dyn Source, options: &render::Options| {
                render::render(source, root, options, &mut world.seed.world(false)?)
            };
            settle(root, options, world.fetch, terminal, render)
        },
        lock_name: LOCK_FILE,
        kept: kept.as_ref(),
        threads: args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
    };
    let output = output.map(absolute).transpose()?;
    let mut printer =
        Printer { args, top, output: output.as_deref(), terminal, printed: 0, kept: 0, faults: Vec::new() };
    many.render(&roots, |at, done| printer.print(&roots[at], done))?;
    if let Some(folder) = &folder {
        folder.trim()?;
    }
    printer.finish(roots.len())
}

/// What makes this Hydrant another than the next: its version, and the size and time of the binary for those who build it.
fn build_identity() -> String {
    let metadata = std::env::current_exe().and_then(fs::metadata);
    let binary = metadata.map(|metadata| (metadata.len(), metadata.modified().ok()));
    format!("{} {binary:?}", env!("CARGO_PKG_VERSION"))
}

struct Printer<'a> {
    args: &'a ManyArgs,
    top: &'a str,
    output: Option<&'a str>,
    terminal: &'a Terminal,
    printed: usize,
    kept: usize,
    faults: Vec<Diagnostic>,
}

impl Printer<'_> {
    fn print(&mut self, root: &str, done: Result<Done>) -> Result<()> {
        let name = relative(self.top, root);
        let done = match done {
            Ok(done) => done,
            Err(fault) if self.args.all => {
                self.faults.push(fault.trail(format!("in root `{name}`"), None));
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        done.page.remarks.iter().for_each(|remark| self.terminal.remark(&remark.text, &remark.json));
        seed::warn_unsteady(&done.page.unsteady, self.terminal);
        self.kept += usize::from(done.kept);
        self.printed += 1;
        match self.output {
            None => self.to_stdout(&name, &done.page),
            Some(output) if self.args.all => self.to_folder(Path::new(output), &name, &done.page),
            Some(output) => write_page(output, &done.page),
        }
    }

    fn to_stdout(&self, name: &str, page: &Page) -> Result<()> {
        let yaml = page.to_yaml();
        if !self.args.all {
            return self.terminal.data(yaml);
        }
        let separator = if self.printed > 1 { "---\n" } else { "" };
        self.terminal.data(format!("{separator}# root: {name}\n{yaml}"))
    }

    fn to_folder(&self, output: &Path, name: &str, page: &Page) -> Result<()> {
        // the folder of all roots has no path below itself
        let name = if name == "." { self.top.rsplit('/').next().unwrap_or_default() } else { name };
        if self.args.file_per_object {
            return write_objects(&output.join(name), page);
        }
        write(&output.join(format!("{name}.yaml")), page.to_yaml().as_bytes())
    }

    fn finish(self, count: usize) -> Result<Outcome> {
        self.faults.iter().for_each(|fault| self.terminal.report(fault));
        if self.args.all {
            let cached =
                if self.args.cache.is_some() { format!(", {} from the cache", self.kept) } else { String::new() };
            self.terminal.note(format_args!("{} of {count} roots rendered{cached}", self.printed));
        }
        if self.faults.is_empty() {
            return Ok(Outcome::Done);
        }
        let message = format!("{} of {count} roots failed", self.faults.len());
        Err(Box::new(
            Diagnostic::input("roots-failed", message).hint("mend the faults told above; the other roots are done"),
        ))
    }
}

/// Writes to a file, or a file an object if a folder stands there.
pub(super) fn write_page(output: &str, page: &Page) -> Result<()> {
    let path = Path::new(output);
    if path.is_dir() { write_objects(path, page) } else { write(path, page.to_yaml().as_bytes()) }
}

fn write_objects(folder: &Path, page: &Page) -> Result<()> {
    page.documents.iter().try_for_each(|document| write(&folder.join(&document.file_name), document.text.as_bytes()))
}

/// Writes a file unless it holds these bytes already, so that what did not change keeps its time.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let same = fs::metadata(path).is_ok_and(|metadata| metadata.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|old| old == bytes);
    if same { Ok(()) } else { store::write_cached(path, bytes) }
}
