//! A pod's spec as the admission policy hands it over.

use serde_json::Value;

/// The pod, with these annotations.
pub(crate) fn handed_over(pod: &Value, annotations: &[(&str, &str)]) -> String {
    let net = |text: &str| format!("{}:{text},", text.chars().count());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let words = |value: &Value| net(&items(value).iter().map(|word| net(&text(word))).collect::<String>());
    let mut all = "v1;".to_owned();
    for (list, kind) in [("initContainers", "i"), ("containers", "c")] {
        for container in items(&pod["spec"][list]) {
            let mounts = items(&container["volumeMounts"])
                .iter()
                .map(|mount| {
                    let fields = ["name", "mountPath", "subPath", "subPathExpr"]
                        .map(|field| net(&text(&mount[field])));
                    net(&(fields.concat() + if mount["readOnly"] == true { "r" } else { "w" }))
                })
                .collect::<String>();
            let fields = [
                net(&text(&container["name"])),
                net(&text(&container["image"])),
                words(&container["command"]),
                words(&container["args"]),
                net(&mounts),
            ];
            all += &net(&(kind.to_owned() + &fields.concat()));
        }
    }
    let annotations = annotations.iter().map(|(name, value)| net(&(net(name) + &net(value))));
    all + &net(&("a".to_owned() + &annotations.collect::<String>()))
}
