//! SHA-256 of what comes in pieces of any length, two at a time where there are two.

use argo_attest_sha256::{Block, Sha256, update_together};

use crate::digest::Sha256Digest;

/// Pieces that are shorter are not worth being paired.
const PAIRED: usize = 1024;

/// A message as far as it came.
#[derive(Debug, Clone)]
pub(super) struct Message {
    hasher: Sha256,
    /// The beginning of a block whose end did not come yet.
    begun: Block,
    /// How much of that is there.
    held: usize,
}

impl Default for Message {
    fn default() -> Self {
        Self { hasher: Sha256::new(), begun: [0; 64], held: 0 }
    }
}

impl Message {
    /// The message goes on with these bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let whole = self.whole(bytes);
        self.hasher.update(whole);
    }

    /// Both go on with as much of their bytes as both have: how much that is. It takes the time
    /// of one.
    pub(super) fn update_both(one: (&mut Self, &[u8]), other: (&mut Self, &[u8])) -> usize {
        let shared = one.1.len().min(other.1.len());
        if shared < PAIRED {
            return 0;
        }
        let [one, other] = [one, other].map(|(message, bytes)| {
            let whole = message.whole(bytes.get(..shared).unwrap_or_default());
            (&mut message.hasher, whole)
        });
        update_together(&mut [one, other]);
        shared
    }

    pub(super) fn finish(self) -> Sha256Digest {
        Sha256Digest::from_lane(self.hasher, self.begun.get(..self.held).unwrap_or_default())
    }

    /// The whole blocks of what comes. What is before them completes the block that was begun,
    /// which is digested at once; what is after them begins another.
    fn whole<'b>(&mut self, bytes: &'b [u8]) -> &'b [Block] {
        let bytes = if self.held == 0 { bytes } else { self.complete(bytes) };
        let (whole, rest) = bytes.as_chunks();
        self.hold(rest);
        whole
    }

    fn complete<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (first, bytes) = bytes.split_at(bytes.len().min(self.begun.len() - self.held));
        self.hold(first);
        if self.held == self.begun.len() {
            self.hasher.update(std::slice::from_ref(&self.begun));
            self.held = 0;
        }
        bytes
    }

    fn hold(&mut self, bytes: &[u8]) {
        let end = self.held + bytes.len();
        if let Some(room) = self.begun.get_mut(self.held..end) {
            room.copy_from_slice(bytes);
            self.held = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Alone, or as far as it goes beside the other message.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        One(usize),
        Other(usize),
        Both(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let length = || prop_oneof![0_usize..200, 0_usize..5000];
        prop_oneof![
            length().prop_map(Step::One),
            length().prop_map(Step::Other),
            (length(), length()).prop_map(|(one, other)| Step::Both(one, other)),
        ]
    }

    proptest! {
        #[test]
        fn pieces_make_the_digest_of_the_whole(steps in vec(step(), 0..20), seed in any::<u8>()) {
            let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n / 7).to_le_bytes()[0] ^ seed).collect();
            let (mut one, mut other) = (Message::default(), Message::default());
            let (mut at_one, mut at_other) = (0, 1);
            for step in steps {
                match step {
                    Step::One(count) => {
                        one.update(&bytes[at_one..][..count]);
                        at_one += count;
                    }
                    Step::Other(count) => {
                        other.update(&bytes[at_other..][..count]);
                        at_other += count;
                    }
                    Step::Both(a, b) => {
                        let (a, b) = (&bytes[at_one..][..a], &bytes[at_other..][..b]);
                        let count = Message::update_both((&mut one, a), (&mut other, b));
                        prop_assert!(count == a.len().min(b.len()) || count == 0 && a.len().min(b.len()) < PAIRED);
                        (at_one, at_other) = (at_one + count, at_other + count);
                    }
                }
            }
            prop_assert_eq!(one.finish(), Sha256Digest::of(&bytes[..at_one]));
            prop_assert_eq!(other.finish(), Sha256Digest::of(&bytes[1..at_other]));
        }
    }
}
