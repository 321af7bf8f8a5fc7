//! `run`, and `verify` of what it leaves.

mod conventions;
mod ending;
mod evidence;
mod examples;
mod keys;
mod links;
mod main_job;
mod many;
mod names;
mod outputs;
mod refusals;
mod rerun;
mod stores;
mod tampering;
mod terminal;
mod trust;
mod watching;
