//! What our containers need beside themselves: volumes, and time to end.

use super::container::{Maker, Volume, Wanted};
use super::item::Item;
use super::plan::Addition;
use super::refusal::Obstacle;
use super::step::{Present, Step, seconds};
use super::yaml::{Path, Value};
use crate::contract::volume::EVIDENCE;

/// The volumes of the containers that are wanted; of those that are there already, the
/// ones that they mount.
pub(super) fn volumes(maker: Maker<'_>, wanted: &Wanted, present: &Present<'_>) -> Vec<Volume> {
    let kept = |wanted: bool, present: Option<&Value>, volume: &Volume| {
        wanted && present.is_none_or(|container| mounts(container, &volume.name))
    };
    let mut needed = maker.sidecar_volumes(wanted.gate);
    needed.retain(|volume| kept(wanted.sidecar, present.sidecar, volume));
    let mut gate = maker.gate_volumes();
    gate.retain(|volume| kept(wanted.gate, present.gate, volume));
    for volume in gate {
        if !needed.iter().any(|known| known.name == volume.name) {
            needed.push(volume);
        }
    }
    needed
}

/// Those that one of the steps does not have. What is there under one of their names must
/// be the same.
pub(super) fn missing(mut needed: Vec<Volume>, steps: &[&Step<'_>]) -> Result<Vec<Volume>, Obstacle> {
    let other = |volume: &Volume| {
        steps.iter().filter_map(|step| step.volume(&volume.name)).any(|there| !is_same(volume, there))
    };
    if let Some(volume) = needed.iter().find(|volume| other(volume)) {
        return Err(Obstacle::Volume(volume.name.clone()));
    }
    needed.retain(|volume| steps.iter().any(|step| step.volume(&volume.name).is_none()));
    Ok(needed)
}

/// A sidecar that is there already hears of a new gate's verdicts only if it mounts them.
pub(super) fn check_evidence(both: bool, present: &Present<'_>) -> Result<(), Obstacle> {
    match (present.sidecar, present.gate) {
        (Some(sidecar), None) if both && !mounts(sidecar, EVIDENCE) => Err(Obstacle::Evidence),
        _ => Ok(()),
    }
}

/// The grace period, which only a `podSpecPatch` can set; none where it is set as wanted.
/// `taken` says that there is another patch at that place.
pub(super) fn patch(
    maker: Maker<'_>,
    at: &Path,
    steps: &[&Step<'_>],
    taken: bool,
) -> Result<Option<Addition>, Obstacle> {
    let Some(wanted) = maker.settings.grace_period else { return Ok(None) };
    let mut set = !steps.is_empty();
    for step in steps {
        let (own, spec) = step.patches();
        let known: Vec<_> = [own, spec].into_iter().flatten().collect();
        // What cannot be read may set it to anything.
        if known.iter().any(|patch| patch.contains("GracePeriod") && seconds(patch) != Some(wanted)) {
            return Err(Obstacle::PodSpecPatch);
        }
        set &= known.iter().any(|patch| seconds(patch).is_some());
    }
    if set {
        return Ok(None);
    }
    if taken {
        return Err(Obstacle::PodSpecPatch);
    }
    let value = Item::text(format!("{{\"terminationGracePeriodSeconds\": {wanted}}}"));
    Ok(Some(Addition::Set { at: at.clone(), key: "podSpecPatch", value }))
}

/// Whether a container mounts a volume.
fn mounts(container: &Value, volume: &str) -> bool {
    container.items("volumeMounts").iter().any(|mount| mount.text_at(&["name"]) == Some(volume))
}

/// Whether a volume that is there is the one that we would declare.
fn is_same(ours: &Volume, theirs: &Value) -> bool {
    match ours.source() {
        (keys, Some(name)) => theirs.text_at(keys) == Some(name),
        (keys, None) => theirs.find(keys).is_some(),
    }
}
