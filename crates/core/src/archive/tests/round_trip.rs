//! Any honest archive matches, and any other tree does not.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::tarball::Tarball;
use super::zipball::Zipball;
use super::*;

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// Trees of files whose names are any bytes, none of them a directory of another.
fn tree() -> impl Strategy<Value = Tree> {
    let component = vec(any::<u8>().prop_filter("no name holds it", |byte| !matches!(byte, 0 | b'/')), 1..40)
        .prop_filter("no name at all", |name| name != b"." && name != b"..");
    let name = vec(component, 1..6).prop_map(|components| components.join(&b'/'));
    btree_map(name, vec(any::<u8>(), 0..3000), 0..12).prop_filter("a file is no directory", |tree: &Tree| {
        let above =
            |name: &[u8], other: &[u8]| other.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"/"));
        !tree.keys().any(|name| tree.keys().any(|other| above(name, other)))
    })
}

fn expect(tree: &Tree) -> Expected {
    let files: Vec<(&[u8], &[u8])> =
        tree.iter().map(|(name, content)| (name.as_slice(), content.as_slice())).collect();
    expected(&files, &[])
}

fn named(name: &[u8]) -> Vec<u8> {
    [b"out/", name].concat()
}

fn packed(format: Format, tree: &Tree) -> Vec<u8> {
    match format {
        Format::TarGz => tree
            .iter()
            .fold(Tarball::default().directory("out"), |tar, (name, content)| tar.long(&named(name), content))
            .finish(),
        Format::Zip => tree
            .iter()
            .fold(Zipball::default(), |zip, (name, content)| zip.file(&named(name), content))
            .finish(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_trees_match(tree in tree()) {
        for format in [Format::TarGz, Format::Zip] {
            let archive = packed(format, &tree);
            let comparison = compared(format, &archive, &expect(&tree));
            prop_assert_eq!(comparison.mismatch(), None);
            prop_assert!(comparison.is_match());
            prop_assert_eq!(comparison.object.unwrap().digest, Sha256Digest::of(&archive));
        }
        let listed = inventory(&packed(Format::TarGz, &tree)[..], b"out", Limits { entries: 100, bytes: 1 << 20, names: 1 << 20 });
        prop_assert_eq!(listed.unwrap().files, expect(&tree).files);
    }

    #[test]
    fn links_match_by_every_byte_of_their_targets(
        targets in btree_map("[a-z\u{e9}]{1,120}", vec(1_u8.., 1..200), 1..8),
        change in any::<prop::sample::Index>(),
    ) {
        let all: Vec<_> = targets.iter().collect();
        let pack = |all: &[(&String, &Vec<u8>)]| {
            let link = |tar: Tarball, (at, to): &(&String, &Vec<u8>)| {
                let records = [
                    super::tarball::pax_record("linkpath", to),
                    super::tarball::pax_record("path", &named(at.as_bytes())),
                ];
                tar.pax(&records.concat()).link(b"short", b"short")
            };
            all.iter().fold(Tarball::default().directory("out"), link).finish()
        };
        let linked = |all: &[(&String, &Vec<u8>)]| Expected {
            links: all
                .iter()
                .map(|(at, to)| (path(at.as_bytes()), LinkTarget::from_bytes(to).unwrap()))
                .collect(),
            ..expected(&[], &[])
        };
        let comparison = compared(Format::TarGz, &pack(&all), &linked(&all));
        prop_assert_eq!(comparison.mismatch(), None);
        let listed = inventory(&pack(&all)[..], b"out", Limits::PACKED).unwrap();
        prop_assert_eq!(listed.links, linked(&all).links);
        let mut other = targets.clone();
        let changed = change.get(&all).0;
        other.get_mut(changed).unwrap().push(b'x');
        let other: Vec<_> = other.iter().collect();
        prop_assert!(!compared(Format::TarGz, &pack(&other), &linked(&all)).is_match());
    }

    #[test]
    fn other_trees_do_not(one in tree(), other in tree()) {
        prop_assume!(one != other);
        for format in [Format::TarGz, Format::Zip] {
            prop_assert!(!compared(format, &packed(format, &one), &expect(&other)).is_match());
        }
    }

    #[test]
    fn a_changed_byte_never_makes_other_content_match(tree in tree(), at in any::<prop::sample::Index>(), bit in 0..8) {
        for format in [Format::TarGz, Format::Zip] {
            let mut archive = packed(format, &tree);
            let at = at.index(archive.len());
            archive[at] ^= 1_u8 << bit;
            let comparison = compared(format, &archive, &expect(&tree));
            if comparison.is_match() {
                // Then the change was in a header field without a meaning for
                // content, and unpacking gives what was digested.
                prop_assert_eq!(comparison.object.unwrap().digest, Sha256Digest::of(&archive));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..2000)) {
        for format in [Format::TarGz, Format::Zip] {
            prop_assert!(!compared(format, &bytes, &expected(&[(b"a", b"")], &[])).is_match());
        }
        let framed = super::tarball::gzip(&bytes);
        prop_assert!(!compared(Format::TarGz, &framed, &expected(&[(b"a", b"")], &[])).is_match());
    }
}
