//! The program from outside: what a user starts, what it leaves, what it says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/program.rs"]
mod program;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "not every server of it is needed here")]
mod servers;
#[path = "support/signing.rs"]
mod signing;

#[path = "run/ending.rs"]
mod ending;
#[path = "run/evidence.rs"]
mod evidence;
#[path = "run/examples.rs"]
mod examples;
#[path = "run/keys.rs"]
mod keys;
#[path = "run/main_job.rs"]
mod main_job;
#[path = "run/many.rs"]
mod many;
#[path = "run/names.rs"]
mod names;
#[path = "run/outputs.rs"]
mod outputs;
#[path = "run/refusals.rs"]
mod refusals;
#[path = "run/stores.rs"]
mod stores;
#[path = "run/tampering.rs"]
mod tampering;
#[path = "run/terminal.rs"]
mod terminal;
#[path = "run/trust.rs"]
mod trust;
#[path = "run/watching.rs"]
mod watching;
