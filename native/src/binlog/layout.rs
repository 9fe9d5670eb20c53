//! The columns of a table as its map in the binlog has them: how long each value is, and where the keys are.

use super::decode;
use crate::error::{Result, broken};
use crate::wire::Wire;

/// MySQL allows 4,096 columns, MariaDB as many.
const MAX_COLUMNS: u64 = 4096;
/// The kind of optional metadata that holds the columns' names. Other kinds are passed over, known or not.
const NAMES: u8 = 4;

/// How many bytes a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Fixed(u32),
    /// So many bytes hold the length of what follows.
    Counted(u8),
}

/// A column: its type with the type's arguments, as far as a key needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub code: u8,
    /// The two bytes of its metadata, or as many as it has.
    pub meta: [u8; 2],
    pub span: Span,
}

/// Codes of the types, as both servers have them; of the type `STRING` the real one.
pub mod code {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    pub const BLOB_COMPRESSED: u8 = 140;
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const BLOB: u8 = 252;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// A table's map: what stands before its rows in the binlog.
pub struct Map<'a> {
    pub database: &'a [u8],
    pub table: &'a [u8],
    rest: Wire<'a>,
}

/// Of every column, where the server tells them.
pub type Names<'a> = Option<Vec<&'a [u8]>>;

impl<'a> Map<'a> {
    /// Reads the names, which is all that is needed of most tables. Begins behind the table's number.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        let mut rest = Wire::new(body);
        rest.u16()?; // flags
        let mut name = || {
            let length = rest.u8()?;
            let name = rest.take(length.into())?;
            rest.u8()?;
            Result::Ok(name)
        };
        let (database, table) = (name()?, name()?);
        Ok(Self { database, table, rest })
    }

    /// The columns, and their names where the server tells them.
    ///
    /// # Errors
    /// A column's type is unknown, so that the lengths of its values are too.
    pub fn columns(&self) -> Result<(Vec<Column>, Names<'a>)> {
        let mut wire = self.rest;
        let count = wire.length()?;
        if count > MAX_COLUMNS {
            return broken(format!("a table of {count} columns"));
        }
        let codes = wire.take(count as usize)?;
        let mut metadata = Wire::new(wire.bytes()?);
        let columns = codes.iter().map(|&code| column(code, &mut metadata)).collect::<Result<Vec<_>>>()?;
        wire.take(codes.len().div_ceil(8))?; // which may be NULL
        let mut names = None;
        while !wire.rest.is_empty() {
            let kind = wire.u8()?;
            let field = wire.bytes()?;
            if kind == NAMES {
                names = Some(all_names(field)?);
            }
        }
        Ok((columns, names))
    }
}

fn all_names(field: &[u8]) -> Result<Vec<&[u8]>> {
    let mut wire = Wire::new(field);
    let mut names = vec![];
    while !wire.rest.is_empty() {
        names.push(wire.bytes()?);
    }
    Ok(names)
}

/// MySQL's `Table_map_event` and `calc_field_size` say how much metadata each type has, and what it means.
fn column(code: u8, metadata: &mut Wire) -> Result<Column> {
    let mut meta = [0; 2];
    let count = match code {
        code::FLOAT | code::DOUBLE | code::TIMESTAMP2 | code::DATETIME2 | code::TIME2 | code::JSON | code::VECTOR => 1,
        code::TINY_BLOB..=code::BLOB | code::GEOMETRY | code::BLOB_COMPRESSED => 1,
        code::VARCHAR | code::VARCHAR_COMPRESSED | code::BIT | code::NEWDECIMAL => 2,
        code::ENUM | code::SET | code::STRING => 2,
        code::TINY..=code::LONG | code::NULL..=code::NEWDATE => 0,
        other => return broken(format!("a column has type {other}, which is unknown")),
    };
    meta[..count].copy_from_slice(metadata.take(count)?);
    let fraction = u32::from(meta[0]).div_ceil(2);
    let counted = |bytes: u8| match bytes {
        1..=4 => Ok(Span::Counted(bytes)),
        other => broken(format!("a length of {other} bytes")),
    };
    let up_to = |length: u16| Span::Counted(if length > 255 { 2 } else { 1 });
    let (code, span) = match code {
        code::NULL => (code, Span::Fixed(0)),
        code::TINY | code::YEAR => (code, Span::Fixed(1)),
        code::SHORT => (code, Span::Fixed(2)),
        code::INT24 | code::DATE | code::NEWDATE | code::TIME => (code, Span::Fixed(3)),
        code::LONG | code::FLOAT | code::TIMESTAMP => (code, Span::Fixed(4)),
        code::LONGLONG | code::DOUBLE | code::DATETIME => (code, Span::Fixed(8)),
        code::TIMESTAMP2 => (code, Span::Fixed(4 + fraction)),
        code::DATETIME2 => (code, Span::Fixed(5 + fraction)),
        code::TIME2 => (code, Span::Fixed(3 + fraction)),
        code::BIT => (code, Span::Fixed(u32::from(meta[1]) + u32::from(meta[0] > 0))),
        code::NEWDECIMAL => (code, Span::Fixed(decimal_bytes(meta)?)),
        code::VARCHAR | code::VARCHAR_COMPRESSED => (code, up_to(u16::from_le_bytes(meta))),
        code::ENUM | code::SET | code::STRING => string(code, meta),
        _ => (code, counted(meta[0])?),
    };
    Ok(Column { code, meta, span })
}

/// `STRING` stands for ENUM and SET too, and has the two highest bits of a CHAR's length in its type, inverted.
fn string(code: u8, [real, length]: [u8; 2]) -> (u8, Span) {
    match if code == code::STRING { real } else { code } {
        real @ (code::ENUM | code::SET) => (real, Span::Fixed(length.into())),
        0 => (code::STRING, Span::Counted(1)),
        real => {
            let high = u16::from((real & 0x30) ^ 0x30) << 4;
            (code::STRING, Span::Counted(if high | u16::from(length) > 255 { 2 } else { 1 }))
        }
    }
}

fn decimal_bytes([precision, scale]: [u8; 2]) -> Result<u32> {
    let Some(whole) = precision.checked_sub(scale).filter(|_| precision <= 65) else {
        return broken(format!("a DECIMAL({precision},{scale})"));
    };
    Ok((decode::decimal_bytes(whole) + decode::decimal_bytes(scale)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(code: u8, meta: &[u8]) -> Result<Column> {
        column(code, &mut Wire::new(meta))
    }

    #[test]
    fn lengths_of_values() {
        for (code, meta, span) in [
            (code::VARCHAR, &[255, 0][..], Span::Counted(1)),
            (code::VARCHAR, &[0, 1], Span::Counted(2)),
            (code::STRING, &[254, 8], Span::Counted(1)),
            (code::STRING, &[0xEE, 0x20], Span::Counted(2)), // CHAR(72) of utf8mb4: 288 bytes
            (code::STRING, &[247, 2], Span::Fixed(2)),
            (code::NEWDECIMAL, &[20, 4], Span::Fixed(10)),
            (code::BIT, &[1, 1], Span::Fixed(2)),
            (code::DATETIME2, &[6], Span::Fixed(8)),
            (code::TIMESTAMP2, &[3], Span::Fixed(6)),
            (code::VECTOR, &[4], Span::Counted(4)),
        ] {
            assert_eq!(one(code, meta).unwrap().span, span, "{code} {meta:?}");
        }
    }

    #[test]
    fn what_has_no_length_is_refused() {
        for (code, meta) in
            [(0, &[][..]), (99, &[]), (code::BLOB, &[5]), (code::NEWDECIMAL, &[5, 6]), (code::BIT, &[1])]
        {
            assert!(one(code, meta).is_err(), "{code}");
        }
    }
}
