//! argo-attest: signed SLSA provenance from the bytes that were written.
//!
//! What can be decided without network, clock or command line is in `argo_attest_core`;
//! here is what watches, asks, signs and stores. `docs/architecture.md` has the picture.
//! [`observe`] watches and digests, [`attest`] states, signs, stores and reads back,
//! [`store`] is the port to where things are kept, and [`cli`] is the only one that knows
//! of a command line.

mod artifact_repository;
pub mod attest;
pub mod attestations;
#[cfg(feature = "cli")]
pub mod audit;
mod aws;
pub mod chain;
#[cfg(feature = "cli")]
mod checkout;
pub mod cli;
pub mod cluster;
#[cfg(feature = "cli")]
pub mod command;
mod credential_program;
pub mod document;
pub mod environment;
pub mod gate;
mod hearing;
pub mod image_files;
pub mod mirror;
pub mod net;
pub mod observe;
#[cfg(feature = "cli")]
pub mod page;
pub mod registry;
pub mod regular_file;
pub mod report;
pub mod roll;
mod service;
pub mod sidecar;
pub mod signer;
pub mod store;
pub mod stored_match;
pub mod telemetry;
pub mod template;
pub mod token;
pub mod verify;
pub mod witness;
