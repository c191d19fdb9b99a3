//! What a sync asks for, checked: every field is honoured, passed over for a stated reason, or refused by name.
//!
//! Passed over, and told of in the condition `Reconciling`: `override.resources`, `logLevels`, `gitSyncDepth`, `apiServerTimeout`
//! and `enableShellInRendering` speak of the containers of a pod that each sync has with Config Sync, and here has not.

use std::time::Duration;

use super::declared::OverrideFields;
use super::{
    ALL_OR_NOTHING, CONFIRM_PRUNE, DELETION_POLICY, Declared, HOME, MAX_PRUNE, Refusal, SUSPEND, SyncId, TAKEOVER,
};
use crate::oci::Location;

/// `period` where it is not given, as with Config Sync.
const PERIOD: Duration = Duration::from_secs(15);
/// Shortest period that is kept: a typing error must not flood a registry.
const PERIOD_MIN: Duration = Duration::from_secs(1);
/// `reconcileTimeout` where it is not given, as with Config Sync.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(300);
/// Characters of names, as Config Sync limits them.
const ROOT_NAME_CHARS_MAX: usize = 38;
const REPO_NAME_CHARS_MAX: usize = 45;
/// How much of an inventory one version may prune unasked.
const PRUNE_SHARE: u64 = 50;
/// Inventories so small that shares say nothing.
pub(in crate::agent) const PRUNE_FREE: u64 = 10;

/// What the agent does for a sync.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::agent) struct Spec {
    /// The sync.
    pub(in crate::agent) id: SyncId,
    /// The image, as written.
    pub(in crate::agent) image: String,
    /// Where it lies.
    pub(in crate::agent) location: Location,
    /// The folder in it; empty for all.
    pub(in crate::agent) dir: String,
    /// How often the tag is looked at.
    pub(in crate::agent) period: Duration,
    /// Who we are to the registry.
    pub(in crate::agent) auth: Auth,
    /// The secret with the authority that signed the registry's certificate.
    pub(in crate::agent) ca_secret: Option<String>,
    /// How long objects may take to become ready.
    pub(in crate::agent) reconcile_timeout: Duration,
    /// Whether each object's state is written to the inventory's status.
    pub(in crate::agent) object_status: bool,
    /// Whether missing namespaces are made.
    pub(in crate::agent) implicit_namespaces: bool,
    /// The roles to bind; nothing means all rights for a RootSync, and none given here for a RepoSync.
    pub(in crate::agent) role_refs: Option<Vec<RoleRef>>,
    /// True if a repository's layout is refused because it would be read as flat manifests.
    pub(in crate::agent) may_be_hierarchy: bool,
    /// No writes.
    pub(in crate::agent) suspended: bool,
    /// The objects go with the sync.
    pub(in crate::agent) prune_on_delete: bool,
    /// How much one version may prune.
    pub(in crate::agent) prune_limit: Limit,
    /// The digest whose mass prune is confirmed.
    pub(in crate::agent) confirmed: String,
    /// Nothing is applied if the server refuses anything.
    pub(in crate::agent) all_or_nothing: bool,
    /// What Config Sync left is taken over.
    pub(in crate::agent) takeover: bool,
    /// Fields of `spec.override` that have no meaning here.
    pub(in crate::agent) passed_over: Vec<&'static str>,
}

/// Who a sync is to its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Auth {
    /// Nobody.
    None,
    /// The machine's own account.
    Node,
    /// The cloud account of this email, by way of the sync's service account.
    GcpAccount(String),
    /// The sync's service account, known to the cloud.
    Account,
    /// What this secret holds: user and password, or a Docker config.
    Secret(String),
}

/// A bound on prunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many objects.
    Count(u64),
    /// So many in a hundred of the inventory.
    Share(u64),
}

/// A role to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct RoleRef {
    /// `Role` or `ClusterRole`.
    pub(in crate::agent) kind: String,
    /// Its name.
    pub(in crate::agent) name: String,
    /// Where it holds; empty for the whole cluster.
    pub(in crate::agent) namespace: String,
}

impl Limit {
    /// How many objects of an inventory may go.
    pub(in crate::agent) fn of(self, inventory: usize) -> usize {
        let most = match self {
            Limit::Count(count) => count,
            Limit::Share(share) => (inventory as u64 * share / 100).max(PRUNE_FREE),
        };
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Option<Limit> {
        match text.strip_suffix('%') {
            Some(share) => share.parse().ok().filter(|share| *share <= 100).map(Limit::Share),
            None => text.parse().ok().map(Limit::Count),
        }
    }
}

impl Spec {
    /// Reads a sync.
    pub(in crate::agent) fn read(declared: &Declared) -> Result<Spec, Refusal> {
        let id = declared.id();
        let fields = &declared.spec;
        check_names(&id)?;
        let source_type = if fields.source_type.is_empty() { "git" } else { fields.source_type.as_str() };
        if source_type != "oci" {
            return Err(Refusal::new(
                "UnsupportedSourceType",
                format!(
                    "`sourceType: {source_type}` is not synced by Hydrant, which leaves this {} untouched; it takes `oci`",
                    id.kind()
                ),
            ));
        }
        let Some(oci) = &fields.oci else {
            return Err(Refusal::new(
                "Validation",
                "KNV1061: `spec.oci` must be specified when `spec.sourceType` is `oci`",
            ));
        };
        if oci.image.is_empty() {
            return Err(Refusal::new("Validation", "KNV1061: `spec.oci.image` is missing"));
        }
        let location = Location::parse(&oci.image).ok().filter(|location| matches!(location, Location::Registry(_)));
        let Some(location) = location else {
            return Err(Refusal::new(
                "Validation",
                format!("KNV1061: `spec.oci.image: {}` names no image of a registry", oci.image),
            ));
        };
        let confirmed = declared.annotation(CONFIRM_PRUNE);
        let overrides = &fields.overrides;
        Ok(Spec {
            image: oci.image.clone(),
            location,
            dir: folder(&oci.dir)?,
            period: time("spec.oci.period", &oci.period, PERIOD)?.max(PERIOD_MIN),
            auth: auth(oci)?,
            ca_secret: oci
                .ca_cert_secret_ref
                .as_ref()
                .map(|secret| secret.name.clone())
                .filter(|name| !name.is_empty()),
            reconcile_timeout: time("spec.override.reconcileTimeout", &overrides.reconcile_timeout, RECONCILE_TIMEOUT)?,
            object_status: overrides.status_mode != "disabled",
            implicit_namespaces: id.root && overrides.namespace_strategy != "explicit",
            role_refs: (!overrides.role_refs.is_empty()).then(|| overrides.role_refs.iter().map(role_ref).collect()),
            may_be_hierarchy: id.root && fields.source_format != "unstructured",
            suspended: declared.annotation(SUSPEND) == "true",
            prune_on_delete: declared.annotation(DELETION_POLICY) == "Foreground",
            prune_limit: prune_limit(declared.annotation(MAX_PRUNE))?,
            confirmed: confirmed.strip_prefix("sha256:").unwrap_or(confirmed).to_owned(),
            all_or_nothing: declared.annotation(ALL_OR_NOTHING) == "true",
            takeover: declared.annotation(TAKEOVER) == "config-sync",
            passed_over: passed_over(overrides),
            id,
        })
    }
}

fn passed_over(overrides: &OverrideFields) -> Vec<&'static str> {
    let fields = [
        ("resources", !overrides.resources.is_empty()),
        ("logLevels", !overrides.log_levels.is_empty()),
        ("gitSyncDepth", overrides.git_sync_depth.is_some()),
        ("apiServerTimeout", !overrides.api_server_timeout.is_empty()),
        ("enableShellInRendering", overrides.enable_shell_in_rendering),
    ];
    fields.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
}

fn role_ref(fields: &super::declared::RoleRefFields) -> RoleRef {
    RoleRef { kind: fields.kind.clone(), name: fields.name.clone(), namespace: fields.namespace.clone() }
}

fn check_names(id: &SyncId) -> Result<(), Refusal> {
    if id.root && id.namespace != HOME {
        return Err(Refusal::new("Validation", format!("KNV1061: a RootSync must be in the namespace `{HOME}`")));
    }
    if !id.root && id.namespace == HOME {
        return Err(Refusal::new("Validation", format!("KNV1061: a RepoSync must not be in the namespace `{HOME}`")));
    }
    let (chars, most) = if id.root {
        (id.name.len(), ROOT_NAME_CHARS_MAX)
    } else {
        (id.name.len() + id.namespace.len(), REPO_NAME_CHARS_MAX)
    };
    if chars > most {
        return Err(Refusal::new(
            "Validation",
            format!("KNV1061: the name has {chars} characters, and may have {most}"),
        ));
    }
    Ok(())
}

fn auth(oci: &super::declared::OciFields) -> Result<Auth, Refusal> {
    let secret = oci.secret_ref.as_ref().map(|secret| secret.name.clone()).filter(|name| !name.is_empty());
    let wrong = |message: &str| Err(Refusal::new("Validation", format!("KNV1061: {message}")));
    match (oci.auth.as_str(), secret) {
        ("token", Some(secret)) => Ok(Auth::Secret(secret)),
        ("token", None) => wrong("`spec.oci.secretRef.name` is missing, which `auth: token` needs"),
        (_, Some(_)) => wrong("`spec.oci.secretRef` goes with `auth: token` only"),
        ("none", None) => Ok(Auth::None),
        ("gcenode", None) => Ok(Auth::Node),
        ("k8sserviceaccount", None) => Ok(Auth::Account),
        ("gcpserviceaccount", None) if oci.gcp_service_account_email.contains('@') => {
            Ok(Auth::GcpAccount(oci.gcp_service_account_email.clone()))
        }
        ("gcpserviceaccount", None) => {
            wrong("`spec.oci.gcpServiceAccountEmail` is missing, which `auth: gcpserviceaccount` needs")
        }
        _ => wrong("`spec.oci.auth` must be one of none, gcenode, gcpserviceaccount, k8sserviceaccount, token"),
    }
}

/// A folder in the artifact, without `.` and slashes at its ends; `..` leads nowhere.
fn folder(dir: &str) -> Result<String, Refusal> {
    let steps: Vec<&str> = dir.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    if steps.contains(&"..") {
        return Err(Refusal::new("Validation", format!("KNV1061: `spec.oci.dir: {dir}` leaves the artifact")));
    }
    Ok(steps.join("/"))
}

fn prune_limit(text: &str) -> Result<Limit, Refusal> {
    if text.is_empty() {
        return Ok(Limit::Share(PRUNE_SHARE));
    }
    Limit::parse(text).ok_or_else(|| {
        Refusal::new("Validation", format!("`{MAX_PRUNE}: {text}` is neither a count nor a share such as `25%`"))
    })
}

/// A time as Go writes it: `15s`, `1m30s`, `1h0m0s`, `500ms`.
fn time(field: &str, text: &str, otherwise: Duration) -> Result<Duration, Refusal> {
    if text.is_empty() {
        return Ok(otherwise);
    }
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(digits);
        let letters = unit.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(unit.len());
        let factor = match &unit[..letters] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => f64::NAN,
        };
        let seconds = number.parse::<f64>().unwrap_or(f64::NAN) * factor;
        let part = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Refusal::new("Validation", format!("KNV1061: `{field}: {text}` is no time such as `15s`")))?;
        sum += part;
        rest = &unit[letters..];
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn root(spec: &Value) -> Result<Spec, Refusal> {
        let object = json!({"metadata": {"name": "root-sync-test", "namespace": HOME}, "spec": spec});
        Spec::read(&Declared::read(object, "RootSync").expect("an object"))
    }

    #[test]
    fn the_tutorials_spec_is_read() {
        let spec = root(&json!({
            "sourceFormat": "unstructured",
            "sourceType": "oci",
            "oci": {
                "image": "us-docker.pkg.dev/project/repo/test-namespace:v1", "dir": ".",
                "auth": "gcpserviceaccount", "gcpServiceAccountEmail": "sync@project.iam.gserviceaccount.com",
            },
        }))
        .expect("fine");
        assert_eq!((spec.dir.as_str(), spec.period), ("", Duration::from_secs(15)));
        assert_eq!(spec.auth, Auth::GcpAccount("sync@project.iam.gserviceaccount.com".to_owned()));
        assert!(spec.implicit_namespaces && !spec.may_be_hierarchy && spec.role_refs.is_none());
    }

    #[test]
    fn what_is_not_done_is_refused_by_name() {
        let reason = |spec: Value| root(&spec).expect_err("refused").message;
        assert!(reason(json!({"git": {"repo": "x"}})).contains("`sourceType: git`"));
        assert!(reason(json!({"sourceType": "helm"})).contains("`sourceType: helm`"));
        assert!(reason(json!({"sourceType": "oci"})).contains("spec.oci"));
        let oci = |more: Value| {
            let mut oci = json!({"image": "h.example/a:b", "auth": "none"});
            oci.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
            json!({"sourceType": "oci", "oci": oci})
        };
        assert!(root(&oci(json!({}))).is_ok());
        assert!(reason(oci(json!({"auth": "magic"}))).contains("spec.oci.auth"));
        assert!(reason(oci(json!({"auth": "token"}))).contains("secretRef"));
        assert!(reason(oci(json!({"auth": "gcpserviceaccount"}))).contains("gcpServiceAccountEmail"));
        assert!(reason(oci(json!({"dir": "a/../../b"}))).contains("leaves the artifact"));
        assert!(reason(oci(json!({"period": "soon"}))).contains("spec.oci.period"));
    }

    #[test]
    fn what_has_no_meaning_here_is_told_of() {
        let spec = root(&json!({
            "sourceType": "oci",
            "oci": {"image": "h.example/a:b", "auth": "none"},
            "override": {"resources": [{"containerName": "reconciler"}], "gitSyncDepth": 1, "statusMode": "disabled"},
        }))
        .expect("fine");
        assert_eq!(spec.passed_over, ["resources", "gitSyncDepth"]);
        assert!(!spec.object_status);
    }

    #[test]
    fn times_are_gos() {
        let of = |text: &str| time("f", text, PERIOD).ok();
        assert_eq!(of("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(of("1h0m0s"), Some(Duration::from_secs(3600)));
        assert_eq!(of("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(of(""), Some(PERIOD));
        assert!(of("15").is_none() && of("s").is_none() && of("-1s").is_none());
    }

    #[test]
    fn limits_are_counts_or_shares() {
        assert_eq!(Limit::parse("25%").expect("a share").of(1000), 250);
        assert_eq!(Limit::parse("25%").expect("a share").of(8), 10, "small inventories are free");
        assert_eq!(Limit::parse("3").expect("a count").of(1000), 3);
        assert!(Limit::parse("120%").is_none() && Limit::parse("x").is_none());
    }
}
