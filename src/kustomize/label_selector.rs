//! Kubernetes' label selectors: `app=web,tier in (a, b),!old,weight>3`.
//!
//! In: the selector's text. Out: whether labels (or annotations) fit it. Keys and values must be well-formed, as apimachinery
//! asks; the words of its errors are kept.

use crate::diag::{Diagnostic, Result};
use crate::value::Text;

/// Longest name part of a key, and longest value, in bytes.
const NAME_MAX: usize = 63;
/// Longest prefix of a key, in bytes.
const PREFIX_MAX: usize = 253;

/// Requirements that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: Text,
    operator: Operator,
    values: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Missing,
    /// `=`, `==` and `in`.
    In,
    /// `!=` and `notin`.
    NotIn,
    Greater,
    Less,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A key or value; `in` and `notin` too, told apart by where they stand.
    Word(Text),
    Open,
    Close,
    Comma,
    Not,
    Equals,
    NotEquals,
    Greater,
    Less,
    /// Symbols that make no operator.
    Wrong(Text),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::Word(text) | Token::Wrong(text) => text,
            Token::Open => "(",
            Token::Close => ")",
            Token::Comma => ",",
            Token::Not => "!",
            Token::Equals => "=",
            Token::NotEquals => "!=",
            Token::Greater => ">",
            Token::Less => "<",
            Token::End => "",
        }
    }
}

impl LabelSelector {
    /// Reads a selector; an empty one selects everything. Fails with code `kustomize-selector`.
    pub(crate) fn read(text: &str) -> Result<LabelSelector> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        match parser.requirements() {
            Ok(requirements) => Ok(LabelSelector { requirements }),
            Err(why) => {
                let fault = Diagnostic::input("kustomize-selector", format!("`{text}` is no label selector: {why}"));
                Err(Box::new(fault.hint("write it like `app=web,tier in (front, back),!legacy`")))
            }
        }
    }

    /// True if everything fits.
    pub(crate) fn is_any(&self) -> bool {
        self.requirements.is_empty()
    }

    /// True if the labels fit.
    pub(crate) fn selects(&self, labels: &[(Text, Text)]) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: &[(Text, Text)]) -> bool {
        let value = labels.iter().find(|label| label.0 == self.key).map(|label| &label.1);
        match (self.operator, value) {
            (Operator::Exists, value) => value.is_some(),
            (Operator::Missing, value) => value.is_none(),
            (Operator::In, value) => value.is_some_and(|value| self.values.contains(value)),
            (Operator::NotIn, value) => value.is_none_or(|value| !self.values.contains(value)),
            (Operator::Greater | Operator::Less, None) => false,
            (Operator::Greater, Some(value)) => self.compares(value, |have, want| have > want),
            (Operator::Less, Some(value)) => self.compares(value, |have, want| have < want),
        }
    }

    fn compares(&self, have: &str, holds: impl Fn(i64, i64) -> bool) -> bool {
        let want = self.values.first().and_then(|value| value.parse().ok());
        have.parse().is_ok_and(|have| want.is_some_and(|want| holds(have, want)))
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let special = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(space);
    while let Some(first) = rest.chars().next() {
        let length = if special(first) {
            let (token, length) = symbol(rest);
            tokens.push(token);
            length
        } else {
            let length = rest.find(|c| special(c) || space(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].into()));
            length
        };
        rest = rest[length..].trim_start_matches(space);
    }
    tokens.push(Token::End);
    tokens
}

/// The longest operator at the front.
fn symbol(text: &str) -> (Token, usize) {
    match text.as_bytes() {
        [b'=', b'=', ..] => (Token::Equals, 2),
        [b'!', b'=', ..] => (Token::NotEquals, 2),
        [b'=', ..] => (Token::Equals, 1),
        [b'!', ..] => (Token::Not, 1),
        [b'(', ..] => (Token::Open, 1),
        [b')', ..] => (Token::Close, 1),
        [b',', ..] => (Token::Comma, 1),
        [b'>', ..] => (Token::Greater, 1),
        [b'<', ..] => (Token::Less, 1),
        _ => (Token::Wrong(text.into()), text.len()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Not => {}
                other => return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
            }
            requirements.push(self.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Comma if matches!(self.peek(), Token::Word(_) | Token::Not) => {}
                Token::Comma => return Err(format!("found '{}', expected: identifier after ','", self.peek().text())),
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let negated = token == Token::Not;
        if negated {
            token = self.next();
        }
        let Token::Word(key) = token else { return Err(format!("found '{}', expected: identifier", token.text())) };
        check_key(&key)?;
        if negated {
            return Ok(Requirement { key, operator: Operator::Missing, values: Vec::new() });
        }
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(Requirement { key, operator: Operator::Exists, values: Vec::new() });
        }
        let (operator, values) = self.condition()?;
        for value in &values {
            check_value(&key, value)?;
        }
        Ok(Requirement { key, operator, values })
    }

    fn condition(&mut self) -> Result<(Operator, Vec<Text>), String> {
        let operator = match self.next() {
            Token::Word(word) if word == "in" => return Ok((Operator::In, self.values()?)),
            Token::Word(word) if word == "notin" => return Ok((Operator::NotIn, self.values()?)),
            Token::Equals => Operator::In,
            Token::NotEquals => Operator::NotIn,
            Token::Greater => Operator::Greater,
            Token::Less => Operator::Less,
            other => return Err(format!("found '{}', expected: '=', '!=', '==', 'in', notin'", other.text())),
        };
        let value = match self.peek() {
            Token::End | Token::Comma => Text::default(),
            _ => match self.next() {
                Token::Word(word) => word,
                other => return Err(format!("found '{}', expected: identifier", other.text())),
            },
        };
        if matches!(operator, Operator::Greater | Operator::Less) && value.parse::<i64>().is_err() {
            return Err("for 'Gt', 'Lt' operators, the value must be an integer".to_owned());
        }
        Ok((operator, vec![value]))
    }

    /// `(a, b)`; where nothing stands between commas or parentheses, that is an empty value.
    fn values(&mut self) -> Result<Vec<Text>, String> {
        let open = self.next();
        if open != Token::Open {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                Token::Close => {
                    values.push(Text::default());
                    return Ok(values);
                }
                Token::Comma => values.push(Text::default()),
                Token::Word(word) => {
                    values.push(word);
                    match self.next() {
                        Token::Close => return Ok(values),
                        Token::Comma if *self.peek() == Token::Close => {}
                        Token::Comma => {}
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            }
        }
    }
}

fn check_key(key: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("invalid label key \"{key}\": {why}"));
    let mut parts = key.split('/');
    let (name, prefix) = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => (name, None),
        (Some(prefix), Some(name), None) => (name, Some(prefix)),
        _ => return refuse("a qualified name has at most one '/'"),
    };
    match prefix {
        Some("") => return refuse("prefix part must be non-empty"),
        Some(prefix) if prefix.len() > PREFIX_MAX || !prefix.split('.').all(is_dns_label) => {
            return refuse("prefix part must be a lowercase RFC 1123 subdomain");
        }
        _ => {}
    }
    if name.is_empty() {
        return refuse("name part must be non-empty");
    }
    if is_name(name) { Ok(()) } else { refuse("name part must consist of alphanumeric characters, '-', '_' or '.'") }
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    let why = "must be an empty string or consist of alphanumeric characters, '-', '_' or '.'";
    Err(format!("invalid label value: \"{value}\": at key: \"{key}\": {why}"))
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= NAME_MAX && text.bytes().all(inner) && ends(text.bytes().next()) && ends(text.bytes().last())
}

fn is_dns_label(text: &str) -> bool {
    let end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && end(text.bytes().next()) && end(text.bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: Vec<_> = labels.iter().map(|(key, value)| (Text::new(key), Text::new(value))).collect();
        LabelSelector::read(selector).expect(selector).selects(&labels)
    }

    #[test]
    fn every_operator_decides() {
        let labels = [("app", "web"), ("weight", "5"), ("in", "x")];
        let holding = [
            "",
            "app",
            "app=web",
            "app == web",
            "app!=db",
            "app in (web,db)",
            "app notin (db)",
            "!old",
            "weight>4",
            "weight<6",
            "in=x",
            "in in (in,x)",
        ];
        for selector in holding {
            assert!(selects(selector, &labels), "{selector}");
        }
        let failing =
            ["!app", "app=", "app=db", "old", "app notin (web)", "weight>5", "app>1", "app=web,old", "app in ()"];
        for selector in failing {
            assert!(!selects(selector, &labels), "{selector}");
        }
    }

    #[test]
    fn malformed_selectors_are_refused() {
        for selector in [
            "=",
            "app=web,",
            "app in web",
            "app in (a",
            "a/b/c",
            "/a",
            "app=we b",
            "app===b",
            "Up.per/a=b",
            "app>x",
            "-a",
            "app=-b",
            "(a)",
        ] {
            let fault = LabelSelector::read(selector).expect_err(selector);
            assert_eq!(fault.code, "kustomize-selector");
        }
    }
}
