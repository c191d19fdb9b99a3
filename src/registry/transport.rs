//! One request and its answer: authorization, redirects, limits on what comes back; tried again as `retry` decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode, Url};

use super::auth::{Challenge, Credential, Credentials, TokenAnswer, basic};
use super::fault;
use super::google::{Google, is_google};
use super::progress::Told;
use super::retry::{Failure, Patience, Tries, may_pass};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Descriptor, Reference};

/// Longest error document or token answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Redirects followed for one request.
const REDIRECTS_MAX: usize = 5;

/// How to talk to registries.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Talk without TLS to hosts that are not this machine, too.
    pub(crate) plain_http: bool,
    /// Certificates (PEM) trusted beside the system's.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// Certificate and key (PEM) shown to registries that ask.
    pub(crate) identity_pem: Option<Vec<u8>>,
    /// Where tokens for Google's registries come from when there is no other credential.
    pub(crate) google: Google,
    /// Proxy for HTTPS, and for hosts that go without (a list as in `NO_PROXY`).
    pub(crate) https_proxy: Option<(String, String)>,
    /// Time to connect.
    pub(crate) connect_timeout: Duration,
    /// Longest silence while reading.
    pub(crate) read_timeout: Duration,
    /// Slowest transfer put up with, in bytes a second, after `read_timeout` of grace.
    pub(crate) slowest: u64,
    /// How long a request is tried that fails in a way that may pass.
    pub(crate) patience: Patience,
    /// Largest blob read, in bytes.
    pub(crate) blob_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            plain_http: false,
            ca_pem: None,
            identity_pem: None,
            google: Google::default(),
            https_proxy: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            slowest: 32 << 10,
            patience: Patience::default(),
            blob_bytes_max: 1 << 30,
        }
    }
}

/// What a request is for: decides the token asked for and the words of an error.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    /// The artifact meant.
    pub(super) reference: &'a Reference,
    /// True if the token must allow writing.
    pub(super) push: bool,
    /// What is being done, after "cannot": "push `x`".
    pub(super) what: &'a str,
}

/// The wire to registries.
pub(super) struct Transport {
    pub(super) options: Options,
    credentials: Arc<dyn Credentials>,
    secure: OnceLock<reqwest::Client>,
    plain: OnceLock<reqwest::Client>,
    /// `Authorization` by registry, repository and right.
    answers: Mutex<BTreeMap<(String, String, bool), HeaderValue>>,
    /// Held while a challenge is answered.
    renewing: tokio::sync::Mutex<()>,
    /// True if nobody is asked for a credential but `credentials`: not this machine, nor its environment.
    alone: bool,
    /// Who hears of transfers.
    pub(super) told: Told,
}

impl Transport {
    pub(super) fn new(options: Options, credentials: Arc<dyn Credentials>) -> Transport {
        Transport {
            options,
            credentials,
            secure: OnceLock::new(),
            plain: OnceLock::new(),
            answers: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
            alone: false,
            told: Told::default(),
        }
    }

    /// The same connections for somebody else, who has `credentials` and nothing beside them.
    pub(super) fn for_account(&self, credentials: Arc<dyn Credentials>) -> Transport {
        Transport {
            options: self.options.clone(),
            credentials,
            secure: self.secure.clone(),
            plain: self.plain.clone(),
            answers: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
            alone: true,
            told: self.told.clone(),
        }
    }

    /// True if the registry is talked to without TLS: where asked for, and on this machine unless certificates are given.
    pub(super) fn is_plain(&self, reference: &Reference) -> bool {
        let certificates = self.options.ca_pem.is_some() || self.options.identity_pem.is_some();
        self.options.plain_http || (reference.is_loopback() && !certificates)
    }

    /// The URL of `path` below the repository.
    pub(super) fn url(&self, reference: &Reference, path: &str) -> Result<Url> {
        let scheme = if self.is_plain(reference) { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{}/{path}", reference.api_host(), reference.repository);
        Url::parse(&text).map_err(|error| {
            Box::new(Diagnostic::input("reference-invalid", format!("`{reference}` makes no URL: {error}")))
        })
    }

    /// Sends a request until it is answered in a way that more tries cannot better, and gives the answer, good or bad.
    pub(super) async fn send(&self, purpose: Purpose<'_>, request: &Request) -> Result<Response> {
        let mut tries = Tries::new(self.options.patience);
        loop {
            match tries.settle(self.send_authorized(purpose, request).await).await {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(Failure::Final(fault))) => return Err(fault),
                Some(Err(Failure::NoAnswer(error))) => return Err(self.no_answer(purpose, &error)),
                None => {}
            }
        }
    }

    /// Sends a request and turns any answer but the wanted ones into an error.
    pub(super) async fn expect(&self, purpose: Purpose<'_>, request: &Request, wanted: &[u16]) -> Result<Response> {
        let answer = self.send(purpose, request).await?;
        if wanted.contains(&answer.status().as_u16()) { Ok(answer) } else { Err(self.refused(purpose, answer).await) }
    }

    /// The error that an unwanted answer stands for.
    pub(super) async fn refused(&self, purpose: Purpose<'_>, answer: Response) -> Box<Diagnostic> {
        let status = answer.status();
        let body = self.body(answer, ANSWER_BYTES_MAX).await.unwrap_or_default();
        let registry = &purpose.reference.registry;
        let had_credential =
            (is_google(registry) && !self.alone) || self.credentials.find(registry).ok().flatten().is_some();
        fault::refused(purpose.what, registry, self.is_plain(purpose.reference), (status, &body), had_credential)
    }

    /// The error that no answer stands for.
    pub(super) fn no_answer(&self, purpose: Purpose<'_>, error: &reqwest::Error) -> Box<Diagnostic> {
        fault::no_answer(purpose.what, &purpose.reference.registry, self.is_plain(purpose.reference), error)
    }

    /// The whole body, if it is not longer than `limit`; nothing otherwise.
    pub(super) async fn body(&self, mut answer: Response, limit: usize) -> Option<Vec<u8>> {
        let read = async {
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.ok()? {
                if body.len() + chunk.len() > limit {
                    return None;
                }
                body.extend_from_slice(&chunk);
            }
            Some(body)
        };
        tokio::time::timeout(self.patience(limit as u64), read).await.ok().flatten()
    }

    /// The time that `bytes` may take at the slowest transfer.
    pub(super) fn patience(&self, bytes: u64) -> Duration {
        self.options.read_timeout + Duration::from_secs(bytes / self.options.slowest.max(1))
    }

    async fn send_authorized(&self, purpose: Purpose<'_>, request: &Request) -> Result<Response, Failure> {
        let reference = purpose.reference;
        let key = (reference.registry.clone(), reference.repository.clone(), purpose.push);
        // never send a credential to where a registry points, only to the registry itself
        let ours = self.url(reference, "").is_ok_and(|url| url.origin() == request.url.origin());
        let mut known = if ours { self.known(&key) } else { None };
        let mut answer = self.send_once(purpose, request, known.as_ref()).await?;
        // the second round is for a token that another request brought, and that has expired since
        for _ in 0..2 {
            if answer.status() != StatusCode::UNAUTHORIZED || !ours {
                break;
            }
            let challenges = answer.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
            let Some(challenge) = Challenge::parse(challenges) else { break };
            let Some((fresh, made)) = self.renew(purpose, &key, known.as_ref(), &challenge).await? else { break };
            answer = self.send_once(purpose, request, Some(&fresh)).await?;
            known = Some(fresh);
            if made {
                break;
            }
        }
        Ok(answer)
    }

    /// The header that answers a challenge, and true if it was made for this request. Requests that fail together wait
    /// for the one that asks first, and take its answer.
    async fn renew(
        &self,
        purpose: Purpose<'_>,
        key: &(String, String, bool),
        refused: Option<&HeaderValue>,
        challenge: &Challenge,
    ) -> Result<Option<(HeaderValue, bool)>, Failure> {
        let _turn = self.renewing.lock().await;
        let newer = self.known(key);
        if let Some(newer) = newer.filter(|newer| Some(newer) != refused) {
            return Ok(Some((newer, false)));
        }
        let Some(fresh) = self.authorize(purpose, challenge).await? else { return Ok(None) };
        if let Ok(mut answers) = self.answers.lock() {
            answers.insert(key.clone(), fresh.clone());
        }
        Ok(Some((fresh, true)))
    }

    fn known(&self, key: &(String, String, bool)) -> Option<HeaderValue> {
        self.answers.lock().ok().and_then(|answers| answers.get(key).cloned())
    }

    async fn send_once(
        &self,
        purpose: Purpose<'_>,
        request: &Request,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Failure> {
        let client = self.client(self.is_plain(purpose.reference))?;
        let mut builder = client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if let Some(value) = authorization {
            builder = builder.header(AUTHORIZATION, value);
        }
        if let Some(body) = &request.body {
            builder = match &request.blob {
                Some(blob) => builder.body(self.told.body(blob, body.clone())),
                None => builder.body(body.clone()),
            };
        }
        builder.send().await.map_err(Failure::NoAnswer)
    }

    /// The header that answers a challenge; nothing if there is no credential for it.
    async fn authorize(&self, purpose: Purpose<'_>, challenge: &Challenge) -> Result<Option<HeaderValue>, Failure> {
        let credential = match self.credentials.find(&purpose.reference.registry)? {
            None if is_google(&purpose.reference.registry) && !self.alone => {
                self.options.google.credential(self.client(false)?).await?
            }
            found => found,
        };
        let value = match (challenge, credential) {
            (Challenge::Basic, Some(Credential::Basic { user, password })) => basic(&user, &password),
            (Challenge::Basic, _) => return Ok(None),
            (Challenge::Bearer { realm, service }, credential) => {
                format!("Bearer {}", self.token(purpose, realm, service.as_deref(), credential).await?)
            }
        };
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| Diagnostic::input("registry-credential", "the credential cannot stand in a header"))
            .map_err(Box::new)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    async fn token(
        &self,
        purpose: Purpose<'_>,
        realm: &str,
        service: Option<&str>,
        credential: Option<Credential>,
    ) -> Result<String, Failure> {
        let host = &purpose.reference.registry;
        let broken = |why: &str| Failure::Final(fault::broken(purpose.what, host, why));
        let mut url = Url::parse(realm).map_err(|_| broken("names a token service that is no URL"))?;
        let plain = self.is_plain(purpose.reference);
        if url.scheme() != "https" && !(plain && url.scheme() == "http") {
            return Err(broken("names a token service without TLS"));
        }
        let right = if purpose.push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{right}", purpose.reference.repository);
        let mut request = Request::new(Method::GET, url.clone());
        match credential {
            Some(Credential::IdentityToken(token)) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token").append_pair("client_id", "hydrant");
                form.append_pair("scope", &scope).append_pair("service", service.unwrap_or_default());
                request.method = Method::POST;
                request.body = Some(form.append_pair("refresh_token", &token).finish().into());
                request.header("content-type", "application/x-www-form-urlencoded");
            }
            other => {
                url.query_pairs_mut().append_pair("scope", &scope);
                if let Some(service) = service {
                    url.query_pairs_mut().append_pair("service", service);
                }
                request.url = url;
                if let Some(Credential::Basic { user, password }) = other {
                    request.header("authorization", &basic(&user, &password));
                }
            }
        }
        let answer = self.send_once(purpose, &request, None).await?;
        if !answer.status().is_success() {
            if may_pass(answer.status()) {
                return Err(broken("has a token service that fails"));
            }
            return Err(Failure::Final(self.refused(purpose, answer).await));
        }
        let body =
            self.body(answer, ANSWER_BYTES_MAX).await.ok_or_else(|| broken("has a token service that sends no end"))?;
        let token = serde_json::from_slice::<TokenAnswer>(&body).ok().and_then(TokenAnswer::token);
        token.ok_or_else(|| broken("has a token service that gives no token"))
    }

    pub(super) fn client(&self, plain: bool) -> Result<&reqwest::Client> {
        let slot = if plain { &self.plain } else { &self.secure };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = self.build(plain)?;
        Ok(slot.get_or_init(|| client))
    }

    fn build(&self, plain: bool) -> Result<reqwest::Client> {
        let options = &self.options;
        let refuse = |what: &str, error: &dyn std::fmt::Display| {
            Box::new(Diagnostic::input("registry-options", format!("cannot use {what}: {error}")))
        };
        // every TLS library of the process uses one provider; a second install is refused, and is no fault
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = reqwest::redirect::Policy::custom(|attempt| {
            let downgrade = attempt.url().scheme() == "http"
                && attempt.previous().last().is_some_and(|url| url.scheme() == "https");
            if downgrade || attempt.previous().len() > REDIRECTS_MAX { attempt.stop() } else { attempt.follow() }
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hydrant/", env!("CARGO_PKG_VERSION")))
            .redirect(redirects)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .no_proxy();
        if let Some((proxy, except)) = options.https_proxy.as_ref().filter(|_| !plain) {
            let proxy = reqwest::Proxy::https(proxy).map_err(|error| refuse("the proxy", &error))?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(except)));
        }
        let mut roots = Vec::new();
        if let Some(pem) = &options.ca_pem {
            roots = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| refuse("the CA file", &error))?;
        }
        if let Some(pem) = &options.identity_pem {
            let identity =
                reqwest::Identity::from_pem(pem).map_err(|error| refuse("the client certificate", &error))?;
            builder = builder.identity(identity);
        }
        // without TLS the system's certificates need not be read, nor even exist
        let builder = if plain { builder.tls_certs_only(roots) } else { builder.tls_certs_merge(roots) };
        builder.build().map_err(|error| refuse("the TLS settings", &error))
    }
}

/// A request that can be sent more than once.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// The blob that the body is, whole; to tell how far it is.
    pub(super) blob: Option<Descriptor>,
}

impl Request {
    pub(super) fn new(method: Method, url: Url) -> Request {
        Request { method, url, headers: HeaderMap::new(), body: None, blob: None }
    }

    /// Sets a header; a value that cannot stand in one is left out.
    pub(super) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}
