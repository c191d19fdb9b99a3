//! The `crds` field: what OpenAPI definitions of custom kinds say about their fields.
//!
//! In: files, each a map of definitions (`package.Kind: {Schema: {properties: …}}`), with kustomize's extensions on
//! properties. Out: the field specifications that they come to. Kinds are told by the name alone, as in kustomize.

use super::config::{Config, NameReference, Use};
use super::fieldspec::FieldSpec;
use super::loader::Loader;
use super::resid::Gvk;
use crate::diag::{Diagnostic, Result};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// How deep properties may refer to definitions; kustomize follows a circle for ever.
const DEPTH_MAX: usize = 64;

/// The field specifications that the files come to.
pub(crate) fn config(loader: &Loader<'_>, paths: &[Text]) -> Result<Config> {
    let mut config = Config::default();
    for path in paths {
        let source = loader.text(path)?;
        let tree = yaml::parse(&source, Dialect::V2)?;
        let Some(definitions) = tree.as_map() else {
            let message = format!("unable to parse open API definition from `{path}`: it is no map");
            return Err(Box::new(Diagnostic::input("kustomize-crds", message)));
        };
        let mut names: Vec<&Text> = definitions.iter().map(|(name, _)| name).collect();
        names.sort();
        for name in names {
            let kind = name.rsplit('.').next().unwrap_or(name);
            let properties = properties(&tree, name);
            let is_object = |tree: &Tree| ["kind", "apiVersion", "metadata"].iter().all(|key| tree.get(key).is_some());
            if properties.is_some_and(is_object) {
                let mut found = Config::default();
                let gvk = Gvk { kind: kind.into(), ..Gvk::default() };
                Reader { definitions: &tree, gvk: &gvk, found: &mut found }.read(name, &mut Vec::new())?;
                config.merge(&found)?;
            }
        }
    }
    Ok(config)
}

fn properties<'t>(definitions: &'t Tree, name: &str) -> Option<&'t Tree> {
    let definition = definitions.get(name)?;
    // Go's decoder takes `Schema` in any case.
    let schema = definition.as_map()?.iter().find(|(key, _)| key.eq_ignore_ascii_case("schema"))?.1;
    schema.get("properties")
}

struct Reader<'r> {
    definitions: &'r Tree,
    gvk: &'r Gvk,
    found: &'r mut Config,
}

impl Reader<'_> {
    fn read(&mut self, name: &str, path: &mut Vec<Text>) -> Result<()> {
        if path.len() > DEPTH_MAX {
            let message =
                format!("definitions under `crds` refer to one another more than {DEPTH_MAX} deep, at `{name}`");
            return Err(Box::new(Diagnostic::input("kustomize-crds-depth", message)));
        }
        let definitions = self.definitions;
        let Some(properties) = properties(definitions, name).and_then(Tree::as_map) else { return Ok(()) };
        for (key, property) in properties.iter() {
            path.push(key.clone());
            self.read_property(property, path)?;
            path.pop();
        }
        Ok(())
    }

    fn read_property(&mut self, property: &Tree, path: &mut Vec<Text>) -> Result<()> {
        let extension = |name: &str| property.get(name).and_then(Tree::as_str);
        let mut found = Config::default();
        if extension("x-kubernetes-annotation").is_some() {
            found.specs_mut(Use::CommonAnnotations).push(self.field(path, None));
        }
        if extension("x-kubernetes-label-selector").is_some() {
            found.specs_mut(Use::CommonLabels).push(self.field(path, None));
        }
        if extension("x-kubernetes-identity").is_some() {
            found.specs_mut(Use::NamePrefix).push(self.field(path, None));
        }
        let version = extension("x-kubernetes-object-ref-api-version");
        if let (Some(version), Some(kind)) = (version, extension("x-kubernetes-object-ref-kind")) {
            let key = extension("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let target = Gvk { version: version.into(), kind: kind.into(), ..Gvk::default() };
            found.references_mut().push(NameReference { target, referrers: vec![self.field(path, Some(key))] });
        }
        self.found.merge(&found)?;
        match extension("$ref") {
            Some(reference) => self.read(reference, path),
            None => Ok(()),
        }
    }

    fn field(&self, path: &[Text], last: Option<&str>) -> FieldSpec {
        let parts: Vec<&str> = path.iter().map(Text::as_str).chain(last).collect();
        FieldSpec::new(self.gvk.clone(), parts.join("/"), false)
    }
}
