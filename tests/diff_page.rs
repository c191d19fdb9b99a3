//! The HTML page of a diff, in a real browser: it opens soon, filters, folds, searches and obeys keys, says nothing to the
//! console, asks nothing of the network, reads without scripts, and axe finds nothing serious in it.

#![expect(clippy::disallowed_methods, reason = "a test program: it reads and writes files, and knows its machine")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use support::{hydrant, peer, run};

/// A browser, driven through chromedriver.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Starts one; `scripts` says whether pages may run theirs.
    fn start(scripts: bool) -> Browser {
        let mut driver = Command::new(peer("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let port = lines
            .find_map(|line| {
                line.ok()?.rsplit_once("on port ")?.1.trim_end_matches('.').parse().ok().filter(|port| *port != 0)
            })
            .expect("chromedriver says its port");
        // whatever else it says is read, so that it never waits
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a folder");
        let mut browser = Browser { driver, port, session: String::new(), profile };
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", browser.profile.path().display()));
        let javascript = if scripts { 1 } else { 2 };
        let answer = browser.call(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {
                    "binary": peer("chromium"),
                    "args": arguments,
                    "prefs": {"profile.managed_default_content_settings.javascript": javascript},
                },
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }}}),
        );
        answer["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("sent");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("an answer");
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).expect("the whole answer");
        let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {}", answer["value"]);
        answer["value"].clone()
    }

    fn at(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn open(&self, page: &Path) {
        self.at("/url", &json!({"url": format!("file://{}", page.display())}));
    }

    fn eval(&self, script: &str) -> Value {
        self.at("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Types on the page itself.
    fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.at("/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}));
    }

    fn size(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.at("/goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}));
    }

    fn picture(&self, path: &Path) {
        let data = self.call("GET", &format!("/session/{}/screenshot", self.session), &Value::Null);
        let bytes = data_encoding::BASE64.decode(data.as_str().expect("text").as_bytes()).expect("base64");
        fs::write(path, bytes).expect("written");
    }

    /// What the console said, and which addresses were asked for.
    fn said_and_asked(&self) -> (Vec<String>, Vec<String>) {
        let log = |kind: &str| self.at("/se/log", &json!({"type": kind})).as_array().cloned().unwrap_or_default();
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        let said = log("browser").iter().map(text).collect();
        let request = |message: &Value| {
            let message: Value = serde_json::from_str(&text(message)).ok()?;
            let message = &message["message"];
            if message["method"] != "Network.requestWillBeSent" {
                return None;
            }
            message["params"]["request"]["url"].as_str().map(str::to_owned)
        };
        let asked = log("performance").iter().filter_map(request).collect();
        (said, asked)
    }

    fn visible(&self) -> u64 {
        self.eval("return document.querySelectorAll('.object:not([hidden])').length").as_u64().expect("a number")
    }
}

/// Many objects, each with a difference of its own; some come, some go, some are dangerous.
fn sides(folder: &Path, count: usize) {
    let (mut old, mut new) = (String::new(), String::new());
    for at in 0..count {
        let map = |value: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{at}, namespace: n{}}}\ndata:\n  a: {value}\n---\n",
                at % 9
            )
        };
        let role = |verbs: &str| {
            format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: r{at}}}\nrules: [{{apiGroups: [\"\"], resources: [pods], verbs: [{verbs}]}}]\n---\n"
            )
        };
        match at % 50 {
            0 => old.push_str(&map("gone")),
            1 => new.push_str(&map("'<script>alert(1)</script>'")),
            2 => (old.push_str(&role("get")), new.push_str(&role(&format!("get, delete, x{at}")))).0,
            _ => {
                old.push_str(&map(&format!("before-{at}")));
                let _ = write!(new, "{}", map(&format!("after-{at}")));
            }
        }
    }
    fs::write(folder.join("old.yaml"), old).expect("written");
    fs::write(folder.join("new.yaml"), new).expect("written");
}

fn page(folder: &Path, count: usize) -> PathBuf {
    sides(folder, count);
    let output = run(hydrant()
        .args(["diff", "old.yaml", "new.yaml", "--format", "html", "-o", "page.html"])
        .current_dir(folder));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("page.html")
}

/// Where pictures are kept for whoever looks at them: `$HYDRANT_PICTURES`.
fn picture(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os("HYDRANT_PICTURES") {
        browser.picture(&Path::new(&folder).join(format!("{name}.png")));
    }
}

#[test]
fn the_page_filters_folds_searches_and_obeys_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), 400);
    let browser = Browser::start(true);
    browser.size(1280, 900);
    // what the browser asks itself for at its start is its own business
    browser.at("/url", &json!({"url": "about:blank"}));
    browser.said_and_asked();
    browser.open(&page);
    let open = || browser.eval("return document.querySelectorAll('.object[open]').length").as_u64().expect("a number");
    assert_eq!((browser.visible(), open()), (400, 0));
    browser.eval("document.querySelector('[data-filter=\"changed\"]').click()");
    assert_eq!(browser.visible(), 16, "8 added and 8 removed");
    browser.eval("document.querySelector('[data-filter=\"changed\"]').click()");
    browser.press("d");
    assert_eq!(browser.visible(), 16, "8 roles and 8 deletions");
    browser.press("d");
    browser.press("/after-77");
    assert_eq!(browser.eval("return document.activeElement.id"), "search");
    assert_eq!(browser.visible(), 1);
    assert_eq!(browser.eval("return document.getElementById('status').textContent"), "1 of 400 objects");
    browser.press("\u{e00c}");
    assert_eq!(browser.visible(), 400, "escape ends the search");
    browser.press("jjk");
    assert_eq!(browser.eval("return document.querySelector('.current').id"), "o1");
    browser.press("jo");
    assert_eq!(browser.eval("return document.querySelector('.object[open]').id"), "o2");
    browser.press("e");
    assert_eq!(open(), 400);
    browser.press("c");
    assert_eq!(open(), 0);
    browser.press("s");
    assert_eq!(browser.eval("return document.body.className"), "side");
    browser.press("t");
    assert_eq!(browser.eval("return document.documentElement.classList.length"), 1);
    browser.eval("document.querySelector('.dangers a').click()");
    assert_eq!(open(), 1, "a danger leads to its object");
    let (said, asked) = browser.said_and_asked();
    assert!(said.is_empty(), "the console is silent: {said:?}");
    assert!(
        asked
            .iter()
            .all(|url| url.starts_with("file://")
                && url.split('#').next() == Some(&format!("file://{}", page.display()))),
        "{asked:?}"
    );
}

#[test]
fn it_looks_well_on_a_phone_and_on_a_desk_and_axe_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), 60);
    let axe = fs::read_to_string(peer("axe.min.js")).expect("axe");
    let browser = Browser::start(true);
    for (name, width, height) in [("phone", 390, 844), ("desk", 1280, 900)] {
        browser.size(width, height);
        for theme in ["light", "dark"] {
            browser.open(&page);
            browser.eval(&format!(
                "document.documentElement.className = '{theme}'; document.querySelector('[data-do=\"expand\"]').click()"
            ));
            let too_wide =
                browser.eval("return document.documentElement.scrollWidth > document.documentElement.clientWidth");
            assert_eq!(too_wide, false, "{name}: nothing scrolls sideways");
            picture(&browser, &format!("{name}-{theme}"));
            browser.eval(&axe);
            let script = "const done = arguments[arguments.length - 1];
                axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))
                    .map((one) => one.id + ': ' + one.nodes.map((node) => node.html).slice(0, 3).join(' '))), (fault) => done([String(fault)]))";
            let found = browser.at("/execute/async", &json!({"script": script, "args": []}));
            assert_eq!(found, json!([]), "{name} {theme}");
        }
    }
}

#[test]
fn it_reads_without_scripts() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), 60);
    let browser = Browser::start(false);
    browser.size(1280, 900);
    browser.open(&page);
    // the driver's own scripts run all the same
    assert_eq!(
        browser.eval("return document.querySelector('.tools').hidden"),
        true,
        "what needs scripts is not offered"
    );
    browser.eval("document.querySelector('.object > summary').click()");
    assert_eq!(browser.eval("return document.querySelector('.object').open"), true);
    picture(&browser, "no-scripts");
}

#[test]
fn five_thousand_objects_open_and_are_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), 5000);
    let browser = Browser::start(true);
    browser.size(1280, 900);
    let begun = Instant::now();
    browser.open(&page);
    assert_eq!(browser.visible(), 5000);
    let timing = browser.eval("const one = performance.getEntriesByType('navigation')[0]; return one.loadEventEnd");
    println!("loaded after {timing} ms by the browser's clock, {} ms by ours", begun.elapsed().as_millis());
    browser.press("/after-4999");
    assert_eq!(browser.visible(), 1);
}
