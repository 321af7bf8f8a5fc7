//! From a sealed output to its attestation: what the object must be, whether it
//! is that, and only then the statement.

use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::archive::Format;
use argo_attest_core::argo::{Elsewhere, Packing, Shape as ArgoShape};
use argo_attest_core::contents::Contents;
use argo_attest_core::image::layout::Found;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::{Fate, PredicateOutcome};
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::slsa::Provenance;
use argo_attest_core::text::causes;
use tokio::task::spawn_blocking;

use super::comparing::NEVER_STORED;
use super::earlier::Before;
use super::grace::{Deadline, TimeUp};
use super::last_look::LastLook;
use super::packed;
use super::planned::{Keeping, Way};
use super::predicates::Documents;
use super::settings::Form;
use super::waiting::Waiting;
use crate::artifact_repository::key;
use crate::attest::Attestor;
use crate::attestations::{Attestations as _, Foreign};
use crate::image_files::Search;
use crate::observe::{Refusal, SealedArtifact, Seen, Shape};
use crate::signer::Signer;
use crate::stored_match::StoredObject;
use crate::telemetry;
use crate::witness::Witnesses;

/// Why there is nothing to attest of an empty directory that is not packed: Argo uploads
/// files only (`generatePutTasks` in its workflow/artifacts/s3/s3.go).
const NO_FILES: &str = "Argo stores such an output as one object a file, and there is no file in it";

/// How much earlier than all else the search for images ends: signing and storing take their
/// time, and an output without its images is attested still.
const KEPT_TO_ATTEST: Duration = Duration::from_secs(5);

/// What every output's conclusion needs.
pub(super) struct Concluding<'a> {
    pub(super) form: Form,
    pub(super) signer: &'a dyn Signer,
    /// Who is asked to vouch for what is signed.
    pub(super) witnesses: &'a Witnesses,
    /// When main ended, as a change time: see [`super::ending::Ended`].
    pub(super) ended: i64,
    /// When it is too late to go on.
    pub(super) deadline: Deadline,
    pub(super) provenance: &'a dyn Fn(Vec<ResourceDescriptor>, Option<&Elsewhere>) -> Provenance,
    /// What the step says of its outputs itself.
    pub(super) documents: &'a Documents<'a>,
}

/// What became of one output, and of what in it has no part in that.
pub(super) struct Conclusion {
    pub(super) fate: Fate,
    pub(super) entries: Entries,
    /// The images in it, if it is attested.
    pub(super) images: Found,
    /// What lay in its attestation's place, and where that is now.
    pub(super) set_aside: Vec<String>,
    /// Why somebody who was asked does not vouch for it, where it is attested all the same.
    pub(super) unvouched: Vec<String>,
    /// What became of the files that speak of it, if it is attested.
    pub(super) predicates: Vec<PredicateOutcome>,
}

/// Entries of an output of which its attestation does not speak.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// With the reason.
    pub(super) refused: Vec<(String, String)>,
    /// Those that Argo never stores.
    pub(super) not_stored: Vec<String>,
}

impl Conclusion {
    fn of(fate: Fate) -> Self {
        let (entries, images) = (Entries::default(), Found::default());
        let (set_aside, unvouched) = (Vec::new(), Vec::new());
        Self { fate, entries, images, set_aside, unvouched, predicates: Vec::new() }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::of(Fate::Refused { reason: reason.into() })
    }

    pub(super) fn not_attempted(reason: impl Into<String>) -> Self {
        Self::of(Fate::NotAttempted { reason: reason.into() })
    }

    pub(super) fn unfinished(reason: impl Into<String>) -> Self {
        Self::of(Fate::Unfinished { reason: reason.into() })
    }
}

/// An output, worked out as far as it can be without a store.
struct Known {
    sealed: Arc<SealedArtifact>,
    contents: Contents,
    packing: Packing,
    /// The archive that Argo packed, where only that is on the volume.
    on_disk: Option<Seen>,
    /// What is looked for beside all else; not in what only that archive holds.
    search: Option<Search>,
}

/// An output that is attested, or why it is not.
struct Attested {
    fate: Fate,
    /// What its statement names, if there is one.
    contents: Option<Contents>,
    images: Found,
    set_aside: Vec<String>,
    unvouched: Vec<String>,
}

impl From<Fate> for Attested {
    fn from(fate: Fate) -> Self {
        let (set_aside, unvouched) = (Vec::new(), Vec::new());
        Self { fate, contents: None, images: Found::default(), set_aside, unvouched }
    }
}

impl Known {
    /// What main wrote, and the archive that Argo made of it, where that was seen, too.
    fn written_to(self, place: &Elsewhere) -> Result<Contents, String> {
        match (self.packing, self.on_disk) {
            (Packing::NeverStored, _) => Err(NEVER_STORED.into()),
            (Packing::PackedOnDisk, Some(archive)) => {
                Ok(self.contents.stored_as(&last_part(place.key()), "", archive.digest))
            }
            _ => Ok(self.contents),
        }
    }
}

/// What somebody calls an object who fetched it.
fn last_part(key: &str) -> String {
    printable(key.rsplit('/').next().unwrap_or_default().as_bytes())
}

impl Concluding<'_> {
    /// Attests the output, if all is as it should be, and if there is time.
    pub(super) async fn conclude(
        &self,
        optional: bool,
        way: &Way,
        before: &Before,
        sealed: SealedArtifact,
    ) -> Conclusion {
        if sealed.shape() == Shape::Missing {
            return if optional {
                Conclusion::of(Fate::Absent)
            } else {
                Conclusion::refused("main did not write it")
            };
        }
        // Both outlive the work, which is dropped wherever it stands when the time is up.
        let (last, mut entries) = (LastLook::default(), Entries::default());
        let working = async {
            let known = self.work_out(way, sealed, &mut entries).await?;
            self.attest(way, before, known, &last).await
        };
        let Attested { fate, contents, images, set_aside, unvouched } =
            match self.deadline.within(working).await {
                Ok(Ok(concluded)) => concluded,
                Ok(Err(reason)) => Fate::Refused { reason }.into(),
                Err(TimeUp) => last.too_late().into(),
            };
        // After it: what is said of it besides must not cost it its provenance.
        let predicates = match contents {
            Some(contents) => self.predicates(way, before, &contents).await,
            None => Vec::new(),
        };
        Conclusion { fate, entries, images, set_aside, unvouched, predicates }
    }

    fn attestor(&self) -> Attestor<'_> {
        Attestor::new(self.signer)
            .with_foreign(Foreign::SetAside)
            .with_witnesses(self.witnesses, Some(self.deadline.to_have_it_stored()))
    }

    /// Has what the step says of an attested output be signed.
    async fn predicates(&self, way: &Way, before: &Before, contents: &Contents) -> Vec<PredicateOutcome> {
        // It had a place when it was attested.
        let Ok(place) = way.attestations(before.store.as_ref()) else { return Vec::new() };
        let attestor = self.attestor();
        self.documents
            .about_artifact(&way.artifact.name, self.deadline, async |document| {
                let place = place.clone().labelled(Some(document.kind().label()));
                attestor.state(contents, document, &place).await
            })
            .await
    }

    /// What the statement will be about. Of very many files this takes its time, in which
    /// the clock and the other outputs must not stand still.
    async fn work_out(
        &self,
        way: &Way,
        sealed: SealedArtifact,
        entries: &mut Entries,
    ) -> Result<Known, String> {
        let on_disk = sealed.files().get(&RelPath::root()).map(|seen| **seen);
        let ended = self.ended;
        let checked = spawn_blocking(move || match sealed.changed_after(ended) {
            // Whoever else can write to the volume is not the step that is attested.
            Some(change) => Err(format!("{change} after main had ended")),
            None => Ok(sealed),
        });
        let sealed = packed::unpack(way, checked.await.map_err(|e| e.to_string())??).await?;
        let shape = if sealed.shape() == Shape::File { ArgoShape::File } else { ArgoShape::Directory };
        let packing = way.plan.packing(shape);
        let (sealed, left_out) = as_stored(sealed, &packing, &way.keeping);
        entries.not_stored.extend(left_out.iter().map(ToString::to_string));
        entries
            .refused
            .extend(sealed.refused().iter().map(|(path, why)| (path.to_string(), why.to_string())));
        let known = spawn_blocking(move || Ok::<_, String>((sealed.contents()?, Arc::new(sealed))));
        let (contents, sealed) = known.await.map_err(|e| e.to_string())??;
        let search = (!way.packed).then(|| Search::begin(&sealed));
        Ok(Known { sealed, contents, packing, on_disk, search })
    }

    /// The images that were found in time.
    async fn images(&self, search: Option<Search>, output: &str) -> Found {
        let Some(search) = search else { return Found::default() };
        let in_time = self.deadline.earlier_by(KEPT_TO_ATTEST).within(search.found(output)).await;
        in_time.unwrap_or_else(|TimeUp| {
            tracing::warn!(artifact = output, "there was no time to look for images in the output");
            Found::default()
        })
    }

    /// The output's fate, and where that is now which was in its attestation's place.
    async fn attest(
        &self,
        way: &Way,
        before: &Before,
        mut known: Known,
        last: &LastLook,
    ) -> Result<Attested, String> {
        let store = before.store.as_ref();
        let place = way.attestations(store).map_err(|e| e.to_string())?;
        place.names().map_err(|e| e.to_string())?;
        let manifest = place.manifest_name();
        let search = known.search.take();
        let (contents, provenance) = match &way.keeping {
            Keeping::WithObject { object, .. } => {
                let Known { sealed, contents, packing, on_disk, .. } = known;
                if packing == Packing::ObjectPerFile && sealed.files().is_empty() {
                    return Ok(Fate::NotStored { reason: NO_FILES.to_owned() }.into());
                }
                let (form, packing) = (self.form, &packing);
                let waiting = Waiting { form, way, object, before, sealed: &sealed, on_disk, packing, last };
                let span = telemetry::span("compare");
                let stored = waiting.stored().await.inspect_err(|why| span.fail(why))?;
                drop(span);
                let contents = match stored.as_slice() {
                    [one] if *packing != Packing::ObjectPerFile => {
                        contents.stored_as(&last_part(object.key()), one.uri(), one.digest())
                    }
                    _ => contents,
                };
                let directory = (*packing == Packing::ObjectPerFile).then(|| key(object));
                let directory = directory.transpose().map_err(|e| e.to_string())?.map(|key| store.uri(&key));
                let byproducts = byproducts(&contents, &manifest, &stored, directory.as_deref());
                (contents, (self.provenance)(self.with_documents(way, byproducts), None))
            }
            // Nobody can ask whether it is there: what is stated is what main wrote.
            Keeping::Named { place, .. } => {
                let contents = known.written_to(place)?;
                let byproducts = byproducts(&contents, &manifest, &[], None);
                (contents, (self.provenance)(self.with_documents(way, byproducts), Some(place)))
            }
        };
        let images = self.images(search, contents.name()).await;
        let contents = contents.with_images(&images);
        let attestor = self.attestor();
        let receipt = attestor.attest(&contents, &place, &provenance).await.map_err(|e| causes(&e))?;
        let (set_aside, unvouched) = (receipt.set_aside().to_vec(), receipt.unvouched().to_vec());
        let fate = Fate::Attested(receipt.into_attested());
        Ok(Attested { fate, contents: Some(contents), images, set_aside, unvouched })
    }

    /// With what the step says of the output itself, each document by its digest.
    fn with_documents(&self, way: &Way, byproducts: Vec<ResourceDescriptor>) -> Vec<ResourceDescriptor> {
        let documents = self.documents.byproducts_of_artifact(&way.artifact.name);
        byproducts.into_iter().chain(documents).collect()
    }
}

/// What Argo makes of an output's symbolic links: a tar has them as what they are. A zip has
/// an empty file in place of each (`zipDir` in its util/archive/archive.go), which is not what
/// main wrote; of a directory that is stored as one object a file they are left out
/// (`generatePutTasks` in its workflow/artifacts/s3/s3.go).
fn as_stored(sealed: SealedArtifact, packing: &Packing, keeping: &Keeping) -> (SealedArtifact, Vec<RelPath>) {
    match packing {
        // Each kind of store has habits of its own; some of Argo's drivers follow links.
        Packing::ObjectPerFile if matches!(keeping, Keeping::Named { .. }) => {
            (sealed.refusing_links(&Refusal::LinkElsewhere), Vec::new())
        }
        Packing::ObjectPerFile => sealed.without_links(),
        Packing::Repacked(Format::Zip, _) => (sealed.refusing_links(&Refusal::LinkInZip), Vec::new()),
        Packing::AsIs
        | Packing::PackedOnDisk
        | Packing::Repacked(Format::TarGz, _)
        | Packing::NeverStored => (sealed, Vec::new()),
    }
}

fn byproducts(
    contents: &Contents,
    manifest: &str,
    stored: &[StoredObject],
    directory: Option<&str>,
) -> Vec<ResourceDescriptor> {
    let mut byproducts = contents.byproducts(manifest);
    byproducts.extend(stored.iter().map(|object| object.byproduct(directory)));
    byproducts
}
