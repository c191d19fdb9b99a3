//! What a chart says of itself, as `helm show` prints it.

use super::chart::Chart;
use crate::diag::Result;
use super::load::text_of;
use super::metadata::{Dependency, Metadata};
use crate::value::{Map, Text, Tree};

/// Names that a readme may have, in any case.
const READMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];

impl Chart {
    /// The text of `values.yaml`; nothing where there is no such file.
    pub fn values_source(&self) -> Option<&str> {
        self.values_text.as_ref().map(crate::diag::SourceText::text)
    }

    /// The chart of a name in `charts/`; the last where there are several.
    pub fn dependency(&self, name: &str) -> Option<&Chart> {
        self.dependencies.iter().rev().find(|chart| chart.metadata.name == name).map(AsRef::as_ref)
    }

    /// The text of the readme; nothing where there is none. Fails if it can be read no longer.
    pub fn readme(&self) -> Result<Option<String>> {
        let named = |name: &str| READMES.iter().any(|readme| name.eq_ignore_ascii_case(readme));
        let readme = self.files.iter().find(|file| named(&file.name));
        readme.map(|file| Ok(text_of(file.data.bytes()?).to_string())).transpose()
    }

    /// The custom resource definitions of the chart and of the charts in it. Fails if one can be read no longer.
    pub fn crd_texts(&self) -> Result<Vec<String>> {
        let mut texts: Vec<String> =
            self.crds().map(|file| Ok(text_of(file.data.bytes()?).to_string())).collect::<Result<_>>()?;
        for chart in &self.dependencies {
            texts.extend(chart.crd_texts()?);
        }
        Ok(texts)
    }
}

impl Metadata {
    /// The contents of `Chart.yaml` as Helm understood them: no field that is empty, none that it does not know.
    pub fn to_tree(&self) -> Tree {
        let mut fields = Fields::default();
        fields.text("name", &self.name);
        fields.text("home", &self.home);
        fields.texts("sources", &self.sources);
        fields.text("version", &self.version);
        fields.text("description", &self.description);
        fields.texts("keywords", &self.keywords);
        fields.list("maintainers", self.maintainers.iter().map(|one| {
            let mut fields = Fields::default();
            fields.text("name", &one.name);
            fields.text("email", &one.email);
            fields.text("url", &one.url);
            Tree::map(fields.0)
        }));
        fields.text("icon", &self.icon);
        fields.text("apiVersion", &self.api_version);
        fields.text("condition", &self.condition);
        fields.text("tags", &self.tags);
        fields.text("appVersion", &self.app_version);
        fields.flag("deprecated", self.deprecated);
        let annotations: Map = self.annotations.iter().flatten().map(|(key, value)| (Text::new(key), Tree::str(value.as_str()))).collect();
        if !annotations.is_empty() {
            fields.0.set("annotations", Tree::map(annotations));
        }
        fields.text("kubeVersion", &self.kube_version);
        fields.list("dependencies", self.dependencies.iter().flatten().map(dependency));
        fields.text("type", &self.kind);
        Tree::map(fields.0)
    }
}

fn dependency(row: &Dependency) -> Tree {
    let mut fields = Fields::default();
    fields.text("name", &row.name);
    fields.text("version", &row.version);
    fields.0.set("repository", Tree::str(row.repository.as_str()));
    fields.text("condition", &row.condition);
    fields.texts("tags", &row.tags);
    fields.flag("enabled", row.enabled);
    fields.list("import-values", row.import_values.iter().cloned());
    fields.text("alias", &row.alias);
    Tree::map(fields.0)
}

/// Fields that are left out where they are empty, as Go's `omitempty` does.
#[derive(Default)]
struct Fields(Map);

impl Fields {
    fn text(&mut self, key: &'static str, value: &str) {
        if !value.is_empty() {
            self.0.set(key, Tree::str(value));
        }
    }

    fn flag(&mut self, key: &'static str, value: bool) {
        if value {
            self.0.set(key, Tree::bool(true));
        }
    }

    fn texts(&mut self, key: &'static str, values: &[String]) {
        self.list(key, values.iter().map(|value| Tree::str(value.as_str())));
    }

    fn list(&mut self, key: &'static str, items: impl Iterator<Item = Tree>) {
        let items: Vec<Tree> = items.collect();
        if !items.is_empty() {
            self.0.set(key, Tree::list(items));
        }
    }
}
