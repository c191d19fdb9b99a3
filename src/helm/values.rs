//! The user's values: files and `--set` flags, merged in Helm's order.
//!
//! In: texts, already read. Out: one map that wins over every chart's defaults. Also reads the charts' own
//! `values.yaml`, which follows the same rules for documents.

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result, SourceText, Span};
use crate::gotmpl::{Map, Val};
use crate::value::{self, Tree};
use crate::yaml;

use super::numbers::to_val;
use super::strvals;

/// Reads a file that `--set-file` names.
pub type ReadFile<'a> = &'a (dyn Fn(&str) -> Result<Vec<u8>> + Sync);

/// What the user set, each list in the order of the command line.
#[derive(Default)]
pub struct UserValues<'a> {
    /// Values files.
    pub files: Vec<SourceText>,
    /// `--set-json`.
    pub json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub strings: Vec<String>,
    /// `--set-file`.
    pub from_files: Vec<String>,
    /// `--set-literal`.
    pub literals: Vec<String>,
    /// How `--set-file` reads; nothing refuses it.
    pub read_file: Option<ReadFile<'a>>,
}

impl UserValues<'_> {
    /// All of them as one map: files, then `--set-json`, `--set`, `--set-string`, `--set-file`, `--set-literal`. `known` is a text
    /// that was read before, as the chart's own was: kustomize gives Helm that one once more.
    pub(crate) fn merged(&self, profile: Profile, known: Option<(&SourceText, &Tree)>) -> Result<Map> {
        let mut base = Map::new();
        for file in &self.files {
            let tree = match known.filter(|(text, _)| text.text() == file.text()) {
                Some((_, tree)) => tree.clone(),
                None => read(file, profile).map_err(|fault| prefixed(fault, &format!("failed to parse {}", file.name())))?,
            };
            if let Val::Map(map) = to_val(&tree) {
                base = merge_maps(&base, &map);
            }
        }
        for text in &self.json {
            let trimmed = text.trim();
            if trimmed.starts_with('{') && profile.set_json_takes_object() {
                let wrong = || flag_fault("--set-json", text, "data JSON: not a JSON object");
                let json = serde_json::from_str(trimmed).map_err(|_| wrong())?;
                let Val::Map(map) = strvals::json_val(&json) else { return Err(wrong()) };
                base = merge_maps(&base, &map);
            } else {
                strvals::parse_json(text, &base, profile).map_err(|why| flag_fault("--set-json", text, &why))?;
            }
        }
        for text in &self.set {
            strvals::parse(text, &base, &strvals::typed, profile).map_err(|why| flag_fault("--set", text, &why))?;
        }
        for text in &self.strings {
            strvals::parse(text, &base, &|text| Ok(Val::str(text)), profile).map_err(|why| flag_fault("--set-string", text, &why))?;
        }
        for text in &self.from_files {
            let read = |path: &str| match self.read_file {
                Some(read) => read(path).map(Val::from).map_err(|fault| fault.message),
                None => Err("no file can be read here".to_owned()),
            };
            strvals::parse(text, &base, &read, profile).map_err(|why| flag_fault("--set-file", text, &why))?;
        }
        for text in &self.literals {
            strvals::parse_literal(text, &base, profile).map_err(|why| flag_fault("--set-literal", text, &why))?;
        }
        Ok(base)
    }
}

/// A fault in a flag's text, shown with an excerpt of it.
fn flag_fault(flag: &str, text: &str, why: &str) -> Box<Diagnostic> {
    let source = SourceText::new(flag, text);
    let fault = Diagnostic::input("values-flag", format!("failed parsing {flag} data: {why}"));
    Box::new(fault.at(&source, Span::new(0, text.len()), ""))
}

fn prefixed(mut fault: Box<Diagnostic>, prefix: &str) -> Box<Diagnostic> {
    fault.message = format!("{prefix}: {}", fault.message);
    fault
}

/// The text of a values file.
pub fn text(name: impl Into<String>, bytes: &[u8], profile: Profile) -> Result<SourceText> {
    if bytes.starts_with(b"\xff\xfe") && profile.values_end_in_line_feed() {
        // the line feed that Helm adds is half a character here
        let fault = Diagnostic::input("yaml-encoding", "yaml: incomplete UTF-16 character");
        return Err(Box::new(fault.hint("save the file as UTF-8")));
    }
    let kept = if profile.full_last_line_dropped() { without_full_last_line(bytes) } else { bytes };
    Ok(SourceText::new(name, yaml::decode(kept)?))
}

/// The buffer that lines of a values file are read with, in bytes.
const LINE_BUFFER_BYTES: usize = 4096;

fn without_full_last_line(bytes: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let last = bytes.len() - start;
    if last > 0 && last.is_multiple_of(LINE_BUFFER_BYTES) { &bytes[..start] } else { bytes }
}

/// Reads a values file; it must hold a map or nothing. Helm 4 merges all its documents, Helm 3 reads the first.
pub(crate) fn read(source: &SourceText, profile: Profile) -> Result<Tree> {
    let documents = if profile.values_documents_merged() { documents(source)? } else { vec![] };
    if documents.len() <= 1 && source.text().starts_with(documents.first().copied().unwrap_or_default()) {
        // the whole text keeps spans right; what stands around a single document changes nothing
        return table(parsed(source)?, source);
    }
    let mut merged = Tree::empty_map();
    for document in documents {
        let part = SourceText::new(source.name(), document);
        let tree = table(parsed(&part)?, &part)?;
        merged = merge_trees(&merged, &tree);
    }
    Ok(merged)
}

fn parsed(source: &SourceText) -> Result<Tree> {
    yaml::parse(source, yaml::Dialect::V2).map_err(|fault| prefixed(fault, "error converting YAML to JSON"))
}

fn table(tree: Tree, source: &SourceText) -> Result<Tree> {
    match tree {
        Tree::Map(_) => Ok(tree),
        tree if tree.is_null() => Ok(Tree::empty_map()),
        tree => {
            let found = match tree {
                Tree::List(_) => "a list",
                _ => "a scalar",
            };
            let fault = Diagnostic::input("values-not-a-map", format!("`{}` holds {found} where values are a map", source.name()));
            Err(Box::new(fault.at(source, Span::point(0), "").hint("write `key: value` lines")))
        }
    }
}

/// The documents of a text as Kubernetes' line reader splits it: a line of `---` and at most a comment separates; texts
/// between are handed on with their lines untouched. Anything else behind `---` is a fault.
fn documents(source: &SourceText) -> Result<Vec<&str>> {
    let text = source.text();
    let mut documents = Vec::new();
    let mut start = 0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("error reading yaml document: invalid Yaml document separator: {rest}");
                let fault = Diagnostic::input("values-separator", message);
                let span = Span::new(offset, offset + line.trim_end().len());
                return Err(Box::new(fault.at(source, span, "").hint("begin the document on a line of its own")));
            }
            if offset > start {
                documents.push(&text[start..offset]);
            }
            start = offset + line.len();
        }
        offset += line.len();
    }
    if start < text.len() {
        documents.push(&text[start..]);
    }
    Ok(documents)
}

/// `over` laid over `base`, map by map; null is a value like any other.
fn merge_trees(base: &Tree, over: &Tree) -> Tree {
    let (Tree::Map(base), Tree::Map(over)) = (base, over) else { return over.clone() };
    let mut merged: value::Map = (**base).clone();
    for (key, tree) in over.iter() {
        let tree = match base.get(key) {
            Some(old) if old.as_map().is_some() && tree.as_map().is_some() => merge_trees(old, tree),
            _ => tree.clone(),
        };
        merged.set(key.clone(), tree);
    }
    Tree::map(merged)
}

/// As [`merge_trees`], on template values. Maps on the way are new, what they hold is shared.
fn merge_maps(base: &Map, over: &Map) -> Map {
    let merged = base.shallow_copy();
    for (key, value) in over.snapshot() {
        let value = match (merged.get(&key), value) {
            (Some(Val::Map(old)), Val::Map(new)) => Val::Map(merge_maps(&old, &new)),
            (_, value) => value,
        };
        merged.set(key, value);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_split_at_separators() {
        let count = |text| documents(&SourceText::new("", text)).map(|documents| documents.len()).ok();
        assert_eq!(count("---\na: 1\n--- \nb: 2\n"), Some(2));
        assert_eq!(count("a: 1\n--- # note\nb: 2\n"), Some(2));
        assert_eq!(count("a: 1\n--- b: 2\n"), None);
        assert_eq!(count(""), Some(0));
    }

    #[test]
    fn flags_come_after_files_and_in_helms_order() {
        let values = UserValues {
            files: vec![SourceText::new("a.yaml", "a: {x: 1, y: 2}\n"), SourceText::new("b.yaml", "a: {x: 3}\n")],
            set: vec!["b=1".into(), "a.y=null".into()],
            strings: vec!["b=2".into()],
            ..UserValues::default()
        };
        let map = values.merged(Profile::default(), None).expect("good values");
        let Some(Val::Map(a)) = map.get("a") else { panic!("a map") };
        assert!(matches!(a.get("x"), Some(Val::Float(n)) if n == 3.0));
        assert!(matches!(a.get("y"), Some(Val::Nil)));
        assert!(map.get("b").is_some_and(|b| b.as_str().is_some_and(|b| *b == "2")));
    }
}
