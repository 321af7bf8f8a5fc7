//! Whether the staged bytes have the form in which Argo stages what was attested.
//!
//! A statement about a packed output has subjects for the object and for what is in
//! it, and that a digest is among them is not enough: one file of an attested
//! directory is not the directory, and an archive that main should have got is not
//! what is in it.

use argo_attest_core::argo::Unpack;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::{DigestSet, ResourceDescriptor};
use argo_attest_core::policy::Stores;
use argo_attest_core::verify::{Content, Here, Place, PlaceError, Subjects};

use crate::verify::Accepted;

/// Why attested bytes are not what should be staged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A part of the artifact in place of the whole.
    #[error("it is one file of the attested directory {0:?}, not the directory")]
    Part(String),
    /// What is in the object in place of the object.
    #[error("what is staged was in the attested object, and Argo was told not to unpack that")]
    Unpacked,
    /// The object in place of what is in it.
    #[error("the attested object itself is staged, and not what is in it")]
    Packed,
    /// The object was attested as bytes; Argo unpacked it.
    #[error(
        "the object was attested as it is, and Argo unpacked it: what is staged cannot be compared (archive: {{none: {{}}}} on the input keeps it as it is)"
    )]
    Incomparable,
    /// The file is attested, and its path is not.
    #[error(
        "Argo unpacks a zip of one file to a path that no attestation names: what is staged cannot be compared (archive: {{none: {{}}}} on the input keeps it as it is)"
    )]
    ZippedFile,
}

/// Checks the form of what was accepted. `is_gzip` is asked whether the staged file
/// begins as gzip does.
pub(super) fn check<E: From<FormError>>(
    accepted: &Accepted,
    content: &Content,
    unpack: Unpack,
    is_gzip: impl FnOnce() -> Result<bool, E>,
) -> Result<(), E> {
    if matches!(accepted.place, Place::Within(_)) {
        return Ok(());
    }
    let subjects = Subjects::of(accepted.statement.statement().subjects());
    let digest = match content {
        Content::File(digest) => digest,
        Content::Directory(_) if unpack == Unpack::Never && subjects.object.is_some() => {
            return Err(FormError::Unpacked.into());
        }
        Content::Directory(_) => return Ok(()),
    };
    let is_object = subjects.object_digest() == Some(*digest);
    match (subjects.is_packed(), is_object, unpack) {
        // Argo does not look into zips by itself; it does look into a gzipped tar.
        (true, true, Unpack::Detect) if is_gzip()? => Err(FormError::Packed.into()),
        (true, true, Unpack::Tar | Unpack::Zip) => Err(FormError::Packed.into()),
        (true, false, Unpack::Never) => Err(FormError::Unpacked.into()),
        (_, false, _) => match subjects.directory {
            Some(directory) => Err(FormError::Part(directory.name.clone()).into()),
            None => Ok(()),
        },
        (false, true, Unpack::Tar | Unpack::Zip) => Err(FormError::Incomparable.into()),
        (_, true, _) => Ok(()),
    }
}

/// Why digests cannot agree though all may be as it should be: Argo staged something
/// that the statement does not speak of.
pub(super) fn incomparable(
    all: &[ResourceDescriptor],
    content: &Content,
    unpack: Unpack,
) -> Option<FormError> {
    let subjects = Subjects::of(all);
    match (content, unpack) {
        // Its entry has the whole path that the file had in Argo's container, of which
        // unpacking takes the first component (`zipFile` in Argo's util/archive).
        (Content::Directory(_), Unpack::Zip) if subjects.is_packed() && subjects.file.is_some() => {
            Some(FormError::ZippedFile)
        }
        (Content::File(digest), _) if is_part(all, digest) => Some(FormError::Part(
            subjects.directory.map(|directory| directory.name.clone()).unwrap_or_default(),
        )),
        (_, Unpack::Never) | (Content::File(_), Unpack::Detect) => None,
        _ if subjects.object.is_some() && !subjects.is_packed() => Some(FormError::Incomparable),
        _ => None,
    }
}

/// Whether a file is one of those in an attested directory.
fn is_part(subjects: &[ResourceDescriptor], digest: &Sha256Digest) -> bool {
    Subjects::of(subjects).directory.is_some()
        && subjects.iter().any(|s| s.uri.is_empty() && s.digest.sha256() == Some(*digest))
}

/// Where the statement says that the object was stored has to be where the input is: an
/// object that was moved together with its attestation is another run's.
pub(super) fn check_place(accepted: &Accepted, stores: &Stores) -> Result<(), PlaceError> {
    let here = Here { uri: &accepted.base, store: accepted.store.as_ref() };
    accepted.statement.placed(here, stores)
}

/// What goes on record as the digest of the input.
pub(super) fn digest_on_record(accepted: &Accepted, content: &Content) -> DigestSet {
    let subjects = Subjects::of(accepted.statement.statement().subjects());
    match (&accepted.place, subjects.object_digest(), content) {
        (Place::Itself(_) | Place::Named(_), Some(object), _) => object.into(),
        (_, _, Content::File(digest)) => (*digest).into(),
        (_, _, Content::Directory(tree)) => argo_attest_core::digest::DirHash::of_files(&tree.files).into(),
    }
}
