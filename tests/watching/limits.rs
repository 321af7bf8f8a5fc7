//! When the kernel gives no watches, no watcher, or loses events: scanning
//! takes over, and nothing is lost.

use std::path::Path;
use std::process::Command;

use argo_attest::observe::{Hint, HintSink, Inotify, ObservationStats, Watch, WatchError};

use crate::fixture::{Scene, assert_same, config, digests, is_root, large, written};
use crate::skip::{skip, skip_as_this_user};

fn names() -> Vec<String> {
    (0..2000).map(|n| format!("out/{}/{n}", n % 50)).collect()
}

/// Produces while `watch` fails in its way; what was closed is digested before
/// the end all the same.
fn survive(watch: Box<dyn Watch>, fallbacks: u64) -> ObservationStats {
    let scene = Scene::watched_by(large(), config(&["out"]), watch);
    for name in names() {
        scene.write(&name);
    }
    scene.await_digests(2000);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names()));
    assert_eq!(found.stats.fallbacks, fallbacks);
    found.stats
}

/// Fails as `inotify_init1(2)` does at its limit.
struct NoInstances;

impl Watch for NoInstances {
    fn arm(&mut self, _sink: HintSink) -> Result<(), WatchError> {
        Err(WatchError::Instances)
    }

    fn add(&mut self, _dir: &Path) -> Result<(), WatchError> {
        unreachable!("nothing is watched without a watcher")
    }
}

#[test]
fn no_watcher() {
    let stats = survive(Box::new(NoInstances), 1);
    assert!(stats.rescans > 0, "{stats:?}");
}

/// Watches so many directories and then fails as `inotify_add_watch(2)` does.
struct FewWatches {
    inner: Inotify,
    left: u32,
}

impl Watch for FewWatches {
    fn arm(&mut self, sink: HintSink) -> Result<(), WatchError> {
        self.inner.arm(sink)
    }

    fn add(&mut self, dir: &Path) -> Result<(), WatchError> {
        self.left = self.left.checked_sub(1).ok_or(WatchError::Watches)?;
        self.inner.add(dir)
    }
}

#[test]
fn few_watches() {
    survive(Box::new(FewWatches { inner: Inotify::new(), left: 5 }), 1);
}

/// Never tells of anything but that it has lost something.
struct Lossy(Option<HintSink>);

impl Watch for Lossy {
    fn arm(&mut self, sink: HintSink) -> Result<(), WatchError> {
        self.0 = Some(sink);
        Ok(())
    }

    fn add(&mut self, _dir: &Path) -> Result<(), WatchError> {
        self.0.as_ref().unwrap().rescan();
        Ok(())
    }
}

/// Each scan adds watches again, each of which asks for another scan: it must
/// neither end nor take all of a core.
#[test]
fn every_event_lost() {
    let stats = survive(Box::new(Lossy(None)), 0);
    assert!(stats.rescans > 0, "{stats:?}");
}

/// Tells nothing at all.
struct Mute;

impl Watch for Mute {
    fn arm(&mut self, sink: HintSink) -> Result<(), WatchError> {
        sink.hint(Path::new("/elsewhere"), Hint::Ready);
        Ok(())
    }

    fn add(&mut self, _dir: &Path) -> Result<(), WatchError> {
        Ok(())
    }
}

#[test]
fn no_event_at_all_costs_only_time() {
    let scene = Scene::watched_by(large(), config(&["out"]), Box::new(Mute));
    for name in names() {
        scene.write(&name);
    }
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names()));
    assert_eq!((found.stats.files_before_end, found.stats.files_after_end), (0, 2000));
}

/// Runs one of the tests below, which are ignored otherwise, in a user
/// namespace where a kernel limit is low. The limit is nobody else's there.
fn in_namespace(limit: &str, value: u32, test: &str) {
    let script = format!("echo {value} > /proc/sys/user/{limit} && exec \"$0\" \"$@\"");
    let output = Command::new("unshare")
        .args(["-Ur", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .output();
    let printed = match &output {
        Ok(o) => format!("{}\n{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr)),
        Err(e) => e.to_string(),
    };
    if !printed.contains("running 1 test") {
        let needs = format!("unshare -Ur and a writable {limit}: {printed}");
        // In a namespace within another one the limits may be another's.
        if is_root() {
            skip(&needs);
        } else {
            skip_as_this_user(&needs);
        }
        return;
    }
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
fn the_kernels_limit_of_watches() {
    in_namespace("max_inotify_watches", 5, "limits::under_a_limit");
}

#[test]
fn the_kernels_limit_of_watchers() {
    in_namespace("max_inotify_instances", 0, "limits::under_a_limit");
}

#[test]
#[ignore = "run by the tests of the kernel's limits"]
fn under_a_limit() {
    survive(Box::new(Inotify::new()), 1);
}
