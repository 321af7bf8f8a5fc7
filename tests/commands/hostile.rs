//! What whoever writes to a folder or a bucket can put there, for one who verifies all of it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use argo_attest_core::relpath::RelPath;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::program::{Desk, Ended};
use crate::servers::{self, BUCKET};
use crate::skip::{skip, skip_as_this_user};
use crate::voucher::{Voucher, uri};

/// Two attested files.
fn folder() -> Desk {
    let desk = Desk::new();
    desk.attest(&["all/a", "all/b"], "mkdir all && echo a > all/a && echo b > all/b").with(0);
    desk
}

/// Artifact and reason of each line that is JSON.
fn reasons(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |line| {
        let json: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(json["verdict"].is_string(), "{line}");
        (text(&json["artifact"]), text(&json["reason"]))
    };
    ended.out.lines().map(line).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn verified(desk: &Desk, code: i32) -> Vec<(String, String)> {
    reasons(&desk.run(["verify", "-o", "json", "all"]).with(code))
}

const SCRIPT: &str = "#!/bin/sh\necho taken over\n";

/// What is passed over without an answer is an attestation by its bytes, not by its name.
#[test]
fn what_lies_beside_an_artifact_is_its_attestation_or_an_artifact() {
    let desk = folder();
    let lines = desk.read("all/a.intoto.jsonl");
    let list = format!("{}  x\n", "a".repeat(64));
    for (name, bytes) in [
        ("a.intoto.jsonl", SCRIPT.as_bytes().to_vec()),
        ("a.intoto.jsonl", Vec::new()),
        ("a.intoto.jsonl", [SCRIPT.as_bytes(), &lines].concat()),
        ("a.intoto.jsonl", list.clone().into()),
        ("a.manifest.sha256", SCRIPT.into()),
        ("a.manifest.sha256", Vec::new()),
        ("a.manifest.sha256", lines.clone()),
        (".attestations/a.sigstore.json", SCRIPT.into()),
        ("gone.sigstore.json", list.clone().into()),
        ("attestation.sigstore.json", SCRIPT.into()),
    ] {
        let path = format!("all/{name}");
        fs::create_dir_all(desk.path(&path).parent().unwrap()).unwrap();
        desk.write(&path, &bytes);
        let ended = desk.run(["verify", "-o", "json", "all"]).with(1);
        let refused = |(name, reason): &(String, String)| *name == path && !reason.is_empty();
        assert!(reasons(&ended).iter().any(refused), "{path}: {ended:?}");
        fs::remove_file(desk.path(&path)).unwrap();
    }
    desk.write("all/a.intoto.jsonl", &lines);
    desk.write("all/a.manifest.sha256", &list);
    assert_eq!(verified(&desk, 0), pairs(&[("all/a", ""), ("all/b", "")]));
    // Another artifact's attestation speaks for none.
    fs::rename(desk.path("all/b.sigstore.json"), desk.path("all/c.sigstore.json")).unwrap();
    fs::remove_file(desk.path("all/b.intoto.jsonl")).unwrap();
    desk.write("all/c", "c\n");
    fs::copy(desk.path("all/b"), desk.path("all/d")).unwrap();
    assert_eq!(
        verified(&desk, 1),
        pairs(&[("all/a", ""), ("all/b", "unattested"), ("all/c", "altered"), ("all/d", "unattested")])
    );
}

#[test]
fn a_link_in_an_attested_directory_is_judged_with_it() {
    let desk = Desk::new();
    let script = "mkdir -p all/a/d; for f in a-1 a-2 a-3 a/d/x; do echo $f > all/$f; done; ln -s x all/a/d/l";
    desk.attest(&["all/a-1", "all/a-2", "all/a-3", "all/a/d"], script).with(0);
    let whole = pairs(&[("all/a/d", ""), ("all/a-1", ""), ("all/a-2", ""), ("all/a-3", "")]);
    assert_eq!(verified(&desk, 0), whole);
    symlink("x", desk.path("all/a/d/m")).unwrap();
    assert!(verified(&desk, 1).contains(&("all/a/d".into(), "altered".into())));
}

#[test]
fn what_is_no_file_is_told_and_never_waited_for() {
    let desk = folder();
    let fifo = |name: &str| {
        mknodat(CWD, desk.path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    };
    fifo("all/fifo");
    let _socket = UnixListener::bind(desk.path("all/socket")).unwrap();
    symlink("/etc/passwd", desk.path("all/link")).unwrap();
    symlink(".", desk.path("all/circle")).unwrap();
    for name in ["c", "d", "e"] {
        desk.write(format!("all/{name}"), "x");
    }
    fifo("all/c.sigstore.json");
    fs::create_dir(desk.path("all/d.sigstore.json")).unwrap();
    symlink("a.sigstore.json", desk.path("all/e.sigstore.json")).unwrap();
    let all = pairs(&[
        ("all/a", ""),
        ("all/b", ""),
        ("all/c", "unreadable"),
        ("all/c.sigstore.json", "unverifiable"),
        ("all/circle", "unverifiable"),
        ("all/d", "unreadable"),
        ("all/e", "altered"),
        ("all/e.sigstore.json", "unverifiable"),
        ("all/fifo", "unverifiable"),
        ("all/link", "unverifiable"),
        ("all/socket", "unverifiable"),
    ]);
    assert_eq!(verified(&desk, 1), all);
    let ended = desk.run(["verify", "all"]).with(1);
    for told in ["fifo cannot be verified", "socket cannot be verified"] {
        assert!(ended.out.contains(told), "{ended:?}");
    }
    // The same through a link that somebody named.
    symlink("all", desk.path("named")).unwrap();
    let named = reasons(&desk.run(["verify", "-o", "json", "named"]).with(1));
    assert_eq!(named.len(), all.len());
    // By themselves, and what could not be found out is no plain no.
    desk.run(["verify", "all/fifo"]).with(74).says("nobody writes to it");
    desk.run(["verify", "all/socket"]).with(74).says("a socket or a device");
    desk.run(["verify", "all/c", "all/d"]).with(74).says("2 unreadable of 2");
    desk.run(["verify", "all/c", "all/e"]).with(1);
}

/// As somebody who may not read everything.
fn as_nobody(desk: &Desk, arguments: &[&str]) -> Option<Ended> {
    if !rustix::process::geteuid().is_root() {
        return Some(desk.run(arguments));
    }
    let mut program = Command::new("setpriv");
    program.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_argo-attest")]);
    program.args(arguments).current_dir(desk.path("")).env("XDG_CONFIG_HOME", desk.path("../config"));
    program.env("COLUMNS", "100000").stdin(Stdio::null());
    Some(Ended::from(program.output().ok()?))
}

#[test]
fn what_nobody_may_read_is_told() {
    let desk = folder();
    desk.write("all/x", "x");
    fs::create_dir(desk.path("all/shut")).unwrap();
    desk.write("all/shut/x", "x");
    for (name, mode) in [("all/a", 0), ("all/b.sigstore.json", 0), ("all/shut", 0)] {
        fs::set_permissions(desk.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    let ended = as_nobody(&desk, &["verify", "-o", "json", "all"]);
    let shut = as_nobody(&desk, &["verify", "-o", "json", "all/shut"]);
    fs::set_permissions(desk.path("all/shut"), PermissionsExt::from_mode(0o700)).unwrap();
    let (Some(ended), Some(shut)) = (ended, shut) else {
        return skip_as_this_user("a user who may not read everything");
    };
    assert_eq!(
        reasons(&ended.with(1)),
        pairs(&[
            ("all/a", "unverifiable"),
            ("all/b", "unreadable"),
            ("all/b.sigstore.json", "unattested"),
            ("all/shut", "unverifiable"),
            ("all/x", "unattested"),
        ])
    );
    assert_ne!(shut.code, Some(0), "{shut:?}");
    assert_eq!(reasons(&shut).len(), 1);
}

/// Names that would be two lines, colours, others' names, or nothing at all.
const NAMES: &[&[u8]] = &[
    b"x\nattested  evil",
    b"x\r",
    b"\n",
    b"%0A",
    b"\x1b[32mattested\x1b[0m",
    b"\xc2\x9b32m",
    b"\xff",
    b"%FF",
    "\u{202e}gnp.exe".as_bytes(),
    "\u{2028}".as_bytes(),
    b" ",
    b"\"},{",
    b"\\",
    b"{}",
    &[b'l'; 255],
];

#[test]
fn a_name_forges_nothing() {
    let desk = folder();
    let all = desk.path("all");
    for name in NAMES {
        fs::write(all.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let told = verified(&desk, 1);
    assert_eq!(told.len(), NAMES.len() + 2);
    let mut bytes: Vec<_> = told
        .iter()
        .filter(|(_, reason)| reason == "unattested")
        .map(|(name, _)| {
            RelPath::from_escaped(name).unwrap().as_bytes().strip_prefix(b"all/").unwrap().to_vec()
        })
        .collect();
    let mut names: Vec<_> = NAMES.iter().map(|name| name.to_vec()).collect();
    bytes.sort();
    names.sort();
    assert_eq!(bytes, names, "each can be had from what is printed");

    let text = desk.run(["verify", "all"]).with(1);
    assert_eq!(text.out.lines().filter(|line| line.starts_with("attested")).count(), 2, "{text:?}");
    assert_eq!(text.out.lines().filter(|line| line.starts_with("refused")).count(), NAMES.len());
    assert!(text.out.chars().all(|c| c == '\n' || argo_attest_core::relpath::is_printable(c)), "{text:?}");
}

/// On a terminal of eighty columns, in colour.
#[test]
fn a_name_forges_nothing_on_a_terminal() {
    let desk = folder();
    for name in NAMES {
        fs::write(desk.path("all").join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let shell = format!("stty cols 80; exec {} verify all", env!("CARGO_BIN_EXE_argo-attest"));
    let mut program = Command::new("script");
    program.args(["-qec", &shell, "/dev/null"]).current_dir(desk.path("")).stdin(Stdio::null());
    program.env("XDG_CONFIG_HOME", desk.path("../config")).env("TERM", "xterm");
    program.env_remove("NO_COLOR").env_remove("COLUMNS");
    let Ok(output) = program.output() else { return skip("script, of util-linux") };
    let ended = Ended::from(output).with(1);
    let coloured = |word: &str| {
        ended.out.lines().filter(|line| line.starts_with("\u{1b}[") && line.contains(word)).count()
    };
    assert_eq!((coloured("attested\u{1b}[0m"), coloured("refused\u{1b}[0m")), (2, NAMES.len()), "{ended:?}");
    let plain = anstream::adapter::strip_str(&ended.out).to_string();
    for line in plain.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
        assert!(line.chars().all(argo_attest_core::relpath::is_printable), "{line:?}");
    }
    // Colours are around those words alone, bold and red where it is refused.
    assert_eq!(ended.out.matches('\u{1b}').count(), 2 * 2 + 3 * NAMES.len(), "{ended:?}");
}

#[test]
fn a_list_may_have_been_saved_by_any_editor() {
    let desk = folder();
    let listed = |list: &[u8]| {
        let mut program = desk.program(["verify", "-o", "json", "-"]);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        child.stdin.take().unwrap().write_all(list).unwrap();
        Ended::from(child.wait_with_output().unwrap())
    };
    let both = pairs(&[("all/a", ""), ("all/b", "")]);
    assert_eq!(reasons(&listed(b"\xef\xbb\xbfall/a\r\n\r\nall/b\r\n").with(0)), both);
    listed(b"\xef\xbb\xbf\r\n").with(64).says("names no artifact");
    // One that is there is what is meant.
    desk.write("all/a\r", "x");
    let odd = pairs(&[("all/a%0D", "unattested"), ("all/b", "")]);
    assert_eq!(reasons(&listed(b"all/a\r\nall/b\r\n").with(1)), odd);
    assert_eq!(reasons(&listed(b"s3://s3://bucket/\n").with(64)).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_an_object_is_its_attestation_or_an_artifact() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let at = |key: &str| server.path().join(BUCKET).join(key);
    fs::create_dir_all(at("p")).unwrap();
    fs::write(at("p/a"), "a").unwrap();
    voucher.attest(&[&uri("p/a")]).with(0);
    let verify = |code| reasons(&voucher.verify(&["-o", "json", &uri("p/")]).with(code));
    assert_eq!(verify(0), [(uri("p/a"), String::new())]);
    for name in ["p/a.intoto.jsonl", "p/a.manifest.sha256", "p/attestation.sigstore.json"] {
        let before = fs::read(at(name)).ok();
        fs::write(at(name), SCRIPT).unwrap();
        assert!(verify(1).contains(&(uri(name), "unattested".into())), "{name}");
        match before {
            Some(bytes) => fs::write(at(name), bytes).unwrap(),
            None => fs::remove_file(at(name)).unwrap(),
        }
    }
    fs::write(at("p/a.manifest.sha256"), format!("{}  x\n", "a".repeat(64))).unwrap();
    assert_eq!(verify(0).len(), 1);
    // Nor does one hide that looks like a key.
    let odd = ["p/x\ny", "p/AKIAIOSFODNN7EXAMPLE"];
    for key in odd {
        fs::write(at(key), "x").unwrap();
    }
    let told = verify(1);
    for name in ["p/x%0Ay", "p/AKIAIOSFODNN7EXAMPLE"] {
        assert!(told.contains(&(uri(name), "unattested".into())), "{told:?}");
    }
}
