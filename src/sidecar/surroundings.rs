//! What every state of the sidecar's life has around it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::Source;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use jiff::Timestamp;
use tokio::join;
use tracing::{debug, warn};

use super::grace::{Deadline, Grace};
use super::settings::{Form, Settings};
use super::signals::{Signals, Told};
use super::status::{Status, StatusFile};
use crate::cluster::{Lookup, Notice, Pod};
use crate::store::Env;
use crate::telemetry::Metrics;
use crate::template::Platform;

/// How long it may take to tell the pod. An API server that can be reached needs
/// a few hundredths of that.
const SHOWING: Duration = Duration::from_millis(1500);
/// How long it may take to send spans.
const SENDING: Duration = Duration::from_secs(1);

pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a Settings,
    pub(super) environment: &'a dyn Env,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) cluster: Option<&'a dyn Lookup>,
    pub(super) pod: Option<&'a dyn Pod>,
    pub(super) signals: Signals,
    pub(super) status: StatusFile,
    /// The same for a check in another container, which fails the step.
    pub(super) shared: Option<StatusFile>,
    pub(super) started_on: Timestamp,
    /// What is being waited for, in a few words.
    pub(super) waits_for: Cell<&'static str>,
}

impl Surroundings<'_> {
    /// Waits for SIGTERM.
    pub(super) async fn told(&self) -> Told {
        self.signals.told().await
    }

    /// Whether SIGTERM has come.
    pub(super) fn is_told(&self) -> bool {
        self.signals.is_told()
    }

    /// How long may be waited for who takes spans: a moment, and no longer than the grace period lasts.
    pub(super) async fn time_to_send(&self) -> Duration {
        if !self.is_told() {
            return SENDING;
        }
        self.grace(self.told().await).to_end().left().min(SENDING)
    }

    /// The time there is from then on.
    pub(super) fn grace(&self, told: Told) -> Grace {
        Grace::since(told, self.settings.grace)
    }

    pub(super) fn form(&self, source: Option<Source>) -> Form {
        // Argo gives ARGO_TEMPLATE to init containers only.
        self.settings.form.unwrap_or_else(|| match source {
            Some(Source::Env | Source::Offloaded) => Form::Native,
            None if self.environment.var("ARGO_TEMPLATE").is_some() => Form::Native,
            Some(Source::TemplateFile) | None => Form::Plain,
        })
    }

    pub(super) fn platform(&self) -> Platform<'_> {
        let Settings { handed_over, identity, least, .. } = self.settings;
        Platform { handed_over, identity, cluster: self.cluster, least: *least }
    }

    /// What is being waited for, in a few words.
    pub(super) fn waits_for(&self) -> &'static str {
        self.waits_for.get()
    }

    /// Writes the termination message, and what a check reads.
    pub(super) fn tell(&self, status: &Status) {
        for file in [Some(&self.status), self.shared.as_ref()].into_iter().flatten() {
            if let Err(error) = file.write(status) {
                warn!(%error, file = shown_path(file.path()), "cannot write what the sidecar does");
            }
        }
    }

    /// Annotates the pod and adds an event. That it may not is usual, and nothing
    /// hangs on it: nobody is told but who looks for it. `last`: when it has to be over.
    pub(super) async fn show(&self, notice: &Notice, last: Option<Deadline>) {
        let Some(pod) = self.pod else { return };
        let deadline = Deadline::after(SHOWING);
        let deadline = last.map_or(deadline, |last| deadline.or_before(last));
        let telling = async { join!(pod.annotate(&notice.annotations), pod.record(&notice.event)) };
        match deadline.within(telling).await {
            Ok((Ok(()), Ok(()))) => debug!("the pod is annotated"),
            Ok((annotated, recorded)) => {
                let trouble = |result: Result<(), _>| result.err().map(|error| causes(&error));
                debug!(annotation = trouble(annotated), event = trouble(recorded), "the pod was not told");
            }
            Err(_) => debug!("the pod was not told in time"),
        }
    }
}
