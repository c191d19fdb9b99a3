//! Function rows: a name, Go parameter types, and what to run. The engine checks arguments against the types once, as `reflect`
//! does, so that a row's code may rely on them.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Ctx, ExecError, List, Map, Str, Val};
use crate::diag::{Diagnostic, did_you_mean};

/// A Go parameter type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "a type that Go has; naming and converting it is complete, whoever takes one")]
pub enum Ty {
    /// `interface {}`: anything, nil included.
    Any,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `float64`.
    Float,
    /// `string`.
    Str,
    /// `[]interface {}`; nil is the nil slice.
    List,
    /// `[]string`; nil is the nil slice.
    Strings,
    /// `map[string]interface {}`; nil is the nil map. A named type over it (`common.Values`) is taken as well.
    Map,
    /// `reflect.Value`: anything, unconverted; what Go's own builtins take.
    Value,
    /// A struct or pointer type, by the name that `%T` prints.
    Named(&'static str),
}

impl Ty {
    /// The type as Go prints it.
    pub fn name(self) -> &'static str {
        match self {
            Ty::Any => "interface {}",
            Ty::Bool => "bool",
            Ty::Int => "int",
            Ty::Int32 => "int32",
            Ty::Int64 => "int64",
            Ty::Float => "float64",
            Ty::Str => "string",
            Ty::List => "[]interface {}",
            Ty::Strings => "[]string",
            Ty::Map => "map[string]interface {}",
            Ty::Value => "reflect.Value",
            Ty::Named(name) => name,
        }
    }

    /// True where nil is a value of the type.
    pub fn takes_nil(self) -> bool {
        match self {
            Ty::Any | Ty::List | Ty::Strings | Ty::Map | Ty::Value => true,
            Ty::Named(name) => name.starts_with('*'),
            _ => false,
        }
    }
}

/// Why a function failed.
#[derive(Debug)]
pub enum FuncError {
    /// The text of the Go error.
    Message(String),
    /// A template that the function ran failed; `prefix` is what the function put before its text (`""` for `include`).
    Nested {
        /// What stands before the nested error's text.
        prefix: String,
        /// The nested failure.
        source: Box<ExecError>,
    },
    /// Something Go has no text for: a limit of ours.
    Refused(Box<Diagnostic>),
}

impl FuncError {
    /// An error with Go's text.
    pub fn new(text: impl Into<String>) -> FuncError {
        FuncError::Message(text.into())
    }
}

impl From<String> for FuncError {
    fn from(text: String) -> FuncError {
        FuncError::Message(text)
    }
}

impl From<&str> for FuncError {
    fn from(text: &str) -> FuncError {
        FuncError::Message(text.to_owned())
    }
}

impl From<Box<Diagnostic>> for FuncError {
    fn from(diagnostic: Box<Diagnostic>) -> FuncError {
        FuncError::Refused(diagnostic)
    }
}

/// What a function runs.
pub type Run = fn(&mut Ctx<'_>, Args<'_>) -> Result<Val, FuncError>;

/// One row of a function table.
#[derive(Clone, Copy, Debug)]
pub struct FuncSpec {
    /// The name in templates.
    pub name: &'static str,
    /// The parameter types; of a variadic function the last one is the type of each further argument.
    pub params: &'static [Ty],
    /// True if the last parameter takes any number of arguments.
    pub variadic: bool,
    /// What to run.
    pub run: Run,
}

impl FuncSpec {
    /// A row with a fixed number of parameters.
    pub const fn fixed(name: &'static str, params: &'static [Ty], run: Run) -> FuncSpec {
        FuncSpec { name, params, variadic: false, run }
    }

    /// A row whose last parameter takes any number of arguments.
    pub const fn variadic(name: &'static str, params: &'static [Ty], run: Run) -> FuncSpec {
        FuncSpec { name, params, variadic: true, run }
    }
}

/// A method of an [`super::Object`]: name and parameters, checked as for functions.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The exported name.
    pub name: &'static str,
    /// The parameter types; of a variadic method the last one is the type of each further argument.
    pub params: &'static [Ty],
    /// True if the last parameter takes any number of arguments.
    pub variadic: bool,
}

/// Every function that templates may call. Immutable once made; the same table must be used to compile and to execute.
#[derive(Clone, Debug)]
pub struct FuncTable {
    rows: Vec<FuncSpec>,
    ids: FxHashMap<&'static str, u32>,
}

/// Room for about as many rows as Helm's functions take.
const ROWS_LIKELY: usize = 256;

impl FuncTable {
    /// Go's own functions and these; a later row takes the place of an earlier one of the same name.
    pub fn new(rows: impl IntoIterator<Item = FuncSpec>) -> FuncTable {
        let ids = FxHashMap::with_capacity_and_hasher(ROWS_LIKELY, FxBuildHasher);
        let mut table = FuncTable { rows: Vec::with_capacity(ROWS_LIKELY), ids };
        for row in super::builtin::ROWS.iter().copied().chain(rows) {
            if let Some(&id) = table.ids.get(row.name) {
                table.rows[id as usize] = row;
            } else {
                table.ids.insert(row.name, table.rows.len() as u32);
                table.rows.push(row);
            }
        }
        table
    }

    pub(super) fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The name nearest to one that no function has.
    pub(super) fn nearest(&self, name: &str) -> Option<&'static str> {
        did_you_mean(name, self.rows.iter().map(|row| row.name))
    }

    pub(super) fn row(&self, id: u32) -> &FuncSpec {
        &self.rows[id as usize]
    }
}

/// The arguments of one call, checked against the row's types. A missing or mistyped one reads as empty, which cannot happen
/// to a row that reads what it declares.
#[derive(Debug)]
pub struct Args<'a>(&'a mut [Val]);

impl<'a> Args<'a> {
    /// Arguments for a direct call; the caller answers for their types.
    pub fn new(values: &'a mut [Val]) -> Args<'a> {
        Args(values)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Any argument; nil where there is none.
    pub fn val(&self, index: usize) -> &Val {
        self.0.get(index).unwrap_or(&Val::Nil)
    }

    /// Takes an argument out; nil is left.
    pub fn take(&mut self, index: usize) -> Val {
        self.0.get_mut(index).map(std::mem::take).unwrap_or_default()
    }

    /// The bytes of a [`Ty::Str`] argument.
    pub fn bytes(&self, index: usize) -> &[u8] {
        match self.val(index) {
            Val::Str(text) => text.as_bytes(),
            _ => b"",
        }
    }

    /// A [`Ty::Str`] argument.
    pub fn str(&self, index: usize) -> Str {
        match self.val(index) {
            Val::Str(text) => text.clone(),
            _ => Str::EMPTY,
        }
    }

    /// An integer argument of any width.
    pub fn int(&self, index: usize) -> i64 {
        match self.val(index) {
            Val::Int(value, _) => *value,
            _ => 0,
        }
    }

    /// A [`Ty::Float`] argument.
    pub fn float(&self, index: usize) -> f64 {
        match self.val(index) {
            Val::Float(value) => *value,
            _ => 0.0,
        }
    }

    /// A [`Ty::Bool`] argument.
    pub fn bool(&self, index: usize) -> bool {
        matches!(self.val(index), Val::Bool(true))
    }

    /// A [`Ty::Map`] argument; nothing for the nil map.
    pub fn map(&self, index: usize) -> Option<&Map> {
        self.val(index).as_map()
    }

    /// A [`Ty::List`] or [`Ty::Strings`] argument; nothing for the nil slice.
    pub fn list(&self, index: usize) -> Option<&List> {
        self.val(index).as_list()
    }

    /// The arguments from `index` on: the variadic ones.
    pub fn rest(&self, index: usize) -> &[Val] {
        self.0.get(index..).unwrap_or_default()
    }
}

/// A call in a template, as far as it tells one source of randomness from another.
#[derive(Clone, Debug)]
pub struct CallSite<'a> {
    /// Name of the template text (the file).
    pub template: &'a str,
    /// Byte offset of the call in it.
    pub offset: u32,
}

/// What a render must not find for itself: handed in by the room that renders.
pub trait Host {
    /// Now: seconds since the epoch and nanoseconds.
    fn now(&mut self) -> (i64, u32);

    /// Fills `out` with random bytes; `site` is the call that asks.
    fn random(&mut self, site: &CallSite<'_>, out: &mut [u8]);

    /// `getHostByName`: the first address of a host; empty where lookups are off.
    fn host_address(&mut self, name: &str) -> Result<String, FuncError>;

    /// `lookup`: an object or list of the cluster; an empty map where there is none.
    fn lookup(&mut self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Val, FuncError>;

    /// Takes note of something worth telling that does not stop the render.
    fn warn(&mut self, warning: Diagnostic);
}
