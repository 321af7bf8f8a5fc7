//! Attesting: what was observed becomes a statement, the statement a signed
//! bundle, and the bundle an object that was read back from where it was put.
//!
//! Nothing may be called attested without a [`Receipt`], and only [`Attestor::attest`] and
//! [`ImageAttestor::attest`] make one, after reading back and verifying. What a step says in a document
//! of its own about the same artifact is put as another statement, of which there is a [`Stated`].

mod attestor;
mod existing_image;
pub mod existing_object;
mod file;
mod image;
mod one_large;
mod receipt;
mod untouched;

pub use attestor::{AttestError, Attestor};
pub use existing_image::{ExistingImageError, ImageSighting};
pub use file::{FileSeen, Outcome, Verdict};
pub use image::{ImageAttested, ImageAttestor, Referred};
pub use one_large::OneLarge;
pub use receipt::{Receipt, Reported, Stated};

#[cfg(test)]
mod tests;
