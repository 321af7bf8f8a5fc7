//! The adapters of the store's port: one conformance suite over all of them, what they do with
//! hostile and broken servers, whom they trust; whether an object is what was written; and HTTP as all who
//! are asked see it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/conformance.rs"]
mod conformance;
#[path = "../support/faulty.rs"]
mod faulty;
#[path = "../support/moto.rs"]
mod moto;
#[path = "../support/nobody.rs"]
mod nobody;
#[path = "../support/odd_store.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod odd_store;
#[path = "../support/scripted.rs"]
mod scripted;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/share.rs"]
mod share;
#[path = "../support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;
#[path = "../../crates/core/src/archive/tests/tarball.rs"]
#[expect(dead_code, reason = "shared with the tests of the archive readers")]
mod tarball;
#[path = "../support/tls.rs"]
mod tls;
#[path = "../../crates/core/src/archive/tests/zipball.rs"]
#[expect(dead_code, reason = "shared with the tests of the archive readers")]
mod zipball;

mod abilities;
mod adapters;
mod bodies;
mod faults;
mod file;
mod identities;
mod many;
mod net;
mod plain;
mod profiles;
mod settings;
mod stored;
mod trust;
mod versitygw;
