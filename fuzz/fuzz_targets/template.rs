//! Argo's template: whatever it says, reading it ends, and every output that has
//! a place has one that can be looked at: beneath a mount, beneath Argo's own
//! directory, or at an input artifact; with a packing for either shape.
#![no_main]

use std::path::Path;

use argo_attest::argo::{Place, Plan, Shape, Source, Step, TemplateText};
use argo_attest::relpath::RelPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = TemplateText::new(Source::Env, bytes.to_vec()) else { return };
    let Ok(step) = Step::parse(&text) else { return };
    let _ = step.overlaps();
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
