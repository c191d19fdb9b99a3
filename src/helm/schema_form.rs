//! Whether a JSON schema is surely well-formed, told without the schemas of schemas.
//!
//! In: a schema. Out: yes, or "not known". The library that checks values first checks the schema itself, and for that compiles the
//! schemas of five drafts, which takes longer than most charts take to render. What charts use of JSON Schema is checked here in one
//! pass: each keyword has what its draft lets it have. Anything else is not known, and whoever asks has the library check it. A
//! schema that is said to be well-formed must be so: the test asks the library about thousands of drawn ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Items of an `enum` that are compared with one another.
const ENUM_MAX: usize = 200;

/// True if the schema is known to be what its draft calls a schema.
pub(super) fn is_well_formed(schema: &Value) -> bool {
    let draft = match schema.get("$schema") {
        None => Some(Draft(2020)),
        Some(named) => named.as_str().and_then(Draft::named),
    };
    draft.is_some_and(|draft| match schema {
        Value::Object(map) => draft.keywords(map, true),
        _ => draft.schema(schema),
    })
}

/// A well-formed schema with what it refers to put where schemas are known to stand. The library checks a schema that stands anywhere else,
/// such as one of a group in `definitions`, by the schemas of schemas. Nothing where one referred to is not known to be well-formed.
pub(super) fn flattened(mut schema: Value) -> Option<Value> {
    let draft = schema.get("$schema").map_or(Some(Draft(2020)), |named| named.as_str().and_then(Draft::named))?;
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut new = Vec::new();
    references(&mut schema, &mut |reference| new.extend((!draft.knows(reference)).then(|| reference.clone())));
    while let Some(reference) = new.pop() {
        if places.contains_key(&reference) {
            continue;
        }
        let mut target = schema.pointer(reference.strip_prefix('#')?)?.clone();
        if !draft.schema(&target) {
            return None;
        }
        references(&mut target, &mut |reference| new.extend((!draft.knows(reference)).then(|| reference.clone())));
        places.insert(reference, format!("of-{}", places.len()));
    }
    if places.is_empty() {
        return Some(schema);
    }
    let targets: Vec<(String, Value)> =
        places.iter().map(|(from, to)| Some((to.clone(), schema.pointer(&from[1..])?.clone()))).collect::<Option<_>>()?;
    let definitions = schema.as_object_mut()?.entry("definitions").or_insert_with(|| Value::Object(Map::new()));
    let definitions = definitions.as_object_mut()?;
    for (name, target) in targets {
        if definitions.insert(name, target).is_some() {
            return None;
        }
    }
    references(&mut schema, &mut |reference| {
        if let Some(place) = places.get(reference) {
            *reference = format!("#/definitions/{place}");
        }
    });
    Some(schema)
}

/// Visits the references of a schema and of what is in it, but for what is only told or compared.
fn references(schema: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| references(item, visit)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value) {
                    ("const" | "enum" | "default" | "examples", _) => {}
                    ("$ref", Value::String(reference)) => visit(reference),
                    (_, value) => references(value, visit),
                }
            }
        }
        _ => {}
    }
}

/// A draft by its number or year.
#[derive(Clone, Copy)]
struct Draft(u16);

impl Draft {
    fn named(url: &str) -> Option<Draft> {
        let url = url.strip_suffix('#').unwrap_or(url);
        let name = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
        Some(Draft(match name.strip_prefix("json-schema.org/")? {
            "draft-04/schema" => 4,
            "draft-06/schema" => 6,
            "draft-07/schema" => 7,
            "draft/2019-09/schema" => 2019,
            "draft/2020-12/schema" | "schema" => 2020,
            _ => return None,
        }))
    }

    /// True for a reference to where the library expects schemas, and for one that is not within the schema.
    fn knows(self, reference: &str) -> bool {
        let Some(pointer) = reference.strip_prefix("#/") else { return true };
        match pointer.split_once('/') {
            Some(("definitions", name)) => !name.contains('/'),
            Some(("$defs", name)) => self.0 >= 2019 && !name.contains('/'),
            _ => false,
        }
    }

    fn schema(self, value: &Value) -> bool {
        match value {
            Value::Bool(_) => self.0 > 4,
            Value::Object(map) => self.keywords(map, false),
            _ => false,
        }
    }

    fn keywords(self, map: &Map<String, Value>, root: bool) -> bool {
        map.iter().all(|(key, value)| self.keyword(key, value, map, root))
    }

    fn keyword(self, key: &str, value: &Value, beside: &Map<String, Value>, root: bool) -> bool {
        match key {
            "$schema" => root,
            "title" | "description" | "format" | "pattern" | "$comment" | "contentMediaType" | "contentEncoding" => {
                value.is_string()
            }
            "$ref" => value.as_str().is_some_and(is_plain_pointer),
            "default" | "const" => true,
            "examples" => value.is_array(),
            "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => value.is_boolean(),
            "type" => value.as_str().is_some_and(is_type) || self.types(value),
            "enum" => value.as_array().is_some_and(|items| are_different(items)),
            "required" => self.strings(value),
            "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
            "maximum" | "minimum" => value.is_number(),
            "exclusiveMaximum" if self.0 == 4 => value.is_boolean() && beside.contains_key("maximum"),
            "exclusiveMinimum" if self.0 == 4 => value.is_boolean() && beside.contains_key("minimum"),
            "exclusiveMaximum" | "exclusiveMinimum" => value.is_number(),
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" | "maxContains"
            | "minContains" => value.as_u64().is_some(),
            "properties" | "patternProperties" | "definitions" | "$defs" | "dependentSchemas" => {
                value.as_object().is_some_and(|map| map.values().all(|schema| self.schema(schema)))
            }
            "dependentRequired" => value.as_object().is_some_and(|map| map.values().all(|names| self.strings(names))),
            "dependencies" => {
                let one = |value| self.schema(value) || self.strings(value);
                value.as_object().is_some_and(|map| map.values().all(one))
            }
            "additionalProperties" | "additionalItems" => value.is_boolean() || self.schema(value),
            "not" | "if" | "then" | "else" | "contains" | "propertyNames" | "unevaluatedItems" | "unevaluatedProperties"
            | "contentSchema" => self.schema(value),
            "items" => self.schema(value) || self.0 < 2020 && self.schemas(value),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schemas(value),
            "$id" if self.0 > 4 => root && value.as_str().is_some_and(is_plain_address),
            "id" if self.0 == 4 => root && value.as_str().is_some_and(is_plain_address),
            // what else names schemas, and what later drafts may add, is for the library to judge
            _ => !key.starts_with('$'),
        }
    }

    fn schemas(self, value: &Value) -> bool {
        value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(|item| self.schema(item)))
    }

    fn types(self, value: &Value) -> bool {
        self.strings(value)
            && value.as_array().is_some_and(|all| !all.is_empty() && all.iter().filter_map(Value::as_str).all(is_type))
    }

    /// Different strings; the fourth draft wants one at least.
    fn strings(self, value: &Value) -> bool {
        value.as_array().is_some_and(|items| {
            items.iter().all(Value::is_string)
                && (items.is_empty() && self.0 > 4 || !items.is_empty() && are_different(items))
        })
    }
}

fn is_type(name: &str) -> bool {
    matches!(name, "array" | "boolean" | "integer" | "null" | "number" | "object" | "string")
}

/// A reference within the schema, in letters that need no escape.
fn is_plain_pointer(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'$');
    text == "#" || text.strip_prefix("#/").is_some_and(|rest| rest.bytes().all(plain))
}

/// An address of a host by name, in letters that need no escape; not where the schemas of schemas are.
fn is_plain_address(text: &str) -> bool {
    let label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_lowercase())
            && label.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with("xn--")
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some((host, path)) = rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))) else { return false };
    host != "json-schema.org"
        && host.split('.').all(label)
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.'))
}

/// True if there are some and no two are the same; fractions, of which some equal whole numbers, are not known.
fn are_different(items: &[Value]) -> bool {
    let known = items.iter().all(|item| !item.is_f64() && !item.is_array() && !item.is_object());
    known
        && (1..=ENUM_MAX).contains(&items.len())
        && items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
}

#[cfg(test)]
mod tests {
    use boon::{Compiler, Schemas};
    use serde_json::json;

    use super::*;

    fn library_says(schema: &Value) -> bool {
        let mut compiler = Compiler::new();
        compiler.add_resource("file:///s.json", schema.clone()).is_ok()
            && compiler.compile("file:///s.json", &mut Schemas::new()).is_ok()
    }

    /// Drawn values for drawn keywords, under every draft: what is said to be well-formed compiles.
    #[test]
    fn what_is_said_to_be_well_formed_is_so() {
        let keywords = [
            "title", "$comment", "$ref", "default", "examples", "readOnly", "uniqueItems", "type", "enum", "required", "multipleOf", "maximum",
            "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minItems", "minContains", "properties", "patternProperties", "definitions", "$defs",
            "dependentSchemas", "dependentRequired", "dependencies", "additionalProperties", "additionalItems", "not", "if", "contains", "unevaluatedItems",
            "items", "allOf", "prefixItems", "id", "$id", "$anchor", "x-own", "pattern", "format", "contentMediaType", "contentSchema",
        ];
        let values = [
            json!(true), json!("string"), json!("#"), json!("#/definitions/a"), json!("#/$defs/a"), json!("https://charts.example.com/web/values.json"), json!("http://json-schema.org/a"), json!(0), json!(3), json!(-1), json!(1.5), json!(2.0), json!([]), json!({}),
            json!(["string"]), json!(["string", "string"]), json!(["a", "b"]), json!([1, 1.0]), json!([{}]), json!([true]), json!({"a": {}}), json!({"a": true}),
            json!({"a": ["b"]}), json!({"a": []}), json!({"a": {"type": "integer"}}), json!(null), json!([[]]),
        ];
        let drafts = [
            None, Some("http://json-schema.org/draft-04/schema#"), Some("http://json-schema.org/draft-06/schema#"),
            Some("http://json-schema.org/draft-07/schema"), Some("https://json-schema.org/draft/2019-09/schema"),
            Some("https://json-schema.org/draft/2020-12/schema"), Some("https://json-schema.org/schema"), Some("https://example.org/own"),
        ];
        let mut state: u64 = 11;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % limit as u64) as usize
        };
        let (mut known, mut bad) = (0, 0);
        for _ in 0..6000 {
            let mut schema = json!({"definitions": {"a": {}}, "$defs": {"a": {}}});
            if let Some(draft) = drafts[below(drafts.len())] {
                schema["$schema"] = json!(draft);
            }
            for _ in 0..below(4) {
                let place = ["", "/definitions/a"][below(2)];
                let value = values[below(values.len())].clone();
                schema.pointer_mut(place).expect("there")[keywords[below(keywords.len())]] = value;
                for (place, key) in [("/definitions/a", "definitions"), ("/$defs/a", "$defs")] {
                    if !schema.pointer(place).is_some_and(Value::is_object) {
                        schema[key] = json!({"a": {}});
                    }
                }
            }
            let says = library_says(&schema);
            bad += usize::from(!says);
            if is_well_formed(&schema) {
                known += 1;
                assert!(says, "{schema}");
            }
        }
        assert!(known > 1500 && bad > 1500, "{known} known and {bad} bad: too few to say anything");
    }

    #[test]
    fn what_charts_use_is_known() {
        assert!(is_well_formed(&json!({
            "$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/web.schema.json", "type": "object", "title": "Values", "required": ["image"], "additionalProperties": false,
            "properties": {
                "image": {"type": "object", "properties": {"tag": {"type": ["string", "null"], "pattern": "^v", "examples": ["v1"]}}},
                "replicas": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10}, "kind": {"enum": ["A", "B", null]}, "id": {"$ref": "#/definitions/id"},
            },
            "definitions": {"id": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "$defs": {"web.image": {"$ref": "#/$defs/web.tag"}, "web.tag": {"type": "string"}},
            "if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]},
        })));
    }

    /// Flattened, a schema takes and refuses what it did, and refers to nothing that the library would check by itself.
    #[test]
    fn flattened_schemas_say_the_same() {
        let group = json!({"node": {"type": "object", "properties": {
            "next": {"$ref": "#/definitions/group/node"}, "size": {"$ref": "#/$defs/deep/size"}, "kind": {"const": {"$ref": "#/x"}},
        }, "additionalProperties": false}});
        let schema = |draft: &str| {
            json!({
                "$schema": draft, "properties": {"a": {"$ref": "#/definitions/group/node"}, "b": {"$ref": "#/definitions/plain"}},
                "definitions": {"group": group, "plain": {"type": "integer"}}, "$defs": {"deep": {"size": {"maximum": 5}}},
            })
        };
        let verdict = |schema: &Value, value: &Value| {
            let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
            compiler.add_resource("file:///s.json", schema.clone()).expect("a schema");
            let index = compiler.compile("file:///s.json", &mut schemas).expect("compiled");
            schemas.validate(value, index).is_ok()
        };
        for draft in ["http://json-schema.org/draft-04/schema", "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"] {
            let schema = schema(draft);
            let flat = flattened(schema.clone()).expect("well-formed");
            assert_eq!(flat["definitions"].as_object().map(Map::len), Some(4), "{flat}");
            assert_eq!(flat["properties"]["b"], schema["properties"]["b"]);
            for value in [
                json!({}), json!({"a": {"next": {"next": {"size": 5}}}}), json!({"a": {"next": {"next": {"size": 6}}}}), json!({"a": {"next": {"x": 1}}}),
                json!({"a": {"kind": {"$ref": "#/x"}}}), json!({"a": {"kind": "b"}}), json!({"b": "x"}), json!({"b": 1}),
            ] {
                assert_eq!(verdict(&flat, &value), verdict(&schema, &value), "{draft} {value}");
            }
        }
        let ill = json!({"$ref": "#/x/y", "x": {"y": {"type": "none"}}});
        assert!(is_well_formed(&ill) && flattened(ill).is_none(), "what is referred to is looked at too");
        assert!(flattened(json!({"$ref": "#/x/y"})).is_none(), "nothing is there");
    }
}
