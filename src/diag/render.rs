//! Diagnostics as text for terminals and as JSON for programs.
//!
//! Excerpts are drawn by `annotate-snippets`; order is message, places, trail, hints.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Label, Severity};

/// Longest line that an excerpt shows whole, in bytes; longer ones are shown by place only.
const EXCERPT_LINE_MAX: usize = 2000;

/// The diagnostic as a terminal shows it, ending in a line end. `colour` adds ANSI escapes.
pub fn to_text(diagnostic: &Diagnostic, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
    let mut unshown = Vec::new();
    for (index, label) in diagnostic.labels.iter().enumerate() {
        match excerpt(label) {
            Some((text, first_line, start, end)) => {
                let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let snippet = Snippet::source(text).line_start(first_line).path(label.source.name()).fold(false);
                group = group.element(snippet.annotation(kind.span(start..end).label(label.note.as_str())));
            }
            None => unshown.push(label),
        }
    }
    let mut out = renderer.render(&[group]);
    out.push('\n');
    for label in unshown {
        let (line, column) = label.source.line_column(label.span.start);
        let _ = writeln!(out, "  --> {}:{line}:{} {}", label.source.name(), column + 1, label.note);
    }
    for step in &diagnostic.trail {
        match &step.at {
            Some((source, span)) => {
                let (line, column) = source.line_column(span.start);
                let _ = writeln!(out, "  = {} {}:{line}:{}", step.what, source.name(), column + 1);
            }
            None => {
                let _ = writeln!(out, "  = {}", step.what);
            }
        }
    }
    for hint in &diagnostic.hints {
        let _ = writeln!(out, "hint: {hint}");
    }
    out
}

/// The lines around a label: text, its first line's number, and the label's range inside it.
fn excerpt(label: &Label) -> Option<(&str, usize, usize, usize)> {
    let text = label.source.text();
    let start = floor_char(text, (label.span.start as usize).min(text.len()));
    let end = floor_char(text, (label.span.end as usize).clamp(start, text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let first = text[..line_start.saturating_sub(1)].rfind('\n').map_or(0, |at| at + 1);
    let first = if line_start == 0 { 0 } else { first };
    // an excerpt ends with the line on which the range starts: long ranges need no more to be found
    let last = text[start..].find('\n').map_or(text.len(), |at| start + at);
    if last - first > EXCERPT_LINE_MAX {
        return None;
    }
    let (number, _) = label.source.line_column(u32::try_from(first).ok()?);
    let end = end.min(last).max(start);
    Some((&text[first..last], number, start - first, end - first))
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The diagnostic as one JSON object on one line, without a line end.
pub fn to_json(diagnostic: &Diagnostic) -> String {
    let place = |source: &super::SourceText, span: super::Span| {
        let (line, column) = source.line_column(span.start);
        serde_json::json!({ "file": source.name(), "line": line, "column": column + 1, "start": span.start, "end": span.end })
    };
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|label| serde_json::json!({ "at": place(&label.source, label.span), "note": label.note }))
        .collect();
    let trail: Vec<_> = diagnostic
        .trail
        .iter()
        .map(|step| serde_json::json!({ "what": step.what, "at": step.at.as_ref().map(|(source, span)| place(source, *span)) }))
        .collect();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    serde_json::json!({
        "severity": severity, "code": diagnostic.code, "message": diagnostic.message,
        "labels": labels, "trail": trail, "hints": diagnostic.hints,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{SourceText, Span};

    #[test]
    fn shows_the_line_the_trail_and_the_hint() {
        let source = SourceText::new("a.yaml", "one: 1\ntwo: [\nthree: 3\n");
        let fault = Diagnostic::input("yaml-flow", "a flow list is not closed")
            .at(&source, Span::new(12, 13), "opened here")
            .trail("in base", Some((source.clone(), Span::point(0))))
            .hint("add a `]`");
        let text = to_text(&fault, false);
        assert!(text.contains("a.yaml:2:6"), "{text}");
        assert!(text.contains("two: ["), "{text}");
        assert!(text.contains("in base a.yaml:1:1"), "{text}");
        assert!(text.contains("hint: add a `]`"), "{text}");
    }

    #[test]
    fn a_span_inside_a_character_does_not_break_the_excerpt() {
        let source = SourceText::new("a.yaml", "größe: 1");
        let fault = Diagnostic::input("x", "x").at(&source, Span::new(3, 4), "");
        assert!(to_text(&fault, false).contains("größe"));
    }
}
