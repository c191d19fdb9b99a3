//! Who may talk to a registry, and how: a real registry with passwords, with TLS, and behind a proxy.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;
#[path = "support/tls.rs"]
mod tls;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registry::{Registry, text};
use support::{hydrant, root, run};
use tls::certificates;

const USER: &str = "ann";
const PASSWORD: &str = "open:sesame";

/// A registry that lets nobody in but Ann.
fn guarded() -> Registry {
    let folder = tempfile::tempdir().expect("a folder");
    let passwords = folder.path().join("htpasswd");
    fs::write(&passwords, format!("{USER}:{}\n", bcrypt::hash(PASSWORD, 4).expect("hashed"))).expect("written");
    let settings = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}", passwords.display());
    Registry::start_with(folder, &settings, "")
}

fn push(reference: &str, environment: &[(&str, &Path)], arguments: &[&str]) -> Output {
    let mut command = hydrant();
    command.args(["push", "--no-attest"]).arg(root().join("examples/namespace")).arg(reference).args(arguments);
    for name in [
        "DOCKER_CONFIG",
        "REGISTRY_AUTH_FILE",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").env("XDG_RUNTIME_DIR", "/nonexistent");
    run(command.envs(environment.iter().copied()))
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn refused(output: &Output, code: &str) {
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(code), "{}", text(&output.stderr));
}

#[test]
fn passwords_come_from_docker_from_podman_and_from_helpers() {
    let registry = guarded();
    let scratch = tempfile::tempdir().expect("a folder");
    let reference = registry.reference("guarded");
    refused(&push(&reference, &[], &[]), "registry-unauthorized");
    let config = |name: &str, json: String| {
        let folder = scratch.path().join(name);
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join("config.json"), json).expect("written");
        folder
    };
    let auths = |password: &str| {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        serde_json::json!({ "auths": { &registry.host: { "auth": auth } } }).to_string()
    };
    succeeds(&push(&reference, &[("DOCKER_CONFIG", &config("plain", auths(PASSWORD)))], &[]));
    let wrong = push(&registry.reference("wrong"), &[("DOCKER_CONFIG", &config("wrong", auths("shut")))], &[]);
    refused(&wrong, "registry-credential");
    assert!(!text(&wrong.stderr).contains("shut"), "no password is shown");
    let podman = config("podman", auths(PASSWORD)).join("config.json");
    succeeds(&push(&registry.reference("podman"), &[("REGISTRY_AUTH_FILE", &podman)], &[]));

    let tools = scratch.path().join("tools");
    fs::create_dir(&tools).expect("made");
    let helper = tools.join("docker-credential-ours");
    let script = format!(
        "#!/bin/sh\nread -r host\n[ \"$1 $host\" = \"get {}\" ] || {{ echo 'credentials not found in native keychain'; exit 1; }}\n\
         printf '{{\"ServerURL\":\"%s\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}' \"$host\"\n",
        registry.host
    );
    fs::write(&helper, script).expect("written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("set");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("PATH is set"));
    for (name, json) in [
        ("helpers", serde_json::json!({ "credHelpers": { &registry.host: "ours" } })),
        ("store", serde_json::json!({ "credsStore": "ours" })),
    ] {
        let environment = [("DOCKER_CONFIG", &*config(name, json.to_string())), ("PATH", Path::new(&path))];
        succeeds(&push(&registry.reference(name), &environment, &[]));
    }
    // what Amazon's and Azure's clouds are reached by: a helper of that name for the registry's host
    for name in ["ecr-login", "acr-env"] {
        fs::copy(&helper, tools.join(format!("docker-credential-{name}"))).expect("copied");
        let json =
            serde_json::json!({ "credHelpers": { &registry.host: name, "other.example": "gcloud" } }).to_string();
        let environment = [("DOCKER_CONFIG", &*config(name, json)), ("PATH", Path::new(&path))];
        succeeds(&push(&registry.reference(name), &environment, &[]));
    }
    let elsewhere = serde_json::json!({ "credsStore": "ours", "credHelpers": {} }).to_string();
    let environment = [("DOCKER_CONFIG", &*config("elsewhere", elsewhere)), ("PATH", Path::new(&path))];
    let other = guarded();
    refused(&push(&other.reference("x"), &environment, &[]), "registry-unauthorized");
}

/// A proxy that opens tunnels, and counts them.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || tunnel(stream));
        }
    });
    (format!("http://{address}"), count)
}

fn tunnel(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    while reader.read_line(&mut line).ok()? > 2 {}
    let mut far = TcpStream::connect(target).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut back, mut front) = (far.try_clone().ok()?, stream.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut back, &mut front));
    std::io::copy(&mut stream, &mut far).ok().map(|_| ())
}

#[test]
fn certificates_and_proxies_are_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (ca, cert, key) = (at("ca.pem"), at("client.pem"), at("client.key"));
    let http = format!(", tls: {{certificate: {}, key: {}, clientcas: ['{ca}']}}", at("server.pem"), at("server.key"));
    let registry = Registry::start_with(folder, "", &http);
    let reference = registry.reference("tls");
    let mutual = ["--ca-file", &ca, "--cert-file", &cert, "--key-file", &key];
    succeeds(&push(&reference, &[], &mutual));
    refused(&push(&registry.reference("plain"), &[], &[]), "registry-tls");
    // the registry's certificate is trusted, but it wants to see ours
    assert_eq!(push(&registry.reference("nobody"), &[], &["--ca-file", &ca]).status.code(), Some(3));
    // ours is shown, but the registry's is not trusted
    let stranger = push(&registry.reference("stranger"), &[], &["--cert-file", &cert, "--key-file", &key]);
    refused(&stranger, "registry-certificate");
    let (proxy, tunnels) = proxy();
    succeeds(&push(&registry.reference("proxied"), &[("HTTPS_PROXY", Path::new(&proxy))], &mutual));
    let used = tunnels.load(Ordering::SeqCst);
    assert!(used > 0, "the proxy was asked");
    let except = [("HTTPS_PROXY", Path::new(&proxy)), ("NO_PROXY", Path::new("127.0.0.1"))];
    succeeds(&push(&registry.reference("direct"), &except, &mutual));
    assert_eq!(tunnels.load(Ordering::SeqCst), used, "NO_PROXY is followed");
}
