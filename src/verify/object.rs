//! Objects in a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use argo_attest_core::digest::{FileDigests, FileHasher, Sha256Digest};
use argo_attest_core::intoto::member_path;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{
    Authentic, Content, Here, KnownAs, Place, PlaceError, Rejection, Subjects, Tree, VerifiedStatement,
};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::found::Found;
use super::passed_over::PassedOver;
use super::{CheckError, Checked, Checker, candidates};
use crate::attestations::{Attestations, Candidate, ObjectAttestations, Reach};
use crate::observe::Progress;
use crate::store::{ObjectKey, Store, StoreError};

/// Objects of one directory that are read at the same time.
const MEMBERS_AT_ONCE: usize = 8;

/// Checks an object of a store. Gives the statement, and where it was found.
pub async fn check_object(
    checker: &Checker,
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    let attestations = looked_for(checker, store, key);
    let (parts, known) = (Parts::Object, None);
    let mut check = Check { checker, store, key, parts, attestations: &attestations, progress, known };
    if let Some(bundle) = &checker.bundle {
        return check.candidate(attestations.named(bundle)).await;
    }
    let nearest = attestations.candidates(Reach::Nearest);
    candidates::first(nearest, async |candidate| check.candidate(candidate).await).await
}

/// What was found of an object that somebody named, who may have mistaken the key: that there is none
/// is another answer than that nobody attested it, and a policy lets only the latter pass.
pub async fn unless_absent(store: &dyn Store, key: &ObjectKey, found: CheckError) -> CheckError {
    match &found {
        CheckError::NoArtifact => {}
        CheckError::Rejected(no) if no.is_missing() => match store.head(key).await {
            Ok(_) => return found,
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return error.into(),
        },
        _ => return found,
    }
    let mut beneath = store.list(&format!("{key}/", key = key.as_str()));
    match beneath.next().await {
        Ok(Some(found)) if !found.is_empty() => CheckError::OnlyBeneath,
        _ => CheckError::NoArtifact,
    }
}

/// Checks a directory of objects, whose key has no `/` at the end: all that is beneath it has to
/// be as it is attested, and there.
pub(super) async fn check_directory(
    checker: &Checker,
    store: &dyn Store,
    key: &ObjectKey,
    members: &[ObjectKey],
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    let attestations = looked_for(checker, store, key);
    let (parts, known) = (Parts::Directory(members), None);
    let mut check = Check { checker, store, key, parts, attestations: &attestations, progress, known };
    let nearest = attestations.candidates(Reach::Nearest);
    candidates::first(nearest, async |candidate| check.candidate(candidate).await).await
}

fn looked_for<'a>(checker: &Checker, store: &'a dyn Store, key: &ObjectKey) -> ObjectAttestations<'a> {
    ObjectAttestations::new(store, key).labelled(checker.wanted.label()).at_most(checker.largest)
}

/// What an artifact consists of.
#[derive(Clone, Copy)]
enum Parts<'a> {
    /// The object with its key.
    Object,
    /// These, beneath its key.
    Directory(&'a [ObjectKey]),
}

/// One object's check, whose bytes are read once, and not before a signature is good.
struct Check<'a> {
    checker: &'a Checker,
    store: &'a dyn Store,
    key: &'a ObjectKey,
    parts: Parts<'a>,
    attestations: &'a ObjectAttestations<'a>,
    progress: &'a dyn Progress,
    known: Option<Known>,
}

/// An object that was read.
struct Known {
    content: Arc<Content>,
    /// The digests that are seldom needed.
    digests: Option<FileDigests>,
}

impl Check<'_> {
    async fn read(&self, longer: bool) -> Result<Known, CheckError> {
        match self.parts {
            Parts::Object => digest(self.store, self.key, longer, self.progress).await,
            Parts::Directory(members) => {
                let tree = tree(self.store, self.key, members, self.progress).await?;
                Ok(Known { content: Arc::new(Content::Directory(tree)), digests: None })
            }
        }
    }

    async fn candidate(&mut self, candidate: Candidate<'_>) -> Result<Checked, CheckError> {
        let found = Found::of(candidate)?;
        let authentic = found.authentic(self.checker)?;
        let longer = authentic.iter().any(|(_, statement)| statement.needs_longer());
        let of_object = matches!(self.parts, Parts::Object);
        let known = self.known.take().filter(|known| !longer || !of_object || known.digests.is_some());
        let known = match known {
            Some(known) => known,
            None => self.read(longer).await?,
        };
        let Known { content, digests } = self.known.insert(known);
        let content = Arc::clone(content);
        let complete = |(index, statement): (usize, Authentic)| match digests {
            Some(digests) => (index, statement.knowing(digests)),
            None => (index, statement),
        };
        let authentic = authentic.into_iter().map(complete).collect();
        let (index, statement) = found.decide(authentic, &content).await?;
        let placed = placed(self.checker, self.store, &found.candidate, self.key, &statement)?;
        if !placed && !matches!(found.candidate.place, Place::Named(_)) {
            unclaimed(self.checker, self.attestations, &content).await?;
        }
        let unjudged = found.unjudged(index, &statement);
        let (origin, file, passed_over) = (found.candidate.origin, found.digest, PassedOver::default());
        Ok(Checked { statement, origin, file, placed: Some(placed), image: None, unjudged, passed_over })
    }
}

/// That the statement is about an object in this place, as far as it is about any.
fn placed(
    checker: &Checker,
    store: &dyn Store,
    candidate: &Candidate<'_>,
    key: &ObjectKey,
    statement: &VerifiedStatement,
) -> Result<bool, Rejection> {
    let uri = |key: &str| ObjectKey::new(key).map_or_else(|_| key.to_owned(), |key| store.uri(&key));
    let address = store.address();
    let here = |uri: &str| statement.placed(Here { uri, store: address.as_ref() }, checker.policy.stores());
    let other_name = || Rejection::OtherName {
        attested: printable(statement.subject().as_bytes()),
        asked: key.to_string(),
    };
    let place = &candidate.place;
    let found = match place {
        // The caller says that it is about this object, which may be a file of a directory
        // that it is about: of the one that it names, under the very path there.
        Place::Named(_) => {
            let mut found = here(&store.uri(key));
            // Only a plain path leads through directories.
            let path = key.to_rel_path().map(|_| key.as_str()).unwrap_or_default();
            for (at, _) in path.rmatch_indices('/') {
                let Err(PlaceError::Elsewhere { .. }) = found else { break };
                let (directory, path) = key.as_str().split_at(at);
                match here(&uri(directory)) {
                    Ok(()) if !is_member(statement, path) => return Err(other_name()),
                    Err(PlaceError::Elsewhere { .. }) => {}
                    above => found = above,
                }
            }
            found
        }
        Place::Itself(_) | Place::Within(_) | Place::Among(_) | Place::ByDigest => here(&candidate.artifact),
    };
    match (found, place) {
        (Ok(()), _) => Ok(true),
        // Whoever writes to the bucket can put any attestation beside any object.
        (Err(PlaceError::Nowhere { .. }), Place::Itself(known)) if !known.is_called(statement.subject()) => {
            Err(other_name())
        }
        (Err(PlaceError::Nowhere { .. }), Place::Within(_))
            if !KnownAs::new(key.as_str()).ends_with(statement.subject()) =>
        {
            Err(Rejection::OtherName {
                attested: printable(statement.subject().as_bytes()),
                asked: key.to_string(),
            })
        }
        (Err(PlaceError::Nowhere { .. }), _) => Ok(false),
        // A predicate that is somebody's document says of no store that the artifact is in it. That it
        // is about these bytes holds in any.
        (Err(PlaceError::NoStore { .. }), _) if statement.provenance().is_none() => Ok(false),
        (Err(error), _) => Err(error.into()),
    }
}

/// Whether what was accepted is this very path in the statement's directory.
fn is_member(statement: &VerifiedStatement, path: &str) -> bool {
    let Some(directory) = Subjects::of(statement.statement().subjects()).directory else { return false };
    let path = path.strip_prefix('/').and_then(|path| RelPath::from_bytes(path.as_bytes()).ok());
    path.is_some() && member_path(&directory.name, statement.subject()) == path
}

/// A statement that names no place may have been put beside an object, or beside a directory
/// in between: the attestation of each directory that the object is in has to know it as well.
async fn unclaimed(
    checker: &Checker,
    attestations: &dyn Attestations,
    content: &Arc<Content>,
) -> Result<(), CheckError> {
    let mut above = attestations.find(Reach::Above(1));
    while let Some(candidate) = above.next().await {
        let Ok(found) = Found::of(candidate?) else { continue };
        let Ok(authentic) = found.authentic(checker) else { continue };
        found.decide(authentic, content).await?;
    }
    Ok(())
}

/// `longer`: whether SHA-384 and SHA-512 are needed, too.
async fn digest(
    store: &dyn Store,
    key: &ObjectKey,
    longer: bool,
    progress: &dyn Progress,
) -> Result<Known, CheckError> {
    let mut stream = match store.stream(key).await {
        Err(StoreError::NotFound { .. }) => return Err(CheckError::NoArtifact),
        stream => stream?,
    };
    progress.total(stream.info().size);
    let mut sha256 = Sha256::new();
    let mut all = longer.then(FileHasher::default);
    while let Some(chunk) = stream.next().await? {
        match &mut all {
            Some(all) => all.update(&chunk),
            None => sha256.update(&chunk),
        }
        progress.advanced(u64::try_from(chunk.len()).unwrap_or_default());
    }
    let digests = all.map(FileHasher::finish);
    let digest = digests.as_ref().map_or_else(|| Sha256Digest::from_hasher(sha256), FileDigests::sha256);
    Ok(Known { content: Arc::new(Content::File(digest)), digests })
}

/// The digests of a directory's objects, by their paths in there.
async fn tree(
    store: &dyn Store,
    directory: &ObjectKey,
    members: &[ObjectKey],
    progress: &dyn Progress,
) -> Result<Tree, CheckError> {
    let each = members.iter().map(|key| async move {
        let path = key.as_str().strip_prefix(directory.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let path = path.and_then(|path| {
            RelPath::from_bytes(path.as_bytes()).ok().filter(|plain| {
                // As it is: `a//b` is another object than `a/b`.
                plain.as_bytes() == path.as_bytes()
            })
        });
        let Some(path) = path else {
            let reason = format!("the key {key} is no plain path in the directory");
            return Err(Rejection::Unverifiable { path: RelPath::root(), reason }.into());
        };
        match digest(store, key, false, progress).await?.content.as_ref() {
            Content::File(digest) => Ok((path, *digest)),
            Content::Directory(_) => Err(CheckError::NoArtifact),
        }
    });
    // Boxed one by one: they are many, and each is large.
    let each: Vec<_> = each.map(futures_util::FutureExt::boxed_local).collect();
    let files: BTreeMap<_, _> = stream::iter(each).buffer_unordered(MEMBERS_AT_ONCE).try_collect().await?;
    Ok(files.into())
}
