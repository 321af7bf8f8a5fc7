//! Symbolic links within an output: signed with it, and compared with it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::program::Desk;

const MAKE: &str = "mkdir -p out/lib out/bin && echo 1 > out/lib/so.1 && echo x > out/bin/tool \
                    && ln -s so.1 out/lib/so && ln -s ../bin/tool out/lib/tool && ln -s lib/so out/so \
                    && ln -s nowhere out/dangling";

#[test]
fn links_are_attested_and_each_of_them_counts() {
    let desk = Desk::new();
    desk.attest(&["out"], MAKE).with(0).says("attested      out (2 files");
    desk.accepted(["out", "out/lib/so.1"]);
    // A link that leads out of the directory that is asked for is no part of it alone.
    desk.rejected(["out/lib"], "lib/tool cannot be verified: a symbolic link that leads out of the output");
    let link = |at: &str, to: &str| {
        let _ = fs::remove_file(desk.path(at));
        symlink(to, desk.path(at)).unwrap();
    };
    link("out/so", "bin/tool");
    desk.rejected(["out"], "the symbolic link so leads elsewhere");
    link("out/so", "./lib/so");
    desk.rejected(["out"], "the symbolic link so leads elsewhere");
    link("out/so", "/etc/passwd");
    desk.rejected(["out"], "out/so cannot be verified: a symbolic link that leads out of the output");
    let ended = desk.run(["verify", "out"]);
    assert!(!format!("{ended:?}").contains("passwd"), "{ended:?}");
    fs::remove_file(desk.path("out/so")).unwrap();
    desk.rejected(["out"], "the symbolic link so is missing");
    fs::copy(desk.path("out/lib/so.1"), desk.path("out/so")).unwrap();
    desk.rejected(["out"], "so was added");
    link("out/so", "lib/so");
    desk.accepted(["out"]);
    link("out/new", "lib/so");
    desk.rejected(["out"], "the symbolic link new was added");
    fs::remove_file(desk.path("out/new")).unwrap();

    // Elsewhere it is the same artifact, and a link of another name is another artifact.
    fs::rename(desk.path("out"), desk.path("moved")).unwrap();
    desk.accepted(["--bundle", "out.sigstore.json", "moved"]);
    fs::rename(desk.path("moved/so"), desk.path("moved/os")).unwrap();
    desk.rejected(
        ["--bundle", "out.sigstore.json", "moved"],
        "the symbolic link so is missing, the symbolic link os was added",
    );
}

#[test]
fn a_directory_of_links_alone() {
    let desk = Desk::new();
    desk.attest(&["out"], "mkdir out && ln -s a out/b && ln -s b out/c").with(0);
    desk.accepted(["out"]);
    fs::remove_file(desk.path("out/c")).unwrap();
    desk.rejected(["out"], "the symbolic link c is missing");
}

#[test]
fn links_beside_files_that_are_in_a_manifest() {
    let desk = Desk::new();
    desk.attest(&["out"], "mkdir out && cd out && seq 1100 | xargs touch && ln -s 1 l").with(0);
    assert!(desk.path("out.manifest.sha256").is_file());
    desk.accepted(["out"]);
    fs::remove_file(desk.path("out/l")).unwrap();
    desk.rejected(["out"], "the symbolic link l is missing");
}

#[test]
fn more_links_than_a_statement_lists() {
    let desk = Desk::new();
    // A shell would start `ln` 4097 times.
    fs::create_dir(desk.path("links")).unwrap();
    for n in 1..=4097 {
        symlink("x", desk.path(format!("links/{n}"))).unwrap();
    }
    let ended = desk.attest(&["out"], "mkdir out && echo > out/x && cp -a links/. out");
    ended.with(1).says("not attested  out: it has more symbolic links than a statement lists");
    desk.attest(&["out"], "rm out/4097").with(0);
    desk.accepted(["out"]);
}

/// A link that was there before, and one that the command made.
#[test]
fn links_in_the_working_directory() {
    let desk = Desk::new();
    symlink("old", desk.path("before")).unwrap();
    let ended = desk.run(["run", "--", "sh", "-c", "echo 1 > new && ln -s new link"]).with(0);
    assert!(!ended.err.contains("refused"), "{ended:?}");
    let bundle = "attestation.sigstore.json";
    desk.accepted(["--bundle", bundle, "new"]);
    let shown = desk.run(["inspect", bundle]).with(0);
    assert!(shown.out.contains("symbolic-links"), "{shown:?}");
}
