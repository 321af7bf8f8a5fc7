//! Zips that Argo would not have written.

use super::zipball::{Record, Zipball};
use super::*;

const TWO: &[(&[u8], &[u8])] = &[(b"a", b"content"), (b"b", b"other")];

fn zip() -> Zipball {
    Zipball::default().file(b"out/a", b"content").file(b"out/b", b"other")
}

fn judged(archive: &[u8]) -> Comparison {
    compared(Format::Zip, archive, &expected(TWO, &[]))
}

/// With what the central directory says of the last entry changed.
fn central(change: impl FnOnce(&mut Record)) -> Comparison {
    judged(&zip().central(change).finish())
}

/// With what the local header of the last entry says changed.
fn local(change: impl FnOnce(&mut Record)) -> Comparison {
    judged(&Zipball::default().file(b"out/a", b"content").entry(b"out/b", b"other", change).finish())
}

const DIFFER: Broken = Broken::Directory("names, sizes, checksums or places differ");

#[test]
fn the_honest_one_matches() {
    assert_match(&judged(&zip().finish()));
    let other =
        compared(Format::Zip, &zip().finish(), &expected(&[(b"a", b"content"), (b"b", b"changed")], &[]));
    assert_eq!(other.differs.count, 1);
    assert!(!other.is_match());
}

#[test]
fn the_directory_says_something_else_than_the_entries() {
    assert_broken(&central(|record| record.name = b"out/c".to_vec()), &DIFFER);
    assert_broken(&central(|record| record.crc ^= 1), &DIFFER);
    assert_broken(&central(|record| record.size += 1), &DIFFER);
    assert_broken(&central(|record| record.packed -= 1), &DIFFER);
    assert_broken(&central(|record| record.offset = 0), &DIFFER);
    assert_broken(&central(|record| record.flags |= 0x0800), &DIFFER);
    assert_broken(&local(|record| record.name = b"out/c".to_vec()), &DIFFER);
    let mut swapped = zip();
    swapped.central.reverse();
    assert_broken(&judged(&swapped.finish()), &DIFFER);
    let mut fewer = zip();
    fewer.central.pop();
    assert_broken(&judged(&fewer.finish()), &Broken::Directory("it lists fewer entries than there are"));
    let mut more = zip();
    more.central.push(more.central[0].clone());
    assert_broken(&judged(&more.finish()), &Broken::Directory("it lists more entries than there are"));
}

#[test]
fn the_descriptor_says_something_else_than_the_content() {
    let checksum = Broken::Compression("the checksum of a zip entry does not fit".to_owned());
    assert_broken(&local(|record| record.crc ^= 1), &checksum);
    let sizes = Broken::Header("the sizes of a zip entry do not fit");
    assert_broken(&local(|record| record.size += 1), &sizes);
    assert_broken(&local(|record| record.packed += 1), &sizes);
}

#[test]
fn features_that_argo_does_not_use() {
    let flags = Broken::Foreign("flags of a zip entry");
    assert_broken(&local(|record| record.flags |= 1), &flags);
    assert_broken(&local(|record| record.flags = 0), &flags);
    assert_broken(&central(|record| record.flags |= 1), &flags);
    let method = Broken::Foreign("a zip entry that is not deflated");
    assert_broken(&local(|record| record.method = 0), &method);
    assert_broken(&central(|record| record.method = 99), &method);
    let extra = Broken::Foreign("an extra field of a zip entry");
    assert_broken(&local(|record| record.extra = b"up\x05\0\x01abcd".to_vec()), &extra);
    assert_broken(&central(|record| record.extra = b"up\x05\0\x01abcd".to_vec()), &extra);
    let comment = Broken::Foreign("a comment or another disk of a zip entry");
    assert_broken(&central(|record| record.comment = b"x".to_vec()), &comment);
}

#[test]
fn entries_in_disguise() {
    for (creator, attributes) in [
        (0x0314, 0o120_777 << 16),
        (0x0314, 0o040_755 << 16),
        (0x0314, 0o104_755 << 16),
        (0x0314, 0x10),
        (0x0014, 0x10),
        (0x0a14, 0),
    ] {
        let comparison = central(|record| (record.creator, record.attributes) = (creator, attributes));
        assert_odd(&comparison, "out/b", Oddity::Disguised);
    }
    assert_match(&central(|record| (record.creator, record.attributes) = (0x0314, 0o100_644 << 16)));
}

#[test]
fn names_that_leave_the_directory() {
    for (name, oddity) in [
        (&b"out/../../etc/passwd"[..], Oddity::UnsafeName),
        (b"/out/c", Oddity::UnsafeName),
        (b"other", Oddity::OutsideBase),
        (b"out/c\0d", Oddity::UnsafeName),
    ] {
        let shown = crate::relpath::printable(name);
        assert_odd(&judged(&zip().file(name, b"").finish()), &shown, oddity);
    }
    assert_odd(&judged(&zip().file(b"out/b", b"other").finish()), "out/b", Oddity::Duplicate);
    let directory = judged(&Zipball::default().file(b"out/a/", b"").file(b"out/b", b"other").finish());
    assert_odd(&directory, "out/a/", Oddity::NotAFile(EntryKind::Directory));
}

#[test]
fn special_files_are_empty_and_nothing_else() {
    let refused = expected(TWO, &[(b"link", Passed::Special)]);
    assert_match(&compared(Format::Zip, &zip().file(b"out/link", b"").finish(), &refused));
    let full = compared(Format::Zip, &zip().file(b"out/link", b"x").finish(), &refused);
    assert_odd(&full, "out/link", Oddity::Undigested);
}

#[test]
fn nothing_is_hidden_before_between_or_after() {
    let honest = zip().finish();
    let before = [b"#!/bin/sh\n".as_slice(), &honest].concat();
    assert!(!judged(&before).is_match());
    let mut between = zip();
    between.bytes.extend(b"hidden");
    assert!(!judged(&between.finish()).is_match());
    let commented = zip().finish_with(|mut end| {
        let length = end.len() - 2;
        end[length..].copy_from_slice(&[1, 0]);
        end.push(b'x');
        end
    });
    assert_broken(&judged(&commented), &Broken::Foreign("a comment of a zip"));
    let wrong = Broken::Directory("its end record does not fit");
    for at in 4..20 {
        let changed = zip().finish_with(|mut end| {
            end[at] ^= 0x40;
            end
        });
        assert_broken(&judged(&changed), &wrong);
    }
}

#[test]
fn zip64_end_records_are_read_and_checked() {
    assert_match(&judged(&zip().finish_64(|_| {})));
    for index in 0..5 {
        let changed = zip().finish_64(|numbers| numbers[index] ^= 1);
        assert_broken(&judged(&changed), &Broken::Directory("its end record does not fit"));
    }
}

#[test]
fn zip64_numbers_of_entries_must_fit() {
    let extra = |numbers: [u64; 3]| {
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        [&b"\x01\0\x18\0"[..], &numbers].concat()
    };
    let long = |change: fn(&mut [u64; 3])| {
        central(|record| {
            let mut numbers = [record.size.into(), record.packed.into(), record.offset.into()];
            change(&mut numbers);
            record.extra = extra(numbers);
            (record.size, record.packed, record.offset) = (u32::MAX, u32::MAX, u32::MAX);
        })
    };
    assert_match(&long(|_| {}));
    assert_broken(&long(|[size, ..]| *size += 1 << 32), &DIFFER);
    assert_broken(&long(|[_, packed, _]| *packed += 1 << 32), &DIFFER);
    assert_broken(&long(|[.., offset]| *offset += 1), &DIFFER);
    let needless = central(|record| {
        record.extra = extra([record.size.into(), record.packed.into(), record.offset.into()]);
    });
    assert_broken(&needless, &Broken::Header("the zip64 numbers of an entry do not fit"));
}

#[test]
fn bombs_are_given_up_on() {
    let zeros = vec![0; 80 << 20];
    let comparison = judged(&zip().file(b"out/bomb", &zeros).finish());
    assert!(matches!(comparison.object, Err(Broken::TooManyBytes(_))), "{:?}", comparison.object);
}

#[test]
fn damaged_streams_are_no_verdict_on_content() {
    let mut archive = zip().finish();
    // The block type of the first deflate stream becomes the reserved one.
    archive[30 + 5] |= 0x06;
    assert!(matches!(judged(&archive).object, Err(Broken::Compression(_))));
    assert_broken(&judged(b""), &Broken::Truncated);
    assert_broken(&judged(b"PK\x07\x08"), &Broken::Header("an unknown record of a zip"));
}
