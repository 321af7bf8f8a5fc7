//! The format in which the admission policy hands over a pod, both ways.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

/// What the policy's expression writes, before it doubles each `$` for the kubelet.
fn written(pod: &PodSpec) -> String {
    let net = |text: &str| format!("{}:{text},", text.chars().count());
    let list = |items: &[String]| net(&items.iter().map(|item| net(item)).collect::<String>());
    let mut text = "v1;".to_owned();
    for container in &pod.containers {
        let kind = if container.phase == Phase::Init { "i" } else { "c" };
        let mounts = container.mounts.iter().map(|mount| {
            let flag = if mount.read_only { "r" } else { "w" };
            let fields = [&mount.name, &mount.path, &mount.sub_path, &mount.sub_path_expr];
            net(&(fields.map(|field| net(field)).concat() + flag))
        });
        let fields = net(&container.name)
            + &net(&container.image)
            + &list(&container.command)
            + &list(&container.args)
            + &net(&mounts.collect::<String>());
        text += &net(&(kind.to_owned() + &fields));
    }
    let annotations = pod.annotations.iter().map(|(name, value)| net(&(net(name) + &net(value))));
    text + &net(&("a".to_owned() + &annotations.collect::<String>()))
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec(word(), 0..4)
}

/// What could pose as a border, and what is longer in bytes than in characters.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[0-9:,;ica$äö😀\n\"]{0,12}"]
}

fn mounts() -> impl Strategy<Value = Vec<PodMount>> {
    let mount = (word(), word(), word(), word(), any::<bool>()).prop_map(
        |(name, path, sub_path, sub_path_expr, read_only)| PodMount {
            name,
            path,
            sub_path,
            sub_path_expr,
            read_only,
        },
    );
    vec(mount, 0..3)
}

fn containers() -> impl Strategy<Value = Vec<PodContainer>> {
    let phase = prop_oneof![Just(Phase::Init), Just(Phase::Main)];
    let container = (phase, word(), word(), words(), words(), mounts()).prop_map(
        |(phase, name, image, command, args, mounts)| PodContainer {
            phase,
            name,
            image,
            command,
            args,
            mounts,
        },
    );
    vec(container, 0..4)
}

proptest! {
    #[test]
    fn what_the_policy_writes_is_read(containers in containers(), annotations in btree_map(word(), word(), 0..3)) {
        let pod = PodSpec { containers, annotations };
        prop_assert_eq!(PodSpec::from_handed_over(&written(&pod)).unwrap(), pod);
    }

    /// One pod has one text: what is read is what would be written.
    #[test]
    fn no_other_text_is_the_same_pod(containers in containers(), at in any::<prop::sample::Index>(), with in "[0-9:,;icarw]") {
        let text = written(&PodSpec { containers, annotations: BTreeMap::new() });
        let mut characters: Vec<char> = text.chars().collect();
        let place = at.index(characters.len());
        characters[place] = with.chars().next().unwrap();
        let other: String = characters.into_iter().collect();
        if let Ok(pod) = PodSpec::from_handed_over(&other) {
            prop_assert_eq!(written(&pod), other);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(v1;)?[0-9:,;icarw]{0,60}") {
        if let Ok(pod) = PodSpec::from_handed_over(&text) {
            prop_assert_eq!(written(&pod), text);
        }
    }
}

#[test]
fn is_written_as_the_docs_say() {
    let mount = PodMount {
        name: "d".into(),
        path: "/ä".into(),
        sub_path: String::new(),
        sub_path_expr: String::new(),
        read_only: true,
    };
    let main = PodContainer {
        phase: Phase::Main,
        name: "main".into(),
        image: "i".into(),
        command: vec!["a,b".into()],
        args: Vec::new(),
        mounts: vec![mount],
    };
    let annotations = BTreeMap::from([("argo-attest.io/attest".to_owned(), "true".to_owned())]);
    let pod = PodSpec { containers: vec![main], annotations };
    let text =
        "v1;48:c4:main,1:i,6:3:a,b,,0:,20:16:1:d,2:/ä,0:,0:,r,,,37:a32:21:argo-attest.io/attest,4:true,,,";
    assert_eq!(written(&pod), text);
    assert_eq!(PodSpec::from_handed_over(text).unwrap(), pod);
}

#[test]
fn every_cut_text_is_refused() {
    let text = written(&honest().live().spec);
    let whole = PodSpec::from_handed_over(&text).unwrap();
    assert_eq!(whole, honest().live().spec);
    for (end, _) in text.char_indices() {
        PodSpec::from_handed_over(&text[..end]).unwrap_err();
    }
}

#[test]
fn a_text_of_another_form_is_refused() {
    let malformed = |record| HandedOverError::Malformed { record };
    for (text, error) in [
        ("", HandedOverError::Version),
        ("v2;1:a,", HandedOverError::Version),
        ("v1;", malformed(1)),
        ("v1;0:,", malformed(1)),
        ("v1;1:x,", malformed(1)),
        ("v1;01:a,", malformed(1)),
        ("v1;+1:a,", malformed(1)),
        ("v1; 1:a,", malformed(1)),
        ("v1;1:a", malformed(1)),
        ("v1;1:a;", malformed(1)),
        ("v1;2:a,", malformed(1)),
        ("v1;999999:a,", malformed(1)),
        ("v1;18446744073709551617:a,", malformed(1)),
        ("v1;1:a,1:a,", malformed(2)),
        ("v1;1:a,x", malformed(2)),
        // A field too few, one too many, a mount that is neither.
        ("v1;15:c1:n,1:i,0:,0:,,1:a,", malformed(1)),
        ("v1;21:c1:n,1:i,0:,0:,0:,0:,,1:a,", malformed(1)),
        ("v1;36:c1:n,1:i,0:,0:,17:13:0:,0:,0:,0:,x,,,1:a,", malformed(1)),
        // One annotation with two values.
        ("v1;23:a8:1:k,1:v,,8:1:k,1:w,,,", malformed(1)),
        ("too-large", HandedOverError::TooLarge),
    ] {
        assert_eq!(PodSpec::from_handed_over(text), Err(error), "{text}");
    }
    let long = format!("v1;1:a,{}", "x".repeat(100_000));
    assert_eq!(PodSpec::from_handed_over(&long), Err(HandedOverError::TooLarge));
    let long = format!("v1;{}", "😀".repeat(99_998));
    assert_eq!(PodSpec::from_handed_over(&long), Err(HandedOverError::TooLarge));
}
