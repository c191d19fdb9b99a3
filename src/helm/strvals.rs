//! The grammar of `--set` and its sisters: `a.b[0].c=value,d={x,y}`, with `\` before what is meant literally.
//!
//! In: one flag's text and the map to change. Out: the map changed, in place, up to the fault if there is one. The
//! oddities are Helm's: `a=` sets an empty text, `a=,b=1` sets two, `a=1,` is fine, `a` alone is not.

use std::iter::Peekable;
use std::str::Chars;

use crate::compat::Profile;
use crate::gotmpl::{Map, Str, Val};

/// Largest index that a list may be given.
const INDEX_MAX: usize = 65_536;

/// How many `.` may stand in a name.
const NAME_DEPTH_MAX: usize = 30;

/// How many lists may stand in lists in a name. Helm has no limit, and a stack that grows.
const LIST_DEPTH_MAX: usize = 1000;

/// How many items the indices of one flag may make in all: a few bytes of text ask for 65,536 each. Helm has no such limit.
const ITEMS_MAX: usize = 1 << 20;

/// Makes a value of a text.
pub(crate) type Convert<'a> = &'a dyn Fn(&str) -> Result<Val, String>;

/// What `--set` makes of a text: boolean, null, integer without leading zero, or text.
#[expect(clippy::unnecessary_wraps, reason = "one of several converters")]
pub(crate) fn typed(text: &str) -> Result<Val, String> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    Ok(match text {
        _ if is("true") => Val::Bool(true),
        _ if is("false") => Val::Bool(false),
        _ if is("null") => Val::Nil,
        "0" => Val::int64(0),
        _ if !text.starts_with('0') => text.parse().map_or_else(|_| Val::str(text), Val::int64),
        _ => Val::str(text),
    })
}

/// `--set`, `--set-string`, `--set-file`: they differ in what a value's text becomes.
pub(crate) fn parse(text: &str, into: &Map, convert: Convert<'_>, profile: Profile) -> Result<(), String> {
    Parser::new(text, Mode::Text(convert), profile).all(into)
}

/// `--set-json key=json`.
pub(crate) fn parse_json(text: &str, into: &Map, profile: Profile) -> Result<(), String> {
    Parser::new(text, Mode::Json, profile).all(into)
}

/// `--set-literal`: no lists of values, no escapes, and the value goes to the end.
pub(crate) fn parse_literal(text: &str, into: &Map, profile: Profile) -> Result<(), String> {
    Parser::new(text, Mode::Literal, profile).all(into)
}

/// JSON as Go decodes it: numbers are `float64`.
pub(crate) fn json_val(json: &serde_json::Value) -> Val {
    match json {
        serde_json::Value::Null => Val::Nil,
        serde_json::Value::Bool(value) => Val::Bool(*value),
        serde_json::Value::Number(number) => Val::Float(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Val::str(text),
        serde_json::Value::Array(items) => Val::list(items.iter().map(json_val).collect()),
        serde_json::Value::Object(map) => {
            Val::Map(map.iter().map(|(key, json)| (Str::new(key), json_val(json))).collect())
        }
    }
}

enum Mode<'a> {
    Text(Convert<'a>),
    Json,
    Literal,
}

struct Parser<'a> {
    text: Peekable<Chars<'a>>,
    rest: &'a str,
    mode: Mode<'a>,
    /// Whether a text may end inside an index; Helm then takes what stands before it.
    open_index_ignored: bool,
    /// Items that indices have made so far.
    items: usize,
    /// Lists that the name stands in so far.
    nested: usize,
}

/// Why parsing stopped.
enum Stop {
    /// The text is used up, which is how all goes well.
    End,
    /// A fault.
    Fault(String),
}

impl From<String> for Stop {
    fn from(text: String) -> Stop {
        Stop::Fault(text)
    }
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, mode: Mode<'a>, profile: Profile) -> Parser<'a> {
        Parser { text: text.chars().peekable(), rest: text, mode, open_index_ignored: profile.open_index_ignored(), items: 0, nested: 0 }
    }

    fn all(mut self, into: &Map) -> Result<(), String> {
        loop {
            match self.key(into, 0) {
                Ok(()) => {}
                Err(Stop::End) => return Ok(()),
                Err(Stop::Fault(text)) => return Err(text),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.text.next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// The characters up to one of `stops`, which is taken too; `None` for the end of the text.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stops.contains(&c) {
                return (text, Some(c));
            }
            if c == '\\' && !matches!(self.mode, Mode::Literal) {
                match self.next() {
                    Some(c) => text.push(c),
                    None => return (text, None),
                }
            } else {
                text.push(c);
            }
        }
        (text, None)
    }

    fn key(&mut self, into: &Map, depth: usize) -> Result<(), Stop> {
        let stops: &[char] = if matches!(self.mode, Mode::Literal) { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (name, last) = self.until(stops);
        match last {
            None if name.is_empty() => Err(Stop::End),
            None => Err(Stop::Fault(format!("key {name:?} has no value"))),
            Some('[') => {
                let index = self.index()?;
                let list = match into.get(&name) {
                    None => Vec::new(),
                    Some(Val::List(list)) => list.to_vec(),
                    Some(_) => return Err(Stop::Fault(format!("unable to parse key: `{name}` is not a list"))),
                };
                let (list, end) = self.item(list, index, depth);
                set(into, &name, Val::list(list));
                end
            }
            Some('=') => self.value(into, &name),
            Some(',') => {
                set(into, &name, Val::str(""));
                Err(Stop::Fault(format!("key {name:?} has no value (cannot end with ,)")))
            }
            Some(_) => {
                let depth = depth + 1;
                if depth > NAME_DEPTH_MAX {
                    let message = format!("value name nested level is greater than maximum supported nested level of {NAME_DEPTH_MAX}");
                    return Err(Stop::Fault(message));
                }
                let inner = match into.get(&name) {
                    None => Map::new(),
                    Some(Val::Map(inner)) => inner,
                    Some(_) => return Err(Stop::Fault(format!("unable to parse key: `{name}` is not a map"))),
                };
                let end = self.key(&inner, depth);
                if end.is_ok() && inner.is_empty() {
                    return Err(Stop::Fault(format!("key map {name:?} has no value")));
                }
                if !inner.is_empty() {
                    set(into, &name, Val::Map(inner));
                }
                end
            }
        }
    }

    /// What stands after `name=`.
    fn value(&mut self, into: &Map, name: &str) -> Result<(), Stop> {
        match self.mode {
            Mode::Literal => {
                let (text, _) = self.until(&[]);
                set(into, name, Val::str(text));
                Ok(())
            }
            Mode::Json => {
                let value = self.json()?;
                set(into, name, value);
                Ok(())
            }
            Mode::Text(convert) => {
                if self.rest.is_empty() {
                    set(into, name, Val::str(""));
                    return Err(Stop::End);
                }
                let value = if self.rest.starts_with('{') {
                    self.list(convert)?
                } else {
                    let (text, _) = self.until(&[',']);
                    convert(&text)?
                };
                set(into, name, value);
                Ok(())
            }
        }
    }

    /// `{a,b}`.
    fn list(&mut self, convert: Convert<'_>) -> Result<Val, String> {
        self.next();
        let mut items = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            if last.is_none() {
                return Err("list must terminate with '}'".to_owned());
            }
            items.push(convert(&text)?);
            if last == Some('}') {
                if self.rest.starts_with(',') {
                    self.next();
                }
                return Ok(Val::list(items));
            }
        }
    }

    /// A JSON value and the comma after it; nothing is null.
    fn json(&mut self) -> Result<Val, String> {
        if self.blank() {
            return Ok(Val::Nil);
        }
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<serde_json::Value>();
        let value = match stream.next() {
            Some(Ok(value)) => json_val(&value),
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err("unexpected end of JSON input".to_owned()),
        };
        self.rest = &self.rest[stream.byte_offset()..];
        self.text = self.rest.chars().peekable();
        self.blank();
        Ok(value)
    }

    /// Skips blanks and one comma; true if nothing stood before it.
    fn blank(&mut self) -> bool {
        loop {
            match self.rest.chars().next() {
                None => return true,
                Some(',') => {
                    self.next();
                    return true;
                }
                Some(c) if c.is_whitespace() => drop(self.next()),
                Some(_) => return false,
            }
        }
    }

    fn index(&mut self) -> Result<usize, Stop> {
        let (text, last) = self.until(&[']']);
        if last.is_none() && self.open_index_ignored {
            return Err(Stop::End);
        } else if last.is_none() {
            return Err(Stop::Fault("error parsing index: EOF".to_owned()));
        }
        let index: i64 = text.parse().map_err(|_| format!("error parsing index: strconv.Atoi: parsing {text:?}: invalid syntax"))?;
        usize::try_from(index).map_err(|_| Stop::Fault(format!("negative {index} index not allowed")))
    }

    /// What stands after `[index]`: gives the list, changed as far as it went, and how it went.
    fn item(&mut self, list: Vec<Val>, index: usize, depth: usize) -> (Vec<Val>, Result<(), Stop>) {
        if self.nested == LIST_DEPTH_MAX {
            return (list, Err(Stop::Fault(format!("lists are nested more than {LIST_DEPTH_MAX} deep"))));
        }
        self.nested += 1;
        let done = self.nested_item(list, index, depth);
        self.nested -= 1;
        done
    }

    fn nested_item(&mut self, list: Vec<Val>, index: usize, depth: usize) -> (Vec<Val>, Result<(), Stop>) {
        let (junk, last) = self.until(&['[', '.', '=']);
        if !junk.is_empty() {
            return (list, Err(Stop::Fault(format!("unexpected data at end of array index: {junk:?}"))));
        }
        let value = match last {
            None => return (list, Err(Stop::End)),
            Some('=') => self.item_value(),
            Some('[') => {
                let inner = match list.get(index) {
                    Some(Val::List(inner)) => inner.to_vec(),
                    None | Some(Val::Nil) => Vec::new(),
                    Some(_) => return (list, Err(Stop::Fault("unable to parse key: an item is not a list".to_owned()))),
                };
                self.index().and_then(|next| {
                    let (inner, end) = self.item(inner, next, depth);
                    end.map(|()| Val::list(inner))
                })
            }
            Some(_) => {
                let inner = match list.get(index) {
                    Some(Val::Map(inner)) => inner.clone(),
                    _ => Map::new(),
                };
                self.key(&inner, depth).map(|()| Val::Map(inner))
            }
        };
        match value {
            Ok(value) => self.put(list, index, value),
            Err(stop) => (list, Err(stop)),
        }
    }

    fn item_value(&mut self) -> Result<Val, Stop> {
        match self.mode {
            Mode::Literal => Ok(Val::str(self.until(&[]).0)),
            Mode::Json => Ok(self.json()?),
            Mode::Text(_) if self.rest.is_empty() => Ok(Val::str("")),
            Mode::Text(convert) if self.rest.starts_with('{') => Ok(self.list(convert)?),
            Mode::Text(convert) => Ok(convert(&self.until(&[',']).0)?),
        }
    }

    fn put(&mut self, mut list: Vec<Val>, index: usize, value: Val) -> (Vec<Val>, Result<(), Stop>) {
        if index > INDEX_MAX {
            let message = format!("index of {index} is greater than maximum supported index of {INDEX_MAX}");
            return (list, Err(Stop::Fault(message)));
        }
        if list.len() <= index {
            self.items += index + 1 - list.len();
            if self.items > ITEMS_MAX {
                return (list, Err(Stop::Fault(format!("indices make more than {ITEMS_MAX} items"))));
            }
            list.resize(index + 1, Val::Nil);
        }
        list[index] = value;
        (list, Ok(()))
    }
}

/// An empty name sets nothing.
fn set(map: &Map, name: &str, value: Val) {
    if !name.is_empty() {
        map.set(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gotmpl::on_render_stack;

    fn show(value: &Val) -> String {
        match value {
            Val::Nil => "nil".into(),
            Val::Bool(value) => value.to_string(),
            Val::Int(value, _) => value.to_string(),
            Val::Float(value) => format!("{value:.1}"),
            Val::Str(text) => format!("{text:?}"),
            Val::List(list) => format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(" ")),
            Val::Map(map) => {
                let entries = map.snapshot().iter().map(|(key, value)| format!("{key}:{}", show(value))).collect::<Vec<_>>();
                format!("{{{}}}", entries.join(" "))
            }
            Val::Object(_) => "?".into(),
        }
    }

    /// As in a render, where values are read: on a stack for a thousand lists in lists.
    fn set(text: &str) -> String {
        on_render_stack(|_| {
            let map = Map::new();
            match parse(text, &map, &typed, Profile::default()) {
                Ok(()) => show(&Val::Map(map)),
                Err(fault) => format!("fault: {fault}"),
            }
        })
    }

    #[test]
    fn what_helm_reads() {
        for (text, want) in [
            ("a=1,b=x", r#"{a:1 b:"x"}"#),
            ("a.b.c=true,a.d=null", "{a:{b:{c:true} d:nil}}"),
            ("a={x,1,}", r#"{a:["x" 1 ""]}"#),
            ("a[1]=x", r#"{a:[nil "x"]}"#),
            ("a[0].b=1,a[0].c=2", "{a:[{b:1 c:2}]}"),
            ("a[0][1]=5", "{a:[[nil 5]]}"),
            (r"a\.b=c\,d", r#"{a.b:"c,d"}"#),
            ("a=", r#"{a:""}"#),
            ("a=0,b=007,c=-3", r#"{a:0 b:"007" c:-3}"#),
            ("", "{}"),
            ("a=TRUE,b=Null", "{a:true b:nil}"),
        ] {
            assert_eq!(set(text), want, "{text}");
        }
    }

    #[test]
    fn what_helm_refuses() {
        for text in ["a", "a.b", "a={x", "a[-1]=1", "a[x]=1", "a[70000]=1", "a[0]x=1", "a=1,a.b=2", "a=1,a[0]=2", "a,b=1"] {
            assert!(set(text).starts_with("fault"), "{text}: {}", set(text));
        }
        assert!(set(&format!("{}x=1", "a.".repeat(31))).contains("nested level"));
        assert!(set(&format!("a{}=1", "[0]".repeat(2000))).contains("nested more than"));
        assert!(set(&format!("a{}=1", "[0].a".repeat(2000))).contains("nested more than"), "maps between the lists do not hide them");
        assert!(set(&format!("a{}=1", "[65000]".repeat(20))).contains("indices make more than"));
    }

    #[test]
    fn json_and_literals() {
        let map = Map::new();
        parse_json(r#"a={"x":[1,null]} ,b.c="t",d="#, &map, Profile::default()).expect("good JSON");
        assert_eq!(show(&Val::Map(map)), r#"{a:{x:[1.0 nil]} b:{c:"t"} d:nil}"#);
        let map = Map::new();
        parse_literal(r"a.b=x,y={z\}", &map, Profile::default()).expect("anything goes");
        assert_eq!(show(&Val::Map(map)), r#"{a:{b:"x,y={z\\}"}}"#);
    }
}
