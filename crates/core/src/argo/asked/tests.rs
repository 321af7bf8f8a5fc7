use serde_json::json;

use super::super::{Source, TemplateText};
use super::*;

fn step(annotations: &serde_json::Value) -> Step {
    // Argo's encoder writes no empty map.
    let metadata = match annotations.as_object() {
        Some(all) if !all.is_empty() => json!({"annotations": annotations}),
        _ => json!({}),
    };
    let text = format!(
        r#"{{"name":"build","inputs":{{}},"outputs":{{}},"metadata":{metadata},"container":{{"name":"","image":"i","command":["c"],"resources":{{}}}}}}"#
    );
    Step::parse(&TemplateText::new(Source::Env, text.into_bytes()).unwrap()).unwrap()
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_text_decides_where_nothing_else_is_known() {
    for (annotations, attest, verify_inputs) in [
        (json!({}), false, None),
        (json!({ATTEST: "true"}), true, None),
        (json!({ATTEST: "false", VERIFY_INPUTS: "true"}), false, Some(true)),
        (json!({ATTEST: "true", VERIFY_INPUTS: "false"}), true, Some(false)),
    ] {
        let asked = Asked::of(&step(&annotations), AskedEvidence::default()).unwrap();
        assert_eq!(asked, Asked { attest, verify_inputs, ..Asked::default() }, "{annotations}");
    }
}

#[test]
fn what_the_pod_says_counts_and_not_the_text() {
    let forged = step(&json!({ATTEST: "true", VERIFY_INPUTS: "false"}));
    let pod = map(&[(VERIFY_INPUTS, "true")]);
    let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
    let of_pod = Asked { verify_inputs: Some(true), ..Asked::default() };
    assert_eq!(Asked::of(&forged, evidence).unwrap(), of_pod);
    // The pod as it was created before what the container was told as it started.
    let evidence = AskedEvidence { attest: Some("true"), verify_inputs: Some(""), ..evidence };
    assert_eq!(Asked::of(&forged, evidence).unwrap(), of_pod);

    let told = |attest, verify_inputs| AskedEvidence { attest, verify_inputs, ..AskedEvidence::default() };
    let of_variables = Asked::default();
    assert_eq!(Asked::of(&forged, told(Some(""), Some(""))).unwrap(), of_variables);
    let asked = Asked::of(&step(&json!({})), told(Some("true"), Some("false"))).unwrap();
    assert_eq!(asked, Asked { attest: true, verify_inputs: Some(false), ..Asked::default() });
    // Of what was not handed over, the text is all that is known.
    let asked = Asked::of(&forged, told(None, Some("true"))).unwrap();
    assert_eq!(asked, Asked { attest: true, verify_inputs: Some(true), ..Asked::default() });
}

#[test]
fn what_is_misspelt_is_an_error_wherever_it_stands() {
    let fine = map(&[(ATTEST, "true")]);
    let decided = AskedEvidence {
        pod: Some(&fine),
        attest: Some("true"),
        verify_inputs: Some("true"),
        verify_images: Some("true"),
    };
    let unknown = [
        "argo-attest.io/atest",
        "argo-attest.io/Attest",
        "Argo-Attest.io/attest",
        "argo-attest.io/",
        "argo-attest.io/state",
    ];
    for name in unknown {
        let error = Asked::of(&step(&json!({name: "true"})), decided).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the step's template has the annotation {name}, which is none of argo-attest's")
        );
        let pod = map(&[(name, "true")]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        let error = Asked::of(&step(&json!({})), evidence).unwrap_err();
        assert!(error.to_string().starts_with("the step's pod has the annotation"), "{error}");
    }
    for value in ["True", "1", "yes", " true", "true ", "", "TRUE"] {
        for name in [ATTEST, VERIFY_INPUTS, VERIFY_IMAGES] {
            let error = Asked::of(&step(&json!({name: value})), decided).unwrap_err();
            assert!(matches!(error, AnnotationError::Value { place: AskedIn::Template, .. }), "{error}");
            let pod = map(&[(name, value)]);
            let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
            Asked::of(&step(&json!({})), evidence).unwrap_err();
        }
        if !value.is_empty() {
            let evidence = AskedEvidence { attest: Some(value), ..AskedEvidence::default() };
            Asked::of(&step(&json!({})), evidence).unwrap_err();
            let evidence = AskedEvidence { verify_inputs: Some(value), ..AskedEvidence::default() };
            Asked::of(&step(&json!({})), evidence).unwrap_err();
            let evidence = AskedEvidence { verify_images: Some(value), ..AskedEvidence::default() };
            Asked::of(&step(&json!({})), evidence).unwrap_err();
        }
    }
}

#[test]
fn images_are_asked_for_apart_from_inputs() {
    let says = |annotations: &serde_json::Value, evidence| {
        Asked::of(&step(annotations), evidence).unwrap().verify_images
    };
    let nothing = AskedEvidence::default();
    assert_eq!(says(&json!({ATTEST: "true", VERIFY_INPUTS: "true"}), nothing), None);
    assert_eq!(says(&json!({VERIFY_IMAGES: "true"}), nothing), Some(true));
    // What the pod says counts before the container's variable, and that before the text.
    let text = json!({VERIFY_IMAGES: "false"});
    let told = AskedEvidence { verify_images: Some("true"), ..nothing };
    assert_eq!(says(&text, told), Some(true));
    assert_eq!(says(&text, AskedEvidence { verify_images: Some(""), ..nothing }), None);
    let pod = map(&[]);
    assert_eq!(says(&text, AskedEvidence { pod: Some(&pod), ..told }), None);
}

#[test]
fn where_attestations_lie_is_one_of_two_words() {
    for (word, placement) in [("beside", Placement::Beside), ("apart", Placement::Apart)] {
        let step = step(&json!({PLACE: word}));
        assert_eq!(Asked::of(&step, AskedEvidence::default()).unwrap().placement, Some(placement));
        // The pod's own, where it is known, and nothing else.
        let pod = map(&[]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        assert_eq!(Asked::of(&step, evidence).unwrap().placement, None);
    }
    for word in ["", "Apart", "apart ", "true", "separate"] {
        let error = Asked::of(&step(&json!({PLACE: word})), AskedEvidence::default()).unwrap_err();
        assert!(error.to_string().contains("neither \"beside\" nor \"apart\""), "{error}");
    }
}

#[test]
fn whoever_names_images_asks_for_attestations() {
    let name = "registry.example.com/app:1";
    let of = |annotations: &serde_json::Value, evidence| Asked::of(&step(annotations), evidence).unwrap();
    let asked = of(&json!({IMAGES: name}), AskedEvidence::default());
    assert_eq!((asked.attest, asked.images.iter().count()), (true, 1));
    let asked = of(&json!({IMAGES: name, ATTEST: "false"}), AskedEvidence::default());
    assert!(!asked.attest);
    // The pod's own, where it is known, and nothing else.
    let pod = map(&[]);
    let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
    assert_eq!(of(&json!({IMAGES: name}), evidence), Asked::default());
    let pod = map(&[(IMAGES, name)]);
    let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
    let asked = of(&json!({}), evidence);
    assert_eq!((asked.attest, asked.images.iter().count()), (true, 1));
    let error = Asked::of(&step(&json!({IMAGES: "a b"})), AskedEvidence::default()).unwrap_err();
    assert!(error.to_string().starts_with("the step's template has the annotation"), "{error}");
}

#[test]
fn whoever_names_files_that_speak_of_outputs_asks_for_attestations() {
    let text = "sbom=cyclonedx";
    let of = |annotations: &serde_json::Value, evidence| Asked::of(&step(annotations), evidence).unwrap();
    let asked = of(&json!({PREDICATES: text}), AskedEvidence::default());
    assert_eq!((asked.attest, asked.predicates.iter().count()), (true, 1));
    assert!(!of(&json!({PREDICATES: text, ATTEST: "false"}), AskedEvidence::default()).attest);
    // The pod's own, where it is known, and nothing else.
    let pod = map(&[]);
    let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
    assert_eq!(of(&json!({PREDICATES: text}), evidence), Asked::default());
    let error = Asked::of(&step(&json!({PREDICATES: "sbom"})), AskedEvidence::default()).unwrap_err();
    assert!(error.to_string().starts_with("the step's template has the annotation"), "{error}");
}

#[test]
fn foreign_text_is_fit_to_be_shown() {
    let error = Asked::of(&step(&json!({"argo-attest.io/\u{1b}[2J": "true"})), AskedEvidence::default());
    let shown = error.unwrap_err().to_string();
    assert!(shown.contains("argo-attest.io/%1B[2J"), "{shown}");
    let error = Asked::of(&step(&json!({ATTEST: "x\n".repeat(999)})), AskedEvidence::default());
    assert!(error.unwrap_err().to_string().len() < 300);
}
