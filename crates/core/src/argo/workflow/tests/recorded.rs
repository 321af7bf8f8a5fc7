//! Recordings of Argo's controller.

use std::io::{BufRead, BufReader};

use serde::Deserialize;
use serde_json::Value;

const RECORDINGS: [&[u8]; 2] = [
    include_bytes!("../../../../../../tests/fixtures/argo/workflows-3.7.18.jsonl.gz"),
    include_bytes!("../../../../../../tests/fixtures/argo/workflows-4.0.7.jsonl.gz"),
];

/// One run of a workflow.
#[derive(Deserialize)]
pub(super) struct Run {
    /// The file that it is of.
    pub(super) from: String,
    /// How its pods ended.
    pub(super) play: String,
    /// As it was stored at the end.
    pub(super) workflow: Value,
    pub(super) pods: Vec<Pod>,
}

/// A pod that the controller made.
#[derive(Deserialize)]
pub(super) struct Pod {
    pub(super) node: String,
    /// Its `ARGO_TEMPLATE`.
    pub(super) text: String,
}

/// All of them, of both versions.
pub(super) fn runs() -> Vec<Run> {
    let lines =
        RECORDINGS.iter().flat_map(|packed| BufReader::new(flate2::read::GzDecoder::new(*packed)).lines());
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}
