//! The audit: of every object and every step of a workflow, of a prefix or of a directory, what is
//! attested and what is missing.
//!
//! What a workflow says ran comes from `argo_attest_core::audit`, and says only what is looked
//! for. Objects are asked for in the buckets that it names, of the one store that the caller is
//! configured for: neither a host nor a credential is ever taken from it. What is said to be
//! attested was verified as `verify` verifies it; to which run it belongs, its verified statement
//! says.

mod auditor;
mod entry;
mod image;
mod links;
pub mod merge;
mod object;
mod outcomes;
mod outputs;
mod owed;
mod place;
mod remark;
mod workflow;

pub use auditor::{Auditor, Opener};
pub use entry::{Entry, Step, Subject};
pub use outcomes::Outcomes;
pub use outputs::Outputs;
pub use place::{FoundAt, Left, Listed, Names};
pub use remark::{NodeRun, Open, Remark, Settler};

#[cfg(test)]
pub(crate) mod tests;
