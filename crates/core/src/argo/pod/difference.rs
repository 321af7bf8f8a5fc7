//! In what the template's text and the pod differ.

use crate::trouble::{Fault, Trouble};
use std::fmt;

/// What was compared of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Its image.
    Image,
    /// Its command.
    Command,
    /// Its arguments.
    Args,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Command => "command",
            Self::Args => "args",
        })
    }
}

/// The first difference between the template's text and the pod. Names and paths are
/// fit to be shown; values of commands and arguments are not told.
#[derive(Debug, thiserror::Error)]
pub enum PodDifference {
    /// A template of this kind has no pod, or not one like this.
    #[error(
        "the template's text is of kind {kind}, and the pod is not one that Argo makes of such a template"
    )]
    Kind {
        /// The kind.
        kind: &'static str,
    },
    /// The text describes a container that is not there.
    #[error(
        "the template's text has a container {container}, and the pod has none of that name in that place"
    )]
    Missing {
        /// Its name.
        container: String,
    },
    /// One name, two containers.
    #[error("{place} has two containers with the name {container}")]
    Twice {
        /// Where: the text or the pod.
        place: &'static str,
        /// Their name.
        container: String,
    },
    /// The pod has a container that Argo runs, of which the text says nothing.
    #[error("the pod runs a container {container} of which the template's text says nothing")]
    Unlisted {
        /// Its name.
        container: String,
    },
    /// Argo starts the containers of a template by its own program.
    #[error("the container {container} of the pod is not started as Argo starts it")]
    Unwrapped {
        /// Its name.
        container: String,
    },
    /// A field says something else.
    #[error(
        "the {field} of the container {container} is another one in the pod than in the template's text{detail}"
    )]
    Other {
        /// The container's name.
        container: String,
        /// The field.
        field: Field,
        /// More of it, where that may be told.
        detail: String,
    },
    /// The arguments are in a file that cannot be seen from here.
    #[error(
        "the args of the container {container} are so long that Argo moved them out of the pod's spec, so that they cannot be compared"
    )]
    Offloaded {
        /// Its name.
        container: String,
    },
    /// A mount that the text has, and the pod has not.
    #[error("the container {container} mounts {path} by the template's text, and not so in the pod")]
    Mount {
        /// Its name.
        container: String,
        /// The mount's path.
        path: String,
    },
    /// A mount that the pod has, and the text has not, where an artifact is.
    #[error(
        "the container {container} of the pod mounts {path}, where the template's text has the artifact {artifact} and no mount"
    )]
    MountOfArtifact {
        /// Its name.
        container: String,
        /// The mount's path.
        path: String,
        /// The artifact's name.
        artifact: String,
    },
    /// Main mounts an input artifact that the text has not, or not there.
    #[error(
        "the pod mounts an input artifact at {path}, and the template's text has none there of that name"
    )]
    UnlistedInput {
        /// The mount's path.
        path: String,
    },
    /// The text has an input artifact that main does not mount.
    #[error("the template's text has the input artifact {artifact} at {path}, where the pod mounts none")]
    MissingInput {
        /// The artifact's name.
        artifact: String,
        /// Its path.
        path: String,
    },
    /// An annotation of the text that the pod has not.
    #[error(
        "the template's text has the annotation {annotation}, and the pod has not, or with another value"
    )]
    Annotation {
        /// Its name.
        annotation: String,
    },
    /// Argo's own containers were given another text.
    #[error("Argo's own container of the pod was given another template's text than this one")]
    Template,
    /// Argo's own containers were given none.
    #[error("none of the pod's containers is Argo's own, with the template's text")]
    NoTemplate,
    /// The text cannot be read for its containers.
    #[error("the containers of the template's text cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

impl Trouble for PodDifference {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Offloaded { .. } => "give the container shorter arguments, or put them into a script",
            _ => {
                "look for a parameter whose value holds {{ or quotes, for a podSpecPatch, and for an admission webhook that changes images: what main runs has to be what its template says"
            }
        }.to_owned())
    }
}
