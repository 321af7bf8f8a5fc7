//! What argo-attest decides, states and verifies, without network, clock or command line.
//!
//! Bytes and values come in, a verdict or other bytes go out: formats ([`json`], [`intoto`],
//! [`slsa`], [`dsse`], [`bundle`], [`manifest`]), keys ([`keys`]), what a policy accepts
//! ([`policy`], [`verify`]), what others vouch for ([`proof`]), what Argo says and stores ([`argo`], [`archive`], [`inject`]).
//! The program around it, `argo-attest`, watches, asks and stores. `docs/architecture.md`
//! has the map.

#[cfg(test)]
extern crate self as argo_attest_core;

pub mod archive;
pub mod argo;
pub mod attestation_file;
pub mod audit;
pub mod bundle;
pub mod consulted;
pub mod contents;
pub mod contract;
pub mod digest;
pub mod dsse;
pub mod git;
pub mod git_remote;
pub mod image;
pub mod inject;
pub mod input_evidence;
pub mod intoto;
pub mod json;
pub mod keys;
pub mod kubeconfig;
pub mod links;
pub mod manifest;
pub mod object_name;
pub mod outcome;
pub mod outcome_words;
pub mod policy;
pub mod predicate;
pub mod proof;
pub mod relpath;
pub mod secret;
pub mod slsa;
pub mod store_address;
pub mod summary;
pub mod text;
pub mod trace_context;
pub mod trouble;
pub mod verify;
