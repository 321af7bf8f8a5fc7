//! One look at the store: is the object what was digested?

use std::sync::Arc;

use argo_attest_core::archive::{Expected, Naming, Passed};
use argo_attest_core::argo::{ObjectRef, Packing};
use argo_attest_core::relpath::RelPath;
use tokio::task::spawn_blocking;

use super::planned::Way;
use crate::artifact_repository::key;
use crate::observe::Refusal;
use crate::observe::{SealedArtifact, Seen, SeenFiles};
use crate::store::Store;
use crate::stored_match::{
    AT_ONCE, StoredError, StoredObject, Written, check_archive, check_bytes, check_each,
};

/// How many stored objects of one output a statement lists.
const LISTED_OBJECTS: usize = 100;

/// Why an output is attested nowhere.
pub(super) const NEVER_STORED: &str = "Argo cannot store this output: it zips a file that it moved away";

/// The object against what was digested. The outer error is none of the store's.
pub(super) async fn compare(
    way: &Way,
    stored: &ObjectRef,
    store: &Arc<dyn Store>,
    sealed: &Arc<SealedArtifact>,
    on_disk: Option<Seen>,
    packing: &Packing,
) -> Result<Result<Vec<StoredObject>, StoredError>, String> {
    let object = key(stored).map_err(|e| e.to_string())?;
    Ok(match packing {
        Packing::AsIs => {
            let file = sealed.files().get(&RelPath::root()).ok_or("it was not digested")?;
            check_bytes(store.as_ref(), &object, &written(file)).await.map(|o| vec![o])
        }
        Packing::PackedOnDisk => {
            let archive = on_disk.ok_or("what Argo packed was not digested")?;
            check_bytes(store.as_ref(), &object, &written(&archive)).await.map(|o| vec![o])
        }
        Packing::ObjectPerFile => {
            let key = |path| {
                let object = way.object_of(stored, path)?;
                key(&object).map_err(|e| format!("{path}: {e}"))
            };
            // Each key is made when its turn comes: there may be very many.
            let mut keyless = None;
            let files = sealed.files().iter().map_while(|(path, file)| match key(path) {
                Ok(key) => Some((key, written(file))),
                Err(why) => {
                    keyless = Some(why);
                    None
                }
            });
            let checked = check_each(store, files, AT_ONCE, LISTED_OBJECTS).await;
            if let Some(why) = keyless {
                return Err(why);
            }
            checked
        }
        Packing::Repacked(format, naming) => {
            let (sealed, naming) = (Arc::clone(sealed), naming.clone());
            // Of very much that was refused this takes its time, in which the clock must not stand still.
            let expected = spawn_blocking(move || expected(&sealed, naming));
            let expected = expected.await.map_err(|e| e.to_string())?;
            check_archive(store.as_ref(), &object, *format, expected).await.map(|o| vec![o])
        }
        Packing::NeverStored => {
            return Err(NEVER_STORED.into());
        }
    })
}

/// What an archive has to hold.
fn expected(sealed: &SealedArtifact, naming: Naming) -> Expected<Arc<SeenFiles>> {
    Expected {
        naming,
        files: Arc::clone(sealed.shared_files()),
        links: sealed.links().clone(),
        refused: sealed.refused().iter().map(|(path, why)| (path.clone(), passed(why))).collect(),
        directories: 0,
    }
}

fn written(seen: &Seen) -> Written {
    Written { digest: seen.digest, crc64nvme: seen.crc64nvme, size: seen.size }
}

fn passed(refusal: &Refusal) -> Passed {
    match refusal {
        Refusal::Symlink
        | Refusal::LinkLeaves
        | Refusal::LinkAstray
        | Refusal::LinkHoldsKey
        | Refusal::LinkInZip
        | Refusal::LinkElsewhere
        | Refusal::TooManyLinks
        | Refusal::Fifo
        | Refusal::Socket
        | Refusal::BlockDevice
        | Refusal::CharDevice
        | Refusal::UnknownKind => Passed::Special,
        _ => Passed::Unread,
    }
}
