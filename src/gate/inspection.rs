//! Inputs one by one: the attestation of the object, the bytes that are staged, and whether
//! the one speaks of the other.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use argo_attest_core::argo::{InputArtifact, InputSource, ObjectRef, Step};
use argo_attest_core::git::{self, GitError, Pin};
use argo_attest_core::intoto::DigestSet;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::text::brief;
use argo_attest_core::trouble::{Fault, Trouble as _};
use argo_attest_core::verify::{Content, Rejection};
use futures_util::stream::{self, StreamExt as _};

use super::error::InputError;
use super::form;
use super::longer::Longer;
use super::missing;
use super::passed_over::PassedOver;
use super::pieces::Pieces;
use super::staged::{Spot, StagedError};
use super::verdict::{Answer, Subject, Verdict, trace};
use crate::artifact_repository::{Stores, key};
use crate::mirror::Mirror;
use crate::store::{Env, Store};
use crate::stored_match::AT_ONCE;
use crate::telemetry;
use crate::verify::{Accepted, Attestable, Attested, CheckError, Checker};

/// What every input's check needs.
pub struct Inspection<'a> {
    /// Policy and clock.
    pub checker: &'a Checker,
    /// What of main can be seen from here.
    pub mirror: &'a Mirror,
    /// Where credentials may be.
    pub environment: &'a dyn Env,
    /// Where Secrets are mounted as Argo has them.
    pub secrets_dir: &'a Path,
    /// Threads that digest.
    pub workers: NonZeroUsize,
}

impl Inspection<'_> {
    /// Answers for every input of the step, in its order.
    pub async fn of(&self, step: &Step) -> Vec<Answer> {
        let mut stores = Stores::default();
        let asking: Vec<_> =
            step.inputs.iter().map(|input| (input, self.store(&mut stores, input))).collect();
        let answer = |(input, store): (&InputArtifact, _)| {
            let name = input.name.clone();
            let asked = self.input(input.clone(), store);
            async move {
                let span = telemetry::span("verify input");
                let answer = Answer { subject: Subject::Input, name, verdict: asked.await };
                trace(&span, "argo_attest.input", &answer);
                answer
            }
        };
        stream::iter(asking.into_iter().map(answer)).buffered(AT_ONCE.get()).collect().await
    }

    fn store(
        &self,
        stores: &mut Stores,
        input: &InputArtifact,
    ) -> Option<Result<Arc<dyn Store>, InputError>> {
        let InputSource::Object(object) = &input.source else { return None };
        Some(stores.open(object, self.environment, self.secrets_dir).map_err(InputError::from))
    }

    async fn input(
        &self,
        input: InputArtifact,
        store: Option<Result<Arc<dyn Store>, InputError>>,
    ) -> Result<Verdict, InputError> {
        let judged = self.judge(&input, store).await;
        let kind = input.source.kind().map(ArtifactKind::Stored);
        missing::decide(self.checker.policy.missing(), kind, judged)
    }

    async fn judge(
        &self,
        input: &InputArtifact,
        store: Option<Result<Arc<dyn Store>, InputError>>,
    ) -> Result<Verdict, InputError> {
        let unsupplied = input.source == InputSource::NotSupplied && input.optional;
        let spot = match Spot::of(input, self.mirror)? {
            Some(spot) => spot,
            // Then Argo mounts nothing, and what is there is a part of main's image.
            None if unsupplied => return Ok(Verdict::Absent("nothing was supplied")),
            None => return Err(StagedError::NotInMain.into()),
        };
        match (spot.is_empty(), unsupplied) {
            (true, true) => return Ok(Verdict::Absent("nothing was supplied")),
            (true, false) if input.optional => return Ok(Verdict::Absent("Argo did not find it")),
            // Whatever a policy lets pass, main must not find something else later.
            (true, false) => return Err(StagedError::Nothing(spot.shown()).into()),
            (false, true) => return Err(StagedError::Unsupplied(spot.shown()).into()),
            (false, false) => {}
        }
        match (&input.source, store) {
            (InputSource::Object(object), Some(store)) => {
                self.object(input, object, store?.as_ref(), spot).await
            }
            (InputSource::Git { revision, .. }, _) => {
                let pin = Pin::of(revision);
                let read =
                    move || git::commit(|path, limit| spot.read(path, limit).map_err(InputError::from));
                let found = match blocking(read).await {
                    // A commit that was asked for and is not there is no lack of an attestation.
                    Err(InputError::Git(why @ GitError::NoCommit(_))) if pin != Pin::None => {
                        Err(InputError::NoPinnedCommit(why))
                    }
                    found => found,
                }?;
                if !pin.admits(&found) {
                    let wanted = brief(revision, 200);
                    return Err(match pin {
                        Pin::Derived => InputError::DerivedCommit { found, wanted },
                        _ => InputError::OtherCommit { found, wanted },
                    });
                }
                Ok(Verdict::Commit(found))
            }
            (InputSource::Http { .. }, _) => Err(InputError::Unattested("an HTTP address")),
            // Argo writes the text to a file (workflow/artifacts/raw/raw.go), of which it unpacks
            // what is an archive: then main would read something that nobody compared.
            (InputSource::Raw { digest, .. }, _) => {
                let (workers, text) = (self.workers, *digest);
                match blocking(move || Ok(spot.content(workers)?)).await? {
                    Content::File(staged) if staged == text => Ok(Verdict::Text(text)),
                    _ => Err(InputError::OtherText),
                }
            }
            (InputSource::Unknown(why), _) => Err(why.clone().into()),
            (InputSource::NotSupplied | InputSource::Object(_), _) => {
                Err(StagedError::Nothing(spot.shown()).into())
            }
        }
    }

    async fn object(
        &self,
        input: &InputArtifact,
        object: &ObjectRef,
        store: &dyn Store,
        spot: Spot,
    ) -> Result<Verdict, InputError> {
        let key = key(object)?;
        let mut known = Known::default();
        let mut passed_over = PassedOver::default();
        let mut attestable = Attestable::new(self.checker, store, &key);
        while let Some((origin, attested)) = attestable.next().await {
            // Before the bytes are read: a bad signature needs no digest of a large file.
            let judged = match attested {
                Ok(attested) => self.attested(input, attested, &spot, &mut known).await,
                Err(error) => Err(error.into()),
            };
            match judged {
                Ok(accepted) => return Ok(accepted.into_verdict(passed_over.told())),
                Err(error) if error.fault() == Fault::No => passed_over.push(origin, error),
                // It may be the one that would do.
                Err(error) => return Err(error),
            }
        }
        let missing = passed_over.into_error().unwrap_or_else(|| attestable.missing().into());
        if !missing::is_missing(&missing) {
            return Err(missing);
        }
        match &*self.content(&spot, &mut known.content).await? {
            Content::Directory(tree) => {
                Pieces { checker: self.checker, store, key: &key, spot: &spot }.judge(tree, missing).await
            }
            Content::File(_) => Err(missing),
        }
    }

    /// What is staged, read once.
    async fn content(
        &self,
        spot: &Spot,
        known: &mut Option<Arc<Content>>,
    ) -> Result<Arc<Content>, InputError> {
        if let Some(content) = known {
            return Ok(Arc::clone(content));
        }
        let (workers, spot) = (self.workers, spot.clone());
        let content = blocking(move || Ok(spot.content(workers)?)).await?;
        Ok(Arc::clone(known.insert(Arc::new(content))))
    }

    async fn attested(
        &self,
        input: &InputArtifact,
        attested: Attested<'_>,
        spot: &Spot,
        known: &mut Known,
    ) -> Result<AcceptedInput, InputError> {
        let content = self.content(spot, &mut known.content).await?;
        let attested = known.longer.complete(attested, spot, &RelPath::root(), &content).await?;
        let subjects = attested.subjects();
        let incomparable = || subjects.iter().find_map(|s| form::incomparable(s, &content, input.unpack));
        let accepted = match attested.accept(Arc::clone(&content)).await {
            Err(CheckError::Rejected(
                no @ (Rejection::OtherArtifact { .. }
                | Rejection::OtherName { .. }
                | Rejection::OfDirectory { .. }
                | Rejection::Differs(_)),
            )) => {
                return Err(incomparable().map_or_else(|| CheckError::from(no).into(), InputError::from));
            }
            accepted => accepted?,
        };
        form::check::<InputError>(&accepted, &content, input.unpack, || Ok(spot.is_gzip()?))?;
        form::check_place(&accepted, self.checker.policy.stores())?;
        Ok(AcceptedInput { digest: form::digest_on_record(&accepted, &content), accepted })
    }
}

/// What was read of an input, which is done when it is first asked for.
#[derive(Default)]
struct Known {
    content: Option<Arc<Content>>,
    longer: Longer,
}

/// An input whose attestation was accepted.
struct AcceptedInput {
    accepted: Accepted,
    digest: DigestSet,
}

impl AcceptedInput {
    fn into_verdict(self, passed_over: Option<String>) -> Verdict {
        let Self { accepted: Accepted { statement, attestation, unjudged, .. }, digest } = self;
        let builder_id = statement.provenance().map(|p| p.run_details.builder.id.clone()).unwrap_or_default();
        let (signer, proof) = (Box::new(statement.signer().clone()), Box::new(statement.proof().clone()));
        Verdict::Accepted { digest, attestation, signer, builder_id, proof, unjudged, passed_over }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InputError> + Send + 'static,
) -> Result<T, InputError> {
    let lost = |error| CheckError::Io { name: "what is staged".into(), source: std::io::Error::other(error) };
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}
