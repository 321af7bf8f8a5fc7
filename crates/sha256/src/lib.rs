//! SHA-256 (FIPS 180-4) of several messages at a time, on one core.
//!
//! A message is hashed block after block, and the instructions that x86-64 has for it take longer
//! than it takes until the next one can begin: one message leaves half of what the core could do
//! unused. [`update_together`] has the blocks of two messages hashed in turns, instruction by
//! instruction, in half the time. Four at once do not fit into the registers, and are no quicker.
//! Where a processor has no such instructions, or there is only one message, it is what `sha2` does.
//!
//! A crate of its own, since calling what is compiled for some processors only is `unsafe`, and
//! nothing else in argo-attest may be. There is one such call, in `x86.rs`, and no pointer; and one
//! line of assembly without an instruction, which keeps the compiler from untangling the turns.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use sha2::block_api::compress256;

/// What is hashed at a time.
pub type Block = [u8; 64];

/// The words between two blocks.
type State = [u32; 8];

/// How many messages are hashed at once, at most; more of them take turns.
pub const LANES: usize = 2;

/// Of an empty message: the square roots of the first primes.
const BEGIN: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A message as far as it is known: so many whole blocks.
#[derive(Debug, Clone)]
pub struct Sha256 {
    state: State,
    blocks: u64,
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// An empty message.
    pub fn new() -> Self {
        Self { state: BEGIN, blocks: 0 }
    }

    /// The message goes on with these blocks.
    pub fn update(&mut self, blocks: &[Block]) {
        compress256(&mut self.state, blocks);
        self.blocks += blocks.len() as u64;
    }

    /// The digest, the message having ended with these bytes.
    #[must_use]
    pub fn finish(mut self, rest: &[u8]) -> [u8; 32] {
        let (blocks, rest) = rest.as_chunks();
        self.update(blocks);
        let bits = (self.blocks * 64 + rest.len() as u64) * 8;
        // A one, zeroes, and the length in the last eight bytes of a block.
        let mut end = rest.to_vec();
        end.push(0x80);
        end.resize((end.len() + 8).next_multiple_of(64) - 8, 0);
        end.extend(bits.to_be_bytes());
        self.update(end.as_chunks().0);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

/// Each of the messages goes on with its blocks.
pub fn update_together(messages: &mut [(&mut Sha256, &[Block])]) {
    let mut parts: Vec<_> = messages.iter_mut().map(|(message, blocks)| (&mut **message, *blocks)).collect();
    loop {
        parts.retain(|(_, blocks)| !blocks.is_empty());
        match parts.as_mut_slice() {
            [] => return,
            [(message, blocks)] => message.update(std::mem::take(blocks)),
            [a, b, ..] => step([a, b]),
        }
    }
}

/// As many blocks of each as the shortest has.
fn step(parts: [&mut (&mut Sha256, &[Block]); LANES]) {
    let shared = parts.iter().map(|(_, blocks)| blocks.len()).min().unwrap_or_default();
    let mut states = parts.each_ref().map(|(message, _)| message.state);
    let now = parts.each_ref().map(|(_, blocks)| blocks.get(..shared).unwrap_or_default());
    compress(&mut states, now);
    for ((message, blocks), state) in parts.into_iter().zip(states) {
        message.state = state;
        message.blocks += shared as u64;
        *blocks = blocks.get(shared..).unwrap_or_default();
    }
}

/// Each state moves on by its blocks, of which all have equally many.
fn compress(states: &mut [State; LANES], blocks: [&[Block]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    if x86::compress(states, blocks) {
        return;
    }
    for (state, blocks) in states.iter_mut().zip(blocks) {
        compress256(state, blocks);
    }
}
