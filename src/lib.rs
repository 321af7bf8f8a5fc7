//! argo-attest: signed SLSA provenance from the bytes that were written.

pub mod archive;
pub mod argo;
pub mod digest;
pub mod relpath;
