//! The compiled form of a template text: flat arrays that point into one another by index.
//!
//! Immutable and `Send + Sync`; names are resolved (functions to ids, variables to slots), literals are built. A node can be
//! written as Go writes it in error messages.

use std::fmt::Write as _;
use std::ops::Range;

use super::Str;
use crate::diag::{SourceText, Span};

/// A stretch of one of the arrays.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slice {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Slice {
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) fn len(self) -> usize {
        self.range().len()
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Marks a variable that the text names but that is not set where it stands (`{{ $x := $x }}`).
pub(super) const UNSET: u32 = u32::MAX;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stmt {
    Text { start: u32, end: u32 },
    Print { pipe: u32 },
    If { pipe: u32, then: Slice, otherwise: Slice },
    With { pipe: u32, then: Slice, otherwise: Slice },
    Range { pipe: u32, body: Slice, otherwise: Slice },
    Template { pos: u32, end: u32, name: u32, pipe: u32 },
    Break,
    Continue,
}

/// No pipeline, in [`Stmt::Template`].
pub(super) const NO_PIPE: u32 = u32::MAX;

/// A pipeline: what it declares or assigns, and its commands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pipe {
    pub(super) pos: u32,
    pub(super) end: u32,
    pub(super) assign: bool,
    pub(super) decl: Slice,
    pub(super) cmds: Slice,
}

/// A declared or assigned variable.
#[derive(Clone, Debug)]
pub(super) struct Decl {
    pub(super) name: Str,
    pub(super) slot: u32,
}

/// A command: an operand and its arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cmd {
    pub(super) pos: u32,
    pub(super) end: u32,
    pub(super) args: Slice,
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expr {
    pub(super) pos: u32,
    pub(super) end: u32,
    pub(super) kind: ExprKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ExprKind {
    Dot,
    Nil,
    Bool(bool),
    Number(u32),
    /// A string: index of its value; its spelling is the node's own bytes.
    Str(u32),
    Field(Slice),
    Var { slot: u32, name: u32, fields: Slice },
    Chain { base: u32, fields: Slice },
    Pipe(u32),
    Func { id: u32, name: u32 },
}

/// A numeric constant under every reading that its spelling allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Number {
    pub(super) text: String,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
}

impl Number {
    /// True if the spelling asks for a float where nothing else does.
    pub(super) fn looks_float(&self) -> bool {
        let text = self.text.as_bytes();
        let is_hex = text.len() > 2 && text[0] == b'0' && matches!(text[1], b'x' | b'X') && !self.text.contains(['p', 'P']);
        !is_hex && text.first() != Some(&b'\'') && self.text.contains(['.', 'e', 'E', 'p', 'P'])
    }
}

/// One named template of a unit.
#[derive(Clone, Debug)]
pub(super) struct Def {
    pub(super) name: Str,
    pub(super) body: Slice,
    /// How many variables it has, `$` included.
    pub(super) slots: u32,
    /// True if it holds nothing but space, so that it does not take the place of another of its name.
    pub(super) empty: bool,
}

/// Any node that an error can be at.
#[derive(Clone, Copy, Debug)]
pub(super) enum NodeRef {
    /// No node yet.
    None,
    Expr(u32),
    Pipe(u32),
    Cmd(u32),
    /// A template action: position, end, name, pipeline.
    Template { pos: u32, end: u32, name: u32, pipe: u32 },
}

/// One compiled template text with the templates it defines.
#[derive(Clone, Debug)]
pub struct Unit {
    pub(super) source: SourceText,
    /// True if the source has characters that stand for bytes.
    pub(super) raw: bool,
    pub(super) defs: Vec<Def>,
    pub(super) stmts: Vec<Stmt>,
    pub(super) pipes: Vec<Pipe>,
    pub(super) decls: Vec<Decl>,
    pub(super) cmds: Vec<Cmd>,
    pub(super) exprs: Vec<Expr>,
    /// Indices into `exprs`, the arguments of commands.
    pub(super) args: Vec<u32>,
    pub(super) names: Vec<Str>,
    pub(super) strings: Vec<Str>,
    pub(super) numbers: Vec<Number>,
}

impl Unit {

    /// The bytes of a node, for an excerpt. Starts where Go says the node is.
    pub(super) fn span(&self, node: NodeRef) -> Span {
        let (pos, end) = match node {
            NodeRef::None => (0, 0),
            NodeRef::Expr(id) => (self.exprs[id as usize].pos, self.exprs[id as usize].end),
            NodeRef::Pipe(id) => (self.pipes[id as usize].pos, self.pipes[id as usize].end),
            NodeRef::Cmd(id) => (self.cmds[id as usize].pos, self.cmds[id as usize].end),
            NodeRef::Template { pos, end, .. } => (pos, end),
        };
        Span { start: pos, end: end.max(pos) }
    }

    /// A node as Go prints it.
    pub(super) fn show(&self, node: NodeRef) -> String {
        let mut out = String::new();
        match node {
            NodeRef::None => {}
            NodeRef::Expr(id) => self.show_expr(id, &mut out),
            NodeRef::Pipe(id) => self.show_pipe(id, &mut out),
            NodeRef::Cmd(id) => self.show_cmd(id, &mut out),
            NodeRef::Template { name, pipe, .. } => {
                out.push_str("{{template ");
                out.push_str(&super::print::quote(self.names[name as usize].as_bytes()));
                if pipe != NO_PIPE {
                    out.push(' ');
                    self.show_pipe(pipe, &mut out);
                }
                out.push_str("}}");
            }
        }
        out
    }

    fn show_pipe(&self, id: u32, out: &mut String) {
        let pipe = &self.pipes[id as usize];
        for (index, decl) in self.decls[pipe.decl.range()].iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            let _ = write!(out, "{}", decl.name);
        }
        if !pipe.decl.is_empty() {
            out.push_str(if pipe.assign { " = " } else { " := " });
        }
        for (index, cmd) in pipe.cmds.range().enumerate() {
            if index > 0 {
                out.push_str(" | ");
            }
            self.show_cmd(cmd as u32, out);
        }
    }

    fn show_cmd(&self, id: u32, out: &mut String) {
        for (index, &arg) in self.args[self.cmds[id as usize].args.range()].iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            if matches!(self.exprs[arg as usize].kind, ExprKind::Pipe(_)) {
                out.push('(');
                self.show_expr(arg, out);
                out.push(')');
            } else {
                self.show_expr(arg, out);
            }
        }
    }

    fn show_expr(&self, id: u32, out: &mut String) {
        let expr = &self.exprs[id as usize];
        match expr.kind {
            ExprKind::Dot => out.push('.'),
            ExprKind::Nil => out.push_str("nil"),
            ExprKind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            ExprKind::Number(number) => out.push_str(&self.numbers[number as usize].text),
            ExprKind::Str(_) => out.push_str(self.source.text().get(expr.pos as usize..expr.end as usize).unwrap_or_default()),
            ExprKind::Field(fields) => self.show_fields(fields, out),
            ExprKind::Var { name, fields, .. } => {
                let _ = write!(out, "{}", self.names[name as usize]);
                self.show_fields(fields, out);
            }
            ExprKind::Chain { base, fields } => {
                let wrap = matches!(self.exprs[base as usize].kind, ExprKind::Pipe(_));
                if wrap {
                    out.push('(');
                }
                self.show_expr(base, out);
                if wrap {
                    out.push(')');
                }
                self.show_fields(fields, out);
            }
            ExprKind::Pipe(pipe) => self.show_pipe(pipe, out),
            ExprKind::Func { name, .. } => {
                let _ = write!(out, "{}", self.names[name as usize]);
            }
        }
    }

    fn show_fields(&self, fields: Slice, out: &mut String) {
        for name in &self.names[fields.range()] {
            let _ = write!(out, ".{name}");
        }
    }
}
