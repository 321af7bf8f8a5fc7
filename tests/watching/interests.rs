//! What is asked for may come late, go, come back, and be something else.

use std::fs;

use argo_attest::observe::{Baseline, Inotify, ObserverConfig, Presence};

use crate::fixture::{Scene, assert_same, config, digests, path, until, write, written};

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[test]
fn an_interest_whose_parents_do_not_exist_yet() {
    let scene = Scene::with(tempfile::tempdir().unwrap(), &["a/b/c", "x/file"]);
    scene.write("a/other");
    scene.write("a/b/c/d/1");
    scene.write("x/file");
    scene.write("x/beside");
    scene.await_digests(2);
    // The watch of the inner directory must be there by now.
    scene.write("a/b/c/d/2");
    scene.await_digests(3);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names(["a/b/c/d/1", "a/b/c/d/2", "x/file"])));
    assert_eq!(found.interests[&path("a/b/c")], Presence::Directory);
    assert_eq!(found.interests[&path("x/file")], Presence::File);
}

#[test]
fn an_interest_that_goes_and_comes_back() {
    let scene = Scene::with(tempfile::tempdir().unwrap(), &["a/out"]);
    scene.write("a/out/old");
    scene.await_digests(1);
    fs::rename(scene.at("a"), scene.at("moved")).unwrap();
    scene.write("a/out/new");
    scene.await_digests(2);
    fs::remove_dir_all(scene.at("a/out")).unwrap();
    scene.write("a/out/newer");
    scene.await_digests(3);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names(["a/out/newer"])));
}

#[test]
fn an_interest_that_becomes_a_file_or_nothing() {
    let scene = Scene::with(tempfile::tempdir().unwrap(), &["out", "gone", "never"]);
    scene.write("out/x");
    scene.write("gone/y");
    scene.await_digests(2);
    fs::remove_dir_all(scene.at("out")).unwrap();
    fs::remove_dir_all(scene.at("gone")).unwrap();
    scene.write("out");
    scene.await_digests(3);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names(["out"])));
    assert_eq!(found.interests[&path("out")], Presence::File);
    assert_eq!(found.interests[&path("gone")], Presence::Missing);
    assert_eq!(found.interests[&path("never")], Presence::Missing);
    assert!(found.refused.is_empty() && found.complete);
}

#[test]
fn an_empty_directory_is_no_fault() {
    let scene = Scene::new();
    fs::create_dir_all(scene.at("out/empty")).unwrap();
    let (found, _dir) = scene.finish();
    assert!(found.files.is_empty() && found.refused.is_empty() && found.complete);
    assert_eq!(found.interests[&path("out")], Presence::Directory);
}

#[test]
fn only_what_is_new_or_changed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["keep", "touch", "sub/keep", "sub/replace", "gone"] {
        write(dir.path(), name);
    }
    std::os::unix::fs::symlink("keep", dir.path().join("old-link")).unwrap();
    let config = ObserverConfig {
        baseline: Baseline::OnlyNewOrChanged,
        excluded: vec![path("attestation.json"), path("cache")],
        excluded_names: Vec::new(),
        ..config(&[""])
    };
    let scene = Scene::watched_by(dir, config, Box::new(Inotify::new()));
    for name in ["touch", "sub/new", "attestation.json", "cache/x", "attestation.json.more"] {
        scene.write(name);
    }
    scene.write("sub/temporary");
    fs::rename(scene.at("sub/temporary"), scene.at("sub/replace")).unwrap();
    fs::remove_file(scene.at("gone")).unwrap();
    std::os::unix::fs::symlink("keep", scene.at("new-link")).unwrap();
    let (found, _dir) = scene.finish();
    let mut expected = written(names(["touch", "sub/new", "attestation.json.more"]));
    expected.insert(path("sub/replace"), written(names(["sub/temporary"]))[&path("sub/temporary")]);
    assert_same(&digests(&found), &expected);
    assert_eq!(found.links.keys().collect::<Vec<_>>(), [&path("new-link")]);
    assert!(found.refused.is_empty(), "{:?}", found.refused);
}

/// A log that is closed after every line must not be read in full each time.
#[test]
fn a_file_closed_again_and_again_is_left_for_the_end() {
    use std::io::Write as _;
    const LINES: u64 = 100;
    let line = vec![b'x'; 10_000];
    let scene = Scene::new();
    fs::create_dir(scene.at("out")).unwrap();
    let stats = scene.observer.stats();
    for n in 0..LINES {
        let mut log = fs::OpenOptions::new().create(true).append(true).open(scene.at("out/log")).unwrap();
        log.write_all(&line).unwrap();
        drop(log);
        // Another file shows that the hint about the log was seen.
        let before = stats.snapshot().files_before_end;
        scene.write(&format!("out/{n}"));
        until("the other file's digest", || stats.snapshot().files_before_end > before);
    }
    let (found, _dir) = scene.finish();
    assert_eq!(found.files[&path("out/log")].size, LINES * 10_000);
    let read = found.stats.bytes_before_end + found.stats.bytes_after_end;
    assert!(read < 6 * LINES * 10_000, "{read} bytes were read for a log of {}", LINES * 10_000);
}
