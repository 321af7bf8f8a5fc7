//! Every reader of foreign bytes has limits (`docs/limits.md`): whatever it is given, it
//! takes no more than 64 MiB and two seconds of processor time, and what it says of it is
//! printable.
//!
//! The program is run on the worst inputs that were thought of: those just within a
//! limit and those far beyond. Time is the processor's, not the clock's; a build with
//! debug assertions has ten times as much, since it is that much slower.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../support/program.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod program;
#[path = "../support/signing.rs"]
mod signing;

mod archives;
mod attestations;
mod cost;
mod found;
mod many;
mod printed;
mod replies;
mod workflows;
