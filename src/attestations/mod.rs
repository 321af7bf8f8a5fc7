//! Where attestations lie: the one room that knows by which names they are kept, and in
//! which order they are looked for.
//!
//! [`Attestations`] is the port: what is attested at one place. Whoever wants an attestation
//! asks for the candidates and takes the first that decides; whoever has one puts it. Its
//! adapters are [`ObjectAttestations`], for an object of a store, whose attestation lies
//! beside it or apart, [`FileAttestations`], for a file or a directory of this machine,
//! whose attestation lies beside it, and [`ImageAttestations`], for an image in a registry, to
//! which its attestations refer. What a candidate says, and whether that is true, is not
//! judged here.

mod address;
mod candidate;
mod earlier;
mod file;
mod foreign;
mod image;
mod named;
mod names;
mod object;
mod put;
mod sorting;

use std::fmt::Debug;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::manifest::Manifest;
use async_trait::async_trait;
use bytes::Bytes;

pub use address::Address;
pub use candidate::{Candidate, Candidates, FindError, Form, OpenManifest};
pub use earlier::Earlier;
pub use file::FileAttestations;
pub use foreign::Foreign;
pub use image::ImageAttestations;
pub use named::NamedAttestation;
pub use names::{AttestationNames, NameError, OF_SOME_FILES, artifact_of, is_among_attestations};
pub use object::ObjectAttestations;
pub use put::PutError;
pub use sorting::{
    At, Sorted, Sorting, There, all_forms, first_form_of, is_called_attestation, is_called_lines,
    is_called_manifest, is_first_form, is_of_some_files, stem_of_any,
};

/// Size limit of an attestation that is read, in bytes.
pub const MAX_ATTESTATION: u64 = 16 * 1024 * 1024;
/// The same, of what is read from a file.
pub const MAX_ATTESTATION_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of an attestation of which any number is held at the same time.
pub const USUAL_ATTESTATION: u64 = 1024 * 1024;

/// What is attested at one place, and where an attestation of it goes.
#[async_trait]
pub trait Attestations: Send + Sync + Debug {
    /// What may speak of the artifact, in the order in which it counts. Each candidate is
    /// read only when it is asked for.
    fn find(&self, reach: Reach) -> Candidates<'_>;

    /// Keeps an attestation, without ever destroying what is none. Readers that come
    /// meanwhile find all of it or the one before. Gives what is there afterwards, as it
    /// was read back.
    ///
    /// Errors: [`PutError`].
    async fn put(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError>;

    /// Whether one could be put as far as others' files are concerned: nothing that is no
    /// attestation lies in its place now.
    ///
    /// Errors: [`PutError::Foreign`]; what cannot be found out is not in the way yet.
    async fn is_free(&self) -> Result<(), PutError>;

    /// What a statement calls the manifest that is put with it.
    fn manifest_name(&self) -> String;
}

/// How far from the artifact an attestation may be that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The artifact's own; if there is none, that of the innermost directory that has one: in
    /// each place where one may lie the bundle, then the lines; and of a file, if there is no such
    /// either, that of some files of the innermost directory that has one. A name that is no plain path is in no directory, and [`FindError`] says so.
    Nearest,
    /// The artifact's own, and no directory's.
    Own,
    /// All of the directories', from the one so many levels above: whatever may claim the
    /// artifact. A name that is no plain path is in every directory that it could be in.
    Above(usize),
}

/// What is to be kept.
#[derive(Debug)]
pub struct NewAttestation<'a> {
    /// The signed statement.
    pub bundle: &'a Bundle,
    /// The files that the statement does not list itself, where they are too many.
    pub manifest: Option<&'a Manifest>,
    /// What becomes of something else that is in its place.
    pub foreign: Foreign,
    /// What becomes of an attestation in its place that counts by a certificate, and that no lines keep.
    pub earlier: Earlier,
}

/// What is kept, as it was read back. Nobody has compared it yet with what was put.
#[derive(Debug)]
pub struct Kept {
    /// The Sigstore bundle.
    pub bundle: ReadBack,
    /// The envelopes of this attempt and those before, one a line; nothing where each attempt
    /// stays in a place of its own, nor where one counts by a certificate, for which lines have no room, and there
    /// were none.
    pub lines: Option<ReadBack>,
    /// Where that is now which was in its place, and was none: URIs.
    pub set_aside: Vec<String>,
}

/// Bytes, and where they were read.
#[derive(Debug)]
pub struct ReadBack {
    /// Where, printable.
    pub uri: String,
    /// What is there.
    pub bytes: Bytes,
}

#[cfg(test)]
mod tests;
