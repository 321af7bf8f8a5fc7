//! A step's pod from outside: the gate before main, the sidecar beside it, an S3 server, and
//! what Argo's own containers would do, played.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "support/archives.rs"]
mod archives;
#[path = "support/collector.rs"]
mod collector;
#[path = "../support/conformance.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod conformance;
#[path = "support/consumer.rs"]
mod consumer;
#[path = "../support/fulcio.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod fulcio;
#[path = "support/handed_over.rs"]
mod handed_over;
#[path = "support/init.rs"]
mod init;
#[path = "../support/installed.rs"]
mod installed;
#[path = "support/keyless.rs"]
mod keyless;
#[path = "../support/namespace.rs"]
mod namespace;
#[path = "../support/nobody.rs"]
mod nobody;
#[path = "../support/odd_store.rs"]
mod odd_store;
#[path = "../support/openssl_command.rs"]
mod openssl_command;
#[path = "support/output.rs"]
mod output;
#[path = "support/pod.rs"]
mod pod;
#[path = "support/process.rs"]
mod process;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "../support/registry.rs"]
mod registry;
#[path = "support/s3.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod s3;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod scripted;
#[path = "support/secret.rs"]
mod secret;
#[path = "../support/servers.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/share.rs"]
mod share;
#[path = "../support/signing.rs"]
mod signing;
#[path = "../support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;
#[cfg(feature = "pkcs11")]
#[path = "../support/softhsm.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod softhsm;
#[path = "../support/tls.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod tls;
#[path = "support/upstream.rs"]
mod upstream;
#[path = "../support/witnesses.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod witnesses;

mod gate;
mod sidecar;
mod stores;
mod traces;
