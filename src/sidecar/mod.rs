//! The attestor inside an Argo step: the front that a pod has.
//!
//! What to attest comes from the step's own description (`argo_attest_core::argo`), when
//! it ends from the kubelet (SIGTERM) and main's exit codes, and what became of
//! it goes to the store, the termination message, the log and the metrics. In
//! between it is the pipeline of every other front (`crate::observe::Session`).
//!
//! It never disturbs the step. As a native sidecar it always ends with 0; the
//! one thing it may do is hold main for a short time, so that nothing is missed.
//! Every wait has a deadline, and two seconds are kept to say what is unsigned.
//!
//! Its life is four states, each a file and a type that becomes the next:
//! `starting` (what the step is, and getting ready), `ready` (main runs),
//! `finishing` (main has ended) and `done` (telling); and two in which nothing is
//! attested, `idle` and `failed`. Where SIGTERM is heard is `signals`, where the
//! time that is left is counted `grace`, where main's end is read `ending`.

mod claims;
mod comparing;
mod conclusion;
mod done;
mod earlier;
mod ending;
mod failed;
mod finishing;
mod grace;
mod holding;
mod idle;
mod images;
mod key;
mod last_look;
mod life;
mod misused;
mod named;
mod observing;
mod packed;
mod placing;
mod planned;
mod predicates;
mod preparation;
mod ready;
mod settings;
mod signals;
mod started;
mod starting;
pub mod status;
mod surroundings;
mod telling;
mod upstream;
mod waiting;

pub use life::{End, run};
pub use misused::Misused;
pub use named::{InvalidNamedStore, NamedStore};
pub use settings::{Form, IfNotReady, Settings, Unusable};
pub use signals::Signals;
