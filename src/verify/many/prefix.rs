//! The objects beneath a prefix of a bucket.

use std::io::BufReader;
use std::sync::Arc;

use argo_attest_core::contract::store::APART;
use argo_attest_core::relpath::printable;
use futures_util::stream::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::lanes::on_all_cores;
use super::surveyed::Surveyed;
use super::{Artifact, Collection, MAX_ENTRIES, MAX_NAMES, USUAL_ATTESTATION, is_attestation, is_manifest};
use crate::attestations::{
    MAX_ATTESTATION, Names, ObjectAttestations, Reach, Sorted, There, is_called_manifest, is_of_some_files,
    sorted,
};
use crate::store::{ObjectKey, Store, StoreError};
use crate::verify::CheckError;

/// What is beneath a prefix, which is empty or ends in `/`. Where the prefix is that of a
/// directory with an attestation of its own, or in one, that is one artifact.
pub async fn prefix(store: Arc<dyn Store>, prefix: &str) -> Result<Collection, CheckError> {
    let directory = prefix.strip_suffix('/').unwrap_or(prefix);
    let mut room = Room { entries: MAX_ENTRIES, bytes: MAX_NAMES };
    let mut there = There { files: listed(store.as_ref(), prefix, &mut room).await?, ..There::default() };
    if let Ok(key) = ObjectKey::new(directory)
        && is_claimed(store.as_ref(), &key).await?
    {
        let members: Vec<_> = there.files.iter().filter_map(|name| key_of(name)).collect();
        if members.is_empty() {
            return Err(nothing(store.as_ref(), prefix));
        }
        let artifacts = vec![Artifact::Directory(store, key, members)];
        return Ok(Collection { artifacts, ..Collection::default() });
    }
    if !prefix.is_empty() && !prefix.starts_with(APART) {
        let apart = listed(store.as_ref(), &format!("{APART}{prefix}"), &mut room).await?;
        let beside = |name: Box<[u8]>| name.strip_prefix(APART.as_bytes()).map(Box::from);
        there.apart = apart.into_iter().filter_map(beside).collect();
    }
    let parts = sorted(&there, directory.as_bytes());
    let surveyed = Arc::new(Surveyed::new(store, prefix, there));
    let store: Arc<dyn Store> = Arc::clone(&surveyed) as _;
    let called = |part: &Sorted| match part {
        Sorted::Beside(name) | Sorted::Doubtful(name) => key_of(name),
        Sorted::Artifact(_) | Sorted::Directory(..) => None,
    };
    let looks: Vec<_> = parts.iter().filter_map(called).collect();
    let large = Arc::new(Semaphore::new(1));
    let look = move |key: ObjectKey| {
        let (surveyed, large) = (Arc::clone(&surveyed), Arc::clone(&large));
        async move { is_what_it_is_called(&surveyed, &key, &large).await.then_some(key) }
    };
    let are: Vec<_> = on_all_cores(looks, look).collect().await;
    let mut collection = Collection::default();
    let mut are = are.into_iter();
    for part in parts {
        match part {
            Sorted::Artifact(name) => {
                collection
                    .artifacts
                    .extend(key_of(&name).map(|key| Artifact::Object(Arc::clone(&store), key)));
            }
            Sorted::Beside(ref name) | Sorted::Doubtful(ref name) => match are.next().flatten() {
                Some(key) if matches!(part, Sorted::Doubtful(_)) && !is_of_some_files(name) => {
                    collection.orphans.push(store.uri(&key));
                }
                Some(_) => {}
                None => collection
                    .artifacts
                    .extend(key_of(name).map(|key| Artifact::Object(Arc::clone(&store), key))),
            },
            Sorted::Directory(name, members) => {
                let members = members.iter().filter_map(|name| key_of(name)).collect();
                collection
                    .artifacts
                    .extend(key_of(&name).map(|key| Artifact::Directory(Arc::clone(&store), key, members)));
            }
        }
    }
    if collection.artifacts.is_empty() { Err(nothing(store.as_ref(), prefix)) } else { Ok(collection) }
}

/// How much more may be listed.
struct Room {
    entries: usize,
    bytes: usize,
}

/// The keys beneath a prefix, but for the empty objects that consoles make to show a folder.
async fn listed(store: &dyn Store, prefix: &str, room: &mut Room) -> Result<Names, CheckError> {
    let mut names = Names::new();
    let mut listing = store.list(prefix);
    while let Some(page) = listing.next().await? {
        for object in page {
            let key = object.key.as_str();
            // Counted before they are told apart: one key, over and over, has no end either.
            room.entries = room.entries.checked_sub(1).ok_or(CheckError::TooMany)?;
            room.bytes = room.bytes.checked_sub(key.len()).ok_or(CheckError::TooMany)?;
            if object.size > 0 || !key.ends_with('/') {
                names.insert(key.as_bytes().into());
            }
        }
    }
    Ok(names)
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
        Some(Err(crate::attestations::FindError::Rejected(_))) | None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Whether an object that is called like an attestation, or like the manifest of one, is that.
/// What cannot be read is nothing of the kind. Of those that are large one is held at a time.
async fn is_what_it_is_called(store: &Surveyed, key: &ObjectKey, large: &Semaphore) -> bool {
    if is_called_manifest(key.as_str().as_bytes()) {
        let Ok(list) = store.stream(key).await else { return false };
        let list = BufReader::new(list.into_blocking(Handle::current()));
        return tokio::task::spawn_blocking(move || is_manifest(list)).await.unwrap_or(false);
    }
    match store.get_ahead(key, USUAL_ATTESTATION).await {
        Ok(object) => is_attestation(&object.bytes),
        Err(StoreError::TooLarge { .. }) => {
            let _alone = large.acquire().await;
            store.get(key, MAX_ATTESTATION).await.is_ok_and(|object| is_attestation(&object.bytes))
        }
        Err(_) => false,
    }
}

fn key_of(name: &[u8]) -> Option<ObjectKey> {
    std::str::from_utf8(name).ok().and_then(|key| ObjectKey::new(key).ok())
}

fn nothing(store: &dyn Store, prefix: &str) -> CheckError {
    let of = ObjectKey::new(prefix).map_or_else(|_| printable(prefix.as_bytes()), |key| store.uri(&key));
    CheckError::NothingBeneath(of)
}
