//! From an image to a set of objects: whose credentials, which digest, signed by whom, read or rendered.
//!
//! Each sync has a client of its own over shared connections: it knows the credentials of its own service account, or of
//! its own secret, and nobody else's. Cloud tokens are had anew before they expire, and after a registry refused one.

#![expect(clippy::disallowed_methods, reason = "tokens are renewed by the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Shared;
use crate::agent::rsync::{Auth, Finding, HOME, Spec};
use crate::archive::LayerLimits;
use crate::cluster::Fault;
use crate::diag::Diagnostic;
use crate::manifest::{Object, Set};
use crate::oci::{Artifact, Digest};
use crate::package::{Files, objects, unpack};
use crate::registry::{Client, Credential, Credentials};
use crate::trust::verify;

/// How long a credential is kept; cloud tokens live for an hour.
const CREDENTIAL_LIFE: Duration = Duration::from_secs(30 * 60);
/// Life of a service account's token, which is exchanged at once; the least that servers take.
const TOKEN_SECONDS: u32 = 600;
/// Bytes of an artifact that are kept between passes; a larger one is pulled again.
const KEPT_BYTES_MAX: u64 = 4 << 20;
/// Names of files that say that an artifact is to be rendered.
const RENDERED_BY: [&str; 4] = ["kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml"];

/// What a sync read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The digest.
    pub(super) digest: Digest,
    /// The artifact, if it is small.
    artifact: Option<Arc<Artifact>>,
}

/// Reads for one sync.
pub(super) struct Fetcher {
    client: Option<(Client, Instant)>,
}

/// One credential, for one registry.
struct Only {
    registry: String,
    credential: Credential,
}

impl Credentials for Only {
    fn find(&self, registry: &str) -> crate::diag::Result<Option<Credential>> {
        Ok((registry == self.registry).then(|| self.credential.clone()))
    }
}

/// No credential.
struct Anonymous;

impl Credentials for Anonymous {
    fn find(&self, _registry: &str) -> crate::diag::Result<Option<Credential>> {
        Ok(None)
    }
}

impl Fetcher {
    pub(super) fn new() -> Fetcher {
        Fetcher { client: None }
    }

    /// Forgets credentials: the next read has them anew.
    pub(super) fn forget(&mut self) {
        self.client = None;
    }

    /// The digest that the image names now.
    pub(super) async fn resolve(&mut self, shared: &Shared, spec: &Spec) -> Result<Digest, Finding> {
        let client = self.client(shared, spec).await?;
        let resolved = client.resolve(&spec.location).await;
        resolved.map_err(|fault| self.failed(&fault))
    }

    /// The artifact of a digest, signed where that is asked for.
    pub(super) async fn pull(&mut self, shared: &Shared, spec: &Spec, digest: Digest) -> Result<Source, Finding> {
        let client = self.client(shared, spec).await?;
        let location = spec.location.with_digest(digest);
        let pulled = match &shared.settings.key {
            Some(key) => {
                verify(client, &location, key, &shared.settings.statements).await.map(|report| report.artifact)
            }
            None => client.pull(&location).await,
        };
        let artifact = pulled.map_err(|fault| self.failed(&fault))?;
        Ok(Source { digest, artifact: Some(Arc::new(artifact)) })
    }

    /// The objects of a source, and whether they had to be rendered. A large artifact is let go.
    pub(super) async fn read(
        &mut self,
        shared: &Arc<Shared>,
        spec: &Spec,
        source: &mut Source,
    ) -> Result<(Set, bool), Finding> {
        let artifact = match &source.artifact {
            Some(artifact) => Arc::clone(artifact),
            None => self.pull(shared, spec, source.digest).await?.artifact.expect("pulled"),
        };
        let bytes: u64 = artifact.layers.iter().map(|layer| layer.descriptor.size).sum();
        source.artifact = (bytes <= KEPT_BYTES_MAX).then(|| Arc::clone(&artifact));
        let (shared, spec) = (Arc::clone(shared), spec.clone());
        let read = tokio::task::spawn_blocking(move || read(&shared, &spec, &artifact)).await;
        read.unwrap_or_else(|error| Err(finding("1068", format!("the render was broken off: {error}"))))
    }

    fn failed(&mut self, fault: &Diagnostic) -> Finding {
        if matches!(fault.code, "registry-unauthorized" | "registry-denied" | "registry-credential") {
            self.forget();
        }
        finding("2004", told(fault))
    }

    async fn client(&mut self, shared: &Shared, spec: &Spec) -> Result<&Client, Finding> {
        if self.client.as_ref().is_none_or(|(_, since)| since.elapsed() > CREDENTIAL_LIFE) {
            let made = client(shared, spec).await?;
            self.client = Some((made, Instant::now()));
        }
        Ok(&self.client.as_ref().expect("made above").0)
    }
}

/// A client with this sync's credentials.
async fn client(shared: &Shared, spec: &Spec) -> Result<Client, Finding> {
    let cannot = |fault: Box<Diagnostic>| finding("2004", told(&fault));
    let registry = match &spec.location {
        crate::oci::Location::Registry(reference) => reference.registry.clone(),
        crate::oci::Location::Layout(_) => String::new(),
    };
    let credential = match &spec.auth {
        Auth::None => None,
        Auth::Node => {
            let token = shared.client.machine_token().await.map_err(cannot)?;
            let none = || {
                finding(
                    "2004",
                    "the metadata server gives no token: `auth: gcenode` needs a machine of Google's".to_owned(),
                )
            };
            Some(token.ok_or_else(none)?)
        }
        Auth::Account => Some(cloud(shared, spec, None).await?),
        Auth::GcpAccount(email) => Some(cloud(shared, spec, Some(email)).await?),
        Auth::Secret(name) => Some(from_secret(&secret(shared, spec, name).await?, name, &registry)?),
    };
    let credentials: Arc<dyn Credentials> = match credential {
        Some(credential) => Arc::new(Only { registry, credential }),
        None => Arc::new(Anonymous),
    };
    match &spec.ca_secret {
        None => shared.client.for_account(credentials).map_err(cannot),
        Some(name) => {
            let pem = entry(&secret(shared, spec, name).await?, "cert")
                .ok_or_else(|| finding("2004", format!("the secret `{name}` has no `cert`")))?;
            shared.client.with_authority(pem).for_account(credentials).map_err(cannot)
        }
    }
}

/// The cloud's token for the sync's own service account: never for the agent's.
async fn cloud(shared: &Shared, spec: &Spec, email: Option<&str>) -> Result<Credential, Finding> {
    let cannot = |fault: Box<Diagnostic>| finding("2004", told(&fault));
    let workload = &shared.settings.workload;
    let audience = shared.client.workload_audience(workload).await.map_err(cannot)?;
    let account = spec.id.identity().account;
    let token = shared.api.token(HOME, &account, &audience, TOKEN_SECONDS).await;
    let token = token.map_err(|fault| finding("2004", format!("cannot get a token of `{HOME}/{account}`: {fault}")))?;
    shared.client.workload_token(workload, &token, email).await.map_err(cannot)
}

async fn secret(shared: &Shared, spec: &Spec, name: &str) -> Result<Value, Finding> {
    let namespace = &spec.id.namespace;
    let found: Result<Option<Value>, Fault> =
        shared.api.read(&format!("/api/v1/namespaces/{namespace}/secrets"), name).await;
    match found {
        Ok(Some(secret)) => Ok(secret),
        Ok(None) => Err(finding("2004", format!("there is no secret `{namespace}/{name}`"))),
        Err(fault) => Err(finding("2004", format!("cannot read the secret `{namespace}/{name}`: {fault}"))),
    }
}

fn entry(secret: &Value, key: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret["data"][key].as_str()?).ok()
}

/// A user and password, or what a Docker config has for the registry.
fn from_secret(secret: &Value, name: &str, registry: &str) -> Result<Credential, Finding> {
    let text = |key: &str| entry(secret, key).and_then(|bytes| String::from_utf8(bytes).ok());
    if let (Some(user), Some(password)) = (text("username"), text("password").or_else(|| text("token"))) {
        return Ok(Credential::Basic { user, password });
    }
    let config = text(".dockerconfigjson").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(config) = config else {
        return Err(finding(
            "2004",
            format!("the secret `{name}` has neither `username` and `password` nor `.dockerconfigjson`"),
        ));
    };
    let hub = (registry == "docker.io").then_some("https://index.docker.io/v1/");
    let names = [
        Some(registry.to_owned()),
        Some(format!("https://{registry}")),
        Some(format!("https://{registry}/")),
        hub.map(str::to_owned),
    ];
    let found = names.into_iter().flatten().find_map(|name| config["auths"].get(&name).cloned());
    let credential = found.and_then(|entry| {
        if let (Some(user), Some(password)) = (entry["username"].as_str(), entry["password"].as_str()) {
            return Some(Credential::Basic { user: user.to_owned(), password: password.to_owned() });
        }
        let pair = String::from_utf8(STANDARD.decode(entry["auth"].as_str()?).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        Some(Credential::Basic { user: user.to_owned(), password: password.to_owned() })
    });
    credential.ok_or_else(|| finding("2004", format!("the secret `{name}` has no credential for `{registry}`")))
}

/// The objects of an artifact.
fn read(shared: &Shared, spec: &Spec, artifact: &Artifact) -> Result<(Set, bool), Finding> {
    let files = unpack(artifact, &LayerLimits::default()).map_err(|fault| finding("2004", told(&fault)))?;
    let below = if spec.dir.is_empty() { files } else { files.below(&spec.dir) };
    if below.is_empty() && !spec.dir.is_empty() {
        return Err(finding("2001", format!("the artifact has no folder `{}`", spec.dir)));
    }
    if spec.may_be_hierarchy && below.get("system/repo.yaml").is_some() {
        let text = "the artifact has a repository's layout (`system/repo.yaml`), which Hydrant does not read; \
             flatten it, or set `sourceFormat: unstructured`";
        return Err(finding("1032", text.to_owned()));
    }
    if RENDERED_BY.iter().any(|name| below.get(name).is_some()) {
        let set = (shared.render)(&below).map_err(|fault| finding("1068", told(&fault)))?;
        return Ok((set, true));
    }
    let mut set = parse(below)?;
    set.objects.iter_mut().for_each(Object::forget_value);
    Ok((set, false))
}

fn parse(files: Files) -> Result<Set, Finding> {
    objects(files).map_err(|fault| match fault.code {
        "artifact-unrendered" => {
            let text = format!("kustomization config file is missing from the sync directory: {}", told(&fault));
            finding("1068", text)
        }
        _ => finding("1006", told(&fault)),
    })
}

pub(super) fn finding(code: &'static str, message: String) -> Finding {
    Finding { code, message, object: None }
}

/// A diagnostic in one sentence, with its place and first advice.
pub(super) fn told(fault: &Diagnostic) -> String {
    let hint = fault.hints.first().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}{hint}", fault.message)
}
