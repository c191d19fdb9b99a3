//! What refers to an artifact: signatures and statements, found and attached.
//!
//! A registry with the referrers API keeps the list itself. One without it gets the list under the tag `sha256-HEX`, as the
//! distribution specification says, which every tool reads. An image layout lists referrers without a tag.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use reqwest::header::HeaderName;
use reqwest::{Method, StatusCode};

use super::client::{Client, MANIFEST_BYTES_MAX, next_page};
use super::fault;
use super::layout::Layout;
use super::push::{Step, pushing};
use super::transport::{Purpose, Request};
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest, Index, Location, Manifest, Reference, Version, media_type};

/// Most referrers of one artifact that are listed, and most pages.
const REFERRERS_MAX: usize = 1000;
const PAGES_MAX: usize = 100;
/// Tries to write the list of referrers while others write it too.
const LIST_TRIES: u32 = 5;
/// A registry that keeps referrers itself says so when it is given one.
const SUBJECT_HEADER: HeaderName = HeaderName::from_static("oci-subject");

impl Client {
    /// What refers to a digest, in the order in which it is listed. Nothing is an answer, too.
    pub(crate) async fn referrers(&self, location: &Location, subject: Digest) -> Result<Vec<Descriptor>> {
        let found = match location {
            Location::Layout(reference) => Layout::at(reference).referrers(subject)?,
            Location::Registry(reference) => {
                let what = format!("list what refers to `{reference}`");
                let purpose = Purpose { reference, push: false, what: &what };
                match self.referrers_by_api(purpose, subject).await? {
                    Some(found) => found,
                    None => self.referrers_by_tag(purpose, subject).await?,
                }
            }
        };
        if found.len() > REFERRERS_MAX {
            let text = format!("`{location}` has {} referrers, more than the {REFERRERS_MAX} allowed", found.len());
            return Err(Box::new(
                Diagnostic::unreachable("referrers-too-many", text).hint("remove those that nobody needs"),
            ));
        }
        Ok(found)
    }

    /// Attaches artifacts whose subject is `subject`, those that are not there yet; says how many were new.
    pub(crate) async fn attach(
        &self,
        location: &Location,
        subject: Digest,
        attachments: &[Artifact],
        told: &mut dyn FnMut(Step),
    ) -> Result<usize> {
        let listed = self.referrers(location, subject).await?;
        let missing: Vec<&Artifact> =
            attachments.iter().filter(|one| !listed.iter().any(|found| found.digest == one.digest)).collect();
        self.write_blobs(location, &missing, told).await?;
        let written = missing.iter().map(async |artifact| {
            let manifest = Blob { descriptor: artifact.descriptor(), bytes: artifact.manifest.clone() };
            self.write_referrer(location, &manifest).await.map(|listed| (*artifact, listed))
        });
        let written = try_join_all(written).await?;
        let unlisted: Vec<Descriptor> =
            written.iter().filter(|(_, listed)| !listed).map(|(artifact, _)| artifact.referrer()).collect();
        if let Location::Registry(reference) = location
            && !unlisted.is_empty()
        {
            self.list_by_tag(reference, subject, &unlisted).await?;
        }
        Ok(missing.len())
    }

    /// Writes the manifest of a referrer by its digest; true if the place lists it by itself.
    pub(super) async fn write_referrer(&self, location: &Location, manifest: &Blob) -> Result<bool> {
        let version = Version::Digest(manifest.descriptor.digest);
        match location {
            Location::Layout(_) => self.write_manifest(location, &version, manifest, true).await.map(|()| true),
            Location::Registry(reference) => {
                let what = format!("attach to `{reference}`");
                let purpose = pushing(reference, &what);
                let answer = self.put(purpose, &version, &manifest.bytes, &manifest.descriptor.media_type).await?;
                Ok(answer.headers().contains_key(SUBJECT_HEADER))
            }
        }
    }

    /// The list that the referrers API gives; nothing where a registry has no such API.
    async fn referrers_by_api(&self, purpose: Purpose<'_>, subject: Digest) -> Result<Option<Vec<Descriptor>>> {
        let mut url = self.transport.url(purpose.reference, &format!("referrers/{subject}"))?;
        let broken = |why| fault::broken(purpose.what, &purpose.reference.registry, why);
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let mut request = Request::new(Method::GET, url.clone());
            request.header("accept", media_type::INDEX);
            let answer = self.transport.send(purpose, &request).await?;
            let lacks_api = [
                StatusCode::BAD_REQUEST,
                StatusCode::NOT_FOUND,
                StatusCode::METHOD_NOT_ALLOWED,
                StatusCode::NOT_IMPLEMENTED,
            ];
            match answer.status() {
                StatusCode::OK => {}
                status if page == 0 && lacks_api.contains(&status) => return Ok(None),
                _ => return Err(self.transport.refused(purpose, answer).await),
            }
            let next = next_page(&answer);
            let body = self.transport.body(answer, MANIFEST_BYTES_MAX).await;
            let body = body.ok_or_else(|| broken("sends a list of referrers without an end"))?;
            let index: Index =
                serde_json::from_slice(&body).map_err(|_| broken("sends a list of referrers that cannot be read"))?;
            found.extend(index.manifests);
            match next {
                Some(next) if next.origin() == url.origin() && found.len() <= REFERRERS_MAX => url = next,
                _ => break,
            }
        }
        Ok(Some(found))
    }

    /// The list under the tag that stands in for the API; empty where there is none.
    async fn referrers_by_tag(&self, purpose: Purpose<'_>, subject: Digest) -> Result<Vec<Descriptor>> {
        let Some((bytes, content_type)) = self.manifest_if_there(purpose, &Version::Tag(subject.tag(""))).await? else {
            return Ok(Vec::new());
        };
        match Manifest::parse(&bytes, &content_type)? {
            Manifest::Index(index) => Ok(index.manifests),
            Manifest::Image(_) => Err(fault::broken(
                purpose.what,
                &purpose.reference.registry,
                "has an image where a list of referrers belongs",
            )),
        }
    }

    /// Adds to the list under the tag. Others may write it at the same time, so it is read again until all is there.
    pub(super) async fn list_by_tag(&self, reference: &Reference, subject: Digest, new: &[Descriptor]) -> Result<()> {
        let what = format!("attach to `{reference}`");
        let purpose = pushing(reference, &what);
        let tag = Version::Tag(subject.tag(""));
        for _ in 0..LIST_TRIES {
            let mut manifests = self.referrers_by_tag(purpose, subject).await?;
            let before = manifests.len();
            for descriptor in new {
                if !manifests.iter().any(|found| found.digest == descriptor.digest) {
                    manifests.push(descriptor.clone());
                }
            }
            if manifests.len() == before {
                return Ok(());
            }
            let index = Index {
                schema_version: 2,
                media_type: Some(media_type::INDEX.to_owned()),
                manifests,
                annotations: BTreeMap::new(),
            };
            let text =
                serde_json::to_vec(&index).map_err(|fault| Diagnostic::bug("referrers-json", fault.to_string()))?;
            self.put(purpose, &tag, &text.into(), media_type::INDEX).await?;
        }
        let text = format!("cannot {what}: others change the list of referrers `{tag}` all the time");
        Err(Box::new(
            Diagnostic::unreachable("referrers-busy", text)
                .hint("try again when nobody else attaches to this artifact"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::faulty::{Anonymous, Asked, Faulty, Reply, answer, artifact, client, run};
    use super::*;

    fn attachment(text: &str) -> Artifact {
        let blob = Blob::new("application/vnd.in-toto+json", text.as_bytes());
        Artifact::attachment(artifact().descriptor(), "application/vnd.in-toto+json", blob, BTreeMap::new())
            .expect("JSON")
    }

    /// A registry that keeps what it is given; with the referrers API or without it.
    fn keeper(api: bool) -> Faulty {
        let mut manifests: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut referrers: Vec<Descriptor> = Vec::new();
        Faulty::start(move |asked: &Asked, before: &[Asked]| {
            let name = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
            match asked.method.as_str() {
                "GET" if asked.path.contains("/referrers/") && api => {
                    let index = Index {
                        schema_version: 2,
                        media_type: None,
                        manifests: referrers.clone(),
                        annotations: BTreeMap::new(),
                    };
                    answer(200, &serde_json::to_vec(&index).expect("JSON"))
                }
                "GET" if asked.path.contains("/manifests/") => match manifests.get(&name) {
                    Some(bytes) => answer(200, bytes),
                    None => answer(404, br#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
                },
                "POST" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
                "PUT" if asked.path.contains("/manifests/") => {
                    manifests.insert(name, asked.body.clone());
                    if let Ok(Manifest::Image(image)) = Manifest::parse(&asked.body, "") {
                        referrers.push(Descriptor {
                            artifact_type: image.artifact_type,
                            ..Descriptor::of(media_type::MANIFEST, &asked.body)
                        });
                    }
                    Reply::Answer(201, if api { "oci-subject: x\r\n" } else { "" }.to_owned(), Vec::new())
                }
                "PUT" => answer(201, b""),
                _ => answer(404, b""),
            }
        })
    }

    fn attach(registry: &Faulty, attachments: &[Artifact]) -> usize {
        run(client(std::sync::Arc::new(Anonymous)).attach(
            &registry.location(),
            artifact().digest,
            attachments,
            &mut |_| {},
        ))
        .expect("attached")
    }

    fn listed(registry: &Faulty) -> Vec<Digest> {
        let found = run(client(std::sync::Arc::new(Anonymous)).referrers(&registry.location(), artifact().digest));
        found.expect("a list").iter().map(|one| one.digest).collect()
    }

    #[test]
    fn referrers_are_kept_by_the_api_and_by_the_tag() {
        let (one, two) = (attachment("1"), attachment("2"));
        for api in [true, false] {
            let registry = keeper(api);
            assert_eq!(listed(&registry), []);
            assert_eq!(attach(&registry, std::slice::from_ref(&one)), 1);
            assert_eq!(attach(&registry, &[one.clone(), two.clone()]), 1, "only what is missing");
            assert_eq!(attach(&registry, &[one.clone(), two.clone()]), 0);
            assert_eq!(listed(&registry), [one.digest, two.digest]);
            let tag = format!("/manifests/{}", artifact().digest.tag(""));
            assert_eq!(registry.asked().iter().any(|asked| asked.is("PUT", &tag)), !api);
        }
    }

    #[test]
    fn a_list_that_others_keep_overwriting_is_given_up_by_name() {
        let registry = Faulty::start(|asked, before| match asked.method.as_str() {
            "POST" => Reply::Answer(202, format!("location: /up/{}\r\n", before.len()), Vec::new()),
            "PUT" => answer(201, b""),
            _ => answer(404, b""),
        });
        let work = client(std::sync::Arc::new(Anonymous));
        let fault = run(work.attach(&registry.location(), artifact().digest, &[attachment("1")], &mut |_| {}));
        assert_eq!(fault.expect_err("never there").code, "referrers-busy");
    }

    #[test]
    fn lists_come_in_pages_and_too_long_ones_are_refused() {
        let page = |count: usize| {
            let manifests =
                (0..count).map(|at| Descriptor::of(media_type::MANIFEST, at.to_string().as_bytes())).collect();
            let index = Index { schema_version: 2, media_type: None, manifests, annotations: BTreeMap::new() };
            serde_json::to_vec(&index).expect("JSON")
        };
        let paged = Faulty::start(move |asked, _| {
            let last = asked.path.contains("page=2");
            let link = if last { String::new() } else { "link: <?page=2>; rel=\"next\"\r\n".to_owned() };
            Reply::Answer(200, link, page(2))
        });
        assert_eq!(listed(&paged).len(), 4);
        let endless =
            Faulty::start(move |_, _| Reply::Answer(200, "link: <?page=2>; rel=\"next\"\r\n".to_owned(), page(600)));
        let found = run(client(std::sync::Arc::new(Anonymous)).referrers(&endless.location(), artifact().digest));
        assert_eq!(found.expect_err("too many").code, "referrers-too-many");
    }
}
