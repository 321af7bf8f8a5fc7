//! Ready: main may start, and runs. What it writes is digested as it is closed.

use tracing::info;

use super::ending::{ExitCodes, LOOK_EVERY, MainEnd};
use super::finishing::Finishing;
use super::key::follow;
use super::observing::Watched;
use super::preparation::Prepared;
use super::status::Status;
use super::surroundings::Surroundings;
use super::telling::count_digested;

/// The state. Nothing that main writes is missed.
pub(super) struct Ready<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) prepared: Prepared,
    pub(super) watched: Watched,
}

impl<'a> Ready<'a> {
    /// Watches until SIGTERM comes.
    pub(super) async fn watch(self) -> Finishing<'a> {
        let Self { here, prepared, watched } = self;
        let names: Vec<_> = prepared.outputs.iter().map(|o| o.name.as_str()).collect();
        info!(step = prepared.step.name, form = prepared.form.as_str(), outputs = ?names, "ready");
        here.tell(&Status::Ready { detail: format!("watching {} outputs", names.len()) });
        let codes = ExitCodes::of(&prepared.step, here.settings);
        let mut first = None;
        let told = loop {
            tokio::select! {
                told = here.told() => break told,
                () = tokio::time::sleep(LOOK_EVERY) => {
                    follow(&prepared.key);
                    count_digested(here.metrics, &watched.observing.stats());
                    if first.is_none() && let Some(end) = codes.read() {
                        watched.observing.mark_end();
                        first = Some(MainEnd::seen(Some(end)));
                    }
                }
            }
        };
        Finishing { here, prepared, watched: Ok(watched), grace: here.grace(told), first }
    }
}
