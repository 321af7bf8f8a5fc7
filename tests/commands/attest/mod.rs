//! `attest`: objects that were in a store before anybody attested them.

mod objects;
mod refusals;
