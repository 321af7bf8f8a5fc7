//! The SHA extensions of x86-64: Intel's manual, volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2.
//!
//! Intrinsics are safe where they are compiled for a processor that has them, and none that takes a
//! pointer is used.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32,
};

use super::{Block, LANES, State};

/// FIPS 180-4, 4.2.2: the cube roots of the first primes, four words for each four rounds.
#[rustfmt::skip]
const K: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Moves each state on by its blocks; `false` if this processor has not what it takes.
#[allow(unsafe_code)]
pub(super) fn compress(states: &mut [State; LANES], blocks: [&[Block]; LANES]) -> bool {
    let has_all = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1");
    if has_all {
        // SAFETY: the processor has just said that it has all that the function is compiled for.
        unsafe { interleaved(states, blocks) };
    }
    has_all
}

/// A state as the instructions want it.
#[derive(Clone, Copy)]
struct Words {
    abef: __m128i,
    cdgh: __m128i,
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn interleaved(states: &mut [State; LANES], blocks: [&[Block]; LANES]) {
    let [first, second] = &*states;
    let (mut a, mut b) = (packed(first), packed(second));
    let [of_a, of_b] = blocks;
    for (block_a, block_b) in of_a.iter().zip(of_b) {
        let before = [a, b];
        let mut schedules = [loaded(block_a), loaded(block_b)];
        // Written out, so that each round's numbers are known to the compiler.
        macro_rules! rounds {
            ($($four:literal)*) => {$( four_rounds::<$four>([&mut a, &mut b], &mut schedules); )*};
        }
        rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (words, before) in [&mut a, &mut b].into_iter().zip(before) {
            words.abef = _mm_add_epi32(words.abef, before.abef);
            words.cdgh = _mm_add_epi32(words.cdgh, before.cdgh);
        }
    }
    unpack(&[a, b], states);
}

/// Rounds 4 × `FOUR` and the three that follow, of both.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn four_rounds<const FOUR: usize>([a, b]: [&mut Words; LANES], [of_a, of_b]: &mut [[__m128i; 4]; LANES]) {
    let (sum_a, sum_b) = (summands::<FOUR>(of_a), summands::<FOUR>(of_b));
    a.cdgh = _mm_sha256rnds2_epu32(a.cdgh, a.abef, sum_a);
    b.cdgh = _mm_sha256rnds2_epu32(b.cdgh, b.abef, sum_b);
    abreast(&mut a.cdgh, &mut b.cdgh);
    a.abef = _mm_sha256rnds2_epu32(a.abef, a.cdgh, _mm_shuffle_epi32::<0x0e>(sum_a));
    b.abef = _mm_sha256rnds2_epu32(b.abef, b.cdgh, _mm_shuffle_epi32::<0x0e>(sum_b));
}

/// What these four rounds add. `schedule` has the sixteen words of the message schedule that came last, four of
/// which are replaced by the next four.
#[inline]
// When it is compiled, not when it runs.
#[allow(clippy::indexing_slicing)]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn summands<const FOUR: usize>(schedule: &mut [__m128i; 4]) -> __m128i {
    let [w0, w1, w2, w3] = *schedule;
    let now = if FOUR < 4 {
        w0
    } else {
        let partial = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
        _mm_sha256msg2_epu32(partial, w3)
    };
    *schedule = [w1, w2, w3, now];
    let [k0, k1, k2, k3] = const { K[FOUR] }.map(u32::cast_signed);
    _mm_add_epi32(now, _mm_set_epi32(k3, k2, k1, k0))
}

/// Has the compiler know both before it goes on with either: nothing else binds one message to the other, and left
/// alone it has one hashed after the other, as often as not, which takes a fifth longer.
#[inline]
#[allow(unsafe_code)]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn abreast(a: &mut __m128i, b: &mut __m128i) {
    // Miri interprets no assembly, and needs no order.
    if cfg!(miri) {
        return;
    }
    // SAFETY: there is no instruction in it.
    unsafe {
        asm!(
            "/* {0} {1} */",
            inout(xmm_reg) * a,
            inout(xmm_reg) * b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
}

/// The sixteen words of a block, whose bytes come in the other order.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn loaded(block: &Block) -> [__m128i; 4] {
    let mut words = [_mm_setzero_si128(); 4];
    for (words, [low, high]) in words.iter_mut().zip(block.as_chunks::<8>().0.as_chunks::<2>().0) {
        let raw = _mm_set_epi64x(i64::from_le_bytes(*high), i64::from_le_bytes(*low));
        *words = _mm_shuffle_epi8(raw, _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    }
    words
}

#[inline]
// As FIPS 180-4 calls them.
#[allow(clippy::many_single_char_names)]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn packed(state: &State) -> Words {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    Words { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn unpack(words: &[Words; LANES], states: &mut [State; LANES]) {
    for (state, Words { abef, cdgh }) in states.iter_mut().zip(*words) {
        *state = [
            _mm_extract_epi32::<3>(abef),
            _mm_extract_epi32::<2>(abef),
            _mm_extract_epi32::<3>(cdgh),
            _mm_extract_epi32::<2>(cdgh),
            _mm_extract_epi32::<1>(abef),
            _mm_extract_epi32::<0>(abef),
            _mm_extract_epi32::<1>(cdgh),
            _mm_extract_epi32::<0>(cdgh),
        ]
        .map(i32::cast_unsigned);
    }
}
