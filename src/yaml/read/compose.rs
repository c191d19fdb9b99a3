//! The composer: events to values.
//!
//! In: events and a builder. Out: what the builder made of one document, and if asked for, where each part stands.
//! Anchors, aliases and merge keys are resolved here, with go-yaml's count of what aliases expand to; so are the
//! meanings of scalars. Goes by an explicit stack, so nesting costs no thread stack.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::value::Style;

use super::build::Build;
use super::event::{Event, EventKind, Parser, Properties};
use super::fault::{Fault, Layer, Mark};
use super::scalar;
use super::scan::{NESTING_MAX, Scan};
use super::spans::{Recorder, Spans, Step};
use super::{Dialect, Plain};

/// Up to this many decoded nodes nearly all may come from aliases (go-yaml's `alias_ratio_range_low`).
const ALIAS_RATIO_LOW: u64 = 400_000;
/// From this many on only a tenth may (go-yaml's `alias_ratio_range_high`).
const ALIAS_RATIO_HIGH: u64 = 4_000_000;
/// Aliased nodes that are always allowed.
const ALIASED_FREE: u64 = 100;
/// Documents of fewer nodes are not checked.
const DECODED_FREE: u64 = 1000;

/// A finished node that has a name.
struct Anchored<N> {
    /// Nothing while the node is still being built.
    node: Option<N>,
    decoded: u64,
    depth: usize,
}

/// A collection being built.
enum Open<'t, B: Build> {
    List(Vec<B::Node>),
    Map(OpenMap<'t, B>),
}

struct OpenMap<'t, B: Build> {
    map: B::Map,
    key: Option<Key<'t>>,
    /// Where each key stands, in the order in which keys were first set.
    key_marks: Vec<Mark>,
    /// What `<<` holds, in the dialect that merges last.
    merge: Option<(B::Node, bool, Mark)>,
}

enum Key<'t> {
    Text(Cow<'t, str>, Mark),
    Merge,
    /// A key that cannot be one; its value is read and dropped. If there is a problem, the value completes its words.
    Bad(Option<(String, Mark)>),
}

struct Frame<'t, B: Build> {
    open: Open<'t, B>,
    flow: bool,
    anchor: Option<usize>,
    decoded_before: u64,
    /// How deep the deepest alias below reaches, counted from here.
    alias_depth: usize,
}

/// Composes documents from a parser.
pub struct Composer<'t, 'b, B: Build> {
    parser: Parser<'t>,
    builder: &'b mut B,
    dialect: Dialect,
    strict: bool,
    frames: Vec<Frame<'t, B>>,
    names: FxHashMap<&'t str, usize>,
    anchored: Vec<Anchored<B::Node>>,
    decoded: u64,
    aliased: u64,
    /// The first fault of meaning; a fault of syntax further down goes before it.
    fault: Option<Box<Fault>>,
    /// Faults that go-yaml gathers before it fails.
    gathered: Vec<(Mark, String)>,
    recorder: Option<Recorder>,
}

/// One composed document.
pub struct Composed<N> {
    pub node: N,
    pub spans: Spans,
    pub start: Mark,
    pub end: Mark,
}

impl<'t, 'b, B: Build> Composer<'t, 'b, B> {
    pub fn new(parser: Parser<'t>, builder: &'b mut B, dialect: Dialect, strict: bool, spans: bool) -> Self {
        Composer {
            parser,
            builder,
            dialect,
            strict,
            frames: Vec::new(),
            names: FxHashMap::default(),
            anchored: Vec::new(),
            decoded: 0,
            aliased: 0,
            fault: None,
            gathered: Vec::new(),
            recorder: spans.then(Recorder::default),
        }
    }

    /// The next document; nothing at the end of the text.
    pub fn document(&mut self) -> Scan<Option<Composed<B::Node>>> {
        let first = self.parser.next()?;
        let EventKind::DocumentStart = first.kind else { return Ok(None) };
        self.names.clear();
        self.anchored.clear();
        self.decoded = 1;
        self.aliased = 0;
        let node = loop {
            let event = self.parser.next()?;
            if let Some(node) = self.take(event)? {
                break node;
            }
        };
        let end = self.parser.next()?;
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some((mark, _)) = self.gathered.first() {
            let lines: Vec<&str> = self.gathered.iter().map(|(_, line)| line.as_str()).collect();
            return Err(Fault::decoder(format!("unmarshal errors:\n  {}", lines.join("\n  ")), *mark));
        }
        let spans = self.recorder.as_mut().map(Recorder::finish).unwrap_or_default();
        Ok(Some(Composed { node, spans, start: first.start, end: end.start }))
    }

    /// Takes one event; gives the document's node when it is complete.
    fn take(&mut self, event: Event<'t>) -> Scan<Option<B::Node>> {
        let mark = event.start;
        match event.kind {
            EventKind::Scalar(properties, text, style) => {
                if self.at_key() {
                    self.scalar_key(&properties, text, style, mark);
                    return Ok(None);
                }
                self.decoded += 1;
                self.open_span(mark);
                self.close_span(event.end);
                let node = self.scalar(&properties, text, style, mark);
                self.name(&properties, &node);
                Ok(self.add(node, false, mark))
            }
            EventKind::Alias(name) => {
                self.open_span(mark);
                self.close_span(event.end);
                let node = self.alias(name, mark)?;
                Ok(self.add(node, true, mark))
            }
            EventKind::ListStart(properties, flow) => {
                self.open(&properties, Open::List(Vec::new()), flow, mark);
                Ok(None)
            }
            EventKind::MapStart(properties, flow) => {
                let map = OpenMap { map: self.builder.new_map(), key: None, key_marks: Vec::new(), merge: None };
                self.open(&properties, Open::Map(map), flow, mark);
                Ok(None)
            }
            EventKind::ListEnd | EventKind::MapEnd => {
                self.close_span(event.end);
                Ok(self.close(mark))
            }
            EventKind::StreamEnd | EventKind::DocumentStart | EventKind::DocumentEnd => {
                Err(Fault::decoder("document ends inside a collection", mark))
            }
        }
    }

    fn at_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { open: Open::Map(OpenMap { key: None, .. }), .. }))
    }

    fn fail(&mut self, problem: impl Into<Cow<'static, str>>, mark: Mark) {
        self.keep(Fault::decoder(problem, mark));
    }

    /// Keeps the fault that Go comes to first: any of decoding goes before any of writing JSON.
    fn keep(&mut self, fault: Box<Fault>) {
        let first = match &self.fault {
            None => true,
            Some(known) => known.layer == Layer::Json && fault.layer != Layer::Json,
        };
        if first {
            self.fault = Some(fault);
        }
    }

    fn fail_with(&mut self, problem: scalar::Problem, mark: Mark) {
        self.keep(Fault::of_meaning(problem, mark));
    }

    fn open_span(&mut self, mark: Mark) {
        if let Some(recorder) = &mut self.recorder {
            let step = match self.frames.last() {
                None => Step::Root,
                Some(Frame { open: Open::List(_), .. }) => Step::Item,
                Some(Frame { open: Open::Map(map), .. }) => match &map.key {
                    Some(Key::Text(key, mark)) => Step::Field((&**key).into(), *mark),
                    _ => Step::Hidden,
                },
            };
            recorder.open(step, mark);
        }
    }

    fn close_span(&mut self, mark: Mark) {
        if let Some(recorder) = &mut self.recorder {
            recorder.close(mark);
        }
    }

    fn open(&mut self, properties: &Properties<'t>, open: Open<'t, B>, flow: bool, mark: Mark) {
        self.open_span(mark);
        let decoded_before = self.decoded;
        self.decoded += 1;
        let anchor = properties.anchor.map(|name| {
            self.anchored.push(Anchored { node: None, decoded: 0, depth: 0 });
            self.names.insert(name, self.anchored.len() - 1);
            self.anchored.len() - 1
        });
        self.frames.push(Frame { open, flow, anchor, decoded_before, alias_depth: 0 });
        if self.frames.len() > NESTING_MAX {
            self.fail(format!("exceeded max depth of {NESTING_MAX}"), mark);
        }
    }

    /// Completes the innermost collection.
    fn close(&mut self, mark: Mark) -> Option<B::Node> {
        let frame = self.frames.pop()?;
        let node = match frame.open {
            Open::List(items) => self.builder.list(items),
            Open::Map(mut open) => {
                if let Some((node, alias, at)) = open.merge.take() {
                    self.merge(&mut open.map, &node, alias, at);
                }
                self.builder.finish_map(open.map)
            }
        };
        let depth = frame.alias_depth + 1;
        if let Some(index) = frame.anchor {
            self.anchored[index] = Anchored { node: Some(node.clone()), decoded: self.decoded - frame.decoded_before, depth };
        }
        if let Some(parent) = self.frames.last_mut() {
            parent.alias_depth = parent.alias_depth.max(depth);
        }
        if self.at_key() {
            self.collection_key(&node, mark);
            return None;
        }
        self.add(node, false, mark)
    }

    /// Puts a finished node where it belongs; gives it back if it is the document's.
    fn add(&mut self, node: B::Node, alias: bool, mark: Mark) -> Option<B::Node> {
        let Some(frame) = self.frames.last_mut() else { return Some(node) };
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map(open) => match open.key.take() {
                None => self.collection_key(&node, mark),
                Some(Key::Bad(None)) => {}
                Some(Key::Bad(Some((problem, at)))) => {
                    let shown = self.builder.go_syntax(&node);
                    self.fail_with((Layer::Json, format!("{problem}, value: {shown}")), at);
                }
                Some(Key::Merge) => self.add_merge(node, alias, mark),
                Some(Key::Text(key, at)) => {
                    let replaced = self.builder.set(&mut open.map, &key, node);
                    match replaced {
                        None => open.key_marks.push(at),
                        Some(index) => {
                            let first = open.key_marks.get(index).copied().unwrap_or_default();
                            self.duplicate(&key, first, at, mark);
                        }
                    }
                }
            },
        }
        None
    }

    fn duplicate(&mut self, key: &str, first: Mark, second: Mark, value: Mark) {
        let quoted = go_quote(key);
        match self.dialect {
            Dialect::V3 => {
                let text = format!("line {}: mapping key {quoted} already defined at line {}", second.line + 1, first.line + 1);
                self.gathered.push((second, text));
            }
            Dialect::V2 if self.strict => {
                self.gathered.push((second, format!("line {}: key {quoted} already set in map", value.line + 1)));
            }
            Dialect::V2 => {}
        }
    }

    fn scalar(&mut self, properties: &Properties<'t>, text: Cow<'t, str>, style: Style, mark: Mark) -> B::Node {
        let in_flow = self.frames.last().is_some_and(|frame| frame.flow);
        if in_flow && text.is_empty() && properties.tag.is_none() && style == Style::Plain && self.dialect == Dialect::V3 {
            // go-yaml v3 has no other way to write nothing in flow style than `''`, which kustomize reads back as a
            // string: a null to whoever looks at the tree, printed as an empty string
            return self.builder.scalar(Plain::Null, text, Style::Single);
        }
        match scalar::meaning(properties.tag.as_deref(), &text, style, self.dialect) {
            Ok(scalar::Meaning::Plain(plain)) => self.builder.scalar(plain, text, style),
            Ok(scalar::Meaning::Binary(decoded)) => self.builder.binary(text, decoded, style),
            Err(problem) => {
                self.fail_with(problem, mark);
                self.builder.scalar(Plain::Str, text, style)
            }
        }
    }

    fn name(&mut self, properties: &Properties<'t>, node: &B::Node) {
        if let Some(name) = properties.anchor {
            self.anchored.push(Anchored { node: Some(node.clone()), decoded: 1, depth: 0 });
            self.names.insert(name, self.anchored.len() - 1);
        }
    }

    fn alias(&mut self, name: &str, mark: Mark) -> Scan<B::Node> {
        let Some(index) = self.names.get(name).copied() else {
            return Err(Fault::decoder(format!("unknown anchor '{name}' referenced"), mark));
        };
        let anchored = &self.anchored[index];
        let (decoded, depth) = (anchored.decoded, anchored.depth);
        let Some(node) = anchored.node.clone() else {
            self.fail(format!("anchor '{name}' value contains itself"), mark);
            return Ok(self.builder.scalar(Plain::Null, Cow::Borrowed("null"), Style::Plain));
        };
        self.decoded = self.decoded.saturating_add(1).saturating_add(decoded);
        self.aliased = self.aliased.saturating_add(decoded);
        if self.too_many_aliases() {
            self.fail("document contains excessive aliasing", mark);
        } else if self.frames.len() + depth > NESTING_MAX {
            self.fail(format!("exceeded max depth of {NESTING_MAX}"), mark);
        }
        if let Some(parent) = self.frames.last_mut() {
            parent.alias_depth = parent.alias_depth.max(depth);
        }
        if self.fault.is_some() {
            // no use in sharing further: the document is refused, and copies might be what blows up
            return Ok(self.builder.scalar(Plain::Null, Cow::Borrowed("null"), Style::Plain));
        }
        Ok(self.builder.copy(&node))
    }

    /// go-yaml's check. It asks at each node; asking after each alias gives the same answer, since the share of
    /// aliased nodes only rises while an alias is expanded.
    fn too_many_aliases(&self) -> bool {
        if self.aliased <= ALIASED_FREE || self.decoded <= DECODED_FREE {
            return false;
        }
        let allowed = if self.decoded <= ALIAS_RATIO_LOW {
            0.99
        } else if self.decoded >= ALIAS_RATIO_HIGH {
            0.10
        } else {
            0.99 - 0.89 * ((self.decoded - ALIAS_RATIO_LOW) as f64 / (ALIAS_RATIO_HIGH - ALIAS_RATIO_LOW) as f64)
        };
        self.aliased as f64 / self.decoded as f64 > allowed
    }

    fn set_key(&mut self, new: Key<'t>) {
        if let Some(Frame { open: Open::Map(open), .. }) = self.frames.last_mut() {
            open.key = Some(new);
        }
    }

    fn scalar_key(&mut self, properties: &Properties<'t>, text: Cow<'t, str>, style: Style, mark: Mark) {
        if scalar::is_merge(properties.tag.as_deref(), &text, style) {
            if properties.anchor.is_some() {
                let node = self.builder.scalar(Plain::Str, text, style);
                self.name(properties, &node);
            }
            self.set_key(Key::Merge);
            return;
        }
        self.decoded += 1;
        if self.dialect == Dialect::V3 && self.frames.len() > 1 && !scalar::is_string_key(properties.tag.as_deref(), &text, style) {
            // the outermost map is decoded into one with string keys, those inside are not
            self.fail_with((Layer::Json, "json: unsupported type: map[interface {}]interface {}".to_owned()), mark);
        }
        let key = match scalar::key(properties.tag.as_deref(), &text, style, self.dialect) {
            Ok(key) => Key::Text(key, mark),
            Err((Layer::Json, problem)) => Key::Bad(Some((problem, mark))),
            Err(problem) => {
                self.fail_with(problem, mark);
                Key::Bad(None)
            }
        };
        if properties.anchor.is_some() {
            let node = self.scalar(properties, text, style, mark);
            self.name(properties, &node);
        }
        self.set_key(key);
    }

    /// A key that is an alias, a list or a map: a string if it is an alias to a scalar, else a fault.
    fn collection_key(&mut self, node: &B::Node, mark: Mark) {
        if let Some(text) = self.builder.key_text(node) {
            self.set_key(Key::Text(Cow::Owned(text), mark));
        } else {
            let shown = self.builder.go_syntax(node);
            self.fail(format!("invalid map key: {shown}"), mark);
            self.set_key(Key::Bad(None));
        }
    }

    /// Merges at once (v2: what stands before `<<` is overwritten, what follows wins) or keeps for the end (v3: what
    /// is written out always wins).
    fn add_merge(&mut self, node: B::Node, alias: bool, mark: Mark) {
        let dialect = self.dialect;
        let Some(Frame { open: Open::Map(open), .. }) = self.frames.last_mut() else { return };
        if dialect == Dialect::V3 {
            let twice = open.merge.replace((node, alias, mark)).is_some();
            if twice {
                self.fail_with((Layer::Json, "duplicate merge key".to_owned()), mark);
            }
            return;
        }
        let mut map = std::mem::replace(&mut open.map, self.builder.new_map());
        self.merge(&mut map, &node, alias, mark);
        if let Some(Frame { open: Open::Map(open), .. }) = self.frames.last_mut() {
            // merged keys have no mark of their own; keep marks in step with the keys
            open.key_marks.resize(self.builder.map_len(&map), mark);
            open.map = map;
        }
    }

    fn merge(&mut self, map: &mut B::Map, node: &B::Node, alias: bool, mark: Mark) {
        const WANTS_MAP: &str = "map merge requires map or sequence of maps as the value";
        let replace = self.dialect == Dialect::V2;
        if self.builder.is_map(node) {
            self.builder.merge(map, node, replace);
            return;
        }
        let sources = match self.builder.items(node) {
            // an alias may stand for a map only, or inside the list
            Some(items) if !alias && items.iter().all(|item| self.builder.is_map(item)) => items.to_vec(),
            _ if replace => return self.fail(WANTS_MAP, mark),
            // kyaml merges before go-yaml decodes, and words it without go-yaml's prefix
            _ => return self.fail_with((Layer::Json, WANTS_MAP.to_owned()), mark),
        };
        // earlier maps win: they come last where what comes replaces, first where it only fills
        if replace {
            for source in sources.iter().rev() {
                self.builder.merge(map, source, true);
            }
        } else {
            for source in &sources {
                self.builder.merge(map, source, false);
            }
        }
    }
}

/// Go's `%q`, near enough for map keys in messages.
fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
