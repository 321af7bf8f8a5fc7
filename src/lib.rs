//! argo-attest: signed SLSA provenance from the bytes that were written.

pub mod bundle;
pub mod digest;
pub mod dsse;
pub mod relpath;
pub mod sign;
pub mod store;
pub mod strict_json;
