//! The commands from outside: what a user starts, what it leaves, what it says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../limits/cost.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod cost;
#[path = "../support/fulcio.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod fulcio;
#[path = "../support/installed.rs"]
mod installed;
#[path = "../support/nobody.rs"]
mod nobody;
#[path = "../support/openssl_command.rs"]
mod openssl_command;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/registry.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod registry;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod scripted;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "not every server of it is needed here")]
mod servers;
#[path = "../support/share.rs"]
mod share;
#[path = "../support/signing.rs"]
mod signing;
#[path = "../support/skip.rs"]
mod skip;

#[path = "../support/witnesses.rs"]
mod witnesses;

mod voucher;
mod workshop;

mod admitting;
mod attest;
mod audit;
mod audit_images;
mod audit_many;
mod audit_parts;
mod audit_signed;
mod audit_versions;
mod audited;
mod benches;
mod cases;
mod chain;
mod documents;
mod helpers;
mod hostile;
mod images;
mod keyless;
mod layouts;
mod many;
mod monitoring;
mod others;
mod pages;
mod proven;
mod run;
mod shell;
mod streams;
mod summaries;
mod told;
mod witnessed;
