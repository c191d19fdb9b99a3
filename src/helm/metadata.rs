//! What `Chart.yaml` says, as Helm decodes it.
//!
//! In: the parsed file (and, for apiVersion v1, `requirements.yaml` over it). Out: [`Metadata`], validated. Decoding
//! follows Go's JSON rules: names match whatever their case, a number where text is wanted becomes text, null leaves
//! the field alone, anything else that does not fit is an error.

use std::collections::BTreeMap;

use crate::compat::Profile;
use crate::diag::{Diagnostic, Result};
use crate::go::semver;
use crate::value::{Map, Tree};

use super::numbers::scalar_text;

/// The contents of `Chart.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The chart's name; an alias replaces it in a parent.
    pub name: String,
    /// Home page.
    pub home: String,
    /// Addresses of the sources.
    pub sources: Vec<String>,
    /// The chart's version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Who keeps it.
    pub maintainers: Vec<Maintainer>,
    /// Address of an icon.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Condition, of no effect here.
    pub condition: String,
    /// Tags, of no effect here.
    pub tags: String,
    /// The version of what the chart installs.
    pub app_version: String,
    /// True if nobody should use it any more.
    pub deprecated: bool,
    /// Free-form annotations; nothing where none are written.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Constraint on the Kubernetes version.
    pub kube_version: String,
    /// Charts it depends on; nothing where the field is missing or null, which is not the same as an empty list.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, `library` or empty.
    pub kind: String,
}

/// One maintainer.
#[derive(Clone, Debug, Default)]
pub struct Maintainer {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Address of a page.
    pub url: String,
}

/// One chart that a chart depends on.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// The name that the dependency's own `Chart.yaml` gives.
    pub name: String,
    /// Version constraint.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Comma-separated value paths; the first that holds a boolean decides.
    pub condition: String,
    /// Tags that switch it.
    pub tags: Vec<String>,
    /// Whether it is switched on; Helm computes it.
    pub enabled: bool,
    /// Values taken over from the dependency: texts, or maps with `child` and `parent`.
    pub import_values: Vec<Tree>,
    /// The name it gets in this chart; empty for its own.
    pub alias: String,
}

impl Dependency {
    /// The alias, or else the name.
    pub fn key(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

impl Metadata {
    /// Decodes `tree` over what is there already; fields that `tree` lacks stay.
    pub(crate) fn decode(&mut self, tree: &Tree) -> Result<()> {
        if tree.is_null() {
            return Ok(());
        }
        let Some(map) = tree.as_map() else { return Err(mismatch(tree, "value", "chart.Metadata")) };
        let fields = Fields { map, owner: "Metadata" };
        fields.text("name", &mut self.name)?;
        fields.text("home", &mut self.home)?;
        fields.texts("sources", &mut self.sources)?;
        fields.text("version", &mut self.version)?;
        fields.text("description", &mut self.description)?;
        fields.texts("keywords", &mut self.keywords)?;
        if let Some(list) = fields.list("maintainers")? {
            self.maintainers = list.iter().map(maintainer).collect::<Result<_>>()?;
        }
        fields.text("icon", &mut self.icon)?;
        fields.text("apiVersion", &mut self.api_version)?;
        fields.text("condition", &mut self.condition)?;
        fields.text("tags", &mut self.tags)?;
        fields.text("appVersion", &mut self.app_version)?;
        fields.flag("deprecated", &mut self.deprecated)?;
        if let Some(tree) = fields.get("annotations") {
            self.annotations = annotations(tree)?;
        }
        fields.text("kubeVersion", &mut self.kube_version)?;
        match fields.list("dependencies")? {
            Some(list) => self.dependencies = Some(list.iter().map(dependency).collect::<Result<_>>()?),
            None if fields.get("dependencies").is_some() => self.dependencies = None,
            None => {}
        }
        fields.text("type", &mut self.kind)
    }

    /// Cleans the texts as Helm does, and refuses what Helm refuses.
    pub(crate) fn validate(&mut self, profile: Profile) -> Result<()> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        for maintainer in &mut self.maintainers {
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
        }
        if self.api_version.is_empty() {
            return invalid("chart.metadata.apiVersion is required");
        }
        match self.name.as_str() {
            "" => return invalid("chart.metadata.name is required"),
            "." | ".." if profile.chart_name_dots_refused() => return invalid(format!("chart.metadata.name {:?} is not allowed", self.name)),
            name if name.contains('/') => return invalid(format!("chart.metadata.name {name:?} is invalid")),
            _ => {}
        }
        if self.version.is_empty() {
            return invalid("chart.metadata.version is required");
        }
        if semver::Version::parse(&self.version).is_err() {
            return invalid(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return invalid("chart.metadata.type must be application or library");
        }
        self.validate_dependencies()
    }

    fn validate_dependencies(&mut self) -> Result<()> {
        let Some(dependencies) = &mut self.dependencies else { return Ok(()) };
        for index in 0..dependencies.len() {
            let dependency = &mut dependencies[index];
            for text in [&mut dependency.name, &mut dependency.version, &mut dependency.repository, &mut dependency.condition] {
                sanitize(text);
            }
            dependency.tags.iter_mut().for_each(sanitize);
            let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !dependency.alias.chars().all(letters) {
                return invalid(format!("dependency {:?} has disallowed characters in the alias", dependency.name));
            }
            let key = dependencies[index].key();
            if dependencies[..index].iter().any(|before| before.key() == key) {
                return invalid(format!("more than one dependency with name or alias {key:?}"));
            }
        }
        Ok(())
    }
}

/// A map being decoded into a Go struct.
struct Fields<'a> {
    map: &'a Map,
    owner: &'static str,
}

impl<'a> Fields<'a> {
    /// The field with that name in any case; the exact name wins.
    fn get(&self, name: &str) -> Option<&'a Tree> {
        let folded = || self.map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, tree)| tree);
        self.map.get(name).or_else(folded)
    }

    fn text(&self, name: &'static str, into: &mut String) -> Result<()> {
        match self.get(name) {
            Some(Tree::Scalar(scalar)) => {
                if let Some(text) = scalar_text(scalar) {
                    *into = text;
                }
                Ok(())
            }
            Some(tree) => Err(self.mismatch(tree, name, "string")),
            None => Ok(()),
        }
    }

    fn texts(&self, name: &'static str, into: &mut Vec<String>) -> Result<()> {
        let Some(list) = self.list(name)? else { return Ok(()) };
        *into = list.iter().map(|tree| match tree {
            Tree::Scalar(scalar) => Ok(scalar_text(scalar).unwrap_or_default()),
            _ => Err(self.mismatch(tree, name, "string")),
        }).collect::<Result<_>>()?;
        Ok(())
    }

    fn list(&self, name: &'static str) -> Result<Option<&'a [Tree]>> {
        match self.get(name) {
            Some(Tree::List(list)) => Ok(Some(list)),
            Some(tree) if !tree.is_null() => Err(self.mismatch(tree, name, "[]")),
            _ => Ok(None),
        }
    }

    fn flag(&self, name: &'static str, into: &mut bool) -> Result<()> {
        use crate::value::Kind;
        match self.get(name) {
            Some(Tree::Scalar(scalar)) if scalar.kind == Kind::Bool => {
                *into = scalar_text(scalar).as_deref() == Some("true");
                Ok(())
            }
            Some(tree) if !tree.is_null() => Err(self.mismatch(tree, name, "bool")),
            _ => Ok(()),
        }
    }

    fn mismatch(&self, tree: &Tree, name: &str, wanted: &str) -> Box<Diagnostic> {
        mismatch(tree, &format!("struct field {}.{name}", self.owner), wanted)
    }
}

fn mismatch(tree: &Tree, place: &str, wanted: &str) -> Box<Diagnostic> {
    use crate::value::Kind;
    let found = match tree {
        Tree::List(_) => "array",
        Tree::Map(_) => "object",
        Tree::Scalar(scalar) => match scalar.kind {
            Kind::Bool => "bool",
            Kind::Int | Kind::Float => "number",
            _ => "string",
        },
    };
    let message = format!("json: cannot unmarshal {found} into Go {place} of type {wanted}");
    Box::new(Diagnostic::input("chart-metadata", message))
}

fn maintainer(tree: &Tree) -> Result<Maintainer> {
    let Some(map) = tree.as_map() else {
        if tree.is_null() {
            return invalid("maintainers must not contain empty or null nodes");
        }
        return Err(mismatch(tree, "struct field Metadata.maintainers", "chart.Maintainer"));
    };
    let fields = Fields { map, owner: "Maintainer" };
    let mut maintainer = Maintainer::default();
    fields.text("name", &mut maintainer.name)?;
    fields.text("email", &mut maintainer.email)?;
    fields.text("url", &mut maintainer.url)?;
    Ok(maintainer)
}

fn dependency(tree: &Tree) -> Result<Dependency> {
    let Some(map) = tree.as_map() else {
        if tree.is_null() {
            return invalid("dependencies must not contain empty or null nodes");
        }
        return Err(mismatch(tree, "struct field Metadata.dependencies", "chart.Dependency"));
    };
    let fields = Fields { map, owner: "Dependency" };
    let mut dependency = Dependency::default();
    fields.text("name", &mut dependency.name)?;
    fields.text("version", &mut dependency.version)?;
    fields.text("repository", &mut dependency.repository)?;
    fields.text("condition", &mut dependency.condition)?;
    fields.texts("tags", &mut dependency.tags)?;
    fields.flag("enabled", &mut dependency.enabled)?;
    if let Some(list) = fields.list("import-values")? {
        dependency.import_values = list.to_vec();
    }
    fields.text("alias", &mut dependency.alias)?;
    Ok(dependency)
}

/// Decodes a lock file for its faults alone: nothing that it says matters to a render.
pub(crate) fn check_lock(tree: &Tree) -> Result<()> {
    if tree.is_null() {
        return Ok(());
    }
    let Some(map) = tree.as_map() else { return Err(mismatch(tree, "value", "chart.Lock")) };
    let fields = Fields { map, owner: "Lock" };
    fields.text("digest", &mut String::new())?;
    if let Some(rows) = fields.list("dependencies")? {
        rows.iter().filter(|row| !row.is_null()).try_for_each(|row| dependency(row).map(drop))?;
    }
    match fields.get("generated") {
        Some(tree) if !tree.is_null() && !tree.as_str().is_some_and(is_rfc3339) => {
            Err(Box::new(Diagnostic::input("chart-lock", "`generated` is no time such as 2006-01-02T15:04:05Z")))
        }
        _ => Ok(()),
    }
}

/// True for what Go's `time.Time` reads from JSON.
fn is_rfc3339(text: &str) -> bool {
    let number = |at: std::ops::Range<usize>, most: u32| {
        text.get(at).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).and_then(|part| part.parse::<u32>().ok())
            .filter(|number| *number <= most)
    };
    let mark = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    let (Some(year), Some(month), Some(day)) = (number(0..4, 9999), number(5..7, 12), number(8..10, 31)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let date = mark(4, b'-') && mark(7, b'-') && month > 0 && (1..=days[month as usize - 1]).contains(&day);
    let time = mark(10, b'T') && mark(13, b':') && mark(16, b':')
        && number(11..13, 23).is_some() && number(14..16, 59).is_some() && number(17..19, 59).is_some();
    let rest = text.get(19..).unwrap_or_default();
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let at = text.len() - zone.len();
    let offset = matches!(zone.as_bytes().first(), Some(b'+' | b'-')) && zone.len() == 6 && mark(at + 3, b':')
        && number(at + 1..at + 3, 23).is_some() && number(at + 4..at + 6, 59).is_some();
    date && time && rest.get(..2) != Some(".Z") && (zone == "Z" || offset)
}

/// A Go `map[string]string`; nothing for null.
pub(crate) fn annotations(tree: &Tree) -> Result<Option<BTreeMap<String, String>>> {
    if tree.is_null() {
        return Ok(None);
    }
    let Some(map) = tree.as_map() else { return Err(mismatch(tree, "struct field annotations", "map[string]string")) };
    let entry = |(key, tree): (&crate::value::Text, &Tree)| match tree {
        Tree::Scalar(scalar) => Ok((key.to_string(), scalar_text(scalar).unwrap_or_default())),
        _ => Err(mismatch(tree, "struct field annotations", "string")),
    };
    map.iter().map(entry).collect::<Result<_>>().map(Some)
}

/// Any kind of space becomes a space, and what cannot be printed goes.
fn sanitize(text: &mut String) {
    let printable = |c: char| c == ' ' || !(c.is_control() || is_format(c));
    if text.chars().any(|c| c != ' ' && (c.is_whitespace() || !printable(c))) {
        *text = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| printable(*c)).collect();
    }
}

/// Format, private-use and not-a-character code points, which Go does not count as printable.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

fn invalid<T>(message: impl Into<String>) -> Result<T> {
    Err(Box::new(Diagnostic::input("chart-metadata", format!("validation: {}", message.into()))))
}
