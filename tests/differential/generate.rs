//! Draws cases from the grammar.

use crate::grammar::Row;
use crate::random::Random;
use crate::tree::{Case, Expr, Stmt};

/// How deep expressions nest.
const DEPTH: usize = 3;

/// One argument in so many is of a type drawn at random.
const WRONG_ONE_IN: usize = 250;

const STRINGS: &[&str] = &[
    "\"\"",
    "\"hello\"",
    "\"Hello World\"",
    "\"a-b_c.d\"",
    "\"  pad  \"",
    "`raw \"text\"`",
    "\"two\\nlines\"",
    "\"日本語 text\"",
    "\"x\"",
    "\"12\"",
    "\"-7\"",
    "\"0x1F\"",
    "\"010\"",
    "\"3.7\"",
    "\"1e3\"",
    "\"true\"",
    "\"<a href='x'>&</a>\"",
    "\"$1 and {{ x }}\"",
    "\"quote\\\"d\"",
    "\"tab\\there\"",
    "\"aaa\"",
    "\"some-Long_nameHere with MANY Words and more of them, so that it wraps at last\"",
    ".Values.text",
    ".Values.lines",
    ".Values.empty",
    "\"null\"",
    "\"yes\"",
    "\"- a\"",
    "\"a: b\"",
    "\"# no\"",
    "\"@at\"",
    "\"1.10\"",
    "\"0755\"",
    "\"2020-01-02\"",
    "\"é́ñ\"",
    "\"\\x01\"",
];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "7",
    "42",
    "100",
    "-100",
    "0x1F",
    "0b101",
    "0o17",
    "1_000",
    "'a'",
    "9007199254740993",
    ".Values.count",
    "2147483648",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "5",
    "-3",
    "10",
    "0.5",
    "3.14",
    "1e3",
    "-2.5",
    ".Values.ratio",
    ".Values.below",
    ".Values.whole",
    "1.5e21",
    "1e-7",
    "100000000",
    "0.1",
];
const LISTS: &[&str] =
    &[".Values.numbers", ".Values.fruits", ".Values.mixed", ".Values.emptylist", ".Values.tree.list"];
const MAPS: &[&str] = &[
    "(deepCopy $.Values.tree)",
    "(deepCopy $.Values.emptymap)",
    "(deepCopy $.Values.tree.a)",
    "(dict \"a\" 1 \"b\" (dict \"c\" \"x\"))",
    "(dict)",
    "(dict \"a\" nil \"n\" \"named\")",
];
const OTHER: &[&str] = &[
    "nil",
    "true",
    "false",
    ".Values.nothing",
    ".Values.missing",
    ".Values.on",
    "(deepCopy $.Values)",
    ".Release.Name",
    ".Chart.Name",
    ".Capabilities.KubeVersion.Minor",
    ".Values.huge",
    ".Values.tiny",
    ".Values.large",
    "(deepCopy $.Values.gen)",
    ".Values.gen.a",
    ".Values.gen.b",
    ".Values.gen.c",
    ".Values.global.a",
];

/// A case of a few statements. The first cases call each row once, so that a run of any length covers the table.
pub(crate) fn case(number: usize, random: &mut Random, functions: &[Row]) -> Case {
    let mut draw = Draw { random, functions, variables: 0, loops: 0 };
    let body = match () {
        () if number < functions.len() => vec![draw.emit_row(number)],
        () if draw.random.once_in(3) => draw.body(2),
        () => vec![draw.emit(DEPTH)],
    };
    Case { body }
}

struct Draw<'a> {
    random: &'a mut Random,
    functions: &'a [Row],
    variables: usize,
    loops: usize,
}

impl Draw<'_> {
    fn body(&mut self, depth: usize) -> Vec<Stmt> {
        let before = self.variables;
        let count = 1 + self.random.below(3);
        let body = (0..count).map(|_| self.stmt(depth)).collect();
        self.variables = before;
        body
    }

    fn stmt(&mut self, depth: usize) -> Stmt {
        let text = |kind, text: &str| Stmt::Text { kind, text: text.to_owned() };
        match self.random.below(if depth == 0 { 9 } else { 25 }) {
            0 => text("text", *self.random.pick(&[" plain ", "\n", "  x\n  y", "a: b\n", "\t"])),
            1 => text(
                "comment",
                *self.random.pick(&["{{/* none */}}", " {{- /* none */ -}} ", "{{- /* two\nlines */}}"]),
            ),
            2 if self.loops > 0 => match self.random.below(2) {
                0 => text("break", "{{ break }}"),
                _ => text("continue", "{{ continue }}"),
            },
            2 => self.chain(),
            3 => self.declare(),
            4 if self.variables > 0 => self.assign(),
            4 => text(
                "parenthesised field",
                *self.random.pick(&[
                    "{{ ($.Values.tree).a.b }}",
                    "{{ ($.Values).text }}",
                    "{{ (index $.Values.tree.list 1).n }}",
                    "{{ (dict \"a\" 1).a }}",
                ]),
            ),
            5 => text(
                "template",
                *self.random.pick(&[
                    "{{ template \"h.dot\" $.Values.tree }}",
                    "{{ template \"h.name\" (dict \"n\" 1) }}",
                    "{{ template \"h.name\" $.Values }}",
                    "{{- template \"h.count\" (dict \"n\" 3) -}}",
                ]),
            ),
            6 => text(
                "include",
                *self.random.pick(&[
                    "{{ include \"h.dot\" $.Values | trunc 12 }}",
                    "{{ include \"h.count\" (dict \"n\" 4) }}",
                    "{{ include \"h.name\" $.Values.tree | indent 2 }}",
                ]),
            ),
            7 => text(
                "tpl",
                *self.random.pick(&[
                    "{{ tpl \"{{ .Values.text }}!\" $ }}",
                    "{{ tpl \"{{ include \\\"h.name\\\" . }}\" (dict \"n\" 2 \"Template\" $.Template) }}",
                    "{{ tpl \"plain\" . }}",
                    "{{ tpl \"{{ range .Values.numbers }}{{ . }},{{ end }}\" $ }}",
                ]),
            ),
            8 => text(
                "values",
                *self.random.pick(&[
                    "{{ toYaml $.Values.gen }}",
                    "{{ toJson $.Values.gen }}",
                    "{{ toYamlPretty $.Values.gen }}",
                    "{{ toPrettyJson $.Values.gen.a }}",
                    "{{ $.Values.gen }}",
                    "{{ $.Values.gen.b.c }}",
                    "{{ range $k, $v := $.Values.gen }}{{ $k }}={{ kindOf $v }}:{{ $v | quote }};{{ end }}",
                    "{{ toYaml $.Values.sub }}",
                    "{{ toJson $.Values.global | quote }}",
                    "{{ toToml (dict \"v\" $.Values.gen) }}",
                    "{{ with $.Values.gen.d }}{{ printf \"%T %v\" . . }}{{ end }}",
                ]),
            ),
            9..=14 => self.block(depth - 1),
            15 => text("block", "{{ block \"b.one\" . }}[{{ $.Values.text | default \"none\" }}]{{ end }}"),
            _ => self.emit(DEPTH),
        }
    }

    fn emit(&mut self, depth: usize) -> Stmt {
        let row = self.row(|_| true);
        let expr = self.shown(row, depth);
        let (kind, open, close) = *self.random.pick(&[
            ("emit", "{{ ", " }}"),
            ("emit", "{{ ", " }}"),
            ("emit trimmed left", "  {{- ", " }}"),
            ("emit trimmed right", "{{ ", " -}}\n  "),
            ("emit trimmed", "\n{{- ", " -}} x"),
        ]);
        Stmt::Action { kind, open, expr, close }
    }

    fn chain(&mut self) -> Stmt {
        let path = *self.random.pick(&[
            "$.Values.tree.a.b.c",
            "$.Values.tree.missing",
            "$.Values.missing.deeper",
            "$.Chart.Version",
            "$.Release",
            "$.Template.Name",
            "$.Values.text.deeper",
            "$.Files.Get \"notes.txt\"",
        ]);
        Stmt::Action { kind: "chain", open: "{{ ", expr: Expr::Atom(path.into()), close: " }}" }
    }

    fn declare(&mut self) -> Stmt {
        let expr = self.anything(2);
        let open = ["{{ $a := ", "{{ $b := ", "{{- $c := "][self.variables % 3];
        self.variables += 1;
        Stmt::Action { kind: "declare", open, expr, close: " }}" }
    }

    fn assign(&mut self) -> Stmt {
        let expr = self.anything(1);
        Stmt::Action { kind: "assign", open: "{{ $a = ", expr, close: " -}}" }
    }

    fn block(&mut self, depth: usize) -> Stmt {
        let kind = *self.random.pick(&[
            "if",
            "if else",
            "else if",
            "with",
            "with else",
            "else with",
            "range",
            "range else",
            "range value",
            "range key value",
            "range count",
        ]);
        let open = match kind {
            "if" | "if else" | "else if" => "{{ if ",
            "with" | "with else" | "else with" => "{{ with ",
            "range value" => "{{ range $e := ",
            "range key value" => "{{- range $k, $v := ",
            _ => "{{ range ",
        };
        let ranged = kind.starts_with("range");
        let expr = match kind {
            "range count" => Expr::Atom(self.random.below(4).to_string()),
            _ if ranged && self.random.once_in(2) => self.of('m', 1),
            _ if ranged => self.of('l', 1),
            _ => self.anything(2),
        };
        self.loops += usize::from(ranged);
        let body = self.block_body(kind, depth);
        self.loops -= usize::from(ranged);
        let other = match kind {
            "if else" | "with else" | "range else" => self.body(depth),
            "else if" | "else with" => {
                let open = format!("{{{{ {} ", kind.split(' ').nth(1).expect("two words"));
                let expr = self.anything(1);
                return self.else_chain(kind, expr, body, &open, depth);
            }
            _ => Vec::new(),
        };
        Stmt::Block { kind, open: open.to_owned(), expr, close: " }}", body, other }
    }

    /// `{{ if A }}…{{ else if B }}…{{ end }}` is one block whose other branch is spelled in its open brace.
    fn else_chain(&mut self, kind: &'static str, expr: Expr, mut body: Vec<Stmt>, open: &str, depth: usize) -> Stmt {
        let second = self.anything(1);
        body.push(Stmt::Text {
            kind,
            text: format!("{{{{ else {}{} }}}}", open.trim_start_matches("{{ "), second.text()),
        });
        body.extend(self.body(depth));
        Stmt::Block { kind, open: open.to_owned(), expr, close: " }}", body, other: Vec::new() }
    }

    fn block_body(&mut self, kind: &str, depth: usize) -> Vec<Stmt> {
        let mut body = self.body(depth);
        let shown = match kind {
            "range value" => "{{ $e }},",
            "range key value" => "{{ $k }}={{ $v }};",
            "range count" | "range" | "with" => "{{ . }} ",
            _ => return body,
        };
        body.insert(0, Stmt::Text { kind: "text", text: shown.to_owned() });
        body
    }

    fn emit_row(&mut self, row: usize) -> Stmt {
        Stmt::Action { kind: "emit", open: "{{ ", expr: self.shown(row, 1), close: " }}" }
    }

    /// An expression whose value is the same in every run.
    fn shown(&mut self, row: usize, depth: usize) -> Expr {
        let expr = self.call(row, depth);
        if self.functions[row].result != 'O' {
            return expr;
        }
        let name = *self.random.pick(&["kindOf", "typeOf"]);
        Expr::Call { name, arguments: vec![expr], piped: true }
    }

    fn anything(&mut self, depth: usize) -> Expr {
        self.of('a', depth)
    }

    fn row(&mut self, wanted: impl Fn(&Row) -> bool) -> usize {
        loop {
            let at = self.random.below(self.functions.len());
            let row = &self.functions[at];
            if wanted(row) && (!row.seldom || self.random.once_in(40)) {
                return at;
            }
        }
    }

    fn call(&mut self, row: usize, depth: usize) -> Expr {
        let row = &self.functions[row];
        let mut arguments = Vec::new();
        for word in row.arguments.split(' ').filter(|word| !word.is_empty()) {
            if word.len() > 2 {
                arguments.push(special(word));
                continue;
            }
            let letter = word.chars().next().expect("a letter");
            let times = if word.ends_with('+') { 1 + self.random.below(3) } else { 1 };
            for _ in 0..times {
                let letter = if self.random.once_in(WRONG_ONE_IN) {
                    *self.random.pick(&['s', 'i', 'f', 'l', 'm', 'a', 'b'])
                } else {
                    letter
                };
                arguments.push(self.of(letter, depth.saturating_sub(1)));
            }
        }
        let piped = !arguments.is_empty() && self.random.once_in(3);
        Expr::Call { name: row.name, arguments, piped }
    }

    /// An expression of a type.
    fn of(&mut self, letter: char, depth: usize) -> Expr {
        let made = "sifbalSm".contains(letter) && depth > 0 && !self.random.once_in(3);
        if made {
            let wanted = match letter {
                's' | 'S' | 'm' | 'b' => letter,
                'i' => 'i',
                'f' => *self.random.pick(&['i', 'f']),
                'l' => *self.random.pick(&['l', 'S']),
                _ => *self.random.pick(&['s', 'i', 'f', 'b', 'l', 'S', 'm', 'a']),
            };
            let row = self.row(|row| row.result == wanted);
            return self.call(row, depth);
        }
        Expr::Atom(self.atom(letter))
    }

    #[expect(clippy::too_many_lines, reason = "a table: one row a letter")]
    fn atom(&mut self, letter: char) -> String {
        if self.variables > 0 && letter == 'a' && self.random.once_in(2) {
            return ["$a", "$b", "$c"][self.random.below(self.variables.min(3))].to_owned();
        }
        let pool: &[&str] = match letter {
            's' => STRINGS,
            'i' => INTEGERS,
            'f' => NUMBERS,
            'w' => &["0", "1", "2", "3", "5", "-1", "40"],
            'n' => &["0", "1", "2", "3", "5", "8"],
            'b' => &["true", "false", "(eq 1 1)", "(not true)"],
            'l' => LISTS,
            'S' => &[".Values.fruits", "(splitList \",\" \"a,b,,c\")", "(list \"b\" \"a\")"],
            'm' => MAPS,
            'k' => &["\"a\"", "\"b\"", "\"list\"", "\"dotted.key\"", "\"none\"", "\"n\""],
            'v' => &["\"1.2.3\"", "\"v1.33.0\"", "\"1.2\"", "\"2.0.0-beta.1+build.5\"", "\"0.0.1\"", "\"0.2.3\""],
            'c' => &[
                "\">=1.2\"",
                "\"^1.2.0\"",
                "\"~1.2\"",
                "\">= 1.0, < 2.0 || 3.x\"",
                "\"1.2 - 1.4\"",
                "\"*\"",
                "\">=1.19-0\"",
                "\"!=1.2.3\"",
                "\"=>1\"",
            ],
            'r' => &[
                "\"[a-z]+\"",
                "`\\d+`",
                "\"^h(.)l\"",
                "\"(?i)HELLO\"",
                "`\\bw\\w*`",
                "\"a|b|\"",
                "\"[^aeiou ]\"",
                "\"(a)(b)?\"",
                "\"x*\"",
                "\"[[:upper:]]\"",
                "`\\Qa.b\\E`",
                "\"[a-z&&b]\"",
                "\"(\"",
                "\"a{2,3}\"",
                "\"a{,2}\"",
                "`\\pL+`",
            ],
            'x' => &["\"<$0>\"", "\"$1W\"", "\"${1}W\"", "\"\"", "\"$$\"", "\"-\""],
            'p' => &[
                "\"/a/b.txt\"",
                "\"a/../b\"",
                "\"\"",
                "\".\"",
                "\"/\"",
                "\"//x//y/\"",
                "\"dir/file.tar.gz\"",
                "\".hidden\"",
            ],
            'u' => &[
                "\"https://user:pw@example.com:8443/a/b?x=1&y=2#frag\"",
                "\"/rel/path?q\"",
                "\"mailto:a@b.c\"",
                "\"http://[::1]:80/\"",
                "\"//host/p\"",
                "\"a%20b\"",
                "\"\"",
            ],
            'U' => &[
                "(urlParse \"https://example.com/a?b=c#d\")",
                "(dict \"scheme\" \"http\" \"host\" \"h:1\" \"path\" \"/p\")",
                "(dict \"host\" \"h\" \"userinfo\" \"u:p\")",
            ],
            'q' => &[
                "(toDate \"2006-01-02\" \"2020-03-04\")",
                "(toDate \"2006-01-02T15:04:05Z07:00\" \"2021-12-31T23:59:58Z\")",
            ],
            't' => &[
                "(toDate \"2006-01-02\" \"2020-03-04\")",
                "(toDate \"2006-01-02T15:04:05Z07:00\" \"2021-12-31T23:59:58Z\")",
                "0",
                "1600000000",
            ],
            'L' => &[
                "\"2006-01-02\"",
                "\"Mon Jan _2 15:04:05 2006\"",
                "\"02/01/06 03:04PM\"",
                "\"2006-01-02T15:04:05.000Z07:00\"",
                "\"January 2, 2006 MST\"",
                "\"002 .999\"",
            ],
            'z' => &["\"UTC\"", "\"America/New_York\"", "\"Asia/Kolkata\"", "\"Nowhere/None\""],
            'd' => &["\"1h30m\"", "\"90s\"", "\"-1.5h\"", "\"500ms\"", "\"x\"", "\"0\"", "\"2h45m30.5s\""],
            'j' => &[
                "`{\"a\": [1, 2.50, null, {\"b\": \"<&>\"}]}`",
                "`[1, \"x\", 1e3]`",
                "`\"s\"`",
                "`{\"a\":`",
                "\"\"",
                "`{\"big\": 12345678901234567890}`",
            ],
            'y' => &[
                "\"a: 1\\nb: [x, y]\\n\"",
                "\"- 1\\n- two\\n\"",
                "\"a: yes\\nb: 0755\\nc: 1_000\\n\"",
                "\"a: |\\n  x\\n  y\\n\"",
                "\"a: [\"",
                "\"\"",
                "\"y: n\\n1: one\\n\"",
                "\"a: &x {b: 1}\\nc: *x\\n\"",
            ],
            'T' => &[
                "\"a = 1\\n[t]\\nb = 'x'\\n\"",
                "\"d = 2020-01-02\\n\"",
                "\"a = [1, 2]\\n\"",
                "\"= 1\"",
                "\"f = 1.5\\n\"",
            ],
            'B' => &["\"aGVsbG8=\"", "\"aGVsbG8\"", "\"!!\"", "\"\"", "(b64enc \"x\")"],
            '3' => &["\"NBSWY3DP\"", "\"x\"", "(b32enc \"abc\")"],
            'F' => &[
                "\"%v\"",
                "\"%s\"",
                "\"%d\"",
                "\"%5.2f|\"",
                "\"%q\"",
                "\"%-8v|\"",
                "\"%T\"",
                "\"%x\"",
                "\"%+v %%\"",
                "\"%[2]v %[1]v\"",
                "\"%08.3f\"",
                "\"%t\"",
                "\"%c\"",
                "\"%#v\"",
                "\"%e %g\"",
                "\"%6s|%-6s|\"",
                "\"%U\"",
                "\"%!\"",
                "\"%*d\"",
                "\"%X\"",
            ],
            'e' => &["\"h.dot\"", "\"h.name\"", "\"h.count\""],
            _ if self.random.once_in(2) => OTHER,
            _ => {
                let letter = *self.random.pick(&['s', 'i', 'f', 'l', 'm']);
                return self.atom(letter);
            }
        };
        // `.` is something else inside `range` and `with`
        let atom = *self.random.pick(pool);
        if atom.starts_with('.') { format!("${atom}") } else { atom.to_owned() }
    }
}

/// Arguments that only one function takes.
fn special(word: &str) -> Expr {
    Expr::Atom(
        match word {
            "ecdsa" => "\"ecdsa\"",
            "ca" => "(genCAWithKey \"ca\" 10 (genPrivateKey \"ecdsa\"))",
            "key" => "(genPrivateKey \"ecdsa\")",
            other => other,
        }
        .to_owned(),
    )
}
