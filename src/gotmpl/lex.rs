//! The scanner: template text to tokens, on demand, without copying.
//!
//! Follows Go's scanner in what it accepts and how it words what it refuses. Line numbers are counted only for an error.

/// What a token is. Keywords come last, as in Go, where messages print them in angle brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tok {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    // keywords from here on
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A token: its kind and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) tok: Tok,
    pub(super) start: u32,
    pub(super) end: u32,
}

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";
/// A trim marker with its space.
const MARKER_LEN: usize = 2;

/// Where the next action begins. Looks for single braces, of which there are few: for a pair a searcher would be built each time.
pub(super) fn next_delim(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(LEFT[0], text).find(|at| text[*at..].starts_with(LEFT))
}

/// The scanner's state between two tokens.
pub(super) struct Lexer<'s> {
    text: &'s str,
    bytes: &'s [u8],
    pos: usize,
    start: usize,
    paren_depth: u32,
    inside_action: bool,
    /// The text of the error, once a token is [`Tok::Error`].
    pub(super) error: String,
    failed: bool,
    /// Set where functions named `break` or `continue` make the words ordinary.
    pub(super) break_is_name: bool,
    pub(super) continue_is_name: bool,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(text: &'s str) -> Lexer<'s> {
        Lexer {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            start: 0,
            paren_depth: 0,
            inside_action: false,
            error: String::new(),
            failed: false,
            break_is_name: false,
            continue_is_name: false,
        }
    }

    /// The next token; after an error only [`Tok::Eof`].
    pub(super) fn next(&mut self) -> Token {
        if self.failed {
            return Token { tok: Tok::Eof, start: self.pos as u32, end: self.pos as u32 };
        }
        if self.inside_action { self.action() } else { self.plain() }
    }

    fn take(&mut self, tok: Tok) -> Token {
        let token = Token { tok, start: self.start as u32, end: self.pos as u32 };
        self.start = self.pos;
        token
    }

    fn fail(&mut self, message: impl Into<String>) -> Token {
        self.error = message.into();
        self.failed = true;
        Token { tok: Tok::Error, start: self.start as u32, end: self.pos.min(self.bytes.len()) as u32 }
    }

    fn rest(&self) -> &'s [u8] {
        &self.bytes[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte < 0x80 => Some(char::from(byte)),
            Some(_) => self.text.get(self.pos..).and_then(|rest| rest.chars().next()),
            None => None,
        }
    }

    fn advance(&mut self) -> Option<char> {
        let found = self.peek()?;
        self.pos += found.len_utf8();
        Some(found)
    }

    /// Text up to the next action, or the end.
    fn plain(&mut self) -> Token {
        loop {
            let Some(offset) = next_delim(self.rest()) else {
                self.pos = self.bytes.len();
                return if self.pos > self.start { self.take(Tok::Text) } else { self.take(Tok::Eof) };
            };
            if offset > 0 {
                self.pos += offset;
                let delim = self.pos;
                if left_marker(&self.bytes[delim + LEFT.len()..]) {
                    let kept = self.bytes[self.start..delim].iter().rposition(|byte| !is_space(*byte));
                    self.pos = self.start + kept.map_or(0, |last| last + 1);
                }
                let token = self.take(Tok::Text);
                self.pos = delim;
                self.start = delim;
                if token.end > token.start {
                    return token;
                }
            }
            if let Some(token) = self.left_delim() {
                return token;
            }
        }
    }

    /// `{{`, known to be here; nothing after a comment.
    fn left_delim(&mut self) -> Option<Token> {
        self.pos += LEFT.len();
        let marker = if left_marker(self.rest()) { MARKER_LEN } else { 0 };
        if self.bytes[self.pos + marker..].starts_with(b"/*") {
            self.pos += marker;
            self.start = self.pos;
            return self.comment();
        }
        let token = self.take(Tok::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.start = self.pos;
        self.paren_depth = 0;
        Some(token)
    }

    fn comment(&mut self) -> Option<Token> {
        self.pos += 2;
        let Some(length) = memchr::memmem::find(self.rest(), b"*/") else {
            return Some(self.fail("unclosed comment"));
        };
        self.pos += length + 2;
        let Some(trim) = self.right_delim_here() else {
            return Some(self.fail("comment ends before closing delimiter"));
        };
        self.pos += RIGHT.len() + if trim { MARKER_LEN } else { 0 };
        if trim {
            self.skip_spaces();
        }
        self.start = self.pos;
        None
    }

    /// True or false for a right delimiter with or without a trim marker; nothing if there is none.
    fn right_delim_here(&self) -> Option<bool> {
        delim_at(self.rest())
    }

    fn skip_spaces(&mut self) {
        self.pos += self.rest().iter().take_while(|byte| is_space(**byte)).count();
    }

    fn right_delim(&mut self) -> Token {
        let trim = self.right_delim_here() == Some(true);
        if trim {
            self.pos += MARKER_LEN;
            self.start = self.pos;
        }
        self.pos += RIGHT.len();
        let token = self.take(Tok::RightDelim);
        if trim {
            self.skip_spaces();
            self.start = self.pos;
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token {
        if self.right_delim_here().is_some() {
            if self.paren_depth == 0 {
                return self.right_delim();
            }
            return self.fail("unclosed left paren");
        }
        let Some(found) = self.advance() else {
            return self.fail("unclosed action");
        };
        match found {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.take(Tok::Assign),
            ':' => {
                if self.advance() != Some('=') {
                    return self.fail("expected :=");
                }
                self.take(Tok::Declare)
            }
            '|' => self.take(Tok::Pipe),
            '"' => self.quoted(b'"', Tok::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', Tok::CharConstant, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.field_or_variable(Tok::Variable),
            '.' if !self.bytes.get(self.pos).is_none_or(u8::is_ascii_digit) => self.field_or_variable(Tok::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.number()
            }
            '(' => {
                self.paren_depth += 1;
                self.take(Tok::LeftParen)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.fail("unexpected right paren");
                }
                self.paren_depth -= 1;
                self.take(Tok::RightParen)
            }
            _ if is_alphanumeric(found) => self.identifier(),
            ' '..='~' => self.take(Tok::Char),
            _ => {
                let shown = super::print::code_point(found);
                self.fail(format!("unrecognized character in action: {shown}"))
            }
        }
    }

    /// A run of spaces, one of which is read; a `-}}` after the last one belongs to the delimiter.
    fn space(&mut self) -> Token {
        self.skip_spaces();
        if delim_at(&self.bytes[self.pos - 1..]) == Some(true) {
            self.pos -= 1;
            if self.pos == self.start {
                return self.right_delim();
            }
        }
        self.take(Tok::Space)
    }

    fn identifier(&mut self) -> Token {
        while self.peek().is_some_and(is_alphanumeric) {
            self.advance();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        let tok = match &self.text[self.start..self.pos] {
            "block" => Tok::Block,
            "break" if !self.break_is_name => Tok::Break,
            "continue" if !self.continue_is_name => Tok::Continue,
            "define" => Tok::Define,
            "else" => Tok::Else,
            "end" => Tok::End,
            "if" => Tok::If,
            "nil" => Tok::Nil,
            "range" => Tok::Range,
            "template" => Tok::Template,
            "with" => Tok::With,
            "true" | "false" => Tok::Bool,
            _ => Tok::Identifier,
        };
        self.take(tok)
    }

    fn bad_character(&mut self) -> Token {
        let shown = self.peek().map_or_else(|| "U+FFFFFFFFFFFFFFFF".to_owned(), super::print::code_point);
        self.fail(format!("bad character {shown}"))
    }

    /// `.name` or `$name`; the sign is read.
    fn field_or_variable(&mut self, tok: Tok) -> Token {
        if self.at_terminator() {
            return self.take(if tok == Tok::Variable { tok } else { Tok::Dot });
        }
        while self.peek().is_some_and(is_alphanumeric) {
            self.advance();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.take(tok)
    }

    fn at_terminator(&self) -> bool {
        match self.bytes.get(self.pos) {
            None => true,
            Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    fn quoted(&mut self, end: u8, tok: Tok, unterminated: &str) -> Token {
        loop {
            match self.bytes.get(self.pos) {
                Some(b'\\') if self.bytes.get(self.pos + 1).is_some_and(|next| *next != b'\n') => self.pos += 2,
                None | Some(b'\n' | b'\\') => return self.fail(unterminated),
                Some(byte) if *byte == end => {
                    self.pos += 1;
                    return self.take(tok);
                }
                Some(_) => self.pos += 1,
            }
        }
    }

    fn raw_quoted(&mut self) -> Token {
        match memchr::memchr(b'`', self.rest()) {
            Some(length) => {
                self.pos += length + 1;
                self.take(Tok::RawString)
            }
            None => self.fail("unterminated raw quoted string"),
        }
    }

    /// A number by its look; whether it is one is found when it is converted.
    fn number(&mut self) -> Token {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.bytes[self.pos - 1] != b'i' {
                return self.bad_number();
            }
            return self.take(Tok::Complex);
        }
        self.take(Tok::Number)
    }

    fn bad_number(&mut self) -> Token {
        let shown = super::print::quote(&self.bytes[self.start..self.pos]);
        self.fail(format!("bad number syntax: {shown}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        let (mut decimal, mut hex) = (true, false);
        if self.accept(b"0") {
            if self.accept(b"xX") {
                (digits, decimal, hex) = (b"0123456789abcdefABCDEF_", false, true);
            } else if self.accept(b"oO") {
                (digits, decimal) = (b"01234567_", false);
            } else if self.accept(b"bB") {
                (digits, decimal) = (b"01_", false);
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if (decimal && self.accept(b"eE")) || (hex && self.accept(b"pP")) {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.advance();
            return false;
        }
        true
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let found = self.bytes.get(self.pos).is_some_and(|byte| set.contains(byte));
        self.pos += usize::from(found);
        found
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }
}

fn left_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

fn delim_at(text: &[u8]) -> Option<bool> {
    match text {
        [space, b'-', b'}', b'}', ..] if is_space(*space) => Some(true),
        [b'}', b'}', ..] => Some(false),
        _ => None,
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_alphanumeric(c: char) -> bool {
    // Go counts letters and decimal digits; Rust's alphanumeric adds other numerals, which no name has
    c == '_' || c.is_alphanumeric()
}
