//! A directory or a prefix: every artifact, and every attestation of what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::audit::{Finding, OutcomeFinding, Told, of_outcome};
use argo_attest_core::contract::store::OUTCOME;
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::verify::{Reason, Rejection};
use futures_util::stream::StreamExt as _;

use super::auditor::is_unattested;
use super::object::{Seen, seen};
use super::outcomes::{is_ended, run_of};
use super::{Auditor, Entry, Outcomes, Step, Subject};
use crate::attestations::{Address, artifact_of, first_form_of, is_called_manifest};
use crate::observe::NoProgress;
use crate::report::Accepted;
use crate::store::Location;
use crate::verify::{Artifact, CheckError, Checked, Checker, Orphan, check_outcome};

/// What the names of all objects begin with that can be asked for.
const SCHEME: &str = "s3://";

/// An artifact that was found, as what a policy calls it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The artifact.
    pub artifact: Artifact,
    /// What a policy calls it where it has no attestation.
    pub kind: Option<ArtifactKind>,
}

/// What attestations of what is not there say, until it is told.
#[derive(Debug, Default)]
pub struct Left {
    entries: Vec<Entry>,
    /// Objects that outcomes say are attested, and that were not listed.
    objects: Vec<(Arc<Step>, Option<String>, String)>,
    others: Vec<(PathBuf, Finding)>,
}

impl Left {
    /// Keeps what an outcome says that is more than that something is attested which is there.
    fn outcome(&mut self, path: &Path, words: &OutcomeWords, listed: &BTreeSet<PathBuf>) {
        let step = Arc::new(Step::of_outcome(words));
        for OutcomeFinding { output, attestation, finding, digest: _ } in of_outcome(words) {
            let step = Arc::clone(&step);
            let Some(finding) = finding else {
                let Some(uri) = attestation.as_deref().map(|uri| Address::new(uri).artifact()) else {
                    continue;
                };
                let is_listed = |uri: &str| listed.contains(Path::new(uri));
                if !is_listed(&uri) && !is_listed(&format!("{uri}/")) {
                    self.objects.push((step, output, uri));
                }
                continue;
            };
            let subject = output.map_or_else(|| Subject::Attestation(path.to_owned()), Subject::Output);
            self.entries.push(Entry { step: Some(step), subject, finding, accepted: None });
        }
    }
}

impl Auditor {
    /// Says of each artifact what there is to say, in their order, but for those of which it was
    /// said already.
    ///
    /// Errors: those of `tell`.
    pub async fn artifacts<E>(
        &self,
        artifacts: Vec<Listed>,
        told: &BTreeSet<PathBuf>,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let left = artifacts.into_iter().filter(|one| !told.contains(&one.artifact.name())).collect();
        let checker = Arc::clone(&self.checker);
        let each = move |Listed { artifact, kind }| {
            let checker = Arc::clone(&checker);
            async move {
                let path = artifact.name();
                // Of answers that wait for those before them no more is kept than what is told.
                let found = checker.check_beside(artifact).await;
                let found = found.map(|found| found.map(|checked| accepted(checked, &path)));
                (path, kind, found)
            }
        };
        let mut found = self.lanes.each::<Listed, _, _, _>(left, each);
        while let Some((path, kind, found)) = found.next().await {
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
            tell(Entry { step: None, subject, finding, accepted })?;
        }
        Ok(())
    }

    /// Looks at each attestation of what is not there: a step's outcome says more, of any other the
    /// artifact is gone. Outcomes of runs that are audited are kept for that. `listed` are the
    /// artifacts that are there.
    pub async fn look_at(
        &self,
        orphans: Vec<Orphan>,
        listed: &BTreeSet<PathBuf>,
        outcomes: &mut Outcomes,
    ) -> Left {
        let asked = Arc::clone(&self.asked);
        let each = move |(path, forms): (PathBuf, Vec<Orphan>)| {
            let asked = Arc::clone(&asked);
            async move {
                let found = read(&asked, &path, &forms).await;
                (path, found)
            }
        };
        let mut found = self.lanes.each(by_artifact(orphans), each);
        let (mut left, mut open, mut ended) = (Left::default(), Vec::new(), BTreeMap::new());
        while let Some((path, found)) = found.next().await {
            match found {
                Found::Outcome(words) if outcomes.asks_for(&words) => outcomes.note(words),
                Found::Outcome(words) => match run_of(&words) {
                    Some(run) if is_ended(&words) => {
                        let last = ended.entry(run).or_insert(None);
                        *last = (*last).max(words.started_on);
                        left.outcome(&path, &words, listed);
                    }
                    _ => open.push((path, words)),
                },
                Found::Nothing => left.others.push((path, Finding::Orphan)),
                Found::Finding(finding) => left.others.push((path, finding)),
            }
        }
        for (path, words) in open {
            // The node ran again, and that pod's outcome says how it ended.
            let last = run_of(&words).and_then(|run| ended.get(&run).copied());
            if last.is_none_or(|last| last < words.started_on) {
                left.outcome(&path, &words, listed);
            }
        }
        left
    }

    /// Says what was found by that, but of what it was said already.
    ///
    /// Errors: those of `tell`.
    pub async fn left<E>(
        &self,
        left: Left,
        told: &BTreeSet<PathBuf>,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        left.entries.into_iter().try_for_each(&mut tell)?;
        let mut named = BTreeSet::new();
        for (step, output, uri) in left.objects {
            let path = PathBuf::from(&uri);
            if told.contains(&path) {
                continue;
            }
            let Some((finding, accepted)) = self.elsewhere(&uri).await else { continue };
            named.insert(path.clone());
            tell(Entry { step: Some(step), subject: Subject::Artifact { path, output }, finding, accepted })?;
        }
        for (path, finding) in left.others {
            // What is missing was named already.
            if finding == Finding::Orphan && (is_of(&path, told) || is_of(&path, &named)) {
                continue;
            }
            tell(Entry { step: None, subject: Subject::Attestation(path), finding, accepted: None })?;
        }
        Ok(())
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
    let mut all: BTreeMap<PathBuf, BTreeMap<PathBuf, Orphan>> = BTreeMap::new();
    for orphan in orphans {
        let path = orphan.path();
        let first = path.to_str().and_then(first_form_of).map_or_else(|| path.clone(), PathBuf::from);
        all.entry(first).or_default().insert(path, orphan);
    }
    let forms = |(first, forms): (PathBuf, BTreeMap<PathBuf, Orphan>)| {
        let is_manifest = |path: &Path| is_called_manifest(path.as_os_str().as_bytes());
        let (lists, mut rest): (Vec<_>, Vec<_>) = forms.into_iter().partition(|(path, _)| is_manifest(path));
        rest.sort_by_key(|(path, _)| *path != first);
        let path = rest.first().or_else(|| lists.first()).map_or(first, |(path, _)| path.clone());
        (path, rest.into_iter().map(|(_, orphan)| orphan).collect())
    };
    all.into_iter().map(forms).collect()
}

/// Whether it is the attestation of one of these objects, beside it or apart.
fn is_of(path: &Path, objects: &BTreeSet<PathBuf>) -> bool {
    let Some(name) = path.to_str() else { return false };
    let beside = artifact_of(name).map(PathBuf::from);
    let apart = Location::artifact(name).ok().and_then(|(location, key)| {
        let Location::S3 { bucket, .. } = location else { return None };
        artifact_of(key.as_str()).map(|key| PathBuf::from(format!("{SCHEME}{bucket}/{key}")))
    });
    [beside, apart].into_iter().flatten().any(|object| objects.contains(&object))
}
