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
