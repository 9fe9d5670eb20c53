//! A fingerprint of rows that the server can compute too: MD5 of each row's canonical bytes, summed in any order.

use md5::{Digest, Md5};

use crate::column::{Column, Kind};
use crate::md5x8::{BLOCK, LANES, first_halves, pad};
use crate::value::Value;

/// Rows up to this many blocks wait for seven others of as many; longer ones are hashed alone.
const WAITING_BLOCKS: usize = 32;

/// The sum of the rows' hashes, each the first 8 bytes of its MD5, big-endian.
#[derive(Default)]
pub struct RowHash {
    row: Vec<u8>,
    /// By number of blocks less one. That the sum has no order lets rows wait for others of the same length.
    waiting: [Vec<u8>; WAITING_BLOCKS],
    sum: u128,
}

impl RowHash {
    pub fn null(&mut self) {
        self.row.extend_from_slice(b"N,");
    }

    pub fn piece(&mut self, column: &Column, value: &Value) {
        match (column.kind, value) {
            (Kind::Text, Value::Bytes(text)) => {
                self.row.extend_from_slice(itoa::Buffer::new().format(text.len()).as_bytes());
                self.row.push(b':');
                self.row.extend_from_slice(text);
            }
            (_, Value::Bytes(bytes)) => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                self.row
                    .extend(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
            }
            (kind, value) => value.print(kind.digits(), &mut self.row),
        }
        self.row.push(b',');
    }

    pub fn end_row(&mut self) {
        if self.row.len() + 9 > WAITING_BLOCKS * BLOCK {
            let digest: [u8; 16] = Md5::digest(&self.row).into();
            let [a, b, c, d, e, f, g, h, ..] = digest;
            self.sum += u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        } else {
            let blocks = pad(&mut self.row);
            let queue = &mut self.waiting[blocks - 1];
            queue.extend_from_slice(&self.row);
            if queue.len() == LANES * blocks * BLOCK {
                self.sum += total(queue, blocks);
                queue.clear();
            }
        }
        self.row.clear();
    }

    /// Of all rows so far, those that wait included.
    pub fn sum(&self) -> u128 {
        self.waiting.iter().enumerate().fold(self.sum, |sum, (at, queue)| sum + total(queue, at + 1))
    }
}

fn total(queue: &[u8], blocks: usize) -> u128 {
    let messages = queue.len() / (blocks * BLOCK);
    if messages == 0 {
        return 0;
    }
    first_halves(queue, blocks)[..messages].iter().map(|&half| u128::from(half)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_wait_and_rows_that_are_long_count_alike() {
        let (mut hash, mut expected) = (RowHash::default(), 0u128);
        for row in 0..200usize {
            let length = row * row % 2500;
            hash.row = (0..length).map(|at| (at + row) as u8).collect();
            let digest: [u8; 16] = Md5::digest(&hash.row).into();
            expected += u128::from(u64::from_be_bytes(*digest.first_chunk().unwrap()));
            hash.end_row();
            assert_eq!(hash.sum(), expected, "{row}");
        }
    }
}
