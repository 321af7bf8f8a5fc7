//! All who are asked about one signature, and what their silence costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use argo_attest_core::bundle::{Bundle, Evidence};
use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::PublicKey;
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::proof::asking::{self, Fresh, Issued, Vouched};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::{Fault, Trouble as _};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::error::WitnessError;
use super::port::Witness;
use super::settings::OnFailure;
use crate::telemetry::{self, traced};

/// How long somebody is waited for who was silent before, where the attestation is there without: a step of many
/// outputs is to lose its time once, not with each of them.
const SHORT: Duration = Duration::from_secs(1);

/// Those who are asked.
#[derive(Debug, Default)]
pub struct Witnesses {
    all: Vec<Asked>,
    root: Option<Arc<TrustedRoot>>,
    on_failure: OnFailure,
}

/// One of them.
#[derive(Debug)]
struct Asked {
    witness: Box<dyn Witness>,
    /// Whether it did not answer once.
    was_silent: AtomicBool,
}

/// A bundle with what was vouched for.
#[derive(Debug)]
pub struct Given {
    /// The bundle.
    pub bundle: Bundle,
    /// Why somebody who was asked did not vouch: one line each, printable.
    pub missing: Vec<String>,
}

impl Witnesses {
    /// Nobody is asked.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// All of these are asked, and judged by this root.
    pub fn new(all: Vec<Box<dyn Witness>>, root: Option<Arc<TrustedRoot>>, on_failure: OnFailure) -> Self {
        let asked = |witness| Asked { witness, was_silent: AtomicBool::new(false) };
        Self { all: all.into_iter().map(asked).collect(), root, on_failure }
    }

    /// Asks all of them at the same time, no longer than `until`, and who was silent before and is only told of no
    /// longer than a second, about the signature of an envelope that this key just made.
    ///
    /// Errors: [`WitnessError`], the first, unless they are only told of.
    pub async fn vouch(
        &self,
        envelope: Envelope,
        key: &PublicKey,
        until: Option<Instant>,
    ) -> Result<Given, WitnessError> {
        if self.all.is_empty() {
            let bundle = Bundle::new(envelope).map_err(|e| unfit(&e))?;
            return Ok(Given { bundle, missing: Vec::new() });
        }
        let fresh = Fresh::new(&envelope, key, Timestamp::now()).map_err(|e| unfit(&e))?;
        let (evidence, missing) = self.heard(&fresh, until).await?;
        let bundle = asking::bundle(envelope, evidence).map_err(|e| unfit(&e))?;
        Ok(Given { bundle, missing })
    }

    /// The same of a signature by a key that counts by this certificate: what others say has to prove that it held
    /// when it was signed with, whatever becomes of who is silent otherwise. So nobody's silence makes the next wait
    /// for them a short one.
    ///
    /// Errors: [`WitnessError`].
    pub async fn vouch_certified(
        &self,
        envelope: Envelope,
        certificate: &Issued,
        until: Option<Instant>,
    ) -> Result<Given, WitnessError> {
        let fresh = Fresh::certified(&envelope, certificate, Timestamp::now()).map_err(|e| unfit(&e))?;
        let (evidence, missing) = self.heard(&fresh, until).await?;
        let bundle = asking::bundle(envelope, evidence).map_err(|e| unfit(&e))?;
        Ok(Given { bundle, missing })
    }

    /// What all of them say together, and why somebody does not.
    async fn heard(
        &self,
        fresh: &Fresh<'_>,
        until: Option<Instant>,
    ) -> Result<(Evidence, Vec<String>), WitnessError> {
        let asked = self.all.iter().map(|asked| {
            traced("vouch", async {
                telemetry::say("argo_attest.witness", asked.witness.name());
                self.one(asked, fresh, until).await
            })
        });
        let (mut vouched, mut missing, mut first) = (Vec::new(), Vec::new(), None);
        for answer in join_all(asked).await {
            match (answer, self.on_failure) {
                (Ok(word), _) => vouched.push(word),
                (Err(error), OnFailure::Fail) => return Err(error),
                (Err(error), OnFailure::Warn) => {
                    missing.push(causes(&error));
                    first.get_or_insert(error);
                }
            }
        }
        let evidence = match (self.together(fresh, vouched), self.on_failure) {
            (Ok(evidence), _) => evidence,
            (Err(error), OnFailure::Fail) => return Err(error),
            // Without any of it the certificate proves nothing; who was silent is why.
            (Err(error), OnFailure::Warn) if fresh.certificate().is_some() => {
                return Err(first.unwrap_or(error));
            }
            (Err(error), OnFailure::Warn) => {
                missing.push(causes(&error));
                self.together(fresh, Vec::new())?
            }
        };
        Ok((evidence, missing))
    }

    /// What all of them say, as a whole.
    fn together(&self, fresh: &Fresh<'_>, vouched: Vec<Vouched>) -> Result<Evidence, WitnessError> {
        let who = || "those who were asked".to_owned();
        let evidence = fresh.evidence(vouched, self.root.as_deref(), Timestamp::now());
        evidence.map_err(|source| WitnessError::Unbelieved { who: who(), source })
    }

    async fn one(
        &self,
        Asked { witness, was_silent }: &Asked,
        fresh: &Fresh<'_>,
        until: Option<Instant>,
    ) -> Result<Vouched, WitnessError> {
        let who = || witness.name().to_owned();
        // Without their word a certificate is worth nothing, and there is no attestation to be had sooner.
        let is_dispensable = self.on_failure == OnFailure::Warn && fresh.certificate().is_none();
        let until = if is_dispensable && was_silent.load(Ordering::Relaxed) {
            let soon = Instant::now() + SHORT;
            Some(until.map_or(soon, |until| until.min(soon)))
        } else {
            until
        };
        let asking = witness.ask(fresh, until);
        let word = match until {
            Some(until) => {
                timeout_at(until, asking).await.unwrap_or_else(|_| Err(WitnessError::Late { who: who() }))
            }
            None => asking.await,
        };
        if word.as_ref().is_err_and(|error| error.fault() == Fault::Unavailable) {
            was_silent.store(true, Ordering::Relaxed);
        }
        fresh
            .believe(word?, self.root.as_deref(), Timestamp::now())
            .map_err(|source| WitnessError::Unbelieved { who: who(), source })
    }
}

fn unfit(why: &impl ToString) -> WitnessError {
    WitnessError::Unfit { reason: why.to_string() }
}
