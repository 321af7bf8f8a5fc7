//! The gate in a pod that is played: inputs that a real sidecar attested in a pod of
//! its own, fetched and unpacked as Argo's init container does it, and then the real
//! binary, which decides whether main starts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../sidecar/archives.rs"]
mod archives;
#[path = "../support/namespace.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod namespace;
#[path = "../sidecar/output.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod output;
#[path = "../sidecar/pod.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod pod;
#[path = "../sidecar/process.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod process;
#[path = "../sidecar/s3.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod s3;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/signing.rs"]
mod signing;

mod consumer;
mod init;
mod upstream;

mod accepted;
mod chain;

mod elsewhere;
mod evidence;
mod forms;
mod idle;
mod mounts;
mod places;

mod refused;
mod trouble;
