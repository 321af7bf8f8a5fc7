//! What Argo's own code packed.

use std::io::{self, Read};

use super::*;

const OUT_TGZ: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/out.tgz");
const OUT_PLAIN_TGZ: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/out-plain.tgz");
const OUT_ZIP: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/out.zip");
const FILE_TGZ: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/file.tgz");
const FILE_ZIP: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/file.zip");
const EMPTY_ZIP: &[u8] = include_bytes!("../../../../../tests/fixtures/argo/archives/empty.zip");
const OUT: &str = include_str!("../../../../../tests/fixtures/argo/archives/out.json");

/// The content of the one file in `file.tgz` and `file.zip`.
const LINE: &[u8] = b"one line\n";

/// What the program that made the archives saw on disk.
fn out() -> Expected {
    #[derive(serde::Deserialize)]
    struct Row {
        path: String,
        #[serde(default)]
        sha256: Option<Sha256Digest>,
        size: u64,
    }
    let rows: Vec<Row> = serde_json::from_str(OUT).unwrap();
    let mut expected = expected(&[], &[]);
    for Row { path: hex, sha256, size } in rows {
        let (pairs, _) = hex.as_bytes().as_chunks::<2>();
        let bytes: Vec<u8> = pairs
            .iter()
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        match sha256 {
            Some(digest) => {
                expected.files.insert(path(&bytes), ExpectedFile { digest, size });
            }
            None => {
                expected.refused.insert(path(&bytes), Passed::Special);
            }
        }
    }
    assert_eq!((expected.files.len(), expected.refused.len()), (12, 5));
    expected
}

fn one_file(name: &str) -> Expected {
    Expected {
        naming: Naming::Single(name.as_bytes().to_vec()),
        files: BTreeMap::from([(RelPath::root(), file(LINE))]),
        links: Links::default(),
        refused: BTreeMap::new(),
        directories: 0,
    }
}

const CASES: [(Format, &[u8]); 3] =
    [(Format::TarGz, OUT_TGZ), (Format::TarGz, OUT_PLAIN_TGZ), (Format::Zip, OUT_ZIP)];

#[test]
fn directories_match() {
    for (format, archive) in CASES {
        let comparison = compared(format, archive, &out());
        assert_match(&comparison);
        assert_eq!(comparison.refused.count, 5);
        let object = comparison.object.unwrap();
        assert_eq!((object.digest, object.size), (Sha256Digest::of(archive), archive.len() as u64));
    }
}

#[test]
fn links_are_reported_as_what_they_are() {
    let kinds = |format, archive| -> BTreeMap<String, EntryKind> {
        let refused = compared(format, archive, &out()).refused.first;
        refused.into_iter().map(|entry| (entry.path.escaped(), entry.kind)).collect()
    };
    let tar = kinds(Format::TarGz, OUT_TGZ);
    assert_eq!((tar["link"], tar["fifo"]), (EntryKind::Symlink, EntryKind::Fifo));
    assert_eq!(kinds(Format::Zip, OUT_ZIP)["link"], EntryKind::File);
}

#[test]
fn links_that_stay_inside_match_by_their_targets() {
    let mut linked = out();
    for name in [&b"link"[..], b"dirlink"] {
        linked.refused.remove(&path(name)).unwrap();
    }
    linked.links = links(&[(b"link", b"text.txt"), (b"dirlink", b"a")]);
    for archive in [OUT_TGZ, OUT_PLAIN_TGZ] {
        let comparison = compared(Format::TarGz, archive, &linked);
        assert_match(&comparison);
        assert_eq!(comparison.refused.count, 3);
    }
    // As Argo packs it, a zip does not hold them.
    let zip = compared(Format::Zip, OUT_ZIP, &linked);
    assert!(zip.odd.first.iter().all(|odd| odd.oddity == Oddity::NotALink(EntryKind::File)));
    assert_eq!(zip.odd.count, 2);
    let listed = inventory(OUT_TGZ, b"out", Limits::PACKED).unwrap();
    let names = ["absolute", "dangling", "dirlink", "link"].map(|name| path(name.as_bytes()));
    assert_eq!(listed.links.iter().map(|(at, _)| at.clone()).collect::<Vec<_>>(), names);
    linked.links = links(&[(b"link", b"text.txt"), (b"dirlink", b"a/")]);
    let comparison = compared(Format::TarGz, OUT_TGZ, &linked);
    assert_odd(&comparison, "out/dirlink", Oddity::OtherTarget);
}

#[test]
fn the_content_of_one_file_is_had_if_it_is_short_enough() {
    let content = |archive: &[u8], base: &[u8], file: &RelPath, most| {
        let (listed, content) = inventory_with(archive, base, Limits::PACKED, file, most).unwrap();
        assert_eq!(listed, inventory(archive, base, Limits::PACKED).unwrap());
        let digest = listed.files.get(file).map(|file| file.digest);
        content.inspect(|content| assert_eq!(Some(Sha256Digest::of(content)), digest))
    };
    let text = path(b"text.txt");
    let whole = content(OUT_TGZ, b"out", &text, 1 << 20).unwrap();
    assert_eq!(content(OUT_TGZ, b"out", &text, whole.len()), Some(whole.clone()));
    assert_eq!(content(OUT_TGZ, b"out", &text, whole.len() - 1), None);
    assert_eq!(content(OUT_TGZ, b"out", &path(b"none"), 1 << 20), None);
    assert_eq!(content(FILE_TGZ, b"text.txt", &RelPath::root(), 1 << 20), Some(whole));
}

/// The other writer of tars that people have.
#[test]
fn gnu_tar_writes_links_that_match() {
    use std::process::Command;

    let scratch = std::env::temp_dir().join(format!("links-{}", std::process::id()));
    let out = scratch.join("out");
    std::fs::create_dir_all(out.join("d")).unwrap();
    std::fs::write(out.join("a"), "content").unwrap();
    let long = format!("./{}a", "d/../".repeat(30));
    for (at, to) in [("l", "a"), ("d/up", "../a"), ("far", long.as_str())] {
        std::os::unix::fs::symlink(to, out.join(at)).unwrap();
    }
    let linked = Expected {
        links: links(&[(b"l", b"a"), (b"d/up", b"../a"), (b"far", long.as_bytes())]),
        ..expected(&[(b"a", b"content")], &[])
    };
    let made = Command::new("tar").args(["--format=posix", "-cf", "-", "out"]).current_dir(&scratch).output();
    std::fs::remove_dir_all(&scratch).unwrap();
    let made = made.unwrap();
    assert!(made.status.success(), "{made:?}");
    // It pads the end to blocks of ten.
    assert_match(&compared(Format::TarGz, &super::tarball::gzip(&made.stdout), &linked));
}

#[test]
fn single_files_match_under_the_name_that_argo_gives_them() {
    assert_match(&compared(Format::TarGz, FILE_TGZ, &one_file("text.txt")));
    assert_match(&compared(Format::Zip, FILE_ZIP, &one_file("/tmp/argo-fixture.txt")));
    assert_odd(&compared(Format::TarGz, FILE_TGZ, &one_file("other")), "text.txt", Oddity::OutsideBase);
    let zip = compared(Format::Zip, FILE_ZIP, &one_file("argo-fixture.txt"));
    assert_odd(&zip, "/tmp/argo-fixture.txt", Oddity::UnsafeName);
}

#[test]
fn empty_zips_match_nothing_only() {
    let nothing = Expected { files: no_files(), ..expected(&[], &[]) };
    assert_match(&compared(Format::Zip, EMPTY_ZIP, &nothing));
    let comparison = compared(Format::Zip, EMPTY_ZIP, &expected(&[(b"a", b"")], &[]));
    assert_eq!(comparison.mismatch().unwrap(), "`a` is not in the archive");
}

#[test]
fn a_single_file_is_called_what_the_archive_calls_it() {
    for (format, archive, name) in
        [(Format::TarGz, FILE_TGZ, "text.txt"), (Format::Zip, FILE_ZIP, "/tmp/argo-fixture.txt")]
    {
        let mut other = one_file(name);
        other.files.insert(RelPath::root(), file(b"other"));
        let said = compared(format, archive, &other).mismatch().unwrap();
        assert!(said.starts_with(&format!("`{name}` has ")), "{said}");
        let said = compared(Format::Zip, EMPTY_ZIP, &one_file(name)).mismatch().unwrap();
        assert_eq!(said, format!("`{name}` is not in the archive"));
    }
}

#[test]
fn every_change_of_what_is_expected_is_seen() {
    for (format, archive) in CASES {
        for name in out().files.keys() {
            let mut less = out();
            let was = less.files.remove(name).unwrap();
            let comparison = compared(format, archive, &less);
            assert_eq!(comparison.extra.first, [Extra { path: name.clone(), found: was }]);
            assert!(!comparison.is_match());

            let mut other = out();
            let expected = ExpectedFile { digest: Sha256Digest::of(b"other"), size: was.size };
            other.files.insert(name.clone(), expected);
            let comparison = compared(format, archive, &other);
            assert_eq!(comparison.differs.first, [Difference { path: name.clone(), expected, found: was }]);
            assert!(!comparison.is_match());
        }
        let mut more = out();
        more.files.insert(path(b"zz"), file(b""));
        let comparison = compared(format, archive, &more);
        assert_eq!(comparison.missing.first, [path(b"zz")]);
        assert!(!comparison.is_match());
    }
}

#[test]
fn content_that_the_scan_did_not_read_is_a_mismatch() {
    for (format, archive) in CASES {
        let mut unread = out();
        unread.files.remove(&path(b"text.txt")).unwrap();
        unread.refused.insert(path(b"text.txt"), Passed::Unread);
        assert_odd(&compared(format, archive, &unread), "out/text.txt", Oddity::Undigested);
        let mut unread = out();
        unread.refused.insert(path(b"link"), Passed::Unread);
        assert_odd(&compared(format, archive, &unread), "out/link", Oddity::Undigested);
    }
}

/// Some bits of headers mean nothing for content, and neither do some of a deflate
/// stream (lengths of codes that never occur); all else is noticed.
#[test]
fn any_flipped_bit_is_noticed_or_leaves_the_content() {
    let tar = one_file("text.txt");
    let zip = one_file("/tmp/argo-fixture.txt");
    // The local header is 30 bytes and a name; the descriptor is 16.
    let central = FILE_ZIP.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let content = 30 + "/tmp/argo-fixture.txt".len()..central - 16;
    let unpacked = |format: Format, archive: &[u8]| {
        let mut bytes = Vec::new();
        match format {
            Format::TarGz => flate2::read::GzDecoder::new(archive).read_to_end(&mut bytes),
            Format::Zip => {
                flate2::read::DeflateDecoder::new(&archive[content.clone()]).read_to_end(&mut bytes)
            }
        }
        .unwrap();
        bytes
    };
    // The version needed, of the local and of the central header; the version of
    // the creator, whose other half is the system; internal attributes.
    let idle = |at: usize| {
        [
            4..6,
            central + 4..central + 5,
            central + 6..central + 8,
            central + 36..central + 38,
            content.clone(),
        ]
        .iter()
        .any(|range| range.contains(&at))
    };
    for (format, archive, expected) in [(Format::TarGz, FILE_TGZ, &tar), (Format::Zip, FILE_ZIP, &zip)] {
        for at in 0..archive.len() {
            for bit in (0..8).map(|shift| 1_u8 << shift) {
                let mut changed = archive.to_vec();
                changed[at] ^= bit;
                let comparison = compared(format, &changed, expected);
                if comparison.is_match() {
                    assert_eq!(comparison.object.unwrap().digest, Sha256Digest::of(&changed));
                    assert_eq!(unpacked(format, &changed), unpacked(format, archive), "byte {at}, bit {bit}");
                    assert!(format == Format::TarGz || idle(at), "byte {at}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn cut_short_or_followed_by_anything_is_no_match() {
    let tar = one_file("text.txt");
    let zip = one_file("/tmp/argo-fixture.txt");
    for (format, archive, expected) in [(Format::TarGz, FILE_TGZ, &tar), (Format::Zip, FILE_ZIP, &zip)] {
        for end in 0..archive.len() {
            assert_broken(&compared(format, &archive[..end], expected), &Broken::Truncated);
        }
        let longer = [archive, &[0]].concat();
        assert_broken(&compared(format, &longer, expected), &Broken::TrailingData);
        let twice = [archive, archive].concat();
        assert_broken(&compared(format, &twice, expected), &Broken::TrailingData);
    }
}

/// Gives a byte at a time, with interruptions, and fails at the end if told to.
struct Dripping<'a> {
    rest: &'a [u8],
    interrupt: bool,
    fail: bool,
}

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        match self.rest {
            _ if self.interrupt => Err(io::ErrorKind::Interrupted.into()),
            [] if self.fail => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "connection reset")),
            [] => Ok(0),
            [first, rest @ ..] => {
                buffer[0] = *first;
                self.rest = rest;
                Ok(1)
            }
        }
    }
}

#[test]
fn however_the_bytes_come_the_result_is_the_same() {
    for (format, archive) in [(Format::TarGz, OUT_TGZ), (Format::Zip, OUT_ZIP)] {
        let dripping = Dripping { rest: archive, interrupt: false, fail: false };
        assert_eq!(compare(format, dripping, &out()).unwrap(), compared(format, archive, &out()));
    }
}

#[test]
fn a_failing_source_is_no_verdict() {
    for (format, archive) in [(Format::TarGz, OUT_TGZ), (Format::Zip, OUT_ZIP)] {
        for end in [0, 1, 100, archive.len() / 2, archive.len()] {
            let failing = Dripping { rest: &archive[..end], interrupt: false, fail: true };
            let error = compare(format, failing, &out()).unwrap_err();
            assert_eq!(error.after, end as u64, "{format:?}");
            assert_eq!(error.source.to_string(), "connection reset");
        }
    }
}

#[test]
fn inventories_say_what_was_packed() {
    let limits = Limits { entries: 1000, bytes: 10 << 20, names: 1 << 20 };
    let listed = inventory(OUT_TGZ, b"out", limits).unwrap();
    let expected = out();
    assert!(listed.is_directory);
    assert_eq!(listed.files, expected.files);
    assert_eq!(listed.special, BTreeMap::from([(path(b"fifo"), EntryKind::Fifo)]));
    let mut special: Vec<_> = listed.links.iter().map(|(at, _)| at).chain(listed.special.keys()).collect();
    special.sort();
    assert_eq!(special, expected.refused.keys().collect::<Vec<_>>());
    assert_eq!(listed.object.digest, Sha256Digest::of(OUT_TGZ));
    let single = inventory(FILE_TGZ, b"text.txt", limits).unwrap();
    assert!(!single.is_directory);
    assert_eq!(single.files, BTreeMap::from([(RelPath::root(), file(LINE))]));
}

#[test]
fn inventories_keep_to_their_limits_and_names() {
    let limits = Limits { entries: 1000, bytes: 10 << 20, names: 1 << 20 };
    let refusal =
        |archive: &[u8], base: &[u8], limits| inventory(archive, base, limits).unwrap_err().to_string();
    assert_eq!(
        refusal(OUT_TGZ, b"other", limits),
        "the archive's entry `out`: its name is not at or beneath the artifact's"
    );
    assert_eq!(
        refusal(OUT_TGZ, b"out", Limits { entries: 3, ..limits }),
        "the archive has more than 3 entries"
    );
    let bytes = Limits { bytes: 9999, ..limits };
    assert_eq!(refusal(OUT_TGZ, b"out", bytes), "the archive has more than 9999 bytes when decompressed");
    assert_eq!(refusal(&OUT_TGZ[..50], b"out", limits), "the archive is cut short");
}
