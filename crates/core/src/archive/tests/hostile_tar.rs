//! Tars that Argo would not have written.

use ::tar::EntryType;

use super::tarball::{Tarball, gzip, pax_record};
use super::zipball::Zipball;
use super::*;
use crate::archive::{MAX_DEPTH, MAX_NAME};

const ONE: &[(&[u8], &[u8])] = &[(b"a", b"content")];

fn tar(build: impl FnOnce(Tarball) -> Tarball) -> Vec<u8> {
    build(Tarball::default().directory("out").file("out/a", b"content")).finish()
}

fn judged(build: impl FnOnce(Tarball) -> Tarball) -> Comparison {
    compared(Format::TarGz, &tar(build), &expected(ONE, &[]))
}

#[test]
fn the_honest_one_matches() {
    assert_match(&judged(|tar| tar));
    assert_match(&judged(|tar| tar.directory("out/empty").directory("out/slash/")));
}

#[test]
fn names_that_leave_the_directory() {
    for name in ["out/../../etc/cron.d/x", "/etc/passwd", "../out/a", "out//a", "out/./b", "out/", ""] {
        let kind = Oddity::UnsafeName;
        if name.is_empty() {
            assert_odd(&judged(|tar| tar.file(name, b"")), name, Oddity::OutsideBase);
        } else {
            assert_odd(&judged(|tar| tar.file(name, b"")), name, kind);
        }
    }
    for name in ["outside", "other/a", "ou"] {
        assert_odd(&judged(|tar| tar.file(name, b"")), name, Oddity::OutsideBase);
    }
    assert_odd(&judged(|tar| tar.directory("out/../x")), "out/../x", Oddity::UnsafeName);
}

#[test]
fn names_cannot_drive_a_terminal() {
    let comparison = judged(|tar| tar.file("out/../\x1b[2J\n", b""));
    assert_odd(&comparison, "out/../%1B[2J%0A", Oddity::UnsafeName);
    let long = [b"out/../".as_slice(), &vec![b'x'; MAX_NAME - 7]].concat();
    let comparison = judged(|tar| tar.long(&long, b""));
    assert!(comparison.odd.first[0].name.chars().count() < 4200);
    let longer = [long.as_slice(), b"x"].concat();
    assert_eq!(judged(|tar| tar.long(&longer, b"")).object, Err(Broken::LongName));
    let deep = |depth: usize| format!("out{}/x", "/d".repeat(depth - 1)).into_bytes();
    assert_eq!(judged(|tar| tar.long(&deep(MAX_DEPTH + 1), b"")).object, Err(Broken::LongName));
    judged(|tar| tar.long(&deep(MAX_DEPTH), b"")).object.unwrap();
}

#[test]
fn links_and_devices() {
    for (kind, found) in [
        (EntryType::Symlink, EntryKind::Symlink),
        (EntryType::Link, EntryKind::HardLink),
        (EntryType::Char, EntryKind::Device),
        (EntryType::Block, EntryKind::Device),
        (EntryType::Fifo, EntryKind::Fifo),
    ] {
        assert_odd(&judged(|tar| tar.entry(b"out/x", kind, b"")), "out/x", Oddity::Kind(found));
        let in_place = Tarball::default().entry(b"out/a", kind, b"").finish();
        assert_odd(
            &compared(Format::TarGz, &in_place, &expected(ONE, &[])),
            "out/a",
            Oddity::NotAFile(found),
        );
    }
    let directory = Tarball::default().directory("out/a").finish();
    let comparison = compared(Format::TarGz, &directory, &expected(ONE, &[]));
    assert_odd(&comparison, "out/a", Oddity::NotAFile(EntryKind::Directory));
}

#[test]
fn a_chain_through_a_link_that_the_scan_refused() {
    let refused = expected(ONE, &[(b"link", Passed::Special)]);
    let link = |tar: Tarball| tar.entry(b"out/link", EntryType::Symlink, b"");
    let comparison = compared(Format::TarGz, &tar(link), &refused);
    assert_match(&comparison);
    assert_eq!(comparison.refused.first, [RefusedEntry { path: path(b"link"), kind: EntryKind::Symlink }]);
    let through = compared(Format::TarGz, &tar(|tar| link(tar).file("out/link/x", b"")), &refused);
    assert_odd(&through, "out/link/x", Oddity::BeneathRefused);
    let twice = compared(Format::TarGz, &tar(|tar| link(link(tar))), &refused);
    assert_odd(&twice, "out/link", Oddity::Duplicate);
    let hard = compared(Format::TarGz, &tar(|tar| tar.entry(b"out/link", EntryType::Link, b"")), &refused);
    assert_odd(&hard, "out/link", Oddity::Undigested);
    let replaced = compared(Format::TarGz, &tar(|tar| tar.file("out/link", b"content")), &refused);
    assert_odd(&replaced, "out/link", Oddity::Undigested);
    let unread = expected(ONE, &[(b"closed", Passed::Unread)]);
    assert_match(&compared(Format::TarGz, &tar(|tar| tar.directory("out/closed")), &unread));
    let inside =
        compared(Format::TarGz, &tar(|tar| tar.directory("out/closed").file("out/closed/x", b"")), &unread);
    assert_odd(&inside, "out/closed/x", Oddity::BeneathRefused);
}

/// A link is what it is, where it is, and leads where it led; nothing goes through it.
#[test]
fn a_link_that_was_there() {
    let linked = Expected { links: links(&[(b"link", b"a"), (b"d/x", b"../a")]), ..expected(ONE, &[]) };
    let compare = |build: &dyn Fn(Tarball) -> Tarball| compared(Format::TarGz, &tar(build), &linked);
    let both = |tar: Tarball| tar.link(b"out/link", b"a").link(b"out/d/x", b"../a");
    assert_match(&compare(&both));
    assert_match(&compare(&|tar| both(tar.directory("out/d"))));
    let pax = |tar: Tarball| tar.link(b"out/link", b"a").pax(&pax_record("linkpath", b"../a"));
    assert_match(&compare(&|tar| pax(tar).link(b"out/d/x", b"ignored")));

    let elsewhere = compare(&|tar| tar.link(b"out/link", b"/etc/passwd").link(b"out/d/x", b"../a"));
    assert_odd(&elsewhere, "out/link", Oddity::OtherTarget);
    let shown = elsewhere.mismatch().unwrap();
    assert!(!shown.contains("passwd"), "{shown}");
    let other = |tar: Tarball| tar.link(b"out/link", b"a").pax(&pax_record("linkpath", b"../b"));
    assert_odd(&compare(&|tar| other(tar).link(b"out/d/x", b"../a")), "out/d/x", Oddity::OtherTarget);
    assert_odd(&compare(&|tar| both(tar).link(b"out/link", b"a")), "out/link", Oddity::Duplicate);
    assert_odd(
        &compare(&|tar| both(tar).link(b"out/new", b"a")),
        "out/new",
        Oddity::Kind(EntryKind::Symlink),
    );
    assert_odd(&compare(&|tar| both(tar).file("out/link/x", b"")), "out/link/x", Oddity::BeneathLink);
    let less = compare(&|tar| tar.link(b"out/link", b"a"));
    assert_eq!(less.mismatch().unwrap(), "`d/x` is not in the archive");
    for (kind, found) in [
        (EntryType::Regular, EntryKind::File),
        (EntryType::Directory, EntryKind::Directory),
        (EntryType::Link, EntryKind::HardLink),
        (EntryType::Fifo, EntryKind::Fifo),
    ] {
        let comparison = compare(&|tar| tar.link(b"out/d/x", b"../a").entry(b"out/link", kind, b""));
        assert_eq!(comparison.odd.first[0].oddity, Oddity::NotALink(found));
    }
    // A zip has an empty file for it, which is none.
    let zip = Zipball::default().file(b"out/a", b"content").file(b"out/link", b"").finish();
    let comparison = compared(Format::Zip, &zip, &linked);
    assert_odd(&comparison, "out/link", Oddity::NotALink(EntryKind::File));
}

#[test]
fn links_are_listed_with_their_targets() {
    let list = |archive: &[u8]| inventory(archive, b"out", Limits::PACKED);
    let found = list(&tar(|tar| tar.link(b"out/link", b"a").link(b"out/d/x", b"/etc/passwd"))).unwrap();
    assert_eq!(found.links, links(&[(b"link", b"a"), (b"d/x", b"/etc/passwd")]));
    assert!(found.special.is_empty());
    let empty = list(&tar(|tar| tar.link(b"out/link", b""))).unwrap();
    assert_eq!(empty.special, BTreeMap::from([(path(b"link"), EntryKind::Symlink)]));
    let itself = list(&Tarball::default().link(b"out", b"a").finish()).unwrap();
    assert!(itself.links.is_empty() && !itself.is_directory, "{itself:?}");
    for build in [
        |tar: Tarball| tar.link(b"out/a", b"x"),
        |tar: Tarball| tar.link(b"out/l", b"x").link(b"out/l", b"x"),
        |tar: Tarball| tar.link(b"out/l", b"x").file("out/l/x", b""),
        |tar: Tarball| tar.file("out/l/x", b"").link(b"out/l", b"x"),
        |tar: Tarball| tar.entry(b"out/l", EntryType::Link, b""),
    ] {
        assert!(matches!(list(&tar(build)), Err(InventoryError::Odd { .. })));
    }
    let many = tar(|tar| {
        let names = (0..5000).map(|n| format!("out/{n}"));
        names.fold(tar, |tar, name| tar.link(name.as_bytes(), b"x"))
    });
    let found = list(&many).unwrap();
    assert!(found.links.are_too_many() && found.links.len() < 4100);
    assert_eq!(found.links.len() + found.special.len(), 5000);
}

#[test]
fn the_same_name_twice() {
    assert_odd(&judged(|tar| tar.file("out/a", b"content")), "out/a", Oddity::Duplicate);
    assert_odd(&judged(|tar| tar.file("out/a", b"other")), "out/a", Oddity::Duplicate);
}

#[test]
fn many_findings_are_counted_and_few_kept() {
    let comparison = judged(|tar| (0..1000).fold(tar, |tar, n| tar.file(&format!("out/extra-{n}"), b"")));
    assert_eq!((comparison.extra.count, comparison.extra.first.len()), (1000, CAP));
    assert_eq!(comparison.mismatch().unwrap(), "`extra-0` was not digested (and 999 more)");
    let none = compared(Format::TarGz, &tar(|tar| tar), &expected(&[(b"a", b"other")], &[]));
    assert!(none.mismatch().unwrap().starts_with("`a` has 7 bytes with SHA-256 "));
}

#[test]
fn bombs_are_given_up_on() {
    let zeros = vec![0; 80 << 20];
    assert!(matches!(judged(|tar| tar.file("out/bomb", &zeros)).object, Err(Broken::TooManyBytes(_))));
    let after_the_end = [Tarball::default().directory("out").0, zeros].concat();
    let comparison = compared(Format::TarGz, &gzip(&after_the_end), &expected(&[], &[]));
    assert!(matches!(comparison.object, Err(Broken::TooManyBytes(_))));
    let many = judged(|tar| (0..70_000).fold(tar, |tar, _| tar.directory("out/d")));
    assert!(
        matches!(many.object, Err(Broken::TooManyEntries(_) | Broken::TooManyBytes(_))),
        "{:?}",
        many.object
    );
}

/// The limit must never fall on an honest archive, however its names are spread.
#[test]
fn limits_leave_room_for_every_honest_archive() {
    let deep = |n: usize| format!("{n}/{}f", "d/".repeat(200));
    let names: Vec<String> = (0..400).map(deep).collect();
    let files: Vec<(&[u8], &[u8])> = names.iter().map(|name| (name.as_bytes(), &b"x"[..])).collect();
    let mut tar = Tarball::default().directory("out");
    for name in &names {
        let ends = name.match_indices('/').map(|(at, _)| at);
        for directory in ends.map(|end| &name[..end]) {
            let record = pax_record("path", format!("out/{directory}").as_bytes());
            tar = tar.pax(&record).directory("d");
        }
        tar = tar.long(format!("out/{name}").as_bytes(), b"x");
    }
    let comparison = compared(Format::TarGz, &tar.finish(), &expected(&files, &[]));
    assert_match(&comparison);
    assert_eq!(comparison.entries, 1 + 400 * 202);
    let empty = Tarball::default().directory("out");
    let empty = (0..70_000).fold(empty, |tar, n| tar.directory(&format!("out/{n}"))).finish();
    let known = Expected { directories: 70_000, ..expected(&[], &[]) };
    assert_match(&compared(Format::TarGz, &empty, &known));
}

#[test]
fn a_size_that_is_a_lie() {
    let mut header = Tarball::header(b"out/b", EntryType::Regular, 0o7_7777_7777);
    assert_broken(&judged(|tar| tar.raw(&header, b"x")), &Broken::Truncated);
    header.as_ustar_mut().unwrap().size.copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x01");
    header.set_cksum();
    let not_octal = Broken::Header("a number of a tar header is not octal");
    assert_broken(&judged(|tar| tar.raw(&header, b"x")), &not_octal);
    let sized = judged(|tar| tar.entry(b"out/d", EntryType::Directory, b"hidden"));
    assert_broken(&sized, &Broken::Foreign("content of what is not a file"));
}

#[test]
fn pax_records_are_bounded_and_plain() {
    let long = [b"out/".as_slice(), &[b'x'; 200]].concat();
    let files: &[(&[u8], &[u8])] = &[(b"a", b"content"), (&long[4..], b"y")];
    assert_match(&compared(Format::TarGz, &tar(|tar| tar.long(&long, b"y")), &expected(files, &[])));
    let huge = vec![b'x'; 40_000];
    assert_broken(
        &judged(|tar| tar.long(&huge, b"")),
        &Broken::Header("the PAX records of an entry are too long"),
    );
    let record = pax_record("path", b"out/b");
    assert_broken(
        &judged(|tar| tar.pax(&record).pax(&record).file("x", b"")),
        &Broken::Foreign("PAX records for PAX records"),
    );
    assert_broken(&judged(|tar| tar.pax(&record)), &Broken::Header("PAX records have no entry"));
    let sparse = pax_record("GNU.sparse.major", b"1");
    assert_broken(&judged(|tar| tar.pax(&sparse).file("out/b", b"")), &Broken::Foreign("a PAX record"));
    // The size in the record counts, as it does for Go.
    let size = pax_record("size", b"1");
    let mut header = Tarball::header(b"out/b", EntryType::Regular, 0);
    header.set_cksum();
    let sized = tar(|tar| tar.pax(&size).raw(&header, b"y"));
    assert_match(&compared(Format::TarGz, &sized, &expected(&[(b"a", b"content"), (b"b", b"y")], &[])));
}

#[test]
fn formats_that_argo_does_not_write() {
    let mut gnu = ::tar::Header::new_gnu();
    gnu.set_size(0);
    gnu.set_cksum();
    assert_broken(&judged(|tar| tar.raw(&gnu, b"")), &Broken::Foreign("a tar header that is not ustar"));
    for kind in
        [EntryType::GNULongName, EntryType::GNUSparse, EntryType::XGlobalHeader, EntryType::Continuous]
    {
        assert_broken(&judged(|tar| tar.entry(b"out/b", kind, b"")), &Broken::Foreign("a type of tar entry"));
    }
    let mut wrong = Tarball::header(b"out/b", EntryType::Regular, 0);
    wrong.as_mut_bytes()[0] = b'p';
    assert_broken(
        &judged(|tar| tar.raw(&wrong, b"")),
        &Broken::Header("the checksum of a tar header does not fit"),
    );
}

#[test]
fn nothing_is_hidden_between_or_after() {
    let mut padded = Tarball::default().directory("out").file("out/a", b"content");
    let last = padded.0.len() - 1;
    padded.0[last] = b'!';
    let comparison = compared(Format::TarGz, &padded.finish(), &expected(ONE, &[]));
    assert_broken(&comparison, &Broken::Header("the padding of a tar entry is not zero"));

    let honest = Tarball::default().directory("out").file("out/a", b"content");
    let with_end =
        |end: &[u8]| compared(Format::TarGz, &gzip(&[&honest.0, end].concat()), &expected(ONE, &[]));
    assert_broken(&with_end(&[]), &Broken::Truncated);
    assert_broken(&with_end(&[0; 512]), &Broken::Truncated);
    assert_match(&with_end(&[0; 10_240]));
    let second = Tarball::default().file("out/b", b"").0;
    assert_broken(
        &with_end(&[&[0; 512], &second[..]].concat()),
        &Broken::Header("a tar has a single zero block"),
    );
    assert_broken(&with_end(&[&[0; 1024], &second[..]].concat()), &Broken::TrailingData);
}

#[test]
fn what_is_not_gzip_at_all() {
    let files = expected(ONE, &[]);
    assert_broken(&compared(Format::TarGz, b"", &files), &Broken::Truncated);
    let plain = Tarball::default().file("out/a", b"content").0;
    assert!(matches!(compared(Format::TarGz, &plain, &files).object, Err(Broken::Compression(_))));
}

#[test]
fn inventories_refuse_what_an_unpacker_could_misread() {
    let limits = Limits { entries: 1000, bytes: 10 << 20, names: 1 << 20 };
    let refusal = |tar: Tarball| inventory(&tar.finish()[..], b"out", limits).unwrap_err().to_string();
    let root = || Tarball::default().directory("out");
    assert_eq!(refusal(Tarball::default()), "the archive is empty");
    for (tar, why) in [
        (root().file("out/a", b"").file("out/a", b""), "the archive's entry `out/a`: it occurs twice"),
        (root().directory("out"), "the archive's entry `out`: it occurs twice"),
        (
            Tarball::default().file("out/a", b""),
            "the archive's entry `out/a`: its name is not at or beneath the artifact's",
        ),
        (
            Tarball::default().file("out", b"").file("out/a", b""),
            "the archive's entry `out/a`: its name is not at or beneath the artifact's",
        ),
        (root().entry(b"out/l", EntryType::Link, b""), "the archive's entry `out/l`: it is a hard link"),
        (
            root().entry(b"out/l", EntryType::Symlink, b"").file("out/l/x", b""),
            "the archive's entry `out/l/x`: it is beneath a name that the scan refused",
        ),
        (
            root().file("out/../../x", b""),
            "the archive's entry `out/../../x`: its name could leave the directory it is unpacked into",
        ),
    ] {
        assert_eq!(refusal(tar), why);
    }
}
