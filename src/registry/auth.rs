//! Who we are to a registry: challenges, credentials, and the header that answers.
//!
//! A registry challenges the first request; the answer (basic, or a bearer token fetched from the realm that the challenge
//! names) is kept for the repository and asked for anew when the registry refuses it, which is how tokens are refreshed.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::diag::Result;

/// What a user proves to be who they are with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A user and a password or access token.
    Basic {
        /// User.
        user: String,
        /// Password.
        password: String,
    },
    /// A refresh token that the realm exchanges (`identitytoken` in Docker's config).
    IdentityToken(String),
}

impl fmt::Debug for Credential {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Basic { user, .. } => write!(f, "Basic({user:?})"),
            Credential::IdentityToken(_) => f.write_str("IdentityToken"),
        }
    }
}

/// Where credentials come from.
pub(crate) trait Credentials: Send + Sync {
    /// The credential for a registry, by its name in references (`docker.io`, `host:port`); nothing if there is none.
    fn find(&self, registry: &str) -> Result<Option<Credential>>;
}

/// What a registry wants to see before it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token from `realm`.
    Bearer {
        /// URL of the token service.
        realm: String,
        /// The registry's name to the token service.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads the `WWW-Authenticate` headers; a bearer challenge wins over a basic one.
    pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
        let mut found = None;
        for header in headers {
            let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                let mut parameters = parameters(rest);
                if let Some(realm) = parameters.remove("realm") {
                    return Some(Challenge::Bearer { realm, service: parameters.remove("service") });
                }
            } else if scheme.eq_ignore_ascii_case("basic") {
                found = Some(Challenge::Basic);
            }
        }
        found
    }
}

/// `key="value"` pairs, separated by commas; keys in lower case.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_ascii_lowercase();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.insert(key, value.trim().to_owned());
        rest = next;
    }
    found
}

/// What a token service answers; registries use either name.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl TokenAnswer {
    /// The token, if one was given that can stand in a header.
    pub(super) fn token(self) -> Option<String> {
        let visible = |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        self.token.filter(visible).or(self.access_token.filter(visible))
    }
}

/// The value of `Authorization` for user and password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Option<Challenge> {
        Challenge::parse([header].into_iter())
    }

    #[test]
    fn challenges() {
        let bearer =
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let wanted = Challenge::Bearer {
            realm: "https://auth.example/token".to_owned(),
            service: Some("registry.example".to_owned()),
        };
        assert_eq!(parse(bearer), Some(wanted));
        assert_eq!(parse(r#"Basic realm="x""#), Some(Challenge::Basic));
        assert_eq!(parse("basic"), Some(Challenge::Basic));
        let bare = Challenge::Bearer { realm: "https://a/t".to_owned(), service: None };
        assert_eq!(parse("bearer realm=https://a/t"), Some(bare));
        for text in ["", "Bearer", "Bearer realm", "Negotiate", "Bearer service=\"x\""] {
            assert_eq!(parse(text), None, "{text}");
        }
        let both = [r#"Basic realm="x""#, r#"Bearer realm="https://a/t""#];
        assert!(matches!(Challenge::parse(both.into_iter()), Some(Challenge::Bearer { .. })));
    }

    #[test]
    fn tokens_with_line_ends_are_none() {
        let answer = |text: &str| serde_json::from_str::<TokenAnswer>(text).expect("JSON").token();
        assert_eq!(answer(r#"{"token":"a\r\nHost: evil","access_token":"good"}"#).as_deref(), Some("good"));
        assert_eq!(answer(r#"{"token":""}"#), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let credential = Credential::Basic { user: "ann".to_owned(), password: "secret".to_owned() };
        assert!(!format!("{credential:?}").contains("secret"));
    }
}
