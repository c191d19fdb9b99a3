//! JSON patches (RFC 6902) as kustomize's library applies them, which is laxer than the RFC.
//!
//! In: the patch's text, JSON or YAML, and an object. Out: the object changed. What differs from the RFC, and is kept:
//! the first segment of a path is skipped whatever it is, `replace` of a missing key adds it, indices may be negative, a
//! missing key is null to `test` and `copy`, a value that is left out is null.
//!
//! Objects pass through Go's JSON on the way, so that numbers come back as floats do and strings get the quotes that
//! go-yaml gives them; [`JsonPatch::apply`] ends with that.

use crate::diag::{Diagnostic, Result, SourceText};
use crate::go::float;
use crate::value::{Kind, Map, Scalar, Style, Text, Tree};
use crate::yaml::{self, Dialect, Plain};

/// A JSON patch, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonPatch {
    operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
struct Operation {
    /// `op`; nothing if it is no string.
    op: Option<Text>,
    path: Option<Text>,
    from: Option<Text>,
    /// `value`, null included; nothing if it is left out.
    value: Option<Tree>,
}

impl JsonPatch {
    /// Reads a patch: JSON if it begins with `[`, else YAML, of which the first document counts. Nothing but comments
    /// is a patch without operations. Fails with code `kustomize-json-patch-syntax`.
    pub(crate) fn read(source: &SourceText) -> Result<JsonPatch> {
        let tree = if source.text().starts_with('[') { read_json(source)? } else { yaml::parse(source, Dialect::V2)? };
        if tree.is_null() {
            return Ok(JsonPatch::default());
        }
        let operations = tree.as_list().map(|items| items.iter().map(operation).collect::<Option<Vec<_>>>());
        match operations {
            Some(Some(operations)) => Ok(JsonPatch { operations }),
            _ => Err(syntax(source, "it is no list of operations")),
        }
    }

    /// True without operations.
    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies the operations in order. Fails with code `kustomize-json-patch` at the first that does not apply.
    pub(crate) fn apply(&self, object: &mut Tree) -> Result<()> {
        self.operations.iter().try_for_each(|operation| operation.apply(object))?;
        if object.as_map().is_none() {
            return Err(refuse("the patch leaves no map of the object".to_owned()));
        }
        through_json(object);
        Ok(())
    }
}

fn operation(tree: &Tree) -> Option<Operation> {
    if tree.as_map().is_none() && !tree.is_null() {
        return None;
    }
    let text = |key: &str| tree.get(key).and_then(Tree::as_str).map(Text::new);
    Some(Operation { op: text("op"), path: text("path"), from: text("from"), value: tree.get("value").cloned() })
}

impl Operation {
    fn apply(&self, object: &mut Tree) -> Result<()> {
        match self.op.as_deref().unwrap_or("unknown") {
            "add" => self.add(object),
            "remove" => self.remove(object),
            "replace" => self.replace(object),
            "move" => self.move_value(object),
            "copy" => self.copy(object),
            "test" => self.test(object),
            other => {
                let fault = Diagnostic::input("kustomize-json-patch", format!("unexpected kind: `{other}`"));
                Err(Box::new(fault.hint("use `add`, `remove`, `replace`, `move`, `copy` or `test` as `op`")))
            }
        }
    }

    fn add(&self, object: &mut Tree) -> Result<()> {
        let path = self.path("add")?;
        let (container, key) = find(object, path).ok_or_else(|| missing_path("add", path))?;
        add_value(container, &key, self.value.clone().unwrap_or_else(Tree::null)).map_err(|why| at("add", path, &why))
    }

    fn remove(&self, object: &mut Tree) -> Result<()> {
        let path = self.path("remove")?;
        let (container, key) = find(object, path).ok_or_else(|| missing_path("remove", path))?;
        take_value(container, &key).map(drop).map_err(|why| at("remove", path, &why))
    }

    fn replace(&self, object: &mut Tree) -> Result<()> {
        let path = self.path("replace")?;
        let value = self.value.clone().unwrap_or_else(Tree::null);
        if path.is_empty() {
            if matches!(value, Tree::Scalar(_)) {
                return Err(refuse("replace operation value must be object or array".to_owned()));
            }
            *object = value;
            return Ok(());
        }
        let (container, key) = find(object, path).ok_or_else(|| missing_path("replace", path))?;
        match container {
            Tree::List(_) => {
                let index = index_of(container, &key).map_err(|why| at("replace", path, &why))?;
                container.as_list_mut().expect("a list")[index] = value;
            }
            _ => drop(container.as_map_mut().expect("`find` gives maps and lists").set(key, value)),
        }
        Ok(())
    }

    fn move_value(&self, object: &mut Tree) -> Result<()> {
        let from = self.from("move")?;
        let (container, key) = find(object, from).ok_or_else(|| missing_path("move", from))?;
        let value = take_value(container, &key).map_err(|why| at("move", from, &why))?;
        let path = self.path("move")?;
        let (container, key) = find(object, path).ok_or_else(|| missing_path("move", path))?;
        add_value(container, &key, value).map_err(|why| at("move", path, &why))
    }

    fn copy(&self, object: &mut Tree) -> Result<()> {
        let from = self.from("copy")?;
        let (container, key) = find(object, from).ok_or_else(|| missing_path("copy", from))?;
        let value = value_at(container, &key).map_err(|why| at("copy", from, &why))?.cloned();
        let path = self.path("copy")?;
        let (container, key) = find(object, path).ok_or_else(|| missing_path("copy", path))?;
        add_value(container, &key, value.unwrap_or_else(Tree::null)).map_err(|why| at("copy", path, &why))
    }

    fn test(&self, object: &mut Tree) -> Result<()> {
        let path = self.path("test")?;
        let failed = || refuse(format!("testing value `{path}` failed: test failed"));
        let want = self.value.as_ref();
        if path.is_empty() {
            return if want.is_some_and(|want| equal(object, want)) { Ok(()) } else { Err(failed()) };
        }
        let (container, key) = find(object, path).ok_or_else(|| missing_path("test", path))?;
        let value = value_at(container, &key).map_err(|why| at("test", path, &why))?.filter(|value| !value.is_null());
        let passes = match (value, want) {
            (None, want) => want.is_some_and(Tree::is_null),
            (Some(value), Some(want)) => equal(value, want),
            (Some(_), None) => false,
        };
        if passes { Ok(()) } else { Err(failed()) }
    }

    fn path(&self, op: &str) -> Result<&str> {
        self.path.as_deref().ok_or_else(|| refuse(format!("{op} operation has no `path`")))
    }

    fn from(&self, op: &str) -> Result<&str> {
        self.from.as_deref().ok_or_else(|| refuse(format!("{op} operation has no `from`")))
    }
}

/// The map or list that the last segment of a path is looked up in, and that segment.
fn find<'t>(object: &'t mut Tree, path: &str) -> Option<(&'t mut Tree, String)> {
    let mut segments = path.split('/').skip(1).map(unescape);
    let mut last = segments.next()?;
    let mut container = object;
    for segment in segments {
        let next = match container {
            Tree::List(_) => {
                let index = index_of(container, &last).ok()?;
                &mut container.as_list_mut()?[index]
            }
            _ => container.as_map_mut()?.get_mut(&last)?,
        };
        container = next;
        last = segment;
    }
    (!matches!(container, Tree::Scalar(_))).then_some((container, last))
}

fn unescape(segment: &str) -> String {
    // Both at once, as Go's replacer does: `~01` is `~1`.
    let mut out = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('~') {
        out.push_str(&rest[..at]);
        let (with, skip) = match rest.as_bytes().get(at + 1) {
            Some(b'0') => ("~", 2),
            Some(b'1') => ("/", 2),
            _ => ("~", 1),
        };
        out.push_str(with);
        rest = &rest[at + skip..];
    }
    out + rest
}

/// The position in a list that a segment means, negative ones counted from the end.
fn index_of(list: &Tree, key: &str) -> Result<usize, String> {
    let length = list.as_list().map_or(0, <[Tree]>::len);
    position(key, length)
        .filter(|index| *index < length)
        .ok_or_else(|| format!("unable to access invalid index: {key}"))
}

/// A segment as a position among `length` places.
fn position(key: &str, length: usize) -> Option<usize> {
    let digits = key.strip_prefix(['-', '+']).unwrap_or(key);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<usize>().ok()?;
    if key.starts_with('-') && size > 0 { length.checked_sub(size) } else { Some(size) }
}

fn value_at<'t>(container: &'t Tree, key: &str) -> Result<Option<&'t Tree>, String> {
    match container {
        Tree::List(items) => Ok(items.get(index_of(container, key)?)),
        _ => Ok(container.get(key)),
    }
}

fn add_value(container: &mut Tree, key: &str, value: Tree) -> Result<(), String> {
    let Some(items) = container.as_list_mut() else {
        container.as_map_mut().expect("`find` gives maps and lists").set(key, value);
        return Ok(());
    };
    let places = items.len() + 1;
    let index = if key == "-" { Some(items.len()) } else { position(key, places) };
    match index.filter(|index| *index < places) {
        Some(index) => items.insert(index, value),
        None => return Err(format!("unable to access invalid index: {key}")),
    }
    Ok(())
}

fn take_value(container: &mut Tree, key: &str) -> Result<Tree, String> {
    if container.as_list().is_some() {
        let index = index_of(container, key)?;
        return Ok(container.as_list_mut().expect("a list").remove(index));
    }
    let map = container.as_map_mut().expect("`find` gives maps and lists");
    map.remove(key).ok_or_else(|| format!("unable to remove nonexistent key: {key}"))
}

/// Equal as the library has it: maps in any order, scalars by their JSON.
fn equal(have: &Tree, want: &Tree) -> bool {
    match (have, want) {
        (Tree::Map(a), Tree::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (Tree::List(a), Tree::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        (Tree::Scalar(_), Tree::Scalar(_)) => yaml::to_json(have) == yaml::to_json(want),
        _ => false,
    }
}

/// Leaves a value as it is after go-yaml's decoding, Go's JSON, and go-yaml's printing and reading. Touches only what changes.
pub(crate) fn through_json(tree: &mut Tree) {
    match tree {
        Tree::Scalar(scalar) => {
            if let Some(new) = scalar_through_json(scalar) {
                *scalar = new;
            }
        }
        Tree::List(items) => {
            if items.iter().any(changes) {
                tree.as_list_mut().into_iter().flatten().for_each(through_json);
            }
        }
        Tree::Map(map) => {
            if map.iter().any(|(_, value)| changes(value)) {
                let map = tree.as_map_mut().expect("a map");
                map.iter_mut().for_each(|(_, value)| through_json(value));
            }
        }
    }
}

fn changes(tree: &Tree) -> bool {
    match tree {
        Tree::Scalar(scalar) => scalar_through_json(scalar).is_some(),
        Tree::List(items) => items.iter().any(changes),
        Tree::Map(map) => map.iter().any(|(_, value)| changes(value)),
    }
}

/// The scalar that comes back, if it is another one.
fn scalar_through_json(scalar: &Scalar) -> Option<Scalar> {
    let plain = |kind, text: &str| Scalar { kind, style: Style::Plain, text: text.into() };
    let new = match scalar.kind {
        Kind::Null => plain(Kind::Null, "null"),
        Kind::Bool => plain(Kind::Bool, &yaml::to_json(&Tree::Scalar(scalar.clone()))),
        Kind::Int if is_short_number(&scalar.text) => plain(Kind::Int, &scalar.text),
        Kind::Int | Kind::Float => {
            let json = yaml::to_json(&Tree::Scalar(scalar.clone()));
            let text = json.parse().map_or(json, float::g);
            let kind = if matches!(yaml::resolve(&text, Dialect::V3), Plain::Int(_)) { Kind::Int } else { Kind::Float };
            plain(kind, &text)
        }
        Kind::Str if scalar.style != Style::Folded => printed(&scalar.text),
        // Folded texts change on their way through text.
        Kind::Str | Kind::Timestamp | Kind::Binary => {
            let json = yaml::to_json(&Tree::Scalar(scalar.clone()));
            let text = serde_json::from_str::<String>(&json).unwrap_or_else(|_| scalar.text.to_string());
            printed(&text)
        }
    };
    (new != *scalar).then_some(new)
}

/// Integers that floats print the same way.
fn is_short_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    matches!(digits.len(), 1..=6)
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0"
}

/// A string with the style that go-yaml v3 prints it in.
fn printed(text: &str) -> Scalar {
    Scalar { kind: Kind::Str, style: style_of(text), text: text.into() }
}

fn style_of(text: &str) -> Style {
    if text.contains('\n') {
        return Style::Literal;
    }
    let mut out = String::new();
    let mut emitter = yaml::Emitter::new(&mut out, yaml::Look::V3);
    emitter.str(text);
    // a text is always printable
    let _ = emitter.finish();
    match out.bytes().next() {
        Some(b'"') => Style::Double,
        Some(b'\'') => Style::Single,
        Some(b'|') => Style::Literal,
        _ => Style::Plain,
    }
}

fn read_json(source: &SourceText) -> Result<Tree> {
    let value = serde_json::from_str::<serde_json::Value>(source.text());
    value.map(tree_of).map_err(|error| syntax(source, &error.to_string()))
}

fn tree_of(value: serde_json::Value) -> Tree {
    use serde_json::Value;
    match value {
        Value::Null => Tree::null(),
        Value::Bool(value) => Tree::bool(value),
        Value::Number(number) => Tree::plain(if number.is_f64() { Kind::Float } else { Kind::Int }, number.to_string()),
        Value::String(text) => Tree::str(text),
        Value::Array(items) => Tree::list(items.into_iter().map(tree_of).collect()),
        Value::Object(map) => {
            Tree::map(map.into_iter().map(|(key, value)| (key.into(), tree_of(value))).collect::<Map>())
        }
    }
}

fn syntax(source: &SourceText, why: &str) -> Box<Diagnostic> {
    let fault =
        Diagnostic::input("kustomize-json-patch-syntax", format!("`{}` is no JSON patch: {why}", source.name()));
    Box::new(fault.hint("write a list of operations, each with `op`, `path` and `value`"))
}

fn refuse(why: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("kustomize-json-patch", why))
}

fn at(op: &str, path: &str, why: &str) -> Box<Diagnostic> {
    refuse(format!("error in {op} for path `{path}`: {why}"))
}

fn missing_path(op: &str, path: &str) -> Box<Diagnostic> {
    refuse(format!("{op} operation does not apply: doc is missing path `{path}`: missing value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(object: &str, patch: &str) -> Result<String> {
        let read = |text: &str| yaml::parse(&SourceText::new("test", text), Dialect::V2).expect(text);
        let mut tree = read(object);
        JsonPatch::read(&SourceText::new("patch", patch))?.apply(&mut tree)?;
        Ok(yaml::to_json(&tree))
    }

    #[track_caller]
    fn check(object: &str, patch: &str, want: &str) {
        assert_eq!(apply(object, patch).expect(patch), want, "{object} + {patch}");
    }

    #[test]
    fn laxer_than_the_rfc() {
        check("{a: 1}", r#"[{"op":"replace","path":"/b","value":2}]"#, r#"{"a":1,"b":2}"#);
        check("{a: 1}", r#"[{"op":"test","path":"/b","value":null}]"#, r#"{"a":1}"#);
        check("{l: [1, 2]}", r#"[{"op":"add","path":"/l/-1","value":3}]"#, r#"{"l":[1,2,3]}"#);
        check("{l: [1, 2]}", r#"[{"op":"remove","path":"/l/-2"}]"#, r#"{"l":[2]}"#);
        check("{a: 1}", r#"[{"op":"copy","from":"/none","path":"/b"}]"#, r#"{"a":1,"b":null}"#);
        check("{a: 1}", r#"[{"op":"add","path":"/b"}]"#, r#"{"a":1,"b":null}"#);
        check("{a: 1}", r#"[{"op":"replace","path":"","value":{"b":2}}]"#, r#"{"b":2}"#);
        check("{a: 1}", r#"[{"op":"add","path":"x/y","value":5}]"#, r#"{"a":1,"y":5}"#);
        check("{a/b: {c~d: 1}}", r#"[{"op":"remove","path":"/a~1b/c~0d"}]"#, r#"{"a/b":{}}"#);
        check("{a: {}}", "- op: add\n  path: /a/~01\n  value: {k: [on]}\n", r#"{"a":{"~1":{"k":[true]}}}"#);
    }

    #[test]
    fn what_does_not_apply_is_refused() {
        let failing = [
            r#"[{"op":"add","path":"/x/y","value":1}]"#,
            r#"[{"op":"add","path":"","value":{}}]"#,
            r#"[{"op":"add","path":"/l/3","value":1}]"#,
            r#"[{"op":"remove","path":"/x"}]"#,
            r#"[{"op":"remove","path":"/l/-"}]"#,
            r#"[{"op":"replace","path":"/l/2","value":1}]"#,
            r#"[{"op":"move","from":"/x","path":"/y"}]"#,
            r#"[{"op":"test","path":"/a","value":"1"}]"#,
            r#"[{"op":"test","path":"/a"}]"#,
            r#"[{"op":"other","path":"/a"}]"#,
            r#"[{"path":"/a"}]"#,
            r#"[{"op":"remove","path":5}]"#,
            r#"[{"op":"replace","path":"","value":[]}]"#,
            r#"[{"op":"replace","path":"","value":5}]"#,
            r#"[{"op":"add","path":"/a/b","value":1}]"#,
        ];
        for patch in failing {
            assert_eq!(apply("{a: 1, l: [1, 2]}", patch).expect_err(patch).code, "kustomize-json-patch");
        }
        for patch in ["[{", "[1]", "{op: add}", "[{}] x"] {
            assert_eq!(apply("{}", patch).expect_err(patch).code, "kustomize-json-patch-syntax");
        }
    }

    #[test]
    fn numbers_come_back_as_floats_do() {
        let mut tree =
            yaml::parse(&SourceText::new("test", "{a: 0x10, b: 12345678, c: 'x', d: '5', e: 2001-01-01}"), Dialect::V3)
                .expect("good YAML");
        JsonPatch::default().apply(&mut tree).expect("nothing to fail");
        let text =
            |key: &str| tree.get(key).and_then(Tree::as_scalar).map(|scalar| (scalar.text.to_string(), scalar.style));
        assert_eq!(text("a"), Some(("16".to_owned(), Style::Plain)));
        assert_eq!(text("b"), Some(("1.2345678e+07".to_owned(), Style::Plain)));
        assert_eq!(text("c"), Some(("x".to_owned(), Style::Plain)));
        assert_eq!(text("d"), Some(("5".to_owned(), Style::Double)));
        assert_eq!(text("e"), Some(("2001-01-01T00:00:00Z".to_owned(), Style::Double)));
    }

    /// Random patches that are valid in themselves, where both libraries take the RFC's way.
    #[test]
    fn agrees_with_another_library() {
        let mut state = 7_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let paths = ["/a", "/b", "/a/x", "/l/0", "/l/1", "/l/-", "/l/2/k", "/a~1b", "/n/m/0", "/new"];
        let values = ["1", "\"t\"", "{\"k\":[1,{}]}", "[3,4]", "false"];
        let object = r#"{"a":{"x":1,"y":[1,2]},"b":"t","l":[0,1,{"k":"v"}],"a/b":true,"n":{"m":[[5]]}}"#;
        let mut applied = 0;
        for _ in 0..3_000 {
            let mut operations = Vec::new();
            for _ in 0..=random(3) {
                let (path, other, value) = (paths[random(10)], paths[random(10)], values[random(5)]);
                operations.push(match random(6) {
                    0 => format!(r#"{{"op":"remove","path":"{path}"}}"#),
                    1 => format!(r#"{{"op":"move","from":"{other}","path":"{path}"}}"#),
                    2 => format!(r#"{{"op":"copy","from":"{other}","path":"{path}"}}"#),
                    3 => format!(r#"{{"op":"test","path":"{path}","value":{value}}}"#),
                    4 => format!(r#"{{"op":"replace","path":"{path}","value":{value}}}"#),
                    _ => format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#),
                });
            }
            let patch = format!("[{}]", operations.join(","));
            let mut theirs: serde_json::Value = serde_json::from_str(object).expect("good JSON");
            let read: json_patch::Patch = serde_json::from_str(&patch).expect("a good patch");
            if json_patch::patch_unsafe(&mut theirs, &read).is_ok() {
                applied += 1;
                let ours = apply(object, &patch).unwrap_or_else(|fault| panic!("{patch}: {fault}"));
                let ours: serde_json::Value = serde_json::from_str(&ours).expect("good JSON");
                assert_eq!(ours, theirs, "{patch}");
            }
        }
        assert!(applied > 300, "{applied} patches applied, too few to mean anything");
    }
}
