//! The images that the step says it pushes: what their registries have before main starts, what
//! after it has ended, and what shows that the step made it.
//!
//! Which images those are may be a tenant's text. It makes this program look at a registry, with
//! logins that may be the platform's; it never makes it say more than it saw.

mod evidence;

use std::collections::BTreeMap;
use std::time::Duration;

use argo_attest_core::argo::Images;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, Manifest};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::{Fate, OutputOutcome, PredicateOutcome};
use argo_attest_core::slsa::{ImageEvidence, Provenance, StepImage};
use argo_attest_core::text::causes;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};
use tracing::info;

pub(super) use evidence::Written;

use super::failed::NotReady;
use super::grace::{Deadline, TimeUp};
use super::predicates::Documents;
use super::telling::trace_fate;
use crate::attest::{Attestor, ImageAttestor, Receipt};
use crate::environment::Env;
use crate::registry::{Registries, RegistryError};
use crate::signer::Signer;
use crate::telemetry;
use crate::witness::Witnesses;

/// Images that are asked about at once.
const AT_ONCE: usize = 8;
/// How long registries are asked before main starts, for all images together: main is held for it,
/// and not to know what they had costs evidence only.
const BEFORE: Duration = Duration::from_secs(10);

/// Why it is not known what a name pointed to.
const TOO_LATE: &str = "main had ended before its registry answered";
/// The same.
const BARE: &str = "it was answered 404, not in a registry's words: whatever stands before one may say that";
/// Why nothing is said of an image.
const NO_EVIDENCE: &str = "nothing shows that this step made it";
/// What would show it.
const ADVICE: &str =
    "have the build write the digest that it pushed to a file among its outputs, or to an output parameter";

/// The images of a step, and who knows of them.
pub(super) struct StepImages {
    images: Images,
    registries: Result<Registries, NotReady>,
    /// By name, as it was before main started.
    before: BTreeMap<String, Before>,
}

/// To what a name pointed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Before {
    /// To nothing.
    Nothing,
    /// To this.
    Image(Sha256Digest),
    /// It could not be asked, for this reason.
    Unknown(String),
}

impl StepImages {
    /// Nothing is asked yet. `plain`: registries are asked without TLS.
    pub(super) fn new(images: Images, env: &dyn Env, plain: bool) -> Self {
        let registries = Registries::in_pod(env, plain).map_err(|error| NotReady::from(&error));
        Self { images, registries, before: BTreeMap::new() }
    }

    /// What their names point to now; what is amiss with that. Once main has ended, that is no
    /// more what they pointed to before: whatever moves them from then on is not main.
    pub(super) async fn look(&self, has_ended: impl Fn() -> bool) -> (Looked, Vec<NotReady>) {
        let registries = match &self.registries {
            _ if self.images.is_empty() => return (Looked::default(), Vec::new()),
            Ok(registries) => registries,
            Err(why) => return (Looked::default(), vec![why.clone()]),
        };
        let (has_ended, until) = (&has_ended, Instant::now() + BEFORE);
        let looks = self.images.iter().map(|image| async move {
            let answer = timeout_at(until, registries.manifest(image)).await;
            let (before, amiss) = match answer {
                _ if has_ended() => (Before::Unknown(TOO_LATE.to_owned()), None),
                Ok(Ok(pulled)) => (Before::Image(pulled.manifest.digest()), None),
                Ok(Err(RegistryError::NotFound { by_registry: true, .. })) => (Before::Nothing, None),
                // Of a proxy whose registry is away, it may be: no evidence, and no trouble yet.
                Ok(Err(RegistryError::NotFound { .. })) => (Before::Unknown(BARE.to_owned()), None),
                Ok(Err(error)) => (Before::Unknown(causes(&error)), Some(NotReady::from(&error))),
                Err(_) => {
                    let why = format!("oci://{image}: its registry did not answer in {} s", BEFORE.as_secs());
                    let remedy = "see whether the registry can be reached from the step's pod".to_owned();
                    (Before::Unknown(why.clone()), Some(NotReady::held(why, remedy)))
                }
            };
            (image.to_string(), before, amiss)
        });
        let looks: Vec<_> = looks.collect();
        let (mut before, mut all) = (BTreeMap::new(), Vec::new());
        let mut answers = stream::iter(looks).buffered(AT_ONCE);
        while let Some((name, was, amiss)) = answers.next().await {
            before.insert(name, was);
            all.extend(amiss);
        }
        (Looked(before), all)
    }

    /// Keeps what was found.
    pub(super) fn looked(&mut self, Looked(before): Looked) {
        self.before = before;
    }

    /// One by one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ImageReference> {
        self.images.iter()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The same for each.
    pub(super) fn each(&self, fate: impl Fn() -> Fate) -> Vec<OutputOutcome> {
        self.images.iter().map(|image| outcome(image, fate())).collect()
    }

    /// What their names point to now: soon after main has ended, before anything else of the step is
    /// concluded. Until then somebody else may move them, and what that one pushed be taken for main's.
    pub(super) async fn see(&self, deadline: Deadline) -> SeenImages {
        let looks = self.images.iter().map(|image| async move {
            let seen = match deadline.within(self.manifest(image)).await {
                Ok(Ok(manifest)) => {
                    info!(image = %image, digest = %manifest.digest(), "what its name points to now");
                    Ok(manifest)
                }
                Ok(Err(reason)) => Err(Fate::Refused { reason }),
                Err(TimeUp) => Err(unanswered()),
            };
            (image.to_string(), seen)
        });
        let looks: Vec<_> = looks.collect();
        SeenImages(stream::iter(looks).buffered(AT_ONCE).collect().await)
    }

    async fn manifest(&self, image: &ImageReference) -> Result<Manifest, String> {
        let registries = self.registries.as_ref().map_err(|why| why.reason.clone())?;
        let pulled = registries.manifest(image).await.map_err(|error| match error {
            RegistryError::NotFound { .. } => {
                "main did not push it: its registry has none of this name".into()
            }
            error => causes(&error),
        })?;
        Ok(pulled.manifest)
    }

    /// What becomes of each, and of the files that speak of it.
    pub(super) async fn conclude(
        &self,
        concluding: &ConcludingImages<'_>,
    ) -> Vec<(OutputOutcome, Vec<PredicateOutcome>)> {
        let concluded = self.images.iter().map(|image| async move {
            let span = telemetry::span("attest image");
            let concluded = span.around(self.conclude_one(image, concluding)).await;
            span.say("argo_attest.image", concluded.0.name.as_str());
            trace_fate(&span, &concluded.0.fate);
            concluded
        });
        let concluded: Vec<_> = concluded.collect();
        stream::iter(concluded).buffered(AT_ONCE).collect().await
    }

    async fn conclude_one(
        &self,
        image: &ImageReference,
        concluding: &ConcludingImages<'_>,
    ) -> (OutputOutcome, Vec<PredicateOutcome>) {
        let seen = concluding.seen.0.get(&image.to_string());
        let mut unvouched = Vec::new();
        let (fate, manifest) = match seen {
            None => (unanswered(), None),
            Some(Err(fate)) => (fate.clone(), None),
            Some(Ok(manifest)) => {
                let attesting = self.attest(image, manifest, concluding);
                match concluding.deadline.within(attesting).await {
                    Ok(Ok(receipt)) => {
                        unvouched = receipt.unvouched().to_vec();
                        (Fate::Attested(receipt.into_attested()), Some(manifest))
                    }
                    Ok(Err(reason)) => (Fate::Refused { reason }, None),
                    Err(TimeUp) => (unanswered(), None),
                }
            }
        };
        let predicates = match manifest {
            Some(manifest) => self.predicates(image, manifest, concluding).await,
            None => Vec::new(),
        };
        (OutputOutcome { unvouched, ..outcome(image, fate) }, predicates)
    }

    /// Has what the step says of an attested image be signed.
    async fn predicates(
        &self,
        image: &ImageReference,
        manifest: &Manifest,
        by: &ConcludingImages<'_>,
    ) -> Vec<PredicateOutcome> {
        let Ok(registries) = &self.registries else { return Vec::new() };
        let attestor = by.attestor();
        let attestor = ImageAttestor::new(&attestor, registries);
        by.documents
            .about_image(image, by.deadline, async |document| {
                attestor.state(image.repository(), manifest, document).await
            })
            .await
    }

    async fn attest(
        &self,
        image: &ImageReference,
        manifest: &Manifest,
        by: &ConcludingImages<'_>,
    ) -> Result<Receipt, String> {
        let registries = self.registries.as_ref().map_err(|why| why.reason.clone())?;
        let before = self.before.get(&image.to_string());
        let (evidence, output) = self.evidence(image, manifest, before, by.written).await?;
        let was = match before {
            Some(Before::Image(digest)) => Some(*digest),
            _ => None,
        };
        let seen = StepImage { reference: image, evidence, before: was, output: output.as_deref() };
        let provenance = (by.provenance)(by.documents.byproducts_of_image(image)).of_image(&seen);
        info!(image = %image, digest = %manifest.digest(), evidence = evidence.name(), "attesting an image");
        let attestor = by.attestor();
        let attestor = ImageAttestor::new(&attestor, registries);
        let attested = attestor.attest(image.repository(), manifest, &provenance).await;
        Ok(attested.map_err(|error| causes(&error))?.into_receipt())
    }

    /// The best that there is, and the output in which it is.
    async fn evidence(
        &self,
        image: &ImageReference,
        manifest: &Manifest,
        before: Option<&Before>,
        written: &Written,
    ) -> Result<(ImageEvidence, Option<String>), String> {
        if let Some(output) = written.holds(manifest) {
            return Ok((ImageEvidence::Written, Some(output.to_owned())));
        }
        let digest = manifest.digest();
        if before.is_some_and(|before| before.is_other_than(digest)) {
            return Ok((ImageEvidence::Changed, None));
        }
        if let Some(output) = written.tells(image, digest).await {
            return Ok((ImageEvidence::Named, Some(output)));
        }
        Err(match before {
            Some(Before::Image(_)) => format!(
                "{NO_EVIDENCE}: its name pointed to the same sha256:{digest} before main started, and no output \
                 or parameter holds that digest; {ADVICE}"
            ),
            Some(Before::Unknown(why)) => {
                format!(
                    "{NO_EVIDENCE}: what its name pointed to before main started is not known ({why}); {ADVICE}"
                )
            }
            _ => {
                format!("{NO_EVIDENCE}: what its name pointed to before main started is not known; {ADVICE}")
            }
        })
    }
}

fn unanswered() -> Fate {
    Fate::Unfinished { reason: "the grace period ended before its registry had answered".to_owned() }
}

/// What names pointed to once main had ended, or what becomes of an image of which that is not known.
pub(super) struct SeenImages(BTreeMap<String, Result<Manifest, Fate>>);

/// What was found before main started.
#[derive(Default)]
pub(super) struct Looked(BTreeMap<String, Before>);

impl Before {
    fn is_other_than(&self, now: Sha256Digest) -> bool {
        match self {
            Self::Nothing => true,
            Self::Image(before) => *before != now,
            Self::Unknown(_) => false,
        }
    }
}

/// What every image's conclusion needs.
pub(super) struct ConcludingImages<'a> {
    pub(super) signer: &'a dyn Signer,
    /// Who is asked to vouch for what is signed.
    pub(super) witnesses: &'a Witnesses,
    pub(super) deadline: Deadline,
    pub(super) seen: &'a SeenImages,
    pub(super) written: &'a Written,
    /// With what came out beside the image.
    pub(super) provenance: &'a dyn Fn(Vec<ResourceDescriptor>) -> Provenance,
    /// What the step says of its images itself.
    pub(super) documents: &'a Documents<'a>,
}

impl ConcludingImages<'_> {
    fn attestor(&self) -> Attestor<'_> {
        Attestor::new(self.signer).with_witnesses(self.witnesses, Some(self.deadline.to_have_it_stored()))
    }
}

/// Among the outputs, by a name that no artifact can have.
fn outcome(image: &ImageReference, fate: Fate) -> OutputOutcome {
    OutputOutcome {
        name: format!("oci://{image}"),
        path: String::new(),
        fate,
        refused: Vec::new(),
        set_aside: Vec::new(),
        unvouched: Vec::new(),
        not_stored: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Main is held meanwhile.
    #[tokio::test(start_paused = true)]
    async fn registries_that_do_not_answer_are_asked_for_so_long_however_many_they_are() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = silent.local_addr().unwrap();
        let names: Vec<_> = (0..4 * AT_ONCE).map(|n| format!("{at}/app:{n}")).collect();
        let none = |_: &str| None::<OsString>;
        let images = StepImages::new(names.join(",").parse().unwrap(), &none, true);
        let begun = Instant::now();
        let (Looked(before), amiss) = images.look(|| false).await;
        assert!(begun.elapsed() < BEFORE + Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!((before.len(), amiss.len()), (names.len(), names.len()));
        assert!(before.values().all(|before| matches!(before, Before::Unknown(_))));
    }

    /// What a name pointed to, as far as somebody says who answers 404 with these words.
    async fn absent(words: &'static str) -> Before {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = format!("{}/app:1", server.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            assert!(client.read(&mut [0; 4096]).unwrap() > 0);
            let size = words.len();
            write!(client, "HTTP/1.1 404 Not Found\r\nContent-Length: {size}\r\n\r\n{words}").unwrap();
        });
        let none = |_: &str| None::<OsString>;
        let images = StepImages::new(name.parse().unwrap(), &none, true);
        let (Looked(mut before), amiss) = images.look(|| false).await;
        assert!(amiss.is_empty(), "{amiss:?}");
        before.remove(&name).unwrap()
    }

    /// A registry that is away while main starts would have every name newly point to something.
    #[tokio::test]
    async fn only_a_registry_can_say_that_a_name_points_to_nothing() {
        let unknown = r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#;
        assert_eq!(absent(unknown).await, Before::Nothing);
        for other in ["404 page not found", "", "{}", r#"{"errors":[]}"#, r#"{"errors":[{"status":404}]}"#] {
            assert!(matches!(absent(other).await, Before::Unknown(_)), "{other}");
        }
    }
}
