//! Cases that were reported against the program as it once was, each with the tests that hold
//! it: here where no other test does, and by its name where one does already.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::program::{Desk, Ended};

/// Case, file, test.
const HELD: &[(&str, &str, &str)] = &[
    ("01-private-key-in-messages", "tests/secrets/everywhere.rs", "no_option_repeats_a_key"),
    ("01-private-key-in-messages", "tests/secrets/everywhere.rs", "no_variable_repeats_a_key"),
    (
        "01-private-key-in-messages",
        "tests/secrets/given.rs",
        "a_sidecar_that_was_given_a_key_says_so_where_its_pod_is_looked_at",
    ),
    ("02-keyid-of-other-tools", "tests/commands/cases.rs", "the_name_of_a_key_decides_nothing"),
    (
        "02-keyid-of-other-tools",
        "crates/core/src/verify/tests.rs",
        "what_others_signed_is_taken_under_any_name_of_the_key",
    ),
    ("03-reason-of-the-wrong-parser", "tests/commands/others.rs", "the_reason_is_the_true_one"),
    (
        "03-reason-of-the-wrong-parser",
        "crates/core/src/attestation_file/tests.rs",
        "the_reason_is_that_of_what_was_meant",
    ),
    ("04-unknown-fields", "tests/commands/cases.rs", "what_is_not_known_is_passed_over"),
    ("05-one-foreign-line", "tests/commands/others.rs", "whatever_it_is_carried_in_it_verifies"),
    ("05-one-foreign-line", "tests/commands/others.rs", "a_run_adds_to_lines_of_others"),
    (
        "06-file-of-another-tool-beside",
        "tests/commands/others.rs",
        "where_the_first_does_not_do_the_next_is_tried",
    ),
    ("06-file-of-another-tool-beside", "tests/commands/told.rs", "what_another_tool_wrote_is_called_that"),
    ("07-inspect-of-common-bundles", "tests/commands/others.rs", "whatever_it_is_carried_in_it_verifies"),
    (
        "07-inspect-of-common-bundles",
        "tests/commands/others.rs",
        "what_is_shown_says_who_is_said_to_have_signed",
    ),
    ("08-byte-order-marks-and-pem", "tests/commands/others.rs", "a_byte_order_mark_is_passed_over"),
    (
        "08-byte-order-marks-and-pem",
        "tests/crypto/keys.rs",
        "text_that_editors_and_windows_leave_behind_does_no_harm",
    ),
    ("08-byte-order-marks-and-pem", "tests/commands/cases.rs", "what_is_no_text_is_not_fetched_again"),
    ("09-keys-people-have", "tests/crypto/keys.rs", "wrong_inputs_have_names_and_remedies"),
    ("09-keys-people-have", "tests/crypto/keys.rs", "other_algorithms_are_named"),
    ("10-stdin-and-pipes", "tests/commands/cases.rs", "whatever_is_a_file_may_be_a_pipe"),
    ("10-stdin-and-pipes", "tests/commands/documents.rs", "each_may_be_standard_input"),
    (
        "10-stdin-and-pipes",
        "tests/secrets/given.rs",
        "signs_and_verifies_with_keys_from_variables_and_hides_them_from_the_command",
    ),
    ("11-right-bytes-called-wrong", "tests/commands/others.rs", "the_reason_is_the_true_one"),
    ("11-right-bytes-called-wrong", "tests/commands/others.rs", "whatever_it_is_carried_in_it_verifies"),
    (
        "11-right-bytes-called-wrong",
        "crates/core/src/verify/tests.rs",
        "other_digests_of_sha_2_name_the_same_bytes",
    ),
    ("12-symlinks", "tests/commands/run/links.rs", "links_are_attested_and_each_of_them_counts"),
    ("12-symlinks", "tests/commands/cases.rs", "an_output_that_is_not_there_has_a_way_out"),
    (
        "14-older-attestation-in-the-lines",
        "tests/commands/others.rs",
        "what_was_rolled_back_or_signed_anew_is_found_in_the_lines",
    ),
];

#[test]
fn every_case_is_held_by_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (case, file, test) in HELD {
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{case}: {file}: {e}"));
        assert!(source.contains(&format!("fn {test}(")), "{case}: there is no {test} in {file}");
    }
}

/// An artifact, and the key of somebody else's tool.
struct Their {
    desk: Desk,
    key: PrivateKey,
}

impl Their {
    fn new() -> Self {
        let (desk, key) = (Desk::new(), PrivateKey::generate(KeyType::Ed25519).unwrap());
        desk.write("app", "hello\n");
        desk.write("their.pub", key.public().to_spki_pem());
        Self { desk, key }
    }

    fn statement() -> Value {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "app", "digest": {"sha256": Sha256Digest::of(b"hello\n").to_string()}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {"buildType": "https://theirs.example/t", "externalParameters": {"a": 1}},
                "runDetails": {"builder": {"id": "https://theirs.example/b"}},
            },
        })
    }

    fn envelope(&self, statement: &Value) -> Value {
        let payload = statement.to_string().into_bytes();
        let sig = self.key.sign(&dsse::pae(dsse::PAYLOAD_TYPE, &payload));
        json!({
            "payload": STANDARD.encode(&payload),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(sig.as_bytes())}],
        })
    }

    /// `verify` and `inspect` take it.
    #[track_caller]
    fn taken(&self, envelope: &Value, more: &[&str]) {
        self.desk.write("it", envelope.to_string());
        let arguments = [&["verify", "--key", "their.pub", "--bundle", "it"], more, &["app"]].concat();
        self.desk.run(arguments).with(0).says("attested  app");
        self.desk.run(["inspect", "it"]).with(0).says("subjects (1)");
    }
}

/// As securesystemslib, Witness, cosign, a KMS and people write it.
#[test]
fn the_name_of_a_key_decides_nothing() {
    let their = Their::new();
    let mut envelope = their.envelope(&Their::statement());
    their.taken(&envelope, &[]);
    for name in [
        "",
        "776a00e29f3559e0141b3b096f696abc6cfb0c657ab40f441132b345b08453f5",
        "B+Otcffot4REq1XXpwiMjgorU1CmMI3xwstz1YGgq3A=",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "release key",
        "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        envelope["signatures"][0]["keyid"] = name.into();
        their.taken(&envelope, &[]);
    }
}

/// DSSE: "Consumers MUST ignore unrecognized fields"; in-toto's parsing rules say the same.
#[test]
fn what_is_not_known_is_passed_over() {
    let their = Their::new();
    for at in ["", "/subject/0", "/predicate", "/predicate/buildDefinition", "/predicate/runDetails/builder"]
    {
        let mut statement = Their::statement();
        statement.pointer_mut(at).unwrap()["more"] = json!({"a": [1]});
        their.taken(&their.envelope(&statement), &[]);
    }
    let good = their.envelope(&Their::statement());
    for at in ["", "/signatures/0"] {
        let mut envelope = good.clone();
        envelope.pointer_mut(at).unwrap()["more"] = json!(null);
        their.taken(&envelope, &[]);
    }
    let mut envelope = good.clone();
    envelope["signatures"][0]["cert"] = "-----BEGIN CERTIFICATE-----\n..\n-----END CERTIFICATE-----\n".into();
    their.taken(&envelope, &[]);
    for at in ["", "/verificationMaterial", "/dsseEnvelope"] {
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"publicKey": {"hint": "h"}},
            "dsseEnvelope": good,
        });
        bundle.pointer_mut(at).unwrap()["more"] = json!(1);
        their.taken(&bundle, &[]);
    }
    // A claim that is all in its type.
    let mut bare = Their::statement();
    bare.as_object_mut().unwrap().remove("predicate");
    bare["predicateType"] = "https://theirs.example/reviewed".into();
    their.taken(&their.envelope(&bare), &["--type", "https://theirs.example/reviewed"]);
}

#[test]
fn whatever_is_a_file_may_be_a_pipe() {
    let their = Their::new();
    their.desk.write("b", their.envelope(&Their::statement()).to_string());
    let fed = |file: &str, arguments: &[&str]| -> Ended {
        let mut cat = std::process::Command::new("cat");
        let mut cat = cat.arg(their.desk.path(file)).stdout(Stdio::piped()).spawn().unwrap();
        let mut program = their.desk.program(arguments);
        let ended = program.stdin(cat.stdout.take().unwrap()).output().unwrap().into();
        cat.wait().unwrap();
        ended
    };
    let digest = format!("sha256:{}", Sha256Digest::of(b"hello\n"));
    for (file, arguments) in [
        ("their.pub", &["verify", "--key", "/dev/stdin", "--bundle", "b", "app"][..]),
        ("b", &["verify", "--key", "their.pub", "--bundle", "/dev/stdin", "app"]),
        ("b", &["verify", "--key", "their.pub", "--bundle", "-", "app"]),
        ("app", &["verify", "--key", "their.pub", "--bundle", "b", "-"]),
        ("app", &["verify", "--key", "their.pub", "--bundle", "b", "/dev/stdin"]),
        ("b", &["verify", "--key", "their.pub", "--bundle", "-", &digest]),
        ("b", &["inspect", "-"]),
        ("b", &["inspect", "/dev/stdin"]),
    ] {
        fed(file, arguments).with(0);
    }
}

/// As PowerShell 5 writes whatever is sent to a file.
#[test]
fn what_is_no_text_is_not_fetched_again() {
    let their = Their::new();
    let text = their.envelope(&Their::statement()).to_string();
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    their.desk.write("b", utf16);
    let said = their.desk.run(["verify", "--key", "their.pub", "--bundle", "b", "app"]).with(1).out;
    assert!(said.contains("the file is UTF-16: save it as UTF-8\n  help: write it anew as JSON"), "{said}");
}

#[test]
fn an_output_that_is_not_there_has_a_way_out() {
    let desk = Desk::new();
    desk.attest(&["dist/*"], "mkdir dist; echo a > dist/a")
        .with(1)
        .says("not attested  dist/*: it does not exist\n")
        .says("help: patterns are not expanded: name the directory that the files are in\n");
    desk.attest(&["nothing"], "true")
        .with(1)
        .says("not attested  nothing: it does not exist\n")
        .says("help: name what the command writes, as seen from here\n");
    // Where it is there, it is a name like any other.
    desk.attest(&["a*"], "echo > 'a*'").with(0);
    // What a link leads to is an output; the link itself is none.
    desk.attest(&["current"], "mkdir v1; echo a > v1/a; ln -s v1 current")
        .with(1)
        .says("current: a symbolic link, which is never followed\n")
        .says("help: name what it leads to\n");
}
