//! Inventory pages as `ResourceGroup` objects (`kpt.dev/v1alpha1`), the form that Config Sync keeps its own in.
//!
//! The first page bears the sync's name, the others `NAME.page-N`, all the label that Config Sync's inventories bear, so
//! that its tools list them. Chosen over ConfigMaps because the agent takes over Config Sync's inventories as they stand, and
//! one form is enough; the price is a CRD, which is installed where it is missing. A page is written with the
//! resource version that it was read with, so of two writers one is told that it raced. Pages of other tools, told by
//! their missing label, are never written.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, Call, DEFINITIONS, live_text, segment};
use super::{Answer, Cluster as _, Fault, FaultKind, Key, Owner, Page, Seen};

/// Label: whose inventory.
const INVENTORY_ID: &str = "cli-utils.sigs.k8s.io/inventory-id";
/// Label: who writes it.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Annotation on the first page: what the sync reads.
const SOURCE: &str = "hydrant.dev/source";
/// Annotation: which leader wrote the page.
const EPOCH: &str = "hydrant.dev/epoch";
/// Annotation: the page's number.
const PAGE: &str = "hydrant.dev/page";
/// How often a page is tried while the server gets to know its CRD.
const NEW_KIND_ATTEMPTS: u32 = 50;
const NEW_KIND_PAUSE: Duration = Duration::from_millis(200);

impl Api {
    pub(super) async fn read_pages(&self, owner: &Owner) -> Answer<Vec<Page>> {
        let selector = format!("{INVENTORY_ID}={},{MANAGED_BY}=hydrant", owner.identity());
        let path = groups_path(owner)?;
        // one at a time: with the state of each object a page takes a megabyte
        let mut params = kube::api::ListParams::default().labels(&selector).limit(1);
        let mut pages: Vec<Page> = Vec::new();
        loop {
            let list = match self.send(&path, &Call::List(&params)).await {
                Ok(list) => list,
                Err(fault) if fault.kind == FaultKind::NotYet => return Ok(Vec::new()),
                Err(fault) => return Err(fault),
            };
            pages.extend(list["items"].as_array().into_iter().flatten().map(decode));
            match list["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => break,
            }
        }
        if pages.is_empty() && owner.takes_over() {
            pages.extend(self.find(&path, owner.name()).await?.as_ref().map(decode));
        }
        pages.sort_by_key(|page| page.number);
        self.gate().check_epoch(pages.iter().map(|page| page.epoch).max().unwrap_or(0))?;
        Ok(pages)
    }

    pub(super) async fn store_page(&self, owner: &Owner, page: &Page) -> Answer<Seen> {
        let path = groups_path(owner)?;
        let mut value = encode(owner, page);
        if self.gate().epoch() > 0 {
            value["metadata"]["annotations"][EPOCH] = json!(self.gate().epoch().to_string());
        }
        let answer = match &page.stored {
            Some(_) => self.send(&path, &Call::Replace(&page_name(owner, page.number), &value)).await?,
            None => self.create_page(&path, owner, &value).await?,
        };
        Ok(Seen { uid: live_text(&answer, "uid"), version: live_text(&answer, "resourceVersion") })
    }

    pub(super) async fn drop_page(&self, owner: &Owner, page: &Page) -> Answer<()> {
        let Some(stored) = &page.stored else { return Ok(()) };
        match self.send(&groups_path(owner)?, &Call::Delete(&page_name(owner, page.number), stored, false)).await {
            Err(fault) if fault.kind != FaultKind::NotYet => Err(fault),
            _ => Ok(()),
        }
    }

    /// Writes how far each object has come to the status of the pages that say otherwise, as Config Sync's tools read it.
    pub(crate) async fn write_states(
        &self,
        owner: &Owner,
        commit: &str,
        state: &(dyn Fn(&Key) -> &'static str + Sync),
    ) -> Answer<()> {
        let selector = format!("{INVENTORY_ID}={},{MANAGED_BY}=hydrant", owner.identity());
        // one page at a time: each may be large
        let mut params = kube::api::ListParams::default().labels(&selector).limit(1);
        let path = groups_path(owner)?;
        loop {
            let list = self.send(&path, &Call::List(&params)).await?;
            for item in list["items"].as_array().into_iter().flatten() {
                let states: Vec<Value> =
                    decode(item).members.iter().map(|key| object_state(key, commit, state(key))).collect();
                if item["status"]["resourceStatuses"].as_array().map_or(&[][..], Vec::as_slice) != states.as_slice() {
                    let patch = json!({
                        // another leader may have written since
                        "metadata": {"resourceVersion": item["metadata"]["resourceVersion"]},
                        "status": {
                            "observedGeneration": item["metadata"]["generation"],
                            "resourceStatuses": states,
                        },
                    });
                    self.send(&path, &Call::Status(&live_text(item, "name"), &patch)).await?;
                }
            }
            match list["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => params.continue_token = Some(token.to_owned()),
                _ => return Ok(()),
            }
        }
    }

    /// Creates a page, and what it needs: the kind and the namespace.
    async fn create_page(&self, path: &str, owner: &Owner, value: &Value) -> Answer<Value> {
        let mut attempt = 0;
        loop {
            match self.send(path, &Call::Create(value)).await {
                Err(fault) if fault.kind == FaultKind::NotYet && attempt < NEW_KIND_ATTEMPTS => {
                    if attempt == 0 {
                        self.ensure_kind().await?;
                        self.create_namespace(owner.namespace()).await?;
                    } else {
                        tokio::time::sleep(NEW_KIND_PAUSE).await;
                    }
                    attempt += 1;
                }
                Err(fault) if fault.kind == FaultKind::Raced => {
                    let name = live_text(value, "name");
                    let standing = self.find(path, &name).await?.unwrap_or_default();
                    let ours = standing["metadata"]["labels"][MANAGED_BY] == "hydrant";
                    let foreign = format!(
                        "the inventory `ResourceGroup.kpt.dev {}/{name}` belongs to another tool",
                        owner.namespace()
                    );
                    return Err(if ours { fault } else { Fault::new(FaultKind::Rejected, foreign) });
                }
                answer => return answer,
            }
        }
    }

    /// Installs the CRD of `ResourceGroup` where it is missing; one that exists is left as it is.
    async fn ensure_kind(&self) -> Answer<()> {
        if self.find(DEFINITIONS, "resourcegroups.kpt.dev").await?.is_some() {
            return Ok(());
        }
        match self.send(DEFINITIONS, &Call::Create(&definition())).await {
            Err(fault) if fault.kind != FaultKind::Raced => Err(Fault::new(
                fault.kind,
                format!(
                    "{}; the CRD `resourcegroups.kpt.dev` holds the inventory and must be installed once",
                    fault.message
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// How far an object has come, as `resourceStatuses` lists it.
fn object_state(key: &Key, commit: &str, state: &str) -> Value {
    let (actuation, reconcile) = match state {
        "Failed" => ("Failed", "Failed"),
        "Current" => ("Succeeded", "Succeeded"),
        "Unknown" => ("Pending", "Pending"),
        _ => ("Succeeded", "Pending"),
    };
    json!({
        "group": key.group.as_str(), "kind": key.kind.as_str(), "namespace": key.namespace.as_str(), "name": key.name.as_str(),
        "status": state,
        "sourceHash": &commit[..commit.len().min(7)],
        "strategy": "Apply", "actuation": actuation, "reconcile": reconcile,
    })
}

fn groups_path(owner: &Owner) -> Answer<String> {
    Ok(format!("/apis/kpt.dev/v1alpha1/namespaces/{}/resourcegroups", segment(owner.namespace())?))
}

fn page_name(owner: &Owner, number: u32) -> String {
    if number == 0 { owner.name().to_owned() } else { format!("{}.page-{number}", owner.name()) }
}

fn encode(owner: &Owner, page: &Page) -> Value {
    let resources: Vec<Value> = page
        .members
        .iter()
        .map(|key| {
            json!({
                "group": key.group.as_str(), "kind": key.kind.as_str(),
                "namespace": key.namespace.as_str(), "name": key.name.as_str(),
            })
        })
        .collect();
    let mut value = json!({
        "apiVersion": "kpt.dev/v1alpha1",
        "kind": "ResourceGroup",
        "metadata": {
            "name": page_name(owner, page.number),
            "namespace": owner.namespace(),
            "labels": {INVENTORY_ID: owner.identity(), MANAGED_BY: "hydrant"},
            "annotations": {PAGE: page.number.to_string()},
        },
        "spec": {"resources": resources},
    });
    if page.number == 0 {
        value["metadata"]["labels"]["applyset.kubernetes.io/id"] = json!(owner.set_id());
        value["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] = json!("hydrant/v1");
        value["metadata"]["annotations"][SOURCE] = json!(page.source);
    }
    if let Some(stored) = &page.stored {
        value["metadata"]["uid"] = json!(stored.uid);
        value["metadata"]["resourceVersion"] = json!(stored.version);
    }
    value
}

fn decode(value: &Value) -> Page {
    let annotation = |name: &str| value["metadata"]["annotations"][name].as_str().unwrap_or_default();
    let resources = value["spec"]["resources"].as_array().into_iter().flatten();
    let member = |resource: &Value| {
        let text = |field: &str| resource[field].as_str().unwrap_or_default();
        Key::new(text("group"), text("kind"), text("namespace"), text("name"))
    };
    Page {
        number: annotation(PAGE).parse().unwrap_or(0),
        stored: Some(Seen { uid: live_text(value, "uid"), version: live_text(value, "resourceVersion") }),
        source: annotation(SOURCE).to_owned(),
        epoch: annotation(EPOCH).parse().unwrap_or(0),
        members: resources.map(member).collect(),
    }
}

/// The CRD: group, kind, fields and print columns as Config Sync's, so that either may find the other's in place.
fn definition() -> Value {
    let text = json!({"type": "string"});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    // nullable, since servers built with a newer go-openapi than they were made for (Debian's 1.20) take "" for null
    let perhaps = json!({"type": "string", "nullable": true});
    let resource = json!({
        "type": "object",
        "required": ["group", "kind", "name", "namespace"],
        "properties": {"group": perhaps, "kind": text, "name": text, "namespace": perhaps},
    });
    let subgroup = json!({
        "type": "object",
        "required": ["name", "namespace"],
        "properties": {"name": text, "namespace": text},
    });
    let descriptor = json!({
        "type": "object",
        "properties": {
            "type": text,
            "revision": text,
            "description": text,
            "links": {"type": "array", "items": {"type": "object", "properties": {"description": text, "url": text}}},
        },
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "apiVersion": text,
            "kind": text,
            "metadata": {"type": "object"},
            "spec": {
                "type": "object",
                "properties": {
                    "descriptor": descriptor,
                    "resources": {"type": "array", "items": resource},
                    "subgroups": {"type": "array", "items": subgroup},
                },
            },
            "status": open,
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "resourcegroups.kpt.dev"},
        "spec": {
            "group": "kpt.dev",
            "scope": "Namespaced",
            "names": {"kind": "ResourceGroup", "listKind": "ResourceGroupList", "plural": "resourcegroups", "singular": "resourcegroup"},
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}},
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_back_as_it_was_written() {
        let owner = Owner::new("hydrant-system", "shop").expect("a fine identity");
        let stored = Some(Seen { uid: "u".to_owned(), version: "7".to_owned() });
        let members = vec![Key::new("", "Namespace", "", "shop"), Key::new("apps", "Deployment", "shop", "web")];
        let page = Page {
            number: 0,
            stored: stored.clone(),
            source: "registry.example/shop".to_owned(),
            epoch: 0,
            members: members.clone(),
        };
        assert_eq!(decode(&encode(&owner, &page)), page);
        let second = Page { number: 2, stored, source: String::new(), epoch: 0, members };
        let value = encode(&owner, &second);
        assert_eq!(value["metadata"]["name"], "shop.page-2");
        assert_eq!(decode(&value), second);
    }
}
