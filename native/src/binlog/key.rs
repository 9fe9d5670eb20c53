//! A key's columns: what the table's definition says of them, and values from the bytes of a row image.
//!
//! A map in the binlog tells neither signs nor character sets for certain, and images leave padding out. So the
//! column's type comes from `information_schema`, and the map has only to agree with it.

use super::decode;
use super::layout::{self, code};
use crate::date::Date;
use crate::value::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Int { bytes: u8, unsigned: bool },
    Float,
    Double,
    Decimal { precision: u8, scale: u8 },
    Date,
    DateTime { digits: u8 },
    Timestamp { digits: u8 },
    Time { digits: u8 },
    Year,
    Bit { bits: u8 },
    Text { charset: Charset, is_fixed: bool },
    Varbinary,
    Binary { length: usize },
    Uuid,
    Inet4,
    Inet6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Ascii,
    /// MySQL's latin1 is cp1252 whose five holes are what they are in Latin-1.
    Latin1,
}

/// Why a map's column is not the one that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The table was another one then.
    Other,
    /// The same values in a form that is not read here: temporal types of MySQL 5.5, compressed columns of MariaDB.
    Form,
}

impl Kind {
    /// Reads a column's type as `information_schema` has it.
    ///
    /// # Errors
    /// Keys of this type or character set are not read; the reason ends a sentence that names the column.
    pub fn parse(mysql: &str, charset: &str) -> Result<Self, String> {
        let lower = mysql.trim().to_lowercase();
        let base = lower.split(['(', ' ']).next().unwrap_or_default();
        let arguments = lower.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
        let number = |at: usize, default: usize| match arguments.and_then(|text| text.split(',').nth(at)) {
            Some(text) => text.trim().parse().map_err(|_| format!("has the type {mysql}, which is not understood")),
            None => Ok(default),
        };
        let unsigned = lower.contains("unsigned");
        let digits = |default| number(0, default).map(|digits| digits.min(6) as u8);
        let text = |is_fixed| Ok(Self::Text { charset: Charset::parse(charset)?, is_fixed });
        match base {
            "tinyint" => Ok(Self::Int { bytes: 1, unsigned }),
            "smallint" => Ok(Self::Int { bytes: 2, unsigned }),
            "mediumint" => Ok(Self::Int { bytes: 3, unsigned }),
            "int" | "integer" => Ok(Self::Int { bytes: 4, unsigned }),
            "bigint" => Ok(Self::Int { bytes: 8, unsigned }),
            "float" => Ok(Self::Float),
            "double" | "real" => Ok(Self::Double),
            "decimal" | "numeric" => match (number(0, 10)?, number(1, 0)?) {
                (precision @ 1..=65, scale) if scale <= precision => {
                    Ok(Self::Decimal { precision: precision as u8, scale: scale as u8 })
                }
                _ => Err(format!("has the type {mysql}, which is no decimal")),
            },
            "date" => Ok(Self::Date),
            "datetime" => Ok(Self::DateTime { digits: digits(0)? }),
            "timestamp" => Ok(Self::Timestamp { digits: digits(0)? }),
            "time" => Ok(Self::Time { digits: digits(0)? }),
            "year" => Ok(Self::Year),
            "bit" => Ok(Self::Bit { bits: number(0, 1)?.min(64) as u8 }),
            "char" => text(true),
            "varchar" => text(false),
            "binary" => Ok(Self::Binary { length: number(0, 1)?.min(255) }),
            "varbinary" => Ok(Self::Varbinary),
            "uuid" => Ok(Self::Uuid),
            "inet4" => Ok(Self::Inet4),
            "inet6" => Ok(Self::Inet6),
            _ => Err(format!("is {mysql}, which is not taken from row events")),
        }
    }

    /// Whether a map's column holds values of this kind.
    pub fn fits(&self, column: &layout::Column) -> Result<(), Misfit> {
        let [first, second] = column.meta;
        let is = |expected| if expected { Ok(()) } else { Err(Misfit::Other) };
        match (self, column.code) {
            (Self::Int { bytes, .. }, found) => is(match bytes {
                1 => found == code::TINY,
                2 => found == code::SHORT,
                3 => found == code::INT24,
                4 => found == code::LONG,
                _ => found == code::LONGLONG,
            }),
            (Self::Float, code::FLOAT) | (Self::Double, code::DOUBLE) | (Self::Year, code::YEAR) => Ok(()),
            (Self::Decimal { precision, scale }, code::NEWDECIMAL) => is((*precision, *scale) == (first, second)),
            (Self::Date, code::DATE | code::NEWDATE) => Ok(()),
            (Self::DateTime { digits }, code::DATETIME2)
            | (Self::Timestamp { digits }, code::TIMESTAMP2)
            | (Self::Time { digits }, code::TIME2) => is(*digits == first),
            (Self::DateTime { .. }, code::DATETIME)
            | (Self::Timestamp { .. }, code::TIMESTAMP)
            | (Self::Time { .. }, code::TIME)
            | (Self::Text { .. } | Self::Varbinary, code::VARCHAR_COMPRESSED) => Err(Misfit::Form),
            (Self::Bit { bits }, code::BIT) => is(u16::from(*bits) == u16::from(second) * 8 + u16::from(first)),
            (Self::Text { is_fixed: false, .. } | Self::Varbinary, code::VARCHAR) => Ok(()),
            (Self::Text { is_fixed: true, .. } | Self::Binary { .. }, code::STRING) => Ok(()),
            (Self::Uuid | Self::Inet4 | Self::Inet6, code::STRING) => Ok(()),
            _ => Err(Misfit::Other),
        }
    }

    /// Digits of a second's fraction that its values are printed with.
    pub fn digits(&self) -> u8 {
        match self {
            Self::DateTime { digits } | Self::Timestamp { digits } | Self::Time { digits } => *digits,
            _ => 0,
        }
    }

    /// Bytes that every value has in an image; None if they differ.
    pub fn width(&self) -> Option<usize> {
        Some(match self {
            Self::Int { bytes, .. } => usize::from(*bytes),
            Self::Float => 4,
            Self::Double => 8,
            Self::Decimal { precision, scale } => {
                decode::decimal_bytes(precision - scale) + decode::decimal_bytes(*scale)
            }
            Self::Date => 3,
            Self::DateTime { digits } => 5 + usize::from(digits.div_ceil(2)),
            Self::Timestamp { digits } => 4 + usize::from(digits.div_ceil(2)),
            Self::Time { digits } => 3 + usize::from(digits.div_ceil(2)),
            Self::Year => 1,
            Self::Bit { bits } => usize::from(bits.div_ceil(8)),
            Self::Text { .. } | Self::Varbinary | Self::Binary { .. } | Self::Uuid | Self::Inet4 | Self::Inet6 => {
                return None;
            }
        })
    }

    /// The value of an image's bytes. What cannot stay as it is there is written into `room`.
    ///
    /// # Errors
    /// The bytes are no value of this kind, or one that no key can have.
    pub fn value<'a>(&self, bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<Value<'a>, String> {
        if self.width().is_some_and(|width| width != bytes.len()) {
            return Err(format!("{} bytes are no value of its type", bytes.len()));
        }
        room.clear();
        Ok(match self {
            Self::Int { unsigned: true, .. } => Value::Unsigned(decode::little_endian(bytes)),
            Self::Int { .. } => {
                let shift = 64 - 8 * bytes.len();
                Value::Int((decode::little_endian(bytes) << shift) as i64 >> shift)
            }
            Self::Float => Value::F32(decode::number(f32::from_bits(decode::little_endian(bytes) as u32))?),
            Self::Double => Value::F64(decode::number(f64::from_bits(decode::little_endian(bytes)))?),
            Self::Decimal { precision, scale } => {
                decode::print_decimal(bytes, (precision - scale).into(), (*scale).into(), room)?;
                Value::Decimal(room)
            }
            Self::Date => {
                let packed = decode::little_endian(bytes);
                Value::Date(Date {
                    day: (packed & 31) as u8,
                    month: (packed >> 5 & 15) as u8,
                    year: (packed >> 9) as u16,
                })
            }
            Self::DateTime { digits } => Value::DateTime(decode::datetime(bytes, *digits)),
            Self::Timestamp { digits } => Value::DateTime(decode::timestamp(bytes, *digits)),
            Self::Time { digits } => Value::Time(decode::time(bytes, *digits)),
            Self::Year => Value::Int(if bytes[0] == 0 { 0 } else { 1900 + i64::from(bytes[0]) }),
            Self::Bit { .. } | Self::Varbinary => Value::Bytes(bytes),
            Self::Binary { length } => Value::Bytes(decode::padded(bytes, *length, room)?),
            Self::Text { charset, .. } => Value::Bytes(charset.utf8(bytes, room)?),
            Self::Uuid => Value::Bytes(decode::uuid(bytes, room)?),
            Self::Inet4 => Value::Bytes(decode::inet4(bytes, room)?),
            Self::Inet6 => Value::Bytes(decode::inet6(bytes, room)?),
        })
    }
}

impl Charset {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "utf8mb4" | "utf8mb3" | "utf8" => Ok(Self::Utf8),
            "ascii" => Ok(Self::Ascii),
            "latin1" => Ok(Self::Latin1),
            other => Err(format!("has the character set {other}, which is not read from row events")),
        }
    }

    fn utf8<'a>(self, bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
        if bytes.is_ascii() {
            return Ok(bytes);
        }
        match self {
            Self::Utf8 if std::str::from_utf8(bytes).is_ok() => Ok(bytes),
            Self::Latin1 => {
                let mut buffer = [0; 4];
                for &byte in bytes {
                    room.extend_from_slice(decode::cp1252(byte).encode_utf8(&mut buffer).as_bytes());
                }
                Ok(room)
            }
            Self::Utf8 | Self::Ascii => Err("a text is none of its character set".into()),
        }
    }
}
