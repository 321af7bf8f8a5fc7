//! An attestation that was found, not yet checked.

use std::collections::HashSet;
use std::io::BufRead;

use argo_attest_core::bundle::{Bundle, Evidence, lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Effort, Envelope, SignatureError};
use argo_attest_core::verify::{
    Authentic, Content, Place, Rejection, VerifiedStatement, authenticate_within,
};

use super::Checker;

/// What one file of attestations holds.
#[derive(Debug)]
pub(super) struct Attestations {
    pub(super) envelopes: Vec<Envelope>,
    /// What a bundle carries beside its one envelope. Nothing is decided by it.
    pub(super) evidence: Evidence,
}

/// Envelopes from one file, and which artifact the file is beside.
#[derive(Debug)]
pub(super) struct Found {
    /// Where from, for people.
    pub(super) origin: String,
    pub(super) place: Place,
    pub(super) attestations: Attestations,
    /// Digest of the file, if it is a bundle in a store.
    pub(super) bundle: Option<Sha256Digest>,
}

/// How a file of envelopes is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Bundle,
    Lines,
    /// Named by the user: whichever it is.
    Either,
}

impl Format {
    pub(super) fn read(self, bytes: &[u8]) -> Result<Attestations, Rejection> {
        match self {
            Self::Bundle => Ok(Bundle::from_json(bytes)?.into()),
            Self::Lines => Ok(lines::parse(bytes)?.into()),
            Self::Either => match Bundle::from_json(bytes) {
                Ok(bundle) => Ok(bundle.into()),
                // Of two reasons the one that fits what the file seems to be.
                Err(reason) => lines::parse(bytes).map(Into::into).map_err(|_| reason.into()),
            },
        }
    }
}

impl From<Bundle> for Attestations {
    fn from(bundle: Bundle) -> Self {
        let (envelope, evidence) = bundle.into_parts();
        Self { envelopes: vec![envelope], evidence }
    }
}

impl From<Vec<Envelope>> for Attestations {
    fn from(envelopes: Vec<Envelope>) -> Self {
        Self { envelopes, evidence: Evidence::default() }
    }
}

impl Found {
    /// The authentic ones with their places among the envelopes, newest first; the
    /// newest one's rejection if there is none.
    pub(super) fn authentic(&self, checker: &Checker) -> Result<Vec<(usize, Authentic)>, Rejection> {
        let mut authentic = Vec::new();
        let mut newest = None;
        let mut effort = Effort::default();
        // To repeat a line must cost whoever reads it nothing: its values are kept.
        let mut known = HashSet::new();
        for (index, envelope) in self.attestations.envelopes.iter().enumerate().rev() {
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
                looked_for: vec![format!("an envelope in {}", self.origin)],
            }));
        }
        Ok(authentic)
    }
}

/// The first that speaks of the artifact, with its place among the envelopes; the
/// newest one's rejection if none does.
/// `manifest` opens the manifest anew for each that needs it.
pub(super) fn accept<R: BufRead>(
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
