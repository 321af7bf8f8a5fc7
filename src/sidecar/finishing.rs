//! Finishing: main has ended, the grace period runs. Each output comes to its conclusion,
//! or is said to be unfinished.

use std::collections::BTreeMap;
use std::time::Duration;

use argo_attest_core::argo::Elsewhere;
use argo_attest_core::image::layout::WrittenImages;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::{OutputOutcome, PredicateOutcome, StepState};
use argo_attest_core::slsa::StepRun;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::conclusion::{Concluding, Conclusion, Entries};
use super::done::Done;
use super::ending::{Ended, ExitCodes, MainEnd};
use super::grace::{Deadline, Grace};
use super::images::{ConcludingImages, Written};
use super::key::follow;
use super::observing::{Observed, Unobserved, Watched};
use super::planned::Planned;
use super::predicates::Documents;
use super::preparation::Prepared;
use super::status::Status;
use super::surroundings::Surroundings;
use super::telling::{count_digested, trace_fate};
use crate::observe::{ObservationStats, SealedArtifact};
use crate::signer::Signer as _;
use crate::telemetry;

/// Why nothing is said of an output for which nobody got ready.
const NOT_READY: &str = "the grace period ended before its volume was watched and its store had answered";
/// Why nothing is said of an output that nobody got to look at.
const NOT_DIGESTED: &str = "there was no time to digest it before the grace period ended";

/// How long is looked for where main may have written the digest of an image.
const LOOKING: Duration = Duration::from_secs(5);

/// The state.
pub(super) struct Finishing<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) prepared: Prepared,
    /// Or why nobody got ready.
    pub(super) watched: Result<Watched, Unobserved>,
    pub(super) grace: Grace,
    /// Main's end, if it was seen before SIGTERM came.
    pub(super) first: Option<MainEnd>,
}

impl<'a> Finishing<'a> {
    /// Attests what can be attested in time.
    pub(super) async fn conclude(self) -> Done<'a> {
        let Self { here, prepared, watched, grace, first } = self;
        if let Ok(watched) = &watched {
            watched.observing.mark_end();
        }
        here.tell(&Status::Finishing);
        let codes = ExitCodes::of(&prepared.step, here.settings);
        let main = MainEnd::settled(first, &codes, grace.to_hear_of_main()).await;
        // For the last time: from here on one key signs all that the step leaves.
        follow(&prepared.key);
        let grace = if prepared.key.certified().is_some() { grace.with_time_to_vouch() } else { grace };
        let state = main.state();
        let attested = match &state {
            StepState::Succeeded => main.ended,
            StepState::Failed { .. } => main.ended.filter(|_| here.settings.attest_failed),
            StepState::Started | StepState::Unfinished { .. } => None,
        };
        let Concluded { outputs, images, predicates } = match (attested, watched) {
            (Some(ended), Ok(watched)) => {
                let attesting = Attesting { here, prepared: &prepared, ended, finished_on: main.finished_on };
                attesting.conclude(watched, grace.to_work()).await
            }
            (Some(_), Err(Unobserved::TimeUp)) => each(&prepared, || Conclusion::unfinished(NOT_READY)),
            (Some(_), Err(Unobserved::Failed(why))) => each(&prepared, || Conclusion::refused(why.clone())),
            (None, _) => Concluded {
                outputs: prepared.outputs.iter().map(|_| not_attempted(&state)).collect(),
                images: prepared.images.each(|| not_attempted(&state).fate),
                predicates: Vec::new(),
            },
        };
        let outputs = prepared.outputs.iter().zip(outputs).map(|(o, c)| output_outcome(o, c));
        let outputs: Vec<_> = outputs.chain(images).collect();
        let pairs = prepared.predicates();
        let predicates = pairs.iter().map(|pair| pair.concluded(&predicates, &outputs)).collect();
        Done {
            here,
            step: prepared.step.name,
            form: prepared.form,
            key: prepared.key,
            witnesses: prepared.witnesses,
            stores: prepared.stores,
            place: prepared.outcome,
            state,
            outputs,
            predicates,
            ended: main.at,
            finished_on: main.finished_on,
            grace,
        }
    }
}

/// What became of all that a step leaves.
struct Concluded {
    /// In the template's order.
    outputs: Vec<Conclusion>,
    images: Vec<OutputOutcome>,
    /// What became of the files that speak of what is attested.
    predicates: Vec<PredicateOutcome>,
}

/// A step that is attested.
struct Attesting<'a> {
    here: &'a Surroundings<'a>,
    prepared: &'a Prepared,
    ended: Ended,
    finished_on: Timestamp,
}

impl Attesting<'_> {
    /// A conclusion for each output of the template, in its order, and for each image.
    async fn conclude(&self, watched: Watched, deadline: Deadline) -> Concluded {
        let Watched { observing, mut before } = watched;
        let digest = async {
            let _span = telemetry::span("digest");
            observing.seal(deadline).await
        };
        let (seen, sealed) = tokio::join!(self.prepared.images.see(deadline), digest);
        let Observed { stats, mut artifacts } = match sealed {
            Ok(observed) => observed,
            Err(Unobserved::TimeUp) => return each(self.prepared, || Conclusion::unfinished(NOT_DIGESTED)),
            Err(Unobserved::Failed(why)) => return each(self.prepared, || Conclusion::refused(why.clone())),
        };
        count_digested(self.here.metrics, &stats);
        self.here
            .settings
            .tracer
            .say("argo_attest.bytes_digested", stats.bytes_before_end.saturating_add(stats.bytes_after_end));
        let run = self.run(&stats);
        let provenance = |byproducts: Vec<ResourceDescriptor>, unchecked: Option<&Elsewhere>| {
            let provenance = run.provenance(byproducts);
            match unchecked {
                Some(place) => provenance.unchecked(place),
                None => provenance,
            }
        };
        // A volume that hangs, or a hundred small archives of much, must not keep the rest from being
        // attested: what was not seen in that time is no evidence.
        let looking = deadline.or_before(Deadline::after(LOOKING));
        let written = looking.within(self.written(&artifacts)).await.unwrap_or_default();
        let of_images = |byproducts| run.provenance(byproducts);
        let (predicates, planned) = (&self.prepared.predicates, &self.prepared.outputs);
        let documents = Documents::read(predicates, planned, &artifacts, self.ended.changed, deadline).await;
        let concluding = Concluding {
            form: self.prepared.form,
            signer: &self.prepared.key,
            witnesses: &self.prepared.witnesses,
            ended: self.ended.changed,
            deadline,
            provenance: &provenance,
            documents: &documents,
        };
        let outputs = self.prepared.outputs.iter().map(|output| {
            let concluding = &concluding;
            let seen =
                output.way.as_ref().map(|way| (way, before.remove(&way.at), artifacts.remove(&way.at)));
            async move {
                let span = telemetry::span("attest");
                span.say("argo_attest.output", output.name.as_str());
                let conclusion = match seen {
                    Ok((way, Some(before), Some(sealed))) => {
                        let bytes: u64 = sealed.files().values().map(|seen| seen.size).sum();
                        span.say("argo_attest.bytes", bytes);
                        span.around(concluding.conclude(output.optional, way, &before, sealed)).await
                    }
                    Ok(_) => Conclusion::refused("it was not observed"),
                    Err(reason) => Conclusion::refused(reason.clone()),
                };
                trace_fate(&span, &conclusion.fate);
                conclusion
            }
        });
        let mut outputs = join_all(outputs.collect::<Vec<_>>()).await;
        let images = ConcludingImages {
            signer: &self.prepared.key,
            witnesses: &self.prepared.witnesses,
            deadline,
            seen: &seen,
            written: &written.with_images(layouts(&self.prepared.outputs, &outputs)),
            provenance: &of_images,
            documents: &documents,
        };
        let images = self.prepared.images.conclude(&images).await;
        let (images, of_images): (Vec<_>, Vec<_>) = images.into_iter().unzip();
        let of_outputs = outputs.iter_mut().flat_map(|output| std::mem::take(&mut output.predicates));
        let predicates = of_outputs.chain(of_images.into_iter().flatten()).collect();
        Concluded { outputs, images, predicates }
    }

    /// Where the digest of an image may be found.
    async fn written(&self, artifacts: &BTreeMap<usize, SealedArtifact>) -> Written {
        if self.prepared.images.is_empty() {
            return Written::default();
        }
        let ways = self.prepared.outputs.iter().filter_map(|output| output.way.as_ref().ok());
        let outputs = ways.filter_map(|way| Some((way, artifacts.get(&way.at)?)));
        Written::of(outputs, &self.prepared.step, &self.here.settings.argo_dir, self.ended.changed).await
    }

    /// What the statements of one step have in common.
    fn run(&self, stats: &ObservationStats) -> StepRun<'_> {
        let settings = self.here.settings;
        StepRun {
            step: &self.prepared.step,
            template: self.prepared.template,
            parameters: settings.parameters.as_ref(),
            identity: &settings.identity,
            builder_id: &settings.builder_id,
            started_on: Some(self.here.started_on),
            finished_on: Some(self.finished_on),
            exit_codes: self.ended.codes.clone(),
            form: self.prepared.form.as_str(),
            files_digested: (stats.files_before_end, stats.files_after_end),
            bytes_digested: (stats.bytes_before_end, stats.bytes_after_end),
            input_evidence: self.prepared.upstream.inputs.clone(),
            image_evidence: self.prepared.upstream.images.clone(),
        }
    }
}

/// The same for each output, but for those that could never have been attested.
fn each(prepared: &Prepared, conclusion: impl Fn() -> Conclusion) -> Concluded {
    let of = |output: &Planned| match &output.way {
        Ok(_) => conclusion(),
        Err(reason) => Conclusion::refused(reason.clone()),
    };
    let outputs = prepared.outputs.iter().map(of).collect();
    Concluded { outputs, images: prepared.images.each(|| conclusion().fate), predicates: Vec::new() }
}

/// The images that main wrote, and in which output.
fn layouts(outputs: &[Planned], conclusions: &[Conclusion]) -> WrittenImages {
    let mut written = WrittenImages::default();
    for (output, conclusion) in outputs.iter().zip(conclusions) {
        written.add(&output.name, &conclusion.images);
    }
    written
}

fn not_attempted(state: &StepState) -> Conclusion {
    let reason = match state {
        StepState::Unfinished { reason } => reason.clone(),
        StepState::Failed { .. } => "main failed, and what a failed main leaves is not attested".into(),
        StepState::Started | StepState::Succeeded => "it was not looked at".into(),
    };
    Conclusion::not_attempted(reason)
}

fn output_outcome(output: &Planned, conclusion: Conclusion) -> OutputOutcome {
    let Conclusion { fate, entries: Entries { refused, not_stored }, set_aside, unvouched, .. } = conclusion;
    let (name, path) = (output.name.clone(), output.declared_path.clone());
    OutputOutcome { name, path, fate, refused, set_aside, unvouched, not_stored }
}
