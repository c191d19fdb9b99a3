//! mergo v1.0.1 as sprig's `merge` calls it: fills empty entries of the target, or with overwriting all but nested maps.
//!
//! Merging goes into nested maps of the target in place. What the target lacks it takes as an alias of the source's value, so
//! that both change together from then on; charts rely on either.

use super::dicts::COPY_DEPTH_LIMIT;
use crate::diag::Diagnostic;
use crate::gotmpl::{Ctx, FuncError, Map, Val, truth};

/// Merges `source` into `target`.
pub(super) fn merge(ctx: &mut Ctx<'_>, target: &Map, source: &Map, overwrite: bool) -> Result<(), FuncError> {
    merge_within(ctx, target, source, overwrite, COPY_DEPTH_LIMIT)
}

fn merge_within(ctx: &mut Ctx<'_>, target: &Map, source: &Map, overwrite: bool, depth: usize) -> Result<(), FuncError> {
    if depth == 0 {
        let message = format!("dicts to merge nest deeper than {COPY_DEPTH_LIMIT}");
        return Err(FuncError::Refused(Box::new(Diagnostic::input("template-value-depth", message))));
    }
    if target.same(source) {
        return Ok(());
    }
    for (key, value) in source.snapshot() {
        let own = target.get(&key);
        if value.is_nil() {
            if overwrite {
                ctx.before_change(target)?;
                target.set(key, value);
            }
            continue;
        }
        if let (Some(Val::Map(own)), Val::Map(value)) = (&own, &value) {
            merge_within(ctx, own, value, overwrite, depth - 1)?;
            if !own.is_empty() {
                continue;
            }
        }
        if overwrite || own.as_ref().is_none_or(|own| !truth(own)) {
            ctx.before_change(target)?;
            target.set(key, value);
        }
    }
    Ok(())
}
