//! Syntax faults, and how go-yaml words them.

use std::borrow::Cow;

use crate::diag::{Diagnostic, SourceText, Span};

use super::Dialect;

/// A place in the text: byte offset and zero-based line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Offset in bytes.
    pub place: u32,
    /// Line, from zero.
    pub line: u32,
}

/// Which layer found a fault; go-yaml counts its lines differently in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Text that does not make tokens.
    Scanner,
    /// Tokens in an order that makes no sense.
    Parser,
    /// Characters that are not allowed; never has a line.
    Reader,
    /// Nodes that mean nothing: unknown anchors, bad merges. Never has a line of its own.
    Decoder,
    /// Values that JSON has no way to write; never has a line, nor go-yaml's prefix.
    Json,
}

/// A fault as go-yaml's layers see it, before it is worded.
#[derive(Clone, Debug)]
pub struct Fault {
    pub layer: Layer,
    pub problem: Cow<'static, str>,
    /// Where the thing begins that could not be read.
    pub context: Mark,
    /// Where reading stopped.
    pub at: Mark,
}

impl Fault {
    pub(super) fn of_meaning((layer, problem): (Layer, String), at: Mark) -> Box<Fault> {
        Box::new(Fault { layer, problem: problem.into(), context: at, at })
    }

    pub fn decoder(problem: impl Into<Cow<'static, str>>, at: Mark) -> Box<Fault> {
        Box::new(Fault { layer: Layer::Decoder, problem: problem.into(), context: at, at })
    }

    /// The line that go-yaml prints: v2 takes the place where reading stopped, v3 where the thing began; both fall back
    /// to the other when the first is on the first line, and only the scanner counts from one. 0 prints none.
    fn printed_line(&self, dialect: Dialect) -> u32 {
        let (first, second) = match dialect {
            Dialect::V2 => (self.at.line, self.context.line),
            Dialect::V3 => (self.context.line, self.at.line),
        };
        let from_one = u32::from(self.layer == Layer::Scanner);
        match self.layer {
            Layer::Reader | Layer::Decoder | Layer::Json => 0,
            _ if first != 0 => first + from_one,
            _ if second != 0 && dialect == Dialect::V2 => second,
            _ if second != 0 => second + from_one,
            _ => 0,
        }
    }

    /// The fault as go-yaml prints it, pointing at the place where reading stopped.
    pub fn into_diagnostic(self, source: &SourceText, dialect: Dialect) -> Box<Diagnostic> {
        let message = match self.printed_line(dialect) {
            0 if self.layer == Layer::Json => self.problem.to_string(),
            0 => format!("yaml: {}", self.problem),
            line => format!("yaml: line {line}: {}", self.problem),
        };
        let code = if matches!(self.layer, Layer::Decoder | Layer::Json) { "yaml-value" } else { "yaml-syntax" };
        let mut diagnostic = Diagnostic::input(code, message);
        diagnostic = diagnostic.at(source, Span::point(self.at.place as usize), "");
        if self.context.line < self.at.line {
            diagnostic = diagnostic.at(source, Span::point(self.context.place as usize), "begins here");
        }
        if self.problem.contains("tab character") || self.problem.contains("cannot start any token") {
            diagnostic = diagnostic.hint("indent with spaces, and quote text that begins with `@`, `` ` `` or a tab");
        }
        if self.problem.starts_with("json: unsupported type") {
            diagnostic = diagnostic.hint("quote the key: inside an object only strings can be keys");
        }
        Box::new(diagnostic)
    }
}
