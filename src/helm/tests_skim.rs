//! What is skimmed reads the same in full, and what charts print is plain enough.

use super::head::read_whole;
use super::skim::head;

/// Pieces that lines are made of: the plain ones, and what is on the edge of plain.
const PIECES: &[&str] = &[
    "kind: Job", "apiVersion: v1", "metadata:", "name: web", "annotations:", "helm.sh/hook: test", "\"helm.sh/hook\": a", "'n': x", "\"a b\":", "\"a\":b", "'it''s': x",
    "helm.sh/hook:", "a: 1", "b: \"x: #\" # c", "c: 'it''s'", "d: [a, \"b\", 'c']", "e: {}", "f: []", "g: |", "h: >-", "i: |+ # c",
    "- x", "- ", "-", "- k: v", "- - y", "- |", "- k:", "k:", "k: # c", "# c", "", "text", "text: x: y", "l: -", "m: .inf", "n: ~",
    "null: x", "o: a#b #c", "p: \"\\n\\\"\"", "q: \"open", "---", "...", "r: 1e3", "yes: no", "<<: {}", "s: *a", "t: &a x", "u: !!str x",
    "v: @", "w: %", "x: `", "y: a]b}", "z: \u{e9}\u{4e2d}", "Kind: Job", "kind: 1", "kind: [a]", "Metadata: {}", "metadata: {}",
    "annotations: {}", "name: [a]", "name:", "kind: \"Job\"", "\tx: y", "k:  v  ", "- 'a': b", "- {a: b}", "-1", "-.inf", "- .5",
    "8080: x", "k: ? x", "k: -x", "k: --flag=a", "k: a:b", "k: a:", "d: [a, b", "d: [a b]", "d: [a,]", "d: [a]b", "k: |2", "k: '\u{201c}'",
    "more text", "'more", "more'", "v: 'open", "w: \"open \\", "\\ more\"", "and \"", "- 'open", "- more: or", "more # c", "[more", "- - more", "* more", "!more",
    "more:", "? more", "w: \"a\\ b\"", "kind: 'open", "name: more", "{}", "[]", "[a, b] # c", "{} x", "\"lone\"", ".status.x", "a: .status", "- .inf", "a: +.NaN", "a: -.x", "- .inf x", "k : x", "kind : Job",
    "'k' :", "k :x", "metadata :", "~", "- .nan # c", "a: .InF", "- =~", "- =", "- <", "- <=", "a: <<", "- <<", "- <<: a", "a: \u{201c}x\u{2014}", "a: \u{2028}x", "b: x\u{85}", "c: \u{a0}\u{b5}", "a: = x", "=: x", "<<", "--- more",
    "metadata: {\"name\": \"web\", \"annotations\": {\"helm.sh/hook\":\"test\"}}", "metadata: {\"name\":1}", "metadata: {\"Name\":\"a\"}", "annotations: {\"a\":1,\"helm.sh/hook\":\"x\"}",
    "annotations: {\"a\":[]}", "metadata: {\"annotations\":null}", "metadata: [1]", "a: {\"b\":[{\"c\":-1.5e3,\"d\":true}],\"e\":\"\\u0026\\b\\f\"}", "a: {\"b\":\"\\/\"}", "a: \"b\\/c\"", "- {\"a\": {}, \"b\":null}", "{\"lone\":1}",
    "a: {\"b\":1,\"b\":2}", "name: {\"a\":1}", "- [{\"a\":1},2] # c", "a: {\"b\":1} x", "a: {\"b\":\"\\ud83d\\ude00\"}", "a: [-1,0x1f,01,1.2.3,1-2]", "metadata: {\"name\":\"a\\nb\"}", "a: {\"<<\":1}", "a: {\"<<\":{\"b\":1}}", "a: [null,\"null\"]", "a: {\"null\":1,\"\":2}", "... more", "# more'", "% more",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A document whose lines mostly stand where a line may stand.
fn document(dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut indent = 0;
    for _ in 0..=dice.roll(8) {
        indent = match dice.roll(6) {
            0 => 0,
            1 => indent + 2,
            2 => indent + 1,
            3 if indent >= 2 => indent - 2,
            _ => indent,
        };
        let piece = PIECES[dice.roll(PIECES.len())];
        text.push_str(&" ".repeat(indent));
        text.push_str(piece);
        text.push('\n');
        if piece.ends_with(':') && dice.roll(2) == 0 {
            indent += 2;
        }
    }
    text
}

#[test]
fn what_is_skimmed_reads_the_same_in_full() {
    let mut dice = Dice(7);
    let mut skimmed = 0;
    for _ in 0..60_000 {
        let text = document(&mut dice);
        if let Some(quick) = head(&text) {
            skimmed += 1;
            let full = read_whole(&text).unwrap_or_else(|fault| panic!("skimmed, but {fault}:\n{text}"));
            assert_eq!(quick, full, "{text}");
        }
    }
    assert!(skimmed > 3_000, "only {skimmed} documents were plain enough");
}

#[test]
fn ordinary_manifests_are_plain_enough() {
    for text in [
        "# Source\napiVersion: v1\nkind: Service\nmetadata:\n  name: \"web\"\n  annotations:\n    \"a/b\": x\n",
        "kind: ConfigMap\nmetadata:\n  annotations:\n    note: |\n      two\n      lines\ndata:\n  run.sh: |-\n    #!/bin/sh\n\n      echo: x\n    done\n",
        "kind: A\nspec:\n  - description: some text\n      - that [goes on, a:b#c\n\n      *too\n    # c\n    x: y\n",
        "kind: A\nspec:\n  description: 'It''s a text:\n    # that goes on.'\n  note: \"one\\\n    \\ two\"\n",
        "kind: Pod\nmetadata:\n  labels: {}\nspec:\n  containers:\n  - name: a\n    args: [\"--x=1\", '-y']\n    env:\n      - name: B\n        value: c\n  - name: d\n",
    ] {
        assert!(head(text).is_some(), "{text}");
    }
}

#[test]
fn hooks_are_seen() {
    let text = "kind: Job\nmetadata:\n  name: x\n  annotations:\n    \"helm.sh/hook\": pre-install,post-delete\n    helm.sh/hook-weight: \"-5\"\n";
    let skimmed = head(text).expect("plain");
    assert_eq!((skimmed.kind.as_str(), skimmed.hook.as_deref()), ("Job", Some("pre-install,post-delete")));
}
