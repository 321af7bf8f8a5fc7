//! Verification: from foreign bytes to a [`VerifiedStatement`], the only value
//! in this crate that means "verified", which nothing outside this module can make.
//!
//! The order is fixed. The signature is checked over the received bytes before
//! anything in the payload is parsed (DSSE v1, "Protocol"); then the statement,
//! then the policy, then whether it speaks of this artifact. The first thing
//! that is wrong is the answer.

mod authentic;
mod coverage;
mod named;
mod rejection;

pub use authentic::{Authentic, Signer, authenticate, authenticate_within};
pub use coverage::{Content, Place, VerifiedStatement};
pub use rejection::Rejection;

#[cfg(test)]
mod tests;
