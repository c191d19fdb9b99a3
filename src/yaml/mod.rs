//! YAML as go-yaml reads and prints it: the only place that knows its quirks.
//!
//! In: texts. Out: [`Tree`]s with the places of their parts beside them, and texts again, byte for byte as the field's
//! tools print them. Leaves comments behind: neither Helm's nor kustomize's output keeps any.
//!
//! * [`decode`] makes text of a file's bytes.
//! * [`parse`] and [`parse_pieces`] read by a [`Dialect`]; [`read`](read()) builds values of another room's own.
//! * [`to_string`] prints a tree as `sigs.k8s.io/yaml` and so kustomize do; [`Emitter`] prints values that are no
//!   trees, event by event, in that style or in go-yaml v3's.
//! * [`is_printed`] knows of most texts that were printed so already, without reading them.

mod emit;
mod encoding;
mod hop;
mod node;
mod order;
mod print;
mod printed;
mod read;
mod refold;
mod resolve;
mod time;

use std::ops::Range;

use crate::diag::{Result, SourceText};
use crate::value::Tree;

pub use emit::{Emitter, Look};
pub use encoding::decode;
pub use node::{inline, kind_of, lost, node_to_string, tag};
pub use order::sort_keys;
pub use print::{to_json, to_json_indented, to_string, to_string_strict};
pub use printed::is_printed;
#[cfg(feature = "fuzzing")]
pub use read::TreeBuilder;
pub use read::{Build, Plain, Spans, lossy};
pub use resolve::resolve;

/// Whose reading of YAML 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `sigs.k8s.io/yaml` over go-yaml v2, as Helm reads values, charts and `fromYaml`: `yes` is a boolean, a key that
    /// stands twice counts with its last value, keys become strings, scalars have the text that they have in JSON.
    V2,
    /// go-yaml v3 as kyaml uses it, and so kustomize: `yes` is a string, a key that stands twice is a fault, scalars
    /// keep the text that they were written with.
    V3,
}

/// A document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its value; null if it is empty.
    #[cfg_attr(not(feature = "fuzzing"), allow(dead_code, reason = "for fuzz targets; renders ask for places only when something is wrong"))]
    pub tree: Tree,
    /// Where its parts stand.
    pub spans: Spans,
    /// The bytes from where it begins (its `---`, if it has one) to where it ends.
    #[cfg_attr(not(feature = "fuzzing"), allow(dead_code, reason = "as above"))]
    pub range: Range<usize>,
}

/// A document without the places of its parts: its value and its bytes.
pub type Piece = (Tree, Range<usize>);

/// Reads all documents of a text, each with its bytes; without the places of its parts, which cost as much again.
pub fn parse_pieces(source: &SourceText, dialect: Dialect) -> Result<Vec<Piece>> {
    read_documents(source, dialect, &mut read::TreeBuilder { dialect })
}

/// Reads the first document of a text and ignores those after it, as `yaml.Unmarshal` does; an empty text is null.
///
/// Fails with code `yaml-syntax` or `yaml-value`, the message being go-yaml's own (`yaml: line 3: …`).
pub fn parse(source: &SourceText, dialect: Dialect) -> Result<Tree> {
    let mut builder = read::TreeBuilder { dialect };
    Ok(read(source, dialect, &mut builder)?.unwrap_or_else(Tree::null))
}

/// As [`parse`], but in V2 a key that stands twice is a fault too, as in `yaml.UnmarshalStrict`.
pub fn parse_strict(source: &SourceText, dialect: Dialect) -> Result<Tree> {
    let mut builder = read::TreeBuilder { dialect };
    let document = read::composer(source.text(), &mut builder, dialect, true, false).and_then(|mut composer| composer.document());
    match document {
        Ok(document) => Ok(document.map_or_else(Tree::null, |document| document.node)),
        Err(fault) => Err(fault.into_diagnostic(source, dialect)),
    }
}

/// Reads the first document with the places of its parts.
pub fn parse_document(source: &SourceText, dialect: Dialect) -> Result<Document> {
    let mut builder = read::TreeBuilder { dialect };
    let document = read::composer(source.text(), &mut builder, dialect, false, true).and_then(|mut composer| composer.document());
    match document {
        Ok(Some(document)) => Ok(document.into()),
        Ok(None) => Ok(Document { tree: Tree::null(), spans: Spans::default(), range: 0..source.text().len() }),
        Err(fault) => Err(fault.into_diagnostic(source, dialect)),
    }
}

/// Reads all documents of a text, each with the places of its parts. An empty text has none.
#[cfg(any(test, feature = "fuzzing"))]
pub fn parse_documents(source: &SourceText, dialect: Dialect) -> Result<Vec<Document>> {
    let mut builder = read::TreeBuilder { dialect };
    let mut all = || {
        let mut composer = read::composer(source.text(), &mut builder, dialect, false, true)?;
        let mut documents = Vec::new();
        while let Some(document) = composer.document()? {
            documents.push(Document::from(document));
        }
        Ok(documents)
    };
    all().map_err(|fault: Box<read::Fault>| fault.into_diagnostic(source, dialect))
}

/// Reads all documents of a text into values of the caller's own, each with its bytes.
pub fn read_documents<B: Build>(source: &SourceText, dialect: Dialect, builder: &mut B) -> Result<Vec<(B::Node, Range<usize>)>> {
    let mut composer = read::composer(source.text(), builder, dialect, false, false).map_err(|fault| fault.into_diagnostic(source, dialect))?;
    let mut documents = Vec::new();
    loop {
        match composer.document() {
            Ok(Some(document)) => documents.push((document.node, document.start.place as usize..document.end.place as usize)),
            Ok(None) => return Ok(documents),
            Err(fault) => return Err(fault.into_diagnostic(source, dialect)),
        }
    }
}

/// Reads the first document into values of the caller's own; nothing for an empty text.
pub fn read<B: Build>(source: &SourceText, dialect: Dialect, builder: &mut B) -> Result<Option<B::Node>> {
    let document = read::composer(source.text(), builder, dialect, false, false).and_then(|mut composer| composer.document());
    match document {
        Ok(document) => Ok(document.map(|document| document.node)),
        Err(fault) => Err(fault.into_diagnostic(source, dialect)),
    }
}

/// How many events a text makes: what a fuzz target or bench asks of scanner and parser alone.
#[cfg(any(test, feature = "fuzzing"))]
pub fn count_events(source: &SourceText, dialect: Dialect) -> Result<usize> {
    read::count_events(source.text(), dialect).map_err(|fault| fault.into_diagnostic(source, dialect))
}

impl From<read::Composed<Tree>> for Document {
    fn from(composed: read::Composed<Tree>) -> Document {
        Document { tree: composed.node, spans: composed.spans, range: composed.start.place as usize..composed.end.place as usize }
    }
}

#[cfg(test)]
mod tests;
