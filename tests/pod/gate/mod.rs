//! The gate: whether main may start, and what the sidecar is left.

mod accepted;
mod chain;
mod elsewhere;
mod evidence;
mod forms;
mod idle;
mod mounts;
mod pieces;
mod places;
mod refused;
mod trouble;
