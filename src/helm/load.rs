//! Loading charts from a folder or an archive.
//!
//! In: a [`Source`] and a path. Out: a [`Chart`] with every chart under `charts/`, however deep. Which files belong to
//! the chart (`.helmignore`, links, dot files), what each file is, and what is refused follow Helm's loader. Nothing is
//! parsed here but `Chart.yaml`, `requirements.yaml` and `values.yaml`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::archive::{self, Limits};
use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::gotmpl::text_of_bytes;
use crate::source::{Content, EntryKind, Source, base_name, clean, threads};
use crate::value::Tree;
use crate::yaml;

use super::chart::{Chart, File, Template, Units};
use super::ignore::Rules;
use super::metadata::{Metadata, check_lock};
use super::values;

/// Deepest nesting of folders in a chart. Links that lead in a circle end here; Helm runs until the path is too long.
const FOLDER_DEPTH_MAX: usize = 64;

/// Deepest nesting of charts in charts. Archives in archives end here.
const CHART_DEPTH_MAX: usize = 64;

/// A file of a chart before it is known what it is.
struct Raw {
    name: String,
    data: Content,
}

impl Chart {
    /// Loads the chart at `path`, a folder or a packed chart. Fails with codes `chart-*`, `helmignore`, `archive-*` and
    /// the YAML reader's.
    pub fn load(source: &dyn Source, path: &str, profile: Profile) -> Result<Arc<Chart>> {
        Chart::load_as(source, path, path, profile)
    }

    /// As [`Chart::load`]; diagnostics name the chart's files below `shown`, the path as the user typed it.
    pub fn load_as(source: &dyn Source, path: &str, shown: &str, profile: Profile) -> Result<Arc<Chart>> {
        let path = clean(path);
        let files = match source.kind(&path) {
            Some(EntryKind::Folder) => Folder::new(source, &path, limits(profile))?.files()?,
            Some(EntryKind::File) => packed(source, &path, limits(profile))?,
            None => return Err(Box::new(Diagnostic::input("chart-missing", format!("no chart at `{path}`")))),
        };
        Loader { profile, origin: clean(shown) }.chart(files, 0).map(Arc::new)
    }
}

/// The files that belong to the chart in a folder, named as inside it, in Helm's order: what packing it packs.
pub fn chart_files(source: &dyn Source, path: &str, profile: Profile) -> Result<Vec<(String, Arc<[u8]>)>> {
    let files = Folder::new(source, path, limits(profile))?.files()?;
    files.into_iter().map(|file| Ok((file.name, Arc::clone(file.data.bytes()?)))).collect()
}

/// What the files of a chart may cost.
fn limits(profile: Profile) -> Limits {
    if profile.chart_limited_as_a_whole() { Limits::CHART } else { Limits::CHART_OF_SMALL_FILES }
}

/// A chart folder being read.
struct Folder<'s> {
    source: &'s dyn Source,
    top: &'s str,
    rules: Rules,
    limits: Limits,
    /// Bytes read so far.
    read: AtomicU64,
}

impl<'s> Folder<'s> {
    fn new(source: &'s dyn Source, top: &'s str, limits: Limits) -> Result<Folder<'s>> {
        let manifest = format!("{top}/Chart.yaml");
        if source.kind(&manifest) != Some(EntryKind::File) {
            let fault = Diagnostic::input("chart-yaml-missing", format!("unable to detect chart at {manifest}: no such file"));
            return Err(Box::new(fault.hint("name a folder with a `Chart.yaml`, or a packed chart")));
        }
        let ignore = format!("{top}/.helmignore");
        let ignore = match source.kind(&ignore) {
            Some(EntryKind::File) => Some(SourceText::new(ignore.clone(), text_of(&source.read(&ignore)?))),
            _ => None,
        };
        Ok(Folder { source, top, rules: Rules::parse(ignore.as_ref())?, limits, read: AtomicU64::new(0) })
    }

    /// The files in Helm's order: names of each folder sorted, folders walked where they stand.
    fn files(&self) -> Result<Vec<Raw>> {
        let mut files = Vec::new();
        self.walk("", 0, &mut files)?;
        Ok(files)
    }

    fn walk(&self, inside: &str, depth: usize, files: &mut Vec<Raw>) -> Result<()> {
        let top = self.top;
        if depth > FOLDER_DEPTH_MAX {
            let message = format!("folders in `{top}` are nested more than {FOLDER_DEPTH_MAX} deep");
            return Err(Box::new(Diagnostic::input("chart-too-deep", message).hint("look for a link that leads in a circle")));
        }
        let here = if inside.is_empty() { top.to_owned() } else { format!("{top}/{inside}") };
        let path_of = |name: String| if inside.is_empty() { name } else { format!("{inside}/{name}") };
        let entries = self.source.list(&here)?.into_iter().map(|entry| (path_of(entry.name), entry.kind));
        // Helm follows links before it asks what is to be ignored
        let leads_nowhere = |name: &str| self.source.kind(&format!("{top}/{name}")).is_none();
        let entries = entries.filter(|(name, kind)| {
            kind.is_none() && leads_nowhere(name) || !self.rules.ignores(name, *kind == Some(EntryKind::Folder))
        });
        let parts = threads::map(entries.collect(), |(name, kind)| -> Result<Vec<Raw>> {
            let mut part = Vec::new();
            match kind {
                Some(EntryKind::Folder) => self.walk(&name, depth + 1, &mut part)?,
                Some(EntryKind::File) => part.push(self.file(name)?),
                None if leads_nowhere(&name) => return Err(unloadable(format!("the link `{name}` in the chart leads nowhere"))),
                None => return Err(unloadable(format!("`{name}` in the chart is no regular file"))),
            }
            Ok(part)
        });
        for part in parts {
            files.append(&mut part?);
        }
        Ok(())
    }

    fn file(&self, name: String) -> Result<Raw> {
        let path = format!("{}/{name}", self.top);
        let data = if is_read_anyway(&name) { self.source.read(&path)?.into() } else { self.source.content(&path)? };
        let size = data.length();
        let Limits { file_bytes_max, total_bytes_max, .. } = self.limits;
        let too_large = |message| Err(Box::new(Diagnostic::input("chart-too-large", message)));
        if size > file_bytes_max {
            return too_large(format!("chart file {name:?} is larger than the maximum file size {file_bytes_max}"));
        }
        if self.read.fetch_add(size, Ordering::Relaxed) + size > total_bytes_max && file_bytes_max == total_bytes_max {
            return too_large(format!("error reading {name}: chart exceeds maximum decompressed size of {total_bytes_max} bytes"));
        }
        let data = match data.known().and_then(|data| data.strip_prefix(b"\xef\xbb\xbf")) {
            Some(rest) => Content::from(Arc::from(rest)),
            None => data,
        };
        Ok(Raw { name, data })
    }
}

/// True for a file that a chart is not loaded without, so that nothing is gained by waiting for somebody to want it.
fn is_read_anyway(name: &str) -> bool {
    let file = base_name(name);
    matches!(file, "Chart.yaml" | "values.yaml" | "values.schema.json") || file.ends_with(".tgz") || name.split('/').any(|part| part == "templates")
}

fn unloadable(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("chart-file", message).hint("take it out of the chart's folder"))
}

fn packed(source: &dyn Source, path: &str, limits: Limits) -> Result<Vec<Raw>> {
    let bytes = source.read(path)?;
    if !archive::looks_gzipped(&bytes) {
        let extension = path.rsplit('.').next().unwrap_or_default();
        let message = if matches!(extension, "yml" | "yaml") {
            format!("file '{path}' seems to be a YAML file, but expected a gzipped archive")
        } else {
            format!("file '{path}' does not appear to be a gzipped archive")
        };
        return Err(Box::new(Diagnostic::input("chart-not-packed", message)));
    }
    raw_files(&bytes, limits)
}

fn raw_files(bytes: &[u8], limits: Limits) -> Result<Vec<Raw>> {
    Ok(archive::chart_files(bytes, limits)?.into_iter().map(|(name, data)| Raw { name, data: data.into() }).collect())
}

/// What sorting files into a chart needs to know.
struct Loader {
    profile: Profile,
    /// Where the chart stands, to name texts in diagnostics.
    origin: String,
}

impl Loader {
    fn named(&self, name: &str, data: &[u8]) -> SourceText {
        SourceText::new(format!("{}/{name}", self.origin), text_of(data))
    }

    fn chart(&self, files: Vec<Raw>, depth: usize) -> Result<Chart> {
        if depth > CHART_DEPTH_MAX {
            let message = format!("charts are nested more than {CHART_DEPTH_MAX} deep");
            return Err(Box::new(Diagnostic::input("chart-too-deep", message)));
        }
        let mut chart = Chart {
            metadata: self.metadata(&files, depth)?,
            templates: Vec::new(),
            files: Vec::new(),
            values: None,
            values_text: None,
            schema: None,
            dependencies: Vec::new(),
            warnings: Vec::new(),
            units: Units::default(),
        };
        let mut subcharts: BTreeMap<String, Vec<Raw>> = BTreeMap::new();
        for file in files {
            if let Some(inside) = file.name.strip_prefix("charts/").filter(|inside| !inside.ends_with(".prov")) {
                let first = inside.split('/').next().unwrap_or_default().to_owned();
                subcharts.entry(first).or_default().push(Raw { name: inside.to_owned(), data: file.data });
            } else {
                self.place(&mut chart, file)?;
            }
        }
        chart.metadata.validate(self.profile)?;
        let subcharts = subcharts.into_iter().filter(|(name, _)| !name.starts_with(['_', '.'])).collect();
        let loaded = threads::map(subcharts, |(name, files)| {
            self.subchart(&name, files, depth).map(Arc::new).map_err(|mut fault| {
                fault.message = format!("error unpacking subchart {name} in {}: {}", chart.metadata.name, fault.message);
                fault
            })
        });
        chart.dependencies = loaded.into_iter().collect::<Result<_>>()?;
        Ok(chart)
    }

    fn metadata(&self, files: &[Raw], depth: usize) -> Result<Metadata> {
        let mut metadata = None;
        for file in files.iter().filter(|file| file.name == "Chart.yaml") {
            let metadata: &mut Metadata = metadata.get_or_insert_default();
            self.decode(file, |tree| metadata.decode(tree))?;
            if metadata.api_version.is_empty() {
                "v1".clone_into(&mut metadata.api_version);
            }
        }
        let missing = || Box::new(Diagnostic::input("chart-yaml-missing", "Chart.yaml file is missing"));
        let metadata = metadata.ok_or_else(missing)?;
        let known = matches!(metadata.api_version.as_str(), "v1" | "v2");
        if depth == 0 && !known && self.profile.chart_api_version_checked() {
            let fault = Diagnostic::input("chart-api-version", "unsupported chart version");
            let hint = format!("set `apiVersion: v2` in Chart.yaml in place of `{}`", metadata.api_version);
            return Err(Box::new(fault.hint(hint)));
        }
        Ok(metadata)
    }

    /// Reads a YAML file and hands its tree on.
    fn decode(&self, file: &Raw, into: impl FnOnce(&Tree) -> Result<()>) -> Result<()> {
        let read = || {
            let text = SourceText::new(format!("{}/{}", self.origin, file.name), yaml::decode(file.data.bytes()?)?);
            into(&yaml::parse(&text, yaml::Dialect::V2)?)
        };
        read().map_err(|fault| cannot_load(&file.name, fault))
    }

    /// Puts a file that is not under `charts/` where it belongs.
    fn place(&self, chart: &mut Chart, file: Raw) -> Result<()> {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => self.decode(&file, check_lock)?,
            "values.yaml" => {
                let name = format!("{}/{}", self.origin, file.name);
                let text = values::text(name, file.data.bytes()?, self.profile).map_err(|fault| cannot_load(&file.name, fault))?;
                chart.values = Some(values::read(&text, self.profile).map_err(|fault| cannot_load(&file.name, fault))?);
                chart.values_text = Some(text);
            }
            "values.schema.json" => chart.schema = Some(self.named(&file.name, file.data.bytes()?)),
            "requirements.yaml" | "requirements.lock" => {
                if chart.metadata.api_version != "v1" {
                    chart.warnings.push(format!("`{}` is read although Chart.yaml has apiVersion v2", file.name));
                }
                if file.name == "requirements.yaml" {
                    self.decode(&file, |tree| chart.metadata.decode(tree))?;
                } else {
                    self.decode(&file, check_lock)?;
                }
                if chart.metadata.api_version == "v1" {
                    chart.files.push(File { name: Arc::from(file.name), data: file.data });
                }
            }
            name if name.starts_with("templates/") => {
                chart.templates.push(Template { text: Arc::from(text_of_bytes(file.data.bytes()?)), name: file.name });
            }
            _ => chart.files.push(File { name: Arc::from(file.name), data: file.data }),
        }
        Ok(())
    }

    fn subchart(&self, name: &str, files: Vec<Raw>, depth: usize) -> Result<Chart> {
        let inner = Loader { profile: self.profile, origin: format!("{}/charts/{name}", self.origin) };
        if name.ends_with(".tgz") {
            let Some(file) = files.first().filter(|file| file.name == name) else {
                let got = files.first().map(|file| file.name.as_str()).unwrap_or_default();
                let message = format!("error unpacking subchart tar: expected {name}, got {got}");
                return Err(Box::new(Diagnostic::input("chart-subchart", message)));
            };
            return inner.chart(raw_files(file.data.bytes()?, limits(self.profile))?, depth + 1);
        }
        let strip = |file: Raw| {
            let name = file.name.split_once('/')?.1.to_owned();
            Some(Raw { name, data: file.data })
        };
        inner.chart(files.into_iter().filter_map(strip).collect(), depth + 1)
    }
}

fn cannot_load(name: &str, mut fault: Box<Diagnostic>) -> Box<Diagnostic> {
    fault.message = format!("cannot load {name}: {}", fault.message);
    fault
}

/// Bytes as text; what is no UTF-8 becomes the replacement character.
pub(crate) fn text_of(data: &[u8]) -> Arc<str> {
    std::str::from_utf8(data).map_or_else(|_| String::from_utf8_lossy(data).into(), Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Memory;

    fn tree(files: &[(&str, &str)]) -> Memory {
        let mut memory = Memory::new();
        for (path, text) in files {
            memory.insert(&format!("/web/{path}"), text.as_bytes());
        }
        memory
    }

    fn load(files: &[(&str, &str)]) -> Result<Arc<Chart>> {
        Chart::load(&tree(files), "/web", Profile::default())
    }

    const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");

    #[test]
    fn files_go_where_they_belong() {
        let chart = load(&[
            CHART,
            ("values.yaml", "\u{feff}a: 1\n---\nb: 2\n"),
            ("templates/a.yaml", "a"),
            ("templates/.hidden", "no"),
            ("crds/c.yaml", "c"),
            ("notes.txt", "n"),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 0.1.0\n"),
            ("charts/_off/Chart.yaml", "no"),
            (".helmignore", "notes.txt\n"),
        ])
        .expect("a chart");
        assert_eq!(chart.templates.len(), 1);
        assert_eq!(chart.crds().count(), 1);
        assert_eq!(chart.files.iter().map(|file| &*file.name).collect::<Vec<_>>(), [".helmignore", "crds/c.yaml"]);
        assert_eq!(chart.dependencies[0].metadata.api_version, "v1");
        let values = chart.values.as_ref().and_then(Tree::as_map).expect("values");
        assert!(values.contains("a") && values.contains("b"));
    }

    #[test]
    fn what_helm_refuses() {
        for (files, why) in [
            (vec![("values.yaml", "a: 1")], "unable to detect chart"),
            (vec![("Chart.yaml", "name: web")], "version is required"),
            (vec![("Chart.yaml", "version: 1.0.0")], "name is required"),
            (vec![("Chart.yaml", "name: web\nversion: x")], "is invalid"),
            (vec![("Chart.yaml", "apiVersion: v9\nname: web\nversion: 1.0.0")], "unsupported chart version"),
            (vec![("Chart.yaml", "name: a/b\nversion: 1.0.0")], "is invalid"),
            (vec![("Chart.yaml", "name: web\nversion: 1.0.0\ntype: none")], "application or library"),
            (vec![("Chart.yaml", "name: web\nversion: 1.0.0\ndependencies: [{name: a}, {name: b, alias: a}]")], "more than one"),
            (vec![("Chart.yaml", "name: web\nversion: 1.0.0\ndependencies: [null]")], "empty or null"),
            (vec![CHART, ("values.yaml", "- a")], "values"),
            (vec![CHART, ("charts/README.md", "no chart")], "error unpacking subchart README.md in web"),
            (vec![CHART, ("charts/x.tgz", "no gzip")], "error unpacking subchart x.tgz in web"),
        ] {
            let fault = load(&files).expect_err(why);
            assert!(fault.message.contains(why), "{why}: {fault}");
        }
    }

    #[test]
    fn folders_nested_without_end_are_refused() {
        let deep = format!("templates/{}a.yaml", "d/".repeat(FOLDER_DEPTH_MAX));
        let fault = load(&[CHART, (&deep, "")]).expect_err("too deep");
        assert_eq!(fault.code, "chart-too-deep");
    }

    #[test]
    fn charts_nested_without_end_are_refused() {
        let mut files: Vec<Raw> = Vec::new();
        for depth in 0..CHART_DEPTH_MAX + 2 {
            let name = format!("{}Chart.yaml", "charts/sub/".repeat(depth));
            files.push(Raw { name, data: Content::from(Arc::from(&b"name: sub\nversion: 1.0.0\n"[..])) });
        }
        let loader = Loader { profile: Profile::default(), origin: String::new() };
        let fault = loader.chart(files, 0).expect_err("too deep");
        assert_eq!(fault.code, "chart-too-deep");
    }
}
