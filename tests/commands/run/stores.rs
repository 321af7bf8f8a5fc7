//! Attestations that are kept elsewhere, and artifacts that are objects.

use std::fs;
use std::path::Path;

use crate::nobody::Nobody;
use crate::program::{Desk, Ended, run_arguments};
use crate::servers::{self, ACCESS_KEY, BUCKET, SECRET_KEY};

#[test]
fn a_directory_can_be_the_store() {
    let desk = Desk::new();
    fs::create_dir(desk.path("st ore")).unwrap();
    let url = format!("file://{}/st%20ore", desk.path("").display().to_string().trim_end_matches('/'));
    let script = "mkdir -p out/a && echo hi > out/a/x";
    let ended = desk.run(run_arguments(&["out"], &["--store", &url], script)).with(0);
    assert!(
        ended.err.contains("verify with   argo-attest verify --bundle 'st ore/out.sigstore.json' out\n"),
        "{ended:?}"
    );
    assert!(!desk.path("out.sigstore.json").exists());
    desk.accepted(["--bundle", "st ore/out.sigstore.json", "out"]);
    desk.accepted(["--bundle", "st ore/out.intoto.jsonl", "out/a/x"]);
    desk.rejected(["out"], "no attestation");

    for (url, code) in
        [("file:///dev/null/dir", 74), ("file://host/dir", 64), ("dir", 64), ("s3://", 64), ("", 64)]
    {
        let ended = desk.run(run_arguments(&["new"], &["--store", url], "touch new")).with(code);
        assert!(ended.err.starts_with("error: ") && ended.err.contains("\n  help: "), "{ended:?}");
        assert!(!desk.path("new").exists(), "the command must not start");
    }
}

/// The program against a server of this test, by AWS's usual variables.
fn s3<'a>(desk: &Desk, endpoint: &str, secret: &str, arguments: impl IntoIterator<Item = &'a str>) -> Ended {
    let mut program = program(desk, endpoint, secret, arguments);
    tokio::task::block_in_place(|| program.output().unwrap()).into()
}

fn program<'a>(
    desk: &Desk,
    endpoint: &str,
    secret: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> std::process::Command {
    let mut program = desk.program(arguments);
    program
        .env("AWS_ENDPOINT_URL_S3", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", secret);
    program
}

fn verified(ended: Ended, code: i32, says: &str) {
    let starts = match code {
        0 => "attested  s3://",
        1 => "refused   s3://",
        _ => "error     s3://",
    };
    assert!(ended.out.starts_with(starts) && ended.out.contains(says), "{says:?}: {ended:?}");
    ended.with(code);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_bucket_are_attested_and_verified() {
    let (desk, server) = (Desk::new(), tempfile::tempdir().unwrap());
    let endpoint = servers::s3s_fs(server.path()).await;
    let bucket = server.path().join(BUCKET);
    let run = |outputs: &[&str], script: &str| {
        let arguments = run_arguments(outputs, &["--store", "s3://bucket/ci/build 7"], script);
        s3(&desk, &endpoint, SECRET_KEY, arguments.iter().map(String::as_str))
    };
    let verify = |object: &str| {
        s3(&desk, &endpoint, SECRET_KEY, ["verify", &format!("s3://bucket/ci/build 7/{object}")])
    };

    let ended = run(&["app.tgz", "dir"], "echo app > app.tgz; mkdir -p dir/sub; echo 1 > dir/sub/x").with(0);
    assert!(ended.err.contains("s3://bucket/ci/build 7/app.tgz.sigstore.json"), "{ended:?}");
    assert!(
        ended.err.contains("(FILE: a copy of s3://bucket/ci/build 7/app.tgz.sigstore.json)"),
        "{ended:?}"
    );
    assert!(!desk.path("app.tgz.sigstore.json").exists());
    verified(verify("app.tgz"), 66, "does not exist");

    let stored = bucket.join("ci/build 7");
    put(&stored, "app.tgz", "app\n");
    put(&stored, "dir/sub/x", "1\n");
    verified(verify("app.tgz"), 0, "as app.tgz, signed with your own key");
    verified(verify("dir/sub/x"), 0, "as dir/sub/x, signed with");
    put(&stored, "app.tgz", "apq\n");
    verified(verify("app.tgz"), 1, "not one that is attested");
    put(&stored, "dir/sub/x", "2\n");
    verified(verify("dir/sub/x"), 1, "the attestation is about dir/sub/x");
    put(&stored, "dir/sub/y", "1\n");
    verified(verify("dir/sub/y"), 1, "does not list sub/y");
    put(&stored, "bare", "1\n");
    verified(verify("bare"), 1, "no attestation: looked for s3://bucket/ci/build 7/bare.sigstore.json");

    // A copy of the attestation serves as well, and for a copy of the object.
    fs::copy(stored.join("app.tgz.sigstore.json"), desk.path("copy.json")).unwrap();
    desk.accepted(["--bundle", "copy.json", "app.tgz"]);
    put(&stored, "app.tgz", "app\n");
    verified(verify("app.tgz"), 0, "");
    // Changed behind the store's back, and so not what its own checksum says.
    put(&stored, "app.tgz.sigstore.json", "mine");
    verified(verify("app.tgz"), 74, "do not match the store's own checksum");
    put(&stored, "foreign", "1\n");
    put(&stored, "foreign.sigstore.json", "mine");
    verified(verify("foreign"), 1, "malformed");
    let again = run(&["foreign"], "echo 1 > foreign").with(1);
    assert!(again.err.contains("is there already and is not an attestation"), "{again:?}");
    assert_eq!(fs::read(stored.join("foreign.sigstore.json")).unwrap(), b"mine");
}

fn put(stored: &Path, name: &str, bytes: &str) {
    let path = stored.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_of_many_is_found_by_the_manifest_in_the_bucket() {
    let (desk, server) = (Desk::new(), tempfile::tempdir().unwrap());
    let endpoint = servers::s3s_fs(server.path()).await;
    let script = "mkdir out; n=0; while [ $n -lt 1100 ]; do echo $n > out/$n; n=$((n+1)); done";
    let arguments = run_arguments(&["out"], &["--store", "s3://bucket"], script);
    s3(&desk, &endpoint, SECRET_KEY, arguments.iter().map(String::as_str)).with(0);
    let verify =
        |object: &str| s3(&desk, &endpoint, SECRET_KEY, ["verify", &format!("s3://bucket/out/{object}")]);
    let bucket = server.path().join(BUCKET);
    put(&bucket, "out/77", "77\n");
    verified(verify("77"), 0, "as out/77,");
    put(&bucket, "out/77", "78\n");
    verified(verify("77"), 1, "not one that is attested");
    let manifest = fs::read_to_string(bucket.join("out.manifest.sha256")).unwrap();
    put(&bucket, "out.manifest.sha256", &manifest.replace('a', "b"));
    verified(verify("77"), 1, "manifest");
    fs::remove_file(bucket.join("out.manifest.sha256")).unwrap();
    verified(verify("77"), 1, "the manifest that lists the attested files is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_asked_is_neither_a_yes_nor_a_no() {
    let (desk, server) = (Desk::new(), tempfile::tempdir().unwrap());
    let endpoint = servers::s3s_fs(server.path()).await;
    desk.attest(&["o"], "touch o").with(0);
    let verify =
        |endpoint: &str, secret: &str| s3(&desk, endpoint, secret, ["verify", "s3://bucket/app.tgz"]);
    verified(verify(&endpoint, "not-the-secret"), 77, "help: check AWS_SECRET_ACCESS_KEY");
    let arguments = run_arguments(&["o"], &["--store", "s3://bucket"], "echo hi > o");
    let arguments = || arguments.iter().map(String::as_str);
    // A port that nobody listens on. Both try for a minute, so they do it at once.
    let nobody = Nobody::new();
    let closed = format!("http://{}", nobody.address());
    let ended = std::thread::scope(|scope| {
        let other = scope.spawn(|| program(&desk, &closed, SECRET_KEY, arguments()).output().unwrap());
        verified(verify(&closed, SECRET_KEY), 69, "help: check the endpoint");
        Ended::from(other.join().unwrap()).with(1)
    });
    assert!(ended.err.contains("not attested  o: ") && ended.err.contains("help: "), "{ended:?}");
    let bare = desk.run(arguments()).with(64).says("AWS_REGION");
    assert!(!bare.err.contains("panicked"), "{bare:?}");
}
