//! References: what a user types to name an artifact.
//!
//! The grammar is the one of Docker's `distribution/reference`: a first part with a dot, a colon, or `localhost` is a
//! host; without one the host is `docker.io`, and a single name there lives under `library/`.

use std::fmt;
use std::path::PathBuf;

use super::Digest;
use crate::diag::{Diagnostic, Result};

/// The registry meant where none is written.
const DOCKER_HUB: &str = "docker.io";
/// Longest repository name with its host, as registries limit it.
const NAME_BYTES_MAX: usize = 255;
/// Longest tag.
const TAG_BYTES_MAX: usize = 128;
/// The tag meant where neither a tag nor a digest is written.
const DEFAULT_TAG: &str = "latest";

/// What in a repository is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// What a tag points at now.
    Tag(String),
    /// This very manifest, whatever tag was also written.
    Digest(Digest),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Tag(tag) => f.write_str(tag),
            Version::Digest(digest) => digest.fmt(f),
        }
    }
}

/// An artifact in a registry: `host[:port]/repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host with port, as written; `docker.io` where none is written.
    pub(crate) registry: String,
    /// Repository.
    pub(crate) repository: String,
    /// Tag, if written.
    pub(crate) tag: Option<String>,
    /// Digest, if written; wins over the tag.
    pub(crate) digest: Option<Digest>,
}

/// An artifact in an OCI image layout: `oci-layout:DIR[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayoutReference {
    /// The folder of the layout.
    pub(crate) folder: PathBuf,
    /// Tag, if written.
    pub(crate) tag: Option<String>,
    /// Digest, if written; wins over the tag.
    pub(crate) digest: Option<Digest>,
}

/// Where an artifact lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// In a registry.
    Registry(Reference),
    /// In an image layout on disk.
    Layout(LayoutReference),
}

impl Location {
    /// Reads a REF of the command line. Fails with `reference-invalid` and says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Location> {
        match text.strip_prefix("oci-layout:") {
            Some(rest) => LayoutReference::parse(rest).map(Location::Layout),
            None => Reference::parse(text).map(Location::Registry),
        }
    }

    /// What is meant: the digest if one is written, else the tag, else `latest`.
    pub(crate) fn version(&self) -> Version {
        match self {
            Location::Registry(reference) => reference.version(),
            Location::Layout(reference) => version(reference.tag.as_deref(), reference.digest),
        }
    }

    /// The tag written, if any.
    pub(crate) fn tag(&self) -> Option<&str> {
        match self {
            Location::Registry(reference) => reference.tag.as_deref(),
            Location::Layout(reference) => reference.tag.as_deref(),
        }
    }

    /// The same place under a tag and without a digest. Fails with `reference-invalid` where the tag is none.
    pub(crate) fn with_tag(&self, tag: &str) -> Result<Location> {
        check_tag(tag, tag)?;
        let mut location = self.clone();
        match &mut location {
            Location::Registry(reference) => (reference.tag, reference.digest) = (Some(tag.to_owned()), None),
            Location::Layout(reference) => (reference.tag, reference.digest) = (Some(tag.to_owned()), None),
        }
        Ok(location)
    }

    /// The same place without its tag.
    #[must_use]
    pub(crate) fn without_tag(&self) -> Location {
        let mut location = self.clone();
        match &mut location {
            Location::Registry(reference) => reference.tag = None,
            Location::Layout(reference) => reference.tag = None,
        }
        location
    }

    /// The same place with another digest, for printing `REF@digest`.
    #[must_use]
    pub(crate) fn with_digest(&self, digest: Digest) -> Location {
        let mut location = self.clone();
        match &mut location {
            Location::Registry(reference) => reference.digest = Some(digest),
            Location::Layout(reference) => reference.digest = Some(digest),
        }
        location
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Registry(reference) => reference.fmt(f),
            Location::Layout(reference) => {
                write!(f, "oci-layout:{}", reference.folder.display())?;
                write_version(f, reference.tag.as_deref(), reference.digest)
            }
        }
    }
}

impl LayoutReference {
    /// Reads `DIR[:tag][@digest]`: the part after `oci-layout:`.
    fn parse(text: &str) -> Result<LayoutReference> {
        let shown = format!("oci-layout:{text}");
        let (rest, digest) = split_digest(text, &shown)?;
        // A folder may hold a colon: only what reads as a tag after the last one is taken for a tag.
        let (folder, tag) = match rest.rsplit_once(':') {
            Some((folder, tag)) if !tag.contains('/') => (folder, Some(tag)),
            _ => (rest, None),
        };
        if folder.is_empty() {
            return Err(invalid(&shown, "no folder is named", "write `oci-layout:DIR:TAG`"));
        }
        if let Some(tag) = tag {
            check_tag(tag, &shown)?;
        }
        Ok(LayoutReference { folder: PathBuf::from(folder), tag: tag.map(str::to_owned), digest })
    }
}

impl Reference {
    /// Reads `[oci://]host[:port]/repository[:tag][@digest]`. Fails with `reference-invalid`.
    pub(crate) fn parse(text: &str) -> Result<Reference> {
        let body = text.strip_prefix("oci://").unwrap_or(text);
        if let Some((scheme, _)) = body.split_once("://") {
            let why = format!("`{scheme}://` is no scheme of a reference");
            return Err(invalid(text, &why, "write `oci://host/repository:tag`, or leave the scheme out"));
        }
        let (rest, digest) = split_digest(body, text)?;
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        // `host:5000` alone would read as a repository with a tag
        if let Some(tag) = tag {
            check_tag(tag, text)?;
        }
        let (registry, repository) = split_host(name);
        check_host(registry, text)?;
        let repository = match repository {
            single if registry == DOCKER_HUB && !single.contains('/') && !single.is_empty() => format!("library/{single}"),
            other => other.to_owned(),
        };
        check_repository(&repository, text)?;
        if registry.len() + 1 + repository.len() > NAME_BYTES_MAX {
            let why = format!("the name is longer than {NAME_BYTES_MAX} bytes");
            return Err(invalid(text, &why, "use a shorter repository name"));
        }
        Ok(Reference { registry: registry.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }

    /// What is meant: the digest if one is written, else the tag, else `latest`.
    pub(crate) fn version(&self) -> Version {
        version(self.tag.as_deref(), self.digest)
    }

    /// The host that serves the registry's API, with its port: the same but for Docker Hub.
    pub(crate) fn api_host(&self) -> &str {
        if self.registry == DOCKER_HUB { "registry-1.docker.io" } else { &self.registry }
    }

    /// True if the host is this machine: plain HTTP is allowed there unasked.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = host_without_port(&self.registry);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        write_version(f, self.tag.as_deref(), self.digest)
    }
}

fn write_version(f: &mut fmt::Formatter<'_>, tag: Option<&str>, digest: Option<Digest>) -> fmt::Result {
    if let Some(tag) = tag {
        write!(f, ":{tag}")?;
    }
    if let Some(digest) = digest {
        write!(f, "@{digest}")?;
    }
    Ok(())
}

fn version(tag: Option<&str>, digest: Option<Digest>) -> Version {
    match digest {
        Some(digest) => Version::Digest(digest),
        None => Version::Tag(tag.unwrap_or(DEFAULT_TAG).to_owned()),
    }
}

fn invalid(text: &str, why: &str, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::input("reference-invalid", format!("`{text}` is no reference: {why}")).hint(hint))
}

fn split_digest<'a>(text: &'a str, whole: &str) -> Result<(&'a str, Option<Digest>)> {
    match text.rsplit_once('@') {
        // a folder may hold an `@`: only what looks like a digest is taken for one
        Some((rest, digest)) if digest.contains(':') && !digest.contains('/') => {
            let digest = Digest::parse(digest).map_err(|fault| {
                let hint = fault.hints.first().cloned().unwrap_or_default();
                invalid(whole, &fault.message, &hint)
            })?;
            Ok((rest, Some(digest)))
        }
        _ => Ok((text, None)),
    }
}

/// Host and repository; the host is Docker Hub's where the first part is no host.
fn split_host(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((host, repository))
            if host.contains(['.', ':']) || host == "localhost" || host.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
            (host, repository)
        }
        _ => (DOCKER_HUB, name),
    }
}

fn host_without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

fn check_host(host: &str, whole: &str) -> Result<()> {
    let name = host_without_port(host);
    let port = &host[name.len()..];
    let hint = "write `host/repository:tag` or `host:port/repository:tag`";
    let good_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !good_port {
        return Err(invalid(whole, &format!("`{host}` has no valid port"), hint));
    }
    let good_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }),
    };
    if good_name { Ok(()) } else { Err(invalid(whole, &format!("`{host}` is no host name"), hint)) }
}

fn check_repository(repository: &str, whole: &str) -> Result<()> {
    if repository.is_empty() {
        return Err(invalid(whole, "no repository is named", "write `host/repository:tag`"));
    }
    for part in repository.split('/') {
        if part.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let hint = format!("write `{}`", repository.to_ascii_lowercase());
            return Err(invalid(whole, &format!("the repository `{repository}` has upper-case letters"), &hint));
        }
        if !good_part(part) {
            let why = format!("`{part}` is no part of a repository name");
            return Err(invalid(whole, &why, "use lower-case letters, digits and single `.`, `_`, `-` between them"));
        }
    }
    Ok(())
}

/// `[a-z0-9]+` parts, joined by one dot, one or two underscores, or any number of dashes.
fn good_part(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().is_some_and(|byte| alphanumeric(*byte)) || !bytes.last().is_some_and(|byte| alphanumeric(*byte)) {
        return false;
    }
    bytes
        .split(|byte| alphanumeric(*byte))
        .all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|byte| *byte == b'-'))
}

fn check_tag(tag: &str, whole: &str) -> Result<()> {
    let mut bytes = tag.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if first && rest && tag.len() <= TAG_BYTES_MAX {
        return Ok(());
    }
    let why = if tag.is_empty() { "the tag is empty".to_owned() } else { format!("`{tag}` is no tag") };
    let hint = if tag.contains('+') {
        format!("write `{}`: a tag has no `+`, and `_` stands for it", tag.replace('+', "_"))
    } else {
        format!("use letters, digits, `_`, `.` and `-`, at most {TAG_BYTES_MAX}, not starting with `.` or `-`")
    };
    Err(invalid(whole, &why, &hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, String, String) {
        let reference = Reference::parse(text).expect(text);
        (reference.registry.clone(), reference.repository.clone(), reference.version().to_string())
    }

    #[test]
    fn hosts_tags_and_digests() {
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(parsed("web"), owned("docker.io", "library/web", "latest"));
        assert_eq!(parsed("team/web:1"), owned("docker.io", "team/web", "1"));
        assert_eq!(parsed("localhost/web"), owned("localhost", "web", "latest"));
        assert_eq!(parsed("localhost:5000/a/b_c/d--e:v1.0_x"), owned("localhost:5000", "a/b_c/d--e", "v1.0_x"));
        assert_eq!(parsed("oci://[::1]:5000/web:1"), owned("[::1]:5000", "web", "1"));
        let digest = Digest::of(b"").to_string();
        assert_eq!(parsed(&format!("r.example/web:1@{digest}")), owned("r.example", "web", &digest));
        assert_eq!(Reference::parse("oci://r.example/web:1").expect("valid").to_string(), "r.example/web:1");
    }

    #[test]
    fn faults_say_what_to_write() {
        for (text, word) in [
            ("", "no repository"),
            ("r.example/", "no repository"),
            ("r.example/Web:1", "upper-case"),
            ("r.example/web:", "tag is empty"),
            ("r.example/web:1.0+2", "no tag"),
            ("r.example/a//b", "no part"),
            ("r.example/../b", "no part"),
            ("https://r.example/web", "no scheme"),
            ("r.example/web@sha512:00", "not supported"),
            ("r.example/web@sha256:00", "no SHA-256 digest"),
            ("r.example:port/web", "no valid port"),
            ("-r.example/web", "no host name"),
            ("oci-layout::tag", "no folder"),
        ] {
            let fault = Location::parse(text).expect_err(text);
            assert_eq!(fault.code, "reference-invalid");
            assert!(fault.message.contains(word), "{text}: {}", fault.message);
            assert!(!fault.hints.is_empty(), "{text}");
        }
        let long = format!("r.example/{}", "a".repeat(300));
        assert!(Reference::parse(&long).expect_err("too long").message.contains("longer"));
    }

    #[test]
    fn layouts() {
        let Location::Layout(layout) = Location::parse("oci-layout:./out:v1").expect("valid") else { panic!("a layout") };
        assert_eq!((layout.folder.to_str(), layout.tag.as_deref()), (Some("./out"), Some("v1")));
        let Location::Layout(layout) = Location::parse("oci-layout:/tmp/a:b/c").expect("valid") else { panic!("a layout") };
        assert_eq!((layout.folder.to_str(), layout.tag.as_deref()), (Some("/tmp/a:b/c"), None));
    }

    #[test]
    fn loopback_is_known() {
        for (host, loopback) in
            [("localhost:5000", true), ("127.0.0.1:5000", true), ("[::1]:5000", true), ("r.localhost", true), ("r.example", false)]
        {
            assert_eq!(Reference::parse(&format!("{host}/web")).expect(host).is_loopback(), loopback, "{host}");
        }
    }
}
