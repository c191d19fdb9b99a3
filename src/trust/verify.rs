//! The verdict: what a key vouches for.
//!
//! Every byte of the artifact and of what is attached is checked against its digest first. A piece that names the key and
//! does not hold is an error by name, whatever else is there: it was changed, or moved here from another artifact.

use super::attached::{Attached, Claim, Proof, inspect};
use super::key::PublicKey;
use super::statement::CHECK;
use crate::diag::{Diagnostic, Result};
use crate::oci::{Artifact, Digest, Location};
use crate::registry::Client;

/// How far a piece can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Signed with the key.
    Signed,
    /// Signed with another key, or with a certificate.
    Foreign,
    /// Not signed at all.
    Unsigned,
}

/// What was found and checked.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The artifact, every byte verified.
    pub(crate) artifact: Artifact,
    /// What is attached, and how far it can be trusted.
    pub(crate) attached: Vec<(Attached, Standing)>,
}

/// Reads an artifact and everything attached to it, and checks it against a key. `statements` are the types of statements
/// that must be there, signed; a verdict of `push --check` among them must say that the artifact passed.
///
/// Fails with `signature-missing`, `signature-invalid`, `signature-subject`, `statement-missing`, `check-failed`, or as
/// reading does.
pub(crate) async fn verify(
    client: &Client,
    location: &Location,
    key: &PublicKey,
    statements: &[String],
) -> Result<Report> {
    // a tag may move between two reads; a digest does not
    let digest = client.resolve(location).await?;
    let pinned = location.with_digest(digest);
    let mut attached = Vec::new();
    for piece in inspect(client, &pinned, digest).await? {
        let standing = standing(&piece, digest, key)?;
        attached.push((piece, standing));
    }
    let signed = |claim: &Claim| attached.iter().any(|(piece, how)| *how == Standing::Signed && piece.claim == *claim);
    if !signed(&Claim::Signature) {
        return Err(unsigned(location, digest, &attached));
    }
    for kind in statements {
        if !signed(&Claim::Statement(kind.clone())) {
            let text = format!("`{location}` has no statement `{kind}` signed with this key");
            let check = if kind == CHECK { " --check" } else { "" };
            let hint = format!("push it again with `hydrant push{check} --sign KEY`");
            return Err(Box::new(Diagnostic::input("statement-missing", text).hint(hint)));
        }
        if kind == CHECK {
            passed(location, &attached)?;
        }
    }
    let artifact = client.pull(&pinned).await?;
    Ok(Report { artifact, attached })
}

/// Fails where a signed verdict says anything but that the artifact passed: one that did not counts, whatever others say.
fn passed(location: &Location, attached: &[(Attached, Standing)]) -> Result<()> {
    let verdicts = attached.iter().filter(|(piece, how)| {
        *how == Standing::Signed && matches!(&piece.claim, Claim::Statement(kind) if kind == CHECK)
    });
    for (piece, _) in verdicts {
        let result = piece.statement.as_ref().and_then(|statement| statement.predicate["result"].as_str());
        if result != Some("passed") {
            let text = format!(
                "the check of `{location}` did not pass: the verdict attached as `{}` says `{}`",
                piece.digest,
                result.unwrap_or_default()
            );
            return Err(Box::new(Diagnostic::input("check-failed", text).hint(
                "mend what `hydrant check` finds and push again, or remove a verdict that does not hold any more",
            )));
        }
    }
    Ok(())
}

fn standing(piece: &Attached, subject: Digest, key: &PublicKey) -> Result<Standing> {
    let (signed, named, about) = match &piece.proof {
        Proof::None => return Ok(Standing::Unsigned),
        Proof::Tag(signature) => (signature.verifies(key), false, signature.is_about(subject)),
        Proof::Envelope { envelope, payload, hint } => {
            let about = piece.statement.as_ref().is_some_and(|statement| statement.is_about(subject));
            (envelope.verifies(payload, key), hint.as_deref() == Some(key.hint()), about)
        }
    };
    match (signed, named, about) {
        (true, _, true) => Ok(Standing::Signed),
        (true, _, false) => {
            let text =
                format!("what is attached as `{}` was signed for another artifact than `{subject}`", piece.digest);
            Err(Box::new(
                Diagnostic::input("signature-subject", text)
                    .hint("remove it from the registry: somebody moved it here"),
            ))
        }
        (false, true, _) => {
            let text = format!("the signature of what is attached as `{}` does not hold: it was changed", piece.digest);
            Err(Box::new(
                Diagnostic::input("signature-invalid", text)
                    .hint("remove it from the registry, and push the artifact again with `hydrant push --sign KEY`"),
            ))
        }
        (false, false, _) => Ok(Standing::Foreign),
    }
}

fn unsigned(location: &Location, digest: Digest, attached: &[(Attached, Standing)]) -> Box<Diagnostic> {
    let foreign: Vec<String> = attached
        .iter()
        .filter(|(piece, _)| piece.claim == Claim::Signature)
        .map(|(piece, _)| format!("`{}`", piece.digest))
        .collect();
    let text = if foreign.is_empty() {
        format!("`{location}` is not signed: nothing vouches for `{digest}`")
    } else {
        format!("no signature of `{digest}` is by this key: there is {}", foreign.join(", "))
    };
    Box::new(
        Diagnostic::input("signature-missing", text)
            .hint("push it with `hydrant push --sign KEY`, or check that the key is the right one"),
    )
}
