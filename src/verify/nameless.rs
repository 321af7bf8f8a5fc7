//! What has bytes and no place: standard input, a pipe, a digest alone.

use std::path::Path;
use std::sync::Arc;

use argo_attest_core::digest::{FileDigests, Sha256Digest};
use argo_attest_core::verify::Content;

use super::found::Found;
use super::local::io_error;
use super::passed_over::PassedOver;
use super::{CheckError, Checked, Checker};
use crate::attestations::FileAttestations;
use crate::regular_file::{self, STANDARD_INPUT};

/// What a digest alone is written with, before its digits.
const SHA256: &str = "sha256:";

/// The bytes' digest, and the longer ones of bytes that were read.
type Digests = (Sha256Digest, Option<FileDigests>);

/// Reads what is named so, to its end; `None` if it is a file or a directory that has a place.
pub(super) fn digests(artifact: &Path) -> Result<Option<Digests>, CheckError> {
    let there = artifact.metadata();
    let digest = || artifact.to_str()?.strip_prefix(SHA256)?.parse().ok();
    if let (Err(_), Some(digest)) = (&there, digest()) {
        return Ok(Some((digest, None)));
    }
    let is_stream = there.is_ok_and(|there| !there.is_file() && !there.is_dir());
    if artifact != Path::new(STANDARD_INPUT) && !is_stream {
        return Ok(None);
    }
    let stream = regular_file::open_named(artifact).map_err(|e| io_error(artifact, e.into()))?;
    let digests = FileDigests::read(stream).map_err(|e| io_error(artifact, e))?;
    Ok(Some((digests.sha256(), Some(digests))))
}

/// Checks it against the attestation that is named.
pub(super) async fn check(
    checker: &Checker,
    artifact: &Path,
    (sha256, digests): Digests,
) -> Result<Checked, CheckError> {
    let Some(bundle) = &checker.bundle else { return Err(CheckError::Nameless) };
    let found = Found::of(FileAttestations::new(artifact).named(bundle))?;
    let authentic = found.authentic(checker)?.into_iter();
    let authentic = authentic
        .map(|(index, statement)| match &digests {
            Some(digests) if statement.needs_longer() => (index, statement.knowing(digests)),
            _ => (index, statement),
        })
        .collect();
    let (index, statement) = found.decide(authentic, &Arc::new(Content::File(sha256))).await?;
    let unjudged = found.unjudged(index, &statement);
    let (origin, file) = (found.candidate.origin, found.digest);
    Ok(Checked {
        statement,
        origin,
        file,
        placed: None,
        image: None,
        unjudged,
        passed_over: PassedOver::default(),
    })
}
