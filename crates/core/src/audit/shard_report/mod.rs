//! What the audit of one part of a place left for whoever puts the parts together: a text of JSON
//! objects, one a line.
//!
//! Nobody signs it. It is read as the word of whoever wrote it, and within bounds: a line at a time,
//! in the one order that there is, up to an end that counts what came before. What is cut off, is of
//! another audit, or says in two places what cannot be together, is refused, since a report that is
//! put together of less than all would look like one of everything.

mod read;
mod write;

use std::io;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use self::read::ShardReport;
pub use self::write::{EntryText, ShardWriter};
use super::{Finding, InvalidShard, Shard};
use crate::digest::Sha256Digest;
use crate::json::JsonError;
use crate::trouble::{Fault, Trouble};

/// Bytes of one line. A finding has some thousand.
pub const MAX_LINE: usize = 1024 * 1024;

/// Which audit a report is of. Those of all its parts have the same, but for the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The program and its version: others may say the same otherwise.
    pub program: String,
    /// Which part.
    pub shard: Shard,
    /// What whoever started the parts calls the audit, if anything.
    pub run: String,
    /// Digest of all by which was judged: the policy, its keys, and the options.
    pub asked: String,
    /// The places, as they were named: not printable.
    pub places: Vec<Vec<u8>>,
    /// Whose stores those are in: the addresses.
    pub stores: Vec<String>,
    /// What changed earlier was not looked at.
    pub since: Option<Timestamp>,
    /// Names of files that count as nobody's.
    pub not_ours: Vec<String>,
}

/// What was listed of a place, as a whole: parts of which this differs saw two places, and something may be in
/// none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// How many names.
    pub count: u64,
    /// Digest of all names, in their order.
    pub digest: Sha256Digest,
}

/// A workflow's UID and a node's id.
pub type NodeRun = (String, String);

/// That an outcome does not say how its step ended: it counts unless another one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The node, if it names one.
    pub run: Option<NodeRun>,
    /// When its sidecar started.
    pub started_on: Option<Timestamp>,
}

/// One line, but for the head and the end.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A place that could not be looked at.
    Place(Reported),
    /// What there was in the place with this number, whosever part it is.
    Listed {
        /// The number, from 0.
        place: usize,
        /// What.
        listing: Listing,
    },
    /// An artifact that was found in the place with this number.
    Artifact {
        /// The number, from 0.
        place: usize,
        /// Which one it is of all in that place.
        at: u64,
        /// What is said of it.
        entry: Reported,
    },
    /// How many of a place have not changed since.
    Older {
        /// The place's number.
        place: usize,
        /// How many.
        count: u64,
    },
    /// An outcome says how this node ended.
    Ended {
        /// The node.
        run: NodeRun,
        /// When its sidecar started.
        started_on: Option<Timestamp>,
    },
    /// What an outcome says.
    Outcome {
        /// The outcome's name.
        from: Vec<u8>,
        /// Whether it does not say how the step ended.
        open: Option<Open>,
        /// What is said.
        entry: Reported,
    },
    /// What there is of an object that an outcome names, and that was not found in a place.
    Object {
        /// The outcome's name.
        from: Vec<u8>,
        /// Whether it does not say how the step ended.
        open: Option<Open>,
        /// What is said.
        entry: Reported,
    },
    /// An attestation of what is not there.
    Left(Reported),
}

/// What something is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An artifact.
    Artifact,
    /// A step.
    Step,
    /// An output of a step that has no object.
    Output,
    /// Something that went in.
    Input,
    /// An attestation.
    Attestation,
}

/// The step, by the names that it has. Not printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportedStep {
    /// The node's id.
    pub id: Option<String>,
    /// The node's name.
    pub name: Option<String>,
    /// The template.
    pub template: Option<String>,
    /// How it stands.
    pub phase: Option<String>,
    /// The workflow's name.
    pub workflow: Option<String>,
    /// The workflow's namespace.
    pub namespace: Option<String>,
    /// The workflow's UID.
    pub uid: Option<String>,
}

/// What is said of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// What it is about: a path or an address, as it is.
    pub artifact: Vec<u8>,
    /// What that is.
    pub about: About,
    /// What is said.
    pub finding: Finding,
    /// The step that it belongs to.
    pub step: Option<ReportedStep>,
    /// The output's name.
    pub output: Option<String>,
    /// By whom it is attested, as the members of the report.
    pub accepted: Map<String, Value>,
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ShardReportError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// A line that is too long.
    #[error("line {line} has more than {MAX_LINE} bytes")]
    TooLong {
        /// Which one.
        line: u64,
    },
    /// A line that is no JSON.
    #[error("line {line}")]
    Json {
        /// Which one.
        line: u64,
        /// Why not.
        source: JsonError,
    },
    /// A part that there is not.
    #[error("line 1")]
    Shard(#[from] InvalidShard),
    /// A line that says what it cannot.
    #[error("line {line}: {why}")]
    Line {
        /// Which one.
        line: u64,
        /// Why not.
        why: &'static str,
    },
    /// It ends too soon.
    #[error("it is cut off after line {line}: the audit that wrote it did not come to an end")]
    CutOff {
        /// The last one.
        line: u64,
    },
    /// It has no head.
    #[error("it is no report of a part: its first line is no head")]
    NoHead,
}

impl Trouble for ShardReportError {
    fn fault(&self) -> Fault {
        match self {
            Self::Io(_) => Fault::Io,
            _ => Fault::Malformed,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Io(_) => "check the path, and that the user this runs as may read it",
                Self::CutOff { .. } => "audit that part again",
                Self::NoHead => "give what `argo-attest audit --shard I/N -o json` prints",
                _ => "give the report as it was written, or audit that part again",
            }
            .to_owned(),
        )
    }
}

/// The order of the lines.
fn rank(line: &Line) -> u8 {
    match line {
        Line::Place(_) => 0,
        Line::Listed { .. } => 1,
        Line::Artifact { .. } => 2,
        Line::Older { .. } => 3,
        Line::Ended { .. } => 4,
        Line::Outcome { .. } => 5,
        Line::Object { .. } => 6,
        Line::Left(_) => 7,
    }
}

#[cfg(test)]
mod tests;
