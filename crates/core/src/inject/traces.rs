//! What was put into a workflow before, by this version or another, told by what it means.
//!
//! Ours are the containers of our names that are started with our words; volumes of our names
//! in the form that we give them, unless a container mounts them that stays; a `podSpecPatch`
//! that says nothing but the grace period, beside a container of ours; and pull secrets that a
//! container of ours says were put there for it. Who writes our containers by
//! hand has them taken out, too.

use std::collections::BTreeSet;

use super::MAX_CHANGES;
use super::change::{Change, Container};
use super::container::pull_secrets;
use super::refusal::Refusal;
use super::step::ours;
use super::volume::Volume;
use super::workflow::{Spec, Template};
use super::yaml::{Path, Value};
use crate::contract::container::{GATE, SIDECAR};

/// Lists of containers that ours go to.
const CONTAINERS: [&str; 2] = ["initContainers", "sidecars"];

/// What is ours in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) at: Path,
    pub(super) lists: Vec<Items>,
    /// Whether it has a `podSpecPatch` that is ours if it is written as we write it.
    pub(super) patch: bool,
    /// How many keys the mapping has, if it can be all ours.
    pub(super) may_go: Option<usize>,
}

/// What is ours in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Items {
    pub(super) key: &'static str,
    pub(super) which: BTreeSet<usize>,
    /// Whether there is nothing else in it.
    pub(super) all: bool,
}

/// Finds what is ours in one workflow. Of a template that is not among `only`, if any are, nothing
/// is. `line` says where a node begins.
pub(super) fn traces(
    spec: &Spec<'_>,
    only: &[String],
    line: &dyn Fn(&Path) -> usize,
) -> Result<(Vec<Trace>, Vec<Change>), Refusal> {
    let templates = spec.templates();
    let defaults = spec.value.get("templateDefaults").map(|value| Template {
        path: spec.path.key("templateDefaults"),
        value,
        name: String::new(),
    });
    let (mut going, mut staying) = (Vec::new(), Vec::new());
    for template in &templates {
        if template.is_among(only) { going.push(template) } else { staying.push(template) }
    }
    if let Some(defaults) = &defaults {
        if only.is_empty() { going.push(defaults) } else { staying.push(defaults) }
    }
    let mut kept = Kept::default();
    for template in &going {
        kept.see(template.value, false);
    }
    for template in &staying {
        kept.see(template.value, true);
    }
    let (mut found, mut changes, mut pulled) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut of_all = false;
    for template in going {
        let mut lists = Vec::new();
        let mut ours_there = BTreeSet::new();
        for key in CONTAINERS {
            let items = template.value.items(key);
            lists.extend(which(key, items, |item| ours(item).is_some()));
            for container in items {
                ours_there.extend(ours(container));
                pulled.extend(ours(container).into_iter().flat_map(|_| pull_secrets(container)));
            }
        }
        let is_defaults = template.name.is_empty();
        of_all |= is_defaults && !ours_there.is_empty();
        lists.extend(which("volumes", template.value.items("volumes"), |volume| kept.goes(volume)));
        let patch = !is_defaults && !ours_there.is_empty() && is_patch(template.value);
        if !ours_there.is_empty() {
            let became =
                |name| if ours_there.contains(name) { Container::Removed } else { Container::Unneeded };
            let containers = CONTAINERS.iter().flat_map(|key| template.value.items(key));
            changes.push(Change {
                lost: containers.filter(|container| ours(container).is_some()).flat_map(settings).collect(),
                line: line(&template.path),
                template: if is_defaults {
                    format!("{}, all templates", spec.called)
                } else {
                    format!("{}, template {}", spec.called, template.name)
                },
                sidecar: became(SIDECAR),
                gate: became(GATE),
            });
        }
        let may_go = is_defaults.then(|| template.value.entries().len());
        if found.len() > MAX_CHANGES {
            return Err(Refusal::TooMany { what: "templates that have something", most: MAX_CHANGES });
        }
        if patch || !lists.is_empty() {
            found.push(Trace { at: template.path.clone(), lists, patch, may_go });
        }
    }
    let mut lists: Vec<_> =
        which("volumes", spec.value.items("volumes"), |volume| kept.goes(volume)).into_iter().collect();
    lists.extend(which("imagePullSecrets", spec.value.items("imagePullSecrets"), |secret| {
        secret.text_at(&["name"]).is_some_and(|name| pulled.contains(name) && !kept.pulled.contains(name))
    }));
    let patch = of_all && is_patch(spec.value);
    if patch || !lists.is_empty() {
        found.push(Trace { at: spec.path.clone(), lists, patch, may_go: None });
    }
    Ok((found, changes))
}

/// Secrets for pulling images that are there for our sake.
pub(super) fn pulled<'v>(spec: &Spec<'v>) -> BTreeSet<&'v str> {
    let templates = spec.templates().into_iter().map(|template| template.value);
    let holders = templates.chain(spec.value.get("templateDefaults"));
    let containers = holders.flat_map(|holder| CONTAINERS.into_iter().flat_map(|list| holder.items(list)));
    containers.filter(|container| ours(container).is_some()).flat_map(pull_secrets).collect()
}

/// The names of what a container is told by.
fn settings(container: &Value) -> impl Iterator<Item = String> {
    [("env", "variable"), ("volumeMounts", "volume")].into_iter().flat_map(|(list, what)| {
        let names = container.items(list).iter().filter_map(|item| item.text_at(&["name"]));
        names.map(move |name| format!("{what} {name}"))
    })
}

fn which(key: &'static str, items: &[Value], is_ours: impl Fn(&Value) -> bool) -> Option<Items> {
    let which: BTreeSet<_> =
        items.iter().enumerate().filter(|(_, item)| is_ours(item)).map(|(at, _)| at).collect();
    let all = which.len() == items.len();
    (!which.is_empty()).then_some(Items { key, which, all })
}

/// What is used by containers that stay.
#[derive(Default)]
struct Kept<'v> {
    mounted: BTreeSet<&'v str>,
    pulled: BTreeSet<&'v str>,
}

impl<'v> Kept<'v> {
    /// `stay`: whether containers of ours in it stay, too.
    fn see(&mut self, template: &'v Value, stay: bool) {
        let main = ["container", "script", "containerSet"].into_iter().filter_map(|kind| template.get(kind));
        let set = template.get("containerSet").map_or(&[][..], |set| set.items("containers"));
        for container in main.chain(set) {
            self.mounts(container);
        }
        for container in CONTAINERS.into_iter().flat_map(|list| template.items(list)) {
            let is_ours = ours(container).is_some();
            if stay || !is_ours {
                self.mounts(container);
            }
            if stay && is_ours {
                self.pulled.extend(pull_secrets(container));
            }
        }
    }

    fn mounts(&mut self, container: &'v Value) {
        let mounts = container.items("volumeMounts").iter();
        self.mounted.extend(mounts.filter_map(|mount| mount.text_at(&["name"])));
    }

    fn goes(&self, volume: &Value) -> bool {
        Volume::is_ours(volume) && volume.text_at(&["name"]).is_some_and(|name| !self.mounted.contains(name))
    }
}

/// Whether a `podSpecPatch` says what ours would.
fn is_patch(value: &Value) -> bool {
    value.text_at(&["podSpecPatch"]).is_some_and(|text| {
        let seconds = text.strip_prefix("{\"terminationGracePeriodSeconds\": ");
        let seconds = seconds.and_then(|rest| rest.strip_suffix('}'));
        seconds.is_some_and(|seconds| !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit()))
    })
}
