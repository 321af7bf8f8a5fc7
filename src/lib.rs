//! argo-attest: signed SLSA provenance from the bytes that were written.
//!
//! The modules are the nouns of the field; `docs/architecture.md` has the picture.
//! [`volume`] watches and digests, [`attest`] states, signs, stores and reads back,
//! [`verify`] decides, [`store`] is the port to where things are kept, and [`cli`] is
//! the only one that knows of a command line.

pub mod archive;
pub mod argo;
mod artifact_stores;
pub mod attest;
pub mod bundle;
pub mod chain;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod digest;
pub mod dsse;
pub mod gate;
pub mod inject;
pub mod intoto;
pub mod manifest;
pub mod mirror;
pub mod outcome;
pub mod pipeline;
pub mod policy;
pub mod regular_file;
pub mod relpath;
pub mod report;
pub mod secret;
pub mod sidecar;
pub mod sign;
pub mod slsa;
pub mod store;
pub mod stored;
pub mod strict_json;
pub mod telemetry;
pub mod template;
mod terminal;
pub mod verify;
pub mod volume;
pub mod witness;
