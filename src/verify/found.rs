//! An attestation that was found, and what is made of it.

use std::collections::HashSet;
use std::io::BufRead;
use std::sync::Arc;

use argo_attest_core::attestation_file::{AttestationFile, Claimed, Found as Item};
use argo_attest_core::bundle::{Evidence, Unjudged};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Effort, Envelope, SignatureError};
use argo_attest_core::policy::PolicyViolation;
use argo_attest_core::text::brief;
use argo_attest_core::verify::{
    Authentic, Content, Place, Rejection, VerifiedStatement, authenticate_within,
};

use super::{CheckError, Checker};
use crate::attestations::Candidate;

/// An envelope, and what came with it.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) envelope: Envelope,
    /// What came with it, to be judged by the policy's trusted root.
    evidence: Evidence,
    /// How much there is in all.
    unjudged: Unjudged,
    /// For whom the certificate is that it is said to be signed with, if it is.
    keyless: Option<String>,
}

/// A candidate that was read: envelopes, none of them checked.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// Its bytes are gone: they may be many, and all that is asked of them again is what
    /// their digest is.
    pub(super) candidate: Candidate<'a>,
    pub(super) all: Vec<Carried>,
    pub(super) digest: Sha256Digest,
}

/// Every signed statement that a file holds, whichever form it has.
fn statements(bytes: &[u8]) -> Result<Vec<Carried>, Rejection> {
    let mut other = None;
    let mut all = Vec::new();
    for item in AttestationFile::read(bytes)?.into_items() {
        match item.found {
            Item::Attestation(signed) => all.push(Carried {
                keyless: signed.claimed.iter().find_map(identity),
                unjudged: signed.unjudged,
                evidence: signed.evidence,
                envelope: signed.content,
            }),
            found => other = other.or_else(|| Some(found.form())),
        }
    }
    match other {
        Some(form) if all.is_empty() => Err(Rejection::NoStatement { found: form.to_owned() }),
        _ => Ok(all),
    }
}

fn identity(claimed: &Claimed) -> Option<String> {
    let Claimed::Certificate(read) = claimed else { return None };
    let name = read.as_ref().as_ref().ok().map(|read| match read.identities.as_slice() {
        [] => read.subject.clone(),
        names => names.join(", "),
    });
    Some(brief(
        &name.filter(|name| !name.is_empty()).unwrap_or_else(|| "nobody that it names".to_owned()),
        300,
    ))
}

impl<'a> Found<'a> {
    /// Parses a candidate.
    pub(super) fn of(mut candidate: Candidate<'a>) -> Result<Self, Rejection> {
        let bytes = std::mem::take(&mut candidate.bytes);
        let all = statements(&bytes)?;
        Ok(Self { candidate, all, digest: Sha256Digest::of(&bytes) })
    }

    /// The authentic ones with their places among the envelopes, newest first; the
    /// newest one's rejection if there is none.
    pub(super) fn authentic(&self, checker: &Checker) -> Result<Vec<(usize, Authentic)>, Rejection> {
        let mut authentic = Vec::new();
        let mut newest = None;
        let mut effort = Effort::default();
        // To repeat a line must cost whoever reads it nothing: its values are kept.
        let mut known = HashSet::new();
        let Checker { policy, wanted, now, .. } = checker;
        for (index, Carried { envelope, evidence, keyless, .. }) in self.all.iter().enumerate().rev() {
            if known.contains(envelope.unverified_payload()) {
                continue;
            }
            match authenticate_within(envelope, evidence, policy, wanted, *now, &mut effort) {
                Ok(statement) => {
                    known.insert(envelope.unverified_payload());
                    authentic.push((index, statement));
                }
                Err(rejection) => {
                    if matches!(rejection, Rejection::Signature(SignatureError::TooMuch)) {
                        newest = Some(rejection);
                        break;
                    }
                    let rejection = match (keyless, rejection) {
                        (Some(identity), Rejection::Signature(SignatureError::Untrusted { .. })) => {
                            Rejection::Keyless { identity: identity.clone() }
                        }
                        (_, rejection) => rejection,
                    };
                    // What a trusted key did sign tells more than what none did.
                    newest = match newest {
                        Some(before) if !is_untrusted(&before) || is_untrusted(&rejection) => Some(before),
                        _ => Some(rejection),
                    };
                }
            }
        }
        if authentic.is_empty() {
            return Err(newest.unwrap_or_else(|| Rejection::NoAttestation {
                looked_for: vec![format!("an envelope in {}", self.candidate.origin)],
            }));
        }
        Ok(authentic)
    }

    /// How much of what came with one of them proved nothing.
    pub(super) fn unjudged(&self, index: usize, statement: &VerifiedStatement) -> Unjudged {
        let all = self.all.get(index).map(|carried| carried.unjudged).unwrap_or_default();
        statement.proof().unjudged(all)
    }

    /// Whether one of the statements speaks of these bytes: which, and what it says.
    pub(super) async fn decide(
        &self,
        authentic: Vec<(usize, Authentic)>,
        content: &Arc<Content>,
    ) -> Result<(usize, VerifiedStatement), CheckError> {
        let place = self.candidate.place.clone();
        if !authentic.iter().any(|(_, a)| a.needs_manifest(&place, content)) {
            let unasked = || Err::<&[u8], _>(Rejection::NoManifest("nothing asked for it".into()));
            return Ok(accept(authentic, &place, content, unasked)?);
        }
        let manifest = self.candidate.manifest().await?;
        // The lists that are read here may arrive over the network; the caller's thread only waits.
        let content = Arc::clone(content);
        let judge = move || accept(authentic, &place, &content, manifest);
        let judged = tokio::task::spawn_blocking(judge).await.map_err(|e| CheckError::Io {
            name: self.candidate.origin.clone(),
            source: std::io::Error::other(e),
        })?;
        Ok(judged?)
    }
}

/// Whether it says no more than that no trusted key signed.
fn is_untrusted(rejection: &Rejection) -> bool {
    let is_signature = matches!(
        rejection,
        Rejection::Signature(SignatureError::Untrusted { .. } | SignatureError::Unsigned)
    );
    is_signature
        || matches!(
            rejection,
            Rejection::Keyless { .. }
                | Rejection::Certificate(_)
                | Rejection::Policy(PolicyViolation::Identity { .. })
        )
}

/// The first that speaks of the artifact, with its place among the envelopes; the
/// newest one's rejection if none does.
/// `manifest` opens the manifest anew for each that needs it.
fn accept<R: BufRead>(
    authentic: Vec<(usize, Authentic)>,
    place: &Place,
    content: &Content,
    mut manifest: impl FnMut() -> Result<R, Rejection>,
) -> Result<(usize, VerifiedStatement), Rejection> {
    let mut newest = None;
    for (index, statement) in authentic {
        let accepted = if statement.needs_manifest(place, content) {
            manifest().and_then(|mut reader| statement.accept(place, content, Some(&mut reader)))
        } else {
            statement.accept(place, content, None)
        };
        match accepted {
            Ok(verified) => return Ok((index, verified)),
            Err(rejection) => newest = newest.or(Some(rejection)),
        }
    }
    Err(newest.unwrap_or_else(|| Rejection::NoAttestation { looked_for: Vec::new() }))
}
