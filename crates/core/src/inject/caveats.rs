//! What is asked for and cannot be: told, since whoever asked must not think that it is done.

use std::fmt;

use super::secrets::Secrets;
use super::step::Step;
use super::yaml::Value;
use crate::text::brief;

/// Something that will not be attested, or not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The template's line, from 1.
    pub line: usize,
    /// The workflow and the template.
    pub template: String,
    /// What it is.
    pub caveat: Caveat,
}

/// Why something will not be attested, or not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caveat {
    /// No container of its own makes outputs.
    Kind(&'static str),
    /// It does not end by itself.
    Daemon,
    /// There is nothing to attest.
    NoArtifacts,
    /// An output is kept where attestations are not.
    Store {
        /// The output's name.
        output: String,
        /// The kind of store, as Argo calls it.
        store: &'static str,
    },
    /// It is known only when the step runs which Secret is meant.
    Secret(String),
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(
                f,
                "a template of {kind} has no container of its own that makes outputs: nothing of it is attested"
            ),
            Self::Daemon => {
                f.write_str("a daemon is stopped and does not end by itself: nothing of it is attested")
            }
            Self::NoArtifacts => {
                f.write_str("it has no output artifacts, and parameters and results are not attested")
            }
            Self::Store { output, store } => write!(
                f,
                "its output {} is kept in {store}, and only what is kept in S3 is attested",
                brief(output, 200)
            ),
            Self::Secret(name) => write!(
                f,
                "the Secret {} is known only when the step runs, and is not mounted for our containers",
                brief(name, 200)
            ),
        }
    }
}

/// Stores that Argo knows and attestations are not kept in, by their keys in an artifact.
const OTHER_STORES: [&str; 9] =
    ["gcs", "azure", "oss", "hdfs", "artifactory", "plugin", "git", "http", "raw"];

/// Kinds of templates that ours cannot stand beside.
const OTHER_KINDS: [&str; 7] = ["suspend", "resource", "http", "data", "plugin", "steps", "dag"];

/// Of a template that asks and has no container: which kind it is.
pub(super) fn kind(template: &Value) -> Option<Caveat> {
    OTHER_KINDS.into_iter().find(|kind| template.get(kind).is_some()).map(Caveat::Kind)
}

/// Of one that gets a sidecar.
pub(super) fn of(step: &Step<'_>, secrets: &Secrets) -> Vec<Caveat> {
    let mut found = Vec::new();
    if step.template.text_at(&["daemon"]) == Some("true") {
        found.push(Caveat::Daemon);
        return found;
    }
    let outputs: Vec<_> = step.outputs().collect();
    if outputs.is_empty() {
        found.push(Caveat::NoArtifacts);
    }
    let archive = step.archive().filter(|archive| archive.get("s3").is_none()).and_then(other_store);
    for output in outputs {
        let name = || output.text_at(&["name"]).unwrap_or_default().to_owned();
        let own = if output.get("s3").is_some() { None } else { other_store(output).or(archive) };
        if let Some(store) = own {
            found.push(Caveat::Store { output: name(), store });
        }
    }
    found.extend(secrets.others.iter().cloned().map(Caveat::Secret));
    found
}

fn other_store(location: &Value) -> Option<&'static str> {
    OTHER_STORES.into_iter().find(|store| location.get(store).is_some())
}
