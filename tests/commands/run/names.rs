//! An artifact goes by its own name, whatever attestation is put beside it.

use std::fs;

use crate::program::Desk;

fn plant(desk: &Desk, attestation: &str, beside: &str) {
    for suffix in [".sigstore.json", ".intoto.jsonl"] {
        fs::copy(desk.path(format!("{attestation}{suffix}")), desk.path(format!("{beside}{suffix}")))
            .unwrap();
    }
}

fn tree() -> Desk {
    let desk = Desk::new();
    let script = "mkdir -p out/sub lib; echo safe > out/safe.sh; echo evil > out/evil.sh; echo sub > out/sub/safe.sh; \
                  echo lib > lib/safe.sh; echo one > one.sh";
    desk.attest(&["out", "lib", "one.sh"], script).with(0);
    desk
}

#[test]
fn the_directorys_own_attestation_beside_one_of_its_files() {
    let desk = tree();
    for bytes in ["evil", "sub", "safe"] {
        desk.write("out/safe.sh", format!("{bytes}\n"));
        plant(&desk, "out", "out/safe.sh");
        desk.rejected(["out/safe.sh"], "is about the directory \"out\", and about no file under this name");
        fs::remove_file(desk.path("out/safe.sh.sigstore.json")).unwrap();
        desk.rejected(["out/safe.sh"], "is about the directory \"out\"");
        fs::remove_file(desk.path("out/safe.sh.intoto.jsonl")).unwrap();
        if bytes == "safe" {
            desk.accepted(["out/safe.sh"]);
            desk.accepted(["--bundle", "out.sigstore.json", "out/safe.sh"]);
        } else {
            desk.rejected(["out/safe.sh"], "not one that is attested");
            // By the user's own word it is no other.
            desk.rejected(
                ["--bundle", "out.sigstore.json", "out/safe.sh"],
                "and not under the name \"safe.sh\"",
            );
        }
    }
}

#[test]
fn the_attestation_of_something_else_beside_a_file() {
    let desk = tree();
    // Another directory's, with a file of the same name.
    plant(&desk, "lib", "out/safe.sh");
    desk.write("out/safe.sh", "lib\n");
    desk.rejected(["out/safe.sh"], "is about the directory \"lib\"");
    // Another file's, whose bytes are put there too.
    plant(&desk, "one.sh", "out/safe.sh");
    desk.write("out/safe.sh", "one\n");
    desk.rejected(["out/safe.sh"], "its bytes are attested as \"one.sh\", and not under the name \"safe.sh, beside whose directory lies out.sigstore.json\"");
    // Another directory's, beside a directory in there.
    plant(&desk, "lib", "out/sub");
    desk.write("out/sub/safe.sh", "lib\n");
    desk.rejected(["out/sub"], "its bytes are attested as \"lib\", and not under the name \"sub, beside");
    // What is found first decides, and is about what lies in there now.
    desk.write("out/sub/safe.sh", "sub\n");
    desk.rejected(["out/sub/safe.sh"], "not one that is attested");
}

/// What lies beside a file, or beside a directory in between, cannot overrule the
/// attestation of the directory that all of it is in.
#[test]
fn no_attestation_further_in_overrules_the_directorys() {
    let desk = tree();
    plant(&desk, "lib", "out/sub");
    desk.write("out/sub/safe.sh", "lib\n");
    desk.rejected(["out/sub/safe.sh"], "its bytes are attested as \"lib/safe.sh\", and not under the name");
    // By way of a link to the directory.
    let desk = tree();
    std::os::unix::fs::symlink("out", desk.path("current")).unwrap();
    desk.accepted(["out/safe.sh"]);
    plant(&desk, "one.sh", "out/safe.sh");
    desk.write("out/safe.sh", "one\n");
    desk.rejected(["current/safe.sh"], "and not under the name");
    // Under the same name: of another directory, and of a file by itself.
    let desk = tree();
    let script = "mkdir -p other/sub; echo evil | tee other/safe.sh > other/sub/safe.sh";
    desk.attest(&["other/sub", "other/safe.sh"], script).with(0);
    plant(&desk, "other/sub", "out/sub");
    desk.write("out/sub/safe.sh", "evil\n");
    desk.rejected(["out/sub/safe.sh"], "and not under the name");
    plant(&desk, "other/safe.sh", "out/safe.sh");
    desk.write("out/safe.sh", "evil\n");
    desk.rejected(["out/safe.sh"], "not one that is attested");
    // A link beside a link is the directory under its other name.
    let linked = tree();
    for suffix in ["", ".sigstore.json"] {
        std::os::unix::fs::symlink(format!("lib{suffix}"), linked.path(format!("now{suffix}"))).unwrap();
    }
    linked.accepted(["now/safe.sh"]);
    // Where no directory is attested, they are what they say.
    desk.accepted(["other/safe.sh"]);
    desk.accepted(["other/sub/safe.sh"]);
}

/// What consumers do with a download: they call it what they like.
#[test]
fn a_file_that_was_renamed_with_its_attestation() {
    let desk = tree();
    fs::create_dir(desk.path("dl")).unwrap();
    fs::copy(desk.path("one.sh"), desk.path("dl/renamed")).unwrap();
    plant(&desk, "one.sh", "dl/renamed");
    desk.accepted(["dl/renamed"]);
    desk.accepted(["--bundle", "one.sh.sigstore.json", "dl/renamed"]);
    fs::rename(desk.path("lib"), desk.path("dl/library")).unwrap();
    plant(&desk, "lib", "dl/library");
    desk.accepted(["dl/library"]);
    desk.accepted(["dl/library/safe.sh"]);
    desk.accepted(["--bundle", "lib.sigstore.json", "dl/library/safe.sh"]);
    desk.write("dl/library/more", "lib\n");
    desk.rejected(["dl/library/more"], "does not list more");
    desk.rejected(["--bundle", "lib.sigstore.json", "dl/library/more"], "and not under the name \"more\"");
}

/// One way to one file, however it is written: the kernel says which it is.
#[test]
fn the_spelling_of_a_path_changes_nothing() {
    let desk = tree();
    for spelling in [
        "out/safe.sh",
        "./out/safe.sh",
        "out//safe.sh",
        "out/./safe.sh",
        "out/../out/safe.sh",
        "out/sub/../safe.sh",
    ] {
        desk.write("out/safe.sh", "safe\n");
        let ended = desk.accepted([spelling]);
        assert!(ended.out.contains("as out/safe.sh, "), "{spelling}: {ended:?}");
        desk.write("out/safe.sh", "evil\n");
        desk.rejected([spelling], "not one that is attested");
    }
}
