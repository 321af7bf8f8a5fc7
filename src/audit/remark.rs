//! What attestations of what is not there say, and what that hangs on: another outcome, another
//! object. Of one audit it is settled at once; of an audit in parts, when all parts are there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use argo_attest_core::audit::Finding;
use argo_attest_core::verify::Reason;
use jiff::Timestamp;

pub use argo_attest_core::audit::shard_report::{NodeRun, Open};

use super::{Entry, Names, Subject};
use crate::attestations::artifact_of;
use crate::store::Location;

/// One thing that is said.
#[derive(Debug)]
pub enum Remark {
    /// An outcome says how this node ended.
    Ended {
        /// The node.
        run: NodeRun,
        /// When its sidecar started.
        started_on: Option<Timestamp>,
    },
    /// What an outcome says.
    Outcome {
        /// The outcome, not printable.
        from: OsString,
        /// Whether it does not say how the step ended.
        open: Option<Open>,
        /// What is said.
        entry: Entry,
    },
    /// What there is of an object that an outcome names, and that was not listed.
    Object {
        /// The outcome, not printable.
        from: OsString,
        /// Whether it does not say how the step ended.
        open: Option<Open>,
        /// What is said.
        entry: Entry,
    },
    /// An attestation of what is not there.
    Left(Entry),
}

impl Remark {
    /// What is said, if it is a finding.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Ended { .. } => None,
            Self::Outcome { entry, .. } | Self::Object { entry, .. } | Self::Left(entry) => {
                Some(&entry.finding)
            }
        }
    }
}

/// Which nodes ended, and when the last of their pods started that says so.
#[derive(Debug, Default)]
pub(super) struct Standings(BTreeMap<NodeRun, Option<Timestamp>>);

impl Standings {
    pub(super) fn ended(&mut self, run: NodeRun, started_on: Option<Timestamp>) {
        let last = self.0.entry(run).or_insert(None);
        *last = (*last).max(started_on);
    }

    /// Whether the node ran again, and that pod's outcome says how it ended.
    pub(super) fn supersede(&self, open: &Open) -> bool {
        let last = open.run.as_ref().and_then(|run| self.0.get(run));
        last.is_some_and(|last| *last >= open.started_on)
    }
}

/// Decides what is told of remarks, which come in their order.
#[derive(Debug, Default)]
pub struct Settler<'t> {
    standings: Standings,
    named: BTreeSet<OsString>,
    told: Option<&'t Names>,
}

impl<'t> Settler<'t> {
    /// Where something was told already.
    pub(super) fn of_all(told: &'t Names) -> Self {
        Self { told: Some(told), ..Self::default() }
    }

    /// What is to be told of it.
    pub fn settle(&mut self, remark: Remark) -> Option<Entry> {
        let superseded =
            |open: &Option<Open>| open.as_ref().is_some_and(|open| self.standings.supersede(open));
        match remark {
            Remark::Ended { run, started_on } => {
                self.standings.ended(run, started_on);
                None
            }
            Remark::Outcome { open, .. } | Remark::Object { open, .. } if superseded(&open) => None,
            Remark::Object { entry, .. } => {
                self.named.insert(entry.artifact().into_os_string());
                Some(entry)
            }
            // What is missing was named already.
            Remark::Left(entry) if self.is_named(&entry) => None,
            Remark::Outcome { entry, .. } | Remark::Left(entry) => Some(entry),
        }
    }

    fn is_named(&self, entry: &Entry) -> bool {
        let Subject::Attestation(path) = &entry.subject else { return false };
        entry.finding.reason() == Some(Reason::Orphan)
            && (is_of(path.as_os_str(), &self.named)
                || self.told.is_some_and(|told| is_of(path.as_os_str(), told)))
    }
}

/// Whether it is the attestation of one of these objects, beside it or apart.
fn is_of(path: &OsStr, objects: &BTreeSet<OsString>) -> bool {
    let Some(name) = path.to_str() else { return false };
    let beside = artifact_of(name).map(OsString::from);
    let apart = Location::artifact(name).ok().and_then(|(location, key)| {
        let Location::S3 { bucket, .. } = location else { return None };
        artifact_of(key.as_str()).map(|key| OsString::from(format!("s3://{bucket}/{key}")))
    });
    [beside, apart].into_iter().flatten().any(|object| objects.contains(&object))
}
