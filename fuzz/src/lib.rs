//! What each fuzz target does with its bytes. Nothing is compared: a target finds panics, hangs and memory without bound.
//!
//! `fuzz/run TARGET SECONDS` builds and runs one; `seeds/TARGET/` holds what it starts from. Trees of files are one text, each
//! file after a line `=== PATH`.

use std::sync::{Arc, LazyLock};

use hydrant::compat::Profile;
use hydrant::diag::{SourceText, to_text};
use hydrant::gotmpl::{FuncTable, Stack, Unit};
use hydrant::helm::{self, Ambient, Chart, Print, ReleaseOptions, UserValues};
use hydrant::manifest::Set;
use hydrant::source::Memory;
use hydrant::yaml::{self, Dialect};
use hydrant::{archive, funcs, go, kustomize, package};

/// A world without surprises.
struct Still;

impl Ambient for Still {
    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 5)
    }

    fn random(&mut self, _: &str, offset: u32, out: &mut [u8]) {
        out.fill(offset as u8);
    }

    fn host_address(&mut self, _: &str) -> String {
        String::new()
    }
}

static FUNCTIONS: LazyLock<FuncTable> = LazyLock::new(|| funcs::table(Profile::default()));

/// The template parser, and the printer of its faults.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(fault) = Unit::parse(&SourceText::new("a.yaml", text), &FUNCTIONS, Stack::borrowed()) {
        assert!(!fault.to_string().is_empty());
    }
}

/// The YAML reader in both dialects, the printer, and the cutters of documents.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = SourceText::new("a.yaml", text);
    for dialect in [Dialect::V2, Dialect::V3] {
        match yaml::parse_documents(&source, dialect) {
            Ok(documents) => {
                for document in documents {
                    let printed = yaml::to_string(&document.tree);
                    let merges = printed.contains("<<");
                    let again = yaml::parse(&SourceText::new("again", printed), dialect);
                    // go-yaml prints a text `<<` as it prints any other, and reads it as a merge
                    assert!(again.is_ok() || merges, "what is printed is read again: {again:?}");
                }
            }
            Err(fault) => drop(to_text(&fault, false)),
        }
    }
    if yaml::is_printed(text, |_, _, _| {}) {
        let tree = yaml::parse(&source, Dialect::V2).expect("what is printed is read");
        assert_eq!(yaml::to_string(&tree), text, "what is said to be printed is");
    }
    drop(yaml::parse_strict(&source, Dialect::V2));
    if let Ok(set) = Set::parse(&source) {
        drop(set.to_yaml());
    }
}

/// A chart folder, loaded and rendered with a values file of its own (`/user.yaml`).
pub fn chart(data: &[u8]) {
    let Some(files) = tree(data) else { return };
    let user = hydrant::source::Source::read(&files, "/user.yaml").ok();
    let user = user.map(|bytes| SourceText::new("user.yaml", String::from_utf8_lossy(&bytes).into_owned()));
    for name in ["helm-4.3", "helm-3"] {
        let profile = Profile::parse(name).expect("a profile");
        match Chart::load(&files, "/c", profile) {
            Ok(chart) => render(&chart, profile, user.clone()),
            Err(fault) => drop(to_text(&fault, false)),
        }
    }
}

fn render(chart: &Arc<Chart>, profile: Profile, user: Option<SourceText>) {
    let options = ReleaseOptions { profile, ..ReleaseOptions::default() };
    let values = UserValues { files: user.into_iter().collect(), ..UserValues::default() };
    match helm::render(chart, &options, &values, &mut Still) {
        Ok(release) => drop(release.print(&Print { include_crds: true, ..Print::default() })),
        Err(fault) => drop(to_text(&fault, false)),
    }
}

/// A packed chart: gzip, tar, names, and the loader behind them. What is no gzip stream is taken for the tar inside one.
pub fn packed_chart(data: &[u8]) {
    let packed = if archive::looks_gzipped(data) { data.to_vec() } else { archive::gzip(data) };
    let mut files = Memory::new();
    files.insert("/c.tgz", packed);
    if let Ok(chart) = Chart::load(&files, "/c.tgz", Profile::default()) {
        assert!(!chart.metadata.name.is_empty());
    }
}

/// The grammar of `--set` and its sisters.
pub fn set_flags(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let one = || vec![text.to_owned()];
    for values in [
        UserValues { set: one(), ..UserValues::default() },
        UserValues { strings: one(), ..UserValues::default() },
        UserValues { json: one(), ..UserValues::default() },
        UserValues { literals: one(), ..UserValues::default() },
    ] {
        drop(helm::fuzzing::merged(&values));
    }
}

/// The small languages that functions read: regexes, versions, times, durations, URLs, globs, JSON and TOML. The first line
/// is the pattern, the rest is what it meets.
pub fn words(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (pattern, subject) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    if let Ok(regex) = go::re2::Regex::new(pattern) {
        drop(regex.replace_all(subject, b"<$1>"));
        drop(regex.split(subject, -1));
    }
    drop(go::time::Duration::parse(subject));
    drop(go::time::Time::parse(pattern, subject));
    drop(go::time::Time::unix(0).format(pattern));
    let (Ok(pattern), Ok(subject)) = (std::str::from_utf8(pattern), std::str::from_utf8(subject)) else { return };
    if let (Ok(constraints), Ok(version)) =
        (go::semver::Constraints::parse(pattern), go::semver::Version::parse(subject))
    {
        constraints.check(&version);
    }
    if let Ok(glob) = go::glob::Glob::new(pattern) {
        glob.is_match(subject);
    }
}

/// A kustomization in `/app`, built with every file that the text holds. A chart's text is `/chart.yaml`.
pub fn kustomization(data: &[u8]) {
    let Some(files) = tree(data) else { return };
    let chart = hydrant::source::Source::read(&files, "/chart.yaml").ok();
    let inflate = |_: &kustomize::ChartRequest| {
        Ok(chart.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default())
    };
    for name in ["kustomize-5.7", "kustomize-5.4"] {
        let profile = Profile::parse(name).expect("a profile");
        let helm = kustomize::HelmOptions { enabled: true, ..kustomize::HelmOptions::default() };
        let options = kustomize::Options { profile, helm, ..kustomize::Options::default() };
        match kustomize::build(&files, "/app", &options, &kustomize::Shared::new(profile), &inflate) {
            Ok(built) => drop(built.set.to_yaml()),
            Err(fault) => drop(to_text(&fault, false)),
        }
    }
}

/// Field paths, JSON patches and label selectors: a path, a selector, a patch, an object, each after a line `---`.
pub fn paths(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    kustomize::fuzzing::apply(text);
}

/// A layer of an artifact: whatever compression, whatever tar, merged into files that stay inside their folder.
pub fn layer(data: &[u8]) {
    for path in package::fuzzing::unpacked(data) {
        let inside = !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        assert!(inside, "{path:?} leads out");
    }
}

/// Files out of one text.
fn tree(data: &[u8]) -> Option<Memory> {
    let text = std::str::from_utf8(data).ok()?;
    let mut files = Memory::new();
    for part in text.split("=== ").skip(1) {
        let (path, body) = part.split_once('\n').unwrap_or((part, ""));
        files.insert(&format!("/{path}"), body.as_bytes());
    }
    Some(files)
}
