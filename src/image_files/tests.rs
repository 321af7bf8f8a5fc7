//! What a hostile volume does between digesting and looking.

use std::path::Path;

use argo_attest_core::digest::Sha256Digest;

use super::*;

const LAYOUT: &[u8] = include_bytes!("../../fuzz/seeds/layout/one.tar");

fn path(name: &str) -> RelPath {
    RelPath::from_bytes(name.as_bytes()).unwrap()
}

/// A layout in a directory, as it was digested.
fn layout(dir: &Path) -> Tree {
    let mut tree = Tree::default();
    for entry in tar::Archive::new(LAYOUT).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let name = entry.path().unwrap().display().to_string();
        let at = dir.join("img").join(&name);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, &content).unwrap();
        tree.files.insert(path(&name), Sha256Digest::of(&content));
    }
    tree
}

fn look_at(dir: &Path, name: &str, content: &Content) -> Option<Images> {
    look(&Root::open(dir).unwrap(), &path(name), content, &Cancel::new())
}

#[track_caller]
fn left_out(images: Option<Images>, why: &str) {
    let images = images.unwrap();
    assert!(images.found.manifests.is_empty() && images.only.is_err(), "{images:?}");
    let said = images.found.left_out.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_changed_in_a_directory_since_it_was_digested_is_no_image() {
    let dir = tempfile::tempdir().unwrap();
    let tree = layout(dir.path());
    let manifests = || look_at(dir.path(), "img", &Content::Directory(tree.clone())).unwrap().found.manifests;
    assert_eq!(manifests().len(), 1);
    let index = dir.path().join("img/index.json");
    let text = std::fs::read(&index).unwrap();
    let other = String::from_utf8(text.clone()).unwrap().replace("app:1", "app:2");
    std::fs::write(&index, other).unwrap();
    left_out(
        look_at(dir.path(), "img", &Content::Directory(tree.clone())),
        "was changed after it was digested",
    );
    // A link to the very bytes is not followed.
    std::fs::write(dir.path().join("elsewhere"), text).unwrap();
    std::fs::remove_file(&index).unwrap();
    std::os::unix::fs::symlink("../elsewhere", &index).unwrap();
    left_out(look_at(dir.path(), "img", &Content::Directory(tree.clone())), "cannot be read");
    std::fs::remove_file(&index).unwrap();
    left_out(look_at(dir.path(), "img", &Content::Directory(tree)), "is not there");
}

#[test]
fn a_tar_that_is_another_by_now_holds_no_image() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.tar"), LAYOUT).unwrap();
    let of = |digest| look_at(dir.path(), "x.tar", &Content::File(digest));
    assert_eq!(of(Sha256Digest::of(LAYOUT)).unwrap().found.manifests.len(), 1);
    left_out(of(Sha256Digest::of(b"as it was")), "it was changed after it was digested");
    std::fs::write(dir.path().join("x.tar"), &LAYOUT[..LAYOUT.len() - 1600]).unwrap();
    left_out(of(Sha256Digest::of(LAYOUT)), "cut short");
    // Nobody waits for whoever would write to it.
    std::fs::remove_file(dir.path().join("x.tar")).unwrap();
    let at = dir.path().join("x.tar");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &at,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(of(Sha256Digest::of(LAYOUT)).is_none());
}

#[test]
fn a_search_that_nobody_waits_for_ends() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.tar"), LAYOUT).unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let content = Content::File(Sha256Digest::of(LAYOUT));
    let root = Root::open(dir.path()).unwrap();
    left_out(look(&root, &path("x.tar"), &content, &cancel), "there was no time");
}
