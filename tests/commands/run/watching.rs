//! What is digested while the command runs, as `--json` tells it.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Desk, Ended, run_arguments, until};
use crate::skip::skip_as_this_user;

const FILES: u64 = 50;
const SIZE: u64 = 100_000;

/// Bytes that a process has read so far, from anything.
fn bytes_read(process: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    io.lines().find_map(|l| l.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[test]
fn what_is_closed_before_a_long_command_ends_is_digested_by_then() {
    if !rustix::process::geteuid().is_root() {
        return skip_as_this_user("root: how much the program has read is nobody else's to know");
    }
    let desk = Desk::new();
    let script = format!(
        "mkdir -p out/later; n=0; while [ $n -lt {FILES} ]; do head -c {SIZE} /dev/urandom > out/$n; n=$((n+1)); done; \
         head -c {SIZE} /dev/urandom > moved; mv moved out/later/; \
         while [ ! -e go ]; do sleep 0.05; done; sleep 0.3; head -c {SIZE} /dev/urandom > out/last"
    );
    let child = desk
        .program(run_arguments(&["out"], &["--json"], &script))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command has not ended, and yet all of it is read.
    until("everything is read while the command runs", || bytes_read(child.id()) >= (FILES + 1) * SIZE);
    desk.write("go", "");
    let ended = Ended::from(child.wait_with_output().unwrap()).with(0);
    let json: Value = serde_json::from_str(&ended.out).unwrap();

    let files = json["artifacts"][0]["files"].as_array().unwrap();
    assert_eq!(files.len() as u64, FILES + 2);
    for file in files.iter().filter(|f| f["name"] != "out/last") {
        let when = file["digestedRelativeToEndMs"].as_i64().unwrap();
        assert!((-120_000..0).contains(&when), "{file}");
        assert_eq!(file["size"], SIZE);
    }
    let metric = |name: &str| json["metrics"][name].as_u64().unwrap();
    assert!(
        metric("filesDigestedBeforeEnd") > FILES && metric("bytesDigestedBeforeEnd") > FILES * SIZE,
        "{json}"
    );
    assert_eq!(metric("filesDigestedBeforeEnd") + metric("filesDigestedAfterEnd"), FILES + 2);
    assert_eq!(metric("bytesDigestedBeforeEnd") + metric("bytesDigestedAfterEnd"), (FILES + 2) * SIZE);
    desk.accepted(["out"]);
}

#[test]
fn a_file_that_is_rewritten_is_counted_as_it_was_in_the_end() {
    let desk = Desk::new();
    let (_, json) = desk.attest_json(
        &["out"],
        "echo first > out; sleep 0.3; printf second > out; sleep 0.3; printf 2 > t; ln out hard; mv t out",
    );
    let files = json["artifacts"][0]["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["size"], &files[0]["name"]), (1, &1.into(), &"out".into()));
    desk.accepted(["out"]);
}

#[test]
fn the_report_is_one_object_and_the_commands_output_is_elsewhere() {
    let desk = Desk::new();
    let (ended, json) = desk.attest_json(&["out"], "echo from the command; echo 1 > out");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), "from the command\n"));
    let artifact = &json["artifacts"][0];
    assert_eq!((&artifact["name"], &artifact["attested"]), (&"out".into(), &true.into()));
    let uri = format!("file://{}", desk.path("out.sigstore.json").display());
    assert_eq!(artifact["attestation"], uri.as_str());
    assert_eq!(json["key"]["created"], true);
    assert_eq!(json["key"]["publicKeyFile"], desk.own_key().with_extension("pub").to_str().unwrap());

    let plain = desk.attest(&["out"], "echo from the command; echo 1 > out").with(0);
    assert_eq!(plain.out, "from the command\n");
    assert!(plain.err.starts_with("attested      out"), "{plain:?}");
    let (ended, json) = desk.attest_json(&["none"], "true");
    assert_eq!((ended.code, &json["artifacts"][0]["reason"]), (Some(1), &"it does not exist".into()));
}
