//! Key files: which are refused and why, and how pairs come to be.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use argo_attest::signer::{
    KeyFileError, Origin, check_pair, create_pair, load_or_create_pair, load_pair, load_private, load_public,
    public_path,
};
use argo_attest_core::keys::{InvalidKey, KeyType, PrivateKey};
use argo_attest_core::trouble::Trouble as _;
use tempfile::TempDir;

fn generate(key_type: KeyType) -> PrivateKey {
    PrivateKey::generate(key_type).unwrap()
}

pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>, mode: u32) {
    // An ordinary user cannot write into a file that is read-only.
    if path.exists() {
        fs::remove_file(path).unwrap();
    }
    fs::write(path, contents).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("it's mine.key");
    let key = generate(KeyType::Ed25519);
    for allowed in [0o600, 0o400, 0o700] {
        write(&path, key.to_pkcs8_pem().as_bytes(), allowed);
        assert_eq!(load_private(&path).unwrap().public(), key.public());
    }
    for refused in [0o640, 0o604, 0o620, 0o602, 0o644, 0o610, 0o777] {
        write(&path, key.to_pkcs8_pem().as_bytes(), refused);
        let error = load_private(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::OpenToOthers { mode, .. } if mode == refused), "{error:?}");
        let quoted = path.to_str().unwrap().replace('\'', r"'\''");
        assert!(
            error.remedy().unwrap().starts_with(&format!("chmod 600 '{quoted}'")),
            "{}",
            error.remedy().unwrap()
        );
    }
    // A link to it is no way around.
    let link = dir.path().join("link.key");
    symlink(&path, &link).unwrap();
    let error = load_private(&link).unwrap_err();
    assert!(matches!(error, KeyFileError::OpenToOthers { .. }), "{error:?}");
    // Public keys are for everybody.
    write(&path, key.public().to_spki_pem(), 0o644);
    assert_eq!(&load_public(&path).unwrap(), key.public());
}

/// A Secret's directory as kubelet's `AtomicWriter` lays it out.
pub(crate) struct Mounted {
    dir: TempDir,
}

impl Mounted {
    pub(crate) fn new(key: &PrivateKey) -> Self {
        let mounted = Self { dir: TempDir::new().unwrap() };
        mounted.publish("..2026_11_23_10_00_00.1", key);
        for name in ["attest.key", "attest.pub"] {
            symlink(Path::new("..data").join(name), mounted.dir.path().join(name)).unwrap();
        }
        mounted
    }

    pub(crate) fn publish(&self, generation: &str, key: &PrivateKey) {
        let dir = self.dir.path();
        fs::create_dir(dir.join(generation)).unwrap();
        write(&dir.join(generation).join("attest.key"), key.to_pkcs8_pem().as_bytes(), 0o644);
        write(&dir.join(generation).join("attest.pub"), key.public().to_spki_pem(), 0o644);
        let before = fs::read_link(dir.join("..data")).ok();
        symlink(generation, dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
        if let Some(before) = before {
            fs::remove_dir_all(dir.join(before)).unwrap();
        }
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("attest.key")
    }
}

#[test]
fn modes_in_a_mounted_secret_are_the_cluster_s() {
    let key = generate(KeyType::Ed25519);
    let mounted = Mounted::new(&key);
    assert_eq!(mode(&mounted.key()), 0o644);
    assert_eq!(load_private(&mounted.key()).unwrap().public(), key.public());
    assert_eq!(load_pair(&mounted.key()).unwrap().public(), key.public());

    // The same file by another path, or links of another shape, are not that layout.
    let dir = mounted.dir.path();
    symlink("..data/attest.key", dir.join("other.key")).unwrap();
    symlink(mounted.key(), dir.join("absolute.key")).unwrap();
    let direct = dir.join(fs::read_link(dir.join("..data")).unwrap()).join("attest.key");
    for path in [direct, dir.join("other.key"), dir.join("absolute.key")] {
        let error = load_private(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::OpenToOthers { .. }), "{}: {error:?}", path.display());
    }
    // `..data` as a directory, or as a link to one that kubelet would not have named so.
    for link in [None, Some("generation"), Some("..generation/below"), Some("/tmp")] {
        let elsewhere = TempDir::new().unwrap();
        let data = elsewhere.path().join("..data");
        match link {
            None => fs::create_dir(&data).unwrap(),
            Some(link) => {
                fs::create_dir_all(elsewhere.path().join("..generation/below")).unwrap();
                fs::create_dir_all(elsewhere.path().join("generation")).unwrap();
                symlink(link, &data).unwrap();
            }
        }
        let file = tempfile::Builder::new().suffix(".key").tempfile_in(&data).unwrap();
        write(file.path(), key.to_pkcs8_pem().as_bytes(), 0o644);
        let name = file.path().file_name().unwrap();
        let path = elsewhere.path().join(name);
        symlink(Path::new("..data").join(name), &path).unwrap();
        let error = load_private(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::OpenToOthers { .. }), "{link:?}: {error:?}");
    }
}

/// While the Secret is replaced over and over, every load gives one of the two keys, and
/// never a key with the other one's public half.
#[test]
fn a_rotation_never_mixes_two_keys() {
    let keys = [generate(KeyType::Ed25519), generate(KeyType::EcdsaP256)];
    let mounted = Mounted::new(&keys[0]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 2..300 {
                mounted.publish(&format!("..2026_11_23_10_00_00.{turn}"), &keys[turn % 2]);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut loads = 0;
        while !done.load(Ordering::SeqCst) || loads == 0 {
            let key = load_pair(&mounted.key()).unwrap();
            assert!(keys.iter().any(|k| k.public() == key.public()));
            load_private(&mounted.key()).unwrap();
            load_public(&public_path(&mounted.key())).unwrap();
            loads += 1;
        }
    });
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let dir = TempDir::new().unwrap();
    let fifo = dir.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
    let socket = dir.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    for (path, expected) in [
        (dir.path().to_owned(), "a directory"),
        (fifo, "a FIFO"),
        (socket, "a socket or a device"),
        ("/dev/zero".into(), "a device"),
    ] {
        for error in [load_private(&path).unwrap_err(), load_public(&path).unwrap_err()] {
            assert!(
                matches!(&error, KeyFileError::NotRegular { kind, .. } if *kind == expected),
                "{}: {error:?}",
                path.display()
            );
        }
    }
}

#[test]
fn missing_large_and_unusable_files() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("k.key");
    assert!(load_private(&path).unwrap_err().is_missing());
    assert!(load_public(&path.join("below")).unwrap_err().is_missing());
    write(&path, vec![b'x'; 65_537], 0o600);
    assert!(matches!(
        load_private(&path).unwrap_err(),
        KeyFileError::Invalid { source: InvalidKey::TooLarge { .. }, .. }
    ));
    write(&path, "", 0o600);
    let error = load_private(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Invalid { source: InvalidKey::Empty, .. }), "{error:?}");
    assert!(!error.is_missing());
    // A size of zero is what the kernel says of files that are made as they are read.
    let error = load_public(Path::new("/proc/self/cmdline")).unwrap_err();
    assert!(matches!(error, KeyFileError::Invalid { source: InvalidKey::NotPem, .. }), "{error:?}");
}

#[test]
fn a_new_pair_is_complete_private_and_never_overwrites() {
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("new/keys/attest.key");
        let public = public_path(&path);
        assert_eq!(public, dir.path().join("new/keys/attest.pub"));
        let key = create_pair(&path, key_type).unwrap();
        assert_eq!((mode(&path), mode(&public)), (0o600, 0o644));
        assert_eq!(mode(path.parent().unwrap()) & 0o077, 0);
        assert_eq!(load_pair(&path).unwrap().public(), key.public());
        assert_eq!(load_public(&public).unwrap().kind(), key_type.as_str());

        let error = create_pair(&path, key_type).unwrap_err();
        assert!(matches!(&error, KeyFileError::Exists { path: p } if *p == path), "{error:?}");
        fs::remove_file(&path).unwrap();
        let error = create_pair(&path, key_type).unwrap_err();
        assert!(matches!(&error, KeyFileError::Exists { path: p } if *p == public), "{error:?}");
        assert_eq!(names(path.parent().unwrap()), ["attest.pub".to_owned()].into(), "nothing is left behind");
        let error = load_or_create_pair(&path, key_type).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "a lone public key is somebody's: {error:?}");

        // A link that leads nowhere is in the way too: writing through it would make a
        // file where somebody else wants it.
        fs::remove_file(&public).unwrap();
        symlink(dir.path().join("elsewhere"), &path).unwrap();
        let error = create_pair(&path, key_type).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "{error:?}");
        assert!(!dir.path().join("elsewhere").exists());
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_left() {
    let dir = TempDir::new().unwrap();
    write(&dir.path().join("file"), "", 0o600);
    let error = create_pair(&dir.path().join("file/attest.key"), KeyType::Ed25519).unwrap_err();
    assert!(matches!(error, KeyFileError::Write { .. }), "{error:?}");
    // The public half's name is too long for any file system, the private one's is not.
    let long = dir.path().join("k".repeat(253));
    let error = create_pair(&long, KeyType::Ed25519).unwrap_err();
    assert!(matches!(error, KeyFileError::Write { .. }), "{error:?}");
    assert_eq!(names(dir.path()), ["file".to_owned()].into());
}

#[test]
fn of_many_that_want_a_key_one_makes_it_and_all_get_it() {
    for _ in 0..20 {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("config/attest.key");
        let start = Barrier::new(8);
        let results: Vec<_> = thread::scope(|scope| {
            let one = || {
                start.wait();
                load_or_create_pair(&path, KeyType::Ed25519).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let on_disk = load_pair(&path).unwrap();
        assert!(results.iter().all(|(key, _)| key.public() == on_disk.public()));
        assert_eq!(results.iter().filter(|(_, origin)| *origin == Origin::Created).count(), 1);
        assert_eq!(names(path.parent().unwrap()).len(), 2);
    }
}

#[test]
fn a_lost_public_key_is_written_again_and_a_wrong_one_noticed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("attest.key");
    let (key, origin) = load_or_create_pair(&path, KeyType::EcdsaP256).unwrap();
    assert_eq!((origin, key.key_type()), (Origin::Created, KeyType::EcdsaP256));
    fs::remove_file(public_path(&path)).unwrap();
    check_pair(&key, &path).unwrap();
    let (again, origin) = load_or_create_pair(&path, KeyType::Ed25519).unwrap();
    assert_eq!((origin, again.public()), (Origin::Loaded, key.public()), "the key that is there counts");
    assert_eq!(&load_public(&public_path(&path)).unwrap(), key.public());

    let foreign = generate(KeyType::Ed25519);
    write(&public_path(&path), foreign.public().to_spki_pem(), 0o644);
    for error in [
        check_pair(&key, &path).unwrap_err(),
        load_pair(&path).unwrap_err(),
        load_or_create_pair(&path, KeyType::EcdsaP256).unwrap_err(),
    ] {
        let expected_id = key.public().key_id();
        assert!(
            matches!(error, KeyFileError::Mismatch { expected, .. } if expected == expected_id),
            "{error:?}"
        );
    }
}
