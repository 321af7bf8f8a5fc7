//! in-toto Attestation Framework, Statement v1: what a signature is about.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>
//!
//! Predicates are opaque here; [`crate::slsa`] knows the one that we make.

mod descriptor;
mod digest_set;
mod member;
mod outline;
mod statement;

pub use descriptor::ResourceDescriptor;
pub use digest_set::{DIR_HASH, DigestSet, GIT_COMMIT, SHA256};
pub use member::{member_name, member_path};
pub use outline::Outline;
pub use statement::{
    InvalidStatement, LIMITS, MAX_SUBJECTS, STATEMENT_V0_1, STATEMENT_V1, Statement, serialize,
};
