//! Why what main has at a path cannot be seen from here.

use argo_attest_core::trouble::{Fault, Trouble};

/// Why what lies at a path here says nothing of main.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// Neither here nor in main.
    #[error("it has no path that can be used")]
    NoPath,
    /// Main has a mount there, and this container has not.
    #[error("{mount} is not mounted in this container")]
    NotMounted {
        /// Where main has it.
        mount: String,
    },
    /// This container has a mount there, and main has not.
    #[error("{mount} is mounted in this container and not in main")]
    Covered {
        /// Where it is here.
        mount: String,
    },
    /// It is no volume of main's, and a part of it is.
    #[error("main has no volume there but the one at {mount}, within it")]
    Within {
        /// Where that is.
        mount: String,
    },
    /// Both have a mount there, of two volumes.
    #[error("another volume, or another part of it, is mounted at {mount} here than in main")]
    OtherVolume {
        /// Where both are.
        mount: String,
    },
    /// Which one it is depends on the container's variables.
    #[error("what of the volume is mounted at {mount} is chosen by variables of main's (subPathExpr)")]
    Chosen {
        /// Where it is.
        mount: String,
    },
    /// Main has two mounts at one place.
    #[error("main has more than one mount at {mount}")]
    Ambiguous {
        /// Where they are.
        mount: String,
    },
    /// Every container has something of its own there.
    #[error("{path} cannot be seen from this container: each container has {place} of its own")]
    EachContainersOwn {
        /// The path.
        path: String,
        /// What each container has.
        place: String,
    },
    /// Where this container keeps what is not main's.
    #[error("{path} is no path of main's for this container, which has files of its own at {place}")]
    OwnFiles {
        /// The path.
        path: String,
        /// What is there.
        place: String,
    },
}

impl Trouble for Unseen {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::NoPath => "give the artifact an absolute path beneath /",
                Self::NotMounted { .. } => {
                    "mount main's volumes into this container (mirrorVolumeMounts: true)"
                }
                Self::Covered { .. } | Self::OtherVolume { .. } => {
                    "mount nothing into this container at or beneath main's paths but main's own volumes"
                }
                Self::Chosen { .. } => "mount it with subPath, or with no variable but $(ARGO_NODE_ID)",
                Self::Ambiguous { .. } => "mount one volume there",
                Self::Within { .. } | Self::EachContainersOwn { .. } | Self::OwnFiles { .. } => {
                    "give the artifact another path"
                }
            }
            .to_owned(),
        )
    }
}
