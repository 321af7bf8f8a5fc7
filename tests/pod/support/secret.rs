//! The signing key's Secret as the kubelet mounts it, and replaces it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use argo_attest::signer::load_public;
use argo_attest_core::keys::PublicKey;

use crate::process::binary;

const FILES: [&str; 2] = ["attest.key", "attest.pub"];

/// Content of the Secret: file names and bytes.
pub(crate) type Content = Vec<(&'static str, Vec<u8>)>;

pub(crate) struct Secret {
    directory: PathBuf,
    generation: u64,
}

impl Secret {
    /// Mounted at a directory that is empty, with a key in it.
    pub(crate) fn mount(directory: &Path, content: &Content) -> Self {
        for entry in fs::read_dir(directory).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let mut secret = Self { directory: directory.to_owned(), generation: 0 };
        secret.replace(content);
        secret
    }

    /// All at once, as the kubelet's atomic writer does it: a new directory, the
    /// link exchanged by a rename, links to what is new, none to what is gone, the
    /// old directory removed.
    pub(crate) fn replace(&mut self, content: &Content) {
        let at = |name: &str| self.directory.join(name);
        let old = fs::read_link(at("..data")).ok();
        self.generation += 1;
        let new = format!("..2026_11_23_10_00_00.{}", self.generation);
        fs::create_dir(at(&new)).unwrap();
        for (name, bytes) in content {
            fs::write(at(&new).join(name), bytes).unwrap();
        }
        symlink(&new, at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        for name in FILES {
            let is_there = fs::symlink_metadata(at(name)).is_ok();
            match (content.iter().any(|(known, _)| *known == name), is_there) {
                (true, false) => symlink(Path::new("..data").join(name), at(name)).unwrap(),
                (false, true) => fs::remove_file(at(name)).unwrap(),
                _ => {}
            }
        }
        if let Some(old) = old {
            fs::remove_dir_all(self.directory.join(old)).unwrap();
        }
    }
}

/// A new pair, as the Secret's content, and its public half.
pub(crate) fn pair() -> (Content, PublicKey) {
    let dir = tempfile::tempdir().unwrap();
    let ran = binary().arg("keygen").arg("--out-dir").arg(dir.path()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let content = FILES.map(|name| (name, fs::read(dir.path().join(name)).unwrap())).to_vec();
    (content, load_public(&dir.path().join("attest.pub")).unwrap())
}
