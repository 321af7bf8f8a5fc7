//! What is told while the work goes on, to whoever operates it: the trace that
//! the work belongs to, and numbers. Nothing is decided by either.

mod metrics;
mod server;

pub use metrics::{Counts, Metrics};
pub use server::serve;
