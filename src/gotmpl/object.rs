//! Typed Go values: structs, pointers, named types and errors that templates reach fields and methods of.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;
use std::rc::Rc;

use super::{Args, Ctx, FuncError, IntKind, Method, Val};

/// Go's `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Invalid,
    /// `bool`.
    Bool,
    /// An integer.
    Int(IntKind),
    /// `float64`.
    Float64,
    /// `complex128`.
    Complex128,
    /// `string`.
    String,
    /// A slice.
    Slice,
    /// A map.
    Map,
    /// A struct.
    Struct,
    /// A pointer.
    Ptr,
    /// A function.
    #[expect(dead_code, reason = "a type that Go has; naming and converting it is complete, whoever makes one")]
    Func,
}

impl Kind {
    /// The kind as `kindOf` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Bool => "bool",
            Kind::Int(kind) => kind.name(),
            Kind::Float64 => "float64",
            Kind::Complex128 => "complex128",
            Kind::String => "string",
            Kind::Slice => "slice",
            Kind::Map => "map",
            Kind::Struct => "struct",
            Kind::Ptr => "ptr",
            Kind::Func => "func",
        }
    }
}

/// A Go value with a type of its own.
///
/// Fields come from [`Object::field`], methods from [`Object::methods`]; a slice or map kind also answers [`Object::plain`] with
/// the [`Val::List`] or [`Val::Map`] that it is underneath, which the engine ranges over, indexes and measures.
pub trait Object: Debug {
    /// The type as `%T` prints it (`time.Time`, `*semver.Version`).
    fn type_name(&self) -> Cow<'_, str>;

    /// Go's kind.
    fn kind(&self) -> Kind;

    /// The exported field of that name, for structs and pointers to them. A field of interface type holding nil is `Val::Nil`.
    fn field(&self, name: &str) -> Option<Val> {
        let _ = name;
        None
    }

    /// The exported methods.
    fn methods(&self) -> &'static [Method] {
        &[]
    }

    /// Runs the method of that row; arguments are already checked.
    fn call(self: Rc<Self>, method: &'static Method, ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Val, FuncError> {
        let _ = (ctx, args);
        Err(FuncError::new(format!("method {} cannot be called", method.name)))
    }

    /// What `%v` and `print` show: the text of `String` or `Error`, or Go's form for the type.
    fn write_text(&self, out: &mut Vec<u8>);

    /// True if the type has an `Error` or `String` method, so that `%s`, `%q` and `%x` take its text.
    fn is_stringer(&self) -> bool {
        true
    }

    /// The value as encoding/json would give it: what `toYaml`, `toJson`, `range`, `index` and `len` work on.
    fn plain(&self) -> Val;

    /// The fields of a struct as encoding/json writes them, in their order.
    fn json_fields(&self) -> Option<&[(&'static str, Val)]> {
        None
    }

    /// What indexing gives for a key that a map does not have.
    fn absent(&self) -> Val {
        Val::Nil
    }

    /// Truth, as `if` sees it: structs and pointers are true, other kinds as their plain form.
    fn truth(&self) -> bool {
        match self.kind() {
            Kind::Struct | Kind::Ptr | Kind::Func => true,
            _ => super::truth(&self.plain()),
        }
    }

    /// Equality as `reflect.DeepEqual` has it, for two objects of one type name.
    fn equals(&self, other: &dyn Object) -> bool {
        super::deep_equal(&self.plain(), &other.plain())
    }

    /// For a downcast to the concrete type.
    fn as_any(&self) -> &dyn Any;
}
