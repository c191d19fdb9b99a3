//! Which images an artifact runs: found in its objects, written as a CycloneDX bill of materials.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::statement::{SBOM, Statement};
use crate::manifest::Set;
use crate::oci::{Digest, Reference};
use crate::value::Step;

/// The lists whose items run an image, wherever they stand: pods, templates of pods, and kinds that embed either.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The images that the objects run, as written, each with the objects that run it; sorted.
fn images(set: &Set) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for object in &set.objects {
        object.strings_under(&["image", "reference"], |way, image| {
            if !runs(way) || image.is_empty() {
                return;
            }
            let user = object.id.to_string();
            match found.get_mut(image) {
                Some(users) if users.last() == Some(&user) => {}
                Some(users) => users.push(user),
                None => drop(found.insert(image.to_owned(), vec![user])),
            }
        });
    }
    for users in found.values_mut() {
        users.sort();
        users.dedup();
    }
    found
}

/// True if what stands there is run: the image of a container, or one that is mounted.
fn runs(way: &[Step<'_>]) -> bool {
    match way {
        [Step::Key("image"), Step::Item, Step::Key(list), ..] => CONTAINERS.contains(list),
        [Step::Key("reference"), Step::Key("image"), Step::Item, Step::Key("volumes"), ..] => true,
        _ => false,
    }
}

/// The bill of materials of an artifact: its images. No serial number and no time, so that the same objects make the same
/// bytes.
pub(crate) fn images_statement(digest: Digest, name: &str, set: &Set) -> Statement {
    let components: Vec<Value> = images(set).iter().map(|(image, users)| component(image, users)).collect();
    let predicate = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": "artifact", "name": name,
                "hashes": [{ "alg": "SHA-256", "content": digest.hex() }],
            },
            "tools": { "components": [{ "type": "application", "name": "hydrant", "version": env!("CARGO_PKG_VERSION") }] },
        },
        "components": components,
    });
    Statement::about(digest, name, SBOM, predicate)
}

fn component(image: &str, users: &[String]) -> Value {
    let mut component = json!({
        "type": "container", "bom-ref": image, "name": image,
        "properties": users.iter().map(|user| json!({ "name": "hydrant:object", "value": user })).collect::<Vec<_>>(),
    });
    // what is no reference (a placeholder for another tool) keeps its name alone
    let Ok(reference) = Reference::parse(image) else { return component };
    component["name"] = json!(format!("{}/{}", reference.registry, reference.repository));
    component["version"] = json!(reference.version().to_string());
    component["purl"] = json!(purl(&reference));
    if let Some(digest) = reference.digest {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest.hex() }]);
    }
    component
}

/// The package URL of an image: `pkg:oci/NAME@DIGEST?repository_url=…&tag=…`.
fn purl(reference: &Reference) -> String {
    let name = reference.repository.rsplit('/').next().unwrap_or_default();
    let mut url = format!("pkg:oci/{name}");
    if let Some(digest) = reference.digest {
        url.push_str(&format!("@{}", digest.to_string().replace(':', "%3A")));
    }
    let place = format!("{}/{}", reference.registry, reference.repository).replace('/', "%2F").replace(':', "%3A");
    url.push_str(&format!("?repository_url={place}"));
    // what a digest names needs no tag, but says more with it
    let implied = if reference.digest.is_none() { Some(reference.version().to_string()) } else { None };
    if let Some(tag) = reference.tag.clone().or(implied) {
        url.push_str(&format!("&tag={tag}"));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceText;

    const OBJECTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      initContainers: [{name: i, image: busybox}]
      containers:
      - {name: a, image: 'nginx:1.25'}
      - {name: b, image: 'nginx:1.25'}
      - {name: c}
      volumes: [{name: v, image: {reference: 'r.example:5000/data/x:v1'}}]
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: w, namespace: shop}
spec:
  image: not-run
  pods: [{containers: [{image: 'nginx:1.25'}, {image: 'a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}, {image: '{{placeholder}}'}]}]
";

    fn set() -> Set {
        Set::parse(&SourceText::new("all.yaml", OBJECTS)).expect("objects")
    }

    #[test]
    fn images_are_found_wherever_containers_stand() {
        let found = images(&set());
        let users = |image: &str| found[image].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(users("nginx:1.25"), ["Deployment.apps shop/web", "Widget.example.org shop/w"]);
        assert_eq!(users("busybox"), ["Deployment.apps shop/web"]);
        assert_eq!(users("r.example:5000/data/x:v1"), ["Deployment.apps shop/web"]);
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn a_printed_text_shows_the_images_that_its_tree_shows() {
        let read = set();
        let printed = read.objects.iter().map(|object| {
            let text = SourceText::new("printed.yaml", object.canonical().to_string());
            Set::parse_trees(&text).expect("an object").objects.pop().expect("one")
        });
        assert_eq!(images(&Set { objects: printed.collect() }), images(&read));
    }

    #[test]
    fn components_name_their_images() {
        let statement = images_statement(Digest::of(b"x"), "r.example/shop", &set());
        let components = statement.predicate["components"].as_array().expect("a list");
        let purls: Vec<&str> = components.iter().filter_map(|component| component["purl"].as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:oci/a@sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=docker.io%2Flibrary%2Fa",
                "pkg:oci/busybox?repository_url=docker.io%2Flibrary%2Fbusybox&tag=latest",
                "pkg:oci/nginx?repository_url=docker.io%2Flibrary%2Fnginx&tag=1.25",
                "pkg:oci/x?repository_url=r.example%3A5000%2Fdata%2Fx&tag=v1",
            ]
        );
        assert_eq!(components.len(), 5, "what is no reference is there by its name");
    }
}
