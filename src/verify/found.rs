//! An attestation that was found, and what is made of it.

use std::collections::HashSet;
use std::io::BufRead;
use std::sync::Arc;

use argo_attest_core::bundle::{Bundle, Evidence, lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Effort, Envelope, SignatureError};
use argo_attest_core::verify::{
    Authentic, Content, Place, Rejection, VerifiedStatement, authenticate_within,
};

use super::{CheckError, Checker};
use crate::attestations::{Candidate, Candidates, Form};

/// What one file of attestations holds.
#[derive(Debug)]
pub(super) struct Envelopes {
    pub(super) all: Vec<Envelope>,
    /// What a bundle carries beside its one envelope. Nothing is decided by it.
    pub(super) evidence: Evidence,
}

/// A candidate that was read: envelopes, none of them checked.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// Its bytes are gone: they may be many, and all that is asked of them again is what
    /// their digest is.
    pub(super) candidate: Candidate<'a>,
    pub(super) envelopes: Envelopes,
    pub(super) digest: Sha256Digest,
}

impl Envelopes {
    fn read(form: Form, bytes: &[u8]) -> Result<Self, Rejection> {
        match form {
            Form::Bundle => Ok(Bundle::from_json(bytes)?.into()),
            Form::Lines => Ok(lines::parse(bytes)?.into()),
            Form::Either => match Bundle::from_json(bytes) {
                Ok(bundle) => Ok(bundle.into()),
                // Of two reasons the one that fits what the file seems to be.
                Err(reason) => lines::parse(bytes).map(Into::into).map_err(|_| reason.into()),
            },
        }
    }
}

impl From<Bundle> for Envelopes {
    fn from(bundle: Bundle) -> Self {
        let (envelope, evidence) = bundle.into_parts();
        Self { all: vec![envelope], evidence }
    }
}

impl From<Vec<Envelope>> for Envelopes {
    fn from(all: Vec<Envelope>) -> Self {
        Self { all, evidence: Evidence::default() }
    }
}

/// What lies nearest to the artifact, where there is one place in which it may lie. What is
/// found first decides: another one further up cannot overrule it. `candidates`: those of
/// [`crate::attestations::Reach::Nearest`].
pub(super) async fn nearest(mut candidates: Candidates<'_>) -> Result<Found<'_>, CheckError> {
    match candidates.next().await {
        Some(candidate) => Ok(Found::of(candidate?)?),
        None => Err(Rejection::NoAttestation { looked_for: candidates.looked_for() }.into()),
    }
}

impl<'a> Found<'a> {
    /// Parses a candidate.
    pub(super) fn of(mut candidate: Candidate<'a>) -> Result<Self, Rejection> {
        let bytes = std::mem::take(&mut candidate.bytes);
        let envelopes = Envelopes::read(candidate.form, &bytes)?;
        Ok(Self { candidate, envelopes, digest: Sha256Digest::of(&bytes) })
    }

    /// The authentic ones with their places among the envelopes, newest first; the
    /// newest one's rejection if there is none.
    pub(super) fn authentic(&self, checker: &Checker) -> Result<Vec<(usize, Authentic)>, Rejection> {
        let mut authentic = Vec::new();
        let mut newest = None;
        let mut effort = Effort::default();
        // To repeat a line must cost whoever reads it nothing: its values are kept.
        let mut known = HashSet::new();
        for (index, envelope) in self.envelopes.all.iter().enumerate().rev() {
            if known.contains(envelope.unverified_payload()) {
                continue;
            }
            match authenticate_within(envelope, &checker.policy, checker.now, &mut effort) {
                Ok(statement) => {
                    known.insert(envelope.unverified_payload());
                    authentic.push((index, statement));
                }
                Err(rejection) => {
                    if matches!(rejection, Rejection::Signature(SignatureError::TooMuch)) {
                        newest = Some(rejection);
                        break;
                    }
                    newest = newest.or(Some(rejection));
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

    /// Whether one of the statements speaks of these bytes: which, and what it says.
    pub(super) async fn decide(
        &self,
        authentic: Vec<(usize, Authentic)>,
        content: &Arc<Content>,
    ) -> Result<(usize, VerifiedStatement), CheckError> {
        let place = self.candidate.place.clone();
        let mut manifest = None;
        if authentic.iter().any(|(_, a)| a.needs_manifest(&place, content)) {
            manifest = Some(self.candidate.manifest().await?);
        }
        // The lists that are read here may arrive over the network; the caller's thread only waits.
        let content = Arc::clone(content);
        let judge = move || {
            accept(authentic, &place, &content, || match &mut manifest {
                Some(open) => open(),
                None => Err(Rejection::NoManifest("nothing asked for it".into())),
            })
        };
        let judged = tokio::task::spawn_blocking(judge).await.map_err(|e| CheckError::Io {
            name: self.candidate.origin.clone(),
            source: std::io::Error::other(e),
        })?;
        Ok(judged?)
    }
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
