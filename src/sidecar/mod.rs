//! The attestor beside main, in an Argo step's pod.

pub mod status;
