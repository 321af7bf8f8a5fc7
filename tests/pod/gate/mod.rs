//! The gate: whether main may start, and what the sidecar is left.

mod accepted;
mod chain;
mod elsewhere;
mod evidence;
mod forms;
mod identities;
mod idle;
mod images;
mod mounts;
mod pieces;
mod places;
mod refused;
mod trouble;

/// As digests are written.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
