//! Files that are found, and files that are named: FIFOs, devices, and manifests.

use std::fmt::Write as _;
use std::fs;

use argo_attest_core::manifest::MAX_MANIFEST;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::cost::Cost;
use crate::program::Desk;

fn fifo(desk: &Desk, name: &str) {
    mknodat(CWD, desk.path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// A directory of more files than a statement lists, attested.
fn attested() -> Desk {
    let desk = Desk::new();
    let ended = desk.attest(&["out"], "mkdir out; for i in $(seq 1100); do echo $i > out/$i; done");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(desk.path("out.manifest.sha256").exists());
    desk
}

#[test]
fn a_pipe_where_a_file_should_be_holds_nobody_up() {
    let desk = attested();
    fs::remove_file(desk.path("out.manifest.sha256")).unwrap();
    fifo(&desk, "out.manifest.sha256");
    Cost::of(&mut desk.program(["verify", "out/1"])).refuses(1, "a FIFO, not a regular file");
    for found in ["g.sigstore.json", "h.intoto.jsonl"] {
        fs::write(desk.path(&found[..1]), "x").unwrap();
        fifo(&desk, found);
        Cost::of(&mut desk.program(["verify", &found[..1]])).refuses(74, "a FIFO, not a regular file");
    }
    // Named, it may be a pipe, but not one that nobody writes to.
    for arguments in [
        &["inspect", "h.intoto.jsonl"][..],
        &["verify", "--policy=h.intoto.jsonl", "out/1"],
        &["verify", "--bundle=h.intoto.jsonl", "out/1"],
    ] {
        Cost::of(&mut desk.program(arguments)).refuses(74, "it is a pipe, and nobody writes to it");
    }
    let inject = ["inject", "--image=i", "--builder-id=https://b.example", "-f", "h.intoto.jsonl"];
    Cost::of(&mut desk.program(inject)).refuses(74, "it is a pipe, and nobody writes to it");
}

#[test]
fn what_is_named_is_read_from_a_pipe() {
    let desk = attested();
    fifo(&desk, "pipe");
    for arguments in [&["inspect", "pipe"][..], &["verify", "--bundle=pipe", "out"]] {
        let (pipe, bundle) = (desk.path("pipe"), fs::read(desk.path("out.sigstore.json")).unwrap());
        let writing = std::thread::spawn(move || fs::write(pipe, bundle).unwrap());
        let ended = Cost::of(&mut desk.program(arguments));
        writing.join().unwrap();
        assert_eq!(ended.bounded().code, Some(0), "{arguments:?}");
    }
    for arguments in [&["inspect", "/dev/zero"][..], &["verify", "--policy=/dev/zero", "out"]] {
        Cost::of(&mut desk.program(arguments)).refuses(65, "larger than");
    }
}

#[test]
fn a_manifest_is_read_line_by_line_as_far_as_its_limit() {
    let desk = attested();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let mut lines = String::new();
    for number in 0.. {
        writeln!(lines, "{digest}  out/{number:052}").unwrap();
        if lines.len() as u64 > MAX_MANIFEST {
            break;
        }
    }
    fs::write(desk.path("out.manifest.sha256"), &lines).unwrap();
    Cost::of(&mut desk.program(["verify", "out/1"])).refuses(1, "more than 134217728 bytes");
    fs::write(desk.path("out.manifest.sha256"), "x".repeat(64 << 20)).unwrap();
    Cost::of(&mut desk.program(["verify", "out/1"])).refuses(1, "line 1 of the manifest is malformed");
}
