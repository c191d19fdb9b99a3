//! Which kinds a server serves, asked group by group as needed and kept.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::api::{Api, Call, segment};
use super::{Answer, FaultKind, Resource, Scope};
use crate::value::Text;

/// What is known so far: the kinds of each group version, and the preferred version of each group.
/// A group (version) that is not served is kept too, until everything is forgotten.
#[derive(Default)]
pub(super) struct Kinds {
    versions: Mutex<BTreeMap<String, Vec<Resource>>>,
    preferred: Mutex<BTreeMap<String, Option<String>>>,
}

impl Kinds {
    /// Drops everything.
    pub(super) fn forget(&self) {
        self.versions.lock().expect("no holder panics").clear();
        self.preferred.lock().expect("no holder panics").clear();
    }

    /// The resource that serves a kind.
    pub(super) async fn find(
        &self,
        api: &Api,
        group: &str,
        version: Option<&str>,
        kind: &str,
    ) -> Answer<Option<Resource>> {
        if let Some(version) = version {
            return self.find_in(api, group, version, kind).await;
        }
        let Some(preferred) = self.preferred(api, group).await? else { return Ok(None) };
        for version in preferred.split(' ') {
            if let Some(resource) = self.find_in(api, group, version, kind).await? {
                return Ok(Some(resource));
            }
        }
        Ok(None)
    }

    /// The versions of a group, preferred first, parted by spaces; nothing if it is not served.
    async fn preferred(&self, api: &Api, group: &str) -> Answer<Option<String>> {
        if group.is_empty() {
            return Ok(Some("v1".to_owned()));
        }
        if let Some(known) = self.preferred.lock().expect("no holder panics").get(group) {
            return Ok(known.clone());
        }
        let found = api.find("/apis", segment(group)?).await?.map(|answer| {
            let first = answer["preferredVersion"]["version"].as_str();
            let all =
                answer["versions"].as_array().into_iter().flatten().filter_map(|version| version["version"].as_str());
            let mut versions: Vec<&str> = first.into_iter().collect();
            versions.extend(all.filter(|version| Some(*version) != first));
            versions.join(" ")
        });
        self.preferred.lock().expect("no holder panics").insert(group.to_owned(), found.clone());
        Ok(found)
    }

    async fn find_in(&self, api: &Api, group: &str, version: &str, kind: &str) -> Answer<Option<Resource>> {
        let name = format!("{group}/{version}");
        let pick = |resources: &[Resource]| resources.iter().find(|resource| resource.kind == kind).cloned();
        if let Some(known) = self.versions.lock().expect("no holder panics").get(&name) {
            return Ok(pick(known));
        }
        let path = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", segment(group)?) };
        let resources = match api.send(&path, &Call::Get(segment(version)?)).await {
            Ok(answer) => read_resources(&answer, group, version),
            Err(fault) if fault.kind == FaultKind::NotYet => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let found = pick(&resources);
        self.versions.lock().expect("no holder panics").insert(name, resources);
        Ok(found)
    }
}

/// The resources of a discovery document, without subresources.
fn read_resources(answer: &Value, group: &str, version: &str) -> Vec<Resource> {
    let resources = answer["resources"].as_array().into_iter().flatten();
    let text = |resource: &Value, field: &str| Text::from(resource[field].as_str().unwrap_or_default());
    resources
        .filter(|resource| !resource["name"].as_str().unwrap_or_default().contains('/'))
        .map(|resource| Resource {
            group: group.into(),
            version: version.into(),
            kind: text(resource, "kind"),
            plural: text(resource, "name"),
            scope: if resource["namespaced"] == true { Scope::Namespaced } else { Scope::Cluster },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn subresources_are_no_kinds() {
        let answer = json!({"resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true},
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true},
        ]});
        let resources = read_resources(&answer, "apps", "v1");
        assert_eq!(resources.len(), 1);
        assert_eq!(resources[0].plural, "deployments");
    }
}
