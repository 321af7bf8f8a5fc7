//! The objects beneath a prefix of a bucket.

use std::collections::HashSet;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::contract::store::APART;
use argo_attest_core::verify::Rejection;
use futures_util::stream::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::lanes::Lanes;
use super::part::{Changed, Look, Part, Unchanged};
use super::surveyed::Surveyed;
use super::told::{AllTold, Told};
use super::{Artifact, Collection, MAX_ENTRIES, MAX_NAMES, Orphan, address, attestation, is_manifest};
use crate::attestations::{
    FindError, MAX_ATTESTATION, Names, ObjectAttestations, Reach, Sorted, There, USUAL_ATTESTATION,
    all_forms, is_called_lines, is_called_manifest, is_of_some_files, sorted,
};
use crate::store::{Object, ObjectKey, Store, StoreError};
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
        listed(store.as_ref(), prefix, part),
        claimed(store.as_ref(), directory),
        listed_apart(store.as_ref(), prefix, part),
    );
    let Listed { names: files, told, mut taken, mut changed } = beneath?;
    let mut there = There { files, ..There::default() };
    if let Some(key) = claimed? {
        let members: Vec<_> = there.files.iter().filter_map(|name| key_of(name)).collect();
        let is_there = !members.is_empty();
        // It is one artifact, and looked at whenever it changed.
        let is_ours = part.shard.is_none_or(|shard| shard.has(directory.as_bytes()));
        let artifacts: Vec<_> =
            (is_there && is_ours).then_some(Artifact::Directory(store, key, members)).into_iter().collect();
        let at = if part.is_all() { Vec::new() } else { vec![0; artifacts.len()] };
        let has_others = is_there && !is_ours;
        let listing = part.listing(&there, true);
        return Ok(Collection { artifacts, at, has_others, listing, ..Collection::default() });
    }
    if let Some(found) = beside? {
        taken.take(found.taken)?;
        changed.extend(found.changed);
        let beside = |name: Box<[u8]>| name.strip_prefix(APART.as_bytes()).map(Box::from);
        there.apart = found.names.into_iter().filter_map(beside).collect();
    }
    let mut parts = sorted(&there, directory.as_bytes());
    let mut collection = Collection { listing: part.listing(&there, false), ..Collection::default() };
    let looks = if part.is_all() {
        Vec::new()
    } else {
        choose(&mut parts, part, &changed, store.as_ref(), &mut collection)
    };
    drop(changed);
    let surveyed = Arc::new(Surveyed::new(store, prefix, there));
    let store: Arc<dyn Store> = Arc::clone(&surveyed) as _;
    let called = |part: &Sorted| match part {
        Sorted::Beside(name) | Sorted::Doubtful(name) => key_of(name),
        Sorted::Artifact(_) | Sorted::Directory(..) => None,
    };
    let mut looked = Looked::at(lanes, &surveyed, told, parts.iter().filter_map(called)).await;
    let (mut looks, is_part) = (looks.into_iter(), !part.is_all());
    for part in parts {
        let (at, look) = looks.next().unwrap_or((0, Look::At));
        match part {
            Sorted::Artifact(name) => {
                collection
                    .artifacts
                    .extend(key_of(&name).map(|key| Artifact::Object(Arc::clone(&store), key)));
            }
            Sorted::Beside(ref name) | Sorted::Doubtful(ref name) => {
                let Some(key) = key_of(name) else { continue };
                if looked.are.remove(&key) {
                    if matches!(part, Sorted::Doubtful(_)) && !is_of_some_files(name) {
                        let orphan = Orphan::Object(Arc::clone(&store), key);
                        match look {
                            Look::ForWorkflows => collection.old_outcomes.push(orphan),
                            _ => collection.orphans.push(orphan),
                        }
                    }
                    continue;
                }
                if look == Look::ForWorkflows {
                    // No outcome, and it has not changed.
                    continue;
                }
                let why = looked.unread.contains(&key).then(|| looked.why.clone()).flatten();
                let store = Arc::clone(&store);
                collection.artifacts.push(match why {
                    Some(why) => Artifact::Unread(store, key, why),
                    None => Artifact::Object(store, key),
                });
            }
            Sorted::Directory(name, members) => {
                let members = members.iter().filter_map(|name| key_of(name)).collect();
                collection
                    .artifacts
                    .extend(key_of(&name).map(|key| Artifact::Directory(Arc::clone(&store), key, members)));
            }
        }
        if is_part {
            collection.at.resize(collection.artifacts.len(), at);
        }
    }
    Ok(collection)
}

/// Leaves what is looked at of this part, and notes of the rest that it is there. Gives which one of
/// all each is that is left, and what it is looked at for.
fn choose(
    parts: &mut Vec<Sorted>,
    part: &Part,
    changed: &Changed,
    store: &dyn Store,
    collection: &mut Collection,
) -> Vec<(u64, Look)> {
    let (mut looks, mut unchanged, mut at) = (Vec::new(), Unchanged::default(), 0);
    parts.retain(|found| {
        let look = part.look(found, changed);
        if matches!(look, Look::Unchanged | Look::ForWorkflows) {
            unchanged.note(found);
        }
        collection.has_others |= look == Look::OfOthers;
        let is_kept = matches!(look, Look::At | Look::ForWorkflows);
        if is_kept {
            looks.push((at, look));
        } else {
            let (name, end) = match found {
                Sorted::Artifact(name) => (Some(name), ""),
                Sorted::Directory(name, _) => (Some(name), "/"),
                Sorted::Beside(_) | Sorted::Doubtful(_) => (None, ""),
            };
            let key = name.and_then(|name| key_of(name));
            let named = |key: ObjectKey| PathBuf::from(format!("{}{end}", address(store, &key)));
            collection.others.extend(key.map(named));
        }
        at += 1;
        is_kept
    });
    collection.unchanged = unchanged.count();
    looks
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
    names: Names,
    /// What is told of lines among them.
    told: AllTold,
    taken: Taken,
    changed: Changed,
}

/// The keys beneath a prefix, but for the empty objects that consoles make to show a folder.
async fn listed(store: &dyn Store, prefix: &str, part: &Part) -> Result<Listed, CheckError> {
    let mut found = Listed::default();
    let mut listing = store.list(prefix);
    while let Some(page) = listing.next().await? {
        for object in page {
            let key = object.key.as_str();
            // Counted before they are told apart: one key, over and over, has no end either.
            found.taken.take(Taken { entries: 1, bytes: key.len() })?;
            if object.size > 0 || !key.ends_with('/') {
                found.changed.note(part, key.as_bytes(), object.modified);
                found.names.insert(key.as_bytes().into());
            }
            if let Some(of_lines) = Told::of(&object).filter(|_| is_called_lines(key)) {
                found.taken.take(Taken { entries: 0, bytes: key.len() })?;
                found.told.insert(key.into(), of_lines);
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
    listed(store, &format!("{APART}{prefix}"), part).await.map(Some)
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

/// What came of looking at what is called like an attestation, or like the manifest of one.
#[derive(Default)]
struct Looked {
    /// Those that are what they are called.
    are: HashSet<ObjectKey>,
    /// Those of which it is not known, and why it is not of one of them.
    unread: HashSet<ObjectKey>,
    why: Option<Arc<StoreError>>,
}

impl Looked {
    /// Looks at all of these. Lines of which the bundle beside them tells what they hold are not read.
    async fn at(
        lanes: &Lanes,
        store: &Arc<Surveyed>,
        told: AllTold,
        called: impl Iterator<Item = ObjectKey>,
    ) -> Self {
        let has_bundle = |key: &ObjectKey| {
            let bundle = || all_forms(key.as_str()).is_some_and(|[bundle, _]| store.is_listed(&bundle));
            told.contains_key(key.as_str()) && bundle()
        };
        let (perhaps_told, first): (Vec<_>, Vec<_>) = called.partition(has_bundle);
        let (store, told, large) = (Arc::clone(store), Arc::new(told), Arc::new(Semaphore::new(1)));
        let each = move |key: ObjectKey| {
            let (store, told, large) = (Arc::clone(&store), Arc::clone(&told), Arc::clone(&large));
            async move {
                let found = look(&store, &key, &large).await;
                let lines_are = found.as_ref().ok().and_then(|found| {
                    let [_, name] = all_forms(key.as_str())?;
                    let is_of_them = found.lines.is_some() && told.get(name.as_str()) == found.lines.as_ref();
                    ObjectKey::new(&name).ok().filter(|_| is_of_them)
                });
                (key, found.map(|found| found.is), lines_are)
            }
        };
        let mut looked = Self::default();
        let mut found = lanes.each(first, each.clone());
        while let Some(found) = found.next().await {
            looked.note(found);
        }
        let unknown = perhaps_told.into_iter().filter(|key| !looked.are.contains(key)).collect();
        let mut found = lanes.each(unknown, each);
        while let Some(found) = found.next().await {
            looked.note(found);
        }
        looked
    }

    fn note(&mut self, (key, is, lines): (ObjectKey, Result<bool, StoreError>, Option<ObjectKey>)) {
        self.are.extend(lines);
        match is {
            Ok(true) => drop(self.are.insert(key)),
            Ok(false) => {}
            Err(why) => {
                self.unread.insert(key);
                self.why.get_or_insert_with(|| Arc::new(why));
            }
        }
    }
}

/// What a look at an object found.
#[derive(Default)]
struct Found {
    /// Whether it is what it is called.
    is: bool,
    /// What lines hold that hold the same.
    lines: Option<Told>,
}

/// Whether an object that is called like an attestation, or like the manifest of one, is that.
/// What cannot be read is nothing of the kind, unless the store does not answer: only that is an
/// error. Of those that are large one is held at a time.
async fn look(store: &Surveyed, key: &ObjectKey, large: &Semaphore) -> Result<Found, StoreError> {
    let unread = |why| match why {
        StoreError::Unreachable { .. } => Err(why),
        _ => Ok(Found::default()),
    };
    if is_called_manifest(key.as_str().as_bytes()) {
        let list = match store.stream(key).await {
            Ok(list) => BufReader::new(list.into_blocking(Handle::current())),
            Err(why) => return unread(why),
        };
        let is = tokio::task::spawn_blocking(move || is_manifest(list)).await.unwrap_or(false);
        return Ok(Found { is, lines: None });
    }
    let found = |object: &Object| {
        let file = attestation(&object.bytes);
        Ok(Found { is: file.is_some(), lines: file.as_ref().and_then(Told::of_lines_beside) })
    };
    match store.get_ahead(key, USUAL_ATTESTATION).await {
        Ok(object) => found(&object),
        Err(StoreError::TooLarge { .. }) => {
            let _alone = large.acquire().await;
            store.get(key, MAX_ATTESTATION).await.map_or_else(unread, |object| found(&object))
        }
        Err(why) => unread(why),
    }
}

fn key_of(name: &[u8]) -> Option<ObjectKey> {
    std::str::from_utf8(name).ok().and_then(|key| ObjectKey::new(key).ok())
}
