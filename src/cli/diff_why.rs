//! `diff --why`: what caused each difference.
//!
//! In: a diff, and the sources of its sides. Out: the diff, each of its entries with the places that say its values.

use crate::diag::Result;
use crate::diff::{Cause, RootDiff, Step};
use crate::helm::Ambient;
use crate::render::Options;
use crate::source::{Source, relative};

use super::why::{Field, Finder};

/// Adds to each difference of a root what caused its values on one side.
pub(super) fn explain(
    diff: &mut RootDiff,
    new: bool,
    (source, root): (&dyn Source, &str),
    options: &Options,
    ambient: &mut dyn Ambient,
) -> Result<()> {
    let (mut fields, mut owners) = (Vec::new(), Vec::new());
    for (at, object) in diff.diff.objects.iter().enumerate() {
        let Some(side) = (if new { &object.new } else { &object.old }) else { continue };
        for (of, entry) in object.entries.iter().enumerate() {
            let Some(value) = (if new { &entry.new } else { &entry.old }) else { continue };
            let steps = entry.path.steps();
            let end = steps.iter().position(|step| matches!(step, Step::Inside(_)));
            // of a document in a text, the place of the text is known and no more; of a Secret not even the value
            let value = (end.is_none() && !entry.masked).then_some(value);
            let steps = &steps[..end.unwrap_or(steps.len())];
            fields.push(Field { id: &side.id, origin: &side.origin, steps, new, value, missing: false });
            owners.push((at, of));
        }
    }
    let places = Finder::new(source, root).places(&fields, options, ambient)?;
    for ((at, of), places) in owners.into_iter().zip(places) {
        let at_line = |place: super::why::Place| Cause {
            new,
            what: place.what,
            at: format!("{}:{}", relative(root, &place.file), place.line),
        };
        diff.diff.objects[at].entries[of].why.extend(places.into_iter().map(at_line));
    }
    Ok(())
}
