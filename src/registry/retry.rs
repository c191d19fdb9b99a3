//! The one loop behind every request of Hydrant's, to registries and to servers of charts and bases: which failures may
//! pass, how long to wait, and when to give up.
//!
//! Answers that say "later" (408, 429, 5xx) and connections that broke are tried again. What will be the same in a second
//! is not: nobody listens at the port, no such host, a certificate that is not trusted, a redirect that leads in a circle.
//! That is how Go's clients of registries decide, too; a registry that is being restarted answers 502 or 503 through
//! whatever stands before it.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::diag::Diagnostic;

/// How long to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Tries in all for a request that fails in a way that may pass.
    pub(crate) tries: u32,
    /// Pause before the second try; doubles with each further one.
    pub(crate) backoff: Duration,
    /// Longest pause, whatever a server asks for.
    pub(crate) backoff_max: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { tries: 4, backoff: Duration::from_millis(250), backoff_max: Duration::from_secs(30) }
    }
}

/// Why a try came to nothing.
pub(crate) enum Failure {
    /// More tries cannot help.
    Final(Box<Diagnostic>),
    /// Nothing came back.
    NoAnswer(reqwest::Error),
}

impl From<Box<Diagnostic>> for Failure {
    fn from(fault: Box<Diagnostic>) -> Failure {
        Failure::Final(fault)
    }
}

/// The tries of one request.
pub(crate) struct Tries {
    patience: Patience,
    tried: u32,
}

impl Tries {
    /// None yet.
    pub(crate) fn new(patience: Patience) -> Tries {
        Tries { patience, tried: 0 }
    }

    /// Judges a try: gives it back if it is the last, else waits until the next is due and gives nothing.
    pub(crate) async fn settle(&mut self, tried: Result<Response, Failure>) -> Option<Result<Response, Failure>> {
        self.tried += 1;
        let may_pass = match &tried {
            Ok(answer) => may_pass(answer.status()),
            Err(Failure::NoAnswer(error)) => worth_another_try(error),
            Err(Failure::Final(_)) => false,
        };
        if !may_pass || self.tried >= self.patience.tries {
            return Some(tried);
        }
        let asked = tried.ok().and_then(|answer| asked_pause(answer.headers()));
        tokio::time::sleep(self.patience.pause(self.tried, asked)).await;
        None
    }
}

impl Patience {
    /// How long to wait after a failed try: as long as the server asks for, else longer each time; never too long.
    fn pause(&self, tried: u32, asked: Option<Duration>) -> Duration {
        let grown = self.backoff.saturating_mul(1 << (tried - 1).min(16));
        asked.unwrap_or(grown).min(self.backoff_max)
    }
}

/// The pause that a server asks for: in seconds, or until a date, which is taken by the server's own clock: ours may differ.
fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date =
        |text: &str| -> Option<Timestamp> { jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok() };
    let (until, now) = (date(asked)?, date(text(DATE)?)?);
    // a date that is past asks for no pause
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// Answers that may be another at the next try.
pub(crate) fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// True for a connection that broke, was not made in time, or whose name could not be looked up just now.
fn worth_another_try(error: &reqwest::Error) -> bool {
    if error.is_builder() || error.is_redirect() {
        return false;
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            return false;
        }
        cause = inner.source();
    }
    // libraries tell these by their words alone
    let text = format!("{error:?}").to_ascii_lowercase();
    let hopeless =
        ["certificate", "invalidcontenttype", "corrupt message", "not known", "no such host", "nodename nor servname"];
    !hopeless.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn pauses_grow_and_a_server_may_ask_for_longer_ones() {
        let patience = Patience { backoff: Duration::from_secs(1), ..Patience::default() };
        let pauses: Vec<u64> = (1..8).map(|tried| patience.pause(tried, None).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(patience.pause(1, Some(Duration::from_secs(7))).as_secs(), 7);
        assert_eq!(patience.pause(1, Some(Duration::from_secs(86400))).as_secs(), 30, "nobody waits for a day");
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
        let asked = |after: &'static str, date: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(after))]);
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            asked_pause(&headers).map(|pause| pause.as_secs())
        };
        assert_eq!(asked("7", None), Some(7));
        let now = Some("Fri, 31 Dec 1999 23:59:49 GMT");
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:59 GMT", now), Some(10));
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:39 GMT", now), Some(0), "past");
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:59 GMT", None), None, "no clock but the server's counts");
        assert_eq!(asked("soon", now), None);
        assert_eq!(asked_pause(&HeaderMap::new()), None);
    }

    #[test]
    fn a_port_where_nobody_listens_and_a_host_that_is_none_are_not_tried_again() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for url in ["http://127.0.0.1:1/", "http://host.invalid/"] {
            let error = runtime.block_on(client.get(url).send()).expect_err("nobody is there");
            assert!(!worth_another_try(&error), "{error:?}");
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("bound");
        std::thread::spawn(move || listener.incoming().for_each(drop));
        let error = runtime.block_on(client.get(format!("http://{host}/")).send()).expect_err("hung up");
        assert!(worth_another_try(&error), "{error:?}");
    }
}
