//! Others who are asked to vouch for a signature when it was made: a transparency log, that it is
//! published, and a timestamp authority, that it was there. What they say goes into the bundle.
//!
//! The port is [`Witness`]; what is asked and what of an answer is taken is decided in
//! [`argo_attest_core::proof::asking`]. Nobody is believed: each answer is judged as a verifier would who has the
//! same trusted root, before it goes anywhere. Whoever does not answer, not in time or not truly, costs
//! the attestation, or is told of beside it: [`OnFailure`].
//!
//! A timestamp authority gets the digest of a signature; Rekor 2 that of a statement, the signature and the
//! public key. Rekor 1 gets the whole statement: commands, arguments, values of parameters, names and digests of
//! files, and of a document that is signed as what it is all that is in it. The content of other artifacts goes to
//! none of them.

mod error;
mod exchange;
mod port;
mod rekor;
mod settings;
mod timestamp;
mod witnesses;

pub use error::WitnessError;
pub use port::Witness;
pub(crate) use settings::trust;
pub use settings::{InvalidWitnesses, LogSettings, LogVersion, OnFailure, WitnessSettings};
pub use witnesses::{Given, Witnesses};

pub use crate::service::{Limits, ServiceError};
pub use crate::store::s3::Endpoint;

use std::time::Duration;

/// How long they are asked for. A log of Rekor 2 answers when it has published what it took, and wants to be waited
/// for some twenty seconds.
pub const PATIENCE: Limits = Limits {
    attempt: Duration::from_secs(20),
    total: Duration::from_secs(25),
    first_pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(2),
};
