//! Tests of the room as a whole: text to tree to text, and faults.

use super::*;

fn source(text: &str) -> SourceText {
    SourceText::new("a.yaml", text)
}

fn round(text: &str, dialect: Dialect) -> String {
    match parse(&source(text), dialect) {
        Ok(tree) => to_json(&tree),
        Err(fault) => fault.message,
    }
}

#[test]
fn block_and_flow_give_the_same_values() {
    let cases = [
        ("a: 1\nb:\n- x\n- v: z\n  w: [1, {q: r}]\n", r#"{"a":1,"b":["x",{"v":"z","w":[1,{"q":"r"}]}]}"#),
        ("", "null"),
        ("# only a comment\n", "null"),
        ("---\n...\n", "null"),
        ("- - a\n  - b\n-\n  - c\n", r#"[["a","b"],["c"]]"#),
        ("? a\n: b\n? [c]\n", "yaml: invalid map key: []interface {}{\"c\"}"),
        ("a: >\n  x\n  y\n\n  z\nb: |+\n  t\n\n", r#"{"a":"x y\nz\n","b":"t\n\n"}"#),
        ("a: 'it''s'\nb: \"q\\\"\\u00e9\\\n   w\"\n", r#"{"a":"it's","b":"q\"éw"}"#),
        ("a: b\n c\n\n d\n", r#"{"a":"b c\nd"}"#),
        ("[a, b: c, ? d, {e, f: }]", r#"["a",{"b":"c"},{"d":null},{"e":null,"f":null}]"#),
        ("a: &x [1]\nb: *x\n", r#"{"a":[1],"b":[1]}"#),
        ("!!str 1", r#""1""#),
        ("!!float 1", "1"),
        ("! 1", r#""1""#),
        ("!!binary aGk=", r#""hi""#),
        ("%TAG !e! tag:yaml.org,2002:\n---\n!e!int 7", "7"),
    ];
    for (text, want) in cases {
        assert_eq!(round(text, Dialect::V2), want, "{text}");
    }
}

#[test]
fn dialects_differ_in_booleans_keys_and_merges() {
    let text = "y: y\n1: 0x10\n1.5: 2001-12-14\n";
    assert_eq!(round(text, Dialect::V2), r#"{"1":16,"1.5":"2001-12-14","true":true}"#);
    assert_eq!(round(text, Dialect::V3), r#"{"1":16,"1.5":"2001-12-14T00:00:00Z","y":"y"}"#);
    let merge = "b: &b {x: 1, v: 2}\na:\n  x: 9\n  <<: *b\n  z: 3\n";
    assert_eq!(round(merge, Dialect::V2), r#"{"a":{"v":2,"x":1,"z":3},"b":{"v":2,"x":1}}"#);
    assert_eq!(round(merge, Dialect::V3), r#"{"a":{"v":2,"x":9,"z":3},"b":{"v":2,"x":1}}"#);
}

/// A document in which each anchor holds nine aliases to the one before: nine to the ninth nodes.
fn billion_laughs() -> String {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn aliases_are_counted_as_go_yaml_counts_them() {
    for dialect in [Dialect::V2, Dialect::V3] {
        assert_eq!(round(&billion_laughs(), dialect), "yaml: document contains excessive aliasing");
    }
    let modest = format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 50].join(","), vec!["*a"; 50].join(","));
    assert!(parse(&source(&modest), Dialect::V2).is_ok(), "small documents may be aliases for the most part");
    assert_eq!(round("a: &a [*a]\n", Dialect::V2), "yaml: anchor 'a' value contains itself");
    assert_eq!(round("a: *b\n", Dialect::V2), "yaml: unknown anchor 'b' referenced");
}

#[test]
fn nesting_is_limited_in_flow_in_block_and_through_aliases() {
    let limit = read::NESTING_MAX;
    for text in ["[".repeat(limit + 1), "- ".repeat(limit + 1), "{".repeat(100_000), "? ".repeat(100_000)] {
        let fault = parse(&source(&text), Dialect::V2).expect_err("too deep");
        assert!(fault.message.ends_with(&format!("exceeded max depth of {limit}")), "{}", fault.message);
    }
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..=limit {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(parse(&source(&chain), Dialect::V3).is_err(), "aliases nest as deep as what they stand for");
    let fits = "[".repeat(limit) + &"]".repeat(limit);
    assert!(parse(&source(&fits), Dialect::V2).is_ok());
}

#[test]
fn keys_without_a_question_mark_have_a_length() {
    let fits = format!("{}: 1\n", "k".repeat(read::SIMPLE_KEY_MAX));
    assert!(parse(&source(&fits), Dialect::V2).is_ok());
    let long = format!("a: 1\n{}: 1\n", "k".repeat(read::SIMPLE_KEY_MAX + 1));
    assert_eq!(round(&long, Dialect::V2), "yaml: line 2: could not find expected ':'");
}

#[test]
fn faults_have_the_words_and_lines_of_go_yaml() {
    let cases = [
        ("a: [\n", "yaml: line 1: did not find expected node content", "yaml: line 1: did not find expected node content"),
        ("a: b: c\n", "yaml: mapping values are not allowed in this context", "yaml: mapping values are not allowed in this context"),
        ("a:\n\tb: 1\n", "yaml: line 2: found character that cannot start any token", "yaml: line 2: found character that cannot start any token"),
        ("a: 'x\n", "yaml: line 2: found unexpected end of stream", "yaml: line 2: found unexpected end of stream"),
        ("a: \x01\n", "yaml: control characters are not allowed", "yaml: control characters are not allowed"),
        ("%FOO\n---\n", "yaml: found unknown directive name", "yaml: found unknown directive name"),
        ("a: !!int x\n", "yaml: cannot decode !!str `x` as a !!int", "yaml: cannot decode !!str `x` as a !!int"),
        ("{{ a }}: 1\n", "yaml: invalid map key: map[interface {}]interface {}{\"a\":interface {}(nil)}", "yaml: invalid map key: map[interface {}]interface {}{\"a\":interface {}(nil)}"),
        ("~: x\n", "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\"", "{\"~\":\"x\"}"),
        ("a: {1: x}\n", "{\"a\":{\"1\":\"x\"}}", "json: unsupported type: map[interface {}]interface {}"),
        ("a: 1\na: 2\n", "{\"a\":2}", "yaml: unmarshal errors:\n  line 2: mapping key \"a\" already defined at line 1"),
        ("a: .nan\n", "json: unsupported value: NaN", "json: unsupported value: NaN"),
    ];
    for (text, v2, v3) in cases {
        assert_eq!(round(text, Dialect::V2), v2, "{text:?}");
        assert_eq!(round(text, Dialect::V3), v3, "{text:?}");
    }
    let strict = parse_strict(&source("a: 1\nb: 2\na: 3\n"), Dialect::V2).expect_err("a key stands twice");
    assert_eq!(strict.message, "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map");
}

#[test]
fn parts_have_places() {
    let text = "# c\nspec:\n  ports:\n  - name: web\n    port: 80\n  - {name: tls}\n---\nb: 1\n";
    let documents = parse_documents(&source(text), Dialect::V3).expect("the text is good");
    assert_eq!(documents.len(), 2);
    let shown = |span: Option<crate::diag::Span>| span.map(|span| &text[span.start as usize..span.end as usize]);
    let spans = &documents[0].spans;
    assert_eq!(shown(spans.value(&["spec", "ports", "0", "port"])), Some("80"));
    assert_eq!(shown(spans.key(&["spec", "ports", "1", "name"])), Some("name"));
    assert_eq!(shown(spans.value(&["spec", "ports", "1"])), Some("{name: tls}"));
    assert_eq!(spans.value(&["spec", "ports", "2"]), None);
    assert_eq!(shown(spans.nearest(&["spec", "replicas"])), Some("spec"));
    assert_eq!(&text[documents[1].range.clone()], "---\nb: 1\n");
}

#[test]
fn oddities_that_go_yaml_has() {
    // an empty flow collection is no key, so the rest of the text is another document's
    assert_eq!(round("[]: x\n", Dialect::V2), "[]");
    assert_eq!(round("k: {x}\n", Dialect::V3), r#"{"k":{"x":""}}"#);
    assert_eq!(round("k: {x}\n", Dialect::V2), r#"{"k":{"x":null}}"#);
    assert_eq!(round("k: ! 1\n", Dialect::V3), r#"{"k":1}"#);
    assert_eq!(round("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n", Dialect::V2), r#"{"a":1,"b":"x\ny\n"}"#);
    assert_eq!(round("a: 1\n...\nb: 2\n", Dialect::V2), r#"{"a":1}"#, "what follows the first document is not read");
    assert!(count_events(&source("a: 1\n...\nb: 2\n"), Dialect::V2).is_err());
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a", "word", " ", " ", "\n", ":", ": ", "#", " #", "-", "- ", "'", "\"", "\\", "\t", "é", "😀", "0", "1", "yes", "~", "{", "}", "[", ",", "&", "*", "!", "|", ">",
            "%", "@", "?", "? ", "\u{2028}", "\u{feff}", "---", "...", "long enough to fold when it is repeated often ",
        ];
        (0..self.roll(9)).map(|_| PARTS[self.roll(PARTS.len() as u64) as usize]).collect()
    }

    fn tree(&mut self, depth: u64) -> Tree {
        match self.roll(if depth == 0 { 4 } else { 7 }) {
            0 => Tree::int(self.roll(1 << 40) as i64 - (1 << 39)),
            1 => Tree::bool(self.roll(2) == 0),
            2 => Tree::null(),
            3 => Tree::str(self.text()),
            4 => Tree::list((0..self.roll(4)).map(|_| self.tree(depth - 1)).collect()),
            _ => Tree::map((0..self.roll(4)).map(|_| (self.text().into(), self.tree(depth - 1))).collect()),
        }
    }
}

#[test]
fn what_is_printed_reads_back_as_it_was() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..3000 {
        let tree = dice.tree(4);
        let text = to_string(&tree);
        match parse(&source(&text), Dialect::V2) {
            Ok(back) => assert_eq!(to_json(&back), to_json(&tree), "{text}"),
            Err(fault) => panic!("{}\n{text}", fault.message),
        }
    }
}
