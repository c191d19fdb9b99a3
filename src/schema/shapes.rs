//! The shapes of built-in kinds: fields, types, formats, what is required, and how lists are keyed, for each Kubernetes version.
//!
//! In: a version such as `1.31`, then `apiVersion` and kind. Out: [`Shape`]s. The table (`shapes.bin`, written by
//! `tools/shape_table.py`) is inflated when a version is asked for, and a body is read when it is first walked: a program that
//! asks for nothing pays nothing, and no state is kept between callers.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::diag::{Diagnostic, Result};

/// The table: a zlib stream of lines, as the maker's own words describe them.
const TABLE: &[u8] = include_bytes!("shapes.bin");

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A string.
    String,
    /// An integer; its width is the format's.
    Int,
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// A map: of known fields, of values of one shape, or both.
    Object,
    /// A list.
    List,
    /// A quantity (`500m`), as a string or a number.
    Quantity,
    /// An integer or a string.
    IntOrString,
    /// A time by RFC 3339.
    Time,
    /// Anything.
    Any,
}

/// How the items of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// By place alone.
    Atomic,
    /// No two are equal.
    Set,
    /// No two have the same values of these fields.
    Map(Vec<String>),
}

/// The shape of one place.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What stands here.
    pub kind: Type,
    /// `int32`, `byte`, `date-time`, …; empty where none is set.
    pub format: String,
    /// Fields that must stand.
    pub required: Vec<String>,
    /// The known fields of a map.
    pub fields: BTreeMap<String, Link>,
    /// The items of a list.
    pub items: Option<Link>,
    /// The values of a map with free keys.
    pub values: Option<Link>,
    /// How the items of a list are told apart.
    pub keyed: Keyed,
    /// What a custom resource's schema says besides.
    pub extra: Option<Box<super::structural::Extra>>,
}

/// A shape, or the number of a definition that has it.
#[derive(Clone, Debug)]
pub enum Link {
    /// A shape of its own.
    Shape(Arc<Shape>),
    /// A definition.
    Named(u32),
}

/// What is known of a kind.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its shape.
    pub link: Link,
    /// True if its objects live in namespaces.
    pub namespaced: bool,
}

/// The shapes of one Kubernetes version.
#[derive(Debug)]
pub struct Shapes {
    version: String,
    text: String,
    names: Vec<String>,
    lines: Vec<Range<usize>>,
    /// The body of each definition; none where this version has no such definition.
    bodies: Vec<Option<u32>>,
    read: Vec<OnceLock<Arc<Shape>>>,
    /// What a definition that is not there comes to.
    anything: Shape,
    kinds: BTreeMap<(String, String), (u32, bool)>,
    /// First and last version, in the order of the table, that serve a kind.
    served: BTreeMap<(String, String), (String, String)>,
}

#[derive(Deserialize)]
struct Head {
    names: Vec<String>,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "version")]
    number: String,
    shapes: Vec<(u32, u32)>,
    gone: Vec<u32>,
    kinds: Vec<(String, String, u32, u8)>,
}

#[derive(Deserialize)]
struct Body {
    t: Option<char>,
    #[serde(default)]
    f: String,
    #[serde(default)]
    q: Vec<String>,
    #[serde(default)]
    p: BTreeMap<String, Body>,
    m: Option<Box<Body>>,
    v: Option<Box<Body>>,
    r: Option<u32>,
    k: Option<Vec<String>>,
    u: Option<u8>,
}

impl Shapes {
    /// The shapes of a version (`1.31`, `v1.31.4`). Fails with code `kube-version` for one that the table does not have.
    pub fn of(version: &str) -> Result<Shapes> {
        let (text, head, lines) = table();
        let wanted = minor(version);
        let mut bodies = vec![None; head.names.len()];
        let mut served: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
        let mut kinds = None;
        for row in &head.versions {
            for (kind, api, ..) in &row.kinds {
                let first = || (row.number.clone(), row.number.clone());
                served.entry((api.clone(), kind.clone())).or_insert_with(first).1.clone_from(&row.number);
            }
            if kinds.is_some() {
                continue;
            }
            row.shapes.iter().for_each(|(name, body)| bodies[*name as usize] = Some(*body));
            row.gone.iter().for_each(|name| bodies[*name as usize] = None);
            if row.number == wanted {
                let rows = row.kinds.iter();
                kinds = Some(
                    rows.map(|(kind, api, name, scope)| ((api.clone(), kind.clone()), (*name, *scope == 1))).collect(),
                );
            }
        }
        let Some(kinds) = kinds else {
            let known: Vec<&str> = head.versions.iter().map(|row| row.number.as_str()).collect();
            let fault =
                Diagnostic::input("kube-version", format!("there are no schemas of Kubernetes `{version}` here"));
            return Err(Box::new(fault.hint(format!("give one of {}", known.join(", ")))));
        };
        let read = (0..lines.len()).map(|_| OnceLock::new()).collect();
        Ok(Shapes { version: wanted, text, names: head.names, lines, bodies, read, anything: any(), kinds, served })
    }

    /// The newest version of the table.
    pub fn newest() -> String {
        table().1.versions.pop().map(|row| row.number).unwrap_or_default()
    }

    /// The version whose shapes these are.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What is known of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Known> {
        let (name, namespaced) = self.kinds.get(&(api_version.to_owned(), kind.to_owned()))?;
        Some(Known { link: Link::Named(*name), namespaced: *namespaced })
    }

    /// True if a group is one of Kubernetes' own.
    pub fn knows_group(&self, group: &str) -> bool {
        self.served.keys().any(|(api, _)| api.rsplit_once('/').map_or("", |(group, _)| group) == group)
    }

    /// The other `apiVersion`s that serve a kind of the same name in this version.
    pub fn others(&self, kind: &str) -> Vec<&str> {
        self.kinds.keys().filter(|(_, name)| name == kind).map(|(api, _)| api.as_str()).collect()
    }

    /// The kinds of one `apiVersion`.
    pub fn kinds_of<'a>(&'a self, api_version: &'a str) -> impl Iterator<Item = &'a str> {
        self.kinds.keys().filter(move |(api, _)| api == api_version).map(|(_, kind)| kind.as_str())
    }

    /// The first and the last version of the table that serve a kind.
    pub fn served(&self, api_version: &str, kind: &str) -> Option<(&str, &str)> {
        let (first, last) = self.served.get(&(api_version.to_owned(), kind.to_owned()))?;
        Some((first, last))
    }

    /// The shape behind a link.
    pub fn shape<'s>(&'s self, link: &'s Link) -> &'s Shape {
        match link {
            Link::Shape(shape) => shape,
            // a definition is never only the name of another
            Link::Named(name) => self.bodies[*name as usize].map_or(&self.anything, |body| self.body(body)),
        }
    }

    /// The name of a definition without its version: `core.Container`; empty for a shape of its own.
    pub fn definition(&self, link: &Link) -> String {
        let Link::Named(name) = link else { return String::new() };
        let mut parts: Vec<&str> = self.names[*name as usize].split('.').collect();
        let kind = parts.pop().unwrap_or_default();
        parts.pop();
        format!("{}.{kind}", parts.pop().unwrap_or_default())
    }

    fn body(&self, body: u32) -> &Shape {
        self.read[body as usize].get_or_init(|| {
            let line = &self.text[self.lines[body as usize].clone()];
            Arc::new(serde_json::from_str(line).map_or_else(|_| any(), shape_of))
        })
    }
}

/// The shape of anything.
pub(super) fn any() -> Shape {
    Shape {
        kind: Type::Any,
        format: String::new(),
        required: Vec::new(),
        fields: BTreeMap::new(),
        items: None,
        values: None,
        keyed: Keyed::Atomic,
        extra: None,
    }
}

fn link_of(body: Body) -> Link {
    body.r.map_or_else(|| Link::Shape(Arc::new(shape_of(body))), Link::Named)
}

fn shape_of(body: Body) -> Shape {
    let kind = match body.t {
        Some('s') => Type::String,
        Some('i') => Type::Int,
        Some('n') => Type::Number,
        Some('b') => Type::Bool,
        Some('o') => Type::Object,
        Some('a') => Type::List,
        Some('Q') => Type::Quantity,
        Some('I') => Type::IntOrString,
        Some('T') => Type::Time,
        _ => Type::Any,
    };
    let keyed = match (body.k, body.u) {
        (Some(keys), _) => Keyed::Map(keys),
        (None, Some(_)) => Keyed::Set,
        (None, None) => Keyed::Atomic,
    };
    Shape {
        kind,
        format: body.f,
        required: body.q,
        fields: body.p.into_iter().map(|(name, part)| (name, link_of(part))).collect(),
        items: body.m.map(|part| link_of(*part)),
        values: body.v.map(|part| link_of(*part)),
        keyed,
        extra: None,
    }
}

/// `1.31` of `v1.31.4-gke.1`.
fn minor(version: &str) -> String {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{}.{}", digits(major), digits(minor))
}

fn table() -> (String, Head, Vec<Range<usize>>) {
    let mut text = String::new();
    // the table is part of the program, and a test reads all of it
    let inflated = flate2::read::ZlibDecoder::new(TABLE).read_to_string(&mut text);
    let first = text.find('\n').unwrap_or_default();
    let head = serde_json::from_str(&text[..first]);
    let head = head.unwrap_or_else(|_| Head { names: Vec::new(), versions: Vec::new() });
    debug_assert!(inflated.is_ok() && !head.versions.is_empty());
    let mut at = first + 1;
    let lines = text[at.min(text.len())..].split_inclusive('\n').map(|line| {
        at += line.len();
        at - line.len()..at - 1
    });
    let lines = lines.collect();
    (text, head, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_of_every_version_reads() {
        let (text, head, lines) = table();
        let body = |line: &Range<usize>| serde_json::from_str::<Body>(&text[line.clone()]);
        assert!(lines.iter().all(|line| body(line).is_ok()));
        assert_eq!(head.versions.len(), 14);
        assert_eq!(head.versions.iter().map(|row| row.kinds.len()).min(), Some(64), "every version serves kinds");
    }

    #[test]
    fn a_container_is_found_on_the_way_from_a_pod() {
        let shapes = Shapes::of("v1.31.2").expect("known");
        let pod = shapes.kind("v1", "Pod").expect("a kind");
        assert!(pod.namespaced);
        let spec = &shapes.shape(&pod.link).fields["spec"];
        assert_eq!(shapes.definition(spec), "core.PodSpec");
        let containers = shapes.shape(&shapes.shape(spec).fields["containers"]);
        let container = containers.items.as_ref().expect("items");
        let ports = shapes.shape(&shapes.shape(container).fields["ports"]);
        assert_eq!(ports.keyed, Keyed::Map(vec!["containerPort".into(), "protocol".into()]));
        assert_eq!(shapes.shape(container).required, ["name"]);
    }

    #[test]
    fn a_version_that_is_not_there_is_refused_with_the_versions_that_are() {
        let fault = Shapes::of("1.5").expect_err("no such version");
        assert_eq!(fault.code, "kube-version");
        assert!(fault.hints[0].contains("1.20, 1.25"), "{fault:?}");
        assert_eq!(Shapes::newest(), "1.37");
    }

    #[test]
    fn what_was_removed_is_known_with_the_versions_that_served_it() {
        let shapes = Shapes::of("1.31").expect("known");
        assert!(shapes.kind("policy/v1beta1", "PodSecurityPolicy").is_none());
        assert_eq!(shapes.served("policy/v1beta1", "PodSecurityPolicy"), Some(("1.20", "1.20")));
        assert_eq!(shapes.others("Ingress"), ["networking.k8s.io/v1"]);
    }
}
