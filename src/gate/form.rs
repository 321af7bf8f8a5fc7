//! Whether the staged bytes have the form in which Argo stages what was attested.
//!
//! A statement about a packed output has subjects for the object and for what is in
//! it, and that a digest is among them is not enough: one file of an attested
//! directory is not the directory, and an archive that main should have got is not
//! what is in it.

use crate::argo::Unpack;
use crate::check::Accepted;
use crate::digest::Sha256Digest;
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::stored::BYPRODUCT;
use crate::verify::{Content, Place};

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
    /// Copied, with its attestation, from where it was stored.
    #[error("the attestation is about {said}, and the input is {here}: both were moved here")]
    Elsewhere {
        /// Where the step that made it stored it.
        said: String,
        /// Where the input is.
        here: String,
    },
}

/// What a statement's subjects are, as far as it matters here.
pub(super) struct Subjects<'a> {
    /// The stored object, by its address.
    object: Option<&'a ResourceDescriptor>,
    /// The directory.
    directory: Option<&'a ResourceDescriptor>,
    /// The only other file.
    file: Option<&'a ResourceDescriptor>,
}

impl<'a> Subjects<'a> {
    pub(super) fn of(subjects: &'a [ResourceDescriptor]) -> Self {
        let object = subjects.iter().find(|s| !s.uri.is_empty());
        let directory = subjects.iter().find(|s| s.digest.dir_hash().is_some());
        let mut files = subjects.iter().filter(|s| s.uri.is_empty());
        let file = files.next().filter(|_| directory.is_none() && files.next().is_none());
        Self { object, directory, file }
    }

    /// The digest of the object, where the object is one.
    pub(super) fn object_digest(&self) -> Option<Sha256Digest> {
        self.object?.digest.sha256()
    }

    fn is_packed(&self) -> bool {
        self.object.is_some() && (self.file.is_some() || self.directory.is_some())
    }
}

/// Checks the form of what was accepted. `is_gzip` is asked whether the staged file
/// begins as gzip does.
pub(super) fn check<E: From<FormError>>(
    accepted: &Accepted,
    content: &Content,
    unpack: Unpack,
    is_gzip: impl FnOnce() -> Result<bool, E>,
) -> Result<(), E> {
    if accepted.place != Place::Itself {
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
    subjects: &[ResourceDescriptor],
    content: &Content,
    unpack: Unpack,
) -> Option<FormError> {
    let subjects = Subjects::of(subjects);
    match (content, unpack) {
        // Its entry has the whole path that the file had in Argo's container, of which
        // unpacking takes the first component (`zipFile` in Argo's util/archive).
        (Content::Directory(_), Unpack::Zip) if subjects.is_packed() && subjects.file.is_some() => {
            Some(FormError::ZippedFile)
        }
        (_, Unpack::Never) | (Content::File(_), Unpack::Detect) => None,
        _ if subjects.object.is_some() && !subjects.is_packed() => Some(FormError::Incomparable),
        _ => None,
    }
}

/// Where the statement says that the object was stored has to be where the input is: an
/// object that was moved together with its attestation is another run's.
pub(super) fn check_place(accepted: &Accepted) -> Result<(), FormError> {
    let statement = accepted.statement.statement();
    let objects = statement.subjects().iter().map(|s| &s.uri).filter(|uri| !uri.is_empty());
    let byproducts = &accepted.statement.provenance().run_details.byproducts;
    let stored = byproducts.iter().filter(|b| b.name == BYPRODUCT).map(|b| &b.uri);
    // A directory is stored as an object a file, beneath its key.
    let is_one = Subjects::of(statement.subjects()).object.is_some();
    let is_here = |uri: &str| match uri.strip_prefix(accepted.base.trim_end_matches('/')) {
        Some(rest) => rest.is_empty() || (!is_one && rest.starts_with('/')),
        None => false,
    };
    match objects.chain(stored).find(|uri| !is_here(uri)) {
        Some(said) => Err(FormError::Elsewhere {
            said: crate::outcome::brief(said, 300),
            here: crate::outcome::brief(&accepted.base, 300),
        }),
        None => Ok(()),
    }
}

/// What goes on record as the digest of the input.
pub(super) fn digest_on_record(accepted: &Accepted, content: &Content) -> DigestSet {
    let subjects = Subjects::of(accepted.statement.statement().subjects());
    match (&accepted.place, subjects.object_digest(), content) {
        (Place::Itself, Some(object), _) => object.into(),
        (_, _, Content::File(digest)) => (*digest).into(),
        (_, _, Content::Directory(files)) => crate::digest::DirHash::of_files(files).into(),
    }
}
