//! What Argo wrote is taken.

use std::io::Read as _;

use proptest::prelude::*;

use super::super::{encode, parameters, template};
use super::tree::Tree;
use super::{FIXTURES, examples};

#[test]
fn every_template_of_argos_examples_is_taken() {
    let examples = examples();
    assert!(examples.len() > 400, "{}", examples.len());
    for text in &examples {
        template(text).unwrap_or_else(|foreign| panic!("{foreign}: {text}"));
    }
    for kind in [
        "container",
        "containerSet",
        "script",
        "steps",
        "dag",
        "resource",
        "data",
        "suspend",
        "http",
        "plugin",
    ] {
        assert!(examples.iter().any(|text| text.contains(&format!(",\"{kind}\":"))), "{kind}");
    }
}

#[test]
fn what_is_put_into_order_is_what_argo_wrote() {
    for text in examples().iter().map(String::as_str).chain(FIXTURES) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(encode(&value).unwrap(), text);
    }
}

/// The fields of 4.1, those that 3.7 still had, and the one whose type changed.
#[test]
fn every_version_is_taken() {
    for (container, more) in [
        (
            r#"{"name":"","resources":{}}"#,
            r#","pendingTimeout":"1m","podResources":{"limits":{"cpu":"1"}},"resourceClaims":[{"name":"gpu"}]"#,
        ),
        (
            r#"{"name":"","env":[{"name":"A","valueFrom":{"fileKeyRef":{"volumeName":"v","path":"p","key":"k"}}}],"resources":{},"restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[0,3]}}]}"#,
            "",
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","synchronization":{"semaphore":{"configMapKeyRef":{"name":"n","key":"k"}},"mutex":{"name":"m"}}"#,
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","synchronization":{"semaphores":[{"database":{"key":"k"}}],"mutexes":[{"name":"m","database":true}]}"#,
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","memoize":{"key":"k","cache":{"configMap":{"name":"c","key":"k"}},"maxAge":"1h"}"#,
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","memoize":{"key":"k","cache":{"configMap":{"name":"c"}},"maxAge":"1h"}"#,
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{"creationTimestamp":null},"spec":{"resources":{}}}}}]"#,
        ),
        (
            r#"{"name":"","resources":{}}"#,
            r#","volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{},"spec":{"resources":{}}}}}]"#,
        ),
    ] {
        let text = format!(
            r#"{{"name":"x","inputs":{{}},"outputs":{{}},"metadata":{{}},"container":{container}{more}}}"#
        );
        template(&text).unwrap_or_else(|foreign| panic!("{foreign}: {text}"));
    }
}

/// The numbers of the texts that Argo does not parse. It parses quantities, so that no
/// placeholder can have stood there.
fn free_texts(tree: &Tree, parsed: bool, number: &mut usize, found: &mut Vec<usize>) {
    let own = *number;
    *number += 1;
    match tree {
        Tree::Leaf(text) if text.starts_with('"') && !parsed => found.push(own),
        Tree::Leaf(_) => {}
        Tree::List(items) => items.iter().for_each(|item| free_texts(item, parsed, number, found)),
        Tree::Object(members) => {
            for (name, value) in members {
                let quantity =
                    ["limits", "requests", "divisor", "sizeLimit"].contains(&name.trim_matches('"'));
                free_texts(value, parsed || quantity, number, found);
            }
        }
    }
}

#[test]
fn a_substituted_value_may_be_any_plain_text() {
    let mut tried = 0;
    for text in examples().iter().map(String::as_str).chain(FIXTURES) {
        let tree = Tree::read(text);
        let mut found = Vec::new();
        free_texts(&tree, false, &mut 0, &mut found);
        for number in found {
            for value in ["\"\"", "\"a<b> & c\u{2028}é 🦀\u{7f}\"", r#""\/ \u003C \u0000 \ud83e\udd80""#] {
                let mut changed = tree.clone();
                *changed.at(number) = Tree::Leaf(value.to_owned());
                let changed = changed.write();
                template(&changed).unwrap_or_else(|foreign| panic!("{foreign}: {changed}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 5000, "{tried}");
}

#[test]
fn parameters_are_a_list_or_null() {
    for text in
        ["null", "[]", r#"[{"name":"a","value":"1"},{"name":"b","default":"x","enum":["x"]},{"name":"c"}]"#]
    {
        parameters(text).unwrap();
    }
    for text in ["", "{}", "[null]", r#"[{"value":"1","name":"a"}]"#, r#"[{"name":"a","value":1}]"#, "[] "] {
        assert!(parameters(text).is_err(), "{text}");
    }
}

proptest! {
    /// Any text at all is taken as the value of a field, and found again.
    #[test]
    fn any_text_is_written_and_read(value in any::<String>(), key in any::<String>()) {
        let given = serde_json::json!({
            "metadata": {"annotations": {&key: &value}},
            "script": {"source": &value},
        });
        let text = encode(&given).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["script"]["source"], &value);
        prop_assert_eq!(&read["metadata"]["annotations"][key], &value);
    }
}

/// The fixture is what `gzip` makes of lines.
pub(super) fn lines(packed: &[u8]) -> Vec<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}
