//! Why nothing is added. Every refusal names a line, and what is there.

use super::nearest::nearest;
use super::step::ANNOTATIONS;
use crate::argo::{InvalidImages, InvalidPredicates};
use crate::text::brief;
use crate::trouble::{Fault, Trouble};

/// A workflow that cannot be changed as it should. Nothing of the file is printed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than anybody writes.
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// What is read.
        most: usize,
    },
    /// More than is worked on at a time.
    #[error("there are more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// Two readers could take it for two things.
    #[error("line {line}: {why}")]
    Ambiguous {
        /// The line.
        line: usize,
        /// In what way.
        why: Ambiguity,
    },
    /// Somebody asks where nothing can be added.
    #[error("line {line}: our containers are asked for in something that is no workflow of the file's own")]
    Elsewhere {
        /// The line.
        line: usize,
    },
    /// Not YAML, or not such as Kubernetes would read.
    #[error("{}", brief(what, 500))]
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
    #[error("line {line}: {}: {why}", brief(template, 500))]
    Template {
        /// Line of the template.
        line: usize,
        /// The workflow and the template.
        template: String,
        /// What is in the way.
        why: Obstacle,
    },
    /// There is no place for lines.
    #[error("line {line}: {} is {how}, and lines cannot be added there", brief(what, 500))]
    Layout {
        /// Where.
        line: usize,
        /// Which list or mapping.
        what: String,
        /// How it is written.
        how: &'static str,
    },
    /// What is ours cannot be told from what is not.
    #[error("line {line}: what is argo-attest's is written into one another with what is not")]
    Entangled {
        /// Where it begins.
        line: usize,
    },
    /// An anchor's lines are also used where nothing is to be added.
    #[error(
        "line {line}: what is anchored as &{} is used in more than one place, not all of which ask for the same",
        brief(anchor, 200)
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

/// Why an object could be taken for another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguity {
    /// Some take the first, some the last.
    #[error("the key {} is there twice", shown(.0))]
    Twice(String),
    /// Some take it for the other.
    #[error("the key {} is {known} to some and nothing to others", shown(key))]
    Case {
        /// As it is written.
        key: String,
        /// As it should be.
        known: &'static str,
    },
    /// A list, a mapping, or text in disguise.
    #[error("{0} is not a plain text")]
    Tag(String),
    /// Argo's client takes it for its own whatever this says.
    #[error("a workflow without apiVersion")]
    NoVersion,
    /// Lists of lists of lists.
    #[error("lists too far in one another")]
    Lists,
}

/// A name from the file on one line, in quotes.
fn shown(name: &str) -> String {
    format!("\"{}\"", brief(name, 200))
}

/// What is in the way in a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Kubernetes takes only strings there.
    #[error("the annotation {0} is not a string")]
    Annotation(&'static str),
    /// There is none of this name.
    #[error("the annotation {} is none of argo-attest's", shown(.0))]
    Misspelt(String),
    /// Nobody reads it there.
    #[error("the annotation {0} is in the metadata of the workflow, which no step has")]
    Misplaced(&'static str),
    /// Nobody reads it there.
    #[error("{0} is among the labels, where nothing reads it")]
    Label(&'static str),
    /// More than anybody has.
    #[error("its artifacts name more than {most} Secrets")]
    Secrets {
        /// How many are mounted.
        most: usize,
    },
    /// It asks for nothing, and was meant to.
    #[error("the annotation {name} is {}, which is neither \"true\" nor \"false\"", shown(value))]
    Undecided {
        /// Which one.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// No place for attestations.
    #[error(
        "its annotation argo-attest.io/place-attestations is {}, which is neither \"beside\" nor \"apart\"",
        shown(.0)
    )]
    Place(String),
    /// No images.
    #[error("its annotation argo-attest.io/images does not name images: {0}")]
    Images(InvalidImages),
    /// No files that speak of outputs.
    #[error("its annotation argo-attest.io/predicates does not say which files are what: {0}")]
    Predicates(InvalidPredicates),
    /// The name is taken.
    #[error("there is a container {} that is not argo-attest's", shown(.0))]
    Container(String),
    /// The name is taken.
    #[error("there is a volume {} that is another than ours", shown(.0))]
    Volume(String),
    /// Our mounts and main's get in each other's way.
    #[error("main has {} mounted, which clashes with our {ours}", brief(theirs, 500))]
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
    /// It was put there with other options, by another version, or by hand.
    #[error("its {0} is another than these options give")]
    Stale(String),
}

impl Refusal {
    /// The same about a text in which the lines have other numbers.
    pub(super) fn at(mut self, other: impl Fn(usize) -> usize) -> Self {
        match &mut self {
            Self::Ambiguous { line, .. }
            | Self::Elsewhere { line }
            | Self::Rendered { line }
            | Self::Template { line, .. }
            | Self::Layout { line, .. }
            | Self::Entangled { line }
            | Self::Shared { line, .. } => *line = other(*line),
            Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Unreadable { .. }
            | Self::Unproven { .. } => {}
        }
        self
    }
}

impl Trouble for Refusal {
    fn fault(&self) -> Fault {
        match self {
            Self::Unproven { .. } => Fault::Bug,
            _ => Fault::Malformed,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge { .. } | Self::TooMany { .. } => "split the file".into(),
            Self::Ambiguous { .. } => "write it in the one way that every reader reads alike".into(),
            Self::Elsewhere { .. } => {
                "give each workflow as a document of its own, or inject where that object is made".into()
            }
            Self::Unreadable { .. } => "give a file that kubectl could read".into(),
            Self::Rendered { .. } => "render it first: helm template CHART | argo-attest inject -f -".into(),
            Self::Template { why, .. } => return why.remedy(),
            Self::Layout { .. } => {
                "write it in block style, one entry a line; an empty list can simply be left out".into()
            }
            Self::Entangled { .. } => "take it out by hand, or write it in block style first".into(),
            Self::Shared { .. } => "write those places out, without the alias".into(),
            Self::Unproven { .. } => "please report it, with the file".into(),
        })
    }
}

impl Trouble for Obstacle {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Annotation(_) => "write it in quotes: \"true\" or \"false\"",
                Self::Misspelt(name) => {
                    let meant = nearest(name, &ANNOTATIONS).map(|name| format!("did you mean {name}? else "));
                    let meant = meant.unwrap_or_default();
                    return Some(format!(
                        "{meant}write {}, or take the annotation away",
                        ANNOTATIONS.join(", ")
                    ));
                }
                Self::Misplaced(_) => {
                    "write it into the metadata of each template that is meant, or of templateDefaults"
                }
                Self::Label(_) => "write it among the annotations of the same metadata",
                Self::Secrets { .. } => "let fewer artifacts name Secrets of their own",
                Self::Undecided { .. } => {
                    "write \"true\" or \"false\", in quotes, or take the annotation away"
                }
                Self::Images(_) => {
                    "write registry/repository:tag, several by commas, or take the annotation away"
                }
                Self::Predicates(_) => {
                    "write output=type, such as sbom=cyclonedx, several by commas, or take the annotation away"
                }
                Self::Place(_) => "write \"beside\" or \"apart\", or take the annotation away",
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
                Self::Stale(_) => "give --update to bring it up to date, or --remove to take it out",
            }
            .to_owned(),
        )
    }
}
