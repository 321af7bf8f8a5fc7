//! Whether a store holds what was written: every way in which Argo packs an
//! output, over a store in memory and over a real S3 server, left alone and
//! tampered with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/servers.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../../crates/core/src/archive/tests/tarball.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the archive readers")]
mod tarball;
#[path = "../../crates/core/src/archive/tests/zipball.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the archive readers")]
mod zipball;

mod case;
mod double;
mod each;
mod entries;
mod evidence;
mod packings;
mod trouble;
