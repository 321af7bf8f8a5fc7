//! SLSA provenance v1, the predicate that we write and verify.
//! <https://slsa.dev/spec/v1.2/build-provenance>

mod argo_step;
mod attestation_ref;
mod command;
mod earlier;
mod existing_image;
mod existing_object;
mod level;
mod links;
mod places;
mod provenance;

pub use argo_step::{ARGO_STEP_BUILD_TYPE, ImageEvidence, InputEvidence, PodIdentity, StepImage, StepRun};
pub use attestation_ref::{AttestationRef, InvalidReference};
pub use command::{COMMAND_BUILD_TYPE, CommandParameters, CommandRun, LOCAL_BUILDER, Source, WorkTree};
pub use earlier::{PROVENANCE_V0_1, PROVENANCE_V0_2};
pub use existing_image::{EXISTING_IMAGE_BUILD_TYPE, ExistingImage};
pub use existing_object::{EXISTING_OBJECT_BUILD_TYPE, ExistingObject};
pub use level::{BuildLevel, InvalidLevel};
pub use links::{InvalidLinks, SYMBOLIC_LINKS, links_byproduct};
pub use places::{STORED_OBJECT, StoredPlace, annotate_place, place_byproduct};
/// What the build types of this program's own statements begin with.
const OWN_BUILD_TYPES: &str = "https://argo-attest.github.io/buildtypes/";

/// Whether a build type is one of this program's, of any version.
pub fn is_own_build_type(build_type: &str) -> bool {
    build_type.starts_with(OWN_BUILD_TYPES)
}

pub use provenance::{
    BuildDefinition, BuildMetadata, Builder, InvalidProvenance, PROVENANCE_V1, Provenance, RunDetails,
};
