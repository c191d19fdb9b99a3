//! Tests against a server in this process that lies, breaks off, never ends and redirects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Access, Fetcher, FilePin, GitWanted, Mode, Packed, Place, Repository, Store, Wanted, Web, WebOptions};
use crate::diag::{Fault, Result};
use crate::oci::Digest;
use crate::registry::faulty::{Anonymous, Asked, Faulty, Reply, answer, client, quick, run};

/// A store in memory, which may be told to lie.
#[derive(Default)]
struct Shelf {
    blobs: Mutex<BTreeMap<Digest, Arc<[u8]>>>,
    notes: Mutex<BTreeMap<String, String>>,
}

impl Store for Shelf {
    fn get(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.blobs.lock().expect("the shelf").get(digest).cloned()
    }

    fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        self.blobs.lock().expect("the shelf").insert(digest, bytes.into());
        Ok(digest)
    }

    fn recall(&self, name: &str) -> Option<String> {
        self.notes.lock().expect("the shelf").get(name).cloned()
    }

    fn note(&self, name: &str, text: &str) -> Result<()> {
        self.notes.lock().expect("the shelf").insert(name.to_owned(), text.to_owned());
        Ok(())
    }
}

fn hasty() -> WebOptions {
    WebOptions {
        patience: quick(),
        read_timeout: Duration::from_millis(300),
        total_timeout: Duration::from_secs(5),
        ..WebOptions::default()
    }
}

fn fetcher(store: &Arc<Shelf>, mode: Mode) -> Fetcher {
    Fetcher::new(Web::new(hasty()), client(Arc::new(Anonymous)), store.clone(), mode)
}

fn web(url: &str, access: Access) -> Wanted {
    let place = Place::Repository(Repository { url: url.to_owned(), access });
    Wanted { place, name: "web".to_owned(), version: String::new() }
}

fn index(url: &str, digest: &str) -> Vec<u8> {
    format!(
        "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.0.0\n    urls: [{url}]\n    digest: {digest}\n"
    )
    .into_bytes()
}

fn fetch(wanted: &Wanted) -> Result<Packed> {
    let fetcher = fetcher(&Arc::default(), Mode::Online);
    run(async { fetcher.chart(wanted, None).await.map(|(_, packed)| packed) })
}

/// A repository with one chart of the bytes `chart`, and an index that claims `digest` for it.
fn repository(url: &'static str, digest: String) -> Faulty {
    Faulty::start(move |asked, _| match asked.path.as_str() {
        "/charts/index.yaml" => answer(200, &index(url, &digest)),
        path if path.ends_with(".tgz") => answer(200, b"chart"),
        _ => answer(404, b"no such file"),
    })
}

fn at(server: &Faulty) -> String {
    format!("http://{}/charts", server.host)
}

#[test]
fn a_chart_is_what_its_index_says_or_nothing() {
    let good = repository("web-1.0.0.tgz", Digest::of(b"chart").hex());
    assert_eq!(&*fetch(&web(&at(&good), Access::default())).expect("a chart").bytes, b"chart");
    let bad = repository("web-1.0.0.tgz", Digest::of(b"other").hex());
    let fault = fetch(&web(&at(&bad), Access::default())).expect_err("another chart");
    assert_eq!((fault.code, fault.fault), ("chart-digest", Fault::Unreachable));
    for digest in [Digest::of(b"chart"), Digest::of(b"other")] {
        assert!(fault.message.contains(&digest.to_string()), "{fault}");
    }
}

#[test]
fn credentials_stay_with_the_repository() {
    let elsewhere = repository("", String::new());
    let there = format!("http://{}/charts/web-1.0.0.tgz", elsewhere.host);
    let index_text = index(&there, "");
    let here = Faulty::start(move |_, _| answer(200, &index_text));
    let access = Access { user: "ann".into(), password: "secret".into(), ..Access::default() };
    fetch(&web(&at(&here), access.clone())).expect("a chart");
    assert!(here.asked()[0].header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert!(elsewhere.asked()[0].header("authorization").is_none());
    fetch(&web(&at(&here), Access { pass_everywhere: true, ..access })).expect("a chart");
    assert!(elsewhere.asked()[1].header("authorization").is_some());
}

#[test]
fn a_redirect_to_another_host_takes_no_credential_along() {
    let elsewhere = repository("", String::new());
    let target = format!("location: http://{}/charts/web-1.0.0.tgz\r\n", elsewhere.host);
    let here = Faulty::start(move |asked, _| match asked.path.as_str() {
        "/charts/index.yaml" => answer(200, &index("web-1.0.0.tgz", "")),
        _ => Reply::Answer(302, target.clone(), Vec::new()),
    });
    // not even where it may be sent to hosts that the repository names
    for pass_everywhere in [false, true] {
        let access = Access { bearer: Some("token".into()), pass_everywhere, ..Access::default() };
        fetch(&web(&at(&here), access)).expect("a chart");
    }
    assert_eq!(here.asked()[0].header("authorization"), Some("Bearer token"));
    assert!(elsewhere.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn redirects_end() {
    let round = Faulty::start(|_, _| Reply::Answer(302, "location: /again\r\n".into(), Vec::new()));
    assert_eq!(fetch(&web(&at(&round), Access::default())).expect_err("round and round").code, "web-redirects");
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    let late = Faulty::start(|asked, before| match (asked.path.as_str(), before.len()) {
        ("/charts/index.yaml", 0) => answer(503, b"later"),
        ("/charts/index.yaml", _) => answer(200, &index("web-1.0.0.tgz", "")),
        _ => answer(200, b"chart"),
    });
    fetch(&web(&at(&late), Access::default())).expect("the second try");
    for (status, code) in [(401, "web-unauthorized"), (403, "web-denied"), (404, "web-not-found")] {
        let server = Faulty::start(move |_, _| answer(status, b""));
        let fault = fetch(&web(&at(&server), Access::default())).expect_err("refused");
        assert_eq!((fault.code, fault.fault), (code, Fault::Unreachable));
        assert_eq!(server.asked().len(), 1, "{code}");
        assert!(!fault.hints.is_empty() && !fault.trail.is_empty(), "{code}");
    }
    let down = Faulty::start(|_, _| answer(500, b""));
    assert_eq!(fetch(&web(&at(&down), Access::default())).expect_err("down").code, "web-failed");
    assert_eq!(down.asked().len(), 4);
}

#[test]
fn an_index_that_breaks_off_never_ends_or_is_none_is_refused_by_name() {
    type Case = (&'static str, fn() -> Reply);
    let cases: [Case; 5] = [
        ("web-unreachable", || Reply::Cut(200, String::new(), b"apiVersion: v1\n".to_vec(), 9999)),
        ("chart-index-broken", || Reply::Endless),
        ("web-timeout", || Reply::Drip(Duration::from_secs(2))),
        ("chart-index-version", || answer(200, b"<html><body>hello</body></html>\n")),
        ("yaml-syntax", || answer(200, b"apiVersion: v1\nentries:\n  web:\n  - name: [\n")),
    ];
    for (code, reply) in cases {
        let server = Faulty::start(move |_, _| reply());
        let fault = fetch(&web(&at(&server), Access::default())).expect_err(code);
        assert_eq!(fault.code, code, "{fault}");
    }
}

#[test]
fn a_pin_is_kept_or_the_fault_names_both() {
    let server = Faulty::start(|_, _| answer(200, b"now"));
    let (store, url) = (Arc::<Shelf>::default(), format!("{}/a.yaml", at(&server)));
    let pin = FilePin { digest: Digest::of(b"then") };
    let fault = run(fetcher(&store, Mode::Online).file(&url, Some(&pin))).expect_err("it changed");
    assert_eq!(fault.code, "lock-digest");
    assert!(fault.message.contains(&pin.digest.to_string()) && fault.message.contains(&Digest::of(b"now").to_string()));
    store.put(b"then").expect("kept");
    let (_, bytes) = run(fetcher(&store, Mode::Offline).file(&url, Some(&pin))).expect("from the store");
    assert_eq!(&*bytes, b"then");
}

#[test]
fn offline_takes_what_was_fetched_before_and_names_what_was_not() {
    let server = repository("web-1.0.0.tgz", String::new());
    let store = Arc::<Shelf>::default();
    let wanted = web(&at(&server), Access::default());
    run(fetcher(&store, Mode::Online).chart(&wanted, None)).expect("a chart");
    let asked = server.asked().len();
    let (located, packed) = run(fetcher(&store, Mode::Offline).chart(&wanted, None)).expect("from the store");
    assert_eq!((located.version.as_str(), &*packed.bytes), ("1.0.0", &b"chart"[..]));
    assert_eq!(server.asked().len(), asked);
    let other = Wanted { name: "api".to_owned(), ..wanted };
    let fault = run(fetcher(&store, Mode::Offline).chart(&other, None)).expect_err("never fetched");
    assert_eq!(fault.code, "offline");
    assert!(fault.message.contains("api"), "{fault}");
}

#[test]
fn a_server_that_speaks_no_git_is_refused_by_name() {
    let wanted = |server: &Faulty| GitWanted {
        url: format!("http://{}/repo.git", server.host),
        revision: "main".into(),
        submodules: true,
        timeout: Duration::from_secs(5),
    };
    let tree = |handler: fn(&Asked, &[Asked]) -> Reply| {
        let server = Faulty::start(handler);
        run(fetcher(&Arc::default(), Mode::Online).tree(&wanted(&server), None)).expect_err("no repository")
    };
    assert_eq!(tree(|_, _| answer(404, b"")).code, "web-not-found");
    assert_eq!(tree(|_, _| answer(200, b"<html>")).code, "git-broken");
    assert_eq!(tree(|_, _| answer(200, b"000dversion 2\n")).code, "git-broken");
    let refused = tree(|asked, _| match asked.method.as_str() {
        "GET" => answer(200, b"000eversion 2\n0000"),
        _ => answer(200, b"000eERR denied"),
    });
    assert!(refused.message.contains("denied"), "{refused}");
    let unknown = tree(|asked, _| answer(200, if asked.method == "GET" { b"000eversion 2\n0000" } else { b"0000" }));
    assert_eq!(unknown.code, "git-no-revision");
}
