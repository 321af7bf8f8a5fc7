//! Of whatever archive, however it comes.

use std::cell::RefCell;
use std::io::Read;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::super::batch::Sizes;
use super::super::super::digesting::Digesting;
use super::super::super::walk::{read_through, walk_by};
use super::*;

const READERS: [Reader; 4] = [
    TAR_GZ,
    Reader::Argo(Format::Zip),
    Reader::AnyTar { is_gzipped: true },
    Reader::AnyTar { is_gzipped: false },
];

/// All that came of a walk. Which thread did it is nothing of that.
type Outcome = (Result<(Result<ObjectDigest, Broken>, u64), (u64, String)>, Vec<String>, Vec<u8>);

fn outcome(walked: Result<(Result<ObjectDigest, Broken>, u64), ReadError>, heard: Heard) -> Outcome {
    let walked = walked.map_err(|error| (error.after, error.source.to_string()));
    // What was told of an object that could not be read is nobody's business.
    let Heard { told, content, .. } = if walked.is_ok() { heard } else { Heard::default() };
    (walked, told, content)
}

/// On one thread.
fn inline(reader: Reader, source: impl Read, sizes: Sizes) -> Outcome {
    let mut heard = Heard::default();
    let digesting = RefCell::new(Digesting::new(&mut heard));
    let through = read_through(reader, source, LIMITS, sizes, &digesting);
    let digest = digesting.into_inner().finish();
    outcome(through.map(|through| (through.end.map(|()| digest), through.entries)), heard)
}

/// On two, as soon as anything is full.
fn apart(reader: Reader, source: impl Read, sizes: Sizes) -> Outcome {
    let mut heard = Heard::default();
    let walked = walk_by(reader, source, LIMITS, sizes, &mut heard);
    outcome(walked.map(|walked| (walked.object, walked.entries)), heard)
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let noisy = (0_usize..5000).prop_map(noise);
    prop_oneof![noisy, vec(0_u8..3, 0..3000), Just(vec![b'a'; 100_000]), Just(Vec::new())]
}

fn steps() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), Just(vec![63 * 1024]), Just(vec![usize::MAX]), vec(1_usize..2000, 1..5)]
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (1_usize..3000, 1_usize..9000, 1_usize..20).prop_map(|(object, content, told)| Sizes {
        object,
        content,
        told,
    })
}

/// What becomes of an archive on the way.
#[derive(Debug, Clone)]
enum Harm {
    None,
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Longer(Vec<u8>),
}

impl Harm {
    fn done(&self, mut archive: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Cut(at) => archive.truncate(at.index(archive.len())),
            Self::Flip(at, bit) => {
                let at = at.index(archive.len());
                archive[at] ^= 1 << bit;
            }
            Self::Longer(more) => archive.extend_from_slice(more),
        }
        archive
    }
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        2 => Just(Harm::None),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        2 => (any::<prop::sample::Index>(), 0_u8..8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        1 => vec(any::<u8>(), 1..600).prop_map(Harm::Longer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn two_threads_say_what_one_says(
        files in vec(file(), 0..8),
        reader in prop::sample::select(&READERS[..]),
        harm in harm(),
        sizes in sizes(),
        steps in steps(),
        fails in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let archive = harm.done(pack(reader, &files));
        let fails_at = fails.map(|at| at.index(archive.len() + 1));
        let source = || Odd::new(&archive, &steps, fails_at);
        let one = inline(reader, source(), sizes);
        prop_assert_eq!(&apart(reader, source(), sizes), &one);
        if let Err((after, _)) = &one.0 {
            prop_assert_eq!(Some(*after), fails_at.map(|at| at as u64));
        }
        // Of an archive that came whole, how it came and what went together says nothing.
        if let (Harm::None, None) = (&harm, fails_at) {
            prop_assert_eq!(&inline(reader, &archive[..], Sizes::USUAL), &one);
            let (object, entries) = one.0.unwrap();
            prop_assert_eq!(object.unwrap().digest, Sha256Digest::of(&archive));
            let directories = usize::from(reader != Reader::Argo(Format::Zip));
            prop_assert_eq!(entries, (files.len() + directories) as u64);
        }
    }
}
