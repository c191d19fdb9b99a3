//! Types and kinds by the names Go prints.

use crate::gotmpl::{FuncSpec, Ty, deep_equal};

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("typeOf", &[Ty::Any], |_, args| Ok(args.val(0).type_name().into_owned().into())),
    FuncSpec::fixed("typeIs", &[Ty::Str, Ty::Any], |_, args| {
        Ok((args.bytes(0) == args.val(1).type_name().as_bytes()).into())
    }),
    FuncSpec::fixed("typeIsLike", &[Ty::Str, Ty::Any], |_, args| {
        let (target, name) = (args.bytes(0), args.val(1).type_name());
        Ok((target == name.as_bytes() || name.strip_prefix('*').is_some_and(|name| target == name.as_bytes())).into())
    }),
    FuncSpec::fixed("kindOf", &[Ty::Any], |_, args| Ok(args.val(0).kind().name().into())),
    FuncSpec::fixed("kindIs", &[Ty::Str, Ty::Any], |_, args| {
        Ok((args.bytes(0) == args.val(1).kind().name().as_bytes()).into())
    }),
    FuncSpec::fixed("deepEqual", &[Ty::Any, Ty::Any], |_, args| Ok(deep_equal(args.val(0), args.val(1)).into())),
];
