//! Why a document says of no workflow what ran.

use crate::json::JsonError;
use crate::text::brief;
use crate::trouble::{Fault, Trouble};

/// Longer names are cut when they are shown.
const SHOWN: usize = 120;

pub(super) fn shown(name: &str) -> String {
    brief(name, SHOWN)
}

/// Why a document cannot be audited.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Not JSON within the limits, or not of a Workflow's shape.
    #[error("it is no Workflow as JSON")]
    Json(#[from] JsonError),
    /// Some other object.
    #[error("it is a {kind}, not a Workflow")]
    AnotherKind {
        /// Its kind, fit to be shown.
        kind: String,
    },
    /// It holds none.
    #[error("it holds no Workflow")]
    None,
    /// It has no name or no UID: it was never in a cluster.
    #[error("the Workflow {name} has no metadata.uid: it is as an author writes it, not as it ran")]
    NotStored {
        /// Its name, fit to be shown.
        name: String,
    },
    /// It has no nodes.
    #[error("the Workflow {name} has no nodes in its status: nothing of it ran yet")]
    NotRun {
        /// Its name, fit to be shown.
        name: String,
    },
    /// The table of nodes is in Argo's database.
    #[error(
        "the nodes of the Workflow {name} are not in it: Argo keeps them in its database (nodeStatusOffLoad)"
    )]
    Offloaded {
        /// Its name, fit to be shown.
        name: String,
    },
    /// The packed table of nodes cannot be read.
    #[error("the table of nodes of the Workflow {name} (status.compressedNodes) cannot be read: {why}")]
    Packed {
        /// Its name, fit to be shown.
        name: String,
        /// Why.
        why: String,
    },
    /// More than are read.
    #[error("it has more than {limit} nodes")]
    TooManyNodes {
        /// How many are read.
        limit: usize,
    },
}

impl RunError {
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::Json(JsonError::Malformed { reason: brief(&error.to_string(), 200) })
    }

    pub(super) fn another_kind(kind: &str) -> Self {
        Self::AnotherKind { kind: brief(kind, 40) }
    }
}

impl Trouble for RunError {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Json(_) | Self::AnotherKind { .. } | Self::None | Self::NotStored { .. } => {
                    "give what `kubectl get workflow NAME -o json` or `argo archive get UID -o json` prints"
                }
                Self::NotRun { .. } => "wait until it has run, and get it again",
                Self::Offloaded { .. } => "give what `argo get NAME -o json` prints: it has them",
                Self::Packed { .. } => "get it again; `argo get NAME -o json` prints it unpacked",
                Self::TooManyNodes { .. } => "give the workflows one by one",
            }
            .to_owned(),
        )
    }
}
