//! Evidence of others, and evidence that somebody meddled with.

mod altered;
mod conformance;
mod given;
#[path = "../../../../../tests/support/share.rs"]
mod share;
