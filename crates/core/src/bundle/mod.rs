//! Files that carry attestations: the Sigstore bundle, and lines of envelopes.
//!
//! A [`Bundle`] is version 0.3 of Sigstore's bundle
//! (<https://github.com/sigstore/protobuf-specs>, `sigstore_bundle.proto`) around one
//! DSSE envelope that was signed with a key. [`lines`] is in-toto's bundle, JSON
//! lines (<https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>).
//! Log entries, timestamps and certificates are carried as [`Evidence`], not checked;
//! what is signed with a certificate is not verified.

mod evidence;
mod file;
pub mod lines;

pub use evidence::{Certificate, Evidence, Unjudged};
pub use file::{Bundle, BundleError, MAX_BUNDLE, MEDIA_TYPE};
