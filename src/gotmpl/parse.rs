//! The parser: tokens straight to the compiled form, in one pass.
//!
//! In: a text and the functions it may call. Out: a [`Unit`], or the error that Go gives. The grammar, the order of checks and the
//! positions kept for errors are Go's; nothing is evaluated.
//! Long because it is one grammar: every production calls the others and none makes sense alone.

use std::fmt::Write as _;

use super::lex::{Lexer, Tok, Token};
use super::node::{Cmd, Decl, Def, Expr, ExprKind, NO_PIPE, Pipe, Slice, Stmt, UNSET, Unit};
use super::number::{number, unquote};
use super::print::{quote, quote_start};
use super::stack::Stack;
use super::{FuncTable, ParseError, Str, raw};
use crate::diag::{SourceText, Span};

/// Go's limit on parentheses within parentheses.
const PAREN_DEPTH_MAX: u32 = 10_000;

type Result<T> = std::result::Result<T, Box<ParseError>>;

impl Unit {
    /// Compiles a text. Its name is the source's name; `stack` says how deep it may nest.
    pub fn parse(source: &SourceText, functions: &FuncTable, stack: Stack) -> Result<Unit> {
        let mut lexer = Lexer::new(source.text());
        lexer.break_is_name = functions.id("break").is_some();
        lexer.continue_is_name = functions.id("continue").is_some();
        // room for what as many actions of ordinary length hold: growing step by step cost a fifth of compiling
        let actions = memchr::memmem::find_iter(source.text().as_bytes(), b"{{").count();
        let unit = Unit {
            source: source.clone(),
            raw: raw::has_marks(source.text()),
            defs: Vec::new(),
            stmts: Vec::with_capacity(2 * actions + 1),
            pipes: Vec::with_capacity(actions),
            decls: Vec::new(),
            cmds: Vec::with_capacity(2 * actions),
            exprs: Vec::with_capacity(3 * actions),
            args: Vec::with_capacity(3 * actions),
            names: Vec::with_capacity(3 * actions),
            strings: Vec::with_capacity(actions),
            numbers: Vec::new(),
        };
        let nothing = Token { tok: Tok::Eof, start: 0, end: 0 };
        let mut parser = Parser {
            text: source.text(),
            lexer,
            functions,
            stack,
            unit,
            tokens: [nothing; 3],
            peeked: 0,
            action_start: None,
            paren_depth: 0,
            scope: Scope::new(),
            open_stmts: Vec::with_capacity(16),
            open_cmds: Vec::with_capacity(16),
            open_args: Vec::with_capacity(16),
        };
        parser.file()?;
        Ok(parser.unit)
    }
}

/// The variables of the template being parsed.
struct Scope {
    /// Names in order of declaration; a name is set once its pipeline is complete.
    vars: Vec<Var>,
    slots: u32,
    range_depth: u32,
}

struct Var {
    name: (u32, u32),
    slot: u32,
    set: bool,
}

impl Scope {
    fn new() -> Scope {
        Scope { vars: vec![Var { name: (0, 0), slot: 0, set: true }], slots: 1, range_depth: 0 }
    }
}

/// How a list of statements ended.
#[derive(Clone, Copy)]
enum Close {
    End,
    Else,
}

impl Close {
    fn shown(self) -> &'static str {
        match self {
            Close::End => "{{end}}",
            Close::Else => "{{else}}",
        }
    }
}

/// A statement, or the end of the list that it would stand in.
enum Step {
    Stmt(Stmt),
    Close(Close),
}

struct Parser<'s> {
    text: &'s str,
    lexer: Lexer<'s>,
    functions: &'s FuncTable,
    stack: Stack,
    unit: Unit,
    tokens: [Token; 3],
    peeked: usize,
    /// Where the action being read began, for errors that show on a later line.
    action_start: Option<u32>,
    paren_depth: u32,
    scope: Scope,
    /// Statements, commands and arguments of lists that are not closed yet; each list is moved to the unit as it closes.
    open_stmts: Vec<Stmt>,
    open_cmds: Vec<Cmd>,
    open_args: Vec<u32>,
}

impl Parser<'_> {
    // --- tokens

    fn next(&mut self) -> Token {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.peeked]
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn peek(&mut self) -> Token {
        if self.peeked > 0 {
            return self.tokens[self.peeked - 1];
        }
        self.peeked = 1;
        self.tokens[0] = self.lexer.next();
        self.tokens[0]
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.tok != Tok::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn text_of(&self, token: Token) -> &str {
        &self.text[token.start as usize..token.end as usize]
    }

    // --- errors

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(self.fault(message))
    }

    fn fault(&self, message: impl Into<String>) -> Box<ParseError> {
        let token = self.tokens[0];
        let line = self.line(token.start);
        let span = Span { start: token.start, end: token.end.max(token.start) };
        let message = message.into();
        let hint = match message.as_str() {
            "bad character U+002D '-'" => Some("reach a key that has a dash with `index`: `index .Values \"my-key\"`".to_owned()),
            "unclosed action" | "unexpected \"}\" in operand" => Some("close the action with `}}`".to_owned()),
            _ => None,
        };
        Box::new(ParseError { source: self.unit.source.clone(), line, span, message, opened: None, hint })
    }

    fn line(&self, offset: u32) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.text.as_bytes()[..offset as usize]).count()
    }

    fn unexpected<T>(&self, token: Token, context: &str) -> Result<T> {
        if token.tok != Tok::Error {
            return self.fail(format!("unexpected {} in {context}", self.shown(token)));
        }
        let mut message = self.lexer.error.clone();
        if let Some(start) = self.action_start.map(|start| self.line(start)).filter(|line| *line != self.line(token.start)) {
            let joint = if message.ends_with(" action") { " started at" } else { " in action started at" };
            let _ = write!(message, "{joint} {}:{start}", self.unit.source.name());
        }
        self.fail(message)
    }

    fn shown(&self, token: Token) -> String {
        let text = self.text_of(token);
        match token.tok {
            Tok::Eof => "EOF".to_owned(),
            Tok::Error => self.lexer.error.clone(),
            tok if tok >= Tok::Block => format!("<{text}>"),
            _ if text.len() > 10 => format!("{}...", quote_start(text, 10)),
            _ => quote(text.as_bytes()),
        }
    }

    fn expect(&mut self, tok: Tok, context: &str) -> Result<Token> {
        let token = self.next_non_space();
        if token.tok == tok { Ok(token) } else { self.unexpected(token, context) }
    }

    fn room(&self) -> Result<()> {
        if self.stack.has_room() { Ok(()) } else { self.fail("max expression depth exceeded") }
    }

    // --- lists of statements

    /// The whole text.
    fn file(&mut self) -> Result<()> {
        let mark = self.open_stmts.len();
        loop {
            let token = self.peek();
            if token.tok == Tok::Eof {
                break;
            }
            if token.tok == Tok::LeftDelim {
                let delim = self.next();
                if self.next_non_space().tok == Tok::Define {
                    self.definition()?;
                    continue;
                }
                // the token after the delimiter is in place already
                self.tokens[1] = delim;
                self.peeked = 2;
            }
            match self.text_or_action()? {
                Step::Stmt(stmt) => self.open_stmts.push(stmt),
                Step::Close(close) => return self.fail(format!("unexpected {}", close.shown())),
            }
        }
        let body = self.close_list(mark);
        self.add(Str::from(self.unit.source.name()), body)
    }

    fn close_list(&mut self, mark: usize) -> Slice {
        let start = self.unit.stmts.len() as u32;
        self.unit.stmts.extend(self.open_stmts.drain(mark..));
        Slice { start, end: self.unit.stmts.len() as u32 }
    }

    /// Adds a template to the unit: a second one of a name is taken only if one of the two is empty.
    fn add(&mut self, name: Str, body: Slice) -> Result<()> {
        let empty = self.unit.stmts[body.range()].iter().all(|stmt| match stmt {
            Stmt::Text { start, end } => is_blank(&self.text[*start as usize..*end as usize]),
            _ => false,
        });
        let def = Def { name, body, slots: self.scope.slots, empty };
        match self.unit.defs.iter_mut().find(|other| other.name == def.name) {
            None => self.unit.defs.push(def),
            Some(other) if other.empty => *other = def,
            Some(_) if def.empty => {}
            Some(_) => {
                let name = quote(def.name.as_bytes());
                return self.fail(format!("template: multiple definition of template {name}"));
            }
        }
        Ok(())
    }

    /// `{{define "name"}} … {{end}}` from after its keyword.
    fn definition(&mut self) -> Result<()> {
        let context = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(token, context)?;
        self.expect(Tok::RightDelim, context)?;
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (body, close) = self.list()?;
        if let Close::Else = close {
            return self.fail(format!("unexpected {} in {context}", close.shown()));
        }
        self.add(name, body)?;
        self.scope = outer;
        Ok(())
    }

    /// Statements up to an `end` or `else`.
    fn list(&mut self) -> Result<(Slice, Close)> {
        let mark = self.open_stmts.len();
        let opened = self.text[..self.tokens[self.peeked].end as usize].rfind("{{").unwrap_or_default();
        while self.peek_non_space().tok != Tok::Eof {
            match self.text_or_action()? {
                Step::Stmt(stmt) => self.open_stmts.push(stmt),
                Step::Close(close) => return Ok((self.close_list(mark), close)),
            }
        }
        let mut fault = self.fault("unexpected EOF");
        let length = self.text[opened..].find("}}").map_or(2, |at| at + 2);
        fault.opened = Some(Span::new(opened, opened + length));
        fault.hint = Some("add an `{{ end }}`".to_owned());
        Err(fault)
    }

    fn text_or_action(&mut self) -> Result<Step> {
        let token = self.next_non_space();
        match token.tok {
            Tok::Text => Ok(Step::Stmt(Stmt::Text { start: token.start, end: token.end })),
            Tok::LeftDelim => {
                self.action_start = Some(token.start);
                let step = self.action();
                self.action_start = None;
                step
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn action(&mut self) -> Result<Step> {
        let token = self.next_non_space();
        let stmt = match token.tok {
            Tok::Block => self.block()?,
            Tok::Break => self.jump("{{break}}", Stmt::Break)?,
            Tok::Continue => self.jump("{{continue}}", Stmt::Continue)?,
            Tok::Else => {
                let next = self.peek_non_space();
                if !matches!(next.tok, Tok::If | Tok::With) {
                    self.expect(Tok::RightDelim, "else")?;
                }
                return Ok(Step::Close(Close::Else));
            }
            Tok::End => {
                self.expect(Tok::RightDelim, "end")?;
                return Ok(Step::Close(Close::End));
            }
            Tok::If | Tok::Range | Tok::With => self.control(token.tok)?,
            Tok::Template => self.template()?,
            _ => {
                self.backup();
                Stmt::Print { pipe: self.pipeline("command", Tok::RightDelim)? }
            }
        };
        Ok(Step::Stmt(stmt))
    }

    fn jump(&mut self, context: &str, stmt: Stmt) -> Result<Stmt> {
        let token = self.next_non_space();
        if token.tok != Tok::RightDelim {
            return self.unexpected(token, context);
        }
        if self.scope.range_depth == 0 {
            return self.fail(format!("{context} outside {{{{range}}}}"));
        }
        Ok(stmt)
    }

    /// `if`, `with` or `range` from after its keyword.
    fn control(&mut self, keyword: Tok) -> Result<Stmt> {
        self.room()?;
        let mark = self.scope.vars.len();
        let context = match keyword {
            Tok::If => "if",
            Tok::With => "with",
            _ => "range",
        };
        let pipe = self.pipeline(context, Tok::RightDelim)?;
        let in_range = u32::from(keyword == Tok::Range);
        self.scope.range_depth += in_range;
        let (then, close) = self.list()?;
        self.scope.range_depth -= in_range;
        let mut otherwise = Slice::default();
        if let Close::Else = close {
            otherwise = self.otherwise(keyword)?;
        }
        self.scope.vars.truncate(mark);
        Ok(match keyword {
            Tok::If => Stmt::If { pipe, then, otherwise },
            Tok::With => Stmt::With { pipe, then, otherwise },
            _ => Stmt::Range { pipe, body: then, otherwise },
        })
    }

    /// What follows an `else`: another control of the same kind, whose `end` closes both, or a list.
    fn otherwise(&mut self, keyword: Tok) -> Result<Slice> {
        if keyword != Tok::Range && self.peek().tok == keyword {
            self.next();
            let chained = self.control(keyword)?;
            let mark = self.open_stmts.len();
            self.open_stmts.push(chained);
            return Ok(self.close_list(mark));
        }
        let (list, close) = self.list()?;
        match close {
            Close::End => Ok(list),
            Close::Else => self.fail(format!("expected end; found {}", close.shown())),
        }
    }

    /// `{{block "name" pipeline}} … {{end}}` from after its keyword: a definition and its use.
    fn block(&mut self) -> Result<Stmt> {
        self.room()?;
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(token, context)?;
        let pipe = self.pipeline(context, Tok::RightDelim)?;
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (body, close) = self.list()?;
        if let Close::Else = close {
            return self.fail(format!("unexpected {} in {context}", close.shown()));
        }
        self.add(name.clone(), body)?;
        self.scope = outer;
        Ok(self.template_stmt(token, name, pipe))
    }

    fn template(&mut self) -> Result<Stmt> {
        let context = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(token, context)?;
        let mut pipe = NO_PIPE;
        if self.next_non_space().tok != Tok::RightDelim {
            self.backup();
            pipe = self.pipeline(context, Tok::RightDelim)?;
        }
        Ok(self.template_stmt(token, name, pipe))
    }

    fn template_stmt(&mut self, token: Token, name: Str, pipe: u32) -> Stmt {
        Stmt::Template { pos: token.start, end: token.end, name: self.name(name), pipe }
    }

    fn template_name(&mut self, token: Token, context: &str) -> Result<Str> {
        if !matches!(token.tok, Tok::String | Tok::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(self.text_of(token)) {
            Some(name) => Ok(Str::from(name)),
            None => self.fail("invalid syntax"),
        }
    }

    // --- pipelines

    fn pipeline(&mut self, context: &str, end: Tok) -> Result<u32> {
        self.room()?;
        let pos = self.peek_non_space().start;
        let (decl, assign) = self.declarations(context)?;
        let mark = self.open_cmds.len();
        loop {
            let token = self.next_non_space();
            match token.tok {
                tok if tok == end => {
                    let cmds = self.close_pipeline(mark, context)?;
                    self.declare(decl);
                    self.unit.pipes.push(Pipe { pos, end: token.start, assign, decl, cmds });
                    return Ok(self.unit.pipes.len() as u32 - 1);
                }
                Tok::Bool
                | Tok::CharConstant
                | Tok::Complex
                | Tok::Dot
                | Tok::Field
                | Tok::Identifier
                | Tok::Number
                | Tok::Nil
                | Tok::RawString
                | Tok::String
                | Tok::Variable
                | Tok::LeftParen => {
                    self.backup();
                    let cmd = self.command()?;
                    self.open_cmds.push(cmd);
                }
                _ => return self.unexpected(token, context),
            }
        }
    }

    /// `$x :=`, `$x =`, or in a range `$k, $v :=`.
    fn declarations(&mut self, context: &str) -> Result<(Slice, bool)> {
        let start = self.unit.decls.len() as u32;
        let mut assign = false;
        loop {
            let variable = self.peek_non_space();
            if variable.tok != Tok::Variable {
                break;
            }
            self.next();
            let after = self.peek();
            let next = self.peek_non_space();
            if matches!(next.tok, Tok::Assign | Tok::Declare) {
                assign = next.tok == Tok::Assign;
                self.next_non_space();
                self.note_declared(variable);
            } else if next.tok == Tok::Char && self.text_of(next) == "," {
                self.next_non_space();
                self.note_declared(variable);
                if context == "range" && self.unit.decls.len() as u32 - start < 2 {
                    if matches!(self.peek_non_space().tok, Tok::Variable | Tok::RightDelim | Tok::RightParen) {
                        continue;
                    }
                    return self.fail("range can only initialize variables");
                }
                return self.fail(format!("too many declarations in {context}"));
            } else if after.tok == Tok::Space {
                self.tokens[1] = after;
                self.tokens[2] = variable;
                self.peeked = 3;
            } else {
                self.tokens[1] = variable;
                self.peeked = 2;
            }
            break;
        }
        let decl = Slice { start, end: self.unit.decls.len() as u32 };
        if assign {
            self.resolve_assigned(decl);
        }
        Ok((decl, assign))
    }

    /// Makes a name known, though not yet set: what the pipeline itself says under that name is an outer variable.
    fn note_declared(&mut self, token: Token) {
        let slot = self.scope.slots;
        self.scope.slots += 1;
        self.scope.vars.push(Var { name: (token.start, token.end), slot, set: false });
        let name = Str::from(self.text_of(token));
        self.unit.decls.push(Decl { name, slot });
    }

    /// Points assignments at the variables that they change.
    fn resolve_assigned(&mut self, decl: Slice) {
        for index in decl.range() {
            let name = self.unit.decls[index].name.clone();
            let found = self.scope.vars.iter().rev().find(|var| var.set && self.var_name(var).as_bytes() == name.as_bytes());
            self.unit.decls[index].slot = found.map_or(UNSET, |var| var.slot);
        }
    }

    fn var_name(&self, var: &Var) -> &str {
        if var.name == (0, 0) { "$" } else { &self.text[var.name.0 as usize..var.name.1 as usize] }
    }

    /// From here on the declared variables are set; assigned ones stay what they are.
    fn declare(&mut self, decl: Slice) {
        for decl in &self.unit.decls[decl.range()] {
            for var in self.scope.vars.iter_mut().rev() {
                if var.slot == decl.slot {
                    var.set = true;
                    break;
                }
            }
        }
    }

    fn close_pipeline(&mut self, mark: usize, context: &str) -> Result<Slice> {
        if self.open_cmds.len() == mark {
            return self.fail(format!("missing value for {context}"));
        }
        for (stage, cmd) in self.open_cmds[mark..].iter().enumerate().skip(1) {
            let first = self.unit.args[cmd.args.start as usize];
            if is_constant(self.unit.exprs[first as usize].kind) {
                return self.fail(format!("non executable command in pipeline stage {}", stage + 1));
            }
        }
        let start = self.unit.cmds.len() as u32;
        self.unit.cmds.extend(self.open_cmds.drain(mark..));
        Ok(Slice { start, end: self.unit.cmds.len() as u32 })
    }

    /// Operands up to a pipe sign or the end of the pipeline.
    fn command(&mut self) -> Result<Cmd> {
        let pos = self.peek_non_space().start;
        let mark = self.open_args.len();
        let mut end = pos;
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                end = self.unit.exprs[operand as usize].end;
                self.open_args.push(operand);
            }
            let token = self.next();
            match token.tok {
                Tok::Space => continue,
                Tok::RightDelim | Tok::RightParen => self.backup(),
                Tok::Pipe => {}
                _ => return self.unexpected(token, "operand"),
            }
            break;
        }
        if self.open_args.len() == mark {
            return self.fail("empty command");
        }
        let start = self.unit.args.len() as u32;
        self.unit.args.extend(self.open_args.drain(mark..));
        Ok(Cmd { pos, end, args: Slice { start, end: self.unit.args.len() as u32 } })
    }

    /// A term with the fields that follow it without space.
    fn operand(&mut self) -> Result<Option<u32>> {
        let Some(mut expr) = self.term()? else { return Ok(None) };
        let first = self.peek();
        let term_end = expr.end;
        if first.tok == Tok::Field {
            let start = self.unit.names.len() as u32;
            let kept = match expr.kind {
                // further fields join a field's own, which are the last names noted
                ExprKind::Field(fields) => fields.start,
                _ => start,
            };
            while self.peek().tok == Tok::Field {
                let token = self.next();
                expr.end = token.end;
                self.field_name(token);
            }
            let fields = Slice { start: kept, end: self.unit.names.len() as u32 };
            let kind = match expr.kind {
                ExprKind::Field(_) => ExprKind::Field(fields),
                ExprKind::Var { slot, name, .. } => ExprKind::Var { slot, name, fields },
                kind if is_constant(kind) => {
                    self.unit.exprs.push(Expr { end: term_end, ..expr });
                    let shown = self.unit.show(super::node::NodeRef::Expr(self.unit.exprs.len() as u32 - 1));
                    return self.fail(format!("unexpected . after term {}", quote(shown.as_bytes())));
                }
                _ => ExprKind::Chain { base: self.expr(expr), fields },
            };
            // Go places a chain where its second link begins
            expr = Expr { pos: first.start, end: expr.end, kind };
        }
        Ok(Some(self.expr(expr)))
    }

    fn expr(&mut self, expr: Expr) -> u32 {
        self.unit.exprs.push(expr);
        self.unit.exprs.len() as u32 - 1
    }

    fn name(&mut self, name: Str) -> u32 {
        self.unit.names.push(name);
        self.unit.names.len() as u32 - 1
    }

    fn field_name(&mut self, token: Token) -> u32 {
        let name = Str::from(&self.text_of(token)[1..]);
        self.name(name)
    }

    fn term(&mut self) -> Result<Option<Expr>> {
        let token = self.next_non_space();
        let kind = match token.tok {
            Tok::Identifier => {
                let text = &self.text[token.start as usize..token.end as usize];
                let Some(id) = self.functions.id(text) else {
                    let mut fault = self.fault(format!("function {} not defined", quote(text.as_bytes())));
                    fault.hint = self.functions.nearest(text).map(|near| format!("use `{near}`"));
                    return Err(fault);
                };
                ExprKind::Func { id, name: self.name(Str::from(text)) }
            }
            Tok::Dot => ExprKind::Dot,
            Tok::Nil => ExprKind::Nil,
            Tok::Variable => self.variable(token)?,
            Tok::Field => {
                let start = self.field_name(token);
                ExprKind::Field(Slice { start, end: start + 1 })
            }
            Tok::Bool => ExprKind::Bool(self.text_of(token) == "true"),
            Tok::CharConstant | Tok::Complex | Tok::Number => match number(self.text_of(token), token.tok) {
                Ok(number) => {
                    self.unit.numbers.push(number);
                    ExprKind::Number(self.unit.numbers.len() as u32 - 1)
                }
                Err(message) => return self.fail(message),
            },
            Tok::LeftParen => return self.parenthesised().map(Some),
            Tok::String | Tok::RawString => match unquote(self.text_of(token)) {
                Some(value) => {
                    let value = if self.unit.raw { raw_literal(value, token.tok) } else { value };
                    self.unit.strings.push(Str::from(value));
                    ExprKind::Str(self.unit.strings.len() as u32 - 1)
                }
                None => return self.fail("invalid syntax"),
            },
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(Expr { pos: token.start, end: token.end, kind }))
    }

    fn parenthesised(&mut self) -> Result<Expr> {
        if self.paren_depth >= PAREN_DEPTH_MAX {
            return self.fail("max expression depth exceeded");
        }
        self.paren_depth += 1;
        let pipe = self.pipeline("parenthesized pipeline", Tok::RightParen)?;
        self.paren_depth -= 1;
        let Pipe { pos, end, .. } = self.unit.pipes[pipe as usize];
        Ok(Expr { pos, end, kind: ExprKind::Pipe(pipe) })
    }

    fn variable(&mut self, token: Token) -> Result<ExprKind> {
        let text = &self.text[token.start as usize..token.end as usize];
        let mut known = false;
        let mut slot = UNSET;
        for var in self.scope.vars.iter().rev() {
            if self.var_name(var) == text {
                known = true;
                if var.set {
                    slot = var.slot;
                    break;
                }
            }
        }
        if !known {
            return self.fail(format!("undefined variable {}", quote(text.as_bytes())));
        }
        let name = self.name(Str::from(text));
        Ok(ExprKind::Var { slot, name, fields: Slice { start: name + 1, end: name + 1 } })
    }
}

fn is_constant(kind: ExprKind) -> bool {
    matches!(kind, ExprKind::Bool(_) | ExprKind::Dot | ExprKind::Nil | ExprKind::Number(_) | ExprKind::Str(_))
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// A literal of a text with characters that stand for bytes.
fn raw_literal(value: Vec<u8>, tok: Tok) -> Vec<u8> {
    match std::str::from_utf8(&value) {
        Ok(text) if tok == Tok::RawString => raw::bytes_of_text(text).into_owned(),
        Ok(text) => raw::replaced(text).into_bytes(),
        Err(_) => value,
    }
}
