//! One stretch of work, watched from before it begins until after it ended.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use argo_attest_core::relpath::RelPath;

use super::{
    Also, Artifact, Baseline, Cancel, Observation, ObservationStats, Observer, ObserverConfig, ObserverError,
    Pool, Progress, Root, RootError, SealedArtifact, Watch,
};

/// How to watch.
#[derive(Debug)]
pub struct Watching {
    /// What counts: all that is there, or only what is new or changed.
    pub baseline: Baseline,
    /// Paths beneath every root that are never part of an artifact.
    pub excluded: Vec<RelPath>,
    /// Names that are never part of an artifact, wherever they are.
    pub excluded_names: Vec<&'static str>,
    /// Threads that digest, over all roots.
    pub workers: NonZeroUsize,
    /// What they compute besides.
    pub also: Also,
    /// Makes what tells of changes, one for each root.
    pub watch: fn() -> Box<dyn Watch>,
}

/// Watching cannot begin, or not be brought to an end.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A directory above an artifact cannot be opened.
    #[error(transparent)]
    Root(#[from] RootError),
    /// It cannot be observed.
    #[error(transparent)]
    Observer(#[from] ObserverError),
}

/// Watches armed over the artifacts' directories.
#[derive(Debug)]
pub struct Session {
    artifacts: Vec<Artifact>,
    observers: Vec<(PathBuf, Observer)>,
    baseline: Baseline,
}

/// What was seen, once nothing more is awaited.
#[derive(Debug)]
pub struct Sealed {
    artifacts: Vec<Artifact>,
    observations: BTreeMap<PathBuf, Observation>,
    baseline: Baseline,
}

impl Session {
    /// Arms the watches. On return, nothing that is written from now on is missed. Blocks
    /// while it looks at what is there already, until `cancel` is called.
    pub fn start(
        artifacts: Vec<Artifact>,
        watching: &Watching,
        cancel: &Cancel,
    ) -> Result<Self, SessionError> {
        let pool = Pool::start(watching.workers, watching.also).map_err(ObserverError::Thread)?;
        let mut roots: BTreeMap<&Path, Vec<RelPath>> = BTreeMap::new();
        for artifact in &artifacts {
            roots.entry(&artifact.root).or_default().push(artifact.path.clone());
        }
        let mut observers = Vec::with_capacity(roots.len());
        for (path, interests) in roots {
            let config = ObserverConfig {
                interests,
                excluded: watching.excluded.clone(),
                excluded_names: watching.excluded_names.clone(),
                baseline: watching.baseline,
            };
            let observer = Observer::start(Root::open(path)?, config, (watching.watch)(), &pool, cancel)?;
            observers.push((path.to_owned(), observer));
        }
        Ok(Self { artifacts, observers, baseline: watching.baseline })
    }

    /// What was digested so far, over all roots.
    pub fn stats(&self) -> ObservationStats {
        self.observers.iter().map(|(_, observer)| observer.stats().snapshot()).sum()
    }

    /// The work ended: what is digested from here on counts as late.
    pub fn mark_end(&self) {
        for (_, observer) in &self.observers {
            observer.mark_end();
        }
    }

    /// Looks at everything once more and digests what is missing. Blocks.
    pub fn finish(self, progress: &dyn Progress, cancel: &Cancel) -> Result<Sealed, SessionError> {
        let finish = |(root, observer): (PathBuf, Observer)| Ok((root, observer.finish(progress, cancel)?));
        let observations = self.observers.into_iter().map(finish).collect::<Result<_, SessionError>>()?;
        Ok(Sealed { artifacts: self.artifacts, observations, baseline: self.baseline })
    }
}

impl Sealed {
    /// What was digested, and when, over all roots.
    pub fn stats(&self) -> ObservationStats {
        self.observations.values().map(|o| o.stats).sum()
    }

    /// What was watched for, in the order in which it was given.
    pub fn watched(&self) -> &[Artifact] {
        &self.artifacts
    }

    /// Every artifact as it was seen, in the order in which they were given. Each is made when
    /// its turn comes, and what it is made of is kept no longer.
    pub fn into_artifacts(self) -> impl Iterator<Item = SealedArtifact> {
        let Self { artifacts, mut observations, baseline } = self;
        let shared = shared(&artifacts);
        artifacts.into_iter().zip(shared).filter_map(move |(artifact, shared)| {
            let observation = observations.get_mut(&artifact.root)?;
            Some(SealedArtifact::new(artifact, observation, shared, baseline))
        })
    }
}

/// Of each artifact whether it is, is in or holds another one.
fn shared(artifacts: &[Artifact]) -> Vec<bool> {
    let mut shared = vec![false; artifacts.len()];
    let places = artifacts.iter().enumerate();
    let places: HashMap<_, _> = places.map(|(at, artifact)| ((&artifact.root, &artifact.path), at)).collect();
    for (at, artifact) in artifacts.iter().enumerate() {
        for above in std::iter::successors(Some(artifact.path.clone()), RelPath::parent) {
            let outer = places.get(&(&artifact.root, &above)).filter(|outer| **outer != at);
            for met in outer.into_iter().flat_map(|outer| [*outer, at]) {
                shared.get_mut(met).into_iter().for_each(|shared| *shared = true);
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_meets_another_is_shared() {
        let given = ["/a out", "/a out/x", "/a out.x", "/a other", "/b out", "/b out", "/c ", "/c deep/er"];
        let artifacts = given.map(|given| {
            let (root, path) = given.split_once(' ').unwrap();
            let path = RelPath::from_bytes(path.as_bytes()).unwrap();
            Artifact { name: given.to_owned(), root: root.into(), path }
        });
        let found = shared(&artifacts);
        let meet = |a: &Artifact, b: &Artifact| {
            a.root == b.root && (a.path.starts_with(&b.path) || b.path.starts_with(&a.path))
        };
        let expected: Vec<_> =
            artifacts.iter().map(|a| artifacts.iter().filter(|b| meet(a, b)).count() > 1).collect();
        assert_eq!(found, expected);
        assert_eq!(found, [true, true, false, false, true, true, true, true]);
    }
}
