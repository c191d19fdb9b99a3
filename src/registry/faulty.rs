//! Tests against a registry in this process that lies, breaks off, stalls and redirects.
//!
//! It speaks just enough HTTP/1.1; each test gives it a function from requests to answers, and reads what was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Client, Credential, Credentials, Options, Patience, Step};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Digest, ImageManifest, Location, media_type};

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What goes back.
pub(crate) enum Reply {
    /// Status, headers (each with its line end), body.
    Answer(u16, String, Vec<u8>),
    /// As above, but the length claims this much and the connection is cut after the body.
    Cut(u16, String, Vec<u8>, usize),
    /// A body that never ends, a byte at each of these pauses.
    Drip(Duration),
    /// A body that never ends, as fast as it goes.
    Endless,
}

pub(crate) fn answer(status: u16, body: &[u8]) -> Reply {
    Reply::Answer(status, String::new(), body.to_vec())
}

type Handler = dyn FnMut(&Asked, &[Asked]) -> Reply + Send;

/// A registry that answers as told.
pub(crate) struct Faulty {
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Faulty {
    /// `handler` gets the request and all before it.
    pub(crate) fn start(handler: impl FnMut(&Asked, &[Asked]) -> Reply + Send + 'static) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("bound").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Mutex<Box<Handler>>> = Arc::new(Mutex::new(Box::new(handler)));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                std::thread::spawn(move || serve(stream, &log, &handler));
            }
        });
        Faulty { host, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("the log").clone()
    }

    pub(crate) fn location(&self) -> Location {
        Location::parse(&format!("{}/shop:v1", self.host)).expect("a reference")
    }

    pub(crate) fn pull(&self) -> Result<Artifact> {
        run(client(Arc::new(Anonymous)).pull(&self.location()))
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Asked>>, handler: &Mutex<Box<Handler>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = String::new();
    while reader.read_line(&mut headers).ok()? > 2 {}
    let mut asked = Asked { method, path, headers, body: Vec::new() };
    let length = asked.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    asked.body.resize(length, 0);
    reader.read_exact(&mut asked.body).ok()?;
    let reply = {
        let mut log = log.lock().ok()?;
        let reply = (handler.lock().ok()?)(&asked, &log);
        log.push(asked.clone());
        reply
    };
    let head_only = asked.method == "HEAD";
    send(stream, reply, head_only)
}

fn send(mut stream: TcpStream, reply: Reply, head_only: bool) -> Option<()> {
    let (status, headers, body, length) = match reply {
        Reply::Answer(status, headers, body) => (status, headers, body.clone(), body.len()),
        Reply::Cut(status, headers, body, length) => (status, headers, body, length),
        Reply::Drip(_) | Reply::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").ok()?;
            let (piece, pause) =
                if let Reply::Drip(pause) = reply { (vec![b'a'], pause) } else { (vec![b'a'; 65536], Duration::ZERO) };
            loop {
                stream.write_all(&piece).ok()?;
                std::thread::sleep(pause);
            }
        }
    };
    write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n").ok()?;
    if !head_only {
        stream.write_all(&body).ok()?;
    }
    stream.flush().ok()
}

pub(crate) fn client(credentials: Arc<dyn Credentials>) -> Client {
    // long enough for a machine that does much else; the tests of slow registries bring their own
    impatient(credentials, Duration::from_secs(20))
}

/// As many tries as ever, without the pauses.
pub(crate) fn quick() -> Patience {
    Patience { backoff: Duration::from_millis(1), backoff_max: Duration::from_millis(5), ..Patience::default() }
}

fn impatient(credentials: Arc<dyn Credentials>, read_timeout: Duration) -> Client {
    let options = Options {
        patience: quick(),
        read_timeout,
        connect_timeout: Duration::from_secs(5),
        slowest: 1 << 30,
        ..Options::default()
    };
    Client::new(options, credentials)
}

pub(crate) fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

pub(crate) fn artifact() -> Artifact {
    let config = Blob::new(media_type::CONFIG, &b"{}"[..]);
    let layer = Blob::new(media_type::TAR, &b"layer bytes, quite a few of them"[..]);
    let image = ImageManifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: config.descriptor.clone(),
        layers: vec![layer.descriptor.clone()],
        subject: None,
        annotations: std::collections::BTreeMap::new(),
    };
    let manifest: Arc<[u8]> = serde_json::to_vec(&image).expect("JSON").into();
    let digest = Digest::of(&manifest);
    Artifact {
        digest,
        media_type: media_type::MANIFEST.to_owned(),
        manifest,
        image,
        config: Some(config),
        layers: vec![layer],
    }
}

/// The honest answer to a read.
fn honest(asked: &Asked) -> Reply {
    let artifact = artifact();
    let name = asked.path.rsplit('/').next().unwrap_or_default();
    if asked.path.contains("/manifests/") {
        let headers =
            format!("content-type: {}\r\ndocker-content-digest: {}\r\n", media_type::MANIFEST, artifact.digest);
        return Reply::Answer(200, headers, artifact.manifest.to_vec());
    }
    match artifact.blobs().find(|blob| blob.descriptor.digest.to_string() == name) {
        Some(blob) => answer(200, &blob.bytes),
        None => answer(404, b""),
    }
}

fn layer_path() -> String {
    format!("/blobs/{}", artifact().layers[0].descriptor.digest)
}

fn fault_of(registry: &Faulty) -> Box<Diagnostic> {
    registry.pull().expect_err("a lie is refused")
}

#[test]
fn an_honest_registry_is_believed() {
    let registry = Faulty::start(|asked, _| honest(asked));
    let pulled = registry.pull().expect("honest");
    assert_eq!(pulled.digest, artifact().digest);
    assert_eq!(pulled.layers[0].bytes, artifact().layers[0].bytes);
}

#[test]
fn lies_about_digest_and_length_are_refused() {
    for (body, code) in [
        (&b"layer bytes, quite a few of THEM"[..], "blob-digest"),
        (b"short", "blob-size"),
        (&[b'x'; 500], "blob-size"),
    ] {
        let registry =
            Faulty::start(
                move |asked, _| if asked.path.contains(&layer_path()) { answer(200, body) } else { honest(asked) },
            );
        assert_eq!(fault_of(&registry).code, code);
    }
    let wrong = Faulty::start(|asked, _| match honest(asked) {
        Reply::Answer(status, headers, mut body) if asked.path.contains("/manifests/") => {
            body.push(b'\n');
            Reply::Answer(status, headers, body)
        }
        other => other,
    });
    assert_eq!(fault_of(&wrong).code, "manifest-digest");
    let by_digest = Location::parse(&format!("{}/shop@{}", wrong.host, Digest::of(b"other"))).expect("a reference");
    let fault = run(client(Arc::new(Anonymous)).pull(&by_digest)).expect_err("another manifest");
    assert_eq!(fault.code, "manifest-digest");
}

#[test]
fn bodies_without_an_end_and_slow_ones_end_here() {
    let endless =
        Faulty::start(|asked, _| if asked.path.contains(&layer_path()) { Reply::Endless } else { honest(asked) });
    assert_eq!(fault_of(&endless).code, "blob-size");
    let manifest = Faulty::start(|_, _| Reply::Endless);
    assert_eq!(fault_of(&manifest).code, "registry-protocol");
    let drip = Duration::from_millis(50);
    let slow = Faulty::start(
        move |asked, _| if asked.path.contains(&layer_path()) { Reply::Drip(drip) } else { honest(asked) },
    );
    let slow_manifest = Faulty::start(move |_, _| Reply::Drip(drip));
    for registry in [slow, slow_manifest] {
        let client = impatient(Arc::new(Anonymous), Duration::from_secs(1));
        assert_eq!(run(client.pull(&registry.location())).expect_err("too slow").code, "registry-protocol");
    }
}

#[test]
fn a_blob_that_is_cut_is_taken_up_where_it_broke_off() {
    let registry = Faulty::start(|asked, _| {
        if !asked.path.contains(&layer_path()) {
            return honest(asked);
        }
        let bytes = artifact().layers[0].bytes.to_vec();
        match asked.header("range") {
            None => Reply::Cut(200, String::new(), bytes[..10].to_vec(), bytes.len()),
            Some(range) => {
                assert_eq!(range, "bytes=10-");
                let headers = format!("content-range: bytes 10-{}/{}\r\n", bytes.len() - 1, bytes.len());
                Reply::Answer(206, headers, bytes[10..].to_vec())
            }
        }
    });
    assert!(registry.pull().is_ok());
    let always = Faulty::start(|asked, _| {
        if asked.path.contains(&layer_path()) {
            Reply::Cut(200, String::new(), b"layer".to_vec(), 32)
        } else {
            honest(asked)
        }
    });
    assert_eq!(fault_of(&always).fault, crate::diag::Fault::Unreachable);
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let registry = Faulty::start(|asked, before| match before.len() {
        0 => answer(500, b""),
        1 => Reply::Answer(429, "retry-after: 0\r\n".to_owned(), Vec::new()),
        2 => Reply::Cut(503, String::new(), Vec::new(), 0),
        _ => honest(asked),
    });
    assert!(registry.pull().is_ok());
    assert_eq!(registry.asked().iter().filter(|asked| asked.is("GET", "/manifests/")).count(), 4);
    let limited = Faulty::start(|_, _| Reply::Answer(429, "retry-after: 86400\r\n".to_owned(), Vec::new()));
    assert_eq!(fault_of(&limited).code, "registry-rate-limit");
    assert_eq!(limited.asked().len(), 4);
    let date = "Fri, 31 Dec 1999 23:59:59 GMT";
    let dated = Faulty::start(move |asked, before| match before.len() {
        0 => Reply::Answer(503, format!("retry-after: {date}\r\ndate: {date}\r\n"), Vec::new()),
        _ => honest(asked),
    });
    assert!(dated.pull().is_ok());
    let denied = Faulty::start(|_, _| answer(403, b"{}"));
    assert_eq!(fault_of(&denied).code, "registry-denied");
    assert_eq!(denied.asked().len(), 1);
}

/// Nobody in particular.
pub(crate) struct Anonymous;

impl Credentials for Anonymous {
    fn find(&self, _registry: &str) -> Result<Option<Credential>> {
        Ok(None)
    }
}

struct Ann;

impl Credentials for Ann {
    fn find(&self, _registry: &str) -> Result<Option<Credential>> {
        Ok(Some(Credential::Basic { user: "ann".to_owned(), password: "secret".to_owned() }))
    }
}

#[test]
fn tokens_are_fetched_kept_and_renewed() {
    let registry = Faulty::start(|asked, before| {
        if asked.path.starts_with("/token") {
            let count = before.iter().filter(|asked| asked.path.starts_with("/token")).count();
            assert!(asked.path.contains("service=reg"), "{}", asked.path);
            assert!(asked.header("authorization").is_some_and(|value| value.starts_with("Basic ")));
            return answer(200, format!(r#"{{"token":"t{count}"}}"#).as_bytes());
        }
        // the first token expires as soon as the manifest was read with it
        let manifest_read =
            before.iter().any(|asked| asked.path.contains("/manifests/") && asked.header("authorization").is_some());
        let good = if manifest_read { "Bearer t1" } else { "Bearer t0" };
        if asked.header("authorization") == Some(good) {
            return honest(asked);
        }
        let host = asked.header("host").unwrap_or_default();
        Reply::Answer(
            401,
            format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"reg\"\r\n"),
            Vec::new(),
        )
    });
    assert!(run(client(Arc::new(Ann)).pull(&registry.location())).is_ok());
    assert_eq!(registry.asked().iter().filter(|asked| asked.path.starts_with("/token")).count(), 2);
    let anonymous = fault_of(&Faulty::start(|_, _| {
        Reply::Answer(401, "www-authenticate: Basic realm=\"x\"\r\n".to_owned(), Vec::new())
    }));
    assert_eq!(anonymous.code, "registry-unauthorized");
    assert!(anonymous.hints[0].contains("docker login"), "{anonymous:?}");
}

/// What Azure's helper gives: a token to exchange for another.
struct Exchange;

impl Credentials for Exchange {
    fn find(&self, _registry: &str) -> Result<Option<Credential>> {
        Ok(Some(Credential::IdentityToken("refresh me".to_owned())))
    }
}

#[test]
fn an_identity_token_is_exchanged_at_the_token_service() {
    let registry = Faulty::start(|asked, _| {
        if asked.path.starts_with("/token") {
            let form = String::from_utf8_lossy(&asked.body).into_owned();
            let wanted = [
                "grant_type=refresh_token",
                "refresh_token=refresh+me",
                "scope=repository%3Ashop%3Apull",
                "service=reg",
            ];
            let good = asked.method == "POST" && wanted.iter().all(|part| form.contains(part));
            return if good { answer(200, br#"{"access_token":"fresh"}"#) } else { answer(400, form.as_bytes()) };
        }
        if asked.header("authorization") == Some("Bearer fresh") {
            return honest(asked);
        }
        let host = asked.header("host").unwrap_or_default();
        let challenge = format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"reg\"\r\n");
        Reply::Answer(401, challenge, Vec::new())
    });
    assert!(run(client(Arc::new(Exchange)).pull(&registry.location())).is_ok());
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let storage = Faulty::start(|asked, _| honest(asked));
    let host = storage.host.clone();
    let registry = Faulty::start(move |asked, _| {
        if asked.header("authorization").is_none() {
            return Reply::Answer(401, "www-authenticate: Basic realm=\"x\"\r\n".to_owned(), Vec::new());
        }
        if asked.path.contains("/blobs/") {
            return Reply::Answer(307, format!("location: http://{host}{}\r\n", asked.path), Vec::new());
        }
        honest(asked)
    });
    assert!(run(client(Arc::new(Ann)).pull(&registry.location())).is_ok());
    assert_eq!(storage.asked().len(), 2);
    assert!(storage.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let registry = Faulty::start(|asked, _| Reply::Answer(307, format!("location: {}\r\n", asked.path), Vec::new()));
    assert_eq!(fault_of(&registry).code, "registry-refused");
}

fn push(registry: &Faulty) -> Result<super::Pushed> {
    let mut steps = Vec::new();
    let pushed = run(client(Arc::new(Ann)).push(&registry.location(), &artifact(), &mut |step| steps.push(step)));
    assert!(steps.iter().all(|step| matches!(step, Step::Uploaded(_) | Step::Present(_))));
    pushed
}

#[test]
fn an_upload_that_fails_never_moves_the_tag() {
    let registry = Faulty::start(|asked, _| match asked.method.as_str() {
        "HEAD" => answer(404, b""),
        "POST" => Reply::Answer(202, "location: /v2/shop/blobs/uploads/1?state=a\r\n".to_owned(), Vec::new()),
        _ => answer(500, b""),
    });
    assert_eq!(push(&registry).expect_err("fails").code, "registry-failed");
    assert!(!registry.asked().iter().any(|asked| asked.is("PUT", "/manifests/")));
}

#[test]
fn an_upload_keeps_the_query_of_its_session_and_its_credentials_at_home() {
    let storage = Faulty::start(|_, _| answer(201, b""));
    let host = storage.host.clone();
    let registry = Faulty::start(move |asked, _| {
        if asked.header("authorization").is_none() {
            return Reply::Answer(401, "www-authenticate: Basic realm=\"x\"\r\n".to_owned(), Vec::new());
        }
        match asked.method.as_str() {
            "HEAD" => answer(404, b""),
            "POST" => Reply::Answer(202, format!("location: http://{host}/up?state=a%2Fb\r\n"), Vec::new()),
            _ => answer(201, b""),
        }
    });
    let pushed = push(&registry).expect("pushed");
    assert_eq!((pushed.blobs, pushed.changed), (2, true));
    for asked in storage.asked() {
        assert!(asked.is("PUT", "state=a%2Fb&digest=sha256%3A"), "{}", asked.path);
        assert!(asked.header("authorization").is_none());
        assert!(artifact().blobs().any(|blob| blob.bytes[..] == asked.body[..]));
    }
    assert!(registry.asked().last().is_some_and(|asked| asked.is("PUT", "/v2/shop/manifests/v1")));
}

#[test]
fn nonsense_from_a_registry_is_an_error_and_no_panic() {
    for location in ["", "\u{7f}", "http://[::1", "ftp://x/y", "//", "https://"] {
        let header = format!("location: {location}\r\n");
        let registry = Faulty::start(move |asked, _| match asked.method.as_str() {
            "HEAD" => answer(404, b""),
            _ => Reply::Answer(202, header.clone(), Vec::new()),
        });
        assert!(push(&registry).is_err(), "{location}");
    }
    for body in ["", "{", "[]", "null", r#"{"schemaVersion":2,"config":{"digest":"sha256:x"}}"#] {
        let registry = Faulty::start(move |_, _| answer(200, body.as_bytes()));
        assert_eq!(fault_of(&registry).code, "manifest-invalid", "{body}");
    }
    for realm in ["", "x", "ftp://x", "http://127.0.0.1:1/token", "\\\""] {
        let header = format!("www-authenticate: Bearer realm=\"{realm}\"\r\n");
        let registry = Faulty::start(move |_, _| Reply::Answer(401, header.clone(), Vec::new()));
        assert!(registry.pull().is_err(), "{realm}");
    }
    let other = Digest::of(b"other");
    let registry = Faulty::start(move |asked, _| match asked.method.as_str() {
        "HEAD" => answer(404, b""),
        "POST" => Reply::Answer(202, "location: /up\r\n".to_owned(), Vec::new()),
        _ => Reply::Answer(201, format!("docker-content-digest: {other}\r\n"), Vec::new()),
    });
    assert_eq!(push(&registry).expect_err("stored another").code, "registry-protocol");
}

#[test]
fn a_blob_too_large_for_one_piece_goes_in_chunks() {
    let big: Arc<[u8]> = vec![7; (11 << 20) + 3].into();
    let mut artifact = artifact();
    let layer = Blob::new(media_type::TAR, big.clone());
    artifact.image.layers = vec![layer.descriptor.clone()];
    artifact.manifest = serde_json::to_vec(&artifact.image).expect("JSON").into();
    artifact.digest = Digest::of(&artifact.manifest);
    artifact.layers = vec![layer];
    let registry = Faulty::start(|asked, before| match asked.method.as_str() {
        "HEAD" => answer(404, b""),
        "POST" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
        "PATCH" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
        "PUT" if asked.body.len() > 6 << 20 => answer(413, b""),
        _ => answer(201, b""),
    });
    run(client(Arc::new(Anonymous)).push(&registry.location(), &artifact, &mut |_| {})).expect("pushed");
    let chunks: Vec<Asked> = registry.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    let ranges: Vec<_> = chunks.iter().filter_map(|asked| asked.header("content-range")).collect();
    assert_eq!(ranges, ["0-5242879", "5242880-10485759", "10485760-11534338"]);
    assert_eq!(chunks.iter().map(|asked| asked.body.len()).sum::<usize>(), big.len());
}

#[test]
fn pieces_are_as_large_as_the_registry_wants_and_lost_ones_are_sent_again() {
    let big: Arc<[u8]> = vec![7; 20 << 20].into();
    let mut artifact = artifact();
    let layer = Blob::new(media_type::TAR, big.clone());
    artifact.image.layers = vec![layer.descriptor.clone()];
    artifact.layers = vec![layer];
    let mut lost = false;
    let registry = Faulty::start(move |asked, before| match asked.method.as_str() {
        "HEAD" => answer(404, b""),
        "POST" => {
            let headers = format!("location: /up/{}\r\noci-chunk-min-length: 8388608\r\n", before.len());
            Reply::Answer(202, headers, Vec::new())
        }
        // of the second piece only one mebibyte arrived
        "PATCH" if !lost && asked.header("content-range").is_some_and(|range| range.starts_with("8388608-")) => {
            lost = true;
            answer(416, b"")
        }
        "GET" => Reply::Answer(204, "location: /up/again\r\nrange: 0-9437183\r\n".to_owned(), Vec::new()),
        "PATCH" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
        "PUT" if asked.body.len() > 6 << 20 => answer(413, b""),
        _ => answer(201, b""),
    });
    run(client(Arc::new(Anonymous)).push(&registry.location(), &artifact, &mut |_| {})).expect("pushed");
    let pieces: Vec<Asked> = registry.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    let ranges: Vec<_> = pieces.iter().filter_map(|asked| asked.header("content-range")).collect();
    assert_eq!(ranges, ["0-8388607", "8388608-16777215", "9437184-17825791", "17825792-20971519"]);
}

#[test]
fn an_upload_that_fails_once_is_tried_again() {
    let mut failed = false;
    let registry = Faulty::start(move |asked, before| match asked.method.as_str() {
        "HEAD" => answer(404, b""),
        "POST" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
        "PUT" if !failed => {
            failed = true;
            answer(503, b"")
        }
        _ => answer(201, b""),
    });
    assert!(push(&registry).expect("pushed").changed);
}

/// A registry whose tag names another artifact after it was asked for once.
#[test]
fn a_tag_that_moves_between_two_reads_changes_nothing() {
    let other = {
        let mut image = artifact().image;
        image.annotations.insert("moved".to_owned(), "yes".to_owned());
        Artifact::new(image, artifact().config.expect("a config"), artifact().layers).expect("JSON")
    };
    let moved = other.clone();
    let registry = Faulty::start(move |asked, before| {
        if asked.path.ends_with("/manifests/v1") && !before.is_empty() {
            let headers = format!("docker-content-digest: {}\r\n", moved.digest);
            return Reply::Answer(200, headers, moved.manifest.to_vec());
        }
        if asked.path.contains("/referrers/") || asked.path.contains("/manifests/sha256-") {
            return answer(404, b"");
        }
        honest(asked)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let target = Location::parse(&format!("oci-layout:{}:v1", folder.path().display())).expect("a place");
    let client = client(Arc::new(Anonymous));
    let copied = run(client.copy(&registry.location(), &target, &mut |_| {})).expect("copied");
    assert_eq!(copied.digest, artifact().digest, "what the tag named first");
    assert_eq!(run(client.pull(&target)).expect("whole").digest, artifact().digest);
    assert_eq!(run(client.pull(&registry.location())).expect("honest").digest, other.digest);
}

#[test]
fn tags_come_in_pages() {
    let registry = Faulty::start(|asked, _| {
        if asked.path.contains("last=b") {
            answer(200, br#"{"name":"shop","tags":["c"]}"#)
        } else {
            let link = "link: </v2/shop/tags/list?last=b&n=2>; rel=\"next\"\r\n".to_owned();
            Reply::Answer(200, link, br#"{"name":"shop","tags":["b","a"]}"#.to_vec())
        }
    });
    let tags = run(client(Arc::new(Anonymous)).tags(&registry.location())).expect("a list");
    assert_eq!(tags, ["a", "b", "c"]);
}
