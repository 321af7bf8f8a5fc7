//! What a pod is told, at each end that a step can have.

use std::sync::LazyLock;

use argo_attest_core::bundle::Evidence;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::intoto::{self, ResourceDescriptor};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::outcome::Attested;
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::slsa::{PROVENANCE_V1, PodIdentity};
use argo_attest_core::verify::{Authentic, authenticate};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Of a file that holds `x`.
static STATEMENT: LazyLock<Authentic> = LazyLock::new(|| {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let predicate = json!({
        "buildDefinition": {"buildType": "https://example.com/t", "externalParameters": {"a": 1}},
        "runDetails": {"builder": {"id": "https://ci.example.com"}},
    });
    let subject = ResourceDescriptor::named("x", Sha256Digest::of(b"x"));
    let unsigned = Unsigned::new(intoto::serialize(&[subject], PROVENANCE_V1, &predicate).unwrap()).unwrap();
    let signature = key.sign(unsigned.pae());
    let envelope = Envelope::assemble(unsigned, signature, key.public()).unwrap();
    let policy = Policy::of_keys(vec![TrustedKey::new("k", key.public().clone())]);
    authenticate(&envelope, &Evidence::default(), &policy, Timestamp::UNIX_EPOCH).unwrap()
});

fn notice(state: StepState, outputs: Vec<OutputOutcome>) -> Notice {
    notice_of(state, outputs, Vec::new())
}

fn notice_of(state: StepState, outputs: Vec<OutputOutcome>, predicates: Vec<PredicateOutcome>) -> Notice {
    let identity = PodIdentity::default();
    Notice::of(&StepOutcome {
        invocation_id: identity.invocation_id(),
        identity: &identity,
        template: "build",
        state,
        outputs,
        predicates,
        builder_id: "https://ci.example.com/argo",
        started_on: None,
        finished_on: None,
    })
}

fn output(name: &str, fate: Fate) -> OutputOutcome {
    let (refused, set_aside, unvouched, not_stored) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    OutputOutcome {
        name: name.to_owned(),
        path: "/p".into(),
        fate,
        refused,
        set_aside,
        unvouched,
        not_stored,
    }
}

fn attested(name: &str) -> OutputOutcome {
    let attestation = format!("s3://b/{name}.sigstore.json");
    output(name, Fate::Attested(Attested::read_back(&STATEMENT, attestation)))
}

fn refused(name: &str) -> OutputOutcome {
    output(name, Fate::Refused { reason: "it kept\nchanging".into() })
}

fn in_part(name: &str, entries: usize) -> OutputOutcome {
    let refused = (0..entries).map(|n| (format!("x{n}"), "a FIFO".to_owned())).collect();
    OutputOutcome { refused, ..attested(name) }
}

#[test]
fn a_file_that_is_not_signed_leaves_a_step_incomplete() {
    let of = |fate| PredicateOutcome {
        name: "sbom".into(),
        kind: "spdx".parse().unwrap(),
        about: Some("a".into()),
        fate,
        unvouched: Vec::new(),
    };
    let said = |state: StepState, outputs, fate| {
        let Notice { annotations, event } = notice_of(state, outputs, vec![of(fate)]);
        format!("{} {} {}", annotations[STATE], event.kind.as_str(), event.message)
    };
    let refused = || Fate::Refused { reason: "it is no JSON".into() };
    assert_eq!(
        said(StepState::Succeeded, vec![attested("a")], refused()),
        "incomplete Warning 1 of 1 output is attested; sbom is not signed as https://spdx.dev/Document: it is no JSON"
    );
    assert!(said(StepState::Succeeded, Vec::new(), refused()).starts_with("not-attested Warning"));
    assert!(said(StepState::Succeeded, vec![attested("a")], Fate::Absent).starts_with("attested Normal"));
    let failed = StepState::Failed { exit_codes: [("main".to_owned(), 3)].into() };
    let follows = || Fate::NotAttempted { reason: "main failed".into() };
    let outputs = vec![output("a", follows())];
    assert!(said(failed, outputs, follows()).contains(" Normal "));
}

/// State, count, the event's type and reason, and its message, in one line.
fn said(state: &StepState, outputs: Vec<OutputOutcome>) -> String {
    let Notice { annotations, event } = notice(state.clone(), outputs);
    let (state, of) = (&annotations[STATE], &annotations[ATTESTED]);
    format!("{state} {of} {} {}: {}", event.kind.as_str(), event.reason, event.message)
}

#[test]
fn each_end_of_a_good_main_has_its_word() {
    let absent = || output("o", Fate::Absent);
    for (outputs, line) in [
        (vec![attested("a"), absent()], "attested 1/1 Normal Attested: 1 of 1 output is attested"),
        (
            vec![attested("a"), refused("b")],
            "incomplete 1/2 Warning NotAttested: 1 of 2 outputs are attested; b: it kept%0Achanging",
        ),
        (
            vec![in_part("a", 1)],
            "incomplete 1/1 Warning NotAttested: 1 of 1 output is attested; a: x0 was refused: a FIFO",
        ),
        (
            vec![in_part("a", 3)],
            "incomplete 1/1 Warning NotAttested: \
             1 of 1 output is attested; a: x0 was refused: a FIFO (and 2 more)",
        ),
        (
            vec![refused("b")],
            "not-attested 0/1 Warning NotAttested: 0 of 1 output is attested; b: it kept%0Achanging",
        ),
        (vec![absent()], "nothing-to-attest 0/0 Normal NothingToAttest: there was no output to attest"),
        (vec![], "nothing-to-attest 0/0 Normal NothingToAttest: there was no output to attest"),
    ] {
        assert_eq!(said(&StepState::Succeeded, outputs), line);
    }
}

#[test]
fn each_end_of_another_main_has_its_word() {
    let failed = StepState::Failed { exit_codes: BTreeMap::from([("main".to_owned(), 1)]) };
    let killed = StepState::Unfinished { reason: "it was killed".into() };
    let late = || output("l", Fate::NotAttempted { reason: "main failed".into() });
    for (state, outputs, line) in [
        (
            &failed,
            vec![late()],
            "not-attested 0/1 Normal NotAttested: 0 of 1 output is attested; l: main failed",
        ),
        (
            &failed,
            vec![attested("a"), refused("b")],
            "incomplete 1/2 Warning NotAttested: 1 of 2 outputs are attested; b: it kept%0Achanging",
        ),
        (&failed, vec![attested("a")], "attested 1/1 Normal Attested: 1 of 1 output is attested"),
        // What a failed main leaves was to be attested, and there was no time.
        (
            &failed,
            vec![output("l", Fate::Unfinished { reason: "no time".into() })],
            "not-attested 0/1 Warning NotAttested: 0 of 1 output is attested; l: no time",
        ),
        (
            &killed,
            vec![late()],
            "unfinished 0/1 Normal NotAttested: 0 of 1 output is attested: it was killed",
        ),
    ] {
        assert_eq!(said(state, outputs), line);
    }
}

#[test]
fn names_digests_and_attestations() {
    let made = notice(StepState::Succeeded, vec![attested("a"), refused("b"), attested("c")]);
    let digest = Sha256Digest::of(b"x");
    assert_eq!(made.annotations[DIGESTS], format!(r#"{{"a":"sha256:{digest}","c":"sha256:{digest}"}}"#));
    assert_eq!(
        made.annotations[ATTESTATIONS],
        r#"{"a":"s3://b/a.sigstore.json","c":"s3://b/c.sigstore.json"}"#
    );
}

#[test]
fn a_map_that_is_cut_says_so() {
    let outputs: Vec<_> = (0..400).map(|n| attested(&format!("output-{n:03}"))).collect();
    let made = notice(StepState::Succeeded, outputs);
    let text = &made.annotations[ATTESTATIONS];
    assert!(text.len() <= ANNOTATION_LIMIT && text.len() > ANNOTATION_LIMIT - 200, "{}", text.len());
    let read: Value = serde_json::from_str(text).unwrap();
    let members = read.as_object().unwrap();
    assert_eq!(read["output-000"], "s3://b/output-000.sigstore.json");
    assert_eq!(read["…"], json!(format!("{} more", 400 - (members.len() - 1))));
    assert_eq!(made.annotations[ATTESTED], "400/400");
}

#[test]
fn what_is_not_ready_says_what_to_do() {
    let made = Notice::not_ready("there is no key file\n/k", "mount it");
    assert_eq!(made.annotations, BTreeMap::from([(STATE, "not-ready".to_owned())]));
    assert_eq!(
        made.event.message,
        "not all is ready to attest the step: there is no key file%0A/k; mount it"
    );
    assert_eq!((made.event.kind, made.event.reason), (EventType::Warning, "NotReady"));
    let long = Notice::not_ready(&"x".repeat(5000), "y");
    assert!(long.event.message.len() <= MESSAGE_LIMIT);
}

proptest! {
    #[test]
    fn keeps_its_limits(
        outputs in vec(("[\"\\\\\u{1b}é日]{0,300}", "[\"\\\\\u{1}é]{0,1500}"), 0..8),
        reason in "[\"\\\\\u{1b}é]{0,2000}",
    ) {
        let outputs: Vec<_> = outputs.into_iter().map(|(name, uri)| {
            output(&name, Fate::Attested(Attested::read_back(&STATEMENT, uri)))
        }).chain([output("r", Fate::Refused { reason })]).collect();
        let made = notice(StepState::Succeeded, outputs);
        prop_assert!(made.event.message.len() <= MESSAGE_LIMIT);
        prop_assert!(!made.event.message.chars().any(char::is_control));
        for value in made.annotations.values() {
            prop_assert!(value.len() <= ANNOTATION_LIMIT, "{}", value.len());
        }
        for key in [DIGESTS, ATTESTATIONS] {
            prop_assert!(serde_json::from_str::<Value>(&made.annotations[key]).unwrap().is_object());
        }
    }
}
