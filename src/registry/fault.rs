//! What a registry's refusal means to the user: who was asked for what, what came back, what to try.

use std::error::Error as _;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::diag::Diagnostic;

/// Longest piece of a registry's own words that is shown.
const SHOWN_MAX: usize = 300;

/// The error document of the distribution API.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    errors: Vec<Item>,
}

#[derive(Default, Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// A request that got no answer.
pub(super) fn no_answer(what: &str, host: &str, plain: bool, error: &reqwest::Error) -> Box<Diagnostic> {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // the innermost cause is the one that says something
        why = inner.to_string();
        source = inner.source();
    }
    let says = |words: &[&str]| words.iter().any(|word| why.to_ascii_lowercase().contains(word));
    let fault = |code, text: String| Diagnostic::unreachable(code, format!("cannot {what}: {text}"));
    if !plain && says(&["invalidcontenttype", "corrupt message", "wrong version number"]) {
        let text = format!("`{host}` does not speak TLS");
        return Box::new(
            fault("registry-tls", text).hint("add `--plain-http` if the registry is meant to be without TLS"),
        );
    }
    if says(&["unknownissuer", "unknown issuer", "invalid peer certificate"]) {
        let text = format!("the certificate of `{host}` is not trusted: {why}");
        return Box::new(
            fault("registry-certificate", text).hint("give the authority that signed it with `--ca-file FILE`"),
        );
    }
    if error.is_timeout() {
        let text = format!("`{host}` did not answer in time");
        return Box::new(
            fault("registry-timeout", text).hint("check the network and any proxy on the way, then try again"),
        );
    }
    let text = format!("`{host}` cannot be reached: {why}");
    Box::new(
        fault("registry-unreachable", text).hint(format!("check that `{host}` is right and the registry is running")),
    )
}

/// An answer that is not the one hoped for.
pub(super) fn refused(
    what: &str,
    host: &str,
    plain: bool,
    (status, body): (StatusCode, &[u8]),
    had_credential: bool,
) -> Box<Diagnostic> {
    let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let first = envelope.errors.first();
    let code = first.map_or("", |item| item.code.as_str());
    let words = match first {
        Some(item) if !item.message.is_empty() => shown(&item.message),
        Some(item) => shown(&item.code),
        None => shown(&String::from_utf8_lossy(body)),
    };
    let says = if words.is_empty() { status.to_string() } else { format!("{status}: {words}") };
    let fault = |name, hint: &str| {
        Box::new(Diagnostic::unreachable(name, format!("cannot {what}: `{host}` answers {says}")).hint(hint))
    };
    match (status.as_u16(), code) {
        (401, _) if had_credential => {
            fault("registry-credential", &format!("renew the credential: `docker login {host}`"))
        }
        (401, _) => fault(
            "registry-unauthorized",
            &format!("give a credential: `docker login {host}`, or mount a Docker config and set `DOCKER_CONFIG`"),
        ),
        (403, _) | (_, "DENIED") => fault("registry-denied", "ask for access to the repository, or check its name"),
        (404, "NAME_UNKNOWN") => fault("registry-no-repository", "check the repository's name"),
        (404, "MANIFEST_UNKNOWN" | "") => {
            fault("registry-no-manifest", "check the tag or digest: `hydrant list` shows the tags of a repository")
        }
        (404, _) => fault("registry-not-found", "check the reference"),
        (413, _) => {
            fault("registry-too-large", "raise the registry's or its proxy's body limit, or split the artifact")
        }
        (429, _) => fault("registry-rate-limit", "wait, or log in for a higher limit"),
        // an answer to HEAD has no body that could say so
        (400, _) if plain && (words.is_empty() || words.contains("HTTP request to an HTTPS server")) => fault(
            "registry-tls",
            "leave `--plain-http` out, and give `--ca-file FILE` for a registry on this machine: it seems to speak TLS",
        ),
        (500.., _) => fault("registry-failed", "try again later, or look into the registry's log"),
        _ => fault("registry-refused", "check that the host is an OCI registry and the reference is right"),
    }
}

/// A registry that breaks the protocol.
pub(super) fn broken(what: &str, host: &str, why: &str) -> Box<Diagnostic> {
    let fault = Diagnostic::unreachable("registry-protocol", format!("cannot {what}: `{host}` {why}"));
    Box::new(fault.hint("check that the host is an OCI registry, and what stands between you and it"))
}

/// A piece of text fit to be shown: one line, no control characters, not too long.
fn shown(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_MAX).collect();
    line.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_hint() {
        let cases: &[(u16, &str, &str)] = &[
            (401, "", "registry-unauthorized"),
            (403, r#"{"errors":[{"code":"DENIED","message":"no"}]}"#, "registry-denied"),
            (
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
                "registry-no-repository",
            ),
            (404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#, "registry-no-manifest"),
            (400, "Client sent an HTTP request to an HTTPS server.\n", "registry-tls"),
            (429, "", "registry-rate-limit"),
            (502, "<html>\u{1b}[31mbad gateway", "registry-failed"),
            (418, "", "registry-refused"),
        ];
        for (status, body, code) in cases {
            let status = StatusCode::from_u16(*status).expect("a status");
            let fault = refused("pull `x`", "r.example", true, (status, body.as_bytes()), false);
            assert_eq!(fault.code, *code);
            assert!(!fault.hints.is_empty() && !fault.message.contains('\u{1b}'), "{fault:?}");
        }
    }
}
