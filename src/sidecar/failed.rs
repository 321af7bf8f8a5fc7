//! Failed: nothing of the step can be attested, and why.

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble;
use tracing::error;

use super::life::End;
use super::settings::{Form, IfNotReady, Unusable};
use super::signals::Told;
use super::status::Status;
use super::surroundings::Surroundings;
use crate::cluster::Notice;
use crate::template::Unestablished;

/// Why something cannot be attested, as far as that is found out before main starts.
#[derive(Debug, Clone)]
pub(super) struct NotReady {
    pub(super) reason: String,
    pub(super) remedy: String,
    cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A setting of the deployment, a key, a store.
    Deployment,
    /// What the step is cannot be established.
    Template,
}

impl NotReady {
    pub(super) fn held(reason: String, remedy: String) -> Self {
        Self { reason, remedy, cause: Cause::Deployment }
    }

    pub(super) fn from_setting(unusable: &Unusable) -> Self {
        Self::held(unusable.reason.clone(), unusable.remedy.clone())
    }

    /// What the pod is told.
    pub(super) fn notice(&self) -> Notice {
        match self.cause {
            Cause::Deployment => Notice::not_ready(&self.reason, &self.remedy),
            Cause::Template => Notice::not_established(&self.reason, &self.remedy),
        }
    }

    pub(super) fn log(&self, what: &str) {
        error!(reason = self.reason, help = self.remedy, "{what}");
    }
}

impl<T: Trouble> From<&T> for NotReady {
    fn from(trouble: &T) -> Self {
        Self::held(causes(trouble), trouble.remedy().unwrap_or_default())
    }
}

pub(super) fn not_ready(error: &dyn std::error::Error, remedy: &str) -> NotReady {
    NotReady::held(causes(error), remedy.into())
}

pub(super) fn not_established(error: &Unestablished) -> NotReady {
    NotReady { reason: causes(error), remedy: error.remedy().unwrap_or_default(), cause: Cause::Template }
}

/// The state.
pub(super) struct Failed<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) form: Form,
    pub(super) why: NotReady,
    /// Whether SIGTERM came before.
    pub(super) told: Option<Told>,
}

impl Failed<'_> {
    /// Says so and waits to be ended: to end by itself would be restarted for ever, and main
    /// would be held meanwhile.
    pub(super) async fn rest(self) -> End {
        let Self { here, form, why, told } = self;
        why.log("nothing can be attested");
        let (reason, remedy) = (why.reason.clone(), Some(why.remedy.clone()));
        here.tell(&match here.settings.if_not_ready {
            IfNotReady::Run => Status::Unattested { reason, remedy },
            IfNotReady::Fail => Status::Failed { reason, remedy },
        });
        here.metrics.set_not_ready();
        here.show(&why.notice(), told.map(|told| here.grace(told).to_end())).await;
        match form {
            Form::Native => {
                if told.is_none() {
                    here.told().await;
                }
                End::Fine
            }
            Form::Plain => End::NotAttested,
        }
    }
}
