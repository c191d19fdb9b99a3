//! The evaluator: walks the compiled form and writes output.
//!
//! Follows `text/template` step by step, also in which node an error names: [`Frame::at`] is called where Go calls its `at`.
//! Longer than other files because it is one loop over the node kinds; what a node does not need stands elsewhere (`call`, `field`).

use std::cell::Cell;

use super::ctx::{ROUNDS_MAX, output_limit};
use super::error::Place;
use super::node::{ExprKind, NO_PIPE, NodeRef, Pipe, Slice, Stmt, UNSET, Unit};
use super::print::{append_text, quote, to_text};
use super::trace::{Dot, Read, Segment};
use super::{Cause, Ctx, ExecError, IntKind, Kind, ListType, OUTPUT_MAX, Str, Val, raw, truth};
use crate::diag::{Span, did_you_mean};

pub(super) type Result<T> = std::result::Result<T, Box<ExecError>>;

/// A value with what Go's `reflect` knows of where it came from: out of a container of `interface {}`, its static type is that
/// interface. Only errors and nil tell the difference: a nil interface is a value, an invalid one is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) val: Val,
    pub(super) iface: bool,
}

impl Slot {
    pub(super) fn plain(val: Val) -> Slot {
        Slot { val, iface: false }
    }

    /// The static type, as errors name it.
    pub(super) fn type_name(&self) -> String {
        if self.iface { "interface {}".to_owned() } else { self.val.type_name().into_owned() }
    }
}

/// One running template.
pub(super) struct Frame<'u> {
    pub(super) unit: &'u Unit,
    def: u32,
    /// Where its variables begin.
    base: usize,
    node: Cell<NodeRef>,
}

impl Frame<'_> {
    /// Marks the node that an error from here on is at.
    #[inline]
    pub(super) fn at(&self, node: NodeRef) {
        self.node.set(node);
    }

    pub(super) fn offset(&self, node: NodeRef) -> u32 {
        self.unit.span(node).start
    }

    #[cold]
    pub(super) fn error(&self, message: impl Into<String>) -> Box<ExecError> {
        self.error_with(message, None)
    }

    #[cold]
    pub(super) fn error_with(&self, message: impl Into<String>, cause: Option<Cause>) -> Box<ExecError> {
        let node = self.node.get();
        let place = match node {
            NodeRef::None => None,
            _ => Some(Box::new(Place {
                source: self.unit.source.clone(),
                span: self.unit.span(node),
                context: self.unit.show(node),
            })),
        };
        let template = self.unit.defs[self.def as usize].name.to_string();
        Box::new(ExecError { template, place, message: message.into(), cause, hint: None })
    }
}

/// What a list of statements asks of the `range` around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl Ctx<'_> {
    /// Runs a template by name.
    pub(super) fn run_named(&mut self, name: &Str, data: Val) -> Result<()> {
        if let Some((unit, def)) = self.overlaid(name) {
            return self.run_unit(&unit, def, data);
        }
        let templates = self.templates;
        let Some((_, unit, def)) = templates.find(name) else {
            let shown = quote(name.as_bytes());
            let mut error = ExecError::bare(format!("template: no template {shown} associated with template \"gotpl\""));
            error.hint = self.nearest(name);
            return Err(Box::new(error));
        };
        self.run_unit(unit, def, data)
    }

    /// A template that a running `tpl` text defines, unless it is empty and another stands behind it.
    fn overlaid(&self, name: &Str) -> Option<(std::sync::Arc<Unit>, u32)> {
        let mut empty = None;
        for unit in self.overlays.iter().rev() {
            if let Some(def) = unit.defs.iter().position(|def| def.name == *name) {
                let found = Some((unit.clone(), def as u32));
                if !unit.defs[def].empty {
                    return found;
                }
                empty = empty.or(found);
            }
        }
        empty.filter(|_| self.templates.find(name).is_none())
    }

    /// Runs one template of a unit.
    pub(super) fn run_unit(&mut self, unit: &Unit, def: u32, data: Val) -> Result<()> {
        let template = &unit.defs[def as usize];
        let base = self.slots.len();
        let frame = Frame { unit, def, base, node: Cell::new(NodeRef::None) };
        if !self.stack.has_room() {
            return Err(frame.error("exceeded maximum template depth (100000)"));
        }
        self.round(&frame)?;
        let dot = Slot::plain(data);
        self.slots.resize(base + template.slots as usize, Slot::default());
        self.slots[base] = dot.clone();
        self.running.push(unit.source.clone());
        let result = self.list(&frame, &dot, template.body);
        self.running.pop();
        self.slots.truncate(base);
        result.map(|_| ())
    }

    /// Advice where a template's name is near that of another.
    fn nearest(&self, name: &Str) -> Option<String> {
        let names: Vec<String> = self.templates.names().map(ToString::to_string).collect();
        let near = did_you_mean(&name.to_str_lossy(), names.iter().map(String::as_str))?.to_owned();
        Some(format!("use the template {}", quote(near.as_bytes())))
    }

    /// Counts one more piece of work.
    fn round(&mut self, frame: &Frame<'_>) -> Result<()> {
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            return Err(frame.error(format!("more than {ROUNDS_MAX} rounds of range and calls of templates")));
        }
        Ok(())
    }

    fn list(&mut self, f: &Frame<'_>, dot: &Slot, list: Slice) -> Result<Flow> {
        for stmt in &f.unit.stmts[list.range()] {
            let flow = match *stmt {
                Stmt::Text { start, end } => {
                    let from = self.out.len();
                    let text = &f.unit.source.text()[start as usize..end as usize];
                    if f.unit.raw {
                        self.out.extend_from_slice(&raw::bytes_of_text(text));
                    } else {
                        self.out.extend_from_slice(text.as_bytes());
                    }
                    if let Some(trace) = self.trace.as_mut().filter(|trace| trace.captured == 0) {
                        let (source, span) = (f.unit.source.clone(), Span { start, end });
                        let literal = !f.unit.raw;
                        trace.segments.push(Segment { output: from..self.out.len(), source, span, literal, reads: Vec::new() });
                    }
                    Flow::Next
                }
                Stmt::Print { pipe } => {
                    self.print(f, dot, pipe)?;
                    Flow::Next
                }
                Stmt::If { pipe, then, otherwise } => {
                    let value = self.pipe(f, dot, pipe)?;
                    self.list(f, dot, if truth(&value) { then } else { otherwise })?
                }
                Stmt::With { pipe, then, otherwise } => self.with(f, dot, pipe, then, otherwise)?,
                Stmt::Range { pipe, body, otherwise } => self.range(f, dot, pipe, body, otherwise)?,
                Stmt::Template { pos, end, name, pipe } => {
                    f.at(NodeRef::Template { pos, end, name, pipe });
                    self.template(f, dot, name, pipe)?;
                    Flow::Next
                }
                Stmt::Break => Flow::Break,
                Stmt::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, f: &Frame<'_>, dot: &Slot, pipe: u32) -> Result<()> {
        let start = self.out.len();
        let traced = self.trace.as_mut().filter(|trace| trace.captured == 0).map(|trace| trace.reads.clear()).is_some();
        let value = self.pipe(f, dot, pipe)?;
        if !f.unit.pipes[pipe as usize].decl.is_empty() {
            return Ok(());
        }
        let whole = match &value {
            Val::Nil => {
                self.out.extend_from_slice(b"<no value>");
                true
            }
            value => append_text(&mut self.out, value),
        };
        if !whole || self.out.len() as u64 > OUTPUT_MAX {
            return Err(f.error_with("", Some(Cause::Refused(Box::new(output_limit())))));
        }
        if let Some(trace) = self.trace.as_mut().filter(|_| traced) {
            trace.segments.push(Segment {
                output: start..self.out.len(),
                source: f.unit.source.clone(),
                span: f.unit.span(NodeRef::Pipe(pipe)),
                literal: false,
                reads: std::mem::take(&mut trace.reads),
            });
        }
        Ok(())
    }

    // --- provenance; nothing is done where it is not recorded

    /// Notes that something is read.
    pub(super) fn note_read(&mut self, f: &Frame<'_>, node: NodeRef) {
        if let Some(trace) = &mut self.trace {
            trace.reads.push(Read { text: f.unit.show(node), dots: trace.dots.clone() });
        }
    }

    /// How much was read so far.
    fn reads_from_here(&self) -> usize {
        self.trace.as_ref().map_or(0, |trace| trace.reads.len())
    }

    /// The dot is now what was read since a mark.
    fn enter(&mut self, mark: usize) {
        if let Some(trace) = &mut self.trace {
            let read = trace.reads.get(mark).map(|read| read.text.clone());
            trace.dots.push(Dot { read: read.unwrap_or_default(), item: None });
        }
    }

    /// The dot is now an item of what was read.
    fn enter_item(&mut self, item: impl FnOnce() -> String) {
        if let Some(dot) = self.trace.as_mut().and_then(|trace| trace.dots.last_mut()) {
            dot.item = Some(item());
        }
    }

    fn leave(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.dots.pop();
        }
    }

    fn template(&mut self, f: &Frame<'_>, dot: &Slot, name: u32, pipe: u32) -> Result<()> {
        let name = &f.unit.names[name as usize];
        let own = self.overlaid(name);
        let templates = self.templates;
        let set = templates.find(name);
        if own.is_none() && set.is_none() {
            let mut error = f.error(format!("template {} not defined", quote(name.as_bytes())));
            error.hint = self.nearest(name);
            return Err(error);
        }
        if !self.stack.has_room() {
            return Err(f.error("exceeded maximum template depth (100000)"));
        }
        let data = if pipe == NO_PIPE { Val::Nil } else { self.pipe(f, dot, pipe)? };
        match (own, set) {
            (Some((unit, def)), _) => self.run_unit(&unit, def, data),
            (None, Some((_, unit, def))) => self.run_unit(unit, def, data),
            (None, None) => Ok(()),
        }
    }

    fn with(&mut self, f: &Frame<'_>, dot: &Slot, pipe: u32, then: Slice, otherwise: Slice) -> Result<Flow> {
        let mark = self.reads_from_here();
        let value = self.pipe(f, dot, pipe)?;
        if !truth(&value) {
            return self.list(f, dot, otherwise);
        }
        self.enter(mark);
        let flow = self.list(f, &Slot::plain(value), then)?;
        self.leave();
        Ok(flow)
    }

    fn range(&mut self, f: &Frame<'_>, dot: &Slot, pipe: u32, body: Slice, otherwise: Slice) -> Result<Flow> {
        let mark = self.reads_from_here();
        let value = self.pipe(f, dot, pipe)?;
        self.enter(mark);
        let plain = match &value {
            Val::Object(object) if !matches!(object.kind(), Kind::Struct | Kind::Ptr | Kind::Func) => object.plain(),
            _ => value.clone(),
        };
        let pipe = f.unit.pipes[pipe as usize];
        let empty = match &plain {
            Val::List(list) => {
                let iface = list.ty() == ListType::Any;
                for (index, item) in list.iter().enumerate() {
                    let item = Slot { val: item.clone(), iface };
                    self.enter_item(|| index.to_string());
                    if self.iteration(f, &pipe, Val::int(index as i64), &item, body)? == Flow::Break {
                        break;
                    }
                }
                list.is_empty()
            }
            Val::Map(map) => {
                let iface = map.ty() != super::MapType::Str;
                let entries = map.snapshot();
                let empty = entries.is_empty();
                for (key, item) in entries {
                    self.enter_item(|| key.to_string());
                    if self.iteration(f, &pipe, Val::Str(key), &Slot { val: item, iface }, body)? == Flow::Break {
                        break;
                    }
                }
                empty
            }
            Val::Int(count, kind) => {
                if pipe.decl.len() > 1 {
                    let shown = to_text(&value);
                    return Err(f.error(format!("can't use {shown} to iterate over more than one variable")));
                }
                self.range_int(f, &pipe, *count, *kind, body)?
            }
            Val::Nil => true,
            _ => return Err(f.error(format!("range can't iterate over {}", to_text(&value)))),
        };
        self.leave();
        if !empty {
            return Ok(Flow::Next);
        }
        // a `break` there belongs to the range around this one, if one goes by the text, but ends this one
        match self.list(f, dot, otherwise)? {
            Flow::Break => Ok(Flow::Next),
            flow => Ok(flow),
        }
    }

    fn range_int(&mut self, f: &Frame<'_>, pipe: &Pipe, count: i64, kind: IntKind, body: Slice) -> Result<bool> {
        let mut next = 0;
        while next < count {
            if self.iteration(f, pipe, Val::Nil, &Slot::plain(Val::Int(next, kind)), body)? == Flow::Break {
                break;
            }
            next += 1;
        }
        Ok(count <= 0)
    }

    fn iteration(&mut self, f: &Frame<'_>, pipe: &Pipe, index: Val, item: &Slot, body: Slice) -> Result<Flow> {
        self.round(f)?;
        if self.out.len() as u64 > OUTPUT_MAX {
            return Err(f.error_with("", Some(Cause::Refused(Box::new(output_limit())))));
        }
        match &f.unit.decls[pipe.decl.range()] {
            [] => {}
            [only] => self.set(f, only.slot, item.clone())?,
            [first, second, ..] => {
                self.set(f, first.slot, Slot::plain(index))?;
                self.set(f, second.slot, item.clone())?;
            }
        }
        self.list(f, item, body)
    }

    fn set(&mut self, f: &Frame<'_>, slot: u32, value: Slot) -> Result<()> {
        if slot == UNSET {
            return Err(f.error("undefined variable"));
        }
        self.slots[f.base + slot as usize] = value;
        Ok(())
    }

    // --- expressions

    /// The value of a pipeline, out of its interface; nil is no value.
    pub(super) fn pipe(&mut self, f: &Frame<'_>, dot: &Slot, id: u32) -> Result<Val> {
        let pipe = f.unit.pipes[id as usize];
        f.at(NodeRef::Pipe(id));
        if !self.stack.has_room() {
            return Err(f.error("max expression depth exceeded"));
        }
        let mut value = None;
        for cmd in pipe.cmds.range() {
            value = Some(self.command(f, dot, cmd as u32, value)?.val);
        }
        let value = value.unwrap_or_default();
        for decl in &f.unit.decls[pipe.decl.range()] {
            if decl.slot == UNSET {
                return Err(f.error(format!("undefined variable: {}", decl.name)));
            }
            self.slots[f.base + decl.slot as usize] = Slot::plain(value.clone());
        }
        Ok(value)
    }

    fn command(&mut self, f: &Frame<'_>, dot: &Slot, id: u32, last: Option<Val>) -> Result<Slot> {
        let args = &f.unit.args[f.unit.cmds[id as usize].args.range()];
        let first = args[0];
        match f.unit.exprs[first as usize].kind {
            ExprKind::Field(_) | ExprKind::Chain { .. } | ExprKind::Var { .. } => self.path(f, dot, first, &args[1..], last),
            ExprKind::Func { id: function, .. } => {
                f.at(NodeRef::Expr(first));
                self.call_function(f, dot, function, NodeRef::Cmd(id), &args[1..], last)
            }
            ExprKind::Pipe(pipe) => {
                not_a_function(f, args, last.is_some())?;
                self.pipe(f, dot, pipe).map(Slot::plain)
            }
            kind => {
                f.at(NodeRef::Expr(first));
                not_a_function(f, args, last.is_some())?;
                match kind {
                    ExprKind::Dot => {
                        self.note_read(f, NodeRef::Expr(first));
                        Ok(dot.clone())
                    }
                    ExprKind::Nil => Err(f.error("nil is not a command")),
                    _ => Self::constant(f, first).map(Slot::plain),
                }
            }
        }
    }

    /// A field chain, variable or chain on an expression, with the arguments of the method that it may end in.
    pub(super) fn path(&mut self, f: &Frame<'_>, dot: &Slot, id: u32, args: &[u32], last: Option<Val>) -> Result<Slot> {
        let node = NodeRef::Expr(id);
        f.at(node);
        match f.unit.exprs[id as usize].kind {
            ExprKind::Field(fields) => {
                self.note_read(f, node);
                self.fields(f, dot, dot, node, fields, args, last)
            }
            ExprKind::Var { slot, name, fields } => {
                if slot == UNSET {
                    return Err(f.error(format!("undefined variable: {}", f.unit.names[name as usize])));
                }
                self.note_read(f, node);
                let value = self.slots[f.base + slot as usize].clone();
                if fields.is_empty() {
                    if !args.is_empty() || last.is_some() {
                        return Err(f.error(format!("can't give argument to non-function {}", f.unit.show(node))));
                    }
                    return Ok(value);
                }
                self.fields(f, dot, &value, node, fields, args, last)
            }
            ExprKind::Chain { base, fields } => {
                if matches!(f.unit.exprs[base as usize].kind, ExprKind::Nil) {
                    return Err(f.error(format!("indirection through explicit nil in {}", f.unit.show(node))));
                }
                let value = self.operand(f, dot, base)?;
                self.fields(f, dot, &value, node, fields, args, last)
            }
            _ => self.operand(f, dot, id),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one walk of a chain: where it starts, what is called at its end")]
    fn fields(
        &mut self,
        f: &Frame<'_>,
        dot: &Slot,
        start: &Slot,
        node: NodeRef,
        fields: Slice,
        args: &[u32],
        last: Option<Val>,
    ) -> Result<Slot> {
        let names = &f.unit.names[fields.range()];
        let Some((end, inner)) = names.split_last() else { return Ok(start.clone()) };
        let mut held;
        let mut receiver = start;
        for name in inner {
            held = self.field(f, dot, name, node, &[], None, receiver)?;
            receiver = &held;
        }
        self.field(f, dot, end, node, args, last, receiver)
    }

    /// An operand without arguments, as the base of a chain.
    fn operand(&mut self, f: &Frame<'_>, dot: &Slot, id: u32) -> Result<Slot> {
        f.at(NodeRef::Expr(id));
        match f.unit.exprs[id as usize].kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Nil => Ok(Slot::default()),
            ExprKind::Pipe(pipe) => self.pipe(f, dot, pipe).map(Slot::plain),
            ExprKind::Func { id: function, .. } => self.call_function(f, dot, function, NodeRef::Expr(id), &[], None),
            ExprKind::Field(_) | ExprKind::Var { .. } | ExprKind::Chain { .. } => self.path(f, dot, id, &[], None),
            _ => Self::constant(f, id).map(Slot::plain),
        }
    }

    /// A literal where nothing says which type it should have.
    pub(super) fn constant(f: &Frame<'_>, id: u32) -> Result<Val> {
        match f.unit.exprs[id as usize].kind {
            ExprKind::Bool(value) => Ok(Val::Bool(value)),
            ExprKind::Str(text) => Ok(Val::Str(f.unit.strings[text as usize].clone())),
            ExprKind::Number(number) => {
                let number = &f.unit.numbers[number as usize];
                if let Some((real, imaginary)) = number.complex {
                    return Ok(Val::object(super::complex::Complex { real, imaginary }));
                }
                match (number.float.filter(|_| number.looks_float()), number.int) {
                    (Some(float), _) => Ok(Val::Float(float)),
                    (None, Some(int)) => Ok(Val::int(int)),
                    (None, None) => Err(f.error(format!("{} overflows int", number.text))),
                }
            }
            _ => Ok(Val::Nil),
        }
    }
}

fn not_a_function(f: &Frame<'_>, args: &[u32], piped: bool) -> Result<()> {
    if args.len() > 1 || piped {
        let shown = f.unit.show(NodeRef::Expr(args[0]));
        return Err(f.error(format!("can't give argument to non-function {shown}")));
    }
    Ok(())
}
