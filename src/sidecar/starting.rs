//! Starting: what the step is, and everything that can be found out before main starts.

use std::collections::BTreeMap;

use argo_attest_core::argo::{TemplateError, TemplateText};

use super::earlier::{self, Before};
use super::ending::ExitCodes;
use super::failed::{Failed, NotReady, not_established};
use super::finishing::Finishing;
use super::idle::Idle;
use super::images::Looked;
use super::observing::{Arming, Observing, Unobserved, Watched};
use super::preparation::Prepared;
use super::ready::Ready;
use super::settings::{Form, IfNotReady};
use super::signals::Told;
use super::started;
use super::surroundings::Surroundings;
use crate::template::{Claim, HostFiles};

/// The first state. Main is held, where it can be.
pub(super) struct Starting<'a> {
    here: &'a Surroundings<'a>,
}

/// What becomes of starting.
pub(super) enum Start<'a> {
    /// Main may start: nothing that it writes from now on is missed.
    Ready(Ready<'a>),
    /// Main may start: there is nothing to attest.
    Idle(Idle<'a>),
    /// Nothing can be attested.
    Failed(Failed<'a>),
    /// A short main has ended before all was ready.
    Finishing(Finishing<'a>),
}

impl<'a> Starting<'a> {
    pub(super) fn new(here: &'a Surroundings<'a>) -> Self {
        Self { here }
    }

    /// Finds out what the step is, and gets ready for it if it asks.
    pub(super) async fn start(self) -> Start<'a> {
        let here = self.here;
        let failed = |form, why| Start::Failed(Failed { here, form, why, told: None });
        let text = match TemplateText::find(here.environment.var("ARGO_TEMPLATE").as_deref(), &HostFiles) {
            Ok(text) => text,
            Err(error @ (TemplateError::Absent | TemplateError::Read { .. })) => {
                return failed(here.form(None), NotReady::from(&error));
            }
            Err(error) => return failed(here.form(None), not_established(&error.into())),
        };
        let form = here.form(Some(text.source()));
        let claim = match Claim::read(&text, &here.settings.handed_over) {
            Ok(claim) => claim,
            Err(error) => return failed(form, not_established(&error)),
        };
        if let Some(reason) = self.idle_reason(&claim) {
            return Start::Idle(Idle { here, step: claim.step().name.clone(), reason });
        }
        if let Some(refused) = &here.settings.refused {
            return failed(form, NotReady::from_setting(refused));
        }
        self.prepare(claim, form).await
    }

    fn idle_reason(&self, claim: &Claim<'_>) -> Option<&'static str> {
        if !claim.step().kind.runs_containers() {
            return Some("a template of this kind runs no main container");
        }
        if !self.here.settings.all && !claim.asked().attest {
            return Some("the template does not ask for it (annotation argo-attest.io/attest: \"true\")");
        }
        None
    }

    /// A short main may have ended before all is prepared: then the time that is
    /// left is counted from there, and what is prepared by then is what there is.
    async fn prepare(self, claim: Claim<'_>, form: Form) -> Start<'a> {
        let Self { here } = self;
        let failed = |why, told| Start::Failed(Failed { here, form, why, told });
        let (prepared, told) = unless_too_late(here, Prepared::new(here, claim, form)).await;
        let mut prepared = match prepared {
            Some(Ok(prepared)) => prepared,
            Some(Err(why)) => return failed(why, told),
            None => return failed(out_of_time(), told),
        };
        here.waits_for.set("the object store, or a first look at main's volumes,");
        let readying = async { tokio::join!(arm(here, &prepared), look_and_record(here, &prepared)) };
        let (readied, later) = unless_too_late(here, readying).await;
        let told = told.or(later);
        let (watched, amiss) = match readied {
            Some((Ok(observing), (before, looked, amiss))) => {
                prepared.images.looked(looked);
                (Ok(Watched { observing, before }), amiss)
            }
            Some((Err(why), (_, looked, mut amiss))) => {
                prepared.images.looked(looked);
                let watched = Err(Unobserved::Failed(why.reason.clone()));
                amiss.insert(0, why);
                (watched, amiss)
            }
            None => (Err(Unobserved::TimeUp), Vec::new()),
        };
        prepared.troubles.extend(amiss);
        prepared.troubles.iter().for_each(|why| why.log("not all is ready"));
        match (told, prepared.troubles.first()) {
            (None, Some(why)) if form == Form::Native && here.settings.if_not_ready == IfNotReady::Fail => {
                failed(why.clone(), None)
            }
            (None, _) => Start::Ready(Ready { here, prepared, watched }),
            // Main has ended already. The outcome says what became of its outputs: it can be
            // signed, and stored where another store answers.
            (Some(told), _) => {
                let grace = here.grace(told);
                Start::Finishing(Finishing { here, prepared, watched, grace, first: None })
            }
        }
    }
}

/// Arms the watches, unless nothing could be attested anyway.
async fn arm(here: &Surroundings<'_>, prepared: &Prepared) -> Result<Observing, NotReady> {
    if let Some(why) = &prepared.hindrance {
        return Err(why.clone());
    }
    let ended = async {
        here.told().await;
    };
    Arming::begin(&prepared.outputs).armed(ended).await
}

/// Asks the stores and registries what they hold, and leaves word that the step starts; and what was amiss.
async fn look_and_record(
    here: &Surroundings<'_>,
    prepared: &Prepared,
) -> (BTreeMap<usize, Before>, Looked, Vec<NotReady>) {
    let asking = earlier::ask(prepared, prepared.form);
    let codes = ExitCodes::of(&prepared.step, here.settings);
    let looking = prepared.images.look(|| codes.read().is_some() || here.is_told());
    let ((before, mut amiss), (looked, images), recorded) =
        tokio::join!(asking, looking, started::record(here, prepared));
    amiss.extend(images);
    amiss.extend(recorded.err());
    (before, looked, amiss)
}

/// What the work gives, and whether SIGTERM came meanwhile. Nothing if the time to work
/// was up before.
async fn unless_too_late<T>(
    here: &Surroundings<'_>,
    work: impl Future<Output = T>,
) -> (Option<T>, Option<Told>) {
    let mut work = std::pin::pin!(work);
    let told = tokio::select! {
        done = &mut work => return (Some(done), None),
        told = here.told() => told,
    };
    (here.grace(told).to_work().within(work).await.ok(), Some(told))
}

fn out_of_time() -> NotReady {
    NotReady::held(
        "main ended, and the time was up, before this was ready".into(),
        "see whether the object store answers".into(),
    )
}
