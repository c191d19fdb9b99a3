//! CEL as Kubernetes has it: the standard functions, Kubernetes' libraries, lazy variables, and a limit on the work.
//!
//! In: expressions, and values by name. Out: what an expression comes to, or why it does not. An expression is compiled once;
//! `variables.NAME` is put in place of where it is named, so that a variable that nobody reads is never evaluated. Loops are
//! charged for what they run over, on one meter an evaluation.

mod library;
mod loops;
mod values;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr};
use cel::common::traits::Sizer;
use cel::common::types::Type;
use cel::common::value::{StaticVal, Val};
use cel::{Context, Env, ExecutionError, Value};

pub(super) use values::{nothing, plain, shaped};

/// Items that the loops of one evaluation may run over.
const STEPS_MAX: u64 = 1_000_000;
/// Nodes of an expression with its variables put in.
const NODES_MAX: usize = 50_000;
/// Bytes of one expression.
const EXPRESSION_BYTES_MAX: usize = 64 << 10;

/// The name of the meter among the variables.
const METER: &str = "@meter";
/// The function that charges the meter and hands its argument on.
const CHARGE: &str = "@charge";

/// A compiled expression.
#[derive(Clone, Debug)]
pub(super) struct Program {
    expression: Arc<IdedExpr>,
}

/// The language: one for all policies.
#[derive(Clone)]
pub(super) struct Language {
    env: Arc<Env>,
}

/// Why an expression came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// As a server would: no such key, no such overload, …
    Fault(String),
    /// The limit on steps.
    Limit,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Fault(text) => f.write_str(text),
            Failure::Limit => write!(f, "it runs over more than {STEPS_MAX} items (the limit `cel-steps`)"),
        }
    }
}

/// Variables that expressions may name.
pub(super) type Variables = BTreeMap<String, IdedExpr>;

impl Language {
    /// The language with all of Kubernetes' libraries.
    pub(super) fn new() -> Language {
        let mut env = Env::stdlib();
        // the names are ours, and no two rows are the same: a test evaluates with this
        let ready = library::declare(&mut env).and_then(|()| loops::declare(&mut env));
        debug_assert!(ready.is_ok(), "{ready:?}");
        let charged = env.add_overload(CHARGE, CHARGE, vec![Type::new_unspecified_type(METER), cel::common::types::DYN_TYPE], |mut args| {
            let range = args.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
            let meter = args.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
            let size = range.as_sizer().map_or(1, |sizer: &dyn Sizer| *sizer.size().inner());
            match meter.downcast_ref::<Meter>() {
                Some(meter) if meter.charge(size as u64) => Ok(range),
                _ => Err(ExecutionError::function_error(CHARGE, "limit")),
            }
        });
        debug_assert!(charged.is_ok());
        Language { env: Arc::new(env) }
    }

    /// Compiles an expression; the error is the parser's first line.
    pub(super) fn compile(&self, text: &str, variables: &Variables) -> Result<Program, String> {
        let mut expression = self.parse(text)?;
        let mut budget = NODES_MAX;
        rewrite(&mut expression, variables, &mut budget)?;
        Ok(Program { expression: Arc::new(expression) })
    }

    /// Compiles variables in order, each of which may name those before it.
    pub(super) fn variables(&self, rows: &serde_json::Value, variables: &mut Variables) -> Result<(), String> {
        for row in rows.as_array().into_iter().flatten() {
            let name = row["name"].as_str().unwrap_or_default();
            let program = self.compile(row["expression"].as_str().unwrap_or_default(), variables);
            let program = program.map_err(|why| format!("variable `{name}`: {why}"))?;
            variables.insert(name.to_owned(), Arc::unwrap_or_clone(program.expression));
        }
        Ok(())
    }

    fn parse(&self, text: &str) -> Result<IdedExpr, String> {
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes (the limit `cel-bytes`)"));
        }
        let first = |error: cel::ParseErrors| error.to_string().lines().next().unwrap_or_default().to_owned();
        self.env.parser().parse(text).map_err(first)
    }

    /// A scope for one object, with a full meter.
    pub(super) fn scope(&self) -> Scope<'static> {
        let mut context = Context::with_env(self.env.clone());
        context.add_variable_as_val(METER, Box::new(Meter(Arc::new(AtomicU64::new(0)))));
        Scope { context }
    }

    /// A scope with what admission expressions see: the object to create, its request without the object, and its namespace.
    pub(super) fn admission(&self, object: &serde_json::Value, request: &serde_json::Value, space: Option<&serde_json::Value>) -> Scope<'static> {
        let mut scope = self.scope();
        scope.set("object", plain(object));
        scope.set("oldObject", Value::Null);
        scope.set("request", plain(request));
        scope.set("namespaceObject", space.map_or(Value::Null, plain));
        scope
    }
}

/// Values by name.
pub(super) struct Scope<'p> {
    context: Context<'p, 'static>,
}

impl Scope<'_> {
    /// Gives a name a value.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.context.add_variable_from_value(name, value);
    }

    /// A scope inside of this one, with a full meter of its own.
    pub(super) fn inner(&self) -> Scope<'_> {
        let mut context = self.context.new_inner_scope();
        context.add_variable_as_val(METER, Box::new(Meter(Arc::new(AtomicU64::new(0)))));
        Scope { context }
    }

    /// What an expression comes to.
    pub(super) fn evaluate(&self, program: &Program) -> Result<Value, Failure> {
        Value::resolve(&program.expression, &self.context).map_err(|error| match error {
            ExecutionError::FunctionError { function, .. } if function == CHARGE => Failure::Limit,
            other => Failure::Fault(short_fault(&other)),
        })
    }

    /// What a condition comes to.
    pub(super) fn holds(&self, program: &Program) -> Result<bool, Failure> {
        match self.evaluate(program)? {
            Value::Bool(value) => Ok(value),
            other => Err(Failure::Fault(format!("it comes to a {} and no boolean", other.type_of()))),
        }
    }

    /// What an expression that makes a message comes to; nothing where it fails.
    pub(super) fn text(&self, program: &Program) -> Option<String> {
        match self.evaluate(program) {
            Ok(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        }
    }
}

/// An error of the evaluator in a line; values are left out, since they may be whole objects.
fn short_fault(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        other => super::super::walk::short(other.to_string().lines().next().unwrap_or_default()),
    }
}

static METER_TYPE: Type = Type::new_unspecified_type(METER);

/// What an evaluation has cost.
#[derive(Debug)]
struct Meter(Arc<AtomicU64>);

impl Meter {
    fn charge(&self, items: u64) -> bool {
        self.0.fetch_add(items.max(1), Ordering::Relaxed) < STEPS_MAX
    }
}

impl Val for Meter {
    fn get_type(&self) -> &Type {
        &METER_TYPE
    }

    fn cel_type() -> &'static Type {
        &METER_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Meter(self.0.clone()))
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Meter {}

/// Puts variables in, unescapes the names of fields, and charges loops.
fn rewrite(node: &mut IdedExpr, variables: &Variables, budget: &mut usize) -> Result<(), String> {
    *budget = budget.checked_sub(1).ok_or_else(|| format!("it has more than {NODES_MAX} nodes (the limit `cel-nodes`)"))?;
    let mut replacement = None;
    match &mut node.expr {
        Expr::Select(select) => {
            let of_variables = matches!(&select.operand.expr, Expr::Ident(name) if name == "variables");
            match variables.get(&select.field).filter(|_| of_variables && !select.test) {
                // what is put in was rewritten when it was compiled; its size counts
                Some(value) => {
                    let size = count(value);
                    *budget = budget.checked_sub(size).ok_or_else(|| format!("it has more than {NODES_MAX} nodes (the limit `cel-nodes`)"))?;
                    replacement = Some(value.clone());
                }
                None if of_variables && select.test => {
                    let there = variables.contains_key(&select.field);
                    let there = Expr::Literal(cel::common::ast::LiteralValue::Boolean(there.into()));
                    replacement = Some(IdedExpr { id: node.id, expr: there });
                }
                None if of_variables => return Err(format!("there is no variable `{}`", select.field)),
                None => {
                    if select.field.contains("__") {
                        select.field = unescaped(&select.field);
                    }
                    rewrite(&mut select.operand, variables, budget)?;
                }
            }
        }
        Expr::Call(call) => {
            call.target.as_mut().map_or(Ok(()), |target| rewrite(target, variables, budget))?;
            call.args.iter_mut().try_for_each(|one| rewrite(one, variables, budget))?;
        }
        Expr::List(list) => list.elements.iter_mut().try_for_each(|one| rewrite(one, variables, budget))?,
        Expr::Map(map) => entries(&mut map.entries, variables, budget)?,
        Expr::Struct(map) => entries(&mut map.entries, variables, budget)?,
        Expr::Comprehension(loops) => {
            for part in [&mut loops.accu_init, &mut loops.loop_cond, &mut loops.loop_step, &mut loops.result, &mut loops.iter_range] {
                rewrite(part, variables, budget)?;
            }
            let range = std::mem::take(&mut loops.iter_range);
            let meter = IdedExpr { id: range.id, expr: Expr::Ident(METER.to_owned()) };
            let id = range.id;
            let call = CallExpr { func_name: CHARGE.to_owned(), target: None, args: vec![meter, range] };
            loops.iter_range = IdedExpr { id, expr: Expr::Call(call) };
        }
        _ => {}
    }
    if let Some(replacement) = replacement {
        *node = replacement;
    }
    Ok(())
}

fn entries(entries: &mut [cel::common::ast::IdedEntryExpr], variables: &Variables, budget: &mut usize) -> Result<(), String> {
    entries.iter_mut().try_for_each(|entry| match &mut entry.expr {
        EntryExpr::StructField(field) => rewrite(&mut field.value, variables, budget),
        EntryExpr::MapEntry(entry) => {
            rewrite(&mut entry.key, variables, budget)?;
            rewrite(&mut entry.value, variables, budget)
        }
    })
}

fn count(node: &IdedExpr) -> usize {
    1 + match &node.expr {
        Expr::Select(select) => count(&select.operand),
        Expr::Call(call) => call.target.iter().map(|one| count(one)).chain(call.args.iter().map(count)).sum(),
        Expr::List(list) => list.elements.iter().map(count).sum(),
        Expr::Map(map) => map.entries.iter().map(count_entry).sum(),
        Expr::Struct(map) => map.entries.iter().map(count_entry).sum(),
        Expr::Comprehension(loops) => {
            [&loops.accu_init, &loops.loop_cond, &loops.loop_step, &loops.result, &loops.iter_range].map(count).iter().sum()
        }
        _ => 0,
    }
}

fn count_entry(entry: &cel::common::ast::IdedEntryExpr) -> usize {
    match &entry.expr {
        EntryExpr::StructField(field) => count(&field.value),
        EntryExpr::MapEntry(entry) => count(&entry.key) + count(&entry.value),
    }
}

/// True if an expression names a variable anywhere.
pub(super) fn names(node: &IdedExpr, name: &str) -> bool {
    match &node.expr {
        Expr::Ident(ident) => ident == name,
        Expr::Select(select) => names(&select.operand, name),
        Expr::Call(call) => call.target.iter().any(|one| names(one, name)) || call.args.iter().any(|one| names(one, name)),
        Expr::List(list) => list.elements.iter().any(|one| names(one, name)),
        Expr::Comprehension(loops) => {
            [&loops.accu_init, &loops.loop_cond, &loops.loop_step, &loops.result, &loops.iter_range].iter().any(|one| names(one, name))
        }
        _ => false,
    }
}

impl Program {
    /// True if the expression names a variable.
    pub(super) fn names(&self, name: &str) -> bool {
        names(&self.expression, name)
    }
}

/// The name of a field that CEL cannot spell, as Kubernetes escapes it.
fn unescaped(name: &str) -> String {
    const WORDS: [&str; 18] = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
        "loop", "package", "namespace", "return",
    ];
    let word = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) = word.filter(|word| WORDS.contains(word)) {
        return word.to_owned();
    }
    name.replace("__dot__", ".").replace("__dash__", "-").replace("__slash__", "/").replace("__underscores__", "__")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluate(text: &str) -> Result<Value, Failure> {
        let language = Language::new();
        let program = language.compile(text, &Variables::new()).map_err(Failure::Fault)?;
        let mut scope = language.scope();
        let object = json!({"spec": {"replicas": 3, "ports": [80, 443], "labels": {"a": "1", "b": "2"}, "if": 1}});
        scope.set("object", plain(&object));
        scope.evaluate(&program)
    }

    #[test]
    fn kubernetes_functions_come_to_what_its_documentation_says() {
        for text in [
            "object.spec.replicas == 3 && size(object.spec.ports) == 2",
            "object.spec.__if__ == 1",
            "!has(object.spec.none) && object.spec.?none.orValue(5) == 5",
            "[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && ['a', 'b'].max() == 'b' && [1, 2].isSorted()",
            "[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2",
            "'abc 123'.find('[0-9]+') == '123' && '123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '1 2'.findAll('[0-9]', 1) == ['1']",
            "quantity('50000k') == quantity('50M') && quantity('200M').isGreaterThan(quantity('20k')) && isQuantity('1.3Gi')",
            "!isQuantity('200K') && quantity('50k').add(20).asInteger() == 50020 && quantity('1').sub(quantity('1')).sign() == 0",
            "quantity('1500m').asApproximateFloat() == 1.5 && quantity('1').compareTo(quantity('2')) == -1",
            "url('https://example.com:8080/a%20b?x=1').getHost() == 'example.com:8080' && isURL('https://a') && !isURL('../rel')",
            "url('https://example.com:8080/').getHostname() == 'example.com' && url('https://e.com:80/').getPort() == '80'",
            "url('https://e.com/?k1=a&k2=b&k2=c').getQuery()['k2'] == ['b', 'c'] && url('http://e.com/a b/').getEscapedPath() == '/a%20b/'",
            "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6 && isIP('10.0.0.1') && !isIP('1.2.3')",
            "cidr('192.168.0.0/24').containsIP('192.168.0.1') && cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')",
            "cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24') && cidr('10.0.0.0/8').prefixLength() == 8",
            "string(cidr('10.0.0.0/8').ip()) == '10.0.0.0' && ip.isCanonical('127.0.0.1')",
            "!format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('My').hasValue()",
            "sets.contains([1, 2], [1]) && sets.intersects([1], [1, 3]) && sets.equivalent([1, 1], [1])",
            "semver('1.10.0').isGreaterThan(semver('1.9.0')) && isSemver('1.2.3') && semver('1.2.3').minor() == 2",
            "object.spec.labels.all(k, v, k != v) && object.spec.ports.exists(i, p, i == 1 && p == 443)",
            "object.spec.ports.transformList(i, p, p + i) == [80, 444] && object.spec.labels.transformMap(k, v, v + k)['a'] == '1a'",
            "duration('1h') > duration('30m') && timestamp('2024-01-01T00:00:00Z') < timestamp('2024-01-02T00:00:00Z')",
            "'a-b'.split('-')[1] == 'b' && ['a', 'b'].join(',') == 'a,b' && 'Abc'.lowerAscii() == 'abc' && 'abc'.substring(1) == 'bc'",
            "object.spec.ports.map(p, p > 100, p) == [443] && 'x'.matches('^x$') && dyn(1) == 1.0",
        ] {
            assert_eq!(evaluate(text), Ok(Value::Bool(true)), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_a_fault() {
        assert_eq!(evaluate("object.spec.none == 1"), Err(Failure::Fault("no such key: none".to_owned())));
    }

    #[test]
    fn loops_are_charged_and_variables_are_lazy() {
        let nested = "[0,1,2,3,4,5,6,7,8,9]";
        let text = (0..8).fold("true".to_owned(), |inner, at| format!("{nested}.all(x{at}, {inner})"));
        assert_eq!(evaluate(&text), Err(Failure::Limit));
        let language = Language::new();
        let mut variables = Variables::new();
        language.variables(&json!([{"name": "a", "expression": "1 / 0"}, {"name": "b", "expression": "2"}]), &mut variables).expect("compiled");
        let program = language.compile("variables.b == 2 || variables.a == 1", &variables).expect("compiled");
        assert_eq!(language.scope().evaluate(&program), Ok(Value::Bool(true)));
        assert!(language.compile("variables.none", &variables).is_err());
        for _ in 0..40 {
            let twice = json!([{"name": "b", "expression": "variables.b + variables.b"}]);
            if let Err(why) = language.variables(&twice, &mut variables) {
                assert!(why.contains("cel-nodes"), "{why}");
                return;
            }
        }
        panic!("a variable that doubles forty times is let through");
    }
}
