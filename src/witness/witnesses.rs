//! All who are asked about one signature, and what their silence costs.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::PublicKey;
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::proof::asking::{self, Fresh, Vouched};
use argo_attest_core::text::causes;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::error::WitnessError;
use super::port::Witness;
use super::settings::OnFailure;

/// Those who are asked.
#[derive(Debug, Default)]
pub struct Witnesses {
    all: Vec<Box<dyn Witness>>,
    root: Option<TrustedRoot>,
    on_failure: OnFailure,
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
    pub fn new(all: Vec<Box<dyn Witness>>, root: Option<TrustedRoot>, on_failure: OnFailure) -> Self {
        Self { all, root, on_failure }
    }

    /// Asks all of them at the same time, no longer than `until`, about the signature of an envelope that
    /// this key just made.
    ///
    /// Errors: [`WitnessError`], the first, unless they are only told of.
    pub async fn vouch(
        &self,
        envelope: Envelope,
        key: &PublicKey,
        until: Option<Instant>,
    ) -> Result<Given, WitnessError> {
        let unfit = |reason: String| WitnessError::Unfit { reason };
        if self.all.is_empty() {
            let bundle = Bundle::new(envelope).map_err(|e| unfit(e.to_string()))?;
            return Ok(Given { bundle, missing: Vec::new() });
        }
        let fresh = Fresh::new(&envelope, key, Timestamp::now()).map_err(|e| unfit(e.to_string()))?;
        let asked = self.all.iter().map(|witness| self.one(witness.as_ref(), &fresh, until));
        let (mut vouched, mut missing) = (Vec::new(), Vec::new());
        for answer in join_all(asked).await {
            match (answer, self.on_failure) {
                (Ok(word), _) => vouched.push(word),
                (Err(error), OnFailure::Fail) => return Err(error),
                (Err(error), OnFailure::Warn) => missing.push(causes(&error)),
            }
        }
        let evidence = fresh.evidence(vouched, self.root.as_ref(), Timestamp::now());
        let evidence = evidence
            .map_err(|source| WitnessError::Unbelieved { who: "those who were asked".to_owned(), source })?;
        let bundle = asking::bundle(envelope, evidence).map_err(|e| unfit(e.to_string()))?;
        Ok(Given { bundle, missing })
    }

    async fn one(
        &self,
        witness: &dyn Witness,
        fresh: &Fresh<'_>,
        until: Option<Instant>,
    ) -> Result<Vouched, WitnessError> {
        let who = || witness.name().to_owned();
        let asking = witness.ask(fresh, until);
        let word = match until {
            Some(until) => {
                timeout_at(until, asking).await.unwrap_or_else(|_| Err(WitnessError::Late { who: who() }))
            }
            None => asking.await,
        };
        fresh
            .believe(word?, self.root.as_ref(), Timestamp::now())
            .map_err(|source| WitnessError::Unbelieved { who: who(), source })
    }
}
