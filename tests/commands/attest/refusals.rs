//! What is not attested, and what is said of it.

use std::fs;

use crate::program::run_arguments;
use crate::servers::{self, BUCKET};
use crate::voucher::{BUILDER, Voucher, uri};

#[tokio::test(flavor = "multi_thread")]
async fn provenance_that_says_how_the_bytes_were_made_is_not_hidden() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    let arguments =
        run_arguments(&["app"], &["--key", "keys/attest.key", "--store", "s3://bucket"], "echo app > app");
    voucher.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).with(0);
    fs::write(bucket.join("app"), "app\n").unwrap();
    let bundle = bucket.join("app.sigstore.json");
    let before = fs::read(&bundle).unwrap();

    voucher.attest(&[&uri("app")]).with(1).says("says already how these bytes were made").says("--supersede");
    assert_eq!(fs::read(&bundle).unwrap(), before);
    voucher.attest(&["--supersede", &uri("app")]).with(0);
    voucher.verify(&["--builder-id", BUILDER, &uri("app")]).with(0);
    let lines = fs::read_to_string(bucket.join("app.intoto.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_attested_is_told_and_leaves_nothing() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    fs::write(bucket.join("app"), "app\n").unwrap();
    let app = uri("app");
    voucher.attest(&[&uri("gone")]).with(66).says("does not exist").says("help: ");
    voucher.attest(&["out"]).with(64).says("is no s3:// object and no oci:// image").says("help: ");
    voucher.attest(&["s3://bucket"]).with(64).says("help: ");
    voucher.run(&["attest", "--builder-id", BUILDER, "--key", "keys/none", &app]).with(77).says("help: ");
    voucher.run(&["attest", "--key", "keys/attest.key", &app]).with(64).says("--builder-id");
    voucher.desk.run(["attest", "--key", "keys/attest.key", "--builder-id", BUILDER, &app]).with(64);
    fs::write(bucket.join("app.sigstore.json"), "mine").unwrap();
    voucher.attest(&[&app]).with(1).says("is there already and is not an attestation");
    assert_eq!(fs::read(bucket.join("app.sigstore.json")).unwrap(), b"mine");
    assert!(!bucket.join("gone.sigstore.json").exists());
}
