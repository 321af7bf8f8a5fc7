//! Whatever is changed, the answer is no, and it says what.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use argo_attest::attestations::{MAX_ATTESTATION, NamedAttestation};
use argo_attest::document::Document;
use argo_attest::observe::NoProgress;
use argo_attest::signer::load_public;
use argo_attest::verify::{CheckError, Checker, check_path};
use argo_attest_core::bundle::{Bundle, Evidence, lines};
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::verify::Wanted;
use argo_attest_core::verify::authenticate;
use jiff::Timestamp;

use crate::program::Desk;
use crate::share::is_tried;

fn policy(desk: &Desk) -> Policy {
    let key = load_public(&desk.own_key().with_extension("pub")).unwrap();
    Policy::of_keys(vec![TrustedKey::new("own", key)])
}

/// The reason for a no, from the same code that the program runs; `None` for a yes.
fn reason(desk: &Desk, artifact: &Path, bundle: Option<&Path>) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let named =
        |path: &Path| runtime.block_on(NamedAttestation::read(Document::File(path.to_owned()))).unwrap();
    let checker = Checker {
        policy: policy(desk),
        now: Timestamp::now(),
        bundle: bundle.map(named),
        wanted: Wanted::default(),
        largest: MAX_ATTESTATION,
    };
    match runtime.block_on(check_path(&checker, artifact, NonZeroUsize::MIN, &NoProgress)) {
        Ok(_) => None,
        Err(CheckError::Rejected(no)) => Some(argo_attest_core::text::causes(&no)),
        Err(other) => panic!("neither yes nor no: {other:?}"),
    }
}

fn tree() -> Desk {
    let desk = Desk::new();
    desk.attest(&["out"], "mkdir -p out/a/b && echo hi > out/a/b/x && echo yo > out/y && : > out/none")
        .with(0);
    desk
}

#[test]
fn every_flipped_bit_of_every_file_is_noticed() {
    let desk = tree();
    let out = desk.path("out");
    for name in ["a/b/x", "y"] {
        let file = out.join(name);
        let good = fs::read(&file).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bad).unwrap();
            assert_eq!(reason(&desk, &out, None).unwrap(), format!("{name} differs"));
            let alone = reason(&desk, &file, None).unwrap();
            assert!(alone.contains(&format!("about out/{name}")), "{alone}");
        }
        desk.rejected(["out"], &format!("{name} differs"));
        fs::write(&file, &good).unwrap();
    }
    desk.accepted(["out", "out/a/b/x", "out/y", "out/none"]);
}

#[test]
fn a_file_more_or_less_or_elsewhere_is_noticed_and_named() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 9] = [
        (|out| fs::write(out.join("new"), "new").unwrap(), "new was added"),
        (|out| fs::write(out.join("a/empty"), "").unwrap(), "a/empty was added"),
        (|out| fs::remove_file(out.join("y")).unwrap(), "y is missing"),
        (|out| fs::remove_file(out.join("none")).unwrap(), "none is missing"),
        (|out| fs::rename(out.join("y"), out.join("z")).unwrap(), "y is missing, z was added"),
        (|out| fs::rename(out.join("a/b"), out.join("a/c")).unwrap(), "a/b/x is missing, a/c/x was added"),
        (|out| fs::write(out.join("none"), "x").unwrap(), "none differs"),
        (
            |out| {
                fs::rename(out.join("y"), out.join("t")).unwrap();
                fs::rename(out.join("a/b/x"), out.join("y")).unwrap();
                fs::rename(out.join("t"), out.join("a/b/x")).unwrap();
            },
            "a/b/x differs, y differs",
        ),
        (
            |out| std::os::unix::fs::symlink("y", out.join("link")).unwrap(),
            "the symbolic link link was added",
        ),
    ];
    for (change, why) in changes {
        let desk = tree();
        change(&desk.path("out"));
        desk.rejected(["out"], &format!("\n  altered: {why}"));
    }
}

/// Every flip of one bit, and every byte that means something in JSON or base64.
fn changes(byte: u8) -> impl Iterator<Item = u8> {
    let flips = (0..8).map(move |bit| byte ^ (1 << bit));
    flips.chain(*b" \t\r\n\"\\,:{}[]0Aa+/-_=").filter(move |other| *other != byte)
}

/// Whether the bytes are an attestation that the key signed.
fn authentic(name: &str, bytes: &[u8], policy: &Policy) -> bool {
    let envelopes = if name == "out.intoto.jsonl" {
        lines::parse(bytes).unwrap_or_default()
    } else {
        Bundle::from_json(bytes).map(Bundle::into_envelope).into_iter().collect()
    };
    envelopes
        .iter()
        .any(|envelope| authenticate(envelope, &Evidence::default(), policy, Timestamp::now()).is_ok())
}

#[test]
fn every_changed_byte_of_either_attestation_is_noticed() {
    let desk = Desk::new();
    desk.attest(&["out"], "echo hi > out").with(0);
    let policy = policy(&desk);
    for name in ["out.sigstore.json", "out.intoto.jsonl"] {
        let file = desk.path(name);
        let good = fs::read(&file).unwrap();
        assert!(authentic(name, &good, &policy));
        let mut bad = good.clone();
        for at in (0..good.len()).filter(|at| is_tried(*at)) {
            for other in changes(good[at]) {
                bad[at] = other;
                let byte = good[at];
                assert!(
                    !authentic(name, &bad, &policy),
                    "{name}: byte {at}, {byte:#04x}, may be {other:#04x}"
                );
            }
            // And as the program sees it, from the file to the reason.
            bad[at] = good[at] ^ 1;
            fs::write(&file, &bad).unwrap();
            bad[at] = good[at];
            assert!(reason(&desk, &desk.path("out"), Some(&file)).is_some(), "{name}: byte {at}");
        }
        for at in (0..good.len()).step_by(good.len() / 5) {
            bad[at] ^= 1;
            fs::write(&file, &bad).unwrap();
            bad[at] = good[at];
            desk.rejected(["--bundle", name, "out"], "refused   out\n");
        }
        fs::write(&file, &good).unwrap();
        desk.accepted(["--bundle", name, "out"]);
    }
}

#[test]
fn a_cut_lengthened_or_absent_attestation_is_no_attestation() {
    let desk = Desk::new();
    desk.attest(&["out"], "echo hi > out").with(0);
    let out = desk.path("out");
    for name in ["out.sigstore.json", "out.intoto.jsonl"] {
        let file = desk.path(name);
        let good = fs::read(&file).unwrap();
        // A line without its end says the same.
        let shortest = good.len() - usize::from(name == "out.intoto.jsonl");
        for end in 0..shortest {
            fs::write(&file, &good[..end]).unwrap();
            assert!(reason(&desk, &out, Some(&file)).is_some(), "{name}: {end} bytes are enough");
        }
        fs::write(&file, [&good[..shortest], b"{}"].concat()).unwrap();
        desk.rejected(["--bundle", name, "out"], "malformed");
        fs::write(&file, &good).unwrap();
    }
    fs::remove_file(desk.path("out.sigstore.json")).unwrap();
    desk.accepted(["out"]);
    fs::remove_file(desk.path("out.intoto.jsonl")).unwrap();
    desk.rejected(["out"], "no attestation: looked for out.sigstore.json, out.intoto.jsonl");
    // What is found first decides: a good one further up does not stand in for a bad one.
    let desk = tree();
    desk.write("out/y.sigstore.json", "{}");
    desk.rejected(["out/y"], "the attestation is malformed");
}
