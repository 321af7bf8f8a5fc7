//! What is to be added to a workflow, decided on what it means, not on how it is written.

use std::collections::BTreeSet;

use super::MAX_CHANGES;
use super::caveats::{self, Caveat, Warning};
use super::change::{Change, Container};
use super::container::{Images, Maker, Wanted};
use super::item::Item;
use super::needs;
use super::proof;
use super::refusal::{Obstacle, Refusal};
use super::secrets::Secrets;
use super::settings::RunAs;
use super::step::{Present, Step};
use super::volume::Volume;
use super::workflow::{Spec, Template};
use super::yaml::{Path, Value};
use crate::argo::Check;
use crate::contract::container::{CHECK, GATE, SIDECAR};
use crate::object_name::ObjectName;

/// One addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addition {
    /// Items for a list, which may have to be made: at its front, and at its back.
    Extend { at: Path, key: &'static str, front: Vec<Item>, back: Vec<Item> },
    /// A key that is not there.
    Set { at: Path, key: &'static str, value: Item },
}

/// Secrets that are mounted for one template's artifacts.
pub(super) const MOST_SECRETS: usize = 50;

/// How many volumes are looked at for all steps of a workflow together.
const MOST_LOOKS: usize = 1_000_000;

/// Plans for the workflows of one document.
pub(super) struct Planner<'a> {
    pub(super) maker: Maker<'a>,
    /// The line on which the node at the end of a way begins.
    pub(super) line: &'a dyn Fn(&Path) -> usize,
    pub(super) additions: Vec<Addition>,
    pub(super) changes: Vec<Change>,
    pub(super) warnings: Vec<Warning>,
    /// Secrets that artifacts of the workflow at hand name.
    pub(super) kept: Secrets,
    /// Secrets for pulling that it has for our sake.
    pub(super) pulled: Vec<ObjectName>,
    /// The workflows in which something is ours.
    pub(super) used: Vec<Path>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(maker: Maker<'a>, line: &'a dyn Fn(&Path) -> usize) -> Self {
        Self {
            maker,
            line,
            additions: Vec::new(),
            changes: Vec::new(),
            warnings: Vec::new(),
            kept: Secrets::default(),
            pulled: Vec::new(),
            used: Vec::new(),
        }
    }
}

/// A template, or all at once, with what they get.
pub(super) struct Target<'v> {
    pub(super) path: Path,
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) present: Present<'v>,
}

impl Planner<'_> {
    /// Plans for one workflow.
    pub(super) fn plan(&mut self, spec: &Spec<'_>) -> Result<(), Refusal> {
        let defaults = spec.value.get("templateDefaults").filter(|value| !value.is_null());
        let templates = spec.templates();
        let steps: Vec<_> = templates
            .iter()
            .map(|template| (template, Step { template: template.value, defaults, spec: spec.value }))
            .filter(|(_, step)| step.kind().is_some())
            .collect();
        // Each step looks through all volumes, and through what it gets from the defaults.
        let looks = spec.value.items("volumes").len() + defaults.map_or(0, weight);
        if templates.len().saturating_mul(looks) > MOST_LOOKS {
            let what = "templates times volumes, artifacts and annotations for all of them, in a workflow";
            return Err(Refusal::TooMany { what, most: MOST_LOOKS });
        }
        self.check_annotations(spec, &templates, defaults)?;
        self.find_pulled(spec);
        self.kept = Secrets::of_workflow(spec);
        if self.maker.settings.by_defaults() {
            return self.plan_all(spec, defaults, &templates, &steps);
        }
        let steps =
            steps.into_iter().filter(|(template, _)| template.is_among(&self.maker.settings.templates));
        let line = self.line;
        let mut shared = Vec::new();
        for (template, step) in steps.collect::<Vec<_>>() {
            let refuse = |why| refuse(line, spec, template, why);
            let Some(target) = self.target(spec, template, &step).map_err(refuse)? else {
                self.unasked(spec, template).map_err(refuse)?;
                self.check_changes()?;
                continue;
            };
            let root = target.wanted.user == Some(0);
            let volumes = self.missing(&target, root, &[&step]).map_err(refuse)?;
            if target.wanted.sidecar {
                self.warn(spec, template, caveats::of(&step, &Secrets::of_step(&step)));
            }
            self.used.push(spec.path.clone());
            self.containers(&target);
            self.check_changes()?;
            if spec.reusable {
                let back = volumes.iter().map(|volume| volume.item(root)).collect::<Vec<_>>();
                self.extend(&target.path, "volumes", Vec::new(), back);
            } else {
                shared.extend(volumes.into_iter().map(|volume| (volume, root)));
            }
            let taken = step.patches().0.is_some();
            let patch = needs::patch(self.maker, &target.path, &[&step], taken);
            self.additions.extend(patch.map_err(refuse)?);
        }
        self.declare(spec, shared);
        self.pull(spec);
        Ok(())
    }

    fn check_changes(&self) -> Result<(), Refusal> {
        if self.changes.len() > MAX_CHANGES {
            return Err(Refusal::TooMany { what: "templates that get something", most: MAX_CHANGES });
        }
        Ok(())
    }

    /// Everything once, in the workflow's `templateDefaults`, for all templates that it runs.
    fn plan_all(
        &mut self,
        spec: &Spec<'_>,
        defaults: Option<&Value>,
        templates: &[Template<'_>],
        steps: &[(&Template<'_>, Step<'_>)],
    ) -> Result<(), Refusal> {
        let line = self.line;
        let empty = Value::List(Vec::new());
        let defined = || Step { template: defaults.unwrap_or(&empty), defaults: None, spec: spec.value };
        let whole = defined();
        // What is taken from elsewhere gets these defaults too, and may be all that is run.
        let taken: Vec<_> = match templates.first() {
            Some(template) if steps.is_empty() && spec.refers(templates) => vec![(template, defined())],
            _ => Vec::new(),
        };
        let is_taken = !taken.is_empty();
        let steps = if taken.is_empty() { steps } else { &taken };
        let Some((first, _)) = steps.first() else { return Ok(()) };
        let at_first = |why| refuse(line, spec, first, why);
        let present = whole.present().map_err(at_first)?;
        let mut target = Target {
            path: spec.path.key("templateDefaults"),
            name: format!("{}, all templates", spec.called),
            wanted: Wanted {
                sidecar: true,
                gate: spec.refers(templates),
                user: None,
                grace: None,
                check: Check::OptOut,
                images: Images::default(),
                secrets: Vec::new(),
                pulled: self.pulled.clone(),
            },
            present,
        };
        let mut users = Vec::new();
        for (template, step) in steps {
            let refuse = |why| refuse(line, spec, template, why);
            step.present().map_err(refuse)?;
            let own = Step { defaults: None, ..*step }.present().map_err(refuse)?;
            if let Some((name, _)) = own.any().filter(|_| !is_taken) {
                return Err(refuse(Obstacle::Stale(format!("own container {name}"))));
            }
            let images = self.images(step).map_err(refuse)?;
            target.wanted.images.checked |= images.checked;
            target.wanted.images.pushed |= images.pushed;
            target.wanted.gate |= step.verifies(true).map_err(refuse)? || images.checked;
            target.wanted.grace = target.wanted.grace.or_else(|| step.grace());
            users.push(self.user(step).map_err(refuse)?);
        }
        target.wanted.grace = self.maker.settings.grace_period.or(target.wanted.grace);
        let mut secrets = BTreeSet::new();
        for (template, step) in steps {
            let own = Secrets::of_step(step);
            let caveats = caveats::of(step, &own).into_iter().filter(|caveat| {
                // Nobody asked for these in particular.
                !matches!(caveat, Caveat::NoArtifacts | Caveat::Daemon)
            });
            self.warn(spec, template, caveats);
            secrets.extend(own.names);
        }
        secrets.extend(self.kept.names.iter().filter(|_| target.wanted.gate).cloned());
        if secrets.len() > MOST_SECRETS {
            return Err(at_first(Obstacle::Secrets { most: MOST_SECRETS }));
        }
        target.wanted.secrets = secrets.into_iter().collect();
        target.wanted.user = match users.split_first() {
            Some((first, others)) if others.iter().all(|user| user == first) => *first,
            _ => return Err(at_first(Obstacle::Users)),
        };
        let each: Vec<_> = steps.iter().map(|(_, step)| step).collect();
        for (template, step) in steps {
            let refuse = |why| refuse(line, spec, template, why);
            step.check(&needs::volumes(self.maker, &target.wanted)).map_err(refuse)?;
        }
        self.check_present(&target).map_err(at_first)?;
        let root = target.wanted.user == Some(0);
        let volumes = self.missing(&target, root, &each).map_err(at_first)?;
        let taken = whole.patches().1.is_some();
        let patch = needs::patch(self.maker, &spec.path, &each, taken).map_err(at_first)?;
        if defaults.is_some() {
            self.containers(&target);
        } else {
            self.containers_in_new(spec, &target);
        }
        self.used.push(spec.path.clone());
        self.declare(spec, volumes.into_iter().map(|volume| (volume, root)).collect());
        self.pull(spec);
        self.additions.extend(patch);
        Ok(())
    }

    /// What a template gets; nothing, if it does not ask.
    fn target<'v>(
        &self,
        spec: &Spec<'_>,
        template: &Template<'_>,
        step: &Step<'v>,
    ) -> Result<Option<Target<'v>>, Obstacle> {
        let all = self.maker.settings.all;
        let sidecar = all || step.asks()?;
        let inputs = step.verifies(sidecar)?;
        let images = self.images(step)?;
        let gate = inputs || images.checked;
        if !sidecar && !gate {
            return Ok(None);
        }
        let present = step.present()?;
        if !step.has_main() {
            return Err(Obstacle::NoMain);
        }
        let grace = self.maker.settings.grace_period.or_else(|| step.grace());
        let check = match step.is_decided()? {
            _ if all => Check::OptOut,
            true if inputs => Check::Always,
            // There for the images alone: it does not check what nobody asked it to.
            _ => Check::OptIn,
        };
        let secrets = self.secrets(step, inputs)?.names.into_iter().collect();
        let pulled = self.pulled.clone();
        let wanted = Wanted { sidecar, gate, user: self.user(step)?, grace, check, images, secrets, pulled };
        let name = format!("{}, template {}", spec.called, template.name);
        let target = Target { path: template.path.clone(), name, wanted, present };
        step.check(&needs::volumes(self.maker, &target.wanted))?;
        self.check_present(&target)?;
        Ok(Some(target))
    }

    /// Refuses containers of ours that are there and are not what would be added now.
    fn check_present(&self, target: &Target<'_>) -> Result<(), Obstacle> {
        let Target { wanted, present, .. } = target;
        let maker = self.maker;
        let pairs = [
            (SIDECAR, present.sidecar, wanted.sidecar.then(|| maker.sidecar(wanted))),
            (GATE, present.gate, wanted.gate.then(|| maker.gate(wanted))),
            (CHECK, present.check, maker.check(wanted).filter(|_| wanted.sidecar)),
        ];
        for (name, there, ours) in pairs {
            let Some((there, ours)) = there.zip(ours) else { continue };
            if !proof::meaning(&ours, maker.masked).is_some_and(|ours| ours.is_like(there)) {
                return Err(Obstacle::Stale(format!("container {name}")));
            }
        }
        Ok(())
    }

    /// Says which containers are there that nothing asks for.
    fn unasked(&mut self, spec: &Spec<'_>, template: &Template<'_>) -> Result<(), Obstacle> {
        let own = Step { template: template.value, defaults: None, spec: spec.value };
        let present = own.present()?;
        let is =
            |there: Option<&Value>| if there.is_some() { Container::Unasked } else { Container::Unneeded };
        let (sidecar, gate) = (is(present.sidecar), is(present.gate));
        if present.sidecar.or(present.gate).is_some() {
            let called = format!("{}, template {}", spec.called, template.name);
            let (line, lost) = ((self.line)(&template.path), BTreeSet::new());
            self.changes.push(Change { line, template: called, sidecar, gate, lost });
        }
        Ok(())
    }

    fn images(&self, step: &Step<'_>) -> Result<Images, Obstacle> {
        let checked = step.verifies_images(self.maker.settings.check_images)?;
        Ok(Images { checked, pushed: step.pushes()? })
    }

    fn user(&self, step: &Step<'_>) -> Result<Option<u32>, Obstacle> {
        match self.maker.settings.run_as {
            RunAs::Main => step.user(),
            RunAs::Platform => Ok(None),
            RunAs::User(user) => Ok(Some(user)),
        }
    }

    /// The volumes that are yet to be declared.
    fn missing(&self, target: &Target<'_>, root: bool, steps: &[&Step<'_>]) -> Result<Vec<Volume>, Obstacle> {
        needs::missing(needs::volumes(self.maker, &target.wanted), root, steps)
    }
}

/// How much each template gets from the defaults.
fn weight(defaults: &Value) -> usize {
    let artifacts = ["inputs", "outputs"].into_iter().filter_map(|side| defaults.get(side));
    let artifacts: usize = artifacts.map(|side| side.items("artifacts").len()).sum();
    artifacts + defaults.find(&["metadata", "annotations"]).map_or(0, |it| it.entries().len())
}

pub(super) fn refuse(
    line: &dyn Fn(&Path) -> usize,
    spec: &Spec<'_>,
    template: &Template<'_>,
    why: Obstacle,
) -> Refusal {
    let called = format!("{}, template {}", spec.called, template.name);
    Refusal::Template { line: line(&template.path), template: called, why }
}
