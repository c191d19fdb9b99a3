//! What a case is made of: expressions and statements as trees, so that a difference can be shrunk.

use std::collections::BTreeMap;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    /// A literal or a field, as it is written.
    Atom(String),
    /// A call; `piped` writes the last argument in front.
    Call { name: &'static str, arguments: Vec<Expr>, piped: bool },
}

impl Expr {
    pub(crate) fn text(&self) -> String {
        match self {
            Expr::Atom(text) => text.clone(),
            Expr::Call { name, arguments, piped: true } if !arguments.is_empty() => {
                let (last, rest) = arguments.split_last().expect("not empty");
                let rest: String = rest.iter().flat_map(|argument| [" ".to_owned(), argument.operand()]).collect();
                format!("{} | {name}{rest}", last.operand())
            }
            Expr::Call { name, arguments, .. } => {
                let rest: String = arguments.iter().flat_map(|argument| [" ".to_owned(), argument.operand()]).collect();
                format!("{name}{rest}")
            }
        }
    }

    /// The expression where an operand is wanted.
    pub(crate) fn operand(&self) -> String {
        match self {
            Expr::Atom(text) => text.clone(),
            Expr::Call { .. } => format!("({})", self.text()),
        }
    }

    fn count(&self, used: &mut BTreeMap<String, usize>) {
        if let Expr::Call { name, arguments, .. } = self {
            *used.entry((*name).to_owned()).or_default() += 1;
            for argument in arguments {
                argument.count(used);
            }
        }
    }

    /// Every expression that is one step simpler.
    pub(crate) fn simpler(&self) -> Vec<Expr> {
        let Expr::Call { name, arguments, piped } = self else { return Vec::new() };
        let mut found: Vec<Expr> = arguments.clone();
        if *piped {
            found.push(Expr::Call { name, arguments: arguments.clone(), piped: false });
        }
        for (at, argument) in arguments.iter().enumerate() {
            for simpler in argument.simpler() {
                let mut arguments = arguments.clone();
                arguments[at] = simpler;
                found.push(Expr::Call { name, arguments, piped: *piped });
            }
        }
        found
    }
}

/// A statement; `kind` is the name of the action for counting.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    /// Text, comments, and actions without expressions, as they are written.
    Text { kind: &'static str, text: String },
    /// An action around an expression: `{{- EXPR }}`, `{{ $x := EXPR }}`.
    Action { kind: &'static str, open: &'static str, expr: Expr, close: &'static str },
    /// A block: `{{ if EXPR }}…{{ else }}…{{ end }}`.
    Block { kind: &'static str, open: String, expr: Expr, close: &'static str, body: Vec<Stmt>, other: Vec<Stmt> },
}

impl Stmt {
    pub(crate) fn text(&self) -> String {
        let all = |body: &[Stmt]| body.iter().map(Stmt::text).collect::<String>();
        match self {
            Stmt::Text { text, .. } => text.clone(),
            Stmt::Action { open, expr, close, .. } => format!("{open}{}{close}", expr.text()),
            Stmt::Block { open, expr, close, body, other, .. } if other.is_empty() => {
                format!("{open}{}{close}{}{{{{ end }}}}", expr.text(), all(body))
            }
            Stmt::Block { open, expr, close, body, other, .. } => {
                format!("{open}{}{close}{}{{{{ else }}}}{}{{{{ end }}}}", expr.text(), all(body), all(other))
            }
        }
    }

    fn count(&self, used: &mut BTreeMap<String, usize>) {
        match self {
            Stmt::Text { kind, .. } => *used.entry((*kind).to_owned()).or_default() += 1,
            Stmt::Action { kind, expr, .. } => {
                *used.entry((*kind).to_owned()).or_default() += 1;
                expr.count(used);
            }
            Stmt::Block { kind, expr, body, other, .. } => {
                *used.entry((*kind).to_owned()).or_default() += 1;
                expr.count(used);
                body.iter().chain(other).for_each(|stmt| stmt.count(used));
            }
        }
    }

    fn simpler(&self) -> Vec<Vec<Stmt>> {
        match self {
            Stmt::Text { .. } => Vec::new(),
            Stmt::Action { kind, open, expr, close } => {
                let with = |expr| vec![Stmt::Action { kind, open, expr, close }];
                expr.simpler().into_iter().map(with).collect()
            }
            Stmt::Block { kind, open, expr, close, body, other } => {
                let block = |expr: &Expr, body: Vec<Stmt>, other: Vec<Stmt>| {
                    vec![Stmt::Block { kind, open: open.clone(), expr: expr.clone(), close, body, other }]
                };
                let mut found = vec![body.clone(), other.clone()];
                found.extend(expr.simpler().iter().map(|expr| block(expr, body.clone(), other.clone())));
                found.extend(simpler_bodies(body).into_iter().map(|body| block(expr, body, other.clone())));
                found.extend(simpler_bodies(other).into_iter().map(|other| block(expr, body.clone(), other)));
                found
            }
        }
    }
}

/// Every list of statements that is one step simpler: one left out, or one of them simpler.
fn simpler_bodies(body: &[Stmt]) -> Vec<Vec<Stmt>> {
    let mut found = Vec::new();
    for at in 0..body.len() {
        let around = |middle: Vec<Stmt>| {
            body[..at].iter().cloned().chain(middle).chain(body[at + 1..].iter().cloned()).collect()
        };
        found.push(around(Vec::new()));
        found.extend(body[at].simpler().into_iter().map(around));
    }
    found
}

/// A whole case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) body: Vec<Stmt>,
}

impl Case {
    pub(crate) fn text(&self) -> String {
        self.body.iter().map(Stmt::text).collect()
    }

    pub(crate) fn count(&self, used: &mut BTreeMap<String, usize>) {
        self.body.iter().for_each(|stmt| stmt.count(used));
    }

    pub(crate) fn simpler(&self) -> Vec<Case> {
        simpler_bodies(&self.body).into_iter().map(|body| Case { body }).collect()
    }
}
