//! MD5 of eight messages side by side.
//!
//! Every step of MD5 waits for the one before, so that a single message leaves most of a processor idle. Here each step
//! is done for eight messages, one a lane.

use wide::u32x8;

pub const LANES: usize = 8;

/// Bytes that MD5 takes at a time.
pub const BLOCK: usize = 64;

/// In place of a message that is missing.
const NONE: [u8; BLOCK] = [0; BLOCK];

const START: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];

/// `2^32 · |sin(step + 1)|`.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613, 0xFD46_9501,
    0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193, 0xA679_438E, 0x49B4_0821,
    0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D, 0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8,
    0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED, 0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A,
    0xFFFA_3942, 0x8771_F681, 0x6D9D_6122, 0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70,
    0x289B_7EC6, 0xEAA1_27FA, 0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665,
    0xF429_2244, 0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
    0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB, 0xEB86_D391,
];

/// Ends a message as MD5 wants it: a bit, zeros and the length, up to a whole number of blocks, which is returned.
pub fn pad(message: &mut Vec<u8>) -> usize {
    let bits = (message.len() as u64).wrapping_mul(8);
    let blocks = (message.len() + 8) / BLOCK + 1;
    message.push(0x80);
    message.resize(blocks * BLOCK - 8, 0);
    message.extend_from_slice(&bits.to_le_bytes());
    blocks
}

/// The first 8 bytes, big-endian, of the MD5 of each of eight padded messages, which lie one after the other and have
/// `blocks` blocks each. Lanes beyond the end of `messages` are of no message.
pub fn first_halves(messages: &[u8], blocks: usize) -> [u64; LANES] {
    let mut state = START.map(u32x8::splat);
    for block in 0..blocks {
        let at = |lane: usize| lane * blocks * BLOCK + block * BLOCK;
        let lanes: [&[u8; BLOCK]; LANES] =
            std::array::from_fn(|lane| messages.get(at(lane)..).and_then(<[u8]>::first_chunk).unwrap_or(&NONE));
        let words = std::array::from_fn(|word| {
            u32x8::new(lanes.map(|bytes| {
                let at = 4 * word;
                u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            }))
        });
        state = compress(state, &words);
    }
    let [a, b, ..] = state.map(u32x8::to_array);
    std::array::from_fn(|lane| u64::from(a[lane].swap_bytes()) << 32 | u64::from(b[lane].swap_bytes()))
}

#[inline]
fn compress(before: [u32x8; 4], words: &[u32x8; 16]) -> [u32x8; 4] {
    let state = before;
    let state = round::<0, 7, 12, 17, 22>(state, words, |b, c, d| d ^ (b & (c ^ d)), |step| step % 16);
    let state = round::<16, 5, 9, 14, 20>(state, words, |b, c, d| c ^ (d & (b ^ c)), |step| (5 * step + 1) % 16);
    let state = round::<32, 4, 11, 16, 23>(state, words, |b, c, d| b ^ c ^ d, |step| (3 * step + 5) % 16);
    let state = round::<48, 6, 10, 15, 21>(state, words, |b, c, d| c ^ (b | !d), |step| 7 * step % 16);
    std::array::from_fn(|at| state[at] + before[at])
}

/// Sixteen steps from `FIRST` on; each four turn by the same numbers of bits.
#[inline(always)]
fn round<const FIRST: usize, const S: u32, const T: u32, const U: u32, const V: u32>(
    [mut a, mut b, mut c, mut d]: [u32x8; 4],
    words: &[u32x8; 16],
    mix: impl Fn(u32x8, u32x8, u32x8) -> u32x8,
    pick: impl Fn(usize) -> usize,
) -> [u32x8; 4] {
    let known = |before: u32x8, step: usize| before + words[pick(step)] + u32x8::splat(SINES[step]);
    for step in (FIRST..FIRST + 16).step_by(4) {
        a = b + turn::<S>(known(a, step) + mix(b, c, d));
        d = a + turn::<T>(known(d, step + 1) + mix(a, b, c));
        c = d + turn::<U>(known(c, step + 2) + mix(d, a, b));
        b = c + turn::<V>(known(b, step + 3) + mix(c, d, a));
    }
    [a, b, c, d]
}

#[inline(always)]
fn turn<const BITS: u32>(lanes: u32x8) -> u32x8 {
    (lanes << BITS) | (lanes >> (32 - BITS))
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::*;

    fn one_by_one(message: &[u8]) -> u64 {
        let digest: [u8; 16] = Md5::digest(message).into();
        u64::from_be_bytes(*digest.first_chunk().unwrap())
    }

    #[test]
    fn as_one_message_after_the_other_at_every_length() {
        for length in 0..300 {
            let plain: Vec<Vec<u8>> =
                (0..LANES).map(|lane| (0..length).map(|at| (at * 7 + lane * 31 + length) as u8).collect()).collect();
            let mut joined = vec![];
            let mut blocks = 0;
            for message in &plain {
                let mut padded = message.clone();
                blocks = pad(&mut padded);
                assert_eq!(padded.len(), blocks * BLOCK);
                joined.extend_from_slice(&padded);
            }
            let expected: Vec<u64> = plain.iter().map(|message| one_by_one(message)).collect();
            assert_eq!(first_halves(&joined, blocks).to_vec(), expected, "{length}");
        }
    }

    #[test]
    fn fewer_than_eight_messages() {
        let mut message = b"The quick brown fox jumps over the lazy dog".to_vec();
        let blocks = pad(&mut message);
        assert_eq!(first_halves(&message, blocks)[0], 0x9E10_7D9D_372B_B682);
    }
}
