//! A `RootSync` or `RepoSync` as it stands in the cluster; unknown fields are passed over, as the API server would.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::SyncId;

/// The object.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::agent) struct Declared {
    pub(in crate::agent) kind: String,
    pub(in crate::agent) metadata: Metadata,
    pub(in crate::agent) spec: SpecFields,
    #[serde(default)]
    pub(in crate::agent) status: Value,
}

/// What of its metadata matters.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::agent) struct Metadata {
    pub(in crate::agent) name: String,
    pub(in crate::agent) namespace: String,
    pub(in crate::agent) uid: String,
    pub(in crate::agent) resource_version: String,
    pub(in crate::agent) generation: i64,
    pub(in crate::agent) deletion_timestamp: Option<String>,
    pub(in crate::agent) finalizers: Vec<String>,
    pub(in crate::agent) annotations: BTreeMap<String, String>,
    pub(in crate::agent) labels: BTreeMap<String, String>,
}

/// Its spec.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::agent) struct SpecFields {
    pub(in crate::agent) source_format: String,
    pub(in crate::agent) source_type: String,
    pub(in crate::agent) oci: Option<OciFields>,
    #[serde(rename = "override")]
    pub(in crate::agent) overrides: OverrideFields,
}

/// `spec.oci`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::agent) struct OciFields {
    pub(in crate::agent) image: String,
    pub(in crate::agent) dir: String,
    pub(in crate::agent) period: String,
    pub(in crate::agent) auth: String,
    pub(in crate::agent) gcp_service_account_email: String,
    pub(in crate::agent) secret_ref: Option<NameField>,
    pub(in crate::agent) ca_cert_secret_ref: Option<NameField>,
}

/// A reference by name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(in crate::agent) struct NameField {
    pub(in crate::agent) name: String,
}

/// `spec.override`, what of it makes sense without a pod for each sync.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::agent) struct OverrideFields {
    pub(in crate::agent) status_mode: String,
    pub(in crate::agent) reconcile_timeout: String,
    pub(in crate::agent) namespace_strategy: String,
    pub(in crate::agent) role_refs: Vec<RoleRefFields>,
    pub(in crate::agent) enable_shell_in_rendering: bool,
    pub(in crate::agent) resources: Vec<Value>,
    pub(in crate::agent) log_levels: Vec<Value>,
    pub(in crate::agent) git_sync_depth: Option<i64>,
    pub(in crate::agent) api_server_timeout: String,
}

/// One of `spec.override.roleRefs`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(in crate::agent) struct RoleRefFields {
    pub(in crate::agent) kind: String,
    pub(in crate::agent) name: String,
    pub(in crate::agent) namespace: String,
}

impl Declared {
    /// Reads an object; the message says what is wrong with it.
    pub(in crate::agent) fn read(object: Value, kind: &str) -> Result<Declared, String> {
        let mut declared: Declared = serde_json::from_value(object).map_err(|error| error.to_string())?;
        kind.clone_into(&mut declared.kind);
        Ok(declared)
    }

    /// Which sync it is.
    pub(in crate::agent) fn id(&self) -> SyncId {
        let Metadata { namespace, name, .. } = &self.metadata;
        SyncId { root: self.kind == "RootSync", namespace: namespace.clone(), name: name.clone() }
    }

    /// An annotation; empty where it is missing.
    pub(in crate::agent) fn annotation(&self, name: &str) -> &str {
        self.metadata.annotations.get(name).map_or("", String::as_str)
    }

    /// True once somebody asked for its deletion.
    pub(in crate::agent) fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// True if what a worker acts on differs: not the status, nor what the agent itself writes.
    pub(in crate::agent) fn differs(&self, other: &Declared) -> bool {
        let shown = |declared: &Declared| {
            let mut metadata = declared.metadata.clone();
            metadata.resource_version.clear();
            metadata.finalizers.clear();
            metadata.annotations.remove(super::IMAGE_TO_SYNC);
            (metadata, declared.spec.clone())
        };
        shown(self) != shown(other)
    }
}
