//! Bundles, lines, envelopes, statements and policies, through `verify` and `inspect`.

use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;

use argo_attest::attestations::MAX_ATTESTATION_BYTES;
use argo_attest_core::bundle::{Bundle, lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Envelope, MAX_PAYLOAD, MAX_SIGNATURES};
use argo_attest_core::intoto::LIMITS;
use argo_attest_core::json::Limits;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cost::Cost;
use crate::program::Desk;
use crate::signing::Sign as _;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::Ed25519).unwrap());

/// A file `f`, what is beside it, and the public key that it may be signed with.
fn desk(suffix: &str, attestation: impl AsRef<[u8]>) -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("f"), "x").unwrap();
    fs::write(desk.path("k.pub"), KEY.public().to_spki_pem()).unwrap();
    fs::write(desk.path(format!("f{suffix}")), attestation).unwrap();
    desk
}

fn verify(desk: &Desk) -> Cost {
    Cost::of(&mut desk.program(["verify", "--key", "k.pub", "f"]))
}

fn inspect(desk: &Desk, file: &str) -> [Cost; 2] {
    [Cost::of(&mut desk.program(["inspect", file])), Cost::of(&mut desk.program(["inspect", "--json", file]))]
}

fn bundle(entries: &str) -> String {
    format!(
        "{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":\
         {{\"publicKey\":{{\"hint\":\"\"}},\"tlogEntries\":[{entries}]}},\"dsseEnvelope\":{{}}}}"
    )
}

/// Values up to a limit, each in an object of its own: those take most memory.
fn objects(count: usize) -> String {
    let mut text = "{\"\":0},".repeat(count);
    text.pop();
    text
}

/// A statement about `f`, with a predicate that has `parameters`.
fn statement(parameters: &str) -> Vec<u8> {
    format!(
        "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"name\":\"f\",\"digest\":{{\"sha256\":\"{}\"}}}}],\
         \"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicate\":{{\"buildDefinition\":{{\"buildType\":\"t\",\
         \"externalParameters\":{{\"p\":{parameters}}}}},\"runDetails\":{{\"builder\":{{\"id\":\"https://b.example\"}}}}}}}}",
        Sha256Digest::of(b"x")
    )
    .into_bytes()
}

fn signed(payload: Vec<u8>) -> Bundle {
    Bundle::new(Envelope::sign(payload, &KEY).unwrap()).unwrap()
}

#[test]
fn a_bundle_of_many_names_is_not_built() {
    let names: Vec<_> = (0..1_000_000).map(|n| format!("\"{n:x}\":0")).collect();
    let many = bundle(&format!("{{{}}}", names.join(",")));
    assert!(many.len() < MAX_ATTESTATION_BYTES);
    verify(&desk(".sigstore.json", &many)).refuses(1, "more than 50000 values");
    let large = bundle(&format!("{{\"{}\":0}}", "x".repeat(MAX_ATTESTATION_BYTES)));
    verify(&desk(".sigstore.json", large)).refuses(74, "larger than 16777216 bytes");
    let deep = bundle(&format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000)));
    verify(&desk(".sigstore.json", deep)).refuses(1, "more than 100 levels deep");
    // Just within: as many as may be, with names as long as they may be.
    let within: Vec<_> = (0..40_000).map(|n| format!("{{\"{n:0200x}\":\"\\u0000\"}}")).collect();
    let within = bundle(&within[..20_000].join(","));
    verify(&desk(".sigstore.json", within)).refuses(1, "its payload is no text");
}

#[test]
fn a_signed_statement_of_the_largest_size_is_read_within_bounds() {
    let most = Limits::VALUES - 40;
    let objects = objects(most / 2);
    let rest = "x".repeat(MAX_PAYLOAD - objects.len() - 1000);
    for parameters in [
        format!("[{objects},\"{rest}\"]"),
        format!("[{}\"{rest}\"]", "\"\",".repeat(most)),
        format!("\"{}\"", "\\u001b".repeat((MAX_PAYLOAD - 1000) / 6)),
        format!("{}\"{rest}\"{}", "{\"\":[".repeat(40), "]}".repeat(40)),
    ] {
        let desk = desk(".sigstore.json", signed(statement(&parameters)).to_json());
        let accepted = verify(&desk).bounded();
        assert_eq!(accepted.code, Some(0), "{:.300}", accepted.out);
        for shown in inspect(&desk, "f.sigstore.json") {
            assert_eq!(shown.bounded().code, Some(0));
        }
    }
    let beyond = format!("[{}]", self::objects(most));
    verify(&desk(".sigstore.json", signed(statement(&beyond)).to_json()))
        .refuses(1, "more than 50000 values");
}

/// What is not looked into may have more in it than what is: names of one object, which are compared
/// with each other, cost most.
#[test]
fn a_signed_document_of_the_largest_size_is_read_within_bounds() {
    let document = |names: usize| {
        let names: Vec<_> = (0..names).map(|n| format!("\"{n:x}\":0")).collect();
        let rest = "x".repeat(MAX_PAYLOAD - 11 * names.len() - 1000);
        let text = String::from_utf8(statement(&format!("{{{},\"\":\"{rest}\"}}", names.join(",")))).unwrap();
        text.replacen("https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom", 1).into_bytes()
    };
    let asked = |names| {
        let desk = desk(".predicate-cyclonedx.sigstore.json", signed(document(names)).to_json());
        let verified = Cost::of(&mut desk.program(["verify", "--key", "k.pub", "--type", "cyclonedx", "f"]));
        (desk, verified)
    };
    let (desk, accepted) = asked(LIMITS.values - 40);
    let accepted = accepted.bounded();
    assert_eq!(accepted.code, Some(0), "{:.300}", accepted.out);
    for shown in inspect(&desk, "f.predicate-cyclonedx.sigstore.json") {
        assert_eq!(shown.bounded().code, Some(0));
    }
    asked(LIMITS.values).1.refuses(1, "more than 250000 values");
}

#[test]
fn lines_cost_no_more_checks_than_are_worth_it() {
    // Signatures that have the form of one, so that each is tried with each key.
    let sig = STANDARD.encode([&[0x20; 32][..], &[0; 32]].concat());
    let signature = format!("{{\"sig\":\"{sig}\"}},").repeat(MAX_SIGNATURES);
    let line = |n: usize| {
        format!(
            "{{\"payload\":\"{}\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{}]}}\n",
            STANDARD.encode(format!("{n:06}")),
            signature.trim_end_matches(',')
        )
    };
    let all: String = (0..lines::MAX_LINES).map(line).collect();
    let desk = desk(".intoto.jsonl", &all);
    let mut arguments = vec!["verify".to_owned()];
    for n in 0..32 {
        let key =
            PrivateKey::generate(if n % 2 == 0 { KeyType::EcdsaP256 } else { KeyType::Ed25519 }).unwrap();
        fs::write(desk.path(format!("{n}.pub")), key.public().to_spki_pem()).unwrap();
        arguments.extend(["--key".to_owned(), format!("{n}.pub")]);
    }
    arguments.push("f".into());
    Cost::of(&mut desk.program(&arguments)).refuses(1, "more than 4096 checks of a signature");
    for shown in inspect(&desk, "f.intoto.jsonl") {
        shown.bounded();
    }
    // One that is signed is found before all that is tried for nothing.
    let good = signed(statement("1")).envelope().to_json();
    fs::write(desk.path("f.intoto.jsonl"), [good, b"\n".to_vec()].concat()).unwrap();
    arguments.splice(1..1, ["--key".to_owned(), "k.pub".to_owned()]);
    assert_eq!(Cost::of(&mut desk.program(&arguments)).bounded().code, Some(0));
}

#[test]
fn a_large_payload_is_not_hashed_for_ever() {
    let sig = STANDARD.encode([0x20; 64]);
    let signatures = vec![format!("{{\"sig\":\"{sig}\"}}"); MAX_SIGNATURES].join(",");
    let payload = STANDARD.encode(vec![b' '; MAX_PAYLOAD]);
    let line = format!(
        "{{\"payload\":\"{payload}\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{signatures}]}}\n"
    );
    let desk = desk(".intoto.jsonl", line);
    let mut arguments = vec!["verify".to_owned()];
    for n in 0..10 {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        fs::write(desk.path(format!("{n}.pub")), key.public().to_spki_pem()).unwrap();
        arguments.extend(["--key".to_owned(), format!("{n}.pub")]);
    }
    arguments.push("f".into());
    Cost::of(&mut desk.program(&arguments)).refuses(1, "268435456 bytes in all of them");
}

#[test]
fn a_line_that_is_repeated_is_read_once() {
    let good = signed(statement(&format!("[{}]", objects(10_000)))).envelope().to_json();
    let count = (MAX_ATTESTATION_BYTES / (good.len() + 1)).min(lines::MAX_LINES);
    let all = [good.as_slice(), b"\n"].concat().repeat(count);
    let ended = verify(&desk(".intoto.jsonl", all)).bounded();
    assert_eq!(ended.code, Some(0), "{:.300}", ended.out);
}

#[test]
fn many_lines_are_shown_one_at_a_time() {
    let one = Envelope::sign(statement(&format!("[{}]", objects(15_000))), &KEY).unwrap().to_json();
    let count = MAX_ATTESTATION_BYTES / (one.len() + 1);
    let all = [one.as_slice(), b"\n"].concat().repeat(count);
    let desk = desk(".intoto.jsonl", all);
    for shown in inspect(&desk, "f.intoto.jsonl") {
        assert_eq!(shown.bounded().code, Some(0));
    }
    fs::write(desk.path("large"), vec![b' '; MAX_ATTESTATION_BYTES + 1]).unwrap();
    for shown in inspect(&desk, "large") {
        shown.refuses(65, "larger than 16777216 bytes");
    }
}

#[test]
fn a_policy_is_small_whatever_it_says() {
    let desk = desk(".sigstore.json", signed(statement("1")).to_json());
    let policy = |text: &str| {
        fs::write(desk.path("policy.yaml"), text).unwrap();
        Cost::of(&mut desk.program(["verify", "--policy", "policy.yaml", "f"]))
    };
    policy(&"#".repeat(1 << 21)).refuses(65, "1048576 bytes");
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(aliases, "a{level}: &a{level} [{items}]").unwrap();
    }
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(10_000), vec!["*a"; 300_000].join(","));
    let deep = format!("a: {}{}", "[".repeat(200_000), "]".repeat(200_000));
    let nested: String =
        (0..1400).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<Vec<_>>().concat();
    let head = "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n";
    let keys: String =
        (0..40_000).map(|n| format!("- {{name: a{n}, file: k.pub}}\n")).collect::<Vec<_>>().concat();
    let keys = format!("{head}builders: [{{id: \"a:b\", keys: [a1]}}]\nkeys:\n{keys}");
    let names = |builders: &str| format!("{head}keys: [{{name: k, file: k.pub}}]\nbuilders:\n- {builders}\n");
    // Where the fields are known, so that what aliases stand for is kept.
    let text = |length| "x".repeat(length);
    let copies =
        names(&format!("{{id: &a \"{}\", keys: [{}]}}", text(10_000), vec!["*a"; 40_000].join(", ")));
    let few = names(&format!("{{id: &a \"{}\", keys: [{}]}}", text(60_000), vec!["*a"; 250].join(", ")));
    let squared = names(&format!(
        "{{id: &a \"{}\", keys: &b [{}]}}{}",
        text(60_000),
        vec!["*a"; 100].join(", "),
        "\n- {id: c, keys: *b}".repeat(100)
    ));
    let large = names(&format!("{{id: \"{}\", keys: [k]}}", text(1_000_000)));
    for text in [copies, few, squared] {
        assert_eq!(policy(&text).bounded().code, Some(65));
    }
    policy(&large).bounded();
    for text in [aliases, long, deep, nested, keys[..1 << 20].rsplit_once('\n').unwrap().0.to_owned()] {
        let ended = policy(&text).bounded();
        assert_eq!(ended.code, Some(65), "{:.300}", ended.err);
    }
}
