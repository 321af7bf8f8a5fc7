//! A canary: every command is given key material in place of every option, argument and
//! variable that clap knows of, and in every file that it reads; nothing that comes out
//! may hold any of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "secrets/canary.rs"]
mod canary;
#[path = "secrets/cases.rs"]
mod cases;
#[path = "secrets/everywhere.rs"]
mod everywhere;
#[path = "secrets/given.rs"]
mod given;
#[path = "support/scripted.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod scripted;
#[path = "support/share.rs"]
mod share;
#[cfg(feature = "pkcs11")]
#[path = "support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;
#[cfg(feature = "pkcs11")]
#[path = "support/softhsm.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod softhsm;
#[path = "secrets/wrapped.rs"]
mod wrapped;
