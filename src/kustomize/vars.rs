//! The `vars` field: `$(NAME)` in chosen fields, replaced by a value of some object.
//!
//! In: vars as kustomizations gather them ([`Vars::gather`] marks the objects that they read from), then, once names are
//! final, the objects and the fields in which vars are replaced. Out: the fields changed ([`Vars::resolve`]). A field
//! that is one var and nothing else takes its value's kind; within a text the value is printed.

use std::collections::BTreeMap;

use super::config::{Config, Use};
use super::decode;
use super::field_path;
use super::fieldspec::Leaf;
use super::resid::{Gvk, ResId, Scopes};
use super::resmap::ResMap;
use crate::diag::{Diagnostic, Result, Warnings};
use crate::go::float;
use crate::value::{Kind, Scalar, Style, Text, Tree};
use crate::yaml::{self, Dialect, Plain};

/// Vars by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars {
    by_name: BTreeMap<Text, Var>,
}

#[derive(Clone, Debug)]
struct Var {
    object: ResId,
    path: String,
}

/// What a var stands for.
enum Value {
    Scalar(Scalar),
    /// A map or list, which cannot be put into a text: its references stay as they are.
    Structure,
}

impl Vars {
    /// Adds the vars of one kustomization and marks the objects that they read from, which it must have by now. Fails
    /// with code `kustomize-var` for a name that is taken and for an object that is not the only one.
    pub(crate) fn gather(&mut self, config: &[Tree], resources: &mut ResMap, scopes: &dyn Scopes) -> Result<()> {
        for entry in config {
            let (name, var) = read(entry);
            let by_namespace = !var.object.namespace.is_empty();
            let is_object = |id: &ResId| if by_namespace { var.object.equals(id) } else { var.object.gvkn_equals(id) };
            match resources.find_any(scopes, is_object).as_slice() {
                [] => {}
                [position] => resources.list_mut()[*position].var_names.push(name.clone()),
                many => {
                    let message =
                        format!("found {} resId matches for var `{name}` (unable to disambiguate)", many.len());
                    return Err(Box::new(
                        Diagnostic::input("kustomize-var", message).hint("set `namespace` in the `objref` of the var"),
                    ));
                }
            }
        }
        config.iter().map(read).try_for_each(|(name, var)| self.add(name, var))
    }

    /// Adds the vars that another kustomization gathered. Fails with code `kustomize-var` for a name that is taken.
    pub(crate) fn merge(&mut self, other: Vars) -> Result<()> {
        other.by_name.into_iter().try_for_each(|(name, var)| self.add(name, var))
    }

    /// True without vars.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    fn add(&mut self, name: Text, var: Var) -> Result<()> {
        if self.by_name.contains_key(&name) {
            return Err(refuse(format!("var `{name}` already encountered")));
        }
        self.by_name.insert(name, var);
        Ok(())
    }

    /// Replaces vars in the fields of all objects that `config` names for it. Warns of vars that stand nowhere. Fails with code
    /// `kustomize-var` for a var without object or field.
    pub(crate) fn resolve(&self, resources: &mut ResMap, config: &Config, warnings: &mut Warnings) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let mut values = BTreeMap::new();
        for (name, var) in &self.by_name {
            values.insert(name.as_str(), (var.value(name, resources)?, 0_usize));
        }
        for resource in resources.list_mut() {
            let gvk = resource.gvk();
            for spec in config.specs(Use::VarReference) {
                let mut set = |field: &mut Tree| set_field(field, &mut values);
                spec.apply(&mut resource.tree, &gvk, Leaf::Never, &mut set)?;
            }
        }
        let unused: Vec<&str> = values.iter().filter(|(_, value)| value.1 == 0).map(|(name, _)| *name).collect();
        if !unused.is_empty() {
            let message = format!("well-defined vars that were never replaced: {}", unused.join(","));
            warnings.push(Diagnostic::warning("kustomize-var-unused", message));
        }
        Ok(())
    }
}

fn read(entry: &Tree) -> (Text, Var) {
    let null = Tree::null();
    let object = entry.get("objref").unwrap_or(&null);
    let mut gvk = Gvk {
        group: decode::text(object, "group"),
        version: decode::text(object, "version"),
        kind: decode::text(object, "kind"),
    };
    let api_version = decode::text(object, "apiVersion");
    let parts: Vec<&str> = api_version.split('/').collect();
    match parts.as_slice() {
        [""] => {}
        [version] => gvk.version = (*version).into(),
        [group, version] => (gvk.group, gvk.version) = ((*group).into(), (*version).into()),
        _ => {}
    }
    let path = entry.get("fieldref").map(|field| decode::text(field, "fieldPath")).unwrap_or_default();
    let path = if path.is_empty() { "metadata.name".to_owned() } else { path.to_string() };
    let id = ResId {
        gvk,
        name: decode::text(object, "name"),
        namespace: decode::text(object, "namespace"),
        cluster_scoped: false,
    };
    (decode::text(entry, "name"), Var { object: id, path })
}

impl Var {
    fn value(&self, name: &Text, resources: &ResMap) -> Result<Value> {
        let Some(resource) = resources.iter().find(|resource| resource.var_names.contains(name)) else {
            let message =
                format!("var `{name}` ({}) cannot be mapped to a field in the set of known resources", self.object);
            let fault = Diagnostic::input("kustomize-var", message);
            return Err(Box::new(
                fault.hint("name `kind`, `apiVersion` and the original `name` of the object in `objref`"),
            ));
        };
        let parts: Vec<String> = field_path::split(&self.path).into_iter().flat_map(index_apart).collect();
        let found = field_path::lookup(&resource.tree, &parts).ok().flatten();
        let missing = || {
            refuse(format!(
                "field `{}` specified in var `{name}` not found in corresponding resource `{}`",
                self.path,
                resource.name()
            ))
        };
        match found.ok_or_else(missing)? {
            Tree::Scalar(scalar) => scalar_value(scalar).map(Value::Scalar).ok_or_else(missing),
            Tree::List(_) | Tree::Map(_) => Ok(Value::Structure),
        }
    }
}

/// `ports[0]` as the two parts that it means.
fn index_apart(part: String) -> Vec<String> {
    let Some((name, index)) = part.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) else { return vec![part] };
    if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return vec![part];
    }
    let parts = [name, index];
    parts.into_iter().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The Go value of a scalar, as a scalar again; nothing where Go's parsers refuse it.
fn scalar_value(scalar: &Scalar) -> Option<Scalar> {
    let plain = |kind, text: String| Some(Scalar { kind, style: Style::Plain, text: text.into() });
    match scalar.kind {
        Kind::Int => plain(Kind::Int, scalar.text.parse::<i64>().ok()?.to_string()),
        Kind::Float => match yaml::resolve(&scalar.text, Dialect::V3) {
            Plain::Float(value) => plain(Kind::Float, float::g(value)),
            Plain::Int(value) => plain(Kind::Float, float::g(value as f64)),
            _ => None,
        },
        Kind::Bool => plain(Kind::Bool, matches!(scalar.text.as_str(), "true" | "True" | "TRUE").to_string()),
        Kind::Str | Kind::Null | Kind::Timestamp | Kind::Binary => plain(Kind::Str, scalar.text.to_string()),
    }
}

type Values<'v> = BTreeMap<&'v str, (Value, usize)>;

fn set_field(field: &mut Tree, values: &mut Values<'_>) -> Result<()> {
    match field {
        Tree::Scalar(scalar) => {
            if scalar.kind == Kind::Str {
                *scalar = replaced(&scalar.text, values);
            }
        }
        Tree::Map(map) => {
            if map.iter().any(|(_, value)| value.as_str().is_some_and(|text| text.contains('$'))) {
                let map = field.as_map_mut().expect("a map");
                for (_, value) in map.iter_mut() {
                    if let Tree::Scalar(scalar) = value
                        && scalar.kind == Kind::Str
                    {
                        *scalar = replaced(&scalar.text, values);
                    }
                }
            }
        }
        Tree::List(_) => {
            for item in field.as_list_mut().expect("a list") {
                match item {
                    Tree::Scalar(scalar) if scalar.kind == Kind::Str => *scalar = replaced(&scalar.text, values),
                    _ => return Err(refuse("invalid value type, expected a string".to_owned())),
                }
            }
        }
    }
    Ok(())
}

/// The text with its vars replaced; a value of its own where it is one var and nothing else.
fn replaced(text: &str, values: &mut Values<'_>) -> Scalar {
    let plain = |text: &str| Scalar { kind: Kind::Str, style: Style::Plain, text: text.into() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$').filter(|at| at + 1 < rest.len()) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let first = after.chars().next().map_or(0, char::len_utf8);
        match after.strip_prefix('(') {
            _ if after.starts_with('$') => {
                out.push('$');
                rest = &after[1..];
            }
            Some(inner) => match inner.find(')') {
                None => {
                    out.push_str("$(");
                    rest = inner;
                }
                Some(end) => {
                    let name = &inner[..end];
                    rest = &inner[end + 1..];
                    if let Some((Value::Scalar(value), count)) = values.get_mut(name) {
                        *count += 1;
                        if text.len() == name.len() + "$()".len() {
                            return value.clone();
                        }
                        out.push_str(&value.text);
                    } else {
                        out.push_str("$(");
                        out.push_str(name);
                        out.push(')');
                    }
                }
            },
            None => {
                out.push('$');
                out.push_str(&after[..first]);
                rest = &after[first..];
            }
        }
    }
    out.push_str(rest);
    plain(&out)
}

fn refuse(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("kustomize-var", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Scalar {
        let scalar = |kind, text: &str| Value::Scalar(Scalar { kind, style: Style::Plain, text: text.into() });
        let mut values = Values::new();
        values.insert("NAME", (scalar(Kind::Str, "web"), 0));
        values.insert("PORT", (scalar(Kind::Int, "80"), 0));
        values.insert("MAP", (Value::Structure, 0));
        replaced(text, &mut values)
    }

    #[test]
    fn references_expand_and_dollars_escape() {
        let text = |text| expand(text).text.to_string();
        assert_eq!(text("http://$(NAME):$(PORT)/"), "http://web:80/");
        assert_eq!(text("$$(NAME) $x $(NONE) $(MAP) $(open $"), "$(NAME) $x $(NONE) $(MAP) $(open $");
        assert_eq!((expand("$(PORT)").kind, expand("$(PORT)0").kind), (Kind::Int, Kind::Str));
    }
}
