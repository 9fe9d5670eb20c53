//! Row events: the keys of their rows go into a table's.

use std::borrow::Cow;

use super::compressed::inflate;
use super::event::kind;
use super::image::{MAX_KEY, Present, Slot, Walk};
use super::keys::Operation;
use super::tables::Table;
use super::xa::Touched;
use crate::error::{Result, broken};
use crate::wire::Wire;

/// The number of no table: it only says that a statement ends.
pub const DUMMY_TABLE: u64 = 0xFF_FFFF;

const TABLE_NUMBER: usize = 6;

/// How a type of row event is laid out.
#[derive(Clone, Copy)]
pub struct Shape {
    operation: Operation,
    /// Of the second version: more may stand in its header.
    has_extra: bool,
    is_partial: bool,
    is_compressed: bool,
}

impl Shape {
    /// None: it is no row event.
    #[inline]
    pub fn of(event: u8) -> Option<Self> {
        let (operation, has_extra) = match event {
            kind::WRITE_ROWS | kind::WRITE_ROWS_COMPRESSED => (Operation::Insert, true),
            kind::UPDATE_ROWS | kind::PARTIAL_UPDATE_ROWS | kind::UPDATE_ROWS_COMPRESSED => (Operation::Update, true),
            kind::DELETE_ROWS | kind::DELETE_ROWS_COMPRESSED => (Operation::Delete, true),
            kind::WRITE_ROWS_V1 | kind::WRITE_ROWS_COMPRESSED_V1 => (Operation::Insert, false),
            kind::UPDATE_ROWS_V1 | kind::UPDATE_ROWS_COMPRESSED_V1 => (Operation::Update, false),
            kind::DELETE_ROWS_V1 | kind::DELETE_ROWS_COMPRESSED_V1 => (Operation::Delete, false),
            _ => return None,
        };
        let is_compressed = (kind::WRITE_ROWS_COMPRESSED_V1..=kind::DELETE_ROWS_COMPRESSED).contains(&event);
        Some(Self { operation, has_extra, is_partial: event == kind::PARTIAL_UPDATE_ROWS, is_compressed })
    }
}

/// The number with which a map or a row event begins, and what follows.
#[inline]
pub fn table_number(body: &[u8]) -> Result<(u64, &[u8])> {
    let mut wire = Wire::new(body);
    let [a, b, c, d, e, f] = wire.array::<TABLE_NUMBER>()?;
    Ok((u64::from_le_bytes([a, b, c, d, e, f, 0, 0]), wire.rest))
}

/// Takes keys out of the row events of one table. Its buffers are used again for every event.
#[derive(Default)]
pub struct Taker {
    key: Vec<u8>,
    before: Vec<u8>,
}

/// Where keys go: the table with its number, and the XA transaction that they may belong to.
pub struct Into<'a> {
    pub table: &'a mut Table,
    pub number: usize,
    pub touched: Option<&'a mut Touched>,
}

impl Taker {
    /// # Errors
    /// The event's bytes are not what the map says, or a row lacks its key.
    pub fn take(&mut self, shape: Shape, event: &[u8], walk: &Walk, into: &mut Into, max_event: usize) -> Result<()> {
        let mut wire = Wire::new(event);
        wire.u16()?; // flags
        if shape.has_extra {
            let length = wire.u16()?;
            wire.take(usize::from(length).saturating_sub(2))?;
        }
        let columns = usize::try_from(wire.length()?).unwrap_or(usize::MAX);
        if columns != walk.columns() {
            return broken(format!("an event of {columns} columns, and the table has {}", walk.columns()));
        }
        let first = Present::new(wire.take(columns.div_ceil(8))?, columns);
        let second = match shape.operation {
            Operation::Update => Some(Present::new(wire.take(columns.div_ceil(8))?, columns)),
            _ => None,
        };
        let rows =
            if shape.is_compressed { Cow::Owned(inflate(wire.rest, max_event)?) } else { Cow::Borrowed(wire.rest) };
        let mut rows = Wire::new(&rows);
        let (mut slots, mut old) = ([Slot::Absent; MAX_KEY], [Slot::Absent; MAX_KEY]);
        let (slots, old) = (&mut slots[..walk.keys], &mut old[..walk.keys]);
        while !rows.rest.is_empty() {
            let left = rows.rest.len();
            walk.image(&mut rows, first, slots)?;
            if let Some(second) = second {
                old.copy_from_slice(slots);
                if shape.is_partial {
                    walk.skip_partial(&mut rows)?;
                }
                walk.image(&mut rows, second, slots)?;
                self.changed(old, slots, into)?;
            } else {
                encode(slots, into.table, &mut self.key)?;
                put(&self.key, shape.operation, into)?;
            }
            if rows.rest.len() == left {
                return broken("a row of no bytes");
            }
            into.table.rows += 1;
        }
        Ok(())
    }

    /// An update: the row's key is that of the new image, as far as this has it, and of the old one.
    #[inline]
    fn changed<'a>(&mut self, old: &[Slot<'a>], new: &mut [Slot<'a>], into: &mut Into) -> Result<()> {
        for (new, old) in new.iter_mut().zip(old) {
            if *new == Slot::Absent {
                *new = *old;
            }
        }
        encode(new, into.table, &mut self.key)?;
        if new != old {
            encode(old, into.table, &mut self.before)?;
            put(&self.before, Operation::Delete, into)?;
        }
        put(&self.key, Operation::Update, into)
    }
}

#[inline]
fn put(key: &[u8], operation: Operation, into: &mut Into) -> Result<()> {
    let Some(at) = into.table.keys.put(key, operation) else { return broken("its keys are more than 4 GiB") };
    if let Some(touched) = &mut into.touched {
        touched.note(into.number, Some(at));
    }
    Ok(())
}

/// The key's values one behind the other, with their lengths where these differ.
#[inline]
fn encode(slots: &[Slot], table: &Table, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    for (slot, kind) in slots.iter().zip(table.kinds()) {
        match *slot {
            Slot::At(bytes) => {
                if kind.width().is_none() {
                    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                }
                out.extend_from_slice(bytes);
            }
            Slot::Null => return broken("a key without a value"),
            Slot::Absent => return broken("a row's image lacks its key"),
        }
    }
    Ok(())
}
