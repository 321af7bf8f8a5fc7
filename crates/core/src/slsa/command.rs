//! Build type `command/v1`: a command that `argo-attest run` ran and watched.
//! Specified field by field in `docs/buildtypes/command/v1.md`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use crate::intoto::{DigestSet, ResourceDescriptor};

/// `buildType` of a command that was run under `argo-attest run`.
pub const COMMAND_BUILD_TYPE: &str = "https://argo-attest.github.io/buildtypes/command/v1";
/// `builder.id` where none is configured: it claims nothing about who ran it.
pub const LOCAL_BUILDER: &str = "https://argo-attest.github.io/builders/local/v1";

/// `externalParameters` of `command/v1`.
#[derive(Debug, Clone, Serialize)]
pub struct CommandParameters {
    /// The command and its arguments, as text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub command: Vec<String>,
    /// The outputs as named by the caller; empty where the working directory's
    /// new and changed files are the outputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
}

/// The checkout that a command ran in, as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The commit that `HEAD` named.
    pub commit: String,
    /// Where it can be fetched, without credentials ([`crate::git_remote`]).
    pub remote: Option<String>,
    /// Whether the files were those of the commit.
    pub work_tree: WorkTree,
}

/// How the files of a checkout stand to its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkTree {
    /// They are those of the commit, and no others.
    Clean,
    /// Those of the commit are as they are there; there are others, which git does not ignore.
    Untracked,
    /// Some of them differ.
    Changed,
    /// That could not be found out.
    Unknown,
}

impl WorkTree {
    /// The word in a statement.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Untracked => "untracked",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

impl Source {
    fn descriptor(&self) -> ResourceDescriptor {
        let mut annotations = Map::new();
        annotations.insert("workTree".into(), self.work_tree.as_str().into());
        let uri = self.remote.as_ref().map(|remote| format!("git+{remote}@{}", self.commit));
        ResourceDescriptor {
            name: "source".into(),
            uri: uri.unwrap_or_default(),
            digest: DigestSet::git_commit(&self.commit).unwrap_or_default(),
            annotations,
            ..ResourceDescriptor::default()
        }
    }
}

/// A finished command, with what was seen while it ran.
#[derive(Debug, Clone)]
pub struct CommandRun {
    /// What was asked for.
    pub parameters: CommandParameters,
    /// URI of the builder.
    pub builder_id: String,
    /// Names this run.
    pub invocation_id: String,
    /// When the command was started.
    pub started_on: Timestamp,
    /// When it ended.
    pub finished_on: Timestamp,
    /// The checkout that it ran in, if it was one.
    pub source: Option<Source>,
    /// Files digested while it ran, and after.
    pub files_digested: (u64, u64),
    /// Bytes digested while it ran, and after.
    pub bytes_digested: (u64, u64),
}

impl CommandRun {
    /// The predicate for one artifact of this run.
    pub fn provenance(&self, byproducts: Vec<ResourceDescriptor>) -> Provenance {
        let mut external = Map::new();
        external.insert("command".into(), self.parameters.command.clone().into());
        if !self.parameters.outputs.is_empty() {
            external.insert("outputs".into(), self.parameters.outputs.clone().into());
        }
        let mut observed = Map::new();
        for (name, value) in [
            ("filesDigestedWhileRunning", self.files_digested.0),
            ("filesDigestedAfterEnd", self.files_digested.1),
            ("bytesDigestedWhileRunning", self.bytes_digested.0),
            ("bytesDigestedAfterEnd", self.bytes_digested.1),
        ] {
            observed.insert(name.into(), value.into());
        }
        let mut internal = Map::new();
        // Nothing else is attested: a command that failed leaves no statement.
        internal.insert("exitCode".into(), 0.into());
        internal.insert("observed".into(), Value::Object(observed));
        Provenance {
            build_definition: BuildDefinition {
                build_type: COMMAND_BUILD_TYPE.into(),
                external_parameters: external,
                internal_parameters: internal,
                resolved_dependencies: self.source.iter().map(Source::descriptor).collect(),
            },
            run_details: RunDetails {
                builder: Builder::this_version(&self.builder_id),
                metadata: BuildMetadata {
                    invocation_id: self.invocation_id.clone(),
                    started_on: Some(self.started_on),
                    finished_on: Some(self.finished_on),
                },
                byproducts,
            },
        }
    }
}

impl Builder {
    /// A builder that is this version of argo-attest under the given id.
    pub fn this_version(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            version: [("argo-attest".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
        }
    }
}
