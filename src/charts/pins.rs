//! `hydrant.lock`: what everything that a source takes from elsewhere came to, so that a render needs no network and
//! cannot drift.
//!
//! A YAML file beside the source, keys and rows sorted, one text for one state. Rows are keyed by what the source asks
//! for, as it asks; a row that is not asked for any more goes when the lock is renewed.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Result, SourceText};
use crate::oci::Digest;
use crate::value::{Kind, Map, Text, Tree};
use crate::yaml::{self, Dialect};

/// The file's name.
pub(crate) const LOCK_FILE: &str = "hydrant.lock";
/// The form of the file.
const VERSION: i64 = 1;
const HEADER: &str = "# What this source takes from elsewhere; `hydrant deps update` renews it.\n";

/// A chart and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChartPin {
    /// The chart's name.
    pub(crate) name: String,
    /// The version that it came to.
    pub(crate) resolved: String,
    /// Where it was pulled from.
    pub(crate) url: String,
    /// Digest of the packed chart.
    pub(crate) digest: Digest,
}

/// A git repository and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BasePin {
    /// The commit, in hex.
    pub(crate) commit: String,
    /// Digest of its files, over SHA-256.
    pub(crate) digest: Digest,
}

/// A file at a URL and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FilePin {
    /// Digest of its bytes.
    pub(crate) digest: Digest,
}

/// The lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pins {
    /// `--compat` of the renders that it is for.
    pub(crate) profile: String,
    /// The Kubernetes version that charts see; empty for the profile's own.
    pub(crate) kube_version: String,
    /// Fingerprint of the seed key; empty for none. Never the key.
    pub(crate) seed: String,
    /// Charts by repository, name and the version asked for.
    pub(crate) charts: BTreeMap<(String, String, String), ChartPin>,
    /// Git repositories by URL and the revision asked for.
    pub(crate) bases: BTreeMap<(String, String), BasePin>,
    /// Files by URL.
    pub(crate) files: BTreeMap<String, FilePin>,
}

impl Pins {
    /// True if nothing comes from elsewhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.charts.is_empty() && self.bases.is_empty() && self.files.is_empty()
    }

    /// Reads the file's text. Fails with `lock-broken`, `lock-version`.
    pub(crate) fn parse(source: &SourceText) -> Result<Pins> {
        let tree = yaml::parse(source, Dialect::V3)?;
        match text(&tree, "version").as_str() {
            "1" => {}
            other => {
                let message = format!("`{}` has the form `{other}`, which this version does not read", source.name());
                return Err(Box::new(
                    Diagnostic::input("lock-version", message).hint("renew it with `hydrant deps update`"),
                ));
            }
        }
        let mut pins = Pins {
            profile: text(&tree, "profile"),
            kube_version: text(&tree, "kubeVersion"),
            seed: text(&tree, "seed"),
            ..Pins::default()
        };
        let digest = |row: &Tree| {
            Digest::parse(&text(row, "digest")).map_err(|fault| {
                let message = format!("a row of `{}` has no digest: {}", source.name(), fault.message);
                Box::new(Diagnostic::input("lock-broken", message).hint("renew it with `hydrant deps update`"))
            })
        };
        for row in rows(&tree, "charts") {
            let pin = ChartPin {
                name: text(row, "name"),
                resolved: text(row, "resolved"),
                url: text(row, "url"),
                digest: digest(row)?,
            };
            pins.charts.insert((text(row, "repository"), text(row, "name"), text(row, "version")), pin);
        }
        for row in rows(&tree, "bases") {
            let pin = BasePin { commit: text(row, "commit"), digest: digest(row)? };
            pins.bases.insert((text(row, "url"), text(row, "ref")), pin);
        }
        for row in rows(&tree, "files") {
            pins.files.insert(text(row, "url"), FilePin { digest: digest(row)? });
        }
        Ok(pins)
    }

    /// The file's text.
    pub(crate) fn print(&self) -> String {
        let mut top = Map::new();
        top.set("version", Tree::plain(Kind::Int, VERSION.to_string()));
        for (key, value) in [("profile", &self.profile), ("kubeVersion", &self.kube_version), ("seed", &self.seed)] {
            if !value.is_empty() {
                top.set(key, Tree::str(value.as_str()));
            }
        }
        let charts = self.charts.iter().map(|((repository, name, version), pin)| {
            row(&[
                ("repository", repository),
                ("name", name),
                ("version", version),
                ("resolved", &pin.resolved),
                ("url", &pin.url),
                ("digest", &pin.digest.to_string()),
            ])
        });
        let bases = self.bases.iter().map(|((url, revision), pin)| {
            row(&[("url", url), ("ref", revision), ("commit", &pin.commit), ("digest", &pin.digest.to_string())])
        });
        let files = self.files.iter().map(|(url, pin)| row(&[("url", url), ("digest", &pin.digest.to_string())]));
        for (key, rows) in
            [("charts", charts.collect()), ("bases", bases.collect()), ("files", files.collect::<Vec<_>>())]
        {
            if !rows.is_empty() {
                top.set(key, Tree::list(rows));
            }
        }
        format!("{HEADER}{}", yaml::to_string(&Tree::map(top)))
    }

    /// What `newer` has otherwise, a line each.
    pub(crate) fn differences(&self, newer: &Pins) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, old, new) in [
            ("profile", &self.profile, &newer.profile),
            ("kubeVersion", &self.kube_version, &newer.kube_version),
            ("seed", &self.seed, &newer.seed),
        ] {
            if old != new {
                lines.push(format!("{what}: `{old}` is now `{new}`"));
            }
        }
        compare(
            &self.charts,
            &newer.charts,
            |(repository, name, version)| format!("chart `{name}` {version} of `{repository}`"),
            &mut lines,
        );
        compare(&self.bases, &newer.bases, |(url, revision)| format!("base `{url}` {revision}"), &mut lines);
        compare(&self.files, &newer.files, |url| format!("file `{url}`"), &mut lines);
        lines
    }
}

fn compare<K: Ord, V: PartialEq>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
    lines: &mut Vec<String>,
) {
    for (key, value) in new {
        match old.get(key) {
            None => lines.push(format!("{} is not locked", name(key))),
            Some(before) if before != value => lines.push(format!("{} is another now", name(key))),
            Some(_) => {}
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(key)) {
        lines.push(format!("{} is locked and not asked for", name(key)));
    }
}

fn row(fields: &[(&str, &str)]) -> Tree {
    let kept = fields.iter().filter(|(_, value)| !value.is_empty());
    Tree::map(kept.map(|(key, value)| (Text::new(key), Tree::str(*value))).collect())
}

fn rows<'t>(tree: &'t Tree, field: &str) -> &'t [Tree] {
    tree.get(field).and_then(Tree::as_list).unwrap_or_default()
}

fn text(tree: &Tree, field: &str) -> String {
    tree.get(field)
        .filter(|value| !value.is_null())
        .and_then(Tree::as_scalar)
        .map(|scalar| scalar.text.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins() -> Pins {
        let digest = Digest::of(b"x");
        let mut pins = Pins { profile: "helm-4.3,kustomize-5.7".into(), ..Pins::default() };
        let chart =
            ChartPin { name: "web".into(), resolved: "1.2.3".into(), url: "https://a/web-1.2.3.tgz".into(), digest };
        pins.charts.insert(("https://a".into(), "web".into(), "^1".into()), chart);
        pins.bases.insert(("https://g/r.git".into(), "v1".into()), BasePin { commit: "c0ffee".into(), digest });
        pins.files.insert("https://a/x.yaml".into(), FilePin { digest });
        pins
    }

    #[test]
    fn one_text_for_one_state_and_back() {
        let text = pins().print();
        assert_eq!(Pins::parse(&SourceText::new(LOCK_FILE, text.as_str())).expect("a lock"), pins());
        assert!(text.contains("version: 1\n"), "{text}");
        assert_eq!(
            Pins::parse(&SourceText::new(LOCK_FILE, "version: 2\n")).expect_err("of the future").code,
            "lock-version"
        );
        assert_eq!(
            Pins::parse(&SourceText::new(LOCK_FILE, "version: 1\nfiles: [{url: a}]\n")).expect_err("no digest").code,
            "lock-broken"
        );
    }

    #[test]
    fn differences_are_named() {
        let mut newer = pins();
        newer.files.clear();
        newer.kube_version = "v1.30.0".into();
        newer.bases.get_mut(&("https://g/r.git".to_owned(), "v1".to_owned())).expect("there").commit = "d00d".into();
        let lines = pins().differences(&newer);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].contains("another now") && lines[2].contains("not asked for"), "{lines:?}");
    }
}
