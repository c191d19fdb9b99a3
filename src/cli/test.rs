//! `hydrant test`: policies with their own test cases, in the format of Gatekeeper's suites.

#![expect(clippy::disallowed_methods, reason = "suites and what they name are read from disk")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::check::{self, Suite, Verdict};
use crate::diag::{Diagnostic, Result, SourceText};
use crate::yaml;

use super::Outcome;
use super::terminal::Terminal;

/// The arguments of `hydrant test`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Suites, or folders to look for them in, all the way down
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Name each case, not only those that fail
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the command: exit 0 where every case comes out as it should, 1 where one does not.
#[expect(clippy::needless_pass_by_value, reason = "every command is given its arguments for good")]
pub(super) fn run(args: Args, terminal: &Terminal) -> Result<Outcome> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for path in files(&args.paths)? {
        let Ok(objects) = documents(&path) else { continue };
        for object in objects.iter().filter(|object| Suite::is(object)) {
            let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
            let read = |name: &str| documents(&folder.join(name));
            for case in Suite::read(object).run(&read) {
                let title = format!("{}: {} {}", path.display(), case.test, case.name);
                match case.verdict {
                    Verdict::Passed => passed += 1,
                    Verdict::Skipped => skipped += 1,
                    Verdict::Failed(ref why) => {
                        failed += 1;
                        terminal.data(format!("failed  {title}: {why}\n"))?;
                    }
                }
                if args.verbose && case.verdict == Verdict::Passed {
                    terminal.data(format!("passed  {title}\n"))?;
                }
            }
        }
    }
    terminal.note(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    if passed + failed + skipped == 0 {
        let fault = Diagnostic::input("test-none", "there is no suite here");
        return Err(Box::new(fault.hint("write one: `kind: Suite`, `apiVersion: test.gatekeeper.sh/v1alpha1`")));
    }
    Ok(if failed > 0 { Outcome::Found } else { Outcome::Done })
}

/// The YAML files at and below paths, in order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        // `./...` is how Go's tools, and gator with them, say "and all below"
        let path = path.to_str().and_then(|text| text.strip_suffix("/...")).map_or(path.as_path(), Path::new);
        if !path.exists() {
            let fault = Diagnostic::input("test-path", format!("there is no `{}`", path.display()));
            return Err(Box::new(fault.hint("give a suite or a folder with suites")));
        }
        for entry in walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten() {
            let is_yaml = entry.path().extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            if entry.file_type().is_file() && is_yaml {
                found.push(entry.into_path());
            }
        }
    }
    Ok(found)
}

/// The documents of a file as JSON.
fn documents(path: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Box::new(
            Diagnostic::input("test-path", format!("cannot read `{}`: {error}", path.display()))
                .hint("check the suite's paths"),
        )
    })?;
    let text = SourceText::new(path.display().to_string(), text);
    let trees = yaml::parse_pieces(&text, yaml::Dialect::V2)?;
    Ok(trees.iter().filter(|(tree, _)| !tree.is_null()).map(|(tree, _)| check::json_of(tree)).collect())
}
