//! The attestor inside an Argo step: the front that a pod has.
//!
//! What to attest comes from the step's own description ([`argo_attest_core::argo`]), when
//! it ends from the kubelet (SIGTERM) and main's exit codes, and what became of
//! it goes to the store, the termination message, the log and the metrics. In
//! between it is the pipeline of every other front ([`crate::pipeline`]).
//!
//! It never disturbs the step. As a native sidecar it always ends with 0; the
//! one thing it may do is keep main from starting while nothing could be
//! attested. Every wait has a deadline, and two seconds are kept to say what is
//! unsigned.

mod claims;
mod clock;
mod conclusion;
mod ending;
mod life;
mod packed;
mod planned;
mod preparation;
mod settings;
pub mod status;
mod telling;
mod upstream;

pub use life::{End, run};
pub use settings::{Form, Settings, Unusable};
