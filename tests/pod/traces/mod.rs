//! Spans: what of a step's pod is in Argo's trace, and what a collector that is not as it should be costs.

mod amiss;
mod joined;
mod real;

/// As Argo 4.1 sets it: a node's span.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const GATE: &str = "argo-attest verify-inputs";
const SIDECAR: &str = "argo-attest sidecar";
