//! Kyverno's variables: `{{ … }}` holds JMESPath over the request.
//!
//! In: a context of values, and texts or trees with variables in them. Out: the same with what they come to. A text that is one
//! variable and nothing else takes the value's type.

use std::sync::Arc;

use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{ErrorReason, JmespathError, Rcvar, Runtime, Variable};
use serde_json::{Map, Value, json};

use crate::go::re2::Regex;

/// Rounds of substitution: a variable may come to a text with variables.
const ROUNDS_MAX: usize = 16;

/// The functions that are evaluated: JMESPath's own, and Kyverno's here.
const FUNCTIONS: [&str; 40] = [
    "abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "keys", "length", "map", "min", "max", "max_by", "min_by",
    "merge", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_array", "to_number", "to_string", "type",
    "values", "regex_match", "regex_replace_all", "to_upper", "to_lower", "trim", "split", "replace_all", "base64_decode",
    "base64_encode", "path_canonicalize", "truncate", "items", "equal_fold", "to_boolean",
];

/// A function in the variables of a rule that is not evaluated here.
pub(super) fn unknown_function(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let end = rest[start..].find("}}").map_or(rest.len(), |at| start + at);
        let inside = &rest[start..end];
        for (at, _) in inside.match_indices('(') {
            let before = &inside[..at];
            let from = before.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map_or(0, |at| at + 1);
            let name = &before[from..];
            if !name.is_empty() && !FUNCTIONS.contains(&name) && name.starts_with(|first: char| first.is_ascii_lowercase()) {
                return Some(name.to_owned());
            }
        }
        rest = &rest[end.min(rest.len())..];
        if rest.len() < 2 {
            break;
        }
    }
    None
}

/// What the variables of a rule say of who asks, whom nobody is here.
pub(super) fn user_variable(text: &str) -> Option<&'static str> {
    const NAMES: [&str; 5] =
        ["serviceAccountName", "serviceAccountNamespace", "request.userInfo", "request.roles", "request.clusterRoles"];
    let inside = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.' || letter == '"';
    let named = |inside: &str, name: &str| {
        inside.match_indices(name).any(|(at, _)| {
            let rest = inside[at + name.len()..].chars().next();
            !inside[..at].ends_with(part) && !rest.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        })
    };
    inside.flat_map(|inside| NAMES.into_iter().filter(move |name| named(inside, name))).next()
}

/// How an expression names the request's object where Kyverno's rules for what makes Pods leave it alone: the maker itself.
const MAKER: (&str, &str) = ("request.\"object\"", "request.\"@object\"");

/// The values that variables name.
#[derive(Clone)]
pub(super) struct Context {
    values: Map<String, Value>,
    runtime: Arc<Runtime>,
}

impl Context {
    /// The context of a request.
    pub(super) fn new(request: &Value) -> Context {
        let mut values = Map::new();
        values.insert("request".to_owned(), request.clone());
        values.insert("images".to_owned(), images(&request["object"]));
        Context { values, runtime: Arc::new(runtime()) }
    }

    /// The context inside of a loop.
    pub(super) fn with_element(&self, item: &Value, index: usize, depth: usize) -> Context {
        let mut inner = self.clone();
        inner.values.insert("element".to_owned(), item.clone());
        inner.values.insert("elementIndex".to_owned(), json!(index));
        inner.values.insert(format!("element{depth}"), item.clone());
        inner.values.insert(format!("elementIndex{depth}"), json!(index));
        inner
    }

    /// Adds the variables of a rule's `context`.
    pub(super) fn load(&mut self, entries: &Value) -> Result<(), String> {
        for entry in entries.as_array().into_iter().flatten() {
            let variable = &entry["variable"];
            let mut value = self.substitute(&variable["value"])?;
            if let Some(path) = variable["jmesPath"].as_str() {
                let path = self.text(path)?;
                value = if variable["value"].is_null() { self.query(&path)? } else { search(&self.runtime, &path, &value)? };
            }
            if value.is_null() {
                value = self.substitute(&variable["default"])?;
            }
            self.values.insert(entry["name"].as_str().unwrap_or_default().to_owned(), value);
        }
        Ok(())
    }

    /// What a JMESPath expression comes to.
    pub(super) fn query(&self, expression: &str) -> Result<Value, String> {
        search(&self.runtime, &expression.trim().replace(MAKER.0, MAKER.1), &Value::Object(self.values.clone()))
    }

    /// A tree with what its variables come to.
    pub(super) fn substitute(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if text.contains("{{") => self.value(text)?,
            Value::Array(items) => Value::Array(items.iter().map(|item| self.substitute(item)).collect::<Result<_, _>>()?),
            Value::Object(map) => {
                let pairs = map.iter().map(|(key, value)| {
                    let key = if key.contains("{{") { self.text(key)? } else { key.clone() };
                    Ok((key, self.substitute(value)?))
                });
                Value::Object(pairs.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<String, String> {
        Ok(match self.value(text)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        let mut text = text.to_owned();
        for _ in 0..ROUNDS_MAX {
            // the innermost first: variables may stand in variables
            let Some(end) = text.find("}}") else { return Ok(Value::String(text)) };
            let Some(start) = text[..end].rfind("{{") else { return Ok(Value::String(text)) };
            let end = end + text[end + 2..].chars().take_while(|letter| *letter == '}').count();
            let found = self.query(&text[start + 2..end])?;
            if start == 0 && end + 2 == text.len() {
                return match found {
                    Value::String(inner) if inner.contains("{{") => Ok(Value::String(inner)),
                    other => Ok(other),
                };
            }
            let shown = found.as_str().map_or_else(|| if found.is_null() { String::new() } else { found.to_string() }, str::to_owned);
            text.replace_range(start..end + 2, &shown);
        }
        Err(format!("variables stand in variables more than {ROUNDS_MAX} times (the limit `variable-rounds`)"))
    }
}

fn search(runtime: &Runtime, expression: &str, data: &Value) -> Result<Value, String> {
    let line = |error: JmespathError| error.to_string().lines().next().unwrap_or_default().to_owned();
    let compiled = runtime.compile(expression).map_err(|error| format!("`{expression}`: {}", line(error)))?;
    let data = Variable::try_from(data).map_err(line)?;
    match compiled.search(data) {
        Ok(found) => serde_json::to_value(&*found).map_err(|error| error.to_string()),
        // a function of nothing is nothing to Kyverno's conditions
        Err(error) if matches!(error.reason, ErrorReason::Runtime(_)) => Ok(Value::Null),
        Err(error) => Err(line(error)),
    }
}

/// The images of a pod's containers, taken apart.
fn images(object: &Value) -> Value {
    let mut all = json!({});
    let spec = super::super::super::whole::pod_of(object).map(|(spec, _)| spec.clone()).unwrap_or_default();
    for group in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec[group].as_array().into_iter().flatten() {
            let (Some(name), Some(image)) = (container["name"].as_str(), container["image"].as_str()) else { continue };
            all[group][name] = image_parts(image);
        }
    }
    all
}

fn image_parts(image: &str) -> Value {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (rest, if digest.is_empty() { "latest" } else { "" }),
    };
    let (registry, path) = match path.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
        _ => ("docker.io", path),
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({"registry": registry, "path": path, "name": name, "tag": tag, "digest": digest, "reference": image})
}

fn runtime() -> Runtime {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let mut add = |name: &str, arguments: usize, of: fn(&[String]) -> Result<Value, String>| {
        let signature = Signature::new(vec![ArgumentType::Any; arguments], None);
        let owned = name.to_owned();
        let invoke = move |args: &[Rcvar], _: &mut jmespath::Context<'_>| {
            let texts: Vec<String> = args.iter().map(|one| one.as_string().map_or_else(|| one.to_string(), Clone::clone)).collect();
            let value = of(&texts).map_err(|why| JmespathError::new(&owned, 0, ErrorReason::Parse(why)))?;
            Variable::try_from(value).map(Rcvar::new)
        };
        runtime.register_function(name, Box::new(CustomFunction::new(signature, Box::new(invoke))));
    };
    add("regex_match", 2, |v| Ok(Regex::new(v[0].as_bytes())?.is_match(v[1].as_bytes()).into()));
    add("regex_replace_all", 3, |v| {
        let replaced = Regex::new(v[0].as_bytes())?.replace_all(v[1].as_bytes(), v[2].as_bytes());
        Ok(String::from_utf8_lossy(&replaced).into_owned().into())
    });
    add("to_upper", 1, |v| Ok(v[0].to_uppercase().into()));
    add("to_lower", 1, |v| Ok(v[0].to_lowercase().into()));
    add("trim", 2, |v| Ok(v[0].trim_matches(|letter| v[1].contains(letter)).into()));
    add("split", 2, |v| Ok(v[0].split(v[1].as_str()).map(Value::from).collect::<Vec<_>>().into()));
    add("replace_all", 3, |v| Ok(v[0].replace(v[1].as_str(), &v[2]).into()));
    add("equal_fold", 2, |v| Ok(v[0].eq_ignore_ascii_case(&v[1]).into()));
    add("to_boolean", 1, |v| v[0].to_lowercase().parse::<bool>().map(Value::from).map_err(|error| error.to_string()));
    add("path_canonicalize", 1, |v| Ok(String::from_utf8_lossy(&crate::go::path::clean(v[0].as_bytes())).into_owned().into()));
    add("truncate", 2, |v| Ok(v[0].chars().take(v[1].parse::<f64>().unwrap_or(0.0) as usize).collect::<String>().into()));
    add("base64_encode", 1, |v| Ok(data_encoding::BASE64.encode(v[0].as_bytes()).into()));
    add("base64_decode", 1, |v| {
        let bytes = data_encoding::BASE64.decode(v[0].as_bytes()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned().into())
    });
    // what is missing in one of many items has no keys
    for (name, of) in [("keys", 0), ("values", 1)] {
        let parts = move |args: &[Rcvar], _: &mut jmespath::Context<'_>| {
            let part = |(key, value): (String, Value)| if of == 0 { Value::String(key) } else { value };
            let found = match serde_json::to_value(&*args[0]).unwrap_or_default() {
                Value::Object(map) => map.into_iter().map(part).collect(),
                Value::Null => Value::Null,
                other => {
                    let why = format!("`{name}` of {other}");
                    return Err(JmespathError::new(name, 0, ErrorReason::Parse(why)));
                }
            };
            Variable::try_from(found).map(Rcvar::new)
        };
        let signature = Signature::new(vec![ArgumentType::Any], None);
        runtime.register_function(name, Box::new(CustomFunction::new(signature, Box::new(parts))));
    }
    let items = |args: &[Rcvar], _: &mut jmespath::Context<'_>| {
        let value = serde_json::to_value(&*args[0]).unwrap_or_default();
        let (key, of) = (args[1].to_string().replace('"', ""), args[2].to_string().replace('"', ""));
        let pairs: Vec<Value> = match value {
            Value::Object(map) => map.into_iter().map(|(name, value)| json!({(key.as_str()): name, (of.as_str()): value})).collect(),
            Value::Array(list) => list.into_iter().enumerate().map(|(at, value)| json!({(key.as_str()): at, (of.as_str()): value})).collect(),
            _ => Vec::new(),
        };
        Variable::try_from(Value::Array(pairs)).map(Rcvar::new)
    };
    let signature = Signature::new(vec![ArgumentType::Any, ArgumentType::String, ArgumentType::String], None);
    runtime.register_function("items", Box::new(CustomFunction::new(signature, Box::new(items))));
    runtime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_keep_their_type_where_they_stand_alone() {
        let request = json!({"object": {"spec": {"containers": [{"name": "a", "image": "ghcr.io/x/y:1"}], "replicas": 3}}, "operation": "CREATE"});
        let context = Context::new(&request);
        let sub = |text: &str| context.substitute(&json!(text)).expect("it comes to something");
        assert_eq!(sub("{{ request.object.spec.replicas }}"), json!(3));
        assert_eq!(sub("n={{request.object.spec.replicas}}!"), json!("n=3!"));
        assert_eq!(sub("{{ request.object.spec.[initContainers, containers][].name }}"), json!(["a"]));
        assert_eq!(sub("{{ request.none || 'x' }}"), json!("x"));
        assert_eq!(sub("{{ to_upper(request.operation) }}"), json!("CREATE"));
        assert_eq!(sub("{{ regex_match('^g', request.object.spec.containers[0].image) }}"), json!(true));
        let many = json!({"object": {"a": [{"r": {"x": 1}}, {}]}, "@object": {"b": 2}});
        let many = Context::new(&many);
        assert_eq!(many.query("request.object.a[].r.keys(@)[]"), Ok(json!(["x"])), "the second has none");
        assert_eq!(many.query("request.\"object\".b"), Ok(json!(2)));
        assert_eq!(user_variable("{serviceAccountName: '{{serviceAccountName}}'}"), Some("serviceAccountName"));
        assert_eq!(user_variable("{{ request.userInfo.groups[0] }}"), Some("request.userInfo"));
        assert_eq!(user_variable("serviceAccountName: {{ request.object.spec.serviceAccountName }}"), None);
        assert_eq!(unknown_function("{{ time_now_utc() }}"), Some("time_now_utc".to_owned()));
        assert_eq!(unknown_function("{{ length(keys(x)) }}"), None);
    }
}
