//! A user with a key, before a store.

use std::process::Command;

use serde_json::Value;

use crate::program::{Desk, Ended};
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};

pub(crate) const BUILDER: &str = "https://ci.example.com/imports";

pub(crate) struct Voucher {
    pub(crate) desk: Desk,
    pub(crate) endpoint: String,
}

pub(crate) fn uri(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

impl Voucher {
    pub(crate) fn new(endpoint: &str) -> Self {
        let desk = Desk::new();
        desk.run(["keygen", "--out-dir", "keys"]).with(0);
        Self { desk, endpoint: endpoint.to_owned() }
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut program = self.desk.program(arguments);
        program
            .env("AWS_ENDPOINT_URL_S3", &self.endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        program
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut program = self.program(arguments);
        tokio::task::block_in_place(|| program.output().unwrap()).into()
    }

    /// `attest` with the key and a builder id, and these.
    pub(crate) fn attest(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["attest", "--key", "keys/attest.key", "--builder-id", BUILDER], arguments].concat())
    }

    pub(crate) fn verify(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["verify", "--key", "keys/attest.pub"], arguments].concat())
    }

    /// The statement in an attestation of a file on this machine.
    pub(crate) fn statement(&self, bundle: &[u8]) -> Value {
        self.desk.write("copy.sigstore.json", bundle);
        let inspected = self.desk.run(["inspect", "--json", "copy.sigstore.json"]).with(0);
        let mut inspected: Value = serde_json::from_str(&inspected.out).unwrap();
        inspected["attestations"][0]["statement"].take()
    }
}
