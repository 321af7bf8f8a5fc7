//! Build type `command/v1`: a command that `argo-attest run` ran and watched.
//! Specified field by field in `docs/buildtypes/command/v1.md`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use crate::intoto::ResourceDescriptor;

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
                resolved_dependencies: Vec::new(),
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
