//! Paths, with the names for slashes and, the same on the systems Helm's answers come from, those for files.

use crate::go::path;
use crate::gotmpl::{FuncSpec, Ty, Val};

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("base", &[Ty::Str], |_, args| Ok(Val::str(path::base(args.bytes(0))))),
    FuncSpec::fixed("dir", &[Ty::Str], |_, args| Ok(path::dir(args.bytes(0)).into())),
    FuncSpec::fixed("clean", &[Ty::Str], |_, args| Ok(path::clean(args.bytes(0)).into())),
    FuncSpec::fixed("ext", &[Ty::Str], |_, args| Ok(Val::str(path::ext(args.bytes(0))))),
    FuncSpec::fixed("isAbs", &[Ty::Str], |_, args| Ok(path::is_abs(args.bytes(0)).into())),
    FuncSpec::fixed("osBase", &[Ty::Str], |_, args| Ok(Val::str(path::base(args.bytes(0))))),
    FuncSpec::fixed("osDir", &[Ty::Str], |_, args| Ok(path::dir(args.bytes(0)).into())),
    FuncSpec::fixed("osClean", &[Ty::Str], |_, args| Ok(path::clean(args.bytes(0)).into())),
    FuncSpec::fixed("osExt", &[Ty::Str], |_, args| Ok(Val::str(path::ext(args.bytes(0))))),
    FuncSpec::fixed("osIsAbs", &[Ty::Str], |_, args| Ok(path::is_abs(args.bytes(0)).into())),
];
