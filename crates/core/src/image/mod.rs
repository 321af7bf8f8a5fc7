//! Container images: what they are called, what their manifests say, and the manifest by
//! which an attestation lies with one (OCI Image 1.1, OCI Distribution 1.1).
//!
//! An image is named by the digest of its manifest, or of the index of manifests that has
//! one for each platform. Whoever knows that digest can check all of it: a manifest has the
//! digests of its configuration and layers, an index those of its manifests. A tag is a
//! name that anybody who may push can give to another image.

mod cosign;
mod descriptor;
pub mod layout;
mod manifest;
mod platform;
mod reference;
mod referrers;
mod subject;
mod told_digest;

pub use cosign::{NewTagged, TaggedEnvelopes};
pub use descriptor::{BlobDigest, Descriptor};
pub use manifest::{Image, Index, MAX_MANIFEST, Manifest, ManifestError, ManifestKind};
pub use platform::{InvalidPlatform, Platform};
pub use reference::{ImageReference, InvalidReference, Registry, Repository, Tag};
pub use referrers::{Carried, EMPTY_CONFIG, NewReferrer, ReferrersIndex, cosign_tag, fallback_tag};
pub use subject::{ImageSubject, UnnamedImage};
pub use told_digest::{MAX_DIGEST_FILE, digests_of_files, tells_digest};
