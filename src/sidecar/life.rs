//! The sidecar's life: which state follows which.
//!
//! Each state owns what is there in it, and ends by becoming the next: nothing that has
//! ended can be asked again, and nothing is concluded that was not watched.

use std::cell::Cell;
use std::sync::Arc;

use argo_attest_core::contract::place;
use jiff::Timestamp;

use super::finishing::Finishing;
use super::holding::held;
use super::settings::{IfNotReady, Settings};
use super::signals::Signals;
use super::starting::{Start, Starting};
use super::status::{Status, StatusFile};
use super::surroundings::Surroundings;
use crate::cluster::{Lookup, Pod};
use crate::store::Env;
use crate::telemetry::{Metrics, Tracer};

/// How the sidecar ended, for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing to say against the step; always so in the native form.
    Fine,
    /// Something that should be attested is not.
    NotAttested,
}

/// Lives the step through. `environment` is where the template's variable and
/// the stores' credentials come from; `cluster`, where there is one to be asked what
/// the step is, and to be told what became of it.
pub async fn run<C: Lookup + Pod>(
    settings: &Settings,
    environment: &dyn Env,
    metrics: &Arc<Metrics>,
    cluster: Option<&C>,
    signals: Signals,
) -> End {
    let here = Surroundings {
        settings,
        environment,
        metrics,
        cluster: cluster.map(|cluster| cluster as &dyn Lookup),
        pod: cluster.map(|cluster| cluster as &dyn Pod),
        signals,
        status: StatusFile::new(&settings.termination_log),
        shared: (settings.if_not_ready == IfNotReady::Fail)
            .then(|| StatusFile::new(settings.evidence.join(place::STATE_NAME))),
        started_on: Timestamp::now(),
        waits_for: Cell::new("the step's template"),
    };
    here.tell(&Status::Starting);
    let tracer = &settings.tracer;
    let starting = Box::pin(Starting::new(&here).start());
    let start = tracer.span("start").around(held(&here, starting)).await;
    let end = match start {
        Start::Ready(ready) => {
            let finishing = tracer.span("watch").around(ready.watch()).await;
            finish(tracer, finishing).await
        }
        // Main ended before the watches were armed.
        Start::Finishing(finishing) => finish(tracer, finishing).await,
        Start::Idle(idle) => {
            tracer.say("argo_attest.state", "idle");
            idle.rest().await
        }
        Start::Failed(failed) => {
            tracer.fail(&failed.why.reason);
            failed.rest().await
        }
    };
    tracer.send(here.time_to_send().await).await;
    end
}

async fn finish(tracer: &Tracer, finishing: Finishing<'_>) -> End {
    tracer.span("finish").around(async { finishing.conclude().await.tell().await }).await
}
