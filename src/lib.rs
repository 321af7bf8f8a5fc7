//! argo-attest: signed SLSA provenance from the bytes that were written.

pub mod digest;
pub mod relpath;
pub mod volume;
