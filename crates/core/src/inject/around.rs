//! What a workflow has around its templates that concerns ours: annotations that nobody would
//! read, warnings, Secrets for pulling images and of artifacts.

use super::caveats::{self, Caveat, Warning};
use super::item::Item;
use super::nearest::is_meant;
use super::plan::{MOST_SECRETS, Planner, refuse};
use super::refusal::{Obstacle, Refusal};
use super::secrets::Secrets;
use super::step::{ANNOTATIONS, Step, label};
use super::traces;
use super::workflow::{Spec, Template};
use super::yaml::Value;
use crate::object_name::ObjectName;

/// Warnings of a document that are told.
const MOST_WARNINGS: usize = 500;

impl Planner<'_> {
    /// Refuses annotations of ours that nobody would read, wherever they are in a workflow.
    pub(super) fn check_annotations(
        &mut self,
        spec: &Spec<'_>,
        templates: &[Template<'_>],
        defaults: Option<&Value>,
    ) -> Result<(), Refusal> {
        let line = (self.line)(&spec.path);
        let of_all = |why| Refusal::Template { line, template: spec.called.clone(), why };
        let of_pods = spec.value.get("podMetadata");
        for (metadata, is_read) in [(spec.metadata, false), (of_pods, true)] {
            if let Some(label) = metadata.and_then(label) {
                return Err(of_all(Obstacle::Label(label)));
            }
            let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
            for (name, _) in annotations.map_or(&[][..], Value::entries) {
                let Some(name) = name.text().filter(|name| is_meant(name)) else { continue };
                match ANNOTATIONS.into_iter().find(|known| *known == name) {
                    None => return Err(of_all(Obstacle::Misspelt(name.to_owned()))),
                    Some(known) if !is_read => return Err(of_all(Obstacle::Misplaced(known))),
                    Some(_) => {}
                }
            }
        }
        for template in templates {
            let step = Step { template: template.value, defaults, spec: spec.value };
            let refuse = |why| refuse(self.line, spec, template, why);
            step.check_annotations().map_err(refuse)?;
            let meant = template.is_among(&self.maker.settings.templates);
            if step.kind().is_none() && meant && step.asks_itself().map_err(refuse)? {
                let caveat = caveats::kind(template.value);
                self.warn(spec, template, caveat);
            }
        }
        Ok(())
    }

    pub(super) fn warn(
        &mut self,
        spec: &Spec<'_>,
        template: &Template<'_>,
        caveats: impl IntoIterator<Item = Caveat>,
    ) {
        for caveat in caveats {
            let called = format!("{}, template {}", spec.called, template.name);
            let warning = Warning { line: (self.line)(&template.path), template: called, caveat };
            if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    /// Which Secrets for pulling the workflow has for our sake, or will have.
    pub(super) fn find_pulled(&mut self, spec: &Spec<'_>) {
        let there: Vec<_> = spec.value.items("imagePullSecrets").iter().collect();
        let has =
            |name: &ObjectName| there.iter().any(|secret| secret.text_at(&["name"]) == Some(name.as_str()));
        let ours = traces::pulled(spec);
        let wanted = self.maker.settings.pull_secrets.iter();
        self.pulled = wanted.filter(|name| !has(name) || ours.contains(name.as_str())).cloned().collect();
    }

    /// Adds those that are not there, if anything was added that needs them.
    pub(super) fn pull(&mut self, spec: &Spec<'_>) {
        let used = self.used.contains(&spec.path);
        let there = spec.value.items("imagePullSecrets");
        let has =
            |name: &ObjectName| there.iter().any(|secret| secret.text_at(&["name"]) == Some(name.as_str()));
        let missing = self.pulled.iter().filter(|name| used && !has(name));
        let items = missing.map(|name| Item::Map(vec![("name", Item::text(name.as_str()))])).collect();
        self.extend(&spec.path, "imagePullSecrets", Vec::new(), items);
    }

    /// The Secrets that a step's artifacts name; those of a whole workflow where inputs may come
    /// from anywhere in it.
    pub(super) fn secrets(&self, step: &Step<'_>, gate: bool) -> Result<Secrets, Obstacle> {
        let mut secrets = Secrets::of_step(step);
        if gate {
            secrets.names.extend(self.kept.names.iter().cloned());
        }
        if secrets.names.len() > MOST_SECRETS {
            return Err(Obstacle::Secrets { most: MOST_SECRETS });
        }
        Ok(secrets)
    }
}
