//! What a chart's cases see: values of its own, what the user lays over them, a subchart, and documents to sort.
//!
//! Everything is a list of small texts, so that a difference shrinks by leaving out one after another.

use std::collections::BTreeMap;

use crate::random::Random;

/// Values and documents around a batch of cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// Entries of `gen` in the chart's `values.yaml`.
    pub(crate) chart: Vec<String>,
    /// Entries of `gen` in the user's file.
    pub(crate) user: Vec<String>,
    /// Entries of `gen` in the subchart's `values.yaml`.
    pub(crate) sub: Vec<String>,
    /// Entries of `sub.gen` in the chart's `values.yaml`.
    pub(crate) above: Vec<String>,
    /// Entries of `global` in the chart's `values.yaml`.
    pub(crate) global: Vec<String>,
    /// Flags: the flag and its text.
    pub(crate) flags: Vec<(&'static str, String)>,
    /// Documents of a template.
    pub(crate) documents: Vec<String>,
}

/// Every kind of thing that a world may hold, for counting.
pub(crate) const KINDS: &[&str] = &[
    "chart value",
    "user value",
    "subchart value",
    "value for a subchart",
    "global value",
    "document",
    "hook",
    "--set",
    "--set-string",
    "--set-json",
    "--set-literal",
];

const KEYS: &[&str] = &["a", "b", "c", "d", "e", "f", "x.y", "on", "1"];

const SCALARS: &[&str] = &[
    "null",
    "~",
    "true",
    "yes",
    "No",
    "0",
    "1",
    "-7",
    "0755",
    "0o17",
    "0x1F",
    "0b11",
    "1e3",
    "1.10",
    ".5",
    "-0.0",
    "1_000",
    "1e21",
    "123456789",
    "9007199254740993",
    "12345678901234567890",
    "190:20:30",
    "text",
    "two words",
    "a #b",
    "\"quoted \\\"one\\\"\"",
    "'it''s'",
    "\"tab\\tline\\nend\"",
    "\"\"",
    "' padded '",
    "2020-01-02",
    "2020-01-02T03:04:05Z",
    "!!str 5",
    "!!int \"7\"",
    "!!float 1",
    "!!binary aGk=",
    "\"- dash\"",
    "'@at'",
    "\"null\"",
    "\"0755\"",
    "\"1e3\"",
    "日本",
    "\"\\u00e9\\x01\"",
    "=",
    "<<",
    "http://x/y?z",
    "{}",
    "[]",
    "[1, two, null]",
    "{a: 1, b: {c: null}}",
    "{a: null}",
    "&x shared",
    "\"long text with spaces that goes on and on until it is wider than any line of YAML would like to be, and then some\"",
];

/// A world, drawn. One in four is empty but for documents.
pub(crate) fn world(random: &mut Random) -> World {
    let mut world = World::default();
    let count = random.below(4);
    world.chart = entries(random, count + 2);
    world.global = entries(random, 1);
    world.sub = entries(random, 3);
    world.above = entries(random, 2);
    world.user = entries(random, count);
    for _ in 0..random.below(3) {
        world.flags.push(flag(random));
    }
    world.documents = (0..=random.below(5)).map(|_| document(random)).collect();
    world
}

fn entries(random: &mut Random, most: usize) -> Vec<String> {
    let mut entries: BTreeMap<&str, String> = BTreeMap::new();
    for _ in 0..random.below(most + 1) {
        let key = *random.pick(KEYS);
        entries.insert(key, format!("{key}:{}", value(random, 2, 1)));
    }
    entries.into_values().collect()
}

/// A value as it stands behind `key:`, its lines indented for an entry at depth nought.
fn value(random: &mut Random, indent: usize, depth: usize) -> String {
    let pad = " ".repeat(indent);
    match random.below(if depth > 2 { 5 } else { 10 }) {
        5 | 6 => {
            let lines: Vec<String> = entries_at(random, indent, depth);
            format!("\n{}", lines.join("\n"))
        }
        7 => {
            let items =
                (0..=random.below(3)).map(|_| format!("{pad}- {}", random.pick(SCALARS).trim_start_matches("&x ")));
            format!("\n{}", items.collect::<Vec<_>>().join("\n"))
        }
        8 => {
            let head = *random.pick(&["|", "|-", "|+", ">", ">-", ">+"]);
            let body =
                *random.pick(&["one\n  two\n\nthree", "plain\nline", "a\n\n\nb\n", "- no\n- list", " lead\nmore"]);
            let head = if body.starts_with(' ') { format!("{head}2") } else { head.to_owned() };
            let lines: Vec<String> = body
                .split('\n')
                .map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") })
                .collect();
            format!(" {head}\n{}", lines.join("\n"))
        }
        9 => format!(" # why\n{pad}{}", random.pick(SCALARS)),
        _ => format!(" {}", random.pick(SCALARS)),
    }
}

fn entries_at(random: &mut Random, indent: usize, depth: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    let mut entries: BTreeMap<&str, String> = BTreeMap::new();
    for _ in 0..=random.below(3) {
        let key = *random.pick(KEYS);
        entries.insert(key, format!("{pad}{key}:{}", value(random, indent + 2, depth + 1)));
    }
    entries.into_values().collect()
}

fn flag(random: &mut Random) -> (&'static str, String) {
    let path = *random.pick(&[
        "gen.a",
        "gen.b.c",
        "gen.c[0]",
        "gen.d[1].x",
        "sub.gen.a",
        "global.a",
        "gen.x\\.y",
        "new.deep.path",
    ]);
    let flag = *random.pick(&["--set", "--set", "--set", "--set-string", "--set-json", "--set-literal"]);
    let text = match flag {
        "--set-json" => {
            *random.pick(&["{\"a\":1.50}", "[1,null]", "\"text\"", "null", "1e3", "12345678901234567890", "true"])
        }
        "--set-literal" => *random.pick(&["a,b=c", "{x}", "null", "", "\\z"]),
        _ => *random.pick(&[
            "1",
            "007",
            "1.5",
            "true",
            "TRUE",
            "null",
            "",
            "text",
            "{a,b}",
            "{}",
            "a\\,b",
            "0",
            "-3",
            "1e3",
            "{1,null,x}",
            "99999999999999999999",
        ]),
    };
    let more = if flag == "--set" && random.once_in(4) { ",gen.e.f=x,gen.e.g=2" } else { "" };
    (flag, format!("{path}={text}{more}"))
}

const DOCUMENT_KINDS: &[&str] = &[
    "ConfigMap",
    "Secret",
    "Service",
    "Deployment",
    "Namespace",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "Job",
    "Ingress",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "Thing",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PersistentVolume",
];

fn document(random: &mut Random) -> String {
    let kind = *random.pick(DOCUMENT_KINDS);
    let name = *random.pick(&["one", "two", "three", "{{ .Release.Name }}-x", "\"q\""]);
    let start = *random.pick(&[
        "---\n",
        "---\n",
        "--- \n",
        "---\n---\n",
        "---\n# note\n",
        "\n---\n\n",
        "--- # why\n",
        "---\n{{- /* none */}}\n",
    ]);
    let annotations = match random.below(6) {
        0 => "  annotations: {helm.sh/hook: pre-install}\n",
        1 => "  annotations:\n    helm.sh/hook: \"post-install, pre-upgrade\"\n    helm.sh/hook-weight: \"-5\"\n",
        2 => "  annotations:\n    \"helm.sh/hook\": test\n    helm.sh/hook-delete-policy: hook-succeeded\n",
        3 => "  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-weight: \"3\"\n",
        _ => "",
    };
    let data = *random.pick(&[
        "data:\n  all: {{ toJson .Values.gen | quote }}\n",
        "data:\n  {{- toYaml .Values.gen | nindent 2 }}\n",
        "data: {}   \n",
        "spec:\n  text: |\n    kept\n\n    as is  \n",
        "{{ if .Values.gen.a }}set: true{{ else }}set: false{{ end }}\n",
        "# the end\n\n\n",
        "",
    ]);
    format!("{start}apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{annotations}{data}")
}

impl World {
    /// The chart's `values.yaml` beside what all charts have.
    pub(crate) fn values(&self) -> String {
        let (own, above, global) = (&self.chart, &self.above, &self.global);
        format!("gen:{}\nsub:\n  gen:{}\nglobal:{}\n", map(own, 2), map(above, 4), map(global, 2))
    }

    /// The user's values file.
    pub(crate) fn user_values(&self) -> String {
        format!("gen:{}\n", map(&self.user, 2))
    }

    /// The subchart's `values.yaml`.
    pub(crate) fn sub_values(&self) -> String {
        format!("gen:{}\nown: 1\n", map(&self.sub, 2))
    }

    pub(crate) fn count(&self, used: &mut BTreeMap<String, usize>) {
        let hooks = self.documents.iter().filter(|document| document.contains("helm.sh/hook")).count();
        let parts = [
            ("chart value", self.chart.len()),
            ("user value", self.user.len()),
            ("subchart value", self.sub.len()),
            ("value for a subchart", self.above.len()),
            ("global value", self.global.len()),
            ("document", self.documents.len()),
            ("hook", hooks),
        ];
        let flags = self.flags.iter().map(|(flag, _)| (*flag, 1));
        for (kind, times) in parts.into_iter().chain(flags).filter(|(_, times)| *times > 0) {
            *used.entry(kind.to_owned()).or_default() += times;
        }
    }

    /// Every world with one thing less.
    pub(crate) fn simpler(&self) -> Vec<World> {
        let mut found = Vec::new();
        let lists: [fn(&mut World) -> &mut Vec<String>; 6] = [
            |world| &mut world.chart,
            |world| &mut world.user,
            |world| &mut world.sub,
            |world| &mut world.above,
            |world| &mut world.global,
            |world| &mut world.documents,
        ];
        for list in lists {
            for at in 0..list(&mut self.clone()).len() {
                let mut world = self.clone();
                list(&mut world).remove(at);
                found.push(world);
            }
        }
        for at in 0..self.flags.len() {
            let mut world = self.clone();
            world.flags.remove(at);
            found.push(world);
        }
        found
    }

    /// How much there is, to prefer the smaller one.
    pub(crate) fn size(&self) -> usize {
        let texts = [&self.chart, &self.user, &self.sub, &self.above, &self.global, &self.documents];
        texts.iter().flat_map(|texts| texts.iter()).map(String::len).sum::<usize>()
            + self.flags.iter().map(|(flag, text)| flag.len() + text.len()).sum::<usize>()
    }
}

/// Entries under a key, indented; an empty map where there are none.
fn map(entries: &[String], indent: usize) -> String {
    if entries.is_empty() {
        return " {}".to_owned();
    }
    let pad = " ".repeat(indent);
    let indented = |entry: &String| {
        let lines = entry.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") });
        lines.collect::<Vec<_>>().join("\n")
    };
    format!("\n{}", entries.iter().map(indented).collect::<Vec<_>>().join("\n"))
}
