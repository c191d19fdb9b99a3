//! Smart HTTP: which commit a revision names, and a pack of that commit without its history.
//!
//! Protocol version 2 is asked for; a server that answers in version 0 is understood, too. As git does it, the first request
//! carries what login the URL holds; a server that wants another is given what the user keeps for it.

use bytes::Bytes;
use reqwest::Url;

use super::object::Id;
use super::pack::Pack;
use super::packet::{Packet, Packets, push_line};
use super::{broken, candidates, no_revision};
use crate::charts::web::{Access, Ask, UNAUTHORIZED, Web, shown};
use crate::diag::{Diagnostic, Result};

/// Longest list of references, in bytes.
const REFERENCES_BYTES_MAX: usize = 64 << 20;
/// Largest pack, in bytes.
const PACK_BYTES_MAX: usize = 512 << 20;
const AGENT: &str = concat!("agent=hydrant/", env!("CARGO_PKG_VERSION"));
const VERSION_HEADER: &[(&str, &str)] = &[("git-protocol", "version=2")];
const REQUEST: &str = "application/x-git-upload-pack-request";

/// Fetches the objects of one commit; gives the id that the revision names.
pub(super) async fn fetch(web: &Web, url: &Url, revision: &str) -> Result<(Pack, Id)> {
    let mut server = Server { web, url, name: shown(url), access: Access::default() };
    let advertised = server.greet().await?;
    let greeting = Greeting::read(&advertised, &server.name)?;
    let exact = Id::parse(revision);
    let (id, answer) = match greeting {
        Greeting::Two => {
            let id = match exact {
                Some(id) => id,
                None => find(&server.list(revision).await?, &server.name, revision)?,
            };
            (id, server.post(two(id)).await?)
        }
        Greeting::Zero(references) => {
            let id = match exact {
                Some(id) => id,
                None => pick(&references, revision).ok_or_else(|| no_revision(&server.name, revision))?,
            };
            (id, server.post(zero(id)).await?)
        }
    };
    let pack = pack_of(&answer, &server.name)?;
    Ok((Pack::read(&pack, &server.name)?, id))
}

/// The request for one commit, version 2.
fn two(id: Id) -> Vec<u8> {
    let mut out = Vec::new();
    push_line(&mut out, "command=fetch");
    push_line(&mut out, AGENT);
    push_line(&mut out, "object-format=sha1");
    out.extend_from_slice(b"0001");
    for line in ["no-progress", "ofs-delta", "deepen 1", &format!("want {id}"), "done"] {
        push_line(&mut out, line);
    }
    out.extend_from_slice(b"0000");
    out
}

/// The request for one commit, version 0.
fn zero(id: Id) -> Vec<u8> {
    let mut out = Vec::new();
    push_line(&mut out, &format!("want {id} no-progress ofs-delta side-band-64k shallow {AGENT}"));
    push_line(&mut out, "deepen 1");
    out.extend_from_slice(b"0000");
    push_line(&mut out, "done");
    out
}

struct Server<'a> {
    web: &'a Web,
    url: &'a Url,
    name: String,
    access: Access,
}

impl Server<'_> {
    /// What the server says first; with the login that it wants, if there is one.
    async fn greet(&mut self) -> Result<Vec<u8>> {
        let first = match self.references().await {
            Err(fault) if fault.code == UNAUTHORIZED => fault,
            other => return other,
        };
        match self.web.login(self.url).await {
            Some(access) => {
                self.access = access;
                self.references().await
            }
            None => Err(no_login(first)),
        }
    }

    async fn references(&self) -> Result<Vec<u8>> {
        self.ask("info/refs", Some("service=git-upload-pack"), None, REFERENCES_BYTES_MAX).await
    }

    async fn post(&self, request: Vec<u8>) -> Result<Vec<u8>> {
        self.ask("git-upload-pack", None, Some((REQUEST, request.into())), PACK_BYTES_MAX).await
    }

    async fn ask(
        &self,
        path: &str,
        query: Option<&str>,
        body: Option<(&'static str, Bytes)>,
        limit: usize,
    ) -> Result<Vec<u8>> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        url.set_query(query);
        let what = format!("fetch `{}`", self.name);
        let access = &self.access;
        let ask = Ask { what: &what, url, home: self.url, access, accept: "*/*", headers: VERSION_HEADER, body };
        self.web.ask(&ask).await?.bytes(limit).await
    }

    /// The references that a revision may mean, version 2.
    async fn list(&self, revision: &str) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        push_line(&mut out, "command=ls-refs");
        push_line(&mut out, AGENT);
        push_line(&mut out, "object-format=sha1");
        out.extend_from_slice(b"0001");
        for name in candidates(revision) {
            push_line(&mut out, &format!("ref-prefix {name}"));
        }
        out.extend_from_slice(b"0000");
        self.post(out).await
    }
}

fn no_login(mut fault: Box<Diagnostic>) -> Box<Diagnostic> {
    fault.hints = vec!["give git a login for it: in `~/.netrc`, or with `git credential approve`".to_owned()];
    fault
}

/// What a server says first.
enum Greeting {
    /// It speaks version 2.
    Two,
    /// It speaks version 0 or 1 and has these references.
    Zero(Vec<(Id, String)>),
}

impl Greeting {
    fn read(bytes: &[u8], url: &str) -> Result<Greeting> {
        let mut packets = Packets::new(bytes, url);
        let mut references = Vec::new();
        while let Some(packet) = packets.next()? {
            let line = packet.line();
            if line == "version 2" {
                return Greeting::check_format(packets, url);
            }
            if line.starts_with('#') || line.starts_with("version ") || line.is_empty() {
                continue;
            }
            let bare = line.split('\0').next().unwrap_or_default();
            if let Some((id, name)) = bare.split_once(' ')
                && let Some(id) = Id::parse(id)
            {
                references.push((id, name.to_owned()));
            }
        }
        if references.is_empty() {
            Err(broken(url, "has no references that git would know"))
        } else {
            Ok(Greeting::Zero(references))
        }
    }

    fn check_format(mut packets: Packets<'_>, url: &str) -> Result<Greeting> {
        while let Some(packet) = packets.next()? {
            if let Some(format) = packet.line().strip_prefix("object-format=").filter(|format| *format != "sha1") {
                return Err(broken(url, &format!("names its objects by {format}, which is not read")));
            }
        }
        Ok(Greeting::Two)
    }
}

/// The id of a revision in the answer to `ls-refs`.
fn find(bytes: &[u8], url: &str, revision: &str) -> Result<Id> {
    let mut packets = Packets::new(bytes, url);
    let mut references = Vec::new();
    while let Some(packet) = packets.next()? {
        let mut words = packet.line().split(' ');
        if let (Some(id), Some(name)) = (words.next().and_then(Id::parse), words.next()) {
            references.push((id, name.to_owned()));
        }
    }
    pick(&references, revision).ok_or_else(|| no_revision(url, revision))
}

fn pick(references: &[(Id, String)], revision: &str) -> Option<Id> {
    candidates(revision).iter().find_map(|name| references.iter().find(|(_, known)| known == name).map(|(id, _)| *id))
}

/// The pack in the answer to a fetch, of either version.
fn pack_of(bytes: &[u8], url: &str) -> Result<Vec<u8>> {
    let mut packets = Packets::new(bytes, url);
    let mut pack = Vec::new();
    let mut begun = false;
    while let Some(packet) = packets.next()? {
        match packet {
            Packet::Data(b"packfile\n" | b"NAK\n") if !begun => begun = true,
            Packet::Data([1, piece @ ..]) if begun => pack.extend_from_slice(piece),
            Packet::Data([3, words @ ..]) if begun => {
                return Err(broken(url, &format!("answers: {}", String::from_utf8_lossy(words).trim())));
            }
            _ => {}
        }
    }
    if pack.is_empty() { Err(broken(url, "sends no pack")) } else { Ok(pack) }
}
