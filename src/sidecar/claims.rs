//! Who writes to which object of the step's stores. Argo checks neither the keys of
//! outputs against each other nor against what is stored beside them, and nothing may be
//! called attested whose object was written over by its own step.
//!
//! Keys are compared as a store on a file system would take them, so `a//b` and `a/./b` are
//! `a/b`. Two stores of one bucket's name count as one, but for outputs of the same key: it is
//! their own choice to be stored twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use argo_attest_core::argo::path::join;
use argo_attest_core::argo::{
    ArtifactStore, Destination, InputSource, ObjectRef, Placement, Predicates, Step,
};
use argo_attest_core::contract::store::APART;
use argo_attest_core::predicate::PredicateType;
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::PodIdentity;
use argo_attest_core::text::brief;

use super::named::NamedStore;
use crate::attestations::{AttestationNames, artifact_of, is_among_attestations};
use crate::store::ObjectKey;

/// Bytes of a name in a reason.
const SHOWN: usize = 200;

/// Where an object is: a bucket, and a key as it is compared.
type Spot = (String, String);

/// An object that is written, or after which something is named that is.
#[derive(Debug, Clone)]
pub(super) struct Written<'a> {
    bucket: &'a str,
    /// The store's server; `None`, if it may be any.
    server: Option<String>,
    /// In the bucket.
    key: String,
}

impl<'a> Written<'a> {
    /// Where the step stores something.
    pub(super) fn object(object: &'a ObjectRef) -> Self {
        let store: &ArtifactStore = &object.store;
        Self { bucket: store.bucket(), server: Some(store.server()), key: object.key().to_owned() }
    }

    /// What has this key in the store that the platform names.
    pub(super) fn named(store: &'a NamedStore, key: &ObjectKey) -> Self {
        Self { bucket: store.bucket().as_str(), server: None, key: store.in_bucket(key) }
    }

    fn called(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    fn spot(&self) -> Spot {
        (self.bucket.to_owned(), join("/", &self.key).trim_start_matches('/').to_owned())
    }

    /// The uri, printable.
    pub(super) fn uri(&self) -> String {
        format!("s3://{}", printable(format!("{}/{}", self.bucket, self.key).as_bytes()))
    }
}

/// Something that is written, or has to stay as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    who: Who,
    what: What,
    /// As [`Written::server`].
    server: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// By its place in the template: a name may be there twice.
    Output(usize, String),
    Outcome,
    Input(String),
    Log(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Object,
    Attestation,
}

/// All that is known to be written before the step has run.
#[derive(Debug, Default)]
pub(super) struct Claims {
    by_spot: BTreeMap<Spot, Vec<Claim>>,
    /// The inputs' objects: an attestation of each may lie beside it, or beside any directory
    /// that it is in.
    inputs: BTreeSet<Spot>,
    /// Of the types by which something else than how they were made is said of the outputs.
    labels: BTreeSet<String>,
}

impl Claims {
    /// What the step writes, and where it takes its inputs from. `outcome`: after what the
    /// step's own is named. `named`: the store that the platform names, and for which pod.
    /// `predicates`: what else is said of the outputs.
    pub(super) fn of(
        step: &Step,
        outcome: Option<&Written<'_>>,
        named: Option<(&NamedStore, &PodIdentity)>,
        predicates: &Predicates,
    ) -> Self {
        let labels = predicates.iter().map(|report| PredicateType::label(&report.kind)).collect();
        let mut claims = Self { labels, ..Self::default() };
        for (at, output) in step.outputs.iter().enumerate() {
            let Ok(plan) = &output.plan else { continue };
            let who = Who::Output(at, output.name.clone());
            match (&plan.destination, named) {
                (Destination::Object(object), _) => {
                    let written = Written::object(object);
                    claims.claim(who.clone(), What::Object, &written);
                    claims.attestation(&who, &written);
                }
                (Destination::Elsewhere(place), Some((store, pod))) => {
                    if let Ok(key) = NamedStore::output(place, pod) {
                        claims.attestation(&who, &Written::named(store, &key));
                    }
                }
                (Destination::Elsewhere(_), None) => {}
            }
        }
        if let Some(outcome) = outcome {
            claims.attestation(&Who::Outcome, outcome);
        }
        for log in &step.logs {
            if let Ok(object) = &log.object {
                claims.claim(Who::Log(log.container.clone()), What::Object, &Written::object(object));
            }
        }
        for input in &step.inputs {
            if let InputSource::Object(object) = &input.source {
                let written = Written::object(object);
                claims.claim(Who::Input(input.name.clone()), What::Object, &written);
                claims.inputs.insert(written.spot());
            }
        }
        claims
    }

    /// Why the output at this place of the template may not be attested; `None` if nothing is
    /// in its way.
    pub(super) fn against(&self, output: usize, object: &ObjectRef) -> Option<String> {
        let object = Written::object(object);
        let conflict = self.conflict(output, What::Object, &object, false);
        conflict.or_else(|| self.against_attestation(output, &object))
    }

    /// Why its attestation may not be named after this.
    pub(super) fn against_attestation(&self, output: usize, named_after: &Written<'_>) -> Option<String> {
        let conflict = |written| self.conflict(output, What::Attestation, &written, false);
        self.attestation_of(named_after).into_iter().find_map(conflict)
    }

    /// Why an output that is stored as one object a file may not have this one.
    pub(super) fn against_file(&self, output: usize, file: &ObjectRef) -> Option<String> {
        self.conflict(output, What::Object, &Written::object(file), true)
    }

    /// Whether an output is stored where the step's outcome would be.
    pub(super) fn outcome_is_taken(&self, outcome: &Written<'_>) -> bool {
        let written = self.attestation_of(outcome);
        let claims = written.iter().filter_map(|written| self.by_spot.get(&written.spot())).flatten();
        claims.into_iter().any(|claim| claim.who != Who::Outcome)
    }

    fn attestation(&mut self, who: &Who, named_after: &Written<'_>) {
        for written in self.attestation_of(named_after) {
            self.claim(who.clone(), What::Attestation, &written);
        }
    }

    /// Everything that attestations consist of which are named after this, wherever they lie: one is
    /// looked for in both places.
    fn attestation_of<'w>(&self, named_after: &Written<'w>) -> Vec<Written<'w>> {
        let key = &named_after.key;
        let names = [Placement::Beside, Placement::Apart].into_iter().flat_map(|placement| {
            let labelled = move |label: &String| AttestationNames::labelled(key, placement, label).ok();
            let labelled = self.labels.iter().filter_map(labelled);
            AttestationNames::of(key, placement).ok().into_iter().chain(labelled)
        });
        let written = |names: AttestationNames| names.all().map(|key| named_after.called(key.as_str()));
        names.flat_map(written).collect()
    }

    fn claim(&mut self, who: Who, what: What, written: &Written<'_>) {
        let claim = Claim { who, what, server: written.server.clone() };
        self.by_spot.entry(written.spot()).or_default().push(claim);
    }

    /// `file`: one of an output, which must not lie where its own attestation goes, either.
    fn conflict(&self, me: usize, what: What, written: &Written<'_>, file: bool) -> Option<String> {
        // Where attestations are looked for that lie apart, no step may store anything else.
        if what == What::Object && is_among_attestations(&written.key) {
            return Some(format!("its object lies beneath {APART}, where attestations are kept"));
        }
        let spot = written.spot();
        let mine = match what {
            What::Object => "its object",
            What::Attestation => "its attestation",
        };
        let shown = written.uri();
        let taken = self.by_spot.get(&spot).into_iter().flatten().find(|claim| {
            let mine =
                matches!(claim.who, Who::Output(at, _) if at == me) && (!file || claim.what == What::Object);
            !mine && claim.forbids(what, written.server.as_deref())
        });
        if let Some(claim) = taken {
            return Some(format!("{mine}, {}, is also {}", brief(&shown, SHOWN), claim.told()));
        }
        (what == What::Object && self.is_beside_an_input(&spot))
            .then(|| format!("{mine}, {}, is where the attestation of an input is", brief(&shown, SHOWN)))
    }

    fn is_beside_an_input(&self, (bucket, key): &Spot) -> bool {
        artifact_of(key).is_some_and(|base| {
            let beneath = (bucket.clone(), format!("{base}/"));
            let next = self.inputs.range((Bound::Included(&beneath), Bound::Unbounded)).next();
            self.inputs.contains(&(bucket.clone(), base.to_owned()))
                || next.is_some_and(|(of, key)| of == bucket && key.starts_with(&beneath.1))
        })
    }
}

impl Claim {
    /// Whether somebody else may not write this there.
    fn forbids(&self, what: What, server: Option<&str>) -> bool {
        let is_one = self.server.is_none() || server.is_none() || self.server.as_deref() == server;
        match (&self.who, self.what) {
            // An input is replaced, and so is its attestation, where a step changes it in place.
            (Who::Input(_), theirs) => theirs != what,
            (Who::Output(..), theirs) if theirs == what => is_one,
            (Who::Output(..) | Who::Outcome | Who::Log(_), _) => true,
        }
    }

    fn told(&self) -> String {
        let name = |name: &str| format!("{:?}", brief(name, SHOWN));
        match (&self.who, self.what) {
            (Who::Output(_, output), What::Object) => format!("that of the output {}", name(output)),
            (Who::Output(_, output), What::Attestation) => {
                format!("where the attestation of the output {} goes", name(output))
            }
            (Who::Outcome, _) => "where the step's outcome goes".into(),
            (Who::Input(input), _) => format!("the input {}", name(input)),
            (Who::Log(container), _) => format!("where the log of the container {} goes", name(container)),
        }
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::argo::{Source, TemplateText, encode};
    use serde_json::json;

    use super::*;

    /// Two outputs, each of a store and a key: what is in the way of either.
    fn conflicts(stores: [(&str, bool); 2], keys: [&str; 2]) -> Vec<Option<String>> {
        let output = |at: usize| {
            let (endpoint, insecure) = stores[at];
            let mut s3 = json!({"endpoint": endpoint, "bucket": "b", "key": keys[at]});
            if insecure {
                s3["insecure"] = json!(true);
            }
            json!({"name": at.to_string(), "path": format!("/data/{at}"), "archive": {"none": {}}, "s3": s3})
        };
        let template = json!({
            "name": "t",
            "outputs": {"artifacts": [output(0), output(1)]},
            "container": {"image": "i"},
        });
        let text = encode(&template).unwrap().into_bytes();
        let step = Step::parse(&TemplateText::new(Source::Env, text).unwrap()).unwrap();
        let claims = Claims::of(&step, None, None, &"0=spdx".parse().unwrap());
        let each = step.outputs.iter().enumerate();
        each.map(|(at, output)| {
            claims.against(at, output.plan.as_ref().unwrap().destination.object().unwrap())
        })
        .collect()
    }

    #[test]
    fn one_store_has_many_spellings() {
        for other in ["s3.example", "S3.Example", "s3.example:443", "s3.example."] {
            let found = conflicts([("s3.example", false), (other, false)], ["k", "k"]);
            assert!(found.iter().all(Option::is_some), "{other}: {found:?}");
        }
        let found = conflicts([("s3.example", true), ("s3.example:80", true)], ["k", "k"]);
        assert!(found.iter().all(Option::is_some), "{found:?}");
    }

    /// A copy in another store is wanted; an attestation there is nobody's copy.
    #[test]
    fn two_stores_of_one_buckets_name() {
        let stores = [("s3.example", false), ("backup.example", false)];
        assert_eq!(conflicts(stores, ["k", "k"]), [None, None]);
        for attestation in
            ["k.sigstore.json", "k.predicate-spdx.sigstore.json", ".attestations/k.intoto.jsonl"]
        {
            let found = conflicts(stores, ["k", attestation]);
            assert!(found.iter().all(Option::is_some), "{attestation}: {found:?}");
        }
        // Of a type that nobody names, nothing is put.
        let found = conflicts(stores, ["k", "k.predicate-sarif.sigstore.json"]);
        assert_eq!(found, [None, None]);
    }

    #[test]
    fn says_whose_it_is_in_printable_words() {
        let found = conflicts([("s3.example", false); 2], ["a\u{1b}[2J", "a\u{1b}[2J"]);
        assert_eq!(found[0].as_deref(), Some("its object, s3://b/a%1B[2J, is also that of the output \"1\""));
    }
}
