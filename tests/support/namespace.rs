//! The binary in a mount namespace of its own, as a container has one: what main's volumes
//! are is decided by what is mounted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Something that is mounted for the binary.
#[derive(Debug, Clone)]
pub(crate) enum Mount {
    /// A directory or file of the machine.
    Bind { from: PathBuf, at: PathBuf },
    /// A file system in memory, with nothing in it.
    Memory { at: PathBuf },
}

impl Mount {
    /// A volume, at the place where the test has it.
    pub(crate) fn volume(at: &Path) -> Self {
        Self::Bind { from: at.to_owned(), at: at.to_owned() }
    }

    fn words(&self) -> [OsString; 3] {
        match self {
            Self::Bind { from, at } => ["bind".into(), from.into(), at.into()],
            Self::Memory { at } => ["tmpfs".into(), "tmpfs".into(), at.into()],
        }
    }
}

/// Mounts, and becomes the program that is named after them.
const SCRIPT: &str = r#"
PATH=/usr/sbin:/usr/bin:/sbin:/bin
while [ "$1" != -- ]; do
    case $1 in
    bind) mount --bind "$2" "$3" ;;
    tmpfs) mount -t tmpfs tmpfs "$3" ;;
    esac || exit 99
    shift 3
done
shift
exec "$@"
"#;

/// The binary with nothing in its environment, where these are mounted, in this order.
pub(crate) fn binary(mounts: &[Mount]) -> Command {
    let mut command = Command::new("unshare");
    command.env_clear().stdin(Stdio::null());
    command.args(how()).args(["--", "/bin/sh", "-c", SCRIPT, "sh"]);
    command.args(mounts.iter().flat_map(Mount::words)).arg("--").arg(env!("CARGO_BIN_EXE_argo-attest"));
    command
}

/// How this user makes a mount namespace. There is no test of mounts without one, and none that
/// would only say that it was left out.
fn how() -> &'static [&'static str] {
    static HOW: OnceLock<&'static [&'static str]> = OnceLock::new();
    HOW.get_or_init(|| {
        let works = |how: &&&[&str]| {
            let mut command = Command::new("unshare");
            command.args(**how).args(["--", "/bin/sh", "-c", "mount -t tmpfs tmpfs /tmp"]);
            command.output().is_ok_and(|ran| ran.status.success())
        };
        let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
        let way = ways.iter().find(works).copied();
        assert!(way.is_some(), "these tests need util-linux's unshare, and root or user namespaces");
        way.unwrap_or_default()
    })
}
