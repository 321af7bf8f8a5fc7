//! `docs/reference.md` is made from the program itself: the options as clap has them, the
//! exit codes, the metrics as they are served. `UPDATE_REFERENCE=1 cargo test --test
//! docs` writes it anew; without, a difference is a failure.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use argo_attest::cli::{Exit, definition};
use argo_attest::telemetry::Metrics;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageSubject, ManifestKind};
use argo_attest_core::slsa::{ExistingImage, ExistingObject, PodIdentity};
use argo_attest_core::verify::Reason;
use clap::{Arg, Command};
use jiff::Timestamp;
use serde_json::Value;

const INTRODUCTION: &str = "\
# Reference

Every command, option, variable, exit code, reason and metric, made from the program by
`UPDATE_REFERENCE=1 cargo test --test docs`; a test fails while this page says
something else. The option wins over the variable, the variable over the default. What is
written in statements is specified with the build types
[command/v1](buildtypes/command/v1.md), [argo-step/v1](buildtypes/argo-step/v1.md),
[existing-object/v1](buildtypes/existing-object/v1.md) and
[existing-image/v1](buildtypes/existing-image/v1.md), the [outcome](outcome.md) and the
[reports](reports.md). For `s3://…` AWS's variables are read, too (`AWS_REGION`, `AWS_PROFILE`, …): [stores](stores.md).
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// One line of a table: no line breaks, no bar that ends a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn name(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let takes = arg.get_action().takes_values();
    let several = matches!(arg.get_action(), clap::ArgAction::Append) || arg.is_positional();
    let value = if takes { values.join(" ") } else { String::new() };
    let short = arg.get_short().map_or_else(String::new, |short| format!("`-{short}`, "));
    let name = match arg.get_long() {
        Some(long) if value.is_empty() => format!("`--{long}`"),
        Some(long) if arg.is_require_equals_set() => format!("`--{long}[={value}]`"),
        Some(long) => format!("`--{long} {value}`"),
        None => format!("`{value}`"),
    };
    let name = short + &name;
    if several && takes { name + "…" } else { name }
}

fn shown(arg: &Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

fn options(command: &Command, page: &mut String) {
    let globals: Vec<_> = command.get_arguments().filter(|arg| shown(arg)).collect();
    if globals.is_empty() {
        return;
    }
    page.push_str("\n| option | variable | default | |\n|---|---|---|---|\n");
    for arg in globals {
        let variable = arg.get_env().map_or_else(String::new, |v| format!("`{}`", v.to_str().unwrap()));
        let defaults: Vec<_> = arg.get_default_values().iter().filter_map(|v| v.to_str()).collect();
        // A switch's default is to be off; that is what a switch is.
        let default = match defaults.join(", ") {
            text if text.is_empty() || !arg.get_action().takes_values() => String::new(),
            text => format!("`{text}`"),
        };
        let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        if arg.is_required_set() {
            help.push_str(". Required");
        }
        let values: Vec<_> = arg
            .get_possible_values()
            .iter()
            .filter(|_| arg.get_action().takes_values())
            .map(|v| {
                let meaning = v.get_help().map(|h| format!(" ({h})")).unwrap_or_default();
                format!("`{}`{meaning}", v.get_name())
            })
            .collect();
        if !values.is_empty() {
            write!(help, ": {}", values.join(", ")).unwrap();
        }
        writeln!(page, "| {} | {variable} | {} | {} |", cell(&name(arg)), cell(&default), cell(&help))
            .unwrap();
    }
}

fn commands(page: &mut String) {
    let program = definition();
    page.push_str("\n## Every command\n");
    options(&program, page);
    for command in program.get_subcommands().filter(|c| !c.is_hide_set()) {
        let about = command.get_long_about().or_else(|| command.get_about()).unwrap().to_string();
        let about: Vec<_> =
            about.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        write!(
            page,
            "\n## `argo-attest {}`\n\n{}.\n",
            command.get_name(),
            about.join(".\n\n").trim_end_matches('.')
        )
        .unwrap();
        options(command, page);
    }
}

fn exit_codes(page: &mut String) {
    page.push_str("\n## Exit codes\n\n| code | |\n|---|---|\n");
    for exit in Exit::ALL {
        writeln!(page, "| {} | {} |", exit.code(), exit.meaning()).unwrap();
    }
    page.push_str(
        "\n`run` passes on the command's own exit code if that is not 0. A native sidecar's is always 0.\n",
    );
}

fn reasons(page: &mut String) {
    page.push_str("\n## Reasons\n\nWhy `verify` or `audit` does not call an artifact attested, or not without more: `reason` of `-o json`, and what the totals count.\n\n| reason | |\n|---|---|\n");
    for reason in Reason::ALL {
        writeln!(page, "| `{reason}` | {} |", cell(&reason.meaning())).unwrap();
    }
}

fn metrics(page: &mut String) {
    page.push_str("\n## Metrics\n\nSee [metrics](metrics.md).\n\n| name | type | |\n|---|---|---|\n");
    let text = Metrics::default().text().unwrap();
    for help in text.lines().filter_map(|l| l.strip_prefix("# HELP ")) {
        let (name, meaning) = help.split_once(' ').unwrap();
        let kind = text.lines().find_map(|l| l.strip_prefix(&format!("# TYPE {name} "))).unwrap();
        let suffix = if kind == "counter" { "_total" } else { "" };
        let meaning = meaning.trim_end_matches('.');
        writeln!(page, "| `{name}{suffix}` | {kind} | {} |", cell(meaning)).unwrap();
    }
}

#[test]
fn the_reference_says_what_the_program_does() {
    let mut page = INTRODUCTION.to_owned();
    commands(&mut page);
    exit_codes(&mut page);
    reasons(&mut page);
    metrics(&mut page);
    let file = root().join("docs/reference.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let different = page.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert!(
        page == written,
        "docs/reference.md is out of date (UPDATE_REFERENCE=1 cargo test --test docs); first: {different:?}"
    );
}

#[test]
fn help_and_readme_tell_every_exit_code() {
    let help = definition().get_after_help().unwrap().to_string();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for exit in Exit::ALL {
        assert!(help.contains(&format!(" {}  ", exit.code())), "--help lacks {exit:?}");
        assert!(
            readme.contains(&format!("| {} | {} |", exit.code(), exit.meaning())),
            "README lacks {exit:?}"
        );
    }
}

/// Names of the fields in a JSON document; not those that somebody else chose, which
/// stand beneath `free`.
fn fields(value: &Value, free: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                if !free.contains(&name.as_str()) {
                    fields(value, free, found);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| fields(value, free, found)),
        _ => {}
    }
}

/// Names of fields that a build type's page does not specify; only what is said before
/// its example counts.
fn unspecified(page: &str, found: &BTreeSet<String>) -> Vec<String> {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let (specified, _) = page.split_once("\n## Example").unwrap();
    let known = |name: &String| {
        // As a field of its own, or as the last part of a longer one.
        specified
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|code| code.split(['.', '[', ']', ' ', '…']).any(|part| part == name))
            || specified.contains(&format!("\"{name}\""))
    };
    found.iter().filter(|name| !known(name)).cloned().collect()
}

#[test]
fn every_field_of_a_predicate_is_specified() {
    let folder = root().join("crates/core/src/slsa/argo_step/snapshots");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let (_, json) = text.split_once("\n---\n").unwrap();
        fields(&serde_json::from_str(json).unwrap(), &["parameters", "exitCodes", "digest"], &mut found);
    }
    assert!(found.len() > 40, "{found:?}");
    assert_eq!(unspecified("docs/buildtypes/argo-step/v1.md", &found), Vec::<String>::new());
}

/// A pod of which everything is known.
fn identity() -> PodIdentity {
    let known = || Some("x".to_owned());
    PodIdentity {
        pod_name: known(),
        pod_uid: known(),
        pod_namespace: known(),
        service_account: known(),
        node_name: known(),
        node_id: known(),
        workflow_name: known(),
        workflow_uid: known(),
    }
}

#[test]
fn every_field_of_a_vouched_for_image_is_specified() {
    let kind = ManifestKind::OciIndex;
    let platform = Some("linux/amd64".parse().unwrap());
    let whole = ImageSubject { digest: Sha256Digest::of(b""), kind, size: 1, platform };
    let provenance = ExistingImage {
        reference: &"r.example/app:1".parse().unwrap(),
        whole: &whole,
        images: std::slice::from_ref(&whole),
        identity: &identity(),
        builder_id: "https://ci.example.com/imports",
        run_id: "",
        started_on: Timestamp::UNIX_EPOCH,
        finished_on: Timestamp::UNIX_EPOCH,
    }
    .provenance();
    let mut found = BTreeSet::new();
    fields(&serde_json::to_value(&provenance).unwrap(), &[], &mut found);
    assert!(found.len() > 20, "{found:?}");
    assert_eq!(unspecified("docs/buildtypes/existing-image/v1.md", &found), Vec::<String>::new());
}

#[test]
fn every_field_of_a_vouched_for_object_is_specified() {
    let provenance = ExistingObject {
        uri: "s3://data/x",
        store: Some(&"https://s3.example.com".parse().unwrap()),
        size: 1,
        etag: "e",
        version_id: Some("v"),
        identity: &identity(),
        builder_id: "https://ci.example.com/imports",
        run_id: "",
        started_on: Timestamp::UNIX_EPOCH,
        finished_on: Timestamp::UNIX_EPOCH,
    }
    .provenance();
    let mut found = BTreeSet::new();
    fields(&serde_json::to_value(&provenance).unwrap(), &[], &mut found);
    assert!(found.len() > 20, "{found:?}");
    assert_eq!(unspecified("docs/buildtypes/existing-object/v1.md", &found), Vec::<String>::new());
}
