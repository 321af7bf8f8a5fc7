//! Argo's template: whatever it says, reading it ends. What is read is what Argo's
//! encoder writes for it, but for the spelling of text. And every output that has a
//! place has one that can be looked at: beneath a mount, beneath Argo's own directory,
//! or at an input artifact; with a packing for either shape.
#![no_main]

use std::path::Path;

use argo_attest_core::argo::{Place, Plan, Shape, Source, Step, TemplateText, encode};
use argo_attest_core::relpath::RelPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = TemplateText::new(Source::Env, bytes.to_vec()) else { return };
    let Ok(step) = Step::parse(&text) else { return };
    assert_written(text.as_str(), &step);
    for plan in step.outputs.iter().filter_map(|output| output.plan.as_ref().ok()) {
        let _ = (plan.packing(Shape::File), plan.packing(Shape::Directory));
        assert_eq!(Path::new(&plan.path).file_name().unwrap().as_encoded_bytes(), plan.packed_base());
        // A path of main's own file system may be relative: Argo takes it as it is.
        assert_beneath(Path::new("/"), plan);
        match &plan.place {
            Place::BaseLayer { packed } => {
                let kept = Path::new(packed).strip_prefix("/var/run/argo/outputs/artifacts").unwrap();
                RelPath::from_bytes(kept.as_os_str().as_encoded_bytes()).unwrap();
                assert!(packed.ends_with(".tgz"), "{packed}");
            }
            Place::Volume { mount } => {
                assert!(mount.starts_with('/'), "{mount}");
                assert_beneath(Path::new(mount), plan);
            }
            Place::InputVolume { input } => assert!(step.inputs.iter().any(|i| i.name == *input), "{input}"),
        }
    }
});

fn assert_beneath(root: &Path, plan: &Plan) {
    let path = Path::new("/").join(&plan.path);
    let rest =
        path.strip_prefix(root).unwrap_or_else(|_| panic!("{} is not in {}", plan.path, root.display()));
    RelPath::from_bytes(rest.as_os_str().as_encoded_bytes()).unwrap();
}

/// Written again from what it means, the text is the same in another spelling, and so is
/// the step that it describes.
fn assert_written(text: &str, step: &Step) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let written = encode(&value).unwrap();
    assert_eq!(respelt(text), respelt(&written));
    let again = TemplateText::new(Source::Env, written.into_bytes()).map(|text| Step::parse(&text));
    assert_eq!(again.unwrap().unwrap(), *step);
}

/// The text with every string spelt in one way.
fn respelt(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('"') {
        let mut strings = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<String>();
        let string = strings.next().unwrap().unwrap();
        out += &rest[..start];
        out += &serde_json::to_string(&string).unwrap();
        rest = &rest[start + strings.byte_offset()..];
    }
    out + rest
}
