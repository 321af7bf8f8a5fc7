//! From watching to attesting, whatever is watched and whoever says when it ends.
//!
//! A front (the `run` command, say) decides what the artifacts are, when the work
//! that makes them begins and ends, and where the outcomes are told.

mod artifact;
mod outcome;
mod sealed;
mod session;

pub use artifact::Artifact;
pub use outcome::{FileSeen, Outcome, Seen, Verdict};
pub use sealed::{SealedArtifact, Shape};
pub use session::{Sealed, Session, SessionError, Watching};
