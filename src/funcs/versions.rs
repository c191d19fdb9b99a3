//! Semantic versions: `semverCompare` and the typed value that `semver` gives.

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::go::semver::{Constraints, Version};
use crate::gotmpl::{Args, Ctx, FuncError, FuncSpec, IntKind, Kind, Method, Object, Str, Ty, Val};

type Answer = Result<Val, FuncError>;

/// Constraints by their text, for the length of a render.
#[derive(Default)]
struct Cache(FxHashMap<Str, Rc<Constraints>>);

pub(super) const ROWS: &[FuncSpec] = &[
    FuncSpec::fixed("semver", &[Ty::Str], |_, args| {
        let version = Version::parse(&args.str(0).to_str_lossy())?;
        Ok(Val::object(Semver { version, pointer: true }))
    }),
    FuncSpec::fixed("semverCompare", &[Ty::Str, Ty::Str], compare),
];

fn compare(ctx: &mut Ctx<'_>, args: Args<'_>) -> Answer {
    let text = args.str(0);
    let known = ctx.cache::<Cache>().0.get(&text).cloned();
    let constraints = if let Some(constraints) = known { constraints } else {
        let fresh = Rc::new(Constraints::parse(&text.to_str_lossy())?);
        ctx.cache::<Cache>().0.insert(text, fresh.clone());
        fresh
    };
    let version = Version::parse(&args.str(1).to_str_lossy())?;
    Ok(constraints.check(&version).into())
}

/// `*semver.Version`, or `semver.Version` where a method of it returns one.
#[derive(Debug)]
pub(super) struct Semver {
    version: Version,
    pointer: bool,
}

const POINTER: &str = "*semver.Version";

const fn method(name: &'static str, params: &'static [Ty]) -> Method {
    Method { name, params, variadic: false }
}

/// Methods with a value receiver come first; the rest a `semver.Version` that is no pointer does not have.
const METHODS: &[Method] = &[
    method("Major", &[]),
    method("Minor", &[]),
    method("Patch", &[]),
    method("Prerelease", &[]),
    method("Metadata", &[]),
    method("String", &[]),
    method("IncMajor", &[]),
    method("IncMinor", &[]),
    method("IncPatch", &[]),
    method("SetPrerelease", &[Ty::Str]),
    method("SetMetadata", &[Ty::Str]),
    method("Original", &[]),
    method("Compare", &[Ty::Named(POINTER)]),
    method("Equal", &[Ty::Named(POINTER)]),
    method("LessThan", &[Ty::Named(POINTER)]),
    method("LessThanEqual", &[Ty::Named(POINTER)]),
    method("GreaterThan", &[Ty::Named(POINTER)]),
    method("GreaterThanEqual", &[Ty::Named(POINTER)]),
];

/// How many of [`METHODS`] have a value receiver.
const VALUE_METHODS: usize = 11;

fn number(value: u64) -> Val {
    Val::Int(value as i64, IntKind::Uint64)
}

fn plain_version(version: Result<Version, String>) -> Answer {
    Ok(Val::object(Semver { version: version?, pointer: false }))
}

impl Object for Semver {
    fn type_name(&self) -> Cow<'_, str> {
        if self.pointer { POINTER.into() } else { "semver.Version".into() }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Ptr } else { Kind::Struct }
    }

    fn methods(&self) -> &'static [Method] {
        if self.pointer { METHODS } else { &METHODS[..VALUE_METHODS] }
    }

    fn call(self: Rc<Self>, method: &'static Method, _: &mut Ctx<'_>, args: Args<'_>) -> Answer {
        let version = &self.version;
        let order = || match args.val(0).as_object::<Semver>() {
            Some(other) => Ok(version.compare(&other.version)),
            None => Err(FuncError::new(super::lists::NIL_DEREFERENCE)),
        };
        let text = |index: usize| args.str(index).to_str_lossy().into_owned();
        Ok(match method.name {
            "Major" => number(version.major),
            "Minor" => number(version.minor),
            "Patch" => number(version.patch),
            "Prerelease" => version.prerelease.as_str().into(),
            "Metadata" => version.metadata.as_str().into(),
            "Original" => version.original().into(),
            "IncMajor" => plain_version(version.inc_major())?,
            "IncMinor" => plain_version(version.inc_minor())?,
            "IncPatch" => plain_version(version.inc_patch())?,
            "SetPrerelease" => plain_version(version.set_prerelease(&text(0)))?,
            "SetMetadata" => plain_version(version.set_metadata(&text(0)))?,
            "Compare" => Val::int(order()? as i64),
            "Equal" => (order()? == Ordering::Equal).into(),
            "LessThan" => (order()? == Ordering::Less).into(),
            "LessThanEqual" => (order()? != Ordering::Greater).into(),
            "GreaterThan" => (order()? == Ordering::Greater).into(),
            "GreaterThanEqual" => (order()? != Ordering::Less).into(),
            _ => version.to_string().into(),
        })
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.version.to_string().as_bytes());
    }

    fn plain(&self) -> Val {
        self.version.to_string().into()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Semver>().is_some_and(|other| self.version == other.version)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
