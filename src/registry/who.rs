//! Who we are to a registry, found out when it asks: Docker's configuration as it is then, a
//! program that it names, AWS's credentials.

use argo_attest_core::image::Registry;
use argo_attest_core::trouble::Trouble as _;

use super::ecr::{Ecr, EcrHost};
use super::error::{Advice, NoLogin};
use super::helper::HelperError;
use super::login::{Login, LoginError, Logins, Places};
use crate::credential_program::ProgramError;
use crate::environment::Env;
use crate::service::ServiceError;

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// A person's at a command line: programs that give logins are run.
    CommandLine,
    /// A pod's: what is mounted counts, and no program is run.
    Pod,
}

/// Who we are, to whichever registry.
#[derive(Debug)]
pub(super) struct Who {
    at: Where,
    places: Places,
    /// `None` where nobody speaks TLS: no password of ECR's is shown there.
    ecr: Option<Ecr>,
}

impl Who {
    /// What Docker's configuration says is read here for the first time, so that one that cannot
    /// be used is told at once.
    pub(super) fn new(env: &dyn Env, at: Where, plain: bool) -> Result<Self, LoginError> {
        let places = match at {
            Where::CommandLine => Places::from_env(env),
            Where::Pod => Places::in_pod(env),
        };
        places.read()?;
        let ecr = (!plain).then(|| Ecr::new(env, at == Where::CommandLine));
        Ok(Self { at, places, ecr })
    }

    /// Logins as they are now: Secrets are replaced while we run. What is just being written
    /// anew is not there for a moment, as good as no login.
    fn logins(&self) -> Logins {
        self.places.read().unwrap_or_default()
    }

    /// Whether the configuration names a registry: then it is one of the user's.
    pub(super) fn knows(&self, registry: &Registry) -> bool {
        self.logins().has(registry)
    }

    /// The login for a registry, in Docker's order: of the program that is named for it, of the
    /// program that is named for all, of the file itself; of Amazon's, AWS's.
    pub(super) async fn login(&self, registry: &Registry) -> Result<Option<Login>, NoLogin> {
        let logins = self.logins();
        let own = logins.of_registry(registry).cloned();
        let of_ecr = self.ecr.as_ref().zip(EcrHost::of(registry));
        match logins.helper(registry) {
            Some(helper) if helper.is_of_ecr() && of_ecr.is_some() => {}
            Some(helper) if self.at == Where::CommandLine => match (helper.login(registry).await, own) {
                (Ok(Some(login)), _) | (_, Some(login)) => return Ok(Some(login)),
                (Ok(None), None) => {}
                (Err(error), None) => return Err(NoLogin::of_helper(helper.program(), error)),
            },
            _ if own.is_some() => return Ok(own),
            _ => {}
        }
        match of_ecr {
            Some((ecr, host)) => ecr.login(registry, &host).await.map(Some).map_err(NoLogin::of_ecr),
            None => Ok(None),
        }
    }

    /// Forgets what a registry did not take any more.
    pub(super) async fn refused(&self, registry: &Registry) {
        if let Some(ecr) = &self.ecr {
            ecr.refused(registry).await;
        }
    }

    /// What to do about a registry that denies something.
    pub(super) fn advice(&self, registry: &Registry) -> Advice {
        let logins = self.logins();
        match logins.helper(registry) {
            _ if EcrHost::of(registry).is_some() => Advice::Grant,
            Some(_) if self.at == Where::Pod && logins.of_registry(registry).is_none() => Advice::NotRun,
            _ => Advice::LogIn,
        }
    }
}

impl NoLogin {
    fn of_helper(program: String, error: HelperError) -> Self {
        let remedy = match &error {
            HelperError::Program(ProgramError::Missing | ProgramError::Start(_)) => {
                format!("install {program}, or name no helper for this registry in Docker's configuration")
            }
            HelperError::Program(ProgramError::Late(_) | ProgramError::Failed(_)) => {
                format!("see what {program} says, and whether it has to be signed in to")
            }
            HelperError::Program(ProgramError::TooLong(_)) | HelperError::Nonsense => {
                format!("see whether {program} is Docker's helper")
            }
        };
        Self { by: program, source: error.into(), remedy, is_passing: false }
    }

    fn of_ecr(error: ServiceError) -> Self {
        Self {
            by: "Amazon ECR".to_owned(),
            remedy: error.remedy().unwrap_or_default(),
            is_passing: error.is_passing(),
            source: error.into(),
        }
    }
}
