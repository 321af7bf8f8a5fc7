//! Why nothing is added. Every refusal names a line, and what is there.

/// A workflow that cannot be changed as it should. Nothing of the file is printed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than anybody writes.
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// What is read.
        most: usize,
    },
    /// Not YAML, or not such as Kubernetes would read.
    #[error("{what}")]
    Unreadable {
        /// Where and what.
        what: String,
    },
    /// Which lines there are is decided by a template engine.
    #[error("line {line}: a template engine decides here which lines there are")]
    Rendered {
        /// The line.
        line: usize,
    },
    /// One template cannot be served.
    #[error("line {line}: {template}: {why}")]
    Template {
        /// Line of the template.
        line: usize,
        /// The workflow and the template.
        template: String,
        /// What is in the way.
        why: Obstacle,
    },
    /// There is no place for lines.
    #[error("line {line}: {what} is {how}, and lines cannot be added there")]
    Layout {
        /// Where.
        line: usize,
        /// Which list or mapping.
        what: String,
        /// How it is written.
        how: &'static str,
    },
    /// An anchor's lines are also used where nothing is to be added.
    #[error(
        "line {line}: what is anchored as &{anchor} is used in more than one place, not all of which ask for the same"
    )]
    Shared {
        /// Line of the anchor.
        line: usize,
        /// Its name.
        anchor: String,
    },
    /// Our own mistake: the result does not mean what it should.
    #[error("what was added does not read back as it should ({what})")]
    Unproven {
        /// What differs.
        what: String,
    },
}

/// What is in the way in a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Kubernetes takes only strings there.
    #[error("the annotation {0} is not a string")]
    Annotation(&'static str),
    /// The name is taken.
    #[error("there is a container {0:?} that is not argo-attest's")]
    Container(String),
    /// The name is taken.
    #[error("there is a volume {0:?} that is another than ours")]
    Volume(String),
    /// Our mounts and main's get in each other's way.
    #[error("main has {theirs} mounted, which clashes with our {ours}")]
    Mount {
        /// Main's path.
        theirs: String,
        /// Our path.
        ours: String,
    },
    /// `mirrorVolumeMounts` mirrors the mounts of the container `main`.
    #[error("no container of the set is named main, and so none has mounts that ours could share")]
    NoMain,
    /// Kubernetes would not start our container.
    #[error("it must not run as root (runAsNonRoot), and nothing says as which user")]
    NonRoot,
    /// Ours could not be told to run as that user.
    #[error("main's runAsUser is no number")]
    User,
    /// Templates that share one container of ours want it under different users.
    #[error("its templates run as different users, and our containers can have only one")]
    Users,
    /// The grace period can only be set there.
    #[error("there is a podSpecPatch already, and the grace period would have to go there")]
    PodSpecPatch,
    /// The sidecar was added without the gate.
    #[error("its sidecar, there already, does not mount the gate's evidence")]
    Evidence,
}

impl Refusal {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::TooLarge { .. } => "split the file".into(),
            Self::Unreadable { .. } => "give a file that kubectl could read".into(),
            Self::Rendered { .. } => "render it first: helm template CHART | argo-attest inject -f -".into(),
            Self::Template { why, .. } => why.remedy().into(),
            Self::Layout { .. } => {
                "write it in block style, one entry a line; an empty list can simply be left out".into()
            }
            Self::Shared { .. } => "write those places out, without the alias".into(),
            Self::Unproven { .. } => "please report it, with the file".into(),
        }
    }
}

impl Obstacle {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Annotation(_) => "write it in quotes: \"true\" or \"false\"",
            Self::Container(_) => "rename that container",
            Self::Volume(_) => {
                "rename that volume, or let it be the Secret or ConfigMap that the options name"
            }
            Self::Mount { .. } => "mount that volume somewhere else",
            Self::NoMain => "name the container of the set whose files count main",
            Self::NonRoot | Self::User | Self::Users => {
                "say as which user our containers run, with --run-as-user"
            }
            Self::PodSpecPatch => {
                "set terminationGracePeriodSeconds in that podSpecPatch, and leave out --grace-period"
            }
            Self::Evidence => "remove the container argo-attest from the template, and inject again",
        }
    }
}
