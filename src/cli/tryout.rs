//! `hydrant try`: the whole way on embedded defaults, and the next real command.
//!
//! Renders, pushes to an image layout, pulls back and syncs to a folder: the same code as the commands of those names.
//! Everything lands in one folder, and a second run finds its own results there and changes nothing.

#![expect(
    clippy::disallowed_methods,
    reason = "times are shown, and the folder for temporary files comes from the environment"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::agent::{Clock, Options, Policy, Rules, sync_once};
use crate::archive::LayerLimits;
use crate::cluster::{Folder, Owner};
use crate::compat::Profile;
use crate::diag::Result;
use crate::manifest::Set;
use crate::oci::{LayoutReference, Location};
use crate::package::{Packing, objects, pack, unpack};
use crate::render::{self, Rendered};
use crate::source::Memory;

use super::Outcome;
use super::ambient::Ambient;
use super::bring::FetchFlags;
use super::connection::{ConnectionArgs, wait};
use super::input;
use super::seed;
use super::sync::{self, LAYOUT};
use super::terminal::Terminal;

/// Where the embedded example stands in memory.
const EXAMPLE: &str = "/examples/chart";

/// The example: a chart in the shape that a freshly made one has, and the kustomization that renders it.
const EXAMPLE_FILES: [(&str, &str); 12] = [
    ("kustomization.yaml", include_str!("../../examples/chart/kustomization.yaml")),
    ("web/.helmignore", include_str!("../../examples/chart/web/.helmignore")),
    ("web/Chart.yaml", include_str!("../../examples/chart/web/Chart.yaml")),
    ("web/values.yaml", include_str!("../../examples/chart/web/values.yaml")),
    ("web/templates/NOTES.txt", include_str!("../../examples/chart/web/templates/NOTES.txt")),
    ("web/templates/_helpers.tpl", include_str!("../../examples/chart/web/templates/_helpers.tpl")),
    ("web/templates/deployment.yaml", include_str!("../../examples/chart/web/templates/deployment.yaml")),
    ("web/templates/hpa.yaml", include_str!("../../examples/chart/web/templates/hpa.yaml")),
    ("web/templates/ingress.yaml", include_str!("../../examples/chart/web/templates/ingress.yaml")),
    ("web/templates/service.yaml", include_str!("../../examples/chart/web/templates/service.yaml")),
    ("web/templates/serviceaccount.yaml", include_str!("../../examples/chart/web/templates/serviceaccount.yaml")),
    ("web/templates/tests/answers.yaml", include_str!("../../examples/chart/web/templates/tests/answers.yaml")),
];

/// The arguments of `hydrant try`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A kustomization, a chart or a folder of manifests; the embedded example where nothing is given
    source: Option<String>,
    /// Where the results go; a folder `hydrant-try` among the temporary files where nothing is given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    let folder = args.dir.clone().unwrap_or_else(|| std::env::temp_dir().join("hydrant-try"));
    let shown = args.source.as_deref().unwrap_or("the embedded example");
    let (rendered, time) = timed(|| source(args.source.as_deref(), profile, terminal))?;
    rendered.warnings.iter().for_each(|warning| terminal.report(warning));
    seed::warn_unsteady(&rendered.unsteady, terminal);
    line(terminal, "render", &format!("{shown}: {} objects", rendered.set.len()), time)?;
    rendered.set.objects.iter().try_for_each(|object| terminal.data(format!("          {}\n", object.id)))?;
    let location =
        Location::Layout(LayoutReference { folder: folder.join("layout"), tag: Some("example".into()), digest: None });
    push(&rendered.set, &location, terminal)?;
    sync_to(&folder.join("synced"), &location, terminal)?;
    let next = args.source.as_deref().unwrap_or("examples/chart");
    terminal.data(format!("\nnext: hydrant push {next} oci://localhost:5000/example:v1\n"))?;
    Ok(Outcome::Done)
}

fn source(argument: Option<&str>, profile: Profile, terminal: &Terminal) -> Result<Rendered> {
    let Some(argument) = argument else {
        let mut files = Memory::new();
        for (path, text) in EXAMPLE_FILES {
            files.insert(&format!("{EXAMPLE}/{path}"), text.as_bytes());
        }
        return render::render(&files, EXAMPLE, &render::Options::of(profile), &mut Ambient::new(false));
    };
    input::rendered(&input::absolute(argument)?, profile, &FetchFlags::default(), terminal)
}

fn push(set: &Set, location: &Location, terminal: &Terminal) -> Result<()> {
    let client = ConnectionArgs::default().client()?;
    let (pushed, time) = timed(|| {
        let artifact = pack(set, &Packing::default())?;
        wait(client.push(location, &artifact, &mut |_| {}))
    })?;
    let there = if pushed.changed { "" } else { " (already there)" };
    line(terminal, "push", &format!("{location}{there}"), time)?;
    terminal.data(format!("          {}\n", pushed.digest))
}

fn sync_to(folder: &Path, location: &Location, terminal: &Terminal) -> Result<()> {
    let client = ConnectionArgs::default().client()?;
    let options = Options {
        owner: Owner::new("hydrant-system", "example")?,
        source: location.to_string(),
        any_source: true,
        policy: Policy::default(),
        wait: Duration::ZERO,
        dry_run: false,
        rules: Rules::default(),
    };
    let (summary, time) = timed(|| {
        wait(async {
            let set = objects(unpack(&client.pull(location).await?, &LayerLimits::default())?)?;
            let target = Folder::open(folder, LAYOUT, false)?;
            sync_once(&target, &Clock::system(), &options, &set, &mut |_| {}).await
        })
    })?;
    line(terminal, "sync", &format!("dir:{}", folder.display()), time)?;
    terminal.data(format!("          {}\n", sync::counts(&summary)))
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

fn line(terminal: &Terminal, step: &str, what: &str, time: Duration) -> Result<()> {
    terminal.data(format!("{step:<9} {what}  [{:.1} ms]\n", time.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Disk, EntryKind, Source as _};

    fn files_below(folder: &str, files: &mut Vec<String>) {
        for entry in Disk.list(folder).expect("a folder") {
            let path = format!("{folder}/{}", entry.name);
            if entry.kind == Some(EntryKind::Folder) { files_below(&path, files) } else { files.push(path) }
        }
    }

    #[test]
    fn the_embedded_example_is_the_whole_example() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/chart");
        let mut files = Vec::new();
        files_below(root, &mut files);
        let below: Vec<&str> = files.iter().map(|path| &path[root.len() + 1..]).collect();
        let mut embedded: Vec<&str> = EXAMPLE_FILES.iter().map(|(path, _)| *path).collect();
        embedded.sort_unstable();
        let mut below = below;
        below.sort_unstable();
        assert_eq!(embedded, below);
    }
}
