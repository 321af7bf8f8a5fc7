//! What a text may say, worked out in another way than by the comparison: it has the
//! shape of the text that the controller wrote, and differs from it only within
//! strings that hold a tag where the Workflow has them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::recorded::Run;

/// Places, and the strings that are stored there.
type Open = BTreeMap<String, Vec<String>>;

/// Places of strings with a tag, without the indices of lists: defaults and arguments
/// move items.
pub(super) struct Oracle {
    open: Open,
    honest: Value,
}

impl Oracle {
    pub(super) fn new(run: &Run, node: &str, text: &str) -> Self {
        let mut open = Open::new();
        let workflow = &run.workflow;
        let name = &workflow["status"]["nodes"][node]["templateName"];
        let reference = &workflow["status"]["nodes"][node]["templateRef"]["template"];
        for spec in [&workflow["spec"], &workflow["status"]["storedWorkflowTemplateSpec"]] {
            note(&spec["templateDefaults"], String::new(), &mut open);
            note(&spec["podMetadata"], "/metadata".to_owned(), &mut open);
            for template in spec["templates"].as_array().into_iter().flatten() {
                if template["name"] == *name {
                    note(template, String::new(), &mut open);
                }
                note_inline(template, &mut open);
            }
        }
        for template in
            workflow["status"]["storedTemplates"].as_object().into_iter().flatten().map(|(_, it)| it)
        {
            if template["name"] == *name || template["name"] == *reference || template["name"].is_null() {
                note(template, String::new(), &mut open);
            }
            note_inline(template, &mut open);
        }
        note(&workflow["status"]["nodes"][node]["inputs"], "/inputs".to_owned(), &mut open);
        let key = "{{workflow.name}}/{{pod.name}}".to_owned();
        open.entry("/archiveLocation/s3/key".to_owned()).or_default().push(key);
        Self { open, honest: serde_json::from_str(text).unwrap() }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|value| self.same(&self.honest, &value, &mut String::new()))
    }

    /// What is stored at this place with a tag in it.
    pub(super) fn stored(&self, place: &str) -> &[String] {
        self.open.get(place).map_or(&[], Vec::as_slice)
    }

    fn same(&self, honest: &Value, text: &Value, place: &mut String) -> bool {
        match (honest, text) {
            (Value::String(honest), Value::String(text)) => honest == text || self.open.contains_key(place),
            (Value::Array(honest), Value::Array(text)) => {
                honest.len() == text.len()
                    && honest.iter().zip(text).all(|(honest, text)| self.same(honest, text, place))
            }
            (Value::Object(honest), Value::Object(text)) => {
                honest.len() == text.len()
                    && honest.iter().all(|(name, honest)| {
                        let length = place.len();
                        place.push('/');
                        place.push_str(name);
                        let same = text.get(name).is_some_and(|text| self.same(honest, text, place));
                        place.truncate(length);
                        same
                    })
            }
            _ => honest == text,
        }
    }
}

fn note(value: &Value, place: String, open: &mut Open) {
    match value {
        Value::String(text) if text.contains("{{") => {
            open.entry(place).or_default().push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| note(item, place.clone(), open)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| note(member, format!("{place}/{name}"), open));
        }
        _ => {}
    }
}

fn note_inline(value: &Value, open: &mut Open) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| note_inline(item, open)),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "inline" {
                    note(member, String::new(), open);
                }
                note_inline(member, open);
            }
        }
        _ => {}
    }
}
