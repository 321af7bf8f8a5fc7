//! How an observation ends: progress, cancellation, files that will not rest.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argo_attest::observe::{
    Also, Baseline, Cancel, Inotify, NoProgress, Observer, ObserverConfig, ObserverError, Pool, Presence,
    Progress, Refusal, Root, digest_tree,
};

use crate::fixture::{Scene, assert_same, cold, config, digests, path, write, written};
use crate::skip::skip;

#[derive(Default)]
struct Told {
    total: AtomicU64,
    advanced: AtomicU64,
}

impl Progress for Told {
    fn total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    fn advanced(&self, bytes: u64) {
        self.advanced.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn changed(dir: &Path, name: &str) -> i64 {
    let metadata = fs::metadata(dir.join(name)).unwrap();
    metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()
}

/// What was added, renamed or removed leaves a trace in its directory alone.
#[test]
fn tells_when_directories_were_last_changed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["out/deep/a", "out/b", "other/c"] {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), name).unwrap();
    }
    let before = changed(dir.path(), "out");
    let deadline = Instant::now() + Duration::from_mins(1);
    while changed(dir.path(), "out/deep") <= before {
        assert!(Instant::now() < deadline, "the clock stands still");
        fs::write(dir.path().join("out/deep/more"), "").unwrap();
        fs::remove_file(dir.path().join("out/deep/more")).unwrap();
    }
    let scene = Scene::with(dir, &["out", "out/b", "other", "none"]);
    let (found, dir) = scene.finish();
    let told = |name: &str| found.rearranged[&path(name)];
    assert_eq!(told("out"), changed(dir.path(), "out/deep"));
    assert_eq!(told("other"), changed(dir.path(), "other"));
    assert_eq!((told("out/b"), told("none")), (i64::MIN, i64::MIN));
}

#[test]
fn progress_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..20_u32 {
        fs::write(dir.path().join(n.to_string()), vec![0; 10_000]).unwrap();
    }
    let root = Root::open(dir.path()).unwrap();
    let told = Told::default();
    let workers = NonZeroUsize::new(2).unwrap();
    let found = digest_tree(&root, &path(""), workers, &told, &Cancel::new()).unwrap();
    assert_eq!(found.files.len(), 20);
    assert_eq!(told.total.into_inner(), 200_000);
    assert_eq!(told.advanced.into_inner(), 200_000);
    assert_eq!((found.stats.files_before_end, found.stats.files_after_end), (0, 20));
}

#[test]
fn one_file_as_a_tree() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x"), "1").unwrap();
    fs::write(dir.path().join("y"), "2").unwrap();
    let found = cold(dir.path(), "x");
    assert_eq!(found.files.keys().collect::<Vec<_>>(), [&path("x")]);
    assert_eq!(found.interests[&path("x")], Presence::File);
    assert_eq!(cold(dir.path(), "z").interests[&path("z")], Presence::Missing);
}

#[test]
fn cancelled_in_a_sparse_terabyte() {
    let scene = Scene::new();
    for n in 0..50 {
        scene.write(&format!("out/{n}"));
    }
    scene.await_digests(50);
    if let Err(e) = File::create(scene.at("out/huge")).unwrap().set_len(1 << 40) {
        skip(&format!("a file system with files of a terabyte: {e}"));
        return;
    }
    let stats = scene.observer.stats();
    let cancel = Cancel::new();
    let asked = thread::scope(|scope| {
        let finish = scope.spawn(|| scene.observer.finish(&NoProgress, &cancel).unwrap());
        crate::fixture::until("reading the huge file", || {
            let now = stats.snapshot();
            now.bytes_before_end + now.bytes_after_end > 10_000_000
        });
        let asked = Instant::now();
        cancel.cancel();
        let found = finish.join().unwrap();
        assert!(!found.complete);
        assert_eq!(found.refused.into_iter().collect::<Vec<_>>(), [(path("out/huge"), Refusal::Unfinished)]);
        assert_eq!(found.files.len(), 50, "what was digested before still counts");
        asked
    });
    // A second is what is promised; a machine under load gets some more.
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

/// What is read already when the command ends is most of what is waited for.
#[test]
fn what_is_being_read_when_the_command_ends_is_told_of() {
    let scene = Scene::new();
    scene.write("out/small");
    scene.await_digests(1);
    if let Err(e) = File::create(scene.at("out/huge")).unwrap().set_len(1 << 40) {
        skip(&format!("a file system with files of a terabyte: {e}"));
        return;
    }
    let stats = scene.observer.stats();
    let read = || stats.snapshot().bytes_before_end;
    crate::fixture::until("reading the huge file", || read() > 10_000_000);
    let before = read();
    let (told, cancel) = (Told::default(), Cancel::new());
    thread::scope(|scope| {
        let finish = scope.spawn(|| scene.observer.finish(&told, &cancel).unwrap());
        crate::fixture::until("being told", || told.advanced.load(Ordering::Relaxed) > 0);
        cancel.cancel();
        finish.join().unwrap();
    });
    let (total, advanced) = (told.total.into_inner(), told.advanced.into_inner());
    assert!(
        advanced <= total && total <= (1 << 40) - before + 1_000_000,
        "{advanced} of {total}, {before} before"
    );
    assert!(total > 1 << 39, "{total}");
}

/// Whoever has no time for the first scan loses nothing but time.
#[test]
fn a_first_scan_that_is_stopped_is_made_up_for_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..50 {
        write(dir.path(), &format!("out/{n}"));
    }
    let pool = Pool::start(NonZeroUsize::MIN, Also::Nothing).unwrap();
    let stopped = Cancel::new();
    stopped.cancel();
    let start = |baseline| {
        let config = ObserverConfig { baseline, ..config(&["out"]) };
        let root = Root::open(dir.path()).unwrap();
        Observer::start(root, config, Box::new(Inotify::new()), &pool, &stopped)
    };
    let observer = start(Baseline::Include).unwrap();
    let found = observer.finish(&NoProgress, &Cancel::new()).unwrap();
    assert!(found.complete);
    assert_same(&digests(&found), &written((0..50).map(|n| format!("out/{n}"))));
    // What was there before cannot be made up for.
    assert!(matches!(start(Baseline::OnlyNewOrChanged), Err(ObserverError::Stopped)));
}

/// Roots that share a pool get each their own files, and leave it to the others.
#[test]
fn observers_share_a_pool() {
    let pool = Pool::start(NonZeroUsize::MIN, Also::Nothing).unwrap();
    let scenes: Vec<_> = (0..3)
        .map(|n| {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), &format!("out/{n}"));
            let root = Root::open(dir.path()).unwrap();
            let watch = Box::new(Inotify::new());
            let observer = Observer::start(root, config(&["out"]), watch, &pool, &Cancel::new()).unwrap();
            (n, observer, dir)
        })
        .collect();
    drop(pool);
    for (n, observer, _dir) in scenes {
        if n == 1 {
            continue;
        }
        let found = observer.finish(&NoProgress, &Cancel::new()).unwrap();
        assert_same(&digests(&found), &written([format!("out/{n}")]));
    }
}

#[test]
fn a_file_that_never_rests_is_refused_and_the_rest_is_not() {
    let scene = Scene::new();
    scene.write("out/quiet");
    let stop = AtomicBool::new(false);
    let restless = scene.at("out/restless");
    let (found, _dir) = thread::scope(|scope| {
        let file = OpenOptions::new().create(true).append(true).open(restless).unwrap();
        // So large that the writer gets its turn while it is read.
        file.set_len(512 << 20).unwrap();
        scope.spawn(|| {
            let mut file = file;
            let end = Instant::now() + crate::fixture::DEADLINE;
            while !stop.load(Ordering::Relaxed) && Instant::now() < end {
                file.write_all(b"more").unwrap();
            }
        });
        let done = scene.finish();
        stop.store(true, Ordering::Relaxed);
        done
    });
    assert_same(&digests(&found), &written(["out/quiet".to_owned()]));
    assert!(matches!(found.refused[&path("out/restless")], Refusal::Unstable { .. }), "{:?}", found.refused);
    assert!(found.complete);
}

#[test]
fn changed_after_its_digest_means_digested_again() {
    let scene = Scene::new();
    for n in 0..10 {
        scene.write(&format!("out/{n}"));
    }
    scene.await_digests(10);
    // A store that no close follows: the descriptor stays open.
    let mut file = OpenOptions::new().write(true).open(scene.at("out/3")).unwrap();
    file.write_all(b"THE").unwrap();
    let (found, dir) = scene.finish();
    assert_same(&digests(&found), &digests(&cold(dir.path(), "out")));
    let changed = &found.files[&path("out/3")];
    assert!(!changed.before_end && changed.reads > 1);
    assert_eq!(found.files.values().filter(|file| !file.before_end).count(), 1);
}

#[test]
fn an_observer_may_be_dropped() {
    let scene = Scene::new();
    File::create(scene.at("out")).unwrap().set_len(1 << 34).unwrap();
    let start = Instant::now();
    drop(scene);
    assert!(start.elapsed() < Duration::from_secs(10));
}
