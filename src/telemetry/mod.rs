//! What is told while the work goes on, to whoever operates it: the trace that
//! the work belongs to, its spans, and numbers. Nothing is decided by any of it.

mod metrics;
mod server;
mod tracer;

pub use metrics::{Counts, Metrics};
pub use server::serve;
pub use tracer::{InvalidTarget, Said, Span, Target, Tracer, Unsent, say, span, traced};
