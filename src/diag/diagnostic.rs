//! The diagnostic itself, built step by step; the shortest way to fail is also the helpful one.

use std::fmt;

use super::{SourceText, Span};

/// What rooms return: a failure is one boxed [`Diagnostic`].
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

/// Warnings gathered along the way, in the order found.
pub type Warnings = Vec<Diagnostic>;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Done, but perhaps not as meant.
    Warning,
    /// Not done.
    Error,
}

/// Whose fault an error is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The user's input is wrong (exit 2).
    Input,
    /// A system is out of reach: registry, cluster, disk (exit 3).
    Unreachable,
    /// A bug of ours (exit 70).
    Bug,
}

/// A place in a source text with a word about it.
#[derive(Clone, Debug)]
pub struct Label {
    /// The text pointed into.
    pub source: SourceText,
    /// The range pointed at.
    pub span: Span,
    /// What is to be seen there; may be empty for the primary label.
    pub note: String,
}

/// One step on the way to the fault: which include, which overlay, which values file.
#[derive(Clone, Debug)]
pub struct TrailStep {
    /// What was being done (`included from`, `in base`, `set by --set`).
    pub what: String,
    /// Where, if it is a place in a text.
    pub at: Option<(SourceText, Span)>,
}

/// One finding: stable code, one line, places, trail, hints.
///
/// The message is lower case without a full stop, names in backticks; a hint starts with a verb.
///
/// ```
/// use hydrant::diag::Diagnostic;
/// let fault = Diagnostic::input("chart-missing", "no chart `web` in `charts`").hint("run `hydrant template charts/app`");
/// assert_eq!(fault.to_string(), "no chart `web` in `charts`");
/// ```
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How grave.
    pub severity: Severity,
    /// Whose fault; meaningful for errors.
    pub fault: Fault,
    /// Stable kebab-case code, unique to one kind of finding.
    pub code: &'static str,
    /// One line.
    pub message: String,
    /// Places; the first is the primary one.
    pub labels: Vec<Label>,
    /// The way there, innermost first.
    pub trail: Vec<TrailStep>,
    /// What to try.
    pub hints: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, fault: Fault, code: &'static str, message: String) -> Diagnostic {
        Diagnostic { severity, fault, code, message, labels: Vec::new(), trail: Vec::new(), hints: Vec::new() }
    }

    /// An error in what the user gave.
    pub fn input(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, Fault::Input, code, message.into())
    }

    /// An error of a system that cannot be reached or does not answer as it should.
    pub fn unreachable(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, Fault::Unreachable, code, message.into())
    }

    /// An error of Hydrant's own.
    pub fn bug(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, Fault::Bug, code, message.into())
    }

    /// A warning: the work went on.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, Fault::Input, code, message.into())
    }

    /// Adds a place; the first added is the primary one.
    #[must_use]
    pub fn at(mut self, source: &SourceText, span: Span, note: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { source: source.clone(), span, note: note.into() });
        self
    }

    /// Adds an outer step of the trail.
    #[must_use]
    pub fn trail(mut self, what: impl Into<String>, at: Option<(SourceText, Span)>) -> Diagnostic {
        self.trail.push(TrailStep { what: what.into(), at });
        self
    }

    /// Adds advice; starts with a verb.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}
