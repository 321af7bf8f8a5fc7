//! Attestations for which logs and timestamp authorities are asked to vouch.

mod keyless;
mod lies;
mod real;
mod settings;
mod silence;

use std::sync::Arc;

use serde_json::Value;

use crate::program::{Desk, Ended, run_arguments};
use crate::witnesses::{Authority, Log, write_root};

/// Somebody with a key of either kind, and a log and an authority that a trusted root names.
struct Signer {
    desk: Desk,
    log: Arc<Log>,
    time: Arc<Authority>,
}

impl Signer {
    fn new() -> Self {
        let desk = Desk::new();
        desk.run(["keygen", "--out-dir", "ed"]).with(0);
        desk.run(["keygen", "--out-dir", "p256", "--type", "ecdsa-p256"]).with(0);
        let (log, time) = (Arc::new(Log::new("log.example.com")), Arc::new(Authority::new()));
        write_root(&desk.path("root.json"), &[log.root()], &[time.root()]);
        Self { desk, log, time }
    }

    /// `run` of a command that makes `out`, with this key.
    fn run(&self, key: &str, extra: &[&str]) -> Ended {
        let file = format!("{key}/attest.key");
        let extra = [&["--key", &file], extra].concat();
        self.desk.run(run_arguments(&["out"], &extra, "date +%N > out"))
    }

    /// The same with the trusted root.
    fn run_judged(&self, key: &str, extra: &[&str]) -> Ended {
        self.run(key, &[&["--trusted-root", "root.json"], extra].concat())
    }

    /// What a verifier with the trusted root is told.
    fn verified(&self, key: &str) -> Value {
        let public = format!("{key}/attest.pub");
        let ended =
            self.desk.run(["verify", "-o", "json", "--key", &public, "--trusted-root", "root.json", "out"]);
        serde_json::from_str(&ended.with(0).out).unwrap()
    }

    /// There is nothing that could be taken for an attestation.
    #[track_caller]
    fn left_nothing(&self) {
        for name in ["out.sigstore.json", "out.intoto.jsonl"] {
            assert!(!self.desk.path(name).exists(), "{name}");
        }
    }

    fn bundle(&self) -> Value {
        serde_json::from_slice(&self.desk.read("out.sigstore.json")).unwrap()
    }
}
