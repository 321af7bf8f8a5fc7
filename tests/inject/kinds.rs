//! What is added to which kind of workflow and template.

use argo_attest_core::argo::Check;
use argo_attest_core::inject::{Container, Mode, Obstacle, Refusal, RunAs, Settings, inject, remove, update};

use super::oracle::{added_lines, names, read, spec, templates};
use super::{added, injected, settings};

const ASKS: &str = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";

fn workflow(kind: &str, templates: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: w}}\nspec:\n  templates:\n{templates}"
    )
}

fn build() -> String {
    workflow("Workflow", &format!("  - name: build\n    {ASKS}\n    container: {{image: alpine}}\n"))
}

#[test]
fn a_native_sidecar_is_as_documented() {
    let expected = "  \
  volumes:
  - {name: argo-attest-key, secret: {secretName: argo-attest-key, defaultMode: 256, optional: true}}
  - {name: argo-attest-store, secret: {secretName: s3-credentials, defaultMode: 256, optional: true}}
    initContainers:
    - name: argo-attest
      image: \"registry.example/argo-attest:1\"
      restartPolicy: Always
      args: [sidecar]
      lifecycle: {postStart: {exec: {command: [/argo-attest, ready, --wait]}}}
      mirrorVolumeMounts: true
      env:
      - {name: ARGO_ATTEST_BUILDER_ID, value: \"https://ci.example.com/argo\"}
      - {name: ARGO_ATTEST_POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: ARGO_ATTEST_POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
      - {name: ARGO_ATTEST_POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
      - {name: ARGO_ATTEST_SERVICE_ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
      - {name: ARGO_ATTEST_NODE_NAME, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['workflows.argoproj.io/node-name']\"}}}
      - {name: ARGO_ATTEST_WORKFLOW_NAME, value: \"{{workflow.name}}\"}
      - {name: ARGO_ATTEST_WORKFLOW_UID, value: \"{{workflow.uid}}\"}
      - {name: ARGO_ATTEST_INPUT_PARAMETERS, value: \"{{inputs.parameters}}\"}
      resources: {requests: {cpu: \"10m\", memory: \"32Mi\"}, limits: {memory: \"256Mi\"}}
      securityContext: {runAsUser: 0, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts:
      - {name: argo-attest-key, mountPath: /etc/argo-attest/key, readOnly: true}
      - {name: argo-attest-store, mountPath: /argo/secret/s3-credentials, readOnly: true}";
    assert_eq!(added(&build(), &settings()), expected);
}

/// The sidecar is told where attestations go that have no place beside their output.
#[test]
fn a_store_is_handed_on() {
    let url = "s3://attestations/prod";
    let named = Settings { attestation_store: Some(url.into()), ..settings() };
    for mode in [Mode::Native, Mode::Sidecar] {
        let done = injected(&build(), &Settings { mode, ..named.clone() }).unwrap();
        let template = templates(&read(&done.text)[0])[0].clone();
        let list = if mode == Mode::Native { "initContainers" } else { "sidecars" };
        let env = template[list][0]["env"].as_array().unwrap();
        assert!(env.contains(&serde_json::json!({"name": "ARGO_ATTEST_STORE", "value": url})), "{env:?}");
    }
}

/// Whoever wants a step to fail that cannot be attested gets a check that can fail it.
#[test]
fn a_check_comes_where_it_was_asked_for() {
    let failing = Settings { not_ready_fails: true, ..settings() };
    for all in [false, true] {
        let done = injected(&build(), &Settings { all, ..failing.clone() }).unwrap();
        let document = &read(&done.text)[0];
        let at = if all { &document["spec"]["templateDefaults"] } else { templates(document)[0] };
        assert_eq!(names(at, "initContainers"), ["argo-attest", "argo-attest-check"]);
        let (sidecar, check) = (&at["initContainers"][0], &at["initContainers"][1]);
        assert!(sidecar["env"].as_array().unwrap().iter().any(|variable| {
            *variable == serde_json::json!({"name": "ARGO_ATTEST_NOT_READY", "value": "fail"})
        }));
        let evidence = |container: &serde_json::Value| {
            let mounts = container["volumeMounts"].as_array().unwrap();
            mounts.iter().find(|mount| mount["name"] == "argo-attest-evidence").cloned().unwrap()
        };
        assert_eq!(evidence(sidecar)["readOnly"], serde_json::Value::Null, "the sidecar writes there");
        assert_eq!(evidence(check)["readOnly"], true);
        assert_eq!(check["args"], serde_json::json!(["ready", "--check"]));
        assert_eq!(check["mirrorVolumeMounts"], serde_json::Value::Null, "it looks at nothing of main's");
        assert!(names(spec(document), "volumes").contains(&"argo-attest-evidence"));
    }
    // A plain sidecar fails the step itself.
    let lines = added(&build(), &Settings { mode: Mode::Sidecar, ..failing });
    assert!(!lines.contains("argo-attest-check") && !lines.contains("NOT_READY"), "{lines}");
}

#[test]
fn a_plain_sidecar_has_a_command_and_no_hook() {
    let lines = added(&build(), &Settings { mode: Mode::Sidecar, ..settings() });
    assert!(lines.contains("    sidecars:\n    - name: argo-attest\n"), "{lines}");
    assert!(lines.contains("      command: [/argo-attest]\n      args: [sidecar]\n"), "{lines}");
    assert!(!lines.contains("restartPolicy") && !lines.contains("lifecycle"), "{lines}");
}

#[test]
fn steps_with_inputs_get_the_gate_first() {
    let text = workflow(
        "Workflow",
        &format!(
            "  - name: build\n    {ASKS}\n    inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    initContainers:\n    \
             # theirs\n    - {{name: theirs, image: alpine}}\n    container: {{image: alpine}}\n"
        ),
    );
    let done = injected(&text, &settings()).unwrap();
    let document = &read(&done.text)[0];
    let template = templates(document)[0];
    assert_eq!(names(template, "initContainers"), ["argo-attest-gate", "theirs", "argo-attest"]);
    assert_eq!(
        names(spec(document), "volumes"),
        ["argo-attest-key", "argo-attest-evidence", "argo-attest-store", "argo-attest-policy"]
    );
    let gate = &template["initContainers"][0];
    assert_eq!(gate["args"], serde_json::json!(["verify-inputs"]));
    assert_eq!(
        names(gate, "volumeMounts"),
        ["argo-attest-policy", "argo-attest-evidence", "argo-attest-store"]
    );
    assert_eq!(gate["volumeMounts"][1]["readOnly"], serde_json::Value::Null, "the gate writes its evidence");
    assert_eq!(template["initContainers"][2]["volumeMounts"][1]["readOnly"], true);
    assert_eq!((done.changes[0].sidecar, done.changes[0].gate), (Container::Added, Container::Added));
}

#[test]
fn the_gate_can_be_had_alone_and_left_out() {
    let step = |value: &str| {
        let annotations = format!("metadata: {{annotations: {{{value}}}}}");
        workflow(
            "Workflow",
            &format!(
                "  - name: t\n    {annotations}\n    inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    script: {{image: alpine}}\n"
            ),
        )
    };
    let init = |text: &str| {
        let done = injected(text, &settings()).unwrap();
        let document = read(&done.text).remove(0);
        let names: Vec<_> =
            names(templates(&document)[0], "initContainers").into_iter().map(str::to_owned).collect();
        names.join(" ")
    };
    assert_eq!(init(&step("argo-attest.io/verify-inputs: 'true'")), "argo-attest-gate");
    assert_eq!(
        init(&step("argo-attest.io/attest: 'true', argo-attest.io/verify-inputs: 'false'")),
        "argo-attest"
    );
    assert_eq!(init(&step("argo-attest.io/attest: '{{=asks}}'")), "argo-attest-gate argo-attest");
    assert_eq!(init(&step("argo-attest.io/attest: 'false'")), "");
    // Alone, it needs no key.
    let lines = added(&step("argo-attest.io/verify-inputs: 'true'"), &settings());
    assert!(!lines.contains("argo-attest-key") && lines.contains("argo-attest-policy"), "{lines}");
}

/// A gate checks wherever it is; it is told otherwise only where it is decided as the step
/// runs, or where steps have it that never asked.
#[test]
fn which_steps_the_gate_checks() {
    let step = |annotations: &str| {
        let template = format!(
            "  - name: t\n    metadata: {{annotations: {{{annotations}}}}}\n    inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    script: {{image: alpine}}\n"
        );
        workflow("Workflow", &template)
    };
    let check = |text: &str, all: bool| {
        let done = injected(text, &Settings { all, ..settings() }).unwrap();
        let document = read(&done.text).remove(0);
        let holder = if all { &spec(&document)["templateDefaults"] } else { templates(&document)[0] };
        let gate = &holder["initContainers"][0];
        assert_eq!(gate["name"], "argo-attest-gate");
        // Whose step it is it knows in any case.
        let of_question = |it: &&serde_json::Value| {
            it["name"].as_str().unwrap().contains("_CHECK")
                || it["name"].as_str().unwrap().contains("_ASKED_")
        };
        let env = gate["env"].as_array().unwrap();
        assert!(env.iter().any(|it| it["name"] == "ARGO_ATTEST_WORKFLOW_UID"));
        serde_json::Value::Array(env.iter().filter(of_question).cloned().collect())
    };
    let field = |name: &str, of: &str| {
        let path = format!("metadata.annotations['argo-attest.io/{of}']");
        serde_json::json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
    };
    let told = |which: &str| {
        serde_json::json!([
            {"name": "ARGO_ATTEST_CHECK", "value": which},
            field("ARGO_ATTEST_ASKED_ATTEST", "attest"),
            field("ARGO_ATTEST_ASKED_VERIFY_INPUTS", "verify-inputs"),
        ])
    };
    let yes = "argo-attest.io/verify-inputs: 'true'";
    for asks in [yes, "argo-attest.io/attest: 'true'"] {
        assert_eq!(check(&step(asks), false), serde_json::json!([]), "{asks}");
        assert_eq!(check(&step(asks), true), told("opt-out"), "{asks}");
    }
    for asks in [
        "argo-attest.io/verify-inputs: '{{=asks}}'",
        "argo-attest.io/attest: '{{=asks}}'",
        "argo-attest.io/attest: 'true', argo-attest.io/verify-inputs: '{{=asks}}'",
    ] {
        assert_eq!(check(&step(asks), false), told("opt-in"), "{asks}");
    }
    let decided = "argo-attest.io/attest: '{{=asks}}', argo-attest.io/verify-inputs: 'true'";
    assert_eq!(check(&step(decided), false), serde_json::json!([]));
}

/// The gate is there for images, too, and then checks inputs only where they are asked for.
#[test]
fn of_which_steps_the_gate_checks_the_images() {
    let step = |annotations: &str| {
        let template = format!(
            "  - name: t\n    metadata: {{annotations: {{{annotations}}}}}\n    inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    script: {{image: alpine}}\n"
        );
        workflow("Workflow", &template)
    };
    // What its gate is told, if it gets one; whether it gets a sidecar.
    let made = |annotations: &str, check_images: Check, all: bool| {
        let settings = Settings { all, check_images, ..settings() };
        let document = read(&injected(&step(annotations), &settings).unwrap().text).remove(0);
        let holder = if all { &spec(&document)["templateDefaults"] } else { templates(&document)[0] };
        let names = names(holder, "initContainers").into_iter().map(|name| name == "argo-attest");
        let sidecar = names.clone().any(|is| is);
        let gate = names.into_iter().position(|is| !is)?;
        let env = holder["initContainers"][gate]["env"].as_array().unwrap();
        let of = |name: &str| env.iter().find(|it| it["name"] == format!("ARGO_ATTEST_{name}"));
        let text = |name: &str| of(name).map(|it| it["value"].as_str().unwrap().to_owned());
        Some((text("CHECK"), text("CHECK_IMAGES"), of("ASKED_VERIFY_IMAGES").is_some(), sidecar))
    };
    let said = |text: &str| Some(text.to_owned());
    let yes = "argo-attest.io/verify-images: 'true'";
    assert_eq!(made(yes, Check::OptIn, false), Some((said("opt-in"), None, true, false)));
    let open = "argo-attest.io/verify-images: '{{=asks}}'";
    assert_eq!(made(open, Check::OptIn, false), Some((said("opt-in"), None, true, false)));
    let both = "argo-attest.io/attest: 'true', argo-attest.io/verify-images: 'true'";
    assert_eq!(made(both, Check::OptIn, false), Some((None, None, true, true)));
    let inputs = "argo-attest.io/attest: 'true'";
    assert_eq!(made(inputs, Check::OptIn, false), Some((None, None, false, true)));
    let no = "argo-attest.io/verify-images: 'false'";
    assert_eq!(made(no, Check::OptIn, false), None);
    assert_eq!(made(no, Check::OptOut, false), None);
    assert_eq!(made(no, Check::Always, false), Some((said("opt-in"), said("always"), true, false)));
    assert_eq!(made("", Check::OptOut, false), Some((said("opt-in"), said("opt-out"), true, false)));
    assert_eq!(made("", Check::OptIn, true), Some((said("opt-out"), None, false, true)));
    assert_eq!(made(yes, Check::OptIn, true), Some((said("opt-out"), None, true, true)));
    assert_eq!(made("", Check::Always, true), Some((said("opt-out"), said("always"), true, true)));
}

#[test]
fn templates_that_travel_have_their_volumes_with_them() {
    for kind in ["WorkflowTemplate", "ClusterWorkflowTemplate"] {
        let text = build().replace("kind: Workflow", &format!("kind: {kind}"));
        let done = injected(&text, &Settings { grace_period: Some(90), ..settings() }).unwrap();
        let document = &read(&done.text)[0];
        assert_eq!(names(templates(document)[0], "volumes"), ["argo-attest-key", "argo-attest-store"]);
        assert_eq!(templates(document)[0]["podSpecPatch"], "{\"terminationGracePeriodSeconds\": 90}");
        assert_eq!(spec(document)["volumes"], serde_json::Value::Null);
    }
}

#[test]
fn inline_templates_of_steps_and_tasks() {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {{name: w}}\nspec:\n  schedules: [\"@daily\"]\n  workflowSpec:\n    \
         templates:\n    - name: steps\n      steps:\n      - - name: a\n          inline:\n            {ASKS}\n            container: {{image: x}}\n    \
         - name: dag\n      dag:\n        tasks:\n        - name: b\n          inline:\n            container:\n              image: x\n            {ASKS}\n"
    );
    let done = injected(&text, &settings()).unwrap();
    assert_eq!(done.changes.len(), 2, "{text}");
    assert_eq!(done.changes[1].template, "CronWorkflow w, template dag, inline in b");
}

#[test]
fn all_go_into_the_defaults_once() {
    let text = workflow(
        "Workflow",
        "  - name: a\n    container: {image: x}\n  - name: b\n    script: {image: x}\n  - name: c\n    suspend: {}\n",
    );
    let done = injected(&text, &Settings { all: true, grace_period: Some(45), ..settings() }).unwrap();
    let document = &read(&done.text)[0];
    assert_eq!(names(&spec(document)["templateDefaults"], "initContainers"), ["argo-attest"]);
    let env = &spec(document)["templateDefaults"]["initContainers"][0]["env"];
    assert!(env.as_array().unwrap().iter().any(|e| e["name"] == "ARGO_ATTEST_ALL" && e["value"] == "true"));
    assert!(
        env.as_array().unwrap().iter().any(|e| e["name"] == "ARGO_ATTEST_GRACE_PERIOD" && e["value"] == "45")
    );
    assert!(templates(document).iter().all(|template| template["initContainers"].is_null()));
    // For one template alone, what is in the defaults is too much.
    let asks = done.text.replace("  - name: a\n", &format!("  - name: a\n    {ASKS}\n"));
    assert!(matches!(inject(&asks, &settings()), Err(Refusal::Template { why: Obstacle::Stale(_), .. })));
    let updated = update(&asks, &settings()).unwrap();
    let document = &read(&updated.text)[0];
    assert_eq!(spec(document)["templateDefaults"], serde_json::Value::Null);
    assert_eq!(names(templates(document)[0], "initContainers"), ["argo-attest"]);
    let became: Vec<_> = updated.changes.iter().map(|change| change.sidecar).collect();
    assert_eq!(became, [Container::Removed, Container::Added]);
}

#[test]
fn templates_that_others_hold_may_have_inputs() {
    let call = "  - name: a\n    container: {image: x}\n  - name: s\n    steps: [[{name: x, templateRef: {name: t, template: u}}]]\n";
    let done = injected(&workflow("Workflow", call), &Settings { all: true, ..settings() }).unwrap();
    let document = &read(&done.text)[0];
    assert_eq!(
        names(&spec(document)["templateDefaults"], "initContainers"),
        ["argo-attest-gate", "argo-attest"]
    );
}

#[test]
fn the_user_is_the_one_that_main_has() {
    let user = |spec: &str, template: &str, main: &str, given: Option<u32>| {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n{spec}  templates:\n  - name: t\n    {ASKS}\n{template}    \
             container: {{image: x{main}}}\n"
        );
        let lines = added(&text, &Settings { run_as: given.map_or(RunAs::Main, RunAs::User), ..settings() });
        let context = lines.lines().find(|line| line.contains("securityContext")).unwrap().to_owned();
        let mode = if lines.contains("defaultMode: 256") { "256" } else { "292" };
        let user =
            context.split_once("runAsUser: ").map(|(_, rest)| rest.split(',').next().unwrap().to_owned());
        (user, mode)
    };
    let pod = "  securityContext: {runAsUser: 7}\n";
    let own = ", securityContext: {runAsUser: 9}";
    assert_eq!(user("", "", "", None), (Some("0".into()), "256"));
    assert_eq!(user(pod, "", "", None), (None, "292"));
    assert_eq!(user("", "    securityContext: {runAsUser: 8}\n", "", None), (None, "292"));
    // A template's context takes the place of the workflow's, as a whole.
    assert_eq!(user(pod, "    securityContext: {fsGroup: 8}\n", "", None), (Some("0".into()), "256"));
    assert_eq!(user(pod, "", own, None), (Some("9".into()), "292"));
    assert_eq!(user(pod, "", own, Some(5)), (Some("5".into()), "292"));
}

#[test]
fn a_grace_period_that_is_there_is_told() {
    let patch = "  podSpecPatch: '{\"terminationGracePeriodSeconds\": 12}'\n  templates:\n";
    let text = build().replace("  templates:\n", patch);
    assert!(added(&text, &settings()).contains("{name: ARGO_ATTEST_GRACE_PERIOD, value: \"12\"}"));
    // Asked for what is there already, it is not set again.
    let same = added(&text, &Settings { grace_period: Some(12), ..settings() });
    assert!(!same.contains("podSpecPatch"), "{same}");
}

#[test]
fn other_documents_are_left_alone() {
    let other = "kind: ConfigMap\ndata: {a: 1, a: 2}\n---\napiVersion: other/v1\nkind: Workflow\nspec: {templates: 1}\n---\n";
    let text = format!("{other}{}...\n---\n- a\n", build());
    let done = injected_unchecked(&text);
    assert_eq!(done.workflows, 1);
    assert!(done.text.starts_with(other) && done.text.ends_with("...\n---\n- a\n"));
    assert_eq!(added_lines(&text, &done.text).len(), 25);
    assert_eq!(remove(&done.text, &[]).unwrap().text, text);
}

#[test]
fn volumes_are_declared_once() {
    let inputs = "inputs: {artifacts: [{name: a, path: /a}]}\n    container: {image: x}\n";
    let both = format!("  - name: a\n    {ASKS}\n    {inputs}");
    let gate = format!("  - name: b\n    {}\n    {inputs}", ASKS.replace("attest:", "verify-inputs:"));
    for templates in [
        format!("{both}{gate}"),
        format!("{gate}{both}"),
        format!("{gate}{gate}").replacen("name: b", "name: c", 1),
    ] {
        let done = injected(&workflow("Workflow", &templates), &settings()).unwrap();
        let document = &read(&done.text)[0];
        let volumes = names(spec(document), "volumes");
        assert_eq!(volumes.iter().filter(|name| **name == "argo-attest-evidence").count(), 1, "{volumes:?}");
    }
}

/// The other reader takes no key that is there twice.
fn injected_unchecked(text: &str) -> argo_attest_core::inject::Injected {
    argo_attest_core::inject::inject(text, &settings()).unwrap()
}

#[test]
fn lists_of_objects() {
    let item = build().replace('\n', "\n  ");
    let text = format!("apiVersion: v1\nkind: List\nitems:\n- {}\n- kind: ConfigMap\n", item.trim_end());
    let done = injected(&text, &settings()).unwrap();
    assert_eq!((done.workflows, done.changes.len()), (1, 1));
    assert_eq!(done.changes[0].line, 9);
}

#[test]
fn a_workflow_that_only_calls_others_gets_defaults_too() {
    let calls =
        "  - name: flow\n    steps:\n    - - {name: build, templateRef: {name: library, template: build}}\n";
    let lines = added(&workflow("Workflow", calls), &Settings { all: true, ..settings() });
    assert!(
        lines.contains("  templateDefaults:\n    initContainers:\n    - name: argo-attest-gate\n"),
        "{lines}"
    );
    assert!(lines.contains("    - name: argo-attest\n"), "{lines}");
    let nothing = "  - name: wait\n    suspend: {}\n";
    let written = workflow("Workflow", nothing);
    let injected = injected(&written, &Settings { all: true, ..settings() }).unwrap();
    assert_eq!(injected.text, written);
}

/// A workflow with a step that writes to a key, and one that takes a prefix.
fn map_reduce(annotation: &str, call: &str, key: &str, taken: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: w}}\nspec:\n  entrypoint: all\n  templates:\n\
         \x20 - name: all\n    steps:\n    - - {{name: m, template: map{call}}}\n    - - {{name: r, template: reduce}}\n\
         \x20 - name: map\n    metadata: {{annotations: {{argo-attest.io/attest: \"true\"{annotation}}}}}\n    \
         container: {{image: x}}\n    outputs: {{artifacts: [{{name: part, path: /p, s3: {{key: \"{key}\"}}}}]}}\n\
         \x20 - name: reduce\n    {taken}\n    container: {{image: x}}\n"
    )
}

#[test]
fn a_prefix_that_attestations_would_be_taken_with_is_told() {
    let shared = |annotation: &str, call: &str, key: &str, taken: &str| {
        let done = injected(&map_reduce(annotation, call, key, taken), &settings()).unwrap();
        done.shared_prefixes
            .iter()
            .map(|shared| (shared.taken_by.clone(), shared.prefix.clone()))
            .collect::<Vec<_>>()
    };
    let input =
        |key: &str| format!("inputs: {{artifacts: [{{name: parts, path: /in, s3: {{key: \"{key}\"}}}}]}}");
    let key = "{{workflow.name}}/parts/{{inputs.parameters.n}}.json";
    let prefix = "{{workflow.name}}/parts";
    let found = vec![("reduce".to_owned(), prefix.to_owned())];
    assert_eq!(shared("", "", key, &input(prefix)), found);
    assert_eq!(shared("", "", key, &input("{{workflow.name}}/parts/")).len(), 1);
    let data = format!("data: {{source: {{artifactPaths: {{name: x, s3: {{key: \"{prefix}\"}}}}}}}}");
    assert_eq!(shared("", "", key, &data), found);
    // They lie apart: asked for, or by themselves.
    let apart = ", argo-attest.io/place-attestations: apart";
    assert_eq!(shared(apart, "", key, &input(prefix)), []);
    assert_eq!(shared("", ", withSequence: {count: 3}", key, &input(prefix)), []);
    let beside = ", argo-attest.io/place-attestations: beside";
    assert_eq!(shared(beside, ", withSequence: {count: 3}", key, &input(prefix)), found);
    // Another prefix, or the object itself.
    assert_eq!(shared("", "", key, &input("{{workflow.name}}/part")), []);
    assert_eq!(shared("", "", "a/b", &input("a/b")), []);
}
