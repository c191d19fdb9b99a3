//! Google's registries without a Docker credential: an access token of the machine, the pod or the user.
//!
//! The token comes from the file that `GOOGLE_APPLICATION_CREDENTIALS` names (a user, a service account, or a workload of
//! another cloud), else from the metadata server, which answers on Google's machines and in GKE pods. The registry gets it
//! as the password of the user `_token`, as Config Sync sends it.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the token file that a credential file names, and the clock for a claim"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::pkcs8::DecodePrivateKey as _;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::json;

use super::auth::Credential;
use crate::diag::{Diagnostic, Result};
use crate::oci::Digest;

/// The user that goes with an access token.
pub(super) const USER: &str = "_token";
/// What the token is for.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A machine that is none of Google's must not be waited for.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer of a token service, and longest token file, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Life of the claim that is exchanged for a token, in seconds; the most that Google takes.
const CLAIM_SECONDS: u64 = 3600;

/// What stands before a SHA-256 digest in an RSA signature: the DER of its algorithm (RFC 8017, 9.2).
const SHA256_PREFIX: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// Where the tokens of this process come from.
#[derive(Clone, Debug)]
pub(crate) struct Google {
    /// `host[:port]` of the metadata server.
    pub(crate) metadata_host: String,
    /// The credential file, if there is one; read when a registry of Google's asks.
    pub(crate) application: Option<PathBuf>,
}

impl Default for Google {
    fn default() -> Google {
        Google { metadata_host: "metadata.google.internal".to_owned(), application: None }
    }
}

/// True for a host of Container Registry or Artifact Registry.
pub(super) fn is_google(registry: &str) -> bool {
    registry == "gcr.io" || registry.ends_with(".gcr.io") || registry.ends_with(".pkg.dev")
}

/// A credential file, of whichever kind.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Application {
    AuthorizedUser {
        client_id: String,
        client_secret: String,
        refresh_token: String,
        #[serde(default = "token_uri")]
        token_uri: String,
    },
    ServiceAccount {
        client_email: String,
        private_key: String,
        #[serde(default = "token_uri")]
        token_uri: String,
    },
    ExternalAccount {
        audience: String,
        subject_token_type: String,
        token_url: String,
        service_account_impersonation_url: Option<String>,
        credential_source: Subject,
    },
}

/// Where the token of another cloud or cluster comes from.
#[derive(Deserialize)]
struct Subject {
    file: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
struct Format {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "accessToken")]
    access_token: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl Google {
    /// The credential for Google's registries; nothing on a machine that has none.
    pub(super) async fn credential(&self, client: &reqwest::Client) -> Result<Option<Credential>> {
        let token = match &self.application {
            Some(path) => Some(application(client, path).await?),
            None => self.metadata(client).await,
        };
        Ok(token.map(|password| Credential::Basic { user: USER.to_owned(), password }))
    }

    /// The credential of the machine, whatever files there are.
    pub(super) async fn of_machine(&self, client: &reqwest::Client) -> Result<Option<Credential>> {
        Ok(self.metadata(client).await.map(|password| Credential::Basic { user: USER.to_owned(), password }))
    }

    async fn metadata(&self, client: &reqwest::Client) -> Option<String> {
        token_of(&self.ask(client, "instance/service-accounts/default/token").await?)
    }

    /// What the metadata server says under a path.
    pub(super) async fn ask(&self, client: &reqwest::Client, path: &str) -> Option<Vec<u8>> {
        let path = format!("computeMetadata/v1/{path}");
        let url = Url::parse(&format!("http://{}/{path}", self.metadata_host)).ok()?;
        let request = client.request(Method::GET, url).header("metadata-flavor", "Google").timeout(METADATA_TIMEOUT);
        let answer = request.send().await.ok()?;
        // any other server at that address is not the metadata server
        let genuine = answer.headers().get("metadata-flavor").is_some_and(|flavor| flavor == "Google");
        if !answer.status().is_success() || !genuine {
            return None;
        }
        body(answer).await
    }
}

async fn application(client: &reqwest::Client, path: &Path) -> Result<String> {
    let cannot = |why: &dyn std::fmt::Display| unusable(&format!("cannot read `{}`: {why}", path.display()));
    let json = std::fs::read(path).map_err(|error| cannot(&error))?;
    let application: Application = serde_json::from_slice(&json).map_err(|fault| cannot(&fault))?;
    match application {
        Application::AuthorizedUser { client_id, client_secret, refresh_token, token_uri } => {
            let form = [
                ("grant_type", "refresh_token"),
                ("client_id", &client_id),
                ("client_secret", &client_secret),
                ("refresh_token", &refresh_token),
            ];
            exchange(client, &token_uri, &form).await
        }
        Application::ServiceAccount { client_email, private_key, token_uri } => {
            let claim = claim(&client_email, &private_key, &token_uri)?;
            let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &claim)];
            exchange(client, &token_uri, &form).await
        }
        Application::ExternalAccount {
            audience,
            subject_token_type,
            token_url,
            service_account_impersonation_url,
            credential_source,
        } => {
            let subject = subject(&credential_source)?;
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("audience", &audience),
                ("subject_token_type", &subject_token_type),
                ("subject_token", &subject),
                ("scope", SCOPE),
            ];
            let token = exchange(client, &token_url, &form).await?;
            match service_account_impersonation_url {
                Some(url) => impersonate(client, &url, &token).await,
                None => Ok(token),
            }
        }
    }
}

/// A claim to be a service account, signed with its key.
fn claim(email: &str, key: &str, audience: &str) -> Result<String> {
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(key).map_err(|_| unusable("its private key cannot be read"))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let body = json!({ "iss": email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + CLAIM_SECONDS });
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&head), encode(&body));
    let scheme = rsa::Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_PREFIX.into() };
    let signature = key.sign(scheme, Digest::of(signed.as_bytes()).bytes());
    let signature = signature.map_err(|_| unusable("its private key cannot sign"))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The token that proves who this workload is; read anew each time, since it is renewed in place.
fn subject(source: &Subject) -> Result<String> {
    let Some(file) = &source.file else {
        return Err(unusable("its `credential_source` names no file"));
    };
    let text = std::fs::read_to_string(file).map_err(|error| unusable(&format!("cannot read `{file}`: {error}")))?;
    if text.len() > ANSWER_BYTES_MAX {
        return Err(unusable(&format!("`{file}` is too long for a token")));
    }
    if source.format.kind != "json" {
        return Ok(text.trim().to_owned());
    }
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|_| unusable(&format!("`{file}` is no JSON")))?;
    let field = &source.format.subject_token_field_name;
    json[field].as_str().map(str::to_owned).ok_or_else(|| unusable(&format!("`{file}` has no `{field}`")))
}

pub(super) async fn exchange(client: &reqwest::Client, url: &str, form: &[(&str, &str)]) -> Result<String> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client.request(Method::POST, safe(url)?);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    answered(request, url).await
}

pub(super) async fn impersonate(client: &reqwest::Client, url: &str, token: &str) -> Result<String> {
    let request =
        client.request(Method::POST, safe(url)?).bearer_auth(token).header("content-type", "application/json");
    answered(request.body(json!({ "scope": [SCOPE] }).to_string()), url).await
}

async fn answered(request: reqwest::RequestBuilder, url: &str) -> Result<String> {
    let failed = |why: &str| {
        let fault = Diagnostic::unreachable("google-token", format!("cannot get a token from `{url}`: {why}"));
        Box::new(
            fault.hint("check GOOGLE_APPLICATION_CREDENTIALS: `gcloud auth application-default print-access-token`"),
        )
    };
    let answer = request.timeout(TOKEN_TIMEOUT).send().await.map_err(|error| failed(&error.to_string()))?;
    let status = answer.status();
    let body = body(answer).await.ok_or_else(|| failed("the answer breaks off or has no end"))?;
    if !status.is_success() {
        return Err(failed(&format!("it answers {status}")));
    }
    token_of(&body).ok_or_else(|| failed("the answer holds no token"))
}

/// Secrets go over TLS, or stay on this machine.
fn safe(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| unusable(&format!("`{text}` is no URL")))?;
    let local = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && local) {
        return Ok(url);
    }
    Err(unusable(&format!("`{text}` is not served over TLS")))
}

async fn body(mut answer: reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

fn token_of(body: &[u8]) -> Option<String> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let visible = !answer.access_token.is_empty() && answer.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    visible.then_some(answer.access_token)
}

fn unusable(why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::input("google-credential", format!("the Google credential file cannot be used: {why}"));
    Box::new(
        fault.hint(
            "make it again with `gcloud auth application-default login`, or unset GOOGLE_APPLICATION_CREDENTIALS",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::faulty::{Asked, Faulty, Reply, answer, run};
    use super::*;

    fn credential(metadata_host: &str, application: Option<serde_json::Value>) -> Result<Option<Credential>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.json");
        let application = application.map(|json| {
            std::fs::write(&path, json.to_string()).expect("written");
            path
        });
        let google = Google { metadata_host: metadata_host.to_owned(), application };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        run(google.credential(&client))
    }

    fn token(password: &str) -> Option<Credential> {
        Some(Credential::Basic { user: "_token".to_owned(), password: password.to_owned() })
    }

    #[test]
    fn hosts_of_google_are_known() {
        for host in ["gcr.io", "eu.gcr.io", "europe-docker.pkg.dev"] {
            assert!(is_google(host), "{host}");
        }
        for host in ["gcr.io.evil.example", "notgcr.io", "pkg.dev.example", "docker.io"] {
            assert!(!is_google(host), "{host}");
        }
    }

    #[test]
    fn the_metadata_server_is_asked_and_others_are_not_believed() {
        let server = Faulty::start(|asked: &Asked, _: &[Asked]| {
            assert_eq!(asked.header("metadata-flavor"), Some("Google"));
            Reply::Answer(200, "metadata-flavor: Google\r\n".to_owned(), br#"{"access_token":"machine"}"#.to_vec())
        });
        assert_eq!(credential(&server.host, None).expect("asked"), token("machine"));
        let captive = Faulty::start(|_, _| answer(200, br#"{"access_token":"no"}"#));
        assert_eq!(credential(&captive.host, None).expect("asked"), None);
        assert_eq!(credential("127.0.0.1:1", None).expect("nobody there"), None);
    }

    #[test]
    fn a_workload_of_another_cloud_exchanges_its_token() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let server = Faulty::start(|asked, _| {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            if asked.path == "/impersonate" {
                assert_eq!(asked.header("authorization"), Some("Bearer exchanged"));
                return answer(200, br#"{"accessToken":"account"}"#);
            }
            assert!(body.contains("subject_token=pod-secret"), "{body}");
            answer(200, br#"{"access_token":"exchanged"}"#)
        });
        let mut json = json!({
            "type": "external_account", "audience": "//iam/pool", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("http://{}/sts", server.host), "credential_source": { "file": file },
        });
        std::fs::write(&file, "pod-secret\n").expect("written");
        assert_eq!(credential("", Some(json.clone())).expect("exchanged"), token("exchanged"));
        json["service_account_impersonation_url"] = json!(format!("http://{}/impersonate", server.host));
        json["credential_source"]["format"] = json!({ "type": "json", "subject_token_field_name": "t" });
        std::fs::write(&file, r#"{"t":"pod-secret"}"#).expect("written");
        assert_eq!(credential("", Some(json.clone())).expect("impersonated"), token("account"));
        json["token_url"] = json!("http://sts.example/");
        assert_eq!(credential("", Some(json)).expect_err("without TLS").code, "google-credential");
    }

    #[test]
    fn users_and_service_accounts_get_tokens_and_faults_are_named() {
        let server = Faulty::start(|asked, _| {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            match asked.path.as_str() {
                "/user" if body.contains("refresh_token=r") => answer(200, br#"{"access_token":"user"}"#),
                "/account" => {
                    let claim = body.split("assertion=").nth(1).expect("a claim").to_owned();
                    let parts: Vec<&str> = claim.split('.').collect();
                    let text = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
                    let claims: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
                    assert_eq!((claims["iss"].as_str(), parts.len()), (Some("robot@example"), 3));
                    answer(200, br#"{"access_token":"robot"}"#)
                }
                _ => answer(400, br#"{"error":"invalid_grant"}"#),
            }
        });
        let url = |path: &str| format!("http://{}/{path}", server.host);
        let user = json!({ "type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r", "token_uri": url("user") });
        assert_eq!(credential("", Some(user.clone())).expect("a token"), token("user"));
        let mut expired = user;
        expired["refresh_token"] = json!("old");
        assert_eq!(credential("", Some(expired)).expect_err("refused").code, "google-token");
        let key = include_str!("testdata/rsa.pem");
        let account = json!({ "type": "service_account", "client_email": "robot@example", "private_key": key, "token_uri": url("account") });
        assert_eq!(credential("", Some(account)).expect("a token"), token("robot"));
        for json in [
            json!({}),
            json!({ "type": "magic" }),
            json!({ "type": "service_account", "client_email": "x", "private_key": "x" }),
        ] {
            assert_eq!(credential("", Some(json)).expect_err("no credential").code, "google-credential");
        }
    }
}
