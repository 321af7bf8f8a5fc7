//! Failed: nothing of the step can be attested, and why.

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble;
use tracing::error;

use super::life::End;
use super::settings::Form;
use super::signals::Told;
use super::status::Status;
use super::surroundings::Surroundings;
use crate::cluster::Notice;
use crate::template::Unestablished;

/// Why nothing can be attested.
pub(super) struct NotReady {
    pub(super) reason: String,
    pub(super) remedy: String,
    pub(super) main: Main,
}

/// What becomes of main, in the native form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Main {
    /// It does not start: a setting of the deployment has to be mended.
    Held,
    /// It starts, unattested: whoever gave a parameter must not be able to hold it.
    Runs,
}

impl NotReady {
    pub(super) fn held(reason: String, remedy: String) -> Self {
        Self { reason, remedy, main: Main::Held }
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
    NotReady { reason: causes(error), remedy: error.remedy().unwrap_or_default(), main: Main::Runs }
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
    /// Says so and waits to be ended. To end by itself would be restarted for ever;
    /// where main is held, `ready` has the kubelet do that at its own pace.
    pub(super) async fn rest(self) -> End {
        let Self { here, form, why, told } = self;
        error!(reason = why.reason, help = why.remedy, "nothing can be attested");
        let (reason, remedy) = (why.reason.clone(), Some(why.remedy.clone()));
        let (status, notice) = match why.main {
            Main::Held => (Status::Failed { reason, remedy }, Notice::not_ready(&why.reason, &why.remedy)),
            Main::Runs => {
                (Status::Unattested { reason, remedy }, Notice::not_established(&why.reason, &why.remedy))
            }
        };
        here.tell(&status);
        here.show(&notice, told.map(|told| here.grace(told).to_end())).await;
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
