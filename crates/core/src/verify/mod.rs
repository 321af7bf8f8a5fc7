//! Verification: from foreign bytes to a [`VerifiedStatement`], the only value
//! in this crate that means "verified", which nothing outside this module can make.
//!
//! The order is fixed. The signature is checked over the received bytes before
//! anything in the payload is parsed (DSSE v1, "Protocol"); then the statement,
//! then the policy, then whether it speaks of this artifact. The first thing
//! that is wrong is the answer.

mod authentic;
mod by_digest;
mod coverage;
mod known_as;
mod named;
mod placed;
mod reason;
mod rejection;
mod subjects;
mod wanted;

pub use authentic::{Authentic, Signer, authenticate, authenticate_outcome, authenticate_within};
pub use coverage::{Content, Place, Tree, VerifiedStatement};
pub use known_as::KnownAs;
pub use placed::{Here, PlaceError};
pub use reason::Reason;
pub use rejection::Rejection;
pub use subjects::Subjects;
pub use wanted::Wanted;

#[cfg(test)]
mod tests;
