//! What our containers need beside themselves: volumes, and time to end.

use super::container::{Maker, Wanted};
use super::item::Item;
use super::plan::Addition;
use super::refusal::Obstacle;
use super::step::{Step, seconds};
use super::volume::Volume;
use super::yaml::Path;

/// The volumes of the containers that are wanted.
pub(super) fn volumes(maker: Maker<'_>, wanted: &Wanted) -> Vec<Volume> {
    let mut needed = if wanted.sidecar { maker.sidecar_volumes(wanted) } else { Vec::new() };
    for volume in if wanted.gate { maker.gate_volumes(wanted) } else { Vec::new() } {
        if !needed.iter().any(|known| known.name == volume.name) {
            needed.push(volume);
        }
    }
    needed
}

/// Those that one of the steps does not have. What is there under one of their names must
/// be the same, and be readable for who mounts it: `root` alone, or anybody.
pub(super) fn missing(
    mut needed: Vec<Volume>,
    root: bool,
    steps: &[&Step<'_>],
) -> Result<Vec<Volume>, Obstacle> {
    for volume in &needed {
        for there in steps.iter().filter_map(|step| step.volume(&volume.name)) {
            let ours = Volume::is_ours(there);
            let closed = there.text_at(&["secret", "defaultMode"]) == Some("256");
            match volume.is(there) {
                true if ours && closed && !root => {}
                true => continue,
                false if ours => {}
                false => return Err(Obstacle::Volume(volume.name.clone())),
            }
            return Err(Obstacle::Stale(format!("volume {}", volume.name)));
        }
    }
    needed.retain(|volume| steps.iter().any(|step| step.volume(&volume.name).is_none()));
    Ok(needed)
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
