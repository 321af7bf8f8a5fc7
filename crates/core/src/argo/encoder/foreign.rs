//! Why a text is none of Argo's.

use std::fmt;

use crate::text::brief;

/// The longest path, in bytes, that is shown whole.
const PATH: usize = 200;

/// The longest name.
const NAME: usize = 64;

/// Where a text departs from what Argo's encoder writes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// From the innermost outwards.
    path: Vec<Segment>,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Field(&'static str),
    Key(String),
    Index(usize),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the field `{}` is unknown", brief(.0, NAME))]
    Unknown(String),
    #[error("the field `{0}` stands twice, or after one that it comes before")]
    Order(&'static str),
    #[error("the field `{0}` is missing, which is never left out")]
    Missing(&'static str),
    #[error("the name `{}` stands twice, or after one that it comes before", brief(.0, NAME))]
    Unsorted(String),
    #[error("the name `{}` is not written as Argo's encoder writes it", brief(.0, NAME))]
    Spelling(String),
    #[error("it is both `{0}` and `{1}`")]
    TwoKinds(&'static str, &'static str),
    #[error("it is of no kind: neither `container` nor `script` nor another")]
    NoKind,
    #[error("it is of a kind that has no pod, so it cannot be this pod's")]
    NoPod,
    #[error("{0} stands where the encoder writes {1}")]
    Type(&'static str, &'static str),
    #[error("{0} is written out, which is left out when it is empty")]
    Empty(&'static str),
    #[error("the number, quantity or time is not written as Argo's encoder writes it")]
    Scalar,
    #[error("a plugin has other than one member")]
    Wrapper,
    #[error("nothing of a pod's can stand here")]
    Never,
    #[error("text is not closed, or has an escape or a raw character that JSON does not have")]
    Text,
    #[error("it is nested too deeply")]
    Depth,
    #[error("a white space or another character stands where `{0}` is written")]
    Punctuation(char),
    #[error("something follows the end")]
    Trailing,
}

impl Foreign {
    /// A template of a kind for which Argo makes no pod.
    pub(in crate::argo) fn without_pod() -> Self {
        Fault::NoPod.into()
    }

    pub(super) fn beneath(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }
}

impl From<Fault> for Foreign {
    fn from(fault: Fault) -> Self {
        Self { path: Vec::new(), fault }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Field(name) if path.is_empty() => path.push_str(name),
                Segment::Field(name) => path.extend([".", name]),
                Segment::Key(key) => path.extend(["[`", &brief(key, NAME), "`]"]),
                Segment::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        if path.is_empty() {
            return write!(f, "{}", self.fault);
        }
        write!(f, "at {}: {}", brief(&path, PATH), self.fault)
    }
}

impl std::error::Error for Foreign {}
