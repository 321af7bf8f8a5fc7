//! A writer that wants bytes attested that are not its own, or wants us to
//! hang, or to lose count.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use argo_attest::observe::{Presence, Refusal};
use argo_attest_core::digest::Sha256Digest;
use rustix::fs::{Mode, OFlags, mkdirat, open, openat};

use crate::fixture::{Scene, assert_same, cold, digests, is_root, path, written};
use crate::skip::skip_as_this_user;

#[test]
fn what_is_no_regular_file_is_refused_by_kind() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("key"), "the private key").unwrap();
    let scene = Scene::new();
    scene.write("out/fine");
    symlink(outside.path().join("key"), scene.at("out/link")).unwrap();
    symlink(outside.path(), scene.at("out/away")).unwrap();
    symlink("fine", scene.at("out/harmless")).unwrap();
    symlink("/proc/self/root", scene.at("out/magic")).unwrap();
    symlink("nowhere", scene.at("out/dangling")).unwrap();
    symlink("loop", scene.at("out/loop")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.at("out/fifo")).status().unwrap().success());
    let _socket = UnixListener::bind(scene.at("out/socket")).unwrap();
    let mut expected: Vec<_> =
        ["away", "link", "magic"].map(|name| (path(format!("out/{name}")), Refusal::LinkLeaves)).into();
    expected.push((path("out/loop"), Refusal::LinkAstray));
    expected.push((path("out/fifo"), Refusal::Fifo));
    expected.push((path("out/socket"), Refusal::Socket));
    for (name, kind, refusal) in [("c", "c", Refusal::CharDevice), ("b", "b", Refusal::BlockDevice)] {
        let made =
            Command::new("mknod").arg(scene.at(&format!("out/{name}"))).args([kind, "1", "5"]).output();
        if made.unwrap().status.success() {
            expected.push((path(format!("out/{name}")), refusal));
        } else {
            skip_as_this_user("root with CAP_MKNOD");
        }
    }
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(["out/fine".to_owned()]));
    assert_eq!(found.refused, expected.into_iter().collect());
    let links: Vec<_> = found.links.iter().map(|(at, to)| (at.to_string(), to.as_bytes())).collect();
    assert_eq!(links, [("out/dangling".to_owned(), &b"nowhere"[..]), ("out/harmless".to_owned(), b"fine")]);
    assert!(found.complete);
}

#[test]
fn an_interest_that_is_a_link_or_behind_one_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("key"), "the private key").unwrap();
    let scene = Scene::with(tempfile::tempdir().unwrap(), &["direct", "through/key"]);
    symlink(outside.path().join("key"), scene.at("direct")).unwrap();
    symlink(outside.path(), scene.at("through")).unwrap();
    let (found, _dir) = scene.finish();
    assert!(found.files.is_empty());
    for name in ["direct", "through/key"] {
        assert_eq!(found.refused[&path(name)], Refusal::Symlink);
        assert_eq!(found.interests[&path(name)], Presence::Refused);
    }
}

/// Flips a name between what it should be and a link to somewhere else until
/// told to stop. Counts the flips.
fn flip(dir: &Path, name: &str, target: &Path, stop: &AtomicBool, flips: &AtomicU64) {
    let (good, evil) = (dir.join("good"), dir.join("evil"));
    let at = dir.join("out").join(name);
    while !stop.load(Ordering::Relaxed) {
        let _ = fs::remove_file(&evil);
        symlink(target, &evil).unwrap();
        fs::rename(&at, &good).unwrap();
        fs::rename(&evil, &at).unwrap();
        fs::rename(&at, &evil).unwrap();
        fs::rename(&good, &at).unwrap();
        flips.fetch_add(1, Ordering::Relaxed);
    }
}

fn swap_race(name: &str, inner: &str, is_directory: bool) {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("key"), "the private key").unwrap();
    let secret = Sha256Digest::of(b"the private key");
    let target = if is_directory { outside.path().to_owned() } else { outside.path().join("key") };
    let dir = tempfile::tempdir().unwrap();
    crate::fixture::write(dir.path(), inner);
    let (stop, flips) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut digested = 0;
    thread::scope(|scope| {
        scope.spawn(|| flip(dir.path(), name, &target, &stop, &flips));
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end || (digested == 0 && Instant::now() < end + crate::fixture::DEADLINE) {
            for (path, file) in cold(dir.path(), "out").files {
                assert_ne!(file.digest, secret, "{path} was followed out of the root");
                digested += 1;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(digested > 0 && flips.load(Ordering::Relaxed) > 100, "{digested} digests, {flips:?} flips");
}

#[test]
fn a_file_swapped_with_a_link_is_never_followed() {
    swap_race("f", "out/f", false);
}

#[test]
fn a_directory_swapped_with_a_link_is_never_followed() {
    swap_race("d", "out/d/key", true);
}

#[test]
fn every_name_survives() {
    let mut names: Vec<Vec<u8>> = vec![
        b"out/\xff\xfe".to_vec(),
        b"out/new\nline".to_vec(),
        b"out/carriage\rreturn".to_vec(),
        b"out/\x1b[31mred".to_vec(),
        "out/\u{202e}gpj.exe".as_bytes().to_vec(),
        "out/caf\u{e9}".as_bytes().to_vec(),
        "out/cafe\u{301}".as_bytes().to_vec(),
        b"out/case".to_vec(),
        b"out/CASE".to_vec(),
        b"out/ ".to_vec(),
        b"out/-rf".to_vec(),
        b"out/100%".to_vec(),
        b"out/back\\slash".to_vec(),
        b"out/dir\n/x".to_vec(),
    ];
    names.push([b"out/".as_slice(), &[b'n'; 255]].concat());
    let scene = Scene::new();
    for name in &names {
        let at = scene.dir.path().join(OsStr::from_bytes(name));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, name).unwrap();
    }
    scene.await_digests(names.len() as u64);
    let (found, _dir) = scene.finish();
    let expected = names.iter().map(|name| (path(name), Sha256Digest::of(name))).collect();
    assert_same(&digests(&found), &expected);
    for path in found.files.keys() {
        assert!(!path.to_string().contains(['\n', '\r', '\x1b', '\u{202e}']));
    }
}

#[test]
fn a_hard_link_is_digested_and_counted() {
    let outside = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
    fs::write(outside.path().join("theirs"), "shared").unwrap();
    let scene = Scene::new();
    fs::create_dir(scene.at("out")).unwrap();
    fs::hard_link(outside.path().join("theirs"), scene.at("out/mine")).unwrap();
    let (found, _dir) = scene.finish();
    let file = &found.files[&path("out/mine")];
    assert_eq!((file.digest, file.links), (Sha256Digest::of(b"shared"), 2));
}

#[test]
fn an_error_of_the_disk_is_no_digest_of_the_beginning() {
    // Reading the first page of our own memory fails with EIO, though the file
    // is a regular one.
    let found = cold(Path::new("/proc/self"), "mem");
    assert_eq!(found.refused[&path("mem")], Refusal::Io { code: 5 });
    assert!(found.files.is_empty());
}

#[test]
fn a_nest_of_ten_thousand_does_not_hide_the_rest() {
    let scene = Scene::large();
    scene.write("out/fine");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = open(scene.at("out"), flags, Mode::empty()).unwrap();
    for _ in 0..10_000 {
        mkdirat(&at, "d", Mode::RWXU).unwrap();
        at = openat(&at, "d", flags, Mode::empty()).unwrap();
    }
    let (found, dir) = scene.finish();
    assert_same(&digests(&found), &written(["out/fine".to_owned()]));
    assert!(
        found.refused.values().all(|refusal| matches!(refusal, Refusal::TooDeep { .. })),
        "{:?}",
        found.refused
    );
    assert_eq!(found.refused.len(), 1);
    // The standard library keeps a file open for each level that it removes.
    assert!(Command::new("rm").arg("-rf").arg(dir.path().join("out")).status().unwrap().success());
}

#[test]
fn what_may_not_be_read_is_refused_by_name() {
    if is_root() {
        skip_as_this_user("a user without CAP_DAC_OVERRIDE");
        return;
    }
    let scene = Scene::new();
    for name in ["out/fine", "out/closed", "out/dir/hidden"] {
        scene.write(name);
    }
    let mode = |name: &str, mode| {
        fs::set_permissions(scene.at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("out/closed", 0o200);
    mode("out/dir", 0o300);
    let dir = scene.at("out/dir");
    let (found, _dir) = scene.finish();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    assert_same(&digests(&found), &written(["out/fine".to_owned()]));
    let us = rustix::process::geteuid().as_raw();
    for (name, mode) in [("out/closed", 0o200), ("out/dir", 0o300)] {
        let expected = Refusal::PermissionDenied { owner: us, mode, running_as: us };
        assert_eq!(found.refused[&path(name)], expected);
    }
    assert_eq!(found.refused.len(), 2);
}
