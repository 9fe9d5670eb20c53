//! Row images: where the values of the key lie in one, and where it ends.

use super::bits::Bits;
use super::layout::{Column, Span};
use crate::error::Result;
use crate::wire::Wire;

/// Columns that a key may have: as many as an index of MySQL and half of MariaDB's.
pub const MAX_KEY: usize = 16;
/// No key column is one of this number.
const NO_KEY: u8 = u8::MAX;

/// A value of the key in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// The image leaves the column out.
    Absent,
    Null,
    At(&'a [u8]),
}

/// A table's columns, made ready for walking through images.
pub struct Walk {
    /// Of each column its length, and its number in the key.
    steps: Vec<(Span, u8)>,
    pub keys: usize,
    json_columns: usize,
}

impl Walk {
    /// `places` are the key's columns, in the key's order.
    pub fn new(columns: &[Column], places: &[usize]) -> Self {
        let number = |at| places.iter().position(|&place| place == at).map_or(NO_KEY, |number| number as u8);
        Self {
            steps: columns.iter().enumerate().map(|(at, column)| (column.span, number(at))).collect(),
            keys: places.len(),
            json_columns: columns.iter().filter(|column| column.code == super::layout::code::JSON).count(),
        }
    }

    pub fn columns(&self) -> usize {
        self.steps.len()
    }

    /// Passes over what precedes the new row where JSON is logged in parts: whether it is, and of which columns.
    pub fn skip_partial(&self, wire: &mut Wire) -> Result<()> {
        const PARTIAL_JSON: u64 = 1;
        if wire.length()? & PARTIAL_JSON != 0 {
            wire.take(self.json_columns.div_ceil(8))?;
        }
        Ok(())
    }

    /// Walks through an image that has the columns `present`, and notes where the key's values are.
    #[inline]
    pub fn image<'a>(&self, wire: &mut Wire<'a>, present: Present, slots: &mut [Slot<'a>]) -> Result<()> {
        slots.fill(Slot::Absent);
        let nulls = Bits(wire.take(present.count.div_ceil(8))?);
        let mut at = 0;
        for (column, &(span, key)) in self.steps.iter().enumerate() {
            if present.count != self.steps.len() && !present.bits.get(column) {
                continue;
            }
            let is_null = nulls.get(at);
            at += 1;
            if is_null {
                if let Some(slot) = slots.get_mut(usize::from(key)) {
                    *slot = Slot::Null;
                }
                continue;
            }
            let length = match span {
                Span::Fixed(length) => length as usize,
                Span::Counted(1) => wire.u8()? as usize,
                Span::Counted(2) => wire.u16()? as usize,
                Span::Counted(bytes) => long(wire, bytes)?,
            };
            let value = wire.take(length)?;
            if let Some(slot) = slots.get_mut(usize::from(key)) {
                *slot = Slot::At(value);
            }
        }
        Ok(())
    }
}

fn long(wire: &mut Wire, bytes: u8) -> Result<usize> {
    let mut length = [0; 4];
    length[..usize::from(bytes)].copy_from_slice(wire.take(bytes.into())?);
    Ok(u32::from_le_bytes(length) as usize)
}

/// Which columns an event's images have.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    bits: Bits<'a>,
    count: usize,
}

impl<'a> Present<'a> {
    pub fn new(bytes: &'a [u8], columns: usize) -> Self {
        Self { bits: Bits(bytes), count: Bits(bytes).count(columns) }
    }
}
