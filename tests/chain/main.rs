//! `verify --chain` from outside: attestations of steps that used each other's
//! outputs, in a real S3 server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/program.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod program;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;

mod lineage;
mod rotation;
mod workshop;
