//! Failures of parsing and executing, with Go's wording kept as data.

use std::fmt;

use crate::diag::{Diagnostic, SourceText, Span};

/// A template text that Go would not parse.
#[derive(Clone, Debug)]
pub struct ParseError {
    /// The text.
    pub source: SourceText,
    /// One-based line that Go names.
    pub line: usize,
    /// The offending token, for an excerpt.
    pub span: Span,
    /// The fault as Go words it (`unexpected "}" in operand`).
    pub message: String,
    /// The action that opened what was not closed.
    pub opened: Option<Span>,
    /// Advice; starts with a verb.
    pub hint: Option<String>,
}

impl ParseError {
    /// The fault with its place.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::input("template-parse", self.message.clone());
        // an end without what it ends says nothing; what was opened does
        match self.opened {
            Some(opened) => diagnostic = diagnostic.at(&self.source, opened, "opened here and not closed"),
            None => diagnostic = diagnostic.at(&self.source, self.span, ""),
        }
        diagnostic.hints.extend(self.hint.clone());
        diagnostic
    }
}

impl fmt::Display for ParseError {
    /// Go's whole text: `template: x.yaml:3: unexpected "}" in operand`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}: {}", self.source.name(), self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// The place of a node, as Go prints it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The text.
    pub source: SourceText,
    /// The node's bytes.
    pub span: Span,
    /// The node as Go prints it (`.Values.a | quote`).
    pub context: String,
}

/// What an execution error wraps.
#[derive(Debug)]
pub enum Cause {
    /// The error text of a function.
    Text(String),
    /// A template that a function ran; the first field stands before its text.
    Nested(String, Box<ExecError>),
    /// A limit of ours.
    Refused(Box<Diagnostic>),
}

/// A template that failed while it ran.
#[derive(Debug)]
pub struct ExecError {
    /// Name of the template that ran (a `define`'s name, or the file's).
    pub template: String,
    /// The node that failed; nothing when no template ran at all.
    pub place: Option<Box<Place>>,
    /// What failed, without the cause (`wrong type for value; expected string; got float64`, `error calling include: `).
    pub message: String,
    /// The function's own error, where a function failed.
    pub cause: Option<Cause>,
    /// Advice; starts with a verb.
    pub hint: Option<String>,
}

impl ExecError {
    /// An error of no place in a template; `message` is Go's whole text.
    pub fn bare(message: impl Into<String>) -> ExecError {
        ExecError { template: String::new(), place: None, message: message.into(), cause: None, hint: None }
    }

    /// The innermost failure: the one that names the real fault.
    pub fn innermost(&self) -> &ExecError {
        let mut error = self;
        while let Some(Cause::Nested(_, source)) = &error.cause {
            error = source;
        }
        error
    }

    /// The innermost fault with its place, and the includes that led there as trail.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let inner = self.innermost();
        let message = match &inner.cause {
            Some(Cause::Text(text)) => format!("{}{text}", inner.message),
            Some(Cause::Refused(diagnostic)) => format!("{}{}", inner.message, diagnostic.message),
            _ => inner.message.clone(),
        };
        let mut diagnostic = Diagnostic::input("template-exec", message);
        if let Some(Cause::Refused(refused)) = &inner.cause {
            diagnostic.code = refused.code;
            diagnostic.hints.clone_from(&refused.hints);
        }
        diagnostic.hints.extend(inner.hint.clone());
        let mut steps = Vec::new();
        let mut error = self;
        loop {
            steps.push(error);
            let Some(Cause::Nested(_, source)) = &error.cause else { break };
            error = source;
        }
        let mut places = steps.into_iter().rev().filter_map(|step| step.place.as_ref());
        // a template that is not there has no place: the call has
        if let Some(place) = places.next() {
            diagnostic = diagnostic.at(&place.source, place.span, "");
        }
        for place in places {
            diagnostic = diagnostic.trail("included from", Some((place.source.clone(), place.span)));
        }
        diagnostic
    }
}

impl fmt::Display for ExecError {
    /// Go's whole text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            let (line, column) = place.source.line_column(place.span.start);
            let name = super::print::quote(self.template.as_bytes());
            write!(f, "template: {}:{line}:{column}: executing {name} at <{}>: ", place.source.name(), place.context)?;
        } else if !self.template.is_empty() {
            write!(f, "template: {}: ", self.template)?;
        }
        f.write_str(&self.message)?;
        match &self.cause {
            None => Ok(()),
            Some(Cause::Text(text)) => f.write_str(text),
            Some(Cause::Nested(prefix, source)) => {
                f.write_str(prefix)?;
                fmt::Display::fmt(source, f)
            }
            Some(Cause::Refused(diagnostic)) => f.write_str(&diagnostic.message),
        }
    }
}

impl std::error::Error for ExecError {}

