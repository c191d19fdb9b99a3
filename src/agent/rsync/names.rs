//! The names that go with a sync: itself, the service account it acts as, its inventory, its field in metrics.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::HOME;

/// Which sync.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SyncId {
    /// True for a RootSync.
    pub(crate) root: bool,
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
}

/// The account of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Identity {
    /// The name of its service account, in [`HOME`]: `root-reconciler-NAME` as users bind cloud identities to.
    pub(in crate::agent) account: String,
}

impl SyncId {
    /// The kind.
    pub(crate) fn kind(&self) -> &'static str {
        if self.root { "RootSync" } else { "RepoSync" }
    }

    /// The path of objects of its kind and namespace.
    pub(in crate::agent) fn path(&self) -> String {
        format!("/apis/configsync.gke.io/v1beta1/namespaces/{}/{}", self.namespace, self.plural())
    }

    /// The name of its kind in paths.
    pub(in crate::agent) fn plural(&self) -> &'static str {
        if self.root { "rootsyncs" } else { "reposyncs" }
    }

    /// The service account that it acts as.
    pub(in crate::agent) fn identity(&self) -> Identity {
        let SyncId { root, namespace, name } = self;
        let account = match (root, name.as_str()) {
            (true, "root-sync") => "root-reconciler".to_owned(),
            (true, _) => format!("root-reconciler-{name}"),
            (false, "repo-sync") => format!("ns-reconciler-{namespace}"),
            (false, _) => format!("ns-reconciler-{namespace}-{name}-{}", name.len()),
        };
        Identity { account }
    }

    /// The ApplySet that Config Sync's reconciler of this sync marks its objects with (kubectl's V1 format).
    pub(in crate::agent) fn former_set(&self) -> String {
        let parent = format!("{}.{}.{}.configsync.gke.io", self.name, self.namespace, self.kind());
        format!("applyset-{}-v1", data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(parent)))
    }

    /// As metrics and logs name it: `root-sync`, or `NAMESPACE/NAME`.
    pub(crate) fn label(&self) -> String {
        if self.root { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind(), self.namespace, self.name)
    }
}

impl Identity {
    /// As the API server knows it.
    pub(in crate::agent) fn user(&self) -> String {
        format!("system:serviceaccount:{HOME}:{}", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_named_as_users_bind_them() {
        let account = |root: bool, namespace: &str, name: &str| {
            SyncId { root, namespace: namespace.to_owned(), name: name.to_owned() }.identity().account
        };
        assert_eq!(account(true, HOME, "root-sync"), "root-reconciler");
        assert_eq!(account(true, HOME, "root-sync-test"), "root-reconciler-root-sync-test");
        assert_eq!(account(false, "shop", "repo-sync"), "ns-reconciler-shop");
        assert_eq!(account(false, "shop", "web"), "ns-reconciler-shop-web-3");
    }
}
