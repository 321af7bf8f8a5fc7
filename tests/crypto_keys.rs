//! Key files: which are refused and why, and how pairs come to be.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use argo_attest::sign::{
    InvalidKey, KeyFileError, KeyType, Origin, PrivateKey, PublicKey, check_pair, load_pair, public_path,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

fn generate(key_type: KeyType) -> PrivateKey {
    PrivateKey::generate(key_type).unwrap()
}

fn write(path: &Path, contents: impl AsRef<[u8]>, mode: u32) {
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

fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

#[test]
fn wrong_inputs_have_names_and_remedies() {
    let private = generate(KeyType::Ed25519).to_pkcs8_pem();
    let public = generate(KeyType::Ed25519).public().to_spki_pem();
    let twice = format!("{}{}", *private, *private);
    let rsa = InvalidKey::Algorithm { found: "an RSA key" };
    let cases: Vec<(Vec<u8>, InvalidKey, InvalidKey)> = vec![
        (vec![], InvalidKey::Empty, InvalidKey::Empty),
        (b" \n".to_vec(), InvalidKey::Empty, InvalidKey::Empty),
        (b"hello".to_vec(), InvalidKey::NotPem, InvalidKey::NotPem),
        (vec![0xff; 70_000], InvalidKey::TooLarge { limit: 65536 }, InvalidKey::TooLarge { limit: 65536 }),
        (b"0\x2e\x02\x01\0".to_vec(), InvalidKey::Der, InvalidKey::Der),
        (b"ssh-ed25519 AAAA me@here".to_vec(), InvalidKey::OpenSshPublic, InvalidKey::OpenSshPublic),
        (block("ENCRYPTED PRIVATE KEY").into(), InvalidKey::Encrypted, InvalidKey::PrivateForPublic),
        (
            block("ENCRYPTED SIGSTORE PRIVATE KEY").into(),
            InvalidKey::CosignEncrypted,
            InvalidKey::PrivateForPublic,
        ),
        (block("EC PRIVATE KEY").into(), InvalidKey::Sec1, InvalidKey::PrivateForPublic),
        (
            format!("{}{}", block("EC PARAMETERS"), block("EC PRIVATE KEY")).into(),
            InvalidKey::Sec1,
            InvalidKey::Sec1,
        ),
        (block("OPENSSH PRIVATE KEY").into(), InvalidKey::OpenSsh, InvalidKey::PrivateForPublic),
        (block("RSA PRIVATE KEY").into(), rsa, InvalidKey::PrivateForPublic),
        (block("RSA PUBLIC KEY").into(), InvalidKey::PublicForPrivate, rsa),
        (block("CERTIFICATE").into(), InvalidKey::Certificate, InvalidKey::Certificate),
        (block("X").into(), InvalidKey::OtherPem, InvalidKey::OtherPem),
        (block("PRIVATE KEY").into(), InvalidKey::Damaged, InvalidKey::PrivateForPublic),
        (block("PUBLIC KEY").into(), InvalidKey::PublicForPrivate, InvalidKey::Damaged),
        (public.clone().into(), InvalidKey::PublicForPrivate, InvalidKey::SeveralBlocks),
        (twice.into(), InvalidKey::SeveralBlocks, InvalidKey::PrivateForPublic),
        (private.as_bytes()[..60].to_vec(), InvalidKey::DamagedPem, InvalidKey::PrivateForPublic),
        (private.replace("IE", "I!").into(), InvalidKey::DamagedPem, InvalidKey::PrivateForPublic),
        (b"-----BEGIN PRIVATE KEY".to_vec(), InvalidKey::DamagedPem, InvalidKey::DamagedPem),
    ];
    for (text, as_private, as_public) in cases {
        let shown = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
        let error = PrivateKey::from_pkcs8_pem(&text).unwrap_err();
        assert_eq!(error, as_private, "{shown}");
        assert!(!error.remedy("FILE").is_empty() && !error.remedy("FILE").contains('\n'));
        let text = if text == public.as_bytes() { format!("{public}{public}").into() } else { text };
        assert_eq!(PublicKey::from_spki_pem(&text).unwrap_err(), as_public, "{shown}");
    }
}

/// Other algorithms in the right containers: the identifiers of RFC 8017, RFC 5480 and
/// RFC 8410, with contents that nobody gets to look at.
#[test]
fn other_algorithms_are_named() {
    for (algorithm, found) in [
        ("300d06092a864886f70d0101010500", "an RSA key"),
        ("301006072a8648ce3d020106052b81040022", "an elliptic curve key that is not on P-256"),
        ("301006072a8648ce3d020106052b8104000a", "an elliptic curve key that is not on P-256"),
        ("300506032b656e", "an X25519, X448 or Ed448 key"),
        ("300506032b6571", "an X25519, X448 or Ed448 key"),
        ("300906072a8648ce380401", "a key of another algorithm"),
    ] {
        let algorithm: Vec<u8> = algorithm
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let sequence = |body: Vec<u8>| [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
        let private = sequence([&[2, 1, 0], algorithm.as_slice(), &[4, 2, 4, 0]].concat());
        let public = sequence([algorithm.as_slice(), &[3, 2, 0, 1]].concat());
        assert_eq!(PrivateKey::from_pkcs8_der(&private).unwrap_err(), InvalidKey::Algorithm { found });
        assert_eq!(PublicKey::from_spki_der(&public).unwrap_err(), InvalidKey::Algorithm { found });
    }
}

/// The public key that SEC 1 keeps beside the scalar, exchanged.
#[test]
fn a_private_key_with_a_foreign_public_key_is_refused() {
    let der = |key: &PrivateKey| {
        let pem = key.to_pkcs8_pem();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(base64).unwrap()
    };
    let (one, two) = (der(&generate(KeyType::EcdsaP256)), der(&generate(KeyType::EcdsaP256)));
    PrivateKey::from_pkcs8_der(&one).unwrap();
    let point = one.len() - 65;
    let mixed = [&one[..point], &two[point..]].concat();
    assert_eq!(PrivateKey::from_pkcs8_der(&mixed).unwrap_err(), InvalidKey::Damaged);
}

#[test]
fn text_that_editors_and_windows_leave_behind_does_no_harm() {
    let key = generate(KeyType::EcdsaP256);
    let pem = key.to_pkcs8_pem();
    for text in [
        pem.replace('\n', "\r\n"),
        pem.trim_end().to_owned(),
        format!("\n\n{}\n \n", *pem),
        format!("Key Attributes\n  name: x\n{}", *pem),
    ] {
        assert_eq!(PrivateKey::from_pkcs8_pem(text.as_bytes()).unwrap().public(), key.public(), "{text}");
    }
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("it's mine.key");
    let key = generate(KeyType::Ed25519);
    for allowed in [0o600, 0o400, 0o700] {
        write(&path, key.to_pkcs8_pem().as_bytes(), allowed);
        assert_eq!(PrivateKey::load(&path).unwrap().public(), key.public());
    }
    for refused in [0o640, 0o604, 0o620, 0o602, 0o644, 0o610, 0o777] {
        write(&path, key.to_pkcs8_pem().as_bytes(), refused);
        let error = PrivateKey::load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::OpenToOthers { mode, .. } if mode == refused), "{error:?}");
        let quoted = path.to_str().unwrap().replace('\'', r"'\''");
        assert!(error.remedy().starts_with(&format!("chmod 600 '{quoted}'")), "{}", error.remedy());
    }
    // A link to it is no way around.
    let link = dir.path().join("link.key");
    symlink(&path, &link).unwrap();
    let error = PrivateKey::load(&link).unwrap_err();
    assert!(matches!(error, KeyFileError::OpenToOthers { .. }), "{error:?}");
    // Public keys are for everybody.
    write(&path, key.public().to_spki_pem(), 0o644);
    assert_eq!(&PublicKey::load(&path).unwrap(), key.public());
}

/// A Secret's directory as kubelet's `AtomicWriter` lays it out.
struct Mounted {
    dir: TempDir,
}

impl Mounted {
    fn new(key: &PrivateKey) -> Self {
        let mounted = Self { dir: TempDir::new().unwrap() };
        mounted.publish("..2026_11_23_10_00_00.1", key);
        for name in ["attest.key", "attest.pub"] {
            symlink(Path::new("..data").join(name), mounted.dir.path().join(name)).unwrap();
        }
        mounted
    }

    fn publish(&self, generation: &str, key: &PrivateKey) {
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

    fn key(&self) -> PathBuf {
        self.dir.path().join("attest.key")
    }
}

#[test]
fn modes_in_a_mounted_secret_are_the_cluster_s() {
    let key = generate(KeyType::Ed25519);
    let mounted = Mounted::new(&key);
    assert_eq!(mode(&mounted.key()), 0o644);
    assert_eq!(PrivateKey::load(&mounted.key()).unwrap().public(), key.public());
    assert_eq!(load_pair(&mounted.key()).unwrap().public(), key.public());

    // The same file by another path, or links of another shape, are not that layout.
    let dir = mounted.dir.path();
    symlink("..data/attest.key", dir.join("other.key")).unwrap();
    symlink(mounted.key(), dir.join("absolute.key")).unwrap();
    let direct = dir.join(fs::read_link(dir.join("..data")).unwrap()).join("attest.key");
    for path in [direct, dir.join("other.key"), dir.join("absolute.key")] {
        let error = PrivateKey::load(&path).unwrap_err();
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
        let error = PrivateKey::load(&path).unwrap_err();
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
            PrivateKey::load(&mounted.key()).unwrap();
            PublicKey::load(&public_path(&mounted.key())).unwrap();
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
        for error in [PrivateKey::load(&path).unwrap_err(), PublicKey::load(&path).unwrap_err()] {
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
    assert!(PrivateKey::load(&path).unwrap_err().is_missing());
    assert!(PublicKey::load(&path.join("below")).unwrap_err().is_missing());
    write(&path, vec![b'x'; 65_537], 0o600);
    assert!(matches!(
        PrivateKey::load(&path).unwrap_err(),
        KeyFileError::Invalid { source: InvalidKey::TooLarge { .. }, .. }
    ));
    write(&path, "", 0o600);
    let error = PrivateKey::load(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Invalid { source: InvalidKey::Empty, .. }), "{error:?}");
    assert!(!error.is_missing());
    // A size of zero is what the kernel says of files that are made as they are read.
    let error = PublicKey::load(Path::new("/proc/self/cmdline")).unwrap_err();
    assert!(matches!(error, KeyFileError::Invalid { source: InvalidKey::NotPem, .. }), "{error:?}");
}

#[test]
fn a_new_pair_is_complete_private_and_never_overwrites() {
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("new/keys/attest.key");
        let public = public_path(&path);
        assert_eq!(public, dir.path().join("new/keys/attest.pub"));
        let key = PrivateKey::create_new(&path, key_type).unwrap();
        assert_eq!((mode(&path), mode(&public)), (0o600, 0o644));
        assert_eq!(mode(path.parent().unwrap()) & 0o077, 0);
        assert_eq!(load_pair(&path).unwrap().public(), key.public());
        assert_eq!(PublicKey::load(&public).unwrap().key_type(), key_type);

        let error = PrivateKey::create_new(&path, key_type).unwrap_err();
        assert!(matches!(&error, KeyFileError::Exists { path: p } if *p == path), "{error:?}");
        fs::remove_file(&path).unwrap();
        let error = PrivateKey::create_new(&path, key_type).unwrap_err();
        assert!(matches!(&error, KeyFileError::Exists { path: p } if *p == public), "{error:?}");
        assert_eq!(names(path.parent().unwrap()), ["attest.pub".to_owned()].into(), "nothing is left behind");
        let error = PrivateKey::load_or_create(&path, key_type).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "a lone public key is somebody's: {error:?}");

        // A link that leads nowhere is in the way too: writing through it would make a
        // file where somebody else wants it.
        fs::remove_file(&public).unwrap();
        symlink(dir.path().join("elsewhere"), &path).unwrap();
        let error = PrivateKey::create_new(&path, key_type).unwrap_err();
        assert!(matches!(error, KeyFileError::Exists { .. }), "{error:?}");
        assert!(!dir.path().join("elsewhere").exists());
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_left() {
    let dir = TempDir::new().unwrap();
    write(&dir.path().join("file"), "", 0o600);
    let error = PrivateKey::create_new(&dir.path().join("file/attest.key"), KeyType::Ed25519).unwrap_err();
    assert!(matches!(error, KeyFileError::Write { .. }), "{error:?}");
    // The public half's name is too long for any file system, the private one's is not.
    let long = dir.path().join("k".repeat(253));
    let error = PrivateKey::create_new(&long, KeyType::Ed25519).unwrap_err();
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
                PrivateKey::load_or_create(&path, KeyType::Ed25519).unwrap()
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
    let (key, origin) = PrivateKey::load_or_create(&path, KeyType::EcdsaP256).unwrap();
    assert_eq!((origin, key.key_type()), (Origin::Created, KeyType::EcdsaP256));
    fs::remove_file(public_path(&path)).unwrap();
    check_pair(&key, &path).unwrap();
    let (again, origin) = PrivateKey::load_or_create(&path, KeyType::Ed25519).unwrap();
    assert_eq!((origin, again.public()), (Origin::Loaded, key.public()), "the key that is there counts");
    assert_eq!(&PublicKey::load(&public_path(&path)).unwrap(), key.public());

    let foreign = generate(KeyType::Ed25519);
    write(&public_path(&path), foreign.public().to_spki_pem(), 0o644);
    for error in [
        check_pair(&key, &path).unwrap_err(),
        load_pair(&path).unwrap_err(),
        PrivateKey::load_or_create(&path, KeyType::EcdsaP256).unwrap_err(),
    ] {
        let expected_id = key.public().key_id();
        assert!(
            matches!(error, KeyFileError::Mismatch { expected, .. } if expected == expected_id),
            "{error:?}"
        );
    }
}

/// Nothing that can be printed has a key in it, whole or in part.
#[test]
fn keys_never_leak_into_text() {
    for key_type in KeyType::ALL {
        let key = generate(key_type);
        let pem = key.to_pkcs8_pem();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(&base64).unwrap();
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("attest.key");

        let mut texts = vec![format!("{key:?} {key:#?}")];
        // Every way to spoil the file: cut short, altered, in the wrong container, lax.
        let mut spoilt: Vec<Vec<u8>> = (0..pem.len()).map(|end| pem.as_bytes()[..end].to_vec()).collect();
        spoilt.extend((0..pem.len()).map(|at| {
            let mut text = pem.as_bytes().to_vec();
            text[at] ^= 0x11;
            text
        }));
        spoilt.push(base64.clone().into_bytes());
        spoilt.push(der.clone());
        spoilt.push(pem.replace("PRIVATE", "PUBLIC").into_bytes());
        spoilt.push(pem.replace("PRIVATE", "EC PRIVATE").into_bytes());
        let mut all = |error: &dyn std::error::Error, remedy: String| {
            texts.push(format!("{error} {error:?} {error:#?} {remedy}"));
            let mut source = error.source();
            while let Some(cause) = source {
                texts.push(format!("{cause} {cause:?}"));
                source = cause.source();
            }
        };
        for text in &spoilt {
            write(&path, text, 0o600);
            if let Err(error) = PrivateKey::load(&path) {
                all(&error, error.remedy());
            }
            if let Err(error) = PublicKey::load(&path) {
                all(&error, error.remedy());
            }
            if let Err(error) = PrivateKey::from_pkcs8_der(text) {
                all(&error, error.remedy("FILE"));
            }
        }
        write(&path, pem.as_bytes(), 0o644);
        let error = PrivateKey::load(&path).unwrap_err();
        all(&error, error.remedy());

        let secret = &der[if key_type == KeyType::Ed25519 { 16..48 } else { 36..68 }];
        let hex: String = secret
            .iter()
            .flat_map(|b| [b >> 4, b & 15])
            .filter_map(|d| char::from_digit(d.into(), 16))
            .collect();
        let decimal = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let text = texts.join("\n");
        assert!(texts.len() > spoilt.len(), "{}", texts.len());
        for window in base64.as_bytes()[24..].windows(12) {
            let canary = std::str::from_utf8(window).unwrap();
            // The public key follows the private one in P-256, and starts at its own place.
            assert!(!text.contains(canary), "{key_type}: base64");
        }
        for canary in [&hex[..16], &hex[48..], &hex.to_uppercase()[..16], &decimal[..24]] {
            assert!(!text.contains(canary), "{key_type}: hexadecimal or decimal");
        }
    }
}
