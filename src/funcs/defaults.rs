//! Defaults and choices: what stands in for an empty value.

use crate::gotmpl::{FuncError, FuncSpec, Ty, Val, truth};

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::variadic("default", &[Ty::Any, Ty::Any], |_, mut args| {
        let given = args.len() > 1 && truth(args.val(1));
        Ok(args.take(usize::from(given)))
    }),
    FuncSpec::fixed("empty", &[Ty::Any], |_, args| Ok((!truth(args.val(0))).into())),
    FuncSpec::variadic("coalesce", &[Ty::Any], |_, args| {
        Ok(args.rest(0).iter().find(|value| truth(value)).cloned().unwrap_or_default())
    }),
    FuncSpec::variadic("all", &[Ty::Any], |_, args| Ok(args.rest(0).iter().all(truth).into())),
    FuncSpec::variadic("any", &[Ty::Any], |_, args| Ok(args.rest(0).iter().any(truth).into())),
    FuncSpec::fixed("ternary", &[Ty::Any, Ty::Any, Ty::Bool], |_, mut args| {
        let index = usize::from(!args.bool(2));
        Ok(args.take(index))
    }),
    FuncSpec::fixed("fail", &[Ty::Str], |_, args| {
        Err::<Val, _>(FuncError::new(args.str(0).to_str_lossy()))
    }),
];
