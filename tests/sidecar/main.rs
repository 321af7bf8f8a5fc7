//! The sidecar in a pod that is played: the real binary, Argo's directory and
//! main's volume as temporary directories, a real S3 server, and what Argo's own
//! containers do done by the test.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod archives;
#[path = "../support/namespace.rs"]
mod namespace;
mod output;
mod pod;
mod process;
mod proxy;
mod s3;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod scripted;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/tls.rs"]
mod tls;

mod annotations;
mod endings;
mod idle;
mod keys;
mod many;
mod mounts;
mod packings;
mod readiness;
mod reports;
mod restarts;
mod rotation;
mod secret;
mod stores;
mod tampering;
mod template;
mod threads;
