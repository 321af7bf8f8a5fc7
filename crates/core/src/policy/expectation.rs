//! What the provenance must say, beyond who signed it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{PolicyViolation, Stores};
use crate::proof::Proof;
use crate::slsa::{ImageEvidence, Provenance, STORED_OBJECT};
use crate::store_address::StoreAddress;
use crate::text::brief;

/// What is not as it should be where the template was not compared with enough.
pub(super) const TEMPLATE_SOURCE: &str = "template's source";

/// How far a builder's clock may be ahead of the verifier's.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Whether the stored object must have been compared with what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoredMatch {
    /// The provenance has to say so.
    Required,
    /// It may.
    #[default]
    Optional,
}

/// Whether something has to be proven that only others can vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Demand {
    /// It has to be.
    Required,
    /// It may be.
    #[default]
    Optional,
}

/// With what the text of a step's template was compared before anything was signed: the
/// least that is expected. A later one is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateSource {
    /// With nothing: it says so itself.
    Text,
    /// With the pod's own spec.
    Pod,
    /// With the Workflow as it is stored.
    Workflow,
}

impl TemplateSource {
    /// By its name in a policy and in a statement.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Text, Self::Pod, Self::Workflow].into_iter().find(|source| source.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Pod => "pod",
            Self::Workflow => "workflow",
        }
    }
}

/// How the sidecar was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a native sidecar: watching before main began.
    Native,
    /// As one of the template's `sidecars`.
    Sidecar,
}

impl Form {
    /// By its name in a policy and in a statement.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Native, Self::Sidecar].into_iter().find(|form| form.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Sidecar => "sidecar",
        }
    }
}

/// Text in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern; every other character stands for itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `text` matches. Time is at most |pattern| × |text|.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // Between two stars the leftmost match leaves the most for what follows.
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// What is expected; nothing, by default.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Exactly this `builder.id`.
    pub builder: Option<String>,
    /// Exactly this namespace of the workflow.
    pub namespace: Option<String>,
    /// The workflow's name.
    pub workflow: Option<Pattern>,
    /// One of these templates; any, if empty.
    pub templates: Vec<String>,
    /// Whether the stored object was compared.
    pub stored_match: StoredMatch,
    /// How long ago the build may have finished.
    pub max_age: Option<Duration>,
    /// By the names that the policy gives them, the stores in which the artifact may be;
    /// any, if empty.
    pub stores: Vec<String>,
    /// The least with which the template's text was compared.
    pub template_source: Option<TemplateSource>,
    /// How the sidecar was run.
    pub form: Option<Form>,
    /// The least on which it rests that the step made the image.
    pub image_evidence: Option<ImageEvidence>,
    /// Whether a transparency log must hold the signature.
    pub log: Demand,
    /// Whether it must be proven when the signature was there.
    pub time: Demand,
}

impl Expectation {
    pub(super) fn judge(
        &self,
        provenance: &Provenance,
        stores: &Stores,
        now: Timestamp,
    ) -> Result<(), PolicyViolation> {
        self.judge_builder(&provenance.run_details.builder.id)?;
        let parameter = |object: &str, field: &str| {
            provenance.build_definition.external_parameters.get(object)?.get(field)?.as_str()
        };
        let external = &provenance.build_definition.external_parameters;
        if !external.contains_key("workflow")
            && !external.contains_key("template")
            && let Some((field, wanted)) = self.of_workflows()
        {
            return Err(PolicyViolation::NoWorkflow { field, wanted });
        }
        if let Some(namespace) = &self.namespace {
            require(
                "workflow's namespace",
                parameter("workflow", "namespace"),
                |f| f == namespace,
                || format!("{namespace:?}"),
            )?;
        }
        if let Some(pattern) = &self.workflow {
            require(
                "workflow's name",
                parameter("workflow", "name"),
                |f| pattern.matches(f),
                || format!("{:?}", pattern.0),
            )?;
        }
        if !self.templates.is_empty() {
            let templates = &self.templates;
            require(
                "template",
                parameter("template", "name"),
                |f| templates.iter().any(|t| t == f),
                || format!("one of {templates:?}"),
            )?;
        }
        if self.stored_match == StoredMatch::Required && !says_stored_match(provenance) {
            return Err(PolicyViolation::NoStoredMatch);
        }
        self.max_age.map_or(Ok(()), |limit| judge_age(provenance, limit, now))?;
        self.judge_stores(provenance, stores)?;
        self.judge_sidecar(provenance)?;
        self.image_evidence.map_or(Ok(()), |least| {
            require(
                "image's evidence",
                ImageEvidence::said(provenance),
                |found| ImageEvidence::named(found).is_some_and(|found| found >= least),
                || match least {
                    ImageEvidence::Written => "\"written\"".to_owned(),
                    least => format!("at least {:?}", least.name()),
                },
            )
        })
    }

    /// What has to be proven of any statement's signature.
    pub(super) fn judge_proof(&self, proof: &Proof) -> Result<(), PolicyViolation> {
        if self.log == Demand::Required && proof.logged().is_empty() {
            return Err(PolicyViolation::NotLogged);
        }
        if self.time == Demand::Required && proof.earliest().is_none() {
            return Err(PolicyViolation::NotTimed);
        }
        Ok(())
    }

    /// What is expected that only a workflow has, and what it has to be, in words.
    fn of_workflows(&self) -> Option<(&'static str, String)> {
        if let Some(namespace) = &self.namespace {
            return Some(("workflow's namespace", format!("{namespace:?}")));
        }
        if let Some(pattern) = &self.workflow {
            return Some(("workflow's name", format!("{:?}", pattern.0)));
        }
        let templates = Some(&self.templates).filter(|templates| !templates.is_empty());
        templates.map(|templates| ("template", format!("one of {templates:?}")))
    }

    pub(super) fn judge_builder(&self, found: &str) -> Result<(), PolicyViolation> {
        match self.builder.as_ref().filter(|wanted| *wanted != found) {
            Some(wanted) => Err(PolicyViolation::Builder { found: found.to_owned(), wanted: wanted.clone() }),
            None => Ok(()),
        }
    }

    /// Whether nothing is expected of how it was built.
    pub(super) fn is_nothing(&self) -> bool {
        let Self {
            builder,
            namespace,
            workflow,
            templates,
            stored_match,
            max_age,
            stores,
            template_source,
            form,
            image_evidence,
            // Of any statement.
            log: _,
            time: _,
        } = self;
        builder.is_none()
            && namespace.is_none()
            && workflow.is_none()
            && templates.is_empty()
            && *stored_match == StoredMatch::default()
            && max_age.is_none()
            && stores.is_empty()
            && template_source.is_none()
            && form.is_none()
            && image_evidence.is_none()
    }

    /// All places that the statement names are in stores that are listed, and it names one.
    fn judge_stores(&self, provenance: &Provenance, stores: &Stores) -> Result<(), PolicyViolation> {
        if self.stores.is_empty() {
            return Ok(());
        }
        let is_listed = |endpoint: Option<&str>| {
            let address = endpoint.and_then(|text| text.parse::<StoreAddress>().ok());
            address.is_some_and(|address| self.stores.iter().any(|name| stores.is(name, &address)))
        };
        let places = provenance.places();
        match places.iter().find(|place| !is_listed(place.endpoint)) {
            None if !places.is_empty() => Ok(()),
            other => Err(PolicyViolation::Parameter {
                field: "store",
                found: other.and_then(|place| place.endpoint).map(|text| brief(text, 300)),
                wanted: format!("one of {:?}", self.stores),
            }),
        }
    }

    fn judge_sidecar(&self, provenance: &Provenance) -> Result<(), PolicyViolation> {
        let said = |field: &str| {
            provenance.build_definition.internal_parameters.get("sidecar")?.get(field)?.as_str()
        };
        if let Some(least) = self.template_source {
            require(
                TEMPLATE_SOURCE,
                said("templateSource"),
                |found| TemplateSource::named(found).is_some_and(|found| found >= least),
                || match least {
                    TemplateSource::Workflow => "\"workflow\"".to_owned(),
                    least => format!("at least {:?}", least.name()),
                },
            )?;
        }
        match self.form {
            Some(form) => {
                require("sidecar's form", said("form"), |f| f == form.name(), || format!("{:?}", form.name()))
            }
            None => Ok(()),
        }
    }
}

fn require(
    field: &'static str,
    found: Option<&str>,
    good: impl FnOnce(&str) -> bool,
    wanted: impl FnOnce() -> String,
) -> Result<(), PolicyViolation> {
    if found.is_some_and(good) {
        return Ok(());
    }
    Err(PolicyViolation::Parameter { field, found: found.map(|text| brief(text, 300)), wanted: wanted() })
}

/// The evidence is a by-product named [`STORED_OBJECT`] that says which check was made.
fn says_stored_match(provenance: &Provenance) -> bool {
    provenance.run_details.byproducts.iter().any(|byproduct| {
        byproduct.name == STORED_OBJECT
            && byproduct.annotations.get("check").and_then(Value::as_str).is_some_and(|c| !c.is_empty())
    })
}

fn judge_age(provenance: &Provenance, max_age: Duration, now: Timestamp) -> Result<(), PolicyViolation> {
    let finished = provenance.run_details.metadata.finished_on;
    let Some(finished_on) =
        finished.filter(|t| t.duration_since(now).unsigned_abs() <= CLOCK_SKEW || *t <= now)
    else {
        return Err(PolicyViolation::NoAge(finished));
    };
    if finished_on < now && now.duration_since(finished_on).unsigned_abs() > max_age {
        return Err(PolicyViolation::TooOld { finished_on, max_age });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, matches) in [
            ("build-*", "build-", true),
            ("build-*", "build-7", true),
            ("build-*", "rebuild-7", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    proptest! {
        /// Against the textbook definition, by recursion over both texts.
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            fn defined(p: &[u8], t: &[u8]) -> bool {
                match (p, t) {
                    ([], []) => true,
                    ([b'*', p @ ..], _) => (0..=t.len()).any(|n| defined(p, &t[n..])),
                    ([c, p @ ..], [d, t @ ..]) => c == d && defined(p, t),
                    _ => false,
                }
            }
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), defined(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
