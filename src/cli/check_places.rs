//! Findings at their lines: of the manifest, of the patch that has the last word, or of the template and the values that it printed.

#![expect(clippy::disallowed_methods, reason = "the sources' texts are read from disk")]

use std::path::Path;

use crate::check::{Finding, Judged, Places};
use crate::compat::Profile;
use crate::diag::{Result, SourceText};
use crate::diff::Step;
use crate::manifest::{Object, Set};
use crate::render::{self, Kind, Options};
use crate::source::{Source, relative};
use crate::value::Tree;

use super::bring::{FetchFlags, settle, settle_in};
use super::git_source::GitSource;
use super::input::{self, Input};
use super::seed::SeedArgs;
use super::terminal::Terminal;
use super::why::{Field, Finder, Place};

/// Findings at their places in a source.
pub(super) fn judged(
    source: &str,
    set: &Set,
    findings: Vec<Finding>,
    profile: Profile,
    fetch: &FetchFlags,
) -> Vec<Judged> {
    let here = input::absolute(".").unwrap_or_default();
    let root = input::absolute(source).unwrap_or_default();
    let read = |file: &str| {
        let below = Path::new(&root);
        let folder = if below.is_dir() { below } else { below.parent().unwrap_or(below) };
        // an origin names a file as the user would, or below the source
        let paths = [Path::new(file).to_path_buf(), folder.join(file)];
        let (path, text) =
            paths.into_iter().find_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))?;
        Some((path.to_str().map_or_else(|| file.to_owned(), |path| shown(&here, path)), text))
    };
    // what cannot be rendered once more has the places that its objects tell
    let said = said(source, set, &findings, profile, fetch).unwrap_or_default();
    let mut places = Places::new(&read);
    let mut said = said.into_iter();
    let one = |finding: Finding| {
        let mut place = places.of(set, &finding);
        let (values, mut others): (Vec<Place>, Vec<Place>) =
            said.next().unwrap_or_default().into_iter().partition(|place| place.what == "values");
        if let Some(known) = others.pop() {
            place = places.line(&known.file, known.line, None);
            if place.shown.is_none() {
                place.file = shown(&here, &known.file);
            }
            if let Some((text, span)) = known.shown {
                let name = if place.shown.is_some() { place.file.as_str() } else { text.name() };
                place.column = text.line_column(span.start).1 + 1;
                place.shown = Some((SourceText::new(name, text.text()), span));
            }
        }
        place.values = values.into_iter().map(|place| (shown(&here, &place.file), place.line)).collect();
        Judged { finding, place }
    };
    findings.into_iter().map(one).collect()
}

/// A path as the user would write it: from the working folder, if it is below.
fn shown(here: &str, path: &str) -> String {
    match path.strip_prefix(here) {
        Some(rest) if rest.starts_with('/') || here == "/" => relative(here, path),
        _ => path.to_owned(),
    }
}

/// For each finding, the places that say the value that it is about.
fn said(
    source: &str,
    set: &Set,
    findings: &[Finding],
    profile: Profile,
    fetch: &FetchFlags,
) -> Result<Vec<Vec<Place>>> {
    let ways: Vec<Way<'_>> =
        findings.iter().map(|finding| Way::of(&set.objects[finding.object], &finding.path)).collect();
    let fields: Vec<Field<'_>> = ways.iter().map(Way::field).collect();
    let (options, quiet) = (Options::of(profile), Terminal::quiet());
    let find = |files: &dyn Source, root: &str, options: &Options| {
        // plain manifests say it all themselves
        if matches!(render::kind(files, root)?, Kind::Folder | Kind::File) {
            return Ok(Vec::new());
        }
        Finder::new(files, root).places(&fields, options, &mut SeedArgs::default().world(false)?)
    };
    match Input::parse(source)? {
        Input::Stdin | Input::Artifact(_) | Input::Live => Ok(Vec::new()),
        Input::Path(path) => settle(&path, &options, fetch, &quiet, |files, options| find(files, &path, options)),
        Input::Git(git) => {
            let files = GitSource::open(&git)?;
            settle_in(&files, &git.path, &options, fetch, &quiet, |files, options| find(files, &git.path, options))
        }
    }
}

/// The way of a finding in its object.
struct Way<'o> {
    object: &'o Object,
    steps: Vec<Step>,
    /// What stands there; nothing where it is missing, or the whole object is meant.
    value: Option<&'o Tree>,
}

impl<'o> Way<'o> {
    fn of(object: &'o Object, path: &[String]) -> Way<'o> {
        let mut at = Some(object.tree());
        let mut steps = Vec::new();
        for text in path {
            let items = at.and_then(Tree::as_list);
            let place = text.parse::<usize>().ok().filter(|_| items.is_some());
            at = match (items, place) {
                (Some(items), Some(place)) => items.get(place),
                _ => at.and_then(|at| at.get(text)),
            };
            steps.push(match place {
                Some(_) => {
                    let name = at.and_then(|item| item.get("name")).and_then(Tree::as_scalar);
                    let name = name.map(|name| format!("name={}", name.text)).unwrap_or_default();
                    Step::Item { old: place, new: place, name: name.as_str().into() }
                }
                None => Step::Key(text.as_str().into()),
            });
        }
        Way { object, steps, value: at.filter(|_| !path.is_empty()) }
    }

    fn field(&self) -> Field<'_> {
        let (id, origin) = (&self.object.id, &*self.object.origin);
        Field { id, origin, steps: &self.steps, new: true, value: self.value, missing: self.value.is_none() }
    }
}
