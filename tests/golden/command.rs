//! Command cases: a folder with `case.toml`, run as a whole command in that folder.
//!
//! ```toml
//! why = "hooks print after the rest, sorted by kind and not by weight"
//! tool = "helm"                      # helm, kustomize, or hydrant (no upstream)
//! profile = "helm-4.3"               # whose bytes; default helm-4.3,kustomize-5.7
//! args = ["rel", "chart", "-n", "demo"]
//! differs = "why we print otherwise" # only where we differ on purpose; COMPATIBILITY.md names the case
//! versus = "kustomize-5.7"           # another profile, whose real tool answers otherwise
//! ```
//!
//! `want.out` is the real tool's stdout. Where the real tool fails there is `upstream.err` (its words) and `want.err`
//! (ours, blessed). With `differs`, `upstream.out` is theirs and `want.out` is ours. With `versus` the case is also run
//! under that profile, with the answers in `versus.out`, `versus.err` and `versus-upstream.err`; the case fails if the
//! two real tools agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

use crate::{Case, difference, files_below, support};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(rename = "why")]
    _why: String,
    tool: Tool,
    #[serde(default)]
    profile: String,
    args: Vec<String>,
    differs: Option<String>,
    versus: Option<String>,
    /// Exit code that Hydrant must give; 0 or, where the real tool fails, 2 if nothing else is said.
    exit: Option<i32>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Tool {
    Helm,
    Kustomize,
    Hydrant,
}

struct CommandCase {
    name: String,
    folder: PathBuf,
    spec: Spec,
}

/// Every folder below `golden` that holds a `case.toml`.
pub(crate) fn find(golden: &Path) -> Vec<Box<dyn Case>> {
    let specs = files_below(golden).into_iter().filter(|path| path.ends_with("case.toml"));
    specs
        .map(|path| {
            let folder = path.parent().expect("a file has a folder").to_owned();
            let name = folder.strip_prefix(golden).expect("below golden").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable case.toml");
            let spec = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Box::new(CommandCase { name, folder, spec }) as Box<dyn Case>
        })
        .collect()
}

/// One profile of a case, and the names of its answers.
struct Side<'a> {
    profile: &'a str,
    out: &'static str,
    err: &'static str,
    upstream_out: &'static str,
    upstream_err: &'static str,
}

impl CommandCase {
    fn sides(&self) -> Vec<Side<'_>> {
        let upstream_out = if self.spec.differs.is_some() { "upstream.out" } else { "want.out" };
        let own = Side {
            profile: &self.spec.profile,
            out: "want.out",
            err: "want.err",
            upstream_out,
            upstream_err: "upstream.err",
        };
        let versus = self.spec.versus.as_deref().map(|profile| Side {
            profile,
            out: "versus.out",
            err: "versus.err",
            upstream_out: "versus.out",
            upstream_err: "versus-upstream.err",
        });
        std::iter::once(own).chain(versus).collect()
    }

    fn ours(&self, profile: &str) -> Output {
        let mut command = support::hydrant();
        match self.spec.tool {
            Tool::Helm => command.arg("template"),
            Tool::Kustomize => command.arg("build"),
            Tool::Hydrant => &mut command,
        };
        command.args(&self.spec.args).current_dir(&self.folder).env("NO_COLOR", "1").env("TZ", "UTC");
        if !profile.is_empty() {
            command.args(["--compat", profile]);
        }
        support::run(&mut command)
    }

    fn upstream(&self, profile: &str) -> Option<Output> {
        let named = |word: &str| profile.contains(word);
        let helm = match () {
            () if named("helm-3") => "helm-3.17",
            () if named("helm-4.1") => "helm-4.1",
            () => "helm-4.3",
        };
        let kubectl = match () {
            () if named("kustomize-5.4") => "kubectl-1.31",
            () if named("kustomize-5.8") => "kubectl-1.37",
            () => "kubectl-1.35",
        };
        let mut command = match self.spec.tool {
            Tool::Hydrant => return None,
            Tool::Helm => {
                let mut command = Command::new(support::peer(helm));
                command.arg("template").args(&self.spec.args);
                command
            }
            Tool::Kustomize => {
                let mut command = Command::new(support::peer(kubectl));
                command.arg("kustomize").args(&self.spec.args);
                if self.spec.args.iter().any(|word| word == "--enable-helm") {
                    command.arg("--helm-command").arg(support::peer(helm));
                }
                command
            }
        };
        command.current_dir(&self.folder).env("TZ", "UTC");
        Some(support::run(&mut command))
    }

    fn answer(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Every answer that may stand beside the inputs.
    fn stale(&self, fresh: &[(PathBuf, Vec<u8>)], names: &[&str]) -> Vec<PathBuf> {
        let paths = names.iter().map(|name| self.answer(name));
        paths.filter(|path| path.exists() && !fresh.iter().any(|(kept, _)| kept == path)).collect()
    }

    fn check_side(&self, side: &Side<'_>, faults: &mut Vec<String>) -> Result<(), String> {
        let got = self.ours(side.profile);
        let (out, err) = (self.answer(side.out), self.answer(side.err));
        if !out.exists() && !err.exists() {
            return Err(format!("no answer recorded; run `cargo oracle {}` (or `cargo bless`)", self.name));
        }
        let want_exit = self.spec.exit.unwrap_or(if err.exists() && !out.exists() { 2 } else { 0 });
        if got.status.code() != Some(want_exit) {
            faults.push(format!(
                "exit {:?}, want {want_exit} ({})\n{}",
                got.status.code(),
                side.profile,
                String::from_utf8_lossy(&got.stderr)
            ));
        }
        for (path, bytes) in [(&out, &got.stdout), (&err, &got.stderr)] {
            if path.exists() {
                faults.extend(difference(path, &fs::read(path).expect("readable"), bytes));
            }
        }
        Ok(())
    }

    /// What keeps a case with two profiles from showing that their real tools differ.
    fn agreement(&self) -> Option<String> {
        self.spec.versus.as_ref()?;
        let read = |side: &Side<'_>| fs::read(self.answer(side.upstream_out)).ok();
        let sides: Vec<_> = self.sides().iter().map(read).collect();
        (sides[0] == sides[1]).then(|| "the two real tools give the same answer".to_owned())
    }
}

impl Case for CommandCase {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }

    fn check(&self) -> Result<(), String> {
        if self.spec.differs.is_some() {
            let list = fs::read_to_string(support::root().join("COMPATIBILITY.md")).unwrap_or_default();
            if !list.contains(&self.name) {
                return Err("it differs on purpose, but COMPATIBILITY.md does not name it".into());
            }
        }
        let mut faults: Vec<String> = self.agreement().into_iter().collect();
        for side in self.sides() {
            self.check_side(&side, &mut faults)?;
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    fn bless(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let own = self.spec.tool == Tool::Hydrant || self.spec.differs.is_some();
        let mut answers = Vec::new();
        for side in self.sides() {
            let got = self.ours(side.profile);
            if own && (!got.stdout.is_empty() || got.status.success()) {
                answers.push((self.answer(side.out), got.stdout));
            }
            if !got.status.success() && !got.stderr.is_empty() || (own && !got.stderr.is_empty()) {
                answers.push((self.answer(side.err), got.stderr));
            }
        }
        answers
    }

    fn record(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = Vec::new();
        for side in self.sides() {
            let Some(theirs) = self.upstream(side.profile) else { return Vec::new() };
            let answers = if theirs.status.success() {
                vec![(self.answer(side.upstream_out), theirs.stdout)]
            } else {
                vec![(self.answer(side.upstream_err), unplaced(&theirs.stderr, &self.folder))]
            };
            for stale in self.stale(&answers, &[side.upstream_out, side.upstream_err]) {
                fs::remove_file(stale).expect("golden files are writable");
            }
            all.extend(answers);
        }
        all
    }
}

/// The real tool's words without this machine's paths and a run's own names and addresses, so that a record is the same everywhere.
fn unplaced(text: &[u8], folder: &Path) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(text).replace(&*folder.to_string_lossy(), "CASE");
    text = text.replace(&*support::peers().to_string_lossy(), "PEERS");
    for (pattern, name) in [(r"/[^ '=]*/kustomize-helm-[0-9]+", "TEMP"), (r"0x[0-9a-f]{6,}", "ADDRESS")] {
        text = regex::Regex::new(pattern).expect("a good pattern").replace_all(&text, name).into_owned();
    }
    text.into_bytes()
}
