//! The walls of the house: a room may use only the rooms that its row in ARCHITECTURE.md names.
//!
//! The code is parsed with `syn`, so inline paths, nested and renamed `use` trees, re-exports, `super::` climbs and
//! paths inside macro calls are all seen; doc comments are not code and may link anywhere.

#![expect(
    clippy::disallowed_methods,
    reason = "a test program: it prints, reads and writes files, and knows its machine"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

type Table = BTreeMap<String, BTreeSet<String>>;

/// Lines that a source file may have before its module doc must say why (`Long because …`).
const FILE_LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The room table: every row of the form ``| `room` | one line | `a`, `b` |``.
fn table() -> Table {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let mut table = Table::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(room) = cells[0].strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) else { continue };
        if cells.len() == 3 && line.starts_with('|') {
            let uses = cells[2].split(',').map(|cell| cell.trim().trim_matches('`').to_owned());
            let twice = table.insert(room.to_owned(), uses.filter(|name| !name.is_empty()).collect());
            assert!(twice.is_none(), "room `{room}` stands twice in the table");
        }
    }
    let all: BTreeSet<String> = table.keys().cloned().collect();
    for (room, uses) in &mut table {
        if uses.remove("all") {
            uses.extend(all.iter().filter(|name| *name != room).cloned());
        }
    }
    table
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The module path of a file below `src/`: `src/helm/chart/load.rs` is `[helm, chart, load]`.
fn module_path(file: &Path) -> Vec<String> {
    let below = file.strip_prefix(root().join("src")).expect("a file below src").with_extension("");
    let mut parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Gathers every room that a file names, with the text that names it.
struct Uses {
    module: Vec<String>,
    found: Vec<(String, String)>,
}

impl Uses {
    /// Resolves a path from its leading segments; only paths that reach the crate root count.
    fn path(&mut self, segments: &[String]) {
        let mut at = self.module.len();
        let mut rest = segments;
        match rest.first().map(String::as_str) {
            Some("crate" | "hydrant") => (at, rest) = (0, &rest[1..]),
            Some("self" | "super") => {}
            _ => return,
        }
        while let Some(step @ ("self" | "super")) = rest.first().map(String::as_str) {
            at -= usize::from(step == "super").min(at);
            rest = &rest[1..];
        }
        if at == 0 {
            match rest.first() {
                Some(room) => self.found.push((room.clone(), segments.join("::"))),
                None => self.found.push(("the whole crate".to_owned(), segments.join("::"))),
            }
        }
    }

    fn tree(&mut self, prefix: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(prefix, &path.tree);
                prefix.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(prefix, item)),
            syn::UseTree::Name(name) => self.leaf(prefix, &name.ident),
            syn::UseTree::Rename(rename) => self.leaf(prefix, &rename.ident),
            syn::UseTree::Glob(_) => self.path(&prefix.clone()),
        }
    }

    fn leaf(&mut self, prefix: &mut Vec<String>, name: &syn::Ident) {
        prefix.push(name.to_string());
        self.path(&prefix.clone());
        prefix.pop();
    }

    fn tokens(&mut self, stream: TokenStream) {
        let mut run: Vec<String> = Vec::new();
        for token in stream {
            match token {
                TokenTree::Ident(name) => run.push(name.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == ':' => {}
                TokenTree::Group(group) => {
                    self.flush(&mut run);
                    self.tokens(group.stream());
                }
                _ => self.flush(&mut run),
            }
        }
        self.flush(&mut run);
    }

    /// A run of names joined by `::` inside a macro; words that merely follow each other resolve to nothing.
    fn flush(&mut self, run: &mut Vec<String>) {
        if let Some(start) = run.iter().position(|name| name == "crate" || name == "super") {
            self.path(&run[start..]);
        }
        run.clear();
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&segments);
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&mut Vec::new(), &item.tree);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(super)` and `pub(in crate::x)` grant, they do not use
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {
        // doc comments may link to any room
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

/// What breaks the table in one file's text.
fn faults(module: Vec<String>, text: &str, table: &Table) -> Vec<String> {
    let room = module[0].clone();
    let file = syn::parse_file(text).expect("the code parses");
    let mut uses = Uses { module, found: Vec::new() };
    uses.visit_file(&file);
    let Some(allowed) = table.get(&room) else { return vec![format!("room `{room}` has no row in the table")] };
    let fault = |(used, path): &(String, String)| {
        (*used != room && !allowed.contains(used)).then(|| format!("`{room}` may not use `{used}` (`{path}`)"))
    };
    uses.found.iter().filter_map(fault).collect()
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let table = table();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("src/lib.rs") && !file.ends_with("src/main.rs")) {
        let text = fs::read_to_string(file).expect("a readable file");
        wrong.extend(
            faults(module_path(file), &text, &table).into_iter().map(|fault| format!("{}: {fault}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let mut table = table();
    while !table.is_empty() {
        let free: Vec<String> = table
            .iter()
            .filter(|(_, uses)| uses.iter().all(|used| !table.contains_key(used)))
            .map(|(room, _)| room.clone())
            .collect();
        assert!(!free.is_empty(), "a cycle among {:?}", table.keys().collect::<Vec<_>>());
        for room in &free {
            table.remove(room);
        }
    }
}

#[test]
fn every_room_of_the_table_exists() {
    for room in table().keys() {
        assert!(root().join("src").join(room).join("mod.rs").is_file(), "room `{room}` has no src/{room}/mod.rs");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let silent: Vec<_> =
        files.iter().filter(|file| !fs::read_to_string(file).expect("readable").starts_with("//!")).collect();
    assert!(silent.is_empty(), "no module doc: {silent:?}");
}

#[test]
fn long_files_say_why() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut unexplained = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let doc: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        if text.lines().count() > FILE_LINES_MAX && !doc.contains("Long because") && !doc.contains("long because") {
            unexplained.push((file, text.lines().count()));
        }
    }
    assert!(
        unexplained.is_empty(),
        "over {FILE_LINES_MAX} lines without `Long because …` in the module doc: {unexplained:?}"
    );
}

#[test]
fn no_static_holds_state() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        for word in ["static mut ", "thread_local!", "lazy_static!"] {
            assert!(!text.contains(word), "{}: `{word}`", file.display());
        }
        for item in syn::parse_file(&text).expect("the code parses").items {
            if let syn::Item::Static(item) = item {
                let kind = quote_type(&item.ty);
                let stateful = ["Mutex", "RwLock", "Cell", "Lock", "Atomic"].iter().any(|name| kind.contains(name));
                assert!(!stateful, "{}: static `{}` holds state", file.display(), item.ident);
            }
        }
    }
}

fn quote_type(kind: &syn::Type) -> String {
    struct Names(String);
    impl<'ast> Visit<'ast> for Names {
        fn visit_ident(&mut self, name: &'ast syn::Ident) {
            self.0.push_str(&name.to_string());
            self.0.push(' ');
        }
    }
    let mut names = Names(String::new());
    names.visit_type(kind);
    names.0
}

/// The checker is held to account too: each planted fault is found, each lawful line is not.
#[test]
fn planted_faults_are_found() {
    let table = Table::from([
        ("a".to_owned(), BTreeSet::from(["b".to_owned()])),
        ("b".to_owned(), BTreeSet::new()),
        ("c".to_owned(), BTreeSet::new()),
    ]);
    let check = |text: &str| faults(vec!["a".to_owned(), "x".to_owned()], text, &table).len();
    for lawful in [
        "use crate::b::B;",
        "use super::y::Z;",
        "/// See [`crate::c`].\nfn f() {}",
        "pub(crate) fn f() {}",
        "use crate::a::x;",
    ] {
        assert_eq!(check(lawful), 0, "{lawful}");
    }
    for fault in [
        "use crate::c::C;",
        "use crate::{b, c as d};",
        "pub use crate::c::C;",
        "fn f() { crate::c::g() }",
        "fn f() -> crate::c::C { todo!() }",
        "use super::super::c;",
        "fn f() { println!(\"{}\", crate::c::g()) }",
        "mod inner { use super::super::super::c; }",
        "use crate as all;",
        "use crate::*;",
        "use hydrant::c::C;",
    ] {
        assert!(check(fault) > 0, "{fault}");
    }
}
