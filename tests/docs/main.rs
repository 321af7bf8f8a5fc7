//! What is promised in words: the documents, the reference that is made from the program, and
//! the command line, case by case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod command_line;
mod pages;
mod reference;
mod stores;
