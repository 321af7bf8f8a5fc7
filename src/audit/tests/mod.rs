//! A small cluster's store: what steps leave there, and what goes missing.

mod gaps;
mod places;
pub(crate) mod world;
