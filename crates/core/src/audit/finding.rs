//! What is said of one object, one step or one attestation.

use std::fmt;

use jiff::Timestamp;

use super::{Invocation, Narrowing};
use crate::text::{brief, causes};
use crate::trouble::{Fault, Trouble};
use crate::verify::{Reason, Rejection};

/// Longer words of others are cut.
const SHOWN: usize = 300;

/// What is said of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A key of the policy attests it; of a step's object, for this very step.
    Attested,
    /// It is attested for another run, whose result this workflow took over.
    Memoised {
        /// The run that made it, as its statement says.
        run: Invocation,
    },
    /// There is nothing, and nothing is missing.
    AbsentByRight(Absence),
    /// It is not attested, and is nothing that anybody attests: a log.
    NotOurs,
    /// It has no attestation, and the policy lets that pass.
    LetPass(Told),
    /// It is not attested, for a reason that verification has.
    Rejected(Told),
    /// The step has no signed word of how it ended.
    NeverFinished(Unfinished),
    /// The step's own signed outcome says that it is not attested.
    RefusedInStep {
        /// Why, in the outcome's words.
        why: String,
    },
    /// Something names it, and the store does not have it.
    ObjectGone,
    /// An attestation of nothing that is there.
    Orphan,
    /// It is attested, for another run than the one that is said to have made it.
    Spliced {
        /// What the statement says; `None` if it is no step's at all.
        signed: Option<Invocation>,
    },
    /// The object under this key is now that of another node of the same run.
    StaleVersion {
        /// The node whose it is now.
        by: String,
        /// Whether the node's own result is lost: it succeeded.
        lost: bool,
    },
    /// It could not be found out.
    Unknown(Told),
    /// So many that nobody looked at.
    NotLookedAt {
        /// How many.
        count: u64,
        /// Why.
        why: Unseen,
    },
    /// What the audit as a whole did not ask about: how much that is, nobody counted.
    Narrowed(Box<Narrowing>),
    /// What a report says that was found.
    Retold(Retold),
}

/// A finding that somebody else's report tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retold {
    /// How it counts.
    pub standing: Standing,
    /// In which words. The fault is of no account but where it could not be found out.
    pub told: Told,
}

/// Why nothing is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The node was skipped or omitted.
    Skipped,
    /// The step has no outputs, so its signed outcome says.
    NoOutputs,
    /// The output is optional, or Argo stores nothing of it, so the signed outcome says.
    Output,
    /// The step failed, so its signed outcome says, and nothing of it is stored.
    Failed,
    /// Its template has no container of its author's: Argo's own program runs in its pod, which no
    /// sidecar stands beside.
    ArgosOwn,
    /// The node took over another run's result, so the workflow says, and that has no artifacts.
    TakenOver,
}

/// Why nobody looked at something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// It has not changed since this time.
    Unchanged {
        /// The time.
        since: Timestamp,
    },
    /// They are workflows that had not ended.
    Running,
}

/// What is known of a step that never finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// There is no outcome that a trusted key signed.
    NoOutcome,
    /// The one that there is says only that it started.
    Started,
    /// It says that the step did not finish.
    Unfinished,
    /// The workflow still runs it, and there is no outcome yet.
    Running,
    /// It is a workflow, and its text is from before it ended: what it has yet to run is not in it.
    Workflow,
}

/// A reason, with its words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The word that programs decide by.
    pub reason: Reason,
    /// What kind of trouble it is.
    pub fault: Fault,
    /// The same for people.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is attested.
    Attested,
    /// It is not, and is accounted for.
    Accounted,
    /// It is not, and the policy lets that pass.
    LetPass,
    /// It is missing.
    Missing,
    /// It could not be found out.
    Unknown,
}

impl Told {
    /// What an error says.
    pub fn of(reason: Reason, error: &impl Trouble) -> Self {
        Self { reason, fault: error.fault(), message: causes(error), remedy: error.remedy() }
    }
}

impl From<&Rejection> for Told {
    fn from(no: &Rejection) -> Self {
        Self::of(no.reason(), no)
    }
}

impl Finding {
    /// The word for it; `None` for what is attested and that is all.
    pub fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::Attested => return None,
            Self::Memoised { .. } => Reason::Memoised,
            Self::AbsentByRight(_) => Reason::AbsentByRight,
            Self::NotOurs => Reason::NotOurs,
            Self::LetPass(told)
            | Self::Rejected(told)
            | Self::Unknown(told)
            | Self::Retold(Retold { told, .. }) => told.reason,
            Self::NotLookedAt { .. } | Self::Narrowed(_) => Reason::NotLookedAt,
            Self::NeverFinished(_) => Reason::NeverFinished,
            Self::RefusedInStep { .. } => Reason::RefusedInStep,
            Self::ObjectGone => Reason::ObjectGone,
            Self::Orphan => Reason::Orphan,
            Self::Spliced { .. } => Reason::Spliced,
            Self::StaleVersion { .. } => Reason::StaleVersion,
        })
    }

    /// How it counts.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Attested | Self::Memoised { .. } => Standing::Attested,
            Self::AbsentByRight(_)
            | Self::NotOurs
            | Self::NotLookedAt { .. }
            | Self::Narrowed(_)
            | Self::StaleVersion { lost: false, .. } => Standing::Accounted,
            Self::LetPass(_) => Standing::LetPass,
            Self::Rejected(_)
            | Self::NeverFinished(_)
            | Self::RefusedInStep { .. }
            | Self::ObjectGone
            | Self::Orphan
            | Self::Spliced { .. }
            | Self::StaleVersion { lost: true, .. } => Standing::Missing,
            Self::Unknown(_) => Standing::Unknown,
            Self::Retold(retold) => retold.standing,
        }
    }

    /// How many it is about.
    pub fn count(&self) -> u64 {
        match self {
            Self::NotLookedAt { count, .. } => *count,
            Self::Narrowed(_) => 0,
            _ => 1,
        }
    }

    /// What kind of trouble it is; `None` for none.
    pub fn fault(&self) -> Option<Fault> {
        match (self.standing(), self) {
            (Standing::Missing, _) => Some(Fault::No),
            (Standing::Unknown, Self::Unknown(told) | Self::Retold(Retold { told, .. })) => Some(told.fault),
            _ => None,
        }
    }

    /// What is the matter, for people: one line, without the word.
    pub fn message(&self) -> Option<String> {
        Some(match self {
            Self::Attested => return None,
            Self::Memoised { run } => format!("another run made it, as this workflow says: {run}"),
            Self::AbsentByRight(absence) => absence.to_string(),
            Self::NotOurs => "a log that Argo wrote: no step's output, and attested by nobody".to_owned(),
            Self::LetPass(told)
            | Self::Rejected(told)
            | Self::Unknown(told)
            | Self::Retold(Retold { told, .. }) => told.message.clone(),
            Self::NotLookedAt { count, why: Unseen::Unchanged { since } } => {
                format!("{count} of it did not change since {since}, and nobody looked at that")
            }
            Self::NotLookedAt { count, why: Unseen::Running } => {
                format!("{count} of it had not ended, and nobody looked at that")
            }
            Self::NeverFinished(unfinished) => unfinished.to_string(),
            Self::Narrowed(by) => by.to_string(),
            Self::RefusedInStep { why } => {
                format!("its signed outcome says that it is not attested: {}", brief(why, SHOWN))
            }
            Self::ObjectGone => "the store has no such object".to_owned(),
            Self::Orphan => "an attestation of something that is not there".to_owned(),
            Self::Spliced { signed: Some(signed) } => {
                format!("it is attested for another run than this node's: {signed}")
            }
            Self::Spliced { signed: None } => "it is attested, but not for a step of any workflow".to_owned(),
            Self::StaleVersion { by, .. } => {
                format!("what is under this key now was made by node {} of the same run", brief(by, SHOWN))
            }
        })
    }

    /// What to do about it, where that is known.
    pub fn remedy(&self) -> Option<String> {
        let remedy = match self {
            Self::LetPass(_)
            | Self::Attested
            | Self::Memoised { .. }
            | Self::AbsentByRight(_)
            | Self::NotLookedAt { .. }
            | Self::Narrowed(_)
            | Self::NotOurs => {
                return None;
            }
            Self::Rejected(told) | Self::Unknown(told) | Self::Retold(Retold { told, .. }) => {
                return told.remedy.clone();
            }
            Self::NeverFinished(Unfinished::Running | Unfinished::Workflow) => {
                "audit it again when the workflow has ended"
            }
            Self::NeverFinished(Unfinished::NoOutcome) => {
                "name the place of the outcomes as well; if there is none, the step was not watched"
            }
            Self::NeverFinished(Unfinished::Started | Unfinished::Unfinished) => {
                "its pod was lost before it could attest: run the step again"
            }
            Self::RefusedInStep { .. } => "mend what the outcome names, and run the step again",
            Self::ObjectGone => "find out who removed it; keep objects as long as what is made of them",
            Self::Orphan => "remove attestations together with what they are about",
            Self::Spliced { .. } => {
                "do not use it as this run's: find out who put it there, and run the step again"
            }
            Self::StaleVersion { lost: true, .. } => "give each node a key of its own",
            Self::StaleVersion { lost: false, .. } => return None,
        };
        Some(remedy.to_owned())
    }
}

impl Standing {
    /// The word for it, as `verify` has it: `attested`, `refused`, `missing` (the policy lets it
    /// pass), `error`; and `accounted`.
    pub fn verdict(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::Accounted => "accounted",
            Self::LetPass => "missing",
            Self::Missing => "refused",
            Self::Unknown => "error",
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skipped => "the node was skipped",
            Self::NoOutputs => "the step has no outputs, so its signed outcome says",
            Self::Output => "there is nothing of it to store, so the signed outcome says",
            Self::Failed => "the step failed, so its signed outcome says, and nothing of it is stored",
            Self::ArgosOwn => "its template runs Argo's own program alone, and makes no artifacts",
            Self::TakenOver => "it took over another run's result, which has no artifacts",
        })
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOutcome => "there is no signed outcome of it that a trusted key signed",
            Self::Started => "its signed outcome says only that it started",
            Self::Unfinished => "its signed outcome says that it did not finish",
            Self::Running => "the workflow still runs it",
            Self::Workflow => "the workflow had not ended: what it was yet to run is not in its text",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Finding> {
        let told =
            Told { reason: Reason::Unattested, fault: Fault::Unavailable, message: "m".into(), remedy: None };
        let run = Invocation::default();
        vec![
            Finding::Attested,
            Finding::Memoised { run: run.clone() },
            Finding::AbsentByRight(Absence::Skipped),
            Finding::NotOurs,
            Finding::LetPass(told.clone()),
            Finding::Rejected(told.clone()),
            Finding::NeverFinished(Unfinished::NoOutcome),
            Finding::NeverFinished(Unfinished::Workflow),
            Finding::RefusedInStep { why: "w\n".into() },
            Finding::ObjectGone,
            Finding::Orphan,
            Finding::Spliced { signed: Some(run) },
            Finding::Spliced { signed: None },
            Finding::StaleVersion { by: "n".into(), lost: true },
            Finding::StaleVersion { by: "n".into(), lost: false },
            Finding::Unknown(told.clone()),
            Finding::NotLookedAt { count: 2, why: Unseen::Unchanged { since: Timestamp::UNIX_EPOCH } },
            Finding::NotLookedAt { count: 1, why: Unseen::Running },
            Finding::Narrowed(Box::new(Narrowing { selector: Some("a\n".into()), ..Narrowing::default() })),
            Finding::Retold(Retold { standing: Standing::Unknown, told: told.clone() }),
            Finding::Retold(Retold { standing: Standing::Missing, told }),
        ]
    }

    /// An exit code of 0 says that nothing is missing: only what is attested, accounted for or let
    /// pass has no fault.
    #[test]
    fn only_what_is_missing_or_unknown_is_a_fault() {
        for finding in all() {
            let fault = match finding.standing() {
                Standing::Attested | Standing::Accounted | Standing::LetPass => None,
                Standing::Missing => Some(Fault::No),
                Standing::Unknown => Some(Fault::Unavailable),
            };
            assert_eq!(finding.fault(), fault, "{finding:?}");
        }
    }

    #[test]
    fn each_says_in_a_word_and_a_line_what_it_is() {
        for finding in all() {
            let (reason, message) = (finding.reason(), finding.message());
            assert_eq!(reason.is_none(), finding == Finding::Attested, "{finding:?}");
            assert_eq!(message.is_none(), finding == Finding::Attested, "{finding:?}");
            assert!(!message.unwrap_or_default().chars().any(char::is_control), "{finding:?}");
        }
    }
}
