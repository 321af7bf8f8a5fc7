//! The first thing that anybody tries.

use serde_json::Value;

use crate::program::Desk;

const SCRIPT: &str = "mkdir -p out/a/b && echo hi > out/a/b/x && head -c 50000000 /dev/urandom > out/big";

#[test]
fn a_command_is_attested_and_all_of_it_verifies() {
    let desk = Desk::new();
    let ended = desk.attest(&["out"], SCRIPT).with(0);
    for said in [
        "attested      out (2 files, 47.68 MiB)\n",
        "out.sigstore.json\n",
        "out.intoto.jsonl\n",
        "signed with   SHA256:",
        "(your own key, made just now)\n",
        "verify with   argo-attest verify out\n",
    ] {
        assert!(ended.err.contains(said), "{said:?} is not in {ended:?}");
    }
    assert_eq!((ended.out.as_str(), ended.err.lines().count()), ("", 7), "{ended:?}");
    assert!(desk.own_key().is_file() && desk.own_key().with_extension("pub").is_file());

    for artifact in ["out", "out/", "./out", "out/a", "out/a/b/", "out/big", "out/a/b/x", "out/a/../big"] {
        let said = desk.accepted([artifact]).says("only your own key is trusted");
        assert_eq!(said.out.lines().count(), 3, "{said:?}");
    }
    let three = desk.accepted(["out", "out/big", "out/a/b/x"]);
    assert_eq!(three.out.lines().filter(|l| l.starts_with("attested  ")).count(), 3, "{three:?}");
}

#[test]
fn a_second_run_is_the_newest_and_the_lines_keep_both() {
    let desk = Desk::new();
    desk.attest(&["out"], "echo 1 > out").with(0).says("made just now");
    let first = desk.read("out.sigstore.json");
    desk.attest(&["out"], "echo 2 > out").with(0).says("(your own key)\n");
    desk.accepted(["out"]);
    assert_ne!(desk.read("out.sigstore.json"), first);
    let lines = String::from_utf8(desk.read("out.intoto.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 2);

    // Older bytes are attested too, but not by the newest attestation, and that is said.
    desk.write("out", "1\n");
    let older = desk.accepted(["out"]);
    assert!(older.out.contains("out.sigstore.json was passed over: its digest"), "{older:?}");
    desk.accepted(["--bundle", "out.intoto.jsonl", "out"]);
    std::fs::remove_file(desk.path("out.sigstore.json")).unwrap();
    desk.accepted(["out"]);
    desk.write("out", "3\n");
    desk.rejected(["out"], "is not one that is attested");
}

#[test]
fn an_attestation_can_be_inspected() {
    let desk = Desk::new();
    desk.attest(&["out"], "mkdir out && echo hi > out/x").with(0);
    for file in ["out.sigstore.json", "out.intoto.jsonl"] {
        let shown = desk.run(["inspect", file]).with(0);
        for said in [
            "signatures not checked",
            "predicate    https://slsa.dev/provenance/v1\n",
            "builder      https://argo-attest.github.io/builders/local/v1\n",
            "mkdir out && echo hi > out/x",
            "subjects (2)\n",
            "  sha256:98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4  out/x\n",
        ] {
            assert!(shown.out.contains(said), "{said:?} is not in {shown:?}");
        }
        let json: Value = serde_json::from_str(&desk.run(["inspect", "--json", file]).with(0).out).unwrap();
        assert_eq!(json["signaturesChecked"], false);
        let statement = &json["attestations"][0]["statement"];
        assert_eq!(statement["subject"][1]["name"], "out/x");
        assert_eq!(
            statement["predicate"]["buildDefinition"]["externalParameters"]["command"][2],
            "mkdir out && echo hi > out/x"
        );
    }
}

/// cosign's own layout, with a log entry; and things that are no attestation.
#[test]
fn foreign_and_malformed_files_are_inspected_or_refused() {
    let desk = Desk::new();
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    for (file, format) in [
        ("cosign-shaped.sigstore.json", "Sigstore bundle"),
        ("p256.sigstore.json", "Sigstore bundle"),
        ("ed25519.intoto.jsonl", "DSSE envelopes"),
    ] {
        desk.run(["inspect".as_ref(), vectors.join(file).as_os_str()]).with(0).says(format);
    }
    for (bytes, why) in [
        ("", "the file is empty"),
        ("{}", "an empty object"),
        ("[1]", "[0]: it is neither an object nor an array"),
        ("\u{1b}[31m", "the file is not JSON"),
        (
            r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v9.1+json","verificationMaterial":{}}"#,
            "media type",
        ),
    ] {
        desk.write("it", bytes);
        let said = desk.run(["inspect", "it"]).with(65).says(why).says("\n  help: ");
        assert!(!said.err.contains('\u{1b}'), "{said:?}");
    }
    desk.run(["inspect", "nothing"]).with(66).says("nothing").says("\n  help: ");
    desk.run(["inspect", "/"]).with(74).says("\n  help: ");
    desk.write("big", vec![b' '; (64 << 20) + 1]);
    desk.run(["inspect", "big"]).with(65).says("larger than");
}
