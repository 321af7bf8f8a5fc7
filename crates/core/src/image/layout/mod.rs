//! Images that lie on a volume as files: OCI image layouts (OCI Image 1.1, "Image Layout"), as
//! a directory or in a tar, and what `docker save`, kaniko and crane write for `docker load`.
//!
//! The files' names are whoever wrote them chose. What counts is the digest that was made of
//! each file's bytes: an image is found if all that its manifest reaches is there under its own
//! digest, with the size that the manifest says. Of anything else it is said why not, and no
//! more. Which manifest a directory or a tar stands for is `index.json`'s word; that nobody but
//! its writer vouches for that is no matter, since what is named of an image is its digest.
//!
//! What a `docker load` archive holds has no manifest. Its image is known by the digest of its
//! configuration, which has the digests of its unpacked layers.

mod docker;
mod entries;
mod found;
mod oci;
mod only;
mod subject;
mod tarball;
mod written;

pub use entries::{Blob, Entries};
pub use found::{Found, LeftOut, StoredConfig, StoredManifest, images};
pub use oci::LAYOUT;
pub use only::{NotOne, Only, only};
pub use subject::{is_image, subjects};
pub use tarball::{ImageTar, SNIFFED, TAR_LIMITS, may_be_image_tar};
pub use written::WrittenImages;

#[cfg(test)]
mod tests;
