//! `config.kubernetes.io/depends-on`: which objects must be ready before one is applied, and gone after it when both go.
//!
//! `GROUP/namespaces/NAMESPACE/KIND/NAME`, or `GROUP/KIND/NAME` outside of namespaces, parted by commas; the core group
//! is empty, so its references begin with a slash.

use crate::cluster::{Fault, FaultKind, Key};

/// The annotation.
pub(super) const DEPENDS_ON: &str = "config.kubernetes.io/depends-on";

/// Reads the annotation.
pub(super) fn parse(text: &str) -> Result<Vec<Key>, Fault> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(reference).collect()
}

fn reference(text: &str) -> Result<Key, Fault> {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [group, "namespaces", namespace, kind, name] => Ok(Key::new(group, kind, namespace, name)),
        [group, kind, name] => Ok(Key::new(group, kind, "", name)),
        _ => {
            let text =
                format!("`{DEPENDS_ON}: {text}` is not `GROUP/namespaces/NAMESPACE/KIND/NAME` or `GROUP/KIND/NAME`");
            Err(Fault::new(FaultKind::Rejected, text).code("1067"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_objects() {
        let keys = parse(
            "apps/namespaces/shop/Deployment/db, /namespaces/shop/Secret/s,rbac.authorization.k8s.io/ClusterRole/r",
        );
        let want = [
            Key::new("apps", "Deployment", "shop", "db"),
            Key::new("", "Secret", "shop", "s"),
            Key::new("rbac.authorization.k8s.io", "ClusterRole", "", "r"),
        ];
        assert_eq!(keys.expect("fine"), want);
        assert!(parse("db").is_err());
    }
}
