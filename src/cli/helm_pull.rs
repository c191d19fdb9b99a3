//! `helm pull`: a packed chart from where it is kept, to disk, unpacked or not.

use std::fs;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::compat::{Helm, Profile};
use crate::diag::{Diagnostic, Result};

use super::Outcome;
use super::chart_flags::{ChartFlags, Servers};
use super::pflag;
use super::store;
use super::terminal::Terminal;

/// The arguments of `helm pull`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Charts: REPOSITORY/CHART, a URL, `oci://…`, or a name with --repo
    #[arg(value_name = "CHART", required = true)]
    charts: Vec<String>,
    /// The folder to write to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    destination: String,
    /// Bring the provenance file, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    prov: bool,
    /// Unpack the chart
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = pflag::boolean, value_name = "BOOL")]
    untar: bool,
    /// The folder to unpack into, below --destination
    #[arg(long, value_name = "DIR", default_value = ".")]
    untardir: String,
    #[command(flatten)]
    chart: ChartFlags,
}

/// Runs the command.
pub(super) fn run(args: Args, profile: Profile, terminal: &Terminal) -> Result<Outcome> {
    args.chart.check()?;
    let references: Vec<&str> = args.charts.iter().map(String::as_str).collect();
    let servers = Servers::about(&args.chart.server, &references)?;
    for name in &args.charts {
        pull(&args, name, &servers, profile, terminal)?;
    }
    Ok(Outcome::Done)
}

fn pull(args: &Args, name: &str, servers: &Servers, profile: Profile, terminal: &Terminal) -> Result<()> {
    let Some(wanted) = servers.understand(name, &args.chart)? else {
        let fault =
            Diagnostic::input("chart-missing", format!("`{name}` is on disk already: there is nothing to pull"));
        return Err(Box::new(
            fault.hint("name a chart in a repository: `REPOSITORY/CHART`, `oci://…`, or give `--repo URL`"),
        ));
    };
    let (located, packed) = match servers.fetch(&wanted, args.prov, terminal) {
        // as Helm does: the chart is pulled all the same
        Err(fault) if fault.code == "chart-no-provenance" => {
            terminal.report(&Diagnostic::warning(fault.code, fault.message));
            servers.fetch(&wanted, false, terminal)?
        }
        fetched => fetched?,
    };
    if let Some(manifest) = &packed.manifest {
        // where Helm says this differs between its versions
        let text = format!("Pulled: {}\nDigest: {manifest}\n", located.url.trim_start_matches("oci://"));
        if profile.helm >= Helm::V4_1 { terminal.data(text)? } else { terminal.note(text.trim_end()) }
    }
    let folder = Path::new(&args.destination);
    if !args.untar {
        let path = folder.join(located.file_name());
        if let Some(provenance) = &packed.provenance {
            store::write_file(&folder.join(format!("{}.prov", located.file_name())), provenance)?;
        }
        return store::write_file(&path, &packed.bytes);
    }
    let folder = folder.join(&args.untardir);
    let named = folder.join(name.rsplit('/').next().unwrap_or_default());
    if fs::symlink_metadata(&named).is_ok() {
        let text = format!("failed to untar: a file or directory with the name {} already exists", named.display());
        return Err(Box::new(
            Diagnostic::input("chart-untar", text).hint("delete it, or unpack elsewhere with `--untardir`"),
        ));
    }
    unpack(&folder, &packed.bytes)
}

/// Unpacks a chart into a folder of its own name, and nowhere else.
fn unpack(folder: &Path, bytes: &[u8]) -> Result<()> {
    let files = archive::chart_files(bytes, archive::Limits::CHART)?;
    let chart: PathBuf = folder.join(chart_name(&files)?);
    for (path, data) in files {
        store::write_file(&chart.join(path), &data)?;
    }
    Ok(())
}

fn chart_name(files: &[(String, std::sync::Arc<[u8]>)]) -> Result<String> {
    let broken = |why: &str| Box::new(Diagnostic::input("chart-untar", format!("the chart {why}")));
    let (_, text) = files.iter().find(|(name, _)| name == "Chart.yaml").ok_or_else(|| broken("has no Chart.yaml"))?;
    let source = crate::diag::SourceText::new("Chart.yaml", String::from_utf8_lossy(text).into_owned());
    let tree = crate::yaml::parse(&source, crate::yaml::Dialect::V2)?;
    let name = tree.get("name").and_then(crate::value::Tree::as_str).unwrap_or_default().to_owned();
    let plain = !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..";
    if plain { Ok(name) } else { Err(broken(&format!("has the name `{name}`, which is no folder's"))) }
}
