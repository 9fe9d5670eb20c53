//! A fingerprint of rows that the server can compute too: MD5 of each row's canonical bytes, summed in any order.

use md5::{Digest, Md5};

use crate::column::{Column, Kind};
use crate::value::Value;

/// The sum of the rows' hashes, each the first 8 bytes of its MD5, big-endian.
#[derive(Default)]
pub struct RowHash {
    row: Vec<u8>,
    pub sum: u128,
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
        let digest: [u8; 16] = Md5::digest(&self.row).into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        self.sum += u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        self.row.clear();
    }
}
