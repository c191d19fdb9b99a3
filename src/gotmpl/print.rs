//! fmt's formatting: `print`, `println`, `printf` with every verb and flag, and the text of any value.
//!
//! In: values. Out: bytes, Go's `%!verb(type=value)` forms included: formatting never fails, except that a value nested in itself is
//! cut off, which the caller learns from [`Printer::cut`].
//! Long because a verb's flags, width and type cross each other: each combination is a few lines beside its neighbours.

use std::fmt::Write as _;

use super::text::{Piece, append_quoted, float, is_print, pieces};
use super::{IntKind, Kind, ListType, Object, Str, Val};

/// Deepest nesting that is printed. Only values that hold themselves are deeper.
const DEPTH_MAX: usize = 500;
/// Longest text made of one value, in bytes.
const TEXT_MAX: usize = 64 << 20;
/// Largest width or precision, as in Go.
const NUMBER_MAX: i64 = 1_000_000;

/// The text that `{{ … }}` and `%v` print for a value; nil is `<nil>`.
pub fn to_text(value: &Val) -> Str {
    if let Val::Str(text) = value {
        return text.clone();
    }
    let mut out = Vec::new();
    append_text(&mut out, value);
    Str::from(out)
}

/// Appends what [`to_text`] gives.
pub fn append_text(out: &mut Vec<u8>, value: &Val) -> bool {
    match value {
        Val::Str(text) => out.extend_from_slice(text.as_bytes()),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Nil => out.extend_from_slice(b"<nil>"),
        _ => {
            let mut printer = Printer::new(out);
            printer.arg(value, 'v');
            return !printer.cut;
        }
    }
    true
}

/// `fmt.Sprint`: a space between operands of which neither is a string.
pub fn sprint(values: &[Val]) -> Str {
    let mut out = Vec::new();
    let mut after_string = true;
    for value in values {
        let is_string = value.kind() == Kind::String;
        if !is_string && !after_string {
            out.push(b' ');
        }
        append_text(&mut out, value);
        after_string = is_string;
    }
    Str::from(out)
}

/// `fmt.Sprintln`: a space between all operands and a line end.
pub fn sprintln(values: &[Val]) -> Str {
    let mut out = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        append_text(&mut out, value);
    }
    out.push(b'\n');
    Str::from(out)
}

/// `fmt.Sprintf`.
pub fn sprintf(format: &[u8], values: &[Val]) -> Str {
    let mut out = Vec::with_capacity(format.len() + 16);
    Printer::new(&mut out).printf(format, values);
    Str::from(out)
}

/// `strconv.Quote`.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = Vec::new();
    append_quoted(&mut out, text, '"', false);
    String::from_utf8_lossy(&out).into_owned()
}

/// `%.Nq`: the first `count` characters, quoted.
pub(super) fn quote_start(text: &str, count: usize) -> String {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    quote(&text.as_bytes()[..end])
}

/// `%#U`: `U+0040 '@'`.
pub(super) fn code_point(c: char) -> String {
    let shown = if is_print(c) { format!(" '{c}'") } else { String::new() };
    format!("U+{:04X}{shown}", u32::from(c))
}

/// The flags of one verb.
#[derive(Clone, Copy, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    plus_v: bool,
    sharp_v: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats into a buffer.
pub(super) struct Printer<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    flags: Flags,
    /// True once a value was too deep or too long to print whole.
    pub(super) cut: bool,
}

impl Printer<'_> {
    pub(super) fn new(out: &mut Vec<u8>) -> Printer<'_> {
        let start = out.len();
        Printer { out, start, flags: Flags::default(), cut: false }
    }

    // --- padding

    fn padding(&mut self, count: usize, zero: bool) {
        let byte = if zero { b'0' } else { b' ' };
        self.out.resize(self.out.len() + count, byte);
    }

    fn pad_with(&mut self, text: &[u8], zero: bool) {
        let count = pieces(text).count();
        let missing = self.flags.width.unwrap_or(0).saturating_sub(count);
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.padding(missing, false);
        } else {
            self.padding(missing, zero);
            self.out.extend_from_slice(text);
        }
    }

    fn pad(&mut self, text: &[u8]) {
        if self.flags.width.is_none() {
            self.out.extend_from_slice(text);
        } else {
            self.pad_with(text, self.flags.zero);
        }
    }

    // --- values

    fn bad_verb(&mut self, verb: char, value: &Val) {
        self.out.extend_from_slice(b"%!");
        self.push_char(verb);
        self.out.push(b'(');
        if value.is_nil() {
            self.out.extend_from_slice(b"<nil>");
        } else {
            self.out.extend_from_slice(value.type_name().as_bytes());
            self.out.push(b'=');
            self.arg(value, 'v');
        }
        self.out.push(b')');
    }

    fn push_char(&mut self, c: char) {
        self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// One operand.
    pub(super) fn arg(&mut self, value: &Val, verb: char) {
        match (value, verb) {
            (_, 'T') => {
                let name = value.type_name().into_owned();
                self.string(name.as_bytes(), 's', &Val::Nil);
            }
            (Val::Nil, 'v') => self.pad(b"<nil>"),
            (Val::Nil, _) => self.bad_verb(verb, value),
            (Val::List(_) | Val::Map(_) | Val::Object(_), 'w') => self.bad_verb(verb, value),
            (Val::List(_) | Val::Map(_), 'p') => self.pad(b"0xc000000000"),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Val, verb: char, depth: usize) {
        if depth > DEPTH_MAX || self.out.len() - self.start > TEXT_MAX {
            self.cut = true;
            return;
        }
        match value {
            // inside a container: an interface that holds nothing
            Val::Nil if self.flags.sharp_v => self.out.extend_from_slice(b"interface {}(nil)"),
            Val::Nil => self.out.extend_from_slice(b"<nil>"),
            Val::Bool(flag) => match verb {
                't' | 'v' => self.pad(if *flag { b"true" } else { b"false" }),
                _ => self.bad_verb(verb, value),
            },
            Val::Int(number, kind) => self.integer(*number, *kind, verb, value),
            Val::Float(number) => self.float(*number, verb, value),
            Val::Str(text) => self.string(text.as_bytes(), verb, value),
            Val::List(list) => {
                let as_bytes = matches!(verb, 's' | 'q' | 'x' | 'X') && list.ty() == ListType::Bytes;
                if as_bytes {
                    return self.string(&list.to_bytes(), verb, value);
                }
                if self.flags.sharp_v && list.is_nil() {
                    return self.nil_of(list.ty().name());
                }
                self.open(list.ty().name(), b"[");
                for (index, item) in list.iter().enumerate() {
                    self.separate(index);
                    self.value(item, verb, depth + 1);
                    if self.cut {
                        return;
                    }
                }
                self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
            }
            Val::Map(map) => {
                if self.flags.sharp_v && map.is_nil() {
                    return self.nil_of(map.ty().name());
                }
                self.open(map.ty().name(), b"map[");
                for (index, (key, item)) in map.borrow().iter().enumerate() {
                    self.separate(index);
                    self.string(key.as_bytes(), verb, &Val::Str(key.clone()));
                    self.out.push(b':');
                    self.value(item, verb, depth + 1);
                    if self.cut {
                        return;
                    }
                }
                self.out.push(if self.flags.sharp_v { b'}' } else { b']' });
            }
            Val::Object(object) => self.object(&**object, verb, value),
        }
    }

    fn object(&mut self, object: &dyn Object, verb: char, value: &Val) {
        let mut text = Vec::new();
        if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            object.write_text(&mut text);
            if object.is_stringer() && !self.flags.sharp_v {
                return self.string(&text, verb, value);
            }
            return self.pad(&text);
        }
        match object.kind() {
            Kind::Int(_) | Kind::Float64 | Kind::Bool | Kind::String => self.value(&object.plain(), verb, 1),
            _ => self.bad_verb(verb, value),
        }
    }

    fn open(&mut self, type_name: &str, plain: &[u8]) {
        if self.flags.sharp_v {
            self.out.extend_from_slice(type_name.as_bytes());
            self.out.push(b'{');
        } else {
            self.out.extend_from_slice(plain);
        }
    }

    /// A nil slice or map in Go's syntax.
    fn nil_of(&mut self, type_name: &str) {
        self.out.extend_from_slice(type_name.as_bytes());
        self.out.extend_from_slice(b"(nil)");
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
        }
    }

    // --- strings

    fn string(&mut self, text: &[u8], verb: char, value: &Val) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => {
                let shown = self.truncated(text);
                self.pad(shown);
            }
            'x' => self.hex(text, b"0123456789abcdef", b'x'),
            'X' => self.hex(text, b"0123456789ABCDEF", b'X'),
            'q' => self.quoted(text),
            _ => self.bad_verb(verb, value),
        }
    }

    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let mut end = 0;
        for piece in pieces(text).take(precision) {
            end += match piece {
                Piece::Char(c) => c.len_utf8(),
                Piece::Bad(_) => 1,
            };
        }
        &text[..end]
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        let mut out = Vec::with_capacity(text.len() + 2);
        let raw_ok = || pieces(text).all(|piece| matches!(piece, Piece::Char(c) if c == '\t' || (c >= ' ' && !matches!(c, '`' | '\x7f' | '\u{feff}'))));
        if self.flags.sharp && raw_ok() {
            out.push(b'`');
            out.extend_from_slice(text);
            out.push(b'`');
        } else {
            append_quoted(&mut out, text, '"', self.flags.plus);
        }
        self.pad(&out);
    }

    fn hex(&mut self, text: &[u8], digits: &[u8; 16], letter: u8) {
        let text = &text[..self.flags.precision.unwrap_or(text.len()).min(text.len())];
        let mut out = Vec::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if self.flags.space && index > 0 {
                out.push(b' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                out.extend_from_slice(&[b'0', letter]);
            }
            out.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.pad(&out);
    }

    // --- numbers

    fn integer(&mut self, number: i64, kind: IntKind, verb: char, value: &Val) {
        let signed = kind.is_signed();
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                self.flags.sharp = true;
                self.digits(number, false, 16, verb);
                self.flags.sharp = false;
            }
            'v' | 'd' => self.digits(number, signed, 10, verb),
            'b' => self.digits(number, signed, 2, verb),
            'o' | 'O' => self.digits(number, signed, 8, verb),
            'x' | 'X' => self.digits(number, signed, 16, verb),
            'c' => {
                let c = to_char(number);
                self.pad(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => {
                let mut out = Vec::new();
                let c = to_char(number);
                append_quoted(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes(), '\'', self.flags.plus);
                self.pad(&out);
            }
            'U' => self.unicode(number),
            _ => self.bad_verb(verb, value),
        }
    }

    fn digits(&mut self, number: i64, signed: bool, base: u32, verb: char) {
        let negative = signed && number < 0;
        let size = if negative { number.unsigned_abs() } else { number as u64 };
        let flags = self.flags;
        let mut least = 0;
        if let Some(precision) = flags.precision {
            least = precision;
            if precision == 0 && size == 0 {
                return self.padding(flags.width.unwrap_or(0), false);
            }
        } else if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width) {
            least = width - usize::from(width > 0 && (negative || flags.plus || flags.space));
        }
        let body = match base {
            2 => format!("{size:b}"),
            8 => format!("{size:o}"),
            16 if verb == 'X' => format!("{size:X}"),
            16 => format!("{size:x}"),
            _ => size.to_string(),
        };
        let mut text = String::new();
        if negative {
            text.push('-');
        } else if flags.plus {
            text.push('+');
        } else if flags.space {
            text.push(' ');
        }
        let zeros = least.saturating_sub(body.len());
        match base {
            _ if verb == 'O' => text.push_str("0o"),
            2 if flags.sharp => text.push_str("0b"),
            8 if flags.sharp && zeros == 0 && !body.starts_with('0') => text.push('0'),
            16 if flags.sharp => text.push_str(if verb == 'X' { "0X" } else { "0x" }),
            _ => {}
        }
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(&body);
        self.pad_with(text.as_bytes(), false);
    }

    fn unicode(&mut self, number: i64) {
        let least = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{:0least$X}", number as u64);
        if self.flags.sharp
            && let Some(c) = u32::try_from(number).ok().and_then(char::from_u32).filter(|c| is_print(*c))
        {
            let _ = write!(text, " '{c}'");
        }
        self.pad_with(text.as_bytes(), false);
    }

    fn float(&mut self, number: f64, verb: char, value: &Val) {
        let (verb, default) = match verb {
            'v' => ('g', -1),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, -1),
            'f' | 'e' | 'E' => (verb, 6),
            'F' => ('f', 6),
            _ => return self.bad_verb(verb, value),
        };
        let precision = self.flags.precision.map_or(default, |precision| precision as i32);
        let mut text = float(number, verb as u8, precision);
        if !text.starts_with(['+', '-']) {
            text.insert(0, '+');
        }
        let flags = self.flags;
        if flags.space && text.starts_with('+') && !flags.plus {
            text.replace_range(..1, " ");
        }
        if number.is_nan() || number.is_infinite() {
            let bare = text.starts_with('+') && !flags.plus;
            let hide = number.is_nan() && !flags.space && !flags.plus;
            return self.pad_with(&text.as_bytes()[usize::from(bare && hide)..], false);
        }
        if flags.sharp && verb != 'b' {
            keep_point(&mut text, verb, precision);
        }
        if flags.plus || !text.starts_with('+') {
            let width = flags.width.unwrap_or(0);
            if flags.zero && !flags.minus && width > text.len() {
                self.out.push(text.as_bytes()[0]);
                self.padding(width - text.len(), true);
                self.out.extend_from_slice(&text.as_bytes()[1..]);
                return;
            }
            return self.pad(text.as_bytes());
        }
        self.pad(&text.as_bytes()[1..]);
    }

    // --- printf

    /// Runs a format.
    pub(super) fn printf(&mut self, format: &[u8], values: &[Val]) {
        let mut state = Operands { values, next: 0, reordered: false, good: true };
        let mut at = 0;
        while at < format.len() {
            let length = memchr::memchr(b'%', &format[at..]).unwrap_or(format.len() - at);
            self.out.extend_from_slice(&format[at..at + length]);
            at += length;
            if at >= format.len() {
                break;
            }
            at = self.verb(format, at + 1, &mut state);
        }
        if !state.reordered && state.next < values.len() {
            self.flags = Flags::default();
            self.out.extend_from_slice(b"%!(EXTRA ");
            for (index, value) in values[state.next..].iter().enumerate() {
                if index > 0 {
                    self.out.extend_from_slice(b", ");
                }
                if value.is_nil() {
                    self.out.extend_from_slice(b"<nil>");
                } else {
                    self.out.extend_from_slice(value.type_name().as_bytes());
                    self.out.push(b'=');
                    self.arg(value, 'v');
                }
            }
            self.out.push(b')');
        }
    }

    /// One verb, from after its `%`; gives where it ends.
    fn verb(&mut self, format: &[u8], mut at: usize, state: &mut Operands<'_>) -> usize {
        self.flags = Flags::default();
        state.good = true;
        while let Some(byte) = format.get(at) {
            match byte {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                _ => break,
            }
            at += 1;
        }
        let mut after_index = state.index(format, &mut at);
        self.width(format, &mut at, &mut after_index, state);
        self.precision(format, &mut at, &mut after_index, state);
        if !after_index {
            state.index(format, &mut at);
        }
        let Some(Piece::Char(verb)) = pieces(&format[at.min(format.len())..]).next() else {
            if at < format.len() {
                // a byte that is no character: Go takes U+FFFD as the verb
                self.run('\u{fffd}', state);
                return at + 1;
            }
            self.out.extend_from_slice(b"%!(NOVERB)");
            return format.len();
        };
        self.run(verb, state);
        at + verb.len_utf8()
    }

    fn width(&mut self, format: &[u8], at: &mut usize, after_index: &mut bool, state: &mut Operands<'_>) {
        if format.get(*at) == Some(&b'*') {
            *at += 1;
            match state.int() {
                Some(width) => {
                    self.flags.minus |= width < 0;
                    self.flags.width = Some(width.unsigned_abs() as usize);
                }
                None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            *after_index = false;
        } else {
            self.flags.width = parse_number(format, at);
            if *after_index && self.flags.width.is_some() {
                state.good = false;
            }
        }
    }

    fn precision(&mut self, format: &[u8], at: &mut usize, after_index: &mut bool, state: &mut Operands<'_>) {
        if format.get(*at) != Some(&b'.') {
            return;
        }
        *at += 1;
        if *after_index {
            state.good = false;
        }
        *after_index = state.index(format, at);
        if format.get(*at) == Some(&b'*') {
            *at += 1;
            match state.int() {
                Some(precision) if precision >= 0 => self.flags.precision = Some(precision as usize),
                _ => self.out.extend_from_slice(b"%!(BADPREC)"),
            }
            *after_index = false;
        } else {
            self.flags.precision = Some(parse_number(format, at).unwrap_or(0));
        }
    }

    fn run(&mut self, verb: char, state: &mut Operands<'_>) {
        if verb == '%' {
            self.out.push(b'%');
            return;
        }
        if !state.good {
            self.out.extend_from_slice(b"%!");
            self.push_char(verb);
            self.out.extend_from_slice(b"(BADINDEX)");
            return;
        }
        let Some(value) = state.values.get(state.next) else {
            self.out.extend_from_slice(b"%!");
            self.push_char(verb);
            self.out.extend_from_slice(b"(MISSING)");
            return;
        };
        if verb == 'v' {
            self.flags.sharp_v = std::mem::take(&mut self.flags.sharp);
            self.flags.plus_v = std::mem::take(&mut self.flags.plus);
        }
        self.arg(value, verb);
        state.next += 1;
    }
}

/// The operands of one `printf` and which is next.
struct Operands<'v> {
    values: &'v [Val],
    next: usize,
    reordered: bool,
    good: bool,
}

impl Operands<'_> {
    /// Reads `[n]`, if it is here; true if it was and is well formed.
    fn index(&mut self, format: &[u8], at: &mut usize) -> bool {
        if format.get(*at) != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &format[*at..];
        let close = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.good = false;
            *at += 1;
            return false;
        };
        let mut inner = 1;
        let number = parse_number(&rest[..close], &mut inner).filter(|_| inner == close);
        *at += close + 1;
        match number {
            Some(number) if (1..=self.values.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            found => {
                self.good = false;
                found.is_some()
            }
        }
    }

    /// An operand used as width or precision.
    fn int(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Val::Int(number, _) if number.abs() <= NUMBER_MAX => Some(*number),
            _ => None,
        }
    }
}

/// Decimal digits; nothing if there are none or too many, in which case Go skips to the end of the format.
fn parse_number(format: &[u8], at: &mut usize) -> Option<usize> {
    let mut number: i64 = 0;
    let start = *at;
    while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
        if number > NUMBER_MAX {
            *at = format.len();
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
        *at += 1;
    }
    (*at > start).then_some(number as usize)
}

fn to_char(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `#` on a float: the decimal point stays, and for `%g` the trailing zeros.
fn keep_point(text: &mut String, verb: char, precision: i32) {
    let mut wanted = match verb {
        'g' | 'G' | 'x' if precision < 0 => 6,
        'g' | 'G' | 'x' => precision,
        _ => 0,
    };
    let is_hex = matches!(verb, 'x' | 'X');
    let tail_at = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| matches!(c, 'p' | 'P') || (matches!(c, 'e' | 'E') && !is_hex))
        .map_or(text.len(), |(at, _)| at);
    let tail = text.split_off(tail_at);
    let mut seen = false;
    for c in text.chars().skip(1).filter(|c| *c != '.') {
        seen |= c != '0';
        wanted -= i32::from(seen);
    }
    if !text.contains('.') {
        if text.len() == 2 && text.ends_with('0') {
            wanted -= 1;
        }
        text.push('.');
    }
    for _ in 0..wanted.max(0) {
        text.push('0');
    }
    text.push_str(&tail);
}
