//! What a plan adds for those that get something: their containers, and the volumes of these.

use std::collections::BTreeSet;

use super::change::{Change, Container};
use super::item::Item;
use super::plan::{Addition, Planner, Target};
use super::settings::Mode;
use super::volume::Volume;
use super::workflow::Spec;
use super::yaml::Path;

impl Planner<'_> {
    /// Adds the containers to a template, or to the defaults.
    pub(super) fn containers(&mut self, target: &Target<'_>) {
        let (gate, sidecar) = self.new_containers(target);
        self.report(target, gate.is_some(), !sidecar.is_empty());
        match self.maker.settings.mode {
            Mode::Native => self.extend(&target.path, "initContainers", gate.into_iter().collect(), sidecar),
            Mode::Sidecar => {
                self.extend(&target.path, "initContainers", gate.into_iter().collect(), Vec::new());
                self.extend(&target.path, "sidecars", Vec::new(), sidecar);
            }
        }
    }

    /// The same for defaults that are not there.
    pub(super) fn containers_in_new(&mut self, spec: &Spec<'_>, target: &Target<'_>) {
        let (gate, sidecar) = self.new_containers(target);
        self.report(target, gate.is_some(), !sidecar.is_empty());
        let (mut init, mut beside) = (gate.into_iter().collect::<Vec<_>>(), Vec::new());
        match self.maker.settings.mode {
            Mode::Native => init.extend(sidecar),
            Mode::Sidecar => beside.extend(sidecar),
        }
        let lists = [("initContainers", init), ("sidecars", beside)];
        let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
        let value = Item::Map(lists.map(|(key, items)| (key, Item::List(items))).collect());
        self.additions.push(Addition::Set { at: spec.path.clone(), key: "templateDefaults", value });
    }

    /// The gate, and the sidecar with what comes after it.
    fn new_containers(&self, target: &Target<'_>) -> (Option<Item>, Vec<Item>) {
        let (wanted, present) = (&target.wanted, &target.present);
        let gate = (wanted.gate && present.gate.is_none()).then(|| self.maker.gate(wanted));
        let mut beside = Vec::new();
        if wanted.sidecar {
            beside.extend(present.sidecar.is_none().then(|| self.maker.sidecar(wanted)));
            beside.extend(self.maker.check(wanted).filter(|_| present.check.is_none()));
        }
        (gate, beside)
    }

    /// Declares volumes in the specification, each once.
    pub(super) fn declare(&mut self, spec: &Spec<'_>, volumes: Vec<(Volume, bool)>) {
        let mut declared: Vec<(Volume, bool)> = Vec::new();
        for (volume, root) in volumes {
            match declared.iter_mut().find(|(known, _)| known.name == volume.name) {
                Some((_, all_root)) => *all_root &= root,
                None => declared.push((volume, root)),
            }
        }
        let back = declared.iter().map(|(volume, root)| volume.item(*root)).collect();
        self.extend(&spec.path, "volumes", Vec::new(), back);
    }

    pub(super) fn extend(&mut self, at: &Path, key: &'static str, front: Vec<Item>, back: Vec<Item>) {
        if !front.is_empty() || !back.is_empty() {
            self.additions.push(Addition::Extend { at: at.clone(), key, front, back });
        }
    }

    fn report(&mut self, target: &Target<'_>, gate: bool, sidecar: bool) {
        let became = |wanted, added| match (wanted, added) {
            (false, _) => Container::Unneeded,
            (true, true) => Container::Added,
            (true, false) => Container::Already,
        };
        self.changes.push(Change {
            line: (self.line)(&target.path),
            template: target.name.clone(),
            sidecar: became(target.wanted.sidecar, sidecar),
            gate: became(target.wanted.gate, gate),
            lost: BTreeSet::new(),
        });
    }
}
