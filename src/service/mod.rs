//! Services that are asked a question at a time, as somebody: what all of them have in common.
//!
//! Each question has a deadline, and all its repetitions together have one. No more of an answer
//! is read than is wanted, and nothing of who we are is in an error.

mod error;
mod http;
mod patience;

pub use error::ServiceError;
pub use patience::Limits;

pub(crate) use http::{Http, Reply};
