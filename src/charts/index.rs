//! The index of a chart repository, read as a stream: of 20 MB only the entries of the one chart asked for are kept.
//!
//! In: bytes as they come, and a chart's name. Out: [`Index`], its versions newest first, as Helm sorts them. YAML in
//! block style, which is what every index generator writes, is cut by lines: a line that starts a key of `entries`
//! begins a chart, and what belongs to other charts is dropped as it is read. JSON, which Helm 4 writes too, is read by
//! a streaming parser. Faults in other charts' entries are not seen, and harm nobody.

use std::io::{BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::diag::{Diagnostic, Result, SourceText};
use crate::go::semver::Version;
use crate::oci::Digest;
use crate::value::Tree;
use crate::yaml::{self, Dialect};

/// Most bytes of an index that are read. The largest public one has some 40 MB.
pub(super) const INDEX_BYTES_MAX: u64 = 512 << 20;
/// Most bytes kept: the entries of one chart.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Longest line.
const LINE_BYTES_MAX: usize = 4 << 20;

/// One version of a chart, as an index lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The version as written.
    pub(super) version: String,
    /// Where the chart is; the first counts.
    pub(super) urls: Vec<String>,
    /// Digest of the packed chart, if the index says it.
    pub(super) digest: Option<Digest>,
}

/// The versions of one chart.
#[derive(Debug)]
pub(super) struct Index {
    /// The versions, newest first; nothing if the index does not know the chart.
    pub(super) entries: Option<Vec<Entry>>,
    /// Bytes read, and bytes kept to be understood: what reading it cost.
    #[cfg(test)]
    pub(super) cost: (u64, usize),
}

/// Reads an index and keeps what it says of the chart `wanted`. `shown` names the index in faults.
pub(super) fn read(source: impl Read, wanted: &str, shown: &str) -> Result<Index> {
    let mut lines = Lines { inner: BufReader::with_capacity(64 << 10, source.take(INDEX_BYTES_MAX)), read: 0, shown };
    let kept = match lines.first_byte()? {
        None => return Err(fault("chart-index-empty", format!("the index `{shown}` is empty"))),
        Some(b'{') => json(&mut lines, wanted, shown)?,
        Some(_) => block(&mut lines, wanted, shown)?,
    };
    if lines.read >= INDEX_BYTES_MAX {
        return Err(fault(
            "chart-index-too-large",
            format!("the index `{shown}` has more than {INDEX_BYTES_MAX} bytes"),
        ));
    }
    let tree = yaml::parse(&SourceText::new(shown, kept.as_str()), Dialect::V2).map_err(|mut broken| {
        broken.message = format!("the entries of `{wanted}` in the index `{shown}` cannot be read: {}", broken.message);
        broken.hint("tell whoever keeps the repository; `helm repo index` writes it anew")
    })?;
    if tree.get("apiVersion").and_then(Tree::as_str).is_none_or(str::is_empty) {
        let text = format!("`{shown}` is no index of a chart repository: it has no `apiVersion`");
        return Err(fault("chart-index-version", text));
    }
    let entries = tree.at(&["entries", wanted]).filter(|list| !list.is_null());
    let entries = entries.map(|list| sorted(list.as_list().unwrap_or_default()));
    Ok(Index {
        entries,
        #[cfg(test)]
        cost: (lines.read, kept.len()),
    })
}

/// The entries that can be used, newest first.
fn sorted(list: &[Tree]) -> Vec<Entry> {
    let mut entries: Vec<(Version, Entry)> = list.iter().filter_map(entry).collect();
    entries.sort_by(|(a, _), (b, _)| b.compare(a));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// An entry, unless it lacks what a chart must have; Helm passes over those too.
fn entry(tree: &Tree) -> Option<(Version, Entry)> {
    let text = |field: &str| {
        tree.get(field).filter(|value| !value.is_null()).and_then(Tree::as_scalar).map(|scalar| scalar.text.to_string())
    };
    let version = text("version")?;
    let parsed = Version::parse(&version).ok()?;
    text("name").filter(|name| !name.is_empty())?;
    let urls = tree.get("urls").and_then(Tree::as_list).unwrap_or_default();
    let urls = urls.iter().filter_map(Tree::as_str).map(str::to_owned).collect();
    let digest = text("digest").filter(|digest| !digest.is_empty()).and_then(|digest| {
        let hex = digest.strip_prefix("sha256:").unwrap_or(&digest).to_ascii_lowercase();
        Digest::parse(&format!("sha256:{hex}")).ok()
    });
    Some((parsed, Entry { version, urls, digest }))
}

/// Cuts a block-style index: gives the text of `apiVersion` and of the wanted chart's entries.
fn block<R: Read>(lines: &mut Lines<'_, R>, wanted: &str, shown: &str) -> Result<String> {
    let mut kept = String::new();
    let mut part = Part::Other;
    let mut begun = false;
    let mut line = Vec::new();
    while lines.next(&mut line)? {
        let text = String::from_utf8_lossy(&line);
        let bare = text.trim_start_matches(' ');
        let indent = text.len() - bare.len();
        let blank = bare.trim_end().is_empty() || bare.starts_with('#');
        match (indent, blank, &mut part) {
            (_, true, Part::Entries { taking: true, .. } | Part::Whole) => {}
            (_, true, _) => continue,
            (0, ..) if bare.starts_with("---") && !begun => continue,
            (0, ..) if bare.starts_with("---") || bare.starts_with("...") => break,
            (0, ..) if !bare.starts_with("- ") => {
                begun = true;
                part = Part::of(bare);
                if matches!(part, Part::Other) {
                    continue;
                }
            }
            (_, _, Part::Entries { indent: None, .. }) if indent == 0 => continue,
            (_, _, Part::Entries { indent: at, taking, found }) => {
                let at = *at.get_or_insert(indent);
                if indent < at {
                    let text = format!(
                        "the index `{shown}` is not indented as YAML is: `{}`",
                        bare.trim_end().chars().take(80).collect::<String>()
                    );
                    return Err(fault("chart-index-broken", text));
                }
                if indent == at && !bare.starts_with("- ") && bare.trim_end() != "-" {
                    *taking = key(bare).is_some_and(|(name, _)| name == wanted);
                    if *taking && *found {
                        return Err(fault("chart-index-broken", format!("the index `{shown}` lists `{wanted}` twice")));
                    }
                    *found |= *taking;
                }
                if !*taking {
                    continue;
                }
            }
            (_, _, Part::Whole) => {}
            (_, _, Part::Other) => continue,
        }
        keep(&mut kept, &text, shown)?;
    }
    Ok(kept)
}

/// Where in an index a line stands.
enum Part {
    /// Under `entries:`, whose keys are indented by `indent`; `taking` while in the wanted chart.
    Entries { indent: Option<usize>, taking: bool, found: bool },
    /// In a part that is kept whole.
    Whole,
    /// In a part that is dropped.
    Other,
}

impl Part {
    fn of(line: &str) -> Part {
        match key(line) {
            Some((name, "")) if name == "entries" => Part::Entries { indent: None, taking: false, found: false },
            // in flow style on the key's own line: kept as it is
            Some((name, _)) if name == "entries" || name == "apiVersion" => Part::Whole,
            _ => Part::Other,
        }
    }
}

/// The key that a line starts with, and what follows it.
fn key(line: &str) -> Option<(String, &str)> {
    let line = line.trim_end();
    let (name, rest) = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let (name, rest) = line[1..].split_once(quote)?;
            (name.to_owned(), rest.trim_start().strip_prefix(':')?)
        }
        _ => match line.split_once(": ") {
            Some((name, rest)) => (name.to_owned(), rest),
            None => (line.strip_suffix(':')?.to_owned(), ""),
        },
    };
    let rest = rest.trim_start();
    Some((name.trim_end().to_owned(), if rest.starts_with('#') { "" } else { rest }))
}

fn keep(kept: &mut String, line: &str, shown: &str) -> Result<()> {
    if kept.len() + line.len() > KEPT_BYTES_MAX {
        let text = format!("the index `{shown}` has more than {KEPT_BYTES_MAX} bytes about one chart");
        return Err(fault("chart-index-too-large", text));
    }
    kept.push_str(line);
    kept.push('\n');
    Ok(())
}

/// Reads a JSON index; gives it back with the wanted chart alone.
fn json<R: Read>(lines: &mut Lines<'_, R>, wanted: &str, shown: &str) -> Result<String> {
    let mut reader = serde_json::Deserializer::from_reader(&mut lines.inner);
    let found = serde::Deserializer::deserialize_map(&mut reader, Top { wanted })
        .map_err(|error| fault("chart-index-broken", format!("the index `{shown}` is no JSON that ends: {error}")))?;
    lines.read = INDEX_BYTES_MAX - lines.inner.get_ref().limit();
    let text = found.to_string();
    let mut kept = String::new();
    keep(&mut kept, &text, shown)?;
    Ok(kept)
}

struct Top<'a> {
    wanted: &'a str,
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an index of charts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<serde_json::Value, A::Error> {
        let mut kept = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "apiVersion" => drop(kept.insert(key, map.next_value()?)),
                "entries" => drop(kept.insert(key, map.next_value_seed(Entries { wanted: self.wanted })?)),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(kept.into())
    }
}

struct Entries<'a> {
    wanted: &'a str,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = serde_json::Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<serde_json::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("charts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<serde_json::Value, A::Error> {
        let mut kept = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == self.wanted {
                kept.insert(key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(kept.into())
    }
}

/// The lines of a stream, none longer than a limit.
struct Lines<'s, R: Read> {
    inner: BufReader<std::io::Take<R>>,
    read: u64,
    shown: &'s str,
}

impl<R: Read> Lines<'_, R> {
    /// The first byte that is no space, left where it is.
    fn first_byte(&mut self) -> Result<Option<u8>> {
        loop {
            let shown = self.shown;
            let buffer = self.inner.fill_buf().map_err(|error| unreadable(shown, &error))?;
            let Some(first) = buffer.first().copied() else { return Ok(None) };
            let spaces = buffer.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            // the mark some editors put first
            let mark = if buffer.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            if spaces + mark == 0 {
                return Ok(Some(first));
            }
            self.inner.consume(spaces.max(mark));
            self.read += spaces.max(mark) as u64;
        }
    }

    /// Puts the next line, without its end, into `line`; false at the end.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        line.clear();
        let length = (&mut self.inner)
            .take(LINE_BYTES_MAX as u64)
            .read_until(b'\n', line)
            .map_err(|error| unreadable(self.shown, &error))?;
        self.read += length as u64;
        if length == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            let text = format!("the index `{}` has a line of more than {LINE_BYTES_MAX} bytes", self.shown);
            return Err(fault("chart-index-broken", text));
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(length > 0)
    }
}

fn unreadable(shown: &str, error: &std::io::Error) -> Box<Diagnostic> {
    // what a transfer broke off with stands in the error's own words
    Box::new(Diagnostic::unreachable("chart-index-cut", format!("the index `{shown}` breaks off: {error}")))
}

fn fault(code: &'static str, message: String) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::unreachable(code, message)
            .hint("check that the URL is a chart repository's; `URL/index.yaml` is its index"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "apiVersion: v1\nentries:\n  other:\n  - name: other\n    version: 9.0.0\n    description: |\n      web:\n      - no\n    urls: [o.tgz]\n  web:\n  - name: web\n    version: 1.2.0\n    urls:\n    - web-1.2.0.tgz\n    digest: a000000000000000000000000000000000000000000000000000000000000000\n  - name: web\n    version: 1.10.0\n    urls:\n    - https://example.com/web-1.10.0.tgz\n  - name: web\n    version: nonsense\n  - null\n  webby:\n  - name: webby\n    version: 3.0.0\ngenerated: \"2024-01-01T00:00:00Z\"\n";

    fn versions(text: &str, wanted: &str) -> Option<Vec<String>> {
        let index = read(text.as_bytes(), wanted, "index.yaml").expect("an index");
        index.entries.map(|entries| entries.into_iter().map(|entry| entry.version).collect())
    }

    #[test]
    fn the_chart_asked_for_is_found_newest_first() {
        assert_eq!(versions(INDEX, "web").expect("known"), ["1.10.0", "1.2.0"]);
        assert_eq!(versions(INDEX, "webby").expect("known"), ["3.0.0"]);
        assert_eq!(versions(INDEX, "nginx"), None);
        let index = read(INDEX.as_bytes(), "web", "index.yaml").expect("an index");
        let entries = index.entries.expect("known");
        assert_eq!(entries[1].urls, ["web-1.2.0.tgz"]);
        assert!(entries[1].digest.is_some() && entries[0].digest.is_none());
    }

    #[test]
    fn every_style_that_generators_write_is_read() {
        let indented = "---\n# made by hand\n\"apiVersion\": v1\nentries:\n    'web':\n        - {name: web, version: \"1.0.0\", urls: [a.tgz]}\n    other: []\n";
        assert_eq!(versions(indented, "web").expect("known"), ["1.0.0"]);
        let flow = "entries: {web: [{name: web, version: 1.0.0, urls: [a.tgz]}]}\napiVersion: v1\n";
        assert_eq!(versions(flow, "web").expect("known"), ["1.0.0"]);
        let json = r#"{"apiVersion":"v1","generated":"x","entries":{"other":[{"name":"other","version":"1.0.0"}],"web":[{"name":"web","version":"2.0.0","urls":["a"]}]}}"#;
        assert_eq!(versions(json, "web").expect("known"), ["2.0.0"]);
        assert_eq!(
            versions("apiVersion: v1\r\nentries:\r\n  web:\r\n  - name: web\r\n    version: 1.0.0\r\n", "web")
                .expect("known"),
            ["1.0.0"]
        );
        assert_eq!(versions("apiVersion: v1\nentries: {}\n", "web"), None);
    }

    #[test]
    fn what_is_no_index_is_refused_by_name() {
        let code = |text: &str| read(text.as_bytes(), "web", "index.yaml").expect_err(text).code;
        assert_eq!(code(""), "chart-index-empty");
        assert_eq!(code("<html></html>\n"), "chart-index-version");
        assert_eq!(code("entries: {}\n"), "chart-index-version");
        assert_eq!(code("{\"apiVersion\": \"v1\", \"entries\": {"), "chart-index-broken");
        assert_eq!(
            code("apiVersion: v1\nentries:\n  web:\n  - name: web\n  web:\n  - name: web\n"),
            "chart-index-broken"
        );
        assert_eq!(code("apiVersion: v1\nentries:\n  web:\n  - name: [\n"), "yaml-syntax");
        assert_eq!(code("apiVersion: v1\nentries:\n    web:\n    - name: web\n  x:\n"), "chart-index-broken");
    }

    #[test]
    fn of_a_hundred_thousand_entries_only_the_wanted_ones_are_kept() {
        struct Endless {
            next: usize,
            left: Vec<u8>,
        }
        impl Read for Endless {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                if self.left.is_empty() && self.next < 100_000 {
                    let number = self.next;
                    let entry = format!(
                        "  chart-{number}:\n  - name: chart-{number}\n    version: 1.0.{number}\n    description: {}\n    urls: [a.tgz]\n",
                        "x".repeat(120)
                    );
                    self.left =
                        if number == 0 { format!("apiVersion: v1\nentries:\n{entry}") } else { entry }.into_bytes();
                    self.next += 1;
                }
                let count = self.left.len().min(out.len());
                out[..count].copy_from_slice(&self.left[..count]);
                self.left.drain(..count);
                Ok(count)
            }
        }
        let index = read(Endless { next: 0, left: Vec::new() }, "chart-77777", "index.yaml").expect("an index");
        assert_eq!(index.entries.expect("known")[0].version, "1.0.77777");
        assert!(index.cost.0 > 18_000_000 && index.cost.1 < 400, "{:?}", index.cost);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let fault = read(std::io::repeat(b'a'), "web", "index.yaml").expect_err("endless");
        assert_eq!(fault.code, "chart-index-broken");
    }
}
