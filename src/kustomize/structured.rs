//! Replacements inside JSON and YAML that a scalar holds, as kustomize 5.8 has them.
//!
//! In: an object, a path that may lead into such a scalar, and the value to put there. Out: the scalar with its text printed
//! anew: JSON with sorted keys, compact or indented as it was; YAML in kyaml's layout. Options of the target such as a
//! delimiter have no effect here. Where this cannot write, replacements go on as if there were no text to read.

use super::field_path::{self, Make, Places};
use super::replacements::kept_kind;
use crate::diag::{Diagnostic, Result, SourceText};
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Writes `value` if the path leads into a text. False if it does not, or if kustomize gives up on the way.
///
/// Fails with `kustomize-structured-text` where the text has something that printing a tree of it would lose.
pub(super) fn write(object: &mut Tree, path: &[String], value: &Tree, make: Make) -> Result<bool> {
    let Some((at, text)) = text_on(object, path) else { return Ok(false) };
    let Ok(mut inside) = yaml::parse(&SourceText::new("", text.as_str()), Dialect::V3) else { return Ok(false) };
    let Some(written) = replaced(&mut inside, &path[at..], value, make) else { return Ok(false) };
    let is_json = text.trim_start().starts_with(['{', '[']);
    if is_json && !written.fits {
        return Ok(false);
    }
    let printed = if is_json { json(&inside, &text) } else { yaml_text(&inside, &text, path)? };
    if let Ok(places) = Places::find(object, &path[..at], Make::Never, false) {
        let set = |target: &mut Tree, _: bool| {
            if let Tree::Scalar(scalar) = target {
                scalar.text = printed.as_str().into();
            }
            Ok(())
        };
        // the way has just been gone, and `set` never fails
        let _ = places.each(object, set);
    }
    Ok(true)
}

/// The shortest beginning of a path that leads to a text of YAML, as the count of its parts, and that text.
fn text_on(object: &Tree, path: &[String]) -> Option<(usize, String)> {
    (1..path.len()).find_map(|at| {
        let scalar = field_path::lookup(object, &path[..at]).ok().flatten()?.as_scalar()?;
        let text = scalar.text.to_string();
        yaml::parse(&SourceText::new("", text.as_str()), Dialect::V3).ok().map(|_| (at, text))
    })
}

/// What became of a text's tree.
struct Written {
    /// False if a scalar now holds what its kind cannot.
    fits: bool,
}

/// Puts the value into each place; nothing where the path leads nowhere.
fn replaced(inside: &mut Tree, path: &[String], value: &Tree, make: Make) -> Option<Written> {
    let places = Places::find(inside, path, make, true).ok().filter(|places| !places.is_empty())?;
    let mut fits = true;
    let set = |target: &mut Tree, made: bool| {
        let text = value.as_scalar().map_or("", |scalar| &scalar.text);
        match target {
            Tree::Scalar(_) if made => *target = field_path::untagged(text),
            Tree::Scalar(scalar) => {
                fits &= kept_kind(scalar.kind, scalar.style, text).is_ok();
                scalar.text = text.into();
            }
            _ => *target = value.clone(),
        }
        Ok(())
    };
    places.each(inside, set).ok()?;
    Some(Written { fits })
}

/// JSON, indented if it was: kustomize takes a line end and two spaces for a sign of that.
fn json(inside: &Tree, old: &str) -> String {
    if old.contains('\n') && old.contains("  ") { yaml::to_json_indented(inside) } else { yaml::to_json(inside) }
}

fn yaml_text(inside: &Tree, old: &str, path: &[String]) -> Result<String> {
    if let Some(what) = yaml::lost(old) {
        let message = format!("the text that `{}` leads into holds {what}, which would not be printed as it is", path.join("."));
        let fault = Diagnostic::input("kustomize-structured-text", message);
        return Err(Box::new(fault.hint("write the text without it, or as JSON")));
    }
    Ok(yaml::node_to_string(inside).trim().to_owned())
}
