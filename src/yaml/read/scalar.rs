//! What a scalar node means, tag and style considered, as a value and as a key.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::go::float;
use crate::value::Style;

use super::super::resolve::resolve_with;
use super::event::CORE_TAG;
use super::fault::Layer;
use super::{Dialect, Plain};

/// What a value means.
pub(super) enum Meaning {
    /// A meaning of its text.
    Plain(Plain),
    /// Bytes, decoded.
    Binary(Vec<u8>),
}

/// A problem and the layer that words it.
pub(super) type Problem = (Layer, String);

/// The tag without the prefix that `!!` stands for; nothing for tags of other families.
fn core_tag(tag: &str) -> Option<&str> {
    tag.strip_prefix(CORE_TAG).or_else(|| tag.strip_prefix("!!"))
}

/// The meaning of a value.
pub(super) fn meaning(tag: Option<&str>, text: &str, style: Style, dialect: Dialect) -> Result<Meaning, Problem> {
    let plain = match tag {
        None if style == Style::Plain => resolve_with(text, dialect, true),
        None => Plain::Str,
        // v3 takes the lone `!` for no tag at all
        Some("!") if dialect == Dialect::V3 && style == Style::Plain => resolve_with(text, dialect, true),
        Some(tag) => match core_tag(tag) {
            Some("binary") => return decode(text).map(Meaning::Binary),
            Some(core) => tagged(core, text, dialect)?,
            // `!` and tags of the user's own make strings
            None => Plain::Str,
        },
    };
    if let Plain::Float(value) = plain
        && !value.is_finite()
    {
        return Err((Layer::Json, format!("json: unsupported value: {}", float::g(value))));
    }
    Ok(Meaning::Plain(plain))
}

/// The meaning of a text under a core tag, which must fit it.
fn tagged(core: &str, text: &str, dialect: Dialect) -> Result<Plain, Problem> {
    if !matches!(core, "str" | "bool" | "int" | "float" | "null" | "timestamp") {
        return Ok(Plain::Str);
    }
    if core == "str" {
        return Ok(Plain::Str);
    }
    let plain = resolve_with(text, dialect, core == "timestamp");
    match (core, plain) {
        ("float", Plain::Int(value)) => Ok(Plain::Float(value as f64)),
        _ if plain.tag().strip_prefix("!!") == Some(core) => Ok(plain),
        _ => Err((Layer::Decoder, format!("cannot decode {} `{text}` as a !!{core}", plain.tag()))),
    }
}

/// Base64 as Go's standard decoder takes it: line ends are passed over, spare bits may be set.
fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let bare: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    engine.decode(bare).map_err(|_| (Layer::Decoder, "!!binary value contains invalid base64 data".to_owned()))
}

/// True for a key that merges: a plain `<<`, or one tagged so.
pub(super) fn is_merge(tag: Option<&str>, text: &str, style: Style) -> bool {
    text == "<<" && (style == Style::Plain && tag.is_none_or(|tag| tag == "!") || tag.and_then(core_tag) == Some("merge"))
}

/// True for a key that go-yaml v3 takes for a string. Nothing is one too: it is printed as `''` before it is read.
pub(super) fn is_string_key(tag: Option<&str>, text: &str, style: Style) -> bool {
    match tag {
        Some("!") | None => style != Style::Plain || text.is_empty() || resolve_with(text, Dialect::V3, true) == Plain::Str,
        Some(tag) => core_tag(tag) == Some("str"),
    }
}

/// The text of a key. v3 keeps what is written; v2 has values as keys and turns them into strings on the way to JSON.
pub(super) fn key<'t>(tag: Option<&str>, text: &Cow<'t, str>, style: Style, dialect: Dialect) -> Result<Cow<'t, str>, Problem> {
    if dialect == Dialect::V3 || tag.is_none() && style != Style::Plain {
        return Ok(text.clone());
    }
    let plain = match meaning(tag, text, style, dialect) {
        Ok(Meaning::Binary(bytes)) => return Ok(Cow::Owned(super::build::lossy(&bytes))),
        Ok(Meaning::Plain(plain)) => plain,
        // infinities and NaN have names as keys
        Err((Layer::Json, _)) => resolve_with(text, dialect, false),
        Err(problem) => return Err(problem),
    };
    Ok(match plain {
        Plain::Str | Plain::Timestamp => text.clone(),
        Plain::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Plain::Int(value) => Cow::Owned(value.to_string()),
        Plain::Float(value) => Cow::Owned(float_key(value)),
        Plain::Null => return Err((Layer::Json, "unsupported map key of type: %!s(<nil>), key: <nil>".to_owned())),
        Plain::Uint(value) => return Err((Layer::Json, format!("unsupported map key of type: uint64, key: {value:#x}"))),
    })
}

fn float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    let mut out = String::new();
    float::push_g32(&mut out, value);
    match out.as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        _ => out,
    }
}
