//! Ways to make ten thousand files, none of which may be lost.

use std::fs;
use std::process::Command;

use argo_attest::observe::Observation;

use crate::fixture::{Scene, assert_same, content, digests, path, write, written};

const FILES: usize = 10_000;

#[test]
fn flat() {
    let scene = Scene::large();
    let names: Vec<_> = (0..FILES).map(|n| format!("out/file-{n}")).collect();
    for name in &names {
        scene.write(name);
    }
    scene.await_digests(FILES as u64);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names));
    assert!(found.refused.is_empty() && found.complete);
    assert_eq!(found.stats.fallbacks, 0);
    assert_early(&found);
}

/// What was closed before the command ended was digested before it ended; but
/// for the few that were digested twice, and counted so, while it was awaited.
fn assert_early(found: &Observation) {
    let late = found.files.values().filter(|file| !file.before_end).count();
    assert!(late < FILES / 10, "{late} files were digested after the end");
}

fn nests() -> Vec<String> {
    (0..FILES).map(|n| format!("out/{}/a/b/c/{n}", n / 5)).collect()
}

#[test]
fn new_directories_in_a_tight_loop() {
    let scene = Scene::large();
    for name in nests() {
        scene.write(&name);
    }
    scene.await_digests(FILES as u64);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(nests()));
    assert_early(&found);
}

#[test]
fn new_directories_from_a_shell() {
    let scene = Scene::large();
    let script = r"
        n=0
        while [ $n -lt 10000 ]; do
            d=out/$((n / 5))/a/b/c
            [ -d $d ] || mkdir -p $d
            printf 'the content of %s' $d/$n > $d/$n
            n=$((n + 1))
        done";
    let status = Command::new("sh").args(["-c", script]).current_dir(scene.dir.path()).status().unwrap();
    assert!(status.success());
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(nests()));
    assert!(found.files.values().any(|file| file.before_end), "none was digested while the shell ran");
}

#[test]
fn a_tree_built_elsewhere_and_renamed_in() {
    let scene = Scene::large();
    fs::create_dir(scene.at("out")).unwrap();
    let names: Vec<_> = (0..FILES).map(|n| format!("out/tree/{}/{n}", n % 100)).collect();
    let elsewhere = scene.at("elsewhere");
    for name in &names {
        let at = elsewhere.join(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, content(name)).unwrap();
    }
    fs::rename(elsewhere.join("out/tree"), scene.at("out/tree")).unwrap();
    scene.await_digests(FILES as u64);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names));
    assert_early(&found);
}

#[test]
fn files_rewritten_after_they_were_closed() {
    let scene = Scene::large();
    let names: Vec<_> = (0..FILES).map(|n| format!("out/{n}")).collect();
    for name in &names {
        scene.write(name);
        fs::write(scene.at(name), "not the content of it").unwrap();
        scene.write(name);
    }
    scene.await_digests(FILES as u64 / 2);
    for name in names.iter().step_by(7) {
        fs::write(scene.at(name), "nor this").unwrap();
        scene.write(name);
    }
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(names));
}

#[test]
fn hard_links() {
    let scene = Scene::large();
    let mut expected = written((0..FILES / 2).map(|n| format!("out/{n}")));
    for n in 0..FILES / 2 {
        let (name, link) = (format!("out/{n}"), format!("out/link-{n}"));
        scene.write(&name);
        fs::hard_link(scene.at(&name), scene.at(&link)).unwrap();
        let digest = expected[&path(&name)];
        expected.insert(path(&link), digest);
    }
    scene.await_digests(FILES as u64 / 2);
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &expected);
    assert!(found.files.values().all(|file| file.links == 2));
}

#[test]
fn one_digest_serves_all_links_of_a_file() {
    let scene = Scene::large();
    scene.write("out/first");
    scene.await_digests(1);
    fs::hard_link(scene.at("out/first"), scene.at("out/second")).unwrap();
    scene.await_digests(2);
    let (found, _dir) = scene.finish();
    let digest = found.files[&path("out/first")].digest;
    assert_eq!(digests(&found).into_values().collect::<Vec<_>>(), [digest, digest]);
    assert_eq!(found.stats.files_after_end, 0);
}

#[test]
fn deleted_and_made_again() {
    let scene = Scene::large();
    let names: Vec<_> = (0..FILES).map(|n| format!("out/{}/{n}", n % 20)).collect();
    for name in &names {
        scene.write(name);
    }
    scene.await_digests(100);
    for dir in 0..20 {
        fs::remove_dir_all(scene.at(&format!("out/{dir}"))).unwrap();
    }
    for name in &names {
        scene.write(name);
        if name.ends_with('7') {
            fs::remove_file(scene.at(name)).unwrap();
        }
        if name.ends_with("77") {
            write(scene.dir.path(), name);
        }
    }
    let kept = names.into_iter().filter(|name| !name.ends_with('7') || name.ends_with("77"));
    let (found, _dir) = scene.finish();
    assert_same(&digests(&found), &written(kept));
}
