//! HTTP to chart repositories, plain files and git servers: one request, its redirects, and a body read with limits.
//!
//! In: a URL and the [`Access`] of the repository it belongs to. Out: a [`Body`] that is read piece by piece. Credentials
//! go to the repository's own origin alone, never along with a redirect to another one; `pass_everywhere` is Helm's
//! `--pass-credentials`. What is tried again, and when, is the registry room's to decide.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use crate::diag::{Diagnostic, Result};
use crate::registry::{Failure, Patience, Tries};

/// Redirects followed for one request, as Go's client does.
const REDIRECTS_MAX: usize = 10;
/// The code of a server's refusal that asks for a login.
pub(super) const UNAUTHORIZED: &str = "web-unauthorized";
/// Longest piece of a server's own words that is shown, in bytes.
const SHOWN_MAX: usize = 200;

/// How to talk to servers of charts and bases.
#[derive(Clone, Debug)]
pub(crate) struct WebOptions {
    /// Proxies for `http` and `https`, and the hosts that go without (a list as in `NO_PROXY`).
    pub(crate) proxies: [Option<String>; 2],
    /// As `NO_PROXY`.
    pub(crate) no_proxy: String,
    /// Time to connect.
    pub(crate) connect_timeout: Duration,
    /// Longest silence while reading.
    pub(crate) read_timeout: Duration,
    /// Longest time for a whole request, its body included.
    pub(crate) total_timeout: Duration,
    /// How long a request is tried that fails in a way that may pass.
    pub(crate) patience: Patience,
}

impl Default for WebOptions {
    fn default() -> WebOptions {
        WebOptions {
            proxies: [None, None],
            no_proxy: String::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(600),
            patience: Patience::default(),
        }
    }
}

/// Who we are to one repository, and how TLS is done with it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// User; empty for none.
    pub(crate) user: String,
    /// Password.
    pub(crate) password: String,
    /// A token for `Authorization: Bearer`; wins over user and password.
    pub(crate) bearer: Option<String>,
    /// Send the credential to whatever host the repository names, too.
    pub(crate) pass_everywhere: bool,
    /// How TLS is done.
    pub(crate) tls: Tls,
}

impl std::fmt::Debug for Access {
    /// Never shows the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("user", &self.user)
            .field("pass_everywhere", &self.pass_everywhere)
            .finish_non_exhaustive()
    }
}

/// What is trusted and shown when TLS is negotiated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Certificates (PEM) trusted in place of the system's, as Helm does.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// Certificate and key (PEM) shown to servers that ask.
    pub(crate) identity_pem: Option<Vec<u8>>,
    /// Take any certificate.
    pub(crate) insecure: bool,
}

impl Access {
    /// The header that says who we are, if there is anything to say.
    fn authorization(&self, url: &Url) -> Option<HeaderValue> {
        let basic = |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let text = match &self.bearer {
            Some(token) => format!("Bearer {token}"),
            // Helm sends neither alone
            None if !self.user.is_empty() && !self.password.is_empty() => basic(&self.user, &self.password),
            None if !url.username().is_empty() => {
                let plain = |text: &str| percent_decoded(text);
                basic(&plain(url.username()), &plain(url.password().unwrap_or_default()))
            }
            None => return None,
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn percent_decoded(text: &str) -> String {
    let pairs = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// What to ask for.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    /// What is being done, after "cannot": "read the index of `x`".
    pub(super) what: &'a str,
    /// Where.
    pub(super) url: Url,
    /// The repository that the URL belongs to: its origin gets the credentials.
    pub(super) home: &'a Url,
    /// Who we are to it.
    pub(super) access: &'a Access,
    /// `Accept`; empty for none.
    pub(super) accept: &'static str,
    /// Headers besides.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// What is sent, with its type, if anything is.
    pub(super) body: Option<(&'static str, Bytes)>,
}

/// A user and a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    /// User.
    pub(crate) user: String,
    /// Password or token.
    pub(crate) password: String,
}

/// Who we are to servers whose URL does not say it, where they ask. May block: it is called on a thread for that.
pub(crate) trait Logins: Send + Sync {
    /// The login for a URL; nothing if there is none.
    fn find(&self, url: &Url) -> Option<Login>;
}

/// Makes requests; cheap to share by reference, keeps connections.
pub(crate) struct Web {
    options: WebOptions,
    clients: Mutex<Vec<(Tls, reqwest::Client)>>,
    logins: Option<Arc<dyn Logins>>,
}

impl Web {
    /// A client without connections yet.
    pub(crate) fn new(options: WebOptions) -> Web {
        Web { options, clients: Mutex::default(), logins: None }
    }

    /// With logins for git servers that want one.
    pub(crate) fn with_logins(self, logins: Arc<dyn Logins>) -> Web {
        Web { logins: Some(logins), ..self }
    }

    /// Who we are to the server of a URL that names nobody.
    pub(super) async fn login(&self, url: &Url) -> Option<Access> {
        let (logins, url) = (self.logins.clone()?, url.clone());
        let found = tokio::task::spawn_blocking(move || logins.find(&url)).await.ok()??;
        Some(Access { user: found.user, password: found.password, ..Access::default() })
    }

    /// The body of an answer with status 200. Fails with codes `web-*`.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Body> {
        let mut tries = Tries::new(self.options.patience);
        loop {
            match tries.settle(self.follow(ask).await).await {
                Some(Ok(answer)) if answer.status() == StatusCode::OK => {
                    return Ok(Body {
                        what: ask.what.to_owned(),
                        answer,
                        deadline: tokio::time::Instant::now() + self.options.total_timeout,
                    });
                }
                Some(Ok(answer)) => return Err(refused(ask, answer).await),
                Some(Err(Failure::Final(fault))) => return Err(fault),
                Some(Err(Failure::NoAnswer(error))) => return Err(no_answer(ask.what, &ask.url, &error)),
                None => {}
            }
        }
    }

    /// Sends the request and follows redirects, the credential staying behind where the origin changes.
    async fn follow(&self, ask: &Ask<'_>) -> Result<Response, Failure> {
        let mut url = ask.url.clone();
        for hop in 0..=REDIRECTS_MAX {
            let ours = url.origin() == ask.home.origin() || (ask.access.pass_everywhere && hop == 0);
            let answer = self.send(ask, &url, ours).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let target = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = target.and_then(|target| url.join(target).ok()) else { return Ok(answer) };
            if url.scheme() == "https" && next.scheme() != "https" {
                let fault = Diagnostic::unreachable(
                    "web-downgrade",
                    format!("cannot {}: `{}` redirects to `{}`, without TLS", ask.what, shown(&url), shown(&next)),
                );
                return Err(Failure::Final(Box::new(fault.hint("ask whoever keeps the server to redirect to https"))));
            }
            url = next;
        }
        let fault = Diagnostic::unreachable(
            "web-redirects",
            format!("cannot {}: more than {REDIRECTS_MAX} redirects from `{}`", ask.what, shown(&ask.url)),
        );
        Err(Failure::Final(Box::new(fault.hint("open the URL in a browser and see where it leads"))))
    }

    async fn send(&self, ask: &Ask<'_>, url: &Url, ours: bool) -> Result<Response, Failure> {
        if !matches!(url.scheme(), "http" | "https") {
            let fault = Diagnostic::input(
                "web-scheme",
                format!("cannot {}: `{}` is no http or https URL", ask.what, shown(url)),
            );
            return Err(Failure::Final(Box::new(fault)));
        }
        let method = if ask.body.is_some() { Method::POST } else { Method::GET };
        // user and password in a URL are sent as a header, or not at all
        let mut bare = url.clone();
        let _ = (bare.set_username(""), bare.set_password(None));
        let mut builder = self.client(&ask.access.tls)?.request(method, bare);
        if let Some(value) = ask.access.authorization(url).filter(|_| ours) {
            builder = builder.header(AUTHORIZATION, value);
        }
        if !ask.accept.is_empty() {
            builder = builder.header(ACCEPT, ask.accept);
        }
        for (name, value) in ask.headers {
            builder = builder.header(*name, *value);
        }
        if let Some((kind, body)) = &ask.body {
            builder = builder.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        builder.send().await.map_err(Failure::NoAnswer)
    }

    fn client(&self, tls: &Tls) -> Result<reqwest::Client> {
        let poisoned = || Box::new(Diagnostic::bug("web-client", "another request panicked"));
        let mut clients = self.clients.lock().map_err(|_| poisoned())?;
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == tls) {
            return Ok(client.clone());
        }
        let client = self.build(tls)?;
        clients.push((tls.clone(), client.clone()));
        Ok(client)
    }

    fn build(&self, tls: &Tls) -> Result<reqwest::Client> {
        let refuse = |what: &str, error: &dyn std::fmt::Display| {
            Box::new(Diagnostic::input("web-options", format!("cannot use {what}: {error}")))
        };
        // every TLS library of the process uses one provider; a second install is refused, and is no fault
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hydrant/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.options.connect_timeout)
            .read_timeout(self.options.read_timeout)
            .no_proxy();
        for (proxy, https) in self.options.proxies.iter().zip([false, true]) {
            let Some(proxy) = proxy else { continue };
            let made = if https { reqwest::Proxy::https(proxy) } else { reqwest::Proxy::http(proxy) };
            let made = made.map_err(|error| refuse("the proxy", &error))?;
            builder = builder.proxy(made.no_proxy(reqwest::NoProxy::from_string(&self.options.no_proxy)));
        }
        if let Some(pem) = &tls.ca_pem {
            let roots = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| refuse("the CA file", &error))?;
            builder = builder.tls_certs_only(roots);
        }
        if let Some(pem) = &tls.identity_pem {
            builder = builder
                .identity(reqwest::Identity::from_pem(pem).map_err(|error| refuse("the client certificate", &error))?);
        }
        if tls.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        builder.build().map_err(|error| refuse("the TLS settings", &error))
    }
}

/// The body of an answer, read piece by piece.
pub(super) struct Body {
    what: String,
    answer: Response,
    deadline: tokio::time::Instant,
}

impl Body {
    /// The next piece; nothing at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let url = self.answer.url().clone();
        match tokio::time::timeout_at(self.deadline, self.answer.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(no_answer(&self.what, &url, &error)),
            Err(_) => {
                let fault = Diagnostic::unreachable(
                    "web-slow",
                    format!("cannot {}: `{}` sends too slowly to wait for", self.what, shown(&url)),
                );
                Err(Box::new(fault.hint("try again later, or from elsewhere")))
            }
        }
    }

    /// The whole body. Fails with `web-too-large` if it is longer than `limit` bytes.
    pub(super) async fn bytes(mut self, limit: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() + chunk.len() > limit {
                let fault = Diagnostic::unreachable(
                    "web-too-large",
                    format!("cannot {}: `{}` sends more than {limit} bytes", self.what, shown(self.answer.url())),
                );
                return Err(Box::new(fault.hint("check that the URL is right")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// A URL fit to be shown: without user and password.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = (url.set_username(""), url.set_password(None));
    url.to_string()
}

async fn refused(ask: &Ask<'_>, mut answer: Response) -> Box<Diagnostic> {
    let (status, url) = (answer.status(), shown(answer.url()));
    let mut words = String::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        words.push_str(&String::from_utf8_lossy(&chunk));
        if words.len() > SHOWN_MAX {
            break;
        }
    }
    let is_text = !words.trim_start().starts_with('<') && words.len() <= SHOWN_MAX;
    let words: String = words.trim().chars().filter(|c| !c.is_control()).collect();
    let says = if is_text && !words.is_empty() { format!("{status}: {words}") } else { status.to_string() };
    let had_credential = ask.access.authorization(&ask.url).is_some();
    let fault = |code, hint: &str| {
        Box::new(Diagnostic::unreachable(code, format!("cannot {}: `{url}` answers {says}", ask.what)).hint(hint))
    };
    match status.as_u16() {
        401 if had_credential => fault("web-credential", "check user and password: the server does not take them"),
        401 => fault(UNAUTHORIZED, "give `--username` and `--password`, or put them into `repositories.yaml`"),
        403 => fault("web-denied", "ask for access, or check the URL"),
        404 | 410 => fault("web-not-found", "check the URL: there is no such file"),
        429 => fault("web-rate-limit", "wait and try again"),
        500.. => fault("web-failed", "try again later, or look into the server's log"),
        _ => fault("web-refused", "check that the URL is right"),
    }
}

/// The error that no answer stands for.
fn no_answer(what: &str, url: &Url, error: &reqwest::Error) -> Box<Diagnostic> {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // the innermost cause is the one that says something
        why = inner.to_string();
        source = inner.source();
    }
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let says = |words: &[&str]| words.iter().any(|word| why.to_ascii_lowercase().contains(word));
    let fault = |code, text: String, hint: String| {
        Box::new(Diagnostic::unreachable(code, format!("cannot {what}: {text}")).hint(hint))
    };
    if says(&["invalidcontenttype", "corrupt message", "wrong version number"]) {
        return fault(
            "web-tls",
            format!("`{host}` does not speak TLS"),
            "write `http://` if it is meant to be without TLS".to_owned(),
        );
    }
    if says(&["unknownissuer", "unknown issuer", "invalid peer certificate"]) {
        let text = format!("the certificate of `{host}` is not trusted: {why}");
        return fault("web-certificate", text, "give the authority that signed it with `--ca-file FILE`".to_owned());
    }
    if says(&["certificaterequired", "certificate required"]) {
        let text = format!("`{host}` wants a client certificate");
        return fault("web-client-certificate", text, "give one with `--cert-file` and `--key-file`".to_owned());
    }
    if error.is_timeout() {
        let text = format!("`{host}` did not answer in time");
        return fault("web-timeout", text, "check the network and any proxy on the way, then try again".to_owned());
    }
    fault(
        "web-unreachable",
        format!("`{host}` cannot be reached: {why}"),
        format!("check that `{host}` is right and running"),
    )
}

/// A URL as typed. Fails with code `web-url`.
pub(super) fn parse_url(text: &str) -> Result<Url> {
    Url::parse(text).map_err(|error| {
        let fault = Diagnostic::input("web-url", format!("`{text}` is no URL: {error}"));
        Box::new(fault.hint("write it whole, as `https://host/path`"))
    })
}
