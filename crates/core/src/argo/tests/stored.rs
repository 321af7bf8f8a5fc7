//! Our plans against what the real argoexec stored: 4.0.7 and 3.7.18 stored the
//! same (see `tests/fixtures/argo/generate/record.py`).

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const STORED: &str = include_str!("../../../../../tests/fixtures/argo/stored.json");

/// Object path, and the names in it if it is an archive.
type Objects = BTreeMap<String, Option<BTreeSet<String>>>;

/// The files that the recording program made in main.
fn files(step: &Step, shape: &str) -> BTreeSet<String> {
    let made =
        step.outputs.iter().filter(|output| !matches!(output.name.as_str(), "climbing" | "maybe" | "root"));
    let paths: Vec<String> = made.map(|output| path::clean(&output.declared_path)).collect();
    let mut files = BTreeSet::new();
    for path in &paths {
        if shape == "directory" {
            files.extend([format!("{path}/one"), format!("{path}/sub/two")]);
        } else if !paths.iter().any(|other| other != path && path::overlaps(other, path)) {
            files.insert(path.clone());
        }
    }
    files
}

/// The names that an archive of these files has, directories included if it is a
/// tar.
fn names(format: Format, naming: &Naming, files: &[RelPath]) -> BTreeSet<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut names = BTreeSet::new();
    match naming {
        Naming::Single(name) => {
            names.insert(text(name));
        }
        Naming::Beneath(base) => {
            for file in files {
                let above =
                    std::iter::successors(file.parent(), RelPath::parent).filter(|_| format == Format::TarGz);
                for path in above.chain([file.clone()]) {
                    let name = RelPath::from_bytes(base).unwrap().concat(&path);
                    names.insert(text(name.as_bytes()));
                }
            }
        }
    }
    names
}

/// What our plan says is stored for one output.
fn planned(plan: &Plan, files: &BTreeSet<String>) -> Objects {
    let beneath = |file: &String| {
        let rest = file.strip_prefix(&plan.path)?;
        RelPath::from_bytes(rest.strip_prefix('/').unwrap_or(rest).as_bytes()).ok()
    };
    let own: Vec<RelPath> =
        files.iter().filter(|file| path::overlaps(file, &plan.path)).filter_map(beneath).collect();
    let shape = if own == [RelPath::root()] { Shape::File } else { Shape::Directory };
    let address = |object: &ObjectRef| format!("/{}/{}", object.store.bucket(), object.key());
    let object = plan.destination.object().unwrap();
    let one = |names| BTreeMap::from([(address(object), names)]);
    match plan.packing(shape) {
        _ if own.is_empty() => BTreeMap::new(),
        Packing::NeverStored => BTreeMap::new(),
        Packing::AsIs => one(None),
        Packing::ObjectPerFile => {
            own.iter().map(|file| (address(&object.beneath(file).unwrap()), None)).collect()
        }
        Packing::PackedOnDisk => {
            one(Some(names(Format::TarGz, &Naming::Beneath(plan.packed_base().to_vec()), &own)))
        }
        Packing::Repacked(format, naming) => one(Some(names(format, &naming, &own))),
    }
}

#[test]
fn argo_stores_what_we_say_it_does() {
    let stored: BTreeMap<String, BTreeMap<String, Objects>> = serde_json::from_str(STORED).unwrap();
    let cases = stored
        .iter()
        .flat_map(|(name, shapes)| shapes.iter().map(move |(shape, objects)| (name, shape, objects)));
    let mut compared = 0;
    for (name, shape, objects) in cases {
        let step = parse(if name == "base" { BASE } else { VOLUME }).unwrap();
        let files = files(&step, shape);
        let mut ours: Objects = step
            .outputs
            .iter()
            .filter_map(|output| output.plan.as_ref().ok())
            .flat_map(|plan| planned(plan, &files))
            .collect();
        for log in &step.logs {
            let object = log.object.as_ref().unwrap();
            ours.entry(format!("/{}/{}", object.store.bucket(), object.key())).or_insert(None);
        }
        assert_eq!(&ours, objects, "{name}, {shape}");
        compared += objects.len();
    }
    assert!(compared > 50, "{compared}");
}
