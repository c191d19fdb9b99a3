//! Loops of two variables: `all`, `exists`, `existsOne`, `transformList`, `transformMap` over keys or indices and values.
//!
//! A loop over pairs of one variable, in whose body both names are bound.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, operators};
use cel::parser::{Macro, MacroExprHelper, ParseError};
use cel::{DeclarationError, Env};

/// The variable of the loop over pairs.
const PAIR: &str = "@pair";
/// The function that makes pairs of a list or map.
pub(super) const PAIRS: &str = "@pairs";
/// The function that makes a map of pairs.
pub(super) const FROM_PAIRS: &str = "@fromPairs";

/// Adds the loops.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let all = |name: &str| Macro::receiver(name, 3, |make: &mut MacroExprHelper<'_>, target: &mut Option<IdedExpr>, args: &mut Vec<IdedExpr>| {
        folded(make, target, args, Fold::All).map(Some)
    });
    env.add_macro(all("all"))?;
    env.add_macro(Macro::receiver("exists", 3, |make, target, args| folded(make, target, args, Fold::Exists).map(Some)))?;
    for name in ["existsOne", "exists_one"] {
        env.add_macro(Macro::receiver(name, 3, |make, target, args| folded(make, target, args, Fold::One).map(Some)))?;
    }
    for (name, count, map) in [("transformList", 3, false), ("transformList", 4, false), ("transformMap", 3, true), ("transformMap", 4, true)] {
        env.add_macro(Macro::receiver(name, count, move |make, target, args| transformed(make, target, args, map).map(Some)))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Fold {
    All,
    Exists,
    One,
}

fn call(make: &mut MacroExprHelper<'_>, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    make.next_expr(Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
}

fn ident(make: &mut MacroExprHelper<'_>, name: &str) -> IdedExpr {
    make.next_expr(Expr::Ident(name.to_owned()))
}

fn truth(make: &mut MacroExprHelper<'_>, value: bool) -> IdedExpr {
    make.next_expr(Expr::Literal(LiteralValue::Boolean(value.into())))
}

fn whole(make: &mut MacroExprHelper<'_>, value: i64) -> IdedExpr {
    make.next_expr(Expr::Literal(LiteralValue::Int(value.into())))
}

fn name_of(make: &MacroExprHelper<'_>, node: &IdedExpr) -> Result<String, ParseError> {
    match &node.expr {
        Expr::Ident(name) => Ok(name.clone()),
        _ => Err(make.new_error(node.id, "argument is not an identifier")),
    }
}

/// `body` with `name` bound to a part of the pair.
fn bound(make: &mut MacroExprHelper<'_>, name: String, part: i64, body: IdedExpr) -> IdedExpr {
    let pair = ident(make, PAIR);
    let at = whole(make, part);
    let value = call(make, operators::INDEX, vec![pair, at]);
    let nothing = make.next_expr(Expr::List(ListExpr::new(Vec::new())));
    let step = ident(make, &name);
    let never = truth(make, false);
    make.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: nothing,
        iter_var: "#unused".to_owned(),
        iter_var2: None,
        accu_var: name,
        accu_init: value,
        loop_cond: never,
        loop_step: step,
        result: body,
    })))
}

/// Both names bound around each of the bodies.
fn bodies(make: &mut MacroExprHelper<'_>, args: &mut Vec<IdedExpr>) -> Result<Vec<IdedExpr>, ParseError> {
    let rest = args.split_off(2);
    let (value, key) = (args.pop(), args.pop());
    let (Some(value), Some(key)) = (value, key) else { return Ok(rest) };
    let (key, value) = (name_of(make, &key)?, name_of(make, &value)?);
    Ok(rest
        .into_iter()
        .map(|body| {
            let inner = bound(make, value.clone(), 1, body);
            bound(make, key.clone(), 0, inner)
        })
        .collect())
}

fn folded(
    make: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
    fold: Fold,
) -> Result<IdedExpr, ParseError> {
    const RESULT: &str = "@result";
    let mut bodies = bodies(make, args)?;
    let (Some(body), Some(target)) = (bodies.pop(), target.take()) else {
        return Err(make.new_error(0, "arguments are missing"));
    };
    let range = call(make, PAIRS, vec![target]);
    let so_far = ident(make, RESULT);
    let (init, condition, step, result) = match fold {
        Fold::All => {
            let going = ident(make, RESULT);
            let condition = call(make, operators::NOT_STRICTLY_FALSE, vec![going]);
            let step = call(make, operators::LOGICAL_AND, vec![so_far, body]);
            (truth(make, true), condition, step, ident(make, RESULT))
        }
        Fold::Exists => {
            let going = ident(make, RESULT);
            let going = call(make, operators::LOGICAL_NOT, vec![going]);
            let condition = call(make, operators::NOT_STRICTLY_FALSE, vec![going]);
            let step = call(make, operators::LOGICAL_OR, vec![so_far, body]);
            (truth(make, false), condition, step, ident(make, RESULT))
        }
        Fold::One => {
            let one = whole(make, 1);
            let more = call(make, operators::ADD, vec![so_far, one]);
            let same = ident(make, RESULT);
            let step = call(make, operators::CONDITIONAL, vec![body, more, same]);
            let (count, one) = (ident(make, RESULT), whole(make, 1));
            (whole(make, 0), truth(make, true), step, call(make, operators::EQUALS, vec![count, one]))
        }
    };
    Ok(make.next_expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: range,
        iter_var: PAIR.to_owned(),
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: init,
        loop_cond: condition,
        loop_step: step,
        result,
    }))))
}

/// `transformList(k, v, f)`, `transformList(k, v, p, f)`, and the same into a map.
fn transformed(
    make: &mut MacroExprHelper<'_>,
    target: &mut Option<IdedExpr>,
    args: &mut Vec<IdedExpr>,
    into_map: bool,
) -> Result<IdedExpr, ParseError> {
    const RESULT: &str = "@result";
    let mut bodies = bodies(make, args)?;
    let (Some(mut value), Some(target)) = (bodies.pop(), target.take()) else {
        return Err(make.new_error(0, "arguments are missing"));
    };
    if into_map {
        let (pair, zero) = (ident(make, PAIR), whole(make, 0));
        let key = call(make, operators::INDEX, vec![pair, zero]);
        value = make.next_expr(Expr::List(ListExpr::new(vec![key, value])));
    }
    let item = make.next_expr(Expr::List(ListExpr::new(vec![value])));
    let so_far = ident(make, RESULT);
    let mut step = call(make, operators::ADD, vec![so_far, item]);
    if let Some(condition) = bodies.pop() {
        let same = ident(make, RESULT);
        step = call(make, operators::CONDITIONAL, vec![condition, step, same]);
    }
    let loops = ComprehensionExpr {
        iter_range: call(make, PAIRS, vec![target]),
        iter_var: PAIR.to_owned(),
        iter_var2: None,
        accu_var: RESULT.to_owned(),
        accu_init: make.next_expr(Expr::List(ListExpr::new(Vec::new()))),
        loop_cond: truth(make, true),
        loop_step: step,
        result: ident(make, RESULT),
    };
    let list = make.next_expr(Expr::Comprehension(Box::new(loops)));
    Ok(if into_map { call(make, FROM_PAIRS, vec![list]) } else { list })
}
