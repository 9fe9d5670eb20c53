//! A fingerprint of rows that the server can compute too: SHA-256 of each row's canonical bytes, summed in any order.

use sha2::{Digest, Sha256};

use crate::column::{Column, Kind};
use crate::value::Value;

/// The sum of the rows' hashes, each the first 8 bytes of its SHA-256, big-endian.
#[derive(Default)]
pub struct RowHash {
    row: Vec<u8>,
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
            (_, Value::Bytes(bytes)) => hexadecimal(bytes, &mut self.row),
            // The bytes and not the digits: servers do not agree on these, and MySQL's do not tell all doubles apart.
            (_, Value::F32(value)) => hexadecimal(&f64::from(*value).to_le_bytes(), &mut self.row),
            (_, Value::F64(value)) => hexadecimal(&value.to_le_bytes(), &mut self.row),
            (kind, value) => value.print(kind.digits(), &mut self.row),
        }
        self.row.push(b',');
    }

    pub fn end_row(&mut self) {
        self.sum += u128::from(first_half(&self.row));
        self.row.clear();
    }

    /// Of all rows so far.
    pub fn sum(&self) -> u128 {
        self.sum
    }
}

pub fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
}

/// The first 8 bytes of the SHA-256 of a row's text.
pub fn first_half(row: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(row).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Form;

    #[test]
    fn a_row_of_each_kind_of_piece() {
        let column = |kind| Column { name: "c".into(), kind, form: Form::Bytes };
        let mut hash = RowHash::default();
        hash.null();
        hash.piece(&column(Kind::Text), &Value::Bytes("N,ä".as_bytes()));
        hash.piece(&column(Kind::Bytes), &Value::Bytes(&[0, 0xAB]));
        hash.piece(&column(Kind::Double), &Value::F64(-0.0));
        hash.piece(&column(Kind::Float), &Value::F32(0.1));
        hash.piece(&column(Kind::Int { bytes: 4, unsigned: false }), &Value::Int(-7));
        assert_eq!(hash.row, "N,4:N,ä,00AB,0000000000000080,000000A09999B93F,-7,".as_bytes());
    }

    #[test]
    fn the_sum_of_the_first_halves() {
        let mut hash = RowHash::default();
        for row in ["abc", ""] {
            hash.row = row.into();
            hash.end_row();
        }
        assert_eq!(hash.sum(), 0xBA78_16BF_8F01_CFEA + 0xE3B0_C442_98FC_1C14);
    }
}
