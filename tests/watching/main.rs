//! Whether anything that a command writes is lost, followed or mistaken.
//!
//! Public API only, on real directories, with real watches unless a test says
//! otherwise.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod ends;
mod fixture;
mod hostile;
mod interests;
mod limits;
mod producers;
mod scale;
mod sequences;
#[path = "../support/skip.rs"]
mod skip;
