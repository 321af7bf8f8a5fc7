//! The sidecar's life: get ready, watch, be told, conclude, tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argo_attest_core::argo::{Source, Step, TemplateError, TemplateText};
use argo_attest_core::outcome::{Fate, OutputOutcome, StepOutcome, StepState};
use argo_attest_core::secret::shown_path;
use argo_attest_core::slsa::{InputEvidence, StepRun};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::clock::Deadline;
use super::conclusion::{Before, Concluding, Conclusion, TOO_LATE};
use super::ending::{Ended, ExitCodes, LOOK_EVERY};
use super::planned::Planned;
use super::preparation::{Main, NotReady, Prepared, not_established, not_ready};
use super::settings::{Form, KEPT_TO_TELL, Settings, Unusable};
use super::status::{Status, StatusFile};
use super::telling::{SHOWING, count_digested};
use crate::cluster::{Lookup, Notice, Pod};
use crate::pipeline::{SealedArtifact, Session};
use crate::signer::{Followed, FollowedKey, Signer};
use crate::store::Env;
use crate::telemetry::Metrics;
use crate::template::{Claim, HostFiles, Platform, TemplateSource};
use crate::volume::{Cancel, NoProgress, ObservationStats};

/// How the sidecar ended, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing to say against the step; always so in the native form.
    Fine,
    /// Something that should be attested is not.
    NotAttested,
}

/// How long main's exit code may come after SIGTERM: they race.
const EXIT_CODE_LATE: Duration = Duration::from_millis(500);

/// Lives the step through. `environment` is where the template's variable and
/// the stores' credentials come from; `cluster`, where there is one to be asked what
/// the step is, and to be told what became of it.
pub async fn run<C: Lookup + Pod>(
    settings: &Settings,
    environment: &dyn Env,
    metrics: &Arc<Metrics>,
    cluster: Option<&C>,
) -> std::io::Result<End> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut sidecar = Sidecar {
        settings,
        environment,
        metrics,
        cluster: cluster.map(|cluster| cluster as &dyn Lookup),
        pod: cluster.map(|cluster| cluster as &dyn Pod),
        status: StatusFile::new(&settings.termination_log),
        started_on: Timestamp::now(),
    };
    sidecar.tell(&Status::Starting);
    Ok(sidecar.live(&mut terminate).await)
}

pub(super) struct Sidecar<'a> {
    pub(super) settings: &'a Settings,
    pub(super) environment: &'a dyn Env,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) cluster: Option<&'a dyn Lookup>,
    pub(super) pod: Option<&'a dyn Pod>,
    pub(super) status: StatusFile,
    pub(super) started_on: Timestamp,
}

impl Sidecar<'_> {
    async fn live(&mut self, terminate: &mut Signal) -> End {
        let text = match TemplateText::find(self.environment.var("ARGO_TEMPLATE").as_deref(), &HostFiles) {
            Ok(text) => text,
            Err(error @ (TemplateError::Absent | TemplateError::Read { .. })) => {
                return self
                    .fail(self.form(None), &not_ready(&error, &error.remedy().unwrap_or_default()), terminate)
                    .await;
            }
            Err(error) => {
                return self.fail(self.form(None), &not_established(&error.into()), terminate).await;
            }
        };
        let form = self.form(Some(text.source()));
        let claim = match Claim::read(&text, &self.settings.handed_over) {
            Ok(claim) => claim,
            Err(error) => return self.fail(form, &not_established(&error), terminate).await,
        };
        if let Some(reason) = self.idle_reason(&claim) {
            info!(step = claim.step().name, reason, "nothing to do");
            self.tell(&Status::Idle { reason: reason.into() });
            terminate.recv().await;
            return End::Fine;
        }
        if let Some(Unusable { reason, remedy }) = &self.settings.unusable {
            return self.fail(form, &NotReady::held(reason.clone(), remedy.clone()), terminate).await;
        }
        let (prepared, told) = self.prepare_until_told(claim, form, terminate).await;
        match prepared {
            Ok(prepared) => self.attend(prepared, told, terminate).await,
            Err(not_ready) if told.is_some() => self.fail_at_once(form, &not_ready).await,
            Err(not_ready) => self.fail(form, &not_ready, terminate).await,
        }
    }

    /// A short main may have ended before all is prepared: then the time that is
    /// left is counted from there.
    async fn prepare_until_told(
        &self,
        claim: Claim<'_>,
        form: Form,
        terminate: &mut Signal,
    ) -> (Result<Prepared, NotReady>, Option<Deadline>) {
        let mut preparing = std::pin::pin!(self.prepare(claim, form));
        tokio::select! {
            prepared = &mut preparing => return (prepared, None),
            _ = terminate.recv() => {}
        }
        let deadline = Deadline::after(self.settings.working_time());
        let prepared = deadline.within(preparing).await.unwrap_or_else(|_| {
            Err(NotReady::held(
                "main ended, and the time was up, before this was ready".into(),
                "see whether the object store answers".into(),
            ))
        });
        (prepared, Some(deadline))
    }

    fn form(&self, source: Option<Source>) -> Form {
        // Argo gives ARGO_TEMPLATE to init containers only.
        self.settings.form.unwrap_or_else(|| match source {
            Some(Source::Env | Source::Offloaded) => Form::Native,
            None if self.environment.var("ARGO_TEMPLATE").is_some() => Form::Native,
            Some(Source::TemplateFile) | None => Form::Plain,
        })
    }

    fn idle_reason(&self, claim: &Claim<'_>) -> Option<&'static str> {
        if !claim.step().kind.runs_containers() {
            return Some("a template of this kind runs no main container");
        }
        if !self.settings.all && !claim.asked().attest {
            return Some("the template does not ask for it (annotation argo-attest.io/attest: \"true\")");
        }
        None
    }

    pub(super) fn platform(&self) -> Platform<'_> {
        let Settings { handed_over, identity, least, .. } = self.settings;
        Platform { handed_over, identity, cluster: self.cluster, least: *least }
    }

    /// Ready: main may start.
    async fn attend(&mut self, prepared: Prepared, told: Option<Deadline>, terminate: &mut Signal) -> End {
        let names: Vec<_> = prepared.outputs.iter().map(|o| o.name.as_str()).collect();
        info!(step = prepared.step.name, form = prepared.form.as_str(), outputs = ?names, "ready");
        self.tell(&Status::Ready { detail: format!("watching {} outputs", names.len()) });
        let codes = ExitCodes::of(&prepared.step, self.settings);
        let mut ended = None;
        while told.is_none() {
            tokio::select! {
                _ = terminate.recv() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {
                    follow(&prepared.key);
                    count_digested(self.metrics, &prepared.session.stats());
                    if ended.is_none() && let Some(end) = codes.read() {
                        prepared.session.mark_end();
                        ended = Some((end, Instant::now(), Timestamp::now()));
                    }
                }
            }
        }
        prepared.session.mark_end();
        let deadline = told.unwrap_or_else(|| Deadline::after(self.settings.working_time()));
        self.tell(&Status::Finishing);
        // Main can write there while it runs. Its emissary does so after it: what is
        // there now is how it ended, and when it was first there is the last moment
        // at which main may have changed anything.
        let last = codes.await_within(EXIT_CODE_LATE).await;
        let (ended, at, finished_on) = match (ended, last) {
            (Some((first, at, finished_on)), Some(last)) => (Some(last.seen_first(&first)), at, finished_on),
            (_, last) => (last, Instant::now(), Timestamp::now()),
        };
        let end = self.finish(prepared, ended, finished_on, deadline).await;
        self.metrics.set_end_to_done(at.elapsed());
        // Nobody can scrape what was counted last.
        info!(seconds_since_end = at.elapsed().as_secs_f64(), "done");
        end
    }

    async fn finish(
        &mut self,
        prepared: Prepared,
        ended: Option<Ended>,
        finished_on: Timestamp,
        deadline: Deadline,
    ) -> End {
        let Prepared { step, template, form, key, stores, outputs, inputs, before, outcome: place, session } =
            prepared;
        // For the last time: from here on one key signs all that the step leaves.
        follow(&key);
        let signer: &dyn Signer = &key;
        let state = match &ended {
            None => StepState::Unfinished {
                reason: "main left no exit code: it was killed, or the pod is being deleted".into(),
            },
            Some(Ended { codes, .. }) if codes.values().any(|c| *c != 0) => {
                StepState::Failed { exit_codes: codes.clone() }
            }
            Some(_) => StepState::Succeeded,
        };
        let attest = match &state {
            StepState::Succeeded => true,
            StepState::Failed { .. } => self.settings.attest_failed,
            StepState::Unfinished { .. } => false,
        };
        let conclusions: Vec<Conclusion> = if let Some(ended) = ended.filter(|_| attest) {
            let attesting = Attesting { step: &step, template, inputs, form, signer, ended, finished_on };
            self.conclude(attesting, &outputs, &before, session, deadline).await
        } else {
            drop(session);
            outputs.iter().map(|_| not_attempted(&state)).collect()
        };
        let finished = !matches!(state, StepState::Unfinished { .. });
        let outcome = StepOutcome {
            invocation_id: self.settings.identity.invocation_id(),
            identity: &self.settings.identity,
            template: &step.name,
            state,
            outputs: outputs.iter().zip(conclusions).map(|(o, c)| output_outcome(o, c)).collect(),
            builder_id: &self.settings.builder_id,
            finished_on: finished.then_some(finished_on),
        };
        self.report(&outcome, form, signer, place, deadline.extended(KEPT_TO_TELL / 2)).await;
        // The exit code has to leave the process before the grace period is over.
        let last = deadline.extended(KEPT_TO_TELL * 9 / 10);
        self.show(&Notice::of(&outcome), Deadline::after(SHOWING).or_before(last)).await;
        self.metrics.set_store_retries(stores.retries());
        Self::end(&outcome, form)
    }

    async fn conclude(
        &self,
        attesting: Attesting<'_>,
        outputs: &[Planned],
        before: &[Option<Before>],
        session: Session,
        deadline: Deadline,
    ) -> Vec<Conclusion> {
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let sealing = tokio::task::spawn_blocking(move || session.finish(&NoProgress, &stop));
        let sealed = tokio::select! {
            sealed = sealing => sealed.map_err(|e| e.to_string()).and_then(|s| s.map_err(|e| causes(&e))),
            () = deadline.reached() => {
                cancel.cancel();
                Err("there was no time to digest it before the grace period ended".to_owned())
            }
        };
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(reason) => return outputs.iter().map(|_| Conclusion::refused(reason.clone())).collect(),
        };
        let stats = sealed.stats();
        count_digested(self.metrics, &stats);
        let run = attesting.run(self, &stats);
        let provenance = |byproducts| run.provenance(byproducts);
        let concluding = Concluding {
            form: attesting.form,
            signer: attesting.signer,
            ended: attesting.ended.changed,
            deadline,
            provenance: &provenance,
        };
        let artifacts: Vec<_> = sealed.artifacts().collect();
        // Of very many files, the second copy counts.
        drop(sealed);
        let mut artifacts = artifacts.into_iter();
        let each = outputs.iter().zip(before).map(|(output, before)| {
            let sealed: Option<SealedArtifact> = output.way.is_ok().then(|| artifacts.next()).flatten();
            let concluding = &concluding;
            async move {
                match (&output.way, before, sealed) {
                    (Ok(way), Some(before), Some(sealed)) => deadline
                        .within(concluding.conclude(output, way, before, sealed))
                        .await
                        .unwrap_or_else(|_| Conclusion::refused(TOO_LATE)),
                    (Err(reason), ..) => Conclusion::refused(reason.clone()),
                    _ => Conclusion::refused("it was not observed"),
                }
            }
        });
        join_all(each.collect::<Vec<_>>()).await
    }

    fn end(outcome: &StepOutcome<'_>, form: Form) -> End {
        if form == Form::Native || outcome.is_complete() { End::Fine } else { End::NotAttested }
    }

    /// Nothing can be attested: says so and waits to be ended. To end by itself would be
    /// restarted for ever; where main is held, `ready` has the kubelet do that at its own
    /// pace.
    async fn fail(&mut self, form: Form, why: &NotReady, terminate: &mut Signal) -> End {
        let end = self.fail_at_once(form, why).await;
        if form == Form::Native {
            terminate.recv().await;
        }
        end
    }

    async fn fail_at_once(&mut self, form: Form, why: &NotReady) -> End {
        error!(reason = why.reason, help = why.remedy, "nothing can be attested");
        let (reason, remedy) = (why.reason.clone(), Some(why.remedy.clone()));
        let (status, notice) = match why.main {
            Main::Held => (Status::Failed { reason, remedy }, Notice::not_ready(&why.reason, &why.remedy)),
            Main::Runs => {
                (Status::Unattested { reason, remedy }, Notice::not_established(&why.reason, &why.remedy))
            }
        };
        self.tell(&status);
        self.show(&notice, Deadline::after(SHOWING)).await;
        if form == Form::Native { End::Fine } else { End::NotAttested }
    }

    pub(super) fn tell(&mut self, status: &Status) {
        if let Err(error) = self.status.write(status) {
            warn!(%error, file = shown_path(&self.settings.termination_log), "cannot write the termination message");
        }
    }
}

/// What the statements of one step have in common.
struct Attesting<'a> {
    step: &'a Step,
    template: TemplateSource,
    inputs: BTreeMap<String, InputEvidence>,
    form: Form,
    signer: &'a dyn Signer,
    ended: Ended,
    finished_on: Timestamp,
}

impl<'a> Attesting<'a> {
    fn run(&self, sidecar: &'a Sidecar<'_>, stats: &ObservationStats) -> StepRun<'a> {
        let settings = sidecar.settings;
        StepRun {
            step: self.step,
            template: self.template,
            parameters: settings.parameters.as_ref(),
            identity: &settings.identity,
            builder_id: &settings.builder_id,
            started_on: Some(sidecar.started_on),
            finished_on: Some(self.finished_on),
            exit_codes: self.ended.codes.clone(),
            form: self.form.as_str(),
            files_digested: (stats.files_before_end, stats.files_after_end),
            bytes_digested: (stats.bytes_before_end, stats.bytes_after_end),
            input_evidence: self.inputs.clone(),
        }
    }
}

/// Takes the key that the Secret holds now. What cannot be used replaces nothing:
/// a key that was good when the step began is good for what the step leaves.
fn follow(key: &FollowedKey) {
    match key.follow() {
        Followed::Same => {}
        Followed::Replaced { before } => {
            info!(%before, now = %key.public_key().key_id(), "the key was replaced");
        }
        Followed::Kept(error) => warn!(
            error = causes(&error),
            help = error.remedy().unwrap_or_default(),
            kept = %key.public_key().key_id(),
            "the key was replaced by one that cannot be used; the one from before is kept"
        ),
    }
}

fn not_attempted(state: &StepState) -> Conclusion {
    let reason = match state {
        StepState::Unfinished { reason } => reason.clone(),
        StepState::Failed { .. } => "main failed, and what a failed main leaves is not attested".into(),
        StepState::Succeeded => "it was not looked at".into(),
    };
    Conclusion { fate: Fate::Unfinished { reason }, refused: Vec::new() }
}

fn output_outcome(output: &Planned, conclusion: Conclusion) -> OutputOutcome {
    OutputOutcome {
        name: output.name.clone(),
        path: output.declared_path.clone(),
        fate: conclusion.fate,
        refused: conclusion.refused,
    }
}
