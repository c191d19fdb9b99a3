//! `images`: new names, tags and digests for container images.

use super::decode;
use super::fieldspec::{FieldSpec, Leaf};
use super::resmap::ResMap;
use super::scalar;
use super::transformer::{Context, Transformer};
use crate::diag::{Diagnostic, Result, Warnings};
use crate::go::re2::Regex;
use crate::value::{Text, Tree};

/// The step.
pub(crate) struct Image {
    matcher: Matcher,
    new_name: Text,
    new_tag: Text,
    tag_suffix: Text,
    digest: Text,
    specs: Vec<FieldSpec>,
}

/// Which images are meant. kustomize reads the name as a regular expression.
enum Matcher {
    /// A name that only means itself, but for dots.
    Plain(Text),
    /// Any other.
    Pattern(Regex),
}

impl Image {
    /// Reads one entry of `images`.
    pub(crate) fn from_config(image: &Tree, specs: Vec<FieldSpec>) -> Result<Image> {
        let name = decode::text(image, "name");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b':');
        let matcher = if name.bytes().all(is_plain) {
            Matcher::Plain(name)
        } else {
            let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
            Matcher::Pattern(Regex::new(pattern.as_bytes()).map_err(|why| {
                Box::new(Diagnostic::input("kustomize-image-name", format!("image name `{name}` is no pattern: {why}")))
            })?)
        };
        Ok(Image {
            matcher,
            new_name: decode::text(image, "newName"),
            new_tag: decode::text(image, "newTag"),
            tag_suffix: decode::text(image, "tagSuffix"),
            digest: decode::text(image, "digest"),
            specs,
        })
    }

    /// What an image becomes; nothing if it is not meant.
    fn renamed(&self, image: &str) -> Option<String> {
        if !self.matcher.matches(image) {
            return None;
        }
        let (name, old_tag, old_digest) = split(image);
        let name = if self.new_name.is_empty() { name } else { &self.new_name };
        let suffixed = format!("{old_tag}{}", self.tag_suffix);
        let (tag, digest): (&str, &str) = match (self.new_tag.is_empty(), self.digest.is_empty()) {
            (false, false) => (&self.new_tag, &self.digest),
            (false, true) => (&self.new_tag, ""),
            (true, false) => ("", &self.digest),
            (true, true) if !self.tag_suffix.is_empty() => (&suffixed, ""),
            (true, true) => (old_tag, old_digest),
        };
        let mut new = name.to_owned();
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                new.push(mark);
                new.push_str(part);
            }
        }
        Some(new)
    }

    fn set(&self, value: &mut Tree) -> Result<()> {
        let Some(old) = value.as_scalar() else {
            let message = "an image must be a scalar";
            return Err(Box::new(Diagnostic::input("kustomize-image-field", message)));
        };
        if let Some(new) = self.renamed(&old.text) {
            *value = scalar::untagged_over(value, new);
        }
        Ok(())
    }

    /// Sets images in every list called `containers` or `initContainers`, wherever it stands.
    fn set_in_containers(&self, tree: &mut Tree) -> Result<()> {
        if !self.concerns(tree)? {
            return Ok(());
        }
        if let Some(items) = tree.as_list_mut() {
            return items.iter_mut().try_for_each(|item| self.set_in_containers(item));
        }
        let Some(map) = tree.as_map_mut() else { return Ok(()) };
        for (key, value) in map.iter_mut() {
            self.set_in_containers(value)?;
            if !is_containers(key) {
                continue;
            }
            for container in value.as_list_mut().into_iter().flatten() {
                if let Some(image) = container.as_map_mut().and_then(|map| map.get_mut("image")) {
                    self.set(image)?;
                }
            }
        }
        Ok(())
    }

    /// True if there is a container below with an image that is meant: only then is anything copied.
    fn concerns(&self, tree: &Tree) -> Result<bool> {
        match tree {
            Tree::Scalar(_) => Ok(false),
            Tree::List(items) => items.iter().try_fold(false, |found, item| Ok(self.concerns(item)? || found)),
            Tree::Map(map) => {
                let mut found = false;
                for (key, value) in map.iter() {
                    found |= self.concerns(value)?;
                    if is_containers(key) {
                        for container in value.as_list().unwrap_or_default() {
                            found |= self.concerns_container(container)?;
                        }
                    }
                }
                Ok(found)
            }
        }
    }

    fn concerns_container(&self, container: &Tree) -> Result<bool> {
        if container.is_null() {
            return Ok(false);
        }
        let Some(map) = container.as_map() else {
            let message = "an item of `containers` is no map";
            return Err(Box::new(Diagnostic::input("kustomize-image-field", message)));
        };
        match map.get("image") {
            None => Ok(false),
            Some(Tree::Scalar(image)) => Ok(self.matcher.matches(&image.text)),
            Some(_) => {
                let message = "an image must be a scalar";
                Err(Box::new(Diagnostic::input("kustomize-image-field", message)))
            }
        }
    }
}

impl Transformer for Image {
    fn transform(&self, resources: &mut ResMap, _context: &Context<'_>, _warnings: &mut Warnings) -> Result<()> {
        for resource in resources.iter_mut() {
            let gvk = resource.gvk();
            if gvk.kind == "CustomResourceDefinition" {
                continue;
            }
            self.set_in_containers(&mut resource.tree)?;
            for spec in &self.specs {
                spec.apply(&mut resource.tree, &gvk, Leaf::Never, &mut |value| self.set(value))?;
            }
        }
        Ok(())
    }
}

fn is_containers(key: &str) -> bool {
    matches!(key, "containers" | "initContainers")
}

impl Matcher {
    fn matches(&self, image: &str) -> bool {
        let name = match self {
            Matcher::Pattern(pattern) => return pattern.is_match(image.as_bytes()),
            Matcher::Plain(name) => name.as_bytes(),
        };
        let (Some(head), Some(rest)) = (image.as_bytes().get(..name.len()), image.as_bytes().get(name.len()..)) else {
            return false;
        };
        let same = name.iter().zip(head).all(|(want, have)| want == have || (*want == b'.' && *have != b'\n'));
        let word = |bytes: &[u8]| {
            bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'{' | b'}' | b'-'))
        };
        let (tag, digest) = match rest.iter().position(|byte| *byte == b'@') {
            Some(at) => (&rest[..at], Some(&rest[at..])),
            None => (rest, None),
        };
        same && (tag.is_empty() || (tag[0] == b':' && word(&tag[1..])))
            && digest.is_none_or(|digest| digest.strip_prefix(b"@sha256:").is_some_and(word))
    }
}

/// Name, tag and digest of an image; a colon before the first slash belongs to a port.
fn split(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let at = |mark| image[from..].find(mark).map(|at| at + from);
    match (at(':'), at('@')) {
        (None, None) => (image, "", ""),
        (colon, Some(sign)) if colon.is_none_or(|colon| sign < colon) => (&image[..sign], "", &image[sign + 1..]),
        (Some(colon), Some(sign)) => (&image[..colon], &image[colon + 1..sign], &image[sign + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
        (None, Some(sign)) => (&image[..sign], "", &image[sign + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_tags() {
        assert_eq!(split("host:5000/app:1@sha256:ab"), ("host:5000/app", "1", "sha256:ab"));
        assert_eq!(split("host:5000/app"), ("host:5000/app", "", ""));
        assert_eq!(split("app@sha256:ab"), ("app", "", "sha256:ab"));
    }

    #[test]
    fn a_name_is_meant_whole() {
        let matcher = Matcher::Plain("my.reg/app".into());
        assert!(matcher.matches("my.reg/app:v1") && matcher.matches("myxreg/app@sha256:0a"));
        assert!(!matcher.matches("my.reg/app2:v1") && !matcher.matches("my.reg/app:v/1"));
    }
}
