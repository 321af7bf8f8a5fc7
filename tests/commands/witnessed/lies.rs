//! Those who answer, and not truly: what they say never gets into a bundle.

use serde_json::json;

use super::Signer;
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::witnesses::{Authority, LogLie, TimeLie, created};

#[test]
fn what_is_true_is_in_the_bundle_and_proven_by_it() {
    let signer = Signer::new();
    let (one, two, time) =
        (signer.log.serve1(LogLie::None), signer.log.serve2(LogLie::None), signer.time.serve(TimeLie::None));
    for (key, version, url) in
        [("ed", "1", one.endpoint()), ("p256", "1", one.endpoint()), ("p256", "2", two.endpoint())]
    {
        let asked = ["--rekor-url", &url, "--rekor-version", version, "--timestamp-url", &time.endpoint()];
        signer.run_judged(key, &asked).with(0);
        let proven = &signer.verified(key)["proven"];
        assert_eq!(proven["log"][0]["name"], "log.example.com", "{proven}");
        assert_eq!(proven["log"][0].get("time").is_some(), version == "1", "{proven}");
        assert_eq!(proven["timestamps"][0]["authority"], "time.example.com", "{proven}");
    }
    // Rekor 2 was told hashes, and the authority that of the signature.
    let statement = signer.bundle()["dsseEnvelope"]["payload"].as_str().unwrap().to_owned();
    for request in two.requests().iter().chain(&time.requests()) {
        assert!(!String::from_utf8_lossy(&request.body).contains(&statement[..40]));
    }
}

#[test]
fn a_log_that_lies_is_not_believed() {
    const FALSE: &str = "is not believed: log entry 1 of the attestation is false: ";
    let signer = Signer::new();
    let time = signer.time.serve(TimeLie::None);
    for (lie, why, also_2) in [
        (LogLie::OtherSignature, format!("{FALSE}it is of another signature"), true),
        (LogLie::OtherCheckpoint, format!("{FALSE}its checkpoint is not signed by log.example.com"), true),
        (
            LogLie::OtherProof,
            format!("{FALSE}its proof does not lead to the checkpoint of log.example.com"),
            true,
        ),
        (LogLie::OtherLog, "is not believed: the trusted root names no such log".to_owned(), true),
        (
            LogLie::OtherPromise,
            format!("{FALSE}its promise (signed entry timestamp) is not signed by"),
            false,
        ),
        (
            LogLie::LongAgo,
            "it says that the signature was there at 2026-03-01T00:00:00Z, and it was made at".to_owned(),
            false,
        ),
        (LogLie::ToCome, "which is to come".to_owned(), false),
    ] {
        let log = signer.log.serve1(lie);
        signer
            .run_judged("ed", &["--rekor-url", &log.endpoint()])
            .with(1)
            .says(&why)
            .says("not attested  out");
        signer.left_nothing();
        if also_2 {
            let log = signer.log.serve2(lie);
            let asked =
                ["--rekor-url", &log.endpoint(), "--rekor-version", "2", "--timestamp-url", &time.endpoint()];
            signer.run_judged("p256", &asked).with(1).says(&why);
            signer.left_nothing();
        }
    }
}

#[test]
fn what_is_no_entry_is_none() {
    let signer = Signer::new();
    let entry = |change: fn(&mut serde_json::Value)| {
        let log = std::sync::Arc::clone(&signer.log);
        Scripted::choosing(Plain, move |request| {
            let mut answer = log.rekor1(&request.body, LogLie::None).1;
            change(&mut answer);
            Some(Act::Reply(created(&answer)))
        })
    };
    let servers = [
        (entry(|answer| *answer = json!({})), "one was asked for"),
        (
            entry(|answer| answer["ab"] = answer.as_object().unwrap().values().next().unwrap().clone()),
            "one was asked for",
        ),
        (entry(|answer| *answer = json!([1])), "it is no log entry"),
        (Scripted::start([Act::Reply(reply(200, &[], b"<html>"))]), "it is no log entry"),
        (Scripted::start([Act::Reply(reply(201, &[], b""))]), "it is no log entry"),
        (
            Scripted::start([Act::Reply(reply(400, &[], b"bad \x1b[31m entry"))]),
            "it refused: 400: bad %1B[31m entry",
        ),
        (Scripted::start([Act::Reply(reply(200, &[], &vec![b' '; 300_000]))]), "longer than is read"),
        (Scripted::start([Act::Flood(b"HTTP/1.1 201 Created\r\n\r\n".to_vec())]), "longer than is read"),
    ];
    for (server, why) in servers {
        signer.run_judged("ed", &["--rekor-url", &server.endpoint()]).with(1).says(why);
        signer.left_nothing();
    }
}

#[test]
fn an_authority_that_lies_is_not_believed() {
    let signer = Signer::new();
    for (lie, why) in [
        (TimeLie::OtherImprint, "cannot be used: it is not of this signature"),
        (TimeLie::OtherNonce, "cannot be used: it answers another question"),
        (TimeLie::NoCertificate, "cannot be used: it does not hold the certificate that it is signed with"),
        (TimeLie::Refuses, "cannot be used: it is an authority's refusal to make one"),
        (TimeLie::Cut, "cannot be used: it is damaged"),
    ] {
        let time = signer.time.serve(lie);
        // Whether a trusted root is named or not.
        let url = time.endpoint();
        for judged in [&["--trusted-root", "root.json"][..], &[]] {
            let asked = [judged, &["--timestamp-url", &url]].concat();
            signer.run("ed", &asked).with(1).says(why);
            signer.left_nothing();
        }
    }
    // Nobody knows this one; without a trusted root that is not found out, and said by whoever verifies.
    let other = std::sync::Arc::new(Authority::new());
    let time = other.serve(TimeLie::None);
    signer
        .run_judged("ed", &["--timestamp-url", &time.endpoint()])
        .with(1)
        .says("is not believed: the trusted root names no such log or authority");
    signer.left_nothing();
    signer.run("ed", &["--timestamp-url", &time.endpoint()]).with(0);
    signer.desk.accepted(["--key", "ed/attest.pub", "out"]).says("not judged: 1 timestamp");
}
