//! Walking from an artifact's statement to the statements of what went into it.
//!
//! A step's statement names the attestation of each input that was checked, by
//! address and SHA-256 (`resolvedDependencies[].annotations.attestation`, see
//! `docs/buildtypes/argo-step/v1.md`); `docs/chain.md` says what each link has to
//! hold. The digest is what is believed, the address is only where to ask: nothing
//! that a statement says makes credentials go to another host, or a file be read.
//!
//! The same of the image of a step's container, whose attestation lies with it in its registry.
//!
//! Only statements are followed. Whether the objects in between are still in the
//! store is not asked: the chain says how the artifact came to be, not what is left.

mod fetch;
mod images;
mod link;
#[cfg(test)]
mod tests;
mod walk;

pub use fetch::{Buckets, FetchError, Source};
pub use images::{EACH, Images};
pub use link::{Chain, Link, LinkError, Standing, Upstream};
pub use walk::{Limits, walk};
