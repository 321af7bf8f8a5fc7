//! Keeps the credentials that requests are signed with, and renews them.

use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::config::Reach;
use super::credentials::{Credentials, read_files, static_keys};
use super::fault::Fault;
use super::profile::SignIn;
use super::settings::ConfigError;
use super::sts::Sts;

/// A session is renewed this long before its end, so that no request that is
/// on its way outlives it.
const MARGIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Identity {
    source: Credentials,
    sts: Option<Sts>,
    profile: Option<SignIn>,
    /// Who takes a role.
    base: Option<Arc<Self>>,
    /// How long an answer of whoever gives credentials may take.
    limit: Duration,
    // Only one task asks for credentials at a time; the others wait for its answer.
    renewal: Mutex<()>,
    current: StdMutex<Option<Keys>>,
}

impl Identity {
    pub(super) fn of(source: &Credentials, reach: &Reach, region: &str) -> Result<Self, ConfigError> {
        let (mut sts, mut base, mut profile) = (None, None, None);
        let mut limit = reach.limits.sign_in.min(reach.limits.attempt);
        match source {
            Credentials::WebIdentity(web) => {
                sts = Some(Sts::new(reach, region, web.endpoint.as_ref(), &web.trust, None)?);
            }
            Credentials::Role(role) => {
                let who = Arc::new(Self::of(&role.base, reach, region)?);
                let provider = SharedCredentialsProvider::new(Current(Arc::clone(&who)));
                sts = Some(Sts::new(reach, region, role.endpoint.as_ref(), &role.trust, Some(provider))?);
                base = Some(who);
            }
            Credentials::Profile(who) => {
                profile = Some(SignIn::new(who, reach, region)?);
                // It may ask several, each of whom has that long, and a process, which may ask a person.
                limit = reach.limits.total;
            }
            _ => {}
        }
        Ok(Self {
            source: source.clone(),
            sts,
            profile,
            base,
            limit,
            renewal: Mutex::new(()),
            current: StdMutex::new(None),
        })
    }

    pub(super) fn is_anonymous(&self) -> bool {
        matches!(self.source, Credentials::Anonymous)
    }

    /// Makes sure that the next request has credentials to be signed with. What fails is
    /// a fault of whoever gives them, not of the store.
    pub(super) fn ready(&self) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(async {
            if self.is_anonymous() || self.fresh().is_some() {
                return Ok(());
            }
            if let Some(base) = &self.base {
                base.ready().await?;
            }
            let _one_at_a_time = self.renewal.lock().await;
            if self.fresh().is_some() {
                return Ok(());
            }
            let late = || Fault::timed_out("no answer within the deadline");
            let keys = timeout(self.limit, self.fetch()).await.unwrap_or_else(|_| Err(late()));
            let keys = keys.map_err(|fault| fault.of_sign_in(|| self.server()))?;
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
            Ok(())
        })
    }

    async fn fetch(&self) -> Result<Keys, Fault> {
        let none = || Fault::Settings(ConfigError::NoCredentials);
        match &self.source {
            Credentials::Anonymous => Err(none()),
            Credentials::Static(pair) => Ok(static_keys(pair)),
            Credentials::Files { access_key_id, secret_access_key, session_token } => {
                read_files(access_key_id, secret_access_key, session_token.as_deref())
                    .map_err(Fault::Settings)
            }
            Credentials::WebIdentity(web) => self.sts.as_ref().ok_or_else(none)?.web_identity(web).await,
            Credentials::Role(role) => self.sts.as_ref().ok_or_else(none)?.role(role).await,
            Credentials::Profile(_) => self.profile.as_ref().ok_or_else(none)?.fetch().await,
            Credentials::Container(container) => container.fetch().await,
            Credentials::Instance(instance) => instance.fetch().await,
        }
    }

    /// Who gives the credentials, for people.
    fn server(&self) -> String {
        match (&self.sts, &self.source) {
            (Some(sts), _) => sts.name().to_owned(),
            (None, Credentials::Container(container)) => container.name(),
            (None, Credentials::Profile(profile)) => format!("the profile {}", profile.name()),
            (None, _) => "who gives the credentials".to_owned(),
        }
    }

    /// Forgets credentials that the store does not take any more. `false` if
    /// there will never be others.
    pub(super) fn renew(&self) -> bool {
        match self.source {
            Credentials::Anonymous | Credentials::Static(_) => false,
            _ => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
                true
            }
        }
    }

    /// What [`Self::ready`] fetched last.
    pub(super) fn current(&self) -> Option<Keys> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was fetched last, if it is still good.
    pub(super) fn keys(&self) -> Option<Keys> {
        self.fresh()
    }

    fn fresh(&self) -> Option<Keys> {
        self.current().filter(|keys| keys.expiry().is_none_or(|end| SystemTime::now() + MARGIN < end))
    }
}

/// What the SDK signs with: whatever [`Identity::ready`] fetched last.
#[derive(Debug)]
pub(super) struct Current(pub(super) Arc<Identity>);

impl ProvideCredentials for Current {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(
            self.0.current().ok_or_else(|| CredentialsError::not_loaded("no credentials were fetched yet")),
        )
    }
}
