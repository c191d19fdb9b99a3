//! Reading YAML: scanner, event parser, composer.
//!
//! In: a text. Out: values, and the places of their parts. Each layer does what go-yaml's does and no more; faults
//! carry what go-yaml prints about them.

mod build;
mod chars;
mod compose;
mod event;
mod fault;
mod scalar;
mod scan;
mod scan_props;
mod scan_scalar;
mod spans;
mod token;

pub use build::{Build, TreeBuilder, lossy};
pub use compose::{Composed, Composer};
pub use event::{EventKind, Parser};
pub use fault::Fault;
pub use scan::{SIMPLE_KEY_MAX, Scanner};
#[cfg(test)]
pub use scan::NESTING_MAX;
pub use spans::Spans;

use super::Dialect;
pub use super::resolve::Plain;

impl Dialect {
    /// How many tokens the scanner is ahead of the parser: v3 wants to see the comments that follow a token.
    pub(super) fn look_ahead(self) -> usize {
        match self {
            Dialect::V2 => 0,
            Dialect::V3 => 2,
        }
    }
}

/// A composer at the beginning of a text.
pub fn composer<'t, 'b, B: Build>(
    text: &'t str,
    builder: &'b mut B,
    dialect: Dialect,
    strict: bool,
    spans: bool,
) -> Result<Composer<'t, 'b, B>, Box<Fault>> {
    // go-yaml reads an empty text as one empty line
    let parser = Parser::new(Scanner::new(text, dialect.look_ahead()))?;
    Ok(Composer::new(parser, builder, dialect, strict, spans))
}

/// Runs scanner and parser over a whole text.
#[cfg(any(test, feature = "fuzzing"))]
pub fn count_events(text: &str, dialect: Dialect) -> Result<usize, Box<Fault>> {
    let mut parser = Parser::new(Scanner::new(text, dialect.look_ahead()))?;
    let mut count = 0;
    while !matches!(parser.next()?.kind, EventKind::StreamEnd) {
        count += 1;
    }
    Ok(count)
}
