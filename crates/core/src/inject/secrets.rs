//! Secrets that artifacts name themselves, beside those of the default repository. Argo mounts each
//! for its own containers (`createSecretVolumesAndMounts` in its workflow/controller/workflowpod.go),
//! and ours need the same.

use std::collections::BTreeSet;

use super::step::Step;
use super::workflow::{Spec, calls};
use super::yaml::Value;
use crate::object_name::ObjectName;

/// How an S3 location names Secrets.
const SELECTORS: [&[&str]; 5] = [
    &["accessKeySecret", "name"],
    &["secretKeySecret", "name"],
    &["sessionTokenSecret", "name"],
    &["caSecret", "name"],
    &["encryptionOptions", "serverSideCustomerKeySecret", "name"],
];

/// The Secrets of some artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Secrets {
    pub(super) names: BTreeSet<ObjectName>,
    /// What stands in a name's place and is none, such as an expression.
    pub(super) others: BTreeSet<String>,
}

impl Secrets {
    /// Those that a template's outputs and its own archive are kept with, and its inputs.
    pub(super) fn of_step(step: &Step<'_>) -> Self {
        let mut found = Self::default();
        for holder in [Some(step.template), step.defaults].into_iter().flatten() {
            found.of_template(holder);
        }
        found
    }

    /// Those that anything in a workflow may come from: arguments, and what its templates keep.
    pub(super) fn of_workflow(spec: &Spec<'_>) -> Self {
        let mut found = Self::default();
        found.of_artifacts(spec.value.get("arguments"));
        for template in spec.templates() {
            found.of_template(template.value);
            for (_, call) in calls(template.value) {
                found.of_artifacts(call.get("arguments"));
            }
        }
        found
    }

    fn of_template(&mut self, template: &Value) {
        self.of_location(template.get("archiveLocation"));
        for side in ["inputs", "outputs"] {
            self.of_artifacts(template.get(side));
        }
    }

    fn of_artifacts(&mut self, of: Option<&Value>) {
        for artifact in of.map_or(&[][..], |of| of.items("artifacts")) {
            self.of_location(Some(artifact));
        }
    }

    fn of_location(&mut self, location: Option<&Value>) {
        let Some(s3) = location.and_then(|location| location.get("s3")) else { return };
        for name in
            SELECTORS.iter().filter_map(|selector| s3.text_at(selector)).filter(|name| !name.is_empty())
        {
            match name.parse() {
                Ok(name) => self.names.insert(name),
                Err(_) => self.others.insert(name.to_owned()),
            };
        }
    }
}
