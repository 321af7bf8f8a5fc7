//! What cannot be changed is refused, with the line and the reason.

use std::fmt::Write as _;

use argo_attest::inject::{Obstacle, Refusal, Settings, inject};

use super::settings;

const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n  - name: t\n    \
                    metadata: {annotations: {argo-attest.io/attest: \"true\"}}\n";

fn refusal(text: &str, settings: &Settings) -> Refusal {
    match inject(text, settings) {
        Err(refusal) => refusal,
        Ok(done) => panic!("taken:\n{}", done.text),
    }
}

fn obstacle(rest: &str) -> Obstacle {
    match refusal(&format!("{HEAD}{rest}"), &settings()) {
        Refusal::Template { line: 6, template, why } if template == "Workflow w, template t" => why,
        other => panic!("{other}"),
    }
}

#[test]
fn names_that_are_taken() {
    for list in ["initContainers", "sidecars"] {
        let why = obstacle(&format!(
            "    {list}: [{{name: argo-attest, image: other}}]\n    container: {{image: x}}\n"
        ));
        assert_eq!(why, Obstacle::Container("argo-attest".into()));
    }
    let why = obstacle(
        "    containerSet: {containers: [{name: main}, {name: argo-attest-gate, args: [verify-inputs]}]}\n",
    );
    assert_eq!(why, Obstacle::Container("argo-attest-gate".into()));
    for other in
        ["{name: argo-attest-key, emptyDir: {}}", "{name: argo-attest-key, secret: {secretName: other}}"]
    {
        let why = obstacle(&format!("    volumes: [{other}]\n    container: {{image: x}}\n"));
        assert_eq!(why, Obstacle::Volume("argo-attest-key".into()));
    }
    let claim = HEAD.replace(
        "  templates:",
        "  volumeClaimTemplates: [{metadata: {name: argo-attest-key}}]\n  templates:",
    );
    let text = format!("{claim}    container: {{image: x}}\n");
    assert!(matches!(refusal(&text, &settings()), Refusal::Template { why: Obstacle::Volume(_), .. }));
}

#[test]
fn mounts_that_clash() {
    let clash = |theirs: &str, ours: &str| {
        let why = obstacle(&format!(
            "    container: {{image: x, volumeMounts: [{{name: v, mountPath: {theirs}}}]}}\n"
        ));
        assert_eq!(why, Obstacle::Mount { theirs: theirs.into(), ours: ours.into() });
    };
    clash("/etc/argo-attest/key", "/etc/argo-attest/key");
    clash("/etc/", "/etc/argo-attest/key");
    clash("//etc/./argo-attest/key/x", "/etc/argo-attest/key");
    clash("/argo/secret/s3-credentials", "/argo/secret/s3-credentials");
    clash("/argo-attest", "/argo-attest");
    let input = "    inputs: {artifacts: [{name: a, path: /run/argo-attest/x}]}\n    container: {image: x}\n";
    assert!(matches!(obstacle(input), Obstacle::Mount { .. }));
    let set = "    containerSet: {volumeMounts: [{name: v, mountPath: /etc}], containers: [{name: main, image: x}]}\n";
    assert!(matches!(obstacle(set), Obstacle::Mount { .. }));
    let defaults = HEAD.replace(
        "  templates:",
        "  templateDefaults: {container: {volumeMounts: [{name: v, mountPath: /etc}]}}\n  templates:",
    );
    let text = format!("{defaults}    container: {{image: x}}\n");
    assert!(matches!(refusal(&text, &settings()), Refusal::Template { why: Obstacle::Mount { .. }, .. }));
}

#[test]
fn steps_that_could_not_start() {
    assert_eq!(obstacle("    containerSet: {containers: [{name: a}, {name: b}]}\n"), Obstacle::NoMain);
    assert_eq!(
        obstacle("    securityContext: {runAsNonRoot: true}\n    container: {image: x}\n"),
        Obstacle::NonRoot
    );
    assert_eq!(
        obstacle("    container: {image: x, securityContext: {runAsUser: '{{u}}'}}\n"),
        Obstacle::User
    );
    let unquoted = format!("{}    container: {{image: x}}\n", HEAD.replace("\"true\"", "true"));
    let told = refusal(&unquoted, &settings()).to_string();
    assert_eq!(told, "line 6: Workflow w, template t: the annotation argo-attest.io/attest is not a string");
}

#[test]
fn grace_periods_that_are_set() {
    let grace = Settings { grace_period: Some(60), ..settings() };
    for patch in ["'{\"terminationGracePeriodSeconds\": 5}'", "'{\"hostNetwork\": true}'", "'{{=patch}}'"] {
        let text = format!("{HEAD}    podSpecPatch: {patch}\n    container: {{image: x}}\n");
        assert!(
            matches!(refusal(&text, &grace), Refusal::Template { why: Obstacle::PodSpecPatch, .. }),
            "{patch}"
        );
    }
}

#[test]
fn a_gate_that_nobody_would_hear() {
    let text = format!("{HEAD}    container: {{image: x}}\n");
    let without = inject(&text, &settings()).unwrap().text;
    let text =
        without.replace("    container:", "    inputs: {artifacts: [{name: a, path: /a}]}\n    container:");
    assert!(matches!(refusal(&text, &settings()), Refusal::Template { why: Obstacle::Evidence, .. }));
}

#[test]
fn one_line_has_no_room() {
    let one = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  \
               - {name: t, metadata: {annotations: {argo-attest.io/attest: \"true\"}}, container: {image: x}}\n";
    let told = refusal(one, &settings()).to_string();
    assert_eq!(told, "line 5: spec.templates[0] is written in flow style, and lines cannot be added there");
    let empty = format!("{HEAD}    initContainers: []\n    container: {{image: x}}\n");
    let told = refusal(&empty, &settings()).to_string();
    assert_eq!(
        told,
        "line 8: spec.templates[0].initContainers is written in flow style, and lines cannot be added there"
    );
    let null = format!("{HEAD}    initContainers: ~\n    container: {{image: x}}\n");
    assert!(matches!(refusal(&null, &settings()), Refusal::Layout { line: 8, .. }));
}

#[test]
fn what_others_share_is_refused_unless_all_ask() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - &base\n    name: a\n    \
                metadata: {annotations: {argo-attest.io/attest: \"true\"}}\n    container: {image: x}\n  - <<: *base\n    name: b\n";
    let both = super::injected(text, &settings()).unwrap();
    assert_eq!(both.changes.len(), 2);
    let one = format!("{text}    metadata: {{}}\n");
    assert_eq!(refusal(&one, &settings()), Refusal::Shared { line: 6, anchor: "base".into() });
}

#[test]
fn files_that_are_not_workflows() {
    let told = refusal("a: [1", &settings()).to_string();
    assert!(told.starts_with("line 1"), "{told}");
    let twice = format!("{HEAD}    name: u\n");
    assert_eq!(refusal(&twice, &settings()).to_string(), "line 8: the key \"name\" is there twice");
    let rendered =
        format!("{HEAD}    {{{{- if .Values.x }}}}\n    container: {{image: x}}\n    {{{{- end }}}}\n");
    assert_eq!(refusal(&rendered, &settings()), Refusal::Rendered { line: 8 });
    assert!(rendered.lines().nth(7).unwrap().contains("if"));
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(refusal(&text, &settings()).to_string().starts_with("aliases stand for more than"));
    let head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n";
    for (first, next) in [("[]", "[*a"), ("{}", "{<<: *a")] {
        let close = if first == "[]" { "]" } else { "}" };
        let chain = (1..50_000).map(|level| format!("a{level}: &a{level} {next}{}{close}\n", level - 1));
        let text = format!("{head}a0: &a0 {first}\n{}", chain.collect::<String>());
        let told = refusal(&text, &settings()).to_string();
        assert!(told.ends_with("more than 200 levels deep, aliases followed"), "{told}");
    }
    let deep = format!("kind: Workflow\na: {}", "[".repeat(100_000));
    assert!(matches!(refusal(&deep, &settings()), Refusal::Unreadable { .. }));
    let inside = refusal("kind: Workflow\na: &a [*a]\n", &settings()).to_string();
    assert_eq!(inside, "line 2: an alias inside what it stands for");
}
