//! The language from outside: texts and what they print or how they fail. What is printed was asked of the real Helm.

use std::sync::Arc;

use super::*;
use crate::diag::{Diagnostic, SourceText};

#[path = "tests_verbs.rs"]
mod verbs;

struct Still;

impl Host for Still {
    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }
    fn random(&mut self, _: &CallSite<'_>, _: &mut [u8]) {}
    fn host_address(&mut self, _: &str) -> Result<String, FuncError> {
        Ok(String::new())
    }
    fn lookup(&mut self, _: &str, _: &str, _: &str, _: &str) -> Result<Val, FuncError> {
        Ok(Val::Nil)
    }
    fn warn(&mut self, _: Diagnostic) {}
}

fn table() -> Arc<FuncTable> {
    Arc::new(FuncTable::new([
        FuncSpec::fixed("include", &[Ty::Str, Ty::Any], |ctx, mut args| {
            let data = args.take(1);
            ctx.include(&args.str(0), data).map(Val::Str)
        }),
        FuncSpec::fixed("tpl", &[Ty::Str, Ty::Any], |ctx, mut args| {
            let data = args.take(1);
            ctx.tpl(&args.str(0), data).map(Val::Str)
        }),
        FuncSpec::fixed("trunc", &[Ty::Int, Ty::Str], |_, args| {
            Ok(Val::str(&args.bytes(1)[..args.bytes(1).len().min(args.int(0) as usize)]))
        }),
        FuncSpec::fixed("int", &[Ty::Any], |_, args| Ok(Val::int(args.int(0)))),
        FuncSpec::fixed("fail", &[Ty::Str], |_, args| Err(args.str(0).to_string().into())),
        FuncSpec::variadic("list", &[Ty::Any], |_, args| Ok(Val::list(args.rest(0).to_vec()))),
        FuncSpec::variadic("dict", &[Ty::Any], |_, args| {
            let pairs = args.rest(0).chunks(2);
            Ok(Val::Map(pairs.map(|pair| (to_text(&pair[0]), pair.get(1).cloned().unwrap_or_default())).collect()))
        }),
        FuncSpec::fixed("set", &[Ty::Map, Ty::Str, Ty::Any], |_, args| {
            args.map(0).ok_or("assignment to entry in nil map")?.set(args.str(1), args.val(2).clone());
            Ok(args.val(0).clone())
        }),
    ]))
}

fn data() -> Val {
    let nested = Map::from_iter([(Str::from("b"), Val::Map(Map::from_iter([(Str::from("c"), Val::str("deep"))])))]);
    let values = Map::from_iter([
        (Str::from("str"), Val::str("hello")),
        (Str::from("num"), Val::Float(42.0)),
        (Str::from("nul"), Val::Nil),
        (Str::from("list"), Val::list(vec![Val::Float(3.0), Val::Nil, Val::str("x")])),
        (Str::from("a"), Val::Map(nested)),
    ]);
    Val::Map(Map::from_iter([(Str::from("Values"), Val::Map(values))]))
}

fn render_with(text: &str, options: Options) -> Result<(String, Vec<Segment>), String> {
    let table = table();
    let mut templates = Templates::new(table);
    let source = SourceText::new("t.yaml", text);
    let unit = Unit::parse(&source, templates.functions(), options.stack).map_err(|error| error.to_string())?;
    templates.add(Arc::new(unit));
    let mut host = Still;
    let mut ctx = Ctx::new(&templates, &mut host, options);
    let out = ctx.execute("t.yaml", data()).map_err(|error| error.to_string())?;
    Ok((String::from_utf8_lossy(&out).replace("<no value>", ""), ctx.take_segments()))
}

fn render(text: &str) -> Result<String, String> {
    render_with(text, Options::default()).map(|(out, _)| out)
}

#[test]
fn verbs_print_as_go_prints() {
    for (text, want) in verbs::ROWS {
        assert_eq!(render(text).as_deref(), Ok(*want), "{text}");
    }
}

#[test]
fn statements_print_as_go_prints() {
    let cases = [
        ("{{ .Values.a.b.c }}{{ (.Values.a).b.c }}{{ $.Values.str }}", "deepdeephello"),
        ("a  {{- \"x\" -}}  b {{/* c */ -}} {{- 3 }}", "axb 3"),
        ("{{ range $i, $v := .Values.list }}{{ $i }}={{ $v }};{{ else }}none{{ end }}", "0=3;1=;2=x;"),
        ("{{ range .Values.nul }}x{{ else }}none{{ end }}{{ range 3 }}{{ . }}{{ end }}{{ range 0 }}{{ else }}e{{ end }}", "none012e"),
        ("{{ range $i, $v := list 1 2 3 4 }}{{ if eq $v 2 }}{{ continue }}{{ end }}{{ if eq $v 4 }}{{ break }}{{ end }}{{ $v }}{{ end }}", "13"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}{{ if true }}{{ $x = 3 }}{{ end }}{{ $x }}", "213"),
        ("{{ $i := 0 }}{{ $v := 0 }}{{ range $i, $v = list 7 8 }}{{ end }}{{ $i }}{{ $v }}", "18"),
        ("{{ $x := 1 }}{{ $x := print $x 2 }}{{ $x }}", "1 2"),
        ("{{ with $x := .Values.str }}{{ $x }}{{ . }}{{ end }}{{ with .Values.nul }}{{ else with 7 }}{{ . }}{{ end }}", "hellohello7"),
        ("{{ define \"q\" }}[{{ . }}]{{ end }}{{ template \"q\" 3 }}{{ include \"q\" \"s\" }}{{ block \"z\" 1 }}<{{ . }}>{{ end }}", "[3][s]<1>"),
        ("{{ define \"q\" }}a{{ end }}{{ define \"q\" }} {{ end }}{{ template \"q\" }}", "a"),
        ("{{ and 1 0 (fail \"x\") }}{{ or nil \"x\" (fail \"y\") }}{{ 0 | and 1 }}{{ not nil }}", "0x0true"),
        ("{{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 017 }} {{ 1_000 }} {{ 1e3 }} {{ .5 }} {{ 'a' }} {{ '\\n' }} {{ 0x1p4 }} {{ 1e6 }}", "31 3 15 15 1000 1000 0.5 97 10 16 1e+06"),
        ("{{ print 1 2 \"a\" 3 4 nil nil true }}|{{ println 1 \"a\" }}|{{ print }}", "1 2a3 4 <nil> <nil> true|1 a\n|"),
        ("{{ $x := .Values.nul }}{{ $x.foo.bar }}|{{ eq .Values.nul nil }}{{ ne nil 1 }}{{ lt \"a\" \"b\" }}", "|truetruetrue"),
        ("{{ tpl \"{{ define \\\"in\\\" }}IN{{ end }}{{ include \\\"in\\\" . }}{{ .Values.nul }}\" . }}", "IN"),
        ("{{ $d := dict \"a\" 1 }}{{ $e := $d }}{{ $_ := set $e \"b\" 2 }}{{ $d }}", "map[a:1 b:2]"),
        ("{{ html \"<a b='c'>&\" }}{{ js \"</'=\\n\" }}{{ urlquery \"a b&c\" }}", "&lt;a b=&#39;c&#39;&gt;&amp;\\u003C/\\'\\u003D\\u000Aa+b%26c"),
        ("{{ index .Values.list 2 }}{{ index .Values.a \"b\" \"c\" }}{{ index \"abc\" 1 }}{{ len \"h\\u00e9\" }}", "xdeep983"),
        ("{{ slice \"abcd\" 1 3 }}{{ slice (list 1 2 3) 1 }}", "bc[2 3]"),
    ];
    for (text, want) in cases {
        assert_eq!(render(text).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn failures_read_as_go_words_them() {
    let cases = [
        ("{{ .Values.str.foo }}", "template: t.yaml:1:10: executing \"t.yaml\" at <.Values.str.foo>: can't evaluate field foo in type interface {}"),
        ("\n b: {{ .Values.nul.foo }}", "template: t.yaml:2:14: executing \"t.yaml\" at <.Values.nul.foo>: nil pointer evaluating interface {}.foo"),
        ("{{ trunc 5 .Values.num }}", "template: t.yaml:1:18: executing \"t.yaml\" at <.Values.num>: wrong type for value; expected string; got float64"),
        ("{{ trunc 5 .Values.nul }}", "template: t.yaml:1:18: executing \"t.yaml\" at <.Values.nul>: wrong type for value; expected string; got interface {}"),
        ("{{ .Values.nul | trunc 5 }}", "template: t.yaml:1:23: executing \"t.yaml\" at <5>: invalid value; expected string"),
        ("{{ trunc }}", "template: t.yaml:1:3: executing \"t.yaml\" at <trunc>: wrong number of args for trunc: want 2 got 0"),
        ("{{ eq 1 1.0 }}", "template: t.yaml:1:3: executing \"t.yaml\" at <eq 1 1.0>: error calling eq: incompatible types for comparison: int and float64"),
        ("{{ range \"abc\" }}{{ end }}", "template: t.yaml:1:9: executing \"t.yaml\" at <\"abc\">: range can't iterate over abc"),
        ("{{ template \"no\" . }}", "template: t.yaml:1:12: executing \"t.yaml\" at <{{template \"no\" .}}>: template \"no\" not defined"),
        ("{{ index .Values.list 3 }}", "template: t.yaml:1:3: executing \"t.yaml\" at <index .Values.list 3>: error calling index: reflect: slice index out of range"),
        ("{{ .Values.str | bad }}", "template: t.yaml:1: function \"bad\" not defined"),
        ("{{ if true }}\n{{ .Values.str", "template: t.yaml:2: unclosed action"),
        ("{{ .Values.str } }}", "template: t.yaml:1: unexpected \"}\" in operand"),
        ("{{ break }}", "template: t.yaml:1: {{break}} outside {{range}}"),
        ("{{ \"a\" | 1 }}", "template: t.yaml:1: non executable command in pipeline stage 2"),
        ("{{ $x.y := 1 }}", "template: t.yaml:1: undefined variable \"$x\""),
        ("{{ \"a\".foo }}", "template: t.yaml:1: unexpected . after term \"\\\"a\\\"\""),
        ("{{ $x = 1 }}", "template: t.yaml:1:8: executing \"t.yaml\" at <1>: undefined variable: $x"),
    ];
    for (text, want) in cases {
        assert_eq!(render(text), Err(want.to_owned()), "{text}");
    }
}

#[test]
fn missing_keys_are_errors_when_strict() {
    let options = Options { strict: true, ..Options::default() };
    let fault = render_with("{{ .Values.nope }}", options).map(|_| ()).expect_err("the key is missing");
    assert!(fault.ends_with("map has no entry for key \"nope\""), "{fault}");
}

#[test]
fn includes_end_at_helms_depth() {
    let fault = on_render_stack(|stack| {
        let text = "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}";
        render_with(text, Options { stack, ..Options::default() }).map(|_| ()).expect_err("it never ends")
    });
    assert!(fault.ends_with("rendering template has a nested reference name: r: unable to execute template"));
}

#[test]
fn recursion_without_include_ends() {
    let fault = render("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}").expect_err("it never ends");
    assert!(fault.contains("exceeded maximum template depth"), "{fault}");
    let deep = "(".repeat(100_000);
    assert!(render(&format!("{{{{ {deep} }}}}")).expect_err("too deep").contains("max expression depth exceeded"));
    assert!(render(&"{{ if true }}".repeat(100_000)).is_err());
    assert!(render(&"{{ if true }}{{ else ".repeat(100_000)).is_err());
}

#[test]
fn output_and_self_reference_are_limited() {
    let grow = "{{ $x := \"0123456789abcdef\" }}{{ range 30 }}{{ $x = print $x $x }}{{ end }}{{ $x }}";
    assert!(render(grow).expect_err("it doubles thirty times").contains("MiB"));
    let cycle = "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"self\" $d }}{{ $d }}";
    assert!(render(cycle).expect_err("it holds itself").contains("MiB"));
}

#[test]
fn any_bytes_parse_or_fail_and_never_panic() {
    let words = [
        "{{", "}}", "{{-", "-}}", " ", "\n", ".", "$", "$x", ":=", "=", ",", "|", "(", ")", "\"", "`", "'", "'a'", "0x", "1e", "1i", "if", "else",
        "end", "range", "with", "define", "block", "template", "break", "continue", "nil", "true", "\"a\"", ".a", ".Values", "print", "index", "é",
        "\u{2028}", "/*", "*/", "\\", "{", "}", "-", "+1", "0", "list", "dict", "printf", "\"%[2]*.[1]*d\"", "eq", "and", "call", "slice", "tpl",
    ];
    let mut state = 0x9e37_79b9_u32;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % limit
    };
    for _ in 0..20_000 {
        let length = 1 + next(14);
        let mut text: String = (0..length).map(|_| words[next(words.len())].to_owned() + if next(3) == 0 { " " } else { "" }).collect();
        if next(2) == 0 {
            text = format!("{{{{ {text} }}}}");
        }
        let _ = render(&text);
    }
}

fn reads(segment: &Segment) -> String {
    segment.reads.iter().map(|read| read.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_read_knows_the_dots_around_it() {
    let options = Options { trace: true, ..Options::default() };
    let text = "{{ with .Values }}{{ range .list }}{{ . }},{{ end }}{{ end }}";
    let (out, segments) = render_with(text, options).expect("it renders");
    let printed = segments.iter().filter(|segment| !segment.literal).nth(1).expect("two items");
    let dot = |read: &str, item: Option<&str>| Dot { read: read.to_owned(), item: item.map(str::to_owned) };
    assert_eq!(printed.reads[0].dots, [dot(".Values", None), dot(".list", Some("1"))], "{out}");
}

#[test]
fn output_can_be_traced_to_its_node_and_values() {
    let options = Options { trace: true, ..Options::default() };
    let text = "a: {{ .Values.str }}\n{{ define \"q\" }}{{ .Values.num }}{{ end }}b: {{ include \"q\" . }}\n";
    let (out, segments) = render_with(text, options).expect("it renders");
    let (literal, segments): (Vec<_>, Vec<_>) = segments.into_iter().partition(|segment| segment.literal);
    let plain: Vec<_> = literal.iter().map(|segment| &out[segment.output.clone()]).collect();
    assert_eq!(plain, ["a: ", "\n", "b: ", "\n"]);
    let shown: Vec<_> = segments.iter().map(|segment| (&out[segment.output.clone()], reads(segment))).collect();
    assert_eq!(shown, [("hello", ".Values.str".to_owned()), ("42", ". .Values.num".to_owned())]);
    assert_eq!(&text[segments[0].span.start as usize..segments[0].span.end as usize].trim(), &".Values.str");
}

#[test]
fn includes_are_told_in_the_diagnostic() {
    let mut templates = Templates::new(table());
    templates.parse(&SourceText::new("h.tpl", "{{ define \"bad\" }}{{ .x.y.z }}{{ end }}")).expect("it parses");
    templates.parse(&SourceText::new("t.yaml", "{{ include \"bad\" (dict) }}")).expect("it parses");
    let mut host = Still;
    let error = Ctx::new(&templates, &mut host, Options::default()).execute("t.yaml", Val::Nil).expect_err("x is nil");
    let diagnostic = error.to_diagnostic();
    assert_eq!(diagnostic.message, "nil pointer evaluating interface {}.y");
    assert_eq!(diagnostic.labels[0].source.name(), "h.tpl");
    assert_eq!(diagnostic.trail.len(), 1);
}

#[test]
fn compiled_templates_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Templates>();
    shared::<Unit>();
}

#[test]
fn loops_and_calls_in_each_other_end() {
    let calls: String = (0..40)
        .map(|at| format!("{{{{ define \"t{at}\" }}}}{{{{ template \"t{0}\" }}}}{{{{ template \"t{0}\" }}}}{{{{ end }}}}", at + 1))
        .chain(["{{ define \"t40\" }}{{ end }}{{ template \"t0\" }}".to_owned()])
        .collect();
    let loops = format!("{}{}", "{{ range 100 }}".repeat(8), "{{ end }}".repeat(8));
    for text in [calls, loops, "{{ range 1000000000000 }}{{ end }}".to_owned()] {
        let mut templates = Templates::new(table());
        templates.parse(&SourceText::new("t.yaml", text)).expect("it compiles");
        let mut host = Still;
        let mut ctx = Ctx::new(&templates, &mut host, Options::default());
        // near the end of what a render may do, so that the test need not do it all
        ctx.rounds = ROUNDS_MAX - 10_000;
        let error = ctx.execute("t.yaml", Val::Nil).expect_err("it ends");
        assert!(error.to_string().contains("rounds of range"), "{error}");
    }
}
