//! Outputs of one step that get in each other's way: Argo checks neither their
//! paths nor their keys against each other.

use std::collections::BTreeMap;

use super::location::ObjectRef;
use super::output::{Archive, OutputArtifact, Plan};
use super::step::LogObject;

/// Two outputs that share something. Each output is named once as the second one,
/// for each kind of overlap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overlap {
    /// Both are written to the same object: what is stored there is the one that
    /// came last.
    SameObject {
        /// Who wrote it first.
        first: String,
        /// Who wrote it again.
        second: String,
    },
    /// The second is written beneath the key of the first, which, if it is a
    /// directory stored as one object a file, may have a file of that name.
    ObjectBeneath {
        /// The one with the shorter key.
        outer: String,
        /// The one beneath it.
        inner: String,
    },
    /// Both have the same path. Each is attested for itself.
    SamePath {
        /// The first in the template's order.
        first: String,
        /// The other.
        second: String,
    },
    /// The path of the second is beneath that of the first. Each is attested for
    /// itself.
    PathBeneath {
        /// The one with the shorter path.
        outer: String,
        /// The one beneath it.
        inner: String,
    },
}

pub(super) fn overlaps(outputs: &[OutputArtifact], logs: &[LogObject]) -> Vec<Overlap> {
    let planned: Vec<(&str, &Plan)> = outputs
        .iter()
        .filter_map(|output| Some((output.name.as_str(), output.plan.as_ref().ok()?)))
        .collect();
    let mut found = Vec::new();
    same_objects(&planned, logs, &mut found);
    let (equal, nested) =
        nested(planned.iter().map(|(name, plan)| (plan.path.as_str(), *name, true)).collect());
    found.extend(equal.into_iter().map(|(first, second)| Overlap::SamePath { first, second }));
    found.extend(nested.into_iter().map(|(outer, inner)| Overlap::PathBeneath { outer, inner }));
    found
}

fn same_objects(planned: &[(&str, &Plan)], logs: &[LogObject], found: &mut Vec<Overlap>) {
    let outputs =
        planned.iter().map(|(name, plan)| (&plan.object, (*name).to_owned(), plan.archive == Archive::None));
    let logs = logs
        .iter()
        .filter_map(|log| Some((log.object.as_ref().ok()?, format!("{}-logs", log.container), false)));
    let written: Vec<(&ObjectRef, String, bool)> = outputs.chain(logs).collect();
    let mut by_bucket: BTreeMap<(&str, &str), Vec<Named<'_>>> = BTreeMap::new();
    for (object, name, spreads) in &written {
        let bucket = (object.store.endpoint.as_str(), object.store.bucket.as_str());
        by_bucket.entry(bucket).or_default().push((object.key(), name, *spreads));
    }
    for keys in by_bucket.into_values() {
        let (equal, nested) = nested(keys);
        found.extend(equal.into_iter().map(|(first, second)| Overlap::SameObject { first, second }));
        found.extend(nested.into_iter().map(|(outer, inner)| Overlap::ObjectBeneath { outer, inner }));
    }
}

type Pairs = Vec<(String, String)>;

/// A path or key, the output's name, and whether there may be something beneath.
type Named<'a> = (&'a str, &'a str, bool);

/// Of paths with a name each: pairs of equal ones, and pairs of one and the
/// nearest above it, of those that may have something beneath them.
///
/// Sorted by component, everything beneath a path follows it, so that one pass
/// with a stack does. Comparing each with each would let a hostile template cost
/// minutes.
fn nested(mut paths: Vec<Named<'_>>) -> (Pairs, Pairs) {
    paths.sort_by(|(one, ..), (other, ..)| one.split('/').cmp(other.split('/')));
    let (mut equal, mut beneath) = (Vec::new(), Vec::new());
    let mut open: Vec<Named<'_>> = Vec::new();
    for (path, name, may_hold) in paths {
        while open.pop_if(|(above, ..)| !super::path::overlaps(path, above)).is_some() {}
        match open.iter().find(|(above, ..)| *above == path) {
            Some((_, first, _)) => equal.push(((*first).to_owned(), name.to_owned())),
            None => {
                if let Some((_, outer, _)) = open.iter().rfind(|(.., may_hold)| *may_hold) {
                    beneath.push(((*outer).to_owned(), name.to_owned()));
                }
            }
        }
        if open.last().is_none_or(|(above, ..)| *above != path) || may_hold {
            open.push((path, name, may_hold));
        }
    }
    (equal, beneath)
}
