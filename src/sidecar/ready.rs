//! Ready: main may start, and runs. What it writes is digested as it is closed.
//!
//! Main is not held for ever: what is not ready by now is told to everybody, and tried again
//! when main has ended.

use tracing::info;

use super::ending::{ExitCodes, LOOK_EVERY, MainEnd};
use super::failed::NotReady;
use super::finishing::Finishing;
use super::key::follow;
use super::observing::{Unobserved, Watched};
use super::preparation::Prepared;
use super::status::Status;
use super::surroundings::Surroundings;
use super::telling::count_digested;

/// The state. Nothing that main writes is missed.
pub(super) struct Ready<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) prepared: Prepared,
    /// Or why no output can be attested.
    pub(super) watched: Result<Watched, Unobserved>,
}

impl<'a> Ready<'a> {
    /// Watches until SIGTERM comes.
    pub(super) async fn watch(self) -> Finishing<'a> {
        let Self { here, prepared, watched } = self;
        let names: Vec<_> = prepared.outputs.iter().map(|o| o.name.as_str()).collect();
        if let Some(why) = prepared.troubles.first() {
            tell_not_ready(here, why).await;
        } else {
            info!(step = prepared.step.name, form = prepared.form.as_str(), outputs = ?names, "ready");
            here.tell(&Status::Ready { detail: format!("watching {} outputs", names.len()) });
        }
        let observing = watched.as_ref().ok().map(|watched| &watched.observing);
        let codes = ExitCodes::of(&prepared.step, here.settings);
        let mut first = None;
        let told = loop {
            tokio::select! {
                told = here.told() => break told,
                () = tokio::time::sleep(LOOK_EVERY) => {
                    follow(&prepared.key);
                    if let Some(observing) = observing {
                        count_digested(here.metrics, &observing.stats());
                    }
                    if first.is_none() && let Some(end) = codes.read() {
                        observing.inspect(|observing| observing.mark_end());
                        first = Some(MainEnd::seen(Some(end)));
                    }
                }
            }
        };
        Finishing { here, prepared, watched, grace: here.grace(told), first }
    }
}

/// Main first, then the pod.
async fn tell_not_ready(here: &Surroundings<'_>, why: &NotReady) {
    here.tell(&Status::Unready { reason: why.reason.clone(), remedy: Some(why.remedy.clone()) });
    here.metrics.set_not_ready();
    here.show(&why.notice(), None).await;
}
