//! TOML as BurntSushi/toml v1.6 prints and reads it.
//!
//! Printing: tables after plain keys, keys sorted, two spaces a level, floats with a point. A value that cannot be printed gives the
//! library's text from `toToml` and an error from `mustToToml`. Reading answers a fault under the key `Error`.

use super::times::{Elapsed, Instant};
use crate::go::float;
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, IntKind, Kind, List, ListType, Map, Str, Ty, Val};

type Answer = Result<Val, FuncError>;

/// Nesting of printed values.
const DEPTH_LIMIT: usize = 1000;
const NO_VALUE: &str = "reflect: call of reflect.Value.Type on zero Value";
const NIL_ELEMENT: &str = "toml: cannot encode array with nil element";

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("toToml", &[Ty::Any], |_, args| match args.val(0) {
        Val::Nil => Err(NO_VALUE.into()),
        value => Ok(print(value).unwrap_or_else(|fault| fault).into()),
    }),
    FuncSpec::fixed("mustToToml", &[Ty::Any], |_, args| match args.val(0) {
        Val::Nil => Err(NO_VALUE.into()),
        value => Ok(print(value)?.into()),
    }),
    FuncSpec::fixed("fromToml", &[Ty::Str], from_toml),
];

/// What TOML takes a value for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Plain,
    Table,
    ArrayOfTables,
}

/// The value with named maps and slices taken for what they are underneath.
fn underneath(value: &Val) -> Val {
    match value {
        Val::Object(object) => {
            let known = value.as_object::<Instant>().is_some() || value.as_object::<Elapsed>().is_some();
            if known || object.kind() == Kind::Ptr { value.clone() } else { object.plain() }
        }
        _ => value.clone(),
    }
}

/// Nothing for nil.
fn type_of(value: &Val, depth: usize) -> Result<Option<Type>, String> {
    if depth == 0 {
        return Err(format!("values nest deeper than {DEPTH_LIMIT}"));
    }
    Ok(match underneath(value) {
        Val::Nil => None,
        Val::List(list) if list.is_nil() => None,
        Val::Map(map) => (!map.is_nil()).then_some(Type::Table),
        Val::List(list) => {
            let mut tables = !list.is_empty();
            for item in list.iter() {
                let item = type_of(item, depth - 1)?.ok_or(NIL_ELEMENT)?;
                tables &= item == Type::Table;
            }
            Some(if tables { Type::ArrayOfTables } else { Type::Plain })
        }
        _ => Some(Type::Plain),
    })
}

/// True for what is not written where it stands under a key: nil, and slices and maps that are nil.
fn is_nil(value: &Val) -> bool {
    match value {
        Val::List(list) => list.is_nil(),
        Val::Map(map) => map.is_nil(),
        _ => value.is_nil(),
    }
}

/// `toml.Marshal`.
fn print(value: &Val) -> Result<String, String> {
    if !super::text::within_limit(value) {
        return Err(format!("the value holds more than {} others", super::text::VALUES_LIMIT));
    }
    let mut printer = Printer { out: String::new() };
    printer.encode(&mut Vec::new(), &underneath(value), DEPTH_LIMIT)?;
    Ok(printer.out)
}

struct Printer {
    out: String,
}

impl Printer {
    fn encode(&mut self, key: &mut Vec<Str>, value: &Val, depth: usize) -> Result<(), String> {
        match value {
            Val::Map(map) if map.is_nil() => Ok(()),
            Val::Map(map) => {
                if key.len() == 1 {
                    self.blank_line();
                }
                if !key.is_empty() {
                    self.header(key, "[", "]");
                }
                self.table(key, map, depth)
            }
            Val::List(list) if type_of(value, depth)? == Some(Type::ArrayOfTables) => {
                if key.is_empty() {
                    return Err("toml: top-level values must be Go maps or structs".to_owned());
                }
                for item in list.iter() {
                    self.blank_line();
                    self.header(key, "[[", "]]");
                    if let Val::Map(map) = underneath(item) {
                        self.table(key, &map, depth - 1)?;
                    }
                }
                Ok(())
            }
            Val::Nil => Ok(()),
            _ => {
                if let Some(last) = key.last() {
                    self.out.push_str(&"  ".repeat(key.len() - 1));
                    self.out.push_str(&bare_or_quoted(last));
                    self.out.push_str(" = ");
                }
                self.element(value, depth)?;
                if !key.is_empty() {
                    self.out.push('\n');
                }
                Ok(())
            }
        }
    }

    /// An empty line between parts, but none at the start.
    fn blank_line(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn header(&mut self, key: &[Str], open: &str, close: &str) {
        let path: Vec<String> = key.iter().map(bare_or_quoted).collect();
        let indent = "  ".repeat(key.len() - 1);
        self.out.push_str(&format!("{indent}{open}{}{close}\n", path.join(".")));
    }

    fn table(&mut self, key: &mut Vec<Str>, map: &Map, depth: usize) -> Result<(), String> {
        let (plain, tables) = sorted_entries(map, depth)?;
        for (name, value) in plain.into_iter().chain(tables).filter(|(_, value)| !is_nil(value)) {
            key.push(name);
            let result = self.encode(key, &value, depth - 1);
            key.pop();
            result?;
        }
        Ok(())
    }

    fn element(&mut self, value: &Val, depth: usize) -> Result<(), String> {
        if depth == 0 {
            return Err(format!("values nest deeper than {DEPTH_LIMIT}"));
        }
        if let Some(instant) = value.as_object::<Instant>() {
            self.out.push_str(&super::toml_fault::printed(&instant.0)?);
            return Ok(());
        }
        match underneath(value) {
            Val::Nil => return Err("unexpected type: nil".to_owned()),
            Val::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Val::Int(value, IntKind::Uint64 | IntKind::Uint) => self.out.push_str(&(value as u64).to_string()),
            Val::Int(value, _) => self.out.push_str(&value.to_string()),
            Val::Float(value) => self.out.push_str(&float_text(value)),
            Val::Str(text) => self.out.push_str(&quoted(&text)),
            Val::List(list) => self.inline_list(&list, depth)?,
            Val::Map(map) => self.inline_table(&map, depth)?,
            object @ Val::Object(_) => {
                let text = super::text::strval(&object);
                self.out.push_str(&quoted(&text));
            }
        }
        Ok(())
    }

    fn inline_list(&mut self, list: &List, depth: usize) -> Result<(), String> {
        self.out.push('[');
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.element(item, depth - 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// Upstream puts a comma after each entry but the last of its group, counting entries that are nil and so not written.
    fn inline_table(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        let (plain, tables) = sorted_entries(map, depth)?;
        self.out.push('{');
        let groups = [(&plain, !tables.is_empty()), (&tables, false)];
        for (group, more) in groups {
            for (index, (name, value)) in group.iter().enumerate() {
                if is_nil(value) {
                    continue;
                }
                self.out.push_str(&bare_or_quoted(name));
                self.out.push_str(" = ");
                self.element(value, depth - 1)?;
                if more || index + 1 < group.len() {
                    self.out.push_str(", ");
                }
            }
        }
        self.out.push('}');
        Ok(())
    }
}

type Entries = Vec<(Str, Val)>;

/// Entries that are written under the key itself, and those that get a header of their own; each in key order.
fn sorted_entries(map: &Map, depth: usize) -> Result<(Entries, Entries), String> {
    let (mut plain, mut tables) = (Vec::new(), Vec::new());
    for (name, value) in map.snapshot() {
        match type_of(&value, depth)? {
            Some(Type::Table | Type::ArrayOfTables) => tables.push((name, underneath(&value))),
            _ => plain.push((name, underneath(&value))),
        }
    }
    Ok((plain, tables))
}

fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let text = float::g(value);
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

fn bare_or_quoted(key: &Str) -> String {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.as_bytes().iter().all(bare) { key.to_string() } else { quoted(key) }
}

fn quoted(text: &Str) -> String {
    let mut out = String::from("\"");
    for c in text.to_str_lossy().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn from_toml(_: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let text = String::from_utf8_lossy(args.bytes(0));
    Ok(match text.parse::<toml::Table>() {
        Ok(table) => read_table(&table).into(),
        Err(fault) => {
            let message = super::toml_fault::message(&text, &fault);
            Map::from_iter([(Str::from("Error"), Val::from(message))]).into()
        }
    })
}

fn read_table(table: &toml::Table) -> Map {
    table.iter().map(|(key, value)| (Str::from(key.as_str()), read_value(value))).collect()
}

fn read_value(value: &toml::Value) -> Val {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(value) => Val::int64(*value),
        toml::Value::Float(value) => (*value).into(),
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::Datetime(value) => super::toml_fault::datetime(value),
        toml::Value::Array(items) => {
            let values: Vec<Val> = items.iter().map(read_value).collect();
            let tables = !items.is_empty() && items.iter().all(toml::Value::is_table);
            Val::List(List::typed(if tables { ListType::Map } else { ListType::Any }, values))
        }
        toml::Value::Table(table) => read_table(table).into(),
    }
}
