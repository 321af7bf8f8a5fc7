//! Signing without a key of one's own: what `run` leaves then, who accepts it, and what is refused at the start.

use std::sync::Arc;

use argo_attest_core::bundle::{Bundle, lines};
use argo_attest_core::digest::Sha256Digest;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fulcio::{CertificateLie, Fulcio, IDENTITY, ISSUER, token, token_of};
use crate::images::Place;
use crate::program::{Desk, Ended, run_arguments};
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::witnesses::{Authority, Log, LogLie, TimeLie};
use crate::workshop::BUILDER;

/// Somebody with a token, an authority, a log and a timestamp authority, and a trusted root of all three.
struct Signer {
    desk: Desk,
    fulcio: Arc<Fulcio>,
    log: Arc<Log>,
    time: Arc<Authority>,
}

impl Signer {
    fn new() -> Self {
        let desk = Desk::new();
        let (fulcio, log) = (Arc::new(Fulcio::new()), Arc::new(Log::new("log.example.com")));
        let signer = Self { desk, fulcio, log, time: Arc::new(Authority::new()) };
        signer.root("root.json", &[signer.log.root()]);
        signer.root("no-log.json", &[]);
        signer.desk.write("token", token());
        signer
    }

    fn root(&self, name: &str, logs: &[Value]) {
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs, "timestampAuthorities": [self.time.root()], "certificateAuthorities": [self.fulcio.root()],
        });
        self.desk.write(name, root.to_string());
    }

    fn run(&self, fulcio: &Scripted, extra: &[&str]) -> Ended {
        let at = fulcio.endpoint();
        let extra = [&["--fulcio-url", &at, "--identity-token", "token"], extra].concat();
        self.desk.run(run_arguments(&["out"], &extra, "date +%N > out"))
    }

    fn verify(&self, root: &str, identity: &str) -> Ended {
        self.desk.run([
            "verify",
            "--trusted-root",
            root,
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            ISSUER,
            "out",
        ])
    }

    #[track_caller]
    fn left_nothing(&self) {
        for name in ["out.sigstore.json", "out.intoto.jsonl"] {
            assert!(!self.desk.path(name).exists(), "{name}");
        }
    }
}

#[test]
fn what_is_signed_is_accepted_as_the_identitys_and_nobody_elses() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    let (one, two) = (signer.log.serve1(LogLie::None), signer.log.serve2(LogLie::None));
    let time = signer.time.serve(TimeLie::None);
    let (one, two, time) = (one.endpoint(), two.endpoint(), time.endpoint());
    for (root, asked) in [
        ("root.json", &["--rekor-url", &one][..]),
        ("root.json", &["--rekor-url", &one, "--timestamp-url", &time]),
        ("root.json", &["--rekor-url", &two, "--rekor-version", "2", "--timestamp-url", &time]),
        ("no-log.json", &["--timestamp-url", &time]),
    ] {
        let asked = [&["--trusted-root", root], asked].concat();
        let ended = signer.run(&fulcio, &asked).with(0);
        let ended =
            ended.says(&format!("signed as     {IDENTITY}")).says(&format!("by the word of {ISSUER}"));
        ended.says(&format!(
            "verify with   argo-attest verify --trusted-root {root} --certificate-identity {IDENTITY} \
             --certificate-oidc-issuer {ISSUER} out"
        ));
        signer.verify(root, IDENTITY).with(0).says(IDENTITY);
        signer
            .verify(root, "https://kubernetes.io/namespaces/ci/serviceaccounts/other")
            .with(1)
            .says("identity");
        let bundle: Value = serde_json::from_slice(&signer.desk.read("out.sigstore.json")).unwrap();
        let material = &bundle["verificationMaterial"];
        assert!(
            material["certificate"]["rawBytes"].is_string() && material.get("publicKey").is_none(),
            "{material}"
        );
        // Lines have no room for a certificate.
        assert!(!signer.desk.path("out.intoto.jsonl").exists());
    }
    // For programs: no key, which is nobody's, but for whom it is.
    let asked = ["--trusted-root", "root.json", "--rekor-url", &one, "--json"];
    let told: Value = serde_json::from_str(&signer.run(&fulcio, &asked).with(0).out).unwrap();
    assert_eq!(told["identity"], json!({"name": IDENTITY, "issuer": ISSUER}));
    assert_eq!(told.get("key"), None);
}

/// Beside an image a bundle has its certificate, and the tag that cosign 2 reads has no room for one.
#[test]
fn an_image_is_attested_by_a_referrer_and_by_no_tag() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None).endpoint();
    let time = signer.time.serve(TimeLie::None).endpoint();
    for place in Place::each() {
        let image = format!("oci://{}", place.push("app:1").index);
        let attest = |more: &[&str]| {
            let asked = ["attest", "--plain-http", "--builder-id", BUILDER, "--fulcio-url", &fulcio];
            let who =
                ["--identity-token", "token", "--trusted-root", "no-log.json", "--timestamp-url", &time];
            signer.desk.run([&asked[..], &who, more, &[&image]].concat())
        };
        let verify = || {
            let asked = ["verify", "--plain-http", "--trusted-root", "no-log.json"];
            let who = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER];
            signer.desk.run([&asked[..], &who, &[&image]].concat())
        };
        let refused = attest(&["--cosign-tag"]);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        refused.says("for which there is no room");
        verify().with(1).says("unattested");
        attest(&[]).with(0);
        verify().with(0).says(IDENTITY);
    }
}

/// What somebody else signed with a certificate has no lines that would keep it.
#[test]
fn what_others_left_is_not_replaced() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    let time = signer.time.serve(TimeLie::None).endpoint();
    let asked = ["--trusted-root", "no-log.json", "--timestamp-url", &time];
    signer.run(&fulcio, &asked).with(0);
    let mut theirs: Value = serde_json::from_slice(&signer.desk.read("out.sigstore.json")).unwrap();
    theirs["dsseEnvelope"]["signatures"][0].as_object_mut().unwrap().remove("keyid");
    signer.desk.write("out.sigstore.json", theirs.to_string());
    signer.run(&fulcio, &asked).says("is there already and is another tool's");
    assert_eq!(signer.desk.read("out.sigstore.json"), theirs.to_string().as_bytes());
}

/// Of what counts by a certificate no line keeps anything: it stays as it was, under another name, whoever's it is.
/// Lines that are there already are not left with an older one as their newest.
#[test]
fn an_earlier_attempt_is_kept_as_it_was() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    let time = signer.time.serve(TimeLie::None).endpoint();
    let asked = ["--trusted-root", "no-log.json", "--timestamp-url", &time];
    signer.desk.run(["keygen", "--out-dir", "keys"]).with(0);
    let by_key = || signer.desk.run(run_arguments(&["out"], &["--key", "keys/attest.key"], "date +%N > out"));
    let bundle = || signer.desk.read("out.sigstore.json");
    let kept = |bundle: &[u8]| {
        let digits = Sha256Digest::of(bundle).to_string()[..16].to_owned();
        let name = format!("out.earlier-{digits}.sigstore.json");
        signer.desk.path(&name).exists().then(|| signer.desk.read(&name))
    };
    signer.run(&fulcio, &asked).with(0);
    let first = bundle();
    // Somebody else's, who has a certificate, too.
    signer.desk.write("token", token_of("other", Timestamp::now() + SignedDuration::from_hours(1)));
    signer.run(&fulcio, &asked).with(0);
    let second = bundle();
    assert_eq!(kept(&first), Some(first.clone()));
    assert!(!signer.desk.path("out.intoto.jsonl").exists());
    by_key().with(0);
    let third = bundle();
    assert_eq!(kept(&second), Some(second));
    // What a key signed stays in the lines, of which what counts by a certificate is the newest then.
    signer.run(&fulcio, &asked).with(0);
    assert_eq!(kept(&third), None);
    let lines = lines::parse(&signer.desk.read("out.intoto.jsonl")).unwrap();
    let whole = |bytes: &[u8]| Bundle::whole(bytes).unwrap();
    let [by_key, certified] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((by_key, certified), (whole(&third).envelope(), whole(&bundle()).envelope()));
    // In a folder each is an attestation of the output, and nothing that would need one.
    std::fs::create_dir(signer.desk.path("all")).unwrap();
    for entry in std::fs::read_dir(signer.desk.path(".")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("out") {
            signer.desk.write(format!("all/{name}"), signer.desk.read(&name));
        }
    }
    let other = IDENTITY.replace("attestor", "other");
    let trust = ["--trusted-root", "no-log.json", "--certificate-identity", &other];
    let all = signer
        .desk
        .run([&["verify", "-o", "json"], &trust[..], &["--certificate-oidc-issuer", ISSUER, "all"]].concat());
    assert!(!all.with(0).out.contains("earlier"));
}

#[test]
fn the_command_does_not_get_the_token() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None).endpoint();
    let time = signer.time.serve(TimeLie::None);
    let (time, token) = (time.endpoint(), token());
    let asked = ["--fulcio-url", &fulcio, "--trusted-root", "no-log.json", "--timestamp-url", &time];
    let mut program = signer.desk.program(run_arguments(&["out"], &asked, "env > out"));
    Ended::from(program.env("SIGSTORE_ID_TOKEN", &token).output().unwrap()).with(0);
    let seen = String::from_utf8(signer.desk.read("out")).unwrap();
    assert!(
        seen.contains("PATH=") && !seen.contains("SIGSTORE_ID_TOKEN") && !seen.contains(&token),
        "{seen}"
    );
    let bundle = String::from_utf8(signer.desk.read("out.sigstore.json")).unwrap();
    assert!(!bundle.contains(&token));
}

/// A certificate that no time is proven for is as good as none, whatever is said to do otherwise.
#[test]
fn without_a_proven_time_nothing_is_attested() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    let busy = Scripted::choosing(Plain, |_| Some(Act::Reply(reply(403, &[], b"closed today"))));
    let (log, time) = (signer.log.serve1(LogLie::None), signer.time.serve(TimeLie::None));
    for (log, time) in [(busy.endpoint(), time.endpoint()), (busy.endpoint(), busy.endpoint())] {
        for failure in ["fail", "warn"] {
            let asked = ["--rekor-url", &log, "--timestamp-url", &time, "--log-failure", failure];
            let asked = [&["--trusted-root", "root.json"], &asked[..]].concat();
            signer.run(&fulcio, &asked).with(1).says("not attested  out").says("closed today");
            signer.left_nothing();
        }
    }
    // A log that promises when it took it is enough, if that is said to do.
    let (log, time) = (log.endpoint(), busy.endpoint());
    let asked = ["--rekor-url", &log, "--timestamp-url", &time, "--log-failure", "warn"];
    let asked = [&["--trusted-root", "root.json"], &asked[..]].concat();
    signer.run(&fulcio, &asked).with(0).says("warning       the timestamp authority");
    signer.verify("root.json", IDENTITY).with(0);
}

/// What others say falsely proves no time either, whatever is said to do.
#[test]
fn lies_about_what_a_certificate_signed_attest_nothing() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    let attempt = |root: &str, asked: &[&str]| {
        for failure in ["fail", "warn"] {
            let asked = [&["--trusted-root", root, "--log-failure", failure], asked].concat();
            signer.run(&fulcio, &asked).with(1).says("not attested  out").says("is not vouched for: ");
            signer.left_nothing();
        }
    };
    for lie in [TimeLie::OtherImprint, TimeLie::OtherNonce, TimeLie::Refuses, TimeLie::Cut] {
        attempt("no-log.json", &["--timestamp-url", &signer.time.serve(lie).endpoint()]);
    }
    for lie in
        [LogLie::OtherSignature, LogLie::OtherPromise, LogLie::LongAgo, LogLie::ToCome, LogLie::OtherLog]
    {
        attempt("root.json", &["--rekor-url", &signer.log.serve1(lie).endpoint()]);
    }
    // An authority that nobody knows.
    let stranger = Arc::new(Authority::new());
    attempt("no-log.json", &["--timestamp-url", &stranger.serve(TimeLie::None).endpoint()]);
    // A true time, at which the certificate did not hold yet.
    let fulcio = signer.fulcio.serve(CertificateLie::Soon);
    let time = signer.time.serve(TimeLie::None).endpoint();
    let asked = ["--trusted-root", "no-log.json", "--timestamp-url", &time];
    signer.run(&fulcio, &asked).with(1).says("not attested  out").says("did not hold at");
    signer.left_nothing();
}

#[test]
fn a_certificate_that_is_not_ours_costs_the_run_before_the_command() {
    let signer = Signer::new();
    let time = signer.time.serve(TimeLie::None).endpoint();
    for lie in [CertificateLie::OtherKey, CertificateLie::Expired, CertificateLie::OtherIdentity] {
        let fulcio = signer.fulcio.serve(lie);
        let asked = ["--trusted-root", "no-log.json", "--timestamp-url", &time];
        signer.run(&fulcio, &asked).with(77).says("cannot be used").says("is not used");
        assert!(!signer.desk.path("out").exists(), "the command ran: {lie:?}");
    }
}

#[test]
fn what_would_prove_nothing_is_refused_at_the_start() {
    let signer = Signer::new();
    let fulcio = signer.fulcio.serve(CertificateLie::None);
    signer.root("log-only.json", &[signer.log.root()]);
    let bare = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "timestampAuthorities": [signer.time.root()],
    });
    signer.desk.write("bare.json", bare.to_string());
    let url = "http://127.0.0.1:9";
    for (asked, code, why, help) in [
        (&["--timestamp-url", url][..], 64, "--trusted-root", ""),
        (&["--trusted-root", "root.json"], 64, "counts only by a proven time", "--timestamp-url URL"),
        (
            &["--trusted-root", "root.json", "--rekor-url", url, "--rekor-version", "2"],
            64,
            "counts only by a proven time",
            "--timestamp-url URL",
        ),
        (&["--trusted-root", "root.json", "--timestamp-url", url], 64, "no log is asked", "--rekor-url URL"),
        (
            &["--trusted-root", "bare.json", "--timestamp-url", url],
            64,
            "names no certificate authority",
            "add it",
        ),
        (
            &["--trusted-root", "none.json", "--timestamp-url", url],
            66,
            "cannot read the trusted root",
            "cosign",
        ),
        (
            &["--trusted-root", "root.json", "--timestamp-url", url, "--key", "k"],
            64,
            "cannot be used with",
            "--key",
        ),
    ] {
        signer.run(&fulcio, asked).with(code).says(why).says(help);
        assert!(!signer.desk.path("out").exists(), "the command ran: {asked:?}");
    }
    // A token for nobody: whoever gives it does not expect that a key signs.
    signer.desk.run(["keygen", "--out-dir", "keys"]).with(0);
    let by_key = |extra: &[&str]| {
        run_arguments(&["out"], &[&["--key", "keys/attest.key"], extra].concat(), "date > out")
    };
    for (option, name) in [
        ("--identity-token", "ARGO_ATTEST_IDENTITY_TOKEN"),
        ("--token-audience", "ARGO_ATTEST_TOKEN_AUDIENCE"),
    ] {
        let mut by_variable = signer.desk.program(by_key(&[]));
        let by_variable = Ended::from(by_variable.env(name, "token").output().unwrap());
        for ended in [signer.desk.run(by_key(&[option, "token"])), by_variable] {
            ended.with(64).says(option).says("no Fulcio").says("--fulcio-url URL").says(name);
        }
        assert!(!signer.desk.path("out").exists(), "the command ran: {option}");
    }
    assert_eq!(fulcio.requests().len(), 0, "nobody was given the token");
}
