//! `helm show`: what a chart says of itself: definition, values, readme, custom resource definitions.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::compat::{Helm, Profile};
use crate::diag::Result;
use crate::helm::Chart;
use crate::source::{Disk, Memory};

use super::Outcome;
use super::chart_flags::{ChartFlags, Servers};
use super::input::absolute;
use super::terminal::Terminal;

/// The arguments of `helm show`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What to show
    #[arg(value_parser = ["all", "chart", "crds", "readme", "values"])]
    what: String,
    /// A folder, a packed chart, REPOSITORY/CHART, a URL, `oci://…`, or a name with --repo
    chart: String,
    #[command(flatten)]
    flags: ChartFlags,
}

/// Runs the command.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    args.flags.check()?;
    let servers = Servers::about(&args.flags.server, &[&args.chart])?;
    let chart = match servers.understand(&args.chart, &args.flags)? {
        None => Chart::load(&Disk, &absolute(&args.chart)?, profile)?,
        Some(wanted) => {
            let (located, packed) = servers.fetch(&wanted, false, terminal)?;
            if let Some(manifest) = packed.manifest.filter(|_| profile.helm >= Helm::V4_1) {
                terminal.note(format_args!("Pulled: {}\nDigest: {manifest}", located.url.trim_start_matches("oci://")));
            }
            let mut memory = Memory::new();
            let path = format!("/{}", located.file_name());
            memory.insert(&path, packed.bytes);
            Chart::load(&memory, &path, profile)?
        }
    };
    terminal.data(shown(&chart, &args.what, profile)?)?;
    Ok(Outcome::Done)
}

/// The text, as Helm prints it.
fn shown(chart: &Arc<Chart>, what: &str, profile: Profile) -> Result<String> {
    let mut out = String::new();
    let all = what == "all";
    if all || what == "chart" {
        let _ = writeln!(out, "{}", crate::yaml::to_string(&chart.metadata.to_tree()));
    }
    if let Some(values) = chart.values_source().filter(|_| all || what == "values") {
        let _ = writeln!(out, "{}{values}", if all { "---\n" } else { "" });
    }
    if let Some(readme) = chart.readme()?.filter(|_| all || what == "readme") {
        let _ = writeln!(out, "{}{readme}", if all { "---\n" } else { "" });
    }
    if all || what == "crds" {
        for (index, crd) in chart.crd_texts()?.iter().enumerate() {
            // Helm 3 puts a mark before the first one only, and none where it shows nothing else
            let wanted = profile.helm >= Helm::V4_1 || all && index == 0;
            let _ = writeln!(out, "{}{crd}", if wanted && !crd.starts_with("---") { "---\n" } else { "" });
        }
    }
    Ok(out)
}
