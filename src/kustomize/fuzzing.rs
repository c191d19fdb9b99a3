//! Doors for fuzz targets into what is otherwise reached through a whole build.

use super::field_path::{self, Make, Places};
use super::json6902::JsonPatch;
use super::label_selector::LabelSelector;
use crate::diag::SourceText;
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Takes a field path, a label selector, a JSON patch and an object, each before a line `---`, and applies the three to the last.
pub fn apply(text: &str) {
    let mut parts = text.split("\n---\n");
    let mut next = || parts.next().unwrap_or_default();
    let (path, selector, patch, object) = (next(), next(), next(), next());
    let Ok(object) = yaml::parse(&SourceText::new("object", object), Dialect::V3) else { return };
    let path = field_path::split(path);
    drop(field_path::lookup(&object, &path));
    for make in [Make::Never, Make::Scalar, Make::List, Make::Map] {
        let mut object = object.clone();
        if let Ok(places) = Places::find(&mut object, &path, make, make == Make::Scalar) {
            let set = |tree: &mut Tree, _: bool| {
                *tree = Tree::str("x");
                Ok(())
            };
            drop(places.each(&mut object, set));
        }
    }
    if let Ok(selector) = LabelSelector::read(selector) {
        selector.selects(&[("app".into(), "web".into()), ("weight".into(), "3".into())]);
    }
    if let Ok(patch) = JsonPatch::read(&SourceText::new("patch", patch)) {
        let mut object = object;
        if patch.apply(&mut object).is_ok() {
            drop(yaml::to_string(&object));
        }
    }
}
