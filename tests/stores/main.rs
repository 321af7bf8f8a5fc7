//! Real servers that speak S3: what each can do, whether our promises are kept on it, and whether a
//! step is attested on it. What is found is the table in docs/stores.md, and has to be.
//!
//! `make stores` runs these, with `STORES='minio moto'` some of them; they install what they need
//! (`server`), which takes minutes, and so no other run does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../pod/support/archives.rs"]
mod archives;
#[path = "../support/conformance.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod conformance;
#[path = "../support/namespace.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod namespace;
#[path = "../pod/support/output.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod output;
#[path = "../pod/support/pod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod pod;
#[path = "../pod/support/process.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod process;
#[path = "../pod/support/s3.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod s3;
#[path = "../support/servers.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod servers;
#[path = "../support/skip.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod skip;

mod abilities;
mod lifecycle;
mod promises;
mod server;
mod step;
mod table;

use server::Server;

/// Everything on one server, and its row.
fn tried(name: &str) {
    let Some(server) = Server::start(name) else { return };
    let abilities = abilities::of(&server);
    let broken = promises::broken(&server);
    let step = step::attested(&server, abilities.takes_crc64nvme());
    table::hold(&table::row(name, &server.version, &abilities, &step, &broken));
}

#[test]
#[ignore = "make stores"]
fn versitygw() {
    tried("versitygw");
}

#[test]
#[ignore = "make stores"]
fn minio() {
    tried("minio");
}

#[test]
#[ignore = "make stores"]
fn seaweedfs() {
    tried("seaweedfs");
}

#[test]
#[ignore = "make stores"]
fn ceph() {
    tried("ceph");
}

#[test]
#[ignore = "make stores"]
fn rclone() {
    tried("rclone");
}

#[test]
#[ignore = "make stores"]
fn s3proxy() {
    tried("s3proxy");
}

#[test]
#[ignore = "make stores"]
fn moto() {
    tried("moto");
}
