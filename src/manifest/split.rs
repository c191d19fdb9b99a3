//! Texts of many documents cut into texts of one, as Helm and as kustomize cut them: by patterns, not by parsing.
//!
//! In: a text. Out: its parts. Neither way knows block scalars, so a line of dashes inside one cuts it, as it does in
//! the real tools.

use std::borrow::Cow;
use std::ops::Range;

use crate::diag::{Diagnostic, Result, SourceText, Span};

/// How Helm cuts what its templates print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelmCut {
    /// Up to Helm 4.2.3: white space around the dashes goes, and around each document.
    Trimmed,
    /// From Helm 4.2.4 on: line ends before and after documents stay.
    Kept,
}

/// White space as Go's regular expressions mean it.
fn is_regexp_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0C')
}

/// The documents of a text as Helm's `SplitManifests` gives them, in order; empty ones are left out.
///
/// Dashes at the beginning of a line cut wherever they stand, even with text right behind them (`---apiVersion: v1`).
pub fn cut_as_helm(text: &str, cut: HelmCut) -> Vec<&str> {
    let parts = match cut {
        HelmCut::Trimmed => cut_trimmed(text.trim()),
        HelmCut::Kept => cut_kept(text.trim_start()),
    };
    parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .map(|part| if cut == HelmCut::Trimmed { part.trim() } else { part.trim_start() })
        .collect()
}

/// Cuts at `(?:^|\s*\n)---\s*`, `^` being the beginning of the text.
fn cut_trimmed(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut search = 0;
    while let Some(found) = memchr::memmem::find(&bytes[search..], b"---") {
        let dashes = search + found;
        let before = &bytes[begin..dashes];
        if dashes != 0 && before.last() != Some(&b'\n') {
            search = dashes + 1;
            continue;
        }
        let spaces = before.iter().rev().take_while(|byte| is_regexp_space(**byte)).count();
        parts.push(&text[begin..dashes - spaces]);
        begin = dashes + 3;
        while bytes.get(begin).copied().is_some_and(is_regexp_space) {
            begin += 1;
        }
        search = begin;
    }
    parts.push(&text[begin..]);
    parts
}

/// Cuts at `(?m)^---[ \t]*`.
fn cut_kept(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut search = 0;
    while let Some(found) = memchr::memmem::find(&bytes[search..], b"---") {
        let dashes = search + found;
        if dashes != 0 && bytes[dashes - 1] != b'\n' {
            search = dashes + 1;
            continue;
        }
        parts.push(&text[begin..dashes]);
        begin = dashes + 3;
        while matches!(bytes.get(begin), Some(b' ' | b'\t')) {
            begin += 1;
        }
        search = begin;
    }
    parts.push(&text[begin..]);
    parts
}

/// The documents of a text as kustomize cuts it, empty ones included: the text with CR LF made LF, and the range of each
/// document in it.
///
/// Fails with code `manifest-separator` where something other than a comment follows the dashes.
pub fn cut_as_kustomize(source: &SourceText) -> Result<(Cow<'_, str>, Vec<Range<usize>>)> {
    let text = match memchr::memmem::find(source.text().as_bytes(), b"\r\n") {
        Some(_) => Cow::Owned(source.text().replace("\r\n", "\n")),
        None => Cow::Borrowed(source.text()),
    };
    let mut ranges = Vec::new();
    let bytes = text.as_bytes();
    let mut begin = 0;
    let mut search = 0;
    while let Some(found) = memchr::memmem::find(&bytes[search..], b"\n---") {
        let at = search + found;
        let rest = &text[at + 4..];
        let Some(length) = rest.find('\n') else { break };
        let trailer = rest[..length].trim();
        if !trailer.is_empty() && !trailer.starts_with('#') {
            let line = text[at + 1..at + 4 + length].trim();
            let message = format!("invalid document separator: {line}");
            return Err(Box::new(
                Diagnostic::input("manifest-separator", message)
                    .at(source, Span::new(at + 1, at + 4 + length), "")
                    .hint("begin the document on the next line"),
            ));
        }
        // every document but the last gets back the line end that the separator took
        ranges.push(begin..at + 1);
        begin = at + 4 + length + 1;
        search = begin;
    }
    if !text.is_empty() {
        ranges.push(begin..text.len());
    }
    Ok((text, ranges))
}

/// Puts documents together with `---` between them, as kustomize prints.
pub fn join<'d>(documents: impl IntoIterator<Item = &'d str>) -> String {
    let mut out = String::new();
    for (at, document) in documents.into_iter().enumerate() {
        if at > 0 {
            out.push_str("---\n");
        }
        out.push_str(document);
        if !document.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helm_cuts_at_dashes_that_begin_a_line() {
        let text = "\n---\n# c\na: 1\n\n --- x\n---\n---\nb: |\n  ---\n---c: 3\n";
        assert_eq!(cut_as_helm(text, HelmCut::Trimmed), ["# c\na: 1\n\n --- x", "---\nb: |\n  ---", "c: 3"]);
        assert_eq!(cut_as_helm(text, HelmCut::Kept), ["# c\na: 1\n\n --- x\n", "b: |\n  ---\n", "c: 3\n"]);
        assert!(cut_as_helm(" \n---\n\n", HelmCut::Trimmed).is_empty());
    }

    #[test]
    fn kustomize_cuts_at_whole_lines() {
        let source = SourceText::new("a.yaml", "a: 1\r\n--- # c\r\nb: 2\n---\n---\nc: 3\n---");
        let (text, ranges) = cut_as_kustomize(&source).expect("the separators are good");
        let parts: Vec<&str> = ranges.into_iter().map(|range| &text[range]).collect();
        assert_eq!(parts, ["a: 1\n", "b: 2\n", "---\nc: 3\n---"]);
        let bad = SourceText::new("a.yaml", "a: 1\n--- b: 2\n");
        assert_eq!(cut_as_kustomize(&bad).expect_err("text follows").message, "invalid document separator: --- b: 2");
    }

    #[test]
    fn joined_documents_cut_apart_again() {
        let joined = join(["a: 1", "b: 2\n"]);
        assert_eq!(joined, "a: 1\n---\nb: 2\n");
        assert_eq!(cut_as_helm(&joined, HelmCut::Kept), ["a: 1\n", "b: 2\n"]);
    }
}
