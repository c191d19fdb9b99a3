//! Configuration files against the shape that they must have.
//!
//! In: a tree as YAML gave it, and a [`Shape`]. Out: the same tree with field names in their one spelling (Go matches
//! them without regard to case) and without nulls, or the [`Misfit`]: what is wrong, and the way to it. Reading the
//! result needs no further checks.

use crate::diag::{Diagnostic, SourceText, Span, did_you_mean};
use crate::value::{Kind, Map, Text, Tree};

/// What a value must look like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Text in quotes, or plain text that is nothing else.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Anything.
    Any,
    /// A map of texts.
    Texts,
    /// A map of booleans.
    Bools,
    /// A map of anything.
    AnyMap,
    /// A list.
    List(&'static Shape),
    /// A map with these fields.
    Fields(&'static [(&'static str, Shape)]),
}

/// How strictly a file is read. kustomize reads its files with three decoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rigour {
    /// A kustomization: unknown fields are an error, and a number is no text.
    Kustomization,
    /// A file under `configurations`: unknown fields are an error; numbers and booleans do for texts.
    Configuration,
    /// A plugin's file: unknown fields are left out; numbers and booleans do for texts.
    Plugin,
}

/// One step from the root of a file to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a map.
    Key(Text),
    /// Into a list.
    Index(usize),
}

/// A value that does not have the shape it must have.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    /// The way to the value, innermost first.
    pub(crate) path: Vec<Step>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// True if the way leads to a field that should not be there.
    unknown: bool,
}

impl Misfit {
    fn new(message: String) -> Box<Misfit> {
        Box::new(Misfit { path: Vec::new(), message, hint: None, unknown: false })
    }

    fn within(mut self: Box<Misfit>, step: Step) -> Box<Misfit> {
        self.path.push(step);
        self
    }

    /// The way to the value as people write it (`patches[2].target`).
    pub(crate) fn field(&self) -> String {
        let mut text = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Key(key) if text.is_empty() => text.push_str(key),
                Step::Key(key) => text.push_str(&format!(".{key}")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    /// The diagnostic for a file; `span` is where the value stands.
    pub(crate) fn diagnostic(&self, code: &'static str, source: &SourceText, span: Option<Span>) -> Box<Diagnostic> {
        // An unknown field is named by the message itself; the way to the map that has it is what helps.
        let within = Misfit { path: self.path.iter().skip(usize::from(self.unknown)).cloned().collect(), ..self.clone() };
        let field = within.field();
        let message =
            if field.is_empty() { self.message.clone() } else { format!("{} in field `{field}`", self.message) };
        let mut fault = Diagnostic::input(code, format!("{message} of `{}`", source.name()));
        if let Some(span) = span {
            fault = fault.at(source, span, "");
        }
        Box::new(match &self.hint {
            Some(hint) => fault.hint(hint.clone()),
            None => fault,
        })
    }
}

/// Gives `tree` the shape. Null stays for what is missing, as in Go.
pub(crate) fn shape(tree: &Tree, shape: Shape, rigour: Rigour) -> Result<Tree, Box<Misfit>> {
    if tree.is_null() {
        return Ok(Tree::null());
    }
    match shape {
        Shape::Any => Ok(tree.clone()),
        Shape::Text if rigour != Rigour::Kustomization && tree.as_scalar().is_some() => Ok(as_text(tree)),
        Shape::Text => scalar(tree, "text", |kind| matches!(kind, Kind::Str | Kind::Timestamp | Kind::Binary)),
        Shape::Bool => scalar(tree, "true or false", |kind| kind == Kind::Bool),
        Shape::Int => scalar(tree, "a whole number", |kind| kind == Kind::Int),
        Shape::AnyMap => map(tree).map(|_| tree.clone()),
        Shape::Texts => entries(tree, Shape::Text, rigour),
        Shape::Bools => entries(tree, Shape::Bool, rigour),
        Shape::List(item) => list(tree, *item, rigour),
        Shape::Fields(fields) => record(tree, fields, rigour),
    }
}

fn scalar(tree: &Tree, want: &str, fits: impl Fn(Kind) -> bool) -> Result<Tree, Box<Misfit>> {
    match tree.as_scalar() {
        Some(scalar) if fits(scalar.kind) => Ok(tree.clone()),
        _ => Err(Misfit::new(format!("expected {want}, found {}", kind_name(tree)))),
    }
}

/// Any scalar as a text.
fn as_text(tree: &Tree) -> Tree {
    match tree.as_scalar() {
        Some(scalar) if scalar.kind == Kind::Bool => Tree::str(scalar.text.to_lowercase()),
        Some(scalar) => Tree::str(scalar.text.clone()),
        None => tree.clone(),
    }
}

fn map(tree: &Tree) -> Result<&Map, Box<Misfit>> {
    tree.as_map().ok_or_else(|| Misfit::new(format!("expected a map, found {}", kind_name(tree))))
}

fn entries(tree: &Tree, value: Shape, rigour: Rigour) -> Result<Tree, Box<Misfit>> {
    let mut shaped = Map::new();
    for (key, item) in map(tree)?.iter() {
        let item = shape(item, value, rigour).map_err(|misfit| misfit.within(Step::Key(key.clone())))?;
        let empty = || if matches!(value, Shape::Bool) { Tree::bool(false) } else { Tree::str("") };
        shaped.set(key.clone(), if item.is_null() { empty() } else { item });
    }
    Ok(Tree::map(shaped))
}

fn list(tree: &Tree, item: Shape, rigour: Rigour) -> Result<Tree, Box<Misfit>> {
    let Some(items) = tree.as_list() else {
        return Err(Misfit::new(format!("expected a list, found {}", kind_name(tree))));
    };
    let shape_one = |(index, value): (usize, &Tree)| -> Result<Tree, Box<Misfit>> {
        let shaped = shape(value, item, rigour).map_err(|misfit| misfit.within(Step::Index(index)))?;
        Ok(match (shaped.is_null(), item) {
            (true, Shape::Text) => Tree::str(""),
            (true, Shape::Fields(_)) => Tree::empty_map(),
            _ => shaped,
        })
    };
    Ok(Tree::list(items.iter().enumerate().map(shape_one).collect::<Result<_, _>>()?))
}

fn record(tree: &Tree, fields: &'static [(&'static str, Shape)], rigour: Rigour) -> Result<Tree, Box<Misfit>> {
    let mut shaped = Map::new();
    for (key, value) in map(tree)?.iter() {
        let exact = fields.iter().find(|(name, _)| name == key);
        let Some((name, field)) = exact.or_else(|| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)))
        else {
            if rigour == Rigour::Plugin {
                continue;
            }
            let mut misfit = Misfit::new(format!("unknown field `{key}`"));
            misfit.hint = did_you_mean(key, fields.iter().map(|(name, _)| *name)).map(|near| format!("use `{near}`"));
            misfit.path.push(Step::Key(key.clone()));
            misfit.unknown = true;
            return Err(misfit);
        };
        let value = shape(value, *field, rigour).map_err(|misfit| misfit.within(Step::Key(key.clone())))?;
        if !value.is_null() {
            shaped.set(*name, value);
        }
    }
    Ok(Tree::map(shaped))
}

/// What a value is, for messages.
pub(crate) fn kind_name(tree: &Tree) -> &'static str {
    match tree {
        Tree::List(_) => "a list",
        Tree::Map(_) => "a map",
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Null => "nothing",
            Kind::Bool => "a boolean",
            Kind::Int | Kind::Float => "a number",
            Kind::Str | Kind::Timestamp | Kind::Binary => "text",
        },
    }
}

/// The text of a field of a shaped map; empty where it is missing.
pub(crate) fn text(tree: &Tree, field: &str) -> Text {
    tree.get(field).and_then(Tree::as_scalar).map(|scalar| scalar.text.clone()).unwrap_or_default()
}

/// True if a field of a shaped map is true.
pub(crate) fn flag(tree: &Tree, field: &str) -> bool {
    tree.get(field).is_some_and(is_true)
}

/// True for a boolean that says so.
pub(crate) fn is_true(tree: &Tree) -> bool {
    tree.as_scalar().is_some_and(|scalar| scalar.kind == Kind::Bool && scalar.text.eq_ignore_ascii_case("true"))
}

/// The items of a list field of a shaped map; none where it is missing.
pub(crate) fn items<'t>(tree: &'t Tree, field: &str) -> &'t [Tree] {
    tree.get(field).and_then(Tree::as_list).unwrap_or_default()
}

/// The texts of a list field of a shaped map.
pub(crate) fn texts(tree: &Tree, field: &str) -> Vec<Text> {
    let text = |item: &Tree| item.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
    items(tree, field).iter().map(text).collect()
}

/// Keys and texts of a map field of a shaped map, sorted by key, as kustomize walks them.
pub(crate) fn sorted_pairs(tree: &Tree, field: &str) -> Vec<(Text, Text)> {
    let Some(map) = tree.get(field).and_then(Tree::as_map) else { return Vec::new() };
    let text = |value: &Tree| value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
    let mut pairs: Vec<(Text, Text)> = map.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: Shape = Shape::Fields(&[("path", Shape::Text), ("options", Shape::Bools)]);

    #[test]
    fn names_get_their_one_spelling_and_typos_get_advice() {
        let tree = |key: &str, value| Tree::map(Map::from_iter([(Text::new(key), value)]));
        let shaped = shape(&tree("PATH", Tree::str("a.yaml")), PATCH, Rigour::Kustomization).expect("case does not matter");
        assert_eq!(text(&shaped, "path"), "a.yaml");
        let misfit = shape(&tree("pth", Tree::str("a.yaml")), PATCH, Rigour::Kustomization).expect_err("no such field");
        assert_eq!(misfit.hint.as_deref(), Some("use `path`"));
        assert!(shape(&tree("pth", Tree::str("a.yaml")), PATCH, Rigour::Plugin).is_ok());
        let misfit = shape(&tree("path", Tree::int(1)), PATCH, Rigour::Kustomization).expect_err("a number is no text");
        assert_eq!(misfit.field(), "path");
    }
}
