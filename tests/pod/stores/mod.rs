//! Real servers that speak S3: what each can do, whether our promises are kept on it, and whether a
//! step is attested on it. What is found is the table in docs/stores.md, and has to be.
//!
//! `make stores` runs these, with `STORES='minio moto'` some of them; they install what they need
//! (`tests/stores/server`), which takes minutes, and so no other run does.

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
