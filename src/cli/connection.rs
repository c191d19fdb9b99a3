//! How commands reach registries: flags, credentials of Docker and Podman, proxies, and the runtime that waits.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the environment, CA files and Docker's config, and hands them on"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::diag::{Diagnostic, Result};
use crate::registry::{Client, Credential, Credentials, Google, Options};

/// Docker Hub's key in Docker's config; every other registry's key is its host.
const DOCKER_HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");

/// Flags of every command that talks to a registry.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct ConnectionArgs {
    /// Talk to the registry without TLS; unasked only to this machine
    #[arg(long)]
    pub(super) plain_http: bool,
    /// Trust the authorities in this PEM file, beside the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Show the registry this certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(super) cert_file: Option<PathBuf>,
    /// Key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(super) key_file: Option<PathBuf>,
}

impl ConnectionArgs {
    /// A client as the flags and the environment ask for.
    pub(super) fn client(&self) -> Result<Client> {
        Ok(Client::new(self.options()?, Arc::new(ConfigFiles::default())))
    }

    /// A client for charts: with the credential that is given, else as `helm registry login` keeps it in `logins`.
    ///
    /// The credential goes to the named hosts alone: an index may point at any other.
    pub(super) fn client_for_charts(
        &self,
        given: Option<(String, String)>,
        hosts: Vec<String>,
        logins: Option<PathBuf>,
    ) -> Result<Client> {
        let given = given.map(|(user, password)| (Credential::Basic { user, password }, hosts));
        Ok(Client::new(self.options()?, Arc::new(ConfigFiles { given, first: logins })))
    }

    fn options(&self) -> Result<Options> {
        let mut identity_pem = None;
        if let (Some(cert), Some(key)) = (&self.cert_file, &self.key_file) {
            identity_pem = Some([read(cert)?, b"\n".to_vec(), read(key)?].concat());
        }
        Ok(Options {
            plain_http: self.plain_http,
            ca_pem: self.ca_file.as_deref().map(read).transpose()?,
            identity_pem,
            google: google(),
            https_proxy: environment(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
                .map(|proxy| (proxy, environment(&["NO_PROXY", "no_proxy"]).unwrap_or_default())),
            ..Options::default()
        })
    }
}

/// Waits for work that talks to registries.
pub(super) fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Diagnostic::bug("runtime", format!("cannot start the runtime: {error}")))?.block_on(work)
}

/// Google's tokens, as its own tools find them.
pub(super) fn google() -> Google {
    let named = environment(&["GOOGLE_APPLICATION_CREDENTIALS"]).map(PathBuf::from);
    let usual = environment(&["CLOUDSDK_CONFIG"])
        .map(PathBuf::from)
        .or_else(|| environment(&["HOME"]).map(|home| Path::new(&home).join(".config/gcloud")))
        .map(|folder| folder.join("application_default_credentials.json"))
        .filter(|path| path.exists());
    let mut google = Google { application: named.or(usual), ..Google::default() };
    if let Some(host) = environment(&["GCE_METADATA_HOST"]) {
        google.metadata_host = host;
    }
    google
}

fn environment(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        Box::new(Diagnostic::input("file-unreadable", format!("cannot read `{}`: {error}", path.display())))
    })
}

/// Credentials as `docker login` and `podman login` keep them, helpers included.
#[derive(Default)]
struct ConfigFiles {
    /// What the command line gives, and for whom; wins over every file.
    given: Option<(Credential, Vec<String>)>,
    /// A file that is looked into before Docker's.
    first: Option<PathBuf>,
}

impl ConfigFiles {
    /// The files to look into, the first that exists and knows the registry wins.
    fn paths(&self) -> Vec<PathBuf> {
        let home = environment(&["HOME"]).map(PathBuf::from);
        let docker =
            environment(&["DOCKER_CONFIG"]).map(PathBuf::from).or_else(|| home.map(|home| home.join(".docker")));
        let podman = environment(&["REGISTRY_AUTH_FILE"]).map(PathBuf::from).or_else(|| {
            environment(&["XDG_RUNTIME_DIR"]).map(|folder| Path::new(&folder).join("containers/auth.json"))
        });
        let docker = docker.map(|folder| folder.join("config.json"));
        self.first.clone().into_iter().chain(docker).chain(podman).collect()
    }
}

impl Credentials for ConfigFiles {
    fn find(&self, registry: &str) -> Result<Option<Credential>> {
        if let Some((credential, _)) =
            self.given.as_ref().filter(|(_, hosts)| hosts.iter().any(|host| host == registry))
        {
            return Ok(Some(credential.clone()));
        }
        let key = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
        for path in self.paths() {
            let Ok(text) = fs::read(&path) else { continue };
            match docker_credential::get_credential_from_reader(&text[..], key) {
                Ok(DockerCredential::UsernamePassword(user, password)) => {
                    return Ok(Some(Credential::Basic { user, password }));
                }
                Ok(DockerCredential::IdentityToken(token)) => return Ok(Some(Credential::IdentityToken(token))),
                Err(CredentialRetrievalError::NoCredentialConfigured) => {}
                // what every helper says of a registry that it does not know
                Err(CredentialRetrievalError::HelperFailure { stdout, .. })
                    if stdout.contains("credentials not found") => {}
                Err(error) => return Err(unusable(&path, registry, &error)),
            }
        }
        Ok(None)
    }
}

fn unusable(path: &Path, registry: &str, error: &CredentialRetrievalError) -> Box<Diagnostic> {
    let why = match error {
        CredentialRetrievalError::HelperFailure { helper, stderr, .. } => {
            format!("the helper `{helper}` failed: {}", stderr.trim())
        }
        CredentialRetrievalError::HelperCommunicationError => "its credential helper cannot be run".to_owned(),
        CredentialRetrievalError::MalformedHelperResponse => "its credential helper gives no credential".to_owned(),
        CredentialRetrievalError::CredentialDecodingError => "the entry is not `base64(user:password)`".to_owned(),
        CredentialRetrievalError::CredentialMismatchError => "`auth` and `username` differ".to_owned(),
        _ => "it is no JSON of the form that `docker login` writes".to_owned(),
    };
    let text = format!("cannot use the credential for `{registry}` in `{}`: {why}", path.display());
    Box::new(Diagnostic::input("credential-unusable", text).hint(format!("run `docker login {registry}` again")))
}
