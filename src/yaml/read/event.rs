//! The event parser: tokens to events, by libyaml's state machine.
//!
//! In: a scanner. Out: events in document order; tags resolved against their handles, aliases left as names. What
//! anchors and tags mean is left to the composer.

use std::borrow::Cow;

use crate::value::Style;

use super::fault::{Fault, Layer, Mark};
use super::scan::{Scan, Scanner};
use super::token::TokenKind;

/// The prefix that `!!` stands for.
pub(super) const CORE_TAG: &str = "tag:yaml.org,2002:";

/// Anchor and tag in front of a node.
#[derive(Clone, Debug, Default)]
pub struct Properties<'t> {
    pub anchor: Option<&'t str>,
    pub tag: Option<Cow<'t, str>>,
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum EventKind<'t> {
    /// The text ends.
    StreamEnd,
    /// A document begins.
    DocumentStart,
    /// A document ends.
    DocumentEnd,
    /// An alias.
    Alias(&'t str),
    /// A scalar.
    Scalar(Properties<'t>, Cow<'t, str>, Style),
    /// A list begins; true in flow style.
    ListStart(Properties<'t>, bool),
    /// A list ends.
    ListEnd,
    /// A map begins; true in flow style.
    MapStart(Properties<'t>, bool),
    /// A map ends.
    MapEnd,
}

/// An event and where it stands.
#[derive(Clone, Debug)]
pub struct Event<'t> {
    pub kind: EventKind<'t>,
    pub start: Mark,
    pub end: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockListFirst,
    BlockListEntry,
    IndentlessEntry,
    BlockMapFirst,
    BlockMapKey,
    BlockMapValue,
    FlowListFirst,
    FlowListEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMapFirst,
    FlowMapKey,
    FlowMapValue,
    FlowMapEmptyValue,
    End,
}

/// The parser's state; [`Parser::next`] hands out events until `StreamEnd`.
pub struct Parser<'t> {
    pub scanner: Scanner<'t>,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    tag_directives: Vec<(&'t str, Cow<'t, str>)>,
}

impl<'t> Parser<'t> {
    /// A parser at the beginning of a text.
    pub fn new(scanner: Scanner<'t>) -> Scan<Parser<'t>> {
        let mut parser =
            Parser { scanner, state: State::ImplicitDocumentStart, states: Vec::new(), marks: Vec::new(), tag_directives: Vec::new() };
        parser.scanner.next()?;
        Ok(parser)
    }

    /// The next event.
    pub fn next(&mut self) -> Scan<Event<'t>> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockListFirst => {
                self.open()?;
                self.block_list_entry()
            }
            State::BlockListEntry => self.block_list_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockMapFirst => {
                self.open()?;
                self.block_map_key()
            }
            State::BlockMapKey => self.block_map_key(),
            State::BlockMapValue => self.block_map_value(),
            State::FlowListFirst => {
                self.open()?;
                self.flow_list_entry(true)
            }
            State::FlowListEntry => self.flow_list_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.state = State::FlowListEntry;
                let mark = self.scanner.peek()?.start;
                Ok(Event { kind: EventKind::MapEnd, start: mark, end: mark })
            }
            State::FlowMapFirst => {
                self.open()?;
                self.flow_map_key(true)
            }
            State::FlowMapKey => self.flow_map_key(false),
            State::FlowMapValue => self.flow_map_value(),
            State::FlowMapEmptyValue => {
                self.state = State::FlowMapKey;
                self.empty_here()
            }
            State::End => {
                let mark = self.scanner.mark();
                Ok(Event { kind: EventKind::StreamEnd, start: mark, end: mark })
            }
        }
    }

    /// Takes the token that opens a collection.
    fn open(&mut self) -> Scan<()> {
        let token = self.scanner.next()?;
        self.marks.push(token.start);
        Ok(())
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    #[cold]
    fn fault(context: Mark, problem: &'static str, at: Mark) -> Box<Fault> {
        Box::new(Fault { layer: Layer::Parser, problem: problem.into(), context, at })
    }

    #[cold]
    fn fault_in_open(&mut self, problem: &'static str, at: Mark) -> Box<Fault> {
        let context = self.marks.pop().unwrap_or_default();
        Self::fault(context, problem, at)
    }

    fn empty(mark: Mark) -> Event<'t> {
        let kind = EventKind::Scalar(Properties::default(), Cow::Borrowed(""), Style::Plain);
        Event { kind, start: mark, end: mark }
    }

    fn empty_here(&mut self) -> Scan<Event<'t>> {
        let mark = self.scanner.peek()?.start;
        Ok(Self::empty(mark))
    }

    /// Ends a collection with the token at the head.
    fn close(&mut self, kind: EventKind<'t>) -> Scan<Event<'t>> {
        let token = self.scanner.next()?;
        self.marks.pop();
        self.pop_state();
        Ok(Event { kind, start: token.start, end: token.end })
    }

    fn document_start(&mut self, implicit: bool) -> Scan<Event<'t>> {
        if !implicit {
            while self.scanner.peek()?.kind == TokenKind::DocumentEnd {
                self.scanner.next()?;
            }
        }
        let token = self.scanner.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                return Ok(Event { kind: EventKind::StreamEnd, start, end });
            }
            TokenKind::Version(..) | TokenKind::TagDirective(..) | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(Event { kind: EventKind::DocumentStart, start, end });
            }
            _ => {}
        }
        self.directives()?;
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::DocumentStart {
            // no context: go-yaml leaves its mark at the first line
            return Err(Self::fault(Mark::default(), "did not find expected <document start>", token.start));
        }
        let end = token.end;
        self.scanner.next()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event { kind: EventKind::DocumentStart, start, end })
    }

    fn directives(&mut self) -> Scan<()> {
        let mut version_seen = false;
        loop {
            let token = self.scanner.peek()?;
            let at = token.start;
            match &token.kind {
                TokenKind::Version(..) if version_seen => {
                    return Err(Self::fault(Mark::default(), "found duplicate %YAML directive", at));
                }
                TokenKind::Version(1, 1) => version_seen = true,
                TokenKind::Version(..) => return Err(Self::fault(Mark::default(), "found incompatible YAML document", at)),
                TokenKind::TagDirective(handle, prefix) => {
                    if self.tag_directives.iter().any(|known| known.0 == *handle) {
                        return Err(Self::fault(Mark::default(), "found duplicate %TAG directive", at));
                    }
                    let directive = (*handle, prefix.clone());
                    self.tag_directives.push(directive);
                }
                _ => return Ok(()),
            }
            self.scanner.next()?;
        }
    }

    fn document_content(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        let empty = matches!(
            token.kind,
            TokenKind::Version(..) | TokenKind::TagDirective(..) | TokenKind::DocumentStart | TokenKind::DocumentEnd | TokenKind::StreamEnd
        );
        if empty {
            let mark = token.start;
            self.pop_state();
            return Ok(Self::empty(mark));
        }
        self.node(true, false)
    }

    fn document_end(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        let (start, mut end) = (token.start, token.start);
        if token.kind == TokenKind::DocumentEnd {
            end = token.end;
            self.scanner.next()?;
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        Ok(Event { kind: EventKind::DocumentEnd, start, end })
    }

    /// A node: properties, then a scalar, an alias or the beginning of a collection.
    fn node(&mut self, block: bool, indentless: bool) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::Scalar(..) => return self.scalar(Properties::default(), start),
            TokenKind::Alias(name) => {
                let end = token.end;
                self.scanner.next()?;
                self.pop_state();
                return Ok(Event { kind: EventKind::Alias(name), start, end });
            }
            _ => {}
        }
        let mut end = start;
        let properties = self.properties(start, &mut end)?;
        let token = self.scanner.peek()?;
        let (kind, state) = match token.kind {
            TokenKind::Scalar(..) => return self.scalar(properties, start),
            TokenKind::BlockEntry if indentless => (EventKind::ListStart(properties, false), State::IndentlessEntry),
            TokenKind::FlowListStart => (EventKind::ListStart(properties, true), State::FlowListFirst),
            TokenKind::FlowMapStart => (EventKind::MapStart(properties, true), State::FlowMapFirst),
            TokenKind::BlockListStart if block => (EventKind::ListStart(properties, false), State::BlockListFirst),
            TokenKind::BlockMapStart if block => (EventKind::MapStart(properties, false), State::BlockMapFirst),
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.pop_state();
                return Ok(Event { kind: EventKind::Scalar(properties, Cow::Borrowed(""), Style::Plain), start, end });
            }
            _ => return Err(Self::fault(start, "did not find expected node content", token.start)),
        };
        let end = token.end;
        self.state = state;
        Ok(Event { kind, start, end })
    }

    fn scalar(&mut self, properties: Properties<'t>, start: Mark) -> Scan<Event<'t>> {
        let token = self.scanner.next()?;
        self.pop_state();
        match token.kind {
            TokenKind::Scalar(text, style) => Ok(Event { kind: EventKind::Scalar(properties, text, style), start, end: token.end }),
            _ => Err(Self::fault(start, "did not find expected node content", token.start)),
        }
    }

    /// Anchor and tag, in either order.
    fn properties(&mut self, start: Mark, end: &mut Mark) -> Scan<Properties<'t>> {
        let mut properties = Properties::default();
        let mut tag = None;
        loop {
            let token = self.scanner.peek()?;
            match token.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    *end = token.end;
                    self.scanner.next()?;
                }
                TokenKind::Tag(..) if tag.is_none() => {
                    let token = self.scanner.next()?;
                    *end = token.end;
                    tag = Some(token);
                }
                _ => break,
            }
        }
        if let Some(token) = tag
            && let TokenKind::Tag(handle, suffix) = token.kind
        {
            properties.tag = Some(self.full_tag(handle, suffix).ok_or_else(|| Self::fault(start, "found undefined tag handle", token.start))?);
        }
        Ok(properties)
    }

    fn full_tag(&self, handle: &str, suffix: Cow<'t, str>) -> Option<Cow<'t, str>> {
        if handle.is_empty() {
            return Some(suffix);
        }
        let declared = self.tag_directives.iter().find(|known| known.0 == handle).map(|known| &*known.1);
        let prefix = declared.or(match handle {
            "!" => Some("!"),
            "!!" => Some(CORE_TAG),
            _ => None,
        })?;
        let tag = [prefix, &suffix].concat();
        (!tag.is_empty()).then_some(Cow::Owned(tag))
    }

    fn block_list_entry(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let mark = token.end;
                self.scanner.next()?;
                let token = self.scanner.peek()?;
                if matches!(token.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockListEntry;
                    return Ok(Self::empty(mark));
                }
                self.states.push(State::BlockListEntry);
                self.node(true, false)
            }
            TokenKind::BlockEnd => self.close(EventKind::ListEnd),
            _ => {
                let at = token.start;
                Err(self.fault_in_open("did not find expected '-' indicator", at))
            }
        }
    }

    fn indentless_entry(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::BlockEntry {
            let mark = token.start;
            self.pop_state();
            return Ok(Event { kind: EventKind::ListEnd, start: mark, end: mark });
        }
        let mark = token.end;
        self.scanner.next()?;
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.state = State::IndentlessEntry;
            return Ok(Self::empty(mark));
        }
        self.states.push(State::IndentlessEntry);
        self.node(true, false)
    }

    fn block_map_key(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => {
                let mark = token.end;
                self.scanner.next()?;
                self.block_map_part(mark, State::BlockMapValue)
            }
            TokenKind::BlockEnd => self.close(EventKind::MapEnd),
            _ => {
                let at = token.start;
                Err(self.fault_in_open("did not find expected key", at))
            }
        }
    }

    fn block_map_value(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::Value {
            let mark = token.start;
            self.state = State::BlockMapKey;
            return Ok(Self::empty(mark));
        }
        let mark = token.end;
        self.scanner.next()?;
        self.block_map_part(mark, State::BlockMapKey)
    }

    /// What follows a `?` or `:` of a block map: a node, or nothing.
    fn block_map_part(&mut self, mark: Mark, then: State) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.state = then;
            return Ok(Self::empty(mark));
        }
        self.states.push(then);
        self.node(true, true)
    }

    fn flow_list_entry(&mut self, first: bool) -> Scan<Event<'t>> {
        let mut token = self.scanner.peek()?;
        if token.kind != TokenKind::FlowListEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let at = token.start;
                    return Err(self.fault_in_open("did not find expected ',' or ']'", at));
                }
                self.scanner.next()?;
                token = self.scanner.peek()?;
            }
            if token.kind == TokenKind::Key {
                let token = self.scanner.next()?;
                self.state = State::FlowPairKey;
                return Ok(Event { kind: EventKind::MapStart(Properties::default(), true), start: token.start, end: token.end });
            }
            if token.kind != TokenKind::FlowListEnd {
                self.states.push(State::FlowListEntry);
                return self.node(false, false);
            }
        }
        self.close(EventKind::ListEnd)
    }

    fn flow_pair_key(&mut self) -> Scan<Event<'t>> {
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowListEnd) {
            let mark = token.end;
            // go-yaml drops this token, so that `[? : a]` is a fault; kept, since accept and reject must agree
            self.scanner.next()?;
            self.state = State::FlowPairValue;
            return Ok(Self::empty(mark));
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    fn flow_pair_value(&mut self) -> Scan<Event<'t>> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            let token = self.scanner.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowListEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowPairEnd;
        self.empty_here()
    }

    fn flow_map_key(&mut self, first: bool) -> Scan<Event<'t>> {
        let mut token = self.scanner.peek()?;
        if token.kind != TokenKind::FlowMapEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let at = token.start;
                    return Err(self.fault_in_open("did not find expected ',' or '}'", at));
                }
                self.scanner.next()?;
                token = self.scanner.peek()?;
            }
            if token.kind == TokenKind::Key {
                self.scanner.next()?;
                let token = self.scanner.peek()?;
                if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMapEnd) {
                    let mark = token.start;
                    self.state = State::FlowMapValue;
                    return Ok(Self::empty(mark));
                }
                self.states.push(State::FlowMapValue);
                return self.node(false, false);
            }
            if token.kind != TokenKind::FlowMapEnd {
                self.states.push(State::FlowMapEmptyValue);
                return self.node(false, false);
            }
        }
        self.close(EventKind::MapEnd)
    }

    fn flow_map_value(&mut self) -> Scan<Event<'t>> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            let token = self.scanner.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMapEnd) {
                self.states.push(State::FlowMapKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMapKey;
        self.empty_here()
    }
}
