//! What lies packed on a volume, and what a store gives as an archive. The program reads
//! those deep within the sidecar: here the readers run in a process of their own.

use std::io::{self, Read, Write as _};
use std::process::Command;

use argo_attest_core::archive::{Broken, InventoryError, Limits, inventory};
use argo_attest_core::input_evidence::{EVIDENCE_LIMIT, Evidence};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cost::Cost;

/// The variable that tells the process which input it is to read.
const WHICH: &str = "LIMITS_INPUT";

/// Names of the inputs, and what the readers say of them.
const INPUTS: [(&str, &str); 7] = [
    ("entries", "more than 200000 entries"),
    ("names", "names have more than 16777216 bytes"),
    ("deep", "in more than 256 directories"),
    ("long", "a name of more than 4352 bytes"),
    ("alternating", "taken"),
    ("evidence", "more than 50000 values"),
    ("many-inputs", "taken"),
];

#[test]
fn hostile_archives_and_evidence_are_read_within_bounds() {
    for (input, said) in INPUTS {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "archives::the_process", "--ignored", "--nocapture"]).env(WHICH, input);
        let ended = Cost::of(&mut command).bounded();
        assert_eq!(ended.code, Some(0), "{input}: {ended:.600?}");
        assert!(ended.err.contains(said), "{input}: {:.600}", ended.err);
    }
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn the_process() {
    let which = std::env::var(WHICH).unwrap();
    let name = |depth: usize, number: usize| format!("out{}/{number}", "/x".repeat(depth));
    let said = match which.as_str() {
        "entries" => said(inventory(tgz(|n| format!("out/{n}"), 1 << 20), b"out", Limits::PACKED)),
        "names" => said(inventory(
            tgz(|n| format!("out/{n:08}{}", "x".repeat(4000)), 1 << 20),
            b"out",
            Limits::PACKED,
        )),
        "deep" => said(inventory(tgz(|n| name(300, n), 10), b"out", Limits::PACKED)),
        "long" => said(inventory(tgz(|_| format!("out/{}", "x".repeat(5000)), 10), b"out", Limits::PACKED)),
        // Each in other directories than the one before, as deep and as long as may be.
        "alternating" => {
            let part = "y".repeat(14);
            let deep = |n: usize| format!("out/{}{}/{n}", n % 2, format!("/{part}").repeat(250));
            said(inventory(tgz(deep, 4000), b"out", Limits::PACKED))
        }
        "evidence" => {
            let records = "{\"\":0},".repeat(EVIDENCE_LIMIT / 8);
            let json = format!("{{\"schema\":\"x\",\"inputs\":[{}]}}", records.trim_end_matches(','));
            said(Evidence::from_json(json.as_bytes()))
        }
        "many-inputs" => {
            let record = |n: usize| format!("{{\"name\":\"{n}\",\"finding\":\"missing\",\"digest\":{{}}}}");
            let records: Vec<_> = (0..4096).map(record).collect();
            let schema = "https://argo-attest.github.io/input-evidence/v1";
            said(Evidence::from_json(
                format!("{{\"schema\":\"{schema}\",\"inputs\":[{}]}}", records.join(",")).as_bytes(),
            ))
        }
        other => panic!("{other}"),
    };
    eprintln!("{said:.300}");
}

fn said<T, E: std::error::Error + 'static>(read: Result<T, E>) -> String {
    match read {
        Ok(_) => "taken".to_owned(),
        Err(error) => argo_attest_core::text::causes(&error),
    }
}

#[test]
fn a_file_may_not_stand_where_others_are() {
    for names in [["out/a", "out/a/b"], ["out/a/b", "out/a"]] {
        let refused = inventory(tgz(|n| names[n].to_owned(), 2), b"out", Limits::PACKED).unwrap_err();
        assert!(matches!(refused, InventoryError::Odd { .. }), "{names:?}: {refused}");
    }
    let refused = inventory(io::empty(), b"out", Limits::PACKED).unwrap_err();
    assert!(matches!(refused, InventoryError::Broken(Broken::Truncated)), "{refused}");
}

/// A packed directory of empty files, made as it is read.
fn tgz(name: impl Fn(usize) -> String, count: usize) -> impl Read {
    let out = GzEncoder::new(Vec::new(), Compression::fast());
    Packing { name, next: 0, count, out, ready: io::Cursor::new(Vec::new()), ended: false }
}

struct Packing<F> {
    name: F,
    next: usize,
    count: usize,
    out: GzEncoder<Vec<u8>>,
    ready: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<F: Fn(usize) -> String> Read for Packing<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || self.ended {
                return Ok(read);
            }
            if self.next == 0 {
                self.out.write_all(&header("out/", b'5', 0))?;
            }
            for _ in 0..64 {
                if self.next < self.count {
                    let name = (self.name)(self.next);
                    entry(&mut self.out, &name)?;
                    self.next += 1;
                }
            }
            if self.next == self.count {
                self.out.write_all(&[0; 1024])?;
                self.out.try_finish()?;
                self.ended = true;
            }
            self.ready = io::Cursor::new(std::mem::take(self.out.get_mut()));
        }
    }
}

fn entry(out: &mut impl io::Write, name: &str) -> io::Result<()> {
    if name.len() > 100 {
        // The record's length counts itself.
        let rest = name.len() + " path=\n".len();
        let length = (1..10).map(|digits| rest + digits).find(|n| rest + n.to_string().len() == *n).unwrap();
        let record = format!("{length} path={name}\n");
        out.write_all(&header("out/pax", b'x', record.len()))?;
        out.write_all(record.as_bytes())?;
        out.write_all(&vec![0; record.len().next_multiple_of(512) - record.len()])?;
    }
    out.write_all(&header(&name[..name.len().min(100)], b'0', 0))
}

fn header(name: &str, kind: u8, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}
