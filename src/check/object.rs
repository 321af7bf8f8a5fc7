//! Objects in a store.

use std::io::BufReader;

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::found::{Format, Found, accept};
use super::local::read_named;
use super::{CheckError, Checker};
use crate::attest::{BUNDLE_SUFFIX, LINES_SUFFIX, MAX_ATTESTATION};
use crate::digest::Sha256Digest;
use crate::manifest;
use crate::relpath::{RelPath, printable};
use crate::store::{ObjectKey, Store, StoreError};
use crate::verify::{Authentic, Content, Place, Rejection, VerifiedStatement};
use crate::volume::Progress;

/// Checks an object of a store. Gives the statement, and where it was found.
pub async fn check_object(
    checker: &Checker,
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<(VerifiedStatement, String), CheckError> {
    let (found, base) = match &checker.bundle {
        Some(bundle) => {
            let name = printable(bundle.as_os_str().as_encoded_bytes());
            let bytes = read_named(bundle)?;
            let envelopes = Format::Either.read(&bytes)?;
            let found = Found { origin: name, place: Place::Itself, envelopes, bundle: None };
            (found, key.as_str())
        }
        None => beside(store, key).await?,
    };
    let authentic = found.authentic(checker)?;
    let content = Content::File(digest(store, key, progress).await?);
    let (_, verified) = decide(store, &found, base, authentic, content).await?;
    Ok((verified, found.origin))
}

/// Whether one of the statements speaks of these bytes: which, and what it says.
pub(super) async fn decide(
    store: &dyn Store,
    found: &Found,
    base: &str,
    authentic: Vec<(usize, Authentic)>,
    content: Content,
) -> Result<(usize, VerifiedStatement), CheckError> {
    let manifest = if authentic.iter().any(|(_, a)| a.needs_manifest(&found.place, &content)) {
        Some(fetch_manifest(store, base).await?)
    } else {
        None
    };
    // The lists that are read here arrive over the network; the caller's thread only waits.
    let place = found.place.clone();
    let judge = move || {
        let mut manifest = manifest;
        accept(authentic, &place, &content, || {
            manifest
                .take()
                .map(BufReader::new)
                .ok_or_else(|| Rejection::NoManifest("it was read already".into()))
        })
    };
    let judged = tokio::task::spawn_blocking(judge)
        .await
        .map_err(|e| CheckError::Io { name: found.origin.clone(), source: std::io::Error::other(e) })?;
    Ok(judged?)
}

pub(super) async fn beside<'k>(
    store: &dyn Store,
    key: &'k ObjectKey,
) -> Result<(Found, &'k str), CheckError> {
    let mut looked_for = Vec::new();
    let whole = key.as_str();
    let parents = whole.rmatch_indices('/').map(|(at, _)| at);
    for end in std::iter::once(whole.len()).chain(parents) {
        let (base, rest) = whole.split_at(end);
        for (suffix, format) in [(BUNDLE_SUFFIX, Format::Bundle), (LINES_SUFFIX, Format::Lines)] {
            let Ok(name) = ObjectKey::new(&format!("{base}{suffix}")) else { continue };
            match store.get(&name, MAX_ATTESTATION).await {
                Ok(object) => {
                    let envelopes = format.read(&object.bytes)?;
                    let place = match RelPath::from_bytes(rest.trim_start_matches('/').as_bytes()) {
                        Ok(path) if !path.is_root() => Place::Within(path),
                        _ => Place::Itself,
                    };
                    let bundle = (format == Format::Bundle).then(|| Sha256Digest::of(&object.bytes));
                    return Ok((Found { origin: store.uri(&name), place, envelopes, bundle }, base));
                }
                Err(StoreError::NotFound { .. }) => looked_for.push(store.uri(&name)),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Err(Rejection::NoAttestation { looked_for }.into())
}

async fn digest(
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<Sha256Digest, CheckError> {
    let mut stream = match store.stream(key).await {
        Err(StoreError::NotFound { .. }) => return Err(CheckError::NoArtifact),
        stream => stream?,
    };
    progress.total(stream.info().size);
    let mut hasher = Sha256::new();
    while let Some(chunk) = stream.next().await? {
        hasher.update(&chunk);
        progress.advanced(u64::try_from(chunk.len()).unwrap_or_default());
    }
    Ok(Sha256Digest::from_hasher(hasher))
}

async fn fetch_manifest(store: &dyn Store, base: &str) -> Result<crate::store::BlockingRead, CheckError> {
    let missing = |why: String| CheckError::Rejected(Rejection::NoManifest(why));
    let key = ObjectKey::new(&format!("{base}{}", manifest::SUFFIX)).map_err(|e| missing(e.to_string()))?;
    match store.stream(&key).await {
        Ok(stream) => Ok(stream.into_blocking(Handle::current())),
        Err(StoreError::NotFound { .. }) => Err(missing(store.uri(&key))),
        Err(error) => Err(error.into()),
    }
}
