//! Heads of plainly written manifests, line by line: what nearly every template prints.
//!
//! In: a document's text. Out: what [`head::read`](super::head::read) makes of it, or nothing where the text is not plain enough to be
//! sure. "Plain" is a small part of YAML, each line of which can be judged alone: block maps and lists, scalars that end
//! on their line, block scalars, short lists in brackets, JSON on one line. Reading every printed document in full only to learn that it is YAML
//! was a fifth of a render.
//!
//! The rule that keeps this right: whoever is in doubt gives up, since the full reader stands behind. A test holds the
//! two together over generated documents.

use super::head::Head;
use super::skim_flow;
use crate::yaml::{Dialect, Plain, resolve};

/// Deeper nesting is left to the full reader, which has the limit.
pub(super) const DEPTH_MAX: usize = 64;
/// Longest key, well under YAML's 1,024 characters.
pub(super) const KEY_MAX: usize = 256;

/// Bytes that are judged before the first that is not plain is looked for.
const BLOCK_BYTES: usize = 256;

/// The head of a plainly written document; nothing if it must be read in full.
pub(super) fn head(document: &str) -> Option<Head> {
    let bytes = document.as_bytes();
    // whole blocks are judged at once, many bytes in an instruction
    let is_plain = |block: &[u8]| block.iter().fold(true, |plain, byte| plain & is_plain_byte(*byte));
    if !bytes.chunks(BLOCK_BYTES).all(is_plain) || has_rare_break(bytes) {
        return None;
    }
    let mut skim = Skim { bytes, place: 0, open: Vec::with_capacity(16), head: Head::default(), seen: 0 };
    while skim.place < bytes.len() {
        skim.line()?;
    }
    Some(skim.head)
}

/// Printable ASCII, line feeds, and what begins or continues characters that mean nothing to YAML: not the lead byte of the byte
/// order mark.
fn is_plain_byte(byte: u8) -> bool {
    matches!(byte, b'\n' | 0x20..=0x7E | 0x80..=0xEC | 0xEE | 0xF0..=0xF3)
}

/// True if there is a C1 control, or one of YAML's line ends that are no ASCII.
fn has_rare_break(bytes: &[u8]) -> bool {
    memchr::memchr2_iter(0xC2, 0xE2, bytes).any(|at| {
        matches!(bytes[at..], [0xC2, 0x80..=0x9F, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..])
    })
}

/// What a key or dash that has no value on its line leaves open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
}

/// Whose values the head takes, or must be scalars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Metadata,
    Annotations,
    Elsewhere,
}

/// A collection that is not closed yet.
struct Open {
    column: usize,
    kind: Kind,
    place: Place,
    /// What the value that may come on the lines below is to the head; nothing once it is there.
    pending: Option<Pending>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// A collection that holds what the head looks at.
    In(Place),
    /// Anything.
    Any,
    /// Nothing but null: the full reader words the fault otherwise.
    Scalar,
}

/// The fields that count once each.
const API_VERSION: u8 = 1;
const KIND: u8 = 2;
const METADATA: u8 = 4;
const NAME: u8 = 8;
const ANNOTATIONS: u8 = 16;
const HOOK: u8 = 32;

struct Skim<'t> {
    bytes: &'t [u8],
    place: usize,
    open: Vec<Open>,
    head: Head,
    seen: u8,
}

impl<'t> Skim<'t> {
    /// One line with all that it opens; nothing if it is beyond this reader.
    fn line(&mut self) -> Option<()> {
        let line = self.take_line();
        let column = blanks(line);
        let rest = &line[column..];
        match rest.first() {
            None | Some(b'#') => return Some(()),
            Some(b'-') if column == 0 && rest.starts_with(b"---") => return None,
            _ => {}
        }
        self.close(column, is_dash(rest));
        self.content(column, rest)
    }

    /// The line at the present place, without its end; passes it.
    fn take_line(&mut self) -> &'t [u8] {
        let rest = &self.bytes[self.place..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.place += length + 1;
        &rest[..length]
    }

    /// Closes what a line at this column ends.
    fn close(&mut self, column: usize, dash: bool) {
        while let Some(last) = self.open.last() {
            // a list may stand at the column of its key: then a line without a dash ends it
            let ends = last.column > column
                || (last.column == column && last.kind == Kind::List && !dash && self.open.len() > 1);
            if !ends {
                break;
            }
            self.open.pop();
        }
    }

    /// What stands on a line from a column on: dashes, a key, a scalar.
    fn content(&mut self, column: usize, rest: &'t [u8]) -> Option<()> {
        if is_dash(rest) {
            self.enter(column, Kind::List)?;
            let after = &rest[1..];
            let gap = blanks(after);
            let inner = &after[gap..];
            return match inner.first() {
                None | Some(b'#') => self.leave_open(Pending::Any),
                Some(b'|' | b'>') => self.block_scalar(inner, column),
                Some(_) if is_dash(inner) || key(inner).is_some() => {
                    self.leave_open(Pending::Any)?;
                    self.content(column + 1 + gap, inner)
                }
                Some(_) => self.scalar(inner, column).map(drop),
            };
        }
        let Some((key, length)) = key(rest) else {
            return self.lone(column, rest);
        };
        self.enter(column, Kind::Map)?;
        let after = &rest[length + 1..];
        self.field(column, key, &after[blanks(after)..])
    }

    /// Goes into the collection at a column, which is open or may be opened there.
    fn enter(&mut self, column: usize, kind: Kind) -> Option<()> {
        let Some(last) = self.open.last_mut() else {
            if column != 0 {
                return None;
            }
            self.open.push(Open { column, kind, place: Place::Root, pending: None });
            return (kind == Kind::Map).then_some(());
        };
        if last.column == column && last.kind == kind {
            last.pending = None;
            return Some(());
        }
        // deeper, or a list at the column of the key that it belongs to
        if column < last.column || (column == last.column && !(kind == Kind::List && last.kind == Kind::Map)) {
            return None;
        }
        let place = match (last.pending.take()?, kind) {
            (Pending::In(place), Kind::Map) => place,
            (Pending::Any, _) => Place::Elsewhere,
            _ => return None,
        };
        if self.open.len() > DEPTH_MAX {
            return None;
        }
        self.open.push(Open { column, kind, place, pending: None });
        Some(())
    }

    /// A value that stands by itself below its key or dash.
    fn lone(&mut self, column: usize, text: &'t [u8]) -> Option<()> {
        let last = self.open.last_mut().filter(|last| last.column < column)?;
        let (within, pending) = (last.column, last.pending.take()?);
        let scalar = self.scalar(text, within)?;
        match (pending, scalar) {
            (Pending::Any, _) => Some(()),
            (Pending::In(place), Some(scalar)) => self.flow_map(place, scalar),
            _ => None,
        }
    }

    fn leave_open(&mut self, pending: Pending) -> Option<()> {
        self.open.last_mut()?.pending = Some(pending);
        Some(())
    }

    /// A key's value, as far as it stands on its line.
    fn field(&mut self, column: usize, key: &[u8], value: &'t [u8]) -> Option<()> {
        let (flag, inside) = Self::role(self.open.last()?.place, key)?;
        if flag != 0 && self.seen & flag != 0 {
            return None;
        }
        self.seen |= flag;
        match value.first() {
            // a hook without a value is one all the same
            None | Some(b'#') if flag == HOOK => None,
            None | Some(b'#') => self.leave_open(inside),
            Some(b'|' | b'>') if flag == 0 => self.block_scalar(value, column),
            Some(b'|' | b'>') => None,
            Some(b'[' | b'{') if inside == Pending::Scalar => None,
            Some(_) => {
                let Some(scalar) = self.scalar(value, column)? else {
                    return (flag == 0).then_some(());
                };
                match (flag, inside) {
                    (_, Pending::In(place)) => self.flow_map(place, scalar),
                    _ => self.note(flag, scalar),
                }
            }
        }
    }

    /// Takes a scalar that the head wants.
    fn note(&mut self, flag: u8, scalar: &[u8]) -> Option<()> {
        match flag {
            KIND => self.head.kind = text_of(scalar)?,
            NAME => self.head.name = text_of(scalar)?,
            HOOK => self.head.hook = Some(text_of(scalar)?),
            _ => {}
        }
        Some(())
    }

    /// A map in braces that holds what the head looks at.
    fn flow_map(&mut self, place: Place, map: &[u8]) -> Option<()> {
        if map[0] != b'{' {
            return None;
        }
        for (key, value) in skim_flow::fields(map)? {
            let (flag, inside) = Self::role(place, key)?;
            if flag != 0 && self.seen & flag != 0 {
                return None;
            }
            self.seen |= flag;
            match inside {
                Pending::Any => {}
                Pending::In(inner) => self.flow_map(inner, value)?,
                Pending::Scalar if matches!(value[0], b'[' | b'{') => return None,
                Pending::Scalar => self.note(flag, value)?,
            }
        }
        Some(())
    }

    /// What a key is to the head: its flag, and what its value may be. Nothing for a key that Go would take for another one's
    /// spelling.
    fn role(place: Place, key: &[u8]) -> Option<(u8, Pending)> {
        let known: &[(&[u8], u8, Pending)] = match place {
            Place::Root => &[
                (b"apiVersion", API_VERSION, Pending::Scalar),
                (b"kind", KIND, Pending::Scalar),
                (b"metadata", METADATA, Pending::In(Place::Metadata)),
            ],
            Place::Metadata => &[
                (b"name", NAME, Pending::Scalar),
                (b"annotations", ANNOTATIONS, Pending::In(Place::Annotations)),
            ],
            Place::Annotations => return Some((if key == b"helm.sh/hook" { HOOK } else { 0 }, Pending::Scalar)),
            Place::Elsewhere => &[],
        };
        match known.iter().find(|(name, ..)| key.eq_ignore_ascii_case(name)) {
            None => Some((0, Pending::Any)),
            Some((name, flag, inside)) => (*name == key).then_some((*flag, *inside)),
        }
    }

    /// A scalar in a collection at `column`, or a short list in brackets. Gives it without what follows if it ends on its line;
    /// what goes on below is passed.
    fn scalar(&mut self, text: &'t [u8], column: usize) -> Option<Option<&'t [u8]>> {
        match text[0] {
            quote @ (b'"' | b'\'') => self.quoted(text, quote, column),
            b'[' | b'{' => flow(text).map(Some),
            _ => self.plain(text, column),
        }
    }

    fn quoted(&mut self, text: &'t [u8], quote: u8, column: usize) -> Option<Option<&'t [u8]>> {
        if let Quoted::Ends(length) = quoted(&text[1..], quote)? {
            let length = length + 1;
            return is_nothing(&text[length..]).then_some(Some(&text[..length]));
        }
        while self.place < self.bytes.len() {
            let line = self.take_line();
            let found = blanks(line);
            if found == line.len() {
                continue;
            }
            if found <= column {
                return None;
            }
            if let Quoted::Ends(length) = quoted(line, quote)? {
                return is_nothing(&line[length..]).then_some(None);
            }
        }
        None
    }

    fn plain(&mut self, text: &'t [u8], column: usize) -> Option<Option<&'t [u8]>> {
        let scalar = plain(text)?;
        let mut goes_on = false;
        while self.place < self.bytes.len() {
            let start = self.place;
            let line = self.take_line();
            let found = blanks(line);
            if found == line.len() {
                continue;
            }
            // a comment ends the scalar, and so does what is no deeper than its collection
            if found <= column || line[found] == b'#' {
                self.place = start;
                break;
            }
            // one behind the scalar has ended it already
            let more = &line[found..];
            if !goes_on && scalar.len() < text.trim_ascii_end().len() || unmarked(more)?.len() < more.len() {
                return None;
            }
            goes_on = true;
        }
        Some((!goes_on).then_some(scalar))
    }

    /// A block scalar under a collection at `column`: its header is given, its lines are passed.
    fn block_scalar(&mut self, header: &[u8], column: usize) -> Option<()> {
        let header = match header.get(1) {
            Some(b'+' | b'-') => &header[2..],
            _ => &header[1..],
        };
        if !is_nothing(header) {
            return None;
        }
        let mut indent = None;
        while self.place < self.bytes.len() {
            let start = self.place;
            let line = self.take_line();
            let found = blanks(line);
            if found == line.len() {
                // blank lines that are longer than the text is deep make it another text
                if indent.is_none() && found > column + 1 {
                    return None;
                }
            } else if found > column {
                if found < *indent.get_or_insert(found) {
                    return None;
                }
            } else {
                self.place = start;
                break;
            }
        }
        Some(())
    }
}

/// True for a dash with a gap behind it.
fn is_dash(text: &[u8]) -> bool {
    text[0] == b'-' && text.get(1).is_none_or(|byte| *byte == b' ')
}

fn blanks(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte != b' ').unwrap_or(text.len())
}

/// True for blanks, and for a comment behind at least one.
fn is_nothing(text: &[u8]) -> bool {
    let gap = blanks(text);
    gap == text.len() || gap > 0 && text[gap] == b'#'
}

/// A key at the beginning of a text, if its `:` and a gap follow, and how much of the text it takes. Letters first: what begins
/// otherwise may be a number. In quotes it is what stands there.
fn key(text: &[u8]) -> Option<(&[u8], usize)> {
    let (key, length) = if matches!(text[0], b'"' | b'\'') {
        let length = quoted_length(text)?;
        let inner = &text[1..length - 1];
        (inner, if inner.contains(&b'\\') || inner.contains(&text[0]) { return None } else { length })
    } else {
        if !(text[0].is_ascii_alphabetic() || text[0] == b'_') {
            return None;
        }
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
        let length = text.iter().position(|byte| !is_inside(byte))?;
        (&text[..length], if text[..length].eq_ignore_ascii_case(b"null") { return None } else { length })
    };
    // blanks may stand before the colon
    let length = length + blanks(&text[length..]);
    let ends = text.get(length) == Some(&b':') && text.get(length + 1).is_none_or(|byte| *byte == b' ');
    (ends && length <= KEY_MAX).then_some((key, length))
}

/// The length of a quoted text with its quotes; nothing if it does not end here, or has an escape of the rarer kind.
fn quoted_length(text: &[u8]) -> Option<usize> {
    match quoted(&text[1..], text[0])? {
        Quoted::Ends(length) => Some(length + 1),
        Quoted::GoesOn => None,
    }
}

/// How a line leaves a quoted text.
enum Quoted {
    /// Behind that many bytes of it, the quote among them.
    Ends(usize),
    /// Open.
    GoesOn,
}

/// Reads on within a quoted text; nothing if it has an escape of the rarer kind.
fn quoted(text: &[u8], quote: u8) -> Option<Quoted> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match *byte {
            b'\\' if quote == b'"' => {
                // one at the end of the line joins the next to it
                let escaped = text.get(at + 1).unwrap_or(&b'\\');
                matches!(escaped, b'\\' | b'"' | b'n' | b't' | b'r' | b' ').then_some(())?;
                at += 2;
            }
            byte if byte == quote => {
                if quote == b'\'' && text.get(at + 1) == Some(&b'\'') {
                    at += 2;
                } else {
                    return Some(Quoted::Ends(at + 1));
                }
            }
            _ => at += 1,
        }
    }
    Some(Quoted::GoesOn)
}

/// A plain scalar that ends on its line, without blanks and comment. Begins with nothing that could be an indicator, a null or an
/// infinity.
fn plain(text: &[u8]) -> Option<&[u8]> {
    let first = text[0];
    let harmless = first.is_ascii_alphanumeric()
        || first >= 0x80
        || matches!(first, b'/' | b'=' | b'<' | b'_' | b'$' | b'(' | b')' | b'+' | b';' | b'^' | b'\\' | b'-' | b'.' | b'~');
    if !harmless || first == b'-' && text.get(1).is_none_or(|next| *next == b' ') {
        return None;
    }
    let scalar = unmarked(text)?.trim_ascii_end();
    if scalar == b"<<" {
        return None;
    }
    let number = scalar.strip_prefix(b"+").or(scalar.strip_prefix(b"-")).unwrap_or(scalar);
    (!number.eq_ignore_ascii_case(b".inf") && !number.eq_ignore_ascii_case(b".nan")).then_some(scalar)
}

/// A line of a plain scalar up to its comment; nothing if it reads as a key.
fn unmarked(text: &[u8]) -> Option<&[u8]> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b':' if text.get(at + 1).is_none_or(|next| *next == b' ') => return None,
            b'#' if at > 0 && text[at - 1] == b' ' => return Some(&text[..at]),
            _ => {}
        }
    }
    Some(text)
}

/// `[]`, `{}`, a list of quoted and very plain texts, or JSON.
fn flow(text: &[u8]) -> Option<&[u8]> {
    short_list(text).or_else(|| {
        let length = skim_flow::length(text)?;
        is_nothing(&text[length..]).then_some(&text[..length])
    })
}

/// `[]`, `{}`, or a list of quoted and very plain texts.
fn short_list(text: &[u8]) -> Option<&[u8]> {
    let close = if text[0] == b'[' { b']' } else { b'}' };
    let mut at = 1 + blanks(&text[1..]);
    if *text.get(at)? != close {
        if close == b'}' {
            return None;
        }
        loop {
            let item = &text[at..];
            at += match item.first()? {
                b'"' | b'\'' => quoted_length(item)?,
                byte if byte.is_ascii_alphanumeric() || *byte == b'/' => {
                    item.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-' | b'=')))?
                }
                _ => return None,
            };
            at += blanks(&text[at..]);
            match *text.get(at)? {
                b',' => at += 1 + blanks(&text[at + 1..]),
                b']' => break,
                _ => return None,
            }
        }
    }
    is_nothing(&text[at + 1..]).then_some(&text[..=at])
}

/// The text of a scalar that the head takes: in quotes without escapes, or plain and nothing but a string.
fn text_of(scalar: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(scalar).ok()?;
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let inner = &text[1..text.len() - 1];
        return (!inner.contains([quote, '\\'])).then(|| inner.to_owned());
    }
    (resolve(text, Dialect::V2) == Plain::Str && !text.starts_with(['[', '{'])).then(|| text.to_owned())
}
