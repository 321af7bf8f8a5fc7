//! The gate before a step: its input artifacts are checked while main has not
//! started, and a non-zero exit of this container keeps it from ever starting.
//!
//! What is judged are the staged bytes, those that main will read, at the paths where
//! main will read them: whatever happens to the object after Argo fetched it does not
//! matter. The attestation comes from where one of the object lies, and the policy decides
//! ([`crate::verify`], [`argo_attest_core::verify`]); beyond that, the bytes must have the form in
//! which Argo stages what was attested, and the object must be where the attestation
//! says that it was stored.
//!
//! Text in the template has no attestation, and needs none: what is staged is compared with it.
//!
//! The images of the step's own containers are looked up in their registries, where that is asked
//! for.
//!
//! Not judged: inputs that nobody can attest (an HTTP address, stores that are not supported),
//! for which the policy's `missing` decides; and git repositories, whose commit goes on record. File modes, owners and empty directories
//! are in no attestation.

mod error;
pub mod evidence;
mod form;
mod images;
mod inspection;
mod longer;
mod missing;
mod passed_over;
mod pieces;
mod staged;
mod verdict;

pub use error::InputError;
pub use evidence::{EVIDENCE_FILE, EvidenceError};
pub use form::FormError;
pub use images::{ImageError, ImageInspection, REGISTRIES};
pub use inspection::Inspection;
pub use staged::StagedError;
pub use verdict::{Answer, Subject, Verdict, summary};
