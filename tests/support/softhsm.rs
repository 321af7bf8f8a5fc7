//! A token of `SoftHSM`'s, and a module in front of it that can be told to misbehave.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use argo_attest_core::keys::{KeyType, PrivateKey};
use tempfile::TempDir;

pub(crate) const PIN: &str = "pin-of-a-test";
const SO_PIN: &str = "so-pin-of-a-test";

/// Where distributions have it.
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
];

/// A token with the label `ci`, in a directory of its own.
pub(crate) struct Token {
    /// Of the process that made it.
    _made: Option<TempDir>,
    dir: PathBuf,
}

impl Token {
    /// `None`, with a word about it, where `SoftHSM` is not installed. In CI it must be.
    pub(crate) fn new() -> Option<Self> {
        let is_there = Command::new("softhsm2-util").arg("--version").output().is_ok();
        if !is_there || real().is_none() {
            crate::skip::skip("softhsm2");
            return None;
        }
        let made = TempDir::new().unwrap();
        let dir = made.path().to_owned();
        let token = Self { _made: Some(made), dir };
        fs::create_dir(token.dir.join("tokens")).unwrap();
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            token.dir.join("tokens").display()
        );
        fs::write(token.dir.join("softhsm2.conf"), configuration).unwrap();
        fs::write(token.pin_file(), format!("{PIN}\n")).unwrap();
        fs::set_permissions(token.pin_file(), fs::Permissions::from_mode(0o600)).unwrap();
        token.another("ci");
        Some(token)
    }

    /// The token that another process made here.
    pub(crate) fn at(dir: &Path) -> Self {
        Self { _made: None, dir: dir.to_owned() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn pin_file(&self) -> PathBuf {
        self.dir.join("pin")
    }

    /// What `SoftHSM` and the module in front of it are told where they are by.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("SOFTHSM2_CONF", text(&self.dir.join("softhsm2.conf"))),
            ("TEST_MODULE_DIR", text(&self.dir)),
            ("TEST_MODULE_REAL", text(&real().unwrap())),
        ]
    }

    fn util(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        let done = command.args(arguments).envs(self.environment()).output().unwrap();
        assert!(
            done.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Makes one more token beside it.
    pub(crate) fn another(&self, label: &str) {
        self.util(&["--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN]);
    }

    /// Puts a key into it.
    pub(crate) fn key(&self, kind: KeyType, label: &str, id: &str) -> PrivateKey {
        let key = PrivateKey::generate(kind).unwrap();
        self.import(&key.to_pkcs8_pem(), label, id, &[]);
        key
    }

    /// Puts the key in this PEM into it.
    pub(crate) fn import(&self, pem: &str, label: &str, id: &str, more: &[&str]) {
        let file = self.dir.join("import.pem");
        fs::write(&file, pem).unwrap();
        let arguments = ["--import", file.to_str().unwrap(), "--token", "ci", "--pin", PIN, "--force"];
        self.util(&[&arguments[..], &["--label", label, "--id", id], more].concat());
        fs::remove_file(file).unwrap();
    }

    /// The name of a key in it, by these attributes.
    pub(crate) fn name(&self, key: &str) -> String {
        self.by(key, &real().unwrap())
    }

    /// The same by the module that misbehaves.
    pub(crate) fn stubborn(&self, key: &str) -> String {
        let module = self.dir.join("stubborn.so");
        if !module.exists() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/stubborn.c");
            let made = Command::new("cc")
                .args(["-shared", "-fPIC", "-o"])
                .args([&module, &source])
                .arg("-ldl")
                .status()
                .unwrap();
            assert!(made.success());
        }
        self.by(key, &module)
    }

    fn by(&self, key: &str, module: &Path) -> String {
        let pin = self.pin_file();
        format!("pkcs11:token=ci;{key}?module-path={}&pin-source=file:{}", module.display(), pin.display())
    }

    /// How the module behaves from now on: `hangs`, `lies`, `short`, `removed`, `denied`, `lost`,
    /// `final`, `locked`; or as the real one.
    pub(crate) fn is(&self, mood: &str) {
        // At once: it is read at any time.
        fs::write(self.dir.join("mood.new"), mood).unwrap();
        fs::rename(self.dir.join("mood.new"), self.dir.join("mood")).unwrap();
    }

    /// How often that module was told a PIN.
    pub(crate) fn logins(&self) -> usize {
        fs::read(self.dir.join("logins")).unwrap_or_default().len()
    }
}

/// The module.
pub(crate) fn real() -> Option<PathBuf> {
    MODULES.iter().map(PathBuf::from).find(|path| path.is_file())
}
