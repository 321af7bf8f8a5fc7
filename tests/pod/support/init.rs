//! What Argo's init container does with an input: fetch, unpack, move into place
//! (`loadArtifacts`, `untar`, `unzip` and `unpack` of its executor).

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::read::{DeflateDecoder, GzDecoder};

use crate::s3::S3;

/// How the template says that an input is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Unsaid,
    None,
    Tar,
    Zip,
}

/// Stages the object, or the objects beneath the key, at `to`; `false` if there is
/// nothing.
pub(crate) fn stage(s3: &S3, key: &str, archive: Archive, to: &Path) -> bool {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let Some(bytes) = s3.get(key) else {
        let prefix = format!("{key}/");
        let beneath: Vec<_> = s3.keys().into_iter().filter(|k| k.starts_with(&prefix)).collect();
        for key in &beneath {
            write(&to.join(&key[prefix.len()..]), &s3.get(key).unwrap());
        }
        return !beneath.is_empty();
    };
    let entries = match archive {
        Archive::None => None,
        Archive::Unsaid => untar(&bytes),
        Archive::Tar => Some(untar(&bytes).unwrap()),
        Archive::Zip => Some(unzip(&bytes)),
    };
    match entries {
        None => write(to, &bytes),
        Some(entries) => unpack(&entries, to),
    }
    true
}

enum Entry {
    Directory,
    File(Vec<u8>),
    Link(PathBuf),
}

/// A single entry at the top takes the artifact's name.
fn unpack(entries: &[(String, Entry)], to: &Path) {
    let aside = tempfile::tempdir().unwrap();
    for (name, entry) in entries {
        let path = aside.path().join(name.trim_matches('/'));
        match entry {
            Entry::Directory => fs::create_dir_all(path).unwrap(),
            Entry::File(content) => write(&path, content),
            Entry::Link(target) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                symlink(target, path).unwrap();
            }
        }
    }
    let top: Vec<_> = fs::read_dir(aside.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let from = if let [only] = top.as_slice() { only } else { aside.path() };
    copy(from, to);
}

fn copy(from: &Path, to: &Path) {
    if let Ok(target) = from.read_link() {
        return symlink(target, to).unwrap();
    }
    if from.is_file() {
        return write(to, &fs::read(from).unwrap());
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn untar(bytes: &[u8]) -> Option<Vec<(String, Entry)>> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut entries = Vec::new();
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let kind = entry.header().entry_type();
        let target = entry.link_name().unwrap().map(PathBuf::from);
        let staged = match target.filter(|_| kind.is_symlink()) {
            Some(target) => Entry::Link(target),
            None if kind.is_file() => Entry::File(content),
            None => Entry::Directory,
        };
        entries.push((name, staged));
    }
    (!entries.is_empty()).then_some(entries)
}

fn unzip(bytes: &[u8]) -> Vec<(String, Entry)> {
    let number = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    // The record at the end, without a comment: how many entries, and where.
    let end = bytes.len() - 22;
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut entries = Vec::new();
    for _ in 0..count {
        let (packed, name) = (number(at + 20, 4), number(at + 28, 2));
        let local = number(at + 42, 4);
        let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let mut content = Vec::new();
        DeflateDecoder::new(&bytes[start..start + packed]).read_to_end(&mut content).unwrap();
        let name_bytes = bytes[at + 46..at + 46 + name].to_vec();
        entries.push((String::from_utf8(name_bytes).unwrap(), Entry::File(content)));
        at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
    }
    entries
}
