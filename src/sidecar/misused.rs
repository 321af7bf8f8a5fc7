//! A sidecar whose command line makes no sense. It does nothing; but to end would have the
//! kubelet start it again and again, and main never.

use std::path::PathBuf;

use argo_attest_core::secret::shown_path;
use tracing::{error, warn};

use super::life::End;
use super::settings::Form;
use super::signals::Signals;
use super::status::{Status, StatusFile};

/// All that is to be known of it.
#[derive(Debug)]
pub struct Misused {
    /// What makes no sense.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// The termination message's file.
    pub termination_log: PathBuf,
    /// Where a check reads that the step is to fail, if that was asked for.
    pub shared: Option<PathBuf>,
    /// How the container was put into the pod.
    pub form: Form,
}

impl Misused {
    /// Says so. The native form waits to be ended, and main runs unattested.
    pub async fn rest(self, signals: Signals) -> End {
        let Self { reason, remedy, termination_log, shared, form } = self;
        error!(reason, help = remedy, "the sidecar cannot be started like this: nothing can be attested");
        let failed = shared.is_some();
        for file in [Some(termination_log), shared].into_iter().flatten() {
            let (reason, remedy) = (reason.clone(), Some(remedy.clone()));
            let status = if failed {
                Status::Failed { reason, remedy }
            } else {
                Status::Unattested { reason, remedy }
            };
            if let Err(error) = StatusFile::new(&file).write(&status) {
                warn!(%error, file = shown_path(&file), "cannot write what the sidecar does");
            }
        }
        match form {
            Form::Native => {
                signals.told().await;
                End::Fine
            }
            Form::Plain => End::NotAttested,
        }
    }
}
