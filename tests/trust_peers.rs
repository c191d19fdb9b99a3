//! Signatures and statements between Hydrant and the real cosign, oras, crane and skopeo, over a real registry on loopback.

#![cfg(feature = "cli")]
#![expect(clippy::disallowed_methods, reason = "a test makes its own files and damages them")]

#[path = "support/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registry::{Registry, manifests, text};
use support::{hydrant, must, peer, run};
use tempfile::TempDir;

const PASSWORD: &str = "hydrant";

/// Key pairs that the real cosign made, and manifests to push.
struct Lab {
    folder: TempDir,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().expect("a folder");
        manifests(folder.path());
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    spec:\n      containers: [{name: web, image: 'nginx:1.25'}]\n";
        fs::write(folder.path().join("src/shop/deployment.yaml"), deployment).expect("written");
        let lab = Lab { folder };
        for name in ["ours", "theirs"] {
            must(lab.cosign().args(["generate-key-pair", "--output-key-prefix", name]));
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cosign(&self) -> Command {
        let mut command = Command::new(peer("cosign"));
        command.current_dir(self.folder.path()).env("COSIGN_PASSWORD", PASSWORD);
        command
    }

    /// Pushes the manifests and gives `REF@digest`.
    fn push(&self, reference: &str, arguments: &[&str]) -> String {
        let mut command = hydrant();
        command.current_dir(self.folder.path()).env("COSIGN_PASSWORD", PASSWORD);
        text(&must(command.args(["push", "src", reference]).args(arguments))).trim().to_owned()
    }

    fn verify(&self, reference: &str, arguments: &[&str]) -> Output {
        run(hydrant().current_dir(self.folder.path()).args(["verify", reference, "--key", "ours.pub"]).args(arguments))
    }

    /// What a refused verification says.
    fn refused(&self, reference: &str) -> String {
        let output = self.verify(reference, &[]);
        assert!(!output.status.success(), "{reference} was verified: {}", text(&output.stdout));
        assert_eq!(text(&output.stdout), "", "nothing is printed that could be taken for a yes");
        text(&output.stderr)
    }
}

fn cosign_verifies(lab: &Lab, reference: &str, arguments: &[&str]) {
    must(lab.cosign().args(["verify", "--key", "ours.pub", "--insecure-ignore-tlog"]).args(arguments).arg(reference));
}

/// `host/name@digest` of `host/name:tag@digest`, as cosign wants it.
fn by_digest(reference: &str) -> String {
    let (name, digest) = reference.rsplit_once('@').expect("a digest");
    let (repository, _) = name.rsplit_once(':').expect("a tag");
    format!("{repository}@{digest}")
}

#[test]
fn what_hydrant_signs_cosign_verifies() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let bundle = by_digest(&lab.push(&registry.reference("bundle"), &["--sign", "ours.key"]));
    cosign_verifies(&lab, &bundle, &[]);
    for kind in ["slsaprovenance1", "cyclonedx"] {
        let arguments = ["verify-attestation", "--key", "ours.pub", "--insecure-ignore-tlog", "--type", kind];
        let envelope = must(lab.cosign().args(arguments).arg(&bundle));
        assert!(!envelope.is_empty(), "{kind}");
    }
    let tag =
        by_digest(&lab.push(&registry.reference("tag"), &["--sign", "ours.key", "--signature", "tag", "--no-attest"]));
    cosign_verifies(&lab, &tag, &["--new-bundle-format=false"]);
    let both = by_digest(&lab.push(&registry.reference("both"), &["--sign", "ours.key", "--signature", "both"]));
    cosign_verifies(&lab, &both, &["--new-bundle-format=false"]);
    cosign_verifies(&lab, &both, &[]);
    let stranger = lab.cosign().args(["verify", "--key", "theirs.pub", "--insecure-ignore-tlog", &both]).output();
    assert!(!stranger.expect("runs").status.success(), "the peer does check");
    let tree = text(&must(lab.cosign().args(["tree", &both])));
    assert!(tree.contains("https://slsa.dev/provenance/v1") && tree.contains(".sig"), "{tree}");
    let found = text(&must(Command::new(peer("oras")).args(["discover", "--plain-http", &bundle])));
    assert!(found.contains("application/vnd.dev.sigstore.bundle.v0.3+json"), "{found}");
}

#[test]
fn what_cosign_signs_hydrant_verifies() {
    let (registry, lab) = (Registry::start(), Lab::new());
    fs::write(lab.path("predicate.json"), "{\"a\":1}").expect("written");
    let sign = |key: &str, reference: &str, arguments: &[&str]| {
        let common = ["--use-signing-config=false", "--tlog-upload=false", "-y", "--key", key];
        must(lab.cosign().arg("sign").args(common).args(arguments).arg(reference));
    };
    for (name, arguments) in [("new", &[][..]), ("old", &["--new-bundle-format=false"][..])] {
        let reference = registry.reference(name);
        let pinned = by_digest(&lab.push(&reference, &["--no-attest"]));
        assert!(lab.refused(&reference).contains("signature-missing"));
        sign("theirs.key", &pinned, arguments);
        let words = lab.refused(&reference);
        assert!(words.contains("signature-missing") && words.contains("by this key"), "{words}");
        sign("ours.key", &pinned, arguments);
        let said = text(&must(hydrant().args(["verify", &reference, "--key"]).arg(lab.path("ours.pub"))));
        assert!(said.contains("not by this key") && said.contains("signed with the key"), "{said}");
        let common = ["--use-signing-config=false", "--tlog-upload=false", "-y", "--key", "ours.key"];
        let statement = ["--type", "https://example.org/check/v1", "--predicate", "predicate.json"];
        must(lab.cosign().arg("attest").args(common).args(statement).args(arguments).arg(&pinned));
        let checked = lab.verify(&reference, &["--statement", "https://example.org/check/v1"]);
        assert!(checked.status.success(), "{}", text(&checked.stderr));
        let missing = lab.verify(&reference, &["--statement", "provenance"]);
        assert!(text(&missing.stderr).contains("statement-missing"), "{}", text(&missing.stderr));
    }
}

#[test]
fn keys_come_in_every_form_and_signing_again_adds_nothing() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let pkcs8 = root_file("src/trust/testdata/pkcs8.pem");
    let public = root_file("src/trust/testdata/public.pem");
    let reference = registry.reference("forms");
    for (name, key) in [("file", pkcs8.clone()), ("sec1", root_file("src/trust/testdata/sec1.pem"))] {
        let reference = registry.reference(name);
        lab.push(&reference, &["--sign", &key]);
        must(hydrant().args(["verify", &reference, "--key", &public]));
    }
    let pem = fs::read_to_string(&pkcs8).expect("readable");
    let push = || {
        run(hydrant().current_dir(lab.folder.path()).env("KEY", &pem).args([
            "push",
            "src",
            &reference,
            "--sign",
            "env://KEY",
        ]))
    };
    assert!(push().status.success());
    let uploads = || registry.requests().iter().filter(|request| request.starts_with("PUT")).count();
    let before = uploads();
    assert!(text(&push().stderr).contains("already there"));
    assert_eq!(uploads(), before, "the same signature is there already");
    let closed = run(hydrant().current_dir(lab.folder.path()).args(["push", "src", &reference, "--sign", "ours.key"]));
    assert_eq!(closed.status.code(), Some(2));
    assert!(text(&closed.stderr).contains("COSIGN_PASSWORD"), "{}", text(&closed.stderr));
}

fn root_file(path: &str) -> String {
    support::root().join(path).display().to_string()
}

#[test]
fn the_tag_moves_after_what_vouches_for_it() {
    let (registry, lab) = (Registry::start(), Lab::new());
    lab.push(&registry.reference("order"), &["--sign", "ours.key", "--signature", "both"]);
    let manifests: Vec<String> =
        registry.requests().into_iter().filter(|request| request.starts_with("PUT /v2/order/manifests/")).collect();
    assert!(manifests.last().is_some_and(|last| last.starts_with("PUT /v2/order/manifests/v1 ")), "{manifests:?}");
    assert_eq!(manifests.iter().filter(|request| request.contains("/v1 ")).count(), 1);
}

#[test]
fn provenance_and_images_say_where_it_came_from() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(lab.folder.path()).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
        text(&must(command.args(arguments))).trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["remote", "add", "origin", "https://ann:secret@git.example/shop.git"]);
    git(&["add", "src"]);
    git(&["commit", "-q", "-m", "one"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let reference = registry.reference("made");
    lab.push(&reference, &["--sign", "ours.key", "--compat", "config-sync"]);
    let checked = lab.verify(&reference, &["--statement", "provenance", "--statement", "sbom", "--format", "json"]);
    let facts: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    let predicate = |kind: &str| {
        let all = facts["attached"].as_array().expect("a list");
        let found = all.iter().find(|piece| piece["type"] == kind && piece["standing"] == "signed");
        found.unwrap_or_else(|| panic!("no {kind}: {facts}"))["predicate"].clone()
    };
    let made = predicate("https://slsa.dev/provenance/v1");
    let source = &made["buildDefinition"]["resolvedDependencies"][0];
    assert_eq!(source["digest"]["gitCommit"], commit.as_str());
    assert_eq!(source["uri"], "git+https://git.example/shop.git@refs/heads/main", "no password");
    assert_eq!(made["buildDefinition"]["externalParameters"]["source"], "src");
    assert_eq!(made["buildDefinition"]["externalParameters"]["compat"], "helm-3,kustomize-5.4");
    assert!(!made.to_string().contains(&lab.folder.path().display().to_string()), "no folder of this machine: {made}");
    // the digest of what was read can be made by hand
    let line = "find . -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum";
    let by_hand = text(&must(Command::new("bash").args(["-c", line]).current_dir(lab.path("src"))));
    assert_eq!(source["digest"]["dirHash"].as_str(), by_hand.split(' ').next());
    let images = predicate("https://cyclonedx.org/bom");
    assert_eq!(images["components"][0]["purl"], "pkg:oci/nginx?repository_url=docker.io%2Flibrary%2Fnginx&tag=1.25");
    assert_eq!(images["components"][0]["properties"][0]["value"], "Deployment.apps shop/web");
}

#[test]
fn unsigned_statements_are_shown_and_not_believed() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let reference = registry.reference("plain");
    lab.push(&reference, &[]);
    let inspected = text(&must(hydrant().args(["inspect", &reference])));
    for kind in ["https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"] {
        assert!(inspected.contains(&format!("attached: statement {kind} (plain) sha256:")), "{inspected}");
    }
    assert!(lab.refused(&reference).contains("signature-missing"));
    lab.push(&registry.reference("none"), &["--no-attest"]);
    let inspected = text(&must(hydrant().args(["inspect", &registry.reference("none")])));
    assert!(!inspected.contains("attached"), "{inspected}");
}

#[test]
fn a_flipped_byte_anywhere_is_refused_by_name() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let reference = registry.reference("flip");
    lab.push(&reference, &["--sign", "ours.key", "--signature", "both"]);
    assert!(lab.verify(&reference, &[]).status.success());
    let mut digests = Vec::new();
    for entry in walkdir::WalkDir::new(registry.blob_path(&"0".repeat(64)).ancestors().nth(3).expect("a folder")) {
        let entry = entry.expect("readable");
        if entry.file_name() == "data" {
            digests
                .push(entry.path().parent().and_then(Path::file_name).expect("a name").to_string_lossy().into_owned());
        }
    }
    assert!(digests.len() >= 10, "manifest, config, layer, two signatures, two statements, lists: {digests:?}");
    let list_tag = text(&must(Command::new(peer("crane")).args(["digest", "--insecure", &list_of(&reference)])));
    for hex in digests {
        let path = registry.blob_path(&hex);
        let whole = fs::read(&path).expect("readable");
        if whole == b"{}" {
            // the empty config, known by its digest and never read
            continue;
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(&path, &damaged).expect("damaged");
        let words = lab.refused(&reference);
        // a list of referrers has no digest of its own that anyone holds: it is read by tag, so what it says is checked instead
        if list_tag.trim() != format!("sha256:{hex}") {
            assert!(words.contains(&hex), "{hex} is not named: {words}");
        }
        fs::write(&path, &whole).expect("mended");
    }
    assert!(lab.verify(&reference, &[]).status.success(), "mended");
}

/// The tag under which a registry without the referrers API keeps the list.
fn list_of(reference: &str) -> String {
    let digest = text(&must(Command::new(peer("crane")).args(["digest", "--insecure", reference])));
    let (repository, _) = reference.rsplit_once(':').expect("a tag");
    format!("{repository}:{}", digest.trim().replace(':', "-"))
}

/// Whoever may write to the registry can make every digest fit; only the signature stops him.
#[test]
fn what_was_rewritten_with_care_is_refused_too() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let layout = lab.path("layout");
    let place = format!("oci-layout:{}:v1", layout.display());
    lab.push(&place, &["--sign", "ours.key"]);
    assert!(lab.verify(&place, &[]).status.success());
    rewrite(&layout, |bundle| {
        let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
        let text = String::from_utf8(STANDARD.decode(payload).expect("base64")).expect("JSON");
        assert!(text.contains("portable"), "{text}");
        bundle["dsseEnvelope"]["payload"] = STANDARD.encode(text.replace("portable", "flexible")).into();
    });
    let words = lab.refused(&place);
    assert!(words.contains("signature-invalid"), "{words}");
    // signatures that are moved to another artifact, all digests made to fit
    let (first, second) = (registry.reference("first"), registry.reference("second"));
    let first = by_digest(&lab.push(&first, &["--sign", "ours.key", "--signature", "tag", "--no-attest"]));
    let other = lab.push(&second, &["--annotation", "a=b", "--no-attest"]);
    let digest = |pinned: &str| pinned.rsplit_once('@').expect("a digest").1.replace(':', "-");
    let (from, to) = (
        format!("{}/first:{}.sig", registry.host, digest(&first)),
        format!("{}/second:{}.sig", registry.host, digest(&other)),
    );
    must(hydrant().args(["copy", &from, &to]));
    let words = lab.refused(&second);
    assert!(words.contains("signature-subject"), "{words}");
}

/// Changes every bundle of a layout that states provenance, and makes every digest on the way fit again.
fn rewrite(layout: &Path, change: impl Fn(&mut serde_json::Value)) {
    let blob = |digest: &str| layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let read =
        |path: &Path| serde_json::from_slice::<serde_json::Value>(&fs::read(path).expect("readable")).expect("JSON");
    let put = |value: &serde_json::Value| {
        let bytes = serde_json::to_vec(value).expect("JSON");
        fs::write(layout.join("draft"), &bytes).expect("written");
        let sum = text(&must(Command::new("sha256sum").arg(layout.join("draft"))));
        let digest = format!("sha256:{}", sum.split(' ').next().expect("a sum"));
        fs::rename(layout.join("draft"), blob(&digest)).expect("renamed");
        (digest, bytes.len())
    };
    let mut index = read(&layout.join("index.json"));
    for entry in index["manifests"].as_array_mut().expect("a list") {
        let mut manifest = read(&blob(entry["digest"].as_str().expect("a digest")));
        if manifest["annotations"]["dev.sigstore.bundle.predicateType"] == "https://slsa.dev/provenance/v1" {
            let mut bundle = read(&blob(manifest["layers"][0]["digest"].as_str().expect("a digest")));
            change(&mut bundle);
            let (digest, size) = put(&bundle);
            manifest["layers"][0]["digest"] = digest.into();
            manifest["layers"][0]["size"] = size.into();
            let (digest, size) = put(&manifest);
            entry["digest"] = digest.into();
            entry["size"] = size.into();
        }
    }
    fs::write(layout.join("index.json"), index.to_string()).expect("written");
}

#[test]
fn a_copy_takes_signatures_and_statements_along() {
    let (registry, other, lab) = (Registry::start(), Registry::start(), Lab::new());
    let from = registry.reference("from");
    lab.push(&from, &["--sign", "ours.key", "--signature", "both"]);
    let layout = format!("oci-layout:{}:v1", lab.path("mirror").display());
    let near = registry.reference("near");
    let far = format!("{}/far:v1", other.host);
    for (source, target) in [(&from, &near), (&from, &layout), (&layout, &far)] {
        must(hydrant().args(["copy", source, target]));
        let checked = lab.verify(target, &["--statement", "provenance", "--statement", "sbom"]);
        assert!(checked.status.success(), "{target}: {}", text(&checked.stderr));
        let said = text(&checked.stdout);
        assert_eq!(said.matches("signature (bundle)").count() + said.matches("signature (tag)").count(), 2, "{said}");
    }
    let digest = text(&must(Command::new(peer("crane")).args(["digest", "--insecure", &far])));
    cosign_verifies(&lab, &format!("{}/far@{}", other.host, digest.trim()), &[]);
    let before = other.requests().len();
    let again = run(hydrant().args(["copy", &layout, &far]));
    assert!(text(&again.stderr).contains("already there"), "{}", text(&again.stderr));
    assert!(!other.requests()[before..].iter().any(|request| request.starts_with("PUT")), "nothing is written twice");
    let seen = text(&must(
        Command::new(peer("oras"))
            .args(["discover", "--oci-layout"])
            .arg(format!("{}:v1", lab.path("mirror").display())),
    ));
    assert!(seen.contains("application/vnd.dev.sigstore.bundle.v0.3+json"), "{seen}");
    // an index goes with all its images
    let index = registry.reference("index");
    must(Command::new(peer("crane")).args(["index", "append", "--insecure", "-m", &from, "-t", &index]));
    let far_index = format!("{}/index:v1", other.host);
    must(hydrant().args(["copy", &index, &far_index]));
    let digest_of =
        |reference: &str| text(&must(Command::new(peer("crane")).args(["digest", "--insecure", reference])));
    assert_eq!(digest_of(&far_index), digest_of(&index));
    must(Command::new(peer("crane")).args(["validate", "--insecure", "--remote", &far_index]));
}

#[test]
fn pull_and_sync_with_a_key_take_only_what_is_signed() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let (signed, unsigned) = (registry.reference("signed"), registry.reference("unsigned"));
    lab.push(&signed, &["--sign", "ours.key"]);
    lab.push(&unsigned, &[]);
    let pull = |reference: &str, folder: &Path| {
        run(hydrant().arg("pull").arg(reference).arg(folder).arg("--key").arg(lab.path("ours.pub")))
    };
    assert!(pull(&signed, &lab.path("yes")).status.success());
    let output = pull(&unsigned, &lab.path("no"));
    assert!(text(&output.stderr).contains("signature-missing") && !lab.path("no").exists());
    let sync = |reference: &str, folder: &str| {
        let target = format!("dir:{}", lab.path(folder).display());
        run(hydrant().args(["sync", reference, "--once", "--to", &target, "--key"]).arg(lab.path("ours.pub")))
    };
    assert!(sync(&signed, "synced").status.success() && lab.path("synced").exists());
    let output = sync(&unsigned, "not-synced");
    assert!(text(&output.stderr).contains("signature-missing") && !lab.path("not-synced").exists());
}

#[test]
fn secrets_are_named_and_can_be_refused() {
    let (registry, lab) = (Registry::start(), Lab::new());
    let secrets = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\ndata: {password: aHVudGVyMg==}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: empty}\n";
    fs::write(lab.path("src/secrets.yaml"), secrets).expect("written");
    let reference = registry.reference("secret");
    let push = |arguments: &[&str]| {
        run(hydrant().current_dir(lab.folder.path()).args(["push", "src", &reference]).args(arguments))
    };
    let denied = push(&["--deny-secrets"]);
    let words = text(&denied.stderr);
    assert_eq!(denied.status.code(), Some(2), "{words}");
    assert!(
        words.contains("secrets-denied") && words.contains("Secret shop/db") && !words.contains("empty"),
        "{words}"
    );
    assert!(!words.contains("aHVudGVyMg"), "the secret itself is not shown");
    assert!(registry.requests().iter().all(|request| !request.starts_with("PUT")), "nothing was pushed");
    let warned = push(&[]);
    assert!(
        warned.status.success() && text(&warned.stderr).contains("secrets-in-artifact"),
        "{}",
        text(&warned.stderr)
    );
}
