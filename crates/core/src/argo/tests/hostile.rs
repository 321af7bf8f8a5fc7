//! Templates that mean harm, or are merely large.

use std::path::Path;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::relpath::RelPath;

/// What a hostile template may cost, in seconds. Unoptimised code on a busy machine
/// gets more; what must not happen takes minutes.
const AT_MOST: f32 = if cfg!(debug_assertions) { 15.0 } else { 1.0 };

#[test]
fn hostile_templates_are_refused_at_once() {
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let artifacts = |count| {
        let items = many(r#"{"name":""}"#, count);
        format!(
            r#"{{"inputs":{{}},"outputs":{{"artifacts":[{items}]}},"metadata":{{}},"data":{{"source":{{}},"transformation":null}}}}"#
        )
    };
    let set = |count| {
        let items = many(r#"{"name":"","resources":{}}"#, count);
        format!(
            r#"{{"inputs":{{}},"outputs":{{}},"metadata":{{}},"containerSet":{{"containers":[{items}]}}}}"#
        )
    };
    let timed = |what: &str, text: &str| {
        let start = Instant::now();
        let error = parse(text).unwrap_err();
        assert!(start.elapsed().as_secs_f32() < AT_MOST, "{what}: {:?}", start.elapsed());
        error
    };
    for (what, text) in [
        ("deep", "[".repeat(100_000)),
        ("deep below a field that is not used", format!(r#"{{"x":{}"#, r#"{"a":"#.repeat(100_000))),
        (
            "deep below one that may be deep",
            BASE.replace(r#""container":{"#, &r#""steps":[[{"inline":{"#.repeat(1000)),
        ),
        ("a key twice", r#"{"name":"a","name":"b"}"#.to_owned()),
        ("a field that is not Argo's", BASE.replace(r#""metadata":{"#, r#""x":[{"y":1}],"metadata":{"#)),
        ("not a number", r#"{"x":NaN}"#.to_owned()),
        ("the wrong type", r#"{"name":7}"#.to_owned()),
        ("a list", "[]".to_owned()),
        ("a list for an object", BASE.replace(r#""git":{"#, r#""git":["endpoint","bucket"],"http":{"#)),
        ("nothing", String::new()),
        ("two values", "{}{}".to_owned()),
        ("the same twice", BASE.repeat(2)),
    ] {
        let error = timed(what, &text);
        assert!(matches!(error, TemplateError::Foreign { .. }), "{what}: {error}");
    }
    for (what, text) in [
        ("too many outputs", artifacts(5000)),
        ("too many outputs, to the limit", artifacts(TEMPLATE_LIMIT / 12 - 20)),
        ("too many containers", set(2000)),
    ] {
        let error = timed(what, &text);
        assert!(matches!(error, TemplateError::Malformed { .. }), "{what}: {error}");
    }
    assert!(matches!(parse(&" ".repeat(TEMPLATE_LIMIT + 1)), Err(TemplateError::TooLarge { .. })));
}

#[test]
fn large_but_allowed_templates_are_cheap() {
    let item =
        |n: usize, path: &str| format!(r#"{{"name":"n{n}","path":"{path}","archive":{{"none":{{}}}}}}"#);
    let nested: Vec<String> = (0..900).map(|n| item(n, &"/d".repeat(n + 1))).collect();
    let equal: Vec<String> = (0..4000).map(|n| item(n, "/tmp/same")).collect();
    let repository = r#""archiveLocation":{"s3":{"endpoint":"e","bucket":"b","key":"k"}}"#;
    let container = r#""container":{"name":"","resources":{}}"#;
    for artifacts in [nested, equal] {
        let text = format!(
            r#"{{"inputs":{{}},"outputs":{{"artifacts":[{}]}},"metadata":{{}},{container},{repository}}}"#,
            artifacts.join(",")
        );
        let start = Instant::now();
        let step = parse(&text).unwrap();
        assert_eq!(step.outputs.len(), artifacts.len());
        assert!(start.elapsed().as_secs_f32() < AT_MOST, "{:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        // Whether it panics is the question.
        let _ = parse(&text);
    }

    #[test]
    fn any_output_has_a_plan_or_a_reason(path in "[a-c./]{0,12}", key in proptest::option::of("[a-c./]{0,8}"), none in any::<bool>()) {
        let artifact = serde_json::json!({
            "name": "x", "path": path, "s3": key.map(|key| serde_json::json!({"key": key})),
            "archive": none.then(|| serde_json::json!({"none": {}})),
        });
        let step = template(&serde_json::json!({
            "container": {"volumeMounts": [{"mountPath": "/a"}]},
            "outputs": {"artifacts": [artifact]},
            "archiveLocation": {"s3": {"endpoint": "e", "bucket": "b", "key": "p"}},
        }));
        match &step.outputs[0].plan {
            Ok(plan) => {
                prop_assert_eq!(path::clean_artifact(&path), Some(plan.path.clone()));
                prop_assert!(!plan.destination.object().unwrap().key().trim().is_empty());
                let on_volume = plan.path == "/a" || plan.path.starts_with("/a/");
                prop_assert_eq!(matches!(plan.place, Place::Volume { .. }), on_volume);
                if let Place::BaseLayer { packed } = &plan.place {
                    prop_assert!(packed.starts_with("/var/run/argo/outputs/artifacts/"), "{}", packed);
                }
            }
            Err(reason) => prop_assert!(matches!(reason, Unattestable::Path | Unattestable::Nameless), "{}", reason),
        }
    }

    #[test]
    fn any_place_can_be_looked_at(
        path in "[ab./]{1,8}",
        mounts in proptest::collection::vec("[ab./]{0,6}", 0..3),
        input in "[ab./]{0,6}",
    ) {
        let mounts: Vec<_> = mounts.iter().map(|path| serde_json::json!({"mountPath": path})).collect();
        let step = template(&serde_json::json!({
            "container": {"volumeMounts": mounts},
            "inputs": {"artifacts": [{"name": "i", "path": input, "raw": {"data": ""}}]},
            "outputs": {"artifacts": [{"name": "x", "path": path}]},
            "archiveLocation": {"s3": {"endpoint": "e", "bucket": "b", "key": "p"}},
        }));
        if let Ok(plan) = &step.outputs[0].plan {
            let root = match &plan.place {
                Place::Volume { mount } => mount.as_str(),
                Place::InputVolume { .. } | Place::BaseLayer { .. } => "/",
            };
            prop_assert!(root.starts_with('/'), "{}", root);
            let path = Path::new("/").join(&plan.path);
            let rest = path.strip_prefix(root).map(|rest| RelPath::from_bytes(rest.as_os_str().as_encoded_bytes()));
            prop_assert!(matches!(rest, Ok(Ok(_))), "{} in {}: {:?}", plan.path, root, rest);
        }
    }

    #[test]
    fn changed_templates_do_no_harm(at in 0..BASE.len(), byte in any::<u8>()) {
        let mut bytes = BASE.as_bytes().to_vec();
        bytes[at] = byte;
        let step = TemplateText::new(Source::Env, bytes).and_then(|text| Step::parse(&text));
        for plan in step.iter().flat_map(|step| &step.outputs).filter_map(|output| output.plan.as_ref().ok()) {
            prop_assert_eq!(path::clean(&plan.path), plan.path.as_str());
            prop_assert!(!plan.destination.object().unwrap().key().contains("{{"));
        }
    }
}
