//! The scanner: text to tokens.
//!
//! In: a text. Out: tokens, borrowed where the text stands as it is meant. Follows the design of libyaml, whose port
//! go-yaml uses: a key is known only when its `:` is found, so tokens wait in a queue until none of them can turn out
//! to be the beginning of a key. Leaves the order of tokens to the event parser.

use std::collections::VecDeque;

use super::chars::{at, break_len, continuation_bytes, is_blank, is_break_or_end, is_gap, line_end, first_forbidden};
use super::fault::{Fault, Layer, Mark};
use super::token::{Token, TokenKind};

/// A key without `?` may have this many characters up to its `:` (YAML 1.1, section 7.4.2; go-yaml holds to it).
pub const SIMPLE_KEY_MAX: usize = 1024;
/// How deep lists and maps may nest in flow style, and again in block style. go-yaml allows 10,000; everything after
/// the parser walks trees by recursion, and a thread's stack must hold that.
pub const NESTING_MAX: usize = 1000;
/// How far go-yaml reads ahead of its scanner: it finds a forbidden character this many bytes early.
const READ_AHEAD: usize = 512;

pub(super) type Scan<T> = Result<T, Box<Fault>>;

/// Where a key may have begun.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    /// The queue no longer waits for it, though its `:` may still come.
    unwatched: bool,
    token: usize,
    mark: Mark,
}

/// The scanner's state; [`Scanner::next`] hands out tokens until `StreamEnd`.
pub struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) place: usize,
    pub(super) line: u32,
    line_start: usize,
    /// Bytes before `place` on this line that are not the first of their character.
    wide: usize,
    pub(super) flow_level: usize,
    /// Column of the innermost block collection, -1 outside.
    pub(super) indent: i32,
    indents: Vec<i32>,
    pub(super) key_allowed: bool,
    keys: Vec<SimpleKey>,
    /// No key below this level of `keys` is possible.
    lowest_key: usize,
    queue: VecDeque<Token<'t>>,
    taken: usize,
    /// Tokens that must wait behind the one handed out: go-yaml v3 looks two further for comments.
    look_ahead: usize,
    ended: bool,
    forbidden: bool,
}

impl<'t> Scanner<'t> {
    /// A scanner at the beginning of a text. `look_ahead` tokens are scanned beyond the one handed out.
    pub fn new(text: &'t str, look_ahead: usize) -> Scanner<'t> {
        let forbidden = first_forbidden(text);
        let text = &text[..forbidden.unwrap_or(text.len())];
        let mut scanner = Scanner {
            text,
            bytes: text.as_bytes(),
            place: if text.starts_with('\u{FEFF}') { 3 } else { 0 },
            line: 0,
            line_start: 0,
            wide: 0,
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            key_allowed: true,
            keys: vec![SimpleKey::default()],
            lowest_key: 0,
            queue: VecDeque::with_capacity(16),
            taken: 0,
            look_ahead,
            ended: false,
            forbidden: forbidden.is_some(),
        };
        scanner.line_start = scanner.place;
        let start = scanner.mark();
        scanner.queue.push_back(Token { kind: TokenKind::StreamStart, start, end: start });
        scanner
    }

    /// The token at the head, scanned if need be, not taken.
    #[inline]
    pub fn peek(&mut self) -> Scan<&Token<'t>> {
        self.fill()?;
        Ok(&self.queue[0])
    }

    /// Takes the token at the head.
    #[inline]
    pub fn next(&mut self) -> Scan<Token<'t>> {
        self.fill()?;
        self.taken += 1;
        Ok(self.queue.pop_front().expect("fill leaves a token"))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { place: self.place as u32, line: self.line }
    }

    /// The current column in characters.
    #[inline]
    pub(super) fn column(&self) -> i32 {
        (self.place - self.line_start - self.wide) as i32
    }

    /// Passes text of this line up to `place`.
    #[inline]
    pub(super) fn advance(&mut self, place: usize) {
        self.wide += continuation_bytes(&self.bytes[self.place..place]);
        self.place = place;
    }

    /// Passes a line break of `length` bytes.
    #[inline]
    pub(super) fn advance_line(&mut self, length: usize) {
        self.place += length;
        self.line += 1;
        self.line_start = self.place;
        self.wide = 0;
    }

    #[cold]
    pub(super) fn fault(&self, context: Mark, problem: impl Into<std::borrow::Cow<'static, str>>) -> Box<Fault> {
        if self.forbidden && self.place + READ_AHEAD >= self.bytes.len() {
            return self.forbidden_fault();
        }
        Box::new(Fault { layer: Layer::Scanner, problem: problem.into(), context, at: self.mark() })
    }

    #[cold]
    fn forbidden_fault(&self) -> Box<Fault> {
        let at = Mark { place: self.bytes.len() as u32, line: self.line };
        Box::new(Fault { layer: Layer::Reader, problem: "control characters are not allowed".into(), context: at, at })
    }

    /// Scans until the head of the queue can be handed out: it is there, and it cannot become a key any more.
    #[inline]
    fn fill(&mut self) -> Scan<()> {
        loop {
            if self.queue.len() > self.look_ahead && !self.head_may_be_key()? {
                return Ok(());
            }
            self.fetch()?;
        }
    }

    /// True while the head of the queue may be the beginning of a key whose `:` has not come yet.
    #[inline]
    fn head_may_be_key(&mut self) -> Scan<bool> {
        while self.keys.get(self.lowest_key).is_some_and(|key| !key.possible || key.unwatched) {
            self.lowest_key += 1;
        }
        match self.keys.get(self.lowest_key) {
            Some(key) if key.token == self.taken => {
                let level = self.lowest_key;
                self.key_is_valid(level)
            }
            _ => Ok(false),
        }
    }

    fn key_is_valid(&mut self, level: usize) -> Scan<bool> {
        let key = self.keys[level];
        if !key.possible {
            return Ok(false);
        }
        let begin = key.mark.place as usize;
        let too_long = self.place - begin > SIMPLE_KEY_MAX && {
            let bytes = &self.bytes[begin..self.place];
            bytes.len() - continuation_bytes(bytes) > SIMPLE_KEY_MAX
        };
        if key.mark.line < self.line || too_long {
            if key.required {
                return Err(self.fault(key.mark, "could not find expected ':'"));
            }
            self.keys[level].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes that a key may begin here.
    fn save_key(&mut self) -> Scan<()> {
        if self.key_allowed {
            let required = self.flow_level == 0 && self.indent == self.column();
            self.remove_key()?;
            let key = SimpleKey { possible: true, required, token: self.taken + self.queue.len(), mark: self.mark(), unwatched: false };
            let level = self.keys.len() - 1;
            self.keys[level] = key;
            self.lowest_key = self.lowest_key.min(level);
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Scan<()> {
        let level = self.keys.len() - 1;
        let key = self.keys[level];
        if key.possible && key.required {
            return Err(self.fault(key.mark, "could not find expected ':'"));
        }
        self.keys[level].possible = false;
        Ok(())
    }

    /// Opens a block collection at a column deeper than the innermost; its token goes in front of token `number`.
    fn roll_indent(&mut self, column: i32, number: Option<usize>, kind: TokenKind<'t>, mark: Mark) -> Scan<()> {
        if self.flow_level == 0 && self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
            if self.indents.len() > NESTING_MAX {
                let context = self.keys[self.keys.len() - 1].mark;
                return Err(self.fault(context, format!("exceeded max depth of {NESTING_MAX}")));
            }
            let token = Token { kind, start: mark, end: mark };
            match number {
                Some(number) => self.insert(number, token),
                None => self.queue.push_back(token),
            }
        }
        Ok(())
    }

    /// Puts a token in front of token `number`, at the end if that has been taken.
    fn insert(&mut self, number: usize, token: Token<'t>) {
        match number.checked_sub(self.taken) {
            Some(index) => self.queue.insert(index, token),
            None => self.queue.push_back(token),
        }
    }

    /// Closes the block collections deeper than a column.
    #[inline]
    fn unroll_indent(&mut self, column: i32) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            let mark = self.mark();
            self.queue.push_back(Token { kind: TokenKind::BlockEnd, start: mark, end: mark });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Scans one token, or several where indentation closes or opens collections.
    fn fetch(&mut self) -> Scan<()> {
        if self.ended {
            let mark = self.mark();
            self.queue.push_back(Token { kind: TokenKind::StreamEnd, start: mark, end: mark });
            return Ok(());
        }
        self.skip_to_token();
        let column = self.column();
        self.unroll_indent(column);
        let place = self.place;
        let byte = at(self.bytes, place);
        if byte == 0 {
            return self.fetch_end();
        }
        if column == 0 {
            if byte == b'%' {
                self.unroll_indent(-1);
                self.remove_key()?;
                self.key_allowed = false;
                let token = self.scan_directive()?;
                self.queue.push_back(token);
                return Ok(());
            }
            if (byte == b'-' || byte == b'.') && self.at_document_indicator() {
                self.unroll_indent(-1);
                self.remove_key()?;
                self.key_allowed = false;
                let kind = if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
                self.push_indicator(kind, 3);
                return Ok(());
            }
        }
        self.fetch_inside(byte)
    }

    /// Scans a token that belongs to a document's content.
    fn fetch_inside(&mut self, byte: u8) -> Scan<()> {
        let gap_follows = |scanner: &Scanner<'_>| is_gap(scanner.bytes, scanner.place + 1);
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowListStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMapStart),
            b']' => self.fetch_flow_end(TokenKind::FlowListEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMapEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if gap_follows(self) => self.fetch_block_entry(),
            b'?' if in_flow || gap_follows(self) => self.fetch_key(),
            b':' if in_flow || gap_follows(self) => self.fetch_value(),
            b'*' | b'&' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_anchor(byte == b'*')?;
                self.queue.push_back(token);
                Ok(())
            }
            b'!' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_tag()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'|' | b'>' if !in_flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let token = self.scan_block_scalar(byte == b'|')?;
                self.queue.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_quoted(byte == b'\'')?;
                self.queue.push_back(token);
                Ok(())
            }
            b'|' | b'>' | b'%' | b'@' | b'`' | b'#' | b'\t' => Err(self.cannot_start()),
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                let token = self.scan_plain()?;
                self.queue.push_back(token);
                Ok(())
            }
        }
    }

    #[cold]
    fn cannot_start(&self) -> Box<Fault> {
        self.fault(self.mark(), "found character that cannot start any token")
    }

    /// True at `---` or `...` followed by a gap; only column 0 asks.
    pub(super) fn at_document_indicator(&self) -> bool {
        let rest = &self.bytes[self.place..];
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && is_gap(self.bytes, self.place + 3)
    }

    /// Queues an indicator of `length` bytes and passes it.
    fn push_indicator(&mut self, kind: TokenKind<'t>, length: usize) {
        let start = self.mark();
        self.place += length;
        let end = self.mark();
        self.queue.push_back(Token { kind, start, end });
    }

    fn fetch_end(&mut self) -> Scan<()> {
        if self.forbidden {
            return Err(self.forbidden_fault());
        }
        // the end counts as a line of its own, which the fallbacks of error lines rely on
        if self.column() != 0 {
            self.advance_line(0);
        }
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.ended = true;
        self.push_indicator(TokenKind::StreamEnd, 0);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'t>) -> Scan<()> {
        self.save_key()?;
        self.keys.push(SimpleKey { token: self.taken + self.queue.len(), mark: self.mark(), ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > NESTING_MAX {
            return Err(self.fault(self.mark(), format!("exceeded max depth of {NESTING_MAX}")));
        }
        self.key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'t>) -> Scan<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            let inner = self.keys.pop().unwrap_or_default();
            // go-yaml forgets the waiting key by its token's number, and an empty collection's inside has the number of
            // its bracket: `[]: x` makes no key unless the `:` is scanned before the bracket is taken
            if let Some(key) = self.keys.last_mut()
                && key.token == inner.token
            {
                key.unwatched = true;
            }
            self.lowest_key = self.lowest_key.min(self.keys.len() - 1);
        }
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault(self.mark(), "block sequence entries are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, TokenKind::BlockListStart, self.mark())?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault(self.mark(), "mapping keys are not allowed in this context"));
            }
            self.roll_indent(self.column(), None, TokenKind::BlockMapStart, self.mark())?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let level = self.keys.len() - 1;
        if self.key_is_valid(level)? {
            let key = self.keys[level];
            let column = self.column_at(key.mark);
            self.insert(key.token, Token { kind: TokenKind::Key, start: key.mark, end: key.mark });
            self.roll_indent(column, Some(key.token), TokenKind::BlockMapStart, key.mark)?;
            self.keys[level].possible = false;
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.fault(self.mark(), "mapping values are not allowed in this context"));
                }
                self.roll_indent(self.column(), None, TokenKind::BlockMapStart, self.mark())?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// The column of a place on the current line.
    fn column_at(&self, mark: Mark) -> i32 {
        let before = &self.bytes[self.line_start..mark.place as usize];
        let wide = if self.wide == 0 { 0 } else { continuation_bytes(before) };
        (before.len() - wide) as i32
    }

    /// Passes blanks, comments and line breaks. A tab counts as blank only where no key can begin.
    fn skip_to_token(&mut self) {
        loop {
            let tabs = self.flow_level > 0 || !self.key_allowed;
            while at(self.bytes, self.place) == b' ' || tabs && at(self.bytes, self.place) == b'\t' {
                self.place += 1;
            }
            self.skip_comment();
            let length = break_len(self.bytes, self.place);
            if length == 0 {
                return;
            }
            self.advance_line(length);
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Passes a comment if one begins here.
    pub(super) fn skip_comment(&mut self) {
        if at(self.bytes, self.place) == b'#' {
            let end = line_end(self.bytes, self.place);
            self.advance(end);
        }
    }

    /// Passes spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while is_blank(at(self.bytes, self.place)) {
            self.place += 1;
        }
    }

    /// Passes the rest of a line that may hold blanks and a comment only.
    pub(super) fn expect_line_end(&mut self, context: Mark) -> Scan<()> {
        self.skip_blanks();
        self.skip_comment();
        if !is_break_or_end(self.bytes, self.place) {
            return Err(self.fault(context, "did not find expected comment or line break"));
        }
        let length = break_len(self.bytes, self.place);
        if length > 0 {
            self.advance_line(length);
        }
        Ok(())
    }
}
