//! More files than there is time for.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::namespace::Mount;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::process::until;
use crate::s3::S3;

const GRACE: u32 = 5;
/// So many that neither the first look nor the last fits into the grace period.
const MANY: usize = 300_000;

/// A volume for very many files: on a busy disk, to make and delete them takes minutes.
fn in_memory() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// So many files in one directory.
fn make(directory: &Path, count: usize) {
    fs::create_dir(directory).unwrap();
    for n in 0..count {
        fs::write(directory.join(n.to_string()), n.to_le_bytes()).unwrap();
    }
}

/// An output of so many files has an outcome within the grace period, if SIGTERM comes
/// when the sidecar is in this state, and main has ended like this.
fn told_when(state: &str, count: usize, ended: i32) {
    let s3 = S3::new();
    let output = Output::new("many", (Place::Volume, Packing::None, Shape::Directory));
    let mut pod = Pod::new(s3.address(), vec![output, Output::plain("one")]).plain().grace(GRACE);
    let volume = in_memory();
    pod.mounts[0] = Mount::Bind { from: volume.path().to_owned(), at: pod.work() };
    let made = Instant::now();
    make(Path::new(&pod.outputs[0].path(volume.path())), count);
    pod.outputs[1].write(volume.path(), &pod.argo());
    pod.end(ended);
    pod.upload_one(&s3, &pod.outputs[1]);
    let made = made.elapsed();
    let mut sidecar = pod.start();
    let started = Instant::now();
    if state == "starting" {
        // Then the first look is being taken, unless the machine is very fast.
        until("the watches", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", sidecar.pid())).ok()?;
            let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
            names.into_iter().any(|name| name.starts_with("digest-")).then_some(())
        });
    } else {
        sidecar.reaches(state);
    }
    let waited = started.elapsed();
    let told = Instant::now();
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    let took = told.elapsed();
    eprintln!("{count} files made in {made:?}; {state} after {waited:?}, ended {took:?} after SIGTERM");
    assert!(took < Duration::from_secs(GRACE.into()), "{took:?}: {message}");
    assert_eq!((code, &message["state"]), (Some(1), &"done".into()), "{message}");
    let outcome = pod.outcome(&s3);
    assert_eq!(outcome["predicate"]["state"], if ended == 0 { "succeeded" } else { "failed" });
    let many = entry(&outcome["predicate"]["outputs"], "many");
    let why = if ended == 0 { "grace period ended" } else { "main failed" };
    assert!(many["reason"].as_str().unwrap().contains(why), "{many}");
    assert_eq!(many["verdict"], "unfinished");
}

/// Few enough to be tried each time.
#[test]
fn thirty_thousand_files_and_five_seconds() {
    for state in ["starting", "ready"] {
        told_when(state, 30_000, 0);
    }
}

/// The first look is off the thread that is told, and so is the last.
#[test]
fn three_hundred_thousand_files_and_five_seconds() {
    if std::env::var_os("ARGO_ATTEST_TEST_MANY").is_none() {
        eprintln!("skipped: needs ARGO_ATTEST_TEST_MANY=1, and a minute");
        return;
    }
    for (state, ended) in [("starting", 0), ("ready", 0), ("starting", 1)] {
        told_when(state, MANY, ended);
    }
}
