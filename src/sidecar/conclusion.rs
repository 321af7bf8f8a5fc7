//! From a sealed output to its attestation: what the object must be, whether it
//! is that, and only then the statement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::archive::{EntryKind, Expected, ExpectedFile, Inventory, Passed};
use argo_attest_core::argo::{Packing, Shape as ArgoShape};
use argo_attest_core::contents::Contents;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::Fate;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::slsa::Provenance;
use argo_attest_core::text::causes;

use super::clock::Deadline;
use super::packed;
use super::planned::{Planned, Way};
use super::settings::Form;
use crate::artifact_stores::key;
use crate::attest::{AttestationNames, Attestor};
use crate::pipeline::{SealedArtifact, Seen, Shape};
use crate::signer::Signer;
use crate::store::{Revision, Store, StoreError};
use crate::stored::{AT_ONCE, StoredError, StoredObject, Written, check_archive, check_bytes, check_each};
use crate::volume::Refusal;

/// Between two looks for an object that Argo has not stored yet.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a native sidecar waits for an object: Argo is done when it is told.
const CONSISTENCY: Duration = Duration::from_secs(2);
/// Why an output is not attested though nothing is wrong with it.
pub(super) const TOO_LATE: &str = "the grace period ended before it was stored and attested";
/// How many stored objects of one output a statement lists.
const LISTED_OBJECTS: usize = 100;

/// What every output's conclusion needs.
pub(super) struct Concluding<'a> {
    pub(super) form: Form,
    pub(super) signer: &'a dyn Signer,
    /// When main ended, as a change time: see [`super::ending::Ended`].
    pub(super) ended: i64,
    /// When it is too late to look for an object once more.
    pub(super) deadline: Deadline,
    pub(super) provenance: &'a dyn Fn(Vec<ResourceDescriptor>) -> Provenance,
}

/// The store and, as it was before the step, the object of an output.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) store: Arc<dyn Store>,
    pub(super) object: Earlier,
}

/// What another attempt left where this one's object goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Earlier {
    /// Nothing: an object that is there now is this attempt's.
    Nothing,
    /// An object in this state.
    Object(Revision),
    /// It could not be asked.
    Unknown,
}

impl Earlier {
    /// Whether what is there now may have been there before.
    fn may_be(&self, now: &Revision) -> bool {
        match self {
            Self::Nothing => false,
            Self::Object(before) => before == now,
            Self::Unknown => true,
        }
    }
}

/// What became of one output, and what in it was refused.
pub(super) struct Conclusion {
    pub(super) fate: Fate,
    pub(super) refused: Vec<(String, String)>,
}

impl Conclusion {
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self { fate: Fate::Refused { reason: reason.into() }, refused: Vec::new() }
    }
}

impl Concluding<'_> {
    /// Attests the output, if all is as it should be.
    pub(super) async fn conclude(
        &self,
        planned: &Planned,
        way: &Way,
        before: &Before,
        sealed: SealedArtifact,
    ) -> Conclusion {
        if sealed.shape() == Shape::Missing {
            return if planned.optional {
                Conclusion { fate: Fate::Absent, refused: Vec::new() }
            } else {
                Conclusion::refused("main did not write it")
            };
        }
        // Whoever else can write to the volume is not the step that is attested.
        if let Some(change) = sealed.changed_after(self.ended) {
            return Conclusion::refused(format!("{change} after main had ended"));
        }
        let on_disk = sealed.files().get(&RelPath::root()).copied();
        let sealed = match unpack(way, sealed).await {
            Ok(sealed) => sealed,
            Err(reason) => return Conclusion::refused(reason),
        };
        let refused =
            sealed.refused().iter().map(|(path, refusal)| (path.to_string(), refusal.to_string())).collect();
        let fate = match self.attest(way, before, &sealed, on_disk).await {
            Ok(fate) => fate,
            Err(reason) => Fate::Refused { reason },
        };
        Conclusion { fate, refused }
    }

    async fn attest(
        &self,
        way: &Way,
        before: &Before,
        sealed: &SealedArtifact,
        on_disk: Option<Seen>,
    ) -> Result<Fate, String> {
        let contents = sealed.contents()?;
        let shape = if sealed.shape() == Shape::File { ArgoShape::File } else { ArgoShape::Directory };
        let packing = way.plan.packing(shape);
        let stored = self.await_stored(way, before, sealed, on_disk, &packing).await?;
        let contents = match stored.as_slice() {
            [object] if packing != Packing::ObjectPerFile => {
                let name = way.plan.object.key().rsplit('/').next().unwrap_or_default();
                contents.stored_as(&printable(name.as_bytes()), object.uri(), object.digest())
            }
            _ => contents,
        };
        let store = before.store.as_ref();
        let names = AttestationNames::beside(way.plan.object.key()).map_err(|e| e.to_string())?;
        let directory = (packing == Packing::ObjectPerFile).then(|| artifact_uri(store, way)).transpose()?;
        let provenance = (self.provenance)(byproducts(&contents, &names, &stored, directory.as_deref()));
        let receipt = Attestor::new(self.signer, store)
            .attest(&contents, &names, &provenance)
            .await
            .map_err(|e| causes(&e))?;
        Ok(Fate::Attested(receipt.into_attested()))
    }

    /// Compares until the answer is final. What Argo has not uploaded yet is
    /// waited for: by the plain form as long as there is time, since it is told at
    /// main's end; by the native one only as long as a store may take to show it.
    async fn await_stored(
        &self,
        way: &Way,
        before: &Before,
        sealed: &SealedArtifact,
        on_disk: Option<Seen>,
        packing: &Packing,
    ) -> Result<Vec<StoredObject>, String> {
        let patience = tokio::time::Instant::now() + CONSISTENCY;
        let mut last: Option<StoredError> = None;
        loop {
            let look = compare(way, &before.store, sealed, on_disk, packing);
            let Ok(looked) = self.deadline.within(look).await else {
                let last = last.map(|error| format!(" (at the last look, {})", causes(&error)));
                return Err(format!("{TOO_LATE}{}", last.unwrap_or_default()));
            };
            let error = match looked? {
                Ok(stored) => return Ok(stored),
                Err(error) => error,
            };
            let may_come = match &error {
                // What lay there before the step says nothing of this step.
                StoredError::Mismatch { revision, .. } => {
                    self.form == Form::Plain
                        // Of a directory, nobody could ask before its files were known.
                        && (*packing == Packing::ObjectPerFile || before.object.may_be(revision))
                }
                StoredError::NotThere { .. }
                | StoredError::Store(StoreError::Unreachable { .. })
                | StoredError::Unreadable { .. }
                | StoredError::Changed { .. } => true,
                _ => false,
            };
            let time_left = self.form == Form::Plain
                || matches!(error, StoredError::Store(_) | StoredError::Unreadable { .. })
                || tokio::time::Instant::now() < patience;
            if !may_come || !time_left {
                return Err(causes(&error));
            }
            last = Some(error);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// One look: the object against what was digested.
async fn compare(
    way: &Way,
    store: &Arc<dyn Store>,
    sealed: &SealedArtifact,
    on_disk: Option<Seen>,
    packing: &Packing,
) -> Result<Result<Vec<StoredObject>, StoredError>, String> {
    let object = key(&way.plan.object).map_err(|e| e.to_string())?;
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
                let object = way.object_of(path)?;
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
            let file = |s: &Seen| ExpectedFile { digest: s.digest, size: s.size };
            let expected = Expected {
                naming: naming.clone(),
                files: sealed.files().iter().map(|(path, seen)| (path.clone(), file(seen))).collect(),
                refused: sealed.refused().iter().map(|(path, why)| (path.clone(), passed(why))).collect(),
                directories: 0,
            };
            check_archive(store.as_ref(), &object, *format, expected).await.map(|o| vec![o])
        }
        Packing::NeverStored => {
            return Err("Argo cannot store this output: it zips a file that it moved away".into());
        }
    })
}

fn written(seen: &Seen) -> Written {
    Written { digest: seen.digest, crc64nvme: seen.crc64nvme, size: seen.size }
}

fn passed(refusal: &Refusal) -> Passed {
    match refusal {
        Refusal::Symlink
        | Refusal::Fifo
        | Refusal::Socket
        | Refusal::BlockDevice
        | Refusal::CharDevice
        | Refusal::UnknownKind => Passed::Special,
        _ => Passed::Unread,
    }
}

/// The address that the attestation is beside.
fn artifact_uri(store: &dyn Store, way: &Way) -> Result<String, String> {
    Ok(store.uri(&key(&way.plan.object).map_err(|e| e.to_string())?))
}

fn byproducts(
    contents: &Contents,
    names: &AttestationNames,
    stored: &[StoredObject],
    directory: Option<&str>,
) -> Vec<ResourceDescriptor> {
    let manifest = names.manifest.as_str().rsplit('/').next().unwrap_or_default();
    let mut byproducts = contents.byproducts(manifest);
    byproducts.extend(stored.iter().map(|object| object.byproduct(directory)));
    byproducts
}

/// For outputs of which only Argo's `.tgz` can be seen: what that holds.
async fn unpack(way: &Way, sealed: SealedArtifact) -> Result<SealedArtifact, String> {
    if !way.packed {
        return Ok(sealed);
    }
    let Some(archive) = sealed.files().get(&RelPath::root()).copied() else {
        return Err("what Argo packed cannot be read".into());
    };
    let artifact = sealed.artifact().clone();
    let base = way.plan.packed_base().to_vec();
    let read = move || packed::read(&artifact, &base, &archive.digest);
    let inventory = tokio::task::spawn_blocking(read).await.map_err(|e| e.to_string())??;
    Ok(as_sealed(sealed, inventory, archive))
}

fn as_sealed(sealed: SealedArtifact, inventory: Inventory, archive: Seen) -> SealedArtifact {
    let Inventory { is_directory, files, special, .. } = inventory;
    let seen = |file: ExpectedFile| Seen {
        digest: file.digest,
        // The store's checksum is of an object; a file in an archive has to be one to be compared.
        crc64nvme: None,
        size: file.size,
        digested: archive.digested,
        changed: archive.changed,
    };
    let files: BTreeMap<_, _> = files.into_iter().map(|(path, file)| (path, seen(file))).collect();
    let refused: Vec<_> = special.into_iter().map(|(path, kind)| (path, refusal(kind))).collect();
    let shape = match (is_directory, files.is_empty()) {
        (false, false) => Shape::File,
        (true, false) => Shape::Directory,
        (_, true) => Shape::Nothing("it holds no files"),
    };
    sealed.unpacked(shape, files, refused)
}

fn refusal(kind: EntryKind) -> Refusal {
    match kind {
        EntryKind::Symlink | EntryKind::HardLink => Refusal::Symlink,
        EntryKind::Fifo => Refusal::Fifo,
        EntryKind::Device => Refusal::CharDevice,
        EntryKind::File | EntryKind::Directory => Refusal::UnknownKind,
    }
}
