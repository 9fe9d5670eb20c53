//! Column definitions: what the server says of a column, and the kind of values that it therefore sends.

use std::fmt;

use crate::charset;
use crate::error::{Error, Result, broken};
use crate::wire::Wire;

const UNSIGNED: u16 = 0x20;
const ENUM: u16 = 0x100;
const SET: u16 = 0x800;

/// Digits of a fraction that is as long as it happens to be: the server's NOT_FIXED_DEC.
const NOT_FIXED: u8 = 31;

/// What a column's values are, whatever the protocol that carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    /// Bytes of an integer: 1, 2, 3, 4 or 8.
    Int {
        bytes: u8,
        unsigned: bool,
    },
    Year,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    /// DATETIME, or TIMESTAMP when `instant`; `digits` of the fraction of a second.
    DateTime {
        digits: u8,
        instant: bool,
    },
    Time {
        digits: u8,
    },
    Bit {
        bits: u32,
    },
    Text,
    Bytes,
}

/// How a binary row carries a value of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    Date,
    Time,
    Bytes,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub form: Form,
}

impl Column {
    pub fn parse(packet: &[u8]) -> Result<Self> {
        let mut wire = Wire::new(packet);
        for _ in ["catalog", "schema", "table", "original table"] {
            wire.bytes()?;
        }
        let name = String::from_utf8_lossy(wire.bytes()?).into_owned();
        wire.bytes()?; // the original name
        wire.length()?;
        let (charset, length) = (wire.u16()?, wire.u32()?);
        let (code, flags, decimals) = (wire.u8()?, wire.u16()?, wire.u8()?);
        let (kind, form) = classify(&name, code, flags, charset, length, decimals)?;
        Ok(Self { name, kind, form })
    }
}

fn classify(name: &str, code: u8, flags: u16, charset: u16, length: u32, decimals: u8) -> Result<(Kind, Form)> {
    let unsigned = flags & UNSIGNED != 0;
    let int = |bytes| Kind::Int { bytes, unsigned };
    let digits = if decimals >= NOT_FIXED { NOT_FIXED } else { decimals.min(6) };
    Ok(match code {
        0 | 246 => {
            // The length counts a point and a sign.
            let signs = u32::from(decimals > 0) + u32::from(!unsigned);
            let precision = u8::try_from(length.saturating_sub(signs)).unwrap_or(u8::MAX);
            (Kind::Decimal { precision: precision.max(decimals).max(1), scale: decimals }, Form::Bytes)
        }
        1 => (int(1), Form::I8),
        2 => (int(2), Form::I16),
        3 => (int(4), Form::I32),
        4 => (Kind::Float, Form::F32),
        5 => (Kind::Double, Form::F64),
        6 => (Kind::Null, Form::Bytes),
        7 => (Kind::DateTime { digits, instant: true }, Form::Date),
        8 => (int(8), Form::I64),
        9 => (int(3), Form::I32),
        10 | 14 => (Kind::Date, Form::Date),
        11 => (Kind::Time { digits }, Form::Time),
        12 => (Kind::DateTime { digits, instant: false }, Form::Date),
        13 => (Kind::Year, Form::I16),
        16 => (Kind::Bit { bits: length }, Form::Bytes),
        242 | 255 => (Kind::Bytes, Form::Bytes),
        245 | 247 | 248 => (Kind::Text, Form::Bytes),
        15 | 249..=254 => match charset {
            charset::BINARY if flags & (ENUM | SET) == 0 => (Kind::Bytes, Form::Bytes),
            charset::BINARY => (Kind::Text, Form::Bytes),
            other if charset::is_utf8(other) => (Kind::Text, Form::Bytes),
            other => {
                return Err(Error::Type {
                    column: name.into(),
                    mysql: Kind::Text.to_string(),
                    target: "text".into(),
                    reason: format!("it is sent in character set {other}, not utf8mb4; SET NAMES utf8mb4 first"),
                });
            }
        },
        other => return broken(format!("column {name} has type {other}, which is unknown")),
    })
}

impl Kind {
    /// Digits of a second's fraction that the column's values are printed with.
    pub fn digits(self) -> u8 {
        match self {
            Self::DateTime { digits, .. } | Self::Time { digits } => digits,
            _ => 0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Null => out.write_str("NULL"),
            Self::Int { bytes, unsigned } => {
                let name = match bytes {
                    1 => "TINYINT",
                    2 => "SMALLINT",
                    3 => "MEDIUMINT",
                    4 => "INT",
                    _ => "BIGINT",
                };
                write!(out, "{name}{}", if unsigned { " UNSIGNED" } else { "" })
            }
            Self::Year => out.write_str("YEAR"),
            Self::Float => out.write_str("FLOAT"),
            Self::Double => out.write_str("DOUBLE"),
            Self::Decimal { precision, scale } => write!(out, "DECIMAL({precision},{scale})"),
            Self::Date => out.write_str("DATE"),
            Self::DateTime { digits, instant } => {
                write!(out, "{}({digits})", if instant { "TIMESTAMP" } else { "DATETIME" })
            }
            Self::Time { digits } => write!(out, "TIME({digits})"),
            Self::Bit { bits } => write!(out, "BIT({bits})"),
            Self::Text => out.write_str("text"),
            Self::Bytes => out.write_str("bytes"),
        }
    }
}
