//! Texts that a parameter has rewritten, beside the pods that they come in.

use super::*;

/// Closes the annotations and the metadata, and swallows the real container.
const OPENS: &str = r#""}},"zzz":{"a":{"b":{"c":""#;

/// From within the real container: closes it, and opens another one.
const CONTAINER: &str = r#"c"]},"end":0},"container":{"name":"","image":"registry.example.com/trusted@sha256:00","command":["/usr/bin/build","--release"#;

fn forged(values: &[(&str, &str)]) -> Made {
    let honest = [("version", "1.0"), ("note", "n"), ("tag", "1"), ("commit", "c0ffee"), ("sub", "s")];
    let all: Vec<_> = values.iter().chain(honest.iter()).copied().collect();
    made(BUILD, &all)
}

/// Whether anything refuses it: the reader, or the pod.
fn refused(made: &Made) -> bool {
    made.compare().is_none_or(|compared| compared.is_err())
}

#[test]
fn another_image_and_command_are_refused() {
    let made = forged(&[("note", OPENS), ("commit", CONTAINER)]);
    assert!(made.text.contains(r#""image":"registry.example.com/trusted@sha256:00""#));
    assert!(refused(&made));
    // By the pod alone, too: without the key that swallows, as the reader would take it.
    let mut made = honest();
    made.text = made.text.replace("registry.example.com/build:1", "registry.example.com/trusted");
    assert!(made.difference().starts_with("the image of the container main"));
}

#[test]
fn an_argument_added_to_a_list_is_refused() {
    let made = forged(&[("commit", r#"c0ffee","--insecure"#)]);
    assert!(made.text.contains(r#""c0ffee","--insecure"]"#));
    assert!(made.difference().starts_with("the args of the container main"));
}

#[test]
fn a_mount_added_to_a_list_is_refused() {
    let made = forged(&[("sub", r#"s"},{"name":"data","mountPath":"/tmp"#)]);
    assert!(made.text.contains(r#"{"name":"data","mountPath":"/tmp"}"#));
    assert!(made.difference().contains("main mounts /data by the template's text, and not so in the pod"));
}

#[test]
fn a_field_set_after_an_image_is_refused() {
    let made = forged(&[("tag", r#"1","command":["true"],"args":[],"workingDir":"/"#)]);
    assert!(refused(&made));
}

#[test]
fn a_wish_taken_away_from_the_annotations_is_refused() {
    let no = r#""argo-attest.io/verify-inputs":"false""#;
    let made = forged(&[("note", r#"n","argo-attest.io/verify-inputs":"false"#)]);
    assert!(made.text.contains(no) && refused(&made));
    // In the order in which Argo writes them, which the reader demands.
    let mut made = honest();
    made.text = made.text.replace(r#""other":"n""#, &format!(r#"{no},"other":"n""#));
    assert!(made.difference().contains("the annotation argo-attest.io/verify-inputs"));
}

/// What the pod's spec does not tell: outputs, and keys. Argo reads the same text and
/// uploads what it says; only the Workflow has the template as its author wrote it.
#[test]
fn an_added_output_is_not_seen_by_the_pod() {
    let made = forged(&[(
        "version",
        r#"v1"},"archive":{"none":{}}},{"name":"evil","path":"/data/src","s3":{"key":"releases/evil"#,
    )]);
    assert!(made.text.contains(r#""name":"evil""#));
    made.compare().unwrap().unwrap();
}

/// A variable that the kubelet put into the text is none of the template's words.
#[test]
fn what_the_kubelet_expanded_is_a_difference() {
    let mut made = honest();
    made.text = made.text.replace("$(date)", r"[{\u0022name\u0022:1}]");
    assert!(made.difference().starts_with("the args of the container main"));
    let mut made = super::made(BUILD, &[("commit", "$(ARGO_ATTEST_INPUT_PARAMETERS)")]);
    made.text = made.text.replace("$(ARGO_ATTEST_INPUT_PARAMETERS)", "x");
    assert!(made.difference().starts_with("the args of the container main"));
}
