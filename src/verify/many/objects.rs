//! The artifacts beneath a prefix of a bucket, some after the others: of those that are behind, and of those
//! that are still to come, only the names are here.

use std::ffi::OsString;
use std::sync::Arc;

use argo_attest_core::argo::StoreKind;
use argo_attest_core::policy::ArtifactKind;

use super::artifacts::FoundArtifact;
use super::lanes::Lanes;
use super::looked::Looked;
use super::part::{Changed, Look, Part, Unchanged};
use super::prefix::key_of;
use super::surveyed::{Room, Surveyed};
use super::{Artifact, Orphan, address};
use crate::attestations::{At, Sorted, is_of_some_files};
use crate::store::{ObjectKey, Store, StoreError};

/// Names that are looked at together: attestations of these are read once, as far as there is room for them.
const TOGETHER: usize = 1024;
/// No fewer and no more than these.
const LEAST: usize = 128;
const MOST: usize = 4096;

/// All artifacts beneath a prefix.
#[derive(Debug)]
pub(super) struct Objects {
    store: Arc<Surveyed>,
    part: Part,
    changed: Changed,
    /// Where we are, and which one of all is next.
    at: At,
    next: u64,
    known: Known,
    /// How many names are looked at together.
    together: usize,
    least: usize,
}

/// What is known of what is called like an attestation of something that is not there; of all others only if
/// that had to be known.
#[derive(Debug, Default)]
struct Known {
    /// By their places among all names: whether they are what they are called, and whether that is not known.
    are: Marks,
    unread: Marks,
    /// Why it is not known of one of them.
    why: Option<Arc<StoreError>>,
    /// Whether all were looked at.
    is_all: bool,
}

/// What there is beside the artifacts.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) orphans: Vec<Orphan>,
    pub(super) old_outcomes: Vec<Orphan>,
    pub(super) unchanged: u64,
    pub(super) has_others: bool,
}

impl Objects {
    /// Of what was surveyed those of a part. What is called like an attestation of something that is not
    /// there is looked at now: workflows hang on that.
    pub(super) async fn of(
        store: Arc<Surveyed>,
        part: Part,
        changed: Changed,
        lanes: &Lanes,
    ) -> (Self, Beside) {
        let (mut beside, mut unchanged) = (Beside::default(), Unchanged::default());
        let (mut artifacts, mut attestations) = (0, 0_usize);
        for sorted in store.sorting().iter() {
            match part.look(&sorted, &changed, store.sorting()) {
                Look::OfOthers => beside.has_others = true,
                Look::Unchanged | Look::ForWorkflows => unchanged.note(&sorted),
                Look::At => match sorted {
                    Sorted::Artifact(_) | Sorted::Directory(_) => artifacts += 1,
                    Sorted::Beside(_) => attestations += 1,
                    Sorted::Doubtful(_) => {}
                },
            }
        }
        beside.unchanged = unchanged.count();
        let (known, least) = (Known::default(), artifacts);
        let mut objects =
            Self { store, part, changed, at: At::default(), next: 0, known, together: TOGETHER, least };
        objects.look_at(lanes, |sorted| matches!(sorted, Sorted::Doubtful(_)), &mut beside).await;
        if objects.least == 0 && attestations > 0 {
            // Whether there is any artifact hangs on them.
            objects.look_at(lanes, |sorted| matches!(sorted, Sorted::Beside(_)), &mut beside).await;
            objects.known.is_all = true;
        }
        (objects, beside)
    }

    /// Looks at all that are sorted so.
    async fn look_at(&mut self, lanes: &Lanes, which: fn(&Sorted) -> bool, beside: &mut Beside) {
        let (mut at, mut is_end) = (At::default(), false);
        while !is_end {
            let mut asked = Vec::new();
            while asked.len() < self.together {
                let Some(sorted) = self.store.sorting().next(&mut at) else {
                    is_end = true;
                    break;
                };
                let look = which(&sorted).then(|| self.look(&sorted));
                if let Some(look @ (Look::At | Look::ForWorkflows)) = look
                    && let Some(key) = key_of(sorted.name())
                {
                    asked.push((sorted, key, look));
                }
            }
            let keys = asked.iter().map(|(_, key, _)| key.clone()).collect();
            let looked = Looked::at(lanes, &self.store, keys).await;
            for (sorted, key, look) in asked {
                self.know(&looked, &sorted, key, look, beside);
            }
            self.known.why = self.known.why.take().or(looked.why);
        }
    }

    fn know(&mut self, looked: &Looked, sorted: &Sorted, key: ObjectKey, look: Look, beside: &mut Beside) {
        let position = self.store.sorting().there().files.position(sorted.name());
        if looked.are.contains(&key) {
            self.known.are.set(position);
            if matches!(sorted, Sorted::Doubtful(_)) && !is_of_some_files(sorted.name()) {
                let orphan = Orphan::Object(Arc::clone(&self.store) as _, key);
                match look {
                    Look::ForWorkflows => beside.old_outcomes.push(orphan),
                    _ => beside.orphans.push(orphan),
                }
            }
            return;
        }
        if looked.unread.contains(&key) {
            self.known.unread.set(position);
        }
        // Else it is no outcome, and has not changed.
        self.least += usize::from(look == Look::At);
    }

    fn look(&self, sorted: &Sorted) -> Look {
        if self.part.is_all() {
            return Look::At;
        }
        self.part.look(sorted, &self.changed, self.store.sorting())
    }

    /// How many artifacts there are at least; none only if there is none.
    pub(super) fn least(&self) -> usize {
        self.least
    }

    /// The next artifacts, in the order of their names; none at the end.
    pub(super) async fn next(&mut self, lanes: &Lanes) -> Vec<FoundArtifact> {
        let mut found = Vec::new();
        while found.is_empty() {
            self.resize();
            let mut next = Vec::new();
            while next.len() < self.together {
                let Some(sorted) = self.store.sorting().next(&mut self.at) else { break };
                let number = self.next;
                self.next += 1;
                if self.look(&sorted) == Look::At {
                    next.push((number, sorted));
                }
            }
            if next.is_empty() {
                break;
            }
            let is_asked = |sorted: &Sorted| matches!(sorted, Sorted::Beside(_)) && !self.known.is_all;
            let asked = next.iter().filter(|(_, sorted)| is_asked(sorted));
            let asked = asked.filter_map(|(_, sorted)| key_of(sorted.name())).collect();
            let looked = Looked::at(lanes, &self.store, asked).await;
            self.known.why = self.known.why.take().or_else(|| looked.why.clone());
            found.extend(next.into_iter().filter_map(|(at, sorted)| self.found(sorted, at, &looked)));
        }
        found
    }

    /// As many together as there is room for what is read ahead.
    fn resize(&mut self) {
        self.together = match self.store.forget_ahead() {
            Room::TooLittle => (self.together / 2).max(LEAST),
            Room::Enough => self.together,
            Room::Plenty => (self.together * 2).min(MOST),
        };
    }

    /// The artifact; none if it is what it is called, an attestation.
    fn found(&self, sorted: Sorted, at: u64, looked: &Looked) -> Option<FoundArtifact> {
        let key = key_of(sorted.name())?;
        let store = || Arc::clone(&self.store) as Arc<dyn Store>;
        let (artifact, is_late) = match sorted {
            Sorted::Artifact(_) => (Artifact::Object(store(), key), false),
            Sorted::Directory(name) => {
                let members = self.store.sorting().members(&name);
                let members = members.iter().filter_map(|name| key_of(name)).collect();
                (Artifact::Directory(store(), key, members), false)
            }
            Sorted::Beside(name) | Sorted::Doubtful(name) => {
                let position = self.store.sorting().there().files.position(&name);
                if looked.are.contains(&key) || self.known.are.has(position) {
                    return None;
                }
                let is_unread = looked.unread.contains(&key) || self.known.unread.has(position);
                let why = self.known.why.as_ref().filter(|_| is_unread);
                let artifact = match why {
                    Some(why) => Artifact::Unread(store(), key, Arc::clone(why)),
                    None => Artifact::Object(store(), key),
                };
                (artifact, true)
            }
        };
        Some(FoundArtifact { artifact, kind: Some(ArtifactKind::Stored(StoreKind::S3)), at, is_late })
    }

    /// The names of all artifacts that are known by now, also of those that nobody looks at.
    pub(super) fn names(&self) -> impl Iterator<Item = OsString> + '_ {
        self.store.sorting().iter().filter_map(|sorted| {
            let end = if matches!(sorted, Sorted::Directory(_)) { "/" } else { "" };
            let is_artifact = match &sorted {
                Sorted::Artifact(_) | Sorted::Directory(_) => true,
                Sorted::Beside(_) if !self.known.is_all => false,
                Sorted::Beside(name) | Sorted::Doubtful(name) => {
                    let position = self.store.sorting().there().files.position(name);
                    !self.known.are.has(position) && self.look(&sorted) == Look::At
                }
            };
            let key = key_of(sorted.name()).filter(|_| is_artifact)?;
            Some(OsString::from(format!("{}{end}", address(self.store.as_ref(), &key))))
        })
    }
}

/// Marks of some of many, one bit each.
#[derive(Debug, Default)]
struct Marks(Vec<u64>);

impl Marks {
    fn set(&mut self, position: Option<usize>) {
        let Some((word, bit)) = position.map(Self::place) else { return };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn has(&self, position: Option<usize>) -> bool {
        let place = position.map(Self::place);
        place.is_some_and(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }

    fn place(position: usize) -> (usize, u64) {
        (position / 64, 1 << (position % 64))
    }
}
