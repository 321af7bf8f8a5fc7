//! argo-attest: signed SLSA provenance from the bytes that were written.

pub mod attest;
pub mod bundle;
pub mod command;
pub mod digest;
pub mod dsse;
pub mod intoto;
pub mod manifest;
pub mod policy;
pub mod relpath;
pub mod sign;
pub mod slsa;
pub mod store;
pub mod strict_json;
pub mod verify;
pub mod volume;
