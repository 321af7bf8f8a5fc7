//! The objects beneath a prefix of a bucket.

use std::sync::Arc;

use argo_attest_core::argo::StoreKind;
use argo_attest_core::contract::store::APART;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::verify::Rejection;

use super::lanes::Lanes;
use super::objects::{Beside, Objects};
use super::part::{Changing, Part};
use super::surveyed::Surveyed;
use super::told::Told;
use super::{Artifact, Artifacts, Collection, MAX_ENTRIES, MAX_NAMES};
use crate::attestations::{FindError, ObjectAttestations, Reach, Sorting, There, is_called_lines};
use crate::roll::Gathering;
use crate::store::{ObjectKey, Store, StoreError};
use crate::verify::CheckError;

/// What is beneath a prefix, which is empty or ends in `/`. Where the prefix is that of a
/// directory with an attestation of its own, or in one, that is one artifact.
pub async fn prefix(lanes: &Lanes, store: Arc<dyn Store>, prefix: &str) -> Result<Collection, CheckError> {
    prefix_part(lanes, store, prefix, &Part::default()).await
}

/// The same of a part of it. What there is, is listed as a whole: so it is known what is beside what.
pub async fn prefix_part(
    lanes: &Lanes,
    store: Arc<dyn Store>,
    prefix: &str,
    part: &Part,
) -> Result<Collection, CheckError> {
    let directory = prefix.strip_suffix('/').unwrap_or(prefix);
    // Neither hangs on the others, and each is several requests, one after the other.
    let (beneath, claimed, beside) = tokio::join!(
        listed(store.as_ref(), prefix, "", part),
        claimed(store.as_ref(), directory),
        listed_apart(store.as_ref(), prefix, part),
    );
    let Listed { names: files, mut taken, changed } = beneath?;
    let mut there = There { files: files.roll(), ..There::default() };
    if let Some(key) = claimed? {
        let members: Vec<_> = there.files.iter().filter_map(|name| key_of(&name)).collect();
        let is_there = !members.is_empty();
        // It is one artifact, and looked at whenever it changed.
        let is_ours = part.shard.is_none_or(|shard| shard.has(directory.as_bytes()));
        let artifact = (is_there && is_ours).then_some(Artifact::Directory(store, key, members));
        let kind = Some(ArtifactKind::Stored(StoreKind::S3));
        let artifacts = artifact.into_iter().map(|artifact| (artifact, kind)).collect();
        let has_others = is_there && !is_ours;
        let listing = part.listing(&there, true);
        return Ok(Collection { artifacts, has_others, listing, ..Collection::default() });
    }
    let mut changed_apart = Changing::default();
    if let Some(found) = beside? {
        taken.take(found.taken)?;
        changed_apart = found.changed;
        there.apart = found.names.roll();
    }
    let listing = part.listing(&there, false);
    let changed = changed.with(changed_apart);
    let surveyed = Surveyed::new(store, prefix, Sorting::of(there, directory.as_bytes()));
    let (objects, beside) = Objects::of(Arc::new(surveyed), *part, changed, lanes).await;
    let Beside { orphans, old_outcomes, unchanged, has_others } = beside;
    let artifacts = Artifacts::from(objects);
    Ok(Collection { artifacts, orphans, old_outcomes, unchanged, has_others, listing })
}

/// What a listing takes, of which there is a most.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    entries: usize,
    bytes: usize,
}

impl Taken {
    fn take(&mut self, more: Self) -> Result<(), CheckError> {
        self.entries = self.entries.saturating_add(more.entries);
        self.bytes = self.bytes.saturating_add(more.bytes);
        if self.entries > MAX_ENTRIES || self.bytes > MAX_NAMES { Err(CheckError::TooMany) } else { Ok(()) }
    }
}

/// What was listed.
#[derive(Default)]
struct Listed {
    names: Gathering,
    taken: Taken,
    changed: Changing,
}

/// The keys beneath a prefix, but for the empty objects that consoles make to show a folder; of lines with
/// what is told of them. Keys that begin so are noted `without` that.
async fn listed(store: &dyn Store, prefix: &str, without: &str, part: &Part) -> Result<Listed, CheckError> {
    let mut found = Listed::default();
    let mut listing = store.list(prefix);
    while let Some(page) = listing.next().await? {
        for object in page {
            let key = object.key.as_str();
            // Counted before they are told apart: one key, over and over, has no end either.
            found.taken.take(Taken { entries: 1, bytes: key.len() })?;
            if object.size > 0 || !key.ends_with('/') {
                found.changed.note(part, key.as_bytes(), object.modified);
                let told = Told::of(&object).filter(|_| is_called_lines(key)).map(Told::note);
                let name = key.strip_prefix(without).unwrap_or(key).as_bytes();
                found.names.note(name, told.as_ref().map_or(&[], |told| told.as_slice()));
            }
        }
    }
    Ok(found)
}

/// The same, of what lies apart from it, if that is another place.
async fn listed_apart(store: &dyn Store, prefix: &str, part: &Part) -> Result<Option<Listed>, CheckError> {
    if prefix.is_empty() || prefix.starts_with(APART) {
        return Ok(None);
    }
    listed(store, &format!("{APART}{prefix}"), APART, part).await.map(Some)
}

/// The key of the directory, if an attestation may be about all of it.
async fn claimed(store: &dyn Store, directory: &str) -> Result<Option<ObjectKey>, CheckError> {
    let Ok(key) = ObjectKey::new(directory) else { return Ok(None) };
    Ok(is_claimed(store, &key).await?.then_some(key))
}

/// Whether an attestation may be about all of the directory: its own, unless an object of its
/// name has that, or that of one which it is in.
async fn is_claimed(store: &dyn Store, directory: &ObjectKey) -> Result<bool, CheckError> {
    let attestations = ObjectAttestations::new(store, directory);
    match attestations.candidates(Reach::Own).next().await {
        Some(Ok(_)) => {
            return match store.head(directory).await {
                Ok(_) => Ok(false),
                Err(StoreError::NotFound { .. } | StoreError::NotAFile { .. }) => Ok(true),
                Err(error) => Err(error.into()),
            };
        }
        Some(Err(error)) => return Err(error.into()),
        None => {}
    }
    match attestations.candidates(Reach::Nearest).next().await {
        // A key that is no plain path is in no attested directory.
        Some(Err(FindError::Rejected(Rejection::Spelling { .. }))) | None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(error.into()),
    }
}

/// The key that a name was listed as.
pub(super) fn key_of(name: &[u8]) -> Option<ObjectKey> {
    std::str::from_utf8(name).ok().and_then(|key| ObjectKey::new(key).ok())
}
