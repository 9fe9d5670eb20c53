//! One value on its way from a packet to a column: borrowed from the packet, never an object of its own.

use crate::column::Kind;
use crate::date::{Date, DateTime, Time};
use crate::float;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Int(i64),
    Unsigned(u64),
    F32(f32),
    F64(f64),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    /// The digits of a DECIMAL, as text in both protocols.
    Decimal(&'a [u8]),
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The value as the server prints it, with `digits` of a fraction of a second. Bytes stay bytes.
    pub fn print(&self, digits: u8, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Self::Unsigned(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Self::F32(value) => float::print(f64::from(*value), out),
            Self::F64(value) => float::print(*value, out),
            Self::Date(value) => value.print(out),
            Self::DateTime(value) => value.print(digits, out),
            Self::Time(value) => value.print(digits, out),
            Self::Decimal(text) => crate::decimal::print(text, out),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// The value for a person: short; text and dates are quoted, bytes that are no text are hexadecimal.
    pub fn show(&self, kind: Kind) -> String {
        const LONGEST: usize = 60;
        let mut text = Vec::new();
        self.print(kind.digits(), &mut text);
        let cut = text.len() > LONGEST;
        text.truncate(LONGEST);
        let dots = if cut { "…" } else { "" };
        let shown = match std::str::from_utf8(&text) {
            Ok(text) => Some(text),
            // The cut was in the middle of a character.
            Err(error) if cut && error.error_len().is_none() => text.utf8_chunks().next().map(|chunk| chunk.valid()),
            Err(_) => None,
        };
        match (self, shown) {
            (Self::Bytes(_), Some(shown)) if !matches!(kind, Kind::Bit { .. } | Kind::Bytes) => {
                format!("'{shown}{dots}'")
            }
            (Self::Date(_) | Self::DateTime(_) | Self::Time(_), Some(shown)) => format!("'{shown}'"),
            (Self::Bytes(_), _) | (_, None) => {
                let hex: String = text.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("0x{hex}{dots}")
            }
            (_, Some(shown)) => format!("{shown}{dots}"),
        }
    }
}
