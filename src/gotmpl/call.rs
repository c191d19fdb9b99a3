//! Calls: arguments checked against Go parameter types as `reflect` does, then the function or method; and field access, which may
//! end in a method.

use std::rc::Rc;

use super::builtin::{AND, CALL, OR};
use super::exec::{Frame, Result, Slot};
use super::node::{ExprKind, NodeRef};
use super::print::quote;
use super::{
    Args, Cause, Ctx, FuncError, IntKind, Kind, ListType, Map, MapType, Method, NamedMap, Object, Str, Ty, Val, truth,
};

impl Ctx<'_> {
    pub(super) fn call_function(
        &mut self,
        f: &Frame<'_>,
        dot: &Slot,
        id: u32,
        node: NodeRef,
        args: &[u32],
        last: Option<Val>,
    ) -> Result<Slot> {
        let templates = self.templates;
        let row = templates.functions().row(id);
        check_count(f, row.name, row.params, row.variadic, args.len(), last.is_some())?;
        if id == AND || id == OR {
            return self.short_circuit(f, dot, id == OR, args, last);
        }
        let mut values = self.arguments(f, dot, row.params, row.variadic, args, last)?;
        self.site = f.offset(node);
        let result = (row.run)(self, Args::new(&mut values));
        self.recycle(values);
        match result {
            Ok(value) => Ok(Slot::plain(value)),
            Err(FuncError::Message(text)) if id == CALL && text.starts_with("of type") => {
                f.at(node);
                let shown = args.first().map(|arg| f.unit.show(NodeRef::Expr(*arg))).unwrap_or_default();
                Err(failed_call(f, row.name, format!("non-function {shown} {text}").into()))
            }
            Err(error) => {
                f.at(node);
                Err(failed_call(f, row.name, error))
            }
        }
    }

    /// `and` and `or` evaluate no further than they must.
    fn short_circuit(&mut self, f: &Frame<'_>, dot: &Slot, stop_at: bool, args: &[u32], last: Option<Val>) -> Result<Slot> {
        let mut value = Val::Nil;
        for &arg in args {
            value = self.argument(f, dot, Ty::Value, arg)?;
            if truth(&value) == stop_at {
                return Ok(Slot::plain(value));
            }
        }
        Ok(Slot::plain(last.unwrap_or(value)))
    }

    fn arguments(
        &mut self,
        f: &Frame<'_>,
        dot: &Slot,
        params: &'static [Ty],
        variadic: bool,
        args: &[u32],
        last: Option<Val>,
    ) -> Result<Vec<Val>> {
        let mut values = self.pool.pop().unwrap_or_default();
        let fixed = params.len() - usize::from(variadic);
        let rest = params.last().copied().unwrap_or(Ty::Any);
        for (index, &arg) in args.iter().enumerate() {
            let ty = if index < fixed { params[index] } else { rest };
            values.push(self.argument(f, dot, ty, arg)?);
        }
        if let Some(last) = last {
            let ty = if variadic && args.len() < fixed { params[args.len()] } else { rest };
            values.push(validate(f, Slot::plain(last), ty)?);
        }
        Ok(values)
    }

    fn recycle(&mut self, mut values: Vec<Val>) {
        values.clear();
        if self.pool.len() < 32 {
            self.pool.push(values);
        }
    }

    /// One argument for a parameter of a type.
    fn argument(&mut self, f: &Frame<'_>, dot: &Slot, ty: Ty, id: u32) -> Result<Val> {
        f.at(NodeRef::Expr(id));
        match f.unit.exprs[id as usize].kind {
            ExprKind::Dot => {
                self.note_read(f, NodeRef::Expr(id));
                validate(f, dot.clone(), ty)
            }
            ExprKind::Nil if ty.takes_nil() => Ok(Val::Nil),
            ExprKind::Nil => Err(f.error(format!("cannot assign nil to {}", ty.name()))),
            ExprKind::Pipe(pipe) => {
                let value = self.pipe(f, dot, pipe)?;
                validate(f, Slot::plain(value), ty)
            }
            ExprKind::Func { id: function, .. } => {
                let value = self.call_function(f, dot, function, NodeRef::Expr(id), &[], None)?;
                validate(f, value, ty)
            }
            ExprKind::Field(_) | ExprKind::Var { .. } | ExprKind::Chain { .. } => {
                let value = self.path(f, dot, id, &[], None)?;
                validate(f, value, ty)
            }
            _ => Self::literal(f, ty, id),
        }
    }

    /// A literal for a parameter of a type.
    fn literal(f: &Frame<'_>, ty: Ty, id: u32) -> Result<Val> {
        let kind = f.unit.exprs[id as usize].kind;
        let number = match kind {
            ExprKind::Number(number) => Some(&f.unit.numbers[number as usize]),
            _ => None,
        };
        let int = |kind| number.and_then(|number| number.int).map(|value| Val::Int(value, kind));
        let (found, wanted) = match ty {
            Ty::Any | Ty::Value => return Self::constant(f, id),
            Ty::Bool => (if let ExprKind::Bool(value) = kind { Some(Val::Bool(value)) } else { None }, "bool"),
            Ty::Str => (
                if let ExprKind::Str(text) = kind { Some(Val::Str(f.unit.strings[text as usize].clone())) } else { None },
                "string",
            ),
            Ty::Int => (int(IntKind::Int), "integer"),
            Ty::Int32 => (int(IntKind::Int32), "integer"),
            Ty::Int64 => (int(IntKind::Int64), "integer"),
            Ty::Float => (number.and_then(|number| number.float).map(Val::Float), "float"),
            Ty::List | Ty::Strings | Ty::Map | Ty::Named(_) => (None, ""),
        };
        let shown = || f.unit.show(NodeRef::Expr(id));
        match found {
            Some(value) => Ok(value),
            None if wanted.is_empty() => Err(f.error(format!("can't handle {} for arg of type {}", shown(), ty.name()))),
            None => Err(f.error(format!("expected {wanted}; found {}", shown()))),
        }
    }

    /// A field, map key or method of a value.
    #[expect(clippy::too_many_arguments, reason = "one link of a chain, with the arguments of the method it may be")]
    pub(super) fn field(
        &mut self,
        f: &Frame<'_>,
        dot: &Slot,
        name: &Str,
        node: NodeRef,
        args: &[u32],
        last: Option<Val>,
        receiver: &Slot,
    ) -> Result<Slot> {
        let has_args = !args.is_empty() || last.is_some();
        match &receiver.val {
            Val::Map(map) => {
                if let Some(named) = map.named()
                    && let Some(method) = named.methods.iter().find(|method| method.name.as_bytes() == name.as_bytes())
                {
                    return self.call_method(f, dot, Receiver::Map(map, named), method, node, args, last);
                }
                if has_args {
                    return Err(f.error(format!("{name} is not a method but has arguments")));
                }
                let iface = map.ty() != MapType::Str;
                match map.field(name) {
                    Some(val) => Ok(Slot { val, iface }),
                    None if self.strict() => {
                        Err(f.error(format!("map has no entry for key {}", quote(name.as_bytes()))))
                    }
                    None if iface => Ok(Slot { val: Val::Nil, iface }),
                    None => Ok(Slot::plain(Val::Str(Str::EMPTY))),
                }
            }
            Val::Nil if receiver.iface => Err(f.error(format!("nil pointer evaluating interface {{}}.{name}"))),
            Val::Nil if self.strict() => {
                Err(f.error(format!("nil data; no entry for key {}", quote(name.as_bytes()))))
            }
            Val::Nil => Ok(Slot::default()),
            Val::Object(object) => {
                let text = name.to_str_lossy();
                if let Some(method) = object.methods().iter().find(|method| method.name == text) {
                    return self.call_method(f, dot, Receiver::Object(object), method, node, args, last);
                }
                if let Some(val) = object.field(&text) {
                    if has_args {
                        return Err(f.error(format!("{name} has arguments but cannot be invoked as function")));
                    }
                    let iface = val.is_nil();
                    return Ok(Slot { val, iface });
                }
                if object.kind() == Kind::Map {
                    let plain = Slot::plain(object.plain());
                    return self.field(f, dot, name, node, args, last, &plain);
                }
                Err(no_field(f, name, receiver))
            }
            _ => Err(no_field(f, name, receiver)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a call: receiver, method, place, arguments")]
    fn call_method(
        &mut self,
        f: &Frame<'_>,
        dot: &Slot,
        receiver: Receiver<'_>,
        method: &'static Method,
        node: NodeRef,
        args: &[u32],
        last: Option<Val>,
    ) -> Result<Slot> {
        check_count(f, method.name, method.params, method.variadic, args.len(), last.is_some())?;
        let mut values = self.arguments(f, dot, method.params, method.variadic, args, last)?;
        self.site = f.offset(node);
        let result = match receiver {
            Receiver::Object(object) => object.clone().call(method, self, Args::new(&mut values)),
            Receiver::Map(map, named) => (named.call)(map, method, Args::new(&mut values)),
        };
        self.recycle(values);
        result.map(Slot::plain).map_err(|error| {
            f.at(node);
            failed_call(f, method.name, error)
        })
    }
}

/// What a method is called on.
enum Receiver<'a> {
    Object(&'a Rc<dyn Object>),
    Map(&'a Map, &'static NamedMap),
}

#[cold]
fn no_field(f: &Frame<'_>, name: &Str, receiver: &Slot) -> Box<super::ExecError> {
    f.error(format!("can't evaluate field {name} in type {}", receiver.type_name()))
}

#[cold]
fn failed_call(f: &Frame<'_>, name: &str, error: FuncError) -> Box<super::ExecError> {
    let cause = match error {
        FuncError::Message(text) => Cause::Text(text),
        FuncError::Nested { prefix, source } => Cause::Nested(prefix, source),
        FuncError::Refused(diagnostic) => Cause::Refused(diagnostic),
    };
    f.error_with(format!("error calling {name}: "), Some(cause))
}

fn check_count(f: &Frame<'_>, name: &str, params: &[Ty], variadic: bool, args: usize, piped: bool) -> Result<()> {
    let given = args + usize::from(piped);
    let fixed = params.len() - usize::from(variadic);
    if variadic && given < fixed {
        return Err(f.error(format!("wrong number of args for {name}: want at least {fixed} got {args}")));
    }
    if !variadic && given != fixed {
        return Err(f.error(format!("wrong number of args for {name}: want {fixed} got {given}")));
    }
    Ok(())
}

/// Makes a value fit a parameter, or says why it does not.
fn validate(f: &Frame<'_>, slot: Slot, ty: Ty) -> Result<Val> {
    let fits = match (&slot.val, ty) {
        (_, Ty::Any | Ty::Value) => true,
        (Val::Nil, _) if slot.iface => false,
        (Val::Nil, _) if ty.takes_nil() => true,
        (Val::Nil, _) => return Err(f.error(format!("invalid value; expected {}", ty.name()))),
        (Val::Str(_), Ty::Str) | (Val::Bool(_), Ty::Bool) | (Val::Float(_), Ty::Float) | (Val::Map(_), Ty::Map) => {
            !matches!(&slot.val, Val::Map(map) if map.ty() == MapType::Str)
        }
        (Val::Int(_, kind), _) => {
            matches!((kind, ty), (IntKind::Int, Ty::Int) | (IntKind::Int32, Ty::Int32) | (IntKind::Int64, Ty::Int64))
        }
        (Val::List(list), _) => {
            matches!((list.ty(), ty), (ListType::Any, Ty::List) | (ListType::Str, Ty::Strings))
        }
        (Val::Object(object), Ty::Named(name)) => {
            let own = object.type_name();
            own == name || own.strip_prefix('*') == Some(name)
        }
        _ => false,
    };
    if fits {
        // a named map type is converted to the parameter's, which what the function gives back has too
        return Ok(match (slot.val, ty) {
            (Val::Map(map), Ty::Map) => Val::Map(map.retyped(MapType::Any)),
            (val, _) => val,
        });
    }
    let got = if slot.val.is_nil() { "interface {}".into() } else { slot.val.type_name() };
    Err(f.error(format!("wrong type for value; expected {}; got {got}", ty.name())))
}
