//! Functions that hand over to the engine or the host: other templates, texts as templates, the cluster.

use crate::gotmpl::{FuncError, FuncSpec, Ty, Val};

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("include", &[Ty::Str, Ty::Any], |ctx, mut args| {
        let data = args.take(1);
        Ok(ctx.include(&args.str(0), data)?.into())
    }),
    FuncSpec::fixed("tpl", &[Ty::Str, Ty::Any], |ctx, mut args| {
        let data = args.take(1);
        Ok(ctx.tpl(&args.str(0), data)?.into())
    }),
    FuncSpec::fixed("required", &[Ty::Str, Ty::Any], |_, mut args| {
        let missing = match args.val(1) {
            Val::Nil => true,
            Val::Str(text) => text.is_empty(),
            _ => false,
        };
        if missing { Err(FuncError::new(args.str(0).to_str_lossy())) } else { Ok(args.take(1)) }
    }),
    FuncSpec::fixed("lookup", &[Ty::Str, Ty::Str, Ty::Str, Ty::Str], |ctx, args| {
        let [version, kind, namespace, name] = [0, 1, 2, 3].map(|index| args.str(index).to_str_lossy().into_owned());
        ctx.host().lookup(&version, &kind, &namespace, &name)
    }),
];
