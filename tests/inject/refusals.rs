//! What cannot be changed is refused, with the line and the reason.

use std::fmt::Write as _;

use argo_attest_core::inject::{Ambiguity, Obstacle, Refusal, Settings, inject};

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
fn annotations_that_would_be_passed_over() {
    let all = Settings { all: true, ..settings() };
    let told = |annotation: &str, settings: &Settings| {
        let head = HEAD.replace("argo-attest.io/attest: \"true\"", annotation);
        assert_ne!(head, HEAD);
        refusal(&format!("{head}    container: {{image: x}}\n"), settings).to_string()
    };
    for name in [
        "argo-attest.io/atest",
        "argo-attest.io/Attest",
        "Argo-Attest.io/attest",
        "argo-attest.io/",
        "argo-atest.io/attest",
        "argo-attest/attest",
        "argoattest.io/verify-inputs",
    ] {
        for settings in [&settings(), &all] {
            let told = told(&format!("{name}: \"true\""), settings);
            assert_eq!(
                told,
                format!("line 6: Workflow w, template t: the annotation \"{name}\" is none of argo-attest's")
            );
        }
    }
    for name in ["argo-attest.io/attest", "argo-attest.io/verify-inputs"] {
        for value in ["True", "yes", "1", "", " true", "{true}"] {
            let told = told(&format!("{name}: \"{value}\""), &settings());
            assert_eq!(
                told,
                format!(
                    "line 6: Workflow w, template t: the annotation {name} is \"{value}\", which is neither \"true\" nor \"false\""
                )
            );
        }
    }
    // What the defaults say, every template says.
    let defaults = HEAD.replace(
        "  templates:",
        "  templateDefaults: {metadata: {annotations: {argo-attest.io/verify-input: \"true\"}}}\n  templates:",
    );
    let told = refusal(&format!("{defaults}    container: {{image: x}}\n"), &settings()).to_string();
    assert!(told.contains("argo-attest.io/verify-input"), "{told}");
    // A step may say it when it runs.
    let text = HEAD.replace("\"true\"", "'{{inputs.parameters.attest}}'");
    inject(&format!("{text}    container: {{image: x}}\n"), &settings()).unwrap();
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
fn nothing_says_that_there_is_nothing() {
    for nothing in ["~", "null", "!!null"] {
        let text = format!("{HEAD}    initContainers: {nothing}\n    container: {{image: x}}\n");
        assert!(matches!(refusal(&text, &settings()), Refusal::Layout { line: 8, .. }), "{nothing}");
    }
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
    assert!(refusal(&text, &settings()).to_string().starts_with("its aliases stand for more than"));
    let head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n";
    for (first, next) in [("[]", "[*a"), ("{}", "{<<: *a")] {
        let close = if first == "[]" { "]" } else { "}" };
        let chain = (1..1000).map(|level| format!("a{level}: &a{level} {next}{}{close}\n", level - 1));
        let text = format!("{head}a0: &a0 {first}\n{}", chain.collect::<String>());
        let told = refusal(&text, &settings()).to_string();
        assert!(told.ends_with("more than 200 levels deep, aliases followed"), "{told}");
    }
    let deep = format!("kind: Workflow\na: {}", "[".repeat(100_000));
    assert!(matches!(refusal(&deep, &settings()), Refusal::Unreadable { .. }));
    let inside = refusal("kind: Workflow\na: &a [*a]\n", &settings()).to_string();
    assert_eq!(inside, "line 2: an alias inside what it stands for");
}

fn ambiguity(text: &str) -> (usize, Ambiguity) {
    match refusal(text, &settings()) {
        Refusal::Ambiguous { line, why } => (line, why),
        other => panic!("{other}:\n{text}"),
    }
}

/// A workflow that asks.
fn asks() -> String {
    format!("{HEAD}    container: {{image: x}}\n")
}

#[test]
fn what_is_said_twice_is_refused_wherever_it_is_seen_first() {
    let twice = |key: &str| Ambiguity::Twice(key.into());
    for (key, lines) in [
        ("kind", "kind: Pod\n"),
        ("kind", "\"kind\": 'ConfigMap'\n"),
        ("kind", "kind: Workflow\n"),
        ("kind", "? kind\n: Pod\n"),
        ("apiVersion", "apiVersion: v1\n"),
        ("metadata", "metadata: {}\n"),
        ("spec", "spec: {}\n"),
    ] {
        for text in [format!("{lines}{}", asks()), format!("{}{lines}", asks())] {
            assert_eq!(ambiguity(&text).1, twice(key), "{text}");
            // Whatever comes before it, and however its lines end.
            assert_eq!(ambiguity(&format!("\u{feff}{text}")).1, twice(key));
            assert_eq!(ambiguity(&format!("kind: Pod\n---\n{text}---\nkind: Pod\n")).1, twice(key));
            assert_eq!(ambiguity(&text.replace('\n', "\r\n")).1, twice(key));
            assert_eq!(ambiguity(&text.replace('\n', "\r")).1, twice(key));
        }
    }
    let json = r#"{"kind": "Pod", "apiVersion": "argoproj.io/v1alpha1", "k\u0069nd": "Workflow"}"#;
    assert_eq!(ambiguity(json), (1, twice("kind")));
    let item = format!("kind: List\nitems:\n- kind: Pod\n  {}", asks().trim_end().replace('\n', "\n  "));
    assert_eq!(ambiguity(&item), (3, twice("kind")));
    // Beneath the first level too.
    for inner in [
        asks().replace("    container", "    name: u\n    container"),
        asks().replace("metadata: {name: w}", "metadata: {name: w, name: v}"),
        asks().replace("  templates:", "  templates: []\n  templates:"),
    ] {
        let told = refusal(&inner, &settings()).to_string();
        assert!(told.ends_with("is there twice"), "{told}");
    }
}

#[test]
fn what_some_readers_take_for_something_else_is_refused() {
    let kind = |text: &str| asks().replace("kind: Workflow", text);
    for tagged in
        ["kind: !!binary V29ya2Zsb3c=", "kind: !x Workflow", "kind: [Workflow]", "kind: {a: Workflow}"]
    {
        assert_eq!(ambiguity(&kind(tagged)).1, Ambiguity::Tag("kind".into()), "{tagged}");
    }
    for case in ["Kind: Workflow", "KIND: Workflow", "Spec: {}\nkind: Workflow"] {
        assert!(matches!(ambiguity(&kind(case)).1, Ambiguity::Case { .. }), "{case}");
    }
    let without = asks().replace("apiVersion: argoproj.io/v1alpha1\n", "");
    assert_eq!(ambiguity(&without), (1, Ambiguity::NoVersion));
    // These every reader takes for a workflow.
    for plain in
        ["kind: !!str Workflow", "kind: &k Workflow\nk: *k", "\"kind\": \"Workflow\"", "? kind\n: Workflow"]
    {
        assert_eq!(super::injected(&kind(plain), &settings()).unwrap().changes.len(), 1, "{plain}");
    }
    let merged = format!("x: &x {{kind: Workflow}}\n{}", kind("<<: *x"));
    assert_eq!(super::injected(&merged, &settings()).unwrap().changes.len(), 1);
}

#[test]
fn whatever_kubectl_takes_for_a_list_is_looked_into() {
    let item = asks().trim_end().replace('\n', "\n  ");
    for head in [
        "apiVersion: v1\nkind: List\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowList\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplateList\n",
        "apiVersion: v1\nkind: PodList\n",
        "apiVersion: v1\nkind: ConfigMap\n",
        "",
    ] {
        let text = format!("{head}items:\n- {item}\n- {{apiVersion: v1, kind: Pod}}\n");
        let done = super::injected(&text, &settings()).unwrap();
        assert_eq!((done.workflows, done.changes.len()), (1, 1), "{text}");
    }
    // Items have the kind of their list where they have none.
    for (kind, workflows) in [("WorkflowList", 1), ("CronWorkflowList", 0), ("PodList", 0)] {
        let bare = item.replace("apiVersion: argoproj.io/v1alpha1\n  kind: Workflow\n  ", "");
        let text = format!("apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nitems:\n- {bare}\n");
        if workflows > 0 {
            let done = super::injected(&text, &settings()).unwrap();
            assert_eq!((done.workflows, done.changes.len()), (1, 1), "{text}");
        } else {
            assert!(
                inject(&text, &settings()).is_err_and(|e| matches!(e, Refusal::Elsewhere { .. })),
                "{text}"
            );
        }
    }
    // A list in a list.
    let inner = format!("kind: List\n  items:\n  - {}", item.replace('\n', "\n  "));
    let done = super::injected(&format!("kind: List\nitems:\n- {inner}\n"), &settings()).unwrap();
    assert_eq!((done.workflows, done.changes.len()), (1, 1));
}

#[test]
fn nobody_asks_in_vain_in_what_is_no_workflow() {
    let nested = asks().trim_end().replace('\n', "\n    ");
    for text in [
        format!("apiVersion: argoproj.io/v1alpha1\nkind: Sensor\nspec:\n  resource:\n    {nested}\n"),
        format!("- {}\n", asks().trim_end().replace('\n', "\n  ")),
        asks().replace("kind: Workflow", "kind: Workflows"),
        asks().replace("kind: Workflow", "kind: workflow"),
        asks().replace("kind: Workflow\n", ""),
        asks().replace("argoproj.io/v1alpha1", "v1"),
    ] {
        assert!(matches!(refusal(&text, &settings()), Refusal::Elsewhere { .. }), "{text}");
        // Beside one that is served, too.
        let both = format!("{}---\n{text}", asks());
        assert!(matches!(refusal(&both, &settings()), Refusal::Elsewhere { .. }), "{both}");
    }
    let quiet = "apiVersion: argoproj.io/v1alpha1\nkind: Sensor\nspec:\n  resource: {apiVersion: argoproj.io/v1alpha1, kind: Workflow}\n";
    assert_eq!(inject(quiet, &settings()).unwrap().text, quiet);
    let all = Settings { all: true, ..settings() };
    assert_eq!(refusal(quiet, &all), Refusal::Elsewhere { line: 4 });
}
