//! `attest` from outside: objects that were in a store before anybody attested them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/program.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod program;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;

mod desk;
mod objects;
mod refusals;
