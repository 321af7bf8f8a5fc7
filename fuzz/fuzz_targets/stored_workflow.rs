//! A Workflow and a template's text, of anybody: reading and comparing them ends, and
//! what is taken says nothing that the Workflow does not hold.
//!
//! The input is the node's id, the Workflow, and the text, a line each.
#![no_main]

use std::collections::BTreeSet;

use argo_attest_core::argo::workflow::StoredWorkflow;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(node), Some(workflow), Some(text)) = (lines.next(), lines.next(), lines.next()) else { return };
    let (Ok(node), Ok(text)) = (std::str::from_utf8(node), std::str::from_utf8(text)) else { return };
    let Ok(stored) = StoredWorkflow::from_json(workflow, node) else { return };
    if let Err(difference) = stored.compare(text) {
        assert!(!difference.to_string().chars().any(char::is_control));
        return;
    }
    // What is not used of the Workflow is not looked at, and may be broken.
    let Ok(workflow) = serde_json::from_slice(workflow) else { return };
    assert_told(&workflow, &serde_json::from_str(text).unwrap());
});

/// Every string of the text is one of the Workflow's, or begins as one with a tag does;
/// every list of artifacts is as long as one of the Workflow's.
fn assert_told(workflow: &Value, text: &Value) {
    let (mut strings, mut lengths) = (BTreeSet::new(), BTreeSet::from([0]));
    walk(workflow, &mut |value, name| {
        if let Value::String(text) = value {
            strings.insert(text.replace('$', ""));
        } else if let (Value::Array(items), "artifacts") = (value, name) {
            lengths.insert(items.len());
        }
    });
    let open: Vec<&str> =
        strings.iter().filter_map(|text| text.split_once("{{").map(|(before, _)| before)).collect();
    let whole = workflow.to_string();
    let by_defaults = whole.contains("templateDefaults");
    walk(text, &mut |value, name| match value {
        Value::String(text) => {
            let text = text.replace('$', "");
            let is_default = text.is_empty() || text == "0" || whole.contains(&text);
            // The key of an archive location has tags by default.
            let is_open = open.iter().any(|before| text.starts_with(before))
                || matches!(name, "key" | "blob" | "path" | "url" | "manifest");
            assert!(strings.contains(&text) || is_default || is_open, "{name}: {text}");
        }
        Value::Array(items) if name == "artifacts" => {
            assert!(by_defaults || lengths.contains(&items.len()), "{} artifacts", items.len());
        }
        _ => {}
    });
}

fn walk(value: &Value, look: &mut dyn FnMut(&Value, &str)) {
    fn within(value: &Value, name: &str, look: &mut dyn FnMut(&Value, &str)) {
        look(value, name);
        match value {
            Value::Array(items) => items.iter().for_each(|item| within(item, name, look)),
            Value::Object(members) => members.iter().for_each(|(name, member)| within(member, name, look)),
            _ => {}
        }
    }
    within(value, "", look);
}
