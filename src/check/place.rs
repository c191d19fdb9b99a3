//! Where a finding stands in the sources: file, line and column.
//!
//! In: an object with its origin, and a path in it. Out: a [`Place`]. An object that was read from a file points into its own
//! text; one that a build made points into the file that its origin names, if the caller can read that, at the same path of
//! the document of the same kind and name there; else at the start of its origin. A caller that knows better says so.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::diag::{SourceText, Span};
use crate::manifest::{Object, Set};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

use super::finding::Finding;

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user would name it; empty where nobody knows.
    pub file: String,
    /// Line, one-based; 0 where only the file is known.
    pub line: usize,
    /// Column, one-based; 0 where only the line is known.
    pub column: usize,
    /// The text and the range in it, where it can be shown.
    pub shown: Option<(SourceText, Span)>,
    /// Files and lines of the values that a template printed there.
    pub values: Vec<(String, usize)>,
}

/// Finds places; reads each file, and each document in it, once.
pub struct Places<'r> {
    read: Read<'r>,
    files: BTreeMap<String, Option<Rc<File>>>,
}

/// Gives a file that an origin names, if it is to be had: its name for the user, and its text.
type Read<'r> = &'r dyn Fn(&str) -> Option<(String, String)>;

/// A file that objects came from.
struct File {
    text: SourceText,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Its documents, parsed when first asked for; none of a text that is no YAML, such as a template's.
    documents: OnceCell<Vec<yaml::Piece>>,
}

impl<'r> Places<'r> {
    /// `read` gives a file that an origin names, if it is to be had: its name for the user, and its text.
    pub fn new(read: Read<'r>) -> Places<'r> {
        Places { read, files: BTreeMap::new() }
    }

    /// Where a finding stands.
    pub fn of(&mut self, set: &Set, finding: &Finding) -> Place {
        let object = &set.objects[finding.object];
        let origin = &object.origin;
        let steps: Vec<&str> = finding.path.iter().map(String::as_str).collect();
        let inside = || {
            let text = SourceText::new(origin.file.as_str(), object.raw()?.clone());
            let span = span(&text, &steps)?;
            let (line, column) = text.line_column(span.start);
            let first = origin.line.max(1) as usize;
            Some((first + line - 1, column + 1))
        };
        // a template's line is not its output's
        if let Some((line, column)) = Some(()).filter(|()| origin.chart.is_empty()).and_then(|()| inside()) {
            return self.line(&origin.file, line, Some(column));
        }
        let in_file = self.in_file(object, &steps);
        in_file.unwrap_or_else(|| Place {
            file: origin.file.to_string(),
            line: origin.line as usize,
            column: usize::from(origin.line > 0),
            shown: None,
            values: Vec::new(),
        })
    }

    /// A line of a file; its column is where its text begins, if none is known.
    pub fn line(&mut self, name: &str, line: usize, column: Option<usize>) -> Place {
        let mut place = Place { file: name.to_owned(), line, column: column.unwrap_or(1), shown: None, values: Vec::new() };
        let Some(file) = self.file(name) else { return place };
        file.text.name().clone_into(&mut place.file);
        let Some(start) = file.lines.get(line - 1) else { return place };
        let text = file.text.text()[*start..].lines().next().unwrap_or_default();
        let indent = text.len() - text.trim_start_matches([' ', '-']).len();
        place.column = column.unwrap_or(indent + 1);
        let from = start + (place.column - 1).min(text.len());
        place.shown = Some((file.text.clone(), Span::new(from, start + text.trim_end().len().max(from - start))));
        place
    }

    fn file(&mut self, name: &str) -> Option<Rc<File>> {
        let read = self.read;
        let file = self.files.entry(name.to_owned()).or_insert_with(|| {
            let (name, text) = read(name)?;
            let text = SourceText::new(name, text);
            let ends = memchr::memchr_iter(b'\n', text.text().as_bytes());
            let lines = std::iter::once(0).chain(ends.map(|at| at + 1)).collect();
            Some(Rc::new(File { text, lines, documents: OnceCell::new() }))
        });
        file.clone()
    }

    /// The same path in the document of the same kind, and a name that this one's may have been made of.
    fn in_file(&mut self, object: &Object, steps: &[&str]) -> Option<Place> {
        let file = self.file(&object.origin.file)?;
        let text = &file.text;
        let documents = file.documents.get_or_init(|| yaml::parse_pieces(text, Dialect::V3).unwrap_or_default());
        let fits = |tree: &Tree| {
            let name = tree.at(&["metadata", "name"]).and_then(Tree::as_str).unwrap_or_default();
            tree.get("kind").and_then(Tree::as_str) == Some(&object.id.kind) && object.id.name.contains(name)
        };
        let (_, range) = documents.iter().find(|(tree, _)| fits(tree))?;
        let part = SourceText::new(text.name(), &text.text()[range.clone()]);
        let span = span(&part, steps)?;
        let span = Span::new(range.start + span.start as usize, range.start + span.end as usize);
        let (line, column) = text.line_column(span.start);
        Some(Place { file: text.name().to_owned(), line, column: column + 1, shown: Some((text.clone(), span)), values: Vec::new() })
    }
}

fn span(text: &SourceText, steps: &[&str]) -> Option<Span> {
    yaml::parse_document(text, Dialect::V2).ok()?.spans.nearest(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &'static str, path: &[&str]) -> Place {
        let set = Set::parse(&SourceText::new("a.yaml", text)).expect("objects");
        let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
        let read = |name: &str| Some((name.to_owned(), text.to_owned()));
        Places::new(&read).of(&set, &Finding::error("schema-type", set.len() - 1, &path, "x"))
    }

    #[test]
    fn a_path_is_found_in_the_second_document() {
        let text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: B\nmetadata:\n  name: b\nspec:\n  x:\n  - y: 1\n";
        let place = place(text, &["spec", "x", "0", "y"]);
        assert_eq!((place.file.as_str(), place.line, place.column), ("a.yaml", 11, 5));
        let (source, span) = place.shown.expect("shown");
        assert_eq!(&source.text()[span.start as usize..span.end as usize], "y: 1");
    }

    #[test]
    fn a_field_that_is_missing_points_at_what_lacks_it() {
        let text = "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n";
        assert_eq!(place(text, &["metadata", "labels", "x"]).line, 3);
    }
}
