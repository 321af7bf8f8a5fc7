//! What the pod is told of its step's outcome: in annotations and one event.

use std::collections::BTreeMap;

use argo_attest_core::contract::annotation::{ATTESTATIONS, ATTESTED, DIGESTS, STATE};
use argo_attest_core::outcome::{Fate, OutputOutcome, PredicateOutcome, StepOutcome, StepState};
use argo_attest_core::text::brief;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::ser::Serializer as Json;

/// Annotations by key.
pub type Annotations = BTreeMap<&'static str, String>;

/// Bytes of an annotation's value, at most. Kubernetes takes 256 KiB of all of a
/// pod's annotations together, and every watcher of pods is sent them.
pub const ANNOTATION_LIMIT: usize = 8 * 1024;
/// Bytes of an event's message, at most: what `events.k8s.io/v1` takes.
pub const MESSAGE_LIMIT: usize = 1024;

/// Bytes of an artifact's name. Argo's are shorter.
const NAME: usize = 253;
/// Under this key, which no artifact can have, a map says what it leaves out.
const LEFT_OUT: &str = "…";
/// Bytes kept for that.
const LEFT_OUT_ROOM: usize = 40;

/// Whether an event is one to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// All is as it should be.
    Normal,
    /// Something that should be attested is not.
    Warning,
}

impl EventType {
    /// As Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// An event about the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether it is one to look at.
    pub kind: EventType,
    /// Why there is one, in one word: `Attested`, `NotAttested`,
    /// `NothingToAttest` or `NotReady`.
    pub reason: &'static str,
    /// One line of at most [`MESSAGE_LIMIT`] bytes.
    pub message: String,
}

/// All that a pod is told at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// To be set on the pod.
    pub annotations: Annotations,
    /// To be added to its events.
    pub event: Event,
}

impl Notice {
    /// What became of a step.
    pub fn of(outcome: &StepOutcome<'_>) -> Self {
        let outputs = &outcome.outputs;
        let count = |is: fn(&Fate) -> bool| outputs.iter().filter(|o| is(&o.fate)).count();
        let attested = count(|fate| matches!(fate, Fate::Attested(_)));
        let there = outputs.len() - count(Fate::is_absent);
        let state = state(outcome, attested, there);
        let good = || {
            outputs.iter().filter_map(|o| match &o.fate {
                Fate::Attested(attested) => Some((o.name.as_str(), attested)),
                _ => None,
            })
        };
        let digests = good().filter_map(|(name, attested)| Some((name, attested.digest()?)));
        let attestations = good().map(|(name, attested)| (name, attested.attestation()));
        let annotations = BTreeMap::from([
            (STATE, state.to_owned()),
            (ATTESTED, format!("{attested}/{there}")),
            (DIGESTS, map(digests)),
            (ATTESTATIONS, map(attestations)),
        ]);
        let well = matches!(state, ATTESTED_STATE | NOTHING);
        // A main that failed or was killed has its own events; that nothing is attested follows.
        let follows = |o: &OutputOutcome| o.is_complete() || matches!(o.fate, Fate::NotAttempted { .. });
        let unattempted =
            |p: &PredicateOutcome| p.is_complete() || matches!(p.fate, Fate::NotAttempted { .. });
        let follows = outputs.iter().all(follows) && outcome.predicates.iter().all(unattempted);
        let expected = well || (!matches!(outcome.state, StepState::Succeeded) && follows);
        let event = Event {
            kind: if expected { EventType::Normal } else { EventType::Warning },
            reason: match state {
                ATTESTED_STATE => "Attested",
                NOTHING => "NothingToAttest",
                _ => "NotAttested",
            },
            message: message(outcome, attested, there),
        };
        Self { annotations, event }
    }

    /// Main starts, and not all that attesting it needs is ready.
    pub fn not_ready(reason: &str, remedy: &str) -> Self {
        Self {
            annotations: BTreeMap::from([(STATE, "not-ready".to_owned())]),
            event: Event {
                kind: EventType::Warning,
                reason: "NotReady",
                message: brief(
                    &format!("not all is ready to attest the step: {reason}; {remedy}"),
                    MESSAGE_LIMIT,
                ),
            },
        }
    }

    /// The step runs, and nothing of it will be attested.
    pub fn not_established(reason: &str, remedy: &str) -> Self {
        Self {
            annotations: BTreeMap::from([(STATE, "not-established".to_owned())]),
            event: Event {
                kind: EventType::Warning,
                reason: "NotAttested",
                message: brief(
                    &format!("the step runs, and nothing of it is attested: {reason}; {remedy}"),
                    MESSAGE_LIMIT,
                ),
            },
        }
    }
}

const ATTESTED_STATE: &str = "attested";
const NOTHING: &str = "nothing-to-attest";

fn state(outcome: &StepOutcome<'_>, attested: usize, there: usize) -> &'static str {
    match &outcome.state {
        StepState::Started | StepState::Unfinished { .. } => "unfinished",
        _ if there == 0 && outcome.is_complete() => NOTHING,
        _ if attested == 0 => "not-attested",
        _ if outcome.is_complete() => ATTESTED_STATE,
        _ => "incomplete",
    }
}

fn message(outcome: &StepOutcome<'_>, attested: usize, there: usize) -> String {
    let count = match there {
        0 => "there was no output to attest".to_owned(),
        _ => {
            format!("{attested} of {there} {} attested", if there == 1 { "output is" } else { "outputs are" })
        }
    };
    let text = match (&outcome.state, outcome.outputs.iter().find(|o| !o.is_complete())) {
        (StepState::Unfinished { reason }, _) => format!("{count}: {reason}"),
        (_, None) => match outcome.predicates.iter().find(|predicate| !predicate.is_complete()) {
            None => count,
            Some(amiss) => format!("{count}; {}", unsigned(amiss)),
        },
        (_, Some(amiss)) => format!("{count}; {}: {}", amiss.name, trouble(amiss)),
    };
    brief(&text, MESSAGE_LIMIT)
}

fn unsigned(PredicateOutcome { name, kind, fate, .. }: &PredicateOutcome) -> String {
    format!("{name} is not signed as {kind}: {}", fate.reason().unwrap_or_default())
}

fn trouble(amiss: &OutputOutcome) -> String {
    match (&amiss.fate, amiss.refused.as_slice()) {
        (Fate::Refused { reason } | Fate::Unfinished { reason } | Fate::NotAttempted { reason }, _) => {
            reason.clone()
        }
        (_, [(entry, reason)]) => format!("{entry} was refused: {reason}"),
        (_, [(entry, reason), rest @ ..]) => {
            format!("{entry} was refused: {reason} (and {} more)", rest.len())
        }
        (_, []) => "it is incomplete".to_owned(),
    }
}

/// A JSON object of at most [`ANNOTATION_LIMIT`] bytes, of as many members as fit.
/// What is left out is counted in it: a map that was cut without a word would say
/// that the rest is not attested.
fn map<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let (mut kept, mut left_out) = (Vec::new(), 0_usize);
    let mut length = "{}".len() + LEFT_OUT_ROOM;
    for (name, value) in members {
        let name = brief(name, NAME);
        // Of the braces one is left over, for the comma.
        length = length.saturating_add(object(&[(name.as_str(), value)]).len() - 1);
        // A longer one after it may not slip in: what is kept are the first ones.
        if left_out > 0 || length > ANNOTATION_LIMIT {
            left_out += 1;
        } else {
            kept.push((name, value));
        }
    }
    let more = format!("{left_out} more");
    let mut all: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    if left_out > 0 {
        all.push((LEFT_OUT, &more));
    }
    object(&all)
}

fn object(members: &[(&str, &str)]) -> String {
    let mut bytes = Vec::new();
    let mut json = Json::new(&mut bytes);
    // Writing text to memory as JSON cannot fail.
    let written = json.serialize_map(Some(members.len())).and_then(|mut map| {
        members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    });
    drop(written);
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
