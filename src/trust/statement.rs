//! In-toto statements about an artifact, and the one that says how it was made (SLSA provenance).
//!
//! A statement is a function of what it is about: no times, no names of machines. The same render of the same sources makes
//! the same statement, and with the same key the same signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bundle;
use super::envelope::IN_TOTO;
use super::key::PrivateKey;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Blob, Descriptor, Digest};

/// The predicate type of provenance.
pub(crate) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// The predicate type of a CycloneDX bill of materials.
pub(crate) const SBOM: &str = "https://cyclonedx.org/bom";
/// The predicate type of the verdict of `push --check`.
pub(crate) const CHECK: &str = "https://github.com/hydrant-dev/hydrant/check/v1";
/// The predicate type of cosign's signatures.
pub(super) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// What makes artifacts, and how: the meaning of the parameters is in COMPATIBILITY.md.
const BUILDER: &str = "https://github.com/hydrant-dev/hydrant";
const BUILD_TYPE: &str = "https://github.com/hydrant-dev/hydrant/render/v1";
/// How tools that attach unsigned statements say what they are about.
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// A statement about one artifact.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    /// What is stated.
    pub(crate) predicate_type: String,
    /// The statement itself.
    #[serde(default)]
    pub(crate) predicate: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Subject {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// A statement about the artifact of this digest; `name` is for people, and may be empty.
    pub(crate) fn about(digest: Digest, name: &str, predicate_type: &str, predicate: Value) -> Statement {
        Statement {
            kind: STATEMENT.to_owned(),
            subject: vec![Subject {
                name: name.to_owned(),
                digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
            }],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// The statement that is cosign's signature.
    pub(crate) fn signature(digest: Digest) -> Statement {
        Statement::about(digest, "", SIGNATURE, json!({}))
    }

    /// Reads a statement; nothing if it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Statement> {
        let statement: Statement = serde_json::from_slice(bytes).ok()?;
        statement.kind.starts_with("https://in-toto.io/Statement/").then_some(statement)
    }

    /// True if the statement is about this digest.
    pub(super) fn is_about(&self, digest: Digest) -> bool {
        let hex = digest.hex();
        self.subject.iter().any(|subject| subject.digest.get("sha256") == Some(&hex))
    }

    /// The statement, signed, as an artifact that refers to `subject`.
    pub(crate) fn attach_signed(&self, subject: Descriptor, key: &PrivateKey) -> Result<Artifact> {
        bundle::attachment(subject, &self.bytes()?, &self.predicate_type, key)
    }

    /// The statement as it is, as an artifact that refers to `subject`.
    pub(crate) fn attach_plain(&self, subject: Descriptor) -> Result<Artifact> {
        let annotations = BTreeMap::from([(PREDICATE_TYPE.to_owned(), self.predicate_type.clone())]);
        let mut blob = Blob::new(IN_TOTO, self.bytes()?);
        blob.descriptor.annotations = annotations.clone();
        Artifact::attachment(subject, IN_TOTO, blob, annotations)
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|fault| Box::new(Diagnostic::bug("statement-json", fault.to_string())))
    }
}

/// How an artifact was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    /// What the user chose: source, profile, media types, annotations.
    pub(crate) parameters: BTreeMap<String, Value>,
    /// What went in.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One thing that went into an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Dependency {
    /// What it is, for people.
    pub(crate) name: String,
    /// Where it comes from; empty where that is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) uri: String,
    /// Digests by algorithm: `sha256` of a file, `dirHash` of a folder, `gitCommit`.
    pub(crate) digest: BTreeMap<String, String>,
}

/// The provenance of an artifact.
pub(crate) fn provenance(digest: Digest, name: &str, made: &Made) -> Statement {
    let predicate = json!({
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": made.parameters,
            "resolvedDependencies": made.dependencies,
        },
        "runDetails": { "builder": { "id": BUILDER, "version": { "hydrant": env!("CARGO_PKG_VERSION") } } },
    });
    Statement::about(digest, name, PROVENANCE, predicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_comes_back_and_knows_what_it_is_about() {
        let made = Made {
            parameters: BTreeMap::from([("source".to_owned(), json!("examples/chart"))]),
            dependencies: vec![Dependency {
                name: "source".to_owned(),
                uri: String::new(),
                digest: BTreeMap::from([("dirHash".to_owned(), "00".to_owned())]),
            }],
        };
        let statement = provenance(Digest::of(b"x"), "r.example/web", &made);
        let bytes = statement.bytes().expect("JSON");
        assert_eq!(bytes, provenance(Digest::of(b"x"), "r.example/web", &made).bytes().expect("JSON"));
        let read = Statement::read(&bytes).expect("a statement");
        assert!(read.is_about(Digest::of(b"x")) && !read.is_about(Digest::of(b"y")));
        let dependencies = &read.predicate["buildDefinition"]["resolvedDependencies"];
        assert_eq!(dependencies, &json!([{ "name": "source", "digest": { "dirHash": "00" } }]));
        for text in ["", "{}", "[]", r#"{"_type":"x","subject":[],"predicateType":"y"}"#] {
            assert!(Statement::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
