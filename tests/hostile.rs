//! Hostile inputs: each ends in a clear error, soon, within 200 MiB, and never in a crash.
//!
//! Cases are tables of inputs and of words that the error must hold. No time is asserted but that of a hang; how long each
//! took and what memory it had is printed (`cargo test --test hostile -- --nocapture`).

#![cfg(feature = "cli")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A run that takes longer hangs; even a debug build on a busy machine is far below.
const HANG_SECONDS: u64 = 120;

/// The most memory that a hostile input may take.
const MEMORY_MIB_MAX: u64 = 200;

const CHART: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\n";

/// How a run ended.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    memory_mib: u64,
}

/// Runs Hydrant, watching its memory. A run that hangs is ended and fails the test.
fn run(name: &str, command: &mut Command) -> Run {
    let (mut out, mut err) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    let handle = |file: &fs::File| Stdio::from(file.try_clone().expect("a handle"));
    let start = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(handle(&out)).stderr(handle(&err)).spawn().expect("hydrant starts");
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(peak(child.id()));
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if start.elapsed() > Duration::from_secs(HANG_SECONDS) {
            child.kill().expect("a child");
            panic!("{name}: still running after {HANG_SECONDS} s");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |file: &mut fs::File| {
        use std::io::{Read as _, Seek as _};
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.take(64 << 20).read_to_end(&mut bytes)).expect("readable");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let run = Run { code: status.code(), stdout: text(&mut out), stderr: text(&mut err), memory_mib: peak_kib >> 10 };
    println!(
        "{name:<40} {:>6} ms {:>5} MiB  {}",
        start.elapsed().as_millis(),
        run.memory_mib,
        run.stderr.lines().next().unwrap_or("-")
    );
    run
}

/// The most memory that a process has had so far, in KiB; 0 where the system does not tell.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// A run that must fail with these words.
fn refused(name: &str, command: &mut Command, words: &str) {
    let run = run(name, command);
    assert_eq!(run.code, Some(2), "{name}: {}{}", run.stdout.get(..200).unwrap_or_default(), run.stderr);
    assert!(run.stderr.contains(words), "{name} must say {words:?}:\n{}", run.stderr);
    assert!(run.memory_mib < MEMORY_MIB_MAX, "{name} took {} MiB", run.memory_mib);
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, bytes).expect("writable");
    }
}

fn template(folder: &Path) -> Command {
    let mut command = support::hydrant();
    command.arg("template").arg(folder);
    command
}

/// A chart of one template, refused.
fn template_refused(name: &str, text: &str, words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("Chart.yaml", CHART.as_bytes()), ("templates/a.yaml", text.as_bytes())]);
    refused(name, &mut template(folder.path()), words);
}

#[test]
fn templates_that_call_themselves() {
    for (name, text, words) in [
        ("include", r#"{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#, "nested reference name: a"),
        (
            "include, in turn",
            r#"{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}{{ include "a" . }}"#,
            "nested reference name",
        ),
        ("template", r#"{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#, "depth"),
        (
            "template, in turn",
            r#"{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" }}{{ end }}{{ template "a" . }}"#,
            "depth",
        ),
        (
            "tpl in itself",
            "{{ $t := \"{{ tpl .t . }}\" }}{{ tpl $t (dict \"t\" $t \"Template\" .Template) }}",
            "a.yaml",
        ),
        (
            "tpl and include",
            "{{ define \"a\" }}{{ tpl \"{{ include `a` . }}\" . }}{{ end }}{{ include \"a\" . }}",
            "a.yaml",
        ),
    ] {
        template_refused(name, text, words);
    }
}

#[test]
fn templates_that_ask_for_too_much() {
    let doubling = "{{ $x := \"xxxxxxxx\" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}";
    let listing = "{{ $x := list 1 2 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}";
    let nested =
        |open: &str, close: &str, count: usize| format!("{{{{ {}1{} }}}}", open.repeat(count), close.repeat(count));
    for (name, text, words) in [
        ("repeat of 10^9", "{{ repeat 1000000000 \"x\" }}", "MiB"),
        ("repeat in repeat", "{{ repeat 100000 (repeat 100000 \"x\") }}", "MiB"),
        ("until 10^9", "{{ until 1000000000 }}", "MiB"),
        ("untilStep", "{{ untilStep 0 1000000000 1 }}", "MiB"),
        ("seq to 10^9", "{{ seq 1000000000 }}", "MiB"),
        ("indent 10^9", "{{ indent 1000000000 \"x\" }}", "MiB"),
        ("indent of many lines", "{{ indent 1000000 (repeat 100000 \"x\\n\") }}", "MiB"),
        ("replace that grows", "{{ replace \"\" (repeat 100000 \"y\") (repeat 100000 \"x\") }}", "MiB"),
        ("regex that grows", "{{ regexReplaceAll \"x\" (repeat 100000 \"x\") (repeat 100000 \"y\") }}", "MiB"),
        ("join that grows", "{{ join (repeat 100000 \"x\") (until 100000) }}", "MiB"),
        ("wrapWith that grows", "{{ wrapWith 1 (repeat 100000 \"y\") (repeat 100000 \"x\") }}", "MiB"),
        ("randAlpha 10^9", "{{ randAlphaNum 1000000000 }}", "MiB"),
        ("randBytes 10^9", "{{ randBytes 1000000000 }}", "MiB"),
        ("a text that doubles", doubling, "MiB"),
        ("a list that doubles", listing, "MiB"),
        ("range over 10^12", "{{ range 1000000000000 }}{{ end }}", "rounds"),
        ("parentheses", &nested("(", ")", 20_000), "a.yaml"),
        ("pipes", &format!("{{{{ 1{} }}}}", " | add 1".repeat(200_000)), "a.yaml"),
        ("blocks", &format!("{}{}", "{{ if 1 }}".repeat(100_000), "{{ end }}".repeat(100_000)), "a.yaml"),
        ("decimal exponents", "{{ divf 1e300 1e-300 }}", "a.yaml"),
        ("a year far away", "{{ toDate \"2006\" \"99999\" | date \"2006\" }}x: [", "a.yaml"),
    ] {
        template_refused(name, text, words);
    }
}

#[test]
fn printf_widths_are_gos() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        &[("Chart.yaml", CHART.as_bytes()), ("templates/a.yaml", b"a: '{{ printf \"%1000000000d\" 1 }}'")],
    );
    let run = run("printf of 10^9", &mut template(folder.path()));
    assert!(run.stdout.contains("%!(NOVERB)"), "{}{}", run.stdout, run.stderr);
    assert!(run.memory_mib < MEMORY_MIB_MAX);
}

/// YAML whose aliases would expand to 10^9 items.
fn laughs() -> String {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    text
}

#[test]
fn yaml_that_explodes() {
    let deep = |open: &str| format!("a: {}", open.repeat(100_000));
    let indented: String = (0..1_500).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect();
    let values: [(&str, String, &str); 7] = [
        ("billion laughs", laughs(), "excessive aliasing"),
        ("deep lists", deep("["), "depth"),
        ("deep maps", deep("{a: "), "depth"),
        ("deep dashes", format!("a:\n {}", "- ".repeat(100_000)), "depth"),
        ("deep keys", indented, "depth"),
        ("an alias to itself", "a: &a [*a]\n".to_owned(), "values.yaml"),
        ("NUL bytes", "a: \0\n".to_owned(), "values.yaml"),
    ];
    for (name, text, words) in &values {
        let folder = tempfile::tempdir().expect("a folder");
        write(
            folder.path(),
            &[
                ("Chart.yaml", CHART.as_bytes()),
                ("values.yaml", text.as_bytes()),
                ("templates/a.yaml", b"a: {{ toYaml .Values }}"),
            ],
        );
        refused(&format!("values: {name}"), &mut template(folder.path()), words);
    }
    let bomb = format!("{CHART}{}", laughs());
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("Chart.yaml", bomb.as_bytes())]);
    refused("Chart.yaml: billion laughs", &mut template(folder.path()), "excessive aliasing");
    let from_yaml = "x: {{ .Files.Get \"bomb.yaml\" | fromYaml | toJson }}";
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, &[u8]); 3] = [
        ("Chart.yaml", CHART.as_bytes()),
        ("bomb.yaml", &laughs().into_bytes()),
        ("templates/a.yaml", from_yaml.as_bytes()),
    ];
    write(folder.path(), &files);
    let run = run("fromYaml: billion laughs", &mut template(folder.path()));
    assert!(run.stdout.contains("excessive aliasing"), "it is a value with an `Error`, as in Helm: {}", run.stdout);
    assert!(run.memory_mib < MEMORY_MIB_MAX);
}

#[test]
fn json_that_is_deep() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, &[u8]); 3] = [
        ("Chart.yaml", CHART.as_bytes()),
        ("deep.json", &"[".repeat(1_000_000).into_bytes()),
        ("templates/a.yaml", b"{{ .Files.Get \"deep.json\" | mustFromJson }}"),
    ];
    write(folder.path(), &files);
    refused("deep JSON", &mut template(folder.path()), "depth");
    let mut command = template(folder.path());
    refused("deep JSON in a flag", command.arg("--set-json").arg(format!("a={}", "[".repeat(50_000))), "--set-json");
    write(
        folder.path(),
        &[("values.schema.json", &"{\"a\":".repeat(50_000).into_bytes()), ("templates/a.yaml", b"a: 1")],
    );
    refused("a deep schema", &mut template(folder.path()), "recursion limit");
}

#[test]
fn regexes_that_no_go_takes() {
    for (name, pattern) in [
        ("repeats of repeats", "((a{1000}){1000}){1000}"),
        ("unclosed", "(("),
        ("look-ahead", "(?=a)"),
        ("back-reference", "(a)\\\\1"),
        ("groups", &"(".repeat(5000)),
    ] {
        template_refused(
            &format!("regex: {name}"),
            &format!("{{{{ mustRegexMatch \"{pattern}\" \"a\" }}}}"),
            "error parsing regexp",
        );
    }
}

#[test]
fn flags_that_ask_for_too_much() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("Chart.yaml", CHART.as_bytes()), ("templates/a.yaml", b"a: 1")]);
    let wide = format!("a{}=x", "[65000]".repeat(900));
    let many = (0..3000).map(|at| format!("a{at}[65000]=x")).collect::<Vec<_>>().join(",");
    for (name, flag, text, words) in [
        ("a high index", "--set", "a[99999999]=x".to_owned(), "a[99999999]=x"),
        ("a huge index", "--set", "a[99999999999999999999]=x".to_owned(), "--set"),
        ("a negative index", "--set", "a[-1]=x".to_owned(), "negative"),
        ("indices in indices", "--set", wide, "--set"),
        ("many long lists", "--set", many, "--set"),
        ("many dots", "--set", format!("{}=x", vec!["a"; 50_000].join(".")), "--set"),
        ("many brackets", "--set", format!("a{}=x", "[0]".repeat(40_000)), "--set"),
        ("braces", "--set", format!("a={}", "{".repeat(50_000)), "--set"),
    ] {
        let mut command = template(folder.path());
        refused(&format!("{flag}: {name}"), command.args([flag, &text]), words);
    }
}

#[test]
fn values_files_that_are_no_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let chart = folder.path().join("chart");
    write(&chart, &[("Chart.yaml", CHART.as_bytes()), ("templates/a.yaml", b"a: {{ .Values.a }}")]);
    let huge = "a: some text of a line\n".repeat((100 << 20) / 23);
    for (name, bytes, words) in [
        ("100 MB", huge.as_bytes(), "the limit is"),
        ("invalid UTF-8", b"a: \xff\xfe\n", "user.yaml"),
        ("UTF-16", b"\xff\xfea\0:\0 \x001", "user.yaml"),
        ("a list", b"- a\n", "user.yaml"),
        ("an archive", b"\x1f\x8b\x08\0\0\0\0\0", "user.yaml"),
    ] {
        write(folder.path(), &[("user.yaml", bytes)]);
        let mut command = template(&chart);
        refused(&format!("values file: {name}"), command.arg("-f").arg(folder.path().join("user.yaml")), words);
    }
}

/// A tar entry, whatever its name and claimed size; `body` is padded to whole blocks.
fn entry(kind: u8, name: &str, link: &str, size: u64, body: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let fields = header.as_old_mut();
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    fields.linkflag = [kind];
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for part in parts {
        gzip.write_all(part).expect("in memory");
    }
    gzip.finish().expect("in memory")
}

#[test]
fn packed_charts_that_lie() {
    let manifest = entry(b'0', "t/Chart.yaml", "", CHART.len() as u64, CHART.as_bytes());
    let file = |name: &str| entry(b'0', name, "", 1, b"x");
    let zeros = vec![0; 64 << 20];
    let claim = |kind: u8, size: u64| entry(kind, "t/big", "", size, b"");
    let long_name = [claim(b'L', 1 << 30), zeros.clone()].concat();
    let attributes = [claim(b'x', 1 << 30), zeros.clone()].concat();
    let real = [claim(b'0', 101 << 20), zeros.clone()].concat();
    let many: Vec<u8> = entry(b'0', "t/a", "", 0, b"").repeat(210_000);
    for (name, parts, words) in [
        ("1 GiB claimed", vec![&claim(b'0', 1 << 30)[..]], "larger than the maximum size"),
        ("2^63 bytes claimed", vec![&claim(b'0', 1 << 63)[..]], ""),
        ("101 MiB of noughts", vec![&real[..], &zeros], "larger than the maximum size"),
        ("a name of 1 GiB", vec![&long_name[..], &zeros, &zeros, &zeros, &zeros], "archive"),
        ("attributes of 1 GiB", vec![&attributes[..], &zeros, &zeros, &zeros, &zeros], "archive"),
        ("210,000 entries", vec![&many[..]], "entries"),
        ("../", vec![&file("t/../../x")[..]], "parent directory"),
        ("an absolute path inside", vec![&file("t//etc/x")[..]], "absolute"),
        ("a drive", vec![&file("t/c:/x")[..]], "illegally named"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = [&[&manifest[..]], &parts[..]].concat();
        write(folder.path(), &[("c.tgz", &gzip(&parts))]);
        refused(&format!("packed chart: {name}"), &mut template(&folder.path().join("c.tgz")), words);
    }
}

#[test]
fn links_in_packed_charts_are_no_files() {
    let manifest = entry(b'0', "t/Chart.yaml", "", CHART.len() as u64, CHART.as_bytes());
    let show = b"a: {{ .Files.Get \"link\" | quote }}\nb: {{ .Files.Get \"hard\" | quote }}";
    let parts = [
        manifest,
        entry(b'2', "t/link", "/etc/passwd", 0, b""),
        entry(b'1', "t/hard", "/etc/passwd", 0, b""),
        entry(b'0', "t/templates/a.yaml", "", show.len() as u64, show),
        vec![0; 1024],
    ];
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("c.tgz", &gzip(&[&parts.concat()]))]);
    let run = run("packed chart: links", &mut template(&folder.path().join("c.tgz")));
    assert!(run.stdout.contains("a: \"\"\nb: \"\""), "{}{}", run.stdout, run.stderr);
}

/// A kustomization, refused.
fn build_refused(name: &str, files: &[(&str, &[u8])], words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), files);
    let mut command = support::hydrant();
    refused(name, command.arg("build").arg(folder.path().join("app")), words);
}

const OBJECT: &[u8] =
    b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {app: web}, finalizers: [x]}\ndata: {a: b}\n";

#[test]
fn kustomizations_that_explode() {
    let kustomization = "app/kustomization.yaml";
    let bomb = format!("{}---\n", laughs());
    let object_bomb = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{}", laughs());
    let deep = format!("apiVersion: v1\nkind: A\nmetadata: {{name: a}}\nspec: {}", "[".repeat(100_000));
    for (name, files, words) in [
        ("a kustomization that is its own base", vec![(kustomization, &b"resources: [../app]"[..])], "cycle"),
        (
            "bases in a circle",
            vec![(kustomization, &b"resources: [../b]"[..]), ("b/kustomization.yaml", b"resources: [../app]")],
            "cycle",
        ),
        (
            "components in a circle",
            vec![
                (kustomization, &b"components: [../b]"[..]),
                ("b/kustomization.yaml", b"kind: Component\ncomponents: [../app]"),
            ],
            "",
        ),
        ("billion laughs", vec![(kustomization, bomb.as_bytes())], "excessive aliasing"),
        (
            "billion laughs in an object",
            vec![(kustomization, &b"resources: [a.yaml]"[..]), ("app/a.yaml", object_bomb.as_bytes())],
            "excessive aliasing",
        ),
        ("a deep object", vec![(kustomization, &b"resources: [a.yaml]"[..]), ("app/a.yaml", deep.as_bytes())], "depth"),
        ("a path out", vec![(kustomization, &b"resources: [../../../../../../../etc/passwd]"[..])], ""),
    ] {
        build_refused(&format!("kustomize: {name}"), &files, words);
    }
}

#[test]
fn fields_of_kustomizations_that_ask_for_too_much() {
    let patched = |operation: &str, target: &str| {
        format!("resources: [a.yaml]\npatches:\n- patch: '- {operation}'\n  target: {target}\n")
    };
    let patch = |target: &str| patched("{op: add, path: /x, value: 1}", target);
    let operation = |text: &str| patched(text, "{kind: ConfigMap}");
    let replacement = |path: &str| {
        format!(
            "resources: [a.yaml]\nreplacements: [{{source: {{kind: ConfigMap, fieldPath: data.a}}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: ['{path}'], options: {{create: true}}}}]}}]\n"
        )
    };
    let long = patch(&format!("{{labelSelector: \"{}\"}}", "a,".repeat(100_000)));
    for (name, text, words) in [
        ("a target's regex", patch("{name: \"(\"}"), "regex"),
        ("a target's repeats", patch("{name: \"((a{1000}){1000}){1000}\"}"), "regex"),
        ("a pointer's index", operation("{op: add, path: /data/a/99999999999, value: 1}"), "99999999999"),
        ("a list's index", operation("{op: add, path: /metadata/finalizers/99999999, value: 1}"), "99999999"),
        ("a replacement's regex", replacement("data.[a=(]"), "regex"),
        ("a replacement's index", replacement("items.99999999"), ""),
        ("a long selector", long, ""),
    ] {
        build_refused(
            &format!("kustomize: {name}"),
            &[("app/kustomization.yaml", text.as_bytes()), ("app/a.yaml", OBJECT)],
            words,
        );
    }
}

#[test]
fn bases_that_double() {
    // every level takes the level below twice under two prefixes: 2^24 objects of one
    let mut files = vec![("app/kustomization.yaml".to_owned(), "resources: [../l0a, ../l0b]".to_owned())];
    for level in 0..24 {
        for side in ["a", "b"] {
            let text = if level == 23 {
                "resources: [../obj]".to_owned()
            } else {
                format!("resources: [../l{0}a, ../l{0}b]", level + 1)
            };
            files.push((format!("l{level}{side}/kustomization.yaml"), format!("{text}\nnamePrefix: {side}\n")));
        }
    }
    files.push(("obj/kustomization.yaml".to_owned(), "resources: [a.yaml]".to_owned()));
    files.push(("obj/a.yaml".to_owned(), String::from_utf8_lossy(OBJECT).into_owned()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
    build_refused("kustomize: bases that double", &files, "");
}

#[test]
fn a_prefix_of_a_megabyte_is_done_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("resources: [a.yaml]\nnamePrefix: {}\n", "p".repeat(1 << 20));
    write(folder.path(), &[("app/kustomization.yaml", text.as_bytes()), ("app/a.yaml", OBJECT)]);
    let mut command = support::hydrant();
    let run = run("kustomize: a prefix of 1 MB", command.arg("build").arg(folder.path().join("app")));
    assert!(matches!(run.code, Some(0 | 2)), "{}", run.stderr);
    assert!(run.memory_mib < MEMORY_MIB_MAX);
}
