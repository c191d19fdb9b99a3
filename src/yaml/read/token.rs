//! Tokens, the scanner's output.

use std::borrow::Cow;

use crate::value::Style;

use super::fault::Mark;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind<'t> {
    /// The text begins.
    StreamStart,
    /// The text ends.
    StreamEnd,
    /// `%YAML major.minor`.
    Version(u8, u8),
    /// `%TAG handle prefix`.
    TagDirective(&'t str, Cow<'t, str>),
    /// `---`.
    DocumentStart,
    /// `...`.
    DocumentEnd,
    /// A block list begins (by its indentation).
    BlockListStart,
    /// A block map begins (by its indentation).
    BlockMapStart,
    /// A block list or map ends (by its indentation).
    BlockEnd,
    /// `[`.
    FlowListStart,
    /// `]`.
    FlowListEnd,
    /// `{`.
    FlowMapStart,
    /// `}`.
    FlowMapEnd,
    /// `- `.
    BlockEntry,
    /// `,`.
    FlowEntry,
    /// A key begins, written `? ` or found by its `:`.
    Key,
    /// `:`.
    Value,
    /// `*name`.
    Alias(&'t str),
    /// `&name`.
    Anchor(&'t str),
    /// `!handle!suffix`.
    Tag(&'t str, Cow<'t, str>),
    /// A scalar's text, unescaped and unfolded.
    Scalar(Cow<'t, str>, Style),
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub struct Token<'t> {
    pub kind: TokenKind<'t>,
    pub start: Mark,
    pub end: Mark,
}
