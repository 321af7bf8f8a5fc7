//! What others vouch for: log entries, timestamps and certificates, judged by a trusted root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::Desk;

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/\
                        extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore")
}

/// A desk with the artifact, the signer's public key and the trusted root, and one of the bundles
/// beside the artifact.
fn desk(bundle: &str) -> Desk {
    let desk = Desk::new();
    for name in ["app.bin", "key.pub", "trusted_root.json"] {
        desk.write(name, fs::read(fixtures().join("own").join(name)).unwrap());
    }
    beside(&desk, bundle);
    desk
}

fn beside(desk: &Desk, bundle: &str) {
    let name = format!("own/{bundle}.sigstore.json");
    desk.write("app.bin.sigstore.json", fs::read(fixtures().join(name)).unwrap());
}

fn policy(desk: &Desk, key: &str, more: &str) {
    desk.write(
        "policy.yaml",
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n\
             keys:\n  - {{name: ci, file: key.pub{key}}}\n\
             builders:\n  - {{id: \"https://ci.example.com/argo\", keys: [ci]}}\n{more}"
        ),
    );
}

const BY_KEY: [&str; 3] = ["--key", "key.pub", "app.bin"];
const BY_ROOT: [&str; 5] = ["--key", "key.pub", "--trusted-root", "trusted_root.json", "app.bin"];
const BY_POLICY: [&str; 3] = ["--policy", "policy.yaml", "app.bin"];

#[test]
fn what_is_proven_is_said_and_what_is_not_judged_too() {
    let desk = desk("all");
    let unjudged = desk.accepted(BY_KEY);
    assert!(unjudged.out.contains("not judged: 1 log entry, 1 timestamp"), "{}", unjudged.out);
    let judged = desk.accepted(BY_ROOT);
    assert!(judged.out.contains("proven: in the log log.example.com (7001) at 2026-03-01T00:00:00Z, seen by time.example.com at 2026-11-26T"), "{}", judged.out);
    assert!(!judged.out.contains("not judged"), "{}", judged.out);
    let json = desk.run([&["verify", "-o", "json"][..], &BY_ROOT].concat()).with(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["proven"]["log"][0]["name"], "log.example.com");
    assert_eq!(json["proven"]["log"][0]["index"], 7001);
    assert_eq!(json["proven"]["log"][0]["time"], "2026-03-01T00:00:00Z");
    assert_eq!(json["proven"]["timestamps"][0]["authority"], "time.example.com");
    assert_eq!(json.get("notJudged"), None);
    // Whom the trusted root does not name proves nothing.
    let other = fixtures().join("trusted_root.json");
    let strangers = desk.accepted(["--key", "key.pub", "--trusted-root", other.to_str().unwrap(), "app.bin"]);
    assert!(strangers.out.contains("not judged: 1 log entry, 1 timestamp"), "{}", strangers.out);
}

#[test]
fn what_is_false_is_refused_and_never_passed_over() {
    for (bundle, why) in [
        ("logged-for-another", "log entry 1 of the attestation is false: it is of another signature"),
        (
            "logged-by-another",
            "log entry 1 of the attestation is false: its checkpoint is not signed by log.example.com",
        ),
        ("stamped-for-another", "timestamp 1 of the attestation is false: it is not of this signature"),
    ] {
        let desk = desk(bundle);
        desk.accepted(BY_KEY);
        desk.rejected(BY_ROOT, why);
        let json = desk.run([&["verify", "-o", "json"][..], &BY_ROOT].concat()).with(1);
        assert!(json.out.contains(r#""reason":"false-evidence""#), "{}", json.out);
        // Without it the same signature would do; it is not looked for elsewhere.
        let bundle: serde_json::Value =
            serde_json::from_slice(&fs::read(desk.path("app.bin.sigstore.json")).unwrap()).unwrap();
        desk.write("app.bin.intoto.jsonl", format!("{}\n", bundle["dsseEnvelope"]));
        desk.rejected(BY_ROOT, why);
    }
}

#[test]
fn a_policy_may_require_a_log_and_a_time() {
    for (bundle, logged, timed) in [
        ("bare", false, false),
        ("logged-in-march", true, true),
        ("stamped", false, true),
        ("all", true, true),
    ] {
        let desk = desk(bundle);
        for (demand, met, why) in [
            ("log", logged, "nothing proves that the signature is in a transparency log"),
            ("time", timed, "nothing proves when the signature was made"),
        ] {
            policy(&desk, "", &format!("trustedRoot: trusted_root.json\nexpect: {{{demand}: required}}\n"));
            if met {
                desk.accepted(BY_POLICY);
            } else {
                desk.rejected(BY_POLICY, why);
            }
        }
    }
    let desk = desk("all");
    policy(&desk, "", "expect: {time: required}\n");
    desk.run([&["verify"][..], &BY_POLICY].concat()).with(64).says("no trusted root is named");
    desk.accepted([&["--trusted-root", "trusted_root.json"][..], &BY_POLICY].concat());
    policy(&desk, "", "trustedRoot: nowhere.json\n");
    desk.run([&["verify"][..], &BY_POLICY].concat()).with(66).says("cannot read the trusted root");
    desk.write("nowhere.json", "{}");
    desk.run([&["verify"][..], &BY_POLICY].concat()).with(65).says("not a Sigstore trusted root");
}

/// A key that was given up in June: what it signed before stays good, if that is proven.
#[test]
fn the_proven_time_decides_when_a_key_counted() {
    const RETIRED: &str = ", notAfter: 2026-06-30T00:00:00Z";
    const ROOT: &str = "trustedRoot: trusted_root.json\n";
    for (bundle, root, verdict) in [
        ("logged-in-march", ROOT, Ok(())),
        // The earliest proof counts: it was there in March, whoever saw it again in November.
        ("all", ROOT, Ok(())),
        ("logged-in-october", ROOT, Err("proven to have been there at 2026-10-01T00:00:00Z")),
        ("stamped", ROOT, Err("proven to have been there at 2026-11-26T")),
        ("bare", ROOT, Err("key ci is accepted only until 2026-06-30T00:00:00Z")),
        // Nothing is proven without a trusted root.
        ("logged-in-march", "", Err("key ci is accepted only until 2026-06-30T00:00:00Z")),
    ] {
        let desk = desk(bundle);
        policy(&desk, RETIRED, root);
        match verdict {
            Ok(()) => drop(desk.accepted(BY_POLICY)),
            Err(why) => desk.rejected(BY_POLICY, why),
        }
    }
    // Nor was a signature made by a key that nobody had yet.
    let desk = desk("logged-in-march");
    policy(&desk, ", notBefore: 2026-04-01T00:00:00Z", ROOT);
    desk.rejected(
        BY_POLICY,
        "only from 2026-04-01T00:00:00Z, and the signature is proven to have been there at",
    );
}

/// A bundle that GitHub's and Sigstore's public services made.
fn certified() -> (Desk, Vec<String>) {
    let desk = Desk::new();
    let case = fixtures().join("conformance/happy-path-intoto-in-dsse-v3/bundle.sigstore.json");
    desk.write("a.txt", fs::read(fixtures().join("conformance/a.txt")).unwrap());
    desk.write("a.txt.sigstore.json", fs::read(case).unwrap());
    desk.write("trusted_root.json", fs::read(fixtures().join("trusted_root.json")).unwrap());
    let by = ["--trusted-root", "trusted_root.json", "--certificate-identity"];
    (desk, by.map(str::to_owned).to_vec())
}

#[test]
fn an_identity_is_trusted_by_its_name_and_its_issuer() {
    let (desk, by) = certified();
    let found = desk.run(["inspect", "a.txt.sigstore.json"]).with(0).out;
    assert!(found.contains(IDENTITY) && found.contains(ISSUER), "{found}");
    let asked = |identity: &str, issuer: &str| {
        let mut asked = by.clone();
        asked.extend([identity, "--certificate-oidc-issuer", issuer, "a.txt"].map(str::to_owned));
        asked
    };
    let yes = desk.accepted(asked(IDENTITY, ISSUER));
    assert!(yes.out.contains(&format!("signed with a certificate for {IDENTITY}")), "{}", yes.out);
    assert!(yes.out.contains("proven: in the log rekor.sigstore.dev ("), "{}", yes.out);
    assert!(!yes.out.contains("not judged"), "{}", yes.out);
    desk.rejected(asked("https://github.com/somebody/else", ISSUER), "not for an identity that is trusted");
    desk.rejected(asked(IDENTITY, "https://accounts.example.com"), "not for an identity that is trusted");
    desk.run([&["verify".to_owned()][..], &asked("https://github.com/*", ISSUER)].concat()).with(64);
    // Another instance's root knows none of them.
    desk.write("trusted_root.json", fs::read(fixtures().join("own/trusted_root.json")).unwrap());
    desk.rejected(asked(IDENTITY, ISSUER), "nothing proves that the signature was made while it held");
    desk.run(["keygen", "--out-dir", "mine"]).with(0);
    desk.rejected(["--key", "mine/attest.pub", "a.txt"], "no identity is trusted");
}

#[test]
fn a_policy_says_which_identities_speak_for_which_builder() {
    let (desk, _) = certified();
    let policy = |identity: &str, builder: &str| {
        desk.write(
            "policy.yaml",
            format!(
                "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\ntrustedRoot: trusted_root.json\n\
                 identities:\n  - {{name: release, issuer: \"{ISSUER}\", identity: \"{identity}\"}}\n\
                 builders:\n  - {{id: \"{builder}\", identities: [release]}}\n"
            ),
        );
    };
    let asked = ["--policy", "policy.yaml", "a.txt"];
    let builder = "https://github.com/loosebazooka/aa-test/.github/workflows/provenance.yaml@refs/heads/main";
    policy(&IDENTITY.replace("refs/heads/main", "refs/heads/*"), builder);
    desk.accepted(asked);
    policy(&IDENTITY.replace("beacon/", "other/"), builder);
    desk.rejected(asked, "not for an identity that is trusted");
    policy(IDENTITY, "https://ci.example.com/argo");
    desk.rejected(asked, "key release is not trusted for builder");
    policy("https://github.com/*", builder);
    desk.run([&["verify"][..], &asked].concat()).with(65).says("identities[0].identity is");
}

/// What GitHub, npm and `PyPI` serve, each for who signed it and for nobody else.
#[test]
fn what_public_services_serve_is_verified() {
    const GITHUB: &str = "https://token.actions.githubusercontent.com";
    let public = |name: &str| fixtures().join("public").join(name).to_str().unwrap().to_owned();
    let root = |name: &str| fixtures().join(name).to_str().unwrap().to_owned();
    let npm = public("npm.tgz");
    for (bundle, root, identity, issuer, kind, artifact) in [
        (
            // By GitHub's own authorities: a timestamp, and no log.
            public("github.jsonl"),
            root("trusted_root.github.json"),
            "https://github.com/actions/attest-demo/.github/workflows/build-python.yml@refs/heads/main",
            GITHUB,
            "slsaprovenance1",
            "sha256:ae57936def59bc4c75edd3a837d89bcefc6d3a5e31d55a6fa7a71624f92c3c3b",
        ),
        (
            public("npm.json"),
            root("trusted_root.json"),
            "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
            GITHUB,
            "slsaprovenance1",
            npm.as_str(),
        ),
        (
            public("reusable-workflow.json"),
            root("trusted_root.json"),
            "https://github.com/github/artifact-attestations-workflows/.github/workflows/attest.yml@\
             09b495c3f12c7881b3cc17209a327792065c1a1d",
            GITHUB,
            "slsaprovenance1",
            "sha256:49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25",
        ),
        (
            // Signed at Sigstore's staging instance, by a person.
            public("pypi.attestation"),
            root("conformance/rekor2-happy-path/trusted_root.json"),
            "william@yossarian.net",
            "https://github.com/login/oauth",
            "https://docs.pypi.org/attestations/publish/v1",
            "sha256:c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
        ),
        (
            public("pypi.provenance"),
            root("trusted_root.json"),
            "https://github.com/pypa/sampleproject/.github/workflows/release.yml@refs/heads/main",
            GITHUB,
            "https://docs.pypi.org/attestations/publish/v1",
            "sha256:0ace7980f82c5815ede4cd7bf9f6693684cec2ae47b9b7ade9add533b8627c6b",
        ),
    ] {
        let desk = Desk::new();
        let by = |identity: &str| {
            let words =
                ["--trusted-root", &root, "--bundle", &bundle, "--type", kind, "--certificate-identity"];
            let rest = [identity, "--certificate-oidc-issuer", issuer, artifact];
            words.into_iter().chain(rest).map(str::to_owned).collect::<Vec<_>>()
        };
        let yes = desk.accepted(by(identity));
        assert!(yes.out.contains(&format!("signed with a certificate for {identity}")), "{}", yes.out);
        assert!(yes.out.contains("proven: ") && !yes.out.contains("not judged"), "{}", yes.out);
        desk.rejected(by("https://github.com/somebody/else"), "not for an identity that is trusted");
    }
}

/// One policy, wherever it is asked.
#[test]
fn an_audit_asks_for_the_same() {
    let desk = desk("all");
    fs::create_dir(desk.path("out")).unwrap();
    for name in ["app.bin", "app.bin.sigstore.json"] {
        fs::rename(desk.path(name), desk.path("out").join(name)).unwrap();
    }
    policy(
        &desk,
        ", notAfter: 2026-06-30T00:00:00Z",
        "trustedRoot: trusted_root.json\nexpect: {log: required}\n",
    );
    let asked = ["audit", "--policy", "policy.yaml", "-o", "json", "out"];
    let audited = desk.run(asked).with(0).out;
    assert!(audited.contains(r#""proven":{"log":[{"name":"log.example.com","index":7001"#), "{audited}");
    beside(&desk, "logged-for-another");
    fs::rename(desk.path("app.bin.sigstore.json"), desk.path("out/app.bin.sigstore.json")).unwrap();
    let audited = desk.run(asked).with(1).out;
    assert!(audited.contains(r#""reason":"false-evidence""#), "{audited}");
}
