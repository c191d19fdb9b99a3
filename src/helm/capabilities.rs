//! What `.Capabilities` says when no cluster is asked: recorded from the real binaries, one row a profile.

use crate::compat::{Helm, Profile};
use crate::diag::{Diagnostic, Result};
use crate::go::semver;

/// The Kubernetes version, the API versions, and the Helm that a template sees.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The Kubernetes version.
    pub kube_version: KubeVersion,
    /// API versions (`apps/v1`), then resources if asked for (`apps/v1/Deployment`), in order.
    pub api_versions: Vec<String>,
    /// What `.Capabilities.HelmVersion` says.
    pub helm: HelmVersion,
}

/// A Kubernetes version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// As given, with a `v` in front.
    pub version: String,
    /// Numbers alone, with a `v` in front: what constraints are checked against.
    pub normalized: String,
    /// Major number.
    pub major: String,
    /// Minor number.
    pub minor: String,
}

/// The build of Helm that is followed.
#[derive(Clone, Copy, Debug)]
pub struct HelmVersion {
    /// Version.
    pub version: &'static str,
    /// Commit.
    pub git_commit: &'static str,
    /// The compiler that built it.
    pub go_version: &'static str,
    /// The Kubernetes client that it was built with; Helm 3 does not say.
    pub kube_client_version: Option<&'static str>,
}

impl Capabilities {
    /// What the profile's Helm assumes.
    pub fn of(profile: Profile) -> Capabilities {
        let (kube, api_versions, helm) = match profile.helm {
            Helm::V4_3 => ("v1.37.0", API_VERSIONS_1_37, HELM_4_3),
            Helm::V4_1 => ("v1.35.0", API_VERSIONS_1_35, HELM_4_1),
            Helm::V3 => ("v1.32.0", API_VERSIONS_1_32, HELM_3),
        };
        let minor = kube.split('.').nth(1).unwrap_or_default();
        Capabilities {
            kube_version: KubeVersion {
                version: kube.to_owned(),
                normalized: kube.to_owned(),
                major: "1".to_owned(),
                minor: minor.to_owned(),
            },
            api_versions: api_versions.split_whitespace().map(str::to_owned).collect(),
            helm,
        }
    }
}

impl KubeVersion {
    /// Reads `--kube-version`. Helm 4 keeps what stands behind the numbers (`v1.33.4-gke.1`) for templates to see.
    pub fn parse(text: &str, profile: Profile) -> Result<KubeVersion> {
        let wrong = |why: String| {
            Box::new(Diagnostic::input("kube-version", format!("invalid kube version '{text}': {why}")))
        };
        if !profile.kube_version_kept_whole() {
            let version = semver::Version::parse(text).map_err(|_| wrong("invalid semantic version".to_owned()))?;
            let whole = format!("v{version}");
            let (major, minor) = (version.major.to_string(), version.minor.to_string());
            return Ok(KubeVersion { version: whole.clone(), normalized: whole, major, minor });
        }
        let trimmed = text.trim_start();
        let numbers = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = numbers.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(numbers.len());
        let numbers = numbers[..end].trim_end_matches('.');
        let parts: Vec<&str> = numbers.split('.').collect();
        if numbers.is_empty() || parts.iter().any(|part| part.is_empty()) {
            return Err(wrong(format!("could not parse {text:?} as version")));
        }
        if parts.len() < 2 {
            return Err(wrong(format!("illegal version string {text:?}")));
        }
        if parts[0].len() > 1 && parts[0].starts_with('0') {
            return Err(wrong(format!("illegal zero-prefixed version component in {text:?}")));
        }
        let read = parts.iter().map(|part| part.parse::<u64>().map(|number| number.to_string()));
        let numbers: Vec<String> = read.collect::<std::result::Result<_, _>>().map_err(|_| wrong(format!("could not parse {text:?} as version")))?;
        let version = if text.starts_with('v') { text.to_owned() } else { format!("v{text}") };
        let normalized = format!("v{}", numbers.join("."));
        Ok(KubeVersion { version, normalized, major: numbers[0].clone(), minor: numbers[1].clone() })
    }
}

const HELM_4_3: HelmVersion = HelmVersion {
    version: "v4.3.1",
    git_commit: "c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff",
    go_version: "go1.27.2",
    kube_client_version: Some("v1.37"),
};
const HELM_4_1: HelmVersion = HelmVersion {
    version: "v4.1.4",
    git_commit: "05fa37973dc9e42b76e1d2883494c87174b6074f",
    go_version: "go1.25.9",
    kube_client_version: Some("v1.35"),
};
const HELM_3: HelmVersion = HelmVersion {
    version: "v3.17.3",
    git_commit: "e4da49785aa6e6ee2b86efd5dd9e43400318262b",
    go_version: "go1.23.7",
    kube_client_version: None,
};

/// API versions that Helm 4.3 assumes.
const API_VERSIONS_1_37: &str = "v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1 \
    internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 \
    authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 authorization.k8s.io/v1 \
    authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1 batch/v1beta1 certificates.k8s.io/v1 \
    certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 coordination.k8s.io/v1alpha2 \
    coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 discovery.k8s.io/v1beta1 events.k8s.io/v1 \
    events.k8s.io/v1beta1 extensions/v1beta1 flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 \
    flowcontrol.apiserver.k8s.io/v1beta2 flowcontrol.apiserver.k8s.io/v1beta3 lifecycle.k8s.io/v1alpha1 \
    networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 \
    policy/v1beta1 rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 \
    resource.k8s.io/v1 resource.k8s.io/v1beta2 resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 \
    scheduling.k8s.io/v1alpha3 scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 storage.k8s.io/v1beta1 \
    storage.k8s.io/v1 storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1 storagemigration.k8s.io/v1beta1 \
    apiextensions.k8s.io/v1beta1 apiextensions.k8s.io/v1";

/// API versions that Helm 4.1 assumes.
const API_VERSIONS_1_35: &str = "v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1 \
    internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 \
    authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 authorization.k8s.io/v1 \
    authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 autoscaling/v2beta1 autoscaling/v2beta2 batch/v1 \
    batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 \
    coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 \
    discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1 \
    flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2 \
    flowcontrol.apiserver.k8s.io/v1beta3 networking.k8s.io/v1 networking.k8s.io/v1beta1 node.k8s.io/v1 \
    node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 policy/v1beta1 rbac.authorization.k8s.io/v1 \
    rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1 resource.k8s.io/v1beta2 \
    resource.k8s.io/v1beta1 resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha1 scheduling.k8s.io/v1beta1 \
    scheduling.k8s.io/v1 storage.k8s.io/v1beta1 storage.k8s.io/v1 storage.k8s.io/v1alpha1 \
    storagemigration.k8s.io/v1beta1 apiextensions.k8s.io/v1beta1 apiextensions.k8s.io/v1";

/// API versions that Helm 3.17 assumes.
const API_VERSIONS_1_32: &str = "v1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1 admissionregistration.k8s.io/v1beta1 \
    internal.apiserver.k8s.io/v1alpha1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 \
    authentication.k8s.io/v1alpha1 authentication.k8s.io/v1beta1 authorization.k8s.io/v1 \
    authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 autoscaling/v2beta1 autoscaling/v2beta2 batch/v1 \
    batch/v1beta1 certificates.k8s.io/v1 certificates.k8s.io/v1beta1 certificates.k8s.io/v1alpha1 \
    coordination.k8s.io/v1alpha2 coordination.k8s.io/v1beta1 coordination.k8s.io/v1 discovery.k8s.io/v1 \
    discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1 \
    flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2 \
    flowcontrol.apiserver.k8s.io/v1beta3 networking.k8s.io/v1 networking.k8s.io/v1alpha1 networking.k8s.io/v1beta1 \
    node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 policy/v1beta1 rbac.authorization.k8s.io/v1 \
    rbac.authorization.k8s.io/v1beta1 rbac.authorization.k8s.io/v1alpha1 resource.k8s.io/v1beta1 \
    resource.k8s.io/v1alpha3 scheduling.k8s.io/v1alpha1 scheduling.k8s.io/v1beta1 scheduling.k8s.io/v1 \
    storage.k8s.io/v1beta1 storage.k8s.io/v1 storage.k8s.io/v1alpha1 storagemigration.k8s.io/v1alpha1 \
    apiextensions.k8s.io/v1beta1 apiextensions.k8s.io/v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_versions_keep_their_suffix_in_helm_4_only() {
        let four = KubeVersion::parse("1.33.4-gke.1", Profile::default()).expect("a version");
        assert_eq!((four.version.as_str(), four.normalized.as_str(), four.minor.as_str()), ("v1.33.4-gke.1", "v1.33.4", "33"));
        for wrong in ["", "x", "1", "v01.33"] {
            assert!(KubeVersion::parse(wrong, Profile::default()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_profile_has_its_own_api_versions() {
        let count = |list| Capabilities::of(Profile::parse(list).expect("a profile")).api_versions.len();
        assert_eq!((count("helm-4.3"), count("helm-4.1"), count("helm-3")), (57, 57, 56));
    }
}
