//! Google's metadata server, STS and IAM, as far as a sync asks them: one server on loopback that believes nobody.
//!
//! STS takes only tokens of the service accounts it was told of, for the cluster's own audience; IAM gives the token of a
//! cloud account only to those. What each asked for is kept, so that a test can tell who asked.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The pool of the cluster.
pub(crate) const POOL: &str = "test-project.svc.id.goog";
/// The cloud account that reads the registry.
pub(crate) const EMAIL: &str = "sync@test-project.iam.gserviceaccount.com";
/// Its token: the registry's password.
pub(crate) const TOKEN: &str = "token-of-sync";

/// The servers.
pub(crate) struct Cloud {
    /// Where they listen.
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Cloud {
    /// Starts servers that let these service accounts stand for [`EMAIL`].
    pub(crate) fn start(accounts: &[&str]) -> Cloud {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let host = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let accounts: BTreeSet<String> = accounts.iter().map(|account| (*account).to_owned()).collect();
        let own = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &accounts, &own);
            }
        });
        Cloud { host, seen }
    }

    /// What was asked, in order: `sts ACCOUNT`, `iam ACCOUNT EMAIL`, `refused …`, `machine`.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("free").clone()
    }
}

fn answer(stream: TcpStream, accounts: &BTreeSet<String>, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request");
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let (mut length, mut bearer) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().expect("a number"),
            "authorization" => value.clone_into(&mut bearer),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let note = |what: String| seen.lock().expect("free").push(what);
    let said = match path.as_str() {
        "/computeMetadata/v1/project/project-id" => Some("test-project".to_owned()),
        "/computeMetadata/v1/instance/attributes/cluster-location" => Some("europe-west1".to_owned()),
        "/computeMetadata/v1/instance/attributes/cluster-name" => Some("test".to_owned()),
        "/sts" => sts(&String::from_utf8_lossy(&body), accounts, &note),
        path if path.ends_with("/token") => {
            note("machine".to_owned());
            Some(r#"{"access_token":"token-of-the-machine"}"#.to_owned())
        }
        path => iam(path, &bearer, accounts, &note),
    };
    let status = if said.is_some() { "200 OK" } else { "403 Forbidden" };
    let said = said.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\nmetadata-flavor: Google\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        said.len()
    );
    let mut stream = &stream;
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(said.as_bytes()));
}

fn sts(form: &str, accounts: &BTreeSet<String>, note: &dyn Fn(String)) -> Option<String> {
    let field =
        |name: &str| form.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let payload = field("subject_token").split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let account = claims["sub"].as_str()?.rsplit(':').next()?.to_owned();
    let pool_fits = field("audience").starts_with(&format!("identitynamespace%3A{POOL}%3Ahttps"));
    if !pool_fits || claims["aud"] != serde_json::json!([POOL]) || !accounts.contains(&account) {
        note(format!("refused sts {account} {}", claims["aud"]));
        return None;
    }
    note(format!("sts {account}"));
    Some(format!(r#"{{"access_token":"federated-{account}"}}"#))
}

fn iam(path: &str, bearer: &str, accounts: &BTreeSet<String>, note: &dyn Fn(String)) -> Option<String> {
    let email = path.strip_prefix("/v1/projects/-/serviceAccounts/")?.strip_suffix(":generateAccessToken")?;
    let account = bearer.strip_prefix("Bearer federated-")?;
    if email != EMAIL || !accounts.contains(account) {
        note(format!("refused iam {account} {email}"));
        return None;
    }
    note(format!("iam {account} {email}"));
    Some(format!(r#"{{"accessToken":"{TOKEN}"}}"#))
}
