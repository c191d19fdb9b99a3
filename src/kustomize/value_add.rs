//! `ValueAddTransformer`: one text for a field of many objects, on its own or as a part of a path.

use super::decode;
use super::namespace::{Namespace, Subjects};
use super::resid::gvk_of;
use super::resmap::ResMap;
use super::scalar;
use super::selector::Selector;
use super::shapes;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::value::{Text, Tree};
use crate::yaml::{self, Dialect};

/// Where the value goes.
struct Target {
    selector: Option<Selector>,
    path: Text,
    /// Place in a file path that the value is put into, from one; zero replaces the whole text.
    position: usize,
}

/// The step.
pub(crate) struct ValueAdd {
    value: Text,
    targets: Vec<Target>,
}

impl ValueAdd {
    /// Reads the configuration. Without a value it is the name of the kustomization's folder.
    pub(crate) fn from_config(config: &Tree, context: &Context<'_>) -> Result<ValueAdd> {
        let value = Text::new(decode::text(config, "value").trim());
        let folder = || Text::new(context.loader.root().rsplit('/').next().unwrap_or_default());
        let value = if value.is_empty() { folder() } else { value };
        let mut targets = decode::items(config, "targets").iter().map(target).collect::<Result<Vec<_>>>()?;
        let path = decode::text(config, "targetFilePath");
        if !path.is_empty() {
            let source = context.loader.text(&path)?;
            let tree = yaml::parse(&source, Dialect::V2)?;
            let shaped = decode::shape(&tree, shapes::PLUGIN, decode::Rigour::Plugin)
                .map_err(|misfit| misfit.diagnostic("kustomize-plugin-config", &source, None))?;
            for item in decode::items(&shaped, "targets") {
                targets.push(target(item)?);
            }
        }
        if targets.is_empty() {
            let message = "ValueAddTransformer must have at least one target";
            return Err(Box::new(Diagnostic::input("kustomize-plugin-config", message)));
        }
        Ok(ValueAdd { value, targets })
    }
}

fn target(config: &Tree) -> Result<Target> {
    let path = decode::text(config, "fieldPath");
    if path.is_empty() {
        let message = "`fieldPath` of a ValueAddTransformer cannot be empty";
        return Err(Box::new(Diagnostic::input("kustomize-plugin-config", message)));
    }
    let position = decode::text(config, "filePathPosition");
    let position = if position.is_empty() { "0".into() } else { position };
    let Ok(position) = position.parse() else {
        let message = format!("`filePathPosition` cannot be `{position}`");
        return Err(Box::new(Diagnostic::input("kustomize-plugin-config", message)));
    };
    let selector = config.get("selector").map(Selector::read).transpose()?;
    Ok(Target { selector, path, position })
}

impl Transformer for ValueAdd {
    fn transform(&self, resources: &mut ResMap, context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        let scopes = context.scopes();
        for target in &self.targets {
            let chosen = match &target.selector {
                None => (0..resources.len()).collect(),
                Some(selector) => selector.select(resources.as_slice(), scopes),
            };
            for position in chosen {
                let resource = resources.at_mut(position);
                if target.path == "metadata/namespace" {
                    let gvk = gvk_of(&resource.tree);
                    let scoped = resource.current_id(scopes).cluster_scoped;
                    let step = Namespace {
                        namespace: self.value.clone(),
                        specs: Vec::new(),
                        unset_only: false,
                        subjects: Subjects::Default,
                    };
                    step.set_all(&mut resource.tree, &gvk, scoped)?;
                } else {
                    add(&mut resource.tree, &super::fieldspec::split(&target.path), target.position, &self.value)?;
                }
            }
        }
        Ok(())
    }
}

fn add(tree: &mut Tree, path: &[String], position: usize, value: &str) -> Result<()> {
    let Some((name, rest)) = path.split_first() else {
        let Some(old) = tree.as_scalar() else {
            let message = "ValueAddTransformer must add to a scalar";
            return Err(Box::new(Diagnostic::input("kustomize-value-add", message)));
        };
        let text = if position > 0 { with_part(&old.text, position - 1, value) } else { value.to_owned() };
        *tree = scalar::untagged_over(tree, text);
        return Ok(());
    };
    let made = || if rest.is_empty() { Tree::str("") } else { Tree::empty_map() };
    let next = match (tree.as_list().is_some(), element(name)) {
        (true, Some((key, want))) => tree.as_list_mut().into_iter().flatten().find(|item| {
            item.get(key).and_then(Tree::as_scalar).is_some_and(|scalar| scalar.text == want)
        }),
        _ => tree.as_map_mut().map(|map| map.or_set_with(name, made)),
    };
    if let Some(next) = next { add(next, rest, position, value) } else {
        let message = format!("nothing to add a value to at `{name}`");
        Err(Box::new(Diagnostic::input("kustomize-value-add", message)))
    }
}

/// Key and value of a `[key=value]` step or a `[key:value]` one.
fn element(step: &str) -> Option<(&str, &str)> {
    let inner = step.strip_prefix('[')?.strip_suffix(']')?;
    inner.split_once('=').or_else(|| inner.split_once(':'))
}

/// A file path with one part more; an absolute path stays absolute, and a place past the end is the end.
fn with_part(path: &str, at: usize, part: &str) -> String {
    if part.is_empty() {
        return path.to_owned();
    }
    let (root, rest) = path.strip_prefix('/').map_or(("", path), |rest| ("/", rest));
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_into_a_path() {
        assert_eq!(with_part("/pie", 0, "PEACH"), "/PEACH/pie");
        assert_eq!(with_part("a/b", 9, "x"), "a/b/x");
        assert_eq!(with_part("", 3, "x"), "x");
    }
}
