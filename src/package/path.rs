//! The file of an object inside an artifact: a pure function of the object's identity.

use crate::manifest::ObjectId;
use crate::oci::Digest;

/// Longest file name; past it the name is cut and a hash of the whole takes the rest. Leaves room for what file systems
/// (255 bytes) and tools append.
const NAME_BYTES_MAX: usize = 200;
/// The folder of objects without a namespace; no namespace can be called so.
const CLUSTER_FOLDER: &str = "_cluster";
const ENDING: &str = ".yaml";

/// `NAMESPACE/KIND.GROUP-NAME.yaml`; `_cluster/…` without a namespace, no `.GROUP` in the core group.
///
/// The version is left out: it does not make another object. Bytes that no Kubernetes name has, but a hostile one may,
/// are written as `%XX`.
pub(crate) fn object_path(id: &ObjectId) -> String {
    let folder = if id.namespace.is_empty() { CLUSTER_FOLDER.to_owned() } else { part(&id.namespace) };
    let group = if id.group.is_empty() { String::new() } else { format!(".{}", part(&id.group)) };
    let name = format!("{}{group}-{}", part(&id.kind), part(&id.name));
    format!("{}/{}{ENDING}", shorten(&folder, 0), shorten(&name, ENDING.len()))
}

/// Keeps what Kubernetes names and kinds are made of; escapes the rest, so that two identities never share a part.
fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':') || (byte == b'.' && at > 0);
        if plain {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
    out
}

/// Cuts a name that is too long and ends it with 16 hex digits of the whole name's digest. Names are ASCII here.
fn shorten(name: &str, ending: usize) -> String {
    if name.len() + ending <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let hash = &Digest::of(name.as_bytes()).hex()[..16];
    format!("{}-{hash}", &name[..NAME_BYTES_MAX - ending - 17])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(group: &str, kind: &str, namespace: &str, name: &str) -> String {
        object_path(&ObjectId {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        })
    }

    #[test]
    fn paths_name_the_object() {
        assert_eq!(path("", "Namespace", "", "shop"), "_cluster/Namespace-shop.yaml");
        assert_eq!(path("apps", "Deployment", "shop", "web"), "shop/Deployment.apps-web.yaml");
        let role = path("rbac.authorization.k8s.io", "ClusterRole", "", "system:web");
        assert_eq!(role, "_cluster/ClusterRole.rbac.authorization.k8s.io-system:web.yaml");
    }

    #[test]
    fn hostile_names_stay_inside_and_apart() {
        assert_eq!(path("", "Secret", "..", "a/../../b"), "%2E./Secret-a%2F..%2F..%2Fb.yaml");
        assert_eq!(path("", "Secret", ".", "ü"), "%2E/Secret-%C3%BC.yaml");
        assert_ne!(path("", "Secret", "a", "b%2Fc"), path("", "Secret", "a", "b/c"));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = |last: &str| path("example.org", "Widget", "shop", &format!("{}{last}", "n".repeat(250)));
        let name = long("a").split('/').nth(1).map(str::len);
        assert_eq!(name, Some(NAME_BYTES_MAX));
        assert_ne!(long("a"), long("b"));
        let fits = "n".repeat(NAME_BYTES_MAX - "Widget.example.org-.yaml".len());
        assert!(path("example.org", "Widget", "shop", &fits).ends_with(&format!("-{fits}.yaml")));
    }
}
