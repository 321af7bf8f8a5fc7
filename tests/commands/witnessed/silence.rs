//! Those who do not answer: how long they are waited for, and what it costs.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argo_attest::environment::ProcessEnv;
use argo_attest::signer::{Keyless, Opening, Signed, SigningKey, TokenSource};
use argo_attest::witness::{Limits, LogSettings, LogVersion, OnFailure, WitnessError, WitnessSettings};
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::text::causes;

use super::Signer;
use crate::fulcio::{CertificateLie, Fulcio, token};
use crate::nobody::Nobody;
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::witnesses::{LogLie, TimeLie, created};

const SHORT: Limits = Limits {
    attempt: Duration::from_millis(500),
    total: Duration::from_secs(2),
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(20),
};

fn signed(key: &PrivateKey) -> Envelope {
    let unsigned = Unsigned::new(b"{}".to_vec()).unwrap();
    let signature = key.sign(unsigned.pae());
    Envelope::assemble(unsigned, signature, key.public()).unwrap()
}

/// Asks one log about a new signature.
async fn ask(
    signer: &Signer,
    log: &Scripted,
    version: LogVersion,
    until: Option<Duration>,
) -> Result<(), WitnessError> {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let time = signer.time.serve(TimeLie::None);
    let settings = WitnessSettings {
        timestamp_url: Some(time.endpoint().parse().unwrap()),
        log: Some(LogSettings { url: log.endpoint().parse().unwrap(), version }),
        on_failure: OnFailure::Fail,
        trusted_root: Some(signer.desk.path("root.json")),
    };
    let witnesses = settings.open(key.public(), None, &ProcessEnv, SHORT).unwrap();
    let until = until.map(|until| (Instant::now() + until).into());
    witnesses.vouch(signed(&key), key.public(), until).await.map(drop)
}

#[test]
fn without_an_answer_nothing_is_attested_unless_that_is_said_to_do() {
    let signer = Signer::new();
    let nobody = Nobody::new();
    let silent = format!("http://{}", nobody.address());
    signer
        .run_judged("ed", &["--rekor-url", &silent])
        .with(1)
        .says("not attested  out")
        .says("does not vouch for it: it could not be reached");
    signer.left_nothing();

    let busy = Scripted::choosing(Plain, |_| Some(Act::Reply(reply(403, &[], b"closed today"))));
    let time = signer.time.serve(TimeLie::None);
    for option in ["--rekor-url", "--timestamp-url"] {
        signer.run_judged("ed", &[option, &busy.endpoint()]).with(1).says("it refused: 403: closed today");
        signer.left_nothing();
    }
    let (log, time) = (busy.endpoint(), time.endpoint());
    let asked = ["--rekor-url", &log, "--timestamp-url", &time, "--log-failure", "warn"];
    let ended = signer.run_judged("ed", &[&asked[..], &["--quiet"]].concat()).with(0);
    ended.says("attested      out").says("warning       the log http://127.0.0.1").says("closed today");
    let verified = signer.verified("ed");
    assert_eq!(verified["proven"].get("log"), None, "{verified}");
    assert_eq!(verified["proven"]["timestamps"][0]["authority"], "time.example.com");
    let json = signer.run_judged("ed", &[&asked[..], &["--json"]].concat()).with(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let [why] = &json["artifacts"][0]["notVouched"].as_array().unwrap()[..] else { panic!("{json}") };
    assert!(why.as_str().unwrap().starts_with("the log http://127.0.0.1"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_is_waited_for_no_longer_than_there_is_time() {
    let signer = Signer::new();
    for (until, why) in [
        (None, "it did not answer within"),
        (Some(Duration::from_millis(200)), "had not answered when the time was up"),
    ] {
        for act in [Act::Hang, Act::Drip(b"HTTP/1.1 201 Created\r\n\r\n".to_vec(), Duration::from_millis(50))]
        {
            let log = Scripted::choosing(Plain, move |_| Some(act.clone()));
            for version in [LogVersion::One, LogVersion::Two] {
                let begun = Instant::now();
                let error = ask(&signer, &log, version, until).await.unwrap_err();
                assert!(causes(&error).contains(why), "{}", causes(&error));
                let most = until.unwrap_or(SHORT.total) + Duration::from_secs(3);
                assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
            }
        }
    }
}

/// Where the attestation is there without it, it costs its time once and not with each output.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_silent_is_waited_for_a_second_where_it_is_only_told_of() {
    const LONG: Limits = Limits { attempt: Duration::from_secs(5), total: Duration::from_secs(6), ..SHORT };
    let signer = Signer::new();
    let hanging = Scripted::choosing(Plain, |_| Some(Act::Hang));
    let time = signer.time.serve(TimeLie::None);
    for (on_failure, is_short) in [(OnFailure::Warn, true), (OnFailure::Fail, false)] {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let settings = WitnessSettings {
            timestamp_url: Some(time.endpoint().parse().unwrap()),
            log: Some(LogSettings { url: hanging.endpoint().parse().unwrap(), version: LogVersion::One }),
            on_failure,
            trusted_root: Some(signer.desk.path("root.json")),
        };
        let witnesses = settings.open(key.public(), None, &ProcessEnv, LONG).unwrap();
        for later in [false, true] {
            let begun = Instant::now();
            let given = witnesses.vouch(signed(&key), key.public(), None).await;
            let took = begun.elapsed();
            assert_eq!(took < Duration::from_secs(4), later && is_short, "{on_failure:?} {later} {took:?}");
            if on_failure == OnFailure::Fail {
                given.unwrap_err();
                continue;
            }
            let given = given.unwrap();
            let [why] = &given.missing[..] else { panic!("{:?}", given.missing) };
            assert!(why.contains("answer"), "{why}");
            // Who does answer is believed as before.
            assert!(given.bundle.evidence().timestamps().is_some());
        }
    }
}

/// A certificate counts by their word alone: that somebody was silent once makes the next wait no short one. By what
/// it is judged is read once, for all of them.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_silent_is_waited_for_where_a_certificate_needs_it() {
    const LONG: Limits = Limits { attempt: Duration::from_secs(5), total: Duration::from_secs(6), ..SHORT };
    let (signer, fulcio) = (Signer::new(), Arc::new(Fulcio::new()));
    let file = signer.desk.path("certified.json");
    let root = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "timestampAuthorities": [signer.time.root()], "certificateAuthorities": [fulcio.root()],
    });
    std::fs::write(&file, root.to_string()).unwrap();
    let (authority, mut asked) = (Arc::clone(&signer.time), 0);
    let slow = Scripted::choosing(Plain, move |request| {
        asked += 1;
        if asked == 1 {
            return Some(Act::Hang);
        }
        std::thread::sleep(Duration::from_secs(2));
        let answer = authority.answer(&request.body, TimeLie::None);
        Some(Act::Reply(reply(200, &[("Content-Type", "application/timestamp-reply")], &answer)))
    });
    let settings = WitnessSettings {
        timestamp_url: Some(slow.endpoint().parse().unwrap()),
        log: None,
        on_failure: OnFailure::Warn,
        trusted_root: Some(file.clone()),
    };
    let root = settings.for_certificates().unwrap();
    std::fs::remove_file(&file).unwrap();
    let (certifying, token) = (fulcio.serve(CertificateLie::None), OsString::from(token()));
    let env = |name: &str| (name == "SIGSTORE_ID_TOKEN").then(|| token.clone());
    let at = certifying.endpoint().parse().unwrap();
    let key = SigningKey::Keyless(Keyless::new(at, TokenSource::Variable, root));
    let by = key.signer(&Opening::new(&env)).await.unwrap();
    let witnesses = settings.open(&by.public_key(), key.trusted_root(), &ProcessEnv, LONG).unwrap();
    for answers in [false, true] {
        let unsigned = Unsigned::new(b"{}".to_vec()).unwrap();
        let Signed { signature, key, certified } = by.sign(unsigned.pae()).await.unwrap();
        let envelope = Envelope::assemble(unsigned, signature, &key).unwrap();
        let certified = certified.unwrap();
        let given = witnesses.vouch_certified(envelope, certified.certificate(), None).await;
        match given {
            Ok(given) => assert!(answers && given.bundle.evidence().timestamps().is_some()),
            Err(error) => assert!(!answers && causes(&error).contains("answer"), "{}", causes(&error)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_asked_again() {
    let signer = Signer::new();
    for status in [429, 500, 503] {
        for version in [LogVersion::One, LogVersion::Two] {
            let (log, mut count) = (Arc::clone(&signer.log), 0);
            let server = Scripted::choosing(Plain, move |request| {
                count += 1;
                Some(Act::Reply(match (count, version) {
                    (1, _) => reply(status, &[], b"later"),
                    (_, LogVersion::One) => created(&log.rekor1(&request.body, LogLie::None).1),
                    (_, LogVersion::Two) => created(&log.rekor2(&request.body, LogLie::None)),
                }))
            });
            ask(&signer, &server, version, None).await.unwrap();
            assert_eq!(server.requests().len(), 2);
        }
    }
}

/// An answer that was lost: the entry is there already when it is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_there_already_is_fetched_from_where_it_is() {
    let signer = Signer::new();
    // An old entry is as true as a new one: the same was signed and logged before.
    for (location, age) in
        [("", LogLie::None), ("https://elsewhere.example.com", LogLie::None), ("", LogLie::LongAgo)]
    {
        let (log, mut count) = (Arc::clone(&signer.log), 0);
        let mut kept = None;
        let server = Scripted::choosing(Plain, move |request| {
            count += 1;
            Some(match (count, &kept) {
                (1, _) => {
                    kept = Some(log.rekor1(&request.body, age));
                    Act::Close
                }
                (2, Some((name, _))) => {
                    let location = format!("{location}/api/v1/log/entries/{name}");
                    Act::Reply(reply(409, &[("Location", &location)], b"{}"))
                }
                (_, Some((name, answer))) => {
                    assert_eq!(request.path, format!("/api/v1/log/entries/{name}"));
                    Act::Reply(reply(200, &[], answer.to_string().as_bytes()))
                }
                _ => Act::Close,
            })
        });
        ask(&signer, &server, LogVersion::One, None).await.unwrap();
        assert_eq!(server.requests().len(), 3);
    }
    // One that says of another entry that it is ours is not believed; one that does not say where is none.
    let log = Arc::clone(&signer.log);
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let request = serde_json::json!({"kind": "dsse", "apiVersion": "0.0.1", "spec": {"proposedContent": {
        "envelope": String::from_utf8(signed(&other).to_json()).unwrap(), "verifiers": ["AA=="],
    }}});
    let (name, answer) = log.rekor1(request.to_string().as_bytes(), LogLie::None);
    let server = Scripted::choosing(Plain, move |request| {
        let location = format!("/api/v1/log/entries/{name}");
        Some(Act::Reply(if request.method == "GET" {
            reply(200, &[], answer.to_string().as_bytes())
        } else {
            reply(409, &[("Location", &location)], b"{}")
        }))
    });
    let error = ask(&signer, &server, LogVersion::One, None).await.unwrap_err();
    assert!(causes(&error).contains("it is of another signature"), "{}", causes(&error));
    for location in ["/", "/api/v1/log/entries/../../secrets"] {
        let server = Scripted::choosing(Plain, move |_| {
            Some(Act::Reply(reply(409, &[("Location", location)], b"{}")))
        });
        let error = ask(&signer, &server, LogVersion::One, None).await.unwrap_err();
        assert!(causes(&error).contains("does not say where"), "{}", causes(&error));
    }
}

/// Rekor 2 gives its proof once: to ask again would only hide why it was lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_given_once_is_not_asked_for_twice() {
    let signer = Signer::new();
    let lost = Scripted::choosing(Plain, |_| Some(Act::Close));
    let error = ask(&signer, &lost, LogVersion::Two, None).await.unwrap_err();
    assert!(causes(&error).contains("could not be reached"), "{}", causes(&error));
    assert_eq!(lost.requests().len(), 1);
    let there = Scripted::choosing(Plain, |_| Some(Act::Reply(reply(409, &[], b"{}"))));
    let error = ask(&signer, &there, LogVersion::Two, None).await.unwrap_err();
    assert!(causes(&error).contains("an identical statement was logged before"), "{}", causes(&error));
    assert_eq!(there.requests().len(), 1);
}
