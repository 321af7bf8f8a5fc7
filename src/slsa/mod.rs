//! SLSA provenance v1, the predicate that we write and verify.
//! <https://slsa.dev/spec/v1.2/build-provenance>

mod command;
mod provenance;

pub use command::{COMMAND_BUILD_TYPE, CommandParameters, CommandRun, LOCAL_BUILDER};
pub use provenance::{
    BuildDefinition, BuildMetadata, Builder, InvalidProvenance, PROVENANCE_V1, Provenance, RunDetails,
};
