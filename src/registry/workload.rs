//! Google credentials of one Kubernetes service account: its token, exchanged at STS, and for a cloud account at IAM.
//!
//! The cluster's workload pool is what the metadata server says of it (`PROJECT.svc.id.goog`), or what the caller was told.
//! A token that was exchanged for one service account is handed to its asker and kept nowhere else.

use serde::Deserialize;

use super::auth::Credential;
use super::google::{Google, SCOPE, USER, exchange, impersonate};
use crate::diag::{Diagnostic, Result};

/// Where tokens are exchanged.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// The metadata server.
    pub(crate) google: Google,
    /// The security token service.
    pub(crate) sts_url: String,
    /// The credentials service of IAM, without `/v1`.
    pub(crate) iam_url: String,
    /// The pool and provider, where the metadata server is not to be asked.
    pub(crate) pool: Option<Pool>,
}

impl Default for Workload {
    fn default() -> Workload {
        Workload {
            google: Google::default(),
            sts_url: "https://sts.googleapis.com/v1/token".to_owned(),
            iam_url: "https://iamcredentials.googleapis.com".to_owned(),
            pool: None,
        }
    }
}

/// How the cloud knows this cluster.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Pool {
    /// `PROJECT.svc.id.goog`: the audience of the service account's token.
    pub(crate) pool: String,
    /// The cluster's URL as an identity provider.
    pub(crate) provider: String,
}

impl Workload {
    /// The cluster's pool.
    pub(super) async fn pool(&self, client: &reqwest::Client) -> Result<Pool> {
        if let Some(pool) = &self.pool {
            return Ok(pool.clone());
        }
        let project = self.said(client, "project/project-id").await?;
        let location = self.said(client, "instance/attributes/cluster-location").await?;
        let name = self.said(client, "instance/attributes/cluster-name").await?;
        Ok(Pool {
            pool: format!("{project}.svc.id.goog"),
            provider: format!(
                "https://container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{name}"
            ),
        })
    }

    /// The credential that a service account's token buys; of the cloud account `account` where one is given.
    pub(super) async fn credential(
        &self,
        client: &reqwest::Client,
        subject: &str,
        account: Option<&str>,
    ) -> Result<Credential> {
        let pool = self.pool(client).await?;
        let audience = format!("identitynamespace:{}:{}", pool.pool, pool.provider);
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("audience", &audience),
            ("subject_token", subject),
            ("scope", SCOPE),
        ];
        let token = exchange(client, &self.sts_url, &form).await?;
        let password = match account {
            None => token,
            Some(account) => impersonate(client, &self.account_url(account)?, &token).await?,
        };
        Ok(Credential::Basic { user: USER.to_owned(), password })
    }

    fn account_url(&self, account: &str) -> Result<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'-' | b'_' | b':');
        if !account.bytes().all(plain) {
            let text = format!("`{account}` is no email of a cloud account");
            return Err(Box::new(Diagnostic::input("google-account", text)));
        }
        Ok(format!("{}/v1/projects/-/serviceAccounts/{account}:generateAccessToken", self.iam_url))
    }

    async fn said(&self, client: &reqwest::Client, path: &str) -> Result<String> {
        let answer = self.google.ask(client, path).await.and_then(|body| String::from_utf8(body).ok());
        let text = answer.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            let text = format!("the metadata server `{}` does not say `{path}`", self.google.metadata_host);
            Box::new(
                Diagnostic::unreachable("google-metadata", text)
                    .hint("run on GKE with Workload Identity, or pass `--workload-pool` and `--identity-provider`"),
            )
        })
    }
}
