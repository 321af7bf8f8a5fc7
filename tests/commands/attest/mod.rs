//! `attest`: objects that were in a store before anybody attested them.

mod images;
mod many;
mod objects;
mod refusals;
