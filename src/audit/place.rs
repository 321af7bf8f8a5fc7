//! A directory or a prefix: every artifact, and every attestation of what is not there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::audit::{Finding, Invocation, OutcomeFinding, Told, of_outcome};
use argo_attest_core::contract::store::OUTCOME;
use argo_attest_core::image::ImageReference;
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::verify::{Reason, Rejection};
use futures_util::stream::StreamExt as _;

use super::auditor::is_unattested;
use super::image::SeenImage;
use super::object::{Seen, seen};
use super::outcomes::{is_ended, run_of};
use super::remark::{NodeRun, Open, Remark, Settler, Standings};
use super::{Auditor, Entry, Outcomes, Step, Subject};
use crate::attestations::{Address, first_form_of, is_called_manifest};
use crate::observe::NoProgress;
use crate::report::Accepted;
use crate::roll::{Gathering, Roll};
use crate::verify::{
    Artifact, Artifacts, CheckError, Checked, Checker, FoundArtifact, Orphan, check_outcome,
};

/// What the names of all objects begin with that can be asked for.
const SCHEME: &str = "s3://";

/// The artifacts of a place.
#[derive(Debug)]
pub struct Listed {
    /// Which place it is.
    pub place: usize,
    /// The artifacts.
    pub artifacts: Artifacts,
}

/// Where an artifact was found: in which place, and which one of all in it.
pub type FoundAt = (usize, u64);

/// The names of things, byte by byte. As paths, `a//b` and `a/b` would be one.
pub type Names = BTreeSet<OsString>;

/// What attestations of what is not there say, until it is told.
#[derive(Debug, Default)]
pub struct Left {
    ended: Vec<(NodeRun, Option<jiff::Timestamp>)>,
    outcomes: Vec<FromOutcome>,
    others: Vec<(PathBuf, Finding)>,
}

/// What one outcome says that is more than that something is attested which is there.
#[derive(Debug)]
struct FromOutcome {
    path: PathBuf,
    open: Option<Open>,
    /// Which run of which step.
    by: Invocation,
    /// Each with the image that it is about, if that may be asked for.
    entries: Vec<(Entry, Option<ImageReference>)>,
    /// Objects that it says are attested, and that were not listed.
    objects: Vec<(Arc<Step>, Option<String>, String)>,
}

impl FromOutcome {
    fn new(path: PathBuf, words: &OutcomeWords, open: Option<Open>, listed: &Roll) -> Self {
        let step = Arc::new(Step::of_outcome(words));
        let (mut entries, mut objects) = (Vec::new(), Vec::new());
        let by = Invocation::parse(&words.invocation_id).unwrap_or_default();
        for OutcomeFinding { output, attestation, finding, digest: _, image } in of_outcome(words) {
            let step = Arc::clone(&step);
            let Some(finding) = finding else {
                let Some(uri) = attestation.as_deref().map(|uri| Address::new(uri).artifact()) else {
                    continue;
                };
                let is_listed = |uri: &str| listed.contains(uri.as_bytes());
                if !is_listed(&uri) && !is_listed(&format!("{uri}/")) {
                    objects.push((step, output, uri));
                }
                continue;
            };
            let subject = output.map_or_else(|| Subject::Attestation(path.clone()), Subject::Output);
            entries.push((Entry { step: Some(step), subject, finding, accepted: None }, image));
        }
        Self { path, open, by, entries, objects }
    }
}

impl Auditor {
    /// Says of each artifact what there is to say, in their order, but for those of which it was
    /// said already. Gives the names of those that were not known to be artifacts before.
    ///
    /// Errors: those of `tell`.
    pub async fn artifacts<E>(
        &self,
        listed: Vec<Listed>,
        told: &Names,
        mut tell: impl FnMut(Entry, FoundAt) -> Result<(), E>,
    ) -> Result<Roll, E> {
        let (mut left, mut late) = (VecDeque::from(listed), Gathering::default());
        while let Some(next) = self.next(&mut left).await {
            for (_, found) in next.iter().filter(|(_, found)| found.is_late) {
                late.note(found.artifact.name().as_os_str().as_bytes(), &[]);
            }
            let is_told = |found: &FoundArtifact| told.contains(found.artifact.name().as_os_str());
            let next = next.into_iter().filter(|(_, found)| !is_told(found)).collect();
            self.together(next, &mut tell).await?;
        }
        Ok(late.roll())
    }

    /// The next artifacts of all that are left; `None` at the end.
    async fn next(&self, left: &mut VecDeque<Listed>) -> Option<Vec<(usize, FoundArtifact)>> {
        loop {
            let Listed { place, artifacts } = left.front_mut()?;
            let next = artifacts.next(&self.lanes).await;
            if !next.is_empty() {
                return Some(next.into_iter().map(|found| (*place, found)).collect());
            }
            left.pop_front();
        }
    }

    /// Says of some artifacts what there is to say, in their order.
    async fn together<E>(
        &self,
        artifacts: Vec<(usize, FoundArtifact)>,
        tell: &mut impl FnMut(Entry, FoundAt) -> Result<(), E>,
    ) -> Result<(), E> {
        let checker = Arc::clone(&self.checker);
        let each = move |(place, found): (usize, FoundArtifact)| {
            let checker = Arc::clone(&checker);
            async move {
                let FoundArtifact { artifact, kind, at, is_late: _ } = found;
                let path = artifact.name();
                // Of answers that wait for those before them no more is kept than what is told.
                let found = checker.check_beside(artifact).await;
                let found = found.map(|found| found.map(|checked| accepted(checked, &path)));
                (path, kind, (place, at), found)
            }
        };
        let mut found = self.lanes.each(artifacts, each);
        while let Some((path, kind, at, found)) = found.next().await {
            let found = match found {
                Ok(found) => found,
                // By this thread, always: what any other gave back stays that one's own.
                Err(large) => {
                    let one = std::num::NonZeroUsize::MIN;
                    let found = self.checker.check(&large.0, one, &NoProgress).await;
                    found.map(|checked| accepted(checked, &path))
                }
            };
            let (finding, accepted) = match found {
                Ok(accepted) => (Finding::Attested, Some(accepted)),
                Err(error) if is_unattested(&error) && self.is_not_ours(&path) => (Finding::NotOurs, None),
                Err(error) => (self.failed(&error, kind), None),
            };
            let subject = Subject::Artifact { path, output: None };
            tell(Entry { step: None, subject, finding, accepted }, at)?;
        }
        Ok(())
    }

    /// Looks at each attestation of what is not there: a step's outcome says more, of any other the
    /// artifact is gone. Outcomes of runs that are audited are kept for that. `listed` are the names of
    /// the artifacts that are there.
    pub async fn look_at(&self, orphans: Vec<Orphan>, listed: &Roll, outcomes: &mut Outcomes) -> Left {
        let asked = Arc::clone(&self.asked);
        let each = move |(path, forms): (PathBuf, Vec<Orphan>)| {
            let asked = Arc::clone(&asked);
            async move {
                let found = read(&asked, &path, &forms).await;
                (path, found)
            }
        };
        let mut found = self.lanes.each(by_artifact(orphans), each);
        let (mut left, mut open) = (Left::default(), Vec::new());
        while let Some((path, found)) = found.next().await {
            match found {
                Found::Outcome(words) if outcomes.asks_for(&words) => outcomes.note(words),
                Found::Outcome(words) => match run_of(&words) {
                    Some(run) if is_ended(&words) => {
                        left.ended.push((run, words.started_on));
                        left.outcomes.push(FromOutcome::new(path, &words, None, listed));
                    }
                    run => {
                        let how = Open { run, started_on: words.started_on };
                        open.push(FromOutcome::new(path, &words, Some(how), listed));
                    }
                },
                Found::Nothing => left.others.push((path, Finding::Orphan)),
                Found::Finding(finding) => left.others.push((path, finding)),
            }
        }
        left.outcomes.append(&mut open);
        left
    }

    /// Keeps outcomes of runs that are audited, and says nothing of the rest.
    pub async fn note_outcomes(&self, orphans: Vec<Orphan>, outcomes: &mut Outcomes) {
        let asked = Arc::clone(&self.asked);
        let each = move |(path, forms): (PathBuf, Vec<Orphan>)| {
            let asked = Arc::clone(&asked);
            async move { read(&asked, &path, &forms).await }
        };
        let mut found = self.lanes.each(by_artifact(orphans), each);
        while let Some(found) = found.next().await {
            if let Found::Outcome(words) = found {
                outcomes.note(words);
            }
        }
    }

    /// Says what was found by that, but of what it was said already, and not of artifacts that turned out
    /// to be some since then (`late`).
    ///
    /// Errors: those of `tell`.
    pub async fn left<E>(
        &self,
        left: Left,
        told: &Names,
        late: &Roll,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut settler = Settler::of_all(told);
        let settle = |remark| match settler.settle(remark) {
            Some(entry) => tell(entry),
            None => Ok(()),
        };
        self.remarks(left, told, late, settle).await
    }

    /// The same, each with what it hangs on. In their order: of nodes how they ended, what outcomes
    /// say, the objects that they name, and what else is left.
    ///
    /// Errors: those of `tell`.
    pub async fn remarks<E>(
        &self,
        left: Left,
        told: &Names,
        late: &Roll,
        mut tell: impl FnMut(Remark) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut standings = Standings::default();
        for (run, started_on) in left.ended {
            standings.ended(run.clone(), started_on);
            tell(Remark::Ended { run, started_on })?;
        }
        let mut objects = Vec::new();
        for FromOutcome { path, open, by, entries, objects: named } in left.outcomes {
            if open.as_ref().is_some_and(|open| standings.supersede(open)) {
                continue;
            }
            let from = path.into_os_string();
            for (entry, image) in entries {
                let entry = self.entry_of(entry, image.as_ref(), &by).await;
                tell(Remark::Outcome { from: from.clone(), open: open.clone(), entry })?;
            }
            objects.extend(named.into_iter().map(|object| (from.clone(), open.clone(), object)));
        }
        for (from, open, (step, output, uri)) in objects {
            if told.contains(OsStr::new(&uri)) || late.contains(uri.as_bytes()) {
                continue;
            }
            let Some((finding, accepted)) = self.elsewhere(&uri).await else { continue };
            let subject = Subject::Artifact { path: uri.into(), output };
            tell(Remark::Object {
                from,
                open,
                entry: Entry { step: Some(step), subject, finding, accepted },
            })?;
        }
        for (path, finding) in left.others {
            let subject = Subject::Attestation(path);
            tell(Remark::Left(Entry { step: None, subject, finding, accepted: None }))?;
        }
        Ok(())
    }

    /// What an outcome says, or what is found of the image that it says it of.
    async fn entry_of(&self, said: Entry, image: Option<&ImageReference>, by: &Invocation) -> Entry {
        let Some(image) = image else { return said };
        let Some(SeenImage { name, finding, accepted, inputs: _ }) = self.image(image, by).await else {
            return said;
        };
        let output = said.output().map(str::to_owned);
        Entry { step: said.step, subject: Subject::Artifact { path: name.into(), output }, finding, accepted }
    }

    /// What there is of an object that an outcome says is attested, and that was not listed; `None`
    /// for what is in no store that can be asked.
    async fn elsewhere(&self, uri: &str) -> Option<(Finding, Option<Box<Accepted>>)> {
        let (bucket, key) = uri.strip_prefix(SCHEME)?.split_once('/')?;
        let store = match self.bucket(bucket).await {
            Ok(store) => store,
            Err(told) => return Some((Finding::Unknown(told), None)),
        };
        let seen = match seen(Arc::clone(&self.checker), store, key).await {
            Ok(seen) => seen,
            Err(large) => self.large(&large.0).await,
        };
        Some(match seen {
            Seen::Checked(checked) => {
                (Finding::Attested, Some(Box::new(Accepted::new(*checked, uri.as_bytes()))))
            }
            Seen::Gone => (Finding::ObjectGone, None),
            Seen::Failed(error) => (self.failed(&error, Some(stored())), None),
        })
    }

    /// What is found of something whose attestation is large.
    pub(super) async fn large(&self, artifact: &Artifact) -> Seen {
        match self.checker.check(artifact, std::num::NonZeroUsize::MIN, &NoProgress).await {
            Ok(checked) => Seen::Checked(Box::new(checked)),
            Err(CheckError::NoArtifact) => Seen::Gone,
            Err(error) => Seen::Failed(error),
        }
    }

    /// Whether a file of this name is a log.
    fn is_not_ours(&self, path: &Path) -> bool {
        let name = path.as_os_str().as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        self.not_ours.iter().any(|not| not.as_bytes() == name)
    }
}

/// What a policy calls an object.
pub(super) fn stored() -> ArtifactKind {
    ArtifactKind::Stored(argo_attest_core::argo::StoreKind::S3)
}

fn accepted(checked: Checked, path: &Path) -> Box<Accepted> {
    Box::new(Accepted::new(checked, path.as_os_str().as_bytes()))
}

/// What an attestation of nothing is.
enum Found {
    Outcome(OutcomeWords),
    /// One whose artifact is gone.
    Nothing,
    Finding(Finding),
}

/// Reads one in the forms in which it lies.
async fn read(checker: &Checker, path: &Path, forms: &[Orphan]) -> Found {
    let mut rejected: Option<Rejection> = None;
    for form in forms {
        let bytes = match form.read().await {
            Ok(bytes) => bytes,
            Err(error) => return Found::Finding(Finding::Unknown(Told::of(error.reason(), &error))),
        };
        match check_outcome(checker, &bytes) {
            Ok(found) => return Found::Outcome(found.words),
            Err(no) => rejected = rejected.or(Some(no)),
        }
    }
    // By its name alone: whether an attestation that no trusted key signed is an outcome, or one of
    // something that is gone, nobody can say.
    let name = path.as_os_str().as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match rejected {
        Some(no) if name.starts_with(OUTCOME.as_bytes()) && no.reason() != Reason::OtherClaim => {
            Found::Finding(Finding::Rejected(Told::from(&no)))
        }
        _ => Found::Nothing,
    }
}

/// The forms of each, together: the bundle, then the lines, and no manifest where there is one of
/// these. Each by the path of its first form.
fn by_artifact(orphans: Vec<Orphan>) -> Vec<(PathBuf, Vec<Orphan>)> {
    let mut all: BTreeMap<OsString, BTreeMap<OsString, Orphan>> = BTreeMap::new();
    for orphan in orphans {
        let path = orphan.path().into_os_string();
        let first = path.to_str().and_then(first_form_of).map_or_else(|| path.clone(), OsString::from);
        all.entry(first).or_default().insert(path, orphan);
    }
    let forms = |(first, forms): (OsString, BTreeMap<OsString, Orphan>)| {
        let is_manifest = |path: &OsStr| is_called_manifest(path.as_bytes());
        let (lists, mut rest): (Vec<_>, Vec<_>) = forms.into_iter().partition(|(path, _)| is_manifest(path));
        rest.sort_by_key(|(path, _)| *path != first);
        let path = rest.first().or_else(|| lists.first()).map_or(first, |(path, _)| path.clone());
        (PathBuf::from(path), rest.into_iter().map(|(_, orphan)| orphan).collect())
    };
    let mut all: Vec<_> = all.into_iter().map(forms).collect();
    all.sort_by(|(one, _), (other, _)| one.as_os_str().cmp(other.as_os_str()));
    all
}
