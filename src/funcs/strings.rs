//! Strings: trimming, cutting, padding, quoting, wrapping. Offsets count bytes, as Go's do, so a cut may split a character.

use super::text::{display, strval};
use super::words;
use crate::go::strconv::quote_bytes;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, Map, MapType, Str, Ty, Val};

type Answer = Result<Val, FuncError>;

/// Texts shorter than this are not counted against the render's limit.
const UNCOUNTED: usize = 64 << 10;

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("hello", &[], |_, _| Ok("Hello!".into())),
    // Case.
    FuncSpec::fixed("upper", &[Ty::Str], |_, args| Ok(words::map_chars(args.bytes(0), words::to_upper).into())),
    FuncSpec::fixed("lower", &[Ty::Str], |_, args| Ok(words::map_chars(args.bytes(0), words::to_lower).into())),
    FuncSpec::fixed("title", &[Ty::Str], |_, args| Ok(words::title(args.bytes(0)).into())),
    FuncSpec::fixed("untitle", &[Ty::Str], |_, args| Ok(words::untitle(args.bytes(0)).into())),
    FuncSpec::fixed("swapcase", &[Ty::Str], |_, args| Ok(words::swap_case(args.bytes(0)).into())),
    FuncSpec::fixed("camelcase", &[Ty::Str], |_, args| Ok(words::pascal_case(args.bytes(0)).into())),
    FuncSpec::fixed("snakecase", &[Ty::Str], |_, args| Ok(words::joined_lower_case(args.bytes(0), '_').into())),
    FuncSpec::fixed("kebabcase", &[Ty::Str], |_, args| Ok(words::joined_lower_case(args.bytes(0), '-').into())),
    FuncSpec::fixed("initials", &[Ty::Str], |_, args| Ok(words::initials(args.bytes(0)).into())),
    FuncSpec::fixed("nospace", &[Ty::Str], |_, args| Ok(words::without_space(args.bytes(0)).into())),
    // Trimming and cutting.
    FuncSpec::fixed("trim", &[Ty::Str], |_, args| Ok(words::trim_space(args.bytes(0)).into_val())),
    FuncSpec::fixed("trimall", &[Ty::Str, Ty::Str], |_, args| Ok(trim_set(args.bytes(1), args.bytes(0)))),
    FuncSpec::fixed("trimAll", &[Ty::Str, Ty::Str], |_, args| Ok(trim_set(args.bytes(1), args.bytes(0)))),
    FuncSpec::fixed("trimSuffix", &[Ty::Str, Ty::Str], |_, args| {
        let text = args.bytes(1);
        Ok(text.strip_suffix(args.bytes(0)).unwrap_or(text).into_val())
    }),
    FuncSpec::fixed("trimPrefix", &[Ty::Str, Ty::Str], |_, args| {
        let text = args.bytes(1);
        Ok(text.strip_prefix(args.bytes(0)).unwrap_or(text).into_val())
    }),
    FuncSpec::fixed("trunc", &[Ty::Int, Ty::Str], |_, args| Ok(truncate(args.int(0), args.bytes(1)).into_val())),
    FuncSpec::fixed("substr", &[Ty::Int, Ty::Int, Ty::Str], |_, args| substring(args.int(0), args.int(1), args.bytes(2))),
    FuncSpec::fixed("abbrev", &[Ty::Int, Ty::Str], |_, args| {
        let (width, text) = (args.int(0), args.bytes(1));
        Ok(if width < 4 { text.into_val() } else { abbreviate(text, 0, width).into() })
    }),
    FuncSpec::fixed("abbrevboth", &[Ty::Int, Ty::Int, Ty::Str], |_, args| {
        let (left, right, text) = (args.int(0), args.int(1), args.bytes(2));
        let kept = right < 4 || left > 0 && right < 7;
        Ok(if kept { text.into_val() } else { abbreviate(text, left, right).into() })
    }),
    // Making longer.
    FuncSpec::fixed("repeat", &[Ty::Int, Ty::Str], |ctx, args| Ok(repeat(ctx, args.bytes(1), args.int(0))?.into())),
    FuncSpec::fixed("indent", &[Ty::Int, Ty::Str], |ctx, args| indent(ctx, args.int(0), args.bytes(1), b"")),
    FuncSpec::fixed("nindent", &[Ty::Int, Ty::Str], |ctx, args| indent(ctx, args.int(0), args.bytes(1), b"\n")),
    FuncSpec::fixed("wrap", &[Ty::Int, Ty::Str], |_, args| Ok(wrap(args.bytes(1), args.int(0), b"\n", false).into())),
    FuncSpec::fixed("wrapWith", &[Ty::Int, Ty::Str, Ty::Str], |ctx, args| {
        let separator = if args.bytes(1).is_empty() { b"\n" } else { args.bytes(1) };
        let lines = args.bytes(2).len() as u64 / args.int(0).max(1) as u64;
        ctx.charge(lines.saturating_mul(separator.len() as u64))?;
        Ok(wrap(args.bytes(2), args.int(0), separator, true).into())
    }),
    // Asking and replacing.
    FuncSpec::fixed("contains", &[Ty::Str, Ty::Str], |_, args| Ok(find(args.bytes(1), args.bytes(0)).is_some().into())),
    FuncSpec::fixed("hasPrefix", &[Ty::Str, Ty::Str], |_, args| Ok(args.bytes(1).starts_with(args.bytes(0)).into())),
    FuncSpec::fixed("hasSuffix", &[Ty::Str, Ty::Str], |_, args| Ok(args.bytes(1).ends_with(args.bytes(0)).into())),
    FuncSpec::fixed("replace", &[Ty::Str, Ty::Str, Ty::Str], replace),
    FuncSpec::fixed("plural", &[Ty::Str, Ty::Str, Ty::Int], |_, mut args| {
        let index = usize::from(args.int(2) != 1);
        Ok(args.take(index))
    }),
    // Splitting.
    FuncSpec::fixed("split", &[Ty::Str, Ty::Str], |_, args| Ok(numbered(split(args.bytes(1), args.bytes(0), -1)))),
    FuncSpec::fixed("splitn", &[Ty::Str, Ty::Int, Ty::Str], |_, args| {
        Ok(numbered(split(args.bytes(2), args.bytes(0), args.int(1))))
    }),
    FuncSpec::fixed("splitList", &[Ty::Str, Ty::Str], |_, args| Ok(Val::strings(split(args.bytes(1), args.bytes(0), -1)))),
    // Texts of any values.
    FuncSpec::fixed("toString", &[Ty::Any], |_, args| Ok(strval(args.val(0)).into())),
    FuncSpec::variadic("quote", &[Ty::Any], |_, args| {
        Ok(spaced(args.rest(0), |value| quote_bytes(strval(value).as_bytes()).into_bytes()))
    }),
    FuncSpec::variadic("squote", &[Ty::Any], |_, args| {
        Ok(spaced(args.rest(0), |value| [b"'", display(value).as_slice(), b"'"].concat()))
    }),
    FuncSpec::variadic("cat", &[Ty::Any], |ctx, args| {
        let length: usize = args.rest(0).iter().filter_map(Val::as_str).map(Str::len).sum();
        if length > UNCOUNTED {
            ctx.charge(length as u64)?;
        }
        Ok(spaced(args.rest(0), display))
    }),
];

/// Slices of an argument as values.
trait IntoVal {
    fn into_val(self) -> Val;
}

impl IntoVal for &[u8] {
    fn into_val(self) -> Val {
        Val::Str(Str::from(self))
    }
}

/// The texts of all that are not nil, with spaces between.
fn spaced(values: &[Val], text: impl Fn(&Val) -> Vec<u8>) -> Val {
    let texts: Vec<Vec<u8>> = values.iter().filter(|value| !value.is_nil()).map(text).collect();
    texts.join(&b' ').into()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

fn out_of_range(shown: String) -> FuncError {
    FuncError::new(format!("runtime error: slice bounds out of range {shown}"))
}

fn trim_set(text: &[u8], set: &[u8]) -> Val {
    let set: Vec<char> = String::from_utf8_lossy(set).chars().collect();
    let Ok(text) = std::str::from_utf8(text) else {
        let set: Vec<u8> = set.iter().filter(|c| c.is_ascii()).map(|c| *c as u8).collect();
        let start = text.iter().take_while(|byte| set.contains(byte)).count();
        let end = text[start..].iter().rev().take_while(|byte| set.contains(byte)).count();
        return text[start..text.len() - end].into_val();
    };
    text.trim_matches(|c| set.contains(&c)).as_bytes().into_val()
}

fn truncate(count: i64, text: &[u8]) -> &[u8] {
    let length = text.len() as i64;
    if count < 0 {
        let start = length.saturating_add(count);
        return if start > 0 { &text[start as usize..] } else { text };
    }
    &text[..count.min(length) as usize]
}

fn substring(start: i64, end: i64, text: &[u8]) -> Answer {
    let length = text.len() as i64;
    if start < 0 {
        return match end {
            0.. if end <= length => Ok(text[..end as usize].into_val()),
            0.. => Err(out_of_range(format!("[:{end}] with length {length}"))),
            _ => Err(out_of_range(format!("[:{end}]"))),
        };
    }
    let end = if end < 0 || end > length { length } else { end };
    if start > end {
        return Err(out_of_range(format!("[{start}:{end}]")));
    }
    Ok(text[start as usize..end as usize].into_val())
}

/// goutils' abbreviation: three dots for what is left out at the end and, past an offset of 4, at the start.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let length = text.len() as i64;
    if length <= width {
        return text.to_vec();
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    let head = |text: &[u8], width: i64| [&text[..(width - 3) as usize], b"..."].concat();
    if offset <= 4 {
        return head(text, width);
    }
    let rest = &text[offset as usize..];
    if offset + width - 3 < length {
        let width = width - 3;
        // Below four there is no room for dots at both ends; goutils then gives nothing for the rest.
        let rest = if width < 4 { Vec::new() } else { abbreviate(rest, 0, width) };
        return [b"...", rest.as_slice()].concat();
    }
    [b"...", &text[(length - (width - 3)) as usize..]].concat()
}

fn repeat(ctx: &mut Ctx<'_>, text: &[u8], count: i64) -> Result<Vec<u8>, FuncError> {
    let count = u64::try_from(count).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    let size = count.saturating_mul(text.len() as u64);
    ctx.charge(size)?;
    Ok(if size == 0 { Vec::new() } else { text.repeat(count as usize) })
}

fn indent(ctx: &mut Ctx<'_>, spaces: i64, text: &[u8], before: &[u8]) -> Answer {
    let lines = memchr::memchr_iter(b'\n', text).count() as u64 + 1;
    let spaces = u64::try_from(spaces).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    if spaces > 1000 {
        ctx.charge(spaces.saturating_mul(lines))?;
    }
    let pad = vec![b' '; spaces as usize];
    let mut out = Vec::with_capacity(before.len() + text.len() + pad.len() * lines as usize);
    out.extend_from_slice(before);
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    Ok(out.into())
}

/// goutils' wrapping: breaks at spaces, counts bytes, drops spaces at a new line's start; long words break only if asked.
fn wrap(text: &[u8], width: i64, separator: &[u8], break_words: bool) -> Vec<u8> {
    let width = width.max(1) as usize;
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while text.len() - at.min(text.len()) > width {
        if text[at] == b' ' {
            at += 1;
            continue;
        }
        let space = text[at..=at + width].iter().rposition(|byte| *byte == b' ').map(|space| space + at);
        let later = || text[at + width..].iter().position(|byte| *byte == b' ').map(|space| space + at + width);
        let (end, next) = match space {
            Some(space) => (space, space + 1),
            None if break_words => (at + width, at + width),
            None => if let Some(space) = later() { (space, space + 1) } else {
                out.extend_from_slice(&text[at..]);
                return out;
            },
        };
        out.extend_from_slice(&text[at..end]);
        out.extend_from_slice(separator);
        at = next;
    }
    out.extend_from_slice(&text[at.min(text.len())..]);
    out
}

fn replace(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let (old, new, text) = (args.bytes(0), args.bytes(1), args.bytes(2));
    if old.is_empty() {
        let pieces = characters(text);
        ctx.charge((new.len() as u64).saturating_mul(pieces.len() as u64 + 1))?;
        let mut out = new.to_vec();
        for piece in pieces {
            out.extend_from_slice(piece);
            out.extend_from_slice(new);
        }
        return Ok(out.into());
    }
    let hits: Vec<usize> = memchr::memmem::find_iter(text, old).collect();
    if hits.is_empty() {
        return Ok(args.val(2).clone());
    }
    ctx.charge((new.len() as u64).saturating_mul(hits.len() as u64))?;
    let (mut out, mut last) = (Vec::with_capacity(text.len()), 0);
    for hit in hits {
        out.extend_from_slice(&text[last..hit]);
        out.extend_from_slice(new);
        last = hit + old.len();
    }
    out.extend_from_slice(&text[last..]);
    Ok(out.into())
}

/// The characters of a text; a byte that is no UTF-8 stands alone.
fn characters(text: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut at) = (Vec::new(), 0);
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            out.push(&text[at..at + c.len_utf8()]);
            at += c.len_utf8();
        }
        for _ in chunk.invalid() {
            out.push(&text[at..=at]);
            at += 1;
        }
    }
    out
}

/// `strings.SplitN`: all pieces for a negative limit, none for 0; an empty separator splits into characters.
fn split<'t>(text: &'t [u8], separator: &[u8], limit: i64) -> Vec<&'t [u8]> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Vec::new();
    }
    if separator.is_empty() {
        let mut pieces = characters(text);
        if pieces.len() > limit {
            let start: usize = pieces[..limit - 1].iter().map(|piece| piece.len()).sum();
            pieces.truncate(limit - 1);
            pieces.push(&text[start..]);
        }
        return pieces;
    }
    let (mut out, mut last) = (Vec::new(), 0);
    for hit in memchr::memmem::find_iter(text, separator).take(limit - 1) {
        out.push(&text[last..hit]);
        last = hit + separator.len();
    }
    out.push(&text[last..]);
    out
}

/// Pieces under the keys `_0`, `_1`, …
fn numbered(pieces: Vec<&[u8]>) -> Val {
    let entries = pieces.into_iter().enumerate().map(|(index, piece)| (Str::from(format!("_{index}")), piece.into_val()));
    Val::Map(Map::typed(MapType::Str, entries.collect()))
}
