//! A directory under observation, and what should be found in it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use argo_attest::observe::{
    Also, Cancel, Inotify, NoProgress, Observation, Observer, ObserverConfig, Pool, Root, Watch, digest_tree,
};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::RelPath;

/// Far more than anything takes, even where many tests share one core.
pub(crate) const DEADLINE: Duration = Duration::from_mins(2);

const WORKERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// A directory and its observer.
pub(crate) struct Scene {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) observer: Observer,
}

impl Scene {
    /// Observes `out`, which does not exist yet.
    pub(crate) fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap(), &["out"])
    }

    /// As [`Self::new`], for thousands of files.
    pub(crate) fn large() -> Self {
        Self::with(large(), &["out"])
    }

    pub(crate) fn with(dir: tempfile::TempDir, interests: &[&str]) -> Self {
        Self::watched_by(dir, config(interests), Box::new(Inotify::new()))
    }

    pub(crate) fn watched_by(dir: tempfile::TempDir, config: ObserverConfig, watch: Box<dyn Watch>) -> Self {
        let pool = Pool::start(WORKERS, Also::Crc64Nvme).unwrap();
        let root = Root::open(dir.path()).unwrap();
        let observer = Observer::start(root, config, watch, &pool, &Cancel::new()).unwrap();
        Self { dir, observer }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and the directories above it; its content follows from its name.
    pub(crate) fn write(&self, name: &str) {
        write(self.dir.path(), name);
    }

    /// Waits until so many digests were finished while the command ran.
    pub(crate) fn await_digests(&self, count: u64) {
        let stats = self.observer.stats();
        until("digests before the end", || stats.snapshot().files_before_end >= count);
    }

    /// Ends the command and gives what was found.
    pub(crate) fn finish(self) -> (Observation, tempfile::TempDir) {
        self.observer.mark_end();
        let observation = self.observer.finish(&NoProgress, &Cancel::new()).unwrap();
        (observation, self.dir)
    }
}

/// A directory for thousands of files: in memory where there is room, because
/// making and deleting them on a busy disk takes minutes.
pub(crate) fn large() -> tempfile::TempDir {
    let memory = "/dev/shm";
    let room = rustix::fs::statvfs(memory).map_or(0, |s| s.f_bavail.saturating_mul(s.f_frsize));
    match tempfile::tempdir_in(memory) {
        Ok(dir) if room > 2 << 30 => dir,
        _ => tempfile::tempdir().unwrap(),
    }
}

pub(crate) fn config(interests: &[&str]) -> ObserverConfig {
    let interests = interests.iter().map(path).collect();
    ObserverConfig::new(interests)
}

pub(crate) fn path(bytes: impl AsRef<[u8]>) -> RelPath {
    RelPath::from_bytes(bytes.as_ref()).unwrap()
}

pub(crate) fn content(name: &str) -> String {
    format!("the content of {name}")
}

pub(crate) fn write(dir: &Path, name: &str) {
    let file = dir.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content(name)).unwrap();
}

/// Waits for a condition, and panics when it does not come.
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "{what}: not within {DEADLINE:?}");
        std::thread::yield_now();
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Every file and its digest.
pub(crate) fn digests(observation: &Observation) -> BTreeMap<RelPath, Sha256Digest> {
    observation.files.iter().map(|(path, file)| (path.clone(), file.digest)).collect()
}

/// What `digests` has to be when these files were written by [`write`].
pub(crate) fn written(names: impl IntoIterator<Item = String>) -> BTreeMap<RelPath, Sha256Digest> {
    names.into_iter().map(|name| (path(&name), Sha256Digest::of(content(&name).as_bytes()))).collect()
}

/// Compares maps of thousands of files without printing them.
pub(crate) fn assert_same(
    found: &BTreeMap<RelPath, Sha256Digest>,
    expected: &BTreeMap<RelPath, Sha256Digest>,
) {
    let missing: Vec<_> = expected.keys().filter(|p| !found.contains_key(p)).take(5).collect();
    let surplus: Vec<_> = found.keys().filter(|p| !expected.contains_key(p)).take(5).collect();
    let wrong: Vec<_> =
        found.iter().filter(|(p, d)| expected.get(p).is_some_and(|e| e != *d)).take(5).collect();
    assert!(
        found == expected,
        "found {}, expected {}; missing {missing:?}, surplus {surplus:?}, wrong {wrong:?}",
        found.len(),
        expected.len()
    );
}

/// The digests of a directory that nobody watched.
pub(crate) fn cold(dir: &Path, top: &str) -> Observation {
    let root = Root::open(dir).unwrap();
    digest_tree(&root, &path(top), WORKERS, &NoProgress, &Cancel::new()).unwrap()
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
