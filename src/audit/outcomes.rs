//! The signed outcomes of steps, wherever they were found.
//!
//! An outcome is known by what its verified statement says, never by its name or its place: it is
//! of the run that it names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use argo_attest_core::audit::{Account, Invocation, Told, WorkflowRun};
use argo_attest_core::contract::store::OUTCOME;
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::trouble::Fault;
use argo_attest_core::verify::Reason;
use futures_util::stream::StreamExt as _;

use super::Auditor;
use super::auditor::store_told;
use crate::attestations::{MAX_ATTESTATION, all_forms};
use crate::store::{ObjectKey, Store};
use crate::verify::{Checker, check_outcome};

/// Outcomes of one place that are read: a place is a pod's own, or a directory of many.
const MOST: usize = 100_000;

/// A workflow's UID and a node's id.
type Run = (String, String);

/// What the steps of some workflows left.
#[derive(Debug, Default)]
pub struct Outcomes {
    of: HashMap<Run, OutcomeWords>,
    /// The UIDs that are asked about; of others nothing is kept.
    uids: BTreeSet<String>,
    /// Places that could not be looked at, and why.
    unread: BTreeMap<(String, String), Told>,
}

impl Outcomes {
    /// None yet, for these runs.
    pub fn of(runs: &[WorkflowRun]) -> Self {
        let uids = runs.iter().map(|run| run.uid.clone()).collect();
        Self { uids, ..Self::default() }
    }

    /// Keeps one that a trusted key signed, if it is of these runs.
    pub(super) fn note(&mut self, words: OutcomeWords) {
        let Some(run) = run_of(&words).filter(|(uid, _)| self.uids.contains(uid)) else { return };
        match self.of.entry(run) {
            std::collections::hash_map::Entry::Vacant(none) => drop(none.insert(words)),
            // `argo retry` runs a node again, in another pod: what began later counts, and of one pod
            // what came further.
            std::collections::hash_map::Entry::Occupied(mut known) => {
                if order(&words) > order(known.get()) {
                    known.insert(words);
                }
            }
        }
    }

    /// What counts of a node.
    pub(super) fn get(&self, uid: &str, node: &str) -> Option<&OutcomeWords> {
        self.of.get(&(uid.to_owned(), node.to_owned()))
    }

    /// Those of a workflow whose nodes its text does not have.
    pub(super) fn of_others<'a>(&'a self, run: &'a WorkflowRun) -> impl Iterator<Item = &'a OutcomeWords> {
        let known: BTreeSet<_> = run.nodes.iter().map(|node| node.id.as_str()).collect();
        let of_run = self.of.iter().filter(|((uid, _), _)| *uid == run.uid);
        of_run.filter(move |((_, node), _)| !known.contains(node.as_str())).map(|(_, words)| words)
    }

    /// Why a place could not be looked at where it would lie.
    pub(super) fn unread<'a>(&self, places: impl IntoIterator<Item = &'a (String, String)>) -> Option<&Told> {
        places.into_iter().find_map(|place| self.unread.get(place))
    }
}

/// The run that an outcome names; `None` where it leaves the workflow or the node open.
pub(super) fn run_of(words: &OutcomeWords) -> Option<Run> {
    let invocation = Invocation::parse(&words.invocation_id)?;
    Some((invocation.workflow_uid?, invocation.node_id?))
}

/// Whether it says how the step ended.
pub(super) fn is_ended(words: &OutcomeWords) -> bool {
    rank(words) > 1
}

/// Which of a node's outcomes counts: the greatest.
pub(super) fn order(words: &OutcomeWords) -> (Option<jiff::Timestamp>, u8) {
    (words.started_on, rank(words))
}

fn rank(words: &OutcomeWords) -> u8 {
    match words.state.as_str() {
        "succeeded" => 3,
        "failed" => 2,
        "unfinished" => 1,
        _ => 0,
    }
}

impl Auditor {
    /// Looks for outcomes where the nodes of these runs have their own objects.
    pub async fn find_outcomes(&self, runs: &[WorkflowRun], outcomes: &mut Outcomes) {
        let ran = runs.iter().flat_map(|run| &run.nodes).filter(|node| node.account() == Account::Ran);
        let places: BTreeSet<_> = ran.flat_map(|node| &node.places).cloned().collect();
        let mut opened = Vec::new();
        for (bucket, prefix) in places {
            match self.bucket(&bucket).await {
                Ok(store) => opened.push((store, bucket, prefix)),
                Err(why) => drop(outcomes.unread.insert((bucket, prefix), why)),
            }
        }
        let asked = Arc::clone(&self.asked);
        let each = move |(store, bucket, prefix): (Arc<dyn Store>, String, String)| {
            let asked = Arc::clone(&asked);
            async move { ((bucket, prefix.clone()), beneath(&asked, store.as_ref(), &prefix).await) }
        };
        let mut found = self.lanes.each(opened, each);
        while let Some((place, found)) = found.next().await {
            match found {
                Ok(found) => found.into_iter().for_each(|words| outcomes.note(words)),
                Err(why) => drop(outcomes.unread.insert(place, why)),
            }
        }
    }
}

/// The outcomes at one place that a trusted key signed. Whoever writes there can put more, and
/// those say nothing.
async fn beneath(checker: &Checker, store: &dyn Store, prefix: &str) -> Result<Vec<OutcomeWords>, Told> {
    let mut names = BTreeSet::new();
    let mut listing = store.list(&format!("{prefix}{OUTCOME}"));
    while let Some(page) = listing.next().await.map_err(|error| store_told(&error))? {
        let forms = page.into_iter().filter_map(|object| all_forms(object.key.as_str()));
        names.extend(forms);
        if names.len() > MOST {
            return Err(Told {
                reason: Reason::Unreadable,
                fault: Fault::Malformed,
                message: format!("there are more than {MOST} outcomes in one place"),
                remedy: None,
            });
        }
    }
    let mut found = Vec::new();
    for forms in names {
        for name in forms {
            let Ok(key) = ObjectKey::new(&name) else { continue };
            let bytes = match store.get(&key, MAX_ATTESTATION).await {
                Ok(object) => object.bytes,
                Err(
                    crate::store::StoreError::NotFound { .. } | crate::store::StoreError::TooLarge { .. },
                ) => {
                    continue;
                }
                Err(error) => return Err(store_told(&error)),
            };
            if let Ok(checked) = check_outcome(checker, &bytes) {
                found.push(checked.words);
                break;
            }
        }
    }
    Ok(found)
}

impl Outcomes {
    /// Whether one is of the runs that are asked about.
    pub(super) fn asks_for(&self, words: &OutcomeWords) -> bool {
        run_of(words).is_some_and(|(uid, _)| self.uids.contains(&uid))
    }
}
