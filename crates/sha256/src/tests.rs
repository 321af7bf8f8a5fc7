//! Held to `sha2`, which is another's, and to published examples.

use sha2::Digest as _;

use super::*;

/// Numbers without a pattern, the same in each run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: u64) -> usize {
        usize::try_from(self.draw() % most).unwrap()
    }

    fn message(&mut self, longest: u64) -> Vec<u8> {
        // Most are short, and many end just before or after a block does.
        let length = match self.draw() % 4 {
            0 => self.below(longest),
            1 => (self.below(longest / 64 + 1) * 64 + self.below(12)).saturating_sub(10),
            _ => self.below(300),
        };
        let mut bytes = vec![0; length];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }
}

/// The digests, each message given in pieces of so many blocks, beside all others.
fn digests(messages: &[Vec<u8>], piece: usize) -> Vec<[u8; 32]> {
    let mut hashes = vec![Sha256::new(); messages.len()];
    let mut left: Vec<_> = messages.iter().map(|message| message.as_chunks::<64>()).collect();
    while left.iter().any(|(blocks, _)| !blocks.is_empty()) {
        let mut parts: Vec<_> = hashes
            .iter_mut()
            .zip(&mut left)
            .map(|(hash, (blocks, _))| {
                let (now, later) = blocks.split_at(piece.min(blocks.len()));
                *blocks = later;
                (hash, now)
            })
            .collect();
        update_together(&mut parts);
    }
    hashes.into_iter().zip(left).map(|(hash, (_, rest))| hash.finish(rest)).collect()
}

fn agrees(messages: usize) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut done = 0;
    while done < messages {
        let together: Vec<_> = (0..=numbers.below(9)).map(|_| numbers.message(2048)).collect();
        let piece = 1 + numbers.below(40);
        for (message, digest) in together.iter().zip(digests(&together, piece)) {
            let lengths = together.iter().map(Vec::len).collect::<Vec<_>>();
            assert_eq!(digest, <[u8; 32]>::from(sha2::Sha256::digest(message)), "{lengths:?} by {piece}");
        }
        done += together.len();
    }
}

#[test]
fn agrees_with_sha2_on_a_hundred_thousand_messages() {
    agrees(100_000);
}

#[test]
#[ignore = "some ten seconds of a release build"]
fn agrees_with_sha2_on_ten_million_messages() {
    agrees(10_000_000);
}

#[test]
fn agrees_with_sha2_on_every_length_in_every_company() {
    let of = |length: usize| {
        (0..length).map(|n| u8::try_from((n * 7 + length) % 251).unwrap()).collect::<Vec<_>>()
    };
    for length in 0..300 {
        for company in [0, 1, 2, 3, 4] {
            let mut together = vec![of(length)];
            together.extend((0..company).map(|n| of((length * (n + 3)) % 511)));
            let expected: Vec<_> =
                together.iter().map(|m| <[u8; 32]>::from(sha2::Sha256::digest(m))).collect();
            assert_eq!(digests(&together, 3), expected, "{length} beside {company}");
        }
    }
}

/// FIPS 180-4's examples, of NIST's own page of them.
#[test]
fn agrees_with_the_published_examples() {
    let long = vec![b'a'; 1_000_000];
    let examples: [(&[u8], &str); 4] = [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (&long, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ];
    let messages = examples.map(|(message, _)| message.to_vec());
    for (digest, (_, expected)) in digests(&messages, 1000).into_iter().zip(examples) {
        let expected: Vec<_> =
            expected.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap()).collect();
        let expected = expected.iter().map(|two| u8::from_str_radix(two, 16).unwrap());
        assert!(digest.into_iter().eq(expected));
    }
}

/// The other way is what a processor without the instructions goes: both are one.
#[test]
#[cfg(target_arch = "x86_64")]
fn with_and_without_the_instructions_it_is_the_same() {
    let mut numbers = Numbers(7);
    let blocks: Vec<Block> =
        (0..64).map(|_| std::array::from_fn(|_| numbers.draw().to_le_bytes()[0])).collect();
    let lanes: Vec<&[Block]> = blocks.chunks(32).collect();
    let mut with = [BEGIN; LANES];
    if !x86::compress(&mut with, [lanes[0], lanes[1]]) {
        eprintln!("skipped: needs a processor with the SHA extensions");
        return;
    }
    for (state, blocks) in with.iter().zip(lanes) {
        let mut without = BEGIN;
        compress256(&mut without, blocks);
        assert_eq!(*state, without);
    }
}
