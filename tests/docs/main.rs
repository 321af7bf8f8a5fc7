//! What is promised in words: the documents, the commands in them, the reference that is made from
//! the program, and the command line, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;

mod command_line;
mod commands;
mod pages;
mod reference;
mod stores;
