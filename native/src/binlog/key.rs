//! A key's columns: what the table's definition says of them, and values from the bytes of a row image.
//!
//! A map in the binlog tells neither signs nor character sets for certain, and images leave padding out. So the
//! column's type comes from `information_schema`, and the map has only to agree with it.

use super::layout::{self, code};
use super::moment::{datetime, time, timestamp};
use crate::date::Date;
use crate::value::Value;

/// Digits of a DECIMAL in four bytes.
const GROUP: usize = 9;

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
                let bytes = |digits: u8| usize::from(digits) / GROUP * 4 + (usize::from(digits) % GROUP).div_ceil(2);
                bytes(precision - scale) + bytes(*scale)
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
            Self::Int { unsigned: true, .. } => Value::Unsigned(little_endian(bytes)),
            Self::Int { .. } => {
                let shift = 64 - 8 * bytes.len();
                Value::Int((little_endian(bytes) << shift) as i64 >> shift)
            }
            Self::Float => Value::F32(number(f32::from_bits(little_endian(bytes) as u32))?),
            Self::Double => Value::F64(number(f64::from_bits(little_endian(bytes)))?),
            Self::Decimal { precision, scale } => {
                print_decimal(bytes, (precision - scale).into(), (*scale).into(), room)?;
                Value::Decimal(room)
            }
            Self::Date => {
                let packed = little_endian(bytes);
                Value::Date(Date {
                    day: (packed & 31) as u8,
                    month: (packed >> 5 & 15) as u8,
                    year: (packed >> 9) as u16,
                })
            }
            Self::DateTime { digits } => Value::DateTime(datetime(bytes, *digits)),
            Self::Timestamp { digits } => Value::DateTime(timestamp(bytes, *digits)),
            Self::Time { digits } => Value::Time(time(bytes, *digits)),
            Self::Year => Value::Int(if bytes[0] == 0 { 0 } else { 1900 + i64::from(bytes[0]) }),
            Self::Bit { .. } | Self::Varbinary => Value::Bytes(bytes),
            Self::Binary { length } => Value::Bytes(padded(bytes, *length, room)?),
            Self::Text { charset, .. } => Value::Bytes(charset.utf8(bytes, room)?),
            Self::Uuid => Value::Bytes(uuid(bytes, room)?),
            Self::Inet4 => Value::Bytes(inet4(bytes, room)?),
            Self::Inet6 => Value::Bytes(inet6(bytes, room)?),
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
                    room.extend_from_slice(cp1252(byte).encode_utf8(&mut buffer).as_bytes());
                }
                Ok(room)
            }
            Self::Utf8 | Self::Ascii => Err("a text is none of its character set".into()),
        }
    }
}

fn cp1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..0xA0 => FROM_80[usize::from(byte - 0x80)],
        other => other.into(),
    }
}

/// Zero has two forms that are equal in SQL and not in the lake; what is no number is equal to nothing.
fn number<T: Copy + Into<f64>>(value: T) -> Result<T, String> {
    let wide: f64 = value.into();
    match wide.is_finite() && !(wide == 0.0 && wide.is_sign_negative()) {
        true => Ok(value),
        false => Err(format!("a key is {wide:?}")),
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn padded<'a>(bytes: &'a [u8], length: usize, room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    if bytes.len() > length {
        return Err(format!("{} bytes are more than the {length} of its type", bytes.len()));
    }
    if bytes.len() == length {
        return Ok(bytes);
    }
    room.extend_from_slice(bytes);
    room.resize(length, 0);
    Ok(room)
}

/// Groups of nine digits, big-endian, the first and the last one shorter; a negative number has all its bits inverted,
/// and the highest bit says that a number is not negative.
fn print_decimal(bytes: &[u8], whole: usize, scale: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let mut rest = bytes;
    let mut is_first = true;
    let mut group = |digits: usize, out: &mut Vec<u8>| {
        let (taken, left) = rest.split_at((digits).div_ceil(2).min(4).min(rest.len()));
        rest = left;
        let mut value = taken.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(if negative { !byte } else { byte }));
        if std::mem::take(&mut is_first) && !taken.is_empty() {
            value ^= 0x80 << (8 * (taken.len() - 1));
        }
        if value >= 10u32.pow(digits as u32) {
            return Err(format!("{value} is no group of {digits} digits"));
        }
        let mut place = 10u32.pow(digits as u32) / 10;
        while place > 0 {
            out.push(b'0' + (value / place % 10) as u8);
            place /= 10;
        }
        Ok(())
    };
    if negative {
        out.push(b'-');
    }
    out.push(b'0');
    if !whole.is_multiple_of(GROUP) {
        group(whole % GROUP, out)?;
    }
    for _ in 0..whole / GROUP {
        group(GROUP, out)?;
    }
    if scale > 0 {
        out.push(b'.');
    }
    for _ in 0..scale / GROUP {
        group(GROUP, out)?;
    }
    if !scale.is_multiple_of(GROUP) {
        group(scale % GROUP, out)?;
    }
    Ok(())
}

/// MariaDB's UUID, in the order in which it is stored.
fn uuid<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 16];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no UUID", bytes.len())) };
    start.copy_from_slice(bytes);
    for (at, byte) in whole.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            room.push(b'-');
        }
        room.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    Ok(room)
}

fn inet4<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 4];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no INET4", bytes.len())) };
    start.copy_from_slice(bytes);
    room.extend_from_slice(std::net::Ipv4Addr::from(whole).to_string().as_bytes());
    Ok(room)
}

fn inet6<'a>(bytes: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
    let mut whole = [0; 16];
    let Some(start) = whole.get_mut(..bytes.len()) else { return Err(format!("{} bytes are no INET6", bytes.len())) };
    start.copy_from_slice(bytes);
    // An address of IPv4 in one of IPv6 is printed as such, where it is more than 16 bits.
    let text = match whole {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if (a, b) != (0, 0) => {
            format!("::{}", std::net::Ipv4Addr::new(a, b, c, d))
        }
        whole => std::net::Ipv6Addr::from(whole).to_string(),
    };
    room.extend_from_slice(text.as_bytes());
    Ok(room)
}
