//! More files than a statement can name.

use std::fs;

use crate::program::Desk;

fn made(count: usize) -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("made")).unwrap();
    for directory in 0..count.div_ceil(1000) {
        fs::create_dir(desk.path(format!("made/{directory}"))).unwrap();
    }
    for n in 0..count {
        desk.write(format!("made/{}/{n}", n / 1000), n.to_string());
    }
    desk
}

#[test]
fn one_of_three_thousand_files_verifies_and_so_do_all() {
    let desk = made(3000);
    let ended = desk.attest(&["out"], "mv made out").with(0);
    assert!(ended.err.contains("attested      out (3000 files, "), "{ended:?}");
    desk.accepted(["out", "out/1", "out/2/2999", "out/0/0"]).says("attested  out/2/2999\n");
    desk.accepted(["--bundle", "out.sigstore.json", "out/0/77"]);
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--quiet", "../out.manifest.sha256"])
        .current_dir(desk.path("out"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");

    fs::write(desk.path("out/1/1500"), "x").unwrap();
    desk.rejected(["out"], "\n  altered: 1/1500 differs\n");
    desk.rejected(["out/1"], "\n  altered: 1500 differs\n");
    desk.rejected(["out/1/1500"], "not one that is attested");
    desk.accepted(["out/1/1501", "out/2"]);
    fs::write(desk.path("out/1/1500"), "1500").unwrap();
    fs::rename(desk.path("out/1/1500"), desk.path("out/1/x")).unwrap();
    desk.rejected(["out"], "\n  altered: 1/1500 is missing, 1/x was added\n");
    desk.rejected(["out/1/x"], "does not list 1/x");
}

#[test]
fn a_manifest_that_was_changed_helps_nobody() {
    let desk = made(1500);
    desk.attest(&["out"], "mv made out").with(0);
    let manifest = "out.manifest.sha256";
    let good = String::from_utf8(desk.read(manifest)).unwrap();
    // Somebody's own file, and a manifest that lists it.
    desk.write("out/0/7", "evil");
    let evil = argo_attest_core::digest::Sha256Digest::of(b"evil").to_string();
    let old = argo_attest_core::digest::Sha256Digest::of(b"7").to_string();
    desk.write(manifest, good.replacen(&old, &evil, 1));
    desk.rejected(["out/0/7"], "the manifest is not the one that was attested");
    desk.rejected(["out/0/8"], "the manifest is not the one that was attested");
    desk.rejected(["out"], "the manifest is not the one that was attested");
    for bad in ["", "x", &good[1..], &good[..good.len() - 1], &format!("{good}{good}")] {
        desk.write(manifest, bad);
        desk.rejected(["out/0/8"], "manifest");
    }
    fs::remove_file(desk.path(manifest)).unwrap();
    desk.rejected(["out/0/8"], "the manifest that lists the attested files is not there");
    desk.write(manifest, &good);
    desk.accepted(["out/0/8"]);
    desk.rejected(["out/0/7"], "not one that is attested");
}

/// The most that a statement lists, and one more.
#[test]
fn the_limit_of_a_statement_is_kept() {
    for (count, manifest) in [(1022, false), (1023, true)] {
        let desk = made(count);
        desk.attest(&["out"], "mv made out").with(0);
        assert_eq!(desk.path("out.manifest.sha256").exists(), manifest);
        desk.accepted(["out", "out/0/1"]);
    }
}

/// A minute and more without optimisation, most of it to make them: only if asked for.
#[test]
fn one_of_two_hundred_thousand_files() {
    if std::env::var_os("ARGO_ATTEST_TEST_MANY").is_none() {
        eprintln!("skipped: needs ARGO_ATTEST_TEST_MANY=1, and minutes");
        return;
    }
    let desk = made(200_000);
    let start = std::time::Instant::now();
    desk.attest(&["out"], "mv made out").with(0);
    eprintln!("attested 200000 files in {:?}", start.elapsed());
    for artifact in ["out/199/199999", "out/199", "out"] {
        let start = std::time::Instant::now();
        desk.accepted([artifact]);
        eprintln!("verified {artifact} in {:?}", start.elapsed());
    }
    desk.write("out/100/100000", "x");
    desk.rejected(["out/100/100000"], "not one that is attested");
    desk.rejected(["out"], "\n  altered: 100/100000 differs\n");
}
