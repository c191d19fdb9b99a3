//! Diff cases: a folder with `pair.toml` and two sides, printed as text, Markdown and JSON.
//!
//! ```toml
//! why = "a container that moved is a move"
//! old = "old.yaml"          # default; any source that `hydrant diff` takes
//! new = "new.yaml"
//! args = []                 # more flags
//! same = false              # nothing differs: exit 0
//! sorted_lines_agree = false # both sides have the same lines in another order: comparing those would find nothing
//! ```
//!
//! The answers are `want.txt`, `want.md` and `want.json`. Beside comparing them, each case proves that its JSON is whole:
//! applied to the old objects it gives the new ones, shown and folded differences add up to all, and it is of the published
//! schema.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::{Case, difference, files_below, patch, support, values};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(rename = "why")]
    _why: String,
    #[serde(default = "old")]
    old: String,
    #[serde(default = "new")]
    new: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    same: bool,
    #[serde(default)]
    sorted_lines_agree: bool,
}

fn old() -> String {
    "old.yaml".to_owned()
}

fn new() -> String {
    "new.yaml".to_owned()
}

/// The forms, and the files that hold them.
const FORMS: [(&str, &str); 3] = [("text", "want.txt"), ("markdown", "want.md"), ("json", "want.json")];

struct DiffCase {
    name: String,
    folder: PathBuf,
    spec: Spec,
}

/// Every folder below `golden` that holds a `pair.toml`.
pub(crate) fn find(golden: &Path) -> Vec<Box<dyn Case>> {
    let specs = files_below(golden).into_iter().filter(|path| path.ends_with("pair.toml"));
    specs
        .map(|path| {
            let folder = path.parent().expect("a file has a folder").to_owned();
            let name = folder.strip_prefix(golden).expect("below golden").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable pair.toml");
            let spec = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Box::new(DiffCase { name, folder, spec }) as Box<dyn Case>
        })
        .collect()
}

impl DiffCase {
    /// The diff in a form; fails if it does not exit as it should.
    fn ours(&self, form: &str) -> Result<Vec<u8>, String> {
        let mut command = support::hydrant();
        command.args(["diff", &self.spec.old, &self.spec.new, "--format", form]).args(&self.spec.args);
        let got = support::run(command.current_dir(&self.folder));
        let want = i32::from(!self.spec.same);
        if got.status.code() != Some(want) {
            let words = String::from_utf8_lossy(&got.stderr);
            return Err(format!("exit {:?}, want {want}\n{words}", got.status.code()));
        }
        // where the case stands on this machine is no part of the answer
        let text = String::from_utf8(got.stdout).expect("UTF-8");
        Ok(text.replace(&*self.folder.to_string_lossy(), "CASE").into_bytes())
    }

    /// The objects of a side as JSON.
    fn objects(&self, side: &str) -> Vec<Value> {
        let mut command = support::hydrant();
        let text = support::must(command.args(["build", side]).current_dir(&self.folder));
        let text = String::from_utf8(text).expect("UTF-8");
        values::objects(side, text)
    }

    fn is_whole(&self, json: &[u8]) -> Result<(), String> {
        let report: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        conforms(&report)?;
        let shows = self.spec.args.iter().any(|word| word == "--show-secrets");
        let side = |name: &str| -> Vec<Value> {
            self.objects(name).into_iter().map(|object| if shows { object } else { patch::mask(object) }).collect()
        };
        let made = patch::apply(&side(&self.spec.old), &report["roots"][0], &values::read)?;
        if !patch::same_objects(&made, &side(&self.spec.new)) {
            return Err(format!("applied to the old objects it gives {made:#?}"));
        }
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let folded: u64 = report["folds"].as_array().into_iter().flatten().map(|fold| count(&fold["entries"])).sum();
        if folded != count(&report["summary"]["folded"]) {
            return Err(format!("{folded} differences are in folds, the summary says {}", report["summary"]["folded"]));
        }
        Ok(())
    }

    /// What comparing sorted lines would see: nothing.
    fn lines_agree(&self) -> bool {
        let sorted = |name: &str| {
            let text = fs::read_to_string(self.folder.join(name)).expect("a readable side");
            let mut lines: Vec<String> =
                text.lines().map(|line| line.trim_start_matches([' ', '-']).to_owned()).collect();
            lines.sort();
            lines
        };
        sorted(&self.spec.old) == sorted(&self.spec.new)
    }
}

impl Case for DiffCase {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }

    fn check(&self) -> Result<(), String> {
        let mut faults = Vec::new();
        for (form, file) in FORMS {
            let got = self.ours(form)?;
            let path = self.folder.join(file);
            let want = fs::read(&path).map_err(|_| format!("no answer recorded; run `cargo bless {}`", self.name))?;
            faults.extend(difference(&path, &want, &got));
            if form == "json" {
                faults.extend(self.is_whole(&got).err());
            }
        }
        if self.spec.sorted_lines_agree && !self.lines_agree() {
            faults.push("the sides differ in more than the order of their lines".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    fn bless(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let answer = |(form, file): (&str, &str)| {
            let got = self.ours(form).unwrap_or_else(|why| panic!("{}: {why}", self.name));
            (self.folder.join(file), got)
        };
        FORMS.into_iter().map(answer).collect()
    }

    fn record(&self) -> Vec<(PathBuf, Vec<u8>)> {
        Vec::new()
    }
}

/// Fails if a report is not of the published schema.
fn conforms(report: &Value) -> Result<(), String> {
    let text = fs::read_to_string(support::root().join("templates/diff.schema.json")).expect("the schema is there");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("diff.schema.json", schema).map_err(|error| error.to_string())?;
    let index = compiler.compile("diff.schema.json", &mut schemas).map_err(|error| error.to_string())?;
    schemas.validate(report, index).map_err(|error| format!("{error:#}"))
}
