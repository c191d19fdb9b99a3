//! A source read with a record of everything that went into it: the material of the provenance statement.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::compat::Profile;
use crate::diag::{Result, SourceText};
use crate::manifest::Set;
use crate::oci::Digest;
use crate::render::Options;
use crate::source::{self, Entry, EntryKind, Source};
use crate::trust::Dependency;
use crate::yaml;

use super::bring::{FetchFlags, settle};
use super::connection::ConnectionArgs;
use super::git;
use super::input::{self, Input};
use super::seed::{SeedArgs, refuse_unsteady};
use super::terminal::Terminal;

/// Objects, and what they were made from.
pub(super) struct Origin {
    /// The objects.
    pub(super) set: Set,
    /// Nothing where no record was wanted.
    material: Option<Material>,
}

/// What objects were made from.
enum Material {
    /// One thing, named so.
    One(String, Dependency),
    /// Files that a render read of a path.
    Files(String, BTreeMap<String, Record>),
}

impl Origin {
    /// The source as a statement names it, without this machine's folders, and what went in, the source first; nothing without
    /// a record.
    pub(super) fn told(&self) -> Option<(String, Vec<Dependency>)> {
        Some(match self.material.as_ref()? {
            Material::One(name, dependency) => (name.clone(), vec![dependency.clone()]),
            Material::Files(path, read) => described(path, read),
        })
    }
}

/// Reads or renders what an argument names, and keeps record if it is wanted; warnings go to the terminal. What another render would print
/// otherwise is refused: it would move every cluster at each push.
pub(super) fn read(
    argument: &str,
    profile: Profile,
    seed: &SeedArgs,
    connection: &ConnectionArgs,
    fetch: &FetchFlags,
    terminal: &Terminal,
    record: bool,
) -> Result<Origin> {
    match Input::parse(argument)? {
        Input::Stdin => {
            let text = input::stdin()?;
            let dependency = dependency("source", &[("sha256", Digest::of(text.as_bytes()).hex())]);
            let set = Set::parse_trees(&SourceText::new("standard input", text))?;
            Ok(Origin { set, material: Some(Material::One(argument.to_owned(), dependency)) })
        }
        Input::Artifact(location) => {
            let (set, digest) = input::artifact(&location, connection)?;
            let mut dependency = dependency("source", &[("sha256", digest.hex())]);
            dependency.uri = location.with_digest(digest).to_string();
            Ok(Origin { set, material: Some(Material::One(location.to_string(), dependency)) })
        }
        Input::Path(path) => {
            // what was brought from elsewhere is read through the recorder, too
            let (rendered, read) = settle(&path, &Options::of(profile), fetch, terminal, |source, options| {
                let recorder = Recorder { inner: source, read: Mutex::default() };
                let source = if record { &recorder } else { source };
                let rendered = input::rendered_from(source, &path, options, seed)?;
                Ok((rendered, recorder.read.into_inner().unwrap_or_default()))
            })?;
            rendered.warnings.iter().for_each(|warning| terminal.report(warning));
            refuse_unsteady(&rendered.unsteady)?;
            Ok(Origin { set: rendered.set, material: record.then_some(Material::Files(path, read)) })
        }
        Input::Git(_) | Input::Live => Err(input::refused(argument)),
    }
}

fn described(path: &str, read: &BTreeMap<String, Record>) -> (String, Vec<Dependency>) {
    let checkout = git::checkout(Path::new(path));
    let mut source = dependency("source", &[digest_of(path, read)]);
    let name = match &checkout {
        Some(found) => source::relative(&found.root.to_string_lossy(), path),
        None => path.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    if let Some(found) = checkout {
        source.uri = found.uri;
        source.digest.insert("gitCommit".to_owned(), found.commit);
    }
    let mut dependencies = vec![source];
    dependencies.extend(charts(read));
    (name, dependencies)
}

/// The digest of a file, or of all that was read seen from a folder: its `dirHash` (golang.org/x/mod/sumdb/dirhash's
/// `Hash1`, in hex), which `sha256sum FILES | sha256sum` gives too.
fn digest_of(path: &str, read: &BTreeMap<String, Record>) -> (&'static str, String) {
    if let Some(file) = read.get(path) {
        return ("sha256", file.digest.hex());
    }
    let mut lines: Vec<(String, Digest)> =
        read.iter().map(|(file, record)| (source::relative(path, file), record.digest)).collect();
    lines.sort();
    let mut text = String::new();
    for (file, digest) in lines {
        text.push_str(&format!("{}  {file}\n", digest.hex()));
    }
    ("dirHash", Digest::of(text.as_bytes()).hex())
}

/// The charts among the files: folders by their `Chart.yaml`, packed ones by their ending.
fn charts(read: &BTreeMap<String, Record>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (path, record) in read {
        let file = path.rsplit('/').next().unwrap_or_default();
        if let Some((name, version)) = &record.chart {
            let folder = source::parent(path);
            let below: BTreeMap<String, Record> = read
                .iter()
                .filter(|(file, _)| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
                .map(|(file, record)| (file.clone(), record.clone()))
                .collect();
            let mut chart = dependency(&format!("chart {name}"), &[digest_of(folder, &below)]);
            chart.uri = format!("pkg:helm/{name}@{version}");
            found.push(chart);
        } else if file.ends_with(".tgz") {
            found.push(dependency(&format!("chart {file}"), &[("sha256", record.digest.hex())]));
        }
    }
    found
}

fn dependency(name: &str, digests: &[(&str, String)]) -> Dependency {
    let digest = digests.iter().map(|(algorithm, hex)| ((*algorithm).to_owned(), hex.clone())).collect();
    Dependency { name: name.to_owned(), uri: String::new(), digest }
}

/// What is kept of a file that was read.
#[derive(Clone)]
struct Record {
    digest: Digest,
    /// Name and version, if the file is a chart's `Chart.yaml`.
    chart: Option<(String, String)>,
}

/// A source that keeps the digest of every file that is read from it.
struct Recorder<'a> {
    inner: &'a dyn Source,
    read: Mutex<BTreeMap<String, Record>>,
}

impl Source for Recorder<'_> {
    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.inner.kind(path)
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>> {
        let bytes = self.inner.read(path)?;
        let chart = if path.ends_with("/Chart.yaml") { chart_of(&bytes) } else { None };
        let record = Record { digest: Digest::of(&bytes), chart };
        if let Ok(mut read) = self.read.lock() {
            read.insert(path.to_owned(), record);
        }
        Ok(bytes)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>> {
        self.inner.list(path)
    }

    fn real_path(&self, path: &str) -> Result<String> {
        self.inner.real_path(path)
    }
}

fn chart_of(bytes: &[u8]) -> Option<(String, String)> {
    let text = SourceText::new("Chart.yaml", std::str::from_utf8(bytes).ok()?);
    let tree = yaml::parse(&text, yaml::Dialect::V2).ok()?;
    let field = |name: &str| Some(tree.get(name)?.as_scalar()?.text.to_string());
    Some((field("name")?, field("version")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    #[test]
    fn what_was_read_has_digests_and_charts_are_named() {
        let mut files = Memory::new();
        files.insert("/app/kustomization.yaml", &b"resources: [../base]"[..]);
        files.insert("/base/x.yaml", &b"a: 1"[..]);
        files.insert("/app/charts/web/Chart.yaml", &b"name: web\nversion: 0.1.0\n"[..]);
        files.insert("/app/charts/web/values.yaml", &b""[..]);
        files.insert("/app/charts/db-1.tgz", &b"packed"[..]);
        files.insert("/app/unread.yaml", &b""[..]);
        let recorder = Recorder { inner: &files, read: Mutex::default() };
        for path in [
            "kustomization.yaml",
            "charts/web/Chart.yaml",
            "charts/web/values.yaml",
            "charts/db-1.tgz",
            "../base/x.yaml",
        ] {
            recorder.read(&source::join("/app", path)).expect("there");
        }
        let read = recorder.read.into_inner().expect("unlocked");
        let (source, found) = described("/app", &read);
        assert_eq!(source, "app", "no folder of this machine");
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["source", "chart db-1.tgz", "chart web"]);
        assert_eq!(found[2].uri, "pkg:helm/web@0.1.0");
        let line = |path: &str, bytes: &[u8]| format!("{}  {path}\n", Digest::of(bytes).hex());
        let text = line("Chart.yaml", b"name: web\nversion: 0.1.0\n") + &line("values.yaml", b"");
        assert_eq!(found[2].digest["dirHash"], Digest::of(text.as_bytes()).hex());
        let text = line("../base/x.yaml", b"a: 1")
            + &line("charts/db-1.tgz", b"packed")
            + &line("charts/web/Chart.yaml", b"name: web\nversion: 0.1.0\n")
            + &line("charts/web/values.yaml", b"")
            + &line("kustomization.yaml", b"resources: [../base]");
        assert_eq!(found[0].digest["dirHash"], Digest::of(text.as_bytes()).hex());
    }
}
