//! Layouts that people and programs leave behind: our lines go where they belong.

use argo_attest_core::inject::{MAX_CHANGES, Settings};

use super::oracle::{names, read, templates};
use super::{added, injected, settings};

const ASKS: &str = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";
const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n";

/// Injects into a workflow's `spec`, and shows the lines around ours, which are `+`.
fn around(spec: &str) -> String {
    let text = format!("{HEAD}{spec}");
    let done = injected(&text, &settings()).unwrap();
    let mut old = text.lines().peekable();
    let mut shown: Vec<&str> = Vec::new();
    for line in done.text.lines() {
        if old.next_if_eq(&line).is_some() {
            shown.push(line);
        } else if shown.last() != Some(&"+") {
            shown.push("+");
        }
    }
    shown[HEAD.lines().count()..].join("\n")
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let shown = around(&format!(
        "  # all of them\n  templates:\n  # first\n  - name: t\n    {ASKS}\n    initContainers:\n    # theirs\n    - name: i\n      \
         image: x\n      # about the image\n    # the main thing\n    container: {{image: x}}\n    # end\n"
    ));
    let expected = format!(
        "+\n  # all of them\n  templates:\n  # first\n  - name: t\n    {ASKS}\n    initContainers:\n    # theirs\n    - name: i\n      \
         image: x\n      # about the image\n+\n    # the main thing\n    container: {{image: x}}\n    # end"
    );
    assert_eq!(shown, expected);
}

#[test]
fn block_scalars_keep_their_lines() {
    for (sign, said) in [("|", "a\n"), ("|-", "a"), ("|+", "a\n\n\n"), (">", "a\n"), (">+", "a\n\n\n")] {
        let text = format!(
            "{HEAD}  templates:\n  - container: {{image: x}}\n    {ASKS}\n    sidecars:\n    - name: s\n      args:\n      - {sign}\n        a\n\n\n    \
             initContainers:\n    - name: i\n      args:\n      - {sign}\n        a\n\n\n  - name: u\n    suspend: {{}}\n"
        );
        let done = injected(&text, &settings()).unwrap();
        let document = &read(&done.text)[0];
        assert_eq!(templates(document)[0]["initContainers"][0]["args"][0], said, "{sign}");
        assert_eq!(names(templates(document)[0], "initContainers"), ["i", "argo-attest"]);
    }
}

#[test]
fn the_first_key_may_stand_on_the_dash() {
    let shown = around(&format!("  templates:\n    - container:\n        image: x\n      {ASKS}\n"));
    assert_eq!(shown, format!("+\n  templates:\n    - container:\n        image: x\n+\n      {ASKS}"));
    // And be the only one: then ours come after it.
    let defaults = format!(
        "  templateDefaults: {{{ASKS}}}\n  templates:\n  - container:\n      image: x\n      # of it\n  # not of it\n"
    );
    let shown = around(&defaults);
    assert_eq!(
        shown,
        format!(
            "  templateDefaults: {{{ASKS}}}\n+\n  templates:\n  - container:\n      image: x\n      # of it\n+\n  # not of it"
        )
    );
}

#[test]
fn lists_are_indented_as_the_file_has_them() {
    let lines =
        added(&format!("{HEAD}  templates:\n      - container: {{image: x}}\n        {ASKS}\n"), &settings());
    assert!(lines.starts_with("  volumes:\n      - {name: argo-attest-key"), "{lines}");
    assert!(
        lines.contains("        initContainers:\n            - name: argo-attest\n              image:"),
        "{lines}"
    );
}

#[test]
fn keys_without_values_are_lists_to_be() {
    let shown = around(&format!(
        "  volumes: # none yet\n  templates:\n  - {ASKS}\n    initContainers:\n\n    # c\n    container: {{image: x}}\n"
    ));
    assert_eq!(
        shown,
        format!(
            "  volumes: # none yet\n+\n  templates:\n  - {ASKS}\n    initContainers:\n+\n\n    # c\n    container: {{image: x}}"
        )
    );
}

#[test]
fn ends_of_lines_are_kept() {
    let text = format!("\u{feff}{HEAD}  templates:\n  - {ASKS}\n    container:\n      image: x # \u{fc}")
        .replace('\n', "\r\n");
    let done = injected(&text, &settings()).unwrap();
    assert!(done.text.starts_with('\u{feff}') && !done.text.ends_with('\n'));
    assert!(done.text.split("\r\n").all(|line| !line.contains('\n')));
    // Ours at the very end, where the last line had none.
    let last = format!("{HEAD}  volumes: []\n  templates:\n  - container:\n      image: x")
        .replace("  volumes: []\n", &format!("  templateDefaults: {{{ASKS}}}\n"));
    let done = injected(&last, &settings()).unwrap();
    assert!(
        done.text.contains("image: x\n    initContainers:") && !done.text.ends_with('\n'),
        "{}",
        done.text
    );
}

#[test]
fn a_block_scalar_at_the_end_of_the_file_is_not_lengthened() {
    let text = format!(
        "{HEAD}  templates:\n  - {ASKS}\n    container: {{image: x}}\n    initContainers:\n    - name: i\n      args:\n      - |\n        a"
    );
    let told = argo_attest_core::inject::inject(&text, &settings()).unwrap_err().to_string();
    assert!(
        told.ends_with(
            "at the end of a block scalar without a last line's end, and lines cannot be added there"
        ),
        "{told}"
    );
    injected(&format!("{text}\n"), &settings()).unwrap();
}

#[test]
fn anchors_tags_and_explicit_keys() {
    for spec in [
        format!(
            "  templates: &all\n  - &t\n    name: t\n    {ASKS}\n    container: &c\n      image: x\n  - name: u\n    script: *c\n"
        ),
        format!(
            "  templates: !!seq\n  - !!map\n    ? name\n    : t\n    ? container\n    : image: x\n    {ASKS}\n"
        ),
        format!(
            "  \"templates\":\n  - 'name': t\n    \"container\" : {{image: x}}\n    {ASKS}\n    initContainers: &i\n    - &n {{name: i}}\n"
        ),
    ] {
        let done = injected(&format!("{HEAD}{spec}"), &settings()).unwrap();
        assert_eq!(done.changes.len(), 1);
    }
}

#[test]
fn json_as_programs_print_it() {
    for indent in ["  ", "\t"] {
        let template = serde_json::json!({
            "name": "t", "metadata": {"annotations": {"argo-attest.io/attest": "true"}},
            "container": {"image": "x"}, "initContainers": [{"name": "i"}]
        });
        let value = serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"templates": [template]}
        });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let text: Vec<_> = text
            .lines()
            .map(|line| {
                let rest = line.trim_start();
                indent.repeat((line.len() - rest.len()) / 2) + rest
            })
            .collect();
        let done = argo_attest_core::inject::inject(&text.join("\n"), &settings()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&done.text).unwrap();
        assert_eq!(names(templates(&document)[0], "initContainers"), ["argo-attest", "i"]);
        let again = argo_attest_core::inject::inject(&done.text, &settings()).unwrap();
        assert_eq!(again.text, done.text);
    }
}

#[test]
fn charts_keep_their_expressions_and_ours() {
    let spec = format!(
        "  arguments: {{{{ toYaml .Values.arguments | nindent 4 }}}}\n  templates:\n  - name: {{{{ .Values.name }}}}-t\n    {ASKS}\n    container:\n      \
         image: {{{{ .Values.repository }}}}:{{{{ .Values.tag | default \"x\" }}}}\n      args: [\"{{{{ include \"args\" . }}}}\"]\n"
    );
    let text = format!("{HEAD}{spec}");
    let done = argo_attest_core::inject::inject(&text, &settings()).unwrap();
    super::oracle::only_added(&text, &done.text);
    assert!(done.text.contains("value: \"{{`{{workflow.uid}}`}}\""), "{}", done.text);
    assert_eq!(done.changes[0].template, "Workflow, template {{ .Values.name }}-t");
    let again = argo_attest_core::inject::inject(&done.text, &settings()).unwrap();
    assert_eq!(again.text, done.text);
}

#[test]
fn long_files_do_not_take_long() {
    let template = |at: usize| {
        format!(
            "  - name: t{at}\n    {ASKS}\n    container:\n      image: x\n      args: [\"{}\"]\n",
            "y".repeat(200)
        )
    };
    let text: String =
        std::iter::once(format!("{HEAD}  templates:\n")).chain((0..MAX_CHANGES).map(template)).collect();
    let started = std::time::Instant::now();
    let done = argo_attest_core::inject::inject(&text, &Settings { store_secrets: Vec::new(), ..settings() })
        .unwrap();
    assert_eq!(done.changes.len(), MAX_CHANGES);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
