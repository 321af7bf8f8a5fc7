//! What an Argo Workflows step says about itself, and where its bytes end up.
//!
//! Argo gives a pod's containers the resolved template of the step as JSON
//! (`ARGO_TEMPLATE`, or a file). From that alone this module works out what ran
//! as `main`, which input artifacts were staged from where, and for each output
//! artifact where its bytes are on disk, how they are packed, and the exact
//! object that Argo's executor writes. It follows the executor of Argo Workflows
//! 3.7 and 4.0; comments name the file of Argo's that a rule comes from.
//!
//! The text is hostile: its size, depth and counts are bounded, what Argo's own
//! encoder cannot have written is refused, and what cannot be attested is reported
//! by name with the reason, never dropped.
//!
//! Nothing here looks at a volume or at a store.

mod asked;
mod bounded;
mod container;
mod elsewhere;
mod encoder;
mod images;
mod input;
mod location;
mod object_key;
mod output;
mod parameters;
pub mod path;
mod placement;
pub mod pod;
mod predicates;
mod question;
mod source;
mod step;
mod template_source;
mod wire;
pub mod workflow;

pub use asked::is_ours;
pub use asked::{AnnotationError, Asked, AskedEvidence, AskedIn};
pub use container::{Container, Kind, Mount, Script};
pub use elsewhere::{Elsewhere, Nameless};
pub use encoder::{Foreign, encode};
pub use images::{Images, InvalidImages};
pub use input::{InputArtifact, InputSource, Unpack};
pub use location::{
    Addressing, ArtifactStore, EncryptionOptions, KeyError, ObjectRef, S3Bucket, SecretKey, StoreKind,
    Unlocated,
};
pub use output::{Archive, Destination, OutputArtifact, Packing, Place, Plan, Shape, Unattestable};
pub use parameters::{Parameter, Parameters, ParametersError};
pub use placement::{Placement, UnknownPlacement, is_fan_out};
pub use predicates::{InvalidPredicates, Predicates, Report, Subject};
pub use question::{Check, Question, checks_images, question};
pub use source::{Files, OFFLOADED_FILE, Source, TEMPLATE_FILE, TEMPLATE_LIMIT, TemplateError, TemplateText};
pub use step::{LogObject, ParameterFile, Step};
pub use template_source::TemplateSource;

#[cfg(test)]
mod tests;
