//! Putting an attestation where its artifact is, without ever destroying what is
//! not ours, and without losing to, or losing, another writer's.

use std::num::NonZeroUsize;

use argo_attest_core::attestation_file::{AttestationFile, Found, Item};
use argo_attest_core::bundle::{Bundle, lines as json_lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest::{self, Manifest};
use argo_attest_core::text::brief;
use argo_attest_core::trouble::{Fault, Trouble};

use super::earlier::{self, Earlier, Written};
use super::foreign::{Foreign, set_aside};
use super::{AttestationNames, Kept, MAX_ATTESTATION, NameError, NewAttestation, ReadBack};
use crate::registry::RegistryError;
use crate::store::{InvalidKey, ObjectKey, PutMode, Store, StoreError};

/// How many attempts' envelopes the lines keep; the oldest go first.
const KEPT_LINES: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How often a write that another writer overtook is tried again.
const ROUNDS: usize = 5;

/// Why an attestation is not kept.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It has no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store does not take or give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry does not take or give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Something else is there under its name.
    #[error("{uri} is there already and is {}", .what.as_ref().map_or_else(|| "not an attestation".to_owned(), |form| format!("another tool's: {form}")))]
    Foreign {
        /// Where.
        uri: String,
        /// In which form others attest something in it, if they do.
        what: Option<String>,
    },
    /// Others keep writing the same object.
    #[error("{uri} is being changed by somebody else")]
    Contended {
        /// Where.
        uri: String,
    },
    /// No reader would look at one more.
    #[error("{uri} has {limit} attestations, and no more are looked at")]
    Full {
        /// Of what.
        uri: String,
        /// How many are looked at.
        limit: usize,
    },
    /// It was taken, and whoever looks for it does not find it.
    #[error("the registry took {uri} and does not list it among what refers to {of}")]
    Unlisted {
        /// Where it was put.
        uri: String,
        /// What it is about.
        of: String,
    },
    /// Nothing of the kind is kept in such a place.
    #[error("{uri} cannot have {what}")]
    Unfit {
        /// Where.
        uri: String,
        /// What it was.
        what: &'static str,
    },
    /// What was read back is not what was written.
    #[error("{uri} does not hold what was written")]
    ReadBack {
        /// Where.
        uri: String,
    },
}

impl Trouble for PutError {
    fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::Registry(error) => error.fault(),
            _ => Fault::No,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.remedy(),
            Self::Registry(error) => error.remedy(),
            Self::Name(NameError::CalledPredicate) => Some("give the artifact another key".to_owned()),
            Self::Name(_) => Some("give the artifact a shorter key".to_owned()),
            Self::Foreign { .. } => Some(
                "move it away, give the output another name, or put the attestations elsewhere: --store file:///DIR".to_owned(),
            ),
            Self::Full { .. } => Some(
                "remove some of them that are not needed any more, with the registry's own tools".to_owned(),
            ),
            Self::Unlisted { .. } => Some(
                "attest it again; if that changes nothing, see whether others write its referrers at the same time, and what the registry's log says".to_owned(),
            ),
            Self::Contended { .. } | Self::Unfit { .. } | Self::ReadBack { .. } => None,
        }
    }
}

impl From<InvalidKey> for PutError {
    fn from(error: InvalidKey) -> Self {
        Self::Name(error.into())
    }
}

/// Where one of its objects goes, and what becomes of something else that is there.
#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    store: &'a dyn Store,
    key: &'a ObjectKey,
    foreign: Foreign,
}

/// What was in the way, and where it is kept now, a URI.
type SetAside = Option<String>;

/// What is done, by what is there.
enum Decision {
    /// These bytes take its place.
    Replace(Vec<u8>),
    /// The same, after a copy was made of it.
    KeepAndReplace(Vec<u8>),
    /// It stays as it is, or away.
    Leave,
    /// It is not ours to replace.
    NotOurs,
}

/// What was done.
struct Replaced {
    /// Whether what was to be there is.
    is_there: bool,
    set_aside: SetAside,
}

/// Puts all of an attestation. Readers look for the bundle first: it appears when all else
/// is there.
pub(super) async fn put(
    store: &dyn Store,
    names: &AttestationNames,
    new: &NewAttestation<'_>,
) -> Result<Kept, PutError> {
    let spot = |key| Spot { store, key, foreign: new.foreign };
    tracing::debug!(bundle = store.uri(&names.bundle), "putting an attestation");
    let mut set_aside = Vec::new();
    if let Some(files) = new.manifest {
        set_aside.extend(manifest(spot(&names.manifest), files).await?);
    }
    let lines = lines(spot(&names.lines), new.bundle).await?;
    set_aside.extend(lines.set_aside);
    set_aside.extend(bundle(spot(&names.bundle), new.bundle, new.earlier).await?);
    let lines = async { if lines.is_there { read(store, &names.lines).await.map(Some) } else { Ok(None) } };
    let (bundle, lines) = tokio::try_join!(read(store, &names.bundle), lines)?;
    Ok(Kept { bundle, lines, set_aside })
}

/// Whether something that is no attestation is where one would go.
pub(super) async fn is_free(store: &dyn Store, names: &AttestationNames) -> Result<(), PutError> {
    for (key, is_ours) in [(&names.bundle, is_bundle as fn(&[u8]) -> bool), (&names.lines, are_lines)] {
        let foreign = || PutError::Foreign { uri: store.uri(key), what: None };
        match store.get(key, MAX_ATTESTATION).await {
            Ok(there) if !is_ours(&there.bytes) => return Err(in_the_way(store, key, &there.bytes)),
            Err(StoreError::TooLarge { .. } | StoreError::NotAFile { .. }) => return Err(foreign()),
            _ => {}
        }
    }
    Ok(())
}

/// What it is that is not ours to replace.
fn in_the_way(store: &dyn Store, key: &ObjectKey, bytes: &[u8]) -> PutError {
    let form = |file: AttestationFile| {
        let signed = |item: &Item| !matches!(item.found, Found::Statement(_) | Found::Manifest(_));
        file.items().iter().any(signed).then(|| brief(file.form(), 100))
    };
    PutError::Foreign { uri: store.uri(key), what: AttestationFile::read(bytes).ok().and_then(form) }
}

fn is_bundle(bytes: &[u8]) -> bool {
    !matches!(Written::of(bytes), Written::Otherwise)
}

fn are_lines(bytes: &[u8]) -> bool {
    json_lines::takes(bytes)
}

/// The newest attempt's bundle replaces an older one. Of what counted by a key the lines keep the envelope.
async fn bundle(spot: Spot<'_>, new: &Bundle, earlier: Earlier) -> Result<SetAside, PutError> {
    let by = match Written::of(&new.to_json()) {
        Written::Certified(leaf) => Some(leaf),
        Written::ByKey | Written::Otherwise => None,
    };
    let decide = |old: Option<&[u8]>| match (old.map(Written::of), earlier) {
        (None | Some(Written::ByKey), _) => Decision::Replace(new.to_json()),
        (Some(Written::Certified(_)), Earlier::Keep) => Decision::KeepAndReplace(new.to_json()),
        (Some(Written::Certified(old)), Earlier::Supersede)
            if by.as_deref().is_some_and(|new| earlier::is_same_signers(new, &old)) =>
        {
            Decision::Replace(new.to_json())
        }
        (Some(Written::Certified(_) | Written::Otherwise), _) => Decision::NotOurs,
    };
    replace(spot, decide, || Some(new.to_json())).await.map(|done| done.set_aside)
}

/// Every attempt's envelope stays. Lines have no room for a certificate: of what counts by one there are none, but
/// where there are some already. There it is the newest of them, so that nobody takes the last one by a key for that.
async fn lines(spot: Spot<'_>, new: &Bundle) -> Result<Replaced, PutError> {
    let is_certified = new.evidence().certificate().is_some();
    let appended = |old: &[u8]| json_lines::append(old, new.envelope(), KEPT_LINES).ok();
    let decide = |old: Option<&[u8]>| match old {
        None if is_certified => Decision::Leave,
        old => appended(old.unwrap_or_default()).map_or(Decision::NotOurs, Decision::Replace),
    };
    replace(spot, decide, || appended(&[])).await
}

/// Reads what is there, decides what shall be there, and writes that only if nobody wrote in between. `instead` takes
/// the place of what was not ours, where that was set aside.
async fn replace(
    spot: Spot<'_>,
    decide: impl Fn(Option<&[u8]>) -> Decision,
    instead: impl Fn() -> Option<Vec<u8>>,
) -> Result<Replaced, PutError> {
    let Spot { store, key, foreign } = spot;
    let not_ours = || PutError::Foreign { uri: store.uri(key), what: None };
    let mut aside = None;
    for _ in 0..ROUNDS {
        let (old, unread) = match store.get(key, MAX_ATTESTATION).await {
            Ok(object) => (Some(object), None),
            Err(StoreError::NotFound { .. }) => (None, None),
            Err(StoreError::TooLarge { .. }) => return Err(not_ours()),
            Err(error) => (None, Some(error)),
        };
        let decided = match (&old, &unread) {
            (Some(old), _) => decide(Some(&old.bytes)),
            (None, None) => decide(None),
            // What may not be listed is denied, not missing: a write finds out.
            (None, Some(error)) if error.is_access_denied() => decide(None),
            (None, Some(StoreError::Corrupt { .. })) if foreign == Foreign::SetAside => Decision::NotOurs,
            (None, Some(_)) => return Err(unread.map_or_else(not_ours, Into::into)),
        };
        let done = |is_there, set_aside| Ok(Replaced { is_there, set_aside });
        let (new, mode) = match (decided, old) {
            (Decision::Leave, _) => return done(false, aside),
            (Decision::Replace(new) | Decision::KeepAndReplace(new), Some(old)) if old.bytes == new => {
                return done(true, aside);
            }
            (Decision::KeepAndReplace(new), Some(old)) => {
                earlier::keep(store, key, old.bytes).await?;
                (new, PutMode::Replace(old.info.revision))
            }
            (Decision::Replace(new), Some(old)) => (new, PutMode::Replace(old.info.revision)),
            (Decision::Replace(new) | Decision::KeepAndReplace(new), None) => (new, PutMode::Create),
            (Decision::NotOurs, _) if foreign == Foreign::SetAside => {
                let (revision, copy) = set_aside(store, key).await?;
                aside = Some(copy);
                (instead().ok_or_else(not_ours)?, PutMode::Replace(revision))
            }
            (Decision::NotOurs, Some(old)) => return Err(in_the_way(store, key, &old.bytes)),
            (Decision::NotOurs, None) => return Err(not_ours()),
        };
        match store.put(key, new.into(), mode).await {
            Ok(_) => return done(true, aside),
            Err(StoreError::Conflict { .. }) => match unread {
                // Something is there, and it may not be read.
                Some(denied) if denied.is_access_denied() => return Err(denied.into()),
                _ => {}
            },
            Err(error) => return Err(error.into()),
        }
    }
    Err(PutError::Contended { uri: store.uri(key) })
}

/// A manifest may be large: what is there is recognised by its first line.
async fn manifest(spot: Spot<'_>, new: &Manifest) -> Result<SetAside, PutError> {
    let Spot { store, key, foreign } = spot;
    let mut aside = None;
    for _ in 0..ROUNDS {
        let mode = match store.stream(key).await {
            Ok(mut old) => {
                let revision = old.info().revision.clone();
                let first = match old.next().await {
                    Err(StoreError::Corrupt { .. }) if foreign == Foreign::SetAside => None,
                    read => Some(read?.unwrap_or_default()),
                };
                match first.is_some_and(|first| is_manifest(&first)) {
                    true => PutMode::Replace(revision),
                    false if foreign == Foreign::SetAside => {
                        let (revision, copy) = set_aside(store, key).await?;
                        aside = Some(copy);
                        PutMode::Replace(revision)
                    }
                    false => return Err(PutError::Foreign { uri: store.uri(key), what: None }),
                }
            }
            Err(StoreError::NotFound { .. }) => PutMode::Create,
            Err(error) if error.is_access_denied() => PutMode::Create,
            Err(error) => return Err(error.into()),
        };
        match store.write(key, new.into(), mode).await {
            Ok(_) => return check(store, key, &new.digest()).await.map(|()| aside),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PutError::Contended { uri: store.uri(key) })
}

/// The beginning of a manifest: its first line, or as much of it as came.
fn is_manifest(start: &[u8]) -> bool {
    let Some(end) = start.iter().position(|b| *b == b'\n') else { return start.is_empty() };
    let mut reader = manifest::Reader::new(start.get(..=end).unwrap_or_default());
    reader.next_entry().is_ok()
}

async fn check(store: &dyn Store, key: &ObjectKey, wanted: &Sha256Digest) -> Result<(), PutError> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let mut stream = store.stream(key).await?;
    while let Some(chunk) = stream.next().await? {
        hasher.update(&chunk);
    }
    if Sha256Digest::from_hasher(hasher) == *wanted {
        return Ok(());
    }
    Err(PutError::ReadBack { uri: store.uri(key) })
}

/// An attestation as the store has it now.
async fn read(store: &dyn Store, key: &ObjectKey) -> Result<ReadBack, PutError> {
    let bytes = store.get(key, MAX_ATTESTATION).await?.bytes;
    Ok(ReadBack { uri: store.uri(key), bytes })
}
