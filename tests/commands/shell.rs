//! What a shell and a reader of manuals need of the program.

use std::fs;
use std::process::Command;

use crate::program::Desk;
use crate::skip::skip;

const IN_BASH: &str = r#"
source "$0" || exit
offer=$(complete -p argo-attest | sed 's/.*-F \([^ ]*\) .*/\1/')
COMP_WORDS=(argo-attest ver) COMP_CWORD=1
$offer argo-attest ver argo-attest
printf '%s\n' "${COMPREPLY[@]}"
"#;
const IN_ZSH: &str = r#"
autoload -U compinit && compinit -D && source "$0" && print -r -- "$functions[_argo-attest_commands]"
"#;
const IN_FISH: &str = "source $argv[1]; complete -C 'argo-attest ver'";

/// Runs a tool with these arguments; none if it is not installed.
fn tool(name: &str, arguments: &[&str]) -> Option<std::process::Output> {
    let Ok(output) = Command::new(name).args(arguments).env("LC_ALL", "C.UTF-8").output() else {
        skip(name);
        return None;
    };
    Some(output)
}

#[test]
fn completions_load_into_their_shells() {
    let desk = Desk::new();
    // What each offers after `argo-attest ver`, as far as it can be asked without a terminal.
    for (shell, script) in [("bash", IN_BASH), ("zsh", IN_ZSH), ("fish", IN_FISH)] {
        let text = desk.run(["completion", shell]).with(0).out;
        assert!(text.contains("verify-inputs") && text.contains("secrets-dir"), "{text}");
        desk.write(shell, text);
        let Some(loaded) = tool(shell, &["-c", script, desk.path(shell).to_str().unwrap()]) else { continue };
        let said = String::from_utf8_lossy(&loaded.stdout);
        assert!(loaded.status.success() && said.contains("verify-inputs"), "{loaded:?}");
    }
    desk.run(["completion", "tcsh"]).with(64).says("bash, zsh, fish");
}

#[test]
fn every_manual_page_is_well_formed() {
    let desk = Desk::new();
    desk.run(["man", "--out-dir", "pages/man1"]).with(0);
    let pages: Vec<_> =
        fs::read_dir(desk.path("pages/man1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 10, "{pages:?}");
    let page = |name: &str| fs::read_to_string(desk.path("pages/man1").join(name)).unwrap();
    assert_eq!(page("argo-attest.1"), desk.run(["man"]).with(0).out);
    let verify = page("argo-attest-verify.1");
    assert!(verify.contains("ARGO_ATTEST_POLICY") && verify.contains("s3://artifacts"), "{verify}");
    for page in &pages {
        let Some(formatted) = tool("groff", &["-man", "-Tutf8", "-ww", "-z", page.to_str().unwrap()]) else {
            return;
        };
        let warnings = String::from_utf8_lossy(&formatted.stderr);
        assert!(formatted.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    }
    desk.write("file", "");
    desk.run(["man", "--out-dir", "file"]).with(74).says("name a directory that can be written");
}
