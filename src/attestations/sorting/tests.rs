//! What names are sorted as.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

type Names = BTreeSet<Box<[u8]>>;

fn names(all: &[&str]) -> Roll {
    all.iter().collect()
}

fn sorting(there: &There, top: &str) -> Sorting {
    let There { files, directories, others, apart } = there;
    let [files, directories, others, apart] = [files, directories, others, apart].map(Clone::clone);
    Sorting::of(There { files, directories, others, apart }, top.as_bytes())
}

fn told(there: &There, top: &str) -> Vec<String> {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let sorting = sorting(there, top);
    let told = |sorted| match sorted {
        Sorted::Artifact(name) => text(&name),
        Sorted::Directory(name) => format!("{}/ {}", text(&name), sorting.members(&name).len()),
        Sorted::Doubtful(name) => format!("{}?", text(&name)),
        Sorted::Beside(_) => String::new(),
    };
    let told = |sorted| Some(told(sorted)).filter(|told| !told.is_empty());
    sorting.iter().filter_map(told).collect()
}

fn files(all: &[&str]) -> There {
    There { files: names(all), ..There::default() }
}

#[test]
fn attestations_of_what_is_there_are_passed_over() {
    let there = files(&["a", "a.sigstore.json", "a.intoto.jsonl", "b", "sub/c", "sub/c.intoto.jsonl"]);
    assert_eq!(told(&there, ""), ["a", "b", "sub/c"]);
    // And nothing else is, however it is called.
    let there = files(&["x.sigstore.json", "x.manifest.sha256", ".sigstore.json", "d/.intoto.jsonl"]);
    assert_eq!(
        told(&there, ""),
        [".sigstore.json", "d/.intoto.jsonl", "x.manifest.sha256?", "x.sigstore.json?"]
    );
    assert_eq!(told(&files(&["a", "a.manifest.sha256"]), ""), ["a", "a.manifest.sha256"]);
    // An attestation that is an artifact itself has one of its own.
    let there = files(&["a", "a.sigstore.json", "a.sigstore.json.sigstore.json"]);
    assert_eq!(told(&there, ""), ["a"]);
}

#[test]
fn a_directory_with_an_attestation_is_one_artifact() {
    let all =
        ["d/x", "d/x.sigstore.json", "d/e/y", "d/e.sigstore.json", "d.sigstore.json", "d.manifest.sha256"];
    assert_eq!(told(&files(&all), ""), ["d/ 4"], "the outermost, with all that is in it");
    assert_eq!(told(&files(&all[..4]), ""), ["d/e/ 1", "d/x"]);
    // In the place that was asked about, and not around it.
    let within: Vec<_> = all.iter().map(|name| format!("p/{name}")).collect();
    let mut within: Vec<_> = within.iter().map(String::as_str).collect();
    within.push("p.sigstore.json");
    assert_eq!(told(&files(&within), "p"), ["p.sigstore.json?", "p/d/ 4"]);
    // An object of the same name is what is attested.
    assert_eq!(told(&files(&["d", "d.sigstore.json", "d/x"]), ""), ["d", "d/x"]);
    let empty = There { directories: names(&["d"]), ..files(&["d.intoto.jsonl"]) };
    assert_eq!(told(&empty, ""), ["d/ 0"]);
    // A link in the attestation's place makes no other thing of the directory.
    let link = There { others: names(&["d.sigstore.json"]), ..files(&["d/x"]) };
    assert_eq!(told(&link, ""), ["d/ 1"]);
}

#[test]
fn what_is_kept_apart_counts_as_well() {
    let apart =
        There { apart: names(&["p/d.sigstore.json", "p/a.sigstore.json"]), ..files(&["p/d/x", "p/a"]) };
    assert_eq!(told(&apart, "p"), ["p/a", "p/d/ 1"]);
    let whole =
        files(&[".attestations/d.sigstore.json", ".attestations/x", "d/x", ".attestations/y.intoto.jsonl"]);
    assert_eq!(told(&whole, ""), [".attestations/x", ".attestations/y.intoto.jsonl?", "d/ 1"]);
}

#[test]
fn other_statements_lie_beside_what_they_are_about_and_make_nothing_whole() {
    let there =
        files(&["a", "a.predicate-spdx.sigstore.json", "a.predicate-spdx.intoto.jsonl", "a.sigstore.json"]);
    assert_eq!(told(&there, ""), ["a"]);
    let there = files(&["a", "a.predicate-own.sigstore.json", "b.predicate-spdx.sigstore.json"]);
    assert_eq!(told(&there, ""), ["a", "a.predicate-own.sigstore.json?", "b.predicate-spdx.sigstore.json?"]);
    let there = files(&["d/x", "d.predicate-spdx.sigstore.json"]);
    assert_eq!(told(&there, ""), ["d/x"]);
}

#[test]
fn odd_names_are_artifacts() {
    let there = files(&["a//b", "/a", "./x", "../y", "a/", "a\n", "d/../e"]);
    assert_eq!(told(&there, "").len(), 7);
    let not_text: Roll = [&b"\xff"[..], b"%FF.sigstore.json"].into_iter().collect();
    let there = There { files: not_text, ..There::default() };
    let beside = Sorted::Beside(b"%FF.sigstore.json"[..].into());
    let sorted: Vec<_> = Sorting::of(there, b"").iter().collect();
    assert_eq!(sorted, [beside, Sorted::Artifact(b"\xff"[..].into())]);
    let directory = There {
        directories: [b"\xff"].into_iter().collect(),
        files: [&b"\xff/x"[..], b"%FF.sigstore.json"].into_iter().collect(),
        ..There::default()
    };
    let sorting = Sorting::of(directory, b"");
    assert!(sorting.iter().any(|sorted| sorted == Sorted::Directory(b"\xff"[..].into())));
    assert_eq!(sorting.members(b"\xff"), [Box::from(&b"\xff/x"[..])]);
}

fn tree() -> impl Strategy<Value = Names> {
    let part = prop_oneof![Just("a"), Just("b"), Just("d"), Just(""), Just(".attestations")];
    let end = prop_oneof![Just(""), Just(".sigstore.json"), Just(".intoto.jsonl"), Just(".manifest.sha256")];
    let name = (proptest::collection::vec(part, 1..4), end);
    let name = name.prop_map(|(parts, end)| format!("{}{end}", parts.join("/")).into_bytes().into());
    proptest::collection::btree_set(name, 0..12)
}

proptest! {
    /// What is passed over is called like an attestation, and of something that is verified.
    #[test]
    fn nothing_slips_by(files in tree(), apart in tree()) {
        let [listed, apart]: [Roll; 2] = [&files, &apart].map(|names| names.iter().collect());
        let sorting = Sorting::of(There { files: listed, apart, ..There::default() }, b"");
        let mut seen = Names::new();
        let mut verified = Names::new();
        let all: Vec<_> = sorting.iter().collect();
        let by_name = |part: &Sorted| part.name().to_vec();
        prop_assert!(all.is_sorted_by_key(by_name));
        for part in all {
            match part {
                Sorted::Beside(_) => {}
                Sorted::Artifact(name) => { verified.insert(name.clone()); seen.insert(name); }
                Sorted::Doubtful(name) => { seen.insert(name); }
                Sorted::Directory(name) => {
                    let members = sorting.members(&name);
                    verified.insert(name);
                    verified.extend(members.iter().cloned());
                    seen.extend(members);
                }
            }
        }
        for name in files.difference(&seen) {
            let called = Called::of(name);
            prop_assert!(called.is_some(), "{:?}", name);
            let of = called.map(|called| called.of).unwrap_or_default();
            let beneath = [of, b"/"].concat();
            prop_assert!(
                files.contains(of) || files.iter().any(|file| file.starts_with(&beneath)),
                "{:?}", name
            );
        }
    }
}
