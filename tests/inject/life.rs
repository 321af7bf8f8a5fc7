//! What becomes of workflows into which something was put before.

use argo_attest_core::inject::{Container, Mode, Obstacle, Refusal, Settings, inject, remove, update};

use super::oracle::{names, read, spec, templates};
use super::{injected, settings};
use crate::share::is_tried;

const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n";
const ASKS: &str = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";

fn build() -> String {
    format!("{HEAD}  templates:\n  - name: build\n    {ASKS}\n    container: {{image: alpine}}\n")
}

fn newer() -> Settings {
    Settings { image: "registry.example/argo-attest:2".into(), ..settings() }
}

#[test]
fn other_options_are_told_and_not_passed_over() {
    let first = injected(&build(), &settings()).unwrap().text;
    let tuned = first.replace("\"256Mi\"", "\"1Gi\"");
    let other_key = Settings { key_secret: "other".parse().unwrap(), ..settings() };
    for (text, settings, what) in [
        (&first, &newer(), "container argo-attest"),
        (&tuned, &settings(), "container argo-attest"),
        (&first, &Settings { not_ready_fails: true, ..settings() }, "container argo-attest"),
        (&first, &Settings { mode: Mode::Sidecar, ..settings() }, "container argo-attest"),
        (&first, &Settings { all: true, ..settings() }, "own container argo-attest"),
        (&first, &other_key, "volume argo-attest-key"),
    ] {
        match inject(text, settings) {
            Err(Refusal::Template { why: Obstacle::Stale(told), .. }) => assert_eq!(told, what),
            other => panic!("{what}: {other:?}"),
        }
        let updated = update(text, settings).unwrap();
        assert_eq!(updated.text, inject(&build(), settings).unwrap().text);
    }
    let updated = update(&first, &newer()).unwrap();
    assert_eq!(updated.changes[0].sidecar, Container::Renewed);
    assert_eq!(updated.changes[0].line, 9);
    assert_eq!(update(&first, &settings()).unwrap().changes[0].sidecar, Container::Already);
}

/// Whoever brings it up to date without an option that was given then is told of it.
#[test]
fn what_is_left_out_when_it_is_brought_up_to_date_is_named() {
    let full =
        Settings { store_secrets: vec!["minio-cred".parse().unwrap()], grace_period: Some(60), ..settings() };
    let text =
        build().replace("    container:", "    inputs: {artifacts: [{name: i, path: /i}]}\n    container:");
    let first = injected(&text, &full).unwrap().text;
    let lost = |settings: &Settings| {
        let updated = update(&first, settings).unwrap();
        updated.changes[0].lost.iter().cloned().collect::<Vec<_>>()
    };
    assert!(lost(&full).is_empty());
    assert!(lost(&Settings { image: newer().image, ..full.clone() }).is_empty());
    let without = lost(&Settings { store_secrets: Vec::new(), ..full.clone() });
    assert!(
        matches!(&without[..], [volume] if volume.starts_with("volume argo-attest-store")),
        "{without:?}"
    );
    let without = lost(&Settings { grace_period: None, ..full });
    assert_eq!(without, ["variable ARGO_ATTEST_GRACE_PERIOD"]);
    assert!(remove(&first, &[]).unwrap().changes[0].lost.is_empty());
}

#[test]
fn programs_may_write_it_anew() {
    let first = injected(&build(), &settings()).unwrap().text;
    // As kubectl prints it: other quotes, other order.
    let printed = serde_json::to_string_pretty(&read(&first)[0]).unwrap();
    assert_eq!(inject(&printed, &settings()).unwrap().text, printed);
    let left = remove(&printed, &[]).unwrap();
    assert_eq!(read(&left.text), read(&build()));
    assert_eq!(left.changes[0].sidecar, Container::Removed);
    let updated = update(&printed, &newer()).unwrap();
    assert_eq!(names(templates(&read(&updated.text)[0])[0], "initContainers"), ["argo-attest"]);
}

#[test]
fn what_a_user_wrote_stays() {
    let spec_text = "  volumes:\n  - {name: argo-attest-key, secret: {secretName: argo-attest-key}}\n  # mine\n  podSpecPatch:                 '{\"terminationGracePeriodSeconds\": 30}'\n  imagePullSecrets: [{name: regcred}]\n";
    let text = build().replace("  templates:", &format!("{spec_text}  templates:"));
    injected(&text, &Settings { grace_period: Some(30), ..settings() }).unwrap();
    assert_eq!(remove(&text, &[]).unwrap().text, text);
    // A volume that another container mounts is needed.
    let shared = injected(&build(), &settings()).unwrap().text.replace(
        "container: {image: alpine}",
        "container: {image: alpine, volumeMounts: [{name: argo-attest-key, mountPath: /k}]}",
    );
    let left = remove(&shared, &[]).unwrap();
    assert_eq!(names(spec(&read(&left.text)[0]), "volumes"), ["argo-attest-key"]);
    // Another's container of our name, and a file without anything of ours.
    let other =
        build().replace("    container:", "    sidecars: [{name: argo-attest, image: x}]\n    container:");
    assert_eq!(remove(&other, &[]).unwrap().text, other);
    assert_eq!(remove("kind: Pod\n", &[]).unwrap().text, "kind: Pod\n");
}

#[test]
fn what_no_longer_asks_is_told_and_taken_out() {
    let text = injected(&build(), &settings()).unwrap().text.replace("\"true\"}}", "\"false\"}}");
    let again = inject(&text, &settings()).unwrap();
    assert_eq!((again.text.as_str(), again.changes[0].sidecar), (text.as_str(), Container::Unasked));
    let updated = update(&text, &settings()).unwrap();
    assert_eq!(updated.text, build().replace("\"true\"}}", "\"false\"}}"));
    assert_eq!(updated.changes[0].sidecar, Container::Removed);
}

#[test]
fn lists_are_what_they_were() {
    let steps = [
        "    initContainers: []\n",
        "    initContainers: [ ]  # none\n",
        "    initContainers: [ # none\n    ]\n",
        "    initContainers:\n    volumes: []\n",
        "    initContainers: # none\n\n    # about main\n",
        "    initContainers: [{name: a}]\n",
        "    initContainers: [ &a {name: a}, {name: b} ]\n",
        "    initContainers: &i [{name: a}]\n    sidecars: []\n",
        "    sidecars:\n    - name: a\n      args:\n      - |\n        x\n\n    initContainers:\n      # first\n      - name: b\n",
    ];
    let mut written = 0;
    for step in steps {
        for volumes in ["", "  volumes: []\n", "  volumes:\n", "  volumes: [{name: v, emptyDir: {}}]\n"] {
            for defaults in [
                "",
                "  templateDefaults: {}\n",
                "  templateDefaults: {initContainers: []}\n",
                "  templateDefaults:\n    initContainers:\n",
            ] {
                let text = format!(
                    "{HEAD}{volumes}{defaults}  templates:\n  - name: t\n    {ASKS}\n    inputs: {{artifacts: [{{name: i, path: /i}}]}}\n{step}    container: {{image: x}}"
                );
                // Each in one of the ways to write it, and with one of the ways to ask.
                written += 1;
                if !is_tried(written / 6) {
                    continue;
                }
                let text = match written % 3 {
                    0 => text,
                    1 => format!("{text}\n"),
                    _ => text.replace('\n', "\r\n"),
                };
                let mode = if written % 2 == 0 { Mode::Native } else { Mode::Sidecar };
                for all in [false, true] {
                    let settings = Settings { all, mode, grace_period: Some(60), ..settings() };
                    injected(&text, &settings).unwrap_or_else(|e| panic!("{e}\n{text}"));
                }
            }
        }
    }
}

#[test]
fn templates_on_one_line_stay_on_it() {
    let one = format!("{HEAD}  templates:\n  - {{name: t, {ASKS}, container: {{image: x}}}}\n");
    let done = injected(&one, &settings()).unwrap();
    assert_eq!(done.text.lines().count(), one.lines().count() + 3);
    assert!(done.text.contains("  - {initContainers: [{name: argo-attest, image:"), "{}", done.text);
    let json = serde_json::to_string(&read(&one)[0]).unwrap();
    let done = injected(&json, &settings()).unwrap();
    serde_json::from_str::<serde_json::Value>(&done.text).unwrap();
    assert_eq!(done.text.lines().count(), 1);
}

/// By `templateDefaults` of a workflow that has some, or by a patch, nothing else goes.
#[test]
fn defaults_go_only_if_they_are_all_ours() {
    let all = Settings { all: true, grace_period: Some(60), ..settings() };
    for defaults in [
        "",
        "  templateDefaults:\n    activeDeadlineSeconds: 5\n",
        "  templateDefaults: {activeDeadlineSeconds: 5}\n",
    ] {
        let text = build().replace("  templates:", &format!("{defaults}  templates:"));
        injected(&text, &all).unwrap();
        injected(&text.replace("kind: Workflow", "kind: WorkflowTemplate"), &all).unwrap();
    }
}

#[test]
fn what_is_entangled_is_left_to_a_hand() {
    let text = format!(
        "{HEAD}  templates:\n  - initContainers:\n    - {{name: argo-attest, args: [sidecar]}}\n    # mine\n    name: t\n    container: {{image: x}}\n"
    );
    assert_eq!(remove(&text, &[]).unwrap_err(), Refusal::Entangled { line: 6 });
    let left = remove(&text.replace("    # mine\n", ""), &[]).unwrap().text;
    assert_eq!(left, format!("{HEAD}  templates:\n  - name: t\n    container: {{image: x}}\n"));
}
