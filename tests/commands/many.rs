//! Many artifacts with one call: a folder, a prefix, a list.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Desk, Ended};
use crate::servers::{self, BUCKET};
use crate::voucher::{Voucher, uri};

/// Files of one folder, each with an attestation of its own, and a directory that has one.
fn folder() -> Desk {
    let desk = Desk::new();
    let script =
        "mkdir -p all/sub all/whole && for f in a b sub/c whole/x whole/y; do echo $f > all/$f; done";
    desk.attest(&["all/a", "all/b", "all/sub/c", "all/whole"], script).with(0);
    desk
}

/// Artifact, verdict and reason of each line.
fn told(ended: &Ended) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |line| {
        let json: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        (text(&json["artifact"]), text(&json["verdict"]), text(&json["reason"]))
    };
    ended.out.lines().map(line).collect()
}

fn reasons(ended: &Ended) -> Vec<(String, String)> {
    told(ended).into_iter().map(|(artifact, _, reason)| (artifact, reason)).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn each_file_of_a_folder_is_an_artifact() {
    let desk = folder();
    let ended = desk.accepted(["all"]).says("4 attested of 4\n");
    assert_eq!(ended.out, "attested  all/a\nattested  all/b\nattested  all/sub/c\nattested  all/whole\n");
    let json = desk.run(["verify", "-o", "json", "all"]).with(0);
    assert_eq!(reasons(&json), pairs(&[("all/a", ""), ("all/b", ""), ("all/sub/c", ""), ("all/whole", "")]));
    desk.accepted(["all/whole"]);
    let quiet = desk.run(["verify", "--quiet", "all"]).with(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));

    // What is none is refused, whatever it is called, and nothing is followed.
    desk.write("all/new", "x");
    desk.write("all/evil.sigstore.json", "#!/bin/sh\n");
    desk.write("all/b", "other");
    desk.write("all/whole/z", "z");
    symlink("a", desk.path("all/link")).unwrap();
    fs::remove_file(desk.path("all/sub/c")).unwrap();
    let refused = desk.run(["verify", "-o", "json", "all"]).with(1);
    assert_eq!(
        reasons(&refused),
        pairs(&[
            ("all/a", ""),
            ("all/b", "altered"),
            ("all/evil.sigstore.json", "unattested"),
            ("all/link", "unverifiable"),
            ("all/new", "unattested"),
            ("all/whole", "altered"),
        ])
    );
    refused.says("1 attested, 2 unattested, 2 altered, 1 unverifiable of 6\n").says(
        "2 attestations are about nothing that is there: all/sub/c.intoto.jsonl, all/sub/c.sigstore.json\n",
    );
    let quiet = desk.run(["verify", "--quiet", "all"]).with(1);
    assert!(!quiet.out.contains("attested  all/a") && quiet.err.is_empty(), "{quiet:?}");
}

#[test]
fn a_directory_with_an_attestation_is_never_split() {
    let desk = Desk::new();
    desk.attest(&["d/a"], "mkdir d && echo a > d/a").with(0);
    desk.accepted(["d"]).says("attested  d/a\n");
    // Whatever is wrong with it.
    desk.write("d.sigstore.json", "{}");
    let ended = desk.run(["verify", "-o", "json", "d"]).with(1);
    assert_eq!(reasons(&ended), pairs(&[("d", "malformed")]));
    // And one without any attestation is one artifact without an attestation.
    fs::create_dir(desk.path("e")).unwrap();
    desk.write("e/x", "x");
    assert_eq!(reasons(&desk.run(["verify", "-o", "json", "e"]).with(1)), pairs(&[("e", "unattested")]));
}

#[test]
fn a_list_comes_on_standard_input() {
    let desk = folder();
    let listed = |list: &[u8], more: &[&str]| {
        let mut program = desk.program([&["verify", "-o", "json"], more, &["-"]].concat());
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        child.stdin.take().unwrap().write_all(list).unwrap();
        Ended::from(child.wait_with_output().unwrap())
    };
    let ended = listed(b"all/b\nall/a\nall/none\n", &[]).with(66);
    assert_eq!(reasons(&ended), pairs(&[("all/b", ""), ("all/a", ""), ("all/none", "not-found")]));
    assert_eq!(reasons(&listed(b"all/sub\0all/a\0", &[]).with(0)).len(), 2);
    listed(b"\n", &[]).with(64).says("names no artifact");
    listed(b"a\n-\n", &[]).with(64).says("--bundle");
    // With an attestation it is the artifact.
    listed(b"a\n", &["--bundle", "all/a.sigstore.json"]).with(0);
}

#[test]
fn eighty_columns_and_no_colour_in_a_pipe() {
    let desk = folder();
    desk.write("all/b", "other");
    let mut program = desk.program(["verify", "all/a", "all/b"]);
    let ended = Ended::from(program.env_remove("COLUMNS").output().unwrap()).with(1);
    assert!(!ended.out.contains('\u{1b}'), "{ended:?}");
    for line in ended.out.lines() {
        let one_word = line.trim_start().split(' ').count() == 1;
        assert!(line.chars().count() <= 80 || one_word, "{line}");
    }
    assert!(ended.out.starts_with("attested  all/a\n  as "), "{ended:?}");
    assert!(ended.out.contains("\nrefused   all/b\n  altered: "), "{ended:?}");
    assert!(ended.out.contains("\n  help: "), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_object_beneath_a_prefix_is_an_artifact() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let at = |key: &str| server.path().join(BUCKET).join(key);
    fs::create_dir_all(at("p/sub")).unwrap();
    for key in ["p/a", "p/b", "p/sub/c", "p/apart"] {
        fs::write(at(key), key).unwrap();
    }
    let keys = ["p/a", "p/b", "p/sub/c"].map(uri);
    voucher.attest(&keys.each_ref().map(String::as_str)).with(0);
    voucher.attest(&["--attestations", "apart", &uri("p/apart")]).with(0);
    let verify = |more: &[&str]| voucher.verify(&[&["-o", "json"], more].concat());
    let ended = verify(&[&uri("p/")]).with(0).says("4 attested of 4\n");
    let all = ["p/a", "p/apart", "p/b", "p/sub/c"].map(|key| (uri(key), String::new()));
    assert_eq!(reasons(&ended), all);
    assert_eq!(told(&verify(&[&uri("")]).with(0)).len(), 4, "of the whole bucket");

    fs::write(at("p/b"), "other").unwrap();
    fs::write(at("p/new"), "x").unwrap();
    fs::write(at("p/x.sigstore.json"), "payload").unwrap();
    fs::remove_file(at("p/sub/c")).unwrap();
    let ended = verify(&[&uri("p/")]).with(1).says("2 attested, 2 unattested, 1 altered of 5\n");
    ended
        .says("2 attestations are about nothing that is there: s3://bucket/p/sub/c.intoto.jsonl, ")
        .says("\"reason\":\"altered\"");
    let nothing = verify(&[&uri("none/")]).with(66);
    assert_eq!(reasons(&nothing), [(uri("none/"), "not-found".to_owned())]);
}
