//! Objects that are files, byte for byte.

use std::io::Read as _;
use std::num::NonZeroUsize;
use std::sync::Arc;

use argo_attest_core::archive::ReadError;
use argo_attest_core::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::{Check, StoredError, StoredObject, Written, relay, state};
use crate::store::{BlockingRead, ObjectInfo, ObjectKey, Store};

/// How many objects are asked for at once, unless told otherwise: a round trip
/// each, of which the store can do many.
pub const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

/// Bytes digested at a time.
const CHUNK: usize = 64 * 1024;

/// Checks that the object is the file that was written: by size and a checksum
/// that the store computed, in one request; else by reading it back.
///
/// Errors: [`StoredError`]. An object of another size is not read.
pub async fn check_bytes(
    store: &dyn Store,
    key: &ObjectKey,
    written: &Written,
) -> Result<StoredObject, StoredError> {
    let uri = store.uri(key);
    let info = store.head(key).await?;
    let mismatch =
        |reason| StoredError::Mismatch { uri: uri.clone(), reason, revision: info.revision.clone() };
    if let Some(check) = written.judge(&info).map_err(mismatch)? {
        return Ok(StoredObject::new(store, uri, written.digest, &info, check));
    }
    let found = read_back(store, key, &info).await?;
    written.judge_digest(&found).map_err(mismatch)?;
    state::still(store, key, &info).await?;
    Ok(StoredObject::new(store, uri, written.digest, &info, Check::ReadBack))
}

/// Checks that every object is the file that was written, as [`check_bytes`]
/// does, with at most `at_once` under way. The evidence is that of the first
/// `evidence` files, in their order: of very many, all of it would be the
/// greater part of the memory in use, and no statement lists it.
///
/// Errors: the first one that is found, which names its object; what is under
/// way is dropped then.
pub async fn check_each(
    store: &Arc<dyn Store>,
    files: impl IntoIterator<Item = (ObjectKey, Written)>,
    at_once: NonZeroUsize,
    evidence: usize,
) -> Result<Vec<StoredObject>, StoredError> {
    let mut waiting = files.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut checked = Vec::new();
    loop {
        while running.len() < at_once.get()
            && let Some((index, (key, written))) = waiting.next()
        {
            let store = Arc::clone(store);
            running.spawn(async move { (index, check_bytes(&*store, &key, &written).await) });
        }
        let Some(joined) = running.join_next().await else { break };
        let (index, result) = joined.map_err(StoredError::Interrupted)?;
        let object = result?;
        if index < evidence {
            checked.push((index, object));
        }
    }
    checked.sort_unstable_by_key(|(index, _)| *index);
    Ok(checked.into_iter().map(|(_, object)| object).collect())
}

async fn read_back(
    store: &dyn Store,
    key: &ObjectKey,
    info: &ObjectInfo,
) -> Result<Sha256Digest, StoredError> {
    let uri = store.uri(key);
    let stream = store.stream(key).await?;
    state::same(&uri, info, stream.info())?;
    match relay::read(stream, digest).await? {
        Ok(found) => Ok(found),
        Err(source) => Err(StoredError::Unreadable { uri, source }),
    }
}

fn digest(mut object: BlockingRead) -> Result<Sha256Digest, ReadError> {
    let mut hasher = Sha256::new();
    let mut after = 0_u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = object.read(&mut chunk).map_err(|source| ReadError { after, source })?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(Sha256Digest::from_hasher(hasher));
        };
        hasher.update(read);
        after = after.saturating_add(read.len() as u64);
    }
}
